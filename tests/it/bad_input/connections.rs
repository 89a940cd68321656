//! Connections that stall, dribble, or carry no HTTP.

use std::time::{Duration, Instant};

use super::Nothing;
use crate::harness::{
    bed::{Bed, On},
    wire::Wire,
};

/// How long the service waits in these tests, in milliseconds.
const WAITS_MS: u64 = 300;
/// By then it must have given up.
const GIVEN_UP: Duration = Duration::from_secs(3);

async fn impatient() -> Bed {
    let impatient = |settings: &mut swagger_api_agent::settings::Settings| {
        settings.server.header_timeout_ms = WAITS_MS;
        settings.server.body_timeout_ms = WAITS_MS;
        settings.server.idle_timeout_ms = WAITS_MS;
    };
    Bed::with(On::Redis, impatient).await
}

async fn head(bed: &Bed, length: usize) -> String {
    let token = bed.as_user("ann").token().await.unwrap();
    format!(
        "POST /api/process HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let bed = impatient().await;
    let nothing = Nothing::before(&bed).await;
    // Signing in takes longer than this service waits for a head, so it comes before the connection.
    let head = head(&bed, 100).await;
    let mut wire = Wire::to(bed.address()).await;
    wire.write(head + "{\"message\": \"he").await;
    let began = Instant::now();
    let answer = wire.rest().await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"body_timeout\"") && answer.contains("\"request_id\""), "{answer}");
    assert!(began.elapsed() < GIVEN_UP);
    nothing.has_come_of_it(&bed).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_nothing() {
    let bed = impatient().await;
    let nothing = Nothing::before(&bed).await;
    for _ in 0..5 {
        let head = head(&bed, 23).await;
        let mut wire = Wire::to(bed.address()).await;
        wire.write(head + "{\"message\": \"hello\"").await;
        drop(wire);
    }
    nothing.has_come_of_it(&bed).await;
}

#[tokio::test]
async fn a_head_that_dribbles_is_cut_off_in_time() {
    let bed = impatient().await;
    let began = Instant::now();
    for start in ["", "G", "GET /health HTTP/1.1\r\nHost: x\r\nX-A: "] {
        let mut wire = Wire::to(bed.address()).await;
        wire.write(start).await;
        // One byte now and then does not buy more time.
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(WAITS_MS / 6)).await;
            wire.write(if start.is_empty() { "" } else { "a" }).await;
        }
        assert_eq!(wire.rest().await, "");
    }
    assert!(began.elapsed() < GIVEN_UP, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_one_that_is_answered_is_not() {
    let bed = impatient().await;
    let gate = bed.llm.says("Hello.").held();
    let mut idle = Wire::to(bed.address()).await;
    idle.write("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(idle.answer().await.starts_with("HTTP/1.1 200 "));

    let body = "{\"message\": \"hello\"}";
    let head = head(&bed, body.len()).await;
    let mut busy = Wire::to(bed.address()).await;
    busy.write(head + body).await;
    gate.reached().await;
    assert_eq!(idle.rest().await, "", "closed without a word");
    assert!(busy.is_quiet_for(Duration::from_millis(2 * WAITS_MS)).await, "a turn may take longer than all of these");
    gate.open();
    assert!(busy.answer().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn too_many_headers_or_too_long_ones_are_refused() {
    let bed = Bed::on(On::Redis).await;
    let ask = async |headers: String| {
        let mut wire = Wire::to(bed.address()).await;
        wire.write(format!("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")).await;
        wire.rest().await
    };
    let headers = |count: usize| (0..count).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    assert!(ask(headers(62)).await.starts_with("HTTP/1.1 200 "));
    assert!(ask(headers(63)).await.starts_with("HTTP/1.1 431 "));
    assert!(ask(format!("X-Long: {}\r\n", "y".repeat(15_000))).await.starts_with("HTTP/1.1 200 "));
    let mut wire = Wire::to(bed.address()).await;
    wire.write(format!("GET /health/live HTTP/1.1\r\nX-Long: {}", "y".repeat(17_000))).await;
    assert!(wire.rest().await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let bed = Bed::on(On::Redis).await;
    for garbage in [
        "hello\r\n\r\n",
        "GET /health/live\r\n\r\n",
        "GET /health/live HTTP/9.9\r\nHost: x\r\n\r\n",
        "GET /health/live HTTP/1.1\r\nHost : x\r\n\r\n",
        "POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /api/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: wrong\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01",
    ] {
        let mut wire = Wire::to(bed.address()).await;
        wire.write(garbage).await;
        let answer = wire.rest().await;
        assert!(answer.starts_with("HTTP/1.1 400 ") || answer.is_empty(), "{garbage:?}: {answer}");
    }
    assert_eq!(bed.nobody().get("/health/live").await.status, 200);
}
