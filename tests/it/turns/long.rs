//! A very long conversation with a model that takes little: what is sent always fits, and no call stands without its result.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde_json::{Value, json};

use crate::harness::{
    bed::{Bed, On},
    llm::wrong_with,
    serve_stub,
};

const CONTEXT_TOKENS: u64 = 4096;
/// A quarter of the context is left for the answer.
const PROMPT_TOKENS_MAX: u64 = CONTEXT_TOKENS - CONTEXT_TOKENS / 4;
const TURNS: usize = 500;

/// What the model saw.
#[derive(Default)]
struct Seen {
    requests: usize,
    summaries: usize,
    with_summary: usize,
    largest: u64,
    refused: Vec<String>,
    /// Names of the functions that it was given last.
    tools: Vec<String>,
}

/// The documented rule, written down a second time: seven ASCII characters are two tokens, others one, beyond U+FFFF two.
fn tokens(text: &str) -> u64 {
    let sevenths: u64 = text.chars().map(|c| if c.is_ascii() { 2 } else { 7 * c.len_utf16() as u64 }).sum();
    sevenths.div_ceil(7)
}

async fn answer(State(seen): State<Arc<Mutex<Seen>>>, body: Bytes) -> impl IntoResponse {
    let text = std::str::from_utf8(&body).unwrap();
    let request: Value = serde_json::from_str(text).unwrap();
    let (tokens, mut wrong) = (tokens(text), wrong_with(&request));
    if tokens > PROMPT_TOKENS_MAX {
        wrong.push(format!("{tokens} tokens"));
    }
    let mut seen = seen.lock().unwrap();
    seen.requests += 1;
    seen.largest = seen.largest.max(tokens);
    let tools = request["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    seen.tools = tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().to_owned()).collect();
    if !wrong.is_empty() {
        seen.refused.extend(wrong);
        let error = json!({"error": {"code": "context_length_exceeded", "message": "too long, or a call without its result"}});
        return (StatusCode::BAD_REQUEST, axum::Json(error));
    }
    let messages = request["messages"].as_array().unwrap();
    let told = |at: usize| messages[at]["content"].as_str().unwrap_or_default();
    seen.with_summary += usize::from(told(1).starts_with("What have we said"));
    let message = if told(0).contains("Write one summary") {
        seen.summaries += 1;
        json!({"role": "assistant", "content": format!("They talked about users, {} times. 用户想知道他们的地址。", seen.summaries)})
    } else {
        let asked = messages.iter().rposition(|message| message["role"] == "user").unwrap();
        next_move(seen.requests, told(asked), messages.len() - asked - 1)
    };
    (StatusCode::OK, axum::Json(json!({"choices": [{"message": message, "finish_reason": "stop"}]})))
}

/// Some turns call something, twice, several at once, with long arguments, or with results of 100 KB; answers are short and long, in two languages.
fn next_move(number: usize, asked: &str, heard: usize) -> Value {
    let call = |n: usize, name: &str, arguments: Value| {
        let id = format!("call_{number}_{n}");
        json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments.to_string()}})
    };
    let calls = match asked.rsplit(' ').next().and_then(|n| n.parse::<usize>().ok()) {
        Some(n) if n % 5 == 1 && heard == 0 => vec![call(0, "getUser", json!({"id": 100_000 + n}))],
        Some(n) if n % 5 == 2 && heard < 6 => vec![call(0, "getUsers", json!({})), call(1, "getUser", json!({"id": n + 1}))],
        Some(n) if n % 25 == 3 && heard == 0 => {
            vec![call(0, "createUser", json!({"name": "名".repeat(3000), "email": "a@example.com"}))]
        }
        Some(n) if n % 25 == 4 && heard < 40 => (0..8).map(|at| call(at, "getUser", json!({"id": 200_000 + at}))).collect(),
        _ => Vec::new(),
    };
    if !calls.is_empty() {
        return json!({"role": "assistant", "content": null, "tool_calls": calls});
    }
    let said = ["All of them are there. ", "他们都在这里，一共有两个用户。", "| id | name |\n|---|---|\n| 1 | \"Ann\" |\n"];
    json!({"role": "assistant", "content": said[number % 3].repeat(1 + number % 37)})
}

