//! What the document costs: reading it, finding an operation, judging arguments, making a request; and the memory it stays in.
//!
//! `cargo bench` runs all, `cargo bench -- request` some. Documents of others are read from the directory `specs` of `SHARED_DATA`, or of
//! `../shared/data` beside the project; which are not there is said. The memory of each document is taken in a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a measurement may fail where it stands, prints, and looks at its environment"
)]

use std::{fs, io::Read, path::PathBuf, process::Command, sync::OnceLock};

use divan::{Bencher, black_box};
use serde_json::{Map, Value, json};
use swagger_api_agent::{
    domain::vector::Vector,
    openapi::{
        Catalogue, Operation,
        retrieve::{Entry, Index, Meanings, Query, fused},
    },
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Large documents of others, and one that is made here.
const DOCUMENTS: [&str; 4] = ["github-api.json.gz", "loket.json.gz", "twilio-api_v2010.json.gz", GENERATED];
const GENERATED: &str = "generated, 1000 operations";
/// The argument that asks for the memory of one document.
const MEMORY_OF: &str = "--memory-of";

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != MEMORY_OF);
    if let (Some(_), Some(document)) = (arguments.next(), arguments.next()) {
        return memory_of(&document);
    }
    println!("{:<32}{:>12}{:>14}{:>14}", "memory in MB of", "text", "held after", "peak");
    for document in present() {
        let told = Command::new(std::env::current_exe().unwrap()).args([MEMORY_OF, document]).output().unwrap();
        print!("{}", String::from_utf8_lossy(&told.stdout));
    }
    println!();
    divan::main();
}

/// The documents that are here.
fn present() -> Vec<&'static str> {
    static PRESENT: OnceLock<Vec<&str>> = OnceLock::new();
    let look = || {
        let (here, away): (Vec<&str>, Vec<&str>) = DOCUMENTS.iter().partition(|name| **name == GENERATED || path_of(name).is_file());
        for document in away {
            eprintln!("SKIPPED: no document at {}", path_of(document).display());
        }
        here
    };
    PRESENT.get_or_init(look).clone()
}

fn path_of(document: &str) -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    std::env::var_os("SHARED_DATA").map_or(beside, PathBuf::from).join("specs").join(document)
}

fn text_of(document: &str) -> String {
    if document == GENERATED {
        return generated(1000);
    }
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(path_of(document)).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// Reads a document and says what the process holds afterwards, and what it held at most.
fn memory_of(document: &str) {
    let status = |key: &str| {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
    };
    let text = text_of(document);
    let megabytes = text.len() as f64 / 1024.0 / 1024.0;
    let catalogue = Catalogue::read(&text, document).unwrap();
    drop(text);
    let (held, peak) = (status("VmRSS:"), status("VmHWM:"));
    println!("{document:<32}{megabytes:>12.1}{held:>14.1}{peak:>14.1}");
    drop(black_box(catalogue));
}

/// Operations with a path, a query and a body of 20 fields, some of them shared.
fn generated(operations: usize) -> String {
    let field = |n: usize| {
        let schema = match n % 5 {
            0 => json!({"type": "string", "minLength": 1, "maxLength": 80, "description": "A word or two."}),
            1 => json!({"type": "integer", "minimum": 0, "maximum": 1_000_000}),
            2 => json!({"type": "boolean"}),
            3 => json!({"type": "array", "items": {"type": "string"}, "maxItems": 10}),
            _ => json!({"$ref": "#/components/schemas/Address"}),
        };
        (format!("field{n}"), schema)
    };
    let body: Map<String, Value> = (0..20).map(field).collect();
    let operation = |n: usize| {
        let item = json!({"post": {
            "operationId": format!("operation{n}"), "summary": format!("Changes thing {n}"), "tags": ["things"],
            "parameters": [
                {"name": "id", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 1}},
                {"name": "filter", "in": "query", "schema": {"type": "string", "enum": ["all", "some", "none"]}},
                {"name": "tags", "in": "query", "explode": false, "schema": {"type": "array", "items": {"type": "string"}}},
            ],
            "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/Thing{}", n % 100)}}}},
            "responses": {"200": {"description": "done"}},
        }});
        (format!("/things{n}/{{id}}"), item)
    };
    let mut schemas: Map<String, Value> =
        (0..100).map(|n| (format!("Thing{n}"), json!({"type": "object", "required": ["field0", "field1"], "properties": body}))).collect();
    schemas.insert(
        "Address".to_owned(),
        json!({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}, "zip": {"type": "string", "pattern": "^[0-9]{5}$"}}}),
    );
    json!({
        "openapi": "3.0.3", "info": {"title": "Generated", "version": "1"}, "servers": [{"url": "http://up.test/v1"}],
        "paths": (0..operations).map(operation).collect::<Map<_, _>>(), "components": {"schemas": schemas},
    })
    .to_string()
}

/// Arguments for the path, the query and all 20 fields.
fn arguments() -> Map<String, Value> {
    let field = |n: usize| {
        let value = match n % 5 {
            0 => json!("a word or two"),
            1 => json!(n * 1000),
            2 => json!(n.is_multiple_of(2)),
            3 => json!(["red", "green", "blue"]),
            _ => json!({"city": "Ulm", "zip": "89073"}),
        };
        (format!("field{n}"), value)
    };
    let mut given: Map<String, Value> = (0..20).map(field).collect();
    given.extend([("id".to_owned(), json!(7)), ("filter".to_owned(), json!("some")), ("tags".to_owned(), json!(["a b", "c,d"]))]);
    given
}

