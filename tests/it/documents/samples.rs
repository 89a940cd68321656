//! Arguments that fit what a function shows also fit what its operation takes: of every document some operations, all of them when
//! `EVERY_OPERATION` is set (compiling so many schemas takes a minute without optimisation).

use serde_json::{Map, Value, json};

use super::{catalogue, read_documents, specs};

/// How deep an argument is filled.
const DEPTH_MAX: usize = 4;
/// One in so many operations is tried.
const STEP: usize = 8;

/// A value that fits a schema as functions show it; none where a pattern or a choice would have to be understood.
fn sample(schema: &Value, depth: usize) -> Option<Value> {
    let says = |key: &str| schema.get(key);
    if ["pattern", "not", "allOf", "patternProperties", "multipleOf"].iter().any(|key| says(key).is_some()) || depth > DEPTH_MAX {
        return None;
    }
    if let Some(value) = says("const").or_else(|| says("enum")?.as_array()?.first()) {
        return Some(value.clone());
    }
    if let Some(any) = says("anyOf").and_then(Value::as_array) {
        // Alternatives of a whole that has parts of its own would have to be put together.
        return if says("properties").is_some() { None } else { any.iter().find_map(|one| sample(one, depth)) };
    }
    let kind = match says("type") {
        Some(Value::Array(several)) => several.first()?.as_str()?,
        Some(kind) => kind.as_str()?,
        None if says("properties").is_some() => "object",
        None => "string",
    };
    let bound = |key: &str| says(key).and_then(Value::as_f64);
    let count = |key: &str| says(key).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
    match kind {
        "string" => {
            let text = match says("format").and_then(Value::as_str) {
                Some("date") => "2026-01-02".to_owned(),
                Some("date-time") => "2026-01-02T03:04:05Z".to_owned(),
                Some("uuid") => "0190d9a0-0000-7000-8000-000000000000".to_owned(),
                Some("uri" | "url" | "uri-reference") => "https://up.test/x".to_owned(),
                Some("email") => "ann@up.test".to_owned(),
                Some("ipv4") => "192.0.2.1".to_owned(),
                Some("binary" | "byte") => "AP8=".to_owned(),
                _ if schema.to_string().contains("base64") => "AP8=".to_owned(),
                _ => {
                    let least = count("maxLength").unwrap_or(6).min(6);
                    "a-text".chars().cycle().take(count("minLength").unwrap_or(0).max(least)).collect()
                }
            };
            Some(text.into())
        }
        "integer" | "number" => {
            let above = bound("exclusiveMinimum").map(|least| least + 1.0).or_else(|| bound("minimum")).unwrap_or(1.0);
            let number = above
                .min(bound("maximum").unwrap_or(f64::INFINITY))
                .min(bound("exclusiveMaximum").map_or(f64::INFINITY, |most| most - 1.0));
            if kind == "number" { Some(json!(number)) } else { serde_json::from_str(&format!("{:.0}", number.ceil())).ok() }
        }
        "boolean" => Some(json!(true)),
        "null" => Some(Value::Null),
        "array" => {
            let items = says("items").cloned().unwrap_or_else(|| json!({}));
            let one = sample(&items, depth + 1);
            match (count("minItems").unwrap_or(1), one) {
                (2.., _) if says("uniqueItems").is_some() => None,
                (least, Some(one)) => Some(vec![one; least.max(1)].into()),
                (0, None) => Some(json!([])),
                (_, None) => None,
            }
        }
        _ => {
            let required: Vec<&str> = says("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
            let properties = says("properties").and_then(Value::as_object).cloned().unwrap_or_default();
            let mut made = Map::new();
            for (name, schema) in &properties {
                match sample(schema, depth + 1) {
                    Some(value) => drop(made.insert(name.clone(), value)),
                    None if required.contains(&name.as_str()) => return None,
                    None => {}
                }
            }
            if required.iter().any(|name| !made.contains_key(*name)) || made.len() < count("minProperties").unwrap_or(0) {
                return None;
            }
            let most = count("maxProperties").unwrap_or(usize::MAX);
            if made.len() > most { None } else { Some(Value::Object(made)) }
        }
    }
}

#[test]
fn what_fits_the_function_fits_the_operation() {
    let Some(directory) = specs() else { return };
    let step = if std::env::var_os("EVERY_OPERATION").is_some() { 1 } else { STEP };
    let (mut tried, mut sent, mut told) = (0, 0, Vec::new());
    for document in read_documents() {
        let catalogue = catalogue(&directory, &document);
        for operation in catalogue.operations().iter().step_by(step) {
            tried += 1;
            let Some(Value::Object(all)) = sample(&operation.spec().parameters, 0) else { continue };
            match operation.request(Some("http://up.test/base"), &all) {
                Ok(request) => {
                    assert!(request.url.starts_with("http://up.test/base/"), "{}", request.url);
                    sent += 1;
                }
                Err(problems) => told.push(format!("{document}: {}: {problems:?}", operation.name())),
            }
        }
    }
    assert!(told.is_empty(), "{} of {tried} were refused:\n{}", told.len(), told.join("\n"));
    assert!(sent * 5 > tried * 4, "{sent} of {tried} operations were called");
}
