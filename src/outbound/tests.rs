//! What each way of going wrong on the wire is called.

use super::{
    scripted::{Act, Scripted},
    *,
};

const CAP: usize = 64 * 1024;

fn outbound() -> Outbound {
    let outbound = Outbound::new(Duration::from_secs(2), Duration::from_secs(4)).expect("a client");
    outbound.named_by_operator(&Url::parse("http://127.0.0.1").expect("a URL"));
    outbound
}

fn get(url: &str) -> Sending {
    Sending {
        method: "GET".to_owned(),
        url: Url::parse(url).expect("a URL"),
        headers: Headers::default(),
        body: None,
        deadline: Duration::from_secs(5),
        reply_bytes_max: CAP,
    }
}

async fn error_of(act: Act) -> SendError {
    let server = Scripted::start([act]).await;
    outbound().send(get(&server.url)).await.expect_err("no reply")
}

/// A port on which nobody listens.
async fn closed_port() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[tokio::test]
async fn a_request_arrives_as_it_was_given() {
    let server = Scripted::start([Act::reply(201, "x-one: 1\r\nX-Two: a\r\nx-two: b\r\n", b"made")]).await;
    let mut headers = Headers::default();
    headers.add("X-Mine", "yes").expect("a header");
    let sending = Sending {
        method: "PATCH".to_owned(),
        headers,
        body: Some(Bytes::from_static(b"{\"a\":1}")),
        ..get(&format!("{}/a%2Fb?q=%20", server.url))
    };
    let reply = outbound().send(sending).await.expect("a reply");
    assert_eq!((reply.status, &reply.body[..]), (201, &b"made"[..]));
    assert_eq!(reply.headers.get("x-one"), Some("1"));
    assert_eq!(reply.headers.iter().filter(|(name, _)| *name == "x-two").count(), 2);
    let seen = &server.requests()[0];
    assert!(seen.head.starts_with("PATCH /a%2Fb?q=%20 HTTP/1.1\n"), "{}", seen.head);
    assert_eq!(seen.header("x-mine"), Some("yes"));
    assert_eq!(seen.header("user-agent"), Some(concat!("swagger-api-agent/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
    assert_eq!(seen.header("referer"), None);
    assert_eq!(seen.body, b"{\"a\":1}");
}

#[tokio::test]
async fn a_second_request_uses_the_first_ones_connection() {
    let server = Scripted::start([Act::json(200, "{}"), Act::json(200, "{}"), Act::json(200, "{}")]).await;
    let outbound = outbound();
    for _ in 0..3 {
        outbound.send(get(&server.url)).await.expect("a reply");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_refused_connection_means_not_sent() {
    let error = outbound().send(get(&closed_port().await)).await.expect_err("no reply");
    assert_eq!(error, SendError::NotSent(NoConnection::Refused));
}

#[tokio::test]
async fn an_unknown_host_means_not_sent() {
    let error = outbound().send(get("http://no-such-host.invalid/")).await.expect_err("no reply");
    // A machine without a name server may need longer to find out than a connection may take.
    assert!(matches!(error, SendError::NotSent(NoConnection::UnknownHost | NoConnection::TimedOut)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_means_not_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 X\r\n\r\n").await;
        }
    });
    let error = outbound().send(get(&url)).await.expect_err("no reply");
    assert_eq!(error, SendError::NotSent(NoConnection::Other));
}

#[tokio::test]
async fn a_connection_closed_after_the_request_is_broken() {
    assert_eq!(error_of(Act::WriteAndClose(Vec::new())).await, SendError::Broken { status: None });
}

#[tokio::test]
async fn a_connection_closed_at_once_is_never_called_not_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let outbound = outbound();
    for _ in 0..20 {
        let error = outbound.send(get(&url)).await.expect_err("no reply");
        assert_eq!(error, SendError::Broken { status: None });
    }
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_broken() {
    assert_eq!(error_of(Act::WriteAndClose(b"220 mail.example ESMTP\r\n".to_vec())).await, SendError::Broken { status: None });
}

#[tokio::test]
async fn half_a_reply_is_broken_and_its_status_is_known() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec();
    assert_eq!(error_of(Act::WriteAndClose(half)).await, SendError::Broken { status: Some(200) });
    let half_a_chunk = b"HTTP/1.1 201 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n".to_vec();
    assert_eq!(error_of(Act::WriteAndClose(half_a_chunk)).await, SendError::Broken { status: Some(201) });
}

#[tokio::test]
async fn half_a_head_is_broken() {
    assert_eq!(error_of(Act::WriteAndClose(b"HTTP/1.1 200 OK\r\nconte".to_vec())).await, SendError::Broken { status: None });
}

#[tokio::test]
async fn a_server_that_hangs_times_out() {
    let server = Scripted::start([Act::WriteAndHang(Vec::new())]).await;
    let sending = Sending { deadline: Duration::from_millis(150), ..get(&server.url) };
    assert_eq!(outbound().send(sending).await.expect_err("no reply"), SendError::TimedOut { status: None });
}

#[tokio::test]
async fn a_body_that_hangs_times_out_and_its_status_is_known() {
    let server = Scripted::start([Act::WriteAndHang(b"HTTP/1.1 202 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec())]).await;
    let sending = Sending { deadline: Duration::from_millis(1000), ..get(&server.url) };
    assert_eq!(outbound().send(sending).await.expect_err("no reply"), SendError::TimedOut { status: Some(202) });
}

#[tokio::test]
async fn a_promised_body_over_the_cap_is_not_read() {
    let promise = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", CAP + 1);
    assert_eq!(error_of(Act::WriteAndHang(promise.into_bytes())).await, SendError::TooLarge { status: 200, cap: CAP });
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_cap() {
    assert_eq!(error_of(Act::WriteAndFlood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())).await, SendError::TooLarge { status: 200, cap: CAP });
}

#[tokio::test]
async fn a_body_of_exactly_the_cap_is_a_reply() {
    let server = Scripted::start([Act::reply(200, "", &vec![b'x'; CAP])]).await;
    assert_eq!(outbound().send(get(&server.url)).await.expect("a reply").body.len(), CAP);
}

#[tokio::test]
async fn a_gzipped_body_is_counted_after_decompression() {
    let plain = vec![b'a'; 60_000];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut gzip, &plain).expect("a vector takes everything");
    let gzip = gzip.finish().expect("a vector takes everything");
    let act = Act::reply(200, "content-encoding: gzip\r\n", &gzip);
    let server = Scripted::start([act.clone(), act]).await;
    let outbound = outbound();
    assert_eq!(outbound.send(get(&server.url)).await.expect("a reply").body, plain);
    let sending = Sending { reply_bytes_max: 50_000, ..get(&server.url) };
    assert_eq!(outbound.send(sending).await.expect_err("too large"), SendError::TooLarge { status: 200, cap: 50_000 });
}

#[tokio::test]
async fn a_body_that_cannot_be_unpacked_is_none() {
    let act = Act::reply(200, "content-encoding: gzip\r\n", b"no gzip at all");
    assert_eq!(error_of(act).await, SendError::Packed { status: 200 });
    let unasked = Act::reply(201, "content-encoding: br\r\n", b"whatever");
    assert_eq!(error_of(unasked).await, SendError::Packed { status: 201 });
}

#[tokio::test]
async fn an_answer_to_head_promises_a_body_and_has_none() {
    let promise = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", CAP + 1);
    let server = Scripted::start([Act::Write(promise.into_bytes())]).await;
    let reply = outbound().send(Sending { method: "HEAD".to_owned(), ..get(&server.url) }).await.expect("a reply");
    assert_eq!((reply.status, reply.body.len()), (200, 0));
}

#[tokio::test]
async fn a_redirect_is_a_reply() {
    let server = Scripted::start([Act::reply(302, "location: http://169.254.169.254/\r\n", b"")]).await;
    assert_eq!(outbound().send(get(&server.url)).await.expect("a reply").status, 302);
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_sent() {
    let outbound = outbound();
    for url in ["ftp://127.0.0.1/", "file:///etc/passwd", "http://user@127.0.0.1/", "http://user:pass@127.0.0.1/"] {
        assert_eq!(outbound.send(get(url)).await.expect_err(url), SendError::BadUrl, "{url}");
    }
    let sending = Sending { method: "GET /".to_owned(), ..get("http://127.0.0.1:1/") };
    assert_eq!(outbound.send(sending).await.expect_err("no method"), SendError::BadUrl);
}

#[tokio::test]
async fn a_document_is_loaded_as_text() {
    let server = Scripted::start([
        Act::reply(200, "", "你好".as_bytes()),
        Act::reply(404, "", b""),
        Act::reply(301, "location: /new\r\n", b""),
        Act::reply(200, "", b"\xff"),
        Act::reply(200, "", b"0123456789"),
    ])
    .await;
    let outbound = outbound();
    let url = format!("{}/doc.yaml?key=canary", server.url);
    assert_eq!(outbound.fetch_text(&url, 9).await.as_deref(), Ok("你好"));
    for said in ["answered 404", "points to /new", "is not UTF-8", "larger than 9 bytes"] {
        let sentence = outbound.fetch_text(&url, 9).await.expect_err(said);
        assert!(sentence.contains(said) && sentence.contains("/doc.yaml") && !sentence.contains("canary"), "{sentence}");
    }
    assert!(outbound.fetch_text("no url", 9).await.is_err());
}

#[tokio::test]
async fn a_post_without_a_body_says_so() {
    let server = Scripted::start([Act::json(200, "{}")]).await;
    outbound().send(Sending { method: "POST".to_owned(), ..get(&server.url) }).await.expect("a reply");
    assert_eq!(server.requests()[0].header("content-length"), Some("0"));
}
