//! Users' own credentials: set, seen, taken away, and used for that user alone.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::settings::{Api, Credential, SealingKey};

use crate::{
    contract::on_both_stores,
    harness::{
        bed::{Bed, On},
        client::{Client, Reply},
        secured::SecuredApi,
        shape::has,
    },
};

on_both_stores! {
    a_credential_is_set_seen_and_taken_away
    every_scheme_is_listed_and_no_secret_is
    only_schemes_of_the_document_take_one
    a_credential_that_does_not_fit_is_told_all_that_is_wrong
    a_users_own_goes_before_the_services_and_for_nobody_else
    a_turn_uses_the_users_own
    one_that_cannot_be_opened_stops_that_call_alone
    the_keys_of_a_user_hold_their_credentials
    whoever_has_many_is_stopped
    each_of_several_apis_has_its_own
}

async fn bed(on: On, api: &SecuredApi) -> Bed {
    Bed::with(on, |settings| {
        api.serve_by(settings);
        settings.upstream.credentials = BTreeMap::from([("KeyH".to_owned(), Credential::Secret("the service's".into()))]);
    })
    .await
}

async fn put(client: &Client, scheme: &str, body: Value) -> Reply {
    client.send(Method::PUT, &format!("/api/credentials/{scheme}"), "application/json", body.to_string()).await
}

async fn a_credential_is_set_seen_and_taken_away(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    let ann = bed.as_user("ann");
    let told = put(&ann, "KeyH", json!({"value": "canary-of-ann"})).await.ok();
    has(&told, "success:bool message:text credential:object user_id:text");
    has(&told["credential"], "scheme:text type:text set:bool kind:text set_at:time");
    let seen = ann.get("/api/credentials/KeyH").await.ok();
    assert_eq!(seen["credential"], told["credential"]);
    assert_eq!(
        (&seen["credential"]["kind"], &seen["credential"]["in"], &seen["credential"]["name"]),
        (&json!("value"), &json!("header"), &json!("X-Key"))
    );
    put(&ann, "Basic", json!({"username": "ann", "password": "pass:word"})).await.ok();
    ann.call("getBasic", json!({})).await.ok();
    assert_eq!(api.last().header("authorization"), Some("Basic YW5uOnBhc3M6d29yZA=="));
    let gone = ann.delete("/api/credentials/KeyH").await.ok();
    assert_eq!((&gone["credential"]["set"], &gone["credential"]["set_at"]), (&json!(false), &json!(null)));
    ann.delete("/api/credentials/KeyH").await.ok();
    ann.call("getKeyed", json!({})).await.ok();
    assert_eq!(api.last().header("x-key"), Some("the service's"));
    let sessions = bed.as_admin().get("/api/admin/sessions").await.ok();
    assert!(sessions["sessions_info"]["sessions"]["ann"].is_object(), "calls make a session");
    put(&bed.as_user("bob"), "KeyH", json!({"value": "x"})).await.ok();
    let sessions = bed.as_admin().get("/api/admin/sessions").await.ok();
    assert!(sessions["sessions_info"]["sessions"]["bob"].is_null(), "credentials make none");
}

async fn every_scheme_is_listed_and_no_secret_is(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    let ann = bed.as_user("ann");
    put(&ann, "Bearer", json!({"value": "canary-of-ann"})).await.ok();
    let listed = ann.get("/api/credentials").await;
    let told = listed.ok();
    has(&told, "success:bool credentials:list count:count user_id:text");
    let row = |own: &Value| format!("{} {} {}", own["scheme"].as_str().unwrap(), own["type"].as_str().unwrap(), own["set"]);
    let rows: Vec<String> = told["credentials"].as_array().unwrap().iter().map(row).collect();
    assert_eq!(
        rows,
        [
            "Basic basic false",
            "Bearer bearer true",
            "Certificate unsupported false",
            "Client oauth2 false",
            "KeyH api_key false",
            "KeyQ api_key false",
            "Sid api_key false"
        ]
    );
    assert!(!listed.text().contains("canary") && !listed.text().contains("the service's"), "{}", listed.text());
}

async fn only_schemes_of_the_document_take_one(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    let ann = bed.as_user("ann");
    let refused = put(&ann, "Beerer", json!({"value": "x"})).await.refused(404, "scheme_unknown");
    assert_eq!(refused["near"], json!(["Bearer"]));
    assert!(refused["error"].as_str().unwrap().contains("Bearer"), "{refused:#}");
    let long = "x".repeat(300);
    for nobodys in ["none", "%FF", "a%2Fb", &long] {
        let path = format!("/api/credentials/{nobodys}");
        ann.get(&path).await.refused(404, "scheme_unknown");
        ann.delete(&path).await.refused(404, "scheme_unknown");
    }
    put(&ann, "Bearer", json!({"value": "x", "api": "another"})).await.refused(404, "api_unknown");
    put(&ann, "Bearer", json!({"value": "x", "api": ""})).await.ok();
    let chinese = put(&ann.clone().reading_chinese(), "Beerer", json!({"value": "x"})).await.refused(404, "scheme_unknown");
    assert!(chinese["error"].as_str().unwrap().contains("相近"), "{chinese:#}");
}

