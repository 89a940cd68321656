//! Other documents while the service runs: what began with the old one ends with it, and a bad one changes nothing.

use serde_json::{Value, json};
use swagger_api_agent::{app::App, settings::Settings};

use crate::harness::{
    bed::{Bed, On},
    client::Client,
    process::Process,
    until,
    upstream::StubUpstream,
};

const RELOAD: &str = "/api/admin/openapi/reload";

async fn functions(client: &Client) -> Vec<String> {
    let listed = client.get("/api/functions").await.ok();
    listed["functions"].as_array().unwrap().iter().map(|function| function["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_turn_ends_with_the_document_it_began_with_and_the_next_sees_the_new_one() {
    let bed = Bed::on(On::Redis).await;
    let ann = bed.as_user("ann");
    ann.token().await;
    let gate = bed.llm.calls([("deleteUser", json!({"id": 3}))]).held();
    bed.llm.says("Deleted.");
    let turn = ann.process("delete 3");
    let meanwhile = async {
        gate.reached().await;
        bed.upstream.describe_without("deleteUser");
        let done = bed.as_admin().post(RELOAD, json!({})).await.ok();
        assert_eq!((&done["changed"], &done["functions"]), (&json!(true), &json!(5)));
        gate.open();
    };
    let (turn, ()) = tokio::join!(turn, meanwhile);
    assert_eq!(turn.message(), "Deleted.");
    assert_eq!(bed.upstream.log(), ["DELETE /users/3"]);

    bed.llm.calls([("deleteUser", json!({"id": 4}))]).says("It cannot be done.");
    assert_eq!(ann.process("delete 4").await.message(), "It cannot be done.");
    let heard = bed.llm.heard();
    assert!(heard.last().unwrap().contains("no function"), "{heard:#?}");
    ann.call("deleteUser", json!({"id": 4})).await.refused(404, "function_unknown");
    assert!(!functions(&ann).await.contains(&"deleteUser".to_owned()));
    assert_eq!(bed.upstream.log(), ["DELETE /users/3"]);
}

#[tokio::test]
async fn a_document_that_cannot_be_used_changes_nothing() {
    let bed = Bed::on(On::Embedded).await;
    let before = functions(&bed.as_user("ann")).await;
    for (broken, reason) in [("{\"openapi\": ", "shop.json:1:"), (r#"{"openapi": "3.0.3", "paths": {}}"#, "no operation that can be used")]
    {
        bed.upstream.describe(broken);
        let told = bed.as_admin().post(RELOAD, json!({})).await.refused(422, "document_unusable");
        assert!(told["error"].as_str().unwrap().contains(reason), "{told:#}");
        assert!(told["problems"][0].as_str().unwrap().starts_with("openapi.file: "), "{told:#}");
        let chinese = bed.as_admin().reading_chinese().post(RELOAD, json!({})).await.refused(422, "document_unusable");
        assert!(chinese["error"].as_str().unwrap().starts_with("文档无法使用"), "{chinese:#}");
        assert_eq!(functions(&bed.as_user("ann")).await, before);
        let failure = bed.as_admin().get("/api/admin/openapi").await.ok()["last_reload_failure"].clone();
        assert_eq!(failure["problems"], told["problems"]);
    }
    bed.as_user("ann").call("getUsers", json!({})).await.ok();
    bed.upstream.describe_without("getUser");
    bed.as_admin().post(RELOAD, json!({})).await.ok();
    assert_eq!(bed.as_admin().get("/api/admin/openapi").await.ok()["last_reload_failure"], Value::Null);
    assert_eq!(functions(&bed.as_user("ann")).await.len(), before.len() - 1);
}

#[tokio::test]
async fn the_same_document_is_no_change() {
    let bed = Bed::on(On::Embedded).await;
    let served = async || bed.as_admin().get("/api/admin/openapi").await.ok()["apis"][0].clone();
    let before = served().await;
    let done = bed.as_admin().post(RELOAD, json!({})).await.ok();
    assert_eq!((&done["changed"], &done["fingerprint"]), (&json!(false), &before["fingerprint"]));
    assert_eq!(served().await, before, "it is served since the start");
}

#[tokio::test]
async fn only_administrators_reload_and_look() {
    for on in [On::Redis, On::Embedded] {
        let bed = Bed::on(on).await;
        bed.as_user("ann").post(RELOAD, json!({})).await.refused(403, "not_admin");
        bed.as_user("ann").get("/api/admin/openapi").await.refused(403, "not_admin");
        bed.nobody().post(RELOAD, json!({})).await.refused(401, "token_missing");
        bed.nobody().get("/api/admin/openapi").await.refused(401, "token_missing");
    }
}

#[tokio::test]
async fn reloads_at_once_come_one_after_the_other_and_end_with_the_newest() {
    let bed = Bed::on(On::Embedded).await;
    let admin = bed.as_admin();
    admin.token().await;
    let reloads = (0..8).map(|_| async { admin.post(RELOAD, json!({})).await.ok()["changed"].as_bool().unwrap() });
    bed.upstream.describe_without("getUser");
    let changed = futures_util::future::join_all(reloads).await;
    assert_eq!(changed.into_iter().filter(|changed| *changed).count(), 1);
    assert_eq!(functions(&bed.as_user("ann")).await.len(), 5);
}

#[tokio::test]
async fn a_hangup_has_the_process_read_its_document_again() {
    let bed = Bed::on(On::Redis).await;
    let process = Process::start(&bed.settings, &[]).await;
    let ann = bed.through(&process.base).as_user("ann");
    assert_eq!(functions(&ann).await.len(), 6);
    bed.upstream.describe_without("getUser");
    process.hang_up();
    until("the new document", async || functions(&ann).await.len() == 5).await;
    bed.upstream.describe("{");
    process.hang_up();
    let admin = bed.through(&process.base).as_admin();
    until("the failure", async || admin.get("/api/admin/openapi").await.ok()["last_reload_failure"] != Value::Null).await;
    assert_eq!(functions(&ann).await.len(), 5);
    assert_eq!(functions(&bed.as_user("ann")).await.len(), 6, "the other replica was not told");
}

#[tokio::test]
async fn a_watched_document_is_served_when_it_changes() {
    let bed = Bed::with(On::Embedded, |settings| settings.openapi.watch_secs = 1).await;
    let ann = bed.as_user("ann");
    assert_eq!(functions(&ann).await.len(), 6);
    bed.upstream.describe_without("getUser");
    until("the new document", async || functions(&ann).await.len() == 5).await;
    bed.upstream.describe("{");
    let failure = async || bed.as_admin().get("/api/admin/openapi").await.ok()["last_reload_failure"].clone();
    until("the failure", async || failure().await != Value::Null).await;
    assert_eq!(functions(&ann).await.len(), 5);
    bed.upstream.describe_without("createUser");
    until("the next one", async || functions(&ann).await.contains(&"getUser".to_owned())).await;
    assert_eq!(failure().await, Value::Null);
}

#[tokio::test]
async fn a_program_that_uses_the_library_reloads_by_itself() {
    let upstream = StubUpstream::start().await;
    let data = tempfile::tempdir().unwrap();
    let mut settings = Settings::builtin();
    settings.store.data_dir = data.path().to_owned();
    settings.openapi.file = Some(upstream.document().display().to_string());
    let app = Box::pin(App::build(settings)).await.unwrap();
    let (before, operation) = (app.served(), "getUser");
    upstream.describe_without(operation);
    assert!(app.reload().await.unwrap().changed && !app.reload().await.unwrap().changed);
    assert!(app.served().apis.operation(operation).is_none());
    assert!(before.apis.operation(operation).is_some(), "whoever holds the old ones keeps them");
    upstream.describe("[]");
    assert!(app.reload().await.unwrap_err()[0].starts_with("openapi.file: "));
    assert_eq!(app.served().apis.functions().len(), 5);
}

#[tokio::test]
async fn the_offline_planner_plans_with_the_new_functions() {
    let bed = Bed::with(On::Embedded, |settings| settings.llm.url = None).await;
    let ann = bed.as_user("ann");
    let called = ann.process("delete user 3").await.ok();
    assert_eq!(called["function_calls"][0]["function_name"], "deleteUser", "{called:#}");
    bed.upstream.describe_without("deleteUser");
    bed.as_admin().post(RELOAD, json!({})).await.ok();
    let told = ann.process("delete user 4").await.ok();
    assert_eq!(told["function_calls"], json!([]), "{told:#}");
    assert_eq!(bed.upstream.log(), ["DELETE /users/3"]);
}

#[tokio::test]
async fn a_document_does_not_lead_credentials_to_another_origin() {
    let (here, there) = (StubUpstream::start().await, StubUpstream::start().await);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("api.json");
    let describe = |server: &str| {
        let document = json!({"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "servers": [{"url": server}],
            "paths": {"/users": {"get": {"operationId": "getUsers", "responses": {}}}}});
        std::fs::write(&file, document.to_string()).unwrap();
    };
    describe(&here.url);
    let bed = Bed::with(On::Embedded, |settings| {
        settings.openapi.file = Some(file.display().to_string());
        settings.upstream.base_url = None;
        settings.upstream.token = Some("t0ken-of-the-api".into());
    });
    let bed = bed.await;
    describe(&there.url);
    let told = bed.as_admin().post(RELOAD, json!({})).await.refused(422, "document_unusable");
    assert!(told["problems"][0].as_str().unwrap().contains("set upstream.base_url"), "{told:#}");
    bed.as_user("ann").call("getUsers", json!({})).await.ok();
    assert_eq!((here.log().len(), there.log().len()), (1, 0));
}
