//! Connections that come to rest: what served them is let go, and whoever is at the other end cannot tell.

use std::time::{Duration, Instant};

use swagger_api_agent::{domain::limits::CONNECTION_RESTS_AFTER_MS, settings::Settings};

use crate::{
    harness::{
        bed::{Bed, On},
        client::At,
        until,
        wire::Wire,
    },
    metrics::{admin, scraped, value},
};

const ASK: &str = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
/// Longer than a connection takes to come to rest.
const LONG: Duration = Duration::from_millis(CONNECTION_RESTS_AFTER_MS * 3 / 2);

/// A service, and what it says of its connections.
struct Place {
    bed: Bed,
    admin: At,
}

impl Place {
    async fn with(store: On, adjust: impl FnOnce(&mut Settings)) -> Self {
        let bed = Bed::with(store, adjust).await;
        let admin = admin(&bed).await;
        Self { bed, admin }
    }

    /// One that waits patiently for whoever has come.
    async fn new() -> Self {
        Self::with(On::Embedded, |settings| settings.server.header_timeout_ms = 60_000).await
    }

    async fn wire(&self) -> Wire {
        Wire::to(self.bed.address()).await
    }

    /// A connection that was answered once and is at rest again; the only one.
    async fn rested(&self) -> Wire {
        let mut wire = self.wire().await;
        wire.write(ASK).await;
        is_answered(&wire.whole_answer().await);
        self.all_rest(1).await;
        wire
    }

    /// Connections at rest, and those that are served beside the one that asks.
    async fn connections(&self) -> (f64, f64) {
        let told = scraped(&self.admin).await;
        let count = |state: &str| value(&told, &format!("saa_connections_open{{state=\"{state}\"}}"));
        (count("at_rest"), count("served") - 1.0)
    }

    async fn all_rest(&self, count: u32) {
        until("all are at rest", async || self.connections().await == (f64::from(count), 0.0)).await;
    }

    /// So long after it began to wait a connection would be at rest; it is not.
    async fn is_served(&self) {
        tokio::time::sleep(LONG).await;
        assert_eq!(self.connections().await, (0.0, 1.0));
    }

    async fn head(&self, fields: &str) -> String {
        let token = self.bed.as_user("ann").token().await.unwrap();
        format!("POST /api/process HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n{fields}\r\n")
    }
}

#[track_caller]
fn is_answered(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn whoever_says_nothing_is_at_rest_at_once_and_again_after_each_answer() {
    let place = Place::new().await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(place.wire().await);
    }
    place.all_rest(20).await;
    for wire in &mut silent {
        wire.write(ASK).await;
        is_answered(&wire.whole_answer().await);
    }
    place.all_rest(20).await;
    for wire in &mut silent {
        wire.write(ASK).await;
        is_answered(&wire.whole_answer().await);
    }
    place.all_rest(20).await;
    drop(silent);
    place.all_rest(0).await;
}

#[tokio::test]
async fn at_rest_as_much_time_is_left_as_before() {
    let rest = Duration::from_millis(CONNECTION_RESTS_AFTER_MS);
    // So far apart that a slow machine cannot take one for the other.
    let idle = rest * 8;
    let impatient = |settings: &mut Settings| {
        settings.server.idle_timeout_ms = 8 * CONNECTION_RESTS_AFTER_MS;
        settings.server.header_timeout_ms = 2 * CONNECTION_RESTS_AFTER_MS;
    };
    let place = Place::with(On::Embedded, impatient).await;
    let silent = place.wire().await;
    let came = Instant::now();
    assert_eq!(silent.rest().await, "", "closed without a word");
    assert!(came.elapsed() < idle - rest, "{:?} for a first head", came.elapsed());

    let mut wire = place.wire().await;
    wire.write(ASK).await;
    is_answered(&wire.whole_answer().await);
    let answered = Instant::now();
    place.all_rest(1).await;
    assert_eq!(wire.rest().await, "", "closed without a word");
    let waited = answered.elapsed();
    assert!(waited > idle - rest && waited < idle + 4 * rest, "{waited:?} since the answer");

    let mut dribbling = place.rested().await;
    dribbling.write("GET /health/live HTTP/1.1\r\nX: ").await;
    let began = Instant::now();
    assert_eq!(dribbling.rest().await, "");
    assert!(began.elapsed() < idle - rest, "{:?} for a head", began.elapsed());
}

#[tokio::test]
async fn who_has_begun_a_request_is_not_at_rest() {
    let place = Place::new().await;
    for begun in ["\r\n", "G", "GET /health/live HTTP/1.1\r\nHo"] {
        let mut wire = place.rested().await;
        wire.write(begun).await;
        place.is_served().await;
        wire.write(ASK.strip_prefix(begun).unwrap_or(ASK)).await;
        is_answered(&wire.whole_answer().await);
        place.all_rest(1).await;
    }
    // Behind a whole one, too.
    let mut wire = place.rested().await;
    let (begun, rest) = ASK.split_at(ASK.len() / 2);
    wire.write(ASK.to_owned() + begun).await;
    is_answered(&wire.whole_answer().await);
    place.is_served().await;
    wire.write(rest).await;
    is_answered(&wire.whole_answer().await);
    place.all_rest(1).await;
}

