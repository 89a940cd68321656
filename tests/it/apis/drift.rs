//! Two replicas with two versions of a document: what one began with, the other need not know.

use reqwest::Method;
use serde_json::json;
use swagger_api_agent::domain::policy::Confirm;

use crate::harness::{
    bed::{Bed, On},
    process::scene,
    until,
};

#[tokio::test]
async fn an_interrupted_call_of_an_operation_that_is_gone_is_told() {
    let (bed, mut process) = scene().await;
    bed.llm.calls([("createUser", json!({"name": "Ann", "email": "a@example.com"}))]).says("It is not known whether Ann was created.");
    let doomed = bed.through(&process.base).as_user("ann");
    doomed.token().await;
    let gate = bed.upstream.hold(Method::POST, "/users");
    let request = doomed.processing("create Ann");
    gate.reached().await;
    bed.upstream.describe_without("createUser");
    bed.as_admin().post("/api/admin/openapi/reload", json!({})).await.ok();
    process.kill();
    gate.open();
    assert!(request.await.is_err(), "its client got no answer");

    let ann = bed.as_user("ann");
    until("another went on with it", async || ann.history().await.len() == 2).await;
    let heard = bed.llm.heard().join("\n");
    assert!(heard.contains("createUser(") && heard.contains("may or may not have taken effect"), "{heard}");
    assert_eq!(bed.upstream.log(), ["POST /users"], "nothing was sent in its place");
}

#[tokio::test]
async fn a_conversation_goes_on_where_its_functions_are_gone_and_says_by_which_documents() {
    let (bed, process) = scene().await;
    bed.llm.calls([("getReport", json!({"X-Region": "north"}))]).says("Three.");
    let old = bed.through(&process.base).as_user("ann");
    assert_eq!(old.process("how many?").await.message(), "Three.");
    let info = async |client: &crate::harness::client::Client| client.get("/api/session/info").await.ok()["session_info"].clone();
    let first = info(&old).await["last_turn_fingerprint"].clone();

    bed.upstream.describe_without("getReport");
    bed.as_admin().post("/api/admin/openapi/reload", json!({})).await.ok();
    let new = bed.as_user("ann");
    let before = info(&new).await;
    assert_eq!(before["last_turn_fingerprint"], first);
    assert_ne!(before["agent_status"]["api_info"]["fingerprint"], first);
    bed.llm.calls([("getReport", json!({"X-Region": "north"}))]).says("I cannot any more.");
    assert_eq!(new.process("and now?").await.message(), "I cannot any more.");
    let after = info(&new).await;
    assert_eq!(after["last_turn_fingerprint"], after["agent_status"]["api_info"]["fingerprint"]);
    assert_eq!(bed.upstream.log(), ["GET /report"]);
    drop(process);
}

#[tokio::test]
async fn a_yes_to_an_operation_that_is_gone_sends_nothing() {
    let bed = Bed::with(On::Embedded, |settings| settings.agent.confirm = Some(Confirm::Changing)).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("deleteUser", json!({"id": 3}))]);
    let question = ann.process("delete 3").await.message();
    assert!(question.contains("/users/3"), "{question}");
    bed.upstream.describe_without("deleteUser");
    bed.as_admin().post("/api/admin/openapi/reload", json!({})).await.ok();
    bed.llm.says("It is not possible any more.");
    assert_eq!(ann.process("yes").await.message(), "It is not possible any more.");
    assert_eq!(bed.upstream.log(), [""; 0]);
}
