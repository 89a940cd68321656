//! What those who operate the service see of it: counts and times, on a listener of their own.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::json;
use swagger_api_agent::release;
use tokio::net::TcpListener;

use crate::harness::{
    bed::{Bed, On},
    client::At,
    process::Process,
    until,
};

/// The admin listener of a bed's first replica.
pub async fn admin(bed: &Bed) -> At {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(swagger_api_agent::api::server::serve_admin(bed.app(0), listener));
    bed.through(&format!("http://{address}"))
}

pub async fn scraped(admin: &At) -> String {
    let reply = admin.nobody().get("/metrics").await;
    assert_eq!(reply.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    reply.text().to_owned()
}

/// The value of one series.
#[track_caller]
pub fn value(told: &str, series: &str) -> f64 {
    let line = told.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} is missing in {told}")).parse().unwrap()
}

fn series(told: &str) -> BTreeSet<String> {
    told.lines().filter(|line| !line.starts_with('#')).filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
}

macro_rules! on_both_stores {
    ($($case:ident)+) => {$(
        mod $case {
            use super::On;

            #[tokio::test]
            async fn embedded() {
                super::of::$case(On::Embedded).await;
            }

            #[tokio::test]
            async fn redis() {
                super::of::$case(On::Redis).await;
            }
        }
    )+};
}

on_both_stores! {
    a_turn_is_counted_with_all_that_it_does
}

mod of {
    use super::*;

    pub async fn a_turn_is_counted_with_all_that_it_does(on: On) {
        let bed = Bed::on(on).await;
        let admin = admin(&bed).await;
        bed.llm.calls([("createUser", json!({"name": "Ann", "email": "a@example.com"}))]).says("Done.");
        bed.as_user("ann").process("create Ann").await.ok();
        let told = scraped(&admin).await;
        for (series, expected) in [
            ("saa_requests_total{route=\"/api/process\",method=\"POST\",class=\"2xx\"}", 1.0),
            ("saa_runs_ended_total{kind=\"turn\",outcome=\"answered\"}", 1.0),
            ("saa_calls_total{class=\"changing\",outcome=\"done\"}", 1.0),
            ("saa_stage_seconds_count{stage=\"turn\"}", 1.0),
            ("saa_stage_seconds_count{stage=\"begin\"}", 1.0),
            ("saa_stage_seconds_count{stage=\"model\"}", 2.0),
            ("saa_stage_seconds_count{stage=\"upstream\"}", 1.0),
            ("saa_stage_seconds_count{stage=\"commit\"}", 1.0),
            ("saa_store_seconds_count{verb=\"begin\"}", 1.0),
            ("saa_store_seconds_count{verb=\"commit\"}", 1.0),
            ("saa_logins_total{outcome=\"admitted\"}", 1.0),
            ("saa_leases_held", 0.0),
            ("saa_sessions", 1.0),
            ("saa_store_up", 1.0),
        ] {
            assert!((value(&told, series) - expected).abs() < f64::EPSILON, "{series} is not {expected} in {told}");
        }
        assert!(value(&told, "saa_tokens_total{kind=\"prompt\"}") > 0.0, "{told}");
        assert!(
            told.ends_with("# EOF\n")
                && told.contains(&format!("saa_build_info{{version=\"{}\",commit=\"{}\"}} 1", release::VERSION, release::COMMIT))
        );
    }
}

#[tokio::test]
async fn what_goes_wrong_is_counted_as_what_it_is() {
    let bed = Bed::on(On::Embedded).await;
    let admin = admin(&bed).await;
    let ann = bed.as_user("ann");
    ann.call("noSuchFunction", json!({})).await.refused(404, "function_unknown");
    bed.nobody().post("/api/login", json!({"username": "ann", "password": "not this one"})).await.refused(401, "wrong_credentials");
    bed.nobody().post("/api/token/refresh", json!({"refresh_token": "none of ours"})).await.refused(401, "refresh_token_invalid");
    bed.nobody().get("/no/such/path").await.refused(404, "not_found");
    let told = scraped(&admin).await;
    for series in [
        "saa_requests_total{route=\"/api/call\",method=\"POST\",class=\"4xx\"}",
        "saa_requests_total{route=\"none\",method=\"GET\",class=\"4xx\"}",
        "saa_logins_total{outcome=\"wrong_credentials\"}",
        "saa_logins_total{outcome=\"refresh_invalid\"}",
    ] {
        assert!((value(&told, series) - 1.0).abs() < f64::EPSILON, "{series} in {told}");
    }
}

