//! An API behind a document of its own: it writes down what it is asked, and waits where the test wants it to.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{gate::Gate, serve_stub};

/// The path under which the API lives: a base URL whose last segment must not get lost.
const BASE: &str = "/shop/v2";

/// The API, its document, and what it saw.
pub struct StubUpstream {
    pub url: String,
    directory: TempDir,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    seen: Vec<Seen>,
    gates: Vec<(Method, String, Gate)>,
    answers: Vec<(Method, String, Value)>,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// Below the base, with the query.
    pub target: String,
    pub headers: HeaderMap,
    /// Null if there was none.
    pub body: Value,
}

impl StubUpstream {
    pub async fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let address = serve_stub(Router::new().fallback(answer).with_state(shared.clone())).await;
        let directory = tempfile::Builder::new().prefix("saa-document-").tempdir().unwrap();
        std::fs::write(directory.path().join("shop.json"), document().to_string()).unwrap();
        Self { url: format!("http://{address}{BASE}"), directory, shared }
    }

    pub fn document(&self) -> PathBuf {
        self.directory.path().join("shop.json")
    }

    /// Puts another document in the place of this one, as a careful operator does: whole, under its name at once.
    pub fn describe(&self, text: &str) {
        let unfinished = self.directory.path().join("shop.new");
        std::fs::write(&unfinished, text).unwrap();
        std::fs::rename(unfinished, self.document()).unwrap();
    }

    /// Puts the document without this operation in its place.
    pub fn describe_without(&self, operation_id: &str) {
        let mut document = document();
        let items = document["paths"].as_object_mut().unwrap().values_mut();
        for item in items {
            item.as_object_mut().unwrap().retain(|_, operation| operation["operationId"] != operation_id);
        }
        self.describe(&document.to_string());
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    /// From now on requests of this method to this path wait at the gate that is returned; they have been seen by then.
    pub fn hold(&self, method: Method, path: &str) -> Gate {
        let gate = Gate::closed();
        self.shared().gates.push((method, path.to_owned(), gate.clone()));
        gate
    }

    /// From now on requests of this method to this path are answered with this: a text as text, anything else as JSON.
    pub fn answers(&self, method: Method, path: &str, body: Value) {
        self.shared().answers.insert(0, (method, path.to_owned(), body));
    }

    /// Every request so far, in the order in which they came.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared().seen.clone()
    }

    /// Every request so far as `METHOD /target`.
    pub fn log(&self) -> Vec<String> {
        self.seen().iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect()
    }
}

async fn answer(State(shared): State<Arc<Mutex<Shared>>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let Some(target) = target.strip_prefix(BASE) else { return (StatusCode::NOT_FOUND, "not below the base URL").into_response() };
    let path = target.split('?').next().unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (gate, answer) = {
        let mut shared = shared.lock().unwrap();
        shared.seen.push(Seen { method: method.to_string(), target: target.to_owned(), headers, body: body.clone() });
        let answer = shared.answers.iter().find(|answer| answer.0 == method && answer.1 == path).map(|answer| answer.2.clone());
        (shared.gates.iter().find(|gate| gate.0 == method && gate.1 == path).map(|gate| gate.2.clone()), answer)
    };
    if let Some(gate) = gate {
        gate.pass().await;
    }
    match answer {
        Some(Value::String(text)) => return text.into_response(),
        Some(json) => return axum::Json(json).into_response(),
        None => {}
    }
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let user = |id: &str| json!({"id": id.parse::<u64>().unwrap_or(0), "name": "Ann", "email": "ann@example.com"});
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["users"]) => axum::Json(json!([user("1"), user("2")])).into_response(),
        ("GET", ["users", "404"]) => (StatusCode::NOT_FOUND, axum::Json(json!({"error": "no such user"}))).into_response(),
        ("GET", ["users", id]) => {
            let mut user = user(id);
            // Of whoever has a large number there is as much to tell.
            let bytes = id.parse().ok().filter(|bytes| (100_000..10_000_000).contains(bytes));
            if let Some(bytes) = bytes {
                user["note"] = "x".repeat(bytes).into();
            }
            axum::Json(user).into_response()
        }
        ("GET", ["shop.json"]) => axum::Json(document()).into_response(),
        ("POST", ["users"]) => {
            let made = json!({"id": 7, "name": body["name"], "email": body["email"]});
            (StatusCode::CREATED, [("location", "/users/7")], axum::Json(made)).into_response()
        }
        ("DELETE", ["users", _]) => StatusCode::NO_CONTENT.into_response(),
        ("GET", ["report"]) => axum::Json(json!({"region": "north", "total": 3})).into_response(),
        ("GET", ["broken"]) => (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(json!({"error": "disk full"}))).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Reading and changing operations; parameters in the query, the path, a header and a body.
fn document() -> Value {
    let integer = json!({"type": "integer", "minimum": 1});
    let id = json!([{"name": "id", "in": "path", "required": true, "schema": integer}]);
    let ok = json!({"200": {"description": "done"}});
    let new_user = json!({
        "type": "object", "required": ["name", "email"], "additionalProperties": false,
        "properties": {"name": {"type": "string", "minLength": 1}, "email": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    });
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "2.1", "description": "Users of a shop."},
        "servers": [{"url": "https://shop.example/never-called"}],
        "paths": {
            "/users": {
                "get": {
                    "operationId": "getUsers", "summary": "List users", "responses": ok,
                    "parameters": [
                        {"name": "page", "in": "query", "schema": integer},
                        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                    ],
                },
                "post": {
                    "operationId": "createUser", "summary": "Create a user", "responses": ok,
                    "requestBody": {"required": true, "content": {"application/json": {"schema": new_user}}},
                },
            },
            "/users/{id}": {
                "parameters": id,
                "get": {"operationId": "getUser", "summary": "One user", "responses": ok},
                "delete": {"operationId": "deleteUser", "summary": "Delete a user", "responses": ok},
            },
            "/report": {
                "get": {
                    "operationId": "getReport", "summary": "A region's report", "responses": ok,
                    "parameters": [{"name": "X-Region", "in": "header", "required": true, "schema": {"type": "string"}}],
                },
            },
            "/broken": {"get": {"operationId": "getBroken", "summary": "Fails", "responses": ok}},
        },
    })
}
