//! Whole documents: what is set aside, servers, Swagger 2.0, names.

use serde_json::json;

use super::*;

#[test]
fn references_are_followed_inside_and_never_outside() {
    let reference = |to: &str| json!({"get": {"parameters": [{"$ref": to}]}});
    let mut document = document(json!({
        "/users/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]}},
        "/a/{id}": reference("#/paths/~1users~1%7Bid%7D/get/parameters/0"),
        "/b": reference("#/x-common/P"),
        "/c": reference("other.yaml#/X"),
        "/d": reference("http://169.254.169.254/x"),
        "/e": reference("file:///etc/passwd"),
        "/f": {"$ref": "other.yaml#/paths/f"},
        "/g": {"$ref": "#/x-common/Item"},
        "/h": {"post": {"requestBody": {"content": {"application/json": {"schema": {"properties": {"x": {"$ref": "other.yaml#/X"}}}}}}}},
        "/i": {"get": {"responses": {"200": {"$ref": "other.yaml#/R"}}}}}));
    document["x-common"] = json!({"P": {"name": "p", "in": "query", "schema": {"type": "string"}}, "Item": {"get": {"operationId": "g"}}});
    let catalogue = read(&document);
    let usable: Vec<&str> = catalogue.operations().iter().map(Operation::path).collect();
    assert_eq!(usable, ["/a/{id}", "/b", "/g", "/i", "/users/{id}"]);
    let aside: Vec<&str> = catalogue.report().set_aside.iter().map(|aside| aside.operation.as_str()).collect();
    assert_eq!(aside, ["GET /c", "GET /d", "GET /e", "/f", "POST /h"]);
    assert!(catalogue.report().set_aside.iter().all(|aside| aside.reason.contains("leaves the document")), "{:?}", catalogue.report());
    assert_eq!(catalogue.report().usable, 5);
}

