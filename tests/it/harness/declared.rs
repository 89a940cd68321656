//! Every answer that a test gets is held to the service's own document: its status is declared, its code has an example there, its body is
//! of the schema, and it has no field that the document does not know.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};
use swagger_api_agent::api::openapi;

/// The document, closed: what it does not name may not come.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = openapi::document().expect("the service's own document");
    close(&mut document);
    document
});
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<jsonschema::Validator>>>> = LazyLock::new(Mutex::default);

fn close(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let closed = map.contains_key("properties") && map.contains_key("type") && !map.contains_key("additionalProperties");
            if closed {
                map.insert("additionalProperties".to_owned(), json!(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

/// The template in the document that a path is of. One that is spelt out goes before one with a parameter.
fn template(path: &str) -> Option<&'static str> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let fits = |template: &str| {
        let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
        template.len() == path.len() && template.iter().zip(&path).all(|(a, b)| a == b || a.starts_with('{') && !b.is_empty())
    };
    paths.keys().filter(|template| fits(template)).min_by_key(|template| template.matches('{').count()).map(String::as_str)
}

fn validator(schema: &Value, key: String) -> Arc<jsonschema::Validator> {
    let build = || {
        let whole = json!({"components": DOCUMENT["components"], "allOf": [schema]});
        Arc::new(jsonschema::draft202012::options().build(&whole).unwrap_or_else(|error| panic!("{key}: {error}")))
    };
    VALIDATORS.lock().unwrap().entry(key.clone()).or_insert_with(build).clone()
}

#[track_caller]
fn fits(schema: &Value, key: String, told: &Value) {
    let problems: Vec<String> =
        validator(schema, key.clone()).iter_errors(told).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{key} is not what openapi.json says of it: {problems:#?}\n{told:#}");
}

/// Holds an answer to the document. Paths that are none of the service's, and methods that a path does not take, are not in it.
#[track_caller]
pub fn check(method: &str, path: &str, status: u16, headers: &HeaderMap, body: &[u8]) {
    let path = path.split('?').next().unwrap_or_default();
    let Some(template) = template(path) else { return };
    let item = &DOCUMENT["paths"][template];
    let operation = &item[if method == "HEAD" { "get".to_owned() } else { method.to_ascii_lowercase() }];
    if operation.is_null() {
        assert_eq!(status, 405, "{method} {path} is not in openapi.json, and was answered");
        return;
    }
    let key = format!("{method} {template} {status}");
    let response = &operation["responses"][status.to_string()];
    assert!(response.is_object(), "{key} is not declared in openapi.json: {}", String::from_utf8_lossy(body));
    for rates in ["RateLimit-Policy", "RateLimit"].into_iter().filter(|name| headers.contains_key(*name)) {
        assert!(response["headers"][rates].is_object(), "{key}: {rates} is not declared in openapi.json");
    }
    let told = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = told.split(';').next().unwrap_or_default().trim();
    if body.is_empty() && (method == "HEAD" || response["content"].is_null()) {
        return;
    }
    let none = Map::new();
    let declared = response["content"].as_object().unwrap_or(&none);
    let media = declared.get(essence).or_else(|| declared.get("*/*"));
    let media = media.unwrap_or_else(|| panic!("{key}: {essence:?} is not declared in openapi.json"));
    if essence != "application/json" || declared.contains_key("*/*") {
        return;
    }
    if headers.contains_key("idempotency-replayed") {
        // The bytes of the first answer, which may be those of the release before.
        return;
    }
    let told: Value = serde_json::from_slice(body).unwrap_or_else(|error| panic!("{key}: {error}"));
    fits(&media["schema"], key.clone(), &told);
    if status >= 400 && template != "/health/ready" {
        let code = told["code"].as_str().unwrap_or_default();
        assert!(media["examples"][code].is_object(), "{key}: {code} has no example in openapi.json");
    }
}

/// Holds an event of a stream to the document.
#[track_caller]
pub fn check_event(name: &str, data: &Value) {
    let schema = &DOCUMENT["components"]["x-events"][name];
    assert!(schema.is_object(), "the event {name} is not in openapi.json");
    fits(schema, format!("the event {name}"), data);
}
