//! One turn over HTTP.

use std::{borrow::Cow, time::Duration};

use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use super::{
    confirmations::Asks,
    error::ApiError,
    events,
    extract::{Body, Caller, Fields, Shape, Spoken, naming},
    problem::Problem,
    query::Asked,
    revision::{self, Expects},
    runs,
    shapes::function_calls,
};
use crate::{
    app::{App, AppError, Begun, Question, Report, Request, Taken},
    clock::rfc3339,
    domain::{
        language::Language,
        limits::{IDEMPOTENCY_KEY_CHARS_MAX, MESSAGE_CHARS_MAX, PREFER_WAIT_SECS_MAX},
        turn::OnBusy,
        user::UserName,
    },
    markdown,
    secrets::tokens::Bearer,
};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// `false` on an answer that tells of changes but is not in the store yet: its run tells what is kept in the end.
static STORED: HeaderName = HeaderName::from_static("answer-stored");

/// What a user says.
pub(super) struct Ask {
    message: String,
    context: Option<Map<String, Value>>,
    on_busy: OnBusy,
    session_id: Option<String>,
}

impl Shape for Ask {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (message, context) = (fields.text("message", MESSAGE_CHARS_MAX), fields.object("context"));
        let on_busy = match fields.maybe_text("on_busy").map(|name| (OnBusy::parse(&name), name)) {
            None => OnBusy::default(),
            Some((Some(on_busy), _)) => on_busy,
            Some((None, _)) => fields.wrong(Problem::new(
                format!("on_busy is none of {}", OnBusy::NAMES.join(", ")),
                format!("on_busy 不是 {} 之一", OnBusy::NAMES.join("、")),
            ))?,
        };
        let session_id = fields.maybe_text("session_id");
        Some(Self { message: message?, context, on_busy, session_id })
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
    /// Something is sent only if the next message says yes, or `confirmation` is approved.
    awaiting_confirmation: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation: Option<Asks<'a>>,
    session_id: &'a str,
    run_id: &'a str,
    /// How the run ended: `answered`, `unknown_outcome`, `failed`, `cancelled`, `killed`.
    state: &'a str,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    /// Not all of it was counted by the model's server; it stands there only if so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    estimated: bool,
}

pub(super) async fn process(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
    Expects(expects): Expects,
    Body(ask): Body<Ask>,
) -> Result<Response, ApiError> {
    crate::fault::point("K0");
    let idempotency_key = key_of(&headers)?;
    let told = Told::of(&headers, asked)?;
    let Ask { message, context, on_busy, session_id } = ask;
    let caller = naming(caller, session_id.as_deref())?;
    let request = Request { message, context, idempotency_key, on_busy, expects, streamed: told.streamed, ..Request::default() };
    Ok(turn(&app, &caller, language, &headers, request, told.html).await?)
}

/// How a client wants to be told of a turn, as its query and headers say.
pub(super) struct Told {
    /// While it happens.
    pub streamed: bool,
    /// With the answer as HTML as well.
    pub html: bool,
}

impl Told {
    pub fn of(headers: &HeaderMap, mut asked: Asked) -> Result<Self, ApiError> {
        let (stream, html) = (asked.flag("stream"), asked.flag("html"));
        asked.done()?;
        Ok(Self { streamed: events::is_wanted(headers, stream), html: html.unwrap_or_default() })
    }
}

/// A turn, told as its client wants to be told of it; with its answer as `html` as well.
pub(super) async fn turn(
    app: &App,
    caller: &Bearer,
    language: Language,
    headers: &HeaderMap,
    request: Request,
    html: bool,
) -> Result<Response, AppError> {
    let prefer = Prefer::of(headers);
    if request.streamed && !prefer.respond_async {
        return match app.begin_turn(caller, request).await {
            Ok(Begun::Accepted(accepted)) => Ok(events::begun(app, caller, (&accepted.run, accepted.waits), language, html)),
            Ok(Begun::Replayed(taken)) => {
                let mut response = events::replayed(&taken, html);
                how_it_came(&mut response, true, true);
                Ok(response)
            }
            // The same request is worked on already: its client came back for the stream.
            Err(AppError::InFlight { run }) => Ok(events::begun(app, caller, (&run, false), language, html)),
            Err(error) => Err(error),
        };
    }
    if prefer.respond_async {
        return match app.begin_turn(caller, request).await? {
            Begun::Accepted(accepted) => Ok(runs::accepted(caller, &accepted)),
            Begun::Replayed(taken) => Ok(answered(taken, html)),
        };
    }
    let again = prefer.wait.map(|wait| (wait, request.clone()));
    match (app.take_turn(caller, request).await, again) {
        (Err(AppError::InFlight { run }), Some((wait, request))) => {
            // The same request is worked on already, and the client would rather wait for its answer.
            let ended = async {
                app.await_end(caller, &run).await?;
                app.take_turn(caller, request).await
            };
            match tokio::time::timeout(wait, ended).await {
                Ok(taken) => Ok(answered(taken?, html)),
                Err(_) => Err(AppError::InFlight { run }),
            }
        }
        (taken, _) => Ok(answered(taken?, html)),
    }
}

