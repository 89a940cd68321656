//! Several requests for one session: one is worked on, the others are refused, wait their turn, or take its place.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::{Value, json};

use crate::harness::{
    bed::{Bed, On},
    client::{Client, Reply},
    process::Process,
    until,
};

crate::contract::on_both_stores! {
    s02_those_that_wait_are_answered_in_their_order
    s02_a_ninth_that_would_wait_is_refused
    s03_an_interrupted_turn_is_recorded_and_the_next_is_answered
    a_turn_is_cancelled_while_the_model_thinks
    a_cancelled_turn_awaits_the_change_that_is_out
    one_that_waits_is_cancelled_before_it_begins
    an_accepted_turn_is_looked_at_until_it_is_answered
    an_unknown_way_to_be_busy_is_refused
}

async fn said(client: Client, message: &'static str, on_busy: &'static str) -> Reply {
    client.post("/api/process", json!({"message": message, "on_busy": on_busy})).await
}

async fn state(ann: &Client, run: &str) -> Value {
    ann.get(&format!("/api/runs/{run}")).await.ok()["run"]["state"].clone()
}

/// The run that holds the session now.
async fn running(ann: &Client) -> String {
    let busy = ann.process("who is there?").await;
    busy.refused(409, "turn_in_progress")["run_id"].as_str().unwrap().to_owned()
}

/// Comes when a run waits at this place.
async fn waits(ann: &Client, run: &str, place: u64) {
    until("its place in the queue", async || ann.get(&format!("/api/runs/{run}")).await.json()["run"]["place"] == place).await;
}

