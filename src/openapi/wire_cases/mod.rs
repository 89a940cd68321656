//! Documents in, arguments in, exact bytes out.

mod any_text;
mod bodies;
mod damage;
mod documents;
mod edges;
mod files;
mod hostile;
mod judged;
mod keyed;
mod parameters;
mod schemas;
mod security;
mod styles;
mod xml;

use serde_json::{Map, Value, json};

use super::{Catalogue, Operation, UpstreamRequest};

const BASE: &str = "http://up.test:9000/v1";

/// A 3.0 document with these paths behind [`BASE`].
fn document(paths: Value) -> Value {
    json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "servers": [{"url": BASE}], "paths": paths})
}

fn read(document: &Value) -> Catalogue {
    Catalogue::read(&document.to_string(), "api.json").unwrap()
}

/// The only function of a document with one path.
fn only(catalogue: &Catalogue) -> &Operation {
    assert_eq!(catalogue.operations().len(), 1, "{:?}", catalogue.report());
    &catalogue.operations()[0]
}

/// A catalogue of one operation.
fn one(method: &str, path: &str, operation: Value) -> Catalogue {
    read(&document(json!({path: {method: operation}})))
}

fn arguments(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn send(catalogue: &Catalogue, given: Value) -> UpstreamRequest {
    only(catalogue).request(None, &arguments(given)).unwrap()
}

/// The part of the URL behind the base.
fn target(catalogue: &Catalogue, given: Value) -> String {
    let url = send(catalogue, given).url;
    url.strip_prefix(BASE).unwrap_or(&url).to_owned()
}

fn refused(catalogue: &Catalogue, given: Value) -> Vec<String> {
    let given = arguments(given);
    let problems = only(catalogue).request(None, &given).unwrap_err();
    assert_eq!(only(catalogue).check(&given), Err(problems.clone()), "check and request must agree");
    problems
}

fn header<'a>(request: &'a UpstreamRequest, name: &str) -> Option<&'a str> {
    let mut found = request.headers.iter().filter(|(own, _)| own == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} is sent twice");
    value
}

fn body(request: &UpstreamRequest) -> &str {
    std::str::from_utf8(request.body.as_deref().unwrap_or_default()).unwrap()
}

/// The names of the arguments that a function shows.
fn shown(catalogue: &Catalogue) -> Vec<String> {
    let properties = only(catalogue).spec().parameters["properties"].as_object().unwrap();
    properties.keys().cloned().collect()
}
