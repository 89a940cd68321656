//! Two documents of others with every style in every place: what is sent, and what httpbin understood of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{address, call, service};
use crate::{
    documents::{specs, text},
    exact::compare::{Part, Sent},
    harness::recorder::{Raw, Recorder},
};

/// What one operation of the two documents comes to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    call: String,
    sends: String,
    /// The parts of a multipart body.
    parts: Option<Vec<Part>>,
    /// The parts when the document is of edition 3.0, which knows no styles there.
    parts_3_0: Option<Vec<Part>>,
    /// What the document of edition 3.1 sends in place of it all.
    sends_3_1: Option<String>,
}

/// A value for each argument that the operations ask for.
fn arguments(spec: &Value) -> Value {
    let mut given = Map::new();
    for (name, schema) in spec["properties"].as_object().unwrap() {
        let value = match name.as_str() {
            "primitive" => json!("blue"),
            "array" => json!(["blue", "black"]),
            "object" if schema["properties"].get("foo").is_some() => json!({"foo": "x", "bar": "y"}),
            "object" => json!({"name": "R", "description": "G&b"}),
            other => panic!("{other} is not known"),
        };
        given.insert(name.clone(), value);
    }
    Value::Object(given)
}

#[tokio::test]
async fn every_operation_is_written_as_the_specification_says() {
    let Some(specs) = specs() else { return };
    let httpbin = address("HTTPBIN_URL");
    let rows: Vec<Row> = serde_saphyr::from_str(include_str!("styles.yaml")).unwrap();
    for edition in ["3.0", "3.1"] {
        let file = specs.join(format!("parameters-style-{edition}.json"));
        let document: Value = serde_json::from_str(&text(&file)).unwrap();
        let file = file.display().to_string();
        let recorder = Recorder::start().await;
        let bed = service(&file, Some(&format!("http://{}", recorder.address)), |_| {}).await;
        let judge = match &httpbin {
            Some(httpbin) => Some(service(&file, Some(httpbin), |_| {}).await),
            None => None,
        };
        let functions = bed.as_admin().get("/api/functions").await.ok()["functions"].take();
        let mut specs: BTreeMap<&str, &Value> =
            functions.as_array().unwrap().iter().map(|one| (one["name"].as_str().unwrap(), &one["parameters"])).collect();
        for row in &rows {
            let told = format!("{edition}: {}", row.call);
            let given = arguments(specs.remove(row.call.as_str()).unwrap_or_else(|| panic!("{told} is not there")));
            call(&bed, &row.call, given.clone()).await;
            let seen = recorder.take();
            assert_eq!(seen.len(), 1, "{told}");
            let sent = Sent::new(&seen[0], recorder.address, &told);
            match (edition, &row.sends_3_1) {
                ("3.1", Some(sends)) => sent.is(sends, None, None, None),
                ("3.0", _) => sent.is(&row.sends, row.parts_3_0.as_deref().or(row.parts.as_deref()), None, None),
                _ => sent.is(&row.sends, row.parts.as_deref(), None, None),
            }
            if let Some(judge) = &judge {
                let (status, echo) = call(judge, &row.call, given).await;
                assert_eq!(status, 200, "{told}: {echo:#}");
                understood(&seen[0], &echo, httpbin.as_deref().unwrap_or_default(), &told);
            }
        }
        assert!(specs.is_empty(), "{edition}: {:?} have no row", specs.keys());
        assert_eq!(document["openapi"].as_str().unwrap().get(..3), Some(edition));
    }
}

/// Compares what httpbin says it got with the bytes that were recorded of the same call.
fn understood(raw: &Raw, echo: &Value, httpbin: &str, told: &str) {
    if raw.target == "/cookies" {
        let mut cookies = Map::new();
        for (name, value) in raw.all("cookie")[0].split("; ").map(|pair| pair.split_once('=').unwrap()) {
            cookies.entry(name).or_insert(json!(value));
        }
        assert_eq!(echo["cookies"], Value::Object(cookies), "{told}");
        return;
    }
    let (path, query) = raw.target.split_once('?').unwrap_or((&raw.target, ""));
    assert_eq!(echo["method"], raw.method, "{told}");
    let url = echo["url"].as_str().unwrap().strip_prefix(httpbin).unwrap_or_else(|| panic!("{told}: {echo:#}"));
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().unwrap();
    assert_eq!(url.split('?').next(), Some(&*decoded), "{told}");
    assert_eq!(echo["args"], several(form_urlencoded::parse(query.as_bytes()).into_owned()), "{told}");
    for (name, value) in raw.headers.iter().filter(|(name, _)| ["primitive", "array", "object"].contains(&name.as_str())) {
        let shown = echo["headers"].as_object().unwrap().iter().find(|(shown, _)| shown.eq_ignore_ascii_case(name));
        assert_eq!(shown.map(|(_, shown)| shown), Some(&json!(value)), "{told}");
    }
    if !raw.body.is_empty() {
        let parts = crate::exact::compare::read_parts(&raw.body, raw.all("content-type")[0], told);
        assert_eq!(echo["form"], several(parts.into_iter().map(|part| (part.name, part.text.unwrap()))), "{told}");
    }
}

/// As httpbin shows names and values: a list where a name came several times.
fn several(pairs: impl Iterator<Item = (String, String)>) -> Value {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        all.entry(name).or_default().push(value);
    }
    all.into_iter().map(|(name, values)| (name, if values.len() == 1 { json!(values[0]) } else { json!(values) })).collect()
}
