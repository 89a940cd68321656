//! What a model is shown of a schema: finite, without references, merged where models do better with one object than with parts.
//!
//! It advises and does not judge: arguments are always checked against the whole schema. So what few models read (`not`, `if`,
//! `dependentSchemas` …) is left out, recursion is unrolled a little and then summarised, and long texts are cut.

use serde_json::{Map, Value};

use super::schema::{Definitions, is_range};
use crate::domain::limits::{
    ARGUMENT_DESCRIPTION_CHARS_MAX, ENUM_SHOWN_MAX, PROPERTIES_SHOWN_MAX, SCHEMA_DEPTH_MAX, SCHEMA_NODES_MAX, SCHEMA_UNROLLED_MAX,
};

/// Expands the schemas of one function; all of them share one budget.
pub(super) struct Expansion<'a> {
    definitions: &'a Definitions,
    nodes_left: usize,
    /// The definitions being expanded, outermost first.
    open: Vec<usize>,
}

impl<'a> Expansion<'a> {
    pub fn new(definitions: &'a Definitions) -> Self {
        Self { definitions, nodes_left: SCHEMA_NODES_MAX, open: Vec::new() }
    }

    pub fn expand(&mut self, schema: &Value) -> Map<String, Value> {
        self.schema(schema, 0)
    }

    fn schema(&mut self, schema: &Value, depth: usize) -> Map<String, Value> {
        let Value::Object(schema) = schema else {
            return Map::new();
        };
        self.nodes_left = self.nodes_left.saturating_sub(1);
        let mut out = Map::new();
        if let Some((number, target)) = self.definitions.target(schema) {
            let unrolled = self.open.iter().filter(|open| **open == number).count();
            if unrolled >= SCHEMA_UNROLLED_MAX || depth >= SCHEMA_DEPTH_MAX || self.nodes_left == 0 {
                out = target.as_object().map(summary).unwrap_or_default();
            } else {
                self.open.push(number);
                out = self.schema(target, depth);
                self.open.pop();
            }
        } else if depth >= SCHEMA_DEPTH_MAX || self.nodes_left == 0 {
            return summary(schema);
        }
        for (key, value) in schema {
            self.keyword(key, value, &mut out, depth);
        }
        out
    }

    fn keyword(&mut self, key: &str, value: &Value, out: &mut Map<String, Value>, depth: usize) {
        match (key, value) {
            ("allOf", Value::Array(parts)) => {
                for part in parts {
                    let part = self.schema(part, depth);
                    merge(out, part);
                }
            }
            ("anyOf", Value::Array(parts)) => {
                let parts = parts.iter().map(|part| Value::Object(self.schema(part, depth + 1))).collect();
                merge(out, Map::from_iter([("anyOf".to_owned(), Value::Array(parts))]));
            }
            ("prefixItems", Value::Array(parts)) => {
                let parts = parts.iter().map(|part| Value::Object(self.schema(part, depth + 1))).collect();
                out.insert(key.to_owned(), Value::Array(parts));
            }
            ("properties" | "patternProperties", Value::Object(map)) => {
                if map.len() > PROPERTIES_SHOWN_MAX {
                    let more = map.len() - PROPERTIES_SHOWN_MAX;
                    note(out, &format!("{more} more properties are not listed here"));
                }
                let map = map.iter().take(PROPERTIES_SHOWN_MAX);
                let map = map.map(|(name, schema)| (name.clone(), Value::Object(self.schema(schema, depth + 1)))).collect();
                merge(out, Map::from_iter([(key.to_owned(), Value::Object(map))]));
            }
            ("items" | "additionalProperties", Value::Object(_)) => {
                out.insert(key.to_owned(), Value::Object(self.schema(value, depth + 1)));
            }
            ("description", Value::String(text)) => {
                let text = clip(text, ARGUMENT_DESCRIPTION_CHARS_MAX);
                let noted = out
                    .get("description")
                    .and_then(Value::as_str)
                    .filter(|note| note.starts_with('('))
                    .map(|note| format!("{text} {note}"));
                out.insert(key.to_owned(), noted.unwrap_or(text).into());
            }
            ("enum", Value::Array(values)) if values.len() > ENUM_SHOWN_MAX => {
                let few: Vec<String> = values.iter().take(8).map(Value::to_string).collect();
                note(out, &clip(&format!("one of {} values: {}, …", values.len(), few.join(", ")), ARGUMENT_DESCRIPTION_CHARS_MAX));
            }
            ("minimum" | "maximum", limit) if is_range(limit) => {}
            ("required", Value::Array(names)) if names.len() > PROPERTIES_SHOWN_MAX => {}
            ("required", _) => merge(out, Map::from_iter([(key.to_owned(), value.clone())])),
            (
                "type"
                | "enum"
                | "const"
                | "format"
                | "default"
                | "minimum"
                | "maximum"
                | "exclusiveMinimum"
                | "exclusiveMaximum"
                | "multipleOf"
                | "minLength"
                | "maxLength"
                | "pattern"
                | "minItems"
                | "maxItems"
                | "uniqueItems"
                | "minProperties"
                | "maxProperties"
                | "deprecated"
                | "items"
                | "additionalProperties",
                _,
            ) => drop(out.insert(key.to_owned(), value.clone())),
            _ => {}
        }
    }
}

