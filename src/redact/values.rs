//! Replies, calls and turns without secrets.

use serde_json::{Map, Value};

use super::{REDACTED, Redactor};
use crate::domain::{
    json::RawJson,
    session::{Round, Turn},
    tool::{Outcome, Refusal, ReplyBody, ToolCall, ToolResult, UpstreamReply},
};

impl Redactor {
    /// Takes the secrets out of a text.
    pub fn in_text(&self, text: &mut String) {
        if let std::borrow::Cow::Owned(left) = self.text(text) {
            *text = left;
        }
    }

    /// Takes the secrets out of the texts and numbers in a value. Names of members stay.
    pub fn in_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.in_text(text),
            Value::Number(number) if self.bytes(number.to_string().as_bytes()).is_some() => *value = REDACTED.into(),
            Value::Array(items) => items.iter_mut().for_each(|item| self.in_value(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.in_value(member)),
            Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    /// Takes the secrets out of a call, as a planner wants it made: its arguments are what they are afterwards.
    pub fn in_call(&self, call: &mut ToolCall) {
        if self.is_empty() {
            return;
        }
        self.in_text(&mut call.id);
        self.in_text(&mut call.name);
        match &mut call.arguments {
            Ok(arguments) => *arguments = self.members(std::mem::take(arguments)),
            Err(text) => self.in_text(text),
        }
    }

    /// Nobody has checked these names: a planner may have written anything.
    fn members(&self, members: Map<String, Value>) -> Map<String, Value> {
        let without = |(name, mut value): (String, Value)| {
            if let Value::Object(inner) = value {
                value = Value::Object(self.members(inner));
            } else {
                self.in_value(&mut value);
            }
            (self.text(&name).into_owned(), value)
        };
        members.into_iter().map(without).collect()
    }

    /// Takes the secrets out of what came of a call.
    pub fn in_outcome(&self, outcome: &mut Outcome) {
        match outcome {
            Outcome::Replied(reply) => self.in_reply(reply),
            Outcome::Failed(why) | Outcome::Unknown(why) => self.in_text(why),
            Outcome::Refused(Refusal::InvalidArguments(problems)) => problems.iter_mut().for_each(|problem| self.in_text(problem)),
            Outcome::Refused(Refusal::CredentialUnusable { reason, .. }) => self.in_text(reason),
            // Names of ours and of the document, and digests.
            Outcome::Refused(
                Refusal::UnknownFunction { .. }
                | Refusal::OverBudget
                | Refusal::CredentialMissing(_)
                | Refusal::NeedsConfirmation { .. }
                | Refusal::Declined
                | Refusal::Outdated,
            ) => {}
        }
    }

    fn in_reply(&self, reply: &mut UpstreamReply) {
        if self.is_empty() {
            return;
        }
        reply.headers.iter_mut().for_each(|(_, value)| self.in_text(value));
        let body = match &reply.body {
            // A secret of digits may have stood as a number: then what is left is no JSON any more.
            ReplyBody::Json(json) => self.bytes(json.get().as_bytes()).map(|left| {
                RawJson::read(&left).map_or_else(|| ReplyBody::Text(String::from_utf8_lossy(&left).into_owned()), ReplyBody::Json)
            }),
            ReplyBody::Text(text) => self.bytes(text.as_bytes()).map(|left| ReplyBody::Text(String::from_utf8_lossy(&left).into_owned())),
            ReplyBody::Binary { content_type, content, .. } => self.bytes(content).map(|left| ReplyBody::Binary {
                content_type: content_type.clone(),
                bytes: left.len(),
                content: left.into(),
            }),
            ReplyBody::Empty => None,
        };
        if let Some(body) = body {
            reply.body = body;
        }
    }

    /// Takes the secrets out of a call and what came of it, for whoever is told of it.
    pub fn in_result(&self, result: &mut ToolResult) {
        self.in_call(&mut result.call);
        if let Some(request) = &mut result.request {
            self.in_text(&mut request.url);
        }
        self.in_outcome(&mut result.outcome);
    }

    /// Takes the secrets out of rounds.
    pub fn in_rounds(&self, rounds: &mut [Round]) {
        for round in rounds.iter_mut().filter(|_| !self.is_empty()) {
            round.said.iter_mut().for_each(|said| self.in_text(said));
            round.results.iter_mut().for_each(|result| self.in_result(result));
        }
    }

    /// Takes the secrets out of a whole turn.
    pub fn in_turn(&self, turn: &mut Turn) {
        self.in_text(&mut turn.message);
        self.in_text(&mut turn.answer);
        self.in_rounds(&mut turn.rounds);
    }
}
