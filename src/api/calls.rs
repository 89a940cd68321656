//! Functions: which there are, and calling one directly.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    chat::{how_it_came, key_of},
    error::ApiError,
    extract::{Body, Caller, Fields, Shape, Spoken, naming},
    shapes::{ApiResponse, result_id},
};
use crate::{
    agent,
    app::{App, DirectCall},
    domain::{language::Language, limits::FUNCTION_NAME_CHARS_MAX, tool::ToolResult, user::UserName},
    store::contract::Tail,
};

pub(super) struct CallAsk {
    function_name: String,
    parameters: Map<String, Value>,
    session_id: Option<String>,
}

impl Shape for CallAsk {
    fn read(fields: &mut Fields) -> Option<Self> {
        // Longer names than any function has are looked up all the same: the answer names close ones.
        let (name, parameters) = (fields.text("function_name", FUNCTION_NAME_CHARS_MAX * 4), fields.object("parameters"));
        let session_id = fields.maybe_text("session_id");
        Some(Self { function_name: name?, parameters: parameters.unwrap_or_default(), session_id })
    }
}

#[derive(Serialize)]
struct Called<'a> {
    success: bool,
    function_name: &'a str,
    markdown_result: String,
    api_response: Option<ApiResponse<'a>>,
    error: Option<String>,
    /// Where bytes are had that are too many to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    result_id: Option<&'a str>,
    user_id: &'a str,
    /// The run of a call that changes something.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<&'a str>,
}

pub(super) async fn call(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    headers: HeaderMap,
    Body(ask): Body<CallAsk>,
) -> Result<Response, ApiError> {
    let CallAsk { function_name: function, parameters, session_id } = ask;
    let caller = naming(caller, session_id.as_deref())?;
    let idempotency_key = key_of(&headers)?;
    let taken = app.call(&caller, DirectCall { function, parameters, language, idempotency_key }).await?;
    let mut response = ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], taken.body).into_response();
    how_it_came(&mut response, taken.replayed, taken.stored);
    Ok(response)
}

/// The body of an answer. It is stored as it is for calls with an idempotency key, so it holds nothing of the one request.
pub(super) fn render(_: &App, user: &UserName, run: Option<&str>, result: &ToolResult, language: Language) -> Vec<u8> {
    let called = Called {
        success: result.succeeded(),
        function_name: &result.call.name,
        markdown_result: agent::shown(result, language),
        api_response: ApiResponse::of(result, true),
        error: agent::error_of(result),
        result_id: result_id(result),
        user_id: user.as_str(),
        run_id: run,
    };
    // Texts, numbers and ready JSON: writing them into memory cannot fail.
    serde_json::to_vec(&called).unwrap_or_default()
}

#[derive(Serialize)]
struct Functions<'a> {
    success: bool,
    functions: Vec<Function<'a>>,
    count: usize,
    user_id: &'a str,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
    /// Whether a call of it waits for the user's yes when it is planned in a conversation.
    needs_confirmation: bool,
}

pub(super) async fn functions(State(app): State<App>, Caller(caller): Caller) -> Result<Response, ApiError> {
    let visit = app.visit(&caller, None, Tail::Nothing).await?;
    let served = app.served();
    let specs = served.to(visit.role).apis.functions();
    let asking = served.asking(visit.role);
    let functions = specs.iter().map(|spec| Function {
        name: &spec.name,
        description: &spec.description,
        parameters: &spec.parameters,
        needs_confirmation: asking.asks(&spec.name),
    });
    let functions = functions.collect();
    Ok(Json(Functions { success: true, functions, count: specs.len(), user_id: caller.user.as_str() }).into_response())
}
