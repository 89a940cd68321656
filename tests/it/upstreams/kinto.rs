//! Kinto (Swagger 2.0 that it writes itself, HTTP basic authentication, preconditions in headers, patches).

use serde_json::json;
use swagger_api_agent::settings::Credential;

use super::{address, call, service};
use crate::{documents::specs, harness::bed::Bed};

/// `alice:bed-pass`, as RFC 7617 writes it.
const ALICE: &str = "Basic YWxpY2U6YmVkLXBhc3M=";

#[tokio::test]
async fn a_header_of_the_operator_lets_in_where_the_document_names_no_scheme() {
    let Some(kinto) = address("KINTO_URL") else { return };
    // Kinto does not describe the accounts that it was set up with.
    let document = format!("{kinto}/__api__");
    let bed = service(&document, None, |settings| drop(settings.upstream.headers.insert("Authorization".to_owned(), ALICE.into())));
    let bed = bed.await;
    let (status, told) = call(&bed, "server_info", json!({})).await;
    assert_eq!((status, &told["project_name"], &told["user"]["id"]), (200, &json!("kinto"), &json!("account:alice")), "{told:#}");
    records_are_written_patched_read_and_deleted(&bed).await;
}

#[tokio::test]
async fn a_credential_lets_in_where_the_document_names_its_scheme() {
    let (Some(kinto), Some(specs)) = (address("KINTO_URL"), specs()) else { return };
    let document = specs.join("kinto-api.json").display().to_string();
    let bed = service(&document, Some(&kinto), |settings| {
        let basic = Credential::Basic { username: "alice".to_owned(), password: "bed-pass".into() };
        settings.upstream.credentials.insert("basicauth".to_owned(), basic);
    });
    let bed = bed.await;
    let (status, account) = call(&bed, "get_account", json!({"id": "alice"})).await;
    assert_eq!((status, &account["data"]["id"]), (200, &json!("alice")), "{account:#}");
    records_are_written_patched_read_and_deleted(&bed).await;
}

async fn records_are_written_patched_read_and_deleted(bed: &Bed) {
    let name = format!("proof-{}", uuid::Uuid::now_v7().simple());
    let (status, made) = call(bed, "update_bucket", json!({"id": name, "data": {"note": "北京 +1&x=%"}, "If-None-Match": "*"})).await;
    assert_eq!((status, &made["data"]["note"]), (201, &json!("北京 +1&x=%")), "{made:#}");
    let (status, _) = call(bed, "update_bucket", json!({"id": name, "If-None-Match": "*"})).await;
    assert_eq!(status, 412, "the precondition was sent");
    let (status, _) = call(bed, "create_collection", json!({"bucket_id": name, "data": {"id": "things"}})).await;
    assert_eq!(status, 201);
    let at = |more: serde_json::Value| {
        let mut whole = json!({"bucket_id": name, "collection_id": "things"});
        whole.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        whole
    };
    for (id, size) in [("a", 9_007_199_254_740_993_i64), ("b", 0)] {
        let (status, made) = call(bed, "create_record", at(json!({"data": {"id": id, "size": size, "tags": []}}))).await;
        assert_eq!((status, &made["data"]["size"]), (201, &json!(size)), "{made:#}");
    }
    let (status, patched) = call(bed, "patch_record", at(json!({"id": "b", "data": {"size": 1}, "Response-Behavior": "light"}))).await;
    assert_eq!((status, &patched["data"]["size"]), (200, &json!(1)), "{patched:#}");
    let (status, list) = call(bed, "get_records", at(json!({"_sort": ["-size"], "_limit": 1, "_fields": ["size"]}))).await;
    assert_eq!((status, &list["data"][0]["size"]), (200, &json!(9_007_199_254_740_993_i64)), "{list:#}");
    let (status, _) = call(bed, "delete_record", at(json!({"id": "a"}))).await;
    assert_eq!(status, 200);
    let (status, gone) = call(bed, "get_record", at(json!({"id": "a"}))).await;
    assert_eq!((status, &gone["errno"]), (404, &json!(110)), "{gone:#}");
    let (status, _) = call(bed, "delete_bucket", json!({"id": name})).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn without_credentials_kinto_says_what_is_missing() {
    let Some(kinto) = address("KINTO_URL") else { return };
    let bed = service(&format!("{kinto}/__api__"), None, |_| {}).await;
    let (status, told) = call(&bed, "server_info", json!({})).await;
    assert_eq!((status, &told["user"]), (200, &json!(null)));
    let (status, told) = call(&bed, "get_buckets", json!({})).await;
    assert_eq!((status, &told["errno"]), (401, &json!(104)), "{told:#}");
    let name = format!("ann-{}", uuid::Uuid::now_v7().simple());
    let (status, made) = call(&bed, "update_account", json!({"id": name, "data": {"password": "p w&d"}})).await;
    assert_eq!((status, &made["data"]["id"]), (201, &json!(name)), "{made:#}");
    let refused =
        bed.as_admin().call("update_bucket", json!({"id": "x", "If-Match": "no quotes"})).await.refused(400, "invalid_parameters");
    assert!(refused["problems"][0].as_str().unwrap().starts_with("`If-Match` must match the pattern"), "{refused:#}");
}
