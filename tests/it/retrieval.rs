//! How often the right function is among those that a model is given, on sentences in English and Chinese (`tests/quality/functions_*.jsonl`),
//! and what looking for it costs.
//!
//! Real documents are read from the directory `specs` of `SHARED_DATA`, or of `../shared/data` beside the project; without it that test says
//! that it was skipped. A document of our own is always there.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};
use swagger_api_agent::{
    domain::language::Language,
    openapi::{
        Catalogue,
        retrieve::{Entry, Index, Query},
    },
};

use crate::documents::{specs, text};

/// One line of a quality file.
struct Sentence {
    document: String,
    text: String,
    /// Any of these is right.
    operations: Vec<String>,
}

fn sentences(file: &str) -> Vec<Sentence> {
    let read = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("JSON");
        let operations = value["operations"].as_array().expect("operations").iter();
        Sentence {
            document: value["document"].as_str().unwrap_or_default().to_owned(),
            text: value["text"].as_str().expect("a text").to_owned(),
            operations: operations.map(|name| name.as_str().expect("a name").to_owned()).collect(),
        }
    };
    file.lines().filter(|line| !line.trim().is_empty()).map(read).collect()
}

fn index_of(catalogue: &Catalogue) -> Index {
    Index::of(catalogue.operations().iter().map(|operation| Entry::of(operation.name(), operation)))
}

/// How many sentences found their function that early.
#[derive(Default, Debug)]
struct Score {
    sentences: usize,
    first: usize,
    in_20: usize,
    in_46: usize,
    in_64: usize,
    took: Duration,
}

impl Score {
    fn share(&self, found: usize) -> f64 {
        found as f64 / self.sentences.max(1) as f64
    }

    fn line(&self, name: &str) {
        let took = self.took / u32::try_from(self.sentences.max(1)).unwrap();
        println!(
            "{name}: {} sentences; first {:.2}, @20 {:.2}, @46 {:.2}, @64 {:.2}; {took:?} a query",
            self.sentences,
            self.share(self.first),
            self.share(self.in_20),
            self.share(self.in_46),
            self.share(self.in_64)
        );
    }
}

/// Looks for every sentence's function; prints each that is late (`cargo test -- --nocapture`).
fn measure(catalogue: &Catalogue, index: &Index, sentences: &[&Sentence], scores: &mut BTreeMap<&'static str, Score>) {
    for sentence in sentences {
        let began = Instant::now();
        let found = index.nearest(&Query::of(&sentence.text), 64);
        let took = began.elapsed();
        let id = |place: &usize| catalogue.operations()[*place].operation_id().unwrap_or_default();
        for operation in &sentence.operations {
            assert!(catalogue.operations().iter().any(|known| known.operation_id() == Some(operation)), "{operation}");
        }
        let rank = found.iter().position(|place| sentence.operations.iter().any(|operation| operation == id(place)));
        if rank.is_none_or(|rank| rank >= 20) {
            println!(
                "  late ({rank:?}): {} → {:?}, not {:?}",
                sentence.text,
                sentence.operations,
                found.iter().take(3).map(id).collect::<Vec<_>>()
            );
        }
        let language = if Language::of_text(&sentence.text) == Language::Chinese { "zh" } else { "en" };
        for name in [language, "all"] {
            let score = scores.entry(name).or_default();
            let within = |count: usize| usize::from(rank.is_some_and(|rank| rank < count));
            score.sentences += 1;
            score.first += within(1);
            score.in_20 += within(20);
            score.in_46 += within(46);
            score.in_64 += within(64);
            score.took += took;
        }
    }
}

#[test]
fn the_right_function_of_a_document_of_hundreds_is_given() {
    let catalogue = Catalogue::read(&office().to_string(), "office.json").unwrap();
    assert!(catalogue.functions().len() >= 300, "{}", catalogue.functions().len());
    let index = index_of(&catalogue);
    let sentences = sentences(include_str!("../quality/functions_own.jsonl"));
    let mut scores = BTreeMap::new();
    measure(&catalogue, &index, &sentences.iter().collect::<Vec<_>>(), &mut scores);
    scores.iter().for_each(|(name, score)| score.line(name));
    println!("{} functions, {} bytes", catalogue.functions().len(), index.bytes());
    for language in ["en", "zh"] {
        let score = &scores[language];
        assert!(score.sentences >= 15 && score.share(score.in_20) >= 0.95 && score.share(score.first) >= 0.6, "{language}: {score:?}");
    }
}

#[test]
fn the_right_function_of_real_documents_is_given() {
    let Some(directory) = specs() else { return };
    let sentences = sentences(include_str!("../quality/functions_real.jsonl"));
    let mut scores = BTreeMap::new();
    let mut files: Vec<&str> = sentences.iter().map(|sentence| sentence.document.as_str()).collect();
    files.dedup();
    for file in files {
        let catalogue = Catalogue::read(&text(&directory.join(file)), file).unwrap();
        let began = Instant::now();
        let index = index_of(&catalogue);
        println!("{file}: {} functions, {} bytes, built in {:?}", catalogue.functions().len(), index.bytes(), began.elapsed());
        let own: Vec<&Sentence> = sentences.iter().filter(|sentence| sentence.document == file).collect();
        measure(&catalogue, &index, &own, &mut scores);
    }
    scores.iter().for_each(|(name, score)| score.line(name));
    assert!(scores["all"].sentences >= 60);
    for language in ["en", "zh"] {
        let score = &scores[language];
        assert!(score.share(score.in_20) >= 0.85 && score.share(score.in_64) >= 0.95, "{language}: {score:?}");
    }
}

