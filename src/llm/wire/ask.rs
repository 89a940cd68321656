//! A prompt as a chat-completions request: one pass from the prompt into the bytes, nothing in between.

use std::{borrow::Cow, collections::HashSet};

use serde::{Serialize, Serializer, ser::SerializeSeq};

use super::result_text;
use crate::{
    domain::{
        limits::{
            CALL_ID_BYTES_MAX, FUNCTION_NAME_CHARS_MAX, OLD_RESULT_TO_MODEL_BYTES_MAX, RESULT_TO_MODEL_BYTES_MAX,
            TURNS_WITH_CALLS_TO_MODEL_MAX,
        },
        session::Round,
        tool::ToolResult,
    },
    llm::{Prompt, tools::Wire},
};

/// What a request says beside the prompt.
#[derive(Debug, Clone)]
pub(in crate::llm) struct Manner {
    pub(in crate::llm) model: String,
    pub(in crate::llm) temperature: Option<f64>,
    pub(in crate::llm) max_tokens: Option<u32>,
}

/// The request's body.
pub(in crate::llm) fn bytes(prompt: &Prompt<'_>, manner: &Manner) -> Result<Vec<u8>, serde_json::Error> {
    let tools = prompt.tools.wire(calls_shown(prompt).any(result_text::can_be_read));
    let mut bytes = Vec::with_capacity(4096 + tools.map_or(0, Wire::bytes));
    let request = Request {
        model: &manner.model,
        temperature: manner.temperature,
        max_tokens: manner.max_tokens,
        stream: false,
        messages: Messages(prompt),
        tools,
    };
    serde_json::to_writer(&mut bytes, &request)?;
    Ok(bytes)
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    stream: bool,
    messages: Messages<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<Wire<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
enum Message<'a> {
    System {
        content: &'a str,
    },
    User {
        content: &'a str,
    },
    Assistant {
        content: Option<&'a str>,
        #[serde(skip_serializing_if = "<[Call<'_>]>::is_empty")]
        tool_calls: &'a [Call<'a>],
    },
    Tool {
        tool_call_id: &'a str,
        content: &'a str,
    },
}

#[derive(Serialize)]
struct Call<'a> {
    id: Cow<'a, str>,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: Cow<'a, str>,
    arguments: String,
}

/// The conversation: system, then every turn of the history, then this turn. Each call is followed by its result before anything else is
/// said: a history that breaks this is refused for good.
struct Messages<'a>(&'a Prompt<'a>);

impl Serialize for Messages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let prompt = self.0;
        let mut seq = serializer.serialize_seq(None)?;
        let mut ids = Ids::default();
        let reader = prompt.tools.reader();
        seq.serialize_element(&Message::System { content: prompt.instructions })?;
        // What was called long ago is told by the answers; what the last answers were made of may still be asked about.
        let told_whole = first_with_calls(prompt);
        for (at, turn) in prompt.history.iter().enumerate() {
            seq.serialize_element(&Message::User { content: &turn.message })?;
            let calls: &[Round] = if at < told_whole { &[] } else { &turn.rounds };
            rounds(calls, OLD_RESULT_TO_MODEL_BYTES_MAX, reader, &mut ids, &mut seq)?;
            seq.serialize_element(&Message::Assistant { content: Some(&turn.answer), tool_calls: &[] })?;
        }
        seq.serialize_element(&Message::User { content: prompt.message })?;
        rounds(prompt.rounds, RESULT_TO_MODEL_BYTES_MAX, reader, &mut ids, &mut seq)?;
        seq.end()
    }
}

/// The first turn of the history that is told with its calls.
fn first_with_calls(prompt: &Prompt<'_>) -> usize {
    prompt.history.len().saturating_sub(TURNS_WITH_CALLS_TO_MODEL_MAX)
}

/// Every result that is told.
fn calls_shown<'a>(prompt: &Prompt<'a>) -> impl Iterator<Item = &'a ToolResult> {
    let before = prompt.history.iter().skip(first_with_calls(prompt)).flat_map(|turn| &turn.rounds);
    before.chain(prompt.rounds).flat_map(|round| &round.results)
}

fn rounds<'a, S: SerializeSeq>(
    rounds: &'a [Round],
    bytes_max: usize,
    reader: &str,
    ids: &mut Ids<'a>,
    seq: &mut S,
) -> Result<(), S::Error> {
    for round in rounds.iter().filter(|round| !round.results.is_empty()) {
        let calls: Vec<Call<'_>> = round.results.iter().map(|result| call(result, ids)).collect();
        seq.serialize_element(&Message::Assistant { content: round.said.as_deref(), tool_calls: &calls })?;
        for (call, result) in calls.iter().zip(&round.results) {
            seq.serialize_element(&Message::Tool { tool_call_id: &call.id, content: &result_text::of(result, bytes_max, reader) })?;
        }
    }
    Ok(())
}

fn call<'a>(result: &'a ToolResult, ids: &mut Ids<'a>) -> Call<'a> {
    let function = Function { name: name(&result.call.name), arguments: result_text::arguments(&result.call.arguments) };
    Call { id: ids.take(&result.call.id), r#type: "function", function }
}

/// A function's name as providers accept it in a history, whatever a model made up.
fn name(name: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.len() <= FUNCTION_NAME_CHARS_MAX && name.chars().all(fits) {
        return Cow::Borrowed(name);
    }
    let fitting: String = name.chars().take(FUNCTION_NAME_CHARS_MAX).map(|c| if fits(c) { c } else { '_' }).collect();
    Cow::Owned(if fitting.is_empty() { "unnamed".to_owned() } else { fitting })
}

/// The ids used so far in one request.
#[derive(Default)]
struct Ids<'a> {
    used: HashSet<Cow<'a, str>>,
    made: u32,
}

impl<'a> Ids<'a> {
    /// The call's own id if providers accept it and it is not used yet, else a new one. Servers repeat ids from answer to answer, and some
    /// providers refuse a conversation that has one twice.
    fn take(&mut self, id: &'a str) -> Cow<'a, str> {
        let fits = (1..=CALL_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if fits && self.used.insert(Cow::Borrowed(id)) {
            return Cow::Borrowed(id);
        }
        loop {
            self.made += 1;
            let made: Cow<'a, str> = Cow::Owned(made_id(self.made));
            if self.used.insert(made.clone()) {
                return made;
            }
        }
    }
}

/// An id of ours: nine letters and digits, which is all that the strictest provider takes.
pub(super) fn made_id(number: u32) -> String {
    format!("c{number:08}")
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
