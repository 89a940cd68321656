//! Which operations of a document become functions at all: the operator's rules.

use std::fmt;

/// One rule, written as `tag:…`, `method:…`, `path:…` or `id:…`. `*` stands for any characters, in a path for those of one segment;
/// `**` stands for any characters in a path too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    about: About,
    pattern: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Tag,
    Method,
    Path,
    Id,
}

/// What rules are asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// In upper case.
    pub method: &'a str,
    /// The template, as the document has it.
    pub path: &'a str,
    pub tags: &'a [String],
    /// The document's own name for it, if any.
    pub operation_id: Option<&'a str>,
    /// The name of its function.
    pub function: &'a str,
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// A sentence that says what is needed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let needed = "tag:…, method:…, path:/… or id:… is needed";
        let (kind, pattern) = text.split_once(':').map(|(kind, pattern)| (kind.trim(), pattern.trim())).ok_or(needed)?;
        let about = match kind {
            "tag" => About::Tag,
            "method" => About::Method,
            "path" => About::Path,
            "id" => About::Id,
            _ => return Err(needed.to_owned()),
        };
        if pattern.is_empty() {
            return Err(format!("says no {kind}"));
        }
        if about == About::Path && !pattern.starts_with('/') && !pattern.starts_with('*') {
            return Err("a path begins with a slash".to_owned());
        }
        let pattern = if about == About::Method { pattern.to_ascii_uppercase() } else { pattern.to_owned() };
        if about == About::Method && !pattern.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err("a method has letters only".to_owned());
        }
        Ok(Self { about, pattern })
    }

    /// Whether it is about this operation.
    pub fn fits(&self, asked: &Asked<'_>) -> bool {
        match self.about {
            About::Tag => asked.tags.iter().any(|tag| matches(&self.pattern, tag, false)),
            About::Method => self.pattern == asked.method,
            About::Path => matches(&self.pattern, asked.path, true),
            About::Id => asked.operation_id.into_iter().chain([asked.function]).any(|id| matches(&self.pattern, id, false)),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.about {
            About::Tag => "tag",
            About::Method => "method",
            About::Path => "path",
            About::Id => "id",
        };
        write!(f, "{kind}:{}", self.pattern)
    }
}

/// The rules of one document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// If there are any, only operations that one of them fits become functions.
    pub include: Vec<Rule>,
    /// Operations that one of them fits do not.
    pub exclude: Vec<Rule>,
}

impl Selection {
    /// Why an operation does not become a function: the rule that leaves it out. `None`: it does.
    pub fn leaves_out(&self, asked: &Asked<'_>) -> Option<String> {
        if let Some(rule) = self.exclude.iter().find(|rule| rule.fits(asked)) {
            return Some(format!("exclude {rule}"));
        }
        let included = self.include.is_empty() || self.include.iter().any(|rule| rule.fits(asked));
        (!included).then(|| "no rule of include fits".to_owned())
    }

    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.include.iter().chain(&self.exclude)
    }
}

/// Whether a text is of a pattern. Every state that the pattern can be in is kept, so the time is the product of both lengths at most.
fn matches(pattern: &str, text: &str, in_segments: bool) -> bool {
    let tokens = tokens(pattern, in_segments);
    let mut states = vec![false; tokens.len() + 1];
    enter(&tokens, &mut states, 0);
    for c in text.chars() {
        let mut next = vec![false; tokens.len() + 1];
        for (at, token) in tokens.iter().enumerate().filter(|(at, _)| states.get(*at).copied().unwrap_or_default()) {
            match token {
                Token::One(own) if *own == c => enter(&tokens, &mut next, at + 1),
                Token::Any { across } if *across || c != '/' => enter(&tokens, &mut next, at),
                Token::One(_) | Token::Any { .. } => {}
            }
        }
        states = next;
    }
    states.last().copied().unwrap_or_default()
}

#[derive(Clone, Copy)]
enum Token {
    One(char),
    /// Any characters, or none.
    Any {
        across: bool,
    },
}

fn tokens(pattern: &str, in_segments: bool) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for c in pattern.chars() {
        match (c, tokens.last_mut()) {
            ('*', Some(Token::Any { across })) => *across = true,
            ('*', _) => tokens.push(Token::Any { across: !in_segments }),
            (c, _) => tokens.push(Token::One(c)),
        }
    }
    tokens
}

/// Enters a state, and those after it that need no character.
fn enter(tokens: &[Token], states: &mut [bool], from: usize) {
    for at in from..states.len() {
        if let Some(state) = states.get_mut(at) {
            *state = true;
        }
        if !matches!(tokens.get(at), Some(Token::Any { .. })) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked<'a>(method: &'a str, path: &'a str, tags: &'a [String]) -> Asked<'a> {
        Asked { method, path, tags, operation_id: Some("users/list"), function: "users_list" }
    }

    fn fits(rule: &str, path: &str) -> bool {
        let tags = ["Order management".to_owned()];
        Rule::parse(rule).unwrap().fits(&asked("GET", path, &tags))
    }

    #[test]
    fn each_kind_of_rule_fits_what_it_is_about() {
        for (rule, path, fitting) in [
            ("tag:Order management", "/a", true),
            ("tag:order management", "/a", false),
            ("tag:Order*", "/a", true),
            ("method:get", "/a", true),
            ("method: DELETE", "/a", false),
            ("path:/users", "/users", true),
            ("path:/users", "/users/{id}", false),
            ("path:/users/*", "/users/{id}", true),
            ("path:/users/*", "/users/{id}/orders", false),
            ("path:/users/**", "/users/{id}/orders", true),
            ("path:**/orders", "/users/{id}/orders", true),
            ("path:/*/{id}", "/users/{id}", true),
            ("id:users/*", "/a", true),
            ("id:users_list", "/a", true),
            ("id:list", "/a", false),
        ] {
            assert_eq!(fits(rule, path), fitting, "{rule} {path}");
        }
        // A pattern with many ways to fail fails at once.
        assert!(!matches(&("*a".repeat(50) + "b"), &"a".repeat(2000), false));
    }

    #[test]
    fn what_is_no_rule_says_what_is_needed() {
        for text in ["orders", "tags:a", "tag:", "path:users", "method:GET,POST", ""] {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
        assert_eq!(Rule::parse(" method : patch ").unwrap().to_string(), "method:PATCH");
    }

    #[test]
    fn exclude_wins_over_include_and_an_empty_include_takes_all() {
        let rules = |texts: &[&str]| texts.iter().map(|text| Rule::parse(text).unwrap()).collect::<Vec<_>>();
        let reading = Selection { include: rules(&["method:get", "path:/orders"]), exclude: rules(&["path:/admin/**"]) };
        let left_out = |selection: &Selection, method, path| selection.leaves_out(&asked(method, path, &[]));
        assert_eq!(left_out(&reading, "GET", "/users"), None);
        assert_eq!(left_out(&reading, "POST", "/orders"), None);
        assert_eq!(left_out(&reading, "POST", "/users").as_deref(), Some("no rule of include fits"));
        assert_eq!(left_out(&reading, "GET", "/admin/users").as_deref(), Some("exclude path:/admin/**"));
        assert_eq!(left_out(&Selection::default(), "POST", "/users"), None);
    }
}
