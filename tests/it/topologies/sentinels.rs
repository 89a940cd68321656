//! A primary with a replica, watched by Sentinels: it is demoted, it dies, and no replica of the service needs a restart.

use std::time::{Duration, Instant};

use swagger_api_agent::settings::{Durability, Settings};

use super::load::under_load;
use crate::{
    harness::{
        client::Client,
        sentinels::Sentinels,
        servers::{Server, free_port},
        until,
    },
    topologies::replicas,
};

/// The service writes to the new primary within this time.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// Scenario 15.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_demoted_without_closing_a_connection_is_left_by_every_replica() {
    let group = Sentinels::start();
    let bed = replicas(&group.url(), 3, |_| {}).await;
    bed.llm.says("Hello Ann.");
    bed.as_user("ann").process("I am Ann").await.ok();
    for replica in 0..3 {
        bed.at(replica).as_user("ann").get("/api/history").await.ok();
    }
    // One turn is in its middle.
    let gate = bed.llm.says("Hello Bob.").held();
    let bob = bed.at(1).as_user("bob");
    let turn = bob.processing("I am Bob");
    gate.reached().await;
    group.swap_roles();
    let since = Instant::now();
    for replica in 0..3 {
        let ann = bed.at(replica).as_user("ann");
        // Every visit writes: the rate is counted.
        until("a visit over the new primary", async || ann.get("/api/history").await.status == 200).await;
    }
    assert!(since.elapsed() <= BACK_WITHIN, "{:?}", since.elapsed());
    gate.open();
    turn.await.unwrap().ok();
    assert_eq!(bed.as_user("bob").history().await, ["user: I am Bob", "assistant: Hello Bob."]);
    bed.llm.says("Ann.");
    bed.as_user("ann").process("Who am I?").await.ok();
    assert_eq!(bed.llm.heard(), ["user: I am Ann", "assistant: Hello Ann.", "user: Who am I?"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_as_durable_is_there_after_a_failover_under_load() {
    let mut group = Sentinels::start();
    group.ask_who_it_is("watcher", "s3cret");
    let durable = |settings: &mut Settings| {
        settings.store.sentinel_username = Some("watcher".to_owned());
        settings.store.sentinel_password = Some("s3cret".into());
        settings.store.durability = Durability::Durable;
        settings.turns.lease_ms = 2000;
        settings.llm.url = None;
    };
    let bed = replicas(&group.url(), 2, durable).await;
    let users = ["ann", "bob", "cid", "dan"];
    let failing_over = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let promoted = group.servers[1].port.to_string();
        let before = bed.upstream.log().len();
        group.servers[0].stop();
        // One that changes its role may drop whoever asks just then.
        let told: fn(&Server) -> String = |server| server.try_command("INFO", &["replication"]).unwrap_or_default();
        until("a new primary", async || told(&group.servers[1]).contains("role:master")).await;
        tokio::task::block_in_place(|| group.servers[0].launch());
        // The Sentinels would do so too, after ten seconds.
        group.servers[0].command::<()>("REPLICAOF", &["127.0.0.1", &promoted]);
        until("a replica of the new primary", async || told(&group.servers[1]).contains("state=online")).await;
        let after = bed.upstream.log().len();
        tokio::time::sleep(Duration::from_millis(1000)).await;
        (before, after)
    };
    let (done, (before, after)) = under_load(&bed, &users, failing_over).await;
    // How many were refused meanwhile is luck: who asks while there is no primary waits for one, and may see it.
    assert!(before > 0 && done.calls > after, "calls before, until and after the failover: {before}, {after}, {done:?}");
    done.holds(&bed).await;
}

/// Scenario 14: the replica that takes over never had the newest turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s14_a_failover_that_loses_a_turn_is_told_to_whoever_knew_it() {
    let mut group = Sentinels::start();
    let bed = replicas(&group.url(), 2, |_| {}).await;
    let ann = bed.as_user("ann");
    bed.llm.says("One.").says("Two.");
    ann.process("one").await.ok();
    group.in_step();
    // It looks for its primary where nobody is; the Sentinels would put that right after ten seconds.
    group.servers[1].command::<()>("REPLICAOF", &["127.0.0.1", &free_port().to_string()]);
    let known = ann.process("two").await.header("etag").unwrap().to_owned();
    group.servers[0].stop();
    let knowing = |client: Client| client.with("if-match", &known);
    for replica in 0..2 {
        let ann = knowing(bed.at(replica).as_user("ann"));
        until("the new primary", async || ann.get("/api/history").await.status != 503).await;
        let refused = ann.process("three").await.refused(409, "state_rolled_back");
        assert_eq!(format!("\"{}\"", refused["yours"].as_str().unwrap()), known, "{refused:#}");
        assert_ne!(refused["stored"], refused["yours"]);
    }
    bed.llm.says("Three.");
    let third = ann.process("three").await;
    assert_eq!((third.status, third.header("state-rolled-back")), (200, Some(known.as_str())), "who knows nothing is told as well");
    let history = ann.get("/api/history").await;
    assert_eq!((history.status, history.header("state-rolled-back")), (200, None), "once");
    assert_eq!(bed.llm.heard(), ["user: one", "assistant: One.", "user: three"], "one conversation, whoever owned it before");
}

/// Scenario 16, under Sentinels.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_primary_dies_its_replica_takes_over_and_everybody_is_told_to_come_again_meanwhile() {
    let mut group = Sentinels::start();
    let bed = replicas(&group.url(), 2, |_| {}).await;
    bed.llm.says("Hello Ann.");
    bed.as_user("ann").process("I am Ann").await.ok();
    group.in_step();
    group.servers[0].stop();
    for replica in 0..2 {
        let ann = bed.at(replica).as_user("ann");
        until("a visit over the new primary", async || {
            let reply = ann.get("/api/history").await;
            if reply.status == 200 {
                return true;
            }
            reply.refused(503, "store_unavailable");
            assert!(reply.header("retry-after").is_some());
            false
        })
        .await;
    }
    bed.llm.says("Ann.");
    bed.at(1).as_user("ann").process("Who am I?").await.ok();
    assert_eq!(bed.llm.heard(), ["user: I am Ann", "assistant: Hello Ann.", "user: Who am I?"]);
}
