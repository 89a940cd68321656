//! The functions a planner may call, written once as the `tools` of a chat completion.

use std::{borrow::Cow, sync::OnceLock};

use serde::Serialize;
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use crate::{
    domain::{limits::FUNCTION_DESCRIPTION_CHARS_MAX, tool::FunctionSpec},
    excerpt::reader,
};

/// The functions a planner may call.
#[derive(Debug)]
pub struct ToolSet {
    pub functions: Vec<FunctionSpec>,
    /// The `tools` array as it goes on the wire; `None` when there are no functions, because an empty array is refused.
    wire: Option<Box<RawValue>>,
    /// The name of our own function that reads kept results.
    reader: String,
    /// The `tools` array with that function, from when it is first wanted.
    wire_with_reader: OnceLock<Option<Box<RawValue>>>,
}

impl ToolSet {
    pub fn new(functions: Vec<FunctionSpec>) -> Self {
        let reader = reader::name_beside(&functions);
        let tools: Vec<Tool<'_>> = functions.iter().map(Tool::from).collect();
        // Text and JSON values always serialise, so the error cannot come; without tools the model could still answer.
        let wire = if tools.is_empty() { None } else { to_raw_value(&tools).ok() };
        Self { functions, wire, reader, wire_with_reader: OnceLock::new() }
    }

    /// What the function is called that reads kept results.
    pub fn reader(&self) -> &str {
        &self.reader
    }

    /// The `tools` array; with the function that reads kept results if there are any.
    pub(super) fn wire(&self, with_reader: bool) -> Option<&RawValue> {
        if !with_reader {
            return self.wire.as_deref();
        }
        let whole = || {
            let reader = reader::spec(&self.reader);
            let tools: Vec<Tool<'_>> = self.functions.iter().chain([&reader]).map(Tool::from).collect();
            to_raw_value(&tools).ok()
        };
        self.wire_with_reader.get_or_init(whole).as_deref()
    }
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: Cow<'a, str>,
    parameters: Cow<'a, Value>,
}

impl<'a> From<&'a FunctionSpec> for Tool<'a> {
    fn from(spec: &'a FunctionSpec) -> Self {
        let function = Function { name: &spec.name, description: description(&spec.description), parameters: acceptable(&spec.parameters) };
        Self { r#type: "function", function }
    }
}

fn description(text: &str) -> Cow<'_, str> {
    if text.chars().nth(FUNCTION_DESCRIPTION_CHARS_MAX).is_none() {
        return Cow::Borrowed(text);
    }
    let kept: String = text.chars().take(FUNCTION_DESCRIPTION_CHARS_MAX - 1).collect();
    Cow::Owned(kept + "…")
}

/// A schema that every provider takes: an object with properties and without alternatives at its root. The full one validates the
/// arguments here, so what is left out is still held.
fn acceptable(schema: &Value) -> Cow<'_, Value> {
    const AT_ROOT_REFUSED: [&str; 5] = ["oneOf", "anyOf", "allOf", "not", "enum"];
    let root = schema.as_object();
    let good = root.is_some_and(|root| {
        root.get("type").is_some_and(|kind| kind == "object")
            && root.get("properties").is_some_and(Value::is_object)
            && AT_ROOT_REFUSED.iter().all(|word| !root.contains_key(*word))
    });
    if good {
        return Cow::Borrowed(schema);
    }
    let mut root = root.cloned().unwrap_or_default();
    for word in AT_ROOT_REFUSED {
        root.shift_remove(word);
    }
    root.insert("type".to_owned(), "object".into());
    if !root.get("properties").is_some_and(Value::is_object) {
        root.insert("properties".to_owned(), Value::Object(Map::new()));
    }
    Cow::Owned(Value::Object(root))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::tool::Effect;

    fn sent(description: &str, parameters: Value) -> Value {
        let spec = FunctionSpec { name: "f".to_owned(), description: description.to_owned(), parameters, effect: Effect::Safe };
        let tools = ToolSet::new(vec![spec]);
        serde_json::from_str(tools.wire(false).expect("tools").get()).expect("JSON")
    }

    #[test]
    fn a_function_is_sent_as_a_tool() {
        let parameters =
            json!({"type": "object", "properties": {"b": {"oneOf": [{"type": "string"}]}, "a": {}}, "additionalProperties": false});
        let expected = json!([{"type": "function", "function": {"name": "f", "description": "d", "parameters": parameters}}]);
        assert_eq!(sent("d", parameters).to_string(), expected.to_string());
    }

    #[test]
    fn a_root_that_providers_refuse_becomes_a_plain_object() {
        let plain = json!({"type": "object", "properties": {}});
        for parameters in [json!(null), json!(true), json!({}), json!({"type": "object"}), json!({"type": ["object"], "properties": null})]
        {
            assert_eq!(sent("", parameters.clone())[0]["function"]["parameters"], plain, "{parameters}");
        }
        let alternatives = json!({"type": "object", "properties": {"a": {}}, "required": ["a"], "oneOf": [{}], "anyOf": [{}], "not": {}});
        assert_eq!(
            sent("", alternatives)[0]["function"]["parameters"],
            json!({"type": "object", "properties": {"a": {}}, "required": ["a"]})
        );
    }

    #[test]
    fn a_long_description_is_cut_with_a_mark() {
        let sent = sent(&"长".repeat(3000), json!({}));
        let description = sent[0]["function"]["description"].as_str().expect("a description");
        assert_eq!(description.chars().count(), FUNCTION_DESCRIPTION_CHARS_MAX);
        assert!(description.ends_with('…'));
    }

    #[test]
    fn the_reader_of_kept_results_stands_last_when_it_is_wanted() {
        let spec = FunctionSpec { name: "read_result".to_owned(), description: String::new(), parameters: json!({}), effect: Effect::Safe };
        let tools = ToolSet::new(vec![spec]);
        let names = |with_reader| {
            let tools: Value = serde_json::from_str(tools.wire(with_reader).expect("tools").get()).expect("JSON");
            tools.as_array().expect("a list").iter().map(|tool| tool["function"]["name"].clone()).collect::<Vec<_>>()
        };
        assert_eq!((names(false), names(true)), (vec![json!("read_result")], vec![json!("read_result"), json!("read_result_2")]));
        assert_eq!(tools.reader(), "read_result_2");
    }

    #[test]
    fn no_functions_means_no_tools_at_all() {
        assert!(ToolSet::new(Vec::new()).wire(false).is_none());
    }
}
