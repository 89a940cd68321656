//! One credential for reading, another for changing; a user's own before both.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use swagger_api_agent::settings::{Credential, Settings};

use crate::{
    contract::on_both_stores,
    harness::bed::{Bed, On},
};

on_both_stores! {
    changes_carry_a_credential_of_their_own
    a_users_own_goes_before_both
    without_a_second_one_the_first_goes_with_all
}

/// The stub's document with a security scheme for everything.
fn secured(settings: &mut Settings) {
    let path = settings.openapi.file.as_deref().unwrap();
    let mut document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    document["components"]["securitySchemes"]["Key"] = json!({"type": "apiKey", "in": "header", "name": "X-Api-Key"});
    document["security"] = json!([{"Key": []}]);
    std::fs::write(path, document.to_string()).unwrap();
}

fn key(value: &str) -> BTreeMap<String, Credential> {
    BTreeMap::from([("Key".to_owned(), Credential::Secret(value.into()))])
}

/// The values of a header of all requests so far, by their methods.
fn sent(bed: &Bed, header: &str) -> Vec<String> {
    let told = |seen: &crate::harness::upstream::Seen| {
        format!("{} {}", seen.method, seen.headers.get(header).map_or("", |value| value.to_str().unwrap()))
    };
    bed.upstream.seen().iter().map(told).collect()
}

async fn read_and_change(bed: &Bed, user: &str) {
    let client = bed.as_user(user);
    client.call("getUsers", json!({})).await.ok();
    client.call("createUser", json!({"name": "A", "email": "e"})).await.ok();
    bed.llm.calls([("deleteUser", json!({"id": 1})), ("getUser", json!({"id": 1}))]).says("Done.");
    client.process("delete user 1 and look").await.ok();
}

async fn changes_carry_a_credential_of_their_own(on: On) {
    let bed = Bed::with(on, |settings| {
        settings.upstream.token = Some("reading-token".into());
        settings.upstream.token_for_changes = Some("changing-token".into());
    });
    let bed = bed.await;
    read_and_change(&bed, "ann").await;
    let (reads, changes) = ("Bearer reading-token", "Bearer changing-token");
    let expected = [format!("GET {reads}"), format!("POST {changes}"), format!("DELETE {changes}"), format!("GET {reads}")];
    assert_eq!(sent(&bed, "authorization"), expected);
    let bed = Bed::with(on, |settings| {
        secured(settings);
        settings.upstream.credentials = key("reading-key");
        settings.upstream.credentials_for_changes = key("changing-key");
    });
    let bed = bed.await;
    read_and_change(&bed, "ann").await;
    assert_eq!(sent(&bed, "x-api-key"), ["GET reading-key", "POST changing-key", "DELETE changing-key", "GET reading-key"]);
}

async fn a_users_own_goes_before_both(on: On) {
    let bed = Bed::with(on, |settings| {
        secured(settings);
        settings.upstream.credentials = key("reading-key");
        settings.upstream.credentials_for_changes = key("changing-key");
    });
    let bed = bed.await;
    let body = json!({"value": "own-key-of-ann"}).to_string();
    bed.as_user("ann").send(reqwest::Method::PUT, "/api/credentials/Key", "application/json", body).await.ok();
    read_and_change(&bed, "ann").await;
    assert!(sent(&bed, "x-api-key").iter().all(|sent| sent.ends_with(" own-key-of-ann")), "{:?}", sent(&bed, "x-api-key"));
}

async fn without_a_second_one_the_first_goes_with_all(on: On) {
    let bed = Bed::with(on, |settings| settings.upstream.token = Some("only-token".into())).await;
    read_and_change(&bed, "ann").await;
    assert!(sent(&bed, "authorization").iter().all(|sent| sent.ends_with(" Bearer only-token")), "{:?}", sent(&bed, "authorization"));
}
