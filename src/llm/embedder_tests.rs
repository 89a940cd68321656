//! One request for embeddings, and what comes of everything a server can do with it.

use std::sync::{Arc, atomic::AtomicUsize};

use serde_json::{Value, json};
use tracing::{
    Metadata,
    span::{Attributes, Id, Record},
};

use super::*;
use crate::{
    domain::limits::MODEL_FAILURES_MAX,
    outbound::scripted::{Act, Scripted},
};

fn settings(url: &str) -> settings::Llm {
    let builtin = settings::Settings::builtin().llm;
    let embeddings = Embeddings { model: Some("meaning".to_owned()), timeout_ms: 300, ..builtin.embeddings.clone() };
    let headers = [("x-team".to_owned(), "canary-header".into())].into();
    settings::Llm { url: Some(url.to_owned()), api_key: Some("sk-canary".into()), headers, embeddings, ..builtin }
}

fn embedder(settings: &settings::Llm) -> Embedder {
    let outbound = Outbound::new(Duration::from_secs(1), Duration::from_secs(60)).expect("a client");
    Embedder::of(&outbound, settings).expect("settings that hold").expect("a model")
}

fn answer(embeddings: &[[f32; 2]]) -> Act {
    let data: Vec<Value> =
        embeddings.iter().enumerate().map(|(index, embedding)| json!({"index": index, "embedding": embedding})).collect();
    Act::json(200, &json!({"data": data}).to_string())
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn inputs(server: &Scripted) -> Vec<Value> {
    server.requests().iter().map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["input"].clone()).collect()
}

#[tokio::test]
async fn sentences_are_asked_for_once_with_the_models_key() {
    let server = Scripted::start([answer(&[[1.0, 0.0], [0.0, 1.0]]), answer(&[[1.0, 1.0]])]).await;
    let embedder = embedder(&settings(&format!("{}/v1/chat/completions", server.url)));
    let (east, north) = (Vector::of(&[1.0, 0.0]).unwrap(), Vector::of(&[0.0, 1.0]).unwrap());
    assert_eq!(embedder.sentences(&["east", "north"], 2, soon()).await, Some(vec![east.clone(), north.clone()]));
    assert_eq!(embedder.sentences(&["north"], 2, soon()).await, Some(vec![north]));
    let (more, between) = (embedder.sentences(&["north-east", "east", "north-east"], 2, soon()).await, Vector::of(&[1.0, 1.0]).unwrap());
    assert_eq!(more, Some(vec![between.clone(), east, between]));
    assert_eq!(embedder.sentences(&["east", " "], 2, soon()).await, None);
    assert_eq!(inputs(&server), [json!(["east", "north"]), json!(["north-east"])]);
    let seen = &server.requests()[0];
    assert!(seen.head.starts_with("POST /v1/embeddings HTTP/1.1\n"), "{}", seen.head);
    assert_eq!((seen.header("authorization"), seen.header("x-team")), (Some("Bearer sk-canary"), Some("canary-header")));
    assert!(!format!("{embedder:?}").contains("canary"));
}

#[tokio::test]
async fn another_server_is_not_shown_the_models_key() {
    let server = Scripted::start([answer(&[[1.0, 0.0]]), answer(&[[1.0, 0.0]])]).await;
    let mut settings = settings("http://127.0.0.1:9/v1");
    settings.embeddings.url = Some(server.url.clone());
    embedder(&settings).texts(&["a"]).await.unwrap();
    settings.embeddings.api_key = Some("its-own".into());
    embedder(&settings).texts(&["a"]).await.unwrap();
    let seen = server.requests();
    assert_eq!((seen[0].header("authorization"), seen[0].header("x-team")), (None, None));
    assert_eq!((seen[1].header("authorization"), seen[1].header("x-team")), (Some("Bearer its-own"), None));
}

