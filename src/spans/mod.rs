//! Spans of what happens, for a collector of traces (OTLP over HTTP): one trace a turn, from the request to the model and the API, on
//! whichever replicas it is worked on. Where no collector is named no span is made and nothing is sent.
//!
//! Names and attributes are those of OpenTelemetry's semantic conventions 1.41.0: `invoke_agent`, `chat` and `execute_tool` of its GenAI part, HTTP
//! and Redis. What people, models and APIs say is in none of them unless `trace.content` asks for it. Parents are what `tracing` has as the
//! current span, and where a turn changes its process, the `traceparent` (W3C Trace Context) that its journal keeps.

mod export;

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};

use opentelemetry::{
    Value,
    propagation::TextMapPropagator,
    trace::{Status, TraceContextExt},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::domain::session::Usage;

pub use self::export::{Collector, Exporting, Post, TARGET};

/// The header in which a trace goes on (W3C Trace Context, 3.2).
pub const TRACEPARENT: &str = "traceparent";
/// The agent's name, as spans have it.
const AGENT: &str = "swagger-api-agent";
/// What is told of one text where content is asked for, in characters.
const CONTENT_CHARS_MAX: usize = 8192;

static ON: AtomicBool = AtomicBool::new(false);
static CONTENT: AtomicBool = AtomicBool::new(false);
static CLIENTS: AtomicBool = AtomicBool::new(false);

fn turn_on(content: bool, clients: bool) {
    ON.store(true, Ordering::Relaxed);
    CONTENT.store(content, Ordering::Relaxed);
    CLIENTS.store(clients, Ordering::Relaxed);
}

/// Whether spans are made.
pub fn are_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Whether they tell what was said.
pub fn have_content() -> bool {
    are_on() && CONTENT.load(Ordering::Relaxed)
}

/// A request of a client; `traceparent` is what it came with, which counts if clients are believed.
pub fn request(method: &'static str, route: &'static str, traceparent: Option<&str>) -> Span {
    if !are_on() {
        return Span::none();
    }
    let span = info_span!(target: TARGET, parent: None, "request", otel.name = format!("{method} {route}"), otel.kind = "server");
    goes_on(&span, traceparent.filter(|_| CLIENTS.load(Ordering::Relaxed)));
    // The conventions' word for all methods that are not told apart.
    set(&span, "http.request.method", if method == "other" { "_OTHER" } else { method });
    set(&span, "http.route", route);
    span
}

/// A turn of this run; `traceparent` is where it was asked for, if that was not here and now.
pub fn turn(run: &str, session: &str, traceparent: Option<&str>) -> Span {
    if !are_on() {
        return Span::none();
    }
    let span = match traceparent {
        None => info_span!(target: TARGET, "turn", otel.name = format!("invoke_agent {AGENT}")),
        Some(_) => info_span!(target: TARGET, parent: None, "turn", otel.name = format!("invoke_agent {AGENT}")),
    };
    goes_on(&span, traceparent);
    set(&span, "gen_ai.operation.name", "invoke_agent");
    set(&span, "gen_ai.agent.name", AGENT);
    set(&span, "gen_ai.conversation.id", session.to_owned());
    set(&span, "saa.run.id", run.to_owned());
    span
}

/// One question to a model at this host.
pub fn chat(model: &str, host: &str, streams: bool) -> Span {
    if !are_on() {
        return Span::none();
    }
    let span = info_span!(target: TARGET, "chat", otel.name = format!("chat {model}"), otel.kind = "client");
    set(&span, "gen_ai.operation.name", "chat");
    // Of whatever else speaks this protocol only that is known.
    set(&span, "gen_ai.provider.name", if host.ends_with("deepseek.com") { "deepseek" } else { "openai" });
    set(&span, "gen_ai.request.model", model.to_owned());
    set(&span, "gen_ai.request.stream", streams);
    set(&span, "server.address", host.to_owned());
    span
}

/// One call of a function that a model asked for.
pub fn tool(function: &str, id: &str) -> Span {
    if !are_on() {
        return Span::none();
    }
    let span = info_span!(target: TARGET, "tool", otel.name = format!("execute_tool {function}"));
    set(&span, "gen_ai.operation.name", "execute_tool");
    set(&span, "gen_ai.tool.name", function.to_owned());
    set(&span, "gen_ai.tool.call.id", id.to_owned());
    set(&span, "gen_ai.tool.type", "function");
    span
}

/// One HTTP request of ours, without its path and query: they hold what people said. None where it belongs to no trace.
pub fn sent(method: &str, host: &str, port: Option<u16>) -> Span {
    if !are_on() || !is_traced(&Span::current()) {
        return Span::none();
    }
    let span = info_span!(target: TARGET, "sent", otel.name = method.to_owned(), otel.kind = "client");
    set(&span, "http.request.method", method.to_owned());
    set(&span, "server.address", host.to_owned());
    if let Some(port) = port {
        set(&span, "server.port", i64::from(port));
    }
    span
}

/// One script in Redis. None where it belongs to no trace.
pub fn script(name: &'static str) -> Span {
    if !are_on() || !is_traced(&Span::current()) {
        return Span::none();
    }
    let span = info_span!(target: TARGET, "script", otel.name = format!("EVALSHA {name}"), otel.kind = "client");
    set(&span, "db.system.name", "redis");
    set(&span, "db.operation.name", "EVALSHA");
    set(&span, "db.stored_procedure.name", name);
    span
}

/// One message as the conventions have it (`gen_ai.input.messages`).
pub fn message(role: &str, text: &str) -> String {
    serde_json::json!([{"role": role, "parts": [{"type": "text", "content": text}]}]).to_string()
}

/// Something more that is known of a span.
pub fn set(span: &Span, name: &'static str, value: impl Into<Value>) {
    if !span.is_none() {
        span.set_attribute(name, value);
    }
}

/// The tokens that something cost, where it is known.
pub fn used(span: &Span, usage: Option<Usage>) {
    let Some(Usage { prompt_tokens, completion_tokens, .. }) = usage else { return };
    for (name, tokens) in [("gen_ai.usage.input_tokens", prompt_tokens), ("gen_ai.usage.output_tokens", completion_tokens)] {
        set(span, name, i64::try_from(tokens).unwrap_or(i64::MAX));
    }
}

/// A text that somebody said, where content is asked for; no more than so much of it.
pub fn say(span: &Span, name: &'static str, text: impl FnOnce() -> String) {
    if have_content() && !span.is_none() {
        set(span, name, text().chars().take(CONTENT_CHARS_MAX).collect::<String>());
    }
}

/// What it stands for went wrong, in a word of ours.
pub fn failed(span: &Span, why: &'static str) {
    if !span.is_none() {
        span.set_attribute("error.type", why);
        span.set_status(Status::error(why));
    }
}

/// An answer came, with this status.
pub fn answered(span: &Span, status: u16, wrong_from: u16) {
    if !span.is_none() {
        span.set_attribute("http.response.status_code", i64::from(status));
        if status >= wrong_from {
            span.set_attribute("error.type", status.to_string());
            span.set_status(Status::error(""));
        }
    }
}

/// How the span's trace goes on elsewhere; nothing if it is of none.
pub fn traceparent(span: &Span) -> Option<String> {
    if !are_on() || !is_traced(span) {
        return None;
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

fn is_traced(span: &Span) -> bool {
    !span.is_none() && span.context().span().span_context().is_valid()
}

fn goes_on(span: &Span, traceparent: Option<&str>) {
    let Some(traceparent) = traceparent else { return };
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    // What cannot be read begins a trace of its own.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
}
