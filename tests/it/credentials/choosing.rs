//! The document's alternatives against what the operator has set.

use std::collections::BTreeMap;

use serde_json::json;
use swagger_api_agent::settings::{Credential, Settings};

use crate::{
    contract::on_both_stores,
    harness::{
        bed::{Bed, On},
        secured::SecuredApi,
    },
};

on_both_stores! {
    what_belongs_together_is_sent_together
    the_other_alternative_is_taken_where_the_first_is_not_whole
    an_operation_that_needs_nothing_gets_nothing
    an_operation_that_may_do_without_is_called_anonymously_unless_a_credential_is_known
    cookies_of_arguments_and_of_credentials_are_one_header
    what_is_not_set_is_told_and_nothing_is_sent
    where_nothing_is_set_calls_go_out_without
}

fn secret(text: &str) -> Credential {
    Credential::Secret(text.into())
}

fn basic() -> Credential {
    Credential::Basic { username: "u".to_owned(), password: "p".into() }
}

async fn bed(on: On, api: &SecuredApi, set: &[(&str, Credential)], adjust: impl FnOnce(&mut Settings)) -> Bed {
    let credentials: BTreeMap<String, Credential> = set.iter().map(|(name, set)| ((*name).to_owned(), set.clone())).collect();
    Bed::with(on, |settings| {
        api.serve_by(settings);
        settings.upstream.credentials = credentials;
        adjust(settings);
    })
    .await
}

async fn what_belongs_together_is_sent_together(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api, &[("KeyQ", secret("K")), ("Basic", basic()), ("Bearer", secret("never"))], |_| {}).await;
    bed.as_user("ann").call("getBoth", json!({"q": "x"})).await.ok();
    let sent = api.last();
    assert_eq!((sent.line.as_str(), sent.header("authorization")), ("GET /both?q=x&api_key=K", Some("Basic dTpw")));
    bed.as_user("ann").call("changeBoth", json!({})).await.ok();
    let sent = api.last();
    assert_eq!((sent.line.as_str(), sent.header("authorization")), ("POST /both?api_key=K", Some("Basic dTpw")));
    // What Kinto does with names and passwords.
    bed.as_user("ann").call("getBasic", json!({})).await.ok();
    assert_eq!((api.last().line.as_str(), api.last().header("authorization")), ("GET /basic", Some("Basic dTpw")));
}

async fn the_other_alternative_is_taken_where_the_first_is_not_whole(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api, &[("KeyQ", secret("K")), ("Bearer", secret("t"))], |_| {}).await;
    bed.as_user("ann").call("getBoth", json!({})).await.ok();
    assert_eq!((api.last().line.as_str(), api.last().header("authorization")), ("GET /both", Some("Bearer t")));
}

async fn an_operation_that_needs_nothing_gets_nothing(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api, &[("KeyH", secret("k"))], |settings| {
        settings.upstream.token = Some("t".into());
        settings.upstream.headers = BTreeMap::from([("X-Tenant".to_owned(), "blue".into())]);
    })
    .await;
    bed.as_user("ann").call("getOpen", json!({})).await.ok();
    let sent = api.last();
    assert_eq!((sent.header("authorization"), sent.header("x-key"), sent.header("cookie")), (None, None, None));
    assert_eq!(sent.header("x-tenant"), Some("blue"), "the operator's headers go with every call");
    bed.as_user("ann").call("getBoth", json!({})).await.ok();
    assert_eq!(api.last().header("authorization"), Some("Bearer t"), "upstream.token meets a bearer scheme");
}

async fn an_operation_that_may_do_without_is_called_anonymously_unless_a_credential_is_known(on: On) {
    let api = SecuredApi::start().await;
    let without = bed(on, &api, &[("KeyQ", secret("K"))], |_| {}).await;
    without.as_user("ann").call("getMaybe", json!({})).await.ok();
    assert_eq!(api.last().header("authorization"), None);
    let with = bed(on, &api, &[("Bearer", secret("t"))], |_| {}).await;
    with.as_user("ann").call("getMaybe", json!({})).await.ok();
    assert_eq!(api.last().header("authorization"), Some("Bearer t"));
}

