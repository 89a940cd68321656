//! Calls that a model writes as text, because its server ignores `tools` or because it is asked to.

use serde_json::{Map, Value};

use super::{
    answer,
    ask::{Way, made_id},
};
use crate::{domain::tool::ToolCall, llm::ToolSet};

/// What a text is.
#[derive(Debug, PartialEq)]
pub(in crate::llm) enum Spoken {
    Call(ToolCall),
    /// An answer that stood in JSON.
    Answer(String),
    /// What it looks like.
    Text,
}

/// JSON that was asked for and broke off.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::llm) struct Cut;

/// What a call may be written as, beside the name and the arguments.
const BESIDE: [&str; 2] = ["type", "id"];
const NAMES: [&str; 4] = ["function", "name", "tool", "function_name"];
const ARGUMENTS: [&str; 3] = ["arguments", "parameters", "args"];

/// Reads a text. Where calls were to come as calls, only an object that is nothing but a call of a function that there is counts as one:
/// an answer may well show JSON.
pub(in crate::llm) fn read(text: &str, tools: &ToolSet, way: Way) -> Result<Spoken, Cut> {
    let inner = unfenced(text.trim());
    if !inner.starts_with('{') {
        return Ok(Spoken::Text);
    }
    let asked_for = way != Way::Tools;
    let mut object = match serde_json::from_str::<Value>(inner) {
        Ok(Value::Object(object)) => object,
        _ if asked_for => return Err(Cut),
        _ => return Ok(Spoken::Text),
    };
    if asked_for && let Some(Value::String(answer)) = object.get("answer") {
        return Ok(Spoken::Answer(answer.clone()));
    }
    if let (1, Some(Value::Object(_))) = (object.len(), object.get("function"))
        && let Some(Value::Object(function)) = object.shift_remove("function")
    {
        object = function;
    }
    Ok(match call(object) {
        Some(call) if asked_for || tools.knows(&call.name) => Spoken::Call(call),
        _ => Spoken::Text,
    })
}

/// The call that an object is, if there is nothing else in it.
fn call(mut object: Map<String, Value>) -> Option<ToolCall> {
    let mut take = |names: &[&str]| names.iter().find_map(|name| object.shift_remove(*name));
    let (name, arguments) = (take(&NAMES)?, take(&ARGUMENTS));
    let foreign = object.keys().any(|key| !BESIDE.contains(&key.as_str()));
    let name = name.as_str()?.to_owned();
    if foreign || !matches!(arguments, None | Some(Value::Null | Value::Object(_) | Value::String(_))) {
        return None;
    }
    Some(ToolCall { id: made_id(1), name, arguments: answer::arguments(arguments.filter(|given| !given.is_null()), false) })
}

/// What stands in a block of code that is all there is.
fn unfenced(text: &str) -> &str {
    let inside = text.strip_prefix("```").and_then(|text| text.strip_suffix("```")).filter(|inside| !inside.contains("```"));
    let Some(inside) = inside else { return text };
    inside.split_once('\n').filter(|(language, _)| language.trim().len() <= 4).map_or(inside, |(_, inside)| inside).trim()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::tool::{Effect, FunctionSpec};

    fn told(text: &str, way: Way) -> String {
        let parameters = json!({"type": "object", "properties": {}});
        let spec =
            FunctionSpec { name: "getUsers".into(), description: String::new(), parameters: parameters.into(), effect: Effect::Safe };
        match read(text, &ToolSet::new(vec![spec]), way) {
            Ok(Spoken::Call(call)) => {
                format!("{} {}", call.name, call.arguments.map_or_else(|text| text, |map| Value::Object(map).to_string()))
            }
            Ok(Spoken::Answer(answer)) => format!("answer {answer}"),
            Ok(Spoken::Text) => "text".to_owned(),
            Err(Cut) => "cut".to_owned(),
        }
    }

    #[test]
    fn an_object_that_is_nothing_but_a_call_is_one() {
        for text in [
            r#"{"function": "getUsers", "arguments": {"page": 2}}"#,
            r#" {"name": "getUsers", "parameters": {"page": 2}} "#,
            "```json\n{\"name\": \"getUsers\", \"arguments\": \"{\\\"page\\\": 2}\"}\n```",
            r#"{"type": "function", "id": "x", "name": "getUsers", "arguments": {"page": 2}}"#,
            r#"{"function": {"name": "getUsers", "arguments": {"page": 2}}}"#,
        ] {
            for way in [Way::Tools, Way::Schema, Way::Prose] {
                assert_eq!(told(text, way), r#"getUsers {"page":2}"#, "{text}");
            }
        }
        assert_eq!(told(r#"{"name": "getUsers"}"#, Way::Tools), "getUsers {}");
        assert_eq!(told(r#"{"function": "made_up", "arguments": {}}"#, Way::Schema), "made_up {}", "it goes back with close names");
    }

    #[test]
    fn what_only_looks_like_a_call_is_text() {
        for text in [
            "Hello.",
            r#"Call {"name": "getUsers", "arguments": {}}"#,
            r#"{"name": "Ann", "arguments": {}}"#,
            r#"{"name": "getUsers", "email": "a@example.com"}"#,
            r#"{"name": "getUsers", "arguments": [1]}"#,
            r#"[{"name": "getUsers", "arguments": {}}]"#,
            "```\n{\"name\": \"getUsers\"}\n``` and ```\n{}\n```",
            "{\"name\": \"getUsers\"",
            "{}",
        ] {
            assert_eq!(told(text, Way::Tools), "text", "{text}");
        }
    }

    #[test]
    fn json_that_was_asked_for_is_an_answer_or_broke_off() {
        assert_eq!(told(r#"{"answer": "**Done.**"}"#, Way::Schema), "answer **Done.**");
        assert_eq!(told(r#"{"answer": "**Done.**"}"#, Way::Tools), "text");
        assert_eq!(told("{\"answer\": \"**Do", Way::Schema), "cut");
        assert_eq!(told("Done.", Way::Prose), "text", "not everybody does as asked");
    }
}