#[tokio::test]
async fn requests_behind_one_that_takes_long_are_all_answered_in_their_order() {
    let place = Place::new().await;
    let gate = place.bed.llm.says("Hello.").held();
    let body = "{\"message\": \"hello\"}";
    let turn = place.head(&format!("Content-Length: {}\r\n", body.len())).await + body;
    let mut wire = place.rested().await;
    wire.write([&turn, ASK, "HEAD /health/live HTTP/1.1\r\nHost: x\r\n\r\n", ASK].concat()).await;
    gate.reached().await;
    place.is_served().await;
    gate.open();
    assert!(wire.whole_answer().await.contains("Hello."));
    is_answered(&wire.whole_answer().await);
    is_answered(&wire.head_of_answer().await);
    is_answered(&wire.whole_answer().await);
    place.all_rest(1).await;
    wire.write(ASK).await;
    is_answered(&wire.whole_answer().await);
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_no_request() {
    let place = Place::new().await;
    // Without a token nobody looks at it.
    let head = format!("POST /api/process HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", ASK.len());
    let mut wire = place.rested().await;
    wire.write(head.clone() + ASK).await;
    assert!(wire.whole_answer().await.starts_with("HTTP/1.1 401 "));
    place.all_rest(1).await;
    wire.write(ASK).await;
    is_answered(&wire.whole_answer().await);
    assert!(wire.is_quiet_for(LONG).await, "one answer for one request");
    drop(wire);
    // What has not come with its head closes the connection, so it cannot be taken for a request either.
    place.all_rest(0).await;
    let mut wire = place.rested().await;
    wire.write(head).await;
    assert!(wire.whole_answer().await.starts_with("HTTP/1.1 401 "));
    tokio::time::sleep(LONG).await;
    wire.write(ASK).await;
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn a_body_that_comes_late_is_waited_for() {
    let place = Place::new().await;
    place.bed.llm.says("Hello.").says("Hello again.");
    let body = "{\"message\": \"hello\"}";
    let mut wire = place.rested().await;
    wire.write(place.head(&format!("Expect: 100-continue\r\nContent-Length: {}\r\n", body.len())).await).await;
    assert_eq!(wire.head_of_answer().await, "HTTP/1.1 100 Continue\r\n\r\n");
    place.is_served().await;
    wire.write(body).await;
    assert!(wire.whole_answer().await.contains("Hello."));
    place.all_rest(1).await;

    wire.write(place.head("Transfer-Encoding: chunked\r\n").await + "3\r\n{\"m\r\n").await;
    place.is_served().await;
    wire.write(format!("{:x}\r\n{}\r\n0\r\n", body.len() - 3, &body[3..])).await;
    place.is_served().await;
    wire.write("\r\n").await;
    assert!(wire.whole_answer().await.contains("Hello again."));
    place.all_rest(1).await;
}

#[tokio::test]
async fn what_is_said_of_the_connection_is_kept_to() {
    let place = Place::new().await;
    // Whoever asks for another protocol is answered in this one, and goes on.
    let mut wire = place.rested().await;
    wire.write(ASK.replace("Host", "Connection: upgrade\r\nUpgrade: websocket\r\nHost")).await;
    is_answered(&wire.whole_answer().await);
    place.all_rest(1).await;
    wire.write("HEAD /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
    is_answered(&wire.head_of_answer().await);
    place.all_rest(1).await;
    // The older version stays open only for those who ask.
    let older = ASK.replace("HTTP/1.1", "HTTP/1.0");
    wire.write(older.replace("Host", "Connection: keep-alive\r\nHost")).await;
    assert!(wire.whole_answer().await.starts_with("HTTP/1.0 200 "));
    place.all_rest(1).await;
    wire.write(older).await;
    assert!(wire.rest().await.starts_with("HTTP/1.0 200 "));
    // And the newer closes for them.
    let mut wire = place.rested().await;
    wire.write(ASK.replace("Host", "Connection: close\r\nHost")).await;
    is_answered(&wire.rest().await);
    place.all_rest(0).await;
}

#[tokio::test]
async fn whoever_reads_slowly_gets_everything() {
    let place = Place::new().await;
    let mut wire = place.rested().await;
    // More than the system takes from a server whose client does not read.
    let requests = 200;
    wire.write("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(requests)).await;
    place.is_served().await;
    let first = wire.whole_answer().await;
    is_answered(&first);
    assert!(first.len() * requests > 10 << 20, "{} bytes may all be taken", first.len());
    for _ in 1..requests {
        assert_eq!(wire.whole_answer().await.len(), first.len());
    }
    place.all_rest(1).await;
    wire.write(ASK).await;
    is_answered(&wire.whole_answer().await);
}

#[tokio::test]
async fn a_server_that_takes_its_leave_does_not_wait_for_connections_at_rest() {
    let mut place = Place::with(On::Redis, |settings| settings.server.header_timeout_ms = 60_000).await;
    let rested = place.rested().await;
    let silent = place.wire().await;
    place.all_rest(2).await;
    let began = Instant::now();
    place.bed.restart(async |_| {}).await;
    assert!(began.elapsed() < Duration::from_millis(place.bed.settings.server.drain_ms / 2), "{:?}", began.elapsed());
    assert_eq!((rested.rest().await, silent.rest().await), (String::new(), String::new()), "closed without a word");
}
