//! Turns that are followed and come to a bound: a budget of tokens that is used up, a model that takes little at once.

use serde_json::{Value, json};
use swagger_api_agent::llm::tokens;

use crate::harness::{
    bed::{Bed, On},
    client::Client,
    events::{Event, names},
    until,
};

crate::contract::on_both_stores! {
    a_budget_that_is_used_up_in_the_middle_ends_the_stream_with_what_was_done
    a_turn_that_may_not_begin_is_told_in_the_stream
    the_bound_of_the_turn_itself_ends_the_stream_too
}

/// A user may use so many tokens in a day; an answer is set aside 100 for.
async fn with_user_budget(on: On, tokens: u64) -> Bed {
    Bed::with(on, |settings| {
        settings.llm.max_tokens = Some(100);
        settings.budgets.user_tokens_per_day = tokens;
    })
    .await
}

/// That a stream ends as that of every turn, and what its message is. The turn is stored as it was told, and says why it ended.
async fn ended_early(ann: &Client, events: &[Event], error: &str) -> String {
    let [.., message, done] = events else { panic!("{events:?}") };
    assert_eq!((message.name.as_str(), done.name.as_str()), ("message", "done"), "{events:?}");
    assert_eq!((&done.data["message"], &done.data["state"]), (&message.data["message"], &json!("failed")));
    let run = done.data["run_id"].as_str().unwrap();
    let seen = ann.get(&format!("/api/runs/{run}")).await.ok();
    assert_eq!((&seen["run"]["state"], &seen["run"]["error"]), (&json!("failed"), &json!(error)), "{seen}");
    let again = ann.follows(run, None).await.rest().await;
    assert_eq!(again.last(), Some(done), "whoever comes later is told the same");
    message.data["message"].as_str().unwrap().to_owned()
}

async fn a_budget_that_is_used_up_in_the_middle_ends_the_stream_with_what_was_done(on: On) {
    let bed = with_user_budget(on, 5000).await;
    let ann = bed.as_user("ann");
    bed.llm.calls_for([("createUser", json!({"name": "Ann", "email": "e@example.com"}))], Some((4800, 20)));
    let events = ann.streams("create Ann").await.rest().await;
    assert_eq!(names(&events), ["accepted", "call_planned", "call_started", "call_finished", "message", "done"]);
    let told = ended_early(&ann, &events, "budget_exhausted").await;
    assert!(told.contains("Your token budget for today") && told.contains("/users"), "{told}");
    assert_eq!((bed.upstream.log(), bed.llm.asked().len()), (vec!["POST /users".to_owned()], 1));
    assert_eq!(ann.history().await.len(), 2);
}

async fn a_turn_that_may_not_begin_is_told_in_the_stream(on: On) {
    let bed = with_user_budget(on, 10).await;
    let ann = bed.as_user("ann");
    let events = ann.streams("hi").await.rest().await;
    assert_eq!(names(&events), ["accepted", "message", "done"]);
    let told = ended_early(&ann, &events, "budget_exhausted").await;
    assert!(told.contains("Your token budget for today does not suffice"), "{told}");
    assert_eq!(bed.llm.asked().len(), 0);
}

async fn the_bound_of_the_turn_itself_ends_the_stream_too(on: On) {
    let bed = Bed::with(on, |settings| {
        settings.llm.max_tokens = Some(100);
        settings.turns.tokens_max = 5000;
    })
    .await;
    let ann = bed.as_user("ann");
    bed.llm.calls_for([("getUsers", json!({}))], Some((4800, 20)));
    let events = ann.streams("list users").await.rest().await;
    let told = ended_early(&ann, &events, "turn_tokens").await;
    assert!(told.contains("it may use 5000 tokens") && told.contains("ann@example.com"), "{told}");
}

#[tokio::test]
async fn a_model_that_takes_little_is_read_along_and_its_turns_are_summarised() {
    const CONTEXT_TOKENS: u64 = 4096;
    let bed = Bed::with(On::Redis, |settings| {
        settings.llm.context_tokens = CONTEXT_TOKENS;
        settings.turns.history_turns = 4;
        settings.budgets.user_tokens_per_day = 1_000_000;
    })
    .await;
    let ann = bed.as_user("ann");
    let long = "and what of all the others? ".repeat(200);
    for n in 1..=4 {
        bed.llm.says_in_pieces(["It is ", "as it was."]);
        if n > 1 {
            // Two such turns fill their room; from then on the older ones are summarised after each, which nobody reads along.
            bed.llm.says(&format!("They asked {n} times."));
        }
        let events = ann.streams(&format!("{n} {long}")).await.rest().await;
        let said: String = events.iter().filter_map(|event| event.data["text"].as_str()).collect();
        assert_eq!(said, "It is as it was.");
        if n > 1 {
            let last = || bed.redis().command::<Option<usize>>("HGET", &[&bed.redis().key("s", "ann"), "sl"]);
            until("the older turns are summarised", async || last() == Some(n - 2)).await;
        }
    }
    let (summaries, turns): (Vec<Value>, Vec<Value>) = bed.llm.asked().into_iter().partition(|asked| asked.get("tools").is_none());
    assert_eq!((summaries.len(), turns.len()), (3, 4));
    assert!(summaries.iter().all(|asked| asked["stream"] == false), "{summaries:?}");
    for asked in &turns {
        assert_eq!((&asked["stream"], &asked["stream_options"]["include_usage"]), (&json!(true), &json!(true)), "{asked}");
        let sent = tokens::of(asked.to_string().as_bytes());
        assert!(sent <= CONTEXT_TOKENS - CONTEXT_TOKENS / 4, "{sent} tokens");
    }
    assert_eq!(turns[3]["messages"][2]["content"], "They asked 3 times.", "of what is left out");
}
