//! How a turn ends when not everybody stays to the end.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::harness::{
    bed::{Bed, On},
    until,
    wire::Wire,
};

#[tokio::test]
async fn a_turn_goes_on_when_its_client_hangs_up() {
    let bed = Bed::on(On::Redis).await;
    let ann = bed.as_user("ann");
    let token = ann.token().await.unwrap();
    bed.llm.calls([("createUser", json!({"name": "Ann", "email": "e@example.com"}))]).says("Created.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let body = json!({"message": "create Ann"}).to_string();
    let mut wire = Wire::to(bed.address()).await;
    wire.write(format!(
        "POST /api/process HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
    .await;
    gate.reached().await;
    drop(wire);
    gate.open();
    until("the turn in the history", async || ann.history().await == ["user: create Ann", "assistant: Created."]).await;
}

#[tokio::test]
async fn a_turn_that_changed_nothing_leaves_no_trace_when_the_model_fails() {
    let bed = Bed::on(On::Redis).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("getUsers", json!({}))]).fails(503);
    ann.process("list users").await.refused(503, "model_unavailable");
    assert_eq!(ann.history().await, [""; 0]);
    bed.llm.says("Here they are.");
    ann.process("list users").await.ok();
    assert_eq!(bed.llm.heard(), ["user: list users"], "the session is free at once, and knows nothing of the failed turn");
}

#[tokio::test]
async fn a_turn_that_changed_something_says_so_when_the_model_fails() {
    let bed = Bed::on(On::Redis).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", json!({"name": "Ann", "email": "a@example.com"}))]).fails(500);
    let answer = ann.process("create Ann").await.ok();
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("model became unavailable") && message.contains("a@example.com"), "{message}");
    assert_eq!(answer["function_calls"][0]["success"], true);
    assert_eq!(ann.history().await, ["user: create Ann".to_owned(), format!("assistant: {message}")]);
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn a_turn_ends_at_its_deadline_with_what_it_has() {
    let bed = Bed::with(On::Redis, |settings| settings.turns.deadline_ms = 400).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", json!({"name": "Ann", "email": "a@example.com"}))]);
    let _never_opened = bed.upstream.hold(Method::POST, "/users");
    let message = ann.process("create Ann").await.message();
    assert!(message.contains("took too long") && message.contains("not known"), "{message}");
    assert_eq!(ann.history().await.len(), 2);
}

#[tokio::test]
async fn a_turn_that_ends_in_the_middle_of_a_batch_tells_each_call_as_what_it_is() {
    let bed = Bed::with(On::Redis, |settings| settings.turns.deadline_ms = 1000).await;
    let ann = bed.as_user("ann");
    let new_user = json!({"name": "Ann", "email": "a@example.com"});
    bed.llm.calls([("createUser", new_user), ("deleteUser", json!({"id": 1})), ("deleteUser", json!({"id": 2}))]);
    let _never_opened = bed.upstream.hold(Method::DELETE, "/users/1");
    let answer = ann.process("create Ann, delete 1 and 2").await.ok();
    let message = answer["message"].as_str().unwrap();
    let parts: Vec<&str> = message.split("**createUser**").flat_map(|part| part.split("**deleteUser**")).collect();
    assert!(parts[0].contains("took too long"), "{message}");
    assert!(parts[1].contains("/users`") && parts[1].contains("a@example.com"), "{message}");
    assert!(parts[2].contains("/users/1`") && parts[2].contains("not known"), "{message}");
    assert!(parts[3].contains("/users/2`") && parts[3].contains("was not sent"), "{message}");
    let successes: Vec<_> = answer["function_calls"].as_array().unwrap().iter().map(|call| call["success"] == true).collect();
    assert_eq!(successes, [true, false, false]);
    assert_eq!(ann.history().await[1], format!("assistant: {message}"));

    bed.llm.says("I see.");
    ann.process("what was done?").await.ok();
    let heard = bed.llm.heard();
    assert!(heard[2].contains("\"status\":201"), "{heard:#?}");
    assert!(heard[3].contains("may or may not have taken effect"), "{heard:#?}");
    assert!(heard[4].contains("was not sent"), "{heard:#?}");
    assert_eq!(bed.upstream.log(), ["POST /users", "DELETE /users/1"]);
}

#[tokio::test]
async fn a_turn_takes_one_step_for_each_change_and_one_for_the_last_result() {
    let bed = Bed::on(On::Redis).await;
    let ann = bed.as_user("ann");
    let delete = |id: u64| ("deleteUser", json!({"id": id}));
    let scripts = || {
        let stats: String = bed.redis().command("INFO", &["commandstats"]);
        let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next()?.parse::<u64>().ok());
        calls.expect("scripts were run")
    };
    bed.llm.says("Hello.");
    ann.process("hello").await.ok();
    let begin_and_commit = 2;
    for (batch, steps) in [(vec![], 0), (vec![delete(1)], 2), (vec![delete(1), delete(2), delete(3)], 4)] {
        match <[_; 3]>::try_from(batch) {
            Ok(three) => _ = bed.llm.calls(three),
            Err(mut fewer) => _ = fewer.pop().map(|one| bed.llm.calls([one])),
        }
        bed.llm.says("Done.");
        let before = scripts();
        ann.process("go").await.ok();
        assert_eq!(scripts() - before, begin_and_commit + steps);
    }
}

#[tokio::test]
async fn a_turn_whose_session_was_taken_away_is_lost_and_sends_nothing_more() {
    let bed = Bed::with(On::Redis, |settings| settings.turns.lease_ms = 300).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.calls([("createUser", json!({"name": "Ann", "email": "a@example.com"}))]).held();
    let taken_away = async {
        gate.reached().await;
        ann.post("/api/session/reset", json!({})).await.ok();
    };
    // The gate stays closed: the turn learns of it by itself, when it renews its lease.
    let (turn, ()) = tokio::join!(ann.process("create Ann"), taken_away);
    turn.refused(409, "turn_lost");
    gate.open();
    bed.llm.says("Free.");
    ann.process("hello").await.ok();
    assert_eq!(bed.upstream.log(), [""; 0]);
    assert_eq!(ann.history().await, ["user: hello", "assistant: Free."]);
}

#[tokio::test]
async fn a_lease_is_renewed_for_as_long_as_the_turn_runs() {
    let bed = Bed::with(On::Redis, |settings| settings.turns.lease_ms = 300).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("At last.").held();
    let meanwhile = async {
        gate.reached().await;
        // Three leases long.
        tokio::time::sleep(Duration::from_millis(900)).await;
        ann.process("me too").await.refused(409, "turn_in_progress");
        gate.open();
    };
    let (turn, ()) = tokio::join!(ann.process("think long"), meanwhile);
    assert_eq!(turn.message(), "At last.");
}
