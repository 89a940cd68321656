//! Who is asked, how often, and when it is given up.

use serde_json::json;

use super::*;
use crate::{
    llm::{Heard, Move, ToolSet, reader::Reader},
    outbound::scripted::{Act, Scripted},
    settings::Fallback,
};

fn settings(url: &str) -> settings::Llm {
    settings::Llm { url: Some(url.to_owned()), model: "main".to_owned(), timeout_ms: 1000, ..settings::Settings::builtin().llm }
}

fn with_fallback(url: &str, other: &str) -> settings::Llm {
    let headers = [("x-key".to_owned(), "other-canary".into())].into();
    let fallback = Fallback { url: other.to_owned(), api_key: Some("sk-other".into()), model: Some("other".to_owned()), headers };
    settings::Llm { api_key: Some("sk-main".into()), fallbacks: vec![fallback], ..settings(url) }
}

fn model(settings: &settings::Llm) -> ChatModel {
    let outbound = Outbound::new(Duration::from_secs(1), Duration::from_secs(60)).expect("a client");
    ChatModel::new(&outbound, settings).expect("a model")
}

async fn planned(model: &ChatModel, until: Option<Instant>) -> Result<String, ModelError> {
    let tools = ToolSet::new(Vec::new());
    let prompt = Prompt { instructions: "s", until, ..Prompt::of("m", &tools) };
    model.plan(&prompt, None).await.map(|plan| match plan.next {
        Move::Answer(answer) => answer,
        Move::Calls { .. } => panic!("calls"),
    })
}

fn says(content: &str) -> Act {
    Act::json(200, &json!({"choices": [{"message": {"content": content}}]}).to_string())
}

fn in_ms(ms: u64) -> Option<Instant> {
    Some(Instant::now() + Duration::from_millis(ms))
}

#[tokio::test]
async fn who_is_busy_broken_or_away_is_asked_again() {
    let closed = Act::WriteAndClose(Vec::new());
    for failing in [Act::reply(429, "", b"{}"), Act::json(500, "{}"), Act::json(200, r#"{"error":{"code":503}}"#), closed] {
        let server = Scripted::start([failing.clone(), failing, says("At last.")]).await;
        assert_eq!(planned(&model(&settings(&server.url)), None).await.as_deref(), Ok("At last."));
        assert_eq!(server.requests().len(), 3);
    }
}

#[tokio::test]
async fn attempts_are_bounded() {
    let server = Scripted::start(vec![Act::json(500, "{}"); 3]).await;
    assert_eq!(planned(&model(&settings(&server.url)), None).await, Err(ModelError::Unavailable));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn what_would_be_refused_again_is_not_asked_again() {
    for status in [400, 401, 404] {
        let server = Scripted::start([Act::json(status, "{}")]).await;
        assert!(planned(&model(&settings(&server.url)), None).await.is_err());
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn what_the_server_asks_for_is_waited_if_the_turn_has_so_much_time() {
    let busy = || Act::reply(429, "retry-after: 1\r\n", b"{}");
    let server = Scripted::start([busy(), says("Now.")]).await;
    let began = Instant::now();
    assert_eq!(planned(&model(&settings(&server.url)), in_ms(20_000)).await.as_deref(), Ok("Now."));
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());

    let server = Scripted::start([busy()]).await;
    let began = Instant::now();
    assert_eq!(planned(&model(&settings(&server.url)), in_ms(1500)).await, Err(ModelError::RateLimited { retry_after_secs: Some(1) }));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn another_endpoint_stands_in_with_its_own_name_key_and_headers() {
    for failing in [Act::json(401, "{}"), Act::json(404, "{}"), Act::reply(429, "retry-after: 60\r\n", b"{}"), Act::json(200, "<html>")] {
        let (main, other) = (Scripted::start([failing]).await, Scripted::start([says("I stand in.")]).await);
        assert_eq!(planned(&model(&with_fallback(&main.url, &other.url)), None).await.as_deref(), Ok("I stand in."));
        let (asked, stood_in) = (&main.requests()[0], &other.requests()[0]);
        assert_eq!((asked.header("authorization"), asked.header("x-key")), (Some("Bearer sk-main"), None));
        assert_eq!((stood_in.header("authorization"), stood_in.header("x-key")), (Some("Bearer sk-other"), Some("other-canary")));
        assert_eq!((asked.json()["model"].clone(), stood_in.json()["model"].clone()), (json!("main"), json!("other")));
    }
}

#[tokio::test]
async fn what_the_first_did_is_told_when_all_fail() {
    let (main, other) = (Scripted::start([Act::json(401, "{}")]).await, Scripted::start(vec![Act::json(500, "{}"); 3]).await);
    assert_eq!(planned(&model(&with_fallback(&main.url, &other.url)), None).await, Err(ModelError::Unauthorized));
    assert_eq!(other.requests().len(), 3);
}

#[tokio::test]
async fn who_failed_too_often_in_a_row_is_left_alone() {
    let server = Scripted::start(vec![Act::json(500, "{}"); 5]).await;
    let model = model(&settings(&server.url));
    for _ in 0..3 {
        assert_eq!(planned(&model, None).await, Err(ModelError::Unavailable));
    }
    assert_eq!(server.requests().len(), 5, "of nine requests that would have been");
}

#[tokio::test]
async fn who_has_read_half_an_answer_is_told_that_another_is_asked_for() {
    let half = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"Half of\"}}]}\n\n";
    let breaks = || Act::WriteAndClose(half.as_bytes().to_vec());
    let (main, other) = (Scripted::start([breaks(), breaks(), breaks()]).await, Scripted::start([says("The whole.")]).await);
    let model = model(&with_fallback(&main.url, &other.url));
    let reader = Reader::default();
    let words = |heard: Heard<'_>| reader.hears(heard);
    let tools = ToolSet::new(Vec::new());
    let prompt = Prompt { instructions: "s", ..Prompt::of("m", &tools) };
    let plan = model.plan(&prompt, Some(&words)).await.expect("a plan");
    assert_eq!(plan.next.said(), Some("The whole."));
    assert_eq!(reader.pieces().concat(), "Half of|Half of|Half of|The whole.");
    assert_eq!((main.requests().len(), other.requests().len()), (3, 1));
}

#[test]
fn secrets_of_all_endpoints_are_not_printed() {
    let model = model(&with_fallback("http://h/", "http://other/"));
    let shown = format!("{model:?}");
    assert!(shown.contains("x-key") && !shown.contains("canary") && !shown.contains("sk-"), "{shown}");
}

#[test]
fn pauses_grow_up_to_a_bound_and_differ() {
    for (attempt, asked, least, most) in
        [(1, None, 125, 250), (2, None, 250, 500), (9, None, 4000, 8000), (80, None, 4000, 8000), (1, Some(3), 3125, 3250)]
    {
        for chance in [0, 1, 77, u64::MAX] {
            let pause = pause(attempt, asked, chance).as_millis();
            assert!((least..=most).contains(&pause), "{attempt} {asked:?} {chance}: {pause}");
        }
    }
    assert_ne!(chance(), chance());
}
