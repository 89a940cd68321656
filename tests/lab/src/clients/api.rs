//! The service as a client of the lab knows it: who asks, what is asked, and what is kept of an answer.

use std::{io, time::Duration};

use serde_json::{Value, json};

use crate::{
    document::{OPERATIONS, hash_of, place_of},
    http::{self, Hangup, Message, Request},
    journal::{digest, now_us},
    plan::{foreign_canary, mark_of},
    records::{NOT_STORED, Op, Sent, ToldCall, Try},
};

/// Longer than the service gives a turn and a recovery.
const WITHIN: Duration = Duration::from_secs(15);

/// A user at the service.
#[derive(Debug, Clone)]
pub struct Caller {
    pub port: u16,
    pub user: String,
    pub token: String,
}

/// A request and what is known of its answer.
pub struct Exchange {
    pub tried: Try,
    /// Null, if no whole answer in JSON came.
    pub body: Value,
    pub etag: Option<String>,
}

impl Caller {
    pub async fn login(port: u16, user: &str, password: &str) -> io::Result<Self> {
        let mut last = String::new();
        for _ in 0..100 {
            let body = json!({"username": user, "password": password}).to_string().into_bytes();
            let request = Request { method: "POST", path: "/api/login", headers: Vec::new(), body };
            if let Ok(answer) = http::send(port, &request, Hangup::Never, WITHIN).await {
                let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                if let Some(token) = told["token"].as_str() {
                    return Ok(Self { port, user: user.to_owned(), token: token.to_owned() });
                }
                last = String::from_utf8_lossy(&answer.body).into_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(io::Error::other(format!("{user} cannot log in: {last}")))
    }

    /// Asks once, and keeps what the checker needs of the answer.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>, more: &[(&str, String)], hangup: Hangup) -> Exchange {
        let mut headers = vec![("authorization", format!("Bearer {}", self.token))];
        headers.extend(more.iter().map(|(name, value)| (*name, value.clone())));
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = Request { method, path, headers, body };
        let sent_us = now_us();
        let came = http::send(self.port, &request, hangup, WITHIN).await;
        let mut tried = Try { sent_us, ended_us: now_us(), ..Try::default() };
        let Ok(answer) = came else { return Exchange { tried, body: Value::Null, etag: None } };
        let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        self.keep(&mut tried, &answer, &told);
        Exchange { tried, etag: answer.header("etag").map(str::to_owned), body: told }
    }

    fn keep(&self, tried: &mut Try, answer: &Message, told: &Value) {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        tried.status = answer.status();
        tried.code = text(&told["code"]).unwrap_or_default();
        if answer.header("answer-stored") == Some("false") {
            tried.code = NOT_STORED.to_owned();
        }
        tried.run = text(&told["run_id"]).or_else(|| text(&told["run"]["id"]));
        tried.session = text(&told["session_id"]).or_else(|| text(&told["run"]["session_id"]));
        tried.state = text(&told["state"]).or_else(|| text(&told["run"]["state"]));
        tried.answer = digest(&answer.body);
        tried.retry_after = answer.header("retry-after").is_some();
        tried.foreign = foreign_canary(&String::from_utf8_lossy(&answer.body), &self.user);
    }
}

/// Calls as a run's record tells them.
pub fn calls_of_run(run: &Value) -> Vec<ToldCall> {
    let calls = run["calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    calls.iter().filter_map(|call| told(call, &call["url"], call["state"].as_str()?, &call["status"])).collect()
}

fn told(call: &Value, url: &Value, state: &str, status: &Value) -> Option<ToldCall> {
    let (_, mark, place) = place_of(url.as_str()?)?;
    let status = status.as_u64().and_then(|status| u16::try_from(status).ok());
    Some(ToldCall { mark, call: place, function: call["function_name"].as_str()?.to_owned(), state: state.to_owned(), status })
}

/// Calls as the answer of a turn tells them.
pub fn calls_of_answer(answer: &Value) -> Vec<ToldCall> {
    let calls = answer["function_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    calls
        .iter()
        .filter_map(|call| {
            let (url, status) = (&call["call_info"]["url"], &call["api_response"]["status_code"]);
            let error = call["error"].as_str().unwrap_or_default();
            let state = if status.is_u64() {
                "result"
            } else if call["unsent"].is_string() || error.contains("not sent") {
                "not_sent"
            } else {
                "unknown"
            };
            told(call, url, state, status)
        })
        .collect()
}

/// A direct call as its answer tells it.
pub fn call_of_answer(op: &Op, answer: &Value) -> Option<ToldCall> {
    let status = &answer["api_response"]["status_code"];
    let state = match answer["error"].as_str() {
        _ if status.is_u64() => "result",
        Some(error) if error.contains("not sent") => "not_sent",
        _ => "unknown",
    };
    let status = status.as_u64().and_then(|status| u16::try_from(status).ok());
    let function = answer["function_name"].as_str()?.to_owned();
    Some(ToldCall { mark: op.mark.clone()?, call: "0.0".to_owned(), function, state: state.to_owned(), status })
}

/// Requests that were shown and wait for a yes.
pub fn shown(answer: &Value) -> Vec<Sent> {
    let calls = answer["function_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    let waiting = calls.iter().filter(|call| call["unsent"] == "awaiting_confirmation");
    waiting
        .filter_map(|call| {
            let (info, url) = (&call["call_info"], call["call_info"]["url"].as_str()?);
            let (_, mark, place) = place_of(url)?;
            let path = &url[url.find("//").and_then(|at| Some(at + 2 + url[at + 2..].find('/')?))?..];
            let method = info["method"].as_str()?;
            Some(Sent { mark, call: place, hash: hash_of(method, path, &body_of(method, path, &info["parameters"])) })
        })
        .collect()
}

/// The body that a call with these parameters is sent with: those that the path does not take.
fn body_of(method: &str, path: &str, parameters: &Value) -> Vec<u8> {
    let segment = path.split('/').nth(1).unwrap_or_default();
    let takes_body = OPERATIONS.iter().any(|(_, own, own_segment, body)| *own == method && *own_segment == segment && *body);
    let Some(parameters) = parameters.as_object().filter(|_| takes_body) else { return Vec::new() };
    let mut body = parameters.clone();
    body.retain(|name, _| name != "mark" && name != "call");
    Value::Object(body).to_string().into_bytes()
}

/// Marks of a page of history, oldest first.
pub fn marks_of(history: &Value) -> Vec<String> {
    let messages = history["history"].as_array().map(Vec::as_slice).unwrap_or_default();
    messages.iter().filter(|message| message["role"] == "user").filter_map(|message| mark_of(message["content"].as_str()?)).collect()
}

/// Turns of a page of history: two messages each.
pub fn turns_of(history: &Value) -> u64 {
    history["history"].as_array().map_or(0, Vec::len) as u64 / 2
}
