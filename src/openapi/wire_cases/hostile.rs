//! Documents made to harm: each is read, or refused with a sentence, in bounded time and memory, and so are calls of it.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

/// Generous for a debug build; what these cases are about takes minutes or for ever without its bound.
const PATIENCE: Duration = Duration::from_secs(20);

fn in_time<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    done
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A document with one operation whose body is the schema `S0` of these.
fn with_schemas(schemas: impl Iterator<Item = (String, Value)>) -> Catalogue {
    let body = json!({"required": true, "content": {"application/json": {"schema": reference("S0")}}});
    let mut document = document(json!({"/b": {"post": {"requestBody": body}}}));
    document["components"] = json!({"schemas": schemas.collect::<Map<_, _>>()});
    read(&document)
}

/// `S0` … each made of the next, the last of them an object.
fn chain(length: usize, link: impl Fn(Value) -> Value) -> Catalogue {
    let last = (format!("S{length}"), json!({"type": "object"}));
    with_schemas((0..length).map(|n| (format!("S{n}"), link(reference(&format!("S{}", n + 1))))).chain([last]))
}

fn check(catalogue: &Catalogue, given: Value) -> Result<(), Vec<String>> {
    in_time(|| only(catalogue).check(&arguments(given)))
}

/// `{"a": {"a": … {} }}`.
fn nested(depth: usize) -> Value {
    (0..depth).fold(json!({}), |inner, _| json!({"a": inner}))
}

#[test]
fn parts_and_alternatives_that_double_with_every_level_have_an_end() {
    for key in ["allOf", "oneOf", "anyOf"] {
        let catalogue = in_time(|| chain(40, |next| json!({key: [next.clone(), next]})));
        let problems = check(&catalogue, json!({"body": {"x": 1}})).unwrap_err();
        assert_eq!(problems, ["`body` would take too long to check against the document's schema"], "{key}");
    }
    let twice = |next: Value| json!({"allOf": [{"properties": {"a": next.clone()}}, {"properties": {"a": next}}]});
    let catalogue = in_time(|| chain(40, twice));
    assert!(check(&catalogue, nested(30)).unwrap_err()[0].contains("take too long"));
    assert_eq!(check(&catalogue, nested(3)), Ok(()));
}

#[test]
fn a_recursion_that_doubles_is_bounded_by_the_value() {
    let a = json!({"properties": {"a": reference("S0")}});
    let catalogue = with_schemas([("S0".to_owned(), json!({"type": "object", "allOf": [a.clone(), a]}))].into_iter());
    assert_eq!(check(&catalogue, nested(5)), Ok(()));
    assert!(check(&catalogue, nested(30)).unwrap_err()[0].contains("take too long"));
}

#[test]
fn reasons_do_not_copy_a_large_value_a_thousand_times() {
    let branch = |n: usize| json!({"type": "object", "required": [format!("p{n}")]});
    let catalogue = with_schemas([("S0".to_owned(), json!({"oneOf": (0..1000).map(branch).collect::<Vec<_>>()}))].into_iter());
    let large: Vec<Value> = (0..20_000).map(Value::from).collect();
    let problems = check(&catalogue, json!({"body": {"large": large}})).unwrap_err();
    assert_eq!(problems, ["`body` does not fit the document's schema, which has too many alternatives to say where"]);
    assert_eq!(check(&catalogue, json!({"body": {"large": large, "p999": 1}})), Ok(()));
}

