//! A chat completion as it comes: everything may be missing, null, empty or of another type than documented.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ask::made_id;
use crate::domain::{
    limits::{ARGUMENTS_BYTES_MAX, BROKEN_ARGUMENTS_BYTES_MAX, CALL_NAME_BYTES_MAX, TOKENS_PER_ANSWER_MAX},
    number::whole,
    session::Usage,
    tool::ToolCall,
};

/// What a server's 200 says.
#[derive(Debug, PartialEq)]
pub(in crate::llm) struct Answer {
    /// The text, if there is any beside white space.
    pub(in crate::llm) said: Option<String>,
    pub(in crate::llm) calls: Vec<ToolCall>,
    pub(in crate::llm) usage: Option<Usage>,
}

/// A 200 that is no answer.
#[derive(Debug, PartialEq)]
pub(in crate::llm) enum NoAnswer {
    /// It has an `error` and no choice: the body is to be read as a problem.
    Error,
    /// It is not a chat completion.
    Nonsense,
}

#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Option<Vec<Option<Choice>>>,
    #[serde(default)]
    usage: Value,
    #[serde(default)]
    error: Value,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    finish_reason: Value,
}

/// `reasoning_content` and whatever else there may be is not read, so it cannot be sent back.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Value,
    #[serde(default)]
    refusal: Value,
    #[serde(default)]
    tool_calls: Value,
    #[serde(default)]
    function_call: Value,
}

/// Reads the body of a 200.
pub(in crate::llm) fn read(body: &[u8]) -> Result<Answer, NoAnswer> {
    let completion: Completion = serde_json::from_slice(body).map_err(|_| NoAnswer::Nonsense)?;
    let choice = completion.choices.unwrap_or_default().into_iter().flatten().find(|choice| choice.message.is_some());
    let Some(Choice { message: Some(message), finish_reason }) = choice else {
        return Err(if completion.error.is_null() { NoAnswer::Nonsense } else { NoAnswer::Error });
    };
    let cut = finish_reason == "length";
    let said = text(message.content).or_else(|| text(message.refusal));
    let mut calls = match message.tool_calls {
        Value::Array(items) => calls(items, cut),
        _ => Vec::new(),
    };
    if calls.is_empty() {
        calls = self::calls(vec![message.function_call], cut);
    }
    Ok(Answer { said, calls, usage: usage(&completion.usage) })
}

/// A text that is a string, or an array of parts of which some are text.
fn text(content: Value) -> Option<String> {
    let text = match content {
        Value::String(text) => text,
        Value::Array(parts) => parts.iter().filter_map(part).collect(),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

fn part(part: &Value) -> Option<&str> {
    let kind = part.get("type").and_then(Value::as_str).unwrap_or("text");
    match part {
        Value::String(text) => Some(text),
        _ if matches!(kind, "text" | "output_text") => part.get("text")?.as_str(),
        _ => None,
    }
}

/// The calls of an answer with ids that differ. `cut` says that the answer ended in the middle.
fn calls(items: Vec<Value>, cut: bool) -> Vec<ToolCall> {
    let mut calls: Vec<ToolCall> = Vec::with_capacity(items.len());
    let mut used = HashSet::new();
    let last = items.len().saturating_sub(1);
    let mut made = 0;
    let mut room = ARGUMENTS_BYTES_MAX;
    for (at, item) in items.into_iter().enumerate() {
        let Some(mut call) = call(item, cut && at == last) else { continue };
        while call.id.trim().is_empty() || call.id.len() > CALL_NAME_BYTES_MAX || !used.insert(call.id.clone()) {
            made += 1;
            call.id = made_id(made);
        }
        // What a model says is kept and told again: a loop must not fill the store.
        call.name.truncate(call.name.floor_char_boundary(CALL_NAME_BYTES_MAX));
        if let Ok(map) = &call.arguments {
            let text = Value::Object(map.clone()).to_string();
            match room.checked_sub(text.len()) {
                Some(left) => room = left,
                None => call.arguments = Err(short(text)),
            }
        }
        calls.push(call);
    }
    calls
}

/// One call in any of its shapes: `{id, function: {name, arguments}}` or `{name, arguments}`. `None` if there is nothing of a call in it.
fn call(item: Value, cut: bool) -> Option<ToolCall> {
    let Value::Object(mut item) = item else { return None };
    let id = match item.remove("id") {
        Some(Value::String(id)) => id,
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    };
    let mut function = match item.remove("function") {
        Some(Value::Object(function)) => function,
        _ => item,
    };
    let name = function.remove("name").and_then(|name| name.as_str().map(str::to_owned));
    let given = function.remove("arguments").filter(|given| !given.is_null());
    if name.is_none() && given.is_none() {
        return None;
    }
    Some(ToolCall { id, name: name.unwrap_or_default(), arguments: arguments(given, cut) })
}

/// Arguments are believed when they are a JSON object, written out or in a string. None at all means that there are none, unless the
/// answer was cut there.
fn arguments(given: Option<Value>, cut: bool) -> Result<Map<String, Value>, String> {
    match given {
        Some(Value::Object(map)) => Ok(map),
        None if !cut => Ok(Map::new()),
        None => Err(String::new()),
        Some(Value::String(text)) if text.trim().is_empty() => {
            if cut {
                Err(text)
            } else {
                Ok(Map::new())
            }
        }
        Some(Value::String(text)) => match serde_json::from_str(&text) {
            Ok(Value::Object(map)) => Ok(map),
            // Some servers write the string twice.
            Ok(Value::String(inner)) => serde_json::from_str(&inner).map_err(|_| short(text)),
            _ => Err(short(text)),
        },
        Some(other) => Err(short(other.to_string())),
    }
}

fn short(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(BROKEN_ARGUMENTS_BYTES_MAX));
    text
}

/// What the server counted, as far as it can be believed.
fn usage(usage: &Value) -> Option<Usage> {
    let count = |name: &str| tokens(usage.get(name)?);
    let (prompt, completion, total) = (count("prompt_tokens"), count("completion_tokens"), count("total_tokens"));
    prompt.or(completion).or(total)?;
    let (prompt_tokens, completion_tokens) = (prompt.unwrap_or(0), completion.unwrap_or(0));
    let total_tokens = total.unwrap_or(0).max(prompt_tokens.saturating_add(completion_tokens)).min(TOKENS_PER_ANSWER_MAX);
    Some(Usage { prompt_tokens, completion_tokens, total_tokens })
}

/// A count; negative ones are none.
fn tokens(value: &Value) -> Option<u64> {
    let count = match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().filter(|count| *count >= 0.0).map(whole)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    count.map(|count| count.min(TOKENS_PER_ANSWER_MAX))
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
