//! What several answers share: one call and what came of it, and how a session is told.

use serde::{Serialize, ser::Serializer};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    agent,
    app::{App, Fallback, Served, call_state},
    clock::rfc3339,
    domain::{
        base64,
        kept::ResultId,
        language::Language,
        limits::BINARY_SHOWN_BYTES_MAX,
        session::{Round, SessionInfo},
        tool::{Outcome, Refusal, ReplyBody, ToolResult, UpstreamReply},
        totals::Totals,
        turn::CallStage,
    },
};

/// One element of `function_calls`.
#[derive(Serialize)]
pub(super) struct FunctionCall<'a> {
    function_name: &'a str,
    success: bool,
    /// What came of it, as its events and its run tell: `result`, `refused`, `failed`, `not_sent` or `unknown`.
    state: &'static str,
    explanation: String,
    call_info: Option<CallInfo<'a>>,
    markdown_result: String,
    api_response: Option<ApiResponse<'a>>,
    error: Option<String>,
    /// Why it was not sent, of a call that is the user's to decide: `awaiting_confirmation` or `declined`.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsent: Option<&'static str>,
    /// Under which id the whole is kept, if the planner was told only part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    result_id: Option<&'a str>,
}

#[derive(Serialize)]
struct CallInfo<'a> {
    parameters: Option<&'a Map<String, Value>>,
    method: Option<&'a str>,
    url: Option<&'a str>,
}

/// What the upstream answered, and to what.
#[derive(Serialize)]
pub(super) struct ApiResponse<'a> {
    status_code: u16,
    data: Data<'a>,
    url: &'a str,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers<'a>>,
}

/// Under which id the whole of a result is kept.
pub(super) fn result_id(result: &ToolResult) -> Option<&str> {
    match &result.outcome {
        Outcome::Replied(reply) => reply.kept.as_ref().map(ResultId::as_str),
        Outcome::Refused(_) | Outcome::Failed(_) | Outcome::Unknown(_) => None,
    }
}

/// A reply's body as JSON: as it is, as text, as a description of bytes, or null.
struct Data<'a> {
    body: &'a ReplyBody,
    /// Bytes beside their description, as base64, if they are not too many.
    with_bytes: bool,
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.body {
            ReplyBody::Empty => serializer.serialize_none(),
            ReplyBody::Json(json) => json.as_raw().serialize(serializer),
            ReplyBody::Text(text) => serializer.serialize_str(text),
            ReplyBody::Binary { content_type, bytes, content } => {
                let shown = self.with_bytes && !content.is_empty() && content.len() <= BINARY_SHOWN_BYTES_MAX;
                let encoded = shown.then(|| ("base64", Value::from(base64::encode(content))));
                let about = [("content_type", Value::from(content_type.as_str())), ("bytes", Value::from(*bytes))];
                serializer.collect_map(about.into_iter().chain(encoded))
            }
        }
    }
}

struct Headers<'a>(&'a [(String, String)]);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'a> ApiResponse<'a> {
    /// `None` if the upstream did not answer.
    /// With `direct`, for whoever called directly: headers, and bytes that are no text.
    pub fn of(result: &'a ToolResult, direct: bool) -> Option<Self> {
        let Outcome::Replied(UpstreamReply { status, headers, body, .. }) = &result.outcome else { return None };
        let request = result.request.as_ref()?;
        let headers = direct.then_some(Headers(headers));
        Some(Self { status_code: *status, data: Data { body, with_bytes: direct }, url: &request.url, method: &request.method, headers })
    }
}

/// `function_calls` of a turn, serialised once: the answer has them twice.
pub(super) fn function_calls(rounds: &[Round], language: Language, with_details: bool) -> Option<Box<RawValue>> {
    let calls: Vec<FunctionCall<'_>> = rounds
        .iter()
        .flat_map(|round| round.results.iter().map(move |result| function_call(result, round.said.as_deref(), language, with_details)))
        .collect();
    serde_json::value::to_raw_value(&calls).ok().filter(|_| !calls.is_empty())
}

fn unsent(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Refused(Refusal::NeedsConfirmation { .. }) => Some("awaiting_confirmation"),
        Outcome::Refused(Refusal::Declined) => Some("declined"),
        Outcome::Refused(_) | Outcome::Replied(_) | Outcome::Failed(_) | Outcome::Unknown(_) => None,
    }
}

