//! Rows 17 to 19: bodies that are packed, clients that do not take their answer, more connections than there are places.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::harness::{
    bed::{Bed, On},
    process::Process,
    until,
    wire::Wire,
};

const JSON: &str = "application/json";

/// How long the service bears a client that takes nothing, and as long again for a busy machine.
const GIVEN_UP: Duration = Duration::from_secs(20);

#[tokio::test]
async fn row_17_a_packed_body_is_refused_before_it_is_read() {
    let bed = Bed::on(On::Embedded).await;
    let ann = bed.as_user("ann");
    ann.get("/api/session/info").await.ok();
    let stored = bed.everything_stored();
    for coding in ["gzip", "deflate", "br", "zstd", "GZIP", "gzip, gzip", "x"] {
        let packed = ann.clone().with("content-encoding", coding);
        for path in ["/api/process", "/api/call", "/api/login"] {
            // What is in it is not even looked at: this would be a good body.
            let body = json!({"message": "hello", "function_name": "createUser", "username": "ann", "password": "x"}).to_string();
            packed.send(Method::POST, path, JSON, body).await.refused(415, "unsupported_content_encoding");
        }
    }
    assert_eq!((bed.upstream.log(), bed.llm.asked().len()), (Vec::new(), 0));
    assert!(bed.everything_stored() == stored, "something was stored");
    bed.llm.says("Hello.");
    let plain = ann.with("content-encoding", "identity");
    plain.send(Method::POST, "/api/process", JSON, json!({"message": "hello"}).to_string()).await.ok();
}

#[tokio::test]
async fn row_18_a_client_that_does_not_take_its_answers_is_given_up() {
    let bed = Bed::on(On::Embedded).await;
    let mut greedy = Wire::to(bed.address()).await;
    let asked = 20_000;
    // Tens of megabytes, more than the system keeps for it on both sides.
    greedy.write("GET /console/app.mjs HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2000)).await;
    assert!(
        tokio::time::timeout(GIVEN_UP, async {
            // It goes on asking and never reads; when it is given up, nobody takes its requests any more.
            while greedy.may_write("GET /console/app.mjs HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100)).await {}
        })
        .await
        .is_ok()
    );
    let got = greedy.rest().await.matches("HTTP/1.1 200 OK").count();
    assert!(got < asked, "{got}");
    assert_eq!(bed.nobody().get("/health/live").await.status, 200);
}

/// What a process has in memory, in KiB.
fn resident_kib(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Places, and somewhat more connections: those beyond wait with the system.
const PLACES: u64 = 600;
const CONNECTIONS: u64 = 700;
/// What so many places may take at most: each has a head of 16 KiB as it comes and as it is read, and what a connection is besides; and 32 MiB
/// for everything else.
const FOR_PLACES_KIB: u64 = PLACES * 64 + 32 * 1024;

#[tokio::test]
async fn row_19_connections_that_hold_on_take_no_more_memory_than_their_places() {
    let bed = Bed::on(On::Embedded).await;
    let data = tempfile::tempdir().unwrap();
    let mut settings = bed.settings.clone();
    settings.store.data_dir = data.path().to_owned();
    let places = PLACES.to_string();
    let service = Process::start(&settings, &[("SAA_SERVER__CONNECTIONS_MAX", &places)]).await;
    let address = service.base.strip_prefix("http://").unwrap().parse().unwrap();
    // What a process takes for its first requests is not of the connections.
    for _ in 0..20 {
        let mut wire = Wire::to(address).await;
        wire.write("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(wire.rest().await.starts_with("HTTP/1.1 200 "));
    }
    let before = resident_kib(service.id());
    let (mut held, mut most) = (Vec::new(), 0);
    for n in 0..CONNECTIONS {
        let mut wire = Wire::to(address).await;
        // Nearly as large as a head may be, and never finished.
        wire.may_write(format!("GET /health/live HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(15 * 1024))).await;
        held.push(wire);
        if n % 50 == 49 {
            most = most.max(resident_kib(service.id()).saturating_sub(before));
        }
    }
    assert!(most < FOR_PLACES_KIB, "{most} KiB for {CONNECTIONS} connections");
    drop(held);
    until("the service answers", async || bed.through(&service.base).nobody().get("/health/live").await.status == 200).await;
}

#[tokio::test]
async fn row_19_more_connections_than_places_wait_their_turn() {
    let bed = Bed::with(On::Embedded, |settings| settings.server.connections_max = 4).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut wire = Wire::to(bed.address()).await;
        wire.write("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(wire.answer().await.starts_with("HTTP/1.1 200 "));
        held.push(wire);
    }
    let mut waiting = Vec::new();
    for _ in 0..40 {
        let mut wire = Wire::to(bed.address()).await;
        wire.write("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        waiting.push(wire);
    }
    assert!(waiting[0].is_quiet_for(Duration::from_millis(300)).await, "there is no place for it");
    drop(held.pop());
    for wire in waiting {
        assert!(wire.rest().await.starts_with("HTTP/1.1 200 "), "one after the other has its turn");
    }
    until("the service answers", async || bed.nobody().get("/health/live").await.status == 200).await;
}
