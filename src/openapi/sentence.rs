//! Words for what is wrong with arguments: the argument, what it is, what it should be.

use std::{
    collections::HashSet,
    io::{self, Write},
};

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use super::{model::clip, schema::Definitions};
use crate::domain::limits::{ERRORS_READ_MAX, QUOTED_VALUE_CHARS_MAX};

/// Values that one alternative may be known by.
const TAGS_MAX: usize = 4;

/// Whose value a validator looked at, so that its pointers can be read as arguments.
pub(super) enum Place<'a> {
    /// An object of arguments.
    Arguments,
    /// The value of this argument.
    Whole(&'a str),
    /// A body whose properties came from these arguments.
    Flat(&'a [(String, String)]),
}

impl Place<'_> {
    /// All of it.
    pub fn whole(&self) -> String {
        match self {
            Self::Arguments => "the arguments".to_owned(),
            Self::Whole(argument) => format!("`{argument}`"),
            Self::Flat(_) => "the body".to_owned(),
        }
    }

    /// `` `limit` `` at the top, `` `/filter/status` `` below, "the body" for all of it.
    fn name(&self, pointer: &str) -> String {
        let path = match self {
            Self::Arguments => pointer.to_owned(),
            Self::Whole(argument) => format!("/{argument}{pointer}"),
            Self::Flat(properties) => {
                let (first, rest) = match pointer.get(1..).and_then(|tail| tail.find('/')) {
                    Some(at) => pointer.split_at(at + 1),
                    None => (pointer, ""),
                };
                let property = first.trim_start_matches('/').replace("~1", "/").replace("~0", "~");
                match properties.iter().find(|(_, own)| *own == property) {
                    Some((argument, _)) => format!("/{argument}{rest}"),
                    None => pointer.to_owned(),
                }
            }
        };
        match path.strip_prefix('/') {
            None => "the body".to_owned(),
            Some(top) if !top.contains('/') => format!("`{}`", top.replace("~1", "/").replace("~0", "~")),
            Some(_) => format!("`{path}`"),
        }
    }
}

/// One sentence per error; the same sentence once.
pub(super) fn sentences<'a>(errors: impl Iterator<Item = ValidationError<'a>>, place: &Place) -> Vec<String> {
    let mut seen = HashSet::new();
    errors.take(ERRORS_READ_MAX).flat_map(|error| words(&error, place)).filter(|sentence| seen.insert(sentence.clone())).collect()
}

fn words(error: &ValidationError, place: &Place) -> Vec<String> {
    let pointer = error.instance_path().as_str();
    let (name, value) = (place.name(pointer), error.instance());
    let is = quoted(value);
    let below = |child: &str| place.name(&format!("{pointer}/{}", child.replace('~', "~0").replace('/', "~1")));
    let size = |chars: usize| format!("has {chars}");
    let length = || size(value.as_str().map_or(0, |text| text.chars().count()));
    let items = || size(value.as_array().map_or(0, Vec::len));
    let keys = || size(value.as_object().map_or(0, serde_json::Map::len));
    let one = match error.kind() {
        Kind::Required { property } => format!("{} is missing; it is required", below(property.as_str().unwrap_or_default())),
        Kind::Type { kind } => format!("{name} must be {}, but is {is}", kinds(kind)),
        Kind::Enum { options } => format!("{name} must be one of {}, but is {is}", choices(options)),
        Kind::Constant { expected_value } => format!("{name} must be {}, but is {is}", quoted(expected_value)),
        Kind::Maximum { limit } => format!("{name} must be at most {limit}, but is {is}"),
        Kind::Minimum { limit } => format!("{name} must be at least {limit}, but is {is}"),
        Kind::ExclusiveMaximum { limit } => format!("{name} must be less than {limit}, but is {is}"),
        Kind::ExclusiveMinimum { limit } => format!("{name} must be greater than {limit}, but is {is}"),
        Kind::MultipleOf { multiple_of } => format!("{name} must be a multiple of {multiple_of}, but is {is}"),
        Kind::MaxLength { limit } => format!("{name} must have at most {limit} characters, but {}", length()),
        Kind::MinLength { limit } => format!("{name} must have at least {limit} characters, but {}", length()),
        Kind::MaxItems { limit } => format!("{name} must have at most {limit} items, but {}", items()),
        Kind::MinItems { limit } => format!("{name} must have at least {limit} items, but {}", items()),
        Kind::MaxProperties { limit } => format!("{name} must have at most {limit} properties, but {}", keys()),
        Kind::MinProperties { limit } => format!("{name} must have at least {limit} properties, but {}", keys()),
        Kind::AdditionalItems { limit } => format!("{name} must have at most {limit} items, but {}", items()),
        Kind::UniqueItems => format!("{name} must not have an item twice, but is {is}"),
        Kind::Pattern { pattern } => format!("{name} must match the pattern `{pattern}`, but is {is}"),
        Kind::FalseSchema => format!("{name} is not allowed"),
        Kind::Format { format } => format!("{name} must be {}, but is {is}", format_words(format)),
        // A pattern that takes too long is the API's to judge.
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => return Vec::new(),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            return unexpected.iter().map(|child| format!("{} is not a property that is known there", below(child))).collect();
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => return alternatives(&name, &is, pointer, context, place),
        other => format!("{name} does not fit (`{}`): it is {is}", other.keyword()),
    };
    vec![one]
}

