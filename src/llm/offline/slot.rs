//! An argument of a function, as the planner fills it.

use serde_json::{Map, Value};

use crate::{
    domain::language::is_ideograph,
    words::{lexicon, singular, stem, words_of_name},
};

/// One argument of a function.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    /// The name's words as the lexicon calls them, without those that only say what kind of value it is.
    pub(super) words: Vec<String>,
    pub(super) kind: Kind,
    pub(super) role: Role,
    pub(super) required: bool,
    pub(super) description: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Integer,
    Number,
    Boolean,
    /// Values with the forms that mean them.
    Choice(Vec<Choice>),
    Date,
    Instant,
    Email,
    Text,
    /// A list of texts.
    Texts,
    /// Objects and whatever else a sentence does not give.
    Other,
}

/// One value of an enumeration.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    pub(super) value: Value,
    /// In lower case: the value itself and what the description says it means.
    pub(super) forms: Vec<String>,
    /// The lexicon's names for it.
    pub(super) words: Vec<String>,
}

/// What an argument is for, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Page,
    /// How many on a page.
    Limit,
    /// Any text that is searched for.
    Search,
    /// Says which one: of the thing that its words name, or of the function's own.
    Id,
    Least,
    Most,
    Plain,
}

/// Words of names that say what kind of value it is, not of what.
const KIND_WORDS: [&str; 12] = ["id", "ids", "uuid", "guid", "number", "no", "num", "code", "slug", "in", "of", "the"];
const LEAST_WORDS: [&str; 9] = ["min", "minimum", "from", "since", "after", "gte", "gt", "start", "least"];
const MOST_WORDS: [&str; 10] = ["max", "maximum", "to", "until", "before", "lte", "lt", "end", "till", "most"];

/// The arguments of a function in the order of its schema.
pub(super) fn slots_of(parameters: &Value) -> Vec<Slot> {
    let empty = Map::new();
    let properties = parameters.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let required: Vec<&str> =
        parameters.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    properties.iter().map(|(name, schema)| slot(parameters, name, schema, required.contains(&name.as_str()))).collect()
}

fn slot(root: &Value, name: &str, schema: &Value, required: bool) -> Slot {
    let schema = resolved(root, schema);
    let text = |schema: &Value| schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    let description = text(schema);
    let raw = words_of_name(name);
    let kind = kind(root, schema, &raw, &description);
    let role = role(&raw, &kind);
    let bound = matches!(role, Role::Least | Role::Most);
    let told = |word: &&String| {
        let word = word.as_str();
        !(KIND_WORDS.contains(&word) || (bound && (LEAST_WORDS.contains(&word) || MOST_WORDS.contains(&word))))
    };
    let mut words: Vec<String> = raw.iter().filter(told).flat_map(|word| lexicon().terms(word)).collect();
    if role == Role::Id && raw.iter().any(|word| matches!(word.as_str(), "username" | "login")) {
        words.push("user".to_owned());
    }
    let whole = raw.join(" ");
    words.extend(lexicon().exact(&whole).iter().filter_map(|meaning| meaning.word()).map(str::to_owned));
    Slot { name: name.to_owned(), words, kind, role, required, description }
}

/// The schema itself where it is a reference into the same document or a choice between it and null.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut at = schema;
    // A reference to a reference to a choice: deeper ones are documents that nobody writes, and loops.
    for _ in 0..8 {
        let next = match at.get("$ref").and_then(Value::as_str) {
            Some(reference) => root.pointer(reference.trim_start_matches('#')),
            None => ["allOf", "anyOf", "oneOf"]
                .iter()
                .find_map(|key| at.get(*key))
                .and_then(Value::as_array)
                .and_then(|options| options.iter().find(|option| option.get("type").and_then(Value::as_str) != Some("null"))),
        };
        match next {
            Some(next) if at.get("type").is_none() => at = next,
            _ => break,
        }
    }
    at
}

fn kind(root: &Value, schema: &Value, name: &[String], description: &str) -> Kind {
    if let Some(values) = schema.get("enum").and_then(Value::as_array).filter(|values| values.iter().any(Value::is_string)) {
        return Kind::Choice(values.iter().filter_map(|value| choice(value, description)).collect());
    }
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        Some(kind) => kind.as_str(),
        None => None,
    };
    match (kind, format) {
        (Some("integer"), _) => Kind::Integer,
        (Some("number"), _) => Kind::Number,
        (Some("boolean"), _) => Kind::Boolean,
        (Some("string"), "date") => Kind::Date,
        (Some("string"), "date-time") => Kind::Instant,
        (Some("string"), "email") => Kind::Email,
        (Some("string"), _) if name.iter().any(|word| word == "email") => Kind::Email,
        (Some("string"), _) => Kind::Text,
        (Some("array"), _) => match schema.get("items").map(|items| resolved(root, items)).and_then(|items| items.get("type")) {
            Some(Value::String(of)) if of == "string" => Kind::Texts,
            _ => Kind::Other,
        },
        _ => Kind::Other,
    }
}

fn choice(value: &Value, description: &str) -> Option<Choice> {
    let text = value.as_str()?;
    let spoken = words_of_name(text).join(" ");
    let mut forms = vec![text.to_lowercase(), spoken.clone(), singular(&spoken)];
    forms.extend(described_as(text, description));
    let named = lexicon().exact(&spoken).iter().chain(lexicon().exact(&singular(&spoken))).filter_map(|meaning| meaning.word());
    let mut words: Vec<String> = named.map(str::to_owned).collect();
    forms.dedup();
    words.dedup();
    Some(Choice { value: value.clone(), forms, words })
}