#[test]
fn a_long_chain_of_schemas_is_compiled_or_set_aside() {
    let catalogue = in_time(|| chain(1500, |next| json!({"type": "object", "properties": {"a": next}})));
    assert_eq!(check(&catalogue, nested(20)), Ok(()));
    drop(catalogue);
    let catalogue = in_time(|| chain(5000, |next| json!({"type": "object", "properties": {"a": next}})));
    assert!(check(&catalogue, nested(20)).unwrap_err()[0].contains("reaches more than 4096 other schemas"));
    let catalogue = in_time(|| chain(3000, |next| json!({"allOf": [next]})));
    assert!(catalogue.report().set_aside[0].reason.contains("more than 256 parts"), "{:?}", catalogue.report());
    let catalogue = in_time(|| chain(100_000, |next| next));
    assert!(catalogue.report().set_aside[0].reason.contains("more than 32 references follow one another"), "{:?}", catalogue.report());
    let catalogue = in_time(|| chain(20, |next| next));
    assert_eq!(check(&catalogue, json!({"body": {}})), Ok(()));
}

#[test]
fn copies_for_read_only_properties_do_not_nest_without_end() {
    let id = json!({"id": {"readOnly": true}});
    let link = |next: Value| {
        let deep = (0..20).fold(next, |inner, _| json!({"allOf": [inner]}));
        json!({"required": ["id"], "properties": id, "allOf": [deep]})
    };
    let catalogue = in_time(|| chain(10, link));
    assert_eq!(catalogue.report().usable + catalogue.report().set_aside.len(), 1);
    let _ = check(&catalogue, json!({"body": {}}));
}

#[test]
fn very_many_of_anything_is_read_or_refused() {
    let many = |kind: fn(usize) -> (String, Value)| (0..100_000).map(kind).collect::<Map<_, _>>();
    let text = |n| (format!("p{n}"), json!({"type": "string", "readOnly": n % 2 == 0}));
    let names: Vec<String> = (0..100_000).map(|n| format!("p{n}")).collect();
    let catalogue = in_time(|| with_schemas([("S0".to_owned(), json!({"type": "object", "properties": many(text)}))].into_iter()));
    assert_eq!(shown(&catalogue), ["body"]);
    assert_eq!(check(&catalogue, json!({"body": {"p99999": "x"}})), Ok(()));
    assert_eq!(check(&catalogue, json!({"body": {"p99999": 1}})).unwrap_err(), ["`/body/p99999` must be a string, but is 1"]);
    let all = json!({"type": "object", "required": names, "properties": many(text)});
    let catalogue = in_time(|| with_schemas([("S0".to_owned(), all)].into_iter()));
    assert_eq!(check(&catalogue, json!({"body": {}})).unwrap_err().len(), 21);
    let parameters: Vec<Value> = names.iter().map(|name| json!({"name": name, "in": "query", "schema": {}})).collect();
    let catalogue = in_time(|| read(&document(json!({"/p": {"get": {"parameters": parameters}}}))));
    assert_eq!(catalogue.report().set_aside[0].reason, "it has 100000 parameters; at most 1000 are read");
    let holes: String = (0..1100).map(|n| format!("{{{n}}}")).collect();
    let catalogue = in_time(|| read(&document(json!({format!("/{holes}"): {"get": {}}, format!("/{}", "x".repeat(5000)): {"get": {}}}))));
    assert_eq!(catalogue.report().set_aside.len(), 2);
}

#[test]
fn a_long_enumeration_is_judged_whole_and_shown_in_short() {
    let values: Vec<String> = (0..100_000).map(|n| format!("v{n}")).collect();
    let catalogue = one("get", "/e", json!({"parameters": [{"name": "e", "in": "query", "schema": {"enum": values}}]}));
    let shown = only(&catalogue).spec().parameters["properties"]["e"].clone();
    assert!(shown.get("enum").is_none() && shown.to_string().len() < 1000, "{shown}");
    assert!(shown["description"].as_str().unwrap().starts_with("(one of 100000 values: \"v0\", \"v1\""), "{shown}");
    assert_eq!(check(&catalogue, json!({"e": "v99999"})), Ok(()));
    assert!(check(&catalogue, json!({"e": "x"})).unwrap_err()[0].contains("and 99970 more"));
}

