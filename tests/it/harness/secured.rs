//! An API that asks for credentials, behind a document that says which: it writes down what it is sent, gives tokens, and tells callers what
//! they sent.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use swagger_api_agent::settings::Settings;
use tempfile::TempDir;

use super::serve_stub;

/// How long the token endpoint takes: long enough that calls at once meet in it.
const TOKEN_TAKES: Duration = Duration::from_millis(150);

/// The API, its document, and what it saw.
pub struct SecuredApi {
    pub url: String,
    directory: TempDir,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    calls: Vec<Sent>,
    token_requests: Vec<Sent>,
    /// Tokens that were given and are good.
    good: Vec<String>,
    /// The token endpoint refuses every client.
    no_tokens: bool,
    /// Where `/away` points.
    away: String,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Sent {
    /// `METHOD /path?query`
    pub line: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Sent {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a text"))
    }
}

impl SecuredApi {
    pub async fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let address = serve_stub(Router::new().fallback(answer).with_state(shared.clone())).await;
        let directory = tempfile::Builder::new().prefix("saa-document-").tempdir().unwrap();
        let url = format!("http://{address}");
        std::fs::write(directory.path().join("secured.json"), document(&url).to_string()).unwrap();
        Self { url, directory, shared }
    }

    /// Points a service at this API.
    pub fn serve_by(&self, settings: &mut Settings) {
        settings.openapi.file = Some(self.document().display().to_string());
        settings.upstream.base_url = Some(self.url.clone());
    }

    pub fn document(&self) -> PathBuf {
        self.directory.path().join("secured.json")
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Sent> {
        self.shared().calls.clone()
    }

    pub fn last(&self) -> Sent {
        self.calls().pop().expect("a call came")
    }

    pub fn token_requests(&self) -> Vec<Sent> {
        self.shared().token_requests.clone()
    }

    /// All tokens that were given are good for nothing from now on.
    pub fn revoke_tokens(&self) {
        self.shared().good.clear();
    }

    /// From now on no client gets a token.
    pub fn give_no_tokens(&self) {
        self.shared().no_tokens = true;
    }

    pub fn point_away_to(&self, url: &str) {
        url.clone_into(&mut self.shared().away);
    }
}

async fn answer(State(shared): State<Arc<Mutex<Shared>>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let sent = Sent { line: format!("{method} {uri}"), headers, body: String::from_utf8_lossy(&body).into_owned() };
    if uri.path() == "/token" {
        shared.lock().unwrap().token_requests.push(sent);
        tokio::time::sleep(TOKEN_TAKES).await;
        let mut shared = shared.lock().unwrap();
        if shared.no_tokens {
            return (StatusCode::UNAUTHORIZED, axum::Json(json!({"error": "invalid_client"}))).into_response();
        }
        let token = format!("granted-token-{}", shared.token_requests.len());
        shared.good.push(token.clone());
        return axum::Json(json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600})).into_response();
    }
    let mut shared = shared.lock().unwrap();
    shared.calls.push(sent.clone());
    match uri.path() {
        "/away" => (StatusCode::FOUND, [("location", shared.away.clone())]).into_response(),
        "/granted" => {
            let good = sent.header("authorization").is_some_and(|value| shared.good.iter().any(|token| value == format!("Bearer {token}")));
            let status = if good { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            (status, axum::Json(json!({"good": good}))).into_response()
        }
        // Tells callers what they sent, as some servers do when they complain.
        _ => {
            let headers: Vec<String> = sent.headers.values().filter_map(|value| value.to_str().ok()).map(str::to_owned).collect();
            axum::Json(json!({"you_sent": sent.line, "with": headers})).into_response()
        }
    }
}

/// Two schemes together or one alone for everything; operations that need nothing, or need not; a key in each place; a client's token.
fn document(url: &str) -> Value {
    let ok = json!({"200": {"description": "done"}});
    let get = |id: &str, security: Option<Value>, parameters: Value| {
        let mut operation = json!({"operationId": id, "summary": format!("Does {id}"), "parameters": parameters, "responses": ok});
        if let Some(security) = security {
            operation["security"] = security;
        }
        operation
    };
    let text = |place: &str, name: &str| json!({"name": name, "in": place, "schema": {"type": "string"}});
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Secured", "version": "1"},
        "servers": [{"url": url}],
        "security": [{"KeyQ": [], "Basic": []}, {"Bearer": []}],
        "components": {"securitySchemes": {
            "KeyQ": {"type": "apiKey", "in": "query", "name": "api_key"},
            "KeyH": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "Sid": {"type": "apiKey", "in": "cookie", "name": "sid"},
            "Basic": {"type": "http", "scheme": "basic"},
            "Bearer": {"type": "http", "scheme": "bearer"},
            "Client": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": format!("{url}/token"), "scopes": {"read": "", "write": ""}}}},
            "Certificate": {"type": "mutualTLS"},
        }},
        "paths": {
            "/both": {
                "get": get("getBoth", None, json!([text("query", "q"), text("query", "api_key")])),
                "post": get("changeBoth", None, json!([])),
            },
            "/open": {"get": get("getOpen", Some(json!([])), json!([]))},
            "/maybe": {"get": get("getMaybe", Some(json!([{}, {"Bearer": []}])), json!([]))},
            "/cookie": {"get": get("getCookie", Some(json!([{"Sid": []}])), json!([text("cookie", "c"), text("header", "X-Version")]))},
            "/keyed": {"get": get("getKeyed", Some(json!([{"KeyH": []}])), json!([]))},
            "/basic": {"get": get("getBasic", Some(json!([{"Basic": []}])), json!([]))},
            "/away": {"get": get("getAway", Some(json!([{"KeyH": [], "KeyQ": []}])), json!([]))},
            "/granted": {
                "get": get("getGranted", Some(json!([{"Client": ["read"]}])), json!([])),
                "post": get("changeGranted", Some(json!([{"Client": ["read"]}])), json!([])),
            },
        },
    })
}
