//! Odd answers of an API: what a direct caller gets of each, and what a model is told.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    api::{Odd, SOON, bytes},
    on_both_stores,
};
use crate::harness::bed::On;

on_both_stores! {
    every_kind_of_answer_is_told_for_what_it_is
    a_busy_api_is_asked_again_for_reading_and_never_for_changing
    bytes_are_given_to_a_direct_caller_and_kept_when_they_are_many
}

/// What a model reads of a call.
async fn told(odd: &Odd, function: &str) -> String {
    odd.bed.llm.calls([(function, json!({}))]).says("Done.");
    odd.bed.as_user("ann").process(function).await.ok();
    let heard = odd.bed.llm.heard();
    heard.last().unwrap().strip_prefix("tool: ").expect("a result").to_owned()
}

async fn every_kind_of_answer_is_told_for_what_it_is(on: On) {
    let odd = Odd::on(on).await;
    let ann = odd.bed.as_user("ann");
    let html = "<h1>Hello</h1><script>alert(1)</script>";
    let problem = json!({"title": "Not that way", "detail": "name is too short", "status": 422});
    let image = json!({"content_type": "image/png", "bytes": 300, "base64": base64(&bytes(300))});
    for (function, status, data) in [
        ("empty", 204, json!(null)),
        ("page", 200, json!(html)),
        ("xml", 200, json!("<users><user id=\"1\"/></users>")),
        ("image", 200, image),
        ("untyped", 200, json!({"id": 9_007_199_254_740_993_u64})),
        ("problem", 422, problem.clone()),
    ] {
        let called = ann.call(function, json!({})).await.json();
        assert_eq!((&called["api_response"]["status_code"], &called["api_response"]["data"]), (&json!(status), &data), "{function}");
        assert_eq!(called["success"], status < 300, "{function}");
        assert_eq!(called.get("result_id"), None, "{function} is told whole");
    }
    assert_eq!(told(&odd, "empty").await, r#"{"status":204}"#);
    assert_eq!(told(&odd, "page").await, json!({"status": 200, "body": html}).to_string());
    assert_eq!(told(&odd, "untyped").await, r#"{"status":200,"body":{"id":9007199254740993}}"#);
    let wrong: Value = serde_json::from_str(&told(&odd, "problem").await).unwrap();
    assert_eq!((&wrong["error"], &wrong["body"]), (&json!("the API answered with status 422"), &problem));
    let image: Value = serde_json::from_str(&told(&odd, "image").await).unwrap();
    assert_eq!(image["body"], json!({"content_type": "image/png", "bytes": 300}), "bytes are not for a model");
    assert!(image["note"].as_str().unwrap().contains("GET /api/results/"), "{image}");
    let unread: Value = serde_json::from_str(&told(&odd, "brotli").await).unwrap();
    assert!(unread["error"].as_str().unwrap().contains("only gzip is asked for"), "{unread}");
}

async fn a_busy_api_is_asked_again_for_reading_and_never_for_changing(on: On) {
    let odd = Odd::on(on).await;
    let ann = odd.bed.as_user("ann");
    let read = ann.call("busy", json!({})).await.ok();
    assert_eq!(read["api_response"]["data"], json!({"done": true}));
    let [first, second] = odd.seen("GET /busy").try_into().expect("two requests");
    assert!(second - first >= Duration::from_secs(1), "{:?}", second - first);
    let changed = ann.call("busy_post", json!({})).await.json();
    assert_eq!((&changed["success"], &changed["api_response"]["status_code"]), (&json!(false), &json!(429)));
    assert_eq!(odd.seen("POST /busy_post").len(), 1);
}

async fn bytes_are_given_to_a_direct_caller_and_kept_when_they_are_many(on: On) {
    let odd = Odd::on(on).await;
    let ann = odd.bed.as_user("ann");
    let called = ann.call("photo", json!({})).await.ok();
    assert_eq!(called["api_response"]["data"], json!({"content_type": "image/png", "bytes": 400_000}));
    let id = called["result_id"].as_str().expect("an id");
    let photo = ann.get(&format!("/api/results/{id}")).await;
    assert_eq!((photo.status, photo.header("content-type")), (200, Some("image/png")));
    assert_eq!(photo.body, bytes(400_000));
    assert_eq!(photo.header("content-disposition"), Some("attachment"));
    assert_eq!(photo.header("content-security-policy"), Some("sandbox; default-src 'none'"));
    ann.get(&format!("/api/results/{id}?offset=1")).await.refused(400, "invalid_query");
}

#[tokio::test]
async fn a_hanging_api_is_given_up() {
    let odd = Odd::with(On::Redis, 1, |settings| settings.upstream.timeout_ms = 500).await;
    let began = Instant::now();
    let told: Value = serde_json::from_str(&told(&odd, "hang").await).unwrap();
    assert!(told["error"].as_str().unwrap().contains("no answer in time"), "{told}");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(odd.seen("GET /hang").len(), 1, "what took all the time there was is not tried again");
}

#[tokio::test]
async fn an_endless_list_is_stopped_at_the_cap_and_says_how_to_ask_for_less() {
    let odd = Odd::on(On::Redis).await;
    let told: Value = serde_json::from_str(&told(&odd, "endless").await).unwrap();
    let error = told["error"].as_str().unwrap();
    assert!(error.contains("larger than 1048576 bytes") && error.contains("ask for less at once, for example by a page"), "{error}");
    // Whatever stands in the sockets' buffers was taken too.
    assert!(odd.sent() < 20_000_000, "{} bytes were taken of 50 MB", odd.sent());
}

#[tokio::test]
async fn a_bomb_does_not_go_off() {
    let odd = Odd::with(On::Redis, 1, |settings| settings.upstream.reply_bytes_max = 64 * 1024 * 1024).await;
    let ann = odd.bed.as_user("ann");
    ann.call("untyped", json!({})).await.ok();
    let before = memory_peak();
    let called = ann.call("bomb", json!({})).await.json();
    let error = called["error"].as_str().unwrap();
    assert!(error.contains("unpacks to more than 100 times its size"), "{error}");
    let grown = memory_peak() - before;
    // The test's own API packs the bomb in the same process: a few megabytes.
    assert!(grown < 32 << 20, "memory grew by {grown} bytes");
}

/// The most memory that this process ever had, in bytes (`VmHWM`).
fn memory_peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Base64 by the book (RFC 4648, 4), three bytes at a time.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert_eq!(bytes.len() % 3, 0);
    let four = |three: &[u8]| {
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift) as usize & 63]))
    };
    bytes.chunks(3).flat_map(four).collect()
}
