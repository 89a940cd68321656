//! One request to the model, and what comes of everything a server can do with it.

use serde_json::{Value, json};

use super::*;
use crate::{
    domain::{
        session::Turn,
        tool::{Effect, FunctionSpec},
    },
    llm::{ChatModel, Planner, Recap, ToolSet, reader::Reader, tokens},
    outbound::scripted::{Act, Scripted},
};

const KEY: &str = "sk-canary";

pub(super) fn settings(url: Option<&str>) -> settings::Llm {
    settings::Llm {
        url: url.map(str::to_owned),
        api_key: Some(KEY.into()),
        model: "stub".to_owned(),
        context_tokens: 64_000,
        timeout_ms: 1000,
        idle_timeout_ms: 300,
        attempts_max: 1,
        ..settings::Settings::builtin().llm
    }
}

pub(super) fn model(settings: &settings::Llm) -> Result<ChatModel, BadEndpoint> {
    ChatModel::new(&outbound(), settings)
}

pub(super) fn prompt(tools: &ToolSet) -> Prompt<'_> {
    Prompt { instructions: "s", ..Prompt::of("list users", tools) }
}

fn outbound() -> Outbound {
    Outbound::new(Duration::from_secs(1), Duration::from_secs(60)).expect("a client")
}

pub(super) fn tools() -> ToolSet {
    let parameters = json!({"type": "object", "properties": {"page": {"type": "integer"}}});
    ToolSet::new(vec![FunctionSpec {
        name: "getUsers".to_owned(),
        description: "Lists".to_owned(),
        parameters: parameters.into(),
        effect: Effect::Safe,
    }])
}

async fn planned_at(url: &str) -> Result<Plan, ModelError> {
    let planner = Planner::Model(model(&settings(Some(url))).expect("a model"));
    planner.plan(&prompt(&tools()), None).await
}

async fn planned(act: Act) -> Result<Plan, ModelError> {
    planned_at(&Scripted::start([act]).await.url).await
}

pub(super) fn says(content: &str) -> Act {
    Act::json(200, &json!({"choices": [{"message": {"content": content}}]}).to_string())
}

#[tokio::test]
async fn a_prompt_becomes_one_request() {
    let server = Scripted::start([says("Hello.")]).await;
    let plan = planned_at(&format!("{}/v1", server.url)).await.expect("a plan");
    assert_eq!(plan.next, Move::Answer("Hello.".to_owned()));
    assert!(plan.usage.is_some_and(|usage| usage.estimated && usage.completion_tokens == 2), "{plan:?}");
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
async fn who_reads_along_is_told_the_words() {
    let server = Scripted::start([says("Hello.")]).await;
    let model = model(&settings(Some(&server.url))).expect("a model");
    let reader = Reader::default();
    let words = |heard: Heard<'_>| reader.hears(heard);
    model.plan(&prompt(&tools()), Some(&words)).await.expect("a plan");
    assert_eq!(reader.pieces(), ["Hello."]);
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
        (Act::json(400, r#"{"error":{"code":null,"message":"bad tools"}}"#), ModelError::Refused(400)),
        (Act::json(500, r#"{"error":{"code":500,"message":"odd tools","type":"server_error"}}"#), ModelError::Unavailable),
        (Act::reply(502, "content-type: text/html\r\n", b"<html>"), ModelError::Unavailable),
        (Act::reply(307, "location: http://127.0.0.1:1/\r\n", b""), ModelError::Refused(307)),
        (Act::json(200, r#"{"error":{"code":503}}"#), ModelError::Unavailable),
        (Act::json(200, "<html>log in to the network</html>"), ModelError::Nonsense),
        (Act::json(204, ""), ModelError::Nonsense),
    ] {
        let said = format!("{act:?}");
        assert_eq!(planned(act).await, Err(expected), "{said}");
    }
}

#[tokio::test]
async fn what_is_too_long_for_the_model_is_shortened_once() {
    let too_long = || Act::json(400, r#"{"error":{"code":400,"type":"exceed_context_size_error"}}"#);
    let in_a_200 = || Act::json(200, r#"{"error":{"code":"context_length_exceeded"}}"#);
    let said = |n: u32| Turn {
        run: n.to_string(),
        asked_ms: 1,
        message: format!("question {n}"),
        rounds: Vec::new(),
        answered_ms: 2,
        answer: "word ".repeat(500),
        usage: None,
        served: None,
    };
    let (history, tools): (Vec<Turn>, _) = ((0..8).map(said).collect(), tools());
    let summary = Some(Recap { text: "They asked.", of_older: false });
    let prompt = Prompt { history: &history, message: "and now?", summary, ..prompt(&tools) };
    for (acts, expected) in [
        ([too_long(), says("Short.")], Ok(Move::Answer("Short.".to_owned()))),
        ([in_a_200(), too_long()], Err(ModelError::ContextOverflow)),
    ] {
        let server = Scripted::start(acts).await;
        let planner = Planner::Model(model(&settings(Some(&server.url))).expect("a model"));
        assert_eq!(planner.plan(&prompt, None).await.map(|plan| plan.next), expected);
        let asked: Vec<String> = server.requests().iter().map(|request| request.json().to_string()).collect();
        assert_eq!(asked.len(), 2);
        assert!(tokens::of(asked[1].as_bytes()) <= tokens::of(asked[0].as_bytes()) / 2);
        assert!(asked[1].contains("question 7") && asked[1].contains("They asked.") && !asked[1].contains("question 0"), "{}", asked[1]);
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
fn settings_that_cannot_work_are_refused() {
    let refusal = |url: Option<&str>| model(&settings(url)).err().map(|bad| bad.problem);
    assert_eq!(refusal(None), Some(BadValue::NoUrl));
    assert_eq!(refusal(Some("api.example/v1")), Some(BadValue::NotHttp));
    assert_eq!(refusal(Some("ftp://h/")), Some(BadValue::NotHttp));
    assert_eq!(refusal(Some("http://user:pass@h/")), Some(BadValue::Credentials));
    let bad_key = settings::Llm { api_key: Some("a\nb".into()), ..settings(Some("http://h/")) };
    assert_eq!(model(&bad_key).err().map(|bad| bad.problem), Some(BadValue::Key));
}

#[tokio::test]
async fn a_server_without_a_key_is_asked_without_one() {
    let server = Scripted::start([says("x")]).await;
    let settings = settings::Llm { api_key: None, ..settings(Some(&server.url)) };
    let model = model(&settings).expect("a model");
    model.plan(&prompt(&tools()), None).await.expect("a plan");
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[test]
fn the_key_is_not_printed() {
    let model = model(&settings(Some("http://h/"))).expect("a model");
    assert!(!format!("{model:?}").contains(KEY));
}
