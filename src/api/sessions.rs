//! A user's sessions: which there are, beginning one, what it is called, branching off, winding back, ending it.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    error::ApiError,
    extract::{Body, Caller, Fields, MaybeBody, Shape, Spoken},
    problem::Problem,
    query::Asked,
    revision::{Expects, tagged},
    shapes::TotalsShown,
};
use crate::{
    app::{App, AppError, FoundSession},
    clock::rfc3339,
    domain::{
        limits::{SESSION_METADATA_BYTES_MAX, SESSION_SEARCH_CHARS_MAX, SESSION_TITLE_CHARS_MAX, TURN_NUMBER_MAX},
        number::whole,
        session::{BadTitle, Label, SessionId, title_problem},
        slot::Slot,
    },
    secrets::tokens::Bearer,
    store::contract::sessions::{LabelChange, OwnSession},
};

/// How much is shown around a text that was searched for, in characters.
const FOUND_CHARS: usize = 160;

/// What is said of a session's label: `title`, `pinned`, `metadata`. `null` takes away, what is left out stays.
#[derive(Default)]
pub(super) struct Labels(LabelChange);

impl Shape for Labels {
    fn read(fields: &mut Fields) -> Option<Self> {
        let title = match fields.maybe("title") {
            None => None,
            Some(Value::Null) => Some(String::new()),
            Some(Value::String(title)) => titled(fields, &title),
            Some(_) => fields.wrong(Problem::new("title is no text", "title 不是文本")),
        };
        let pinned = fields.maybe_flag("pinned");
        let metadata = match fields.maybe("metadata") {
            None => None,
            Some(Value::Null) => Some(String::new()),
            Some(Value::Object(object)) => noted(fields, object),
            Some(_) => fields.wrong(Problem::new("metadata is no object", "metadata 不是对象")),
        };
        Some(Self(LabelChange { title, pinned, metadata }))
    }
}

fn titled(fields: &mut Fields, title: &str) -> Option<String> {
    let title = title.trim();
    if title.is_empty() {
        return fields.wrong(Problem::new(
            "title is empty; leave it out, or send null for the one that is made from the first message",
            "title 为空；请省略它，或发送 null 以使用根据第一条消息生成的标题",
        ));
    }
    match title_problem(title) {
        None => Some(title.to_owned()),
        Some(BadTitle::Empty) => fields.wrong(Problem::empty("title")),
        Some(BadTitle::ControlCharacters) => fields.wrong(Problem::has_control_characters("title")),
        Some(BadTitle::TooLong) => fields.wrong(Problem::too_long("title", SESSION_TITLE_CHARS_MAX)),
    }
}

fn noted(fields: &mut Fields, object: Map<String, Value>) -> Option<String> {
    let text = Value::Object(object).to_string();
    if text.len() > SESSION_METADATA_BYTES_MAX {
        let bytes = text.len();
        return fields.wrong(Problem::new(
            format!("metadata has {bytes} bytes as JSON; {SESSION_METADATA_BYTES_MAX} are allowed"),
            format!("metadata 的 JSON 有 {bytes} 字节，最多 {SESSION_METADATA_BYTES_MAX} 字节"),
        ));
    }
    Some(text)
}

impl Labels {
    /// As the label of a session that begins with it.
    fn whole(self) -> Label {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let LabelChange { title, pinned, metadata } = self.0;
        Label { title: given(title), pinned: pinned.unwrap_or_default(), metadata: given(metadata) }
    }
}

/// Where a conversation is cut: `turn` is the number of the first turn that is left out.
pub(super) struct Cut {
    turn: u64,
}

impl Shape for Cut {
    fn read(fields: &mut Fields) -> Option<Self> {
        match fields.maybe("turn") {
            None | Some(Value::Null) => {
                fields.wrong(Problem::new("turn is missing: the number of the first turn that goes", "缺少 turn：要去掉的第一轮的编号"))
            }
            Some(value) => turn_of(fields, &value).map(|turn| Self { turn }),
        }
    }
}

/// `turn`, perhaps, and perhaps a `title`.
#[derive(Default)]
pub(super) struct Fork {
    before: Option<u64>,
    title: Option<String>,
}

impl Shape for Fork {
    fn read(fields: &mut Fields) -> Option<Self> {
        let before = match fields.maybe("turn") {
            None | Some(Value::Null) => None,
            Some(value) => turn_of(fields, &value),
        };
        let title = fields.maybe_text("title").and_then(|title| titled(fields, &title));
        Some(Self { before, title })
    }
}

fn turn_of(fields: &mut Fields, value: &Value) -> Option<u64> {
    // `3.0` is a whole number (JSON Schema 2020-12, 6.1.1).
    let turn = value.as_f64().filter(|turn| *turn >= 0.0 && turn.fract() == 0.0).map(whole).filter(|turn| *turn <= TURN_NUMBER_MAX);
    turn.or_else(|| {
        fields.wrong(Problem::new(
            format!("turn is {value}; a whole number from 0 to {TURN_NUMBER_MAX} is needed"),
            format!("turn 是 {value}，应为 0 到 {TURN_NUMBER_MAX} 的整数"),
        ))
    })
}

/// The caller, asking about the session that the path names.
pub(super) fn about(caller: Bearer, id: Result<Path<String>, PathRejection>) -> Result<Bearer, ApiError> {
    let Ok(Path(id)) = id else { return Err(AppError::NoSession.into()) };
    Ok(Bearer { session: Some(SessionId::named(&id)), ..caller })
}

