//! What a turn relies on is on a replica before anything is done about it, or nothing is.

use std::time::Duration;

use serde_json::json;
use swagger_api_agent::settings::{Durability, Settings};

use crate::{
    harness::{bed::Bed, sentinels::with_replica, servers::Server, until},
    topologies::replicas,
};

fn durably(settings: &mut Settings) {
    settings.store.durability = Durability::Durable;
    settings.turns.lease_ms = 2000;
}

async fn bed() -> (Bed, [Server; 2]) {
    let servers = with_replica();
    (replicas(&servers[0].url(), 1, durably).await, servers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_on_the_replica() {
    let (bed, [mut primary, replica]) = bed().await;
    bed.llm.says("Hello Ann.");
    bed.as_user("ann").process("I am Ann").await.ok();
    primary.stop();
    replica.command::<()>("REPLICAOF", &["NO", "ONE"]);
    let after = replicas(&replica.url(), 1, |_| {}).await;
    assert_eq!(after.as_user("ann").history().await, bed_said());
}

fn bed_said() -> Vec<String> {
    vec!["user: I am Ann".to_owned(), "assistant: Hello Ann.".to_owned()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_no_replica_has_is_not_begun() {
    let (bed, [_primary, replica]) = bed().await;
    let ann = bed.as_user("ann");
    ann.get("/api/history").await.ok();
    replica.pause();
    let refused = ann.process("create a user").await;
    refused.refused(503, "storage_not_durable");
    assert_eq!(refused.header("retry-after"), Some("1"));
    let call = ann.call("createUser", json!({"name": "A", "email": "e"})).await;
    call.refused(503, "storage_not_durable");
    assert!(bed.llm.asked().is_empty(), "nobody plans a turn that may be lost");
    assert_eq!(bed.upstream.log(), [""; 0]);
    ann.get("/api/history").await.ok();
    replica.resume();
    bed.llm.says("Hello.");
    // What fell short was begun all the same; it is given back by itself.
    until("the session is free", async || ann.process("hello").await.status == 200).await;
    assert_eq!(ann.history().await, ["user: hello", "assistant: Hello."]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_marker_no_replica_has_is_not_sent() {
    let (bed, [_primary, replica]) = bed().await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.calls([("createUser", json!({"name": "A", "email": "e"}))]).held();
    let turn = async { ann.process("create a user").await };
    let meanwhile = async {
        gate.reached().await;
        replica.pause();
        gate.open();
    };
    let (answer, ()) = tokio::join!(turn, meanwhile);
    answer.refused(503, "storage_not_durable");
    assert_eq!(bed.upstream.log(), [""; 0], "a call left before its marker was safe");
    replica.resume();
    bed.llm.says("Hello.");
    until("the session is free", async || ann.process("hello").await.status == 200).await;
    assert_eq!(ann.history().await, ["user: hello", "assistant: Hello."], "nothing is told of a call that was not sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_no_replica_has_yet_waits_for_one() {
    let (bed, [_primary, replica]) = bed().await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("Hello Ann.").held();
    let turn = async { ann.process("I am Ann").await };
    let meanwhile = async {
        gate.reached().await;
        replica.pause();
        gate.open();
        tokio::time::sleep(Duration::from_millis(600)).await;
        replica.resume();
    };
    let (answer, ()) = tokio::join!(turn, meanwhile);
    answer.ok();
    assert_eq!(ann.history().await, bed_said());
    let (here, there) = (bed_said(), replica.command::<Vec<String>>("KEYS", &["saa:*:h:ann:main"]));
    assert_eq!(replica.command::<usize>("LLEN", &[&there[0]]) * 2, here.len(), "once, and on the replica");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_wants_more_replicas_than_there_are_refuses_and_nothing_is_done() {
    let (bed, [primary, _replica]) = bed().await;
    let ann = bed.as_user("ann");
    ann.get("/api/history").await.ok();
    primary.command::<()>("CONFIG", &["SET", "min-replicas-to-write", "2"]);
    ann.process("hello").await.refused(503, "storage_not_durable");
    primary.command::<()>("CONFIG", &["SET", "min-replicas-to-write", "1"]);
    bed.llm.says("Hello.");
    ann.process("hello").await.ok();
}
