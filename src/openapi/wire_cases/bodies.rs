//! Bodies: which media type, which bytes, and none where there is none.

use serde_json::json;

use super::*;

fn bodied(method: &str, required: bool, content: Value) -> Catalogue {
    one(method, "/b", json!({"requestBody": {"required": required, "content": content}}))
}

fn json_of(schema: Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

#[test]
fn a_plain_object_gives_its_properties_as_arguments() {
    let schema = json!({"type": "object", "required": ["n"], "properties": {
        "n": {"type": "integer"}, "flag": {"type": "boolean"}, "list": {"type": "array", "items": {}}, "note": {"type": "string", "nullable": true}}});
    let catalogue = bodied("post", true, json_of(schema));
    assert_eq!(shown(&catalogue), ["n", "flag", "list", "note"]);
    assert_eq!(only(&catalogue).spec().parameters["required"], json!(["n"]));
    assert_eq!(only(&catalogue).spec().parameters["additionalProperties"], json!(false));
    let request = send(&catalogue, json!({"n": 0, "flag": false, "list": [], "note": null}));
    assert_eq!(body(&request), r#"{"n":0,"flag":false,"list":[],"note":null}"#);
    assert_eq!(header(&request, "Content-Type"), Some("application/json"));
    assert_eq!(body(&send(&catalogue, json!({"n": 1}))), r#"{"n":1}"#);
}

#[test]
fn an_open_object_takes_other_arguments_too() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": {"type": "string"}});
    let catalogue = bodied("post", true, json_of(schema));
    assert_eq!(body(&send(&catalogue, json!({"n": 1, "x": "y"}))), r#"{"n":1,"x":"y"}"#);
    assert_eq!(refused(&catalogue, json!({"x": 1})), ["`x` must be a string, but is 1"]);
}

#[test]
fn names_of_properties_find_back_exactly() {
    let schema = json!({"type": "object", "properties": {"@type": {"type": "string"}, "a b": {"type": "object", "properties": {"c": {"type": "integer"}}}}});
    let catalogue = bodied("post", true, json_of(schema));
    assert_eq!(shown(&catalogue), ["type", "a_b"]);
    assert_eq!(body(&send(&catalogue, json!({"type": "x", "a_b": {"c": 1}}))), r#"{"@type":"x","a b":{"c":1}}"#);
    assert_eq!(refused(&catalogue, json!({"a_b": {"c": "1"}})), ["`/a_b/c` must be a whole number, but is \"1\""]);
}

#[test]
fn a_body_that_is_not_a_plain_object_is_one_argument() {
    let catalogue = bodied("post", true, json_of(json!({"type": "array", "items": {"type": "integer"}})));
    assert_eq!(body(&send(&catalogue, json!({"body": [1, 2]}))), "[1,2]");
    assert_eq!(refused(&catalogue, json!({})), ["`body` is missing; it is required"]);
    assert_eq!(refused(&catalogue, json!({"body": ["1"]})), ["`/body/0` must be a whole number, but is \"1\""]);
    let catalogue = bodied("post", true, json_of(json!({"type": "string"})));
    assert_eq!(body(&send(&catalogue, json!({"body": "hi"}))), r#""hi""#);
    let branch = |name: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": "integer"}}});
    let catalogue = bodied("post", true, json_of(json!({"oneOf": [branch("a"), branch("b")]})));
    assert_eq!(body(&send(&catalogue, json!({"body": {"b": 1}}))), r#"{"b":1}"#);
    assert!(refused(&catalogue, json!({"body": {}}))[0].starts_with("`body` fits none of its 2 forms: (1) `/body/a` is missing"));
}

#[test]
fn an_absent_body_has_no_content_type() {
    let schema = json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}, "m": {"type": "integer"}}});
    let catalogue = bodied("post", false, json_of(schema));
    let request = send(&catalogue, json!({}));
    assert_eq!((request.body.as_ref(), header(&request, "Content-Type")), (None, None));
    assert_eq!(refused(&catalogue, json!({"m": 1})), ["`n` is missing; it is required"]);
    assert!(only(&catalogue).spec().parameters.get("required").is_none());
    let catalogue = bodied("post", true, json_of(json!({"type": "object", "properties": {"n": {}}})));
    assert_eq!(body(&send(&catalogue, json!({}))), "{}");
}

#[test]
fn the_content_type_is_the_documents_own() {
    let open = json!({"type": "object", "additionalProperties": true});
    let catalogue = bodied("patch", true, json!({"application/merge-patch+json": {"schema": open}}));
    let request = send(&catalogue, json!({"body": {"a": null}}));
    assert_eq!((header(&request, "Content-Type"), body(&request)), (Some("application/merge-patch+json"), r#"{"a":null}"#));
    let catalogue =
        bodied("patch", true, json!({"application/json-patch+json": {"schema": {"type": "array", "items": {"type": "object"}}}}));
    let request = send(&catalogue, json!({"body": [{"op": "remove", "path": "/a"}]}));
    assert_eq!(
        (header(&request, "Content-Type"), body(&request)),
        (Some("application/json-patch+json"), r#"[{"op":"remove","path":"/a"}]"#)
    );
    let catalogue = bodied(
        "post",
        true,
        json!({"application/xml": {"schema": {"type": "object"}}, "application/json; charset=utf-8": {"schema": open}}),
    );
    assert_eq!(header(&send(&catalogue, json!({"body": {}})), "Content-Type"), Some("application/json; charset=utf-8"));
}

#[test]
fn text_bytes_and_xml_go_as_they_are() {
    let text = json!({"type": "string"});
    let catalogue = bodied("post", true, json!({"text/plain": {"schema": text}}));
    assert_eq!(body(&send(&catalogue, json!({"body": "hi"}))), "hi");
    let catalogue = bodied("post", true, json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}));
    assert_eq!(send(&catalogue, json!({"body": "AP8="})).body, Some(vec![0, 255]));
    assert!(refused(&catalogue, json!({"body": "not base64!"}))[0].starts_with("`body` must be a file's content as base64"));
    let catalogue = bodied("post", true, json!({"application/xml": {"schema": text}}));
    let request = send(&catalogue, json!({"body": "<a/>"}));
    assert_eq!((header(&request, "Content-Type"), body(&request)), (Some("application/xml"), "<a/>"));
    let structured = read(&document(json!({"/b": {"post": {"requestBody": {"content": {"text/csv": {"schema": {"type": "object"}}}}}}})));
    assert!(structured.report().set_aside[0].reason.contains("text/csv"), "{:?}", structured.report());
}

#[test]
fn delete_carries_a_body_and_get_does_not() {
    let schema = json!({"type": "object", "properties": {"ids": {"type": "array", "items": {"type": "integer"}}}});
    assert_eq!(body(&send(&bodied("delete", true, json_of(schema.clone())), json!({"ids": [1]}))), r#"{"ids":[1]}"#);
    let catalogue = bodied("get", true, json_of(schema));
    assert_eq!(send(&catalogue, json!({})).body, None);
    assert!(catalogue.report().warnings[0].contains("no meaning for this method"));
}

#[test]
fn forms_follow_their_encodings() {
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
        "addr": {"type": "object"}, "meta": {"type": "object"}, "ids": {"type": "array", "items": {"type": "integer"}}}});
    let encoding = json!({"tags": {"explode": false}, "addr": {"style": "deepObject", "explode": true}});
    let catalogue = bodied("post", true, json!({"application/x-www-form-urlencoded": {"schema": schema, "encoding": encoding}}));
    let request = send(&catalogue, json!({"name": "a b&c", "tags": ["x", "y"], "addr": {"city": "Z"}, "meta": {"k": 1}, "ids": [1, 2]}));
    assert_eq!(header(&request, "Content-Type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(body(&request), "name=a%20b%26c&tags=x,y&addr%5Bcity%5D=Z&meta=%7B%22k%22%3A1%7D&ids=1&ids=2");
}

#[test]
fn multipart_bodies_have_a_part_per_value() {
    let schema = json!({"type": "object", "properties": {"file": {"type": "string", "format": "binary"},
        "meta": {"type": "object"}, "tags": {"type": "array", "items": {"type": "string"}}}});
    let encoding = json!({"file": {"contentType": "image/png"}, "meta": {"contentType": "application/json"}});
    let catalogue = bodied("post", true, json!({"multipart/form-data": {"schema": schema, "encoding": encoding}}));
    let request = send(&catalogue, json!({"file": "data:image/png;name=cat.png;base64,AP8=", "meta": {"a": 1}, "tags": ["x", "y"]}));
    let boundary = header(&request, "Content-Type").unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
    let mut expected = Vec::new();
    for (head, content) in [
        ("; name=\"file\"; filename=\"cat.png\"\r\nContent-Type: image/png", &b"\x00\xff"[..]),
        ("; name=\"meta\"\r\nContent-Type: application/json", b"{\"a\":1}"),
        ("; name=\"tags\"", b"x"),
        ("; name=\"tags\"", b"y"),
    ] {
        expected.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data{head}\r\n\r\n").as_bytes());
        expected.extend_from_slice(content);
        expected.extend_from_slice(b"\r\n");
    }
    expected.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    assert_eq!(request.body, Some(expected));
    assert!(refused(&catalogue, json!({"file": "?"}))[0].starts_with("`file` must be a file's content"));
}

#[test]
fn a_style_shapes_the_parts_of_a_multipart_body_since_3_1() {
    let schema = json!({"type": "object", "properties": {"l": {"type": "array", "items": {"type": "string"}}, "o": {"type": "object"}}});
    let content = |encoding: Value| json!({"multipart/form-data": {"schema": schema, "encoding": {"l": encoding, "o": encoding}}});
    let parts = |version: &str, encoding: Value| {
        let mut document = document(json!({"/b": {"post": {"requestBody": {"content": content(encoding)}}}}));
        document["openapi"] = version.into();
        let sent = send(&read(&document), json!({"l": ["x", "y"], "o": {"a": 1, "b": 2}}));
        let text = body(&sent).to_owned();
        let mut found: Vec<String> =
            text.split("name=\"").skip(1).map(|part| part.split("\r\n--").next().unwrap().replace("\"\r\n", " ")).collect();
        found.iter_mut().for_each(|part| *part = part.replace("\r\n", " ").replace("  ", " "));
        found
    };
    assert_eq!(parts("3.1.0", json!({"style": "form"})), ["l x", "l y", "a 1", "b 2"]);
    assert_eq!(parts("3.1.0", json!({"explode": false})), ["l x,y", "o a,1,b,2"]);
    assert_eq!(parts("3.1.0", json!({"style": "pipeDelimited"})), ["l x|y", "o a|1|b|2"]);
    assert_eq!(parts("3.1.0", json!({"style": "deepObject", "explode": true})), ["l x", "l y", "o[a] 1", "o[b] 2"]);
    for ignored in [json!({"explode": false}), json!({"style": "deepObject"})] {
        assert_eq!(parts("3.0.4", ignored), ["l x", "l y", "o Content-Type: application/json {\"a\":1,\"b\":2}"]);
    }
}

#[test]
fn what_is_required_but_not_described_can_be_given() {
    let schema = json!({"type": "object", "required": ["n", "m"], "properties": {"n": {"type": "integer"}}});
    let catalogue = bodied("post", true, json_of(schema));
    assert_eq!(shown(&catalogue), ["n", "m"]);
    assert_eq!(body(&send(&catalogue, json!({"n": 1, "m": "x"}))), r#"{"n":1,"m":"x"}"#);
    assert_eq!(refused(&catalogue, json!({"n": 1})), ["`m` is missing; it is required"]);
    let branches = json!([{"required": ["n"]}, {"required": ["other"]}]);
    let catalogue = bodied("post", true, json_of(json!({"type": "object", "anyOf": branches, "properties": {"n": {"type": "integer"}}})));
    assert_eq!(body(&send(&catalogue, json!({"body": {"other": 1}}))), r#"{"other":1}"#);
}

#[test]
fn alternatives_that_only_require_leave_the_object_plain() {
    let branches = json!([{"required": ["a"]}, {"required": ["b"]}]);
    let schema = json!({"type": "object", "anyOf": branches, "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}});
    let catalogue = bodied("post", true, json_of(schema));
    assert_eq!(body(&send(&catalogue, json!({"b": 2}))), r#"{"b":2}"#);
    let problems = refused(&catalogue, json!({}));
    assert_eq!(problems, ["the body fits none of its 2 forms: (1) `a` is missing; it is required; (2) `b` is missing; it is required"]);
}
