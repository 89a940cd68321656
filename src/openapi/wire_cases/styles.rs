//! Every style, exploded and not, against the tables of OpenAPI 3.0.4 and RFC 6570.

use serde_json::json;

use super::*;

fn hole(style: &str, explode: bool, value: Value) -> String {
    let parameter = json!({"name": "c", "in": "path", "required": true, "style": style, "explode": explode, "schema": {}});
    target(&one("get", "/{c}", json!({"parameters": [parameter]})), json!({"c": value})).split_off(1)
}

fn query(parameter: Value, value: Value) -> String {
    let mut parameter = parameter;
    parameter["in"] = "query".into();
    let name = parameter["name"].as_str().unwrap().to_owned();
    let catalogue = one("get", "/q", json!({"parameters": [parameter]}));
    target(&catalogue, json!({name: value})).trim_start_matches("/q").to_owned()
}

#[test]
fn styles_of_a_path() {
    let (list, object) = (json!(["blue", "black", "brown"]), json!({"R": 100, "G": 200, "B": 150}));
    for (style, explode, of_list, of_object) in [
        ("matrix", false, ";c=blue,black,brown", ";c=R,100,G,200,B,150"),
        ("matrix", true, ";c=blue;c=black;c=brown", ";R=100;G=200;B=150"),
        ("label", false, ".blue,black,brown", ".R,100,G,200,B,150"),
        ("label", true, ".blue.black.brown", ".R=100.G=200.B=150"),
        ("simple", false, "blue,black,brown", "R,100,G,200,B,150"),
        ("simple", true, "blue,black,brown", "R=100,G=200,B=150"),
    ] {
        assert_eq!(hole(style, explode, list.clone()), of_list, "{style} {explode}");
        assert_eq!(hole(style, explode, object.clone()), of_object, "{style} {explode}");
    }
    for explode in [false, true] {
        assert_eq!(hole("matrix", explode, json!("blue")), ";c=blue");
        assert_eq!(hole("label", explode, json!("blue")), ".blue");
        assert_eq!(hole("simple", explode, json!("a,b;c=d")), "a%2Cb%3Bc%3Dd");
    }
    assert_eq!(hole("simple", false, json!(["red,dark", "blue"])), "red%2Cdark,blue");
}

#[test]
fn styles_of_a_query() {
    let (list, object) = (json!(["blue", "black"]), json!({"R": 100, "G": 200}));
    for (style, explode, of_list, of_object) in [
        ("form", false, "?c=blue,black", "?c=R,100,G,200"),
        ("form", true, "?c=blue&c=black", "?R=100&G=200"),
        ("spaceDelimited", false, "?c=blue%20black", "?c=R%20100%20G%20200"),
        ("pipeDelimited", false, "?c=blue%7Cblack", "?c=R%7C100%7CG%7C200"),
    ] {
        let parameter = json!({"name": "c", "style": style, "explode": explode, "schema": {}});
        assert_eq!(query(parameter.clone(), list.clone()), of_list, "{style} {explode}");
        assert_eq!(query(parameter, object.clone()), of_object, "{style} {explode}");
    }
}

#[test]
fn explode_has_a_default_for_each_style() {
    let list = json!(["a", "b"]);
    assert_eq!(query(json!({"name": "ids", "schema": {}}), list.clone()), "?ids=a&ids=b");
    assert_eq!(query(json!({"name": "ids", "style": "pipeDelimited", "schema": {}}), list.clone()), "?ids=a%7Cb");
    assert_eq!(query(json!({"name": "ids", "style": "spaceDelimited", "schema": {}}), list), "?ids=a%20b");
    let tags = json!({"name": "tags", "style": "form", "explode": false, "schema": {}});
    assert_eq!(query(tags, json!(["red,dark", "blue"])), "?tags=red%2Cdark,blue");
}

#[test]
fn deep_objects_nest_by_brackets() {
    let filter = json!({"name": "filter", "style": "deepObject", "explode": true, "schema": {"type": "object"}});
    assert_eq!(query(filter.clone(), json!({"status": "open", "q": "a&b=c d"})), "?filter%5Bstatus%5D=open&filter%5Bq%5D=a%26b%3Dc%20d");
    assert_eq!(query(filter, json!({"a": {"b": 1}, "c": [1, 2]})), "?filter%5Ba%5D%5Bb%5D=1&filter%5Bc%5D=1&filter%5Bc%5D=2");
}

