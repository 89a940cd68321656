//! One turn over HTTP.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use super::{
    error::ApiError,
    extract::{Body, Caller, Fields, Shape},
    shapes::function_calls,
};
use crate::{
    app::{App, Report, Request},
    clock::rfc3339,
    domain::{
        limits::{IDEMPOTENCY_KEY_CHARS_MAX, MESSAGE_CHARS_MAX},
        session::waiting,
    },
    secrets::tokens::Bearer,
};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What a user says.
pub(super) struct Ask {
    message: String,
    context: Option<Map<String, Value>>,
}

impl Shape for Ask {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (message, context) = (fields.text("message", MESSAGE_CHARS_MAX), fields.object("context"));
        Some(Self { message: message?, context })
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    success: bool,
    message: &'a str,
    data: Option<&'a RawValue>,
    function_calls: &'a RawValue,
    usage: Option<Usage>,
    timestamp: String,
    user_id: &'a str,
    /// Something is sent only if the next message says yes.
    awaiting_confirmation: bool,
    session_id: &'a str,
    run_id: &'a str,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

pub(super) async fn process(
    State(app): State<App>,
    Caller(caller): Caller,
    headers: HeaderMap,
    Body(ask): Body<Ask>,
) -> Result<Response, ApiError> {
    let idempotency_key = key_of(&headers)?;
    let taken = app.take_turn(&caller, Request { message: ask.message, context: ask.context, idempotency_key }, render).await?;
    let mut response = ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], taken.body).into_response();
    if taken.report.is_none() {
        response.headers_mut().insert(REPLAYED.clone(), HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// The body of an answer. It is stored as it is for requests with an idempotency key, so it holds nothing of the one request.
fn render(app: &App, caller: &Bearer, report: &Report) -> Vec<u8> {
    let calls = function_calls(&report.rounds, report.language, app.settings().agent.show_call_details);
    let none = RawValue::from_string("[]".to_owned()).unwrap_or_default();
    let answer = Answer {
        success: true,
        message: &report.answer,
        data: calls.as_deref(),
        function_calls: calls.as_deref().unwrap_or(&none),
        usage: report.usage.map(|u| Usage {
            prompt_tokens: u.prompt_tokens,
            completion_tokens: u.completion_tokens,
            total_tokens: u.total_tokens,
        }),
        timestamp: rfc3339(report.answered_ms),
        user_id: caller.user.as_str(),
        awaiting_confirmation: waiting(&report.rounds).next().is_some(),
        session_id: report.session.as_str(),
        run_id: &report.run,
    };
    // Texts, numbers and ready JSON: writing them into memory cannot fail.
    serde_json::to_vec(&answer).unwrap_or_default()
}

/// The client's key: 1 to 255 visible ASCII characters.
fn key_of(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len()));
    let key = key.filter(|key| key.bytes().all(|b| b.is_ascii_graphic()));
    key.map(|key| Some(key.to_owned())).ok_or_else(|| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "idempotency_key_malformed",
            format!("Idempotency-Key must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters"),
            format!("Idempotency-Key 必须是 1 至 {IDEMPOTENCY_KEY_CHARS_MAX} 个可见 ASCII 字符"),
        )
    })
}
