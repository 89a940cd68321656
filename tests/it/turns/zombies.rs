//! A replica that stops and comes back, one whose answers are lost, one that goes down politely: whoever lost the session writes nothing, and
//! what was accepted comes to its end elsewhere.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::new_user;
use crate::harness::{
    bed::{Bed, On},
    client::Client,
    process::{LEASE_MS, Process, scene},
    until,
};

/// Scenario 7: stopped in the middle of a turn for longer than its lease; another goes on; then it wakes.
#[tokio::test]
async fn s07_a_replica_that_slept_too_long_writes_nothing_and_sends_nothing() {
    let (bed, process) = scene().await;
    let asleep = bed.llm.calls([("createUser", new_user())]).held();
    bed.llm.calls([("createUser", new_user())]).says("Created.");
    let sleeper = bed.through(&process.base).as_user("ann");
    sleeper.token().await;
    let turn = sleeper.processing("create Ann");
    asleep.reached().await;
    process.stop();
    let ann = bed.as_user("ann");
    until("another went on with it", async || ann.history().await.len() == 2).await;
    asleep.open();
    process.resume();
    let answer = turn.await.unwrap().ok();
    assert_eq!(answer["message"], "Created.", "its client is told what came of it elsewhere");
    assert_eq!(ann.history().await, ["user: create Ann", "assistant: Created."]);
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

/// As scenario 7, but it wakes when it has changed something already, and its end is refused.
#[tokio::test]
async fn a_sleeper_that_had_changed_something_tells_what_the_run_came_to() {
    let (bed, process) = scene().await;
    bed.llm.calls([("createUser", new_user())]);
    let asleep = bed.llm.says("Never told.").held();
    bed.llm.says("Created, says the other.");
    let sleeper = bed.through(&process.base).as_user("ann").with("idempotency-key", "k-1");
    sleeper.token().await;
    let turn = sleeper.processing("create Ann");
    asleep.reached().await;
    let ann = bed.as_user("ann").with("idempotency-key", "k-1");
    // The result is in the journal by then: it went there while the model thought.
    until("the result is journaled", async || bed.redis().command::<Vec<String>>("HKEYS", &[&bed.redis().key("j", "ann")]).len() == 4)
        .await;
    process.stop();
    until("another went on with it", async || ann.history().await.len() == 2).await;
    asleep.open();
    process.resume();
    let told = turn.await.unwrap();
    assert_eq!(told.message(), "Created, says the other.");
    assert_eq!(ann.process("create Ann").await.body, told.body, "a repetition is told the very same");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn a_turn_whose_session_was_ended_after_a_change_says_that_it_was_killed() {
    let bed = Bed::replicas(On::Redis, 2, |settings| settings.turns.lease_ms = LEASE_MS).await;
    let ann = bed.at(0).as_user("ann");
    bed.llm.calls([("createUser", new_user())]);
    let gate = bed.llm.says("Never told.").held();
    let turn = ann.processing("create Ann");
    gate.reached().await;
    bed.at(1).as_admin().delete("/api/admin/sessions/ann").await.ok();
    let told = turn.await.unwrap().ok();
    gate.open();
    assert_eq!((&told["state"], &told["function_calls"][0]["success"]), (&json!("killed"), &json!(true)), "{told:#}");
    let run = told["run_id"].as_str().unwrap();
    assert_eq!(ann.get(&format!("/api/runs/{run}")).await.ok()["run"]["state"], "killed");
}

/// Scenario 8: as 7, but its user begins anew meanwhile.
#[tokio::test]
async fn s08_nothing_of_a_sleeper_appears_in_a_session_that_was_begun_anew() {
    let (bed, process) = scene().await;
    let asleep = bed.llm.calls([("createUser", new_user())]).held();
    let sleeper = bed.through(&process.base).as_user("ann");
    sleeper.token().await;
    let turn = sleeper.processing("create Ann");
    asleep.reached().await;
    process.stop();
    let ann = bed.as_user("ann");
    let run = ann.process("who is there?").await.json()["run_id"].as_str().map(str::to_owned);
    ann.post("/api/session/reset", json!({})).await.ok();
    bed.llm.says("Fresh.");
    assert_eq!(ann.process("hello").await.message(), "Fresh.");
    asleep.open();
    process.resume();
    turn.await.unwrap().refused(409, "turn_lost");
    assert_eq!(ann.history().await, ["user: hello", "assistant: Fresh."]);
    assert_eq!(bed.upstream.log(), [""; 0]);
    let seen = ann.get(&format!("/api/runs/{}", run.unwrap())).await.ok()["run"].clone();
    assert_eq!((&seen["state"], &seen["error"]), (&json!("killed"), &json!("reset")), "{seen:#}");
}

/// Scenario 9: an administrator ends the session in the middle of a turn.
#[tokio::test]
async fn s09_an_administrator_ends_a_session_with_all_that_runs_in_it() {
    let bed = Bed::replicas(On::Redis, 2, |settings| settings.turns.lease_ms = LEASE_MS).await;
    let ann = bed.at(0).as_user("ann");
    let gate = bed.llm.calls([("createUser", new_user())]).held();
    let turn = ann.processing("create Ann");
    gate.reached().await;
    let waiting = ann.begins("later", "enqueue").await;
    ann.delete("/api/admin/sessions/ann").await.refused(403, "not_admin");
    bed.at(1).as_admin().delete("/api/admin/sessions/ann").await.ok();
    let of_ann = || bed.redis().keys().into_iter().map(|(key, ..)| key).filter(|key| key.ends_with(":ann:main")).collect::<Vec<_>>();
    assert_eq!(of_ann(), [""; 0], "nothing of the session is left");
    turn.await.unwrap().refused(409, "turn_lost");
    gate.open();
    assert_eq!(ann.get(&format!("/api/runs/{waiting}")).await.ok()["run"]["state"], "killed");
    let listed = bed.at(1).as_admin().get("/api/admin/sessions").await.ok();
    assert!(listed["sessions_info"]["sessions"]["ann"].is_null(), "{listed:#}");
    bed.at(1).as_admin().delete("/api/admin/sessions/ann").await.refused(404, "session_not_found");
    bed.at(1).as_admin().delete("/api/admin/sessions/nobody").await.refused(404, "session_not_found");
    assert_eq!(ann.history().await, [""; 0]);
    assert_eq!(bed.upstream.log(), [""; 0]);
}

/// Scenario 19, as far as there is a logout: tokens are voided everywhere at once, and what runs on their strength stops.
#[tokio::test]
async fn s19_a_user_who_is_shut_out_is_out_everywhere_and_their_turn_stops() {
    let mut bed = Bed::replicas(On::Redis, 3, |settings| settings.turns.lease_ms = LEASE_MS).await;
    let ann = bed.at(0).as_user("ann");
    let gate = bed.llm.calls([("createUser", new_user())]).held();
    let turn = ann.processing("create Ann");
    gate.reached().await;
    bed.change_account("ann", swagger_api_agent::store::contract::AccountChange::Disabled(true)).await;
    for replica in 0..3 {
        let ann = bed.at(replica).as_user("ann");
        for path in ["/api/history", "/api/session/info", "/api/functions", "/api/runs/abc"] {
            ann.get(path).await.refused(401, "token_revoked");
        }
        ann.process("hello").await.refused(401, "token_revoked");
    }
    assert_eq!(turn.await.unwrap().ok()["state"], "killed");
    gate.open();
    assert_eq!(bed.upstream.log(), [""; 0]);
}

/// Scenario 12: the end is stored, and the answer to that is lost.
#[tokio::test]
async fn s12_an_end_whose_answer_is_lost_is_stored_once() {
    let bed = Bed::behind_a_wire(|_| {}).await;
    let ann = bed.as_user("ann").with("idempotency-key", "k-1");
    bed.llm.says("Noted: milk.");
    bed.wire().lose_reply_to("Noted: milk.");
    let first = ann.process("remember the milk").await;
    assert_eq!(first.message(), "Noted: milk.");
    assert!(bed.wire().has_lost_it());
    assert_eq!(ann.history().await, ["user: remember the milk", "assistant: Noted: milk."]);
    assert_eq!(bed.redis().command::<u64>("HGET", &[&bed.redis().key("s", "ann"), "ver"]), 1);
    assert_eq!(ann.process("remember the milk").await.body, first.body);
}

/// Scenario 29: the session is leased, and the answer to that is lost.
#[tokio::test]
async fn s29_a_beginning_whose_answer_is_lost_is_one_turn() {
    let bed = Bed::behind_a_wire(|_| {}).await;
    let ann = bed.as_user("ann").with("idempotency-key", "k-1");
    ann.get("/api/session/info").await.ok();
    bed.wire().lose_reply_to("remember the milk");
    let gate = bed.llm.says("Noted.").held();
    let again = async {
        gate.reached().await;
        assert!(bed.wire().has_lost_it());
        ann.process("remember the milk").await.refused(409, "turn_in_progress");
        gate.open();
    };
    let (turn, ()) = tokio::join!(ann.process("remember the milk"), again);
    assert_eq!(turn.message(), "Noted.");
    assert_eq!(ann.history().await, ["user: remember the milk", "assistant: Noted."]);
}

/// Scenario 30: clocks of replicas that are half a minute ahead and behind. What decides is the store's.
#[tokio::test]
async fn s30_clocks_of_replicas_decide_nothing() {
    let bed = Bed::with(On::Redis, |settings| settings.turns.lease_ms = LEASE_MS).await;
    let library = ["/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists())
        .expect("these tests need faketime (tests/run installs it)");
    let skewed = |by: &'static str| [("LD_PRELOAD", library), ("FAKETIME", by), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let mut ahead = Process::start(&bed.settings, &skewed("+30s")).await;
    let behind = Process::start(&bed.settings, &skewed("-30s")).await;
    let ann = bed.as_user("ann");
    bed.llm.says("Hello.");
    let first = ann.process("hi").await;
    // A turn of the one that is ahead: its lease is the store's, so the others wait for it.
    let gate = bed.llm.says("Never heard.").held();
    bed.llm.says("Four.").says("Five.");
    let fast = bed.through(&ahead.base).as_user("ann");
    let slow = bed.through(&behind.base).as_user("ann");
    let turn = fast.processing("two and two?");
    gate.reached().await;
    tokio::time::sleep(Duration::from_millis(LEASE_MS * 2)).await;
    slow.process("me too").await.refused(409, "turn_in_progress");
    ahead.kill();
    gate.open();
    assert!(turn.await.is_err(), "its client got no answer");
    until("another went on with it", async || ann.history().await.len() == 4).await;
    let last = slow.process("and one?").await;
    assert_eq!(last.message(), "Five.");
    assert_eq!(slow.history().await.len(), 6);
    let (first, last) = (first.ok()["run_id"].clone(), last.ok()["run_id"].clone());
    assert!(first.as_str() < last.as_str(), "ids of runs go by the store's time: {first}, {last}");
    drop(behind);
}

/// One replica that stays, and one that will be told to go down and may take so long; Ann, who asks at that one. The lease is so long that
/// nobody could wait for it.
async fn going_down(drain_ms: u64) -> (Bed, Process, Client) {
    let bed = Bed::with(On::Redis, |settings| {
        settings.turns.lease_ms = 60_000;
        settings.server.drain_ms = drain_ms;
    })
    .await;
    let process = Process::start(&bed.settings, &[]).await;
    let leaving = bed.through(&process.base).as_user("ann");
    leaving.token().await;
    (bed, process, leaving)
}

/// Scenario 24: SIGTERM with a turn that takes much longer than the process may.
#[tokio::test]
async fn s24_a_replica_that_goes_down_hands_its_turn_over_and_its_client_is_answered() {
    let (bed, mut process, leaving) = going_down(4000).await;
    let slow = bed.llm.says("Too slow.").held();
    let taken = bed.llm.says("In time.").held();
    let turn = leaving.processing("think long");
    slow.reached().await;
    process.terminate();
    taken.reached().await;
    // Going down is no crash: what is given back is not counted against the run.
    let tries: Option<String> = bed.redis().command("HGET", &[&bed.redis().key("s", "ann"), "try"]);
    assert_eq!(tries.as_deref(), Some("0"));
    taken.open();
    assert_eq!(turn.await.unwrap().message(), "In time.");
    slow.open();
    assert!(process.ended().await.success());
    assert_eq!(bed.as_user("ann").history().await, ["user: think long", "assistant: In time."]);
    let crashes: Option<String> = bed.redis().command("HGET", &[&bed.redis().key("s", "ann"), "try"]);
    assert_eq!(crashes, None);
}

#[tokio::test]
async fn a_change_that_is_out_is_awaited_before_a_turn_is_handed_over() {
    let (bed, mut process, leaving) = going_down(6000).await;
    bed.llm.calls([("createUser", new_user()), ("deleteUser", json!({"id": 1}))]).says("Both done.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let turn = leaving.processing("create Ann, delete 1");
    gate.reached().await;
    process.terminate();
    // The replica has begun to hand over by then, and still waits for the answer.
    tokio::time::sleep(Duration::from_millis(4500)).await;
    gate.open();
    assert_eq!(turn.await.unwrap().message(), "Both done.");
    assert!(process.ended().await.success());
    assert_eq!(bed.upstream.log(), ["POST /users", "DELETE /users/1"]);
}

/// Scenario 26: the operation of a plan is gone where it is gone on with.
#[tokio::test]
async fn s26_a_planned_call_of_an_operation_that_is_gone_is_not_sent() {
    let (bed, mut process) = scene().await;
    bed.llm.calls([("createUser", new_user()), ("deleteUser", json!({"id": 1}))]).says("Not all of it.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let doomed: Client = bed.through(&process.base).as_user("ann");
    doomed.token().await;
    let turn = doomed.processing("create Ann, delete 1");
    gate.reached().await;
    bed.upstream.describe_without("deleteUser");
    bed.as_admin().post("/api/admin/openapi/reload", json!({})).await.ok();
    process.kill();
    gate.open();
    assert!(turn.await.is_err(), "its client got no answer");
    let ann = bed.as_user("ann");
    until("another went on with it", async || ann.history().await.len() == 2).await;
    assert!(bed.llm.heard()[3].contains("was not sent"), "{:#?}", bed.llm.heard());
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}
