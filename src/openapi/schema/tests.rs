//! What becomes of schemas.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::document::Document;
use super::*;

/// The schema, and the definitions it refers to, of a document with these component schemas.
fn normalised(version: &str, components: Value, schema: Value) -> (Arc<Normalised>, Definitions) {
    let root = json!({"openapi": version, "components": {"schemas": components}, "it": schema});
    let document = Document::new(root).unwrap();
    let mut normaliser = Normaliser::new(&document);
    let schema = normaliser.normalise(&document.root["it"]);
    (schema, normaliser.finish().0)
}

fn schema(version: &str, raw: Value) -> Value {
    normalised(version, json!({}), raw).0.schema.clone()
}

#[test]
fn null_is_a_type_a_value_and_an_alternative() {
    assert_eq!(schema("3.0.0", json!({"type": "string", "nullable": true})), json!({"type": ["string", "null"]}));
    let raw = json!({"type": "string", "enum": ["a"], "nullable": true});
    assert_eq!(schema("3.0.0", raw), json!({"type": ["string", "null"], "enum": ["a", null]}));
    let raw = json!({"nullable": true, "description": "d", "allOf": [{"type": "object"}]});
    assert_eq!(schema("3.0.0", raw), json!({"description": "d", "anyOf": [{"allOf": [{"type": "object"}]}, {"type": "null"}]}));
    assert_eq!(schema("3.1.0", json!({"type": ["string", "null"]})), json!({"type": ["string", "null"]}));
}

#[test]
fn bounds_become_numbers() {
    let raw = json!({"minimum": 1, "exclusiveMinimum": true, "maximum": 9, "exclusiveMaximum": false});
    assert_eq!(schema("3.0.0", raw), json!({"maximum": 9, "exclusiveMinimum": 1}));
    assert_eq!(schema("3.1.0", json!({"exclusiveMinimum": 1})), json!({"exclusiveMinimum": 1}));
}

#[test]
fn misshapen_keywords_and_annotations_are_dropped() {
    let raw = json!({"type": "any", "required": true, "minLength": "3", "maxLength": 5.0, "enum": [], "example": 1, "x-y": 2,
        "pattern": "(?<!a", "items": [], "properties": [], "title": "t", "discriminator": {"propertyName": "k"}});
    assert_eq!(schema("3.0.0", raw), json!({"maxLength": 5}));
}

#[test]
fn read_only_properties_are_neither_asked_for_nor_required() {
    let raw = json!({"type": "object", "required": ["id", "kind"], "properties": {
        "id": {"type": "string", "readOnly": true}, "kind": {"type": "string"}, "at": {"$ref": "#/components/schemas/At"}}});
    let (found, _) = normalised("3.0.0", json!({"At": {"readOnly": true}}), raw);
    assert_eq!(found.schema, json!({"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}));
}

#[test]
fn a_part_may_require_what_another_part_declares_read_only() {
    let components = json!({
        "Base": {"type": "object", "properties": {"id": {"readOnly": true}, "kind": {}}},
        "Named": {"required": ["id", "name"], "properties": {"name": {}}}});
    let raw =
        json!({"allOf": [{"$ref": "#/components/schemas/Base"}, {"$ref": "#/components/schemas/Named"}, {"required": ["id", "kind"]}]});
    let (found, definitions) = normalised("3.0.0", components, raw);
    assert_eq!(found.schema["allOf"][1], json!({"required": ["name"], "properties": {"name": {}}}));
    assert_eq!(found.schema["allOf"][2], json!({"required": ["kind"]}));
    let base = definitions.follow(&found.schema["allOf"][0]);
    assert_eq!(base, &json!({"type": "object", "properties": {"kind": {}}}));
}

#[test]
fn exactly_one_becomes_any() {
    let raw = json!({"anyOf": [{"type": "string"}], "oneOf": [{"type": "number"}], "allOf": [{"minimum": 1}]});
    assert_eq!(schema("3.0.0", raw), json!({"anyOf": [{"type": "string"}], "allOf": [{"anyOf": [{"type": "number"}]}, {"minimum": 1}]}));
}

#[test]
fn newer_keywords_are_kept() {
    let raw =
        json!({"const": 1, "prefixItems": [true], "items": false, "unevaluatedProperties": false, "if": {"type": "string"}, "then": true});
    assert_eq!(schema("3.1.0", raw.clone()), raw);
}

#[test]
fn what_stands_beside_a_reference_counts_from_3_1_on() {
    let components = json!({"A": {"type": "string"}});
    let raw = json!({"$ref": "#/components/schemas/A", "minLength": 3, "description": "d"});
    assert_eq!(normalised("3.0.0", components.clone(), raw.clone()).0.schema, json!({"$ref": "#/$defs/0", "description": "d"}));
    assert_eq!(normalised("3.1.0", components, raw).0.schema, json!({"$ref": "#/$defs/0", "minLength": 3, "description": "d"}));
}

#[test]
fn recursion_is_kept_and_circles_are_found() {
    let components = json!({
        "Node": {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}}},
        "A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"},
        "C": {"allOf": [{"$ref": "#/components/schemas/C"}, {"type": "object"}]},
        "D": {"properties": {"a": {"$ref": "#/components/schemas/A"}}}});
    let reach = |name: &str| {
        let raw = json!({"$ref": format!("#/components/schemas/{name}")});
        let (found, definitions) = normalised("3.0.0", components.clone(), raw);
        found.problem.clone().or_else(|| definitions.problem(&found.links).map(str::to_owned))
    };
    assert_eq!(reach("Node"), None);
    for circle in ["A", "B", "C", "D"] {
        assert!(reach(circle).unwrap().contains("refers to itself"), "{circle}");
    }
}

#[test]
fn definitions_beside_a_schema_are_found() {
    let raw = json!({"type": "array", "items": {"$ref": "#/$defs/Item"}, "$defs": {"Item": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Item"}}}}});
    let (found, definitions) = normalised("3.1.0", json!({}), raw);
    assert_eq!((&found.problem, definitions.reachable(&found.links)), (&None, Ok(vec![0])));
}

#[test]
fn null_joins_alternatives_that_are_there() {
    let raw = json!({"nullable": true, "description": "d", "oneOf": [{"type": "string"}, {"type": "integer"}]});
    assert_eq!(schema("3.0.0", raw), json!({"description": "d", "anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}));
}
