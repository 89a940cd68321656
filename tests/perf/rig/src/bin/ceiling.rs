//! The ceiling: the least an axum + Redis service can do. `/plain` answers JSON from memory; `/read` does one pipelined
//! round trip (HGETALL + LRANGE of ten messages + EXPIRE) and answers; `/append` RPUSHes two messages + LTRIM + HSET + EXPIRE.
//! `/call` is one read plus one upstream GET; `/process` is read, LLM, upstream, LLM, append: the least a turn can cost.
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde_json::{Value, json};
use std::collections::HashMap;

#[tokio::main]
async fn main() {
    let url = std::env::var("REDIS_URL").unwrap_or("redis://127.0.0.1:6379".into());
    let client = redis::Client::open(url).unwrap();
    let conn = redis::aio::ConnectionManager::new(client).await.unwrap();
    let app = Router::new()
        .route("/plain", get(|| async { Json(json!({"success":true,"user_id":"ann","count":0})) }))
        .route("/read", get(read))
        .route("/append", get(append))
        .route("/call", post(call))
        .route("/process", post(process))
        .with_state(Shared {
            redis: conn,
            http: reqwest::Client::new(),
            stub: std::env::var("STUB_URL").unwrap_or("http://127.0.0.1:7900".into()).into(),
        });
    let port = std::env::var("PORT").unwrap_or("7901".into());
    let l = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    axum::serve(l, app).await.unwrap();
}

#[derive(Clone)]
struct Shared {
    redis: redis::aio::ConnectionManager,
    http: reqwest::Client,
    stub: std::sync::Arc<str>,
}

async fn call(State(s): State<Shared>, Json(_): Json<Value>) -> Json<Value> {
    let Json(_) = read(State(s.clone())).await;
    let r: Value = s.http.get(format!("{}/users?page=1&limit=10", s.stub)).send().await.unwrap().json().await.unwrap();
    Json(json!({"success":true,"user_id":"ann","api_response":{"status_code":200,"data":r}}))
}

async fn process(State(s): State<Shared>, Json(ask): Json<Value>) -> Json<Value> {
    let Json(_) = read(State(s.clone())).await;
    let tools = json!([{"type":"function","function":{"name":"getUsers","parameters":{"type":"object","properties":{"page":{"type":"integer"},"limit":{"type":"integer"}}}}}]);
    let mut messages = vec![json!({"role":"system","content":"call the api"}), json!({"role":"user","content":ask["message"]})];
    let first = chat(&s, &messages, &tools).await;
    messages.push(first);
    let r: Value = s.http.get(format!("{}/users?page=1&limit=10", s.stub)).send().await.unwrap().json().await.unwrap();
    messages.push(json!({"role":"tool","tool_call_id":"call_1","content":r.to_string()}));
    let last = chat(&s, &messages, &tools).await;
    let Json(_) = append(State(s)).await;
    Json(json!({"success":true,"user_id":"ann","message":last["content"],"function_calls":[r]}))
}

async fn chat(s: &Shared, messages: &[Value], tools: &Value) -> Value {
    let r: Value = s
        .http
        .post(format!("{}/v1/chat/completions", s.stub))
        .json(&json!({"model":"stub","messages":messages,"tools":tools}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    r["choices"][0]["message"].clone()
}

async fn read(State(Shared { redis: mut c, .. }): State<Shared>) -> Json<Value> {
    let (meta, msgs): (HashMap<String, String>, Vec<String>) = redis::pipe()
        .hgetall("s:{ann}")
        .lrange("s:{ann}:m", -10, -1)
        .expire("s:{ann}", 86400)
        .ignore()
        .expire("s:{ann}:m", 86400)
        .ignore()
        .query_async(&mut c)
        .await
        .unwrap();
    let history: Vec<Value> = msgs.iter().map(|m| serde_json::from_str(m).unwrap()).collect();
    Json(json!({"success":true,"user_id":"ann","meta":meta,"count":history.len(),"history":history}))
}

async fn append(State(Shared { redis: mut c, .. }): State<Shared>) -> Json<Value> {
    let m = json!({"role":"user","content":"list users","timestamp":"2026-01-01T00:00:00Z"}).to_string();
    let n: (i64,) = redis::pipe()
        .rpush("s:{ann}:m", vec![m.clone(), m])
        .ltrim("s:{ann}:m", -10, -1)
        .ignore()
        .hset("s:{ann}", "last_active", "2026")
        .ignore()
        .expire("s:{ann}", 86400)
        .ignore()
        .expire("s:{ann}:m", 86400)
        .ignore()
        .query_async(&mut c)
        .await
        .unwrap();
    Json(json!({"success":true,"n":n.0}))
}
