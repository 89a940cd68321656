//! Real documents of others: how much of each can be called, and what is set aside and why. `documents/table.json` has a row for each.
//!
//! They are read from the directory `specs` of `SHARED_DATA`, or of `../shared/data` beside the project; without it the tests say that they were skipped.

mod samples;

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use swagger_api_agent::openapi::Catalogue;

/// What comes of reading one document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// Below the directory of the documents.
    document: String,
    /// The version of the specification that it names; none: it is no document.
    edition: Option<String>,
    #[serde(default)]
    operations: usize,
    #[serde(default)]
    usable: usize,
    #[serde(default)]
    set_aside: BTreeMap<String, Aside>,
    /// Why nothing of it can be called.
    why: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Aside {
    /// Words of the reason that the report gives.
    reason: String,
    /// What is behind it.
    why: String,
}

fn table() -> Vec<Row> {
    serde_json::from_str(include_str!("documents/table.json")).unwrap()
}

/// The directory of the documents, if it is there.
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

/// A document's text; unpacked, if its name ends with `.gz`.
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

/// Operations as they stand in the text, counted without the reader.
fn operations_in(text: &str) -> usize {
    let document: Value = serde_json::from_str(text).or_else(|_| serde_saphyr::from_str(text)).unwrap();
    let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.map(|(_, item)| methods.iter().filter(|method| item.get(**method).is_some()).count()).sum()
}

/// Every file below a directory, as paths relative to it.
fn files_below(directory: &Path) -> Vec<String> {
    let (mut open, mut found) = (vec![directory.to_owned()], Vec::new());
    while let Some(here) = open.pop() {
        for entry in fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path.strip_prefix(directory).unwrap().display().to_string()) }
        }
    }
    found.retain(|file| !file.ends_with(".md"));
    found.sort();
    found
}

#[test]
fn every_document_gives_what_the_table_says() {
    let Some(directory) = specs() else { return };
    let mut known: Vec<String> = table().into_iter().map(|row| row.document).collect();
    known.sort();
    assert_eq!(files_below(&directory), known);
    for Row { document, edition, operations, usable, set_aside, why } in table() {
        let text = text(&directory.join(&document));
        let (catalogue, edition) = match (Catalogue::read(&text, &document), edition) {
            (Ok(catalogue), Some(edition)) => (catalogue, edition),
            (Err(error), None) => {
                assert!(why.is_some() && error.to_string().contains("not an OpenAPI document"), "{error}");
                continue;
            }
            (read, edition) => panic!("{document}: {edition:?} in the table, {:?}", read.map(|read| read.info().openapi.clone())),
        };
        let report = catalogue.report();
        assert_eq!((&catalogue.info().openapi, report.usable, operations_in(&text)), (&edition, usable, operations), "{document}");
        assert_eq!((catalogue.functions().len(), usable + set_aside.len()), (usable, operations), "{document}");
        assert!(usable > 0 || why.is_some(), "{document}");
        let names: HashSet<&str> = report.set_aside.iter().map(|one| one.operation.as_str()).collect();
        assert_eq!(names, set_aside.keys().map(String::as_str).collect(), "{document}");
        for one in &report.set_aside {
            let aside = &set_aside[&one.operation];
            assert!(one.reason.contains(&aside.reason) && !aside.why.is_empty(), "{document}: {one:?}");
        }
    }
}

/// The files that are whole documents.
fn read_documents() -> impl Iterator<Item = String> {
    table().into_iter().filter(|row| row.edition.is_some()).map(|row| row.document)
}

#[test]
fn every_function_is_legal_finite_and_checkable() {
    let Some(directory) = specs() else { return };
    for file in read_documents() {
        let catalogue = catalogue(&directory, &file);
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
