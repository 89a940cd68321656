//! Edges of parameters and of multipart bodies, and what 3.2 adds.

use serde_json::json;

use super::*;

#[test]
fn an_empty_value_is_allowed_where_the_document_says_so() {
    let flag = |allow: bool| {
        let parameter = json!({"name": "flag", "in": "query", "allowEmptyValue": allow, "schema": {"type": "boolean", "description": "d"}});
        one("get", "/q", json!({"parameters": [parameter]}))
    };
    assert_eq!(target(&flag(true), json!({"flag": ""})), "/q?flag=");
    assert_eq!(target(&flag(true), json!({"flag": true})), "/q?flag=true");
    assert_eq!(refused(&flag(false), json!({"flag": ""})), ["`flag` must be true or false, but is \"\""]);
    assert_eq!(only(&flag(true)).spec().parameters["properties"]["flag"]["description"], json!("d"));
}

#[test]
fn headers_and_cookies_keep_what_they_carry() {
    let parameter = |name: &str, place: &str| json!({"name": name, "in": place, "explode": false, "schema": {}});
    let catalogue = one("get", "/h", json!({"parameters": [parameter("X-A", "header"), parameter("c", "cookie")]}));
    let request = send(&catalogue, json!({"X-A": [], "c": {}}));
    assert_eq!((header(&request, "X-A"), header(&request, "Cookie")), (None, None));
    assert_eq!(header(&send(&catalogue, json!({"X-A": ""})), "X-A"), Some(""));
    for bad in [" a", "a ", "\ta"] {
        assert!(refused(&catalogue, json!({"X-A": bad}))[0].contains("white space"), "{bad:?}");
        assert!(refused(&catalogue, json!({"c": bad}))[0].contains("which a cookie cannot carry"), "{bad:?}");
    }
    assert_eq!(header(&send(&catalogue, json!({"X-A": "a \"b\" c"})), "X-A"), Some("a \"b\" c"));
}

#[test]
fn parts_carry_the_headers_that_the_document_fixes() {
    let schema = json!({"type": "object", "properties": {"meta": {"type": "object"}}});
    let headers = json!({"X-Kind": {"schema": {"enum": ["meta"]}}, "X-Free": {"schema": {"type": "string"}}, "Content-Type": {"schema": {"default": "no"}}});
    let content = json!({"multipart/form-data": {"schema": schema, "encoding": {"meta": {"headers": headers}}}});
    let catalogue = one("post", "/b", json!({"requestBody": {"content": content}}));
    let request = send(&catalogue, json!({"meta": {"a": 1}}));
    assert!(
        body(&request).contains("name=\"meta\"\r\nContent-Type: application/json\r\nX-Kind: meta\r\n\r\n{\"a\":1}"),
        "{}",
        body(&request)
    );
}

#[test]
fn plain_text_may_be_made_of_a_number() {
    let catalogue =
        one("put", "/n", json!({"requestBody": {"required": true, "content": {"text/plain": {"schema": {"type": "integer"}}}}}));
    let request = send(&catalogue, json!({"body": 5}));
    assert_eq!((header(&request, "Content-Type"), body(&request)), (Some("text/plain"), "5"));
    assert_eq!(refused(&catalogue, json!({"body": "five"})), ["`body` must be a whole number, but is \"five\""]);
}

#[test]
fn a_media_type_that_lost_its_slash_is_still_json() {
    let content = json!({"applicationjson;version=2018-01-01": {"schema": {"type": "object", "additionalProperties": true}}});
    let request = send(&one("post", "/n", json!({"requestBody": {"content": content}})), json!({"body": {"a": 1}}));
    assert_eq!(header(&request, "Content-Type"), Some("application/json;version=2018-01-01"));
}

#[test]
fn methods_query_strings_and_cookies_of_3_2_work() {
    let whole =
        json!({"name": "all", "in": "querystring", "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}});
    let cookie = json!({"name": "c", "in": "cookie", "style": "cookie", "schema": {"type": "string"}});
    let operations = json!({"query": {"operationId": "q", "parameters": [whole, cookie]}, "additionalOperations": {"COPY": {"operationId": "copy"}, "NO WAY": {}}});
    let mut document = document(json!({"/x": operations}));
    document["openapi"] = "3.2.0".into();
    let catalogue = read(&document);
    let request = catalogue.operation("q").unwrap().request(None, &arguments(json!({"all": {"a": "1 2", "b": [3]}, "c": "v"}))).unwrap();
    assert_eq!((request.method.as_str(), request.url.as_str()), ("QUERY", "http://up.test:9000/v1/x?a=1%202&b=%5B3%5D"));
    assert_eq!(header(&request, "Cookie"), Some("c=v"));
    assert_eq!(catalogue.operation("copy").unwrap().method(), "COPY");
    assert_eq!(catalogue.report().set_aside[0].reason, "its method \"NO WAY\" cannot be sent");
}
