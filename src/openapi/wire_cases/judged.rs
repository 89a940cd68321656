//! Formats, ranges and tags: what is told before anything is sent, and what is not.

use serde_json::json;

use super::*;

fn query(schema: Value) -> Catalogue {
    one("get", "/q", json!({"parameters": [{"name": "q", "in": "query", "schema": schema}]}))
}

#[test]
fn formats_with_one_meaning_are_checked() {
    for (format, right, wrong) in [
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-01-31T12:00:00+01:00", "2026-01-31 12:00"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        ("email", "ann@example.com", "ann"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "1"),
    ] {
        let catalogue = query(json!({"type": "string", "format": format}));
        assert_eq!(only(&catalogue).check(&arguments(json!({"q": right}))), Ok(()), "{format}");
        let problems = refused(&catalogue, json!({"q": wrong}));
        assert!(problems[0].starts_with("`q` must be a") && problems[0].ends_with(&format!("but is \"{wrong}\"")), "{problems:?}");
    }
    let problems = refused(&query(json!({"type": "string", "format": "date"})), json!({"q": "tomorrow"}));
    assert_eq!(problems, ["`q` must be a date (`2026-01-31`), but is \"tomorrow\""]);
}

#[test]
fn formats_that_documents_use_loosely_only_advise() {
    for format in ["uri", "hostname", "time", "duration", "regex", "uri-template", "json-pointer", "idn-email", "phone-number"] {
        assert_eq!(target(&query(json!({"type": "string", "format": format})), json!({"q": "a b"})), "/q?q=a%20b", "{format}");
    }
    for beside in [json!({"example": "31.01.2026"}), json!({"pattern": "^.*$"}), json!({"default": "now"}), json!({"enum": ["x", "soon"]})]
    {
        let mut schema = beside.clone();
        schema["type"] = "string".into();
        schema["format"] = "date".into();
        assert_eq!(target(&query(schema), json!({"q": "soon"})), "/q?q=soon", "{beside}");
    }
}

#[test]
fn whole_numbers_keep_to_the_range_of_their_format() {
    let catalogue = query(json!({"type": "integer", "format": "int32", "minimum": 0}));
    assert_eq!(target(&catalogue, json!({"q": 2_147_483_647})), "/q?q=2147483647");
    assert_eq!(refused(&catalogue, json!({"q": 2_147_483_648_u64})), ["`q` must be at most 2147483647, but is 2147483648"]);
    assert_eq!(refused(&catalogue, json!({"q": -1})), ["`q` must be at least 0, but is -1"]);
    assert!(only(&catalogue).spec().parameters["properties"]["q"].get("maximum").is_none());
    let catalogue = query(json!({"type": "integer", "format": "int64"}));
    assert_eq!(target(&catalogue, json!({"q": i64::MAX})), "/q?q=9223372036854775807");
    assert!(!refused(&catalogue, json!({"q": u64::MAX})).is_empty());
    let milliseconds = json!({"type": "integer", "format": "int32", "example": 1_700_000_000_000_u64});
    assert_eq!(target(&query(milliseconds), json!({"q": 1_700_000_000_001_u64})), "/q?q=1700000000001");
}

fn pets(discriminator: Value, dog: Value) -> Catalogue {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let pet = json!({"oneOf": [reference("Cat"), reference("Dog")], "discriminator": discriminator});
    let mut document =
        document(json!({"/b": {"post": {"requestBody": {"required": true, "content": {"application/json": {"schema": pet}}}}}}));
    let cat = json!({"type": "object", "required": ["lives"], "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}});
    document["components"] = json!({"schemas": {"Cat": cat, "Dog": dog}});
    read(&document)
}

#[test]
fn the_tag_says_which_alternative_is_meant() {
    let dog = json!({"type": "object", "required": ["bark"], "properties": {"kind": {"type": "string"}, "bark": {"type": "string"}}});
    let mapping =
        json!({"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat", "kitten": "Cat", "dog": "#/components/schemas/Dog"}});
    let catalogue = pets(mapping.clone(), dog);
    for fits in [json!({"kind": "cat", "lives": 9}), json!({"kind": "kitten", "lives": 9}), json!({"kind": "dog", "bark": "w"})] {
        assert_eq!(body(&send(&catalogue, json!({"body": fits}))), fits.to_string());
    }
    assert_eq!(refused(&catalogue, json!({"body": {"kind": "dog", "lives": 9}})), ["`/body/bark` is missing; it is required"]);
    assert_eq!(
        refused(&catalogue, json!({"body": {"kind": "cow", "lives": 9}})),
        ["`/body/kind` must be one of \"cat\", \"kitten\", \"dog\", but is \"cow\""]
    );
    let shown = only(&catalogue).spec().parameters["properties"]["body"]["anyOf"][0].clone();
    assert_eq!(shown["properties"]["kind"]["enum"], json!(["cat", "kitten"]));
    // An alternative that says itself what it is called is believed before the mapping.
    let dog = json!({"type": "object", "properties": {"kind": {"enum": ["hound"]}}});
    assert_eq!(body(&send(&pets(mapping, dog.clone()), json!({"body": {"kind": "hound"}}))), r#"{"kind":"hound"}"#);
    // Without a mapping names are often not what is sent.
    assert_eq!(
        body(&send(&pets(json!({"propertyName": "kind"}), dog), json!({"body": {"kind": "c", "lives": 1}}))),
        r#"{"kind":"c","lives":1}"#
    );
}
