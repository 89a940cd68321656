//! Who did what, and what was said in other people's sessions, for those who may see it.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    admin::{session_of, user_of},
    error::ApiError,
    extract::Caller,
    overview::NO_CURSOR,
    query::{Asked, read},
    session::{History, Page},
};
use crate::{
    app::App,
    clock::{from_rfc3339, rfc3339},
    domain::{
        audit::{Action, AuditPlace, Audited, Wanted},
        limits::{AUDIT_PAGE_DEFAULT, AUDIT_PAGE_MAX},
        session::SessionId,
        user::UserName,
    },
    secrets::tokens::Bearer,
};

/// The audit log, newest first; `?limit=`, `?cursor=` from the answer before, `?user=` who did it or whom it was done to, `?action=`,
/// `?since=` a time (RFC 3339).
pub(super) async fn records(State(app): State<App>, Caller(caller): Caller, query: Query<Asked>) -> Result<Response, ApiError> {
    let mut query = query.0;
    let limit = query.number("limit", 1, AUDIT_PAGE_MAX as u64).unwrap_or(AUDIT_PAGE_DEFAULT as u64);
    let before = read(&mut query, "cursor", AuditPlace::parse, NO_CURSOR);
    let actions = (format!("is no action; there are {}", Action::names()), format!("不是操作；有：{}", Action::names()));
    let action = read(&mut query, "action", Action::parse, (&actions.0, &actions.1));
    let no_time = ("is no time; one like 2026-11-29T08:00:00Z is needed", "不是时间，应形如 2026-11-29T08:00:00Z");
    let since_ms = read(&mut query, "since", from_rfc3339, no_time);
    let wanted = Wanted { user: query.text("user"), action, since_ms };
    query.done()?;
    let limit = usize::try_from(limit).unwrap_or(AUDIT_PAGE_MAX);
    let page = app.audit_page(&caller, &wanted, before, limit).await?;
    let told = json!({
        "success": true,
        "records": page.records.iter().map(shown).collect::<Vec<_>>(),
        "count": page.records.len(),
        "next_cursor": page.next.map(|next| next.to_string()),
        "user_id": caller.user.as_str(),
    });
    Ok(Json(told).into_response())
}

fn shown(record: &Audited) -> Value {
    let details: Map<String, Value> = record.details.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "id": record.place.to_string(),
        "at": rfc3339(record.place.at_ms),
        "action": record.action,
        "by": record.by,
        "user": record.user,
        "details": details,
    })
}

/// What was said in a user's session, as `GET /api/history` tells it to the user. The reading is written down.
pub(super) async fn history(
    State(app): State<App>,
    Caller(caller): Caller,
    user: Result<Path<String>, PathRejection>,
    query: Query<Asked>,
) -> Result<Response, ApiError> {
    let page = Page::of(query.0)?;
    let user = user_of(user)?;
    said(&app, &caller, &user, None, &page).await
}

/// As [`history`], of one of the user's sessions.
pub(super) async fn history_of_one(
    State(app): State<App>,
    Caller(caller): Caller,
    which: Result<Path<(String, String)>, PathRejection>,
    query: Query<Asked>,
) -> Result<Response, ApiError> {
    let page = Page::of(query.0)?;
    let (user, session) = session_of(which)?;
    said(&app, &caller, &user, Some(&session), &page).await
}

async fn said(app: &App, caller: &Bearer, user: &UserName, session: Option<&SessionId>, page: &Page) -> Result<Response, ApiError> {
    let peeked = app.read_session(caller, user, session, page.tail()).await?;
    let mut told = json!(History::of(app, &peeked.session, (&peeked.tail, peeked.first), &caller.user, page).await);
    if let Some(told) = told.as_object_mut() {
        told.insert("user".to_owned(), json!(user.as_str()));
    }
    Ok(Json(told).into_response())
}
