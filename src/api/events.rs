//! A run as a stream of server-sent events (WHATWG HTML, 9.2): the same from every replica, and taken up again where it broke off.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{Path, Query, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json, value::RawValue};

use super::{
    chat::with_html,
    error::ApiError,
    extract::{Caller, Spoken},
    query::Asked,
    runs,
};
use crate::{
    app::{App, Followed, From, RunState, Taken},
    domain::{event::EventId, language::Language},
    metrics::metrics,
    redact::Redactor,
    secrets::tokens::Bearer,
};

/// The type of such a stream.
const EVENT_STREAM: &str = "text/event-stream";
/// A comment is sent when there was nothing else for so long: proxies close what is silent.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How long a client waits before it comes again.
const COME_AGAIN: Duration = Duration::from_millis(500);
/// The id of the whole answer, and that of the last event.
const ANSWER_ID: &str = "answer";
const END_ID: &str = "end";

/// Whether the client wants a stream: it accepts one, or says so behind the `?`.
pub(super) fn is_wanted(headers: &HeaderMap, wish: Option<bool>) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kind = |accepted: &str| accepted.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(EVENT_STREAM));
    accepts.flat_map(|value| value.split(',')).any(kind) || wish == Some(true)
}

pub(super) async fn follow(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    headers: HeaderMap,
    run: Result<Path<String>, PathRejection>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let html = asked.flag_of("html")?.unwrap_or_default();
    let run = runs::id_of(run)?;
    let Some(from) = from(&headers) else {
        // The client has all there is; to say so without a body is what makes it stop asking.
        app.look_at_run(&caller, &run).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let followed = app.follow_run(&caller, &run, from).await?;
    Ok(as_stream(events(run, language, app.hidden().clone(), html, followed)))
}

/// The stream of a run that was just begun; one that waits for the session says so first. With `html` the answer comes as HTML as well.
pub(super) fn begun(app: &App, caller: &Bearer, (run, waits): (&str, bool), language: Language, html: bool) -> Response {
    let first = waits.then(|| {
        let queued = told_of(run, json!({"state": RunState::Waiting(0).as_str()}));
        sse::Event::default().event("accepted").data(queued.to_string())
    });
    let told = events(run.to_owned(), language, app.hidden().clone(), html, app.follow_begun(caller, run));
    as_stream(stream::iter(first).chain(told))
}

/// The stream of a run that was answered before: its end.
pub(super) fn replayed(taken: &Taken, html: bool) -> Response {
    let answer: Value = serde_json::from_slice(&taken.body).unwrap_or_default();
    let field = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    as_stream(stream::iter([message(field("run_id"), field("message")), done(taken.body.clone(), html)]))
}

pub(super) fn as_stream(events: impl Stream<Item = sse::Event> + Send + 'static) -> Response {
    // Says when to come again before anything can break.
    let hint = sse::Event::default().retry(COME_AGAIN);
    let open = metrics().stream();
    let events = stream::iter([hint]).chain(events).map(move |event| {
        let _ = &open;
        Ok::<_, Infallible>(event)
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would collect it otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn events(
    run: String,
    language: Language,
    hidden: Redactor,
    html: bool,
    followed: impl Stream<Item = Followed> + Send + 'static,
) -> impl Stream<Item = sse::Event> + Send + 'static {
    followed.map(move |told| match told {
        Followed::Event(numbered) => {
            let mut data = serde_json::to_value(&numbered.event).unwrap_or_default();
            if let Some(data) = data.as_object_mut() {
                data.remove("event");
                if numbered.event.name() == "accepted" {
                    data.insert("state".to_owned(), RunState::Running.as_str().into());
                }
            }
            sse::Event::default().event(numbered.event.name()).id(numbered.id.to_string()).data(told_of(&run, data).to_string())
        }
        Followed::Snapshot { id, seen, text } => {
            let data = told_of(&run, json!({"run": runs::shown(&seen), "text": text}));
            let event = sse::Event::default().event("snapshot").data(data.to_string());
            if let Some(id) = id { event.id(id.to_string()) } else { event }
        }
        Followed::Message { text } => message(&run, &text),
        Followed::Done { body } => done(body, html),
        Followed::Failed(error) => {
            let error = ApiError::from(error).hiding(&hidden).into_event(language);
            sse::Event::default().event("error").id(END_ID).data(told_of(&run, error).to_string())
        }
    })
}

fn message(run: &str, text: &str) -> sse::Event {
    sse::Event::default().event("message").id(ANSWER_ID).data(told_of(run, json!({"message": text})).to_string())
}

/// The answer is JSON that was rendered before; it goes out as it is, with the answer as HTML if that is asked for.
fn done(body: Vec<u8>, html: bool) -> sse::Event {
    let body = if html { with_html(body) } else { body };
    let body = serde_json::from_slice::<&RawValue>(&body).map_or("{}", RawValue::get);
    sse::Event::default().event("done").id(END_ID).data(body)
}

fn told_of(run: &str, mut data: Value) -> Value {
    if let Some(data) = data.as_object_mut() {
        data.insert("run_id".to_owned(), run.into());
    }
    data
}

/// From where on the client wants to go on; `None` if it has seen the end.
fn from(headers: &HeaderMap) -> Option<From> {
    let Some(last) = headers.get("last-event-id") else { return Some(From::Beginning) };
    match last.to_str().unwrap_or_default() {
        END_ID => None,
        ANSWER_ID => Some(From::Answer),
        last => Some(EventId::parse(last).map_or(From::Somewhere, From::After)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::HeaderName::from_static(name), HeaderValue::from_static(value))])
    }

    #[test]
    fn a_client_says_in_several_ways_that_it_wants_a_stream() {
        let wants = |accept: &'static str, wish: Option<bool>| is_wanted(&headers("accept", accept), wish);
        assert!(wants("text/event-stream", None) && wants("application/json, Text/Event-Stream;q=0.9", None));
        assert!(wants("*/*", Some(true)) && wants("text/event-stream", Some(false)));
        assert!(!wants("*/*", None) && !wants("application/json", Some(false)) && !wants("text/event-streams", None));
    }

    #[test]
    fn what_a_client_has_seen_is_known_or_it_is_told_how_things_stand() {
        let from = |last: &'static str| from(&headers("last-event-id", last));
        assert_eq!(super::from(&HeaderMap::new()), Some(From::Beginning));
        assert_eq!(from("7-3"), Some(From::After(EventId { fence: 7, n: 3 })));
        assert_eq!((from("-1"), from("x"), from("")), (Some(From::Somewhere), Some(From::Somewhere), Some(From::Somewhere)));
        assert_eq!((from("answer"), from("end")), (Some(From::Answer), None));
    }
}
