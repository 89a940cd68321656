//! A document damaged anywhere: it is read or refused with a sentence, and what can still be called can still be checked.

use serde_json::json;

use super::*;

fn rich() -> Value {
    let mut document = document(json!({"/a/{id}": {
        "parameters": [{"$ref": "#/components/parameters/Id"}],
        "servers": [{"url": "https://{r}.up.test", "variables": {"r": {"default": "eu", "enum": ["eu"]}}}],
        "post": {"operationId": "a", "tags": ["t"], "summary": "s", "description": "d", "security": [{"Key": []}],
            "parameters": [{"name": "q", "in": "query", "style": "form", "explode": false, "required": false, "schema": {"type": "array",
                "items": {"$ref": "#/components/schemas/Node"}, "minItems": 1}}, {"name": "c", "in": "cookie", "content": {"application/json": {"schema": {}}}}],
            "requestBody": {"required": true, "description": "b", "content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/Node"},
                "encoding": {"f": {"contentType": "image/png", "style": "form", "explode": true}}}}},
            "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {}}}}}}}}));
    document["components"] = json!({
        "parameters": {"Id": {"name": "id", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 1, "exclusiveMinimum": true}}},
        "securitySchemes": {"Key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "O": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "u", "scopes": {}}}}},
        "schemas": {"Node": {"type": "object", "required": ["n"], "nullable": true, "additionalProperties": false, "properties": {"n": {"type": "string", "enum": ["x"], "pattern": "^x$"},
            "id": {"readOnly": true}, "f": {"type": "string", "format": "binary"}, "next": {"$ref": "#/components/schemas/Node"}, "any": {"oneOf": [{"allOf": [{"required": ["id"]}]}]}}}}});
    document
}

fn old() -> Value {
    json!({"swagger": "2.0", "host": "up.test", "basePath": "/v", "schemes": ["https"], "consumes": ["application/json"],
        "securityDefinitions": {"B": {"type": "basic"}},
        "paths": {"/a/{id}": {"post": {"consumes": ["multipart/form-data"], "produces": ["text/plain"], "parameters": [
            {"name": "id", "in": "path", "required": true, "type": "string"}, {"name": "f", "in": "formData", "type": "file"},
            {"name": "l", "in": "query", "type": "array", "collectionFormat": "pipes", "items": {"type": "string"}}]},
            "put": {"parameters": [{"name": "b", "in": "body", "required": true, "schema": {"$ref": "#/definitions/D"}}]}}},
        "definitions": {"D": {"type": "object", "properties": {"x": {"type": "string", "x-nullable": true}}}}})
}

/// Pointers to everything in a value.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    let mut child = |key: &str, value: &Value| {
        let pointer = format!("{here}/{}", key.replace('~', "~0").replace('/', "~1"));
        places(value, &pointer, found);
        found.push(pointer);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| child(key, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| child(&at.to_string(), value)),
        _ => {}
    }
}

#[test]
fn nothing_in_a_document_can_stop_the_reader() {
    let replacements = [
        json!(null),
        json!(true),
        json!(-1.5),
        json!(""),
        json!("\r\n{"),
        json!([]),
        json!([null, 7]),
        json!({}),
        json!({"$ref": "#"}),
        json!({"$ref": "#/paths"}),
        json!({"$ref": 5}),
    ];
    let mut read = 0;
    for whole in [rich(), old()] {
        let mut found = Vec::new();
        places(&whole, "", &mut found);
        for place in found {
            for replacement in &replacements {
                let mut damaged = whole.clone();
                *damaged.pointer_mut(&place).unwrap() = replacement.clone();
                let Ok(catalogue) = Catalogue::read(&damaged.to_string(), "x") else { continue };
                read += 1;
                for operation in catalogue.operations() {
                    for problem in operation.check(&Map::new()).err().unwrap_or_default() {
                        assert!(!problem.contains("cannot be used"), "{place} = {replacement}: {problem}");
                    }
                    let filled = operation.spec().parameters["properties"]
                        .as_object()
                        .unwrap()
                        .keys()
                        .map(|name| (name.clone(), json!("x")))
                        .collect();
                    let _ = operation.request(Some(BASE), &filled);
                }
            }
        }
    }
    assert!(read > 1000, "{read}");
}
