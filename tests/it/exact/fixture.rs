//! A fixture: a document, what can be called of it, calls, and what becomes of each.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use swagger_api_agent::openapi::Catalogue;

use super::compare::{Part, Sent};
use crate::harness::{
    bed::{Bed, On},
    recorder::Recorder,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// What is proven, in a sentence.
    pub says: String,
    pub document: Value,
    /// The path of the base URL that the operator gives.
    #[serde(default = "usual_base")]
    base: String,
    /// Every function with the names of its arguments, in order; not looked at when absent.
    functions: Option<Map<String, Value>>,
    /// Operations that cannot be called, with words of the reason; none when absent.
    #[serde(default)]
    set_aside: Map<String, Value>,
    #[serde(default)]
    calls: Vec<Call>,
}

fn usual_base() -> String {
    "/v1".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    call: String,
    /// The arguments; as JSON text where YAML would read a number as another one.
    #[serde(default)]
    with: Value,
    /// The request as it is written on the wire, without what every request has.
    sends: Option<String>,
    /// The query again, decoded.
    query: Option<Vec<(String, String)>>,
    /// A form's fields, decoded; the body is not compared otherwise.
    form: Option<Vec<(String, String)>>,
    /// The parts of a multipart body; the body and its content type are not compared otherwise.
    parts: Option<Vec<Part>>,
    /// A body that is no text.
    bytes: Option<Vec<u8>>,
    /// All problems that are told; nothing is sent.
    refused: Option<Vec<String>>,
}

pub fn text_of(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/exact").join(name).with_extension("yaml");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn yaml<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(&text_of(name), options).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The service on this document, with a recording API behind it.
pub async fn service(document: &Value, base: &str) -> (Bed, Recorder) {
    let recorder = Recorder::start().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("api.json");
    fs::write(&file, document.to_string()).unwrap();
    let base_url = format!("http://{}{base}", recorder.address);
    let bed = Bed::with(On::Embedded, |settings| {
        settings.openapi.file = Some(file.display().to_string());
        settings.upstream.base_url = Some(base_url);
        settings.limits.requests_per_minute = 1_000_000;
        settings.limits.turns_per_minute = 1_000_000;
    });
    (bed.await, recorder)
}

impl Fixture {
    pub fn read(name: &str) -> Self {
        yaml(name)
    }

    pub async fn prove(self) {
        let catalogue = Catalogue::read(&self.document.to_string(), "api.json").unwrap();
        self.can_be_called(&catalogue);
        if self.calls.is_empty() {
            return;
        }
        let (bed, recorder) = service(&self.document, &self.base).await;
        for (at, call) in self.calls.iter().enumerate() {
            let told = format!("{}: call {} of {} with {}", self.says, at + 1, call.call, call.with);
            call.prove(&bed, &recorder, &told).await;
        }
    }

    fn can_be_called(&self, catalogue: &Catalogue) {
        if let Some(functions) = &self.functions {
            let found = catalogue.functions().iter().map(|function| {
                let arguments = function.parameters["properties"].as_object().unwrap().keys().cloned().map(Value::from);
                (function.name.clone(), arguments.collect())
            });
            assert_eq!(Value::Object(found.collect()), Value::Object(functions.clone()), "{}", self.says);
        }
        let set_aside = &catalogue.report().set_aside;
        let operations: Vec<&str> = set_aside.iter().map(|one| one.operation.as_str()).collect();
        assert_eq!(operations, self.set_aside.keys().map(String::as_str).collect::<Vec<_>>(), "{set_aside:#?}");
        for one in set_aside {
            let words = self.set_aside[&one.operation].as_str().unwrap();
            assert!(one.reason.contains(words), "{one:?} does not say {words:?}");
        }
    }
}

impl Call {
    async fn prove(&self, bed: &Bed, recorder: &Recorder, told: &str) {
        let parameters = match &self.with {
            Value::String(text) => text.clone(),
            Value::Null => "{}".to_owned(),
            other => other.to_string(),
        };
        let ask = format!("{{\"function_name\": {}, \"parameters\": {parameters}}}", json!(self.call));
        let reply = bed.as_admin().send(reqwest::Method::POST, "/api/call", "application/json", ask).await;
        let seen = recorder.take();
        match (&self.sends, &self.refused) {
            (Some(sends), None) => {
                assert_eq!(reply.status, 200, "{told}: {}", reply.text());
                assert_eq!(seen.len(), 1, "{told}: {}", reply.text());
                let sent = Sent::new(&seen[0], recorder.address, told);
                sent.is(sends, self.parts.as_deref(), self.form.as_deref(), self.bytes.as_deref());
                if let Some(query) = &self.query {
                    assert_eq!(sent.query(), *query, "{told}");
                }
            }
            (None, Some(problems)) => {
                assert_eq!(seen, [], "{told}");
                let refused = reply.refused(400, "invalid_parameters");
                assert_eq!(refused["problems"], json!(problems), "{told}");
            }
            _ => panic!("{told}: either it sends something or it is refused"),
        }
    }
}
