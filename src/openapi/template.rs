//! A path template: fixed text and holes, filled in one pass so that a value can never be taken for a hole.

use super::encode::{Keep, percent};
use crate::domain::limits::PARAMETERS_MAX;

/// `/users/{id}:activate?type=user`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    path: Vec<Piece>,
    query: Vec<Piece>,
    /// The holes' names, each once, in order of appearance.
    pub names: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Already escaped.
    Text(String),
    /// An index into `names`.
    Hole(usize),
}

impl Template {
    /// Takes a template apart; the reason when braces do not pair or a fixed segment is `.` or `..`.
    /// A fragment is dropped: it is never sent (RFC 9110, 7.1).
    pub fn parse(template: &str) -> Result<Self, String> {
        let mut parsed = Self { path: Vec::new(), query: Vec::new(), names: Vec::new() };
        let (mut rest, mut in_query) = (template, false);
        while !rest.is_empty() {
            let hole = rest.starts_with('{');
            let end = if hole { rest.find('}').map(|at| at + 1) } else { rest.find(['{', '?', '#']).or(Some(rest.len())) };
            let end = match end {
                Some(0) if rest.starts_with('#') => break,
                Some(0) => {
                    // The first question mark opens the query; a later one is part of it.
                    if std::mem::replace(&mut in_query, true) {
                        parsed.query.push(Piece::Text("?".to_owned()));
                    }
                    rest = rest.get(1..).unwrap_or_default();
                    continue;
                }
                Some(end) => end,
                None => return Err("the path has an opening brace without a closing one".to_owned()),
            };
            let (head, tail) = rest.split_at(end);
            rest = tail;
            let piece = if hole { parsed.hole(head)? } else { text(head) };
            if in_query { parsed.query.push(piece) } else { parsed.path.push(piece) }
        }
        let fixed = parsed.fill(&vec!["x".to_owned(); parsed.names.len()]).0;
        match dot_segment(&fixed) {
            Some(segment) => Err(format!("the path has the segment `{segment}`, which servers and proxies resolve away")),
            None => Ok(parsed),
        }
    }

    fn hole(&mut self, braced: &str) -> Result<Piece, String> {
        let name = braced.trim_start_matches('{').trim_end_matches('}').trim();
        if name.is_empty() {
            return Err("the path has a pair of braces without a name".to_owned());
        }
        let known = self.names.iter().position(|known| known == name);
        if known.is_none() && self.names.len() >= PARAMETERS_MAX {
            return Err(format!("the path has more than {PARAMETERS_MAX} places for values"));
        }
        Ok(Piece::Hole(known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        })))
    }

    /// The path and the query text with the holes filled by escaped values, in the order of `names`.
    pub fn fill(&self, values: &[String]) -> (String, String) {
        let fill = |pieces: &[Piece]| {
            let part = |piece: &Piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Hole(index) => values.get(*index).cloned().unwrap_or_default(),
            };
            pieces.iter().map(part).collect::<String>()
        };
        (fill(&self.path), fill(&self.query))
    }
}

fn text(raw: &str) -> Piece {
    let mut out = String::with_capacity(raw.len());
    percent(&mut out, raw, Keep::Path);
    Piece::Text(out)
}

/// The first segment that URL parsers would resolve away (RFC 3986, 5.2.4; WHATWG also takes `%2e` for a dot).
pub(super) fn dot_segment(path: &str) -> Option<&str> {
    path.split('/').find(|segment| matches!(segment.replace("%2E", ".").replace("%2e", ".").as_str(), "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, values: &[&str]) -> (String, String) {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        Template::parse(template).unwrap().fill(&values)
    }

    #[test]
    fn holes_are_filled_once_and_everywhere() {
        assert_eq!(fill("/files/{name}.{ext}", &["{ext}", "md"]).0, "/files/{ext}.md");
        assert_eq!(fill("/{t}/{t}/device", &["a"]).0, "/a/a/device");
        assert_eq!(fill("/users/{id}:activate", &["5"]).0, "/users/5:activate");
        assert_eq!(fill("/search?type=user&q={q}?#top", &["x"]), ("/search".to_owned(), "type=user&q=x?".to_owned()));
    }

    #[test]
    fn broken_templates_are_refused() {
        for bad in ["/a/{id", "/a/{}", "/a/../b", "/a/./b", "/a/%2e%2E/b"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
        assert!(Template::parse("/a/..b/x..").is_ok());
    }
}