#[tokio::test]
async fn what_is_no_answer_is_none_and_never_takes_longer_than_it_may() {
    let two = r#"{"data":[{"embedding":[1,2]},{"embedding":[1,2]}]}"#;
    for act in [
        Act::json(429, "{}"),
        Act::json(500, "{}"),
        Act::json(200, two),
        Act::json(200, r#"{"data":[{"embedding":[1,2,3]}]}"#),
        Act::json(200, r#"{"data":[{"embedding":[NaN,1]}]}"#),
        Act::json(200, &format!(r#"{{"data":[{{"embedding":[{}1]}}]}}"#, "1,".repeat(5_000_000))),
        Act::WriteAndHang(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
        Act::WriteAndClose(Vec::new()),
    ] {
        let shown = format!("{act:?}").chars().take(80).collect::<String>();
        let server = Scripted::start([act]).await;
        let began = Instant::now();
        assert_eq!(embedder(&settings(&server.url)).sentences(&["a"], 2, soon()).await, None, "{shown}");
        assert!(began.elapsed() < Duration::from_secs(2), "{shown}");
    }
    let embedder = embedder(&settings("http://127.0.0.1:9/v1"));
    assert_eq!(embedder.sentences(&["a"], 2, Instant::now()).await, None, "there is no time left");
}

#[tokio::test]
async fn a_server_that_fails_again_and_again_is_left_alone() {
    let server = Scripted::start((0..MODEL_FAILURES_MAX).map(|_| Act::json(503, "{}"))).await;
    let embedder = embedder(&settings(&server.url));
    for _ in 0..MODEL_FAILURES_MAX + 3 {
        assert_eq!(embedder.sentences(&["a"], 2, soon()).await, None);
    }
    assert_eq!(server.requests().len(), MODEL_FAILURES_MAX as usize);
}

/// Counts what is logged.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl tracing::Subscriber for Counting {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().ends_with("::embedder")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn how_it_does_is_logged_when_that_changes() {
    let fails = || Act::json(500, "{}");
    let works = || answer(&[[1.0, 0.0]]);
    let server = Scripted::start([works(), fails(), fails(), works(), works(), fails()]).await;
    let embedder = embedder(&settings(&server.url));
    let lines = Counting::default();
    let _counting = tracing::subscriber::set_default(lines.clone());
    let mut logged = Vec::new();
    for _ in 0..6 {
        _ = embedder.texts(&["a"]).await;
        logged.push(lines.0.load(Ordering::Relaxed));
    }
    assert_eq!(logged, [0, 1, 1, 2, 2, 3]);
}

#[test]
fn a_text_is_cut_between_characters_and_named_as_it_is_sent() {
    let embedder = embedder(&settings("http://h/v1"));
    let long = "订".repeat(EMBEDDED_TEXT_BYTES_MAX);
    assert_eq!(cut(&long).chars().count(), EMBEDDED_TEXT_BYTES_MAX / 3);
    assert_eq!(embedder.name_of(&long), embedder.name_of(&format!("{long}更多")));
    assert_ne!(embedder.name_of("a"), embedder.name_of("b"));
    let mut settings = settings("http://h/v1");
    settings.embeddings.model = Some("another".to_owned());
    assert_ne!(embedder.name_of("a"), self::embedder(&settings).name_of("a"));
}

#[test]
fn settings_that_cannot_work_are_refused_by_their_name() {
    let outbound = Outbound::new(Duration::from_secs(1), Duration::from_secs(60)).expect("a client");
    let refusal = |settings: &settings::Llm| Embedder::of(&outbound, settings).map(drop).map_err(|bad| bad.to_string());
    let mut bad = settings("http://h/v1");
    bad.embeddings.url = Some("http://user:pass@h/".to_owned());
    assert!(refusal(&bad).unwrap_err().starts_with("llm.embeddings.url has a user name"));
    bad.embeddings.url = None;
    bad.embeddings.api_key = Some("a\nb".into());
    assert!(refusal(&bad).unwrap_err().starts_with("llm.embeddings.api_key cannot be sent"));
    bad.embeddings.model = None;
    assert_eq!(refusal(&bad), Ok(()));
}
