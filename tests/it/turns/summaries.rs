//! Long conversations: what the model is told of the turns that it does not see any more.

use serde_json::json;

use crate::harness::{
    bed::{Bed, On},
    until,
};

/// The contents of the user's messages in the last request.
fn heard_from_users(bed: &Bed) -> Vec<String> {
    bed.llm.heard().iter().filter_map(|line| line.strip_prefix("user: ").map(str::to_owned)).collect()
}

async fn bed(on: On) -> Bed {
    Bed::with(on, |settings| settings.turns.history_turns = 4).await
}

/// So many turns, the last of which has its summary made.
async fn talked(bed: &Bed, turns: std::ops::RangeInclusive<u32>) {
    for n in turns {
        bed.llm.says(&format!("answer {n}"));
        bed.as_user("ann").process(&format!("question {n}")).await.ok();
    }
}

/// A summary is stored that covers everything up to this turn, counted from 0.
async fn summarised(bed: &Bed, last: u64) {
    let key = bed.redis().key("s", "ann");
    let stored = async || bed.redis().command::<Option<u64>>("HGET", &[&key, "sl"]) == Some(last);
    until("the summary is stored", stored).await;
}

#[tokio::test]
async fn older_turns_are_summarised_beside_the_turns_and_told_afterwards() {
    let bed = bed(On::Redis).await;
    talked(&bed, 1..=3).await;
    bed.llm.says("answer 4").says("They asked 1 and 2.");
    bed.as_user("ann").process("question 4").await.ok();
    summarised(&bed, 1).await;
    let transcript = heard_from_users(&bed);
    assert_eq!(transcript, ["User: question 1\nAgent: answer 1\n\nUser: question 2\nAgent: answer 2\n\n"]);
    talked(&bed, 5..=5).await;
    assert_eq!(heard_from_users(&bed), ["question 1", "question 2", "question 3", "question 4", "question 5"], "all fit still");
    // It summarises the next ones together with the summary before.
    bed.llm.says("answer 6").says("They asked 1 to 4.");
    bed.as_user("ann").process("question 6").await.ok();
    summarised(&bed, 3).await;
    assert!(heard_from_users(&bed)[0].starts_with("Summary of what came before:\nThey asked 1 and 2.\n\nUser: question 3"));
    talked(&bed, 7..=7).await;
    let heard = bed.llm.heard();
    assert!(heard[0].starts_with("user: What have we said"), "{heard:?}");
    assert_eq!(heard[1], "assistant: They asked 1 to 4.");
    assert_eq!(heard_from_users(&bed)[1..], ["question 3", "question 4", "question 5", "question 6", "question 7"]);
    assert_eq!(bed.as_user("ann").history().await.len(), 14, "the history is as it was said");
}

#[tokio::test]
async fn a_summary_that_fails_is_made_after_the_next_turn_and_breaks_none() {
    let bed = bed(On::Redis).await;
    talked(&bed, 1..=3).await;
    bed.llm.says("answer 4").answers_raw(400, "{}");
    bed.as_user("ann").process("question 4").await.ok();
    until("the summary is asked for", async || bed.llm.asked().len() == 5).await;
    // Nobody sees that it has failed: it is given a moment, for while one is being made no other is.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    bed.llm.says("answer 5").says("They asked 1 to 3.");
    bed.as_user("ann").process("question 5").await.ok();
    summarised(&bed, 2).await;
    talked(&bed, 6..=6).await;
    assert_eq!(bed.llm.heard()[1], "assistant: They asked 1 to 3.");
}

#[tokio::test]
async fn a_turn_does_not_wait_for_a_summary() {
    let bed = bed(On::Redis).await;
    talked(&bed, 1..=3).await;
    let gate = bed.llm.says("answer 4").says("late").held();
    bed.as_user("ann").process("question 4").await.ok();
    gate.reached().await;
    // Nor is another one begun while one is being made.
    talked(&bed, 5..=6).await;
    assert_eq!(heard_from_users(&bed), ["question 2", "question 3", "question 4", "question 5", "question 6"]);
    gate.open();
}

#[tokio::test]
async fn a_reset_forgets_the_summary_also_one_that_comes_later() {
    let bed = bed(On::Redis).await;
    talked(&bed, 1..=3).await;
    let gate = bed.llm.says("answer 4").says("They asked 1 and 2.").held();
    bed.as_user("ann").process("question 4").await.ok();
    gate.reached().await;
    bed.as_user("ann").post("/api/session/reset", json!({})).await.ok();
    gate.open();
    talked(&bed, 5..=7).await;
    assert!(bed.llm.asked().iter().all(|request| !request.to_string().contains("What have we said")));
    assert_eq!(heard_from_users(&bed), ["question 5", "question 6", "question 7"]);
}

#[tokio::test]
async fn without_summaries_older_turns_are_left_out() {
    let bed = Bed::with(On::Redis, |settings| {
        settings.turns.history_turns = 2;
        settings.agent.summaries = false;
    })
    .await;
    talked(&bed, 1..=6).await;
    assert_eq!(heard_from_users(&bed), ["question 4", "question 5", "question 6"]);
}
