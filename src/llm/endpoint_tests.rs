//! One request to the model, and what comes of everything a server can do with it.

use serde_json::{Value, json};

use super::*;
use crate::{
    domain::tool::{Effect, FunctionSpec},
    llm::{Planner, ToolSet},
    outbound::scripted::{Act, Scripted},
};

const KEY: &str = "sk-canary";

fn settings(url: Option<&str>) -> settings::Llm {
    settings::Llm {
        url: url.map(str::to_owned),
        api_key: Some(KEY.into()),
        model: "stub".to_owned(),
        temperature: None,
        max_tokens: None,
        timeout_ms: 1000,
    }
}

fn outbound() -> Outbound {
    Outbound::new(Duration::from_secs(1), Duration::from_secs(60)).expect("a client")
}

fn tools() -> ToolSet {
    let parameters = json!({"type": "object", "properties": {"page": {"type": "integer"}}});
    ToolSet::new(vec![FunctionSpec {
        name: "getUsers".to_owned(),
        description: "Lists".to_owned(),
        parameters: parameters.into(),
        effect: Effect::Safe,
    }])
}

async fn planned_at(url: &str) -> Result<Plan, ModelError> {
    let planner = Planner::Model(ChatModel::new(outbound(), &settings(Some(url))).expect("a model"));
    planner.plan(&Prompt { instructions: "s", history: &[], message: "list users", rounds: &[], tools: &tools() }).await
}

async fn planned(act: Act) -> Result<Plan, ModelError> {
    planned_at(&Scripted::start([act]).await.url).await
}

fn says(content: &str) -> Act {
    Act::json(200, &json!({"choices": [{"message": {"content": content}}]}).to_string())
}

