//! A prompt as a chat-completions request: one pass from the prompt into the bytes, nothing in between. One that is too long is made to fit
//! (`fit`) and written once more.

use std::{borrow::Cow, collections::HashSet};

use serde::{Serialize, Serializer, ser::SerializeSeq};
use serde_json::Value;

use super::{
    fit, in_words, result_text,
    told::{Told, ToldRound, ToldTurn},
};
use crate::{
    domain::{
        limits::{ANSWER_TOKENS_DEFAULT, CALL_ID_BYTES_MAX, FUNCTION_NAME_CHARS_MAX},
        tool::ToolResult,
    },
    llm::{Prompt, tokens, tools::Wire},
};

/// What the assistant is asked for that a summary answers: it is told as its own words, never as instructions.
const ASKED_FOR_A_SUMMARY: &str = "What have we said and done so far, in short?";

/// What a request says beside the prompt.
#[derive(Debug, Clone)]
pub(in crate::llm) struct Manner {
    pub(in crate::llm) model: String,
    pub(in crate::llm) temperature: Option<f64>,
    pub(in crate::llm) max_tokens: Option<u32>,
    /// What the model takes at once, its answer included.
    pub(in crate::llm) context_tokens: u64,
}

/// How a model is asked for calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::llm) enum Way {
    /// As calls.
    Tools,
    /// As JSON text, held to a schema by its server: for servers that ignore or refuse `tools`.
    Schema,
    /// As JSON text, for servers that hold it to nothing.
    Prose,
}

impl Manner {
    /// What is left of the context for the answer.
    pub(in crate::llm) fn answer_tokens(&self) -> u64 {
        match self.max_tokens {
            Some(most) => u64::from(most).min(self.context_tokens / 2),
            None => ANSWER_TOKENS_DEFAULT.min(self.context_tokens / 4),
        }
    }

    /// What may be sent.
    pub(in crate::llm) fn prompt_tokens(&self) -> u64 {
        self.context_tokens - self.answer_tokens()
    }
}

/// The request's body: never for more tokens than the model takes, however it is asked.
pub(in crate::llm) fn bytes(prompt: &Prompt<'_>, manner: &Manner, way: Way, stream: bool) -> Result<Vec<u8>, serde_json::Error> {
    let most = prompt.tokens_max.map_or(manner.prompt_tokens(), |most| most.min(manner.prompt_tokens()));
    let asking = Asking { prompt, manner, way, stream };
    let whole = asking.written(&Told::all_of(prompt))?;
    // Most are far from it, and not worth counting.
    if tokens::of_bytes_at_most(whole.len()) <= most || tokens::of(&whole) <= most {
        return Ok(whole);
    }
    let none = Told { summary: None, turns: Vec::new(), rounds: Vec::new(), instructions: "".into(), message: "".into() };
    // The function that reads kept results is counted for whether or not one is told.
    let around = tokens::of(&asking.written_with(&none, true)?);
    asking.written(&fit::into(prompt, asking.speech(), most.saturating_sub(around)))
}

/// A request that is being written.
#[derive(Clone, Copy)]
struct Asking<'a> {
    prompt: &'a Prompt<'a>,
    manner: &'a Manner,
    way: Way,
    stream: bool,
}

impl<'a> Asking<'a> {
    fn speech(self) -> Speech<'a> {
        Speech { reader: self.prompt.tools.reader(), in_words: self.way != Way::Tools }
    }

    fn written(self, told: &Told<'_>) -> Result<Vec<u8>, serde_json::Error> {
        self.written_with(told, told.results().any(result_text::can_be_read))
    }

    fn written_with(self, told: &Told<'_>, with_reader: bool) -> Result<Vec<u8>, serde_json::Error> {
        let Self { prompt, manner, way, stream } = self;
        let tools = prompt.tools.wire(with_reader);
        let mut bytes = Vec::with_capacity(4096 + tools.map_or(0, Wire::bytes));
        let functions = tools.filter(|_| way != Way::Tools);
        let request = Request {
            model: &manner.model,
            temperature: manner.temperature,
            max_tokens: manner.max_tokens,
            stream,
            stream_options: stream.then_some(StreamOptions { include_usage: true }),
            messages: Conversation { told: Some(told), turns: &told.turns, speech: self.speech(), functions },
            tools: tools.filter(|_| way == Way::Tools),
            response_format: functions.filter(|_| way == Way::Schema).map(in_words::response_format),
        };
        serde_json::to_writer(&mut bytes, &request)?;
        Ok(bytes)
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    messages: Conversation<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<Wire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
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

/// How calls and their results are told.
#[derive(Clone, Copy)]
pub(super) struct Speech<'a> {
    /// The function that reads kept results.
    pub reader: &'a str,
    /// As plain messages: the server knows no tools.
    pub in_words: bool,
}

