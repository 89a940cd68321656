//! Parameters: where they go, which one wins, what is refused.

use serde_json::json;

use super::*;

#[test]
fn a_path_items_parameters_are_inherited_and_overridden() {
    let mut document = document(json!({"/tenants/{tid}/items/{id}": {
        "parameters": [{"$ref": "#/components/parameters/Tid"},
            {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 20, "maximum": 100}}],
        "get": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}},
            {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 10}}]}}}));
    document["components"] = json!({"parameters": {"Tid": {"name": "tid", "in": "path", "required": true, "schema": {"type": "string"}}}});
    let catalogue = read(&document);
    assert_eq!(target(&catalogue, json!({"tid": "a b/c", "id": 7, "limit": 5})), "/tenants/a%20b%2Fc/items/7?limit=5");
    assert_eq!(target(&catalogue, json!({"tid": "t", "id": 7})), "/tenants/t/items/7");
    assert_eq!(refused(&catalogue, json!({"tid": "t", "id": 7, "limit": 11})), ["`limit` must be at most 10, but is 11"]);
}

#[test]
fn one_name_in_five_places_is_five_arguments() {
    let parameter = |place: &str| json!({"name": "id", "in": place, "required": true, "schema": {"type": "string"}});
    let body = json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "name": {"type": "string"}}});
    let catalogue = one(
        "put",
        "/users/{id}",
        json!({
        "parameters": [parameter("path"), parameter("query"), parameter("header"), parameter("cookie")],
        "requestBody": {"required": true, "content": {"application/json": {"schema": body}}}}),
    );
    assert_eq!(shown(&catalogue), ["id_path", "id_query", "id_header", "id_cookie", "body"]);
    let request = send(
        &catalogue,
        json!({"id_cookie": "c1", "id_header": "h1", "id_path": "p1", "id_query": "q1", "body": {"id": "b1", "name": "n"}}),
    );
    assert_eq!((request.method.as_str(), request.url.as_str()), ("PUT", "http://up.test:9000/v1/users/p1?id=q1"));
    let expected = [("id", "h1"), ("Content-Type", "application/json"), ("Cookie", "id=c1")];
    assert_eq!(request.headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(super::body(&request), r#"{"id":"b1","name":"n"}"#);
}

#[test]
fn a_value_never_leaves_its_segment() {
    let catalogue =
        one("get", "/users/{id}", json!({"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]}));
    for (given, expected) in [
        ("../admin", "/users/..%2Fadmin"),
        ("%2e%2e", "/users/%252e%252e"),
        ("x?y=1#z", "/users/x%3Fy%3D1%23z"),
        ("{id}", "/users/%7Bid%7D"),
        ("a\\b", "/users/a%5Cb"),
        ("北京", "/users/%E5%8C%97%E4%BA%AC"),
        ("...", "/users/..."),
    ] {
        assert_eq!(target(&catalogue, json!({"id": given})), expected);
    }
    for bad in [".", "..", ""] {
        assert_eq!(refused(&catalogue, json!({"id": bad})).len(), 1, "{bad:?}");
    }
}

#[test]
fn the_holes_together_make_no_dot_segment() {
    let hole = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {}});
    let catalogue = one("get", "/a/{x}{y}/b", json!({"parameters": [hole("x"), hole("y")]}));
    assert_eq!(target(&catalogue, json!({"x": "a", "y": "b"})), "/a/ab/b");
    let catalogue = one("get", "/a/.{x}/b", json!({"parameters": [hole("x")]}));
    assert_eq!(target(&catalogue, json!({"x": "y"})), "/a/.y/b");
    let catalogue = one("get", "/a/{x}/b", json!({"parameters": [hole("x")]}));
    assert!(refused(&catalogue, json!({"x": [".."]}))[0].contains("segment `..`"));
    for empty in [json!([]), json!([""]), json!({})] {
        assert_eq!(refused(&catalogue, json!({"x": empty})), ["`x` is empty, which a path cannot carry"]);
    }
}

#[test]
fn templates_are_filled_in_one_pass() {
    let hole = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    let catalogue = one("get", "/files/{name}.{ext}", json!({"parameters": [hole("name"), hole("ext")]}));
    assert_eq!(target(&catalogue, json!({"name": "{ext}", "ext": "md"})), "/files/%7Bext%7D.md");
    let catalogue = one("get", "/{t}/{t}/device", json!({"parameters": [hole("t")]}));
    assert_eq!(target(&catalogue, json!({"t": "x"})), "/x/x/device");
    let catalogue = one("post", "/users/{id}:activate", json!({"parameters": [hole("id")]}));
    assert_eq!(target(&catalogue, json!({"id": "5"})), "/users/5:activate");
    let catalogue = one("get", "/search?type=user", json!({"parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}]}));
    assert_eq!(target(&catalogue, json!({"q": "x"})), "/search?type=user&q=x");
    assert_eq!(target(&catalogue, json!({})), "/search?type=user");
}

#[test]
fn an_undeclared_hole_is_a_required_string() {
    let catalogue = one("get", "/users/{id}", json!({}));
    assert_eq!(target(&catalogue, json!({"id": "7"})), "/users/7");
    assert_eq!(refused(&catalogue, json!({})), ["`id` is missing; it is required"]);
    assert!(catalogue.report().warnings[0].starts_with("GET /users/{id}: the path has `{id}`"), "{:?}", catalogue.report());
}

#[test]
fn odd_names_are_escaped_on_the_wire() {
    let query = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    let catalogue = one("get", "/calls", json!({"parameters": [query("StartTime"), query("StartTime<"), query("filter[a]")]}));
    assert_eq!(shown(&catalogue), ["StartTime", "StartTime_lt", "filter_a"]);
    assert_eq!(
        target(&catalogue, json!({"StartTime_lt": "2026-01-01", "filter_a": "x"})),
        "/calls?StartTime%3C=2026-01-01&filter%5Ba%5D=x"
    );
}

#[test]
fn text_in_a_query_survives_decoding() {
    let catalogue = one("get", "/s", json!({"parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}]}));
    assert_eq!(target(&catalogue, json!({"q": "北京 +1&x=%"})), "/s?q=%E5%8C%97%E4%BA%AC%20%2B1%26x%3D%25");
}

#[test]
fn false_zero_and_empty_are_sent_and_absent_stays_absent() {
    let query = |name: &str, kind: &str| json!({"name": name, "in": "query", "schema": {"type": kind}});
    let catalogue = one(
        "get",
        "/s",
        json!({"parameters": [query("page", "integer"), query("active", "boolean"), query("q", "string"), query("z", "string")]}),
    );
    assert_eq!(target(&catalogue, json!({"page": 0, "active": false, "q": ""})), "/s?page=0&active=false&q=");
    assert_eq!(target(&catalogue, json!({"page": null, "q": null})), "/s");
}

#[test]
fn headers_carry_lists_and_no_line_breaks() {
    let header = |name: &str, schema: Value| json!({"name": name, "in": "header", "schema": schema, "explode": true});
    let text = json!({"type": "string"});
    let catalogue = one(
        "get",
        "/h",
        json!({"parameters": [
        header("X-Ids", json!({"type": "array", "items": {"type": "integer"}})), header("X-Color", json!({"type": "object"})),
        header("X-Text", text.clone()), header("accept", text.clone()), header("Content-Type", text.clone()), header("Authorization", text.clone()),
        header("Host", text)]}),
    );
    assert_eq!(shown(&catalogue), ["X-Ids", "X-Color", "X-Text"]);
    let request = send(&catalogue, json!({"X-Ids": [1, 2, 3], "X-Color": {"R": 100, "G": 200}}));
    assert_eq!(super::header(&request, "X-Ids"), Some("1,2,3"));
    assert_eq!(super::header(&request, "X-Color"), Some("R=100,G=200"));
    for bad in ["a\r\nX: y", "a\nb", "a\0b", "北京"] {
        assert_eq!(refused(&catalogue, json!({"X-Text": bad})).len(), 1, "{bad:?}");
    }
}

#[test]
fn cookies_share_one_header() {
    let cookie = |name: &str, schema: Value| json!({"name": name, "in": "cookie", "explode": false, "schema": schema});
    let catalogue = one(
        "get",
        "/c",
        json!({"parameters": [cookie("debug", json!({"type": "boolean"})),
        cookie("ids", json!({"type": "array", "items": {"type": "integer"}})), cookie("t", json!({"type": "string"}))]}),
    );
    assert_eq!(header(&send(&catalogue, json!({"debug": true, "ids": [1, 2]})), "Cookie"), Some("debug=true; ids=1,2"));
    for bad in ["a;b", "a\r\nb", "é"] {
        assert_eq!(refused(&catalogue, json!({"t": bad})).len(), 1, "{bad:?}");
    }
}

#[test]
fn whole_numbers_are_never_rounded() {
    let whole = json!({"type": "integer", "format": "int64"});
    let catalogue = one(
        "post",
        "/n/{p}",
        json!({
        "parameters": [{"name": "p", "in": "path", "required": true, "schema": whole}, {"name": "q", "in": "query", "schema": whole}],
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object",
            "properties": {"n": whole, "big": {"type": "number"}, "tenth": {"type": "number"}}}}}}}),
    );
    let given: Value =
        serde_json::from_str(r#"{"p": 9007199254740993, "q": 9007199254740993, "n": 9007199254740993, "big": 1e21, "tenth": 0.1}"#)
            .unwrap();
    let request = send(&catalogue, given);
    assert_eq!(request.url, "http://up.test:9000/v1/n/9007199254740993?q=9007199254740993");
    assert_eq!(body(&request), r#"{"n":9007199254740993,"big":1e+21,"tenth":0.1}"#);
    let lost: Value = serde_json::from_str(r#"{"p": 1, "q": 18446744073709551617, "n": 18446744073709551617}"#).unwrap();
    let problems = refused(&catalogue, lost);
    assert!(problems.iter().any(|problem| problem.starts_with("`q` is too large")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.starts_with("`n` is too large")), "{problems:?}");
    assert_eq!(target(&catalogue, json!({"p": 1, "q": 5.0})), "/n/1?q=5");
}

#[test]
fn all_problems_are_named_at_once() {
    let catalogue = one(
        "post",
        "/pets/{id}",
        json!({
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}},
            {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 10}},
            {"name": "filter", "in": "query", "style": "deepObject", "schema": {"type": "object", "properties": {"status": {"enum": ["open", "closed"]}}}}],
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["name"],
            "properties": {"name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}}}}}}}),
    );
    let problems = refused(&catalogue, json!({"limit": 11, "filter": {"status": "new"}, "tags": ["a", 1], "nmae": "x"}));
    assert_eq!(
        problems,
        [
            "`nmae` is not an argument of post_pets_id; close to it: `name`",
            "`id` is missing; it is required",
            "`limit` must be at most 10, but is 11",
            "`/filter/status` must be one of \"open\", \"closed\", but is \"new\"",
            "`name` is missing; it is required",
            "`/tags/1` must be a string, but is 1",
        ]
    );
}

#[test]
fn fixed_text_of_a_path_is_escaped_where_it_must_be() {
    let catalogue = one("get", "/o'dd (|^`\"<>)/$x,;=@!?a='b'&c=[d]", json!({}));
    assert_eq!(target(&catalogue, json!({})), "/o'dd%20(%7C%5E%60%22%3C%3E)/$x,;=@!?a=%27b%27&c=%5Bd%5D");
    assert_eq!(target(&one("get", "//evil.test/x", json!({})), json!({})), "//evil.test/x");
    assert_eq!(target(&one("get", "/a#b", json!({})), json!({})), "/a");
}
