//! What comes of a call, for everything an API can do to it.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{
    clock::Clock,
    domain::user::UserName,
    openapi::UpstreamRequest,
    outbound::scripted::{Act, Received, Scripted},
    secrets::seal::KeyRing,
    store::{
        EmbeddedStore, Store,
        contract::{Lifetimes, Rates},
    },
};

const TOKEN: &str = "canary-token";

fn bounds() -> settings::Upstream {
    settings::Upstream {
        base_url: None,
        origins: Vec::new(),
        token: None,
        headers: Default::default(),
        credentials: Default::default(),
        token_for_changes: None,
        credentials_for_changes: Default::default(),
        idempotency: Vec::new(),
        probes: Vec::new(),
        connect_timeout_ms: 1000,
        timeout_ms: 1000,
        reply_bytes_max: 64 * 1024,
    }
}

fn api(token: Option<&str>) -> settings::Api {
    settings::Api { token: token.map(Into::into), ..settings::Api::default() }
}

fn upstream_at(base_url: &str, token: Option<&str>) -> Upstream {
    let outbound = Outbound::new(Duration::from_secs(1), Duration::from_secs(4)).expect("a client");
    Upstream::new(outbound, &bounds(), &api(token), base_url).expect("an upstream").hiding(Redactor::of(token))
}

/// A user's credentials in a store of its own, which is gone with the directory.
fn nobody() -> (UserCredentials, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let rates = Rates { requests_per_minute: 60, turns_per_minute: 60 };
    let lifetimes = Lifetimes { idle_ms: 1000, max_ms: 1000, turns_max: 10 };
    let store = EmbeddedStore::open(directory.path(), Clock::System, rates, lifetimes).expect("a store");
    let ring = KeyRing::new([], Some(&"a key that seals nothing of worth".into())).expect("a ring");
    (Vault::new(Store::Embedded(store), ring).of(&UserName::new("ann").expect("a name")), directory)
}

/// Sends one call of an operation about whose security the document says nothing.
async fn silent(upstream: &Upstream, method: &str, url: &str, headers: &[(&str, &str)]) -> Outcome {
    let (user, _directory) = nobody();
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = UpstreamRequest { method: method.to_owned(), url: url.to_owned(), headers, body: None };
    let authorised = upstream.authorise(request, None, &user).await.unwrap_or_else(|refusal| panic!("{refusal:?}"));
    upstream.deliver(authorised, without_key(Effect::Safe), &user).await
}

/// An upstream whose calls may take so long.
pub(super) fn upstream_within(base_url: &str, timeout_ms: u64) -> Upstream {
    Upstream { deadline: Duration::from_millis(timeout_ms), ..upstream_at(base_url, None) }
}

pub(super) fn without_key(effect: Effect) -> Terms<'static> {
    Terms { effect, keyed: false, lease: None }
}

/// Sends one call and tells what came of it.
pub(super) async fn sent_by(upstream: &Upstream, url: &str, method: &str, terms: Terms<'_>) -> Outcome {
    upstream.send(&UpstreamCall { method, url: &format!("{url}/"), headers: &[], body: None }, terms).await
}

/// Sends one call without credentials and tells what came of it and what arrived.
async fn sent(act: Act, method: &str, path: &str, effect: Effect) -> (Outcome, Vec<Received>) {
    // A reading call may come a second time, and finds the same.
    let server = Scripted::start([act.clone(), act]).await;
    let url = format!("{}{path}", server.url);
    let call = UpstreamCall { method, url: &url, headers: &[], body: None };
    let outcome = upstream_at(&server.url, Some(TOKEN)).send(&call, without_key(effect)).await;
    (outcome, server.requests())
}

async fn body_of(content_type: &str, body: &[u8]) -> ReplyBody {
    let field = if content_type.is_empty() { String::new() } else { format!("content-type: {content_type}\r\n") };
    match sent(Act::reply(200, &field, body), "GET", "/", Effect::Safe).await.0 {
        Outcome::Replied(reply) => reply.body,
        other => panic!("{other:?}"),
    }
}

fn hang_up() -> Act {
    Act::WriteAndClose(Vec::new())
}

fn hang() -> Act {
    Act::WriteAndHang(Vec::new())
}

#[tokio::test]
async fn a_reply_comes_back_without_credentials() {
    let fields = "Content-Type: application/json\r\nX-Total: 2\r\nSet-Cookie: a=b\r\nX-Auth-Token: t\r\nAuthorization: x\r\nWWW-Authenticate: Bearer\r\n";
    let (outcome, seen) = sent(Act::reply(200, fields, b"{\"b\":1,\"a\":2}"), "GET", "/users?page=2", Effect::Safe).await;
    let Outcome::Replied(reply) = outcome else { panic!("{outcome:?}") };
    let names: Vec<&str> = reply.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["content-type", "x-total", "www-authenticate", "content-length"]);
    assert_eq!((reply.status, reply.body), (200, ReplyBody::Json(json!({"b": 1, "a": 2}).into())));
    assert!(seen[0].head.starts_with("GET /users?page=2 "));
    assert_eq!(seen[0].header("authorization"), None);
    assert_eq!(seen[0].header("accept"), Some("application/json, */*;q=0.5"));
}

