//! A chat completion as it comes: everything may be missing, null, empty or of another type than documented.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ask::made_id;
use crate::{
    domain::{
        limits::{ARGUMENTS_BYTES_MAX, BROKEN_ARGUMENTS_BYTES_MAX, CALL_NAME_BYTES_MAX, TOKENS_PER_ANSWER_MAX},
        number::whole,
        session::Usage,
        tool::ToolCall,
    },
    llm::tokens,
};

/// What a server's 200 says.
#[derive(Debug, PartialEq)]
pub(in crate::llm) struct Answer {
    /// The text, if there is any beside white space.
    pub(in crate::llm) said: Option<String>,
    pub(in crate::llm) calls: Vec<ToolCall>,
    pub(in crate::llm) counted: Counted,
}

/// What the server counted, as far as it can be believed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::llm) struct Counted {
    pub(in crate::llm) prompt: Option<u64>,
    pub(in crate::llm) completion: Option<u64>,
    pub(in crate::llm) total: Option<u64>,
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

/// What a model says, whole or a piece of it. `reasoning_content` and whatever else there may be is not read, so it cannot be sent back.
#[derive(Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) content: Value,
    #[serde(default)]
    pub(super) refusal: Value,
    #[serde(default)]
    pub(super) tool_calls: Value,
    #[serde(default)]
    pub(super) function_call: Value,
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
    Ok(Answer { said, calls, counted: counted(&completion.usage) })
}

/// An answer that came in pieces. `cut` says that it ended in the middle.
pub(super) fn of(said: String, items: Vec<Value>, cut: bool, usage: &Value) -> Answer {
    let said = (!said.trim().is_empty()).then_some(said);
    Answer { said, calls: calls(items, cut), counted: counted(usage) }
}

impl Answer {
    /// What it cost. What the server did not count, or did so that it cannot be, is estimated from what was sent to it and what came.
    pub(in crate::llm) fn usage(&self, sent: &[u8]) -> Usage {
        let Counted { prompt, completion, total } = self.counted;
        let known = prompt.unwrap_or_default().saturating_add(completion.unwrap_or_default());
        let prompt_tokens = prompt.unwrap_or_else(|| tokens::of(sent));
        let completion_tokens = completion.unwrap_or_else(|| self.tokens());
        let sum = prompt_tokens.saturating_add(completion_tokens);
        let total_tokens = total.map_or(sum, |total| total.max(known));
        Usage { prompt_tokens, completion_tokens, total_tokens, estimated: prompt.is_none() || completion.is_none() }
    }

    /// Its text and its calls, as tokens are estimated.
    fn tokens(&self) -> u64 {
        let call = |call: &ToolCall| {
            let arguments = match &call.arguments {
                Ok(arguments) => serde_json::to_vec(arguments).map_or(0, |text| tokens::of(&text)),
                Err(text) => tokens::in_json(text),
            };
            tokens::in_json(&call.name) + arguments
        };
        self.said.as_deref().map_or(0, tokens::in_json) + self.calls.iter().map(call).sum::<u64>()
    }
}

/// A text that is a string, or an array of parts of which some are text.
fn text(content: Value) -> Option<String> {
    let text = match content {
        Value::String(text) => text,
        other => all_text(&other),
    };
    (!text.trim().is_empty()).then_some(text)
}

/// The text of a string, or of the parts of an array, white space and all.
pub(super) fn all_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(part).collect(),
        _ => String::new(),
    }
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
    let id = id_of(&mut item);
    let mut function = match item.remove("function") {
        Some(Value::Object(function)) => function,
        _ => item,
    };
    let name = name_of(&mut function);
    let given = function.remove("arguments").filter(|given| !given.is_null());
    if name.is_none() && given.is_none() {
        return None;
    }
    Some(ToolCall { id, name: name.unwrap_or_default(), arguments: arguments(given, cut) })
}

/// The id of a call, or of a piece of one; empty if it has none.
pub(super) fn id_of(call: &mut Map<String, Value>) -> String {
    match call.remove("id") {
        Some(Value::String(id)) => id,
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    }
}

/// What function is called, if that is said here.
pub(super) fn name_of(function: &mut Map<String, Value>) -> Option<String> {
    function.remove("name").and_then(|name| name.as_str().map(str::to_owned))
}

/// Arguments are believed when they are a JSON object, written out or in a string. None at all means that there are none, unless the
/// answer was cut there.
pub(super) fn arguments(given: Option<Value>, cut: bool) -> Result<Map<String, Value>, String> {
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

fn counted(usage: &Value) -> Counted {
    let count = |name: &str| tokens(usage.get(name)?);
    Counted { prompt: count("prompt_tokens"), completion: count("completion_tokens"), total: count("total_tokens") }
}

/// A count; negative ones and those beyond all reason are none.
fn tokens(value: &Value) -> Option<u64> {
    let count = match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().filter(|count| *count >= 0.0).map(whole)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    count.filter(|count| *count <= TOKENS_PER_ANSWER_MAX)
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