/// The conversation: system, then what is told of the history, then this turn. With nothing but turns of the history it is those turns.
pub(super) struct Conversation<'a> {
    pub told: Option<&'a Told<'a>>,
    pub turns: &'a [ToldTurn<'a>],
    pub speech: Speech<'a>,
    /// Functions that are told in words.
    pub functions: Option<Wire<'a>>,
}

impl Serialize for Conversation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        let mut ids = Ids::default();
        if let Some(told) = self.told {
            let system = self.functions.map(|functions| in_words::instructions(&told.instructions, functions));
            seq.serialize_element(&Message::System { content: system.as_deref().unwrap_or(&told.instructions) })?;
            if let Some(summary) = &told.summary {
                seq.serialize_element(&Message::User { content: ASKED_FOR_A_SUMMARY })?;
                seq.serialize_element(&Message::Assistant { content: Some(summary), tool_calls: &[] })?;
            }
        }
        for turn in self.turns {
            seq.serialize_element(&Message::User { content: &turn.message })?;
            rounds(&turn.rounds, self.speech, &mut ids, &mut seq)?;
            seq.serialize_element(&Message::Assistant { content: Some(&turn.answer), tool_calls: &[] })?;
        }
        if let Some(told) = self.told {
            seq.serialize_element(&Message::User { content: &told.message })?;
            rounds(&told.rounds, self.speech, &mut ids, &mut seq)?;
        }
        seq.end()
    }
}

fn rounds<'a, S: SerializeSeq>(rounds: &[ToldRound<'a>], speech: Speech<'_>, ids: &mut Ids<'a>, seq: &mut S) -> Result<(), S::Error> {
    for told in rounds {
        if speech.in_words {
            in_plain_messages(told, speech.reader, seq)?;
            continue;
        }
        let ToldRound { round, result_bytes_max, .. } = *told;
        let calls: Vec<Call<'_>> = round.results.iter().map(|result| call(result, told, ids)).collect();
        seq.serialize_element(&Message::Assistant { content: round.said.as_deref(), tool_calls: &calls })?;
        for (call, result) in calls.iter().zip(&round.results) {
            seq.serialize_element(&Message::Tool {
                tool_call_id: &call.id,
                content: &result_text::of(result, result_bytes_max, speech.reader),
            })?;
        }
    }
    Ok(())
}

/// A round as a server hears it that knows no calls: what the model wrote, and what came of it as the next message.
fn in_plain_messages<S: SerializeSeq>(told: &ToldRound<'_>, reader: &str, seq: &mut S) -> Result<(), S::Error> {
    for result in &told.round.results {
        let written = in_words::call(&name(&result.call.name), &arguments(result, told));
        seq.serialize_element(&Message::Assistant { content: Some(&written), tool_calls: &[] })?;
        let came = in_words::result(&result.call.name, &result_text::of(result, told.result_bytes_max, reader));
        seq.serialize_element(&Message::User { content: &came })?;
    }
    Ok(())
}

fn arguments(result: &ToolResult, told: &ToldRound<'_>) -> String {
    let arguments = result_text::arguments(&result.call.arguments);
    if arguments.len() > told.arguments_bytes_max { result_text::left_out(arguments.len()) } else { arguments }
}

fn call<'a>(result: &'a ToolResult, told: &ToldRound<'_>, ids: &mut Ids<'a>) -> Call<'a> {
    let function = Function { name: name(&result.call.name), arguments: arguments(result, told) };
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

/// How long an id of ours is.
pub(super) const MADE_ID_BYTES: usize = 9;

/// An id of ours: nine letters and digits, which is all that the strictest provider takes.
pub(super) fn made_id(number: u32) -> String {
    format!("c{number:08}")
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
