//! Rows 27, 28 and 30: a Redis that is full, one whose replies come to the wrong request, one that is emptied in the middle.

use reqwest::Method;
use serde_json::json;

use crate::{
    harness::{
        bed::{Bed, On},
        until,
    },
    records::sealed_under,
};

#[tokio::test]
async fn row_27_a_full_redis_sends_nothing_and_is_told_soon() {
    let bed = Bed::on(On::Redis).await;
    let ann = bed.as_user("ann");
    ann.get("/api/session/info").await.ok();
    bed.redis().command::<()>("CONFIG", &["SET", "maxmemory", "1"]);
    for (path, body) in [
        ("/api/process", json!({"message": "create Ann"})),
        ("/api/call", json!({"function_name": "createUser", "parameters": {"name": "A", "email": "e"}})),
    ] {
        let refused = ann.post(path, body).await;
        refused.refused(503, "store_unavailable");
        assert!(refused.header("retry-after").is_some(), "{path}");
    }
    assert_eq!((bed.upstream.log(), bed.llm.asked().len()), (Vec::new(), 0));
    bed.redis().command::<()>("CONFIG", &["SET", "maxmemory", "0"]);
    ann.call("createUser", json!({"name": "A", "email": "e"})).await.ok();
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn row_28_replies_that_come_to_the_wrong_request_tell_nobody_anything() {
    let bed = Bed::behind_a_wire(sealed_under(&["a"])).await;
    for user in ["ann", "bob"] {
        bed.llm.says(&format!("Only for {user}."));
        bed.as_user(user).process(&format!("the secret of {user}")).await.ok();
    }
    bed.wire().swap_replies(":u:ann", ":u:bob");
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    let asked = tokio::spawn(async move { ann.get("/api/history").await });
    until("the first reply is held", async || bed.wire().holds_a_reply()).await;
    let (of_bob, of_ann) = (bob.get("/api/history").await, asked.await.unwrap());
    assert!(!bed.wire().holds_a_reply(), "they were swapped");
    for (reply, other) in [(&of_ann, "bob"), (&of_bob, "ann")] {
        assert!(!reply.text().contains(&format!("of {other}")) && !reply.text().contains(&format!("for {other}")), "{}", reply.text());
        reply.refused(409, "session_unreadable");
    }
    for user in ["ann", "bob"] {
        let history = bed.as_user(user).history().await;
        assert_eq!(history, [format!("user: the secret of {user}"), format!("assistant: Only for {user}.")]);
    }
}

#[tokio::test]
async fn row_30_a_store_that_is_emptied_in_the_middle_repeats_nothing() {
    let bed = Bed::on(On::Redis).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", json!({"name": "A", "email": "e"}))]).says("Created.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let turn = ann.processing("create A");
    gate.reached().await;
    bed.redis().command::<()>("FLUSHALL", &[]);
    gate.open();
    let answer = turn.await.unwrap();
    assert!(answer.status == 200 && answer.json()["function_calls"][0]["success"] == true, "what was done is told: {}", answer.text());
    ann.get("/api/history").await.refused(401, "token_revoked");
    ann.process("create A").await.refused(401, "token_revoked");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}