#[test]
fn reserved_characters_are_allowed_where_the_document_says_so() {
    let path = json!({"name": "path", "allowReserved": true, "schema": {"type": "string"}});
    assert_eq!(query(path, json!("/docs/a b:c;d?x=1#f&g+h")), "?path=/docs/a%20b:c;d?x=1%23f%26g%2Bh");
}

#[test]
fn a_parameter_may_be_json_text() {
    let filter = json!({"name": "filter", "content": {"application/json": {"schema": {"type": "object"}}}});
    assert_eq!(query(filter, json!({"a": [1, 2], "b": "x y"})), "?filter=%7B%22a%22%3A%5B1%2C2%5D%2C%22b%22%3A%22x%20y%22%7D");
}

#[test]
fn what_a_query_cannot_say_is_left_out_or_refused() {
    assert_eq!(query(json!({"name": "ids", "schema": {}}), json!([])), "");
    assert_eq!(query(json!({"name": "ids", "explode": false, "schema": {}}), json!({})), "");
    let catalogue = one("get", "/q", json!({"parameters": [{"name": "ids", "in": "query", "schema": {}}]}));
    assert_eq!(refused(&catalogue, json!({"ids": [1, null]})), ["`ids` contains null, which has no form there"]);
}

#[test]
fn what_would_read_as_two_values_is_refused() {
    let told = |place: &str, style: &str, explode: bool, value: Value| {
        let parameter = json!({"name": "c", "in": place, "style": style, "explode": explode, "required": true, "schema": {}});
        let path = if place == "path" { "/{c}" } else { "/q" };
        refused(&one("get", path, json!({"parameters": [parameter]})), json!({"c": value})).concat()
    };
    assert_eq!(told("query", "spaceDelimited", false, json!(["a b"])), "`c` has the part `a b` with a space, which would read as two");
    assert_eq!(told("query", "pipeDelimited", false, json!({"a|b": 1})), "`c` has the part `a|b` with a bar, which would read as two");
    assert_eq!(told("path", "label", true, json!([1.5])), "`c` has the part `1.5` with a dot, which would read as two");
    assert_eq!(told("header", "simple", false, json!(["a,b"])), "`c` has the part `a,b` with a comma, which would read as two");
    assert_eq!(
        told("header", "simple", false, json!(["a", " b"])),
        "`c` has the part ` b` with white space at an end, which would be lost"
    );
    assert_eq!(
        told("header", "simple", true, json!({"a=b": 1})),
        "`c` has the property `a=b` with an equals sign, which would read as another"
    );
    assert_eq!(told("header", "simple", false, json!("b ")), "`c` begins or ends with white space, which a header cannot carry");
    assert_eq!(
        told("cookie", "form", true, json!("\tb")),
        "`c` contains `;`, a line break or characters outside ASCII, which a cookie cannot carry"
    );
    assert_eq!(told("cookie", "form", true, json!(" b")), "`c` begins or ends with white space, which a cookie cannot carry");
    let reserved = json!({"name": "c", "allowReserved": true, "explode": false, "schema": {}});
    assert_eq!(query(reserved, json!(["/a,b", "c/"])), "?c=/a%2Cb,c/");
    assert_eq!(hole("label", false, json!([1.5, "a,b"])), ".1.5,a%2Cb");
}

#[test]
fn an_unknown_style_sets_only_its_operation_aside() {
    let bad = json!({"parameters": [{"name": "c", "in": "query", "style": "fancy", "schema": {}}]});
    let catalogue = read(&document(json!({"/bad": {"get": bad}, "/good": {"get": {}}})));
    assert_eq!(catalogue.functions().len(), 1);
    assert_eq!(catalogue.report().set_aside[0].operation, "GET /bad");
    assert!(catalogue.report().set_aside[0].reason.contains("fancy"), "{:?}", catalogue.report());
}