/// What a description says a value means in Chinese, where it puts the two side by side: `` `paid` 已付款, `` or `paid(已付款)`.
fn described_as(value: &str, description: &str) -> Option<String> {
    let mut from = 0;
    while let Some(found) = description.get(from..).and_then(|rest| rest.find(value)) {
        from += found + value.len();
        let rest = description.get(from..).unwrap_or_default();
        // With the full-width twins of the parenthesis and the colon.
        let rest = rest.trim_start_matches(['`', '"', '\'', '”', '(', '\u{FF08}', '=', ':', '\u{FF1A}', '-', ' ']);
        let meaning: String = rest.chars().take_while(|c| is_ideograph(*c)).collect();
        if meaning.chars().count() >= 2 {
            return Some(meaning);
        }
    }
    None
}

fn role(name: &[String], kind: &Kind) -> Role {
    let has = |words: &[&str]| name.iter().any(|word| words.contains(&word.as_str()));
    let joined = name.join("_");
    let counts = matches!(kind, Kind::Integer | Kind::Number);
    let edge = |words: &[&str]| [name.first(), name.last()].into_iter().flatten().any(|word| words.contains(&word.as_str()));
    if counts
        && matches!(
            joined.as_str(),
            "limit" | "per_page" | "page_size" | "pagesize" | "size" | "count" | "top" | "max_results" | "page_limit" | "perpage"
        )
    {
        Role::Limit
    } else if counts && has(&["page", "pageno", "pagenum"]) {
        Role::Page
    } else if matches!(kind, Kind::Text)
        && matches!(joined.as_str(), "q" | "query" | "search" | "keyword" | "keywords" | "search_term" | "search_query" | "term" | "text")
    {
        Role::Search
    } else if matches!(kind, Kind::Integer | Kind::Number | Kind::Date | Kind::Instant) && name.len() > 1 && edge(&LEAST_WORDS) {
        Role::Least
    } else if matches!(kind, Kind::Integer | Kind::Number | Kind::Date | Kind::Instant) && name.len() > 1 && edge(&MOST_WORDS) {
        Role::Most
    } else if matches!(kind, Kind::Date | Kind::Instant) && edge(&LEAST_WORDS) {
        Role::Least
    } else if matches!(kind, Kind::Date | Kind::Instant) && edge(&MOST_WORDS) {
        Role::Most
    } else if name
        .last()
        .is_some_and(|word| KIND_WORDS.iter().take(9).any(|kind| kind == word) || matches!(word.as_str(), "username" | "login" | "sha"))
    {
        Role::Id
    } else {
        Role::Plain
    }
}

impl Slot {
    /// Whether a span's words name what this argument is of.
    pub(super) fn is_of(&self, span: &super::sentence::Span) -> bool {
        span.words().any(|word| self.words.iter().any(|own| own == word)) || (span.is_unknown() && self.words.contains(&span.stem))
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }

    /// The first sentence of the description, or nothing.
    pub(super) fn meaning(&self) -> &str {
        self.description.lines().next().unwrap_or_default().trim()
    }
}

/// The stems that a slot adds to what its function is found by.
pub(super) fn terms_of(slot: &Slot) -> impl Iterator<Item = String> {
    let choices = match &slot.kind {
        Kind::Choice(choices) => choices.as_slice(),
        _ => &[],
    };
    let of_choices = choices.iter().flat_map(|choice| choice.words.iter().cloned().chain(choice.forms.iter().map(|form| stem(form))));
    slot.words.iter().cloned().chain(of_choices)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_become_slots() {
        let schema = json!({
            "type": "object",
            "properties": {
                "user_id": {"$ref": "#/$defs/Id"},
                "per_page": {"type": "integer"},
                "pageNo": {"type": ["integer", "null"]},
                "max_price": {"type": "number"},
                "created_from": {"type": "string", "format": "date"},
                "status": {"description": "`paid` 已付款, `open` 打开", "enum": ["paid", "open"]},
                "q": {"anyOf": [{"type": "null"}, {"type": "string"}]},
                "loop": {"$ref": "#/properties/loop"},
                "labels": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["user_id"],
            "$defs": {"Id": {"type": "integer"}},
        });
        let slots = slots_of(&schema);
        let roles: Vec<(&str, Role)> = slots.iter().map(|slot| (slot.name.as_str(), slot.role)).collect();
        assert_eq!(
            roles,
            [
                ("user_id", Role::Id),
                ("per_page", Role::Limit),
                ("pageNo", Role::Page),
                ("max_price", Role::Most),
                ("created_from", Role::Least),
                ("status", Role::Plain),
                ("q", Role::Search),
                ("loop", Role::Plain),
                ("labels", Role::Plain),
            ]
        );
        assert!(slots[0].required && slots[0].has("user") && slots[0].kind == Kind::Integer);
        assert!(slots[3].has("price") && !slots[3].has("max"));
        assert_eq!((&slots[7].kind, &slots[8].kind), (&Kind::Other, &Kind::Texts));
        let Kind::Choice(choices) = &slots[5].kind else { panic!("{:?}", slots[5].kind) };
        assert!(choices[0].forms.contains(&"已付款".to_owned()) && choices[0].words.contains(&"paid".to_owned()));
    }

    #[test]
    fn a_schema_of_any_shape_is_survived() {
        for schema in
            [json!(null), json!([]), json!({"properties": 3}), json!({"properties": {"a": true, "b": {"enum": []}}, "required": 1})]
        {
            assert!(slots_of(&schema).iter().all(|slot| slot.kind == Kind::Other));
        }
    }
}
