//! An API whose answers are odd: too big, packed, wrongly named, late.

use std::{
    collections::HashMap,
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use swagger_api_agent::settings::Settings;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::harness::bed::{Bed, On};

/// The API, and a service in front of it.
pub struct Odd {
    pub bed: Bed,
    shared: Arc<Shared>,
    _directory: TempDir,
}

#[derive(Default)]
struct Shared {
    /// When each `METHOD /path` came.
    seen: Mutex<HashMap<String, Vec<Instant>>>,
    /// Bytes of bodies that were taken from the API.
    sent: AtomicUsize,
}

/// Operations by name, with their paths; all are `GET` but those of [`CHANGING`].
const PATHS: [&str; 15] = [
    "empty",
    "page",
    "xml",
    "image",
    "photo",
    "endless",
    "bomb",
    "untyped",
    "problem",
    "busy",
    "busy_post",
    "hang",
    "users",
    "log",
    "brotli",
];
const CHANGING: [&str; 1] = ["busy_post"];

impl Odd {
    pub async fn on(store: On) -> Self {
        Self::with(store, 1, |_| {}).await
    }

    pub async fn with(store: On, replicas: usize, adjust: impl FnOnce(&mut Settings)) -> Self {
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let directory = tempfile::Builder::new().prefix("saa-odd-").tempdir().unwrap();
        let document = directory.path().join("odd.json");
        std::fs::write(&document, self::document().to_string()).unwrap();
        let bed = Bed::replicas(store, replicas, |settings| {
            settings.openapi.file = Some(document.display().to_string());
            settings.upstream.base_url = Some(url);
            settings.upstream.timeout_ms = 4000;
            adjust(settings);
        })
        .await;
        Self { bed, shared, _directory: directory }
    }

    /// When a request came, each time.
    pub fn seen(&self, request: &str) -> Vec<Instant> {
        self.shared.seen.lock().unwrap().get(request).cloned().unwrap_or_default()
    }

    /// Bytes that were taken from the endless bodies.
    pub fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::Relaxed)
    }
}

/// Two hundred users, some 40 kB.
pub fn users() -> Value {
    let users: Vec<Value> =
        (0..200).map(|id| json!({"id": id, "name": format!("User {id}"), "note": "n".repeat(150), "balance": id * 3})).collect();
    json!({"total": 200, "items": users, "next": null})
}

/// A text of three thousand lines, some 60 kB.
pub fn log() -> String {
    (0..3000).map(|line| format!("{line} all is well\n")).collect()
}

/// Bytes that are no text.
pub fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect()
}

async fn answer(State(shared): State<Arc<Shared>>, method: Method, uri: Uri) -> Response {
    let times = {
        let mut seen = shared.seen.lock().unwrap();
        let times = seen.entry(format!("{method} {}", uri.path())).or_default();
        times.push(Instant::now());
        times.len()
    };
    let typed = |kind: &'static str, body: Vec<u8>| ([("content-type", kind)], body).into_response();
    match uri.path() {
        "/empty" => StatusCode::NO_CONTENT.into_response(),
        "/page" => typed("text/html; charset=utf-8", b"<h1>Hello</h1><script>alert(1)</script>".to_vec()),
        "/xml" => typed("application/xml", b"<users><user id=\"1\"/></users>".to_vec()),
        "/image" => typed("image/png", bytes(300)),
        "/photo" => typed("image/png", bytes(400_000)),
        "/endless" => {
            let chunk = Bytes::from("{\"id\":1234567890},".repeat(1000));
            let chunks = futures_util::stream::iter(0..50_000_000 / chunk.len()).map_counted(shared, chunk);
            ([("content-type", "application/json")], Body::from_stream(chunks)).into_response()
        }
        "/bomb" => {
            // A megabyte that unpacks to a gigabyte: a thousand times the same member (RFC 1952, 2.2).
            let mut packed = GzEncoder::new(Vec::new(), Compression::best());
            packed.write_all(&vec![b' '; 1 << 20]).unwrap();
            let bomb = packed.finish().unwrap().repeat(1024);
            ([("content-type", "application/json"), ("content-encoding", "gzip")], bomb).into_response()
        }
        "/untyped" => typed("text/plain", b"{\"id\": 9007199254740993}".to_vec()),
        "/problem" => {
            let problem = json!({"title": "Not that way", "detail": "name is too short", "status": 422});
            (StatusCode::UNPROCESSABLE_ENTITY, [("content-type", "application/problem+json")], problem.to_string()).into_response()
        }
        "/busy" | "/busy_post" if times == 1 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], "later").into_response(),
        "/busy" | "/busy_post" => typed("application/json", b"{\"done\":true}".to_vec()),
        "/hang" => std::future::pending().await,
        "/users" => typed("application/json", users().to_string().into_bytes()),
        "/log" => typed("text/plain", log().into_bytes()),
        "/brotli" => ([("content-encoding", "br")], "not asked for").into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A stream that counts what is taken from it.
trait Counted: futures_util::Stream<Item = usize> + Sized {
    fn map_counted(self, shared: Arc<Shared>, chunk: Bytes) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
        use futures_util::StreamExt;
        self.map(move |at| {
            shared.sent.fetch_add(chunk.len(), Ordering::Relaxed);
            Ok(if at == 0 { Bytes::from([b"[", &chunk[..]].concat()) } else { chunk.clone() })
        })
    }
}

impl<S: futures_util::Stream<Item = usize>> Counted for S {}

fn document() -> Value {
    let operation = |name: &str| {
        let method = if CHANGING.contains(&name) { "post" } else { "get" };
        let operation = json!({"operationId": name, "summary": format!("Gives {name}"), "responses": {"200": {"description": "done"}}});
        (format!("/{name}"), json!({ method: operation }))
    };
    let paths: serde_json::Map<String, Value> = PATHS.iter().map(|name| operation(name)).collect();
    json!({"openapi": "3.0.3", "info": {"title": "Odd", "version": "1"}, "paths": paths})
}

/// How long nothing may take here that is not meant to.
pub const SOON: Duration = Duration::from_secs(3);
