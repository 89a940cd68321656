//! Which properties only ever come back from the server: they are neither asked for nor sent.

use std::collections::HashSet;

use serde_json::Value;

use super::super::document::{Document, reference_of};
use crate::domain::limits::{REFERENCE_HOPS_MAX, SCHEMA_PARTS_MAX};

/// Whether a property's schema says `readOnly`, itself or at the end of its references.
pub(super) fn is_read_only(document: &Document, schema: &Value) -> bool {
    let mut here = schema;
    for _ in 0..REFERENCE_HOPS_MAX {
        if here.get("readOnly") == Some(&Value::Bool(true)) {
            return true;
        }
        match reference_of(here).and_then(|reference| document.at(reference).ok()) {
            Some(next) => here = next,
            None => return false,
        }
    }
    false
}

/// The names of the read-only properties of an object schema, those of its `allOf` parts included; and whether all parts were looked at.
pub(super) fn names<'d>(document: &'d Document, schema: &'d Value) -> (HashSet<&'d str>, bool) {
    let mut found = HashSet::new();
    let whole = each_part(document, schema, &["allOf"], &mut |part| {
        let properties = part.get("properties").and_then(Value::as_object).into_iter().flatten();
        found.extend(properties.filter(|(_, of)| is_read_only(document, of)).map(|(name, _)| name.as_str()));
    });
    (found, whole)
}

/// Whether a schema, or a part or an alternative of it, requires one of `names`.
pub(super) fn requires(document: &Document, schema: &Value, names: &HashSet<&str>) -> bool {
    let mut found = false;
    each_part(document, schema, &["allOf", "anyOf", "oneOf"], &mut |part| {
        let required = part.get("required").and_then(Value::as_array).into_iter().flatten();
        found |= required.filter_map(Value::as_str).any(|name| names.contains(name));
    });
    found
}

/// Visits a schema and, through references, everything that judges the same value under these keywords; each once, as parts may form
/// circles. False when there are more than [`SCHEMA_PARTS_MAX`]: the rest is not visited.
fn each_part<'d>(document: &'d Document, schema: &'d Value, keywords: &[&str], visit: &mut impl FnMut(&'d Value)) -> bool {
    let plain = reference_of(schema).is_none() && keywords.iter().all(|key| schema.get(key).is_none());
    if plain {
        visit(schema);
        return true;
    }
    let mut seen: HashSet<*const Value> = HashSet::new();
    let mut open = vec![schema];
    while let Some(part) = open.pop() {
        let Ok(part) = document.follow(part) else { continue };
        if seen.insert(std::ptr::from_ref(part)) {
            if seen.len() > SCHEMA_PARTS_MAX {
                return false;
            }
            visit(part);
            open.extend(keywords.iter().filter_map(|key| part.get(key)?.as_array()).flatten());
        }
    }
    true
}
