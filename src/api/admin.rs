//! What administrators see and do.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    error::ApiError,
    extract::{Caller, Spoken},
    overview::NO_CURSOR,
    problem::Problem,
    query::{Asked, read},
    shapes::{SessionShown, TotalsShown},
};
use crate::{
    app::{App, AppError},
    clock::rfc3339,
    domain::{
        language::Language,
        limits::{SESSIONS_PAGE_DEFAULT, SESSIONS_PAGE_MAX, USER_NAME_CHARS_MAX},
        session::{SessionId, SessionInfo},
        slot::Slot,
        user::UserName,
    },
    secrets::tokens::Bearer,
    store::contract::{Cursor, Listed, SessionFilter, SessionState, SessionStats, StoredKey, audit::Peeked},
};

/// The only order that the index keeps: any other would have to read all sessions.
const SORTED_BY: &str = "last_used";

/// All users' sessions, newest activity first; `?limit=`, and `?cursor=` from the answer before; `?user=` what their user's name begins with,
/// `?state=running` or `idle`.
pub(super) async fn sessions(State(app): State<App>, Caller(caller): Caller, query: Query<Asked>) -> Result<Response, ApiError> {
    let mut query = query.0;
    let limit = query.page(SESSIONS_PAGE_DEFAULT, SESSIONS_PAGE_MAX);
    let cursor = read(&mut query, "cursor", Cursor::parse, NO_CURSOR);
    let state = read(&mut query, "state", SessionState::parse, ("is none of running and idle", "不是 running 或 idle"));
    read(
        &mut query,
        "sort",
        |order| (order == SORTED_BY).then_some(()),
        ("can be last_used only: no other order is kept", "只能是 last_used：没有保存其他顺序"),
    );
    let user = query.text("user").filter(|user| !user.is_empty());
    if user.as_ref().is_some_and(|user| user.chars().nth(USER_NAME_CHARS_MAX).is_some()) {
        query.problem(Problem::new(
            format!("user has more than {USER_NAME_CHARS_MAX} characters, and no name has"),
            format!("user 超过 {USER_NAME_CHARS_MAX} 个字符，没有这么长的用户名"),
        ));
    }
    query.done()?;
    let page = app.list_sessions(&caller, &SessionFilter { user, state }, cursor.as_ref(), limit).await?;
    let sessions: Map<String, Value> = page.sessions.iter().map(|listed| (name_of(listed), json!(shown(&app, listed)))).collect();
    let told = json!({
        "success": true,
        "sessions_info": {
            "total_sessions": page.stats.total,
            "active_sessions": page.stats.active,
            "sessions": sessions,
        },
        "next_cursor": page.next.map(|next| next.to_string()),
        "user_id": caller.user.as_str(),
    });
    Ok(Json(told).into_response())
}

/// What a session is listed under: its user, and its id as well if it is not the one that every user has.
fn name_of(listed: &Listed) -> String {
    if Slot::of_session(&listed.id).is_main() { listed.user.to_string() } else { format!("{}/{}", listed.user, listed.id) }
}

fn shown(app: &App, listed: &Listed) -> SessionShown {
    let session = SessionInfo {
        user: listed.user.clone(),
        id: listed.id.clone(),
        created_ms: listed.created_ms,
        last_active_ms: listed.last_active_ms,
        expires_ms: listed.expires_ms,
        turns: listed.turns,
        first_turn: 0,
        version: 0,
        fence: 0,
        running: None,
    };
    SessionShown::of(app, &session)
}

/// The store's keys that hold a user's sessions, own credentials and logins.
pub(super) async fn keys(
    State(app): State<App>,
    Caller(caller): Caller,
    user: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let user = user_of(user)?;
    let keys = app.session_keys(&caller, &user, None).await?;
    Ok(Json(keys_told(&caller, &user, &keys)).into_response())
}

