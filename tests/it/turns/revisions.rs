//! What a client knows of its session, and what the store says to it: a store that lost something is never silent about it.

use serde_json::json;

use crate::harness::{
    bed::{Bed, On},
    client::Client,
};

crate::contract::on_both_stores! {
    answers_about_a_session_say_which_state_they_are_about
    who_knows_an_older_state_is_told
    a_malformed_revision_is_refused
    direct_calls_are_repeated_under_their_key
}

fn knowing(client: &Client, tag: &str) -> Client {
    client.clone().with("if-match", tag)
}

async fn answers_about_a_session_say_which_state_they_are_about(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    bed.llm.says("One.").says("Two.");
    let tag = |reply: crate::harness::client::Reply| reply.header("etag").expect("a tag").to_owned();
    let first = tag(ann.process("one").await);
    assert_eq!(tag(ann.get("/api/history").await), first);
    assert_eq!(tag(ann.get("/api/session/info").await), first);
    let second = tag(knowing(&ann, &first).process("two").await);
    assert_ne!(second, first);
    knowing(&ann, &second).get("/api/history").await.ok();
    let cleared = tag(knowing(&ann, &second).delete("/api/history").await);
    let begun_anew = tag(knowing(&ann, &cleared).post("/api/session/reset", json!({})).await);
    assert_ne!(begun_anew.split('.').next(), second.split('.').next(), "another session");
    knowing(&ann, "*").get("/api/session/info").await.ok();
}

async fn who_knows_an_older_state_is_told(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    bed.llm.says("One.").says("Two.");
    let first = ann.process("one").await.header("etag").unwrap().to_owned();
    ann.process("two").await.ok();
    let late = knowing(&ann, &first);
    let refused = late.process("three").await.refused(412, "precondition_failed");
    assert_eq!(format!("\"{}\"", refused["yours"].as_str().unwrap()), first);
    late.get("/api/history").await.refused(412, "precondition_failed");
    late.get("/api/session/info").await.refused(412, "precondition_failed");
    late.delete("/api/history").await.refused(412, "precondition_failed");
    late.post("/api/session/reset", json!({})).await.refused(412, "precondition_failed");
    assert_eq!(ann.history().await.len(), 4);
}

async fn a_malformed_revision_is_refused(on: On) {
    let bed = Bed::on(on).await;
    for tag in ["x", "\"x\"", "\"a.b.c\"", "W/\"s.1.1\"", "\"s.1.1\", \"s.1.2\""] {
        knowing(&bed.as_user("ann"), tag).get("/api/history").await.refused(400, "if_match_malformed");
    }
}

/// Scenario 14 without its failover: the store comes back without the newest turn.
#[tokio::test]
async fn s14_a_store_that_lost_a_turn_says_so() {
    let bed = Bed::on(On::Redis).await;
    let ann = bed.as_user("ann");
    bed.llm.says("One.").says("Two.");
    ann.process("one").await.ok();
    let redis = bed.redis();
    let kept = ["s", "h", "u"].map(|kind| (redis.key(kind, "ann"), redis.command::<Vec<u8>>("DUMP", &[&redis.key(kind, "ann")])));
    let second = ann.process("two").await.header("etag").unwrap().to_owned();
    for (key, value) in &kept {
        let mut connection = redis.connection();
        ::redis::cmd("RESTORE").arg(key).arg(600_000).arg(value.as_slice()).arg("REPLACE").query::<()>(&mut connection).unwrap();
    }
    let refused = knowing(&ann, &second).process("three").await.refused(409, "state_rolled_back");
    assert_eq!(format!("\"{}\"", refused["yours"].as_str().unwrap()), second, "{refused:#}");
    assert_ne!(refused["stored"], refused["yours"]);
    knowing(&ann, &second).get("/api/history").await.refused(409, "state_rolled_back");
    knowing(&ann, &second).delete("/api/history").await.refused(409, "state_rolled_back");
    let history = ann.get("/api/history").await;
    assert_eq!(history.header("state-rolled-back"), Some(second.as_str()), "who knows nothing is told as well");
    assert_eq!(ann.get("/api/history").await.header("state-rolled-back"), None, "once");
    assert_eq!(ann.history().await, ["user: one", "assistant: One."]);
}

async fn direct_calls_are_repeated_under_their_key(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann").with("idempotency-key", "c-1");
    let new_user = json!({"name": "Ann", "email": "a@example.com"});
    let first = ann.call("createUser", new_user.clone()).await;
    first.ok();
    let again = ann.call("createUser", new_user).await;
    assert_eq!((&again.body, again.header("idempotency-replayed")), (&first.body, Some("true")));
    ann.call("createUser", json!({"name": "Bob", "email": "b@example.com"})).await.refused(422, "idempotency_key_reused");
    bed.llm.says("Another endpoint, another request.");
    ann.process("create Ann").await.ok();
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}