async fn a_credential_that_does_not_fit_is_told_all_that_is_wrong(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    let ann = bed.as_user("ann");
    for (body, problems) in [
        (json!({}), json!(["value is missing, or username and password"])),
        (json!({"value": 5, "api": []}), json!(["api is a list; a text is needed", "value is a number; a text is needed"])),
        (json!({"username": "u"}), json!(["password is missing"])),
        (json!({"value": "v", "username": "u"}), json!(["value and username or password are given; one credential is needed"])),
    ] {
        assert_eq!(put(&ann, "Bearer", body).await.refused(400, "invalid_body")["problems"], problems);
    }
    for (scheme, body, problem) in [
        ("Bearer", json!({"username": "u", "password": "p"}), "value is needed for the scheme Bearer"),
        ("Basic", json!({"value": "canary"}), "username and password are needed for the scheme Basic"),
        ("Certificate", json!({"value": "canary"}), "the scheme Certificate is of a kind that is not supported"),
        ("Bearer", json!({"value": "Bearer canary"}), "value begins with `Bearer `; the token alone is needed"),
        ("KeyH", json!({"value": "canary\r\nX-Admin: 1"}), "the secret has characters that a header cannot carry"),
        ("Sid", json!({"value": "canary; admin=1"}), "the secret has a semicolon, which a cookie cannot carry"),
        ("KeyQ", json!({"value": "x".repeat(9000)}), "value has more than 8192 bytes"),
    ] {
        let refused = put(&ann, scheme, body).await.refused(400, "invalid_credential");
        assert_eq!(refused["problems"], json!([problem]));
        assert!(!refused.to_string().contains("canary"), "{refused:#}");
    }
}

async fn a_users_own_goes_before_the_services_and_for_nobody_else(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    let (ann, bob, cleo) = (bed.as_user("ann"), bed.as_user("bob"), bed.as_user("cleo"));
    put(&ann, "KeyH", json!({"value": "ann's"})).await.ok();
    put(&bob, "KeyH", json!({"value": "bob's"})).await.ok();
    let mut used = Vec::new();
    for client in [&ann, &bob, &cleo, &ann, &cleo, &bob] {
        client.call("getKeyed", json!({})).await.ok();
        used.push(api.last().header("x-key").unwrap().to_owned());
    }
    assert_eq!(used, ["ann's", "bob's", "the service's", "ann's", "the service's", "bob's"]);
    assert_eq!(cleo.get("/api/credentials/KeyH").await.ok()["credential"]["set"], false);
    // Somebody who brings a credential means to be known by it: what they lack is told.
    put(&ann, "Bearer", json!({"value": "t"})).await.ok();
    ann.call("getBoth", json!({})).await.ok();
    assert_eq!(api.last().header("authorization"), Some("Bearer t"));
    assert!(bob.call("getBoth", json!({})).await.json()["error"].as_str().unwrap().contains("KeyQ and Basic, or Bearer"));
}

