//! Idempotency keys: which operations take one, in which header, and that nobody is asked for it.

use serde_json::json;

use super::*;
use crate::{
    domain::{idempotency::KeyRule, selection::Rule},
    openapi::ReadOptions,
};

fn rule(operations: &str, header: Option<&str>) -> KeyRule {
    KeyRule { operations: vec![Rule::parse(operations).unwrap()], header: header.map(str::to_owned) }
}

fn read_by(rules: &[KeyRule], document: &Value) -> Catalogue {
    let options = ReadOptions { key_rules: rules.to_vec(), ..ReadOptions::of("api.json") };
    Catalogue::read_with(&document.to_string(), &options).unwrap()
}

fn declared(name: &str) -> Value {
    json!({"name": name, "in": "header", "required": true, "schema": {"type": "string"}})
}

#[test]
fn the_document_names_the_header_by_an_extension_or_by_the_usual_parameter() {
    let of = |method: &str, operation: Value| only(&one(method, "/a", operation)).key_header().map(str::to_owned);
    assert_eq!(of("post", json!({"x-idempotency-header": "X-Once"})).as_deref(), Some("X-Once"));
    assert_eq!(of("delete", json!({"x-agent-idempotency-header": "A", "x-idempotency-header": "B"})).as_deref(), Some("A"));
    assert_eq!(of("put", json!({"parameters": [declared("idempotency-key")]})).as_deref(), Some("idempotency-key"));
    assert_eq!(of("post", json!({"parameters": [declared("X-Request-Id")]})), None);
    assert_eq!(of("post", json!({"x-idempotency-header": false, "parameters": [declared("Idempotency-Key")]})), None);
    // What only reads needs none.
    assert_eq!(of("get", json!({"x-idempotency-header": "X-Once"})), None);
    let wrong = one("post", "/a", json!({"x-idempotency-header": "Authorization"}));
    assert_eq!(only(&wrong).key_header(), None);
    assert_eq!(wrong.report().warnings, ["POST /a: `x-idempotency-header` names no header that a key may travel in; it is sent without"]);
}

#[test]
fn nobody_is_asked_for_the_header() {
    let operation = json!({"parameters": [declared("Idempotency-Key"), declared("X-Region")]});
    let catalogue = one("post", "/a", operation);
    assert_eq!(shown(&catalogue), ["X-Region"]);
    assert_eq!(only(&catalogue).spec().parameters["required"], json!(["X-Region"]));
    assert_eq!(header(&send(&catalogue, json!({"X-Region": "eu"})), "Idempotency-Key"), None);
    let problem = refused(&catalogue, json!({"X-Region": "eu", "Idempotency-Key": "mine"}));
    assert!(problem[0].contains("`Idempotency-Key` is not an argument"), "{problem:?}");
    // Where it only reads it is a parameter like any other.
    assert_eq!(shown(&one("get", "/a", json!({"parameters": [declared("Idempotency-Key")]}))), ["Idempotency-Key"]);
}

#[test]
fn the_first_rule_that_fits_wins_over_the_document() {
    let keyed = json!({"post": {"operationId": "add", "x-idempotency-header": "X-Once", "parameters": [declared("X-Own")]}, "get": {}});
    let document = document(json!({"/a": keyed}));
    let key = |rules: &[KeyRule]| read_by(rules, &document).operation("add").unwrap().key_header().map(str::to_owned);
    assert_eq!(key(&[rule("method:put", Some("X-Other"))]).as_deref(), Some("X-Once"));
    assert_eq!(key(&[rule("id:add", Some("X-Own")), rule("method:post", None)]).as_deref(), Some("X-Own"));
    assert_eq!(key(&[rule("method:post", None)]), None);
    let catalogue = read_by(&[rule("path:/a", Some("X-Own"))], &document);
    assert_eq!(catalogue.operation("add").unwrap().spec().parameters["properties"], json!({}));
    assert_eq!(catalogue.operations()[0].key_header(), None, "GET /a");
    let useless = read_by(&[rule("id:nothing", Some("X-Own"))], &document);
    assert_eq!(useless.report().warnings, ["no operation fits the rule id:nothing"]);
}

#[test]
fn a_header_that_is_the_same_for_every_call_is_no_key() {
    let catalogue = one("post", "/a", json!({"x-idempotency-header": "X-Once"})).without_headers(&["x-once"]);
    assert_eq!(only(&catalogue).key_header(), None);
}
