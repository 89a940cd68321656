//! The session goes away under a turn that changes something: its caller is told what was done, or that it is not known. An error would
//! invite it to do the same again.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::new_user;
use crate::harness::{
    bed::{Bed, On},
    client::{Client, Reply},
};

crate::contract::on_both_stores! {
    a_turn_that_loses_its_session_with_a_call_out_says_that_its_outcome_is_unknown
    a_turn_that_loses_its_session_in_the_middle_of_a_batch_tells_each_call_as_what_it_is
    a_turn_that_loses_its_session_while_the_model_thinks_says_what_was_done
    a_turn_that_finds_its_session_gone_at_the_end_gives_its_answer
    a_direct_call_that_loses_its_session_says_what_was_done
}

/// A turn notices within a third of this that its session is gone.
const LEASE_MS: u64 = 300;

async fn scene(on: On) -> Bed {
    Bed::with(on, |settings| settings.turns.lease_ms = LEASE_MS).await
}

async fn reset(user: &Client) {
    user.post("/api/session/reset", json!({})).await.ok();
}

/// The lost turn has left nothing: the new session is free and empty.
async fn the_new_session_knows_nothing_of_it(bed: &Bed, user: &Client) {
    assert_eq!(user.history().await, [""; 0]);
    bed.llm.says("Free.");
    user.process("hello").await.ok();
    assert_eq!(bed.llm.heard(), ["user: hello"]);
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

async fn a_turn_that_loses_its_session_with_a_call_out_says_that_its_outcome_is_unknown(on: On) {
    let bed = scene(on).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", new_user())]);
    let gate = bed.upstream.hold(Method::POST, "/users");
    let taken_away = async {
        gate.reached().await;
        reset(&ann).await;
    };
    // The gate stays closed: the turn learns of it by itself.
    let (turn, ()) = tokio::join!(ann.process("create Ann"), taken_away);
    let answer = turn.ok();
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("session was lost") && message.contains("not known"), "{message}");
    assert_eq!(answer["function_calls"][0]["success"], false, "{answer:#}");
    the_new_session_knows_nothing_of_it(&bed, &ann).await;
}

async fn a_turn_that_loses_its_session_in_the_middle_of_a_batch_tells_each_call_as_what_it_is(on: On) {
    let bed = scene(on).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", new_user()), ("deleteUser", json!({"id": 1})), ("deleteUser", json!({"id": 2}))]);
    let gate = bed.upstream.hold(Method::DELETE, "/users/1");
    let taken_away = async {
        gate.reached().await;
        reset(&ann).await;
    };
    let (turn, ()) = tokio::join!(ann.process("create Ann, delete 1 and 2"), taken_away);
    let answer = turn.ok();
    let told: Vec<&str> = answer["function_calls"].as_array().unwrap().iter().map(|c| c["markdown_result"].as_str().unwrap()).collect();
    assert!(told[0].contains("a@example.com") && told[1].contains("not known") && told[2].contains("was not sent"), "{told:#?}");
    assert_eq!(bed.upstream.log(), ["POST /users", "DELETE /users/1"]);
}

async fn a_turn_that_loses_its_session_while_the_model_thinks_says_what_was_done(on: On) {
    let bed = scene(on).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", new_user())]);
    let gate = bed.llm.says("Created.").held();
    let taken_away = async {
        gate.reached().await;
        reset(&ann).await;
    };
    let (turn, ()) = tokio::join!(ann.process("create Ann"), taken_away);
    let answer = turn.ok();
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("session was lost") && message.contains("a@example.com"), "{message}");
    assert_eq!(answer["function_calls"][0]["success"], true, "{answer:#}");
    gate.open();
    the_new_session_knows_nothing_of_it(&bed, &ann).await;
}

async fn a_turn_that_finds_its_session_gone_at_the_end_gives_its_answer(on: On) {
    // A lease so long that the turn is at its end before it is renewed.
    let bed = Bed::with(on, |settings| settings.turns.lease_ms = 60_000).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", new_user())]);
    let gate = bed.llm.says("Created.").held();
    let taken_away = async {
        gate.reached().await;
        reset(&ann).await;
        gate.open();
    };
    let (turn, ()) = tokio::join!(ann.process("create Ann"), taken_away);
    let answer = turn.ok();
    let message = answer["message"].as_str().unwrap();
    assert!(message == "Created." || (message.contains("session was lost") && message.contains("a@example.com")), "{message}");
    assert_eq!(answer["function_calls"][0]["success"], true, "{answer:#}");
    the_new_session_knows_nothing_of_it(&bed, &ann).await;
}

async fn a_direct_call_that_loses_its_session_says_what_was_done(on: On) {
    let bed = scene(on).await;
    let ann = bed.as_user("ann");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let taken_away = async {
        gate.reached().await;
        reset(&ann).await;
        // Until the lease is over.
        tokio::time::sleep(Duration::from_millis(LEASE_MS)).await;
        gate.open();
    };
    let (called, ()) = tokio::join!(ann.call("createUser", new_user()), taken_away);
    assert!(called.ok().to_string().contains("a@example.com"));
    the_new_session_knows_nothing_of_it(&bed, &ann).await;
}

#[tokio::test]
async fn a_direct_call_whose_lease_came_too_late_is_not_sent() {
    let bed = Bed::behind_a_wire(|settings| {
        settings.turns.lease_ms = LEASE_MS;
        settings.store.timeout_ms = 10_000;
    })
    .await;
    let ann = bed.as_user("ann");
    ann.get("/api/session/info").await.ok();
    bed.wire().stall();
    let late = async {
        // Long after the lease that is asked for now could be relied on.
        tokio::time::sleep(Duration::from_millis(LEASE_MS * 4)).await;
        bed.wire().mend();
    };
    let (called, ()): (Reply, ()) = tokio::join!(ann.call("createUser", new_user()), late);
    called.refused(409, "turn_lost");
    assert_eq!(bed.upstream.log(), [""; 0]);
}
