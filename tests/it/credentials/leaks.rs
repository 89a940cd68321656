//! Where credentials never go: answers, the conversation, the model, the store in the clear, the log, another origin.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, OnceLock},
};

use reqwest::Method;
use serde_json::json;
use swagger_api_agent::{domain::base64, settings::Credential};

use crate::{
    contract::on_both_stores,
    harness::{
        bed::{Bed, On},
        client::Client,
        secured::SecuredApi,
    },
};

on_both_stores! {
    a_secret_is_sent_to_the_api_and_told_to_nobody
    a_redirect_takes_no_credential_to_another_origin
}

/// Every secret of these tests has this in it, and nothing else has.
const CANARY: &str = "canary-7d1f";

fn secrets() -> BTreeMap<String, Credential> {
    let secret = |name: &str| (name.to_owned(), Credential::Secret(format!("{CANARY}/{name}+").into()));
    let basic = Credential::Basic { username: "service".to_owned(), password: format!("{CANARY}-password").into() };
    let client = Credential::Client {
        client_id: "agent".to_owned(),
        client_secret: format!("{CANARY}-client").into(),
        token_url: None,
        scopes: None,
    };
    BTreeMap::from([secret("KeyQ"), secret("KeyH"), secret("Sid"), ("Basic".to_owned(), basic), ("Client".to_owned(), client)])
}

/// The forms in which a canary could be found.
fn forms() -> Vec<String> {
    let whole = base64::encode(format!("service:{CANARY}-password").as_bytes());
    vec![CANARY.to_owned(), whole, "granted-token".to_owned(), "own-secret-of-ann".to_owned()]
}

#[track_caller]
fn assert_clean(what: &str, bytes: &[u8]) {
    for form in forms() {
        assert!(!bytes.windows(form.len()).any(|window| window == form.as_bytes()), "{form} is in {what}");
    }
}

/// Everything that any part of the program says, at the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The one log of this process.
    fn listen() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let listening = LOG.get_or_init(|| {
            let log = Self::default();
            let writer = log.clone();
            let told = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
            tracing::subscriber::set_global_default(told).expect("nobody else listens");
            log
        });
        listening.clone()
    }
}

async fn everything_that_is_told(client: &Client, told: &mut Vec<u8>) {
    for path in ["/api/history", "/api/session/info", "/api/info", "/api/functions", "/api/credentials", "/health", "/"] {
        let reply = client.get(path).await;
        told.extend(reply.body);
        told.extend(format!("{:?}", reply.headers).into_bytes());
    }
}

async fn a_secret_is_sent_to_the_api_and_told_to_nobody(on: On) {
    let log = Log::listen();
    let api = SecuredApi::start().await;
    let bed = Bed::with(on, |settings| {
        api.serve_by(settings);
        settings.upstream.credentials = secrets();
        settings.upstream.headers = BTreeMap::from([("X-Auth-Of-Tenant".to_owned(), format!("{CANARY}-header").into())]);
    })
    .await;
    let ann = bed.as_user("ann");
    let own = json!({"value": "own-secret-of-ann"}).to_string();
    let put = ann.send(Method::PUT, "/api/credentials/KeyH", "application/json", own).await;
    let mut told = put.body;
    for function in ["getBoth", "changeBoth", "getOpen", "getCookie", "getKeyed", "getBasic", "getAway", "getGranted", "changeGranted"] {
        let reply = ann.call(function, json!({})).await;
        assert_eq!(reply.status, 200, "{function}");
        told.extend(reply.body);
    }
    // In a turn the journal holds what is about to be sent, and the history what came of it.
    bed.llm
        .calls([("changeBoth", json!({})), ("getKeyed", json!({})), ("changeGranted", json!({}))])
        .calls([("getBoth", json!({})), ("getBasic", json!({}))])
        .says("Done.");
    told.extend(ann.process("do it all").await.body);
    everything_that_is_told(&ann, &mut told).await;
    told.extend(bed.as_admin().get("/api/admin/sessions/ann/keys").await.body);

    let sent = format!("{:?}", api.calls());
    for form in [
        "api_key=canary-7d1f%2FKeyQ%2B",
        "sid=canary-7d1f/Sid+",
        "own-secret-of-ann",
        "canary-7d1f-header",
        "granted-token-1",
        &base64::encode(b"service:canary-7d1f-password"),
    ] {
        assert!(sent.contains(form), "{form} was not sent");
    }
    assert!(String::from_utf8_lossy(&told).contains("[redacted]"), "what the API sent back is taken out");
    assert_clean("an answer", &told);
    assert_clean("what the model heard", format!("{:?}", bed.llm.asked()).as_bytes());
    let (stored, said) = (bed.everything_stored(), log.0.lock().unwrap().clone());
    assert!(String::from_utf8_lossy(&stored).contains("changeGranted"), "the history is stored");
    assert!(String::from_utf8_lossy(&said).contains("got a token from"), "the log is heard");
    assert_clean("the store", &stored);
    assert_clean("the log", &said);
}

async fn a_redirect_takes_no_credential_to_another_origin(on: On) {
    let (api, elsewhere) = (SecuredApi::start().await, SecuredApi::start().await);
    let bed = Bed::with(on, |settings| {
        api.serve_by(settings);
        settings.upstream.credentials = secrets();
        settings.upstream.headers = BTreeMap::from([("X-Auth-Of-Tenant".to_owned(), format!("{CANARY}-header").into())]);
    })
    .await;
    api.point_away_to(&format!("{}/keyed?api_key=canary-7d1f%2FKeyQ%2B", elsewhere.url));
    let answer = bed.as_user("ann").call("getAway", json!({})).await;
    assert_eq!(answer.json()["api_response"]["status_code"], 302);
    assert_clean("an answer", &answer.body);
    let sent = api.last();
    assert_eq!((sent.header("x-key"), sent.header("x-auth-of-tenant")), (Some("canary-7d1f/KeyH+"), Some("canary-7d1f-header")));
    assert_eq!((api.calls().len(), elsewhere.calls().len()), (1, 0));
}
