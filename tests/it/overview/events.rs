//! What begins and ends, watched from another replica than the one where it does.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use swagger_api_agent::domain::limits::WATCHERS_MAX;

use crate::{
    contract::on_both_stores,
    harness::{
        bed::{Bed, On},
        client::Client,
        events::{Event, Events},
        process::Process,
    },
};

on_both_stores! {
    an_administrator_sees_sessions_and_turns_begin_and_end
    only_so_many_watch_at_once
    who_may_not_watch_any_more_is_sent_off_within_two_seconds
}

async fn watches(client: &Client, last: Option<&str>) -> Events {
    client.streams_from("/api/admin/events", last).await
}

/// The next event that is no mark of how far all was told.
async fn next(events: &mut Events) -> Event {
    loop {
        let event = events.next().await.expect("an event");
        if event.name != "until" {
            return event;
        }
    }
}

fn told(event: &Event) -> (&str, &Value, &Value) {
    (&event.name, &event.data["user_id"], &event.data["run_id"])
}

async fn an_administrator_sees_sessions_and_turns_begin_and_end(on: On) {
    let bed = Bed::replicas(on, if on == On::Redis { 2 } else { 1 }, |_| {}).await;
    let (watcher, worker) = (bed.at(0).as_admin(), bed.at(bed.count() - 1));
    worker.as_user("ann").token().await;
    let mut events = watches(&watcher, None).await;
    assert_eq!(events.expect("watching").await.data["missed"], false);
    bed.llm.says("Hello.");
    let answer = worker.as_user("ann").process("hello").await.ok();
    let (ann, run) = (json!("ann"), &answer["run_id"]);
    let begun = next(&mut events).await;
    assert_eq!((begun.name.as_str(), &begun.data["user_id"]), ("session_begun", &ann));
    let session = begun.data["session_id"].clone();
    let begun = next(&mut events).await;
    assert_eq!((told(&begun), &begun.data["session_id"]), (("turn_begun", &ann, run), &session));
    assert_eq!(begun.data["holder"], bed.app(bed.count() - 1).replica());
    let ended = next(&mut events).await;
    assert_eq!((told(&ended), &ended.data["outcome"], &ended.data["error"]), (("turn_ended", &ann, run), &json!("answered"), &Value::Null));
    // One that is killed, with its session.
    let gate = bed.llm.says("Too late.").held();
    let waiting = worker.as_user("ann").processing("wait");
    gate.reached().await;
    let second = next(&mut events).await.data["run_id"].clone();
    bed.as_admin().delete("/api/admin/sessions/ann").await.ok();
    let ended = next(&mut events).await;
    assert_eq!((told(&ended), &ended.data["outcome"]), (("turn_ended", &ann, &second), &json!("killed")));
    let ended = next(&mut events).await;
    assert_eq!((ended.name.as_str(), &ended.data["session_id"], &ended.data["why"]), ("session_ended", &session, &json!("administrator")));
    drop(waiting.await.unwrap());
    gate.open();
}

#[tokio::test]
async fn a_stream_that_broke_off_is_taken_up_at_another_replica_without_a_gap() {
    let bed = Bed::of_replicas(2).await;
    bed.as_user("ann").token().await;
    let mut events = watches(&bed.at(0).as_admin(), None).await;
    let watching = events.expect("watching").await;
    bed.llm.says("One.").says("Two.");
    let one = bed.as_user("ann").process("one").await.ok();
    let until = events.until("until").await;
    let last = until.last().unwrap().id.clone().unwrap();
    assert!(until.iter().any(|event| event.data["run_id"] == one["run_id"] && event.name == "turn_begun"), "{until:#?}");
    drop(events);
    let two = bed.as_user("ann").process("two").await.ok();
    for (from, runs) in [(last.clone(), vec![&two]), (watching.id.unwrap(), vec![&one, &two])] {
        let mut again = watches(&bed.at(1).as_admin(), Some(&from)).await;
        assert_eq!(again.expect("watching").await.data["missed"], false);
        let mut ended: Vec<Value> = Vec::new();
        while ended.len() < runs.len() {
            let event = next(&mut again).await;
            if event.name == "turn_ended" && (from != last || event.data["run_id"] != one["run_id"]) {
                ended.push(event.data["run_id"].clone());
            }
        }
        assert_eq!(ended, runs.iter().map(|answer| answer["run_id"].clone()).collect::<Vec<_>>());
    }
    for unknown in ["5", "moon"] {
        let mut again = watches(&bed.at(1).as_admin(), Some(unknown)).await;
        assert_eq!(again.expect("watching").await.data["missed"], true, "{unknown}");
    }
}

#[tokio::test]
async fn replicas_are_seen_to_come_and_go() {
    let bed = Bed::on(On::Redis).await;
    let mut events = watches(&bed.as_admin(), None).await;
    events.expect("watching").await;
    let mut process = Process::start(&bed.settings, &[("SAA_SERVER__DRAIN_NOTICE_MS", "1500")]).await;
    let came = next(&mut events).await;
    assert_eq!((came.name.as_str(), &came.data["replica"]["draining"]), ("replica_came", &json!(false)));
    process.terminate();
    let draining = next(&mut events).await;
    assert_eq!((draining.name.as_str(), &draining.data["replica"]["id"]), ("replica_draining", &came.data["replica"]["id"]));
    let gone = next(&mut events).await;
    assert_eq!((gone.name.as_str(), &gone.data["id"]), ("replica_gone", &came.data["replica"]["id"]));
    process.ended().await;
}

#[tokio::test]
async fn while_nobody_watches_nothing_is_written_down() {
    let bed = Bed::on(On::Redis).await;
    bed.llm.says("One.").says("Two.");
    bed.as_user("ann").process("one").await.ok();
    let streams = || {
        bed.redis()
            .keys()
            .into_iter()
            .filter(|(_, kind, _)| kind == "stream")
            .map(|(key, ..)| key)
            .filter(|key| key.ends_with(":c"))
            .count()
    };
    assert_eq!(streams(), 0);
    let mut events = watches(&bed.as_admin(), None).await;
    events.expect("watching").await;
    bed.as_user("ann").process("two").await.ok();
    assert_eq!(streams(), 1);
    assert!(bed.redis().keys().iter().all(|(key, _, ttl)| !(key.ends_with(":c") || key.ends_with(":w")) || (1..=60_000).contains(ttl)));
}

async fn only_so_many_watch_at_once(on: On) {
    let bed = Bed::on(on).await;
    let admin = bed.as_admin();
    let mut open = Vec::new();
    for _ in 0..WATCHERS_MAX {
        open.push(watches(&admin, None).await);
    }
    admin.get("/api/admin/events").await.refused(503, "too_many_watchers");
    bed.as_user("ann").get("/api/admin/events").await.refused(403, "not_admin");
}

async fn who_may_not_watch_any_more_is_sent_off_within_two_seconds(on: On) {
    let bed = Bed::on(on).await;
    bed.as_admin().post("/api/admin/users", json!({"username": "eve", "password": "correct horse battery", "role": "admin"})).await;
    let mut events = watches(&bed.as_user("eve"), None).await;
    events.expect("watching").await;
    bed.as_admin()
        .send(reqwest::Method::PATCH, "/api/admin/users/eve", "application/json", json!({"disabled": true}).to_string())
        .await
        .ok();
    let since = Instant::now();
    let over = events.until("over").await.pop().unwrap();
    assert_eq!(over.data["code"], "token_revoked", "{over:?}");
    assert_eq!(events.rest().await, []);
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
}
