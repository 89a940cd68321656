//! Real documents of others: how much of each can be called, and what is set aside.
//!
//! They are read from the directory `specs` of `SHARED_DATA`, or of `../shared/data` beside the project; without it the tests say that they were skipped.

use std::{
    collections::HashSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};
use swagger_api_agent::openapi::Catalogue;

#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test finds its documents by itself, and says so when there are none"
)]
pub fn specs() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let directory = std::env::var_os("SHARED_DATA").map_or(beside, PathBuf::from).join("specs");
    if !directory.is_dir() {
        eprintln!("SKIPPED: no documents at {}", directory.display());
        return None;
    }
    Some(directory)
}

pub fn text(path: &Path) -> String {
    let bytes = fs::read(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut text = String::new();
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        return text;
    }
    String::from_utf8(bytes).unwrap()
}

fn catalogue(directory: &Path, file: &str) -> Catalogue {
    Catalogue::read(&text(&directory.join(file)), file).unwrap()
}

/// Every document, the functions it gives and the operations that are set aside.
const DOCUMENTS: [(&str, usize, usize); 30] = [
    ("ably.json", 22, 0),
    ("alertmanager-swagger2.json", 9, 0),
    ("blockfrost.yaml", 129, 0),
    ("github-api.json.gz", 1223, 0),
    ("httpbin-swagger2.json", 78, 0),
    ("kinto-api.json", 47, 0),
    ("loket.json.gz", 657, 6),
    ("parameters-style-3.0.json", 25, 0),
    ("parameters-style-3.1.json", 25, 0),
    ("readme-3.1.json", 54, 0),
    ("star-trek.json", 120, 0),
    ("train-travel-3.1.json", 7, 0),
    ("twilio-api_v2010.json.gz", 197, 0),
    ("twilio-verify_v2.json", 57, 0),
    ("oai-examples/v2.0/json/petstore-expanded.json", 4, 0),
    ("oai-examples/v2.0/json/petstore-separate/spec/swagger.json", 2, 2),
    ("oai-examples/v2.0/json/uber.json", 5, 0),
    ("oai-examples/v2.0/yaml/api-with-examples.yaml", 2, 0),
    ("oai-examples/v2.0/yaml/petstore-separate/spec/swagger.yaml", 2, 2),
    ("oai-examples/v2.0/yaml/petstore.yaml", 3, 0),
    ("oai-examples/v3.0/callback-example.yaml", 1, 0),
    ("oai-examples/v3.0/link-example.json", 6, 0),
    ("oai-examples/v3.0/petstore-expanded.yaml", 4, 0),
    ("oai-examples/v3.0/petstore.json", 3, 0),
    ("oai-examples/v3.0/uspto.yaml", 3, 0),
    ("oai-examples/v3.1/non-oauth-scopes.yaml", 1, 0),
    ("oai-examples/v3.1/tictactoe.json", 3, 0),
    ("oai-examples/v3.1/tictactoe.yaml", 3, 0),
    ("oai-examples/v3.1/webhook-example.yaml", 0, 0),
    ("oai-examples/v3.2/3.2-tags-example.yaml", 4, 0),
];

#[test]
fn real_documents_can_be_called_nearly_whole() {
    let Some(directory) = specs() else { return };
    for (file, usable, set_aside) in DOCUMENTS {
        let catalogue = catalogue(&directory, file);
        let report = catalogue.report();
        assert_eq!((report.usable, report.set_aside.len()), (usable, set_aside), "{file}: {:#?}", report.set_aside);
        assert_eq!(catalogue.functions().len(), usable, "{file}");
    }
}

#[test]
fn every_function_is_legal_finite_and_checkable() {
    let Some(directory) = specs() else { return };
    for (file, ..) in DOCUMENTS {
        let catalogue = catalogue(&directory, file);
        let mut names = HashSet::new();
        for operation in catalogue.operations() {
            let spec = operation.spec();
            let legal =
                |name: &str| (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
            assert!(legal(&spec.name) && names.insert(spec.name.clone()), "{file}: {}", spec.name);
            assert!(spec.parameters["properties"].is_object() && spec.parameters["type"] == "object", "{file}: {}", spec.name);
            let schema = spec.parameters.to_string();
            assert!(!schema.contains("\"$ref\""), "{file}: {} refers to something", spec.name);
            assert!(schema.len() < 64 * 1024, "{file}: {} has {} bytes", spec.name, schema.len());
            // Without arguments a call either is possible or says what is missing; a schema that no validator takes would be said here.
            for problem in operation.check(&Map::new()).err().unwrap_or_default() {
                assert!(problem.ends_with("it is required"), "{file}: {}: {problem}", spec.name);
            }
        }
    }
}

#[test]
fn what_people_ask_for_fits_the_functions() {
    let Some(directory) = specs() else { return };
    let Ok(lines) = fs::read_to_string(directory.join("../nl_github.jsonl")) else {
        eprintln!("SKIPPED: no sentences beside the documents");
        return;
    };
    let catalogue = catalogue(&directory, "github-api.json.gz");
    for line in lines.lines() {
        let ask: Value = serde_json::from_str(line).unwrap();
        let wanted = ask["operation_id"].as_str().unwrap();
        let operation = catalogue.operations().iter().find(|operation| operation.operation_id() == Some(wanted)).unwrap();
        let shown = operation.spec().parameters["properties"].as_object().unwrap();
        let mut arguments = ask["arguments"].as_object().unwrap().clone();
        // The sentences keep a body together; most functions ask for its properties.
        if let Some(Value::Object(body)) = ask["arguments"].get("body")
            && body.keys().all(|property| shown.contains_key(property))
        {
            arguments.shift_remove("body");
            arguments.extend(body.clone());
        }
        let request = operation.request(None, &arguments).unwrap_or_else(|problems| panic!("{}: {problems:?}", ask["id"]));
        assert!(request.url.starts_with("https://api.github.com/"), "{}", request.url);
    }
}

#[test]
fn twilio_works_from_its_own_document() {
    let Some(directory) = specs() else { return };
    let catalogue = catalogue(&directory, "twilio-api_v2010.json.gz");
    let request = |name: &str, given: Value| catalogue.operation(name).unwrap().request(None, given.as_object().unwrap()).unwrap();
    let sid = format!("AC{}", "0".repeat(32));
    let list = request("ListCall", json!({"AccountSid": sid, "StartTime_gt": "2026-01-01T00:00:00Z", "PageSize": 5}));
    assert_eq!(
        list.url,
        format!("https://api.twilio.com/2010-04-01/Accounts/{sid}/Calls.json?StartTime%3E=2026-01-01T00%3A00%3A00Z&PageSize=5")
    );
    let call = request("CreateCall", json!({"AccountSid": sid, "To": "+15551234567", "From": "+1555", "StatusCallbackEvent": ["a", "b"]}));
    assert_eq!(
        String::from_utf8(call.body.unwrap()).unwrap(),
        "To=%2B15551234567&From=%2B1555&StatusCallbackEvent=a&StatusCallbackEvent=b"
    );
}
