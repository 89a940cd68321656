//! The document's text as a JSON value: JSON or YAML, recognised by content.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::schema::size;
use crate::domain::limits::{DOCUMENT_ALIASED_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DOCUMENT_NODES_MAX};

/// Why a document cannot be used at all. Displays as `origin:line:column: reason`, as far as the place is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentError {
    origin: String,
    place: Option<(u64, u64)>,
    reason: String,
}

impl DocumentError {
    pub(super) fn new(origin: &str, reason: impl Into<String>) -> Self {
        Self { origin: origin.to_owned(), place: None, reason: reason.into() }
    }

    fn at(origin: &str, line: u64, column: u64, reason: impl Into<String>) -> Self {
        Self { place: (line > 0).then_some((line, column)), ..Self::new(origin, reason) }
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for DocumentError {}

/// Reads the text. What opens with a brace is JSON (or YAML's flow form, which is tried second); all else is YAML.
///
/// YAML is read with 1.2 booleans (`no` is a word), duplicate keys refused, merge keys applied and alias expansion bounded.
///
/// # Errors
/// It is neither, or larger than is read; `origin` is how the error names it.
pub fn read(text: &str, origin: &str) -> Result<Value, DocumentError> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(DocumentError::new(origin, format!("the document has {} bytes; at most {DOCUMENT_BYTES_MAX} are read", text.len())));
    }
    json_or_yaml(text, origin, &mut { DOCUMENT_NODES_MAX })
}

/// Reads a text of at most so many values, which are taken off what is left for others.
pub(super) fn json_or_yaml(text: &str, origin: &str, nodes_left: &mut usize) -> Result<Value, DocumentError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(DocumentError::new(origin, "the document is empty"));
    }
    if !text.trim_start().starts_with('{') {
        return yaml(text, origin, nodes_left);
    }
    json(text, nodes_left).or_else(|json| {
        if json.is_data() {
            return Err(DocumentError::new(origin, without_place(&json)));
        }
        yaml(text, origin, nodes_left)
            .map_err(|_| DocumentError::at(origin, json.line() as u64, json.column() as u64, without_place(&json)))
    })
}

/// Like serde_json's own reading of a value, but with a bound on how many there are: small ones take a hundred times their text.
fn json(text: &str, nodes_left: &mut usize) -> serde_json::Result<Value> {
    let left = Cell::new(*nodes_left);
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Bounded { left: &left }.deserialize(&mut reader)?;
    reader.end()?;
    *nodes_left = left.get();
    Ok(value)
}

#[derive(Clone, Copy)]
struct Bounded<'a> {
    left: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return Err(D::Error::custom(format!("the document has more than {DOCUMENT_NODES_MAX} values"))),
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = pairs.next_key()? {
            map.insert(key, pairs.next_value_seed(self)?);
        }
        Ok(map.into())
    }
}

fn yaml(text: &str, origin: &str, nodes_left: &mut usize) -> Result<Value, DocumentError> {
    let budget = serde_saphyr::budget! {
        max_events: *nodes_left * 2,
        max_nodes: *nodes_left,
        max_depth: DOCUMENT_DEPTH_MAX,
        max_total_scalar_bytes: DOCUMENT_BYTES_MAX,
    };
    let aliases = serde_saphyr::alias_limits! { max_total_replayed_events: DOCUMENT_ALIASED_MAX };
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false, budget: budget, alias_limits: aliases };
    let value = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map_or((0, 0), |at| (at.line(), at.column()));
        let reason = error.to_string();
        DocumentError::at(origin, place.0, place.1, reason.lines().next().unwrap_or("the YAML cannot be read"))
    })?;
    *nodes_left -= size(&value, *nodes_left);
    Ok(value)
}

/// serde_json ends its messages with the place, which is shown in front.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text.get(..end).unwrap_or(&text).to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_read_by_the_rules_of_1_2() {
        let value = read("a: no\non: yes\n200: x\nb: &b {c: 1}\nd: {<<: *b, e: 2}\ndate: 2026-01-02\n", "x").unwrap();
        assert_eq!(
            value,
            serde_json::json!({"a": "no", "on": "yes", "200": "x", "b": {"c": 1}, "d": {"c": 1, "e": 2}, "date": "2026-01-02"})
        );
    }

    #[test]
    fn content_decides_not_the_name() {
        assert_eq!(read("\u{feff} {\"a\": 1}", "x.yaml").unwrap(), serde_json::json!({"a": 1}));
        assert_eq!(read("{a: 1}", "x.json").unwrap(), serde_json::json!({"a": 1}));
    }

    #[test]
    fn an_unreadable_text_is_answered_with_its_place() {
        let error = read("{\n  \"a\": 1,\n  \"b\" 2\n}", "api.json").unwrap_err().to_string();
        assert!(error.starts_with("api.json:3:"), "{error}");
        let error = read("a: 1\nb: [1, 2\nc: 3\n", "api.yaml").unwrap_err().to_string();
        assert!(error.starts_with("api.yaml:3:") || error.starts_with("api.yaml:2:"), "{error}");
        let error = read("a: 1\na: 2\n", "api.yaml").unwrap_err().to_string();
        assert!(error.starts_with("api.yaml:2:"), "{error}");
        assert_eq!(read(" \n", "api.yaml").unwrap_err().to_string(), "api.yaml: the document is empty");
    }

    #[test]
    fn an_alias_bomb_and_endless_nesting_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for n in 1..12 {
            let previous = n - 1;
            bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{previous}"); 10].join(", "));
        }
        assert!(read(&bomb, "bomb.yaml").is_err());
        assert!(read(&"[".repeat(50_000), "deep.yaml").is_err());
        assert!(read(&"{\"a\":".repeat(50_000), "deep.json").is_err());
        let many = format!("{{\"a\": [{}0]}}", "0,".repeat(DOCUMENT_NODES_MAX));
        assert_eq!(read(&many, "many.json").unwrap_err().to_string(), "many.json: the document has more than 2000000 values");
    }
}
