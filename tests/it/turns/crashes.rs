//! A replica dies in the middle: another goes on with its turn, without anybody asking. Nothing said is lost, nothing that changes something is
//! sent again, and what is not known is said to be not known.

use reqwest::Method;
use serde_json::{Value, json};

use super::{history_of, killed_at, new_user};
use crate::harness::{
    bed::{Bed, On},
    client::Client,
    process::{LEASE_MS, scene},
    until,
};

/// The run that made the newest turn, as its user sees it.
async fn run_of(ann: &Client, run: &str) -> Value {
    ann.get(&format!("/api/runs/{run}")).await.ok()["run"].clone()
}

/// Scenario 4: killed between the intent and its answer, the API never answered.
#[tokio::test]
async fn s04_a_change_that_may_have_been_sent_is_told_as_unknown_and_not_sent_again() {
    let (bed, mut process) = scene().await;
    bed.llm.calls([("createUser", new_user())]).says("It is not known whether Ann was created.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let doomed = bed.through(&process.base).as_user("ann");
    killed_at(&gate, &mut process, doomed, "/api/process", json!({"message": "create Ann"})).await;

    let ann = bed.as_user("ann");
    assert_eq!(history_of(&ann, 2).await, ["user: create Ann", "assistant: It is not known whether Ann was created."]);
    let heard = bed.llm.heard();
    assert_eq!(heard[0], "user: create Ann");
    assert!(heard[1].starts_with("assistant: createUser("), "{heard:#?}");
    assert!(heard[2].starts_with("tool: ") && heard[2].contains("may or may not have taken effect"), "{heard:#?}");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
    bed.llm.says("Hello.");
    assert_eq!(ann.process("hello").await.message(), "Hello.", "the session is usable");
}

/// Scenario 5: killed after the API has made the change, before its answer was read.
#[tokio::test]
async fn s05_what_is_not_known_is_told_under_the_key_and_the_planner_changes_nothing_more() {
    let (bed, mut process) = scene().await;
    bed.llm.calls([("createUser", new_user())]);
    // The planner of the next replica would do it again: it is not sent.
    bed.llm.calls([("createUser", new_user()), ("getUsers", json!({}))]).says("Look for yourself.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let keyed = |client: Client| client.with("idempotency-key", "k-1");
    let doomed = keyed(bed.through(&process.base).as_user("ann"));
    killed_at(&gate, &mut process, doomed, "/api/process", json!({"message": "create Ann"})).await;

    let ann = keyed(bed.as_user("ann"));
    history_of(&ann, 2).await;
    let told = ann.process("create Ann").await;
    let answer = told.ok();
    assert_eq!((told.header("idempotency-replayed"), &answer["state"]), (Some("true"), &json!("unknown_outcome")), "{answer:#}");
    assert_eq!(answer["message"], "Look for yourself.");
    let calls: Vec<_> = answer["function_calls"].as_array().unwrap().iter().map(|call| call["error"].to_string()).collect();
    assert!(calls[0].contains("not known") && calls[1].contains("not sent") && calls[2] == "null", "{calls:#?}");
    assert_eq!(ann.process("create Ann").await.body, told.body);
    let seen = run_of(&ann, answer["run_id"].as_str().unwrap()).await;
    assert_eq!((&seen["state"], &seen["calls"][0]["state"]), (&json!("unknown_outcome"), &json!("unknown")), "{seen:#}");
    let history = ann.get("/api/history?calls=true").await.ok();
    assert_eq!(history["history"][1]["function_calls"], answer["function_calls"]);
    assert_eq!((&answer["function_calls"][0]["state"], &answer["function_calls"][2]["state"]), (&json!("unknown"), &json!("result")));
    assert_eq!(bed.upstream.log(), ["POST /users", "GET /users"]);
}

/// Scenario 6: what only reads is done again.
#[tokio::test]
async fn s06_a_turn_that_only_reads_is_done_again_and_answered_once() {
    let (bed, mut process) = scene().await;
    bed.llm.calls([("getUser", json!({"id": 1}))]);
    bed.llm.calls([("getUser", json!({"id": 1}))]).says("That is Ann.");
    let gate = bed.upstream.hold(Method::GET, "/users/1");
    let doomed = bed.through(&process.base).as_user("ann");
    killed_at(&gate, &mut process, doomed, "/api/process", json!({"message": "who is 1?"})).await;

    assert_eq!(history_of(&bed.as_user("ann"), 2).await, ["user: who is 1?", "assistant: That is Ann."]);
    assert_eq!(bed.upstream.log(), ["GET /users/1", "GET /users/1"]);
}

#[tokio::test]
async fn what_was_said_to_a_replica_that_died_thinking_is_answered() {
    let (bed, mut process) = scene().await;
    let gate = bed.llm.says("Too late.").held();
    bed.llm.says("I remember 42.");
    let doomed = bed.through(&process.base).as_user("ann");
    killed_at(&gate, &mut process, doomed, "/api/process", json!({"message": "remember 42"})).await;
    assert_eq!(history_of(&bed.as_user("ann"), 2).await, ["user: remember 42", "assistant: I remember 42."]);
}

#[tokio::test]
async fn the_plan_of_a_dead_replica_is_gone_on_with_and_not_made_again() {
    let (bed, mut process) = scene().await;
    let delete = |id: u64| ("deleteUser", json!({"id": id}));
    bed.llm.calls([("getUser", json!({"id": 5}))]);
    bed.llm.calls([("createUser", new_user()), ("getUser", json!({"id": 1})), delete(1), ("getUser", json!({"id": 2})), delete(2)]);
    bed.llm.says("One is not known, so two stays.");
    let gate = bed.upstream.hold(Method::DELETE, "/users/1");
    let doomed = bed.through(&process.base).as_user("ann");
    killed_at(&gate, &mut process, doomed, "/api/process", json!({"message": "create Ann, delete 1 and 2"})).await;

    let ann = bed.as_user("ann");
    assert_eq!(history_of(&ann, 2).await[1], "assistant: One is not known, so two stays.");
    let heard = bed.llm.heard();
    assert!(heard[1].starts_with("assistant: getUser("), "what was read before the plan is remembered: {heard:#?}");
    assert_eq!(heard[3].matches("User(").count(), 5, "{heard:#?}");
    assert!(heard[4].contains("\"status\":201") && heard[4].contains("a@example.com"), "{heard:#?}");
    assert!(heard[5].contains("\"id\":1"), "{heard:#?}");
    assert!(heard[6].contains("may or may not have taken effect"), "{heard:#?}");
    assert!(heard[7].contains("\"id\":2"), "{heard:#?}");
    assert!(heard[8].contains("was not sent"), "{heard:#?}");
    // What was read after the plan was written down is read again.
    let mut read_again = bed.upstream.log();
    let sent: Vec<String> = read_again.drain(..4).collect();
    read_again.sort();
    assert_eq!(sent, ["GET /users/5", "POST /users", "GET /users/1", "DELETE /users/1"]);
    assert_eq!(read_again, ["GET /users/1", "GET /users/2"]);
}

#[tokio::test]
async fn what_was_planned_and_not_sent_is_sent_by_the_next_replica() {
    let (bed, mut process) = scene().await;
    bed.llm.calls([("createUser", new_user()), ("getUser", json!({"id": 1})), ("deleteUser", json!({"id": 2}))]).says("Done.");
    let gate = bed.upstream.hold(Method::GET, "/users/1");
    let doomed = bed.through(&process.base).as_user("ann");
    killed_at(&gate, &mut process, doomed, "/api/process", json!({"message": "create Ann, look at 1, delete 2"})).await;

    // The result of the first change was not written down by then, so the rest is not sent.
    let ann = bed.as_user("ann");
    history_of(&ann, 2).await;
    assert_eq!(bed.upstream.log(), ["POST /users", "GET /users/1", "GET /users/1"]);
}

/// Scenario 11: the same request comes again to another replica while the lease of the dead one lasts, and after it.
#[tokio::test]
async fn s11_a_retry_under_the_key_gets_the_turn_of_the_same_run() {
    let (bed, mut process) = scene().await;
    bed.llm.calls([("getUsers", json!({}))]);
    bed.llm.calls([("getUsers", json!({}))]).says("Two.");
    let gate = bed.upstream.hold(Method::GET, "/users");
    let keyed = |client: Client| client.with("idempotency-key", "k-1");
    let doomed = keyed(bed.through(&process.base).as_user("ann"));
    killed_at(&gate, &mut process, doomed, "/api/process", json!({"message": "how many?"})).await;

    let ann = keyed(bed.as_user("ann"));
    let in_flight = ann.process("how many?").await;
    let run = in_flight.refused(409, "turn_in_progress")["run_id"].as_str().unwrap().to_owned();
    assert_eq!(in_flight.header("location"), Some(format!("/api/runs/{run}").as_str()));
    assert!(in_flight.header("retry-after").is_some());
    let answer = ann.clone().with("prefer", "wait=20").process("how many?").await.ok();
    assert_eq!((answer["message"].as_str(), answer["run_id"].as_str()), (Some("Two."), Some(run.as_str())));
    assert_eq!(ann.history().await, ["user: how many?", "assistant: Two."]);
    assert_eq!(run_of(&ann, &run).await["state"], "answered");
}

#[tokio::test]
async fn a_request_that_meets_a_dead_run_comes_after_it() {
    let (bed, mut process) = scene().await;
    let gate = bed.llm.says("Too late.").held();
    bed.llm.says("First.").says("Second.");
    let doomed = bed.through(&process.base).as_user("ann");
    killed_at(&gate, &mut process, doomed, "/api/process", json!({"message": "one"})).await;
    let ann = bed.as_user("ann");
    until("the end of the lease", async || {
        let reply = ann.process("two").await;
        assert!(reply.status == 200 || reply.status == 409, "{}", reply.text());
        reply.status == 200
    })
    .await;
    assert_eq!(ann.history().await, ["user: one", "assistant: First.", "user: two", "assistant: Second."]);
}

/// Scenario 28: two replicas die with the same run, and a third comes to its end.
#[tokio::test]
async fn s28_two_crashes_in_a_row_lose_nothing() {
    let bed = Bed::with(On::Redis, |settings| settings.turns.lease_ms = LEASE_MS).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", new_user())]);
    let with_the_second = bed.llm.says("Lost with the second.").held();
    bed.llm.says("It is not known.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let run = ann.begins("create Ann", "reject").await;
    gate.reached().await;
    // A holder whose token is gone is as good as dead: whatever it does is refused.
    let dies = || bed.redis().command::<()>("HSET", &[&bed.redis().key("s", "ann"), "tok", "0:nobody", "lu", "0"]);
    dies();
    with_the_second.reached().await;
    let journal: Vec<String> = bed.redis().command("HKEYS", &[&bed.redis().key("j", "ann")]);
    assert_eq!(journal.len(), 3, "what was asked, the plan, the intent: {journal:?}");
    dies();
    assert_eq!(history_of(&ann, 2).await, ["user: create Ann", "assistant: It is not known."]);
    with_the_second.open();
    gate.open();
    assert!(bed.llm.heard()[2].contains("may or may not have taken effect"), "{:#?}", bed.llm.heard());
    assert_eq!(run_of(&ann, &run).await["state"], "unknown_outcome");
    assert_eq!(bed.redis().command::<Vec<String>>("KEYS", &["saa:*:j:*"]), [""; 0], "the journal is settled");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn a_run_that_every_replica_dies_of_is_given_up_and_told() {
    let bed = Bed::with(On::Redis, |settings| settings.turns.lease_ms = LEASE_MS).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("Never heard.").held();
    let turn = ann.processing("boom");
    gate.reached().await;
    // As if three had died of it already, and the fourth just now.
    bed.redis().command::<()>("HSET", &[&bed.redis().key("s", "ann"), "try", "3", "tok", "0:nobody", "lu", "0"]);
    let history = history_of(&ann, 2).await;
    assert!(history[1].contains("given up"), "{history:#?}");
    gate.open();
    let answer = turn.await.unwrap().ok();
    assert_eq!(answer["state"], "failed", "its client is told as well: {answer:#}");
}

#[tokio::test]
async fn a_direct_call_that_died_is_told_in_the_conversation() {
    let (bed, mut process) = scene().await;
    let gate = bed.upstream.hold(Method::POST, "/users");
    let doomed = bed.through(&process.base).as_user("ann").with("idempotency-key", "c-1");
    let call = json!({"function_name": "createUser", "parameters": new_user()});
    killed_at(&gate, &mut process, doomed, "/api/call", call.clone()).await;

    let ann = bed.as_user("ann").with("idempotency-key", "c-1");
    let history = history_of(&ann, 2).await;
    assert!(history[0].contains("POST") && history[1].contains("createUser") && history[1].contains("outcome unknown"), "{history:#?}");
    let told = ann.post("/api/call", call).await;
    assert_eq!(told.header("idempotency-replayed"), Some("true"));
    assert!(told.json()["markdown_result"].as_str().unwrap().contains("not known"), "{}", told.text());
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}
