//! Redis over TLS that asks for certificates, and lets the service do what it needs and no more.

use std::{collections::HashMap, path::Path};

use redis::{ClientTlsConfig, TlsCertificates};
use serde_json::{Value, json};
use swagger_api_agent::settings::Settings;

use crate::{
    harness::{
        bed::Bed,
        certificates,
        client::{Client, PASSWORD},
        servers::Server,
        until,
    },
    topologies::replicas,
};

/// Makes an authority, a server's certificate for the loopback, and a client's.
pub fn certified(directory: &Path) {
    certificates::authority(directory);
    ["server", "client"].into_iter().for_each(|who| certificates::signed(directory, who, 2));
}

fn shown(directory: &Path) -> TlsCertificates {
    let read = |name: &str| std::fs::read(directory.join(name)).unwrap();
    let client_tls = Some(ClientTlsConfig { client_cert: read("client.pem"), client_key: read("client.key") });
    TlsCertificates { client_tls, root_cert: Some(read("ca.pem")) }
}

/// A Redis with the users of deploy/redis-users.conf, and one of the test's own.
pub fn server(directory: &Path) -> Server {
    let users = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/redis-users.conf")).unwrap();
    let users = users.replace("change-me-agent", "p%40ss").replace("change-me-replication", "other");
    let lines: Vec<String> = users.lines().filter(|line| line.starts_with("user ")).map(|line| format!("file:{line}")).collect();
    let path = |name: &str| directory.join(name).display().to_string();
    let (certificate, key, authority) = (path("server.pem"), path("server.key"), path("ca.pem"));
    let mut arguments = vec!["file:user test on >test ~* &* +@all", "--save", "", "--appendonly", "yes", "--appendfsync", "no"];
    arguments.extend(lines.iter().map(String::as_str));
    arguments.extend(["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &authority]);
    Server::sealed(&arguments, "test:test@", shown(directory))
}

fn with_certificates(directory: &Path) -> impl FnOnce(&mut Settings) {
    let path = |name: &str| Some(directory.join(name));
    let (ca, certificate, key) = (path("ca.pem"), path("client.pem"), path("client.key"));
    |settings| {
        settings.store.tls_ca_file = ca;
        settings.store.tls_cert_file = certificate;
        settings.store.tls_key_file = key;
    }
}

/// Turns that wait, interrupt, are cancelled and looked at: what their scripts call is on the list as well.
async fn everything_that_runs_may_come_to(bed: &Bed, ann: &Client) {
    let begun = async |message: &str, on_busy: &str| format!("/api/runs/{}", ann.begins(message, on_busy).await);
    let gate = bed.llm.says("Never heard.").held();
    begun("one", "reject").await;
    gate.reached().await;
    let cancelled = begun("two", "enqueue").await;
    ann.post(&format!("{cancelled}/cancel"), json!({})).await.ok();
    bed.llm.says("Four.").says("Three.");
    let (third, fourth) = (begun("three", "enqueue").await, begun("four", "interrupt").await);
    until("all have ended", async || ann.get(&third).await.ok()["run"]["state"] == "answered").await;
    assert_eq!(ann.get(&fourth).await.ok()["run"]["state"], "answered");
    gate.open();
}

/// Logins that go on, are stolen and end.
async fn everything_that_logins_may_come_to(bed: &Bed) {
    let login = async || bed.nobody().post("/api/login", json!({"username": "ann", "password": PASSWORD})).await.ok();
    let refresh = async |tokens: &Value| bed.nobody().post("/api/token/refresh", json!({"refresh_token": tokens["refresh_token"]})).await;
    let stolen = login().await;
    let next = refresh(&stolen).await.ok();
    assert_eq!(refresh(&stolen).await.ok()["refresh_token"], next["refresh_token"]);
    refresh(&next).await.ok();
    refresh(&stolen).await.refused(401, "refresh_token_reused");
    for path in ["/api/logout", "/api/logout/all"] {
        let token = login().await["token"].as_str().unwrap().to_owned();
        bed.at(0).with_authorization(&format!("Bearer {token}")).post(path, json!({})).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_needs_no_more_than_its_access_list_allows() {
    let directory = tempfile::tempdir().unwrap();
    certified(directory.path());
    let server = server(directory.path());
    let url = format!("rediss://agent:p%2540ss@127.0.0.1:{}/0", server.port);
    let bed = replicas(&url, 1, with_certificates(directory.path())).await;
    let (ann, admin) = (bed.as_user("ann"), bed.as_admin());
    bed.llm.calls([("createUser", json!({"name": "A", "email": "e"}))]).says("Done.");
    ann.process("create A").await.ok();
    ann.call("getUsers", json!({})).await.ok();
    ann.call("createUser", json!({"name": "B", "email": "e"})).await.ok();
    for path in ["/api/history", "/api/session/info", "/api/credentials"] {
        ann.get(path).await.ok();
    }
    everything_that_runs_may_come_to(&bed, &ann).await;
    ann.delete("/api/history").await.ok();
    ann.post("/api/session/reset", json!({})).await.ok();
    admin.get("/api/admin/sessions").await.ok();
    admin.get("/api/admin/sessions/ann/keys").await.ok();
    admin.get("/api/admin/sessions/ann/history").await.ok();
    admin.get("/api/admin/users").await.ok();
    assert_eq!(admin.get("/api/admin/audit").await.ok()["count"], 1);
    bed.llm.says("As it happens.");
    ann.streams("hi").await.until("done").await;
    admin.post("/api/admin/cleanup", json!({})).await.ok();
    admin.delete("/api/admin/sessions/ann").await.ok();
    everything_that_logins_may_come_to(&bed).await;
    assert_eq!(bed.nobody().get("/health/ready").await.json(), json!({"status": "ready", "store_warnings": []}));
    let log: Vec<HashMap<String, redis::Value>> = server.command("ACL", &["LOG"]);
    let refused: Vec<String> = log.iter().map(|entry| redis::from_redis_value_ref(&entry["object"]).unwrap()).collect();
    // The client library says its name where Redis takes it (7.2 and later), and does not mind where it is refused.
    assert!(refused.iter().all(|object| object == "client|setinfo"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_access_list_keeps_everything_else_out() {
    let directory = tempfile::tempdir().unwrap();
    certified(directory.path());
    let server = server(directory.path());
    let url = format!("rediss://agent:p%2540ss@localhost:{}/0", server.port);
    let mut connection = redis::Client::build_with_tls(url, shown(directory.path())).unwrap().get_connection().unwrap();
    for command in ["FLUSHALL", "KEYS *", "CONFIG GET *", "SCAN 0", "SUBSCRIBE x", "GET other", "ACL LIST", "SHUTDOWN", "CLUSTER RESET"] {
        let mut words = command.split(' ');
        let mut ask = redis::cmd(words.next().unwrap());
        words.for_each(|word| _ = ask.arg(word));
        let refused = ask.query::<redis::Value>(&mut connection).expect_err(command);
        assert_eq!(refused.code(), Some("NOPERM"), "{command}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_nobody_vouches_for_is_not_spoken_to() {
    let directory = tempfile::tempdir().unwrap();
    certified(directory.path());
    let server = server(directory.path());
    let other = tempfile::tempdir().unwrap();
    certified(other.path());
    let mut settings = Settings::builtin();
    with_certificates(other.path())(&mut settings);
    settings.store.redis_url = Some(format!("rediss://agent:p%2540ss@localhost:{}", server.port).into());
    settings.auth.signing_key = Some(crate::harness::bed::SIGNING_KEY.into());
    let told = Box::pin(swagger_api_agent::app::App::build(settings.clone())).await.err().expect("no start").to_string();
    assert!(told.starts_with("store.redis_url: Redis cannot be used: ") && told.contains("certificate"), "{told}");
    settings.store.tls_ca_file = Some("/nowhere/ca.pem".into());
    settings.store.tls_key_file = Some("/nowhere/key.pem".into());
    let told = Box::pin(swagger_api_agent::app::App::build(settings)).await.err().expect("no start").to_string();
    assert!(told.contains("store.tls_ca_file: /nowhere/ca.pem cannot be read"), "{told}");
    assert!(told.contains("store.tls_key_file: /nowhere/key.pem cannot be read"), "all that is wrong at once: {told}");
}
