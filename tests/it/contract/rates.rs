//! What is left of a caller's rates, told with the answers.

use reqwest::Method;
use serde_json::json;

use super::on_both_stores;
use crate::harness::{
    bed::{Bed, On},
    client::Reply,
};

on_both_stores! {
    what_is_left_is_told_with_what_is_done_in_ones_session
    whoever_comes_too_often_is_told_of_that_rate
}

fn told(reply: &Reply) -> [Option<&str>; 2] {
    [reply.header("ratelimit-policy"), reply.header("ratelimit")]
}

async fn limited(on: On, requests_per_minute: u32, turns_per_minute: u32) -> Bed {
    let bed = Bed::with(on, |settings| {
        settings.limits.requests_per_minute = requests_per_minute;
        settings.limits.turns_per_minute = turns_per_minute;
    });
    bed.await
}

/// `r` and `t` of one policy in a `RateLimit`.
fn left(reply: &Reply, policy: &str) -> (u64, u64) {
    let limit = reply.header("ratelimit").unwrap_or_default();
    let item =
        limit.split(", ").find(|item| item.starts_with(&format!("\"{policy}\";"))).unwrap_or_else(|| panic!("{policy} in {limit:?}"));
    let number = |name: &str| item.split(';').find_map(|part| part.strip_prefix(name)).unwrap().parse().unwrap();
    (number("r="), number("t="))
}

async fn what_is_left_is_told_with_what_is_done_in_ones_session(on: On) {
    let bed = limited(on, 60, 6).await;
    let ann = bed.as_user("ann");
    let first = ann.get("/api/session/info").await;
    assert_eq!(told(&first), [Some("\"requests\";q=60;w=60"), Some("\"requests\";r=59;t=1")]);
    bed.llm.says("Hello.");
    let turn = ann.process("hello").await;
    assert_eq!(told(&turn)[0], Some("\"requests\";q=60;w=60, \"turns\";q=6;w=60"));
    assert_eq!(left(&turn, "turns"), (5, 10));
    assert!((58..=59).contains(&left(&turn, "requests").0));
    bed.llm.says("Hello.");
    let streamed = ann.clone().with("accept", "text/event-stream").process("hello").await;
    assert!(left(&streamed, "turns").0 >= 4 && streamed.text().contains("event: done"));
    bed.llm.says("Hello.");
    let accepted = ann.clone().with("prefer", "respond-async").process("hello").await;
    assert!(accepted.status == 202 && left(&accepted, "turns").0 >= 3);
    let run = accepted.json()["run_id"].as_str().unwrap().to_owned();
    for (method, path) in [
        (Method::GET, format!("/api/runs/{run}")),
        (Method::POST, format!("/api/runs/{run}/cancel")),
        (Method::GET, "/api/runs/unknown".to_owned()),
        (Method::GET, "/api/history".to_owned()),
        (Method::GET, "/api/functions".to_owned()),
        (Method::GET, "/api/info".to_owned()),
        (Method::GET, "/api/confirmations".to_owned()),
        (Method::POST, "/api/session/reset".to_owned()),
        (Method::DELETE, "/api/history".to_owned()),
    ] {
        let reply = ann.send(method.clone(), &path, "application/json", "{}").await;
        assert_eq!(told(&reply)[0], Some("\"requests\";q=60;w=60"), "{method} {path}");
        assert!(left(&reply, "requests").0 < 60);
    }
    let called = ann.call("createUser", json!({"name": "Ann", "email": "ann@example.com"})).await;
    assert!(left(&called, "turns").0 < 6, "a change is a turn");
    for path in ["/api/keys", "/api/credentials", "/health", "/openapi.json"] {
        assert_eq!(told(&ann.get(path).await), [None, None], "{path}");
    }
    assert_eq!(told(&bed.nobody().get("/api/history").await), [None, None]);
    assert_eq!(told(&bed.at(0).with_authorization("Bearer x").get("/api/history").await), [None, None]);
}

async fn whoever_comes_too_often_is_told_of_that_rate(on: On) {
    let bed = limited(on, 5, 1).await;
    let ann = bed.as_user("ann");
    bed.llm.says("Hello.");
    ann.process("hello").await.ok();
    let turn = ann.process("again").await;
    turn.refused(429, "rate_limited");
    assert_eq!(told(&turn)[0], Some("\"turns\";q=1;w=60"), "only the rate that was exceeded");
    let (remaining, resets) = left(&turn, "turns");
    let wait: u64 = turn.header("retry-after").unwrap().parse().unwrap();
    assert!(remaining == 0 && wait <= resets && (1..=60).contains(&resets), "{wait} {resets}");
    let mut reply = ann.get("/api/session/info").await;
    for _ in 0..20 {
        if reply.status == 429 {
            break;
        }
        reply = ann.get("/api/session/info").await;
    }
    for reply in [reply, ann.get("/api/keys").await, ann.process("hello").await, ann.delete("/api/history").await] {
        if reply.status != 429 {
            // So slow a machine that one is back.
            continue;
        }
        reply.refused(429, "rate_limited");
        assert_eq!(told(&reply)[0], Some("\"requests\";q=5;w=60"));
        let (remaining, resets) = left(&reply, "requests");
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!(remaining == 0 && (1..=12).contains(&wait) && (48..=60).contains(&resets), "{wait} {resets}");
    }
}
