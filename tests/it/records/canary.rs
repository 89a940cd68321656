//! Nothing that is said, called or answered stands in the store in the clear.

use reqwest::Method;
use serde_json::{Value, json};

use super::{keyed, on_both_stores, sealed_under};
use crate::harness::{
    bed::{Bed, On},
    process::Process,
};

on_both_stores! {
    nothing_that_is_said_or_called_is_in_the_store_in_the_clear
    without_sealing_all_of_it_is
    what_waits_is_sealed_and_told_to_who_asks
}

/// In what is said, in what is called, in what the model says; the last comes back from the API alone.
const CANARIES: [&str; 4] = ["canary-said", "canary-called", "canary-answered", "ann@example.com"];

fn new_user(name: &str) -> Value {
    json!({"name": name, "email": format!("{name}@canary-called.example")})
}

/// Everything that a user can do, once. Returns what was told.
async fn everything(bed: &Bed) -> Vec<u8> {
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", new_user("a")), ("getUser", json!({"id": 1}))]).says("canary-answered: created");
    let mut told = keyed(ann.clone(), "k").process("canary-said: create a").await.body;
    assert_eq!(keyed(ann.clone(), "k").process("canary-said: create a").await.header("idempotency-replayed"), Some("true"));
    // Long enough to be kept, and read by the model once more.
    bed.llm.calls([("getUser", json!({"id": 200_000}))]).says("canary-answered: long");
    let long = ann.process("canary-said: long").await;
    let id = long.ok()["function_calls"][0]["result_id"].as_str().expect("it is kept").to_owned();
    told.extend(long.body);
    told.extend(ann.get(&format!("/api/results/{id}")).await.body);
    told.extend(ann.call("createUser", new_user("b")).await.body);
    told.extend(ann.call("getUsers", json!({})).await.body);
    told.extend(ann.get("/api/history").await.body);
    told
}

fn found(stored: &[u8]) -> Vec<&'static str> {
    CANARIES.into_iter().filter(|canary| stored.windows(canary.len()).any(|window| window == canary.as_bytes())).collect()
}

async fn nothing_that_is_said_or_called_is_in_the_store_in_the_clear(on: On) {
    let bed = Bed::with(on, sealed_under(&["a"])).await;
    let monitor = bed.redis.as_ref().map(crate::harness::redis::RedisServer::monitor);
    assert_eq!(found(&everything(&bed).await), CANARIES, "it is all told");
    assert_eq!(found(&bed.everything_stored()), [""; 0]);
    if let (Some(monitor), Some(redis)) = (monitor, &bed.redis) {
        let (seen, snapshot) = (monitor.seen(redis), redis.snapshot());
        assert!(String::from_utf8_lossy(&seen).contains("EVALSHA"), "it was listened to");
        assert!(snapshot.starts_with(b"REDIS"), "it is a snapshot");
        assert_eq!((found(&seen), found(&snapshot)), (vec![], vec![]));
    }
}

async fn without_sealing_all_of_it_is(on: On) {
    let bed = Bed::on(on).await;
    let monitor = bed.redis.as_ref().map(crate::harness::redis::RedisServer::monitor);
    everything(&bed).await;
    assert_eq!(found(&bed.everything_stored()), CANARIES, "or this test would find nothing");
    if let (Some(monitor), Some(redis)) = (monitor, &bed.redis) {
        assert_eq!((found(&monitor.seen(redis)), found(&redis.snapshot())), (CANARIES.to_vec(), CANARIES.to_vec()));
    }
}

async fn what_waits_is_sealed_and_told_to_who_asks(on: On) {
    let bed = Bed::with(on, sealed_under(&["a"])).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("canary-answered: one").held();
    let first = ann.processing("canary-said: one");
    gate.reached().await;
    let run = format!("/api/runs/{}", ann.begins("canary-said: two", "enqueue").await);
    let seen = async || {
        let seen = ann.get(&run).await.ok()["run"].clone();
        (seen["state"].as_str().unwrap().to_owned(), seen["message"].as_str().unwrap().to_owned(), seen["answer"].clone())
    };
    assert_eq!(seen().await, ("queued".to_owned(), "canary-said: two".to_owned(), Value::Null));
    assert_eq!(found(&bed.everything_stored()), [""; 0]);
    bed.llm.says("canary-answered: two");
    gate.open();
    first.await.expect("it ends").ok();
    crate::harness::until("the answer to what waited", async || seen().await.0 == "answered").await;
    assert_eq!(seen().await.2, "canary-answered: two");
    assert_eq!(ann.history().await.len(), 4);
    assert_eq!(found(&bed.everything_stored()), [""; 0]);
}

