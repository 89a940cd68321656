//! The document as a value: which edition of the specification it follows, and what its local references point at.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::domain::limits::REFERENCE_HOPS_MAX;

/// The editions that differ in how a request is described. 3.2 is read as 3.1: what it adds to requests is the method `query`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    Swagger2,
    V3_0,
    V3_1,
}

#[derive(Debug)]
pub(super) struct Document {
    pub root: Value,
    pub edition: Edition,
    /// As the document says it: `2.0`, `3.0.3` …
    pub version: String,
}

impl Document {
    pub fn new(root: Value) -> Result<Self, String> {
        let Value::Object(top) = &root else {
            return Err("the document is not an object".to_owned());
        };
        let (edition, version) = match (top.get("openapi").and_then(word), top.get("swagger").and_then(word)) {
            (Some(version), _) if version == "3" || version.starts_with("3.0") => (Edition::V3_0, version),
            (Some(version), _) if version.starts_with("3.") => (Edition::V3_1, version),
            (None, Some(version)) if version == "2" || version.starts_with("2.") => (Edition::Swagger2, version),
            (Some(version), _) | (None, Some(version)) => {
                return Err(format!("version {version} of the specification is not known; 2.0, 3.0, 3.1 and 3.2 are"));
            }
            (None, None) => return Err("neither `openapi` nor `swagger` names a version: this is not an OpenAPI document".to_owned()),
        };
        Ok(Self { root, edition, version })
    }

    /// What a reference points at; the reason when it leaves the document or points nowhere.
    ///
    /// References follow RFC 6901 in a URI fragment: percent-encoding first, then `~1` and `~0`. Nothing outside is ever opened.
    pub fn at(&self, reference: &str) -> Result<&Value, String> {
        lookup(&self.root, fragment(reference)?).ok_or_else(|| format!("the reference `{reference}` points at nothing"))
    }

    /// The value itself, or what its chain of references ends at.
    pub fn follow<'a>(&'a self, value: &'a Value) -> Result<&'a Value, String> {
        let mut here = value;
        for _ in 0..REFERENCE_HOPS_MAX {
            match reference_of(here) {
                Some(reference) => here = self.at(reference)?,
                None => return Ok(here),
            }
        }
        Err(format!("the reference `{}` leads back to itself", reference_of(value).unwrap_or_default()))
    }
}

/// The `$ref` of an object that has one.
pub(super) fn reference_of(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}

/// The pointer of a local reference.
pub(super) fn fragment(reference: &str) -> Result<&str, String> {
    match reference.strip_prefix('#') {
        Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => Ok(pointer),
        Some(_) => Err(format!("the reference `{reference}` names an anchor; only pointers (`#/…`) are followed")),
        None => Err(format!("the reference `{reference}` leaves the document and is not followed (see openapi.external_references)")),
    }
}

pub(super) fn lookup<'a>(root: &'a Value, pointer: &str) -> Option<&'a Value> {
    let pointer = percent_decode_str(pointer).decode_utf8().ok()?;
    pointer.split('/').skip(1).try_fold(root, |here, token| match here {
        Value::Object(map) => map.get(&token.replace("~1", "/").replace("~0", "~")),
        Value::Array(list) => list.get(token.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A string, or what YAML made a number of (`version: 1.0`).
pub(super) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_edition_is_read_from_strings_and_from_yaml_numbers() {
        let edition = |root| Document::new(root).map(|document| document.edition);
        assert_eq!(edition(json!({"swagger": 2.0})), Ok(Edition::Swagger2));
        assert_eq!(edition(json!({"openapi": "3.0.4"})), Ok(Edition::V3_0));
        assert_eq!(edition(json!({"openapi": 3.1})), Ok(Edition::V3_1));
        assert_eq!(edition(json!({"openapi": "3.2.0"})), Ok(Edition::V3_1));
        assert!(edition(json!({"openapi": "4.0.0"})).is_err());
        assert!(edition(json!({"swagger": "1.2"})).is_err());
        assert!(edition(json!({"paths": {}})).is_err());
        assert!(edition(json!([])).is_err());
    }

    #[test]
    fn a_pointer_is_percent_decoded_then_unescaped() {
        let document = Document::new(json!({"openapi": "3.0.0", "paths": {"/users/{id}": [{"a~b": 1}]}})).unwrap();
        assert_eq!(document.at("#/paths/~1users~1%7Bid%7D/0/a~0b"), Ok(&json!(1)));
    }

    #[test]
    fn nothing_outside_the_document_is_looked_for() {
        let document = Document::new(json!({"openapi": "3.0.0", "a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}})).unwrap();
        for outside in ["other.yaml#/X", "http://169.254.169.254/x", "file:///etc/passwd"] {
            assert!(document.at(outside).unwrap_err().contains("leaves the document"), "{outside}");
        }
        assert!(document.at("#/nowhere").unwrap_err().contains("points at nothing"));
        assert!(document.follow(&json!({"$ref": "#/a"})).unwrap_err().contains("leads back to itself"));
    }
}
