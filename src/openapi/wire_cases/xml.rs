//! XML bodies, as the examples of OpenAPI 3.0.4 have them.

use serde_json::json;

use super::*;

fn posts(schemas: Value, schema: Value) -> Catalogue {
    let content = json!({"application/xml": {"schema": schema}});
    let mut document = document(json!({"/b": {"post": {"requestBody": {"required": true, "content": content}}}}));
    document["components"] = json!({"schemas": schemas});
    read(&document)
}

fn written(schema: Value, given: Value) -> String {
    let catalogue = posts(json!({"Pet": schema}), json!({"$ref": "#/components/schemas/Pet"}));
    let request = send(&catalogue, json!({"body": given}));
    assert_eq!(header(&request, "Content-Type"), Some("application/xml"));
    body(&request).strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap_or(body(&request)).to_owned()
}

#[test]
fn names_attributes_and_namespaces_are_the_schemas() {
    let schema = json!({"type": "object", "xml": {"name": "pet", "prefix": "p", "namespace": "http://x.test/?a&b"}, "properties": {
        "id": {"type": "integer", "xml": {"attribute": true}}, "name": {"type": "string", "xml": {"name": "called"}}, "gone": {"nullable": true, "type": "string"}}});
    let given = json!({"id": 7, "name": "a<b>&\"c\"", "gone": null});
    let expected = "<p:pet xmlns:p=\"http://x.test/?a&amp;b\" id=\"7\"><called>a&lt;b&gt;&amp;&quot;c&quot;</called>\
        <gone xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/></p:pet>";
    assert_eq!(written(schema, given), expected);
    assert_eq!(written(json!({"type": "object"}), json!({"a": {"b": [1, true]}})), "<Pet><a><b>1</b><b>true</b></a></Pet>");
}

#[test]
fn lists_repeat_their_name_and_may_be_wrapped() {
    let list = |xml: Value, item: Value| {
        let items = json!({"type": "string", "xml": item});
        written(
            json!({"type": "object", "xml": {"name": "r"}, "properties": {"animals": {"type": "array", "xml": xml, "items": items}}}),
            json!({"animals": ["a", "b"]}),
        )
    };
    assert_eq!(list(json!({}), json!({})), "<r><animals>a</animals><animals>b</animals></r>");
    assert_eq!(list(json!({"name": "aliens"}), json!({"name": "animal"})), "<r><animal>a</animal><animal>b</animal></r>");
    assert_eq!(list(json!({"wrapped": true}), json!({})), "<r><animals><animals>a</animals><animals>b</animals></animals></r>");
    let wrapped = list(json!({"name": "aliens", "wrapped": true}), json!({"name": "animal"}));
    assert_eq!(wrapped, "<r><aliens><animal>a</animal><animal>b</animal></aliens></r>");
}

#[test]
fn a_text_is_the_xml_itself_and_what_xml_cannot_say_is_refused() {
    assert_eq!(written(json!({"type": "object"}), json!("<a/>")), "<a/>");
    let catalogue = posts(json!({}), json!({"type": "object", "properties": {"n": {"type": "integer"}}}));
    assert_eq!(refused(&catalogue, json!({"body": {"a b": 1}})), ["`body` has the name `a b`, which no element or attribute can have"]);
    assert!(refused(&catalogue, json!({"body": {"a": "\u{1}"}}))[0].contains("control character"));
    assert!(!refused(&catalogue, json!({"body": {"n": "x"}})).is_empty());
}