#[tokio::test]
async fn the_journal_of_a_replica_that_died_is_sealed_and_told() {
    let bed = Bed::with(On::Redis, |settings| {
        sealed_under(&["a"])(settings);
        settings.turns.lease_ms = 600;
    })
    .await;
    let key = swagger_api_agent::domain::base64::encode(&[b'a'; 32]);
    let sealing = [("SAA_STORE__SEALING_KEYS", &*format!("a:{key}")), ("SAA_STORE__SEAL_CONVERSATIONS", "true")];
    let mut process = Process::start(&bed.settings, &sealing).await;
    let monitor = bed.redis().monitor();
    bed.llm.calls([("createUser", new_user("a")), ("deleteUser", json!({"id": 1}))]);
    let doomed = bed.through(&process.base).as_user("ann");
    doomed.token().await;
    let gate = bed.upstream.hold(Method::POST, "/users");
    let asking = doomed.clone();
    let request = asking.processing("canary-said: create a");
    gate.reached().await;
    let journal: Vec<(String, Vec<u8>)> = bed.redis().command("HGETALL", &[&bed.redis().key("j", "ann")]);
    assert!(journal.len() >= 2, "{journal:?}");
    for (name, value) in &journal {
        assert!(value.starts_with(b"22\x01a"), "{name}: {value:?}");
    }
    process.kill();
    gate.open();
    assert!(request.await.is_err(), "its client got no answer");

    // Another replica goes on with it, from what the journal says.
    bed.llm.says("canary-answered: not known");
    let ann = bed.as_user("ann");
    crate::harness::until("the end of the turn", async || !ann.history().await.is_empty()).await;
    assert_eq!(ann.history().await, ["user: canary-said: create a", "assistant: canary-answered: not known"]);
    assert!(bed.llm.heard().join("\n").contains("createUser"), "the model was told what was called");
    assert_eq!((found(&bed.everything_stored()), found(&monitor.seen(bed.redis()))), (vec![], vec![]));
}

#[tokio::test]
async fn a_summary_is_sealed_under_the_key_of_its_session_and_costs_no_round_trip() {
    let bed = Bed::with(On::Redis, |settings| {
        sealed_under(&["a"])(settings);
        settings.turns.history_turns = 2;
    })
    .await;
    let ann = bed.as_user("ann");
    let monitor = bed.redis().monitor();
    bed.llm.says("canary-answered: one").says("canary-answered: two").says("They spoke of canary-called.");
    ann.process("canary-said: one").await.ok();
    ann.process("canary-said: two").await.ok();
    let key = bed.redis().key("s", "ann");
    let summary = || bed.redis().command::<Option<Vec<u8>>>("HGET", &[&key, "sum"]);
    crate::harness::until("the summary", async || summary().is_some()).await;
    assert!(summary().is_some_and(|record| record.starts_with(b"24")), "{:?}", summary());
    bed.llm.says("canary-answered: three").says("They spoke of canary-called, again.");
    bed.redis().command::<()>("CONFIG", &["RESETSTAT"]);
    ann.process("canary-said: three").await.ok();
    crate::harness::until("the next summary", async || bed.redis().command::<u64>("HGET", &[&key, "sl"]) == 1).await;
    assert!(bed.llm.asked()[4].to_string().contains("They spoke of canary-called."), "begin brought it, and it was opened");
    let stats: String = bed.redis().command("INFO", &["commandstats"]);
    let scripts = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).expect("a turn runs scripts");
    assert!(scripts.starts_with("cmdstat_evalsha:calls=3,"), "begin and commit, and the next summary afterwards: {scripts}");
    assert_eq!((found(&bed.everything_stored()), found(&monitor.seen(bed.redis()))), (vec![], vec![]));
}

#[tokio::test]
async fn sealing_costs_no_round_trip() {
    let bed = Bed::with(On::Redis, sealed_under(&["a"])).await;
    let ann = bed.as_user("ann");
    bed.llm.says("One.").says("Two.").says("Three.");
    ann.process("the first makes the session's key").await.ok();
    bed.redis().command::<()>("CONFIG", &["RESETSTAT"]);
    ann.process("two").await.ok();
    ann.process("three").await.ok();
    let stats: String = bed.redis().command("INFO", &["commandstats"]);
    let scripts = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).expect("a turn runs scripts");
    assert!(scripts.starts_with("cmdstat_evalsha:calls=4,"), "begin and commit, twice: {scripts}");
}
