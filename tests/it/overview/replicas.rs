//! Which replicas there are: those that serve, those that go, and not those that died.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    contract::on_both_stores,
    harness::{
        bed::{Bed, On},
        process::Process,
        shape::has,
        until,
    },
};

on_both_stores! {
    a_replica_says_that_it_is_there
}

async fn replicas(bed: &Bed) -> Vec<Value> {
    bed.as_admin().get("/api/admin/replicas").await.ok()["replicas"].as_array().unwrap().clone()
}

async fn a_replica_says_that_it_is_there(on: On) {
    let bed = Bed::on(on).await;
    let told = replicas(&bed).await;
    let [own] = told.as_slice() else { panic!("{told:#?}") };
    has(
        own,
        "id:text version:text address:text started_at:time seen_at:time draining:bool turns_in_flight:count streams:count memory_bytes:count?",
    );
    assert_eq!((&own["id"], &own["draining"]), (&json!(bed.app(0).replica()), &json!(false)));
    assert_eq!(
        (own["address"].as_str(), own["version"].as_str()),
        (Some(bed.address().to_string().as_str()), Some(env!("CARGO_PKG_VERSION")))
    );
    bed.as_user("ann").get("/api/admin/replicas").await.refused(403, "not_admin");
    // It says so at once that it goes down, while it still serves.
    bed.app(0).drain();
    until("a replica that goes down", async || bed.app(0).is_draining() && replicas(&bed).await[0]["draining"] == true).await;
}

#[tokio::test]
async fn one_that_goes_is_gone_and_one_that_died_is_soon() {
    let bed = Bed::of_replicas(2).await;
    let mut leaving = Process::start(&bed.settings, &[]).await;
    let mut dying = Process::start(&bed.settings, &[]).await;
    assert_eq!(replicas(&bed).await.len(), 4);
    let went = Instant::now();
    leaving.terminate();
    assert_eq!(leaving.ended().await.code(), Some(0));
    assert_eq!(replicas(&bed).await.len(), 3, "it took its leave");
    dying.kill();
    // Its record lasts 15 s, of which up to 5 are over.
    until("a replica that is not told of any more", async || {
        // Administrators have a rate too.
        tokio::time::sleep(Duration::from_millis(200)).await;
        replicas(&bed).await.len() == 2
    })
    .await;
    assert!((Duration::from_secs(5)..Duration::from_secs(25)).contains(&went.elapsed()), "{:?}", went.elapsed());
    let ids: Vec<Value> = replicas(&bed).await.iter().map(|replica| replica["id"].clone()).collect();
    assert!((0..2).all(|at| ids.contains(&json!(bed.app(at).replica()))), "{ids:?}");
}
