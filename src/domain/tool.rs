//! Functions that can be called, the calls a planner asks for, and what came of them.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{credential::MissingCredentials, json::RawJson, kept::ResultId, language::Language};

/// What calling a function does to the world behind it (RFC 9110, 9.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Only reads: may be sent again after a crash.
    Safe,
    /// May change something: is sent at most once, after its intent has been recorded.
    Changing,
}

impl Effect {
    /// What a request of this method does, if nobody says otherwise; `QUERY` is safe as well (draft-ietf-httpbis-safe-method-w-body).
    pub fn of_method(method: &str) -> Self {
        if matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "QUERY") { Self::Safe } else { Self::Changing }
    }
}

/// One function as planners and clients see it.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSpec {
    /// Unique in the document, `^[a-zA-Z0-9_-]{1,64}$`.
    pub name: String,
    pub description: String,
    /// JSON Schema (draft 2020-12) of the arguments: always `{"type":"object","properties":{…},…}`, closed (no `$ref` that leaves it). Shared,
    /// because it is large and one set of functions is made of others.
    pub parameters: Arc<Value>,
    pub effect: Effect,
}

/// A name for a function of our own beside these: the wished one, or if a function has that, the first of `wished_2`, `wished_3` … that
/// none has. The function of the document keeps its name.
pub fn name_beside(wished: &str, functions: &[FunctionSpec]) -> String {
    let taken = |name: &str| functions.iter().any(|function| function.name == name);
    let mut name = wished.to_owned();
    for number in 2..=functions.len() + 1 {
        if !taken(&name) {
            break;
        }
        name = format!("{wished}_{number}");
    }
    name
}

/// A call that a planner asks for. Nothing about it has been believed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// The planner's own id for it; results are matched by it.
    pub id: String,
    pub name: String,
    /// The arguments, or the text that should have been a JSON object.
    pub arguments: Result<Map<String, Value>, String>,
}

/// What the upstream was asked, as it may be shown: no credentials in it.
#[derive(Debug, Clone, PartialEq)]
pub struct SentRequest {
    pub method: String,
    pub url: String,
}

/// What the upstream answered.
#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamReply {
    pub status: u16,
    /// Header names in lower case, as received, without credentials and cookies.
    pub headers: Vec<(String, String)>,
    pub body: ReplyBody,
    /// Under which id the whole reply is kept, if a planner is not told all of it.
    pub kept: Option<ResultId>,
}

impl UpstreamReply {
    /// The first value of a header field; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// A reply's body after decoding.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyBody {
    Empty,
    Json(RawJson),
    Text(String),
    /// Not text: what it is and how many bytes it had.
    Binary {
        content_type: String,
        bytes: usize,
        /// The bytes, as long as they are at hand: a stored turn does not have them.
        content: Bytes,
    },
}

/// What came of one call.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The upstream answered, with whatever status.
    Replied(UpstreamReply),
    /// Nothing was sent: the planner can mend it, or the user decides.
    Refused(Refusal),
    /// The request was certainly not received (not sent, no connection), or its loss changes nothing (a safe call that timed out).
    Failed(String),
    /// A changing request was sent and no answer came: whether it took effect is not known.
    Unknown(String),
}

/// Why a call was not sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// No such function; close names.
    UnknownFunction { near: Vec<String> },
    /// All that is wrong with the arguments, one sentence each.
    InvalidArguments(Vec<String>),
    /// The turn has no calls left.
    OverBudget,
    /// The API asks for credentials that nobody has set.
    CredentialMissing(MissingCredentials),
    /// A credential for this scheme is set (or the store that keeps users' own is away, and the name is empty), but cannot be used: the
    /// reason, without the secret.
    CredentialUnusable { scheme: String, reason: String },
    /// The user was asked whether it may be sent. The digest is of the exact request that was shown.
    NeedsConfirmation { digest: String },
    /// The user was asked and said no.
    Declined,
    /// The user said yes, but it would be another request now: the document, or where its API is, has changed.
    Outdated,
}

impl Refusal {
    /// What is said of a credential that cannot be used, for people and for models.
    pub fn unusable(scheme: &str, reason: &str, language: Language) -> String {
        match (language, scheme.is_empty()) {
            (Language::English, true) => format!("the credentials for the API cannot be used: {reason}"),
            (Language::English, false) => format!("the credential {scheme} for the API cannot be used: {reason}"),
            (Language::Chinese, true) => format!("用于该 API 的凭据无法使用：{reason}"),
            (Language::Chinese, false) => format!("用于该 API 的凭据 {scheme} 无法使用：{reason}"),
        }
    }
}

/// One call and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    pub call: ToolCall,
    /// What was sent, or would have been: whether it was is the outcome's to say. None if no request could be made of the call.
    pub request: Option<SentRequest>,
    pub outcome: Outcome,
}

impl ToolResult {
    /// Whether it is sent only if the user says yes.
    pub fn waits(&self) -> bool {
        matches!(self.outcome, Outcome::Refused(Refusal::NeedsConfirmation { .. }))
    }

    /// Whether the upstream answered with success (2xx or 3xx-free informational classes do not count).
    pub fn succeeded(&self) -> bool {
        matches!(&self.outcome, Outcome::Replied(reply) if (200..300).contains(&reply.status))
    }

    /// Whether its request, if it has one, is of a safe method (RFC 9110, 9.2.1).
    pub fn is_reading(&self) -> bool {
        self.request.as_ref().is_some_and(|request| Effect::of_method(&request.method) == Effect::Safe)
    }

    /// Whether what became of it is not known.
    pub fn is_unknown(&self) -> bool {
        matches!(self.outcome, Outcome::Unknown(_))
    }
}
