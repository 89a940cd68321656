//! Schemas as functions show them and as calls are judged by them.

use serde_json::json;

use super::*;

fn with_schemas(schemas: Value, schema: Value) -> Catalogue {
    let body = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    let mut document = document(json!({"/b": {"post": {"requestBody": body}}}));
    document["components"] = json!({"schemas": schemas});
    read(&document)
}

/// Every key `$ref` in a value.
fn references(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| usize::from(key == "$ref") + references(value)).sum(),
        Value::Array(items) => items.iter().map(references).sum(),
        _ => 0,
    }
}

#[test]
fn a_tree_is_shown_finite_and_sent_whole() {
    let node = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}}});
    let catalogue = with_schemas(json!({"Node": node}), json!({"$ref": "#/components/schemas/Node"}));
    assert_eq!(shown(&catalogue), ["name", "children"]);
    assert_eq!(references(&only(&catalogue).spec().parameters), 0);
    let tree = json!({"name": "a", "children": [{"name": "b", "children": [{"name": "c", "children": [{"name": "d"}]}]}]});
    assert_eq!(body(&send(&catalogue, tree.clone())), tree.to_string());
    let problems = refused(&catalogue, json!({"name": "a", "children": [{"name": "b", "children": [{"name": "c", "children": [{}]}]}]}));
    assert_eq!(problems, ["`/children/0/children/0/children/0/name` is missing; it is required"]);
}