#[test]
fn the_nearest_server_is_used_and_the_operators_wins() {
    let mut document = document(json!({
        "/root": {"get": {}},
        "/item": {"servers": [{"url": "http://p.test/x"}], "get": {}, "post": {"servers": [{"url": "/api/v3"}]}, "put": {"servers": [{"url": "v2"}]}}}));
    document["servers"] = json!([{"url": "https://{region}.up.test/{base}", "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}, "base": {"default": "v1"}}}]);
    let catalogue = Catalogue::read(&document.to_string(), "http://docs.test/specs/o.yaml").unwrap();
    let url = |name: &str, base: Option<&str>| catalogue.operation(name).unwrap().request(base, &Map::new()).map(|request| request.url);
    assert_eq!(url("get_root", None).unwrap(), "https://eu.up.test/v1/root");
    assert_eq!(url("get_item", None).unwrap(), "http://p.test/x/item");
    assert_eq!(url("post_item", None).unwrap(), "http://docs.test/api/v3/item");
    assert_eq!(url("put_item", None).unwrap(), "http://docs.test/specs/v2/item");
    assert_eq!(url("put_item", Some("http://own.test:8080/api/v1/")).unwrap(), "http://own.test:8080/api/v1/item");
    assert!(url("get_root", Some("ftp://own.test")).is_err());
    assert_eq!(
        (catalogue.base_url(), catalogue.info().servers.as_slice()),
        (Some("https://eu.up.test/v1"), &["https://eu.up.test/v1".to_owned()][..])
    );
    let catalogue = Catalogue::read(&document.to_string(), "o.yaml").unwrap();
    let problems = catalogue.operation("post_item").unwrap().request(None, &Map::new()).unwrap_err();
    assert_eq!(problems, ["the document's server is `/api/v3`, which says no host; a base URL has to be set"]);
}

#[test]
fn swagger_2_documents_work_alike() {
    let list = |name: &str, format: Option<&str>| {
        let mut parameter = json!({"name": name, "in": "query", "type": "array", "items": {"type": "integer"}});
        format.inspect(|format| parameter["collectionFormat"] = (*format).into());
        parameter
    };
    let document = json!({"swagger": "2.0", "info": {"title": "t", "version": "1"}, "host": "up.test", "basePath": "/v2", "schemes": ["http", "https"],
        "consumes": ["application/json"], "produces": ["application/json"], "parameters": {"Trace": {"name": "X-Trace", "in": "header", "type": "string"}},
        "definitions": {"Pet": {"type": "object", "required": ["id", "name"], "properties": {"id": {"type": "integer", "readOnly": true},
            "name": {"type": "string"}, "note": {"type": "string", "x-nullable": true}}}},
        "paths": {
            "/pets/{id}": {"parameters": [{"name": "id", "in": "path", "required": true, "type": "integer", "format": "int64"}, {"$ref": "#/parameters/Trace"}],
                "get": {"operationId": "lists", "parameters": [list("csv", None), list("ssv", Some("ssv")), list("tsv", Some("tsv")), list("pipes", Some("pipes")), list("multi", Some("multi"))]},
                "put": {"operationId": "put", "parameters": [{"name": "pet", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Pet"}}]}},
            "/form": {"post": {"operationId": "form", "consumes": ["application/x-www-form-urlencoded"],
                "parameters": [{"name": "a", "in": "formData", "type": "string", "required": true}, {"name": "b", "in": "formData", "type": "array", "items": {"type": "string"}}]}},
            "/file": {"post": {"operationId": "file", "parameters": [{"name": "f", "in": "formData", "type": "file"}, {"name": "n", "in": "formData", "type": "integer"}]}}}});
    let catalogue = read(&document);
    let send = |name: &str, given: Value| catalogue.operation(name).unwrap().request(None, &arguments(given)).unwrap();
    let lists =
        send("lists", json!({"id": 7, "csv": [1, 2], "ssv": [1, 2], "tsv": [1, 2], "pipes": [1, 2], "multi": [1, 2], "X-Trace": "t"}));
    assert_eq!(lists.url, "https://up.test/v2/pets/7?csv=1,2&ssv=1%202&tsv=1%092&pipes=1%7C2&multi=1&multi=2");
    assert_eq!((header(&lists, "X-Trace"), header(&lists, "Accept")), (Some("t"), Some("application/json")));
    let put = send("put", json!({"id": 7, "name": "Rex", "note": null}));
    assert_eq!((header(&put, "Content-Type"), body(&put)), (Some("application/json"), r#"{"name":"Rex","note":null}"#));
    let form = send("form", json!({"a": "x y", "b": ["1", "2"]}));
    assert_eq!((header(&form, "Content-Type"), body(&form)), (Some("application/x-www-form-urlencoded"), "a=x%20y&b=1,2"));
    let file = send("file", json!({"f": "aGk=", "n": 5}));
    assert!(header(&file, "Content-Type").unwrap().starts_with("multipart/form-data; boundary="));
    let text = body(&file);
    assert!(
        text.contains("name=\"f\"; filename=\"f\"\r\nContent-Type: application/octet-stream\r\n\r\nhi\r\n")
            && text.contains("name=\"n\"\r\n\r\n5\r\n"),
        "{text}"
    );
    assert_eq!(catalogue.info().openapi, "2.0");
}

#[test]
fn names_do_not_depend_on_order() {
    let operation = |id: &str| json!({"get": {"operationId": id}});
    let paths = json!({"/a": operation("same"), "/b": operation("same"), "/c": operation("foo/list"), "/d": operation("foo.list"), "/e": operation("查询用户"), "/f": {"get": {}}});
    let catalogue = read(&document(paths.clone()));
    let reversed: Map<String, Value> = paths.as_object().unwrap().clone().into_iter().rev().collect();
    let other = read(&document(Value::Object(reversed)));
    assert_eq!(catalogue.functions(), other.functions());
    assert_eq!(catalogue.report().names_given.len(), 6);
    assert_ne!(catalogue.fingerprint(), other.fingerprint());
    assert_eq!(catalogue.near("fooList").len(), 2);
}

#[test]
fn yaml_is_the_same_document() {
    let text = "openapi: 3.0.3\ninfo: {title: T, version: 1.0}\nservers: [{url: 'http://up.test'}]\npaths:\n  /x:\n    get:\n      operationId: x\n      parameters:\n        - {name: on, in: query, schema: {type: string, enum: [yes, no]}}\n      responses:\n        200: {description: ok}\n";
    let catalogue = Catalogue::read(text, "api.yaml").unwrap();
    assert_eq!((catalogue.info().title.as_str(), catalogue.info().version.as_str()), ("T", "1.0"));
    let request = catalogue.operation("x").unwrap().request(None, &arguments(json!({"on": "no"}))).unwrap();
    assert_eq!(request.url, "http://up.test/x?on=no");
}

#[test]
fn one_bad_operation_leaves_the_others() {
    let catalogue = read(&document(
        json!({"/a": {"get": []}, "/b": 5, "noslash": {"get": {}}, "/c/{x": {"get": {}}, "/ok": {"get": {}, "x-extra": 1},
        "/d": {"get": {"parameters": [{"in": "query"}]}}, "/e": {"get": {"parameters": [{"name": "a b", "in": "header", "schema": {}}]}}}),
    ));
    assert_eq!(only(&catalogue).path(), "/ok");
    let aside: Vec<&str> = catalogue.report().set_aside.iter().map(|aside| aside.operation.as_str()).collect();
    assert_eq!(aside, ["GET /a", "/b", "GET /c/{x", "GET /d", "GET /e", "GET noslash"]);
}

#[test]
fn what_is_no_document_is_refused_with_its_origin() {
    let refused = |text: &str| Catalogue::read(text, "x.json").unwrap_err().to_string();
    assert!(refused("{}").starts_with("x.json: neither `openapi` nor `swagger`"));
    assert!(refused("[1]").starts_with("x.json: "));
    assert_eq!(refused(r#"{"openapi": "3.0.0", "paths": []}"#), "x.json: `paths` is not an object");
    assert!(refused("<html></html>").starts_with("x.json"));
}

#[test]
fn a_catalogue_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Catalogue>();
}
