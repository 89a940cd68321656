//! A replica dies in the middle: nothing said is lost, nothing sent is sent again, and what is not known is said to be not known.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    bed::{Bed, On},
    client::{Client, Reply},
    gate::Gate,
    process::Process,
};

/// How long a dead replica keeps the session.
const LEASE_MS: u64 = 600;

/// Repeats a request for as long as the dead replica's lease keeps it out.
async fn after_the_lease(mut attempt: impl AsyncFnMut() -> Reply) -> Reply {
    loop {
        let reply = attempt().await;
        if reply.status != 409 {
            return reply;
        }
        reply.refused(409, "turn_in_progress");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// One replica that stays, one process that will be killed, and an API that holds every new user.
async fn scene() -> (Bed, Process) {
    let bed = Bed::with(On::Redis, |settings| settings.turns.lease_ms = LEASE_MS).await;
    let process = Process::start(&bed.settings, &[]).await;
    (bed, process)
}

fn new_user() -> Value {
    json!({"name": "Ann", "email": "a@example.com"})
}

/// Lets the doomed process begin something, and kills it as soon as the API holds its request.
async fn killed_in_the_call(bed: &Bed, process: &mut Process, doomed: Client, path: &'static str, body: Value) {
    let gate = bed.upstream.hold(Method::POST, "/users");
    killed_at(gate, process, doomed, path, body).await;
}

/// Lets the doomed process begin something, and kills it as soon as a request of its stands at the gate.
async fn killed_at(gate: Gate, process: &mut Process, doomed: Client, path: &'static str, body: Value) {
    doomed.token().await;
    let request = tokio::spawn(async move { tokio::time::timeout(std::time::Duration::from_secs(20), doomed.post(path, body)).await });
    gate.reached().await;
    process.kill();
    gate.open();
    assert!(request.await.is_err(), "its client got no answer");
}

#[tokio::test]
async fn the_next_turn_is_told_what_the_dead_one_may_have_done() {
    let (bed, mut process) = scene().await;
    bed.llm.calls([("createUser", new_user())]);
    let doomed = bed.through(&process.base).as_user("ann");
    killed_in_the_call(&bed, &mut process, doomed, "/api/process", json!({"message": "create Ann"})).await;

    bed.llm.says("It is not known whether Ann was created.");
    let ann = bed.as_user("ann");
    after_the_lease(async || ann.process("did it work?").await).await.ok();
    let heard = bed.llm.heard();
    assert_eq!(heard[0], "user: create Ann");
    assert!(heard[1].starts_with("assistant: createUser("), "{heard:#?}");
    assert!(heard[2].starts_with("tool: ") && heard[2].contains("may or may not have taken effect"), "{heard:#?}");
    assert!(heard[3].contains("interrupted") && heard[3].contains("outcome unknown"), "{heard:#?}");
    assert_eq!(heard[4], "user: did it work?");
    let history = ann.history().await;
    assert_eq!((history.len(), history[0].as_str()), (4, "user: create Ann"));
    assert!(history[1].contains("outcome unknown"), "{history:#?}");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn each_call_of_a_dead_replicas_batch_is_told_as_what_it_is() {
    let (bed, mut process) = scene().await;
    bed.llm.calls([("createUser", new_user()), ("deleteUser", json!({"id": 1})), ("deleteUser", json!({"id": 2}))]);
    let doomed = bed.through(&process.base).as_user("ann");
    let gate = bed.upstream.hold(Method::DELETE, "/users/1");
    killed_at(gate, &mut process, doomed, "/api/process", json!({"message": "create Ann, delete 1 and 2"})).await;

    bed.llm.says("Ann was created.");
    let ann = bed.as_user("ann");
    after_the_lease(async || ann.process("what was done?").await).await.ok();
    let history = ann.history().await;
    let url = &bed.upstream.url;
    let expected = [
        "assistant: This request was interrupted before it was finished.".to_owned(),
        format!("- createUser `POST {url}/users`: was sent, status 201"),
        format!("- deleteUser `DELETE {url}/users/1`: **outcome unknown**. It is not sent again."),
        format!("- deleteUser `DELETE {url}/users/2`: was not sent"),
    ];
    assert_eq!(history[1].lines().collect::<Vec<_>>(), expected);
    let heard = bed.llm.heard();
    assert_eq!(heard[1].matches("User(").count(), 3, "{heard:#?}");
    assert!(heard[2].contains("\"status\":201") && heard[2].contains("a@example.com"), "{heard:#?}");
    assert!(heard[3].contains("may or may not have taken effect"), "{heard:#?}");
    assert!(heard[4].contains("was not sent"), "{heard:#?}");
    assert_eq!(bed.upstream.log(), ["POST /users", "DELETE /users/1"]);
}

#[tokio::test]
async fn the_same_request_under_its_key_is_told_and_not_run_again() {
    let (bed, mut process) = scene().await;
    bed.llm.calls([("createUser", new_user())]);
    let keyed = |client: Client| client.with("idempotency-key", "k-1");
    let doomed = keyed(bed.through(&process.base).as_user("ann"));
    killed_in_the_call(&bed, &mut process, doomed, "/api/process", json!({"message": "create Ann"})).await;

    let ann = keyed(bed.as_user("ann"));
    let told = after_the_lease(async || ann.process("create Ann").await).await;
    assert!(told.message().contains("outcome unknown"), "{}", told.text());
    assert_eq!(ann.process("create Ann").await.body, told.body, "and from then on it is what the key stands for");
    assert_eq!(ann.history().await.len(), 2);
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn a_direct_call_that_died_is_told_to_the_next_turn() {
    let (bed, mut process) = scene().await;
    let doomed = bed.through(&process.base).as_user("ann");
    killed_in_the_call(&bed, &mut process, doomed, "/api/call", json!({"function_name": "createUser", "parameters": new_user()})).await;

    bed.llm.says("It is not known.");
    let ann = bed.as_user("ann");
    after_the_lease(async || ann.process("did it work?").await).await.ok();
    let heard = bed.llm.heard().join("\n");
    assert!(heard.contains("POST") && heard.contains("createUser") && heard.contains("outcome unknown"), "{heard}");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn what_was_said_to_a_replica_that_died_thinking_is_not_lost() {
    let (bed, mut process) = scene().await;
    let gate = bed.llm.says("Too late.").held();
    let doomed = bed.through(&process.base).as_user("ann");
    doomed.token().await;
    let request = tokio::spawn(async move { doomed.process("remember 42").await });
    gate.reached().await;
    process.kill();
    gate.open();
    assert!(request.await.is_err(), "its client got no answer");

    bed.llm.says("42.");
    let ann = bed.as_user("ann");
    after_the_lease(async || ann.process("what was it?").await).await.ok();
    let heard = bed.llm.heard();
    assert_eq!((heard[0].as_str(), heard[2].as_str()), ("user: remember 42", "user: what was it?"));
    assert!(heard[1].contains("interrupted"), "{heard:#?}");
}