/// A session as its user sees it.
fn shown(own: &OwnSession) -> Value {
    let OwnSession { session, ends_ms, label, totals } = own;
    let metadata: Option<Value> = label.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok());
    json!({
        "id": session.id.as_str(),
        "main": Slot::of_session(&session.id).is_main(),
        "title": label.title,
        "pinned": label.pinned,
        "metadata": metadata,
        "created_at": rfc3339(session.created_ms),
        "last_active": rfc3339(session.last_active_ms),
        "expires_at": rfc3339(session.expires_ms.min(*ends_ms)),
        "ends_at_latest": rfc3339(session.expires_ms),
        "turns": session.turns,
        "first_turn": session.first_turn,
        "running": session.running,
        "totals": TotalsShown::of(*totals),
    })
}

/// The session, with the state that it is in as a tag.
fn answer(caller: &Bearer, own: &OwnSession) -> Response {
    let told = json!({"success": true, "session": shown(own), "user_id": caller.user.as_str()});
    tagged(Json(told).into_response(), &own.session)
}

pub(super) fn created(caller: &Bearer, own: &OwnSession) -> Response {
    let mut response = answer(caller, own);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(place) = HeaderValue::from_str(&format!("/api/sessions/{}", own.session.id)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// A text around the first place where it says what was searched for.
fn around(text: &str, search: &str) -> String {
    // Lower case may have another length, so the place is found by characters.
    let lower: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let wanted: Vec<char> = search.to_lowercase().chars().collect();
    let at = lower.windows(wanted.len().max(1)).position(|window| window == wanted.as_slice()).unwrap_or_default();
    let from = at.saturating_sub(FOUND_CHARS / 2);
    let shown: String = text.chars().skip(from).take(FOUND_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let ends = text.chars().count() <= from + FOUND_CHARS;
    format!("{}{}{}", if from > 0 { "…" } else { "" }, shown.trim(), if ends { "" } else { "…" })
}

/// All of the caller's sessions; with `?search=` those whose title or conversation has it.
pub(super) async fn list(State(app): State<App>, Caller(caller): Caller, query: Query<Asked>) -> Result<Response, ApiError> {
    let Query(mut query) = query;
    let search = query.text("search");
    if search.as_ref().is_some_and(|search| search.chars().nth(SESSION_SEARCH_CHARS_MAX).is_some()) {
        query.problem(Problem::too_long("search", SESSION_SEARCH_CHARS_MAX));
    }
    query.done()?;
    let found = app.own_sessions(&caller, search.as_deref()).await?;
    let sessions: Vec<Value> = found
        .iter()
        .map(|FoundSession { own, said }| {
            let mut told = shown(own);
            if let (Some((turn, text)), Some(told)) = (said, told.as_object_mut()) {
                let text = around(text, search.as_deref().unwrap_or_default());
                told.insert("found".to_owned(), json!({"turn": turn, "text": text}));
            }
            told
        })
        .collect();
    let most = app.settings().sessions.per_user_max;
    let told = json!({"success": true, "count": sessions.len(), "sessions": sessions, "more_max": most, "user_id": caller.user.as_str()});
    Ok(Json(told).into_response())
}

/// Begins another session beside the main one.
pub(super) async fn open(
    State(app): State<App>,
    Caller(caller): Caller,
    MaybeBody(labels): MaybeBody<Labels>,
) -> Result<Response, ApiError> {
    let own = app.open_session(&caller, &labels.whole(), &[]).await?;
    Ok(created(&caller, &own))
}

pub(super) async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let caller = about(caller, id)?;
    let own = app.own_session(&caller).await?;
    Ok(answer(&caller, &own))
}

pub(super) async fn change(
    State(app): State<App>,
    Caller(caller): Caller,
    id: Result<Path<String>, PathRejection>,
    Body(labels): Body<Labels>,
) -> Result<Response, ApiError> {
    let caller = about(caller, id)?;
    let own = app.label_session(&caller, &labels.0).await?;
    Ok(answer(&caller, &own))
}

/// Ends a session, with all that runs in it.
pub(super) async fn end(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let caller = about(caller, id)?;
    app.end_session(&caller).await?;
    let message = language.choose("the session was ended", "会话已结束");
    let id = caller.session.as_ref().map(SessionId::as_str);
    Ok(Json(json!({"success": true, "message": message, "session_id": id, "user_id": caller.user.as_str()})).into_response())
}

/// Begins another session with the conversation of this one, or the beginning of it.
pub(super) async fn fork(
    State(app): State<App>,
    Caller(caller): Caller,
    id: Result<Path<String>, PathRejection>,
    MaybeBody(fork): MaybeBody<Fork>,
) -> Result<Response, ApiError> {
    let caller = about(caller, id)?;
    let own = app.fork_session(&caller, fork.before, fork.title).await?;
    Ok(created(&caller, &own))
}

/// Takes the newest turns out of the conversation: what was asked in the first of them can be asked otherwise then.
pub(super) async fn rewind(
    State(app): State<App>,
    Caller(caller): Caller,
    id: Result<Path<String>, PathRejection>,
    Expects(expects): Expects,
    Body(cut): Body<Cut>,
) -> Result<Response, ApiError> {
    let caller = about(caller, id)?;
    app.rewind_session(&caller, cut.turn, expects.as_ref()).await?;
    let own = app.own_session(&caller).await?;
    Ok(answer(&caller, &own))
}
