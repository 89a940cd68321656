//! A model that says what the test wrote: an OpenAI-compatible endpoint with a script. It refuses histories that real servers refuse, and
//! fails the test when its script was not followed to the end.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use swagger_api_agent::settings::Settings;

use super::{gate::Gate, serve_stub};

/// The endpoint and its script.
pub struct StubModel {
    /// Up to `/v1`.
    pub url: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    script: VecDeque<Step>,
    asked: Vec<Value>,
    violations: Vec<String>,
    calls: u32,
}

struct Step {
    status: u16,
    body: Vec<u8>,
    gate: Option<Gate>,
    /// Told piece by piece to whoever wants a stream, each after its gate.
    pieces: Vec<(String, Option<Gate>)>,
}

impl StubModel {
    pub async fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(shared.clone());
        let address = serve_stub(router).await;
        Self { url: format!("http://{address}/v1"), shared }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    fn step(&self, message: Value, usage: Option<(u64, u64)>) -> &Self {
        let mut completion = json!({
            "id": "c", "object": "chat.completion", "model": "stub",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        });
        if let Some((prompt, answer)) = usage {
            completion["usage"] = json!({"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer});
        }
        self.answers_raw(200, completion.to_string())
    }

    /// Next it says this.
    pub fn says(&self, text: &str) -> &Self {
        self.step(json!({"role": "assistant", "content": text}), None)
    }

    /// Next it says this, and what it cost: prompt and completion tokens.
    pub fn says_for(&self, text: &str, usage: (u64, u64)) -> &Self {
        self.step(json!({"role": "assistant", "content": text}), Some(usage))
    }

    /// Next it says this piece by piece, if it is asked for a stream.
    pub fn says_in_pieces<const N: usize>(&self, pieces: [&str; N]) -> &Self {
        self.says(&pieces.concat());
        self.shared().script.back_mut().expect("a step").pieces = pieces.map(|piece| (piece.to_owned(), None)).to_vec();
        self
    }

    /// The last piece written waits at the gate that is returned.
    pub fn held_before_the_last_piece(&self) -> Gate {
        let gate = Gate::closed();
        self.shared().script.back_mut().expect("a step").pieces.last_mut().expect("a piece").1 = Some(gate.clone());
        gate
    }

    /// Next it asks for these calls, all at once.
    pub fn calls<const N: usize>(&self, calls: [(&str, Value); N]) -> &Self {
        self.calls_for(calls, None)
    }

    /// Next it asks for these calls, and what it cost.
    pub fn calls_for<const N: usize>(&self, calls: [(&str, Value); N], usage: Option<(u64, u64)>) -> &Self {
        let calls: Vec<Value> = calls
            .into_iter()
            .map(|(name, arguments)| {
                let id = self.next_id();
                json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments.to_string()}})
            })
            .collect();
        self.step(json!({"role": "assistant", "content": null, "tool_calls": calls}), usage)
    }

    fn next_id(&self) -> String {
        let mut shared = self.shared();
        shared.calls += 1;
        format!("call_{}", shared.calls)
    }

    /// Next it answers with exactly this.
    pub fn answers_raw(&self, status: u16, body: impl Into<Vec<u8>>) -> &Self {
        self.shared().script.push_back(Step { status, body: body.into(), gate: None, pieces: Vec::new() });
        self
    }

    /// Next it fails with this status, as often as it is asked for one answer.
    pub fn fails(&self, status: u16) -> &Self {
        (0..Settings::builtin().llm.attempts_max).fold(self, |model, _| model.answers_raw(status, "{}"))
    }

    /// The step written last waits at the gate that is returned.
    pub fn held(&self) -> Gate {
        let gate = Gate::closed();
        self.shared().script.back_mut().expect("a step to hold").gate = Some(gate.clone());
        gate
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Value> {
        self.shared().asked.clone()
    }

    /// The messages of the last request but the system's, as `role: content`; calls are told as `role: name(arguments)`.
    pub fn heard(&self) -> Vec<String> {
        let asked = self.asked();
        let last = asked.last().expect("the model was asked");
        last["messages"].as_array().unwrap().iter().filter(|message| message["role"] != "system").map(told).collect()
    }
}