/// Scenario 1: two replicas, one session, the second is refused at once.
#[tokio::test]
async fn s01_a_second_turn_is_refused_at_once_and_told_who_is_there() {
    let bed = Bed::of_replicas(2).await;
    let gate = bed.llm.says("One.").held();
    let (first, second) = (bed.at(0).as_user("ann"), bed.at(1).as_user("ann"));
    let meanwhile = async {
        gate.reached().await;
        let asked = Instant::now();
        let refused = second.process("two").await;
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        let run = refused.refused(409, "turn_in_progress")["run_id"].as_str().unwrap().to_owned();
        assert!(refused.header("retry-after").is_some());
        assert_eq!(state(&second, &run).await, "running");
        gate.open();
        run
    };
    let (turn, run) = tokio::join!(first.process("one"), meanwhile);
    assert_eq!(turn.ok()["run_id"].as_str(), Some(run.as_str()));
    assert_eq!(second.history().await, ["user: one", "assistant: One."]);
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn s02_those_that_wait_are_answered_in_their_order(on: On) {
    let bed = Bed::replicas(on, if on == On::Redis { 3 } else { 1 }, |_| {}).await;
    let door = |n: usize| bed.at(if on == On::Redis { n } else { 0 }).as_user("ann");
    let gate = bed.llm.says("One.").held();
    let first = tokio::spawn(said(door(0), "one", "reject"));
    gate.reached().await;
    let after_two = bed.llm.says("Two.").held();
    bed.llm.says("Three.");
    let (second, third) = (door(1).begins("two", "enqueue").await, door(2).begins("three", "enqueue").await);
    waits(&door(0), &second, 1).await;
    waits(&door(0), &third, 2).await;
    gate.open();
    assert_eq!(first.await.unwrap().message(), "One.");
    after_two.reached().await;
    assert_eq!(bed.llm.heard(), ["user: one", "assistant: One.", "user: two"], "it knows what came before");
    waits(&door(1), &third, 1).await;
    after_two.open();
    until("all were answered", async || state(&door(1), &third).await == "answered").await;
    let expected = ["user: one", "assistant: One.", "user: two", "assistant: Two.", "user: three", "assistant: Three."];
    assert_eq!(bed.as_user("ann").history().await, expected);
}

async fn s02_a_ninth_that_would_wait_is_refused(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("1.").held();
    let first = ann.begins("1", "reject").await;
    gate.reached().await;
    let mut runs = Vec::new();
    for n in 2..=9 {
        bed.llm.says(&format!("{n}."));
        let run = ann.begins(&n.to_string(), "enqueue").await;
        assert_eq!(ann.get(&format!("/api/runs/{run}")).await.json()["run"]["place"], n - 1);
        runs.push(run);
    }
    let full = said(ann.clone(), "10", "enqueue").await;
    assert_eq!(full.refused(429, "queue_full")["run_id"], first.as_str());
    assert!(full.header("retry-after").is_some());
    ann.delete("/api/history").await.refused(409, "turn_in_progress");
    gate.open();
    until("all were answered", async || ann.history().await.len() == 18).await;
    let expected: Vec<String> = (1..=9).flat_map(|n| [format!("user: {n}"), format!("assistant: {n}.")]).collect();
    assert_eq!(ann.history().await, expected);
    for run in runs {
        assert_eq!(state(&ann, &run).await, "answered");
    }
}

/// Scenario 2, its last sentence: the replica at which one waits dies.
#[tokio::test]
async fn s02_one_that_waits_at_a_replica_that_dies_is_answered_once() {
    let bed = Bed::with(On::Redis, |settings| settings.turns.lease_ms = 600).await;
    let mut process = Process::start(&bed.settings, &[]).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("One.").held();
    bed.llm.says("Two.");
    let first = tokio::spawn(said(ann.clone(), "one", "reject"));
    gate.reached().await;
    let doomed = bed.through(&process.base).as_user("ann");
    let second = tokio::spawn(said(doomed, "two", "enqueue"));
    until("it waits", async || bed.redis().command::<i64>("EXISTS", &[&queue_of(&bed)]) == 1).await;
    process.kill();
    assert!(second.await.is_err(), "its client got no answer");
    gate.open();
    assert_eq!(first.await.unwrap().message(), "One.");
    until("the second was answered", async || ann.history().await.len() == 4).await;
    assert_eq!(ann.history().await[2..], ["user: two", "assistant: Two."]);
    assert!(bed.llm.heard().contains(&"assistant: One.".to_owned()), "it knows what came before: {:?}", bed.llm.heard());
}

fn queue_of(bed: &Bed) -> String {
    bed.redis().key("s", "ann").replace(":s:", ":q:")
}

async fn s03_an_interrupted_turn_is_recorded_and_the_next_is_answered(on: On) {
    let bed = Bed::replicas(on, if on == On::Redis { 2 } else { 1 }, |_| {}).await;
    let gate = bed.llm.calls([("createUser", json!({"name": "Ann", "email": "a@example.com"}))]).held();
    bed.llm.says("Two.");
    let first = tokio::spawn(said(bed.at(0).as_user("ann"), "one", "reject"));
    gate.reached().await;
    let last = if on == On::Redis { 1 } else { 0 };
    let second = said(bed.at(last).as_user("ann"), "two", "interrupt").await;
    assert_eq!(second.message(), "Two.");
    let interrupted = first.await.unwrap().ok();
    assert_eq!(interrupted["state"], "cancelled", "{interrupted:#}");
    gate.open();
    let history = bed.as_user("ann").history().await;
    assert_eq!((history.len(), history[0].as_str(), history[3].as_str()), (4, "user: one", "assistant: Two."), "{history:#?}");
    assert!(history[1].contains("interrupted by your next one"), "{history:#?}");
    assert_eq!(bed.upstream.log(), [""; 0], "nothing was called for it");
}

async fn a_turn_is_cancelled_while_the_model_thinks(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("Never heard.").held();
    let turn = tokio::spawn(said(ann.clone(), "think", "reject"));
    gate.reached().await;
    let run = running(&ann).await;
    bed.as_user("bob").post(&format!("/api/runs/{run}/cancel"), json!({})).await.refused(404, "run_unknown");
    let cancelled = ann.post(&format!("/api/runs/{run}/cancel"), json!({})).await;
    assert_eq!((cancelled.status, &cancelled.json()["state"]), (202, &json!("stopping")));
    let told = turn.await.unwrap().ok();
    assert_eq!((&told["state"], told["run_id"].as_str()), (&json!("cancelled"), Some(run.as_str())), "{told:#}");
    gate.open();
    assert_eq!(state(&ann, &run).await, "cancelled");
    let again = ann.post(&format!("/api/runs/{run}/cancel"), json!({})).await.ok();
    assert_eq!(again["state"], "cancelled");
    assert_eq!(ann.history().await, ["user: think", "assistant: This request was cancelled."]);
}

async fn a_cancelled_turn_awaits_the_change_that_is_out(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let delete = |id: u64| ("deleteUser", json!({"id": id}));
    bed.llm.calls([("createUser", json!({"name": "Ann", "email": "a@example.com"})), delete(1)]);
    let gate = bed.upstream.hold(reqwest::Method::POST, "/users");
    let turn = tokio::spawn(said(ann.clone(), "create Ann, delete 1", "reject"));
    gate.reached().await;
    let run = running(&ann).await;
    assert_eq!(ann.post(&format!("/api/runs/{run}/cancel"), json!({})).await.status, 202);
    until("it is told to stop", async || state(&ann, &run).await == "stopping").await;
    // Longer than any heartbeat: the turn knows by now, and still waits.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    gate.open();
    let told = turn.await.unwrap().ok();
    assert_eq!(told["state"], "cancelled", "{told:#}");
    let calls = told["function_calls"].as_array().unwrap();
    assert_eq!((&calls[0]["success"], &calls[1]["success"]), (&json!(true), &json!(false)), "{told:#}");
    assert!(calls[1]["error"].as_str().unwrap().contains("not sent"), "{told:#}");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

async fn one_that_waits_is_cancelled_before_it_begins(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("One.").held();
    let first = ann.begins("one", "reject").await;
    gate.reached().await;
    let second = ann.begins("two", "enqueue").await;
    waits(&ann, &second, 1).await;
    let cancelled = ann.post(&format!("/api/runs/{second}/cancel"), json!({})).await.ok();
    assert_eq!(cancelled["state"], "cancelled");
    gate.open();
    until("the first was answered", async || state(&ann, &first).await == "answered").await;
    assert_eq!(state(&ann, &second).await, "cancelled");
    assert_eq!(ann.history().await, ["user: one", "assistant: One."]);
}

async fn an_accepted_turn_is_looked_at_until_it_is_answered(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", json!({"name": "Ann", "email": "a@example.com"}))]).says("Created.");
    let gate = bed.upstream.hold(reqwest::Method::POST, "/users");
    let run = ann.begins("create Ann", "reject").await;
    gate.reached().await;
    let seen = ann.get(&format!("/api/runs/{run}")).await.ok()["run"].clone();
    assert_eq!(
        (&seen["state"], &seen["calls"][0]["state"], &seen["message"]),
        (&json!("running"), &json!("dispatched"), &json!("create Ann"))
    );
    gate.open();
    until("it was answered", async || state(&ann, &run).await == "answered").await;
    let seen = ann.get(&format!("/api/runs/{run}")).await.ok()["run"].clone();
    assert_eq!((&seen["answer"], &seen["calls"][0]["status"]), (&json!("Created."), &json!(201)), "{seen:#}");
    for other in [&run.to_uppercase(), "nope", "..%2F..", "a%7Cb"] {
        ann.get(&format!("/api/runs/{other}")).await.refused(404, "run_unknown");
    }
    bed.as_user("bob").get(&format!("/api/runs/{run}")).await.refused(404, "run_unknown");
}

async fn an_unknown_way_to_be_busy_is_refused(on: On) {
    let bed = Bed::on(on).await;
    let refused = bed.as_user("ann").post("/api/process", json!({"message": "hi", "on_busy": "rollback"})).await;
    assert_eq!(refused.refused(400, "invalid_body")["problems"][0], "on_busy is none of reject, enqueue, interrupt");
}

/// Scenario 27: many at once for one session over three replicas; one holds it at any time.
#[tokio::test]
async fn s27_of_many_requests_at_once_one_holds_the_session() {
    let bed = Bed::of_replicas(3).await;
    bed.as_user("ann").get("/api/session/info").await.ok();
    let gate = bed.llm.says("One.").held();
    let mut turns: FuturesUnordered<_> = (0..200).map(|n| said(bed.at(n % 3).as_user("ann"), "go", "reject")).collect();
    for _ in 0..199 {
        // Those that are refused come back while the one that holds the session still waits.
        turns.next().await.unwrap().refused(409, "turn_in_progress");
    }
    gate.open();
    assert_eq!(turns.next().await.unwrap().message(), "One.");
    assert_eq!(bed.as_user("ann").history().await, ["user: go", "assistant: One."]);
}