/// No alternative fits: the one that was meant, if that can be seen, else all of them.
fn alternatives(name: &str, is: &str, pointer: &str, context: &[Vec<ValidationError<'static>>], place: &Place) -> Vec<String> {
    let wrong_kind = |errors: &&Vec<ValidationError>| {
        errors.iter().any(|error| error.instance_path().as_str() == pointer && matches!(error.kind(), Kind::Type { .. }))
    };
    let mut meant: Vec<&Vec<ValidationError>> = context.iter().filter(|errors| !wrong_kind(errors)).collect();
    if meant.len() > 1 {
        let right_tag: Vec<&Vec<ValidationError>> = meant.iter().copied().filter(|errors| wrong_tag(errors, pointer).is_none()).collect();
        if right_tag.is_empty() {
            if let Some(sentence) = no_tag(&meant, pointer, place) {
                return vec![sentence];
            }
        } else {
            meant = right_tag;
        }
    }
    match meant.as_slice() {
        [] => {
            let mut kinds_wanted: Vec<&str> = Vec::new();
            for error in context.iter().flatten() {
                if let Kind::Type { kind } = error.kind() {
                    let new: Vec<&str> = each_kind(kind).into_iter().filter(|kind| !kinds_wanted.contains(kind)).collect();
                    kinds_wanted.extend(new);
                }
            }
            vec![format!("{name} must be {}, but is {is}", kinds_wanted.join(" or "))]
        }
        [single] => single.iter().flat_map(|error| words(error, place)).collect(),
        several => {
            let each = several.iter().map(|errors| errors.iter().flat_map(|error| words(error, place)).collect::<Vec<_>>().join(", "));
            let each: Vec<String> = each.take(4).enumerate().map(|(at, words)| format!("({}) {words}", at + 1)).collect();
            vec![format!("{name} fits none of its {} forms: {}", context.len(), each.join("; "))]
        }
    }
}

/// The error that says that a property beside others is not what this alternative is known by.
fn wrong_tag<'e>(errors: &'e [ValidationError<'static>], pointer: &str) -> Option<&'e ValidationError<'static>> {
    errors.iter().find(|error| {
        let below = error.instance_path().as_str().strip_prefix(pointer).and_then(|rest| rest.strip_prefix('/'));
        let single = match error.kind() {
            Kind::Constant { .. } => true,
            Kind::Enum { options } => options.as_array().is_some_and(|options| options.len() <= TAGS_MAX),
            _ => false,
        };
        single && below.is_some_and(|name| !name.contains('/'))
    })
}

/// When all alternatives are known by one property: what it may be.
fn no_tag(alternatives: &[&Vec<ValidationError<'static>>], pointer: &str, place: &Place) -> Option<String> {
    let mut known = Vec::new();
    let mut tag: Option<&ValidationError> = None;
    for errors in alternatives {
        let wrong = wrong_tag(errors, pointer)?;
        if tag.is_some_and(|tag| tag.instance_path() != wrong.instance_path()) {
            return None;
        }
        tag = Some(wrong);
        match wrong.kind() {
            Kind::Enum { options } => known.extend(options.as_array().into_iter().flatten().cloned()),
            Kind::Constant { expected_value } => known.push(expected_value.clone()),
            _ => {}
        }
    }
    let tag = tag?;
    let name = place.name(tag.instance_path().as_str());
    Some(format!("{name} must be one of {}, but is {}", choices(&Value::Array(known)), quoted(tag.instance())))
}

fn kinds(kind: &TypeKind) -> String {
    each_kind(kind).join(" or ")
}

fn each_kind(kind: &TypeKind) -> Vec<&'static str> {
    let word = |name: &str| match name {
        "array" => "a list",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "null" => "null",
        "number" => "a number",
        "object" => "an object",
        _ => "a string",
    };
    match kind {
        TypeKind::Single(single) => vec![word(single.as_str())],
        TypeKind::Multiple(several) => several.iter().map(|one| word(one.as_str())).collect(),
    }
}

fn choices(options: &Value) -> String {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let shown: Vec<String> = options.iter().take(30).map(quoted).collect();
    let more = if options.len() > shown.len() { format!(" and {} more", options.len() - shown.len()) } else { String::new() };
    shown.join(", ") + &more
}

fn format_words(format: &str) -> &str {
    match format {
        "date" => "a date (`2026-01-31`)",
        "date-time" => "a date and time with its offset (`2026-01-31T12:00:00Z`)",
        "uuid" => "a UUID (`123e4567-e89b-12d3-a456-426614174000`)",
        "email" => "an e-mail address",
        "ipv4" => "an IPv4 address",
        "ipv6" => "an IPv6 address",
        other => other,
    }
}

/// The beginning of a value as JSON: no more is written than shown.
fn quoted(value: &Value) -> String {
    struct Head(Vec<u8>);
    impl Write for Head {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Four bytes a character at most, and one character more to see that something was cut.
            if self.0.len() > (QUOTED_VALUE_CHARS_MAX + 1) * 4 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut head = Head(Vec::new());
    // It ends with an error when the value is longer, which is what it is for.
    let _ = serde_json::to_writer(&mut head, value);
    clip(&String::from_utf8_lossy(&head.0), QUOTED_VALUE_CHARS_MAX)
}

/// Beyond this, floating point has no digit for every whole number.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Whether a value holds a number that may have lost digits on its way.
pub(super) fn lost_digits(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64() && number.as_f64().is_some_and(|float| float.abs() >= EXACT_MAX),
        Value::Array(items) => items.iter().any(lost_digits),
        Value::Object(map) => map.values().any(lost_digits),
        _ => false,
    }
}

/// Whole numbers beyond 2^53 that arrived as floating point have lost digits already: `12345678901234567890123` would be sent as
/// another number. Looked for only where the schema wants a whole number.
pub(super) fn inexact(schema: &Value, value: &Value, definitions: &Definitions, pointer: &str, place: &Place, problems: &mut Vec<String>) {
    match value {
        Value::Number(_) if lost_digits(value) => {
            let schema = definitions.follow(schema);
            let whole = schema.get("type").is_some_and(|kind| {
                kind == "integer" || kind.as_array().is_some_and(|any| any.contains(&"integer".into()) && !any.contains(&"number".into()))
            });
            if whole {
                problems.push(format!("{} is too large to be sent exactly as a whole number", place.name(pointer)));
            }
        }
        Value::Array(items) => {
            let schema = definitions.follow(schema);
            if let Some(of) = schema.get("items") {
                for (at, item) in items.iter().enumerate() {
                    inexact(of, item, definitions, &format!("{pointer}/{at}"), place, problems);
                }
            }
        }
        Value::Object(map) => {
            let schema = definitions.follow(schema);
            for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                inexact(part, value, definitions, pointer, place, problems);
            }
            for (name, child) in map {
                if let Some(of) = schema.get("properties").and_then(|properties| properties.get(name)) {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    inexact(of, child, definitions, &format!("{pointer}/{name}"), place, problems);
                }
            }
        }
        _ => {}
    }
}