#[test]
fn what_many_operations_share_is_not_kept_for_each_without_bound() {
    let values: Vec<String> = (0..256).map(|n| format!("{n}{}", "x".repeat(2000))).collect();
    let parameter = |n: usize| json!({"name": format!("q{n}"), "in": "query", "schema": {"enum": values}});
    let item = json!({"get": {"parameters": (0..4).map(parameter).collect::<Vec<_>>()}});
    let paths: Map<String, Value> = (0..200).map(|n| (format!("/p{n}"), json!({"$ref": "#/x-item"}))).collect();
    let mut document = document(Value::Object(paths));
    document["x-item"] = item;
    let catalogue = in_time(|| read(&document));
    assert!(catalogue.report().usable > 50 && !catalogue.report().set_aside.is_empty(), "{}", catalogue.report().usable);
    assert!(catalogue.report().set_aside[0].reason.contains("134217728 bytes"), "{:?}", catalogue.report().set_aside[0]);
}

#[test]
fn patterns_cannot_be_made_to_take_long() {
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    let schema = json!({"type": "object", "properties": {"a": text("^(a+)+$"), "b": text("^(?=(a+)+b)c"), "c": text("((a{1,1000}){1,1000}){1,1000}"),
        "d": text(r"^(\w+)\1{50}$")}});
    let catalogue = in_time(|| with_schemas([("S0".to_owned(), schema)].into_iter()));
    let hostile = format!("{}!", "a".repeat(50_000));
    let problems = check(&catalogue, json!({"a": hostile, "b": hostile, "c": hostile, "d": hostile})).unwrap_err();
    assert!(problems[0].starts_with("`a` must match the pattern `^(a+)+$`"), "{problems:?}");
    assert!(catalogue.report().warnings[0].contains("cannot be matched here"), "{:?}", catalogue.report());
}

#[test]
fn equal_and_colliding_names_are_given_quickly() {
    let operation = |n: usize| {
        (
            format!("/p{n}"),
            json!({"get": {"operationId": if n < 10_000 { "same".to_owned() } else { format!("a{}b", "/".repeat(n % 50)) }}}),
        )
    };
    let paths: Map<String, Value> = (0..20_000).map(operation).collect();
    let catalogue = in_time(|| read(&document(Value::Object(paths))));
    assert_eq!(catalogue.report().usable, 20_000);
    in_time(|| catalogue.near("smae"));
}

#[test]
fn huge_numbers_and_odd_names_are_only_data() {
    let text = r#"{"openapi":"3.0.0","servers":[{"url":"http://up.test"}],"paths":{"/a\u0000":{"get":{"parameters":[
        {"name":"x\u0000","in":"query","schema":{"type":"string","minLength":1000000000000000000,"maxLength":1e300}},
        {"name":"y","in":"query","schema":{"type":"number","maximum":1e308,"minimum":-1e308,"multipleOf":1e-300}}]}}}}"#;
    let catalogue = Catalogue::read(text, "x.json").unwrap();
    assert_eq!(shown(&catalogue), ["x", "y"]);
    assert!(check(&catalogue, json!({"x": "short"})).unwrap_err()[0].contains("at least 1000000000000000000 characters"));
    assert_eq!(send(&catalogue, json!({"y": 1})).url, "http://up.test/a%00?y=1");
    let error = Catalogue::read(r#"{"openapi": "3.0.0", "x": 1e400}"#, "x.json").unwrap_err().to_string();
    assert!(error.starts_with("x.json:1:") && error.contains("number out of range"), "{error}");
}

#[test]
fn many_wrong_values_are_counted_not_listed() {
    let schema = json!({"type": "array", "items": {"type": "integer"}});
    let catalogue = with_schemas([("S0".to_owned(), schema)].into_iter());
    let problems = check(&catalogue, json!({"body": vec!["x"; 100_000]})).unwrap_err();
    assert_eq!((problems.len(), problems[20].as_str()), (21, "980 more problems are not listed"));
}
