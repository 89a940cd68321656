//! Logging out: at the next request, at every replica, in open streams, and for what still runs.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::{Login, comes_in, on_both_stores};
use crate::harness::{
    bed::{Bed, On},
    until,
};

on_both_stores! {
    a_logout_ends_this_login_and_no_other
    a_logout_everywhere_ends_all_logins_of_the_user
    a_logout_stops_the_running_turn_and_what_waits
    a_logout_may_leave_the_turn_running
    a_logout_is_told_what_is_wrong_with_its_body
    an_open_stream_of_somebody_who_left_is_closed_with_the_reason
}

/// An open stream is closed within this time; the machine that tests run on may be slow.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);

async fn a_logout_ends_this_login_and_no_other(on: On) {
    let bed = Bed::on(on).await;
    let (one, other) = (Login::new(&bed, "ann").await, Login::new(&bed, "ann").await);
    let next = Login::of(&one.refreshes(&bed, 0).await.ok());
    // Without a body, as most clients will.
    let told = next.at(&bed, 0).send(Method::POST, "/api/logout", "application/json", "").await.ok();
    assert_eq!((&told["user_id"], &told["stopped_run"], &told["cancelled_waiting"]), (&json!("ann"), &json!(null), &json!(0)));
    assert!(!comes_in(&bed, 0, &next.token).await && !comes_in(&bed, 0, &one.token).await, "all tokens of this login are out");
    next.refreshes(&bed, 0).await.refused(401, "refresh_token_invalid");
    assert!(comes_in(&bed, 0, &other.token).await);
    other.refreshes(&bed, 0).await.ok();
    next.at(&bed, 0).post("/api/logout", json!({})).await.refused(401, "token_revoked");
}

async fn a_logout_everywhere_ends_all_logins_of_the_user(on: On) {
    let bed = Bed::on(on).await;
    let (one, other, bob) = (Login::new(&bed, "ann").await, Login::new(&bed, "ann").await, Login::new(&bed, "bob").await);
    one.at(&bed, 0).post("/api/logout/all", json!({})).await.ok();
    for login in [&one, &other] {
        assert!(!comes_in(&bed, 0, &login.token).await);
        login.refreshes(&bed, 0).await.refused(401, "refresh_token_invalid");
    }
    assert!(comes_in(&bed, 0, &bob.token).await);
    let again = Login::new(&bed, "ann").await;
    assert!(comes_in(&bed, 0, &again.token).await, "who logs in again is in again");
}

async fn a_logout_stops_the_running_turn_and_what_waits(on: On) {
    for path in ["/api/logout", "/api/logout/all"] {
        let bed = Bed::on(on).await;
        let (here, elsewhere) = (Login::new(&bed, "ann").await, Login::new(&bed, "ann").await);
        let gate = bed.llm.says("Too late.").held();
        let run = here.at(&bed, 0).begins("hello", "reject").await;
        gate.reached().await;
        let waiting = here.at(&bed, 0).begins("and then", "enqueue").await;
        let told = elsewhere.at(&bed, 0).post(path, json!({})).await.ok();
        assert_eq!((&told["stopped_run"], &told["cancelled_waiting"]), (&json!(run), &json!(1)), "{path}");
        let login = Login::new(&bed, "ann").await;
        let looked = async |run: &str| login.at(&bed, 0).get(&format!("/api/runs/{run}")).await.ok()["run"]["state"].clone();
        until("the run has stopped", async || looked(&run).await == "cancelled").await;
        assert_eq!(looked(&waiting).await, "cancelled");
        gate.open();
        assert_eq!(bed.llm.asked().len(), 1, "what waited never began");
    }
}

async fn a_logout_may_leave_the_turn_running(on: On) {
    let bed = Bed::on(on).await;
    let (here, elsewhere) = (Login::new(&bed, "ann").await, Login::new(&bed, "ann").await);
    let gate = bed.llm.says("In time.").held();
    let run = here.at(&bed, 0).begins("hello", "reject").await;
    gate.reached().await;
    let told = here.at(&bed, 0).post("/api/logout", json!({"stop_turns": false})).await.ok();
    assert_eq!(told["stopped_run"], json!(null));
    assert!(!comes_in(&bed, 0, &here.token).await);
    gate.open();
    let path = format!("/api/runs/{run}");
    until("the run has its answer", async || elsewhere.at(&bed, 0).get(&path).await.ok()["run"]["answer"] == "In time.").await;
}

async fn a_logout_is_told_what_is_wrong_with_its_body(on: On) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    let refused = login.at(&bed, 0).post("/api/logout", json!({"stop_turns": "no"})).await.refused(400, "invalid_body");
    assert_eq!(refused["problems"], json!(["stop_turns is a text; true or false is needed"]));
    assert!(comes_in(&bed, 0, &login.token).await, "nothing was ended");
}

async fn an_open_stream_of_somebody_who_left_is_closed_with_the_reason(on: On) {
    for (path, body) in [("/api/logout", json!({"stop_turns": false})), ("/api/logout", json!({})), ("/api/logout/all", json!({}))] {
        let bed = Bed::on(on).await;
        let login = Login::new(&bed, "ann").await;
        let gate = bed.llm.says("Hello.").held();
        let mut stream = bed.as_user("ann").streams("hello").await;
        let run = stream.expect("accepted").await.data["run_id"].as_str().unwrap().to_owned();
        gate.reached().await;
        let mut own = login.at(&bed, 0).follows(&run, None).await;
        own.expect("accepted").await;
        let left = Instant::now();
        login.at(&bed, 0).post(path, body.clone()).await.ok();
        let error = own.expect("error").await;
        let took = left.elapsed();
        assert_eq!((&error.data["code"], error.id.as_deref()), (&json!("token_revoked"), Some("end")), "{path} {body}");
        assert_eq!(own.rest().await, [], "it is the end");
        assert!(took < CLOSED_WITHIN, "{path} {body}: {took:?}");
        gate.open();
    }
}

#[tokio::test]
async fn a_logout_holds_at_every_replica_at_once_and_closes_streams_there() {
    let bed = Bed::of_replicas(3).await;
    let (login, other) = (Login::new(&bed, "ann").await, Login::new(&bed, "ann").await);
    let gate = bed.llm.says("Hello.").held();
    let run = other.at(&bed, 0).begins("hello", "reject").await;
    gate.reached().await;
    let mut streams = Vec::new();
    for replica in 0..3 {
        streams.push(login.at(&bed, replica).follows(&run, None).await);
    }
    let left = Instant::now();
    login.at(&bed, 1).post("/api/logout", json!({"stop_turns": false})).await.ok();
    for replica in 0..3 {
        assert!(!comes_in(&bed, replica, &login.token).await, "at replica {replica}");
        assert!(comes_in(&bed, replica, &other.token).await, "at replica {replica}");
    }
    for stream in &mut streams {
        let last = stream.rest().await.pop().expect("an end");
        assert_eq!((last.name.as_str(), &last.data["code"]), ("error", &json!("token_revoked")), "{last:?}");
    }
    assert!(left.elapsed() < CLOSED_WITHIN, "{:?}", left.elapsed());
    gate.open();
}