#[tokio::test]
async fn a_prompt_becomes_one_request() {
    let server = Scripted::start([says("Hello.")]).await;
    let plan = planned_at(&format!("{}/v1", server.url)).await.expect("a plan");
    assert_eq!(plan, Plan { next: Move::Answer("Hello.".to_owned()), usage: None });
    let seen = &server.requests()[0];
    assert!(seen.head.starts_with("POST /v1/chat/completions HTTP/1.1\n"), "{}", seen.head);
    assert_eq!(seen.header("authorization"), Some("Bearer sk-canary"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let body = seen.json();
    assert_eq!(body["model"], "stub");
    assert_eq!(body["messages"], json!([{"role": "system", "content": "s"}, {"role": "user", "content": "list users"}]));
    assert_eq!(body["tools"][0]["function"]["name"], "getUsers");
}

#[tokio::test]
async fn calls_become_a_move() {
    let call = json!({"id": "a", "type": "function", "function": {"name": "getUsers", "arguments": "{\"page\":2}"}});
    let body = json!({"choices": [{"finish_reason": "tool_calls", "message": {"role": "assistant", "content": null, "tool_calls": [call]}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}});
    let plan = planned(Act::json(200, &body.to_string())).await.expect("a plan");
    assert_eq!(plan.usage.map(|usage| usage.total_tokens), Some(3));
    let Move::Calls { said: None, calls } = plan.next else { panic!("{plan:?}") };
    assert_eq!((calls[0].id.as_str(), calls[0].name.as_str()), ("a", "getUsers"));
    assert_eq!(calls[0].arguments.as_ref().map(|map| Value::Object(map.clone())), Ok(json!({"page": 2})));
}

#[tokio::test]
async fn neither_text_nor_calls_is_empty() {
    for content in ["", " \n"] {
        assert_eq!(planned(says(content)).await, Err(ModelError::Empty));
    }
    assert_eq!(
        planned(Act::json(200, r#"{"choices":[{"message":{"content":null,"reasoning_content":"hm"}}]}"#)).await,
        Err(ModelError::Empty)
    );
}

#[tokio::test]
async fn an_error_status_is_an_error() {
    for (act, expected) in [
        (Act::json(401, r#"{"error":{"code":"invalid_api_key"}}"#), ModelError::Unauthorized),
        (Act::json(400, r#"{"error":{"code":400,"type":"exceed_context_size_error"}}"#), ModelError::ContextOverflow),
        (Act::json(400, r#"{"error":{"code":null,"message":"bad tools"}}"#), ModelError::Refused(400)),
        (Act::json(500, r#"{"error":{"code":500,"message":"odd tools","type":"server_error"}}"#), ModelError::Unavailable),
        (Act::reply(502, "content-type: text/html\r\n", b"<html>"), ModelError::Unavailable),
        (Act::reply(307, "location: http://127.0.0.1:1/\r\n", b""), ModelError::Refused(307)),
        (Act::json(200, r#"{"error":{"code":503}}"#), ModelError::Unavailable),
        (Act::json(200, r#"{"error":{"code":"context_length_exceeded"}}"#), ModelError::ContextOverflow),
        (Act::json(200, "<html>log in to the network</html>"), ModelError::Nonsense),
        (Act::json(204, ""), ModelError::Nonsense),
    ] {
        let said = format!("{act:?}");
        assert_eq!(planned(act).await, Err(expected), "{said}");
    }
}

#[tokio::test]
async fn a_rate_limit_comes_with_or_without_a_time_to_wait() {
    for (fields, expected) in [
        ("", None),
        ("retry-after: 7\r\n", Some(7)),
        ("Retry-After: 0.2\r\n", Some(1)),
        ("retry-after: -5\r\n", Some(0)),
        ("retry-after: 99999999999999999999\r\n", Some(RETRY_AFTER_SECS_MAX)),
        ("retry-after: soon\r\n", None),
        ("retry-after: inf\r\n", None),
        ("date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:50:07 GMT\r\n", Some(30)),
        ("date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:49:07 GMT\r\n", Some(0)),
        ("retry-after: Sun, 06 Nov 1994 08:50:07 GMT\r\n", None),
    ] {
        let expected = ModelError::RateLimited { retry_after_secs: expected };
        assert_eq!(planned(Act::reply(429, fields, b"{}")).await, Err(expected), "{fields}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    assert_eq!(planned_at(&url).await, Err(ModelError::Unavailable));
    assert_eq!(planned(Act::WriteAndClose(Vec::new())).await, Err(ModelError::Unavailable));
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"choices\":[{\"message\":{\"content\":\"half".to_vec();
    assert_eq!(planned(Act::WriteAndClose(half)).await, Err(ModelError::Unavailable));
}

#[tokio::test]
async fn a_server_that_hangs_times_out() {
    assert_eq!(planned(Act::WriteAndHang(Vec::new())).await, Err(ModelError::TimedOut));
    assert_eq!(planned(Act::WriteAndHang(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec())).await, Err(ModelError::TimedOut));
}

#[tokio::test]
async fn ten_megabytes_are_nonsense() {
    assert_eq!(planned(says(&"x".repeat(10 * 1024 * 1024))).await, Err(ModelError::Nonsense));
}

#[test]
fn the_address_is_completed() {
    for (given, expected) in [
        ("http://h/v1", "http://h/v1/chat/completions"),
        ("http://h/v1/", "http://h/v1/chat/completions"),
        ("http://h", "http://h/chat/completions"),
        ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
        ("http://h/v1/chat/completions/", "http://h/v1/chat/completions"),
        (" https://h/openai/deployments/x?api-version=1#y ", "https://h/openai/deployments/x/chat/completions?api-version=1"),
    ] {
        assert_eq!(completions(given).map(String::from), Ok(expected.to_owned()), "{given}");
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refusal = |url: Option<&str>| ChatModel::new(outbound(), &settings(url)).err();
    assert_eq!(refusal(None), Some(BadEndpoint::NoUrl));
    assert_eq!(refusal(Some("api.example/v1")), Some(BadEndpoint::NotHttp));
    assert_eq!(refusal(Some("ftp://h/")), Some(BadEndpoint::NotHttp));
    assert_eq!(refusal(Some("http://user:pass@h/")), Some(BadEndpoint::Credentials));
    let bad_key = settings::Llm { api_key: Some("a\nb".into()), ..settings(Some("http://h/")) };
    assert_eq!(ChatModel::new(outbound(), &bad_key).err(), Some(BadEndpoint::Key));
}

#[tokio::test]
async fn a_server_without_a_key_is_asked_without_one() {
    let server = Scripted::start([says("x")]).await;
    let settings = settings::Llm { api_key: None, ..settings(Some(&server.url)) };
    let model = ChatModel::new(outbound(), &settings).expect("a model");
    model.plan(&Prompt { instructions: "s", history: &[], message: "m", rounds: &[], tools: &tools() }).await.expect("a plan");
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[test]
fn the_key_is_not_printed() {
    let model = ChatModel::new(outbound(), &settings(Some("http://h/"))).expect("a model");
    assert!(!format!("{model:?}").contains(KEY));
}