#[tokio::test]
async fn the_token_goes_where_the_document_is_silent_and_does_not_come_back() {
    let echo = format!("{{\"you sent\":\"Bearer {TOKEN}\"}}");
    let server = Scripted::start([Act::json(200, &echo)]).await;
    let url = format!("{}/", server.url);
    let outcome = silent(&upstream_at(&server.url, Some(&format!("{TOKEN}\n"))), "GET", &url, &[("Accept", "text/csv")]).await;
    let seen = &server.requests()[0];
    assert_eq!((seen.header("authorization"), seen.header("accept")), (Some("Bearer canary-token"), Some("text/csv")));
    assert!(matches!(outcome, Outcome::Replied(reply) if reply.body == ReplyBody::Json(json!({"you sent": "Bearer [redacted]"}).into())));
}

#[tokio::test]
async fn the_operators_headers_go_with_every_call_and_win() {
    let server = Scripted::start([Act::json(200, r#"{"you sent":"2026-11-22 and canary-key"}"#)]).await;
    let headers = [("X-Api-Version", "2026-11-22"), ("X-Api-Key", "canary-key"), ("accept", "text/plain"), ("Cookie", "lb=1")];
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let outbound = Outbound::new(Duration::from_secs(1), Duration::from_secs(4)).expect("a client");
    let upstream = Upstream::new(outbound, &bounds(), &settings::Api { headers, ..api(None) }, &server.url).expect("an upstream");
    let upstream = upstream.hiding(Redactor::of(["canary-key"]));
    let own = [("x-api-version", "the model's"), ("Accept", "text/csv"), ("Cookie", "a=b"), ("X-Own", "o")];
    let outcome = silent(&upstream, "GET", &format!("{}/", server.url), &own).await;
    assert!(
        matches!(outcome, Outcome::Replied(reply) if reply.body == ReplyBody::Json(json!({"you sent": "2026-11-22 and [redacted]"}).into()))
    );
    let seen = &server.requests()[0];
    assert_eq!(seen.head.matches("x-api-version").count() + seen.head.matches("accept:").count(), 2, "{}", seen.head);
    let sent = ["x-api-version", "accept", "cookie", "x-own"].map(|name| seen.header(name));
    assert_eq!(sent, [Some("2026-11-22"), Some("text/plain"), Some("a=b; lb=1"), Some("o")]);
}

#[tokio::test]
async fn without_a_token_none_is_sent() {
    for token in [None, Some(""), Some(" \n")] {
        let server = Scripted::start([Act::json(200, "{}")]).await;
        silent(&upstream_at(&server.url, token), "GET", &format!("{}/", server.url), &[]).await;
        assert_eq!(server.requests()[0].header("authorization"), None);
    }
}

#[tokio::test]
async fn another_origin_is_not_called() {
    let server = Scripted::start([]).await;
    let port = server.url.rsplit(':').next().expect("a port");
    let upstream = upstream_at("http://api.example/v1", Some(TOKEN));
    for url in [
        server.url.clone(),
        format!("http://api.example@127.0.0.1:{port}/"),
        format!("http://api.example:{port}/"),
        format!("http://api.example.:{port}/"),
        "https://api.example/v1".to_owned(),
        "http://api.example.evil.test/".to_owned(),
        "http://user:pass@api.example/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "/v1/users".to_owned(),
        format!("http://2130706433:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
    ] {
        let outcome = silent(&upstream, "GET", &url, &[]).await;
        let Outcome::Failed(sentence) = outcome else { panic!("{url}: {outcome:?}") };
        assert!(sentence.contains("was not sent") && !sentence.contains(TOKEN), "{sentence}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_path_that_would_be_read_as_another_is_not_sent() {
    let server = Scripted::start([]).await;
    let upstream = upstream_at(&server.url, None);
    for path in
        ["/users/../admin", "/users/%2e%2E/admin", "/users/.%2e", "/users/.", "/users\\..\\admin", "/us\ters", "/users/1 ", "/a/%2E/b"]
    {
        let url = format!("{}{path}", server.url);
        let outcome = upstream.send(&UpstreamCall { method: "GET", url: &url, headers: &[], body: None }, without_key(Effect::Safe)).await;
        assert!(matches!(outcome, Outcome::Failed(_)), "{path}: {outcome:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_escaped_path_goes_out_as_it_was_built() {
    let path = "/users/a%2Fb%252e%E4%BD%A0/...?q=..%2F&x=%2e";
    let (_, seen) = sent(Act::json(200, "{}"), "GET", path, Effect::Safe).await;
    assert!(seen[0].head.starts_with(&format!("GET {path} ")), "{}", seen[0].head);
}

#[tokio::test]
async fn a_call_cannot_set_framing_fields_nor_break_a_header() {
    let server = Scripted::start([]).await;
    let upstream = upstream_at(&server.url, Some(TOKEN));
    for (name, value) in
        [("Host", "evil.test"), ("content-LENGTH", "5"), ("Transfer-Encoding", "chunked"), ("x-a", "1\r\nx-b: 2"), ("x a", "1")]
    {
        let headers = [(name.to_owned(), value.to_owned())];
        let call = UpstreamCall { method: "GET", url: &format!("{}/", server.url), headers: &headers, body: None };
        let outcome = upstream.send(&call, without_key(Effect::Safe)).await;
        assert!(matches!(outcome, Outcome::Failed(_)), "{name}: {outcome:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_redirect_is_a_reply() {
    let (outcome, _) = sent(Act::reply(307, "location: http://169.254.169.254/\r\n", b""), "GET", "/", Effect::Safe).await;
    let Outcome::Replied(reply) = outcome else { panic!("{outcome:?}") };
    assert_eq!((reply.status, reply.body), (307, ReplyBody::Empty));
    assert!(reply.headers.contains(&("location".to_owned(), "http://169.254.169.254/".to_owned())));
}

#[tokio::test]
async fn an_error_status_is_a_reply() {
    let (outcome, _) = sent(Act::json(500, "{\"message\":\"x\"}"), "DELETE", "/", Effect::Changing).await;
    assert!(matches!(outcome, Outcome::Replied(UpstreamReply { status: 500, .. })), "{outcome:?}");
}

#[tokio::test]
async fn json_is_known_by_its_type_or_by_its_look() {
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/problem+json", "text/json"] {
        assert_eq!(body_of(kind, b" 12 ").await, ReplyBody::Json(json!(12).into()), "{kind}");
    }
    for kind in ["", "text/plain", "text/html; charset=utf-8", "application/octet-stream"] {
        assert_eq!(body_of(kind, b"\n[1]").await, ReplyBody::Json(json!([1]).into()), "{kind}");
        assert_ne!(body_of(kind, b"12").await, ReplyBody::Json(json!(12).into()), "{kind}");
    }
}

#[tokio::test]
async fn what_is_not_json_is_text_or_binary() {
    let text = |text: &str| ReplyBody::Text(text.to_owned());
    let binary = |kind: &str| ReplyBody::Binary { content_type: kind.to_owned(), bytes: 4, content: Bytes::from_static(b"\x89PNG") };
    assert_eq!(body_of("application/json", b"{\"a\":").await, text("{\"a\":"));
    assert_eq!(body_of("text/html", b"<p>hi").await, text("<p>hi"));
    assert_eq!(body_of("application/atom+xml", b"<a/>").await, text("<a/>"));
    assert_eq!(body_of("application/yaml", b"a: 1").await, text("a: 1"));
    assert_eq!(body_of("", "你好".as_bytes()).await, text("你好"));
    assert_eq!(body_of("text/plain", b"a\xffb").await, text("a\u{fffd}b"));
    assert_eq!(body_of("image/png", b"\x89PNG").await, binary("image/png"));
    assert_eq!(body_of("", b"\x89PNG").await, binary(""));
    assert_eq!(body_of("application/json", b"").await, ReplyBody::Empty);
    assert!(matches!(body_of("application/json", "[".repeat(60_000).as_bytes()).await, ReplyBody::Text(_)));
}

#[tokio::test]
async fn numbers_come_through_unrounded() {
    let text = r#"[18446744073709551615,-9223372036854775808,0.10,9007199254740993,1e400,123456789012345678901234567890]"#;
    let ReplyBody::Json(value) = body_of("application/json", text.as_bytes()).await else { panic!("JSON") };
    assert_eq!(value.get(), text);
}

#[tokio::test]
async fn headers_of_a_reply_are_bounded() {
    let fields: String = (0..30).map(|n| format!("x-{n}: {}\r\n", "v".repeat(1000))).collect();
    let (outcome, _) = sent(Act::reply(200, &fields, b""), "GET", "/", Effect::Safe).await;
    let Outcome::Replied(reply) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reply.headers.len(), 8);
}

#[tokio::test]
async fn a_safe_call_that_is_lost_has_failed() {
    for act in [hang_up(), hang(), Act::WriteAndClose(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec())] {
        let (outcome, _) = sent(act, "GET", "/users?key=canary", Effect::Safe).await;
        let Outcome::Failed(sentence) = outcome else { panic!("{outcome:?}") };
        assert!(sentence.contains("/users") && !sentence.contains("canary"), "{sentence}");
    }
}

#[tokio::test]
async fn a_changing_call_that_is_lost_has_an_unknown_outcome() {
    for act in [hang_up(), hang(), Act::WriteAndClose(b"HTTP/1.1 201 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec())] {
        let (outcome, seen) = sent(act, "POST", "/users?key=canary", Effect::Changing).await;
        let Outcome::Unknown(sentence) = outcome else { panic!("{outcome:?}") };
        assert!(sentence.contains("was sent") && !sentence.contains("canary"), "{sentence}");
        assert_eq!(seen.len(), 1, "a lost request is not sent again");
    }
}

#[tokio::test]
async fn a_changing_call_that_found_no_connection_was_not_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let call = UpstreamCall { method: "POST", url: &url, headers: &[], body: None };
    let outcome = upstream_at(&url, None).send(&call, without_key(Effect::Changing)).await;
    let Outcome::Failed(sentence) = outcome else { panic!("{outcome:?}") };
    assert!(sentence.ends_with("was not sent: the connection was refused"), "{sentence}");
}

#[tokio::test]
async fn a_reply_that_is_too_large_fails_a_read_and_keeps_the_status_of_a_change() {
    let flood = Act::WriteAndFlood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec());
    let (outcome, _) = sent(flood.clone(), "GET", "/", Effect::Safe).await;
    assert!(matches!(&outcome, Outcome::Failed(sentence) if sentence.contains("larger than 65536 bytes")), "{outcome:?}");
    let (outcome, _) = sent(flood, "POST", "/", Effect::Changing).await;
    assert!(matches!(&outcome, Outcome::Replied(UpstreamReply { status: 200, body: ReplyBody::Text(_), .. })), "{outcome:?}");
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let outbound = Outbound::new(Duration::from_secs(1), Duration::from_secs(4)).expect("a client");
    let refusal = |url: &str, token: Option<&str>| Upstream::new(outbound.clone(), &bounds(), &api(token), url).err();
    assert_eq!(refusal("/v1", None), Some(BadUpstream::NotHttp));
    assert_eq!(refusal("ftp://host/", None), Some(BadUpstream::NotHttp));
    assert_eq!(refusal("http://user:pass@host/", None), Some(BadUpstream::Credentials));
    assert_eq!(refusal("http://host/", Some("a\nb")), Some(BadUpstream::Token));
    assert_eq!(refusal("http://host/", Some("fine\n")), None);
    let headers = |name: &str, value: &str| {
        let api = settings::Api { headers: [(name.to_owned(), value.into())].into(), ..api(None) };
        Upstream::new(outbound.clone(), &bounds(), &api, "http://host/").err()
    };
    for (name, value) in [("Host", "evil.test"), ("a b", "1"), ("x-a", "1\r\nx-b: 2")] {
        assert_eq!(headers(name, value), Some(BadUpstream::Header { name: name.to_owned() }));
    }
    assert!(!format!("{:?}", upstream_at("http://host/", Some(TOKEN))).contains(TOKEN));
}

#[tokio::test]
async fn a_document_from_elsewhere_does_not_lead_inside() {
    let server = Scripted::start([]).await;
    let outbound = Outbound::new(Duration::from_secs(1), Duration::from_secs(4)).expect("a client");
    let api = |file: &str| settings::Api { file: Some(file.to_owned()), ..api(Some("t0ken")) };
    let at = |file: &str| Upstream::new(outbound.clone(), &bounds(), &api(file), &server.url).expect("an upstream");
    let from_elsewhere = at("https://specs.example.com/o.json");
    let outcome = silent(&from_elsewhere, "GET", &format!("{}/a", server.url), &[]).await;
    assert!(matches!(&outcome, Outcome::Failed(why) if why.contains("an address that may not be called")), "{outcome:?}");
    assert_eq!(server.connections(), 0);
    // The operator's own word, or a document that is inside itself.
    assert!(
        leads_inside(&api("specs/o.json"))
            && leads_inside(&api("http://localhost:1/o.json"))
            && leads_inside(&api("http://10.0.0.1/o.json"))
    );
    assert!(!leads_inside(&api("http://93.184.216.34/o.json")) && !leads_inside(&api("https://internal.example.com/o.json")));
    for never in ["http://169.254.169.254", "http://[::ffff:a9fe:a9fe]/x"] {
        assert_eq!(Upstream::new(outbound.clone(), &bounds(), &api("o.json"), never).unwrap_err(), BadUpstream::NeverCalled);
    }
}