/// The store's keys that hold one of a user's sessions.
pub(super) async fn keys_of_one(
    State(app): State<App>,
    Caller(caller): Caller,
    which: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, ApiError> {
    let (user, session) = session_of(which)?;
    let keys = app.session_keys(&caller, &user, Some(&session)).await?;
    let mut told = keys_told(&caller, &user, &keys);
    if let Some(told) = told.as_object_mut() {
        told.insert("session_id".to_owned(), session.as_str().into());
    }
    Ok(Json(told).into_response())
}

fn keys_told(caller: &Bearer, user: &UserName, keys: &[StoredKey]) -> Value {
    let shown = |key: &StoredKey| json!({"name": key.name, "type": key.kind, "ttl_ms": key.ttl_ms, "size_bytes": key.bytes});
    let shown: Vec<Value> = keys.iter().map(shown).collect();
    json!({"success": true, "user": user.as_str(), "keys": shown, "count": keys.len(), "user_id": caller.user.as_str()})
}

/// Nobody can have a name that is none (or no UTF-8), so nobody has a session under it.
pub(super) fn user_of(user: Result<Path<String>, PathRejection>) -> Result<UserName, AppError> {
    user.ok().and_then(|Path(name)| UserName::new(&name)).ok_or(AppError::NoSession)
}

/// Ends a user's session, with all that runs in it.
pub(super) async fn kill(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    user: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let user = user_of(user)?;
    let ended = app.kill_session(&caller, &user, None).await?;
    Ok(killed(&caller, &user, ended, language))
}

/// Ends one of a user's sessions, with all that runs in it.
pub(super) async fn kill_one(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    which: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, ApiError> {
    let (user, session) = session_of(which)?;
    let ended = app.kill_session(&caller, &user, Some(&session)).await?;
    Ok(killed(&caller, &user, ended, language))
}

fn killed(caller: &Bearer, user: &UserName, ended: u64, language: Language) -> Response {
    let message = match (ended, language) {
        (1, _) => language.choose("the session was ended", "会话已结束").to_owned(),
        (_, Language::English) => format!("{ended} sessions were ended"),
        (_, Language::Chinese) => format!("已结束 {ended} 个会话"),
    };
    let told = json!({"success": true, "message": message, "ended": ended, "user": user.as_str(), "user_id": caller.user.as_str()});
    Json(told).into_response()
}

/// A user's session, as its user is told of it, without what was said.
pub(super) async fn session(
    State(app): State<App>,
    Caller(caller): Caller,
    which: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, ApiError> {
    let (user, session) = session_of(which)?;
    let Peeked { session, totals, .. } = app.session_of_user(&caller, &user, &session).await?;
    let told = json!({
        "success": true,
        "session_info": SessionShown::of(&app, &session),
        "running": session.running,
        "totals": TotalsShown::of(totals),
        "user": user.as_str(),
        "user_id": caller.user.as_str(),
    });
    Ok(Json(told).into_response())
}

/// As [`user_of`], with the id of one of the user's sessions.
pub(super) fn session_of(which: Result<Path<(String, String)>, PathRejection>) -> Result<(UserName, SessionId), AppError> {
    let Ok(Path((name, session))) = which else { return Err(AppError::NoSession) };
    Ok((UserName::new(&name).ok_or(AppError::NoSession)?, SessionId::named(&session)))
}

pub(super) async fn cleanup(State(app): State<App>, Caller(caller): Caller, Spoken(language): Spoken) -> Result<Response, ApiError> {
    let (removed, stats) = app.clean_up(&caller).await?;
    let message = match language {
        crate::domain::language::Language::English => format!("{removed} ended sessions were removed"),
        crate::domain::language::Language::Chinese => format!("已清理 {removed} 个过期会话"),
    };
    let told = json!({"success": true, "message": message, "removed": removed, "current_stats": session_stats(&app, stats), "user_id": caller.user.as_str()});
    Ok(Json(told).into_response())
}

/// `session_stats` as all answers have it.
pub(super) fn session_stats(app: &App, stats: SessionStats) -> Value {
    json!({
        "total_sessions": stats.total,
        "active_sessions": stats.active,
        "inactive_sessions": stats.total.saturating_sub(stats.active),
        "session_timeout_hours": app.settings().sessions.idle_secs as f64 / 3600.0,
        "last_cleanup": (stats.last_cleanup_ms > 0).then(|| rfc3339(stats.last_cleanup_ms)),
    })
}
