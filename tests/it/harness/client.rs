//! Somebody who talks to the service over HTTP.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::BoxFuture;
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use swagger_api_agent::{
    app::App,
    domain::user::{Role, UserName},
};
use tokio::task::JoinHandle;

use super::events::Events;

/// What everybody's password is.
pub const PASSWORD: &str = "correct horse battery";
/// The administrator of every bed.
pub const ADMIN: &str = "root";
/// No answer of the service takes longer than this in a test.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// Tokens of those who have logged in; whoever has not is given an account first.
pub struct Keyring {
    /// Where accounts are made; nowhere while the service is stopped.
    app: Mutex<Option<App>>,
    tokens: Mutex<HashMap<String, String>>,
}

impl Keyring {
    pub fn new(app: App) -> Arc<Self> {
        Arc::new(Self { app: Mutex::new(Some(app)), tokens: Mutex::default() })
    }

    /// Lets go of the service, so that its files are free.
    pub fn forget(&self) {
        *self.app.lock().unwrap() = None;
    }

    pub fn serve_from(&self, app: App) {
        *self.app.lock().unwrap() = Some(app);
    }

    async fn token(&self, door: &At, name: &str) -> String {
        if let Some(token) = self.tokens.lock().unwrap().get(name) {
            return token.clone();
        }
        if name != ADMIN {
            let app = self.app.lock().unwrap().clone().expect("the service runs");
            app.add_user(&UserName::new(name).unwrap(), Role::User, PASSWORD).await.expect("an account");
        }
        let login = door.nobody().post("/api/login", json!({"username": name, "password": PASSWORD})).await.ok();
        let token = login["token"].as_str().expect("a token").to_owned();
        self.tokens.lock().unwrap().insert(name.to_owned(), token.clone());
        token
    }
}

/// The door of one replica.
#[derive(Clone)]
pub struct At {
    /// `http://address`
    pub base: String,
    pub http: reqwest::Client,
    pub keyring: Arc<Keyring>,
}

impl At {
    /// Through this door as a user, who gets an account and a token with the first request.
    pub fn as_user(&self, name: &str) -> Client {
        Client { door: self.clone(), who: Who::User(name.to_owned()), headers: HeaderMap::new() }
    }

    pub fn as_admin(&self) -> Client {
        self.as_user(ADMIN)
    }

    /// Through this door without a token.
    pub fn nobody(&self) -> Client {
        Client { door: self.clone(), who: Who::Nobody, headers: HeaderMap::new() }
    }

    /// Through this door with whatever stands in the header.
    pub fn with_authorization(&self, header: &str) -> Client {
        self.nobody().with("authorization", header)
    }
}

/// One client, with the headers it always sends.
#[derive(Clone)]
pub struct Client {
    door: At,
    who: Who,
    headers: HeaderMap,
}

#[derive(Clone)]
enum Who {
    Nobody,
    User(String),
}

