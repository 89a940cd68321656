//! One Redis under load: it forgets its scripts, it restarts, it is gone for a while.

use std::time::{Duration, Instant};

use super::load::under_load;
use crate::{
    harness::{servers::Server, until},
    topologies::replicas,
};

const KEPT: [&str; 6] = ["--save", "", "--appendonly", "yes", "--appendfsync", "no"];
const USERS: [&str; 4] = ["ann", "bob", "cid", "dan"];

/// Scenario 13.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_are_flushed_again_and_again_cost_nobody_an_answer() {
    let server = Server::start(&KEPT);
    let bed = replicas(&server.url(), 2, |settings| settings.llm.url = None).await;
    let flushing = async {
        let mut connection = server.connection();
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(25)).await;
            crate::harness::redis::run::<()>(&mut connection, "SCRIPT", &["FLUSH"]);
        }
    };
    let (done, ()) = under_load(&bed, &USERS, flushing).await;
    assert_eq!(done.refused, 0, "{done:?}");
    done.holds(&bed).await;
}

/// Scenario 13: Redis comes back without any script.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_under_load_loses_and_doubles_nothing() {
    let mut server = Server::start(&KEPT);
    let bed = replicas(&server.url(), 2, |settings| settings.llm.url = None).await;
    let restarting = async {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(400)).await;
            tokio::task::block_in_place(|| {
                server.stop();
                server.launch();
            });
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
    };
    let (done, ()) = under_load(&bed, &USERS, restarting).await;
    done.was_told_soon();
    done.holds(&bed).await;
}

/// Scenario 16.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_gone_everybody_is_told_soon_and_then_all_goes_on() {
    let mut server = Server::start(&KEPT);
    let bed = replicas(&server.url(), 2, |settings| settings.llm.url = None).await;
    let going = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.stop();
        until("not ready", async || bed.nobody().get("/health/ready").await.status == 503).await;
        // Longer than a call is patient: by now nobody is made to wait at all.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let since = Instant::now();
        bed.as_user("ann").process("hello").await.refused(503, "store_unavailable");
        let took = since.elapsed();
        tokio::task::block_in_place(|| server.launch());
        until("ready", async || bed.nobody().get("/health/ready").await.status == 200).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        took
    };
    let (done, took) = under_load(&bed, &USERS, going).await;
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert!(done.refused > 0, "{done:?}");
    done.was_told_soon();
    done.holds(&bed).await;
}
