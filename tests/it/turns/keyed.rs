//! Changing calls under an idempotency key: one key for each, the same whenever it is sent again, and none where none is wanted.

use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::{
    domain::{idempotency::KeyRule, selection::Rule},
    settings::Settings,
};

use super::{history_of, killed_at};
use crate::harness::{
    bed::{Bed, On},
    process::{LEASE_MS, Process},
    until,
};

crate::contract::on_both_stores! {
    every_changing_call_that_a_rule_fits_has_a_key_of_its_own
    a_call_whose_answer_is_lost_is_sent_again_under_the_same_key
    without_a_key_a_call_whose_answer_is_lost_is_not_sent_again
    a_direct_call_has_a_key_as_well
}

const HEADER: &str = "X-Once";

fn keyed(settings: &mut Settings) {
    let operations = vec![Rule::parse("id:createUser").unwrap()];
    settings.upstream.idempotency = vec![KeyRule { operations, header: Some(HEADER.to_owned()) }];
}

fn new_user(name: &str) -> Value {
    json!({"name": name, "email": "a@example.com"})
}

/// A bed and a process of its own beside it, both with keys.
async fn beside_a_process(lease_ms: u64) -> (Bed, Process) {
    let bed = Bed::with(On::Redis, |settings| {
        keyed(settings);
        settings.turns.lease_ms = lease_ms;
    })
    .await;
    let rules = format!(r#"[{{"operations": ["id:createUser"], "header": "{HEADER}"}}]"#);
    let process = Process::start(&bed.settings, &[("SAA_UPSTREAM__IDEMPOTENCY", &rules)]).await;
    (bed, process)
}

/// The key of each request that the API got, in order.
fn keys(bed: &Bed) -> Vec<Option<String>> {
    bed.upstream.seen().iter().map(|seen| seen.headers.get(HEADER).map(|key| key.to_str().unwrap().to_owned())).collect()
}

async fn every_changing_call_that_a_rule_fits_has_a_key_of_its_own(on: On) {
    let bed = Bed::with(on, keyed).await;
    bed.llm.calls([
        ("createUser", new_user("Ann")),
        ("createUser", new_user("Ann")),
        ("getUsers", json!({})),
        ("deleteUser", json!({"id": 1})),
    ]);
    bed.llm.calls([("createUser", new_user("Ann"))]).says("Done.");
    bed.as_user("ann").process("create Ann three times").await.ok();
    assert_eq!(bed.upstream.log(), ["POST /users", "POST /users", "GET /users", "DELETE /users/1", "POST /users"]);
    let keys = keys(&bed);
    let [Some(first), Some(second), None, None, Some(third)] = keys.as_slice() else { panic!("{keys:?}") };
    assert!(first != second && second != third && first != third, "{keys:?}");
    assert_eq!(uuid::Uuid::parse_str(first).unwrap().get_version_num(), 4);
}

async fn a_call_whose_answer_is_lost_is_sent_again_under_the_same_key(on: On) {
    let bed = Bed::with(on, |settings| {
        keyed(settings);
        settings.upstream.timeout_ms = 1000;
        settings.upstream.connect_timeout_ms = 500;
    })
    .await;
    bed.llm.calls([("createUser", new_user("Ann"))]).says("Created.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let sent_twice = async {
        gate.reached_by(2).await;
        gate.open();
    };
    let ann = bed.as_user("ann");
    let (turn, ()) = tokio::join!(ann.process("create Ann"), sent_twice);
    let answer = turn.ok();
    assert_eq!((&answer["message"], &answer["function_calls"][0]["success"]), (&json!("Created."), &json!(true)), "{answer:#}");
    let keys = keys(&bed);
    assert!(keys.len() == 2 && keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
}

async fn without_a_key_a_call_whose_answer_is_lost_is_not_sent_again(on: On) {
    let bed = Bed::with(on, |settings| {
        settings.upstream.timeout_ms = 300;
        settings.upstream.connect_timeout_ms = 300;
    })
    .await;
    bed.llm.calls([("createUser", new_user("Ann"))]).says("It is not known.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let answer = bed.as_user("ann").process("create Ann").await.ok();
    gate.open();
    assert_eq!(answer["function_calls"][0]["success"], false, "{answer:#}");
    assert_eq!(keys(&bed), [None]);
}

async fn a_direct_call_has_a_key_as_well(on: On) {
    let bed = Bed::with(on, keyed).await;
    let ann = bed.as_user("ann");
    for _ in 0..2 {
        ann.call("createUser", new_user("Ann")).await.ok();
    }
    ann.call("deleteUser", json!({"id": 1})).await.ok();
    let keys = keys(&bed);
    let [Some(first), Some(second), None] = keys.as_slice() else { panic!("{keys:?}") };
    assert_ne!(first, second);
}

/// A replica sleeps while its keyed call is out; another sends that again and what comes behind it, and then the session is ended. Of what it
/// has not sent itself the sleeper knows nothing.
#[tokio::test]
async fn a_sleeper_does_not_say_that_nobody_sent_what_it_did_not_send() {
    let (bed, process) = beside_a_process(LEASE_MS).await;
    bed.llm.calls([("createUser", new_user("Ann")), ("deleteUser", json!({"id": 1}))]).says("Done, says the other.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let sleeper = bed.through(&process.base).as_user("ann");
    sleeper.token().await;
    let turn = sleeper.processing("create Ann, delete 1");
    gate.reached().await;
    process.stop();
    gate.reached().await;
    gate.open();
    let ann = bed.as_user("ann");
    until("another went on with it", async || ann.history().await.len() == 2).await;
    bed.as_admin().delete("/api/admin/sessions/ann").await.ok();
    process.resume();
    let told = turn.await.unwrap().ok();
    assert_eq!(bed.upstream.log(), ["POST /users", "POST /users", "DELETE /users/1"]);
    let run = told["run_id"].as_str().unwrap();
    assert_eq!(ann.get(&format!("/api/runs/{run}")).await.ok()["run"]["state"], "answered");
    let calls = told["function_calls"].as_array().unwrap();
    assert_eq!((calls.len(), &calls[1]["success"]), (2, &json!(false)), "{told:#}");
    for said in [&calls[1]["markdown_result"], &told["message"]] {
        let said = said.as_str().unwrap();
        assert!(said.contains("may have sent it") && !said.contains("Not done"), "{said}");
    }
    assert!(told["message"].as_str().unwrap().contains("Another replica went on"), "{told:#}");
}

/// Lets a process that will be killed send a call, kills it, and waits until another replica has sent it again under the same key.
async fn taken_over(path: &'static str, body: Value, script: impl FnOnce(&Bed)) -> Bed {
    let (bed, mut process) = beside_a_process(600).await;
    script(&bed);
    let doomed = bed.through(&process.base).as_user("ann");
    let gate = bed.upstream.hold(Method::POST, "/users");
    killed_at(&gate, &mut process, doomed, path, body).await;
    gate.reached().await;
    let keys = keys(&bed);
    assert!(keys.len() == 2 && keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
    bed
}

#[tokio::test]
async fn a_dead_replicas_call_is_sent_again_under_the_same_key() {
    let script = |bed: &Bed| {
        bed.llm.calls([("createUser", new_user("Ann"))]).says("Created.");
    };
    let bed = taken_over("/api/process", json!({"message": "create Ann"}), script).await;
    assert_eq!(history_of(&bed.as_user("ann"), 2).await, ["user: create Ann", "assistant: Created."]);
}

#[tokio::test]
async fn a_dead_replicas_direct_call_is_sent_again_under_the_same_key() {
    let body = json!({"function_name": "createUser", "parameters": new_user("Ann")});
    let bed = taken_over("/api/call", body, |_| {}).await;
    let history = history_of(&bed.as_user("ann"), 2).await;
    assert!(!history[1].contains("unknown") && !history[1].contains("not known"), "{history:#?}");
}
