//! The fields of the file, and how a turn is told in them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    clock::rfc3339,
    domain::{
        credential::MissingCredentials,
        session::{Turn, Usage},
        tool::{Outcome, Refusal, ReplyBody, ToolResult},
    },
};

/// What the file says it is.
pub(super) const FORMAT: &str = "swagger-api-agent/session";
/// Counted up with every change that a reader of before would not understand.
pub(super) const VERSION: u64 = 1;

#[derive(Serialize)]
pub(super) struct WrittenFile<'a> {
    pub format: &'static str,
    pub version: u64,
    pub title: Option<&'a str>,
    pub pinned: bool,
    pub metadata: Option<&'a RawValue>,
    pub turns: Vec<TurnForm<CallForm<Map<String, Value>>>>,
}

/// The same before its turns are read: each of them is read for itself, so that one that is wrong hides no other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadFile<'a> {
    pub format: String,
    pub version: u64,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub pinned: bool,
    #[serde(default, borrow)]
    pub metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    pub turns: Vec<&'a RawValue>,
}

/// A turn, with its calls read or not yet.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TurnForm<C> {
    /// RFC 3339.
    pub asked_at: String,
    pub message: String,
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<RoundForm<C>>,
    /// RFC 3339.
    pub answered_at: String,
    /// Markdown.
    pub answer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageForm>,
    /// The fingerprint of the functions that it could call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoundForm<C> {
    /// What the planner said beside the calls.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    pub calls: Vec<C>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UsageForm {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub total_tokens: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

/// One call and what came of it: they stand together, so neither can be there without the other. Its arguments are read or not yet.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallForm<A> {
    pub id: String,
    pub function: String,
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub arguments: Option<A>,
    /// The text that should have been arguments, in place of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_arguments: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestForm>,
    pub outcome: OutcomeForm,
}

/// What was sent, or would have been.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestForm {
    pub method: String,
    pub url: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum OutcomeForm {
    /// The API answered.
    Replied { status: u16, body: BodyForm },
    /// It was not received, or its loss changes nothing.
    Failed { why: String },
    /// It was sent, and whether it took effect is not known.
    Unknown { why: String },
    /// Not sent: there is no such function.
    UnknownFunction { near: Vec<String> },
    /// Not sent: its arguments were wrong.
    InvalidArguments { problems: Vec<String> },
    /// Not sent: the turn had no calls left.
    OverBudget,
    /// Not sent: the API asks for credentials that nobody had set.
    CredentialMissing { api: String, alternatives: Vec<Vec<String>> },
    /// Not sent: a credential could not be used.
    CredentialUnusable { scheme: String, reason: String },
    /// Not sent: its user said no.
    Declined,
    /// Not sent: its user was asked, and the answer came too late or not in this conversation.
    NotConfirmed,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum BodyForm {
    Empty,
    Json(Box<RawValue>),
    Text(String),
    /// What it was and how long: its bytes are not in a conversation.
    Binary {
        content_type: String,
        bytes: usize,
    },
}

impl TurnForm<CallForm<Map<String, Value>>> {
    pub fn of(turn: &Turn) -> Self {
        let rounds =
            turn.rounds.iter().map(|round| RoundForm { said: round.said.clone(), calls: round.results.iter().map(CallForm::of).collect() });
        Self {
            asked_at: rfc3339(turn.asked_ms),
            message: turn.message.clone(),
            rounds: rounds.collect(),
            answered_at: rfc3339(turn.answered_ms),
            answer: turn.answer.clone(),
            usage: turn.usage.map(|usage| {
                let Usage { prompt_tokens, completion_tokens, total_tokens, estimated } = usage;
                UsageForm { prompt_tokens, completion_tokens, total_tokens, estimated }
            }),
            served: turn.served.clone(),
        }
    }
}

impl CallForm<Map<String, Value>> {
    fn of(result: &ToolResult) -> Self {
        let (arguments, broken_arguments) = match &result.call.arguments {
            Ok(arguments) => (Some(arguments.clone()), None),
            Err(text) => (None, Some(text.clone())),
        };
        Self {
            id: result.call.id.clone(),
            function: result.call.name.clone(),
            arguments,
            broken_arguments,
            request: result.request.as_ref().map(|request| RequestForm { method: request.method.clone(), url: request.url.clone() }),
            outcome: OutcomeForm::of(&result.outcome),
        }
    }
}

impl OutcomeForm {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Replied(reply) => Self::Replied { status: reply.status, body: BodyForm::of(&reply.body) },
            Outcome::Failed(why) => Self::Failed { why: why.clone() },
            Outcome::Unknown(why) => Self::Unknown { why: why.clone() },
            Outcome::Refused(refusal) => match refusal {
                Refusal::UnknownFunction { near } => Self::UnknownFunction { near: near.clone() },
                Refusal::InvalidArguments(problems) => Self::InvalidArguments { problems: problems.clone() },
                Refusal::OverBudget => Self::OverBudget,
                Refusal::CredentialMissing(MissingCredentials { api, alternatives }) => {
                    Self::CredentialMissing { api: api.clone(), alternatives: alternatives.clone() }
                }
                Refusal::CredentialUnusable { scheme, reason } => {
                    Self::CredentialUnusable { scheme: scheme.clone(), reason: reason.clone() }
                }
                Refusal::Declined => Self::Declined,
                // A question is answered where it was asked: elsewhere its answer has not come, whatever comes.
                Refusal::NeedsConfirmation { .. } | Refusal::Outdated => Self::NotConfirmed,
            },
        }
    }
}

impl BodyForm {
    fn of(body: &ReplyBody) -> Self {
        match body {
            ReplyBody::Empty => Self::Empty,
            ReplyBody::Json(json) => Self::Json(json.as_raw().to_owned()),
            ReplyBody::Text(text) => Self::Text(text.clone()),
            ReplyBody::Binary { content_type, bytes, .. } => Self::Binary { content_type: content_type.clone(), bytes: *bytes },
        }
    }
}
