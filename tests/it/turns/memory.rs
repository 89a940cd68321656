//! What is remembered, and by whom.

use serde_json::json;

use crate::harness::bed::{Bed, On};

#[tokio::test]
async fn another_replica_continues_the_conversation() {
    let two = Bed::of_replicas(2).await;
    two.llm.says("Hello Ann.").says("You said you are Ann.");
    two.at(0).as_user("ann").process("I am Ann").await.ok();
    let answer = two.at(1).as_user("ann").process("Who am I?").await;
    assert_eq!(answer.message(), "You said you are Ann.");
    assert_eq!(two.llm.heard(), ["user: I am Ann", "assistant: Hello Ann.", "user: Who am I?"]);
}

#[tokio::test]
async fn the_model_hears_what_was_called_and_what_came_of_it() {
    let bed = Bed::on(On::Redis).await;
    bed.llm.calls([("getUser", json!({"id": 5}))]).says("It is Ann.").says("Her address is ann@example.com.");
    bed.as_user("ann").process("who is user 5?").await.ok();
    bed.as_user("ann").process("and her address?").await.ok();
    let heard = bed.llm.heard();
    assert_eq!(heard[..2], ["user: who is user 5?", "assistant: getUser({\"id\":5})"]);
    assert!(heard[2].starts_with("tool: ") && heard[2].contains("ann@example.com"), "{heard:?}");
    assert_eq!(heard[3..], ["assistant: It is Ann.", "user: and her address?"]);
    assert_eq!(bed.upstream.log(), ["GET /users/5"], "a result is remembered, not asked for again");
}

#[tokio::test]
async fn the_model_hears_the_newest_turns_only() {
    let bed = Bed::with(On::Redis, |settings| {
        settings.turns.history_turns = 1;
        settings.agent.summaries = false;
    })
    .await;
    for n in 1..=3 {
        bed.llm.says(&format!("answer {n}"));
        bed.as_user("ann").process(&format!("question {n}")).await.ok();
    }
    assert_eq!(bed.llm.heard(), ["user: question 2", "assistant: answer 2", "user: question 3"]);
    assert_eq!(bed.as_user("ann").history().await.len(), 6, "the history itself is whole");
}

#[tokio::test]
async fn one_users_turn_does_not_hold_up_anothers() {
    let bed = Bed::on(On::Redis).await;
    let gate = bed.llm.says("For Ann.").held();
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    let meanwhile = async {
        gate.reached().await;
        bed.llm.says("For Bob.");
        assert_eq!(bob.process("quick").await.message(), "For Bob.");
        gate.open();
    };
    let (slow, ()) = tokio::join!(ann.process("slow"), meanwhile);
    assert_eq!(slow.message(), "For Ann.");
}

#[tokio::test]
async fn a_restart_of_the_embedded_service_keeps_the_conversation() {
    let mut bed = Bed::on(On::Embedded).await;
    bed.llm.says("Hello Ann.").says("Ann.");
    let ann = bed.as_user("ann");
    ann.process("I am Ann").await.ok();
    let session = ann.get("/api/session/info").await.ok()["session_info"]["session_id"].clone();
    bed.restart(async |_| {}).await;
    assert_eq!(ann.get("/api/session/info").await.ok()["session_info"]["session_id"], session);
    ann.process("Who am I?").await.ok();
    assert_eq!(bed.llm.heard(), ["user: I am Ann", "assistant: Hello Ann.", "user: Who am I?"]);
}