impl Client {
    /// The same client with one more header.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().expect("a header"));
        self
    }

    /// The same client, who reads Chinese.
    pub fn reading_chinese(self) -> Self {
        self.with("accept-language", "zh-CN,zh;q=0.9,en;q=0.5")
    }

    pub async fn token(&self) -> Option<String> {
        match &self.who {
            Who::Nobody => None,
            Who::User(name) => Some(self.door.keyring.token(&self.door, name).await),
        }
    }

    /// Sends a body as it is.
    pub async fn send(&self, method: Method, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Reply {
        self.deliver(method, path, Some((kind, body.into()))).await
    }

    fn deliver<'a>(&'a self, method: Method, path: &'a str, body: Option<(&'a str, reqwest::Body)>) -> BoxFuture<'a, Reply> {
        Box::pin(self.exchange(method, path, body))
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<(&str, reqwest::Body)>) -> Reply {
        let token = self.token().await;
        let asked = method.to_string();
        let mut request = self.door.http.request(method, format!("{}{path}", self.door.base)).headers(self.headers.clone());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body);
        }
        let response = request.timeout(ANSWERS_WITHIN).send().await.unwrap_or_else(|error| panic!("{path}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("a whole answer").to_vec();
        super::declared::check(&asked, path, status, &headers, &body);
        Reply { status, headers, body }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.deliver(Method::GET, path, None).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.deliver(Method::DELETE, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, "application/json", body.to_string()).await
    }

    /// Says something to the agent.
    pub async fn process(&self, message: &str) -> Reply {
        self.post("/api/process", json!({"message": message})).await
    }

    /// Says something to the agent, and follows what happens.
    pub async fn streams(&self, message: &str) -> Events {
        self.streams_body(json!({"message": message})).await
    }

    pub async fn streams_body(&self, body: Value) -> Events {
        let token = self.token().await.expect("a user");
        let request = self.door.http.post(format!("{}/api/process", self.door.base)).headers(self.headers.clone()).bearer_auth(token);
        let request = request.header("accept", "text/event-stream").json(&body);
        Events::of(request.send().await.expect("a stream"))
    }

    /// Follows a run; `last` is the id of the last event that was seen.
    pub async fn follows(&self, run: &str, last: Option<&str>) -> Events {
        self.streams_from(&format!("/api/runs/{run}/events"), last).await
    }

    /// Follows the stream at a path; `last` is the id of the last event that was seen.
    pub async fn streams_from(&self, path: &str, last: Option<&str>) -> Events {
        let request = self.door.http.get(format!("{}{path}", self.door.base)).headers(self.headers.clone());
        let request = if let Some(token) = self.token().await { request.bearer_auth(token) } else { request };
        let request = if let Some(last) = last { request.header("last-event-id", last) } else { request };
        Events::of(request.send().await.expect("a stream"))
    }

    /// Says something to the agent, and has the answer come while the test goes on.
    pub fn processing(&self, message: &'static str) -> JoinHandle<Reply> {
        let client = self.clone();
        tokio::spawn(async move { client.process(message).await })
    }

    /// Begins a turn without waiting for its answer; its run.
    pub async fn begins(&self, message: &str, on_busy: &str) -> String {
        let body = json!({"message": message, "on_busy": on_busy});
        let accepted = self.clone().with("prefer", "respond-async").post("/api/process", body).await;
        assert_eq!(accepted.status, 202, "{}", accepted.text());
        let run = accepted.json()["run_id"].as_str().unwrap().to_owned();
        assert_eq!(accepted.header("location"), Some(format!("/api/runs/{run}").as_str()));
        run
    }

    /// Calls one function directly.
    pub async fn call(&self, function: &str, parameters: Value) -> Reply {
        self.post("/api/call", json!({"function_name": function, "parameters": parameters})).await
    }

    /// The conversation as `role: content`.
    pub async fn history(&self) -> Vec<String> {
        let history = self.get("/api/history").await.ok();
        let told = |message: &Value| format!("{}: {}", message["role"].as_str().unwrap(), message["content"].as_str().unwrap());
        history["history"].as_array().expect("a list").iter().map(told).collect()
    }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a text"))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON in {self:?}"))
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        let body = self.json();
        assert_eq!(body["success"], true, "{body:#}");
        body
    }

    /// The text of a success.
    #[track_caller]
    pub fn ok_text(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text());
        self.text().to_owned()
    }

    /// The agent's answer.
    #[track_caller]
    pub fn message(&self) -> String {
        self.ok()["message"].as_str().expect("a message").to_owned()
    }

    /// The body of a failure with this status and code, which must have all that failures have.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.text());
        let body = self.json();
        super::shape::has(&body, "success:bool error:text code:text request_id:text");
        assert_eq!((&body["success"], &body["code"]), (&json!(false), &json!(code)), "{body:#}");
        assert_eq!(self.header("x-request-id"), body["request_id"].as_str(), "{body:#}");
        body
    }
}
