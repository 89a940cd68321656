//! `application/x-www-form-urlencoded` bodies (OpenAPI 3.0.4, 4.8.15; RFC 1866, 8.2.1).

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{
    body::Encoding,
    encode::Keep,
    style::{Style, Wire, in_query},
};

/// Fields of a body and why each cannot be written.
pub(super) type FieldProblems = Vec<(String, String)>;

/// How a field is written when the document does not say: lists repeat the name, objects are JSON text.
fn by_kind(value: &Value, encoding: Option<&Encoding>) -> Wire {
    let json = value.is_object() || encoding.and_then(|encoding| encoding.content_type.as_deref()).is_some_and(super::parameter::is_json);
    Wire { style: Style::Form, explode: true, keep: Keep::Unreserved, json }
}

/// The body's text. Fields that are null are left out: a form has no null. Problems name the field.
pub(super) fn encode(fields: &Map<String, Value>, encodings: &HashMap<String, Encoding>) -> Result<String, FieldProblems> {
    let (mut out, mut problems) = (String::new(), Vec::new());
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let encoding = encodings.get(name);
        let wire = encoding.and_then(|encoding| encoding.wire).unwrap_or_else(|| by_kind(value, encoding));
        if let Err(reason) = in_query(&mut out, name, value, &wire) {
            problems.push((name.clone(), reason));
        }
    }
    if problems.is_empty() { Ok(out) } else { Err(problems) }
}
