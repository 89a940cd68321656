//! Redis goes away and comes back; a replica is told to stop.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    bed::{Bed, On},
    client::{PASSWORD, Reply},
    process::Process,
    until,
    wire::Wire,
};

/// Whoever asks while Redis is away is told so within this time.
const TOLD_WITHIN: Duration = Duration::from_secs(1);
/// When Redis is back, so is the service, within this time.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// Everything that needs the store.
fn on_the_store() -> Vec<(Method, &'static str, Value)> {
    vec![
        (Method::POST, "/api/login", json!({"username": "ann", "password": PASSWORD})),
        (Method::POST, "/api/process", json!({"message": "hello"})),
        (Method::POST, "/api/call", json!({"function_name": "getUsers"})),
        (Method::POST, "/api/call", json!({"function_name": "createUser", "parameters": {"name": "A", "email": "e"}})),
        (Method::GET, "/api/functions", json!({})),
        (Method::GET, "/api/info", json!({})),
        (Method::GET, "/api/history", json!({})),
        (Method::DELETE, "/api/history", json!({})),
        (Method::GET, "/api/session/info", json!({})),
        (Method::POST, "/api/session/reset", json!({})),
        (Method::GET, "/api/admin/sessions", json!({})),
        (Method::GET, "/api/admin/sessions/ann/keys", json!({})),
        (Method::POST, "/api/admin/cleanup", json!({})),
    ]
}

async fn timed(ask: impl Future<Output = Reply>) -> (Reply, Duration) {
    let began = Instant::now();
    (ask.await, began.elapsed())
}

/// Redis is away in some way: everything that needs it says so soon, and the rest goes on.
async fn everything_says_so(bed: &Bed) {
    let one = async |(method, path, body): (Method, &'static str, Value)| {
        let who = if path.contains("admin") { bed.as_admin() } else { bed.as_user("ann") };
        let ask = async || timed(who.send(method.clone(), path, "application/json", body.to_string())).await;
        let (reply, mut took) = ask().await;
        reply.refused(503, "store_unavailable");
        assert!(reply.header("retry-after").is_some(), "{path}");
        if took > TOLD_WITHIN {
            // The machine may have been busy: twice is no accident.
            took = ask().await.1;
        }
        assert!(took <= TOLD_WITHIN, "{method} {path} took {took:?}");
    };
    join_all(on_the_store().into_iter().map(one)).await;
    assert_eq!(bed.nobody().get("/health/live").await.status, 200);
    let health = bed.nobody().get("/health").await;
    assert_eq!((health.status, &health.json()["status"]), (200, &json!("degraded")));
    assert_eq!(bed.upstream.log(), [""; 0], "nothing is sent without the session");
    assert!(bed.llm.asked().is_empty());
}

async fn is_ready(bed: &Bed) -> bool {
    bed.nobody().get("/health/ready").await.status == 200
}

async fn everything_is_back(bed: &Bed) {
    let began = Instant::now();
    for path in ["/api/functions", "/api/history", "/api/session/info"] {
        until(path, async || bed.as_user("ann").get(path).await.status == 200).await;
    }
    bed.llm.says("Back.");
    // A turn that was refused while Redis was silent may have begun there: the service gives the session back by itself.
    until("a turn", async || bed.as_user("ann").process("hello").await.status == 200).await;
    until("ready", async || is_ready(bed).await).await;
    let took = began.elapsed();
    assert!(took <= BACK_WITHIN, "it took {took:?}");
}

async fn with_accounts() -> Bed {
    let bed = Bed::behind_a_wire(|_| {}).await;
    bed.as_user("ann").get("/api/session/info").await.ok();
    bed.as_admin().token().await;
    bed
}

#[tokio::test]
async fn while_redis_refuses_everybody_is_told_soon_and_it_comes_back_by_itself() {
    let bed = with_accounts().await;
    bed.wire().cut();
    everything_says_so(&bed).await;
    until("not ready", async || !is_ready(&bed).await).await;
    bed.wire().mend();
    everything_is_back(&bed).await;
}

