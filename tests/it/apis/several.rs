//! Two APIs behind one agent: each is called by its own functions, and gets only what is its own.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::json;
use swagger_api_agent::settings::Api;

use crate::harness::{
    bed::{Bed, On},
    upstream::{Seen, StubUpstream},
};

/// The bed's own API without a name, another one named `crm`; each with a token of its own.
async fn two(on: On) -> (Bed, StubUpstream) {
    let crm = StubUpstream::start().await;
    let api = Api {
        name: "crm".to_owned(),
        file: Some(crm.document().display().to_string()),
        base_url: Some(crm.url.clone()),
        token: Some(SecretString::from("token-of-crm")),
        headers: BTreeMap::new(),
        ..Api::default()
    };
    let bed = Bed::with(on, |settings| {
        settings.upstream.token = Some(SecretString::from("token-of-shop"));
        settings.apis = vec![api];
    });
    (bed.await, crm)
}

/// What each request of an API was authorised with.
fn authorised(seen: &[Seen]) -> Vec<(String, String)> {
    let header = |seen: &Seen| seen.headers.get("authorization").map_or(String::new(), |value| value.to_str().unwrap().to_owned());
    seen.iter().map(|seen| (format!("{} {}", seen.method, seen.target), header(seen))).collect()
}

#[tokio::test]
async fn each_api_gets_only_its_own_calls_with_its_own_token() {
    for on in [On::Redis, On::Embedded] {
        let (bed, crm) = two(on).await;
        let new_user = json!({"name": "Ann", "email": "a@example.com"});
        bed.llm.calls([("getUsers", json!({})), ("crm_getUser", json!({"id": 5})), ("crm_createUser", new_user)]).says("Done.");
        let ann = bed.as_user("ann");
        assert_eq!(ann.process("copy a user").await.message(), "Done.");
        assert!(ann.call("crm_getUsers", json!({})).await.ok()["success"].as_bool().unwrap());
        let own = |target: &str, token: &str| (target.to_owned(), format!("Bearer {token}"));
        assert_eq!(authorised(&bed.upstream.seen()), [own("GET /users", "token-of-shop")]);
        let expected = ["GET /users/5", "POST /users", "GET /users"].map(|target| own(target, "token-of-crm"));
        assert_eq!(authorised(&crm.seen()), expected);
    }
}

#[tokio::test]
async fn functions_of_a_named_api_begin_with_its_name() {
    let (bed, _crm) = two(On::Embedded).await;
    let listed = bed.as_user("ann").get("/api/functions").await.ok();
    let names: Vec<&str> = listed["functions"].as_array().unwrap().iter().map(|function| function["name"].as_str().unwrap()).collect();
    let own = ["getBroken", "getReport", "getUsers", "createUser", "getUser", "deleteUser"];
    let crm = own.map(|name| format!("crm_{name}"));
    assert_eq!(names, own.iter().copied().chain(crm.iter().map(String::as_str)).collect::<Vec<_>>());
    let unknown = bed.as_user("ann").call("crm_getUsr", json!({})).await.refused(404, "function_unknown");
    assert_eq!(unknown["near"][0], "crm_getUser");
}

#[tokio::test]
async fn the_model_is_told_of_both() {
    let (bed, _crm) = two(On::Embedded).await;
    bed.llm.says("Hello.");
    bed.as_user("ann").process("hello").await.ok();
    let asked = &bed.llm.asked()[0];
    let system = asked["messages"][0]["content"].as_str().unwrap();
    assert!(
        system.contains("several HTTP APIs") && system.contains("- Functions that begin with `crm_`. Its document calls it \"Shop\""),
        "{system}"
    );
    assert_eq!(asked["tools"].as_array().unwrap().len(), 12);
}

#[tokio::test]
async fn one_api_with_a_name_and_no_other_serves() {
    let bed = Bed::with(On::Embedded, |settings| {
        let api = Api {
            name: "crm".to_owned(),
            file: settings.openapi.file.take(),
            base_url: settings.upstream.base_url.take(),
            ..Api::default()
        };
        settings.apis = vec![api];
    });
    let bed = bed.await;
    bed.as_user("ann").call("crm_getUsers", json!({})).await.ok();
    bed.as_user("ann").call("getUsers", json!({})).await.refused(404, "function_unknown");
    assert_eq!(bed.upstream.log(), ["GET /users"]);
}

#[tokio::test]
async fn what_is_wrong_with_each_api_is_told_at_once() {
    let upstream = StubUpstream::start().await;
    let data = tempfile::tempdir().unwrap();
    let mut settings = swagger_api_agent::settings::Settings::builtin();
    settings.store.data_dir = data.path().to_owned();
    settings.openapi.file = Some("no/such.yaml".to_owned());
    let relative = data.path().join("relative.json");
    std::fs::write(&relative, r#"{"openapi": "3.0.3", "paths": {"/a": {"get": {"responses": {}}}}}"#).unwrap();
    let api = |name: &str, file: &std::path::Path| Api { name: name.to_owned(), file: Some(file.display().to_string()), ..Api::default() };
    let variables = [("region".to_owned(), "eu".to_owned())].into();
    settings.apis = vec![api("crm", &relative), Api { server_variables: variables, ..api("shop", &upstream.document()) }];
    let told = Box::pin(swagger_api_agent::app::App::build(settings)).await.err().expect("it cannot be built").0;
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[0].starts_with("openapi.file: no/such.yaml: "), "{told:#?}");
    assert_eq!(told[1], "apis.crm.base_url is not set and the document names no absolute server");
    assert!(told[2].starts_with("apis.shop.file: ") && told[2].ends_with("no server of it has the variable `region`"), "{told:#?}");
}