/// What this process (the service, its client and its stubs) holds, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[tokio::test]
async fn five_hundred_turns_fit_into_a_context_of_four_thousand_tokens() {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let model = serve_stub(Router::new().route("/v1/chat/completions", post(answer)).with_state(seen.clone())).await;
    let bed = Bed::with(On::Redis, |settings| {
        settings.llm.url = Some(format!("http://{model}/v1"));
        settings.llm.context_tokens = CONTEXT_TOKENS;
        settings.turns.history_turns = 50;
        settings.limits.turns_per_minute = 1_000_000;
        settings.limits.requests_per_minute = 1_000_000;
    })
    .await;
    let ann = bed.as_user("ann");
    let mut sizes = Vec::new();
    for n in 0..TURNS {
        let long = if n % 10 == 0 { "说得很长，".repeat(300) } else { "and then? ".repeat(n % 7) };
        ann.process(&format!("{long} {n}")).await.ok();
        if (n + 1) % 100 == 0 {
            sizes.push(resident());
        }
    }
    {
        let seen = seen.lock().unwrap();
        println!(
            "{TURNS} turns: {} requests, {} of them for summaries, {} with a summary; the largest of {} tokens ({PROMPT_TOKENS_MAX} may be); \
             resident KiB after each hundred: {sizes:?}",
            seen.requests, seen.summaries, seen.with_summary, seen.largest
        );
        assert!(seen.refused.is_empty(), "{:#?}", &seen.refused[..seen.refused.len().min(5)]);
        assert!(seen.requests > TURNS * 3 / 2 && seen.largest > PROMPT_TOKENS_MAX * 9 / 10, "it was put to the test");
        assert!(seen.summaries > 20 && seen.with_summary > TURNS / 2, "{} {}", seen.summaries, seen.with_summary);
    }
    let (after_100, after_500) = (sizes[0], sizes[4]);
    assert!(after_500 < after_100 + 32 * 1024, "memory grows with the conversation: {sizes:?} KiB");
    let history = ann.get("/api/history?limit=2").await.ok();
    assert_eq!(history["history"].as_array().map(Vec::len), Some(2), "{history}");
}

#[tokio::test]
async fn functions_that_are_few_but_too_long_are_looked_for() {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let model = serve_stub(Router::new().route("/v1/chat/completions", post(answer)).with_state(seen.clone())).await;
    let things = "Apple Bridge Carpet Dolphin Engine Forest Guitar Hammer Island Jacket Kettle Ladder Mirror Needle Orchard Pillow Quarry \
                  Ribbon Saddle Teapot";
    let operation = |thing: &str| {
        let about = format!("Tells about one {thing}. {}", "It has much to say about itself. ".repeat(10));
        let parameter = json!({"name": "id", "in": "query", "schema": {"type": "integer"}});
        let get = json!({"operationId": format!("get{thing}"), "description": about, "parameters": [parameter], "responses": {}});
        (format!("/{thing}"), json!({"get": get}))
    };
    let paths: serde_json::Map<String, Value> = things.split_whitespace().map(operation).collect();
    let document = json!({"openapi": "3.0.3", "info": {"title": "Things", "version": "1"}, "paths": paths});
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("things.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let bed = Bed::with(On::Redis, |settings| {
        settings.llm.url = Some(format!("http://{model}/v1"));
        settings.llm.context_tokens = CONTEXT_TOKENS;
        settings.openapi.file = Some(file.display().to_string());
    })
    .await;
    bed.as_user("ann").process("tell me about the mirror").await.ok();
    let seen = seen.lock().unwrap();
    assert!(seen.refused.is_empty(), "{:?}", seen.refused);
    assert!(seen.tools.iter().any(|name| name == "search_functions"), "{:?}", seen.tools);
    assert!((4..20).contains(&seen.tools.len()) && seen.tools.iter().any(|name| name == "getMirror"), "{:?}", seen.tools);
}
