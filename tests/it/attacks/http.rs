//! Rows 14, 15 and 20: bytes that are no proper request. Each is refused, its connection is closed, and nothing that came with it or behind
//! it was done.

use std::fmt::Write as _;

use crate::{
    harness::{
        COMES_WITHIN,
        bed::{Bed, On},
        until,
        wire::Wire,
    },
    metrics::{admin, scraped, value},
};

/// What changes something where it is taken for a request.
const BODY: &str = r#"{"function_name":"createUser","parameters":{"name":"Eve","email":"eve@example.com"}}"#;

/// One malformed request: what it is, its bytes, and the statuses that refuse it (none: the connection is closed without a word).
struct Malformed {
    what: &'static str,
    bytes: Vec<u8>,
    refusals: &'static [u16],
}

/// Makes requests of a user who may do everything that they ask for.
struct Forge {
    token: String,
}

impl Forge {
    /// A request that would be done; `line` and `fields` as given, each field with its end.
    fn with(&self, line: &str, fields: &str, body: &str) -> String {
        format!("{line}\r\n{fields}Authorization: Bearer {}\r\nContent-Type: application/json\r\n\r\n{body}", self.token)
    }

    /// The proper one, with other fields for the length of its body and the like.
    fn call(&self, fields: &str, body: &str) -> String {
        self.with("POST /api/call HTTP/1.1", &format!("Host: x\r\n{fields}"), body)
    }

    fn proper(&self) -> String {
        self.call(&format!("Content-Length: {}\r\n", BODY.len()), BODY)
    }