fn one() -> Catalogue {
    Catalogue::read(&generated(1), "generated").unwrap()
}

fn with_one(bencher: Bencher, measured: impl Fn(&Operation, &Map<String, Value>) -> usize + Sync) {
    let (catalogue, given) = (one(), arguments());
    let operation = &catalogue.operations()[0];
    // Schemas are compiled by the first call.
    operation.check(&given).unwrap();
    bencher.bench(|| measured(black_box(operation), black_box(&given)));
}

#[divan::bench(args = present(), sample_count = 10, sample_size = 1)]
fn read(bencher: Bencher, document: &str) {
    let text = text_of(document);
    bencher.bench(|| Catalogue::read(black_box(&text), document).unwrap());
}

/// The first call of an operation compiles its schemas.
#[divan::bench]
fn first_check(bencher: Bencher) {
    let given = arguments();
    bencher.with_inputs(one).bench_values(|catalogue| {
        catalogue.operations()[0].check(&given).unwrap();
        catalogue
    });
}

#[divan::bench]
fn check_20_fields(bencher: Bencher) {
    with_one(bencher, |operation, given| operation.check(given).map_or(0, |()| 1));
}

#[divan::bench]
fn check_20_wrong_fields(bencher: Bencher) {
    let (catalogue, mut given) = (one(), arguments());
    given.values_mut().for_each(|value| *value = json!({"wrong": [null]}));
    let operation = &catalogue.operations()[0];
    assert!(operation.check(&given).unwrap_err().len() >= 20);
    bencher.bench(|| black_box(operation).check(black_box(&given)));
}

#[divan::bench]
fn request_with_path_query_and_20_fields(bencher: Bencher) {
    with_one(bencher, |operation, given| operation.request(None, given).unwrap().url.len());
}

#[divan::bench]
fn request_with_path_and_query(bencher: Bencher) {
    let paths = json!({"/things/{id}": {"get": {"operationId": "get", "parameters": [
        {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}},
        {"name": "filter", "in": "query", "schema": {"type": "string"}},
        {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}]}}});
    let document = json!({"openapi": "3.0.3", "servers": [{"url": "http://up.test/v1"}], "paths": paths}).to_string();
    let catalogue = Catalogue::read(&document, "generated").unwrap();
    let given = json!({"id": 7, "filter": "a b", "tags": ["x", "y"]});
    let (operation, given) = (&catalogue.operations()[0], given.as_object().unwrap());
    bencher.bench(|| black_box(operation).request(None, black_box(given)).unwrap());
}

#[divan::bench(args = [10, 1000, 10_000])]
fn lookup(bencher: Bencher, operations: usize) {
    let catalogue = Catalogue::read(&generated(operations), "generated").unwrap();
    let name = format!("operation{}", operations / 2);
    bencher.bench(|| black_box(&catalogue).operation(black_box(&name)).unwrap().path().len());
}

#[divan::bench(args = [10, 1000, 10_000])]
fn names_near_an_unknown_one(bencher: Bencher, operations: usize) {
    let catalogue = Catalogue::read(&generated(operations), "generated").unwrap();
    bencher.bench(|| black_box(&catalogue).near(black_box("opreation5")));
}

fn index_of(catalogue: &Catalogue) -> Index {
    Index::of(catalogue.operations().iter().map(|operation| Entry::of(operation.name(), operation)))
}

/// The index by which functions are found.
#[divan::bench(args = present(), sample_count = 10, sample_size = 1)]
fn index(bencher: Bencher, document: &str) {
    let catalogue = Catalogue::read(&text_of(document), document).unwrap();
    bencher.bench(|| index_of(black_box(&catalogue)).bytes());
}

/// The functions that fit a sentence, the sentence taken apart included.
#[divan::bench(args = present())]
fn functions_that_fit(bencher: Bencher, document: &str) {
    let index = index_of(&Catalogue::read(&text_of(document), document).unwrap());
    bencher.bench(|| index.nearest(&Query::of(black_box("请列出 acme/api 的所有分支, then show me who wrote the last comment")), 46));
}

#[divan::bench(args = [10, 1000, 10_000])]
fn functions_that_fit_of(bencher: Bencher, operations: usize) {
    let index = index_of(&Catalogue::read(&generated(operations), "generated").unwrap());
    println!("{operations} operations: {} bytes of index", index.bytes());
    bencher.bench(|| index.nearest(&Query::of(black_box("list things with their colour")), 46));
}

/// Directions that have nothing to do with each other.
fn directions(count: usize, dimensions: usize) -> Vec<Vector> {
    let mut state = 1_u32;
    let mut number = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| Vector::of(&(0..dimensions).map(|_| number()).collect::<Vec<f32>>()).unwrap()).collect()
}

/// The functions of GitHub's API that come nearest to a sentence, by the numbers that a direction has.
#[divan::bench(args = [384, 1024, 4096])]
fn nearest_of_1223(bencher: Bencher, dimensions: usize) {
    let meanings = Meanings::of(&directions(1223, dimensions)).unwrap();
    let wanted = directions(1, dimensions).remove(0);
    bencher.bench(|| black_box(&meanings).nearest(black_box(&wanted), 200));
}

/// Two rankings put together.
#[divan::bench]
fn two_rankings_fused(bencher: Bencher) {
    let (one, other): (Vec<usize>, Vec<usize>) = ((0..200).collect(), (100..300).rev().collect());
    bencher.bench(|| fused(black_box(&one), black_box(&other), 46));
}
