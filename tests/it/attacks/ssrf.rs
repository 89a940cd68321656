//! Rows 35 to 38: addresses that want the service to go where it should not. Canaries on the loopback count who comes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use swagger_api_agent::{app::App, domain::limits::DOCUMENT_BYTES_MAX, settings::Settings};
use tokio::net::TcpListener;

use crate::harness::{
    bed::{Bed, On},
    recorder::Recorder,
};

/// A port of the loopback at which nobody should call.
struct Canary {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
}

impl Canary {
    async fn start() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let (port, calls) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let counted = calls.clone();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address: ([127, 0, 0, 1], port).into(), calls }
    }

    #[track_caller]
    fn was_not_called(&self, after: &str) {
        assert_eq!(self.calls.load(Ordering::SeqCst), 0, "after {after}");
    }
}

/// Ways to write the loopback, and addresses that lead to it or to what clouds tell their machines, with this port.
fn urls(port: u16) -> Vec<String> {
    let hosts = [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0x7F.0x0.0x0.0x1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.1",
        "0",
        "0.0.0.0",
        "127.0.0.1.",
        "127.0.0.2",
        "127.255.255.254",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "a.localhost",
        "１２７.０.０.１",
        "127。0。0。1",
        "127｡0｡0｡1",
        "①②⑦.⓪.⓪.①",
        "%31%32%37.0.0.1",
        "127.0.0.%31",
        "user@127.0.0.1",
        "user:pass@127.0.0.1",
        "evil.test@127.0.0.1",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "metadata.google.internal",
        "10.0.0.1",
        "192.168.0.1",
    ];
    let whole = |scheme: &str| hosts.map(|host| format!("{scheme}://{host}:{port}/x"));
    let odd = [
        format!("//127.0.0.1:{port}/x"),
        format!("\\\\127.0.0.1:{port}\\x"),
        format!("/\\127.0.0.1:{port}/x"),
        format!("http:/\\127.0.0.1:{port}/x"),
        format!("http:127.0.0.1:{port}/x"),
        format!("http:\t//127.0.0.1:{port}/x"),
        format!(" http://127.0.0.1:{port}/x"),
        format!("@127.0.0.1:{port}/x"),
        format!(":80@127.0.0.1:{port}/x"),
        format!("#@127.0.0.1:{port}/x"),
        format!("?@127.0.0.1:{port}/x"),
        format!("..//127.0.0.1:{port}/x"),
        format!("%2e%2e/%2f%2f127.0.0.1:{port}/x"),
        format!("%0d%0aHost: 127.0.0.1:{port}"),
        format!("\r\nHost: 127.0.0.1:{port}"),
        format!("gopher://127.0.0.1:{port}/_GET"),
        format!("file://127.0.0.1:{port}/etc/passwd"),
        "file:///etc/passwd".to_owned(),
        format!("ftp://127.0.0.1:{port}/x"),
        format!("dict://127.0.0.1:{port}/x"),
        format!("ws://127.0.0.1:{port}/x"),
        format!("unix://127.0.0.1:{port}/x"),
        format!("jar:http://127.0.0.1:{port}!/x"),
        format!("javascript://127.0.0.1:{port}/%0aalert(1)"),
        format!("data:text/plain,http://127.0.0.1:{port}"),
    ];
    whole("http").into_iter().chain(whole("https")).chain(odd).collect()
}

fn document(servers: &[Value], paths: Value) -> Value {
    json!({"openapi": "3.0.3", "info": {"title": "S", "version": "1"}, "servers": servers, "paths": paths})
}

/// Nobody waits for the rate.
fn unhurried(settings: &mut Settings) {
    settings.limits.requests_per_minute = 100_000;
    settings.limits.turns_per_minute = 100_000;
}

fn served_by(recorder: &Recorder) -> impl FnOnce(&mut Settings) {
    let (file, token) = (format!("http://{}/o.json", recorder.address), "t0ken-of-the-api");
    move |settings| {
        settings.openapi.file = Some(file);
        settings.upstream.base_url = None;
        settings.upstream.token = Some(token.into());
        unhurried(settings);
    }
}

