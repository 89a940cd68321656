//! What a function asks for: its arguments as a model sees them, and how those of the body find back to their properties.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{body::Media, model::clip, naming::argument_name, operation::Shape};
use crate::domain::limits::{ARGUMENT_DESCRIPTION_CHARS_MAX, FLAT_PROPERTIES_MAX};

/// The arguments of a function, as they are collected.
#[derive(Default)]
pub(super) struct Asked {
    properties: Map<String, Value>,
    required: Vec<Value>,
    /// What parameters are called on the wire: a property of such a name would be taken for the parameter.
    wire_names: HashSet<String>,
    /// What arguments of other names may be.
    others: Option<Value>,
}

impl Asked {
    pub fn add(&mut self, argument: &str, schema: Map<String, Value>, required: bool) {
        self.properties.insert(argument.to_owned(), Value::Object(schema));
        if required {
            self.required.push(argument.into());
        }
    }

    pub fn reserve(&mut self, wire: &str) {
        self.wire_names.insert(argument_name(wire));
    }

    /// Adds the body as arguments of its own when it is a plain object whose properties clash with nothing, else as one.
    pub fn add_body(
        &mut self,
        mut shown: Map<String, Value>,
        required: bool,
        media: Media,
        description: Option<String>,
        files: &[String],
    ) -> Shape {
        const FILE: &str = "a file's content as base64 or as a data URI: `data:image/png;name=cat.png;base64,…`";
        complete(&mut shown);
        let Some((arguments, open)) = self.flat(&shown) else {
            let mut argument = "body".to_owned();
            let mut others = std::iter::once("request_body".to_owned()).chain((2..).map(|n| format!("body_{n}")));
            while self.properties.contains_key(&argument) {
                argument = others.next().unwrap_or_default();
            }
            if !matches!(media, Media::Json | Media::Xml) && !shown.contains_key("type") {
                shown.insert("type".to_owned(), "object".into());
            }
            let own = shown.get("description").and_then(Value::as_str).map(str::to_owned);
            describe(&mut shown, description.or(own), (media == Media::Bytes).then(|| FILE.to_owned()));
            self.add(&argument, shown, required);
            return Shape::Whole(argument);
        };
        let needed: Vec<Value> = shown.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let properties = shown.get_mut("properties").and_then(Value::as_object_mut).map(std::mem::take).unwrap_or_default();
        let others = shown.shift_remove("additionalProperties");
        let mut map = Vec::with_capacity(properties.len());
        for ((property, schema), argument) in properties.into_iter().zip(arguments) {
            let mut schema = schema.as_object().cloned().unwrap_or_default();
            let needed = needed.iter().any(|name| *name == property.as_str());
            let mut notes: Vec<String> = Vec::new();
            if files.contains(&property) {
                notes.push(FILE.to_owned());
                schema.entry("type").or_insert_with(|| "string".into());
            }
            if argument != property {
                notes.push(format!("sent as `{property}` in the body"));
            }
            if needed && !required {
                notes.push("required when anything of the body is given".to_owned());
            }
            let own = schema.get("description").and_then(Value::as_str).map(str::to_owned);
            describe(&mut schema, own, (!notes.is_empty()).then(|| notes.join("; ")));
            self.add(&argument, schema, needed && required);
            map.push((argument, property));
        }
        if open {
            self.others = others;
        }
        Shape::Flat { properties: map, open }
    }

    /// The argument names of a plain object's properties, and whether it takes others; `None` when it has to stay one argument.
    fn flat(&self, shown: &Map<String, Value>) -> Option<(Vec<String>, bool)> {
        let properties = shown.get("properties")?.as_object().filter(|properties| (1..=FLAT_PROPERTIES_MAX).contains(&properties.len()))?;
        // A body that is null says no more than one that is absent, so `["object", "null"]` is an object too.
        let object = shown.get("type").is_none_or(|kind| {
            let kinds = kind.as_array().map_or(std::slice::from_ref(kind), Vec::as_slice);
            kinds.contains(&"object".into()) && kinds.iter().all(|kind| kind == "object" || kind == "null")
        });
        let known = |names: &Value| {
            names.as_array().is_some_and(|names| names.iter().filter_map(Value::as_str).all(|name| properties.contains_key(name)))
        };
        let only_requires = |branch: &Value| {
            let plain =
                |(key, value): (&String, &Value)| matches!(key.as_str(), "type" | "description") || (key == "required" && known(value));
            branch.as_object().is_some_and(|branch| branch.iter().all(plain))
        };
        // Alternatives that only differ in what they require: the check says what is missing.
        let one_shape = shown.get("anyOf").is_none_or(|any| any.as_array().is_some_and(|any| any.iter().all(only_requires)));
        if !object || !one_shape || ["allOf", "patternProperties", "enum", "const"].iter().any(|key| shown.contains_key(*key)) {
            return None;
        }
        let names: Vec<String> = properties.keys().map(|property| argument_name(property)).collect();
        let mut seen = HashSet::new();
        let clash =
            names.iter().any(|name| self.properties.contains_key(name) || self.wire_names.contains(name) || !seen.insert(name.as_str()));
        let open = shown.get("additionalProperties").is_some_and(|others| *others != Value::Bool(false));
        (!clash).then_some((names, open))
    }

    pub fn into_schema(self) -> Value {
        let mut schema = Map::from_iter([("type".to_owned(), "object".into()), ("properties".to_owned(), Value::Object(self.properties))]);
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), self.required.into());
        }
        schema.insert("additionalProperties".to_owned(), self.others.unwrap_or(Value::Bool(false)));
        Value::Object(schema)
    }
}

/// A property may be required without being described; it is asked for all the same.
fn complete(shown: &mut Map<String, Value>) {
    let required: Vec<String> =
        shown.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if let Some(Value::Object(properties)) = shown.get_mut("properties") {
        for name in required {
            properties.entry(name).or_insert_with(|| Value::Object(Map::new()));
        }
    }
}

/// Sets the description, cut to its bound, with a note behind it.
pub(super) fn describe(schema: &mut Map<String, Value>, text: Option<String>, note: Option<String>) {
    let text = match (text, note) {
        (Some(text), Some(note)) => format!("{} ({note})", clip(&text, ARGUMENT_DESCRIPTION_CHARS_MAX)),
        (Some(text), None) => clip(&text, ARGUMENT_DESCRIPTION_CHARS_MAX),
        (None, Some(note)) => note,
        (None, None) => return,
    };
    schema.insert("description".to_owned(), text.into());
}