/// An answer that was rendered before, with its `message` as HTML behind everything else. It is not stored so: repetitions of a request may ask for it or not.
pub(super) fn with_html(mut body: Vec<u8>) -> Vec<u8> {
    #[derive(Deserialize)]
    struct Said<'a> {
        #[serde(borrow)]
        message: Cow<'a, str>,
    }
    let said = serde_json::from_slice::<Said<'_>>(&body).map(|said| markdown::to_html(&said.message));
    if let (Ok(html), Some(b'}')) = (said, body.last()) {
        body.pop();
        // Writing a text into memory cannot fail.
        body.extend_from_slice(b",\"message_html\":");
        serde_json::to_writer(&mut body, &html).unwrap_or_default();
        body.push(b'}');
    }
    body
}

fn answered(taken: Taken, html: bool) -> Response {
    let body = if html { with_html(taken.body) } else { taken.body };
    let mut response = ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response();
    how_it_came(&mut response, taken.replayed, taken.stored);
    if let Some(revision) = taken.revision {
        revision::tag(&mut response, &revision);
    }
    response
}

/// Says of an answer what its body, which is the same for every repetition, does not: whether it was given before, and whether it is kept.
pub(super) fn how_it_came(response: &mut Response, replayed: bool, stored: bool) {
    if replayed {
        response.headers_mut().insert(REPLAYED.clone(), HeaderValue::from_static("true"));
    }
    if !stored {
        response.headers_mut().insert(STORED.clone(), HeaderValue::from_static("false"));
    }
}

/// What a client would rather have (RFC 7240).
struct Prefer {
    respond_async: bool,
    wait: Option<Duration>,
}

impl Prefer {
    fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        let wishes: Vec<&str> = values.flat_map(|value| value.split([',', ';'])).map(str::trim).collect();
        let wait = wishes.iter().find_map(|wish| wish.strip_prefix("wait=")?.trim_matches('"').parse::<u64>().ok());
        Self {
            respond_async: wishes.iter().any(|wish| wish.eq_ignore_ascii_case("respond-async")),
            wait: wait.map(|secs| Duration::from_secs(secs.min(PREFER_WAIT_SECS_MAX))),
        }
    }
}

/// The body of an answer. It is stored as it is for requests with an idempotency key, so it holds nothing of the one request.
pub(super) fn render(app: &App, user: &UserName, report: &Report) -> Vec<u8> {
    let calls = function_calls(&report.rounds, report.language, app.settings().agent.show_call_details);
    let none = RawValue::from_string("[]".to_owned()).unwrap_or_default();
    let question = Question::of(user, &report.run, report.asked_ms, &report.rounds);
    let confirmation = question.as_ref().map(|question| Asks::of(question, &report.answer, &report.rounds));
    let answer = Answer {
        success: true,
        message: &report.answer,
        data: calls.as_deref(),
        function_calls: calls.as_deref().unwrap_or(&none),
        usage: report.usage.map(|u| Usage {
            prompt_tokens: u.prompt_tokens,
            completion_tokens: u.completion_tokens,
            total_tokens: u.total_tokens,
            estimated: u.estimated,
        }),
        timestamp: rfc3339(report.answered_ms),
        user_id: user.as_str(),
        awaiting_confirmation: confirmation.is_some(),
        confirmation,
        session_id: report.session().as_str(),
        run_id: &report.run,
        state: report.ending.as_str(),
    };
    // Texts, numbers and ready JSON: writing them into memory cannot fail.
    serde_json::to_vec(&answer).unwrap_or_default()
}

/// The client's key: 1 to 255 visible ASCII characters.
pub(super) fn key_of(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
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
