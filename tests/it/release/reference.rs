//! The reference (docs/API.md) knows every route and every error, and no others.

use std::{collections::BTreeSet, fs};

use serde_json::Value;
use swagger_api_agent::api::{self, openapi};

const NAMES: [&str; 2] = ["API.md", "API.zh-CN.md"];

fn reference(name: &str) -> String {
    fs::read_to_string(format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// `GET /api/keys` of a heading "### `GET /api/keys`": what is told of.
fn told_of(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with("### "));
    headings.flat_map(|line| line.split('`').skip(1).step_by(2)).filter(|name| name.contains(" /")).map(str::to_owned).collect()
}

#[test]
fn the_reference_tells_of_every_operation_and_of_no_other() {
    let document = openapi::document().unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(api::paths().contains(&path.as_str()), "{path}");
        operations.extend(
            item.as_object().unwrap().keys().filter(|key| *key != "parameters").map(|method| format!("{} {path}", method.to_uppercase())),
        );
    }
    assert_eq!(document["paths"].as_object().unwrap().len(), api::paths().len());
    for name in NAMES {
        assert_eq!(told_of(&reference(name)), operations, "{name}");
    }
}

#[test]
fn every_operation_has_a_line_that_can_be_tried() {
    for name in NAMES {
        let text = reference(name);
        for part in text.split("\n### ").skip(1) {
            let (heading, rest) = part.split_once('\n').unwrap();
            assert!(rest.contains("```sh\n"), "{name}: {heading}");
        }
    }
}

#[test]
fn the_reference_has_every_code_of_an_error_with_its_status() {
    let document = openapi::document().unwrap();
    let mut codes: BTreeSet<(String, String)> = BTreeSet::new();
    for operation in document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values()) {
        for (status, response) in operation["responses"].as_object().into_iter().flatten() {
            let examples = response["content"]["application/json"]["examples"].as_object();
            codes.extend(examples.into_iter().flatten().map(|(code, _): (&String, &Value)| (code.clone(), status.clone())));
        }
    }
    // No operation has it: it is what a path says of the methods it has not.
    codes.insert(("method_not_allowed".to_owned(), "405".to_owned()));
    for name in NAMES {
        let text = reference(name);
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|row| row.split_once("` | "));
        let told: BTreeSet<(String, String)> = rows
            .filter_map(|(code, rest)| Some((code, rest.split_once(" | ")?.0)))
            .filter(|(_, status)| status.split(", ").all(|status| status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit())))
            .flat_map(|(code, statuses)| statuses.split(", ").map(|status| (code.to_owned(), status.to_owned())).collect::<Vec<_>>())
            .collect();
        assert_eq!(told, codes, "{name}");
    }
}