fn function_call<'a>(result: &'a ToolResult, said: Option<&str>, language: Language, with_details: bool) -> FunctionCall<'a> {
    let (method, url) = (result.request.as_ref().map(|r| r.method.as_str()), result.request.as_ref().map(|r| r.url.as_str()));
    let explanation = said.filter(|said| !said.trim().is_empty()).map_or_else(
        || match (&result.outcome, language) {
            (Outcome::Refused(_), Language::English) => format!("{} was not called", result.call.name),
            (Outcome::Refused(_), Language::Chinese) => format!("没有调用 {}", result.call.name),
            (_, Language::English) => format!("Called {}", result.call.name),
            (_, Language::Chinese) => format!("调用了 {}", result.call.name),
        },
        str::to_owned,
    );
    let details = CallInfo { parameters: result.call.arguments.as_ref().ok(), method, url };
    FunctionCall {
        function_name: &result.call.name,
        success: result.succeeded(),
        state: call_state(result, CallStage::Settled).0,
        explanation,
        call_info: with_details.then_some(details),
        markdown_result: agent::shown(result, language),
        api_response: ApiResponse::of(result, false).filter(|_| with_details),
        error: agent::error_of(result),
        unsent: unsent(&result.outcome),
        result_id: result_id(result),
    }
}

/// A session as its user and administrators see it.
#[derive(Serialize)]
pub(super) struct SessionShown {
    user_id: String,
    session_id: String,
    created_at: String,
    last_active: String,
    is_active: bool,
    /// Messages: two a turn.
    conversation_length: u64,
    expires_at: String,
    /// By which documents the newest turn was served, where it was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_turn_fingerprint: Option<String>,
    agent_status: AgentStatus,
}

/// What a session has come to since it began.
#[derive(Serialize)]
pub(super) struct TotalsShown {
    turns: u64,
    calls: u64,
    changing_calls: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
    /// Whether not all of the tokens were counted by the model's server.
    estimated: bool,
}

impl TotalsShown {
    pub fn of(totals: Totals) -> Self {
        let Totals { turns, calls, changing_calls, prompt_tokens, completion_tokens, estimated } = totals;
        Self { turns, calls, changing_calls, prompt_tokens, completion_tokens, estimated }
    }
}

/// How the agent of a session stands.
#[derive(Serialize)]
pub(super) struct AgentStatus {
    initialized: bool,
    openapi_file: String,
    api_base_url: String,
    llm_available: bool,
    /// `model` or `offline`.
    planner: &'static str,
    /// Whether the offline planner takes turns over whose model cannot be asked: `off`, `ready` or `in_use`.
    offline_fallback: &'static str,
    last_error: Option<String>,
    conversation_length: u64,
    api_info: ApiSummary,
}

#[derive(Serialize)]
struct ApiSummary {
    title: String,
    version: String,
    /// Of the documents that are served now.
    fingerprint: String,
}

impl SessionShown {
    pub fn of(app: &App, session: &SessionInfo) -> Self {
        // Without further use it ends sooner than it must.
        let unused_ms = session.last_active_ms.saturating_add(app.settings().sessions.idle_secs.saturating_mul(1000));
        Self {
            user_id: session.user.to_string(),
            session_id: session.id.to_string(),
            created_at: rfc3339(session.created_ms),
            last_active: rfc3339(session.last_active_ms),
            is_active: true,
            conversation_length: session.turns * 2,
            expires_at: rfc3339(session.expires_ms.min(unused_ms)),
            last_turn_fingerprint: None,
            agent_status: AgentStatus::of(app, session.turns),
        }
    }
}

impl AgentStatus {
    pub fn of(app: &App, turns: u64) -> Self {
        let served = app.served();
        let infos = || served.apis.iter().map(|api| api.catalogue.info());
        Self {
            initialized: true,
            openapi_file: document(&served),
            api_base_url: base_url(&served),
            llm_available: app.has_model(),
            planner: if app.has_model() { "model" } else { "offline" },
            offline_fallback: fallback(app),
            last_error: app.health().last_model_error().map(|error| error.to_string()),
            conversation_length: turns * 2,
            api_info: ApiSummary {
                title: joined(infos().map(|info| &*info.title)),
                version: joined(infos().map(|info| &*info.version)),
                fingerprint: served.apis.fingerprint().to_owned(),
            },
        }
    }
}

/// How the offline planner stands that takes turns over whose model cannot be asked.
pub(super) fn fallback(app: &App) -> &'static str {
    match app.fallback() {
        None => "off",
        Some(Fallback::Ready) => "ready",
        Some(Fallback::InUse) => "in_use",
    }
}

/// Which documents are served, for people.
pub(super) fn document(served: &Served) -> String {
    joined(served.apis.iter().map(|api| api.document.as_str()))
}

/// Where the APIs are, for people.
pub(super) fn base_url(served: &Served) -> String {
    joined(served.apis.iter().map(|api| api.base_url.as_str()))
}

/// What several APIs say, where an answer has one field for it.
pub(super) fn joined<'a>(told: impl Iterator<Item = &'a str>) -> String {
    told.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}
