//! Those who follow a run when something goes away under it: the replica, the session, the right to come in.

use std::time::{Duration, Instant};

use serde_json::json;
use swagger_api_agent::store::contract::AccountChange;

use crate::harness::{
    bed::{Bed, On},
    events::names,
    process::{LEASE_MS, Process, scene},
};

/// Scenario 22: the replica that works dies while a client follows elsewhere.
#[tokio::test]
async fn s22_a_client_elsewhere_is_told_that_the_replica_died_and_how_it_goes_on() {
    let (bed, mut process) = scene().await;
    let gate = bed.llm.says_in_pieces(["Too ", "late."]).held_before_the_last_piece();
    bed.llm.says("In time.");
    let doomed = bed.through(&process.base).as_user("ann");
    let mut own = doomed.streams("hello").await;
    let run = own.expect("accepted").await.data["run_id"].as_str().unwrap().to_owned();
    gate.reached().await;
    let mut elsewhere = bed.as_user("ann").follows(&run, None).await;
    assert_eq!(names(&elsewhere.until("token").await), ["accepted", "token Too "]);
    process.kill();
    let died = Instant::now();
    elsewhere.expect("recovering").await;
    // Lease, sweep, and a machine that has other things to do.
    assert!(died.elapsed() < Duration::from_millis(LEASE_MS + 1000) * 2, "{:?}", died.elapsed());
    gate.open();
    assert_eq!(names(&elsewhere.rest().await), ["token In time.", "message", "done"]);
    assert_eq!(own.rest().await.iter().filter(|event| event.name == "done").count(), 0, "its own stream broke");
}

/// Scenario 24, as those see it who follow: a replica that is told to stop gives the run to another, and sends those away who follow it there.
#[tokio::test]
async fn s24_a_replica_that_stops_sends_its_followers_to_another() {
    let bed = Bed::on(On::Redis).await;
    let mut settings = bed.settings.clone();
    (settings.server.drain_notice_ms, settings.server.drain_ms) = (0, 1500);
    let mut process = Process::start(&settings, &[]).await;
    let gate = bed.llm.says("Too late.").held();
    bed.llm.says("In time.");
    let door = bed.through(&process.base).as_user("ann");
    let mut own = door.streams("hello").await;
    let accepted = own.expect("accepted").await;
    let run = accepted.data["run_id"].as_str().unwrap().to_owned();
    gate.reached().await;
    let mut elsewhere = bed.as_user("ann").follows(&run, None).await;
    elsewhere.expect("accepted").await;
    process.terminate();
    assert_eq!(own.rest().await, [], "no end is told that is none");
    assert_eq!(process.ended().await.code(), Some(0));
    gate.open();
    assert_eq!(names(&elsewhere.rest().await), ["recovering", "token In time.", "message", "done"]);
    let mut again = bed.as_user("ann").follows(&run, accepted.id.as_deref()).await;
    assert_eq!(names(&again.rest().await), ["recovering", "token In time.", "message", "done"]);
}

/// Scenario 9, as those see it who follow: an administrator ends the session.
#[tokio::test]
async fn s09_an_ended_session_ends_the_streams_of_its_run() {
    let bed = Bed::of_replicas(2).await;
    let gate = bed.llm.says("Too late.").held();
    let mut here = bed.at(0).as_user("ann").streams("hello").await;
    let run = here.expect("accepted").await.data["run_id"].as_str().unwrap().to_owned();
    gate.reached().await;
    let mut there = bed.at(1).as_user("ann").follows(&run, None).await;
    there.expect("accepted").await;
    let told = bed.as_admin().get("/api/admin/sessions/ann/keys").await.ok();
    assert!(told["keys"].as_array().unwrap().iter().any(|key| key["name"].as_str().unwrap().contains(":e:ann")), "{told:#}");
    let ended = Instant::now();
    bed.at(1).as_admin().delete("/api/admin/sessions/ann").await.ok();
    for stream in [&mut here, &mut there] {
        let error = stream.expect("error").await;
        assert_eq!((&error.data["state"], error.id.as_deref()), (&json!("killed"), Some("end")), "{error:?}");
        assert_eq!(stream.rest().await, [], "one end");
    }
    assert!(ended.elapsed() < Duration::from_secs(5), "{:?}", ended.elapsed());
    gate.open();
    let left = bed.redis().command::<Vec<String>>("KEYS", &["saa:*:e:ann*"]);
    assert_eq!(left, Vec::<String>::new(), "what happened in it is gone with it");
}

#[tokio::test]
async fn who_may_not_come_in_any_more_follows_nothing() {
    let mut bed = Bed::on(On::Redis).await;
    let gate = bed.llm.says("Hello.").held();
    let mut stream = bed.as_user("ann").streams("hello").await;
    stream.expect("accepted").await;
    gate.reached().await;
    let voided = Instant::now();
    bed.change_account("ann", AccountChange::Disabled(true)).await;
    let rest = stream.rest().await;
    let last = rest.last().unwrap();
    assert!(last.data["code"] == "token_revoked" || last.data["state"] == "killed", "{last:?}");
    assert!(voided.elapsed() < Duration::from_secs(4), "{:?}", voided.elapsed());
    gate.open();
}