fn told(message: &Value) -> String {
    let role = message["role"].as_str().unwrap();
    let calls: Vec<String> = message["tool_calls"].as_array().into_iter().flatten().map(called).collect();
    if calls.is_empty() {
        format!("{role}: {}", message["content"].as_str().unwrap_or_default())
    } else {
        format!("{role}: {}", calls.join(" "))
    }
}

fn called(call: &Value) -> String {
    format!("{}({})", call["function"]["name"].as_str().unwrap(), call["function"]["arguments"].as_str().unwrap())
}

impl Drop for StubModel {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let shared = self.shared();
        assert!(shared.violations.is_empty(), "the model was asked wrongly: {:#?}", shared.violations);
        assert!(shared.script.is_empty(), "{} steps of the model's script were not asked for", shared.script.len());
    }
}

async fn answer(State(shared): State<Arc<Mutex<Shared>>>, body: Bytes) -> Response {
    let json = [("content-type", "application/json")];
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let streams = request["stream"] == true;
    let step = {
        let mut shared = shared.lock().unwrap();
        let mut wrong = wrong_with(&request);
        shared.asked.push(request);
        let step = shared.script.pop_front();
        if step.is_none() {
            wrong.push("it was asked although its script is at an end".to_owned());
        }
        let refused = !wrong.is_empty();
        shared.violations.extend(wrong);
        step.filter(|_| !refused)
    };
    let Some(step) = step else {
        return (StatusCode::BAD_REQUEST, json, b"{\"error\": {\"message\": \"see the test\"}}".to_vec()).into_response();
    };
    if let Some(gate) = &step.gate {
        gate.pass().await;
    }
    if streams && !step.pieces.is_empty() {
        return ([("content-type", "text/event-stream")], Body::from_stream(in_pieces(step.pieces))).into_response();
    }
    (StatusCode::from_u16(step.status).unwrap(), json, step.body).into_response()
}

fn in_pieces(pieces: Vec<(String, Option<Gate>)>) -> impl Stream<Item = Result<String, Infallible>> + Send {
    let chunk = |delta: Value, finish: Value| {
        format!(
            "data: {}\n\n",
            json!({"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
        )
    };
    let first = stream::iter([chunk(json!({"role": "assistant", "content": null}), Value::Null)]);
    let texts = stream::iter(pieces).then(move |(piece, gate)| async move {
        if let Some(gate) = gate {
            gate.pass().await;
        }
        chunk(json!({"content": piece}), Value::Null)
    });
    let last = stream::iter([chunk(json!({}), json!("stop")), "data: [DONE]\n\n".to_owned()]);
    first.chain(texts).chain(last).map(Ok)
}

/// What servers refuse: a call without its result, a result without its call, an id twice, a message without content.
pub fn wrong_with(request: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut open, mut ids): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let Some(messages) = request["messages"].as_array() else { return vec![format!("no messages: {request}")] };
    for (at, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if role != "tool" && !open.is_empty() {
            wrong.push(format!("message {at} comes before the results of {open:?}"));
            open.clear();
        }
        let calls: Vec<&str> = message["tool_calls"].as_array().into_iter().flatten().filter_map(|call| call["id"].as_str()).collect();
        if !message["content"].is_string() && calls.is_empty() {
            wrong.push(format!("message {at} has neither content nor calls"));
        }
        match role {
            "system" if at == 0 => {}
            "user" if at > 0 => {}
            "assistant" => {
                wrong.extend(calls.iter().filter(|id| ids.contains(id)).map(|id| format!("the id {id} is used twice")));
                ids.extend(&calls);
                open = calls;
            }
            "tool" => {
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                match open.iter().position(|call| *call == id) {
                    Some(place) => _ = open.remove(place),
                    None => wrong.push(format!("message {at} answers {id}, which is not open")),
                }
            }
            other => wrong.push(format!("message {at} has the role {other:?}")),
        }
    }
    let last = messages.last().map(|message| message["role"].clone()).unwrap_or_default();
    if !open.is_empty() || !(last == "user" || last == "tool") {
        wrong.push(format!("the last message is {last}, and {open:?} are open"));
    }
    wrong
}
