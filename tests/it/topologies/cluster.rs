//! The service on a Cluster of three primaries: everything works, and slots may move under it.

use std::time::Duration;

use serde_json::json;
use swagger_api_agent::settings::Durability;

use super::load::under_load;
use crate::{harness::cluster::Cluster, topologies::replicas};

/// Scenario 25.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_flow_works_on_a_cluster_and_names_no_two_slots_at_once() {
    let cluster = Cluster::start();
    let bed = replicas(&cluster.url(), 2, |_| {}).await;
    for user in ["ann", "bob", "cid", "dan"] {
        bed.llm.says("Hello.");
        bed.at(1).as_user(user).process(&format!("I am {user}")).await.ok();
        assert_eq!(bed.as_user(user).history().await, [format!("user: I am {user}"), "assistant: Hello.".to_owned()]);
    }
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", json!({"name": "A", "email": "e"}))]).says("Done.");
    ann.process("create A").await.ok();
    ann.call("createUser", json!({"name": "B", "email": "e"})).await.ok();
    assert_eq!(bed.upstream.log(), ["POST /users"; 2]);
    let listed = bed.as_admin().get("/api/admin/sessions").await.ok();
    assert_eq!(listed["sessions_info"]["sessions"].as_object().map(serde_json::Map::len), Some(4));
    bed.as_admin().get("/api/admin/sessions/ann/keys").await.ok();
    bed.as_admin().post("/api/admin/cleanup", json!({})).await.ok();
    ann.delete("/api/history").await.ok();
    ann.post("/api/session/reset", json!({})).await.ok();
    assert!(ann.history().await.is_empty());
    // Durable asks the node that has the key, and none of these has a replica.
    let durable = replicas(&cluster.url(), 1, |settings| settings.store.durability = Durability::Durable).await;
    durable.as_admin().process("hello").await.refused(503, "storage_not_durable");
    for errors in cluster.everywhere::<String>("INFO", &["errorstats"]) {
        assert!(!errors.contains("CROSSSLOT"), "{errors}");
    }
}

/// Scenario 25: slots move under load.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_bucket_moves_from_node_to_node_and_no_turn_is_lost_or_doubled() {
    let cluster = Cluster::start();
    let bed = replicas(&cluster.url(), 2, |settings| settings.llm.url = None).await;
    // All of one bucket.
    let users = ["p74", "p81", "p113", "p198", "p217"];
    bed.as_user("p74").token().await;
    let account = cluster.key("u", "p74");
    let slot: u16 = cluster.command("CLUSTER", &["KEYSLOT", &account]);
    let moving = async {
        let mut moved = 0;
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            moved += tokio::task::block_in_place(|| {
                let (from, to) = cluster.owner_of(slot);
                cluster.migrate(slot, from, to)
            });
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        moved
    };
    let (done, moved) = under_load(&bed, &users, moving).await;
    assert!(moved > 40, "{moved} keys moved");
    assert!(done.turns.iter().all(|(_, turns)| *turns > 3), "{done:?}");
    done.holds(&bed).await;
}
