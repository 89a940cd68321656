//! A model and an API that say back what they hear, so that whatever is mixed up on the way comes to light.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::serve_stub;

/// What only this user says and hears.
pub fn canary(user: usize) -> String {
    format!("canary-{user:04}-{:012x}.", (user as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16)
}

/// A canary in a text that is not this user's.
pub fn foreign(text: &str, user: usize) -> Option<String> {
    let own = canary(user);
    let others = text.match_indices("canary-").map(|(at, _)| text.get(at..at + own.len()).unwrap_or_default());
    others.into_iter().find(|other| *other != own).map(str::to_owned)
}

#[derive(Default)]
struct Heard {
    prompts: AtomicUsize,
    /// Prompts with canaries of more than one user.
    mixed: Mutex<Vec<String>>,
    calls: AtomicUsize,
}

/// Model and API in one server.
pub struct Echo {
    base: String,
    directory: TempDir,
    heard: Arc<Heard>,
}

impl Echo {
    pub async fn start() -> Self {
        let heard = Arc::<Heard>::default();
        let router = Router::new()
            .route("/v1/chat/completions", post(think))
            .route("/echo/{canary}", get(said).post(said))
            .with_state(heard.clone());
        let base = format!("http://{}", serve_stub(router).await);
        let directory = tempfile::tempdir().unwrap();
        let argument = json!([{"name": "canary", "in": "path", "required": true, "schema": {"type": "string"}}]);
        let operation = |id: &str| json!({"operationId": id, "responses": {"200": {"description": "what was said"}}});
        let item = json!({"parameters": argument, "get": operation("echo"), "post": operation("keep")});
        let document = json!({"openapi": "3.0.3", "info": {"title": "Echo", "version": "1"}, "paths": {"/echo/{canary}": item}});
        std::fs::write(directory.path().join("echo.json"), document.to_string()).unwrap();
        Self { base, directory, heard }
    }

    pub fn model(&self) -> String {
        format!("{}/v1", self.base)
    }

    pub fn api(&self) -> String {
        self.base.clone()
    }

    pub fn document(&self) -> String {
        self.directory.path().join("echo.json").display().to_string()
    }

    pub fn prompts(&self) -> usize {
        self.heard.prompts.load(Ordering::Relaxed)
    }

    pub fn mixed(&self) -> Vec<String> {
        self.heard.mixed.lock().unwrap().clone()
    }
}

async fn said(Path(canary): Path<String>) -> Json<Value> {
    Json(json!({"said": canary}))
}

/// Says the canary of the last message back, or calls the API with it first.
async fn think(State(heard): State<Arc<Heard>>, Json(prompt): Json<Value>) -> Json<Value> {
    heard.prompts.fetch_add(1, Ordering::Relaxed);
    let text = prompt["messages"].to_string();
    let mut canaries: Vec<&str> = text.match_indices("canary-").filter_map(|(at, _)| text.get(at..at + 25)).collect();
    canaries.sort_unstable();
    canaries.dedup();
    if canaries.len() != 1 {
        heard.mixed.lock().unwrap().push(format!("{canaries:?}"));
    }
    let messages = prompt["messages"].as_array().cloned().unwrap_or_default();
    let last = messages.last().cloned().unwrap_or_default();
    let own = canaries.first().copied().unwrap_or_default();
    let message = if last["role"] == "user" && last["content"].as_str().is_some_and(|content| content.starts_with("call ")) {
        let id = format!("call_{}", heard.calls.fetch_add(1, Ordering::Relaxed));
        let arguments = json!({"canary": own}).to_string();
        json!({"role": "assistant", "content": null, "tool_calls": [{"id": id, "type": "function", "function": {"name": "echo", "arguments": arguments}}]})
    } else {
        json!({"role": "assistant", "content": format!("noted {own}")})
    };
    Json(json!({"id": "c", "object": "chat.completion", "model": "echo",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}))
}