/// Adds a part of an `allOf`. What both say is united where that is plain (properties, required names); otherwise the first stands.
fn merge(whole: &mut Map<String, Value>, part: Map<String, Value>) {
    for (key, value) in part {
        match (key.as_str(), whole.get_mut(&key), value) {
            ("properties" | "patternProperties", Some(Value::Object(have)), Value::Object(more)) => {
                for (name, schema) in more {
                    match (have.get_mut(&name), schema) {
                        (Some(Value::Object(here)), Value::Object(schema)) => merge(here, schema),
                        (Some(_), _) => {}
                        (None, schema) => drop(have.insert(name, schema)),
                    }
                }
            }
            ("required", Some(Value::Array(have)), Value::Array(more)) => {
                for name in more {
                    if !have.contains(&name) {
                        have.push(name);
                    }
                }
            }
            ("anyOf", Some(_), more) => {
                let part = Value::Object(Map::from_iter([("anyOf".to_owned(), more)]));
                match whole.get_mut("allOf") {
                    Some(Value::Array(parts)) => parts.push(part),
                    _ => drop(whole.insert("allOf".to_owned(), Value::Array(vec![part]))),
                }
            }
            ("allOf", Some(Value::Array(have)), Value::Array(more)) => have.extend(more),
            // A part that allows nothing beside its own properties would forbid those of the other parts.
            ("additionalProperties", _, Value::Bool(false)) => {}
            (_, Some(_), _) => {}
            (_, None, value) => drop(whole.insert(key, value)),
        }
    }
}

/// Adds to the description what is not shown otherwise.
fn note(out: &mut Map<String, Value>, text: &str) {
    let noted = match out.get("description").and_then(Value::as_str) {
        Some(description) => format!("{description} ({text})"),
        None => format!("({text})"),
    };
    out.insert("description".to_owned(), noted.into());
}

/// A schema reduced to its kind and description.
fn summary(schema: &Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    let kind = schema.get("type").cloned().or_else(|| schema.get("properties").map(|_| "object".into()));
    if let Some(kind) = kind {
        out.insert("type".to_owned(), kind);
    }
    if let Some(Value::String(text)) = schema.get("description") {
        out.insert("description".to_owned(), clip(text, ARGUMENT_DESCRIPTION_CHARS_MAX).into());
    }
    out
}

/// At most `chars_max` characters, the last of them `…` when something was cut.
pub(super) fn clip(text: &str, chars_max: usize) -> String {
    let text = text.trim();
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect(),
    }
}