    /// The whole body as one chunk.
    fn chunked(&self, fields: &str, before: &str) -> String {
        self.call(fields, &format!("{before}{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len()))
    }
}

fn corpus(forge: &Forge) -> Vec<Malformed> {
    let length = format!("Content-Length: {}\r\n", BODY.len());
    let chunked = "Transfer-Encoding: chunked\r\n";
    let mut all: Vec<Malformed> = Vec::new();
    let mut refused = |what, refusals, bytes: String| all.push(Malformed { what, bytes: bytes.into_bytes(), refusals });
    let bad: &[u16] = &[400];

    // Two lengths of one body (RFC 9112, 6.3): the way of request smuggling.
    refused("length, then chunked", bad, forge.chunked(&format!("{length}{chunked}"), ""));
    refused("chunked, then length", bad, forge.chunked(&format!("{chunked}{length}"), ""));
    refused("length 0, then chunked", bad, forge.chunked(&format!("Content-Length: 0\r\n{chunked}"), ""));
    refused("two equal lengths", bad, forge.call(&format!("{length}{length}"), BODY));
    refused("two different lengths", bad, forge.call(&format!("{length}Content-Length: 0\r\n"), BODY));
    refused("two different lengths, the small one first", bad, forge.call(&format!("Content-Length: 0\r\n{length}"), BODY));
    refused("a list of lengths", bad, forge.call(&format!("Content-Length: {0}, {0}\r\n", BODY.len()), BODY));
    refused("chunked twice in two fields", bad, forge.chunked(&format!("{chunked}{chunked}"), ""));
    refused("chunked twice in one field", bad, forge.chunked("Transfer-Encoding: chunked, chunked\r\n", ""));
    for (what, value) in [
        ("a negative length", "-1"),
        ("a length with a plus", "+84"),
        ("a length in hexadecimal", "0x54"),
        ("a length with a fraction", "84.0"),
        ("a length with a space in it", "8 4"),
        ("an empty length", ""),
        ("a length beyond 64 bits", "18446744073709551700"),
        ("a length that is a word", "many"),
        ("a length in other digits", "８４"),
    ] {
        refused(what, bad, forge.call(&format!("Content-Length: {value}\r\n"), BODY));
    }
    for (what, value) in [
        ("identity", "identity"),
        ("gzip alone", "gzip"),
        ("gzip before chunked", "gzip, chunked"),
        ("gzip behind chunked", "chunked, gzip"),
        ("a coding that looks like chunked", "xchunked"),
        ("chunked in quotes", "\"chunked\""),
        ("chunked with a vertical tab", "\u{b}chunked"),
        ("chunked with a parameter", "chunked;q=1"),
        ("an empty coding", ""),
        ("a comma before chunked", ", chunked"),
        ("chunked behind much space", &format!("{}chunked", " ".repeat(200))),
    ] {
        refused(what, bad, forge.chunked(&format!("Transfer-Encoding: {value}\r\n"), ""));
    }
    refused(
        "chunked with HTTP/1.0",
        &[400, 0],
        forge.with("POST /api/call HTTP/1.0", chunked, &format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len())),
    );

    // Chunks (RFC 9112, 7.1).
    refused("a chunk size beyond 64 bits", bad, forge.chunked(chunked, "10000000000000000\r\n"));
    refused("a chunk size that is a word", bad, forge.chunked(chunked, "many\r\n"));
    refused("a negative chunk size", bad, forge.chunked(chunked, "-1\r\n"));
    refused("a chunk size with 0x", bad, forge.chunked(chunked, "0x1\r\n"));
    refused("a chunk size that ends with LF", bad, forge.call(chunked, &format!("{:x}\n{BODY}\r\n0\r\n\r\n", BODY.len())));
    refused("a chunk longer than its size", bad, forge.call(chunked, &format!("1\r\n{BODY}\r\n0\r\n\r\n")));
    refused("a chunk extension of a megabyte", bad, forge.call(chunked, &format!("{:x};{}\r\n{BODY}", BODY.len(), "x".repeat(1 << 20))));
    refused("a chunk extension with LF", bad, forge.call(chunked, &format!("{:x};a\nb\r\n{BODY}\r\n0\r\n\r\n", BODY.len())));
    refused("a trailer with LF alone", bad, forge.call(chunked, &format!("{:x}\r\n{BODY}\r\n0\r\nA: b\nC: d\r\n\r\n", BODY.len())));

    // Lines and fields (RFC 9112, 2.2 and 5).
    refused("all lines end with LF", bad, forge.proper().replace("\r\n", "\n"));
    refused("one line ends with LF", bad, forge.call(&format!("X: y\n{length}"), BODY));
    refused("the request line ends with LF", bad, forge.proper().replacen("\r\n", "\n", 1));
    refused("the head ends with two LF", bad, forge.proper().replacen("\r\n\r\n", "\r\n\n", 1));
    refused("an empty line of LF before the request", bad, format!("\n{}", forge.proper()));
    refused("CR alone between fields", bad, forge.call(&format!("X: y\r{length}"), BODY));
    refused("CR in a value", bad, forge.call(&format!("X: a\rb\r\n{length}"), BODY));
    refused("CR CR LF", bad, forge.call(&format!("X: y\r\r\n{length}"), BODY));
    refused("a folded line", bad, forge.call(&format!("X: a\r\n b\r\n{length}"), BODY));
    refused("a folded line with a tab", bad, forge.call(&format!("X: a\r\n\tb\r\n{length}"), BODY));
    refused("a folded length", bad, forge.call(&format!("Content-Length:\r\n {}\r\n", BODY.len()), BODY));
    refused("white space before the first field", bad, forge.with("POST /api/call HTTP/1.1", &format!(" Host: x\r\n{length}"), BODY));
    refused("a field without a colon", bad, forge.call(&format!("garbage\r\n{length}"), BODY));
    refused("a space before the colon", bad, forge.call(&format!("Content-Length : {}\r\n", BODY.len()), BODY));
    refused("a tab before the colon", bad, forge.call(&format!("X\t: y\r\n{length}"), BODY));
    refused("a field without a name", bad, forge.call(&format!(": y\r\n{length}"), BODY));
    refused("a name with a space", bad, forge.call(&format!("X Y: z\r\n{length}"), BODY));
    refused("a name with brackets", bad, forge.call(&format!("X(Y): z\r\n{length}"), BODY));
    refused("a name beyond ASCII", bad, forge.call(&format!("Ｈ: z\r\n{length}"), BODY));
    refused("NUL in a value", bad, forge.call(&format!("X: a\0b\r\n{length}"), BODY));
    refused("NUL in a name", bad, forge.call(&format!("X\0: b\r\n{length}"), BODY));
    refused("ESC in a value", bad, forge.call(&format!("X: \u{1b}[31m\r\n{length}"), BODY));
    refused("DEL in a value", bad, forge.call(&format!("X: \u{7f}\r\n{length}"), BODY));

    // Whom it is for (RFC 9112, 3.2).
    let line = "POST /api/call HTTP/1.1";
    refused("no Host", bad, forge.with(line, &length, BODY));
    refused("two Hosts", bad, forge.call(&format!("Host: x\r\n{length}"), BODY));
    refused("two different Hosts", bad, forge.call(&format!("Host: evil.test\r\n{length}"), BODY));
    for (what, host) in [("an empty Host", ""), ("a Host with a user", "a@x"), ("a Host with a path", "x/y"), ("a Host of two", "x, y")] {
        refused(what, bad, forge.with(line, &format!("Host: {host}\r\n{length}"), BODY));
    }
    refused("a target of another host", bad, forge.proper().replacen("/api", "http://evil.test/api", 1));
    refused("a target of another scheme and host", bad, forge.proper().replacen("/api", "ftp://evil.test/api", 1));
    refused("CONNECT", &[400, 405], forge.proper().replacen("POST /api/call", "CONNECT x:443", 1));

    // The request line (RFC 9112, 3).
    refused("a method in lower case", bad, forge.proper().replacen("POST", "post", 1));
    refused("a method with brackets", bad, forge.proper().replacen("POST", "PO(ST", 1));
    refused("no method", bad, forge.proper().replacen("POST ", "", 1));
    refused("two spaces before the target", bad, forge.proper().replacen(" /api", "  /api", 1));
    refused("a space in the target", bad, forge.proper().replacen("/api/call", "/api /call", 1));
    refused("a tab for a space", bad, forge.proper().replacen("POST ", "POST\t", 1));
    refused("no target", bad, forge.proper().replacen("/api/call ", "", 1));
    refused("NUL in the target", bad, forge.proper().replacen("/api", "/\0api", 1));
    refused("HTTP/0.9", bad, "GET /\r\n".to_owned());
    refused("HTTP/0.9 as a version", bad, forge.proper().replacen("HTTP/1.1", "HTTP/0.9", 1));
    refused("HTTP/1.2 in words", bad, forge.proper().replacen("HTTP/1.1", "HTTP/one", 1));
    refused("HTTP/3", bad, forge.proper().replacen("HTTP/1.1", "HTTP/3.0", 1));
    refused("http in lower case", bad, forge.proper().replacen("HTTP/1.1", "http/1.1", 1));
    refused("another protocol", bad, "SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned());
    refused("a handshake of TLS", bad, "\x16\x03\x01\x02\x00\x01\x00\x01".to_owned());
    refused("the preface of HTTP/2", &[400, 0], "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_owned());

    // Bounds (row 14).
    refused("a target of 9 KB", &[414], forge.proper().replacen("/api/call", &format!("/api/call?{}", "x".repeat(9000)), 1));
    let many = (0..62).fold(String::new(), |mut all, n| {
        let _ = write!(all, "X-{n}: y\r\n");
        all
    });
    refused("65 and more fields", &[431], forge.call(&format!("{many}{length}"), BODY));
    refused("a head of 16 KiB and a byte", &[431], forge.call(&format!("X: {}\r\n{length}", "y".repeat(16 * 1024)), BODY));
    refused("a body of 64 KiB and a byte", &[413], forge.call("Content-Length: 65537\r\n", &"x".repeat(65_537)));
    all
}

/// The status of an answer; 0 for none.
fn status_of(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// How connections are when something malformed comes on them.
enum Before {
    New,
    /// Answered once, and silent long enough that what served them was let go.
    AtRest,
}

/// Sends everything malformed, each on a connection of its own, and looks that it is refused, that the connection is closed, and that
/// nothing was done.
async fn all_is_refused_closed_and_not_done(before: Before) {
    // All of them wait for their turn.
    let bed = Bed::with(On::Embedded, |settings| settings.server.header_timeout_ms = 60_000).await;
    let forge = Forge { token: bed.as_user("eve").token().await.unwrap() };
    let corpus = corpus(&forge);
    assert!(corpus.len() >= 60, "{}", corpus.len());
    let mut wires = Vec::new();
    for _ in &corpus {
        let mut wire = Wire::to(bed.address()).await;
        if matches!(before, Before::AtRest) {
            wire.write("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
            assert_eq!(status_of(&wire.whole_answer().await), 200);
        }
        wires.push(wire);
    }
    let admin = admin(&bed).await;
    until("all are at rest", async || {
        let at_rest = value(&scraped(&admin).await, "saa_connections_open{state=\"at_rest\"}");
        (at_rest - corpus.len() as f64).abs() < f64::EPSILON
    })
    .await;
    let (mut wrong, mut before) = (Vec::new(), 0);
    for (Malformed { what, bytes, refusals }, mut wire) in corpus.iter().zip(wires) {
        wire.write(bytes).await;
        // Whatever stands behind it on the same connection must not be done either.
        wire.write(forge.proper()).await;
        let (answer, closed) = wire.rest_within(COMES_WITHIN).await;
        if !closed || !refusals.contains(&status_of(&answer)) || answer.matches("HTTP/1.1 ").count() > 1 {
            wrong.push(format!("{what}: {answer:?}, closed: {closed}, not {refusals:?}"));
        }
        let done = bed.upstream.log().len();
        if done > before {
            wrong.push(format!("{what}: {} were done; {answer}", done - before));
        }
        before = done;
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), corpus.len(), wrong.join("\n"));
    let mut wire = Wire::to(bed.address()).await;
    wire.write(forge.proper().replacen("Host: x\r\n", "Host: x\r\nConnection: close\r\n", 1)).await;
    assert_eq!(status_of(&wire.rest().await), 200);
    assert_eq!(bed.upstream.log(), ["POST /users"], "a proper request is done");
}

#[tokio::test]
async fn rows_14_and_15_what_is_malformed_is_refused_closed_and_not_done() {
    all_is_refused_closed_and_not_done(Before::New).await;
}

#[tokio::test]
async fn rows_14_and_15_so_it_is_where_proper_requests_came_before() {
    all_is_refused_closed_and_not_done(Before::AtRest).await;
}

#[tokio::test]
async fn row_15_proper_requests_of_every_length_are_done_one_behind_the_other() {
    let bed = Bed::on(On::Embedded).await;
    let forge = Forge { token: bed.as_user("eve").token().await.unwrap() };
    let last = forge.proper().replacen("Host: x\r\n", "Host: x\r\nConnection: close\r\n", 1);
    let absolute = forge.proper().replacen("/api/call", "http://X/api/call", 1);
    let all = [
        forge.proper(),
        format!("\r\n{}", forge.chunked("Transfer-Encoding:  Chunked\r\n", "")),
        forge.chunked("Transfer-Encoding: chunked\r\n", "1;a=\"b;c\"\r\n \r\n"),
        absolute,
        last,
    ];
    let mut wire = Wire::to(bed.address()).await;
    wire.write(all.concat()).await;
    let answers = wire.rest().await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), all.len(), "{answers}");
    assert_eq!(bed.upstream.log(), vec!["POST /users"; all.len()]);
}

#[tokio::test]
async fn row_20_http_2_is_not_spoken() {
    let bed = Bed::on(On::Embedded).await;
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned();
    // With prior knowledge: the preface, and then a hundred streams that are reset at once (HEADERS, RST_STREAM).
    let storm: String =
        (0..100_u8).map(|n| format!("\0\0\0\x01\x05\0\0\0{0}\0\0\x04\x03\0\0\0{0}\0\0\0\x08", char::from(2 * (n % 60) + 1))).collect();
    let mut wire = Wire::to(bed.address()).await;
    wire.write(preface + &storm).await;
    let answer = wire.rest().await;
    assert!(matches!(status_of(&answer), 0 | 400), "{answer:?}");
    // By an upgrade (RFC 9113, 3.1: gone): the request is answered as what it is, on HTTP/1.1.
    let mut wire = Wire::to(bed.address()).await;
    let upgrade = "Host: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    wire.write(format!("GET /health/live HTTP/1.1\r\n{upgrade}\r\n")).await;
    let answer = wire.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("101 Switching"), "{answer}");
    assert_eq!(bed.nobody().get("/health/live").await.status, 200);
}