#[tokio::test]
async fn row_35_no_argument_leads_anywhere_else() {
    let (api, canary) = (Recorder::start().await, Canary::start().await);
    let argument = |name: &str, place: &str| json!({"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}});
    let arguments =
        json!([argument("p", "path"), argument("q", "query"), argument("host", "query"), argument("X-Forwarded-Host", "header")]);
    let paths = json!({"/a/{p}": {"get": {"operationId": "read", "parameters": arguments, "responses": {}}}});
    api.serve("/o.json", &document(&[json!({"url": format!("http://{}/v1", api.address)})], paths).to_string());
    let bed = Bed::with(On::Embedded, served_by(&api)).await;
    let urls = urls(canary.address.port());
    assert!(urls.len() >= 80, "{}", urls.len());
    for url in &urls {
        for arguments in [
            json!({"p": url}),
            json!({"p": "x", "q": url, "host": url}),
            json!({"p": "x", "X-Forwarded-Host": url}),
            json!({"p": "x", "Host": url}),
        ] {
            let status = bed.as_user("ann").call("read", arguments.clone()).await.status;
            assert!(matches!(status, 200 | 400), "{arguments}: {status}");
            for seen in api.take() {
                // One segment below the path, to the host that was configured.
                let path = seen.target.split('?').next().unwrap();
                assert!(path.strip_prefix("/v1/a/").is_some_and(|segment| !segment.contains('/')), "{arguments}: {seen:?}");
                assert_eq!(seen.all("host"), [api.address.to_string()], "{arguments}");
            }
        }
        canary.was_not_called(url);
    }
}

#[tokio::test]
async fn row_36_servers_of_a_document_lead_nowhere_else() {
    let (api, canary) = (Recorder::start().await, Canary::start().await);
    let urls = urls(canary.address.port());
    let operation = |(n, url): (usize, &String)| {
        let item = json!({"get": {"operationId": format!("op{n}"), "servers": [{"url": url}], "responses": {}}});
        (format!("/{n}"), item)
    };
    let paths = Value::Object(urls.iter().enumerate().map(operation).collect());
    api.serve("/o.json", &document(&[json!({"url": format!("http://{}/v1", api.address)})], paths).to_string());
    let bed = Bed::with(On::Embedded, served_by(&api)).await;
    let mut refused = 0;
    for (n, url) in urls.iter().enumerate() {
        let reply = bed.as_user("ann").call(&format!("op{n}"), json!({})).await;
        // What is no address of a server is relative to the document, or makes no function.
        for seen in api.take() {
            assert_eq!(seen.all("host"), [api.address.to_string()], "{url}");
        }
        refused += usize::from(reply.text().contains("not sent"));
        canary.was_not_called(url);
    }
    assert!(refused >= 40, "only {refused} were functions that could not be called");
}

/// Why the service does not start with this as the first server of a document.
async fn no_start(server: &str, file: &dyn Fn(&Value) -> String) -> String {
    let data = tempfile::tempdir().unwrap();
    let mut settings = Settings::builtin();
    settings.store.data_dir = data.path().to_owned();
    settings.openapi.file = Some(file(&document(&[json!({"url": server})], json!({"/a": {"get": {"operationId": "a", "responses": {}}}}))));
    match Box::pin(App::build(settings)).await {
        Ok(_) => panic!("it starts with {server}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn row_36_a_document_that_leads_to_what_clouds_tell_their_machines_is_no_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("o.json");
    let file = |document: &Value| {
        std::fs::write(&path, document.to_string()).unwrap();
        path.display().to_string()
    };
    for server in [
        "http://169.254.169.254/latest",
        "http://2852039166",
        "http://0xa9.0xfe.0xa9.0xfe",
        "http://[::ffff:169.254.169.254]",
        "http://[fe80::1]",
        "http://[fd00:ec2::254]",
        "http://100.100.100.200",
        "http://239.255.255.250:1900",
    ] {
        let told = no_start(server, &file).await;
        assert!(told.contains("never called: link-local"), "{server}: {told}");
    }
    for server in ["file:///etc", "gopher://x", "javascript:alert(1)", "http://user:pass@example.com"] {
        let told = no_start(server, &file).await;
        assert!(told.contains("base_url") || told.contains("server") || told.contains("operation"), "{server}: {told}");
    }
}

#[tokio::test]
async fn row_36_what_a_document_refers_to_elsewhere_is_not_fetched_and_circles_end() {
    let (api, canary) = (Recorder::start().await, Canary::start().await);
    let directory = tempfile::tempdir().unwrap();
    let (path, secret) = (directory.path().join("o.json"), directory.path().join("secret"));
    std::fs::write(&secret, r#"{"type": "string", "description": "nobody's business"}"#).unwrap();
    let port = canary.address.port();
    let mut paths = json!({"/good": {"get": {"operationId": "good", "responses": {}}}});
    let elsewhere = [
        format!("http://127.0.0.1:{port}/s.json"),
        format!("http://127.0.0.1:{port}/s.json#/a"),
        format!("//127.0.0.1:{port}/s.json"),
        format!("HTTP://127.0.0.1:{port}"),
        format!("ftp://127.0.0.1:{port}/s.json"),
        format!("file://{}", secret.display()),
        "file:///etc/passwd".to_owned(),
        "/etc/passwd".to_owned(),
        "../../../../../../etc/passwd".to_owned(),
        secret.display().to_string(),
    ];
    for (n, reference) in elsewhere.iter().enumerate() {
        let parameter = json!({"name": "q", "in": "query", "schema": {"$ref": reference}});
        paths[format!("/schema{n}")] = json!({"get": {"operationId": format!("schema{n}"), "parameters": [parameter], "responses": {}}});
        paths[format!("/parameter{n}")] =
            json!({"get": {"operationId": format!("parameter{n}"), "parameters": [{"$ref": reference}], "responses": {}}});
        paths[format!("/item{n}")] = json!({"$ref": reference});
    }
    // What refers to itself, at once and over others, as a schema, a parameter and a path.
    let circle = json!({"$ref": "#/components/parameters/A"});
    paths["/circle1"] = json!({"get": {"operationId": "circle1", "parameters": [circle], "responses": {}}});
    paths["/circle2"] = json!({"$ref": "#/paths/~1circle2"});
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let parameter = json!({"name": "q", "in": "query", "schema": schema("A")});
    paths["/circle3"] = json!({"get": {"operationId": "circle3", "parameters": [parameter], "responses": {}}});
    let mut whole = document(&[json!({"url": format!("http://{}/v1", api.address)})], paths);
    whole["components"] = json!({
        "parameters": {"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}},
        "schemas": {"A": schema("B"), "B": {"allOf": [schema("C"), schema("A")]}, "C": {"$ref": "#/components/schemas/C"}},
    });
    std::fs::write(&path, whole.to_string()).unwrap();
    let (file, base) = (path.display().to_string(), format!("http://{}", api.address));
    let bed = Bed::with(On::Embedded, |settings| {
        settings.openapi.file = Some(file);
        settings.upstream.base_url = Some(base);
    })
    .await;
    canary.was_not_called("a document that refers to it");
    let functions = bed.as_user("ann").get("/api/functions").await.ok().to_string();
    let set_aside = bed.as_admin().get("/api/admin/openapi?limit=1000").await.ok().to_string();
    for told in [&functions, &set_aside] {
        assert!(!told.contains("root:") && !told.contains("nobody's business"), "{told}");
    }
    bed.as_user("ann").call("good", json!({})).await.ok();
    assert_eq!(api.take().len(), 1);
    canary.was_not_called("what is told of the document");
}

#[tokio::test]
async fn row_36_a_document_without_an_end_is_given_up() {
    use axum::{Router, body::Body, routing::get};

    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let endless = move || {
        let counted = counted.clone();
        let piece = move |_: u64| {
            counted.fetch_add(1 << 20, Ordering::SeqCst);
            Ok::<_, std::convert::Infallible>(vec![b' '; 1 << 20])
        };
        async move { Body::from_stream(futures_util::stream::iter(0..).map(piece)) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/o.json", get(endless))).await });
    let directory = tempfile::tempdir().unwrap();
    // 100 MB on the disk, of which hardly a block is there.
    let path = directory.path().join("o.json");
    std::fs::File::create(&path).unwrap().set_len(100_000_000).unwrap();
    for (file, why) in [(path.display().to_string(), "67108864"), (format!("http://{address}/o.json"), "could not be loaded")] {
        let data = tempfile::tempdir().unwrap();
        let mut settings = Settings::builtin();
        settings.store.data_dir = data.path().to_owned();
        settings.openapi.file = Some(file.clone());
        let Err(error) = Box::pin(App::build(settings)).await else { panic!("it starts with {file}") };
        assert!(error.to_string().contains(why), "{file}: {error}");
    }
    let sent = sent.load(Ordering::SeqCst);
    assert!(sent <= DOCUMENT_BYTES_MAX + (64 << 20), "{sent} bytes were taken of a document that may have {DOCUMENT_BYTES_MAX}");
}

#[tokio::test]
async fn row_37_a_redirect_is_told_and_not_followed() {
    use axum::{
        Router,
        extract::{Path, State},
        http::{StatusCode, header::LOCATION},
        response::IntoResponse,
        routing::any,
    };

    let canary = Canary::start().await;
    let targets = Arc::new(urls(canary.address.port()));
    let asked = Arc::new(AtomicUsize::new(0));
    let api = {
        let (targets, asked) = (targets.clone(), asked.clone());
        let answer = move |Path((status, n)): Path<(u16, usize)>, State(()): State<()>| async move {
            asked.fetch_add(1, Ordering::SeqCst);
            let location = axum::http::HeaderValue::from_bytes(targets[n].trim().replace(['\r', '\n', '\t'], "").as_bytes()).unwrap();
            (StatusCode::from_u16(status).unwrap(), [(LOCATION, location)]).into_response()
        };
        crate::harness::serve_stub(Router::new().route("/r/{status}/{n}", any(answer)).with_state(())).await
    };
    let argument = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "integer"}});
    let item = json!({"parameters": [argument("status"), argument("n")],
        "get": {"operationId": "read", "responses": {}}, "post": {"operationId": "change", "responses": {}}});
    let text = document(&[], json!({"/r/{status}/{n}": item})).to_string();
    let bed = Bed::with(On::Embedded, |settings| {
        settings.upstream.base_url = Some(format!("http://{api}"));
        unhurried(settings);
    });
    let bed = bed.await;
    bed.upstream.describe(&text);
    bed.as_admin().post("/api/admin/openapi/reload", json!({})).await.ok();
    let mut sent = 0;
    for n in 0..targets.len() {
        let status = [301, 302, 303, 307, 308][n % 5];
        for function in ["read", "change"] {
            let reply = bed.as_user("ann").call(function, json!({"status": status, "n": n})).await;
            assert_eq!(reply.json()["api_response"]["status_code"], status, "{}: {}", targets[n], reply.text());
            sent += 1;
        }
        canary.was_not_called(&targets[n]);
    }
    assert_eq!(asked.load(Ordering::SeqCst), sent, "each was sent once");
}

#[tokio::test]
async fn row_36_the_loopback_is_called_where_the_operator_names_it() {
    let api = Recorder::start().await;
    for name in ["127.0.0.1", "localhost"] {
        let base = format!("http://{name}:{}", api.address.port());
        let bed = Bed::with(On::Embedded, |settings| settings.upstream.base_url = Some(base)).await;
        bed.as_user("ann").call("getUsers", json!({})).await.ok();
        assert_eq!(api.take().len(), 1, "{name} is called where the operator names it");
    }
}

#[tokio::test]
async fn proxies_of_the_environment_are_not_used() {
    let (bed, canary) = (Bed::on(On::Redis).await, Canary::start().await);
    let proxy = format!("http://{}", canary.address);
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let environment: Vec<(&str, &str)> = names.iter().map(|name| (*name, proxy.as_str())).collect();
    let process = crate::harness::process::Process::start(&bed.settings, &environment).await;
    bed.through(&process.base).as_user("ann").call("getUsers", json!({})).await.ok();
    bed.llm.says("Hello.");
    bed.through(&process.base).as_user("ann").process("hello").await.ok();
    assert_eq!(bed.upstream.log(), ["GET /users"]);
    canary.was_not_called("a call and a turn");
}
