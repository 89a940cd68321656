//! The service's own document: it describes the router, all errors there are, and itself well enough for an agent to use it.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::{
    api::{self, openapi},
    domain::limits,
};

use crate::harness::bed::{Bed, On};

/// The methods of each path, as the document has them.
fn described(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let methods =
        |item: &Value| item.as_object().unwrap().keys().filter(|name| *name != "parameters").map(|name| name.to_uppercase()).collect();
    document["paths"].as_object().unwrap().iter().map(|(path, item)| (path.clone(), methods(item))).collect()
}

#[tokio::test]
async fn the_document_has_the_routes_of_the_router_and_no_others() {
    let bed = Bed::on(On::Embedded).await;
    let mut routes = BTreeMap::new();
    for path in api::paths() {
        let reply = bed.nobody().send(Method::from_bytes(b"PROPFIND").unwrap(), path, "text/plain", "").await;
        reply.refused(405, "method_not_allowed");
        let allowed = reply.header("allow").unwrap().split(',').map(str::trim);
        routes.insert(path.to_owned(), allowed.filter(|method| *method != "HEAD").map(str::to_owned).collect::<BTreeSet<_>>());
    }
    let served = bed.nobody().get("/openapi.json").await;
    assert_eq!(served.header("content-type"), Some("application/json"));
    assert_eq!(described(&served.json()), routes);
}

#[tokio::test]
async fn a_client_that_has_this_version_of_the_document_is_told_so() {
    let bed = Bed::on(On::Embedded).await;
    let first = bed.nobody().get("/openapi.json").await;
    let tag = first.header("etag").unwrap().to_owned();
    let again = bed.nobody().with("if-none-match", &tag).get("/openapi.json").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(bed.nobody().get("/").await.json()["openapi"], "/openapi.json");
    let page = bed.nobody().get("/docs").await;
    assert!(page.text().contains("/console/docs.mjs") && page.header("content-security-policy").is_some());
}

/// Texts in a source that look like a code of an error: all that stand where `ApiError::new` and its like take one.
fn codes_in(source: &str) -> BTreeSet<String> {
    let code = |text: &&str| text.contains('_') && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let code_or_word = |text: &&str| code(text) || ["draining", "not_found"].contains(text);
    let source = source.replace("'\"'", "").replace("\\\"", "");
    source.split('"').skip(1).step_by(2).filter(code_or_word).map(str::to_owned).collect()
}

#[test]
fn every_code_of_an_error_has_an_example_and_every_example_is_of_one() {
    let root = env!("CARGO_MANIFEST_DIR");
    let read = |path: &str| std::fs::read_to_string(format!("{root}/src/api/{path}")).unwrap();
    let sources = ["error/table.rs", "error.rs", "extract.rs", "revision.rs", "chat.rs", "well_formed.rs"].map(read).join("\n");
    let mut known = codes_in(&sources);
    // Names of fields and headers that stand in the same files.
    for field in ["request_id", "user_id", "run_id", "result_id", "resets_at", "on_busy", "invalid_token", "session_id"] {
        known.remove(field);
    }
    let document = openapi::document().unwrap();
    let mut described = BTreeSet::new();
    for operation in document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values()) {
        for response in operation["responses"].as_object().into_iter().flat_map(|responses| responses.values()) {
            let examples = response["content"]["application/json"]["examples"].as_object();
            described.extend(examples.into_iter().flat_map(|examples| examples.keys().cloned()));
        }
    }
    // It is of no operation: it is what a path says of the methods it has not.
    known.remove("method_not_allowed");
    assert_eq!(described, known);
}

#[test]
fn bounds_in_the_document_are_those_of_the_service() {
    let document = openapi::document().unwrap();
    let at =
        |pointer: &str| usize::try_from(document.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer}"))).unwrap();
    assert_eq!(at("/components/schemas/Ask/properties/message/maxLength"), limits::MESSAGE_CHARS_MAX);
    assert_eq!(at("/components/schemas/Call/properties/function_name/maxLength"), limits::FUNCTION_NAME_CHARS_MAX * 4);
    assert_eq!(at("/components/schemas/Login/properties/username/maxLength"), limits::USER_NAME_CHARS_MAX * 16);
    assert_eq!(at("/components/parameters/IdempotencyKey/schema/maxLength"), limits::IDEMPOTENCY_KEY_CHARS_MAX);
    assert_eq!(at("/components/parameters/RunId/schema/maxLength"), limits::RUN_ID_CHARS_MAX);
    assert_eq!(at("/paths/~1api~1credentials~1{scheme}/parameters/0/schema/maxLength"), limits::SCHEME_NAME_CHARS_MAX);
    assert_eq!(at("/paths/~1api~1results~1{id}/get/parameters/4/schema/maxLength"), limits::RESULT_SEARCH_CHARS_MAX);
    let pages = [
        ("/paths/~1api~1history/get/parameters/0", limits::HISTORY_PAGE_MAX, limits::HISTORY_PAGE_DEFAULT),
        ("/paths/~1api~1admin~1sessions/get/parameters/0", limits::SESSIONS_PAGE_MAX, limits::SESSIONS_PAGE_DEFAULT),
        ("/paths/~1api~1admin~1openapi/get/parameters/2", limits::REPORT_PAGE_MAX, limits::REPORT_PAGE_DEFAULT),
    ];
    for (place, max, default) in pages {
        assert_eq!((at(&format!("{place}/schema/maximum")), at(&format!("{place}/schema/default"))), (max, default), "{place}");
    }
}

#[tokio::test]
async fn an_agent_uses_another_agent_by_its_document() {
    let other = Bed::on(On::Embedded).await;
    let there = other.at(0).base;
    let bed = Bed::with(On::Embedded, |settings| {
        settings.openapi.file = Some(format!("{there}/openapi.json"));
        settings.upstream.base_url = None;
    })
    .await;
    let report = bed.as_admin().get("/api/admin/openapi").await.ok();
    assert_eq!(report["apis"][0]["base_url"], there, "{report:#}");
    assert_eq!(report["apis"][0]["set_aside"], 0, "{report:#}");

    let (ann, token) = (bed.as_user("ann"), other.as_user("bob").token().await.unwrap());
    let set = ann.send(Method::PUT, "/api/credentials/bearer", "application/json", json!({"value": token}).to_string()).await;
    set.ok();
    other.llm.says("There are three products.");
    bed.llm
        .calls([("process", json!({"message": "how many products?"}))])
        .calls([("getHistory", json!({"limit": 2}))])
        .says("It says three.");
    let answer = ann.process("ask the other agent how many products there are").await;
    assert_eq!(answer.message(), "It says three.");
    let statuses: Vec<Value> =
        answer.json()["function_calls"].as_array().unwrap().iter().map(|call| call["api_response"]["status_code"].clone()).collect();
    assert_eq!(statuses, [200, 200], "{:#}", answer.json());
    assert_eq!(other.as_user("bob").history().await, ["user: how many products?", "assistant: There are three products."]);
}