async fn a_turn_uses_the_users_own(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    let ann = bed.as_user("ann");
    put(&ann, "KeyH", json!({"value": "ann's"})).await.ok();
    put(&ann, "Bearer", json!({"value": "ann's-token"})).await.ok();
    bed.llm.calls([("getKeyed", json!({})), ("changeBoth", json!({})), ("getOpen", json!({}))]).says("Done.");
    ann.process("do it all").await.ok();
    let used: Vec<String> =
        api.calls().iter().map(|sent| format!("{} {:?} {:?}", sent.line, sent.header("x-key"), sent.header("authorization"))).collect();
    assert_eq!(used, [r#"GET /keyed Some("ann's") None"#, r#"POST /both None Some("Bearer ann's-token")"#, r#"GET /open None None"#]);
}

fn sealing_key(id: &str, byte: u8) -> SealingKey {
    let mut settings = swagger_api_agent::settings::Settings::load(swagger_api_agent::settings::Sources::default().with_environment([(
        "SAA_STORE__SEALING_KEYS",
        format!("{id}:{}", swagger_api_agent::domain::base64::encode(&[byte; 32])).as_str(),
    )]))
    .unwrap();
    settings.store.sealing_keys.pop().unwrap()
}

async fn one_that_cannot_be_opened_stops_that_call_alone(on: On) {
    let api = SecuredApi::start().await;
    let mut bed = Bed::with(on, |settings| {
        api.serve_by(settings);
        settings.store.sealing_keys = vec![sealing_key("old", 1)];
        settings.upstream.credentials = BTreeMap::from([("KeyH".to_owned(), Credential::Secret("the service's".into()))]);
    })
    .await;
    let ann = bed.as_user("ann");
    put(&ann, "KeyH", json!({"value": "ann's"})).await.ok();

    // A new key in front: what the old one sealed still opens.
    bed.settings.store.sealing_keys = vec![sealing_key("new", 2), sealing_key("old", 1)];
    bed.restart(async |_| {}).await;
    let ann = bed.as_user("ann");
    ann.call("getKeyed", json!({})).await.ok();
    assert_eq!(api.last().header("x-key"), Some("ann's"));
    put(&ann, "Sid", json!({"value": "new"})).await.ok();

    // The old one is taken away too early.
    bed.settings.store.sealing_keys = vec![sealing_key("new", 2)];
    bed.restart(async |_| {}).await;
    let ann = bed.as_user("ann");
    let before = api.calls().len();
    let refused = ann.call("getKeyed", json!({})).await.json();
    let error = refused["error"].as_str().unwrap();
    assert!(error.contains("the credential KeyH") && error.contains("cannot be opened") && error.contains("set it again"), "{error}");
    assert_eq!(api.calls().len(), before, "it does not go out under another name");
    ann.call("getCookie", json!({})).await.ok();
    assert_eq!(api.last().header("cookie"), Some("sid=new"));
    ann.call("getOpen", json!({})).await.ok();
    assert_eq!(ann.get("/api/credentials/KeyH").await.ok()["credential"]["set"], true);
    put(&ann, "KeyH", json!({"value": "ann's again"})).await.ok();
    ann.call("getKeyed", json!({})).await.ok();
    assert_eq!(api.last().header("x-key"), Some("ann's again"));
}

async fn the_keys_of_a_user_hold_their_credentials(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    let ann = bed.as_user("ann");
    put(&ann, "KeyH", json!({"value": "canary-of-ann"})).await.ok();
    let listed = bed.as_admin().get("/api/admin/sessions/ann/keys").await.ok();
    assert_eq!(listed["count"], 2, "and where the login is kept: {listed:#}");
    has(&listed["keys"][0], "name:text type:text ttl_ms:null size_bytes:count");
    ann.delete("/api/credentials/KeyH").await.ok();
    let listed = bed.as_admin().get("/api/admin/sessions/ann/keys").await.ok();
    assert_eq!(listed["count"], 1, "the login alone: {listed:#}");
    ann.post("/api/logout/all", json!({})).await.ok();
    bed.as_admin().get("/api/admin/sessions/ann/keys").await.refused(404, "session_not_found");
}

async fn whoever_has_many_is_stopped(on: On) {
    let api = SecuredApi::start().await;
    let bed = Bed::with(on, |settings| {
        api.serve_by(settings);
        settings.limits.requests_per_minute = 3;
    })
    .await;
    let ann = bed.as_user("ann");
    for _ in 0..3 {
        ann.get("/api/credentials").await.ok();
    }
    ann.get("/api/credentials").await.refused(429, "rate_limited");
    put(&ann, "KeyH", json!({"value": "x"})).await.refused(429, "rate_limited");
    ann.delete("/api/credentials/KeyH").await.refused(429, "rate_limited");
}

async fn each_of_several_apis_has_its_own(on: On) {
    let (api, second) = (SecuredApi::start().await, SecuredApi::start().await);
    let bed = Bed::with(on, |settings| {
        api.serve_by(settings);
        settings.upstream.credentials = BTreeMap::from([("KeyH".to_owned(), Credential::Secret("the first's".into()))]);
        settings.upstream.token = Some("the first's token".into());
        settings.apis = vec![Api {
            name: "second".to_owned(),
            file: Some(second.document().display().to_string()),
            base_url: Some(second.url.clone()),
            credentials: BTreeMap::from([("KeyH".to_owned(), Credential::Secret("the second's".into()))]),
            ..Api::default()
        }];
    })
    .await;
    let ann = bed.as_user("ann");
    ann.call("second_getKeyed", json!({})).await.ok();
    assert_eq!(second.last().header("x-key"), Some("the second's"));
    let refused = ann.call("second_getBoth", json!({})).await.json();
    assert!(refused["error"].as_str().unwrap().contains("apis.second.credentials.{scheme}"), "{refused:#}");

    put(&ann, "KeyH", json!({"value": "ann's"})).await.refused(400, "scheme_ambiguous");
    ann.get("/api/credentials/KeyH").await.refused(400, "scheme_ambiguous");
    put(&ann, "KeyH", json!({"value": "ann's", "api": "second"})).await.ok();
    ann.call("second_getKeyed", json!({})).await.ok();
    ann.call("getKeyed", json!({})).await.ok();
    assert_eq!((second.last().header("x-key"), api.last().header("x-key")), (Some("ann's"), Some("the first's")));
    let seen = ann.get("/api/credentials/KeyH?api=second").await.ok();
    assert_eq!((&seen["credential"]["set"], &seen["credential"]["api"]), (&json!(true), &json!("second")));
    assert_eq!(ann.get("/api/credentials/KeyH?api=").await.ok()["credential"]["set"], false);
    ann.delete("/api/credentials/KeyH?api=second").await.ok();
    ann.call("second_getKeyed", json!({})).await.ok();
    assert_eq!(second.last().header("x-key"), Some("the second's"));
    let sent = format!("{:?}", second.calls());
    assert!(!sent.contains("the first's"), "what one API is sent another never sees: {sent}");
}
