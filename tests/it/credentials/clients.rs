//! OAuth 2.0 client credentials: one token for all, a new one when the API refuses it, nothing sent twice that changes something.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use reqwest::Method;
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
    a_token_is_fetched_once_and_kept
    a_refused_token_is_replaced_and_a_reading_call_sent_again
    a_changing_call_is_not_sent_again
    without_a_token_the_call_is_not_sent
    a_users_own_token_goes_before_the_clients
    the_operators_token_url_and_scopes_win_and_meet_a_bearer_scheme
}

fn client(settings: &mut Settings) {
    let client = Credential::Client {
        client_id: "the agent".to_owned(),
        client_secret: "canary+client/secret".into(),
        token_url: None,
        scopes: None,
    };
    settings.upstream.credentials = BTreeMap::from([("Client".to_owned(), client)]);
}

async fn bed(on: On, api: &SecuredApi) -> Bed {
    Bed::with(on, |settings| {
        api.serve_by(settings);
        client(settings);
    })
    .await
}

async fn a_token_is_fetched_once_and_kept(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    for user in ["ann", "bob"] {
        bed.as_user(user).call("getGranted", json!({})).await.ok();
    }
    assert_eq!(api.last().header("authorization"), Some("Bearer granted-token-1"));
    let asked = api.token_requests();
    assert_eq!(asked.len(), 1);
    // `the agent:canary+client/secret`, each form-encoded first (RFC 6749, 2.3.1).
    let expected = swagger_api_agent::domain::base64::encode(b"the+agent:canary%2Bclient%2Fsecret");
    assert_eq!(asked[0].header("authorization"), Some(format!("Basic {expected}").as_str()));
    assert_eq!(asked[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!((asked[0].line.as_str(), asked[0].body.as_str()), ("POST /token", "grant_type=client_credentials&scope=read"));
    assert!(api.calls().iter().all(|sent| !format!("{sent:?}").contains("canary")), "the API never sees the secret");
}

#[tokio::test]
async fn many_calls_of_two_replicas_at_once_fetch_one_token() {
    let api = SecuredApi::start().await;
    let bed = Bed::replicas(On::Redis, 2, |settings| {
        api.serve_by(settings);
        client(settings);
    })
    .await;
    let clients: Vec<_> = (0..20).map(|i| bed.at(i % 2).as_user(&format!("user{}", i % 4))).collect();
    for client in &clients {
        client.token().await;
    }
    let answers = join_all(clients.iter().map(|client| client.call("getGranted", json!({})))).await;
    for answer in answers {
        assert_eq!(answer.ok()["api_response"]["data"], json!({"good": true}));
    }
    assert_eq!((api.token_requests().len(), api.calls().len()), (1, 20));
    // All are refused at once: again one token for all.
    api.revoke_tokens();
    let answers = join_all(clients.iter().map(|client| client.call("getGranted", json!({})))).await;
    for answer in answers {
        assert_eq!(answer.ok()["api_response"]["data"], json!({"good": true}));
    }
    assert_eq!(api.token_requests().len(), 2);
}

async fn a_refused_token_is_replaced_and_a_reading_call_sent_again(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    bed.as_user("ann").call("getGranted", json!({})).await.ok();
    api.revoke_tokens();
    let answer = bed.as_user("ann").call("getGranted", json!({})).await.ok();
    assert_eq!(answer["api_response"]["status_code"], 200);
    let used: Vec<_> = api.calls().iter().map(|sent| sent.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(used, ["Bearer granted-token-1", "Bearer granted-token-1", "Bearer granted-token-2"]);
}

async fn a_changing_call_is_not_sent_again(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    bed.as_user("ann").call("getGranted", json!({})).await.ok();
    api.revoke_tokens();
    let answer = bed.as_user("ann").call("changeGranted", json!({})).await.json();
    assert_eq!((&answer["success"], &answer["api_response"]["status_code"]), (&json!(false), &json!(401)));
    assert_eq!((api.calls().len(), api.token_requests().len()), (2, 1));
    let answer = bed.as_user("ann").call("changeGranted", json!({})).await.ok();
    assert_eq!(answer["api_response"]["status_code"], 200, "the token that was refused is not used again");
    assert_eq!((api.calls().len(), api.token_requests().len()), (3, 2));
}

async fn without_a_token_the_call_is_not_sent(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    api.give_no_tokens();
    let refused = bed.as_user("ann").call("getGranted", json!({})).await.json();
    let error = refused["error"].as_str().unwrap();
    assert!(error.contains("the credential Client") && error.contains("/token: it answered 401 (invalid_client)"), "{error}");
    assert!(!refused.to_string().contains("canary"), "{refused:#}");
    // The claim was given back: the next one asks at once.
    let began = std::time::Instant::now();
    bed.as_user("ann").call("changeGranted", json!({})).await.json();
    assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!((api.calls().len(), api.token_requests().len()), (0, 2));
}

async fn a_users_own_token_goes_before_the_clients(on: On) {
    let api = SecuredApi::start().await;
    let bed = bed(on, &api).await;
    let own = json!({"value": "ann's"}).to_string();
    bed.as_user("ann").send(Method::PUT, "/api/credentials/Client", "application/json", own).await.ok();
    let answer = bed.as_user("ann").call("getGranted", json!({})).await.json();
    assert_eq!(answer["api_response"]["status_code"], 401, "it is the user's: no other takes its place");
    assert_eq!((api.calls().len(), api.token_requests().len()), (1, 0));
    assert_eq!(api.last().header("authorization"), Some("Bearer ann's"));
}

async fn the_operators_token_url_and_scopes_win_and_meet_a_bearer_scheme(on: On) {
    let (api, tokens) = (SecuredApi::start().await, SecuredApi::start().await);
    let client = Credential::Client {
        client_id: "c".to_owned(),
        client_secret: "s".into(),
        token_url: Some(format!("{}/token", tokens.url)),
        scopes: Some(vec!["write".to_owned(), "all of it".to_owned()]),
    };
    let bed = Bed::with(on, |settings| {
        api.serve_by(settings);
        settings.upstream.credentials = BTreeMap::from([("Bearer".to_owned(), client)]);
    })
    .await;
    for function in ["getMaybe", "getBoth"] {
        bed.as_user("ann").call(function, json!({})).await.ok();
        assert_eq!(api.last().header("authorization"), Some("Bearer granted-token-1"), "{function}");
    }
    assert_eq!((api.token_requests().len(), tokens.token_requests().len()), (0, 1));
    assert_eq!(tokens.token_requests()[0].body, "grant_type=client_credentials&scope=all+of+it+write");
}
