//! Who is let in: every endpoint behind a token, every way in which a token can be none.

use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::{
    clock::Clock,
    domain::user::{Role, UserName},
    secrets::tokens::Tokens,
    store::contract::AccountChange,
};

use crate::harness::{
    bed::{Bed, On, SIGNING_KEY},
    client::{Client, PASSWORD, Reply},
};

super::on_both_stores! {
    without_a_token_nothing_is_told
    a_header_that_is_no_bearer_token_is_malformed
    an_expired_token_says_so
    a_token_that_is_not_ours_is_invalid
    a_disabled_user_is_out_at_once_and_back_with_a_new_token
    a_new_password_voids_the_tokens_before_it
    over_the_rate_a_user_waits_and_others_do_not
}

/// Everything that takes a token, with a body that would do.
fn behind_a_token() -> Vec<(Method, &'static str, Option<Value>)> {
    vec![
        (Method::POST, "/api/process", Some(json!({"message": "hello"}))),
        (Method::POST, "/api/call", Some(json!({"function_name": "getUsers"}))),
        (Method::POST, "/api/call", Some(json!({"function_name": "noSuchFunction"}))),
        (Method::POST, "/api/call", Some(json!({"function_name": "createUser", "parameters": {"name": "A", "email": "e"}}))),
        (Method::GET, "/api/functions", None),
        (Method::GET, "/api/info", None),
        (Method::GET, "/api/history", None),
        (Method::DELETE, "/api/history", None),
        (Method::GET, "/api/session/info", None),
        (Method::POST, "/api/session/reset", None),
        (Method::GET, "/api/confirmations", None),
        (Method::POST, "/api/confirmations/0", Some(json!({"decision": "approve"}))),
        (Method::GET, "/api/credentials", None),
        (Method::GET, "/api/credentials/Key", None),
        (Method::PUT, "/api/credentials/Key", Some(json!({"value": "x"}))),
        (Method::DELETE, "/api/credentials/Key", None),
        (Method::POST, "/api/logout", Some(json!({}))),
        (Method::POST, "/api/logout/all", None),
        (Method::GET, "/api/admin/sessions", None),
        (Method::GET, "/api/admin/sessions/ann/keys", None),
        (Method::POST, "/api/admin/cleanup", None),
    ]
}

async fn ask(client: &Client, method: &Method, path: &str, body: Option<&Value>) -> Reply {
    client.send(method.clone(), path, "application/json", body.map(Value::to_string).unwrap_or_default()).await
}

/// The whole list is refused alike, and nothing came of any of it.
async fn all_are_refused(bed: &Bed, client: &Client, code: &str) {
    for (method, path, body) in behind_a_token() {
        let reply = ask(client, &method, path, body.as_ref()).await;
        reply.refused(401, code);
        assert!(reply.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")), "{path}: {reply:?}");
    }
    assert_eq!(bed.upstream.log(), [""; 0]);
    assert!(bed.llm.asked().is_empty());
}

fn token_of(user: &str, issued_ms: u64, key: &str) -> String {
    let tokens = Tokens::new(&key.into(), 24);
    tokens.issue(&UserName::new(user).unwrap(), Role::User, None, issued_ms).unwrap().token
}

async fn without_a_token_nothing_is_told(on: On) {
    let bed = Bed::on(on).await;
    all_are_refused(&bed, &bed.nobody(), "token_missing").await;
}

async fn a_header_that_is_no_bearer_token_is_malformed(on: On) {
    let bed = Bed::on(on).await;
    for header in ["Basic YW5uOmFubg==", "Bearer", "x"] {
        all_are_refused(&bed, &bed.at(0).with_authorization(header), "token_malformed").await;
    }
}

async fn an_expired_token_says_so(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").token().await;
    let yesterday = Clock::System.now_ms() - 25 * 60 * 60 * 1000;
    let header = format!("Bearer {}", token_of("ann", yesterday, SIGNING_KEY));
    all_are_refused(&bed, &bed.at(0).with_authorization(&header), "token_expired").await;
}

async fn a_token_that_is_not_ours_is_invalid(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").token().await;
    let foreign = token_of("ann", Clock::System.now_ms(), "another key, as long as the right one must be");
    for token in [foreign.as_str(), "nonsense", "a.b.c"] {
        all_are_refused(&bed, &bed.at(0).with_authorization(&format!("Bearer {token}")), "token_invalid").await;
    }
}

async fn a_disabled_user_is_out_at_once_and_back_with_a_new_token(on: On) {
    let mut bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    ann.get("/api/session/info").await.ok();
    bed.change_account("ann", AccountChange::Disabled(true)).await;
    all_are_refused(&bed, &ann, "token_revoked").await;
    let credentials = json!({"username": "ann", "password": PASSWORD});
    bed.nobody().post("/api/login", credentials.clone()).await.refused(401, "wrong_credentials");

    bed.change_account("ann", AccountChange::Disabled(false)).await;
    ann.get("/api/session/info").await.refused(401, "token_revoked");
    let login = bed.nobody().post("/api/login", credentials).await.ok();
    let header = format!("Bearer {}", login["token"].as_str().unwrap());
    bed.at(0).with_authorization(&header).get("/api/session/info").await.ok();
}

async fn a_new_password_voids_the_tokens_before_it(on: On) {
    let mut bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    ann.get("/api/session/info").await.ok();
    let hash = swagger_api_agent::secrets::passwords::hash("another password").unwrap();
    bed.change_account("ann", AccountChange::Password(&hash)).await;
    all_are_refused(&bed, &ann, "token_revoked").await;
    bed.nobody().post("/api/login", json!({"username": "ann", "password": PASSWORD})).await.refused(401, "wrong_credentials");
    bed.nobody().post("/api/login", json!({"username": "ann", "password": "another password"})).await.ok();
}

async fn over_the_rate_a_user_waits_and_others_do_not(on: On) {
    let bed = Bed::with(on, |settings| settings.limits.requests_per_minute = 3).await;
    let ann = bed.as_user("ann");
    for _ in 0..3 {
        ann.get("/api/session/info").await.ok();
    }
    let limited = ann.get("/api/session/info").await;
    limited.refused(429, "rate_limited");
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait} s for one of three in a minute");
    bed.as_user("bob").get("/api/session/info").await.ok();
}
