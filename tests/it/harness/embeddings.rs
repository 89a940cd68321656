//! A model for embeddings that takes for alike what the test says is alike: an OpenAI-compatible endpoint. It fails the test when it is asked
//! for more at once than servers take.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use swagger_api_agent::domain::limits::{EMBEDDED_AT_ONCE_MAX, EMBEDDED_TEXT_BYTES_MAX};

use super::serve_stub;

/// Directions of which texts that are alike share one.
const ALIKE: usize = 8;
/// Directions that every text has something of.
const NOISE: usize = 24;

/// The endpoint.
pub struct StubEmbeddings {
    /// Up to `/v1`.
    pub url: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    asked: Vec<Asked>,
    alike: Vec<[String; 2]>,
    does: Does,
    /// Whether its directions have a number more.
    grown: bool,
    violations: Vec<String>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub model: String,
    pub texts: Vec<String>,
    pub authorization: Option<String>,
}

/// What it does when it is asked.
#[derive(Debug, Clone, Default)]
pub enum Does {
    /// What it should, in another order than it was asked.
    #[default]
    Answers,
    Says(u16, Vec<u8>),
    Hangs,
}

impl StubEmbeddings {
    pub async fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let router = Router::new().route("/v1/embeddings", post(answer)).with_state(shared.clone());
        let address = serve_stub(router).await;
        Self { url: format!("http://{address}/v1"), shared }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    /// Texts with one of these in them mean alike.
    pub fn likens(&self, one: &str, other: &str) -> &Self {
        let alike = &mut self.shared().alike;
        alike.push([one.to_owned(), other.to_owned()]);
        assert!(alike.len() <= ALIKE, "it knows no more");
        self
    }

    /// From now on its directions have a number more, as those of another model.
    pub fn grows(&self) {
        self.shared().grown = true;
    }

    /// What it does from now on.
    pub fn does(&self, does: Does) {
        self.shared().does = does;
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared().asked.clone()
    }

    /// Every text that it was asked for so far.
    pub fn texts(&self) -> Vec<String> {
        self.asked().into_iter().flat_map(|asked| asked.texts).collect()
    }
}

impl Drop for StubEmbeddings {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let violations = &self.shared().violations;
            assert!(violations.is_empty(), "the model for embeddings was asked wrongly: {violations:#?}");
        }
    }
}

async fn answer(State(shared): State<Arc<Mutex<Shared>>>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let texts: Vec<String> =
        request["input"].as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect();
    let (does, alike, more) = {
        let mut shared = shared.lock().unwrap();
        if !(1..=EMBEDDED_AT_ONCE_MAX).contains(&texts.len()) || request["encoding_format"] != "float" {
            shared.violations.push(format!("{} texts, as {}", texts.len(), request["encoding_format"]));
        }
        let odd: Vec<String> =
            texts.iter().filter(|text| text.trim().is_empty() || text.len() > EMBEDDED_TEXT_BYTES_MAX).cloned().collect();
        shared.violations.extend(odd);
        let authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        shared.asked.push(Asked { model: request["model"].as_str().unwrap_or_default().to_owned(), texts: texts.clone(), authorization });
        (shared.does.clone(), shared.alike.clone(), usize::from(shared.grown))
    };
    let (status, body) = match does {
        Does::Answers => {
            let each = texts.iter().enumerate().rev();
            let data: Vec<Value> = each.map(|(index, text)| json!({"index": index, "embedding": embedding(text, &alike, more)})).collect();
            (200, json!({"object": "list", "data": data}).to_string().into_bytes())
        }
        Does::Says(status, body) => (status, body),
        Does::Hangs => std::future::pending().await,
    };
    (StatusCode::from_u16(status).unwrap(), [("content-type", "application/json")], body).into_response()
}

/// A little of everything, and much of what it is alike to.
fn embedding(text: &str, alike: &[[String; 2]], more: usize) -> Vec<f64> {
    let shared = (0..ALIKE).map(|at| match alike.get(at) {
        Some(pair) if pair.iter().any(|part| text.contains(part)) => 5.0,
        _ => 0.0,
    });
    let noise = (0..NOISE + more).map(|at| {
        let mut hasher = DefaultHasher::new();
        (text, at).hash(&mut hasher);
        f64::from(u8::try_from(hasher.finish() % 200).unwrap()) / 100.0 - 1.0
    });
    shared.chain(noise).collect()
}
