//! What administrators see of the whole service: turns that run, those whose outcome is not known, what was counted; and that they stop a turn.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    admin::session_stats,
    error::ApiError,
    extract::{Caller, Spoken},
    query::{Asked, read},
    runs,
};
use crate::{
    app::App,
    clock::rfc3339,
    domain::{
        limits::{OPEN_RUNS_PAGE_DEFAULT, OPEN_RUNS_PAGE_MAX, UNKNOWN_OUTCOMES_PAGE_DEFAULT, UNKNOWN_OUTCOMES_PAGE_MAX},
        turn::accepted_ms,
    },
    store::contract::overview::{ENDINGS, HourCounted, LOGINS, OpenPlace, OpenRun, UnknownOutcome},
};

/// What is wrong with a cursor that cannot be one.
pub(super) const NO_CURSOR: (&str, &str) = ("is none that this endpoint gave", "不是此接口给出的");

/// Turns and calls that run or are orphaned now, those first that were begun longest ago; `?limit=`, and `?cursor=` from the answer before.
pub(super) async fn turns(State(app): State<App>, Caller(caller): Caller, query: Query<Asked>) -> Result<Response, ApiError> {
    let mut query = query.0;
    let limit = query.page(OPEN_RUNS_PAGE_DEFAULT, OPEN_RUNS_PAGE_MAX);
    let after = read(&mut query, "cursor", open_place, NO_CURSOR);
    query.done()?;
    let page = app.open_turns(&caller, after.as_ref(), limit).await?;
    let now_ms = app.now_ms();
    let told = json!({
        "success": true,
        "turns": page.runs.iter().map(|run| shown(run, now_ms)).collect::<Vec<_>>(),
        "count": page.runs.len(),
        "next_cursor": page.next.map(|next| format!("{}.{}", next.due_ms, next.member)),
        "user_id": caller.user.as_str(),
    });
    Ok(Json(told).into_response())
}

fn open_place(text: &str) -> Option<OpenPlace> {
    let (due, member) = text.split_once('.')?;
    Some(OpenPlace { due_ms: due.parse().ok()?, member: member.to_owned() })
}

fn shown(run: &OpenRun, now_ms: u64) -> Value {
    let began_ms = accepted_ms(&run.run);
    json!({
        "user_id": run.user.as_str(),
        "session_id": run.session.as_str(),
        "run_id": run.run,
        "turn": run.turn,
        "state": run.state.as_str(),
        "holder": run.holder,
        "began_at": began_ms.map(rfc3339),
        "age_seconds": began_ms.map(|began| now_ms.saturating_sub(began) / 1000),
        "lease_ms_left": run.left_ms,
    })
}

/// Has anybody's run stop.
pub(super) async fn cancel(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    run: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let run = runs::id_of(run)?;
    let user = app.stop_run(&caller, &run).await?;
    let message = language.choose("the run is told to stop", "已通知该请求停止");
    let told = json!({
        "success": true, "run_id": run, "state": "stopping", "message": message, "user": user.as_str(), "user_id": caller.user.as_str(),
    });
    Ok((StatusCode::ACCEPTED, Json(told)).into_response())
}

/// Runs of which it is not known what became of a change, newest first; `?limit=`, and `?cursor=` from the answer before.
pub(super) async fn unknown(State(app): State<App>, Caller(caller): Caller, query: Query<Asked>) -> Result<Response, ApiError> {
    let mut query = query.0;
    let limit = query.page(UNKNOWN_OUTCOMES_PAGE_DEFAULT, UNKNOWN_OUTCOMES_PAGE_MAX);
    let after = read(&mut query, "cursor", unknown_place, NO_CURSOR);
    query.done()?;
    let (found, more) = app.unknown_outcomes(&caller, after.as_ref().map(|(at, run)| (*at, run.as_str())), limit).await?;
    let next = found.last().filter(|_| more).map(|last| format!("{}.{}", last.ended_ms, last.run));
    let told = json!({
        "success": true,
        "unknown": found.iter().map(of_unknown_outcome).collect::<Vec<_>>(),
        "count": found.len(),
        "next_cursor": next,
        "user_id": caller.user.as_str(),
    });
    Ok(Json(told).into_response())
}

fn unknown_place(text: &str) -> Option<(u64, String)> {
    let (at, run) = text.split_once('.')?;
    Some((at.parse().ok()?, run.to_owned()))
}

fn of_unknown_outcome(one: &UnknownOutcome) -> Value {
    json!({
        "user_id": one.user.as_str(),
        "session_id": one.session.as_str(),
        "run_id": one.run,
        "functions": one.functions,
        "ended_at": rfc3339(one.ended_ms),
    })
}

/// What there is now, and what was counted in the last days, hour by hour.
pub(super) async fn stats(State(app): State<App>, Caller(caller): Caller) -> Result<Response, ApiError> {
    let hours = app.counted(&caller).await?;
    let sessions = session_stats(&app, app.session_stats().await.map_err(crate::app::AppError::from)?);
    let mut totals = HourCounted::default();
    hours.iter().for_each(|hour| totals.plus(hour));
    let of_hour = |hour: &HourCounted| {
        let mut told = counted(hour);
        told.insert("hour".to_owned(), rfc3339(hour.began_ms).into());
        told
    };
    let told = json!({
        "success": true,
        "sessions": sessions,
        "totals": counted(&totals),
        "hours": hours.iter().map(of_hour).collect::<Vec<_>>(),
        "user_id": caller.user.as_str(),
    });
    Ok(Json(told).into_response())
}

fn counted(counted: &HourCounted) -> Map<String, Value> {
    let by_outcome = |counts: &[u64]| -> Value {
        let pairs = ENDINGS.iter().zip(counts).map(|(ending, n)| (ending.as_str().to_owned(), Value::from(*n)));
        pairs.collect::<Map<_, _>>().into()
    };
    let pairs = [
        ("turns", by_outcome(&counted.turns)),
        ("direct_calls", by_outcome(&counted.direct_calls)),
        ("calls", counted.calls.into()),
        ("prompt_tokens", counted.prompt_tokens.into()),
        ("completion_tokens", counted.completion_tokens.into()),
        ("logins", LOGINS.iter().zip(counted.logins).map(|(end, n)| (end.as_str().to_owned(), n.into())).collect::<Map<_, _>>().into()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
