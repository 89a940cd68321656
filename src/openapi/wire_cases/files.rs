//! Documents of several files.

use std::collections::HashMap;

use serde_json::json;

use super::*;
use crate::openapi::ReadOptions;

/// The catalogue of these files, the first of which is the document, and what was asked for.
fn read_files(files: &[(&str, &str)]) -> (Catalogue, Vec<String>) {
    let texts: HashMap<&str, &str> = files.iter().copied().collect();
    let mut asked = Vec::new();
    let mut read_file = |path: &str| {
        asked.push(path.to_owned());
        texts.get(path).map(|text| (*text).to_owned()).ok_or_else(|| "it is not there".to_owned())
    };
    let catalogue = Catalogue::read_files(files[0].1, files[0].0, &ReadOptions::of(files[0].0), &mut read_file).unwrap();
    (catalogue, asked)
}

const HEAD: &str = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\nservers: [{url: 'http://up.test:9000/v1'}]\n";

#[test]
fn references_lead_through_files_and_back_and_each_is_read_once() {
    let api =
        format!("{HEAD}paths:\n  /pets: {{$ref: 'paths/pets.yaml'}}\ncomponents: {{schemas: {{Name: {{type: string, minLength: 2}}}}}}\n");
    let (catalogue, asked) = read_files(&[
        ("api.yaml", &api),
        (
            "paths/pets.yaml",
            "post:\n  operationId: add\n  parameters: [{$ref: '../common.json#/parameters/Trace'}]\n  requestBody: {required: true, content: {application/json: {schema: {$ref: '../schemas/pet.yaml#/Pet'}}}}\n",
        ),
        (
            "common.json",
            r##"{"parameters": {"Trace": {"name": "X-Trace", "in": "header", "schema": {"$ref": "#/text"}}}, "text": {"type": "string"}}"##,
        ),
        (
            "schemas/pet.yaml",
            "Pet:\n  type: object\n  required: [name]\n  properties:\n    name: {$ref: '../api.yaml#/components/schemas/Name'}\n    friends: {type: array, items: {$ref: '#/Pet'}}\n    owner: {$ref: 'owner.yaml'}\n",
        ),
        ("schemas/owner.yaml", "type: object\nproperties:\n  pets: {type: array, items: {$ref: './pet.yaml#/Pet'}}\n"),
    ]);
    assert_eq!(asked, ["paths/pets.yaml", "common.json", "schemas/pet.yaml", "schemas/owner.yaml"]);
    assert_eq!(shown(&catalogue), ["X-Trace", "name", "friends", "owner"]);
    let given = json!({"X-Trace": "t", "name": "Rex", "friends": [{"name": "Tom"}], "owner": {"pets": [{"name": "Rex"}]}});
    assert_eq!(body(&send(&catalogue, given)), r#"{"name":"Rex","friends":[{"name":"Tom"}],"owner":{"pets":[{"name":"Rex"}]}}"#);
    let problems = refused(&catalogue, json!({"name": "Rex", "owner": {"pets": [{"name": "x"}]}}));
    assert_eq!(problems, ["`/owner/pets/0/name` must have at least 2 characters, but has 1"]);
}

#[test]
fn nothing_else_is_asked_for() {
    let outside =
        ["../x.yaml", "/etc/passwd", "file:///etc/passwd", "http://169.254.169.254/x", "%2e%2e/x.yaml", "a%2f..%2f..%2fx", "..\\\\x"];
    let paths: Vec<String> =
        outside.iter().enumerate().map(|(n, to)| format!("  /p{n}: {{get: {{parameters: [{{$ref: \"{to}#/X\"}}]}}}}\n")).collect();
    let api = format!("{HEAD}paths:\n{}  /missing: {{$ref: gone.yaml}}\n  /ok: {{get: {{}}}}\n", paths.concat());
    let (catalogue, asked) = read_files(&[("api.yaml", &api)]);
    assert_eq!(asked, ["gone.yaml"]);
    assert_eq!((catalogue.report().usable, catalogue.report().set_aside.len()), (1, outside.len() + 1));
    assert_eq!(catalogue.report().warnings, ["the file `gone.yaml` is not used: it is not there"]);
}

#[test]
fn files_are_bounded_in_number_and_the_fingerprint_is_of_all() {
    let items: Vec<String> = (0..300).map(|n| format!("  /p{n}: {{$ref: 'p{n}.yaml'}}\n")).collect();
    let api = format!("{HEAD}paths:\n{}", items.concat());
    let mut read_file = |_: &str| Ok("get: {}".to_owned());
    let catalogue = Catalogue::read_files(&api, "api.yaml", &ReadOptions::of("api.yaml"), &mut read_file).unwrap();
    assert_eq!(catalogue.report().usable, 256);
    assert!(catalogue.report().warnings[0].ends_with("more than 256 files"), "{:?}", catalogue.report().warnings);
    let mut other_file = |_: &str| Ok("get: {deprecated: true}".to_owned());
    let other = Catalogue::read_files(&api, "api.yaml", &ReadOptions::of("api.yaml"), &mut other_file).unwrap();
    assert_ne!(catalogue.fingerprint(), other.fingerprint());
}
