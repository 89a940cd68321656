//! Sessions and replicas at the command line, straight in the store.

use std::process::Command;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use swagger_api_agent::settings::Settings;

use crate::harness::bed::{Bed, On};

/// Runs the program with these arguments on the store of these settings: whether it was content, what it said and what it complained of.
fn run(settings: &Settings, arguments: &str) -> (bool, String, String) {
    let redis = settings.store.redis_url.as_ref().map(|url| url.expose_secret().to_owned()).unwrap_or_default();
    let done = Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"))
        .env_clear()
        .env("REDIS_URL", redis)
        .env("SAA_STORE__DATA_DIR", &settings.store.data_dir)
        .args(arguments.split_whitespace())
        .output()
        .expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (done.status.success(), text(done.stdout), text(done.stderr))
}

async fn with_sessions(on: On) -> (Bed, String) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    ann.get("/api/session/info").await.ok();
    let other = ann.post("/api/sessions", json!({"title": "other"})).await.json()["session"]["id"].as_str().unwrap().to_owned();
    bed.as_user("bob").get("/api/session/info").await.ok();
    (bed, other)
}

/// The same commands wherever the sessions are.
fn looked_at_and_ended(settings: &Settings, other: &str) {
    let json_of = |arguments: &str| -> Value {
        let (content, said, complained) = run(settings, arguments);
        assert!(content, "{arguments}: {complained}");
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{arguments}: {error}: {said}"))
    };
    let listed = json_of("session list --user ann --json");
    assert_eq!((listed["sessions"].as_array().unwrap().len(), &listed["total"]), (2, &json!(3)), "{listed:#}");
    let (_, said, _) = run(settings, "session list --limit 1");
    assert!(said.contains("bob\t") && said.contains("1 session here, of 3 (3 active)") && said.contains("--cursor "), "{said}");
    let cursor = said.rsplit("--cursor ").next().unwrap().trim();
    assert!(run(settings, &format!("session list --limit 1 --cursor {cursor}")).1.contains(other));
    assert_eq!(json_of(&format!("session show ann {other} --json"))["id"], *other);
    let (_, shown, _) = run(settings, "session show ann");
    assert!(shown.contains("turns\t0") && shown.contains("changing_calls\t0") && shown.contains("tokens_estimated\tfalse"), "{shown}");
    assert!(!json_of(&format!("session keys ann {other} --json")).as_array().unwrap().is_empty());
    let (content, said, complained) = run(settings, &format!("session end ann {other}"));
    assert!(content && said.contains("1 of the sessions of ann was ended, with all that ran in it"), "{said}{complained}");
    for (arguments, problem) in [
        (format!("session end ann {other}"), format!("ann has no session {other}")),
        ("session show nobody".to_owned(), "nobody has no session".to_owned()),
        ("session end ann".to_owned(), "<SESSION|--all>".to_owned()),
        (format!("session end ann {other} --all"), "cannot be used with".to_owned()),
        ("session list --limit 0".to_owned(), "a whole number from 1 to 1000".to_owned()),
        ("session list --cursor x".to_owned(), "is none that `session list` gave".to_owned()),
    ] {
        let (content, _, complained) = run(settings, &arguments);
        assert!(!content && complained.contains(&problem), "{arguments}: {complained}");
    }
    assert!(run(settings, "session end ann --all").0);
    assert_eq!(json_of("session list --json")["total"], 1);
}

#[tokio::test]
async fn sessions_are_looked_at_and_ended_while_the_service_runs_on_redis() {
    let (bed, other) = with_sessions(On::Redis).await;
    let settings = bed.settings.clone();
    looked_at_and_ended(&settings, &other);
    let log = bed.as_admin().get("/api/admin/audit?action=session_ended").await.ok();
    assert_eq!((&log["count"], &log["records"][0]["details"]["through"]), (&json!(2), &json!("the command line")), "{log:#}");
    let (content, said, complained) = run(&settings, "replica list --json");
    assert!(content, "{complained}");
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap()[0]["id"], bed.app(0).replica());
    assert!(run(&settings, "replica list").1.contains("\tserving\t"));
}

#[tokio::test]
async fn whoever_meets_the_file_in_the_hands_of_the_service_is_told_what_to_do() {
    let (mut bed, other) = with_sessions(On::Embedded).await;
    let (content, _, complained) = run(&bed.settings, "session list");
    assert!(!content && complained.contains("held by another process") && complained.contains("GET /api/admin/sessions"), "{complained}");
    let (content, _, complained) = run(&bed.settings, "replica list");
    assert!(!content && complained.contains("GET /api/admin/replicas"), "{complained}");
    let (mut elsewhere, empty) = (bed.settings.clone(), tempfile::tempdir().unwrap());
    elsewhere.store.data_dir = empty.path().to_owned();
    assert!(run(&elsewhere, "session list").2.contains("there is no store in"));
    bed.restart(async |settings| looked_at_and_ended(settings, &other)).await;
}