/// Sentences of others about one real document, which nothing here was made with.
#[test]
fn sentences_of_others_find_their_function() {
    let Some(directory) = specs() else { return };
    let Ok(file) = std::fs::read_to_string(directory.join("../nl_github.jsonl")) else {
        eprintln!("SKIPPED: no nl_github.jsonl beside {}", directory.display());
        return;
    };
    let catalogue = Catalogue::read(&text(&directory.join("github-api.json.gz")), "github").unwrap();
    let index = index_of(&catalogue);
    let read = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("JSON");
        let text = value["text"].as_str().expect("a text").to_owned();
        Sentence { document: String::new(), text, operations: vec![value["operation_id"].as_str().expect("an id").to_owned()] }
    };
    let sentences: Vec<Sentence> = file.lines().map(read).collect();
    let mut scores = BTreeMap::new();
    measure(&catalogue, &index, &sentences.iter().collect::<Vec<_>>(), &mut scores);
    scores.iter().for_each(|(name, score)| score.line(name));
    let score = &scores["all"];
    assert!(score.share(score.in_20) >= 0.8 && score.share(score.in_64) >= 0.9, "{score:?}");
}

/// A document of what an office works with: the same five operations for each thing, and some that one thing alone has.
fn office() -> Value {
    const THINGS: [&str; 60] = [
        "invoice",
        "customer",
        "subscription",
        "coupon",
        "warehouse",
        "supplier",
        "leaveRequest",
        "campaign",
        "report",
        "order",
        "ticket",
        "meeting",
        "server",
        "task",
        "forecast",
        "project",
        "payment",
        "product",
        "employee",
        "department",
        "contract",
        "quote",
        "asset",
        "vehicle",
        "booking",
        "room",
        "course",
        "student",
        "article",
        "comment",
        "tag",
        "category",
        "shipment",
        "carrier",
        "refund",
        "wallet",
        "account",
        "currency",
        "role",
        "permission",
        "session",
        "device",
        "sensor",
        "alert",
        "dashboard",
        "backup",
        "database",
        "domain",
        "certificate",
        "webhook",
        "template",
        "document",
        "folder",
        "survey",
        "question",
        "answer",
        "team",
        "member",
        "event",
        "calendar",
    ];
    let ok = json!({"200": {"description": "done"}});
    let id = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]);
    let page = json!([{"name": "page", "in": "query", "schema": {"type": "integer"}}]);
    let mut paths = Map::new();
    let upper = |name: &str| name[..1].to_uppercase() + &name[1..];
    let plural = |name: &str| if let Some(head) = name.strip_suffix('y') { format!("{head}ies") } else { format!("{name}s") };
    for thing in THINGS {
        let (one, many) = (upper(thing), upper(&plural(thing)));
        let operation = |verb: &str, name: &str, summary: &str| json!({"operationId": format!("{verb}{name}"), "summary": summary, "tags": [many], "responses": ok});
        let mut list = operation("list", &many, &format!("All {many}, page by page"));
        list["parameters"] = page.clone();
        paths.insert(format!("/{}", plural(thing)), json!({"get": list, "post": operation("create", &one, &format!("A new {one}"))}));
        paths.insert(
            format!("/{}/{{id}}", plural(thing)),
            json!({
                "parameters": id,
                "get": operation("get", &one, &format!("One {one}")),
                "patch": operation("update", &one, &format!("Changes of a {one}")),
                "delete": operation("delete", &one, &format!("Removes a {one}")),
            }),
        );
    }
    for (method, path, name) in [
        ("post", "/subscriptions/{id}/cancel", "cancelSubscription"),
        ("post", "/leaveRequests/{id}/approve", "approveLeaveRequest"),
        ("post", "/campaigns/{id}/send", "sendCampaign"),
        ("get", "/reports/{id}/export", "exportReport"),
        ("get", "/orders/{id}/shipments", "listOrderShipments"),
        ("post", "/tickets/{id}/comments", "createTicketComment"),
        ("get", "/meetings/{id}/participants", "listMeetingParticipants"),
        ("post", "/servers/{id}/restart", "restartServer"),
        ("post", "/tasks/{id}/assign", "assignTask"),
        ("post", "/projects/{id}/archive", "archiveProject"),
        ("post", "/payments/{id}/refund", "refundPayment"),
    ] {
        paths.insert(path.to_owned(), json!({"parameters": id, method: {"operationId": name, "responses": ok}}));
    }
    json!({"openapi": "3.0.3", "info": {"title": "Office", "version": "1"}, "paths": paths})
}