#[tokio::test]
async fn an_open_stream_is_counted_until_it_ends() {
    let bed = Bed::on(On::Embedded).await;
    let admin = admin(&bed).await;
    let gate = bed.upstream.hold(Method::POST, "/users");
    bed.llm.calls([("createUser", json!({"name": "Ann", "email": "a@example.com"}))]).says("Done.");
    let mut events = bed.as_user("ann").streams("create Ann").await;
    gate.reached().await;
    let told = scraped(&admin).await;
    assert!((value(&told, "saa_event_streams_open") - 1.0).abs() < f64::EPSILON, "{told}");
    assert!((value(&told, "saa_leases_held") - 1.0).abs() < f64::EPSILON, "{told}");
    gate.open();
    events.until("done").await;
    drop(events);
    until("the stream is closed", async || value(&scraped(&admin).await, "saa_event_streams_open") < 0.5).await;
}

#[tokio::test]
async fn a_store_that_is_away_is_told_and_no_number_of_sessions_is() {
    let bed = Bed::behind_a_wire(|_| {}).await;
    let admin = admin(&bed).await;
    assert!(scraped(&admin).await.contains("\nsaa_sessions "));
    bed.wire().cut();
    until("the store is away", async || value(&scraped(&admin).await, "saa_store_up") < 0.5).await;
    let told = scraped(&admin).await;
    assert!(!told.contains("\nsaa_sessions "), "{told}");
    assert!(value(&told, "saa_store_errors_total{error=\"unavailable\"}") > 0.0, "{told}");
    assert_eq!(admin.nobody().get("/readyz").await.status, 503);
    assert_eq!(admin.nobody().get("/livez").await.status, 200);
}

#[tokio::test]
async fn ten_thousand_paths_users_and_methods_make_no_more_series_than_a_few() {
    let bed = Bed::on(On::Embedded).await;
    let admin = admin(&bed).await;
    let base = bed.at(0).base;
    let client = Arc::new(reqwest::Client::builder().no_proxy().build().unwrap());
    let ask = |round: usize, count: usize| {
        let (client, base) = (client.clone(), base.clone());
        stream::iter(0..count).for_each_concurrent(16, move |n| {
            let (client, base) = (client.clone(), base.clone());
            async move {
                let n = round * 100_000 + n;
                let path = match n % 4 {
                    0 => format!("/path/{n}"),
                    1 => format!("/api/admin/sessions/user{n}"),
                    2 => format!("/api/runs/run{n}"),
                    _ => format!("/api/credentials/scheme{n}?api=api{n}"),
                };
                let method = Method::from_bytes(if n.is_multiple_of(5) { format!("M{n}") } else { "GET".to_owned() }.as_bytes()).unwrap();
                client.request(method, format!("{base}{path}")).send().await.unwrap();
            }
        })
    };
    ask(0, 40).await;
    let before = series(&scraped(&admin).await);
    ask(1, 10_000).await;
    let after = series(&scraped(&admin).await);
    // What the service asks of its store in the background comes at its own times.
    let more: Vec<&String> = after.difference(&before).filter(|series| !series.starts_with("saa_store_seconds")).collect();
    assert_eq!(more, Vec::<&String>::new());
    assert!(after.len() < 1000, "{} series", after.len());
    let asked = value(&scraped(&admin).await, "saa_requests_total{route=\"none\",method=\"other\",class=\"4xx\"}");
    assert!(asked > 400.0, "{asked}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_a_warning_where_nobody_asked_for_it_and_an_error_where_somebody_did() {
    let bed = Bed::on(On::Redis).await;
    // Whoever has the default port, this test or another program: it is taken.
    let _taken = TcpListener::bind("127.0.0.1:5001").await;
    let process = Process::start(&bed.settings, &[("SAA_ADMIN__LISTEN", "")]).await;
    assert_eq!(bed.through(&process.base).nobody().get("/health/live").await.status, 200);
    let told = "cannot listen on 127.0.0.1:5001, so there are no metrics";
    until("the warning", async || process.log().contains(told)).await;
    assert!(process.log().contains("SAA_ADMIN__LISTEN"), "{}", process.log());

    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"));
    let data = tempfile::tempdir().unwrap();
    command.env_clear().env("SAA_ADMIN__LISTEN", &listen).env("SAA_STORE__DATA_DIR", data.path()).args(["serve", "--port", "0"]);
    let ended = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(!ended.status.success());
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(told.contains(&format!("cannot listen on {listen}")) && told.contains("admin.listen"), "{told}");
}