#[tokio::test]
async fn while_redis_is_silent_everybody_is_told_soon_and_it_comes_back_by_itself() {
    let bed = with_accounts().await;
    bed.wire().stall();
    everything_says_so(&bed).await;
    until("not ready", async || !is_ready(&bed).await).await;
    bed.wire().mend();
    everything_is_back(&bed).await;
}

#[tokio::test]
async fn one_lost_answer_is_no_outage() {
    let bed = with_accounts().await;
    bed.wire().cut();
    bed.as_user("ann").get("/api/history").await.refused(503, "store_unavailable");
    assert!(is_ready(&bed).await);
    bed.wire().mend();
    everything_is_back(&bed).await;
}

#[tokio::test]
async fn many_who_ask_for_its_health_do_not_queue_behind_a_silent_redis() {
    let bed = with_accounts().await;
    bed.wire().stall();
    let ask = || async { timed(bed.nobody().get("/health")).await };
    let answers = tokio::join!(ask(), ask(), ask(), ask(), ask());
    for (health, took) in [answers.0, answers.1, answers.2, answers.3, answers.4] {
        assert_eq!((health.status, &health.json()["status"]), (200, &json!("degraded")));
        assert!(took < TOLD_WITHIN * 2, "{took:?}");
    }
}

#[tokio::test]
async fn a_restart_of_redis_is_not_noticed() {
    let mut bed = Bed::on(On::Redis).await;
    bed.llm.says("Hello Ann.").says("Ann.");
    let ann = bed.as_user("ann");
    ann.process("I am Ann").await.ok();
    bed.redis.as_mut().unwrap().restart();
    ann.process("Who am I?").await.ok();
    assert_eq!(bed.llm.heard(), ["user: I am Ann", "assistant: Hello Ann.", "user: Who am I?"]);
}

#[tokio::test]
async fn a_turn_outlives_an_outage_in_its_middle() {
    let bed = with_accounts().await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("Still here.").held();
    let outage = async {
        gate.reached().await;
        bed.wire().cut();
        gate.open();
        // The end of the turn cannot be stored now.
        ann.get("/api/history").await.refused(503, "store_unavailable");
        bed.wire().mend();
    };
    let (turn, ()) = tokio::join!(ann.process("stay"), outage);
    assert_eq!(turn.message(), "Still here.");
    assert_eq!(ann.history().await, ["user: stay", "assistant: Still here."]);
}

/// A lease so short that the service gives up while Redis is away.
async fn with_a_short_lease() -> Bed {
    let bed = Bed::behind_a_wire(|settings| settings.turns.lease_ms = 300).await;
    bed.as_user("ann").get("/api/session/info").await.ok();
    bed
}

