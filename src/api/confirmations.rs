//! Changes that wait for a yes, by their ids: what would be sent, and the decision.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::PathRejection},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    chat::{self, key_of},
    error::ApiError,
    extract::{Body, Caller, Fields, Shape, Spoken},
    problem::Problem,
    query::Asked,
};
use crate::{
    agent,
    app::{App, AppError, Decision, Question, Request},
    clock::rfc3339,
    domain::{
        session::{Round, waiting},
        tool::{Outcome, Refusal, ToolResult},
    },
};

/// A question, as clients are told of it.
#[derive(Serialize)]
pub(super) struct Asks<'a> {
    id: &'a str,
    expires_at: String,
    /// What the answer says, without how to say yes: for clients that have buttons.
    question: String,
    /// Requests that are sent, in this order, if the answer is yes.
    requests: Vec<Waiting<'a>>,
}

#[derive(Serialize)]
struct Waiting<'a> {
    function_name: &'a str,
    method: Option<&'a str>,
    url: Option<&'a str>,
    parameters: Option<&'a Map<String, Value>>,
    /// SHA-256 of the whole request as it was shown: nothing else is sent.
    digest: &'a str,
}

impl<'a> Asks<'a> {
    /// Of the turn that asked: its answer and its calls.
    pub fn of(question: &'a Question, answer: &str, rounds: &'a [Round]) -> Self {
        let requests = waiting(rounds).filter_map(Waiting::of).collect();
        Self { id: &question.id, expires_at: rfc3339(question.expires_ms), question: agent::without_how(answer), requests }
    }
}

impl<'a> Waiting<'a> {
    fn of(result: &'a ToolResult) -> Option<Self> {
        let Outcome::Refused(Refusal::NeedsConfirmation { digest }) = &result.outcome else { return None };
        let request = result.request.as_ref();
        Some(Self {
            function_name: &result.call.name,
            method: request.map(|request| request.method.as_str()),
            url: request.map(|request| request.url.as_str()),
            parameters: result.call.arguments.as_ref().ok(),
            digest,
        })
    }
}

/// The question that is open now, if one is.
pub(super) async fn open(State(app): State<App>, Caller(caller): Caller) -> Result<Response, ApiError> {
    let open = app.open_question(&caller).await?;
    let asks: Vec<Value> = open.iter().map(|(question, turn)| json!(Asks::of(question, &turn.answer, &turn.rounds))).collect();
    Ok(Json(json!({"success": true, "confirmations": asks, "user_id": caller.user.as_str()})).into_response())
}

/// What somebody says to a question.
pub(super) struct Say {
    approve: bool,
}

impl Shape for Say {
    fn read(fields: &mut Fields) -> Option<Self> {
        match fields.text("decision", DECISION_CHARS_MAX)?.as_str() {
            "approve" => Some(Self { approve: true }),
            "reject" => Some(Self { approve: false }),
            _ => fields.wrong(Problem::new("decision is none of approve, reject", "decision 不是 approve 或 reject"))?,
        }
    }
}

const DECISION_CHARS_MAX: usize = 16;

/// Decides: as a turn that says yes or no, and that only while the question is the last thing that was said.
pub(super) async fn decide(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    Query(asked): Query<Asked>,
    Body(say): Body<Say>,
) -> Result<Response, ApiError> {
    let chat::Told { streamed, html } = chat::Told::of(&headers, asked)?;
    // Nobody is asked under what is no text.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let caller = app.asked_in(&caller, &id).await?;
    let decision = Decision { question: &id, approve: say.approve };
    let request = app.deciding(&caller, decision, key_of(&headers)?).await?;
    match chat::turn(&app, &caller, language, &headers, Request { streamed, ..request }, html).await {
        // Somebody was faster.
        Err(AppError::Moved { .. } | AppError::RolledBack { .. }) => Err(AppError::QuestionOver.into()),
        decided => Ok(decided?),
    }
}