async fn cookies_of_arguments_and_of_credentials_are_one_header(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api, &[("Sid", secret("S"))], |settings| {
        settings.upstream.headers = BTreeMap::from([("x-version".to_owned(), "7".into())]);
    })
    .await;
    bed.as_user("ann").call("getCookie", json!({"c": "1"})).await.ok();
    let sent = api.last();
    assert_eq!(sent.headers.get_all("cookie").iter().count(), 1);
    assert_eq!((sent.header("cookie"), sent.header("x-version")), (Some("c=1; sid=S"), Some("7")));
    // What the operator sets is no argument, and what is a credential never was one.
    let listed = bed.as_user("ann").get("/api/functions").await.ok();
    let all = listed["functions"].to_string();
    for hidden in ["X-Version", "\"sid\"", "api_key", "X-Key"] {
        assert!(!all.contains(hidden), "{hidden}: {all}");
    }
    for refused in ["X-Version", "sid", "api_key"] {
        bed.as_user("ann").call("getCookie", json!({refused: "mine"})).await.refused(400, "invalid_parameters");
    }
    assert_eq!(api.calls().len(), 1);
}

async fn what_is_not_set_is_told_and_nothing_is_sent(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api, &[("KeyQ", secret("K"))], |_| {}).await;
    let refused = bed.as_user("ann").call("getBoth", json!({})).await.json();
    let error = refused["error"].as_str().unwrap();
    for part in ["not set: Basic, or Bearer;", "PUT /api/credentials/{scheme}", "upstream.credentials.{scheme}"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!((&refused["success"], &refused["api_response"]), (&json!(false), &json!(null)));
    let chinese = bed.as_user("ann").reading_chinese().call("changeBoth", json!({})).await.json();
    assert!(chinese["markdown_result"].as_str().unwrap().contains("没有发送"), "{chinese:#}");
    bed.llm.calls([("getBoth", json!({}))]).says("You need to set your credentials.");
    bed.as_user("ann").process("get both").await.ok();
    let heard = bed.llm.heard().pop().unwrap();
    assert!(heard.contains("nothing was sent: the API asks for credentials that are not set: Basic, or Bearer"), "{heard}");
    assert!(api.calls().is_empty());
}

async fn where_nothing_is_set_calls_go_out_without(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api, &[], |_| {}).await;
    bed.as_user("ann").call("getBoth", json!({})).await.ok();
    assert_eq!((api.last().line.as_str(), api.last().header("authorization")), ("GET /both", None));
}

#[tokio::test]
async fn what_the_document_cannot_take_stops_the_start() {
    let api = SecuredApi::start().await;
    let mut settings = Settings::builtin();
    let directory = tempfile::tempdir().unwrap();
    settings.store.data_dir = directory.path().to_owned();
    api.serve_by(&mut settings);
    settings.upstream.credentials = BTreeMap::from([
        ("Beerer".to_owned(), secret("canary")),
        ("Basic".to_owned(), secret("canary")),
        ("Certificate".to_owned(), secret("canary")),
        ("KeyQ".to_owned(), basic()),
        (
            "Client".to_owned(),
            Credential::Client {
                client_id: "c".to_owned(),
                client_secret: "canary".into(),
                token_url: Some("http://tokens.example/t".to_owned()),
                scopes: None,
            },
        ),
    ]);
    let Err(error) = swagger_api_agent::app::App::build(settings).await else { panic!("it started") };
    let told = error.to_string();
    assert_eq!(error.0.len(), 5, "{told}");
    for part in [
        "upstream.credentials.Beerer names no security scheme of the document; it has Bearer",
        "upstream.credentials.Basic: the scheme needs a user name and a password",
        "upstream.credentials.Certificate: the document's scheme of that name is of a kind that is not supported",
        "upstream.credentials.KeyQ: the scheme needs a key",
        "upstream.credentials.Client: the client's secret is not sent to http://tokens.example/t: https is needed",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("canary"), "{told}");
}
