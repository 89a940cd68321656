//! Stand-in for the LLM (`POST /v1/chat/completions`, `/chat/completions`) and for the upstream API (`/users`, `/users/{id}`).
//! LLM_MS and API_MS add latency to each. The LLM asks for `getUsers` once per user turn, then answers in text.
use axum::{
    Json, Router,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

#[derive(Clone)]
struct Delays {
    llm: Duration,
    api: Duration,
    func: Arc<str>,
}

fn ms(name: &str) -> Duration {
    Duration::from_millis(std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(0))
}

async fn chat(State(d): State<Delays>, Json(body): Json<Value>) -> Response {
    if !d.llm.is_zero() {
        tokio::time::sleep(d.llm).await;
    }
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let last = messages.last().and_then(|m| m["role"].as_str()).unwrap_or("");
    let wants_tool = last == "user" && body["tools"].as_array().is_some_and(|t| !t.is_empty());
    let message = if wants_tool {
        json!({"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",
            "function":{"name":&*d.func,"arguments":"{\"page\":1,\"limit\":10}"}}]})
    } else {
        json!({"role":"assistant","content":"There are two users: Ann and Bob."})
    };
    let finish = if wants_tool { "tool_calls" } else { "stop" };
    let usage = json!({"prompt_tokens":200,"completion_tokens":20,"total_tokens":220});
    if body["stream"].as_bool() == Some(true) {
        let mut out = String::new();
        let mut delta = message.clone();
        if let Some(calls) = delta["tool_calls"].as_array_mut() {
            for (i, c) in calls.iter_mut().enumerate() {
                c["index"] = json!(i);
            }
        }
        for (d, f) in [(delta, Value::Null), (json!({}), json!(finish))] {
            out.push_str("data: ");
            out.push_str(&json!({"id":"c","object":"chat.completion.chunk","created":0,"model":"stub","choices":[{"index":0,"delta":d,"finish_reason":f}]}).to_string());
            out.push_str("\n\n");
        }
        out.push_str(&format!(
            "data: {}\n\n",
            json!({"id":"c","object":"chat.completion.chunk","created":0,"model":"stub","choices":[],"usage":usage})
        ));
        out.push_str("data: [DONE]\n\n");
        return ([(header::CONTENT_TYPE, "text/event-stream")], out).into_response();
    }
    Json(json!({"id":"c","object":"chat.completion","created":0,"model":"stub",
        "choices":[{"index":0,"finish_reason":finish,"message":message}],"usage":usage}))
    .into_response()
}

async fn users(State(d): State<Delays>) -> Json<Value> {
    if !d.api.is_zero() {
        tokio::time::sleep(d.api).await;
    }
    Json(
        json!({"users":[{"id":1,"name":"Ann","email":"ann@example.com","role":"user"},{"id":2,"name":"Bob","email":"bob@example.com","role":"admin"}],"total":2}),
    )
}

async fn user(State(d): State<Delays>, Path(id): Path<String>) -> Json<Value> {
    if !d.api.is_zero() {
        tokio::time::sleep(d.api).await;
    }
    Json(json!({"id":id,"name":"Ann","email":"ann@example.com","role":"user"}))
}

#[tokio::main]
async fn main() {
    let d = Delays { llm: ms("LLM_MS"), api: ms("API_MS"), func: std::env::var("FUNC").unwrap_or("getUsers".into()).into() };
    let app = Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/chat/completions", post(chat))
        .route("/users", get(users))
        .route("/users/{id}", get(user))
        .route("/v1/models", get(|| async { Json(json!({"object":"list","data":[{"id":"stub","object":"model"}]})) }))
        .with_state(d);
    let port = std::env::var("PORT").unwrap_or("7900".into());
    let l = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    axum::serve(l, app).await.unwrap();
}
