//! An answer that comes in pieces: chunks of a stream put together to the answer that they would have been in one.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    answer::{self, Answer, Message, NoAnswer},
    events::Event,
};
use crate::domain::limits::CALLS_PER_ANSWER_MAX;

/// What has come so far.
#[derive(Debug, Default)]
pub(in crate::llm) struct Pieces {
    said: String,
    refusal: String,
    calls: Vec<Call>,
    finish: Option<String>,
    usage: Value,
    /// Whether anything came that a completion consists of.
    begun: bool,
    done: bool,
}

/// A call as far as it has come.
#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
struct Chunk {
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
    index: Value,
    /// Some servers call the last piece a message.
    #[serde(default, alias = "message")]
    delta: Option<Message>,
    #[serde(default)]
    finish_reason: Value,
}

impl Pieces {
    /// Takes the next event; the text that it adds.
    ///
    /// # Errors
    /// It is an error, or nothing that a stream of a completion consists of.
    pub(in crate::llm) fn take(&mut self, event: &Event) -> Result<String, NoAnswer> {
        let data = event.data.trim_ascii();
        if self.done || data.is_empty() {
            return Ok(String::new());
        }
        if data == b"[DONE]" {
            self.done = true;
            return Ok(String::new());
        }
        if event.name == b"error" {
            return Err(NoAnswer::Error);
        }
        let chunk: Chunk = serde_json::from_slice(data).map_err(|_| NoAnswer::Nonsense)?;
        if !chunk.error.is_null() {
            return Err(NoAnswer::Error);
        }
        if !chunk.usage.is_null() {
            self.usage = chunk.usage;
        }
        let mut said = String::new();
        for choice in chunk.choices.unwrap_or_default().into_iter().flatten() {
            // One answer is asked for; of several the first is it.
            if choice.index.as_u64().unwrap_or_default() == 0 {
                said += &self.choice(choice);
            }
        }
        Ok(said)
    }

    fn choice(&mut self, choice: Choice) -> String {
        self.begun = true;
        if let Value::String(finish) = choice.finish_reason {
            self.finish = Some(finish).filter(|finish| !finish.is_empty()).or(self.finish.take());
        }
        let Some(delta) = choice.delta else { return String::new() };
        if let Value::Array(pieces) = delta.tool_calls {
            for piece in pieces {
                self.call(piece);
            }
        } else if !delta.function_call.is_null() {
            self.call(json!({"index": 0, "function": delta.function_call}));
        }
        self.refusal += &answer::all_text(&delta.refusal);
        let said = answer::all_text(&delta.content);
        self.said += &said;
        said
    }

    fn call(&mut self, piece: Value) {
        let Value::Object(mut piece) = piece else { return };
        let index = piece.get("index").and_then(Value::as_u64);
        let id = answer::id_of(&mut piece);
        let mut function = match piece.remove("function") {
            Some(Value::Object(function)) => function,
            Some(_) => Map::new(),
            None => piece,
        };
        let name = answer::name_of(&mut function).unwrap_or_default();
        let arguments = match function.remove("arguments") {
            Some(Value::String(text)) => text,
            None | Some(Value::Null) => String::new(),
            Some(whole) => whole.to_string(),
        };
        let Some(call) = self.slot(index, &id, &name) else { return };
        if call.id.is_empty() {
            call.id = id;
        }
        // The name is whole in the first piece, and some servers say it in each.
        if call.name.is_empty() {
            call.name = name;
        }
        call.arguments += &arguments;
    }

    /// The call that a piece belongs to: the one of its index, or without an index the last one. A piece with another id begins another call,
    /// because some servers count all of them 0. None: there are too many.
    fn slot(&mut self, index: Option<u64>, id: &str, name: &str) -> Option<&mut Call> {
        let known = match index {
            Some(_) => self.calls.iter().rposition(|call| call.index == index),
            None => self.calls.len().checked_sub(1),
        };
        let begins = |call: &Call| {
            let another_id = !id.is_empty() && !call.id.is_empty() && call.id != id;
            let another_name = index.is_none() && id.is_empty() && !name.is_empty();
            another_id || another_name
        };
        let at = match known {
            Some(at) if !self.calls.get(at).is_some_and(begins) => at,
            _ if self.calls.len() >= CALLS_PER_ANSWER_MAX => return None,
            _ => {
                self.calls.push(Call { index, ..Call::default() });
                self.calls.len() - 1
            }
        };
        self.calls.get_mut(at)
    }

    /// Whether any part of the answer has come.
    pub(in crate::llm) fn has_begun(&self) -> bool {
        !self.said.is_empty() || !self.calls.is_empty()
    }

    /// Whether nothing more will come.
    pub(in crate::llm) fn is_done(&self) -> bool {
        self.done
    }

    /// Whether the model is at its end; what it cost may still come.
    pub(in crate::llm) fn is_finished(&self) -> bool {
        self.done || self.finish.is_some()
    }

    /// Whether anything came that a completion consists of.
    pub(in crate::llm) fn is_completion(&self) -> bool {
        self.begun
    }

    /// The answer, when it is finished.
    pub(in crate::llm) fn answer(self) -> Answer {
        let call = |call: Call| {
            let Call { index: _, id, name, arguments } = call;
            json!({"id": id, "function": {"name": name, "arguments": arguments}})
        };
        let calls: Vec<Value> = self.calls.into_iter().map(call).collect();
        let cut = self.finish.as_deref() == Some("length");
        let said = if self.said.trim().is_empty() { self.refusal } else { self.said };
        answer::of(said, calls, cut, &self.usage)
    }
}

#[cfg(test)]
#[path = "pieces_tests.rs"]
mod tests;