#[test]
fn mutual_recursion_and_recursion_through_parts_are_safe() {
    let schemas = json!({
        "A": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}},
        "B": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}},
        "All": {"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "object", "properties": {"all": {"$ref": "#/components/schemas/All"}}}]},
        "One": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/One"}}]}});
    let catalogue = with_schemas(schemas.clone(), json!({"$ref": "#/components/schemas/All"}));
    let given = json!({"b": {"a": {"b": {}}}, "all": {"all": {"b": {}}}});
    assert_eq!(body(&send(&catalogue, given.clone())), given.to_string());
    let catalogue = with_schemas(schemas, json!({"$ref": "#/components/schemas/One"}));
    assert_eq!(body(&send(&catalogue, json!({"body": [["a", ["b"]]]}))), r#"[["a",["b"]]]"#);
    assert_eq!(references(&only(&catalogue).spec().parameters), 0);
}

#[test]
fn a_pure_alias_circle_sets_only_its_operation_aside() {
    let body = |name: &str| json!({"requestBody": {"content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}}}});
    let mut document = document(json!({"/a": {"post": body("A")}, "/c": {"post": body("C")}}));
    document["components"] =
        json!({"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}, "C": {"type": "object"}}});
    let catalogue = read(&document);
    assert_eq!(only(&catalogue).path(), "/c");
    assert_eq!(catalogue.report().set_aside[0].operation, "POST /a");
}

#[test]
fn parts_are_merged_and_the_read_only_ones_are_gone() {
    let schemas = json!({
        "Base": {"type": "object", "required": ["id", "kind"], "discriminator": {"propertyName": "kind"},
            "properties": {"id": {"type": "string", "readOnly": true}, "kind": {"type": "string"}}},
        "Cat": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {"lives": {"type": "integer"}}}]}});
    let catalogue = with_schemas(schemas, json!({"$ref": "#/components/schemas/Cat"}));
    assert_eq!(shown(&catalogue), ["kind", "lives"]);
    assert_eq!(only(&catalogue).spec().parameters["required"], json!(["kind"]));
    assert_eq!(body(&send(&catalogue, json!({"kind": "cat", "lives": 9}))), r#"{"kind":"cat","lives":9}"#);
    assert_eq!(refused(&catalogue, json!({"lives": 9})), ["`kind` is missing; it is required"]);
}

#[test]
fn the_function_shows_what_models_need() {
    let parameters = json!([{"name": "sort", "in": "query", "description": "How to sort.", "deprecated": true,
            "schema": {"type": "string", "enum": ["asc", "desc"], "default": "asc", "description": "ignored"}},
        {"name": "since", "in": "query", "schema": {"type": "string", "format": "date", "nullable": true, "description": "From when on.", "example": "2026-01-31"}}]);
    let catalogue = one(
        "get",
        "/pets",
        json!({"operationId": "listPets", "summary": "List pets", "description": "All of them.", "tags": ["pets"], "parameters": parameters}),
    );
    let operation = only(&catalogue);
    let spec = operation.spec();
    assert_eq!((spec.name.as_str(), spec.description.as_str()), ("listPets", "List pets\n\nAll of them."));
    assert_eq!((operation.summary(), operation.tags()), (Some("List pets"), &["pets".to_owned()][..]));
    let expected = json!({"type": "object", "properties": {
        "sort": {"type": "string", "enum": ["asc", "desc"], "default": "asc", "description": "How to sort.", "deprecated": true},
        "since": {"type": ["string", "null"], "format": "date", "description": "From when on."}}, "additionalProperties": false});
    assert_eq!(*spec.parameters, expected);
}

#[test]
fn a_very_large_schema_is_shown_within_bounds() {
    let level = |next: &str| {
        let property = |n: usize| (format!("p{n}"), json!({"$ref": format!("#/components/schemas/{next}")}));
        json!({"type": "object", "properties": (0..20).map(property).collect::<serde_json::Map<_, _>>()})
    };
    let schemas = json!({"A": level("B"), "B": level("C"), "C": level("D"), "D": level("E"), "E": {"type": "string"}});
    let catalogue = with_schemas(schemas, json!({"$ref": "#/components/schemas/A"}));
    assert_eq!(shown(&catalogue).len(), 20);
    assert!(only(&catalogue).spec().parameters.to_string().len() < 64 * 1024);
    let given = json!({"p19": {"p19": {"p19": {"p19": "x"}}}});
    assert_eq!(body(&send(&catalogue, given.clone())), given.to_string());
    assert_eq!(refused(&catalogue, json!({"p19": {"p19": {"p19": {"p19": 1}}}})), ["`/p19/p19/p19/p19` must be a string, but is 1"]);
}

#[test]
fn a_choice_says_what_is_wrong_with_the_branch_that_was_meant() {
    let schema = json!({"type": "object", "properties": {"x": {"oneOf": [{"type": "string"}, {"type": "object", "required": ["y"], "properties": {"y": {"type": "integer"}}}]}}});
    let catalogue = with_schemas(json!({}), schema);
    assert_eq!(refused(&catalogue, json!({"x": {"y": "1"}})), ["`/x/y` must be a whole number, but is \"1\""]);
    assert_eq!(refused(&catalogue, json!({"x": 1})), ["`x` must be a string or an object, but is 1"]);
    let either = json!({"type": "object", "properties": {"x": {"anyOf": [{"type": "boolean", "nullable": true}, {"type": "object", "nullable": true}]}}});
    let problems = refused(&with_schemas(json!({}), either), json!({"x": 1}));
    assert_eq!(problems, ["`x` must be null or true or false or an object, but is 1"]);
}

#[test]
fn three_one_documents_are_read_whole() {
    let three_one = |paths: Value| {
        let mut document = document(paths);
        document["openapi"] = "3.1.0".into();
        document
    };
    let parameters = json!([{"name": "a", "in": "query", "schema": {"type": ["string", "null"]}},
        {"name": "b", "in": "query", "schema": {"const": "fixed"}}, {"name": "c", "in": "query", "schema": {"type": "number", "exclusiveMinimum": 0}},
        {"name": "d", "in": "query", "explode": false, "schema": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]}},
        {"name": "e", "in": "query", "schema": true}]);
    let catalogue = read(&three_one(json!({"/n": {"get": {"parameters": parameters}}})));
    assert_eq!(target(&catalogue, json!({"a": "x", "b": "fixed", "c": 0.5, "d": [1, "y"], "e": 1})), "/n?a=x&b=fixed&c=0.5&d=1,y&e=1");
    let problems = refused(&catalogue, json!({"b": "other", "c": 0, "d": ["y"]}));
    assert_eq!(
        problems,
        ["`b` must be \"fixed\", but is \"other\"", "`c` must be greater than 0, but is 0", "`/d/0` must be a whole number, but is \"y\""]
    );
    let mut webhooks = three_one(json!({}));
    webhooks.as_object_mut().unwrap().shift_remove("paths");
    webhooks["webhooks"] = json!({"new": {"post": {}}});
    assert_eq!(read(&webhooks).functions().len(), 0);
}