#[tokio::test]
async fn a_change_that_was_made_is_answered_even_if_it_cannot_be_stored() {
    let bed = with_a_short_lease().await;
    let ann = bed.as_user("ann");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let outage = async {
        gate.reached().await;
        bed.wire().cut();
        gate.open();
    };
    let (called, ()) = tokio::join!(ann.call("createUser", json!({"name": "A", "email": "e"})), outage);
    // 503 would say: come again.
    assert_eq!(called.header("answer-stored"), Some("false"));
    assert_eq!(called.ok()["api_response"]["status_code"], 201);
    bed.wire().mend();
    bed.llm.says("It is there.");
    until("the lease has lapsed", async || ann.process("did it work?").await.status == 200).await;
    assert_eq!(bed.llm.heard(), ["user: did it work?"], "its caller was told, so there is nothing to be told");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn a_turn_that_changed_something_is_answered_even_if_it_cannot_be_stored() {
    let bed = with_a_short_lease().await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", json!({"name": "A", "email": "e"}))]);
    let gate = bed.upstream.hold(Method::POST, "/users");
    let outage = async {
        gate.reached().await;
        bed.wire().cut();
    };
    // The call is never answered: the service gives it up together with its lease.
    let (turn, ()) = tokio::join!(ann.process("create A"), outage);
    assert_eq!((turn.header("answer-stored"), turn.header("etag")), (Some("false"), None));
    let message = turn.message();
    assert!(message.contains("store became unavailable") && message.contains("not known"), "{message}");
    gate.open();
    bed.wire().mend();
    bed.llm.says("It is not known.");
    until("the lease has lapsed", async || ann.process("did it work?").await.status == 200).await;
    let heard = bed.llm.heard();
    assert_eq!(heard[3], format!("assistant: {message}"), "the turn is stored as it was told: {heard:#?}");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn a_turn_that_waited_and_could_not_be_stored_is_stored_later_as_it_ended() {
    let bed = Bed::behind_a_wire(|settings| settings.turns.lease_ms = 1000).await;
    let ann = bed.as_user("ann");
    let first = bed.llm.says("One.").held();
    let one = ann.processing("one");
    first.reached().await;
    bed.llm.calls([("createUser", json!({"name": "A", "email": "e"}))]);
    let last = bed.llm.says("Two.").held();
    let two = ann.begins("two", "enqueue").await;
    first.open();
    assert_eq!(one.await.unwrap().message(), "One.");
    last.reached().await;
    // While the model thinks; before, the turn would be gone on with instead of ended.
    let run = format!("/api/runs/{two}");
    until("the result in the journal", async || ann.get(&run).await.json()["run"]["calls"][0]["state"] == "result").await;
    bed.wire().cut();
    last.open();
    // Longer than its end is tried to be stored.
    tokio::time::sleep(Duration::from_millis(1800)).await;
    bed.wire().mend();
    until("its end", async || ann.get(&run).await.json()["run"]["ended_at"].is_string()).await;
    assert_eq!(ann.history().await, ["user: one", "assistant: One.", "user: two", "assistant: Two."]);
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

/// A process beside the bed's own replica.
async fn process(bed: &Bed, notice_ms: u64, drain_ms: u64) -> Process {
    let mut settings = bed.settings.clone();
    (settings.server.drain_notice_ms, settings.server.drain_ms) = (notice_ms, drain_ms);
    Process::start(&settings, &[]).await
}

#[tokio::test]
async fn a_replica_that_is_told_to_stop_finishes_what_it_has_begun() {
    let bed = Bed::on(On::Redis).await;
    let mut process = process(&bed, 1000, 10_000).await;
    let door = bed.through(&process.base);
    let (ann, bob) = (door.as_user("ann"), door.as_user("bob"));
    bob.token().await;
    let gate = bed.llm.says("Finished.").held();
    let stopped = async {
        gate.reached().await;
        process.terminate();
        until("not ready", async || door.nobody().get("/health/ready").await.status == 503).await;
        // Load balancers have not noticed yet: what they still send is served like any other.
        bed.llm.says("Served.");
        assert_eq!(bob.process("am I too late?").await.message(), "Served.");
        bob.call("deleteUser", json!({"id": 3})).await.ok();
        gate.open();
    };
    let (turn, ()) = tokio::join!(ann.process("take your time"), stopped);
    assert_eq!(turn.message(), "Finished.");
    assert_eq!(process.ended().await.code(), Some(0));
    assert_eq!(bed.as_user("ann").history().await.len(), 2);
}

#[tokio::test]
async fn a_client_that_never_finishes_its_request_does_not_keep_a_replica_from_stopping() {
    let bed = Bed::on(On::Redis).await;
    let mut process = process(&bed, 0, 1000).await;
    let token = bed.as_user("ann").token().await.unwrap();
    let mut stuck = Wire::to(process.base.strip_prefix("http://").unwrap().parse().unwrap()).await;
    stuck.write(format!("POST /api/process HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{")).await;
    assert!(stuck.is_quiet_for(Duration::from_millis(100)).await, "it waits for the rest");
    let began = Instant::now();
    process.terminate();
    assert_eq!(process.ended().await.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let bed = Bed::with(On::Redis, |settings| settings.turns.lease_ms = 500).await;
    let mut process = process(&bed, 0, 60_000).await;
    let doomed = bed.through(&process.base).as_user("ann");
    doomed.token().await;
    let gate = bed.llm.says("Too late.").held();
    let turn = doomed.processing("take your time");
    gate.reached().await;
    process.terminate();
    until("no more connections", async || Wire::refused(&process.base).await).await;
    process.terminate();
    assert_eq!(process.ended().await.code(), Some(130));
    assert!(turn.await.is_err(), "its client got no answer");
}
