//! Scenario 20: names and ids that want to be more than they are. Whatever a user asks for, no key is touched that is not that user's.

use serde_json::json;

use crate::harness::bed::{Bed, On};

/// The keys of the service in one command: what stands in quotes and begins like one.
fn keys(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').filter(|part| part.starts_with("saa:"))
}

#[tokio::test]
async fn s20_no_id_leads_to_a_key_that_is_not_the_callers() {
    let bed = Bed::on(On::Redis).await;
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    bed.llm.says("For Bob.");
    let of_bob = bob.clone().with("idempotency-key", "k-1").process("hello").await.ok();
    let (run, session) = (of_bob["run_id"].as_str().unwrap(), of_bob["session_id"].as_str().unwrap());
    ann.get("/api/session/info").await.ok();

    let commands = bed.redis().monitor();
    let long = "x".repeat(10_000);
    let odd = ["a:b", "%7Bb00%7D", "..%2F..%2Fbob", "bob:main", "%00", "a%7Cb", "%1F", "аnn", "bob%0D%0ADEL", &long[..8000], run];
    for id in odd {
        for path in [format!("/api/runs/{id}"), format!("/api/results/{id}"), format!("/api/credentials/{id}")] {
            let status = ann.get(&path).await.status;
            assert!(matches!(status, 404 | 400 | 414), "{path}: {status}");
        }
        let status = ann.post(&format!("/api/runs/{id}/cancel"), json!({})).await.status;
        assert!(matches!(status, 404 | 400 | 414), "{id}: {status}");
    }
    for header in [session, "bob", "{b00}", "a:b"] {
        ann.clone().with("x-session-id", header).get("/api/history").await.refused(404, "session_not_found");
    }
    ann.clone().with("if-match", "\"bob:main.1.1\"").get("/api/history").await.refused(400, "if_match_malformed");
    for key in ["saa:{b00}:i:bob", "k-1", "}{:|"] {
        bed.llm.says("For Ann.");
        let answer = ann.clone().with("idempotency-key", key).process("hello").await;
        assert_eq!((answer.message().as_str(), answer.header("idempotency-replayed")), ("For Ann.", None), "{key}");
    }
    bed.llm.says("It is text.");
    ann.process("saa:{b00}:s:bob:main {b01} \u{1f} \\u0000").await.ok();
    assert_eq!(bob.history().await, ["user: hello", "assistant: For Bob."]);

    let mut touched = 0;
    let bucket = bed.redis().key("u", "ann").split(':').nth(1).unwrap().to_owned();
    let mut before_bob = true;
    for line in String::from_utf8_lossy(&commands.seen(bed.redis())).lines() {
        // The last request was Bob's own.
        before_bob &= !line.contains(":u:bob");
        // Runs that nobody works on are looked for everywhere, and replicas say that they are there and how many logged in; and what was said is
        // no key.
        let looked_for = line.contains("saa:{replicas}:up")
            || line.contains("\"saa:{b00}:st:")
            || line.contains(":o\" \"-inf\"")
            || line.contains("\"EXISTS\"")
            || line.contains("\"role\"");
        for key in keys(line).filter(|_| before_bob && !looked_for) {
            let said = key.contains("\\\\u0000") || key.starts_with("saa:{b00}:i:bob") || key.starts_with("saa:{b00}:s:bob");
            let own = key.starts_with(&format!("saa:{bucket}:")) && !key.contains("bob") || key == "saa:meta";
            assert!(own || said, "{key} in {line}");
            touched += 1;
        }
    }
    assert!(touched > 100, "{touched}: what is looked for is not heard");
}
