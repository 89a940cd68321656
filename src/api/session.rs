//! A user's own session: its history, what it is, beginning anew.

use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{json, value::RawValue};

use super::{
    error::ApiError,
    extract::{Caller, Spoken},
    query::Asked,
    revision::{Expects, tagged},
    shapes::{AgentStatus, SessionShown, function_calls, joined},
};
use crate::{
    app::App,
    clock::rfc3339,
    domain::{
        language::Language,
        limits::{HISTORY_PAGE_DEFAULT, HISTORY_PAGE_MAX, TURN_NUMBER_MAX},
        session::{SessionInfo, Turn},
        user::UserName,
    },
    markdown,
    openapi::Info,
    store::contract::Tail,
};

/// A turn is two messages: what was asked and what was answered.
const MESSAGES_A_TURN: usize = 2;

#[derive(Serialize)]
pub(super) struct History<'a> {
    success: bool,
    history: Vec<Message<'a>>,
    count: usize,
    /// Messages in the whole conversation.
    total: u64,
    /// What to give as `before` for the messages before these.
    next_before: Option<u64>,
    user_id: &'a str,
    session_id: &'a str,
}

impl<'a> History<'a> {
    /// Turns of a session, the number of the first one, who asks, and what is wanted of them.
    pub async fn of(app: &App, session: &'a SessionInfo, (tail, first): (&'a [Turn], u64), caller: &'a UserName, page: &Page) -> Self {
        let with_details = app.settings().agent.show_call_details;
        let mut as_html = if page.html { answers_as_html(tail).await } else { Vec::new() }.into_iter();
        let history: Vec<Message<'_>> = tail.iter().flat_map(|turn| messages(turn, page, as_html.next(), with_details)).collect();
        Self {
            success: true,
            count: history.len(),
            history,
            total: session.turns * MESSAGES_A_TURN as u64,
            next_before: (!tail.is_empty() && first > session.first_turn).then_some(first),
            user_id: caller.as_str(),
            session_id: session.id.as_str(),
        }
    }
}

/// Which part of a conversation: `?limit=` messages, `?before=` the number of a turn; `?calls=` with what each turn called,
/// `?html=` with answers as HTML as well.
pub(super) struct Page {
    messages: usize,
    before: Option<u64>,
    calls: bool,
    html: bool,
}

impl Page {
    pub fn of(mut query: Asked) -> Result<Self, ApiError> {
        let limit = query.number("limit", 1, HISTORY_PAGE_MAX as u64).unwrap_or(HISTORY_PAGE_DEFAULT as u64);
        let before = query.number("before", 0, TURN_NUMBER_MAX);
        let (calls, html) = (query.flag("calls").unwrap_or_default(), query.flag("html").unwrap_or_default());
        query.done()?;
        Ok(Self { messages: usize::try_from(limit).unwrap_or(HISTORY_PAGE_MAX), before, calls, html })
    }

    pub fn tail(&self) -> Tail {
        let n = self.messages.div_ceil(MESSAGES_A_TURN);
        match (self.before, self.calls) {
            (None, false) => Tail::Newest(n),
            (None, true) => Tail::NewestWhole(n),
            (Some(turn), false) => Tail::Before { turn, n },
            (Some(turn), true) => Tail::BeforeWhole { turn, n },
        }
    }
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    /// An answer as HTML; only if it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<String>,
    timestamp: String,
    /// What an answer called, as the answer to its turn told it, with what is kept of replies; only if it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    function_calls: Option<Box<RawValue>>,
}

/// The newest messages, oldest first; [`Page`] says which.
pub(super) async fn history(
    State(app): State<App>,
    Caller(caller): Caller,
    Expects(expects): Expects,
    query: Query<Asked>,
) -> Result<Response, ApiError> {
    let page = Page::of(query.0)?;
    let visit = app.visit(&caller, expects.as_ref(), page.tail()).await?;
    let told = History::of(&app, &visit.session, (&visit.tail, visit.first), &caller.user, &page).await;
    Ok(tagged(Json(told).into_response(), &visit.session))
}

/// The answers as HTML, made off the runtime: of many it takes longer than others can wait.
async fn answers_as_html(tail: &[Turn]) -> Vec<String> {
    let answers: Vec<String> = tail.iter().map(|turn| turn.answer.clone()).collect();
    tokio::task::spawn_blocking(move || markdown::all_to_html(answers.iter().map(String::as_str))).await.unwrap_or_default()
}

fn messages<'a>(turn: &'a Turn, page: &Page, content_html: Option<String>, with_details: bool) -> [Message<'a>; MESSAGES_A_TURN] {
    let called = || function_calls(&turn.rounds, Language::of_text(&turn.message), with_details);
    let none = || RawValue::from_string("[]".to_owned()).unwrap_or_default();
    let calls = page.calls.then(|| called().unwrap_or_else(none));
    let (asked, answered) = (rfc3339(turn.asked_ms), rfc3339(turn.answered_ms));
    [
        Message { role: "user", content: &turn.message, content_html: None, timestamp: asked, function_calls: None },
        Message { role: "assistant", content: &turn.answer, content_html, timestamp: answered, function_calls: calls },
    ]
}

pub(super) async fn clear(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    Expects(expects): Expects,
) -> Result<Response, ApiError> {
    let session = app.clear_history(&caller, expects.as_ref()).await?;
    let message = language.choose("the history is empty now", "历史记录已清空");
    let told = json!({"success": true, "message": message, "user_id": caller.user.as_str(), "session_id": session.id.as_str()});
    Ok(tagged(Json(told).into_response(), &session))
}

pub(super) async fn info(State(app): State<App>, Caller(caller): Caller, Expects(expects): Expects) -> Result<Response, ApiError> {
    // The newest turn tells by which documents it was served.
    let visit = app.visit(&caller, expects.as_ref(), Tail::Newest(1)).await?;
    let mut shown = SessionShown::of(&app, &visit.session);
    shown.last_turn_fingerprint = visit.tail.into_iter().next_back().and_then(|turn| turn.served);
    let told = json!({"success": true, "session_info": shown, "user_id": caller.user.as_str()});
    Ok(tagged(Json(told).into_response(), &visit.session))
}

pub(super) async fn reset(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    Expects(expects): Expects,
) -> Result<Response, ApiError> {
    let session = app.reset_session(&caller, expects.as_ref()).await?;
    let shown = SessionShown::of(&app, &session);
    let message = language.choose("a new session has begun", "会话已重置");
    let told = json!({"success": true, "message": message, "session_info": shown, "user_id": caller.user.as_str()});
    Ok(tagged(Json(told).into_response(), &session))
}

pub(super) async fn api_info(State(app): State<App>, Caller(caller): Caller) -> Result<Response, ApiError> {
    let visit = app.visit(&caller, None, Tail::Nothing).await?;
    let served = app.served();
    let of_all = |told: fn(&Info) -> &str| joined(served.apis.iter().map(|api| told(api.catalogue.info())));
    let mut told = json!({
        "success": true,
        "api_info": {
            "title": of_all(|info| &info.title),
            "description": of_all(|info| &info.description),
            "version": of_all(|info| &info.version),
            "servers": served.apis.iter().flat_map(|api| &api.catalogue.info().servers).collect::<Vec<_>>(),
            "endpoints_count": served.to(visit.role).apis.functions().len(),
        },
        "agent_status": AgentStatus::of(&app, visit.session.turns),
        "user_id": caller.user.as_str(),
    });
    app.hidden().in_value(&mut told);
    Ok(Json(told).into_response())
}
