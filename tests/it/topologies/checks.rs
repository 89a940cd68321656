//! How Redis is set up is told: to operators at the start and in the state of health, and where it breaks what was asked for, by no start.

use serde_json::json;
use swagger_api_agent::{
    app::App,
    settings::{Durability, Settings},
};

use crate::{
    harness::{bed::SIGNING_KEY, sentinels::with_replica, servers::Server},
    topologies::replicas,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_may_lose_something_is_told_of_in_both_languages() {
    let server = Server::start(&["--save", "", "--appendonly", "no", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let bed = replicas(&server.url(), 1, |_| {}).await;
    let ready = bed.nobody().get("/health/ready").await;
    assert_eq!(ready.status, 200, "it serves all the same");
    let told = ready.json()["store_warnings"].clone();
    assert_eq!(told[0]["code"], "redis_evicts");
    assert_eq!(told[0]["message"], "Redis drops users and sessions when its memory is full: set maxmemory-policy to noeviction");
    assert_eq!((&told[1]["code"], told.as_array().map(Vec::len)), (&json!("redis_append_only_off"), Some(2)));
    let health = bed.nobody().reading_chinese().get("/health").await.json();
    assert_eq!(health["store_warnings"][0]["message"], "Redis 内存占满时会丢弃用户和会话：请将 maxmemory-policy 设为 noeviction");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn durable_on_a_redis_that_drops_keys_is_no_start() {
    let server = Server::start(&["--save", "", "--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"]);
    let mut settings = Settings::builtin();
    settings.store.redis_url = Some(server.url().into());
    settings.store.durability = Durability::Durable;
    settings.auth.signing_key = Some(SIGNING_KEY.into());
    let told = Box::pin(App::build(settings)).await.err().expect("no start").to_string();
    assert!(told.starts_with("store.durability is durable, but Redis drops users and sessions"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn durable_with_its_replicas_is_content_once_redis_refuses_to_write_without_them() {
    let [primary, _replica] = with_replica();
    let durable = |settings: &mut Settings| settings.store.durability = Durability::Durable;
    let codes = async || {
        let bed = replicas(&primary.url(), 1, durable).await;
        let told = bed.nobody().get("/health/ready").await.json()["store_warnings"].clone();
        told.as_array().unwrap().iter().map(|warning| warning["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes().await, ["redis_min_replicas_unset"]);
    primary.command::<()>("CONFIG", &["SET", "min-replicas-to-write", "1"]);
    assert!(codes().await.is_empty());
}
