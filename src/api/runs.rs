//! Runs: how one stands, its answer, that it stops.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    error::ApiError,
    extract::{Caller, Spoken},
};
use crate::{
    app::{AcceptedRun, App, AppError, CancelSeen, RunSeen, RunState, call_told},
    clock::rfc3339,
    domain::{
        event::CallTold,
        limits::RUN_ID_CHARS_MAX,
        tool::ToolResult,
        turn::{CallStage, Ending},
    },
    secrets::tokens::Bearer,
};

/// Where a run is looked at.
pub(super) fn place(run: &str) -> String {
    format!("/api/runs/{run}")
}

/// What a client is told that does not wait for the answer.
pub(super) fn accepted(caller: &Bearer, accepted: &AcceptedRun) -> Response {
    let state = if accepted.waits { "queued" } else { "running" };
    let told = json!({"success": true, "run_id": accepted.run, "state": state, "user_id": caller.user.as_str()});
    let mut response = (StatusCode::ACCEPTED, Json(told)).into_response();
    if let Ok(location) = HeaderValue::from_str(&place(&accepted.run)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

pub(super) async fn look(
    State(app): State<App>,
    Caller(caller): Caller,
    run: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let seen = app.look_at_run(&caller, &id_of(run)?).await?;
    Ok(Json(json!({"success": true, "run": shown(&seen), "user_id": caller.user.as_str()})).into_response())
}

pub(super) async fn cancel(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    run: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let run = id_of(run)?;
    let (status, state, message) = match app.cancel_run(&caller, &run).await? {
        CancelSeen::Stopping => (StatusCode::ACCEPTED, "stopping", language.choose("the run is told to stop", "已通知该请求停止")),
        CancelSeen::Cancelled => {
            (StatusCode::OK, Ending::Cancelled.as_str(), language.choose("the run was cancelled before it began", "该请求在开始之前已取消"))
        }
        CancelSeen::Ended(ending) => (StatusCode::OK, ending.as_str(), language.choose("the run has ended already", "该请求已经结束")),
    };
    let told = json!({"success": true, "run_id": run, "state": state, "message": message, "user_id": caller.user.as_str()});
    Ok((status, Json(told)).into_response())
}

/// Ids are made by the service: letters and digits. Nothing else is looked up.
pub(super) fn id_of(run: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    let run = run.map(|Path(run)| run).unwrap_or_default();
    let plain = (1..=RUN_ID_CHARS_MAX).contains(&run.len()) && run.bytes().all(|b| b.is_ascii_alphanumeric());
    if plain { Ok(run) } else { Err(AppError::NoRun { run: run.chars().take(RUN_ID_CHARS_MAX).collect() }.into()) }
}

pub(super) fn shown(seen: &RunSeen) -> Value {
    let place = match seen.state {
        RunState::Waiting(place) => Some(place),
        RunState::Running | RunState::Stopping(_) | RunState::Recovering | RunState::Ended(_) => None,
    };
    json!({
        "id": seen.run,
        "state": seen.state.as_str(),
        "place": place,
        "session_id": seen.session.as_str(),
        "kind": if seen.is_call { "call" } else { "turn" },
        "accepted_at": rfc3339(seen.accepted_ms),
        "ended_at": seen.ended_ms.map(rfc3339),
        "message": seen.message,
        "calls": seen.calls.iter().map(|(result, stage)| call(result, *stage)).collect::<Vec<_>>(),
        "answer": seen.answer,
        "error": (!seen.detail.is_empty()).then_some(&seen.detail),
    })
}

fn call(result: &ToolResult, stage: CallStage) -> Value {
    let CallTold { call: _, function_name, method, url, state, status, error } = call_told(String::new(), result, stage);
    json!({"function_name": function_name, "method": method, "url": url, "state": state, "status": status, "error": error})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tool::{Outcome, SentRequest, ToolCall};

    #[test]
    fn of_a_call_that_only_reads_it_is_not_said_that_it_was_not_sent() {
        for (method, state) in [("GET", "failed"), ("QUERY", "failed"), ("POST", "not_sent"), ("PROPFIND", "not_sent")] {
            let call = ToolCall { id: "a".into(), name: "n".into(), arguments: Ok(serde_json::Map::new()) };
            let request = Some(SentRequest { method: method.into(), url: "http://up/".into() });
            let result = ToolResult { call, request, outcome: Outcome::Failed("no answer".into()) };
            assert_eq!(super::call(&result, CallStage::Settled)["state"], state, "{method}");
        }
    }
}
