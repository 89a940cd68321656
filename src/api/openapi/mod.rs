//! The service's own document (OpenAPI 3.1), embedded in the binary and served as JSON.
//!
//! It is written by hand in pieces, one for each part of the API. What operations have in common is written once: an operation names the
//! codes of its errors in `x-errors`, and its responses are made of them here, each with an example. `tests/it/openapi` holds it to the
//! router, and to every answer that any test gets.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{http::HeaderMap, response::Response};
use serde_json::{Map, Value, json};

use super::file::File;
use crate::openapi;

/// The pieces, in their order.
const PIECES: &str = concat!(
    include_str!("head.yaml"),
    include_str!("login.yaml"),
    include_str!("agent.yaml"),
    include_str!("runs.yaml"),
    include_str!("session.yaml"),
    include_str!("sessions.yaml"),
    include_str!("credentials.yaml"),
    include_str!("admin.yaml"),
    include_str!("overview.yaml"),
    include_str!("service.yaml"),
    include_str!("components.yaml"),
    include_str!("events.yaml"),
    include_str!("schemas_shared.yaml"),
    include_str!("schemas_asked.yaml"),
    include_str!("schemas_file.yaml"),
    include_str!("schemas_answered.yaml"),
    include_str!("schemas_admin.yaml"),
    include_str!("schemas_overview.yaml"),
);
const ERRORS: &str = include_str!("errors.yaml");

/// The fields of a path item that are operations (OpenAPI 3.1, 4.8.9).
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The document as it is served.
static SERVED: LazyLock<File> = LazyLock::new(|| {
    // The pieces are compiled in, and a test reads them: an empty document is never served.
    let document = document().unwrap_or_else(|problem| json!({"x-problem": problem}));
    File::new("openapi.json", "application/json", document.to_string())
});

/// `GET /openapi.json`.
pub(super) async fn served(asked: HeaderMap) -> Response {
    SERVED.response_to(&asked)
}

/// The whole document.
///
/// # Errors
/// A piece cannot be read, or an operation names an error that there is not.
pub fn document() -> Result<Value, String> {
    let mut document = read(PIECES, "the service's own document")?;
    let errors = Errors::of(&read(ERRORS, "errors.yaml")?)?;
    set(&mut document, &["info", "version"], json!(crate::release::VERSION));
    let error = document.pointer("/components/schemas/Error").cloned().ok_or("there is no schema Error")?;
    for item in document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        for operation in item.as_object_mut().into_iter().flatten().filter(|(name, _)| METHODS.contains(&name.as_str())) {
            expand(operation.1, &errors, &error)?;
        }
    }
    Ok(document)
}

fn read(text: &str, origin: &str) -> Result<Value, String> {
    openapi::read_text(text, origin).map_err(|error| error.to_string())
}

/// All error codes, and the groups of them that operations share.
struct Errors {
    codes: BTreeMap<String, (u16, String)>,
    groups: BTreeMap<String, Vec<String>>,
}

impl Errors {
    fn of(table: &Value) -> Result<Self, String> {
        let wrong = || "errors.yaml is not the table that it must be".to_owned();
        let code = |told: &Value| {
            let status = told.get("status")?.as_u64().and_then(|status| u16::try_from(status).ok())?;
            Some((status, told.get("error")?.as_str()?.to_owned()))
        };
        let of = |name| table.get(name).and_then(Value::as_object).ok_or_else(wrong);
        let codes = of("codes")?;
        let codes =
            codes.iter().map(|(name, told)| code(told).map(|told| (name.clone(), told)).ok_or_else(wrong)).collect::<Result<_, _>>()?;
        let groups = of("groups")?.iter().map(|(name, codes)| (name.clone(), names(codes))).collect();
        Ok(Self { codes, groups })
    }

    /// Codes by status, of codes and groups as an operation names them.
    fn by_status(&self, named: &[String]) -> Result<BTreeMap<u16, Vec<&str>>, String> {
        let mut found: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
        for name in named {
            for code in self.groups.get(name).map_or(std::slice::from_ref(name), Vec::as_slice) {
                let (code, (status, _)) = self.codes.get_key_value(code).ok_or_else(|| format!("there is no error {code}"))?;
                found.entry(*status).or_default().push(code);
            }
        }
        Ok(found)
    }
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Puts a value at this way of names, making objects where there are none.
fn set(value: &mut Value, way: &[&str], to: Value) {
    let Some((name, rest)) = way.split_first() else {
        *value = to;
        return;
    };
    if let Some(object) = value.as_object_mut() {
        set(object.entry(*name).or_insert_with(|| json!({})), rest, to);
    }
}

/// Makes an operation's `x-errors` responses, and says of all its responses what is on every one.
fn expand(operation: &mut Value, errors: &Errors, error: &Value) -> Result<(), String> {
    let Some(operation) = operation.as_object_mut() else { return Err("an operation is no object".to_owned()) };
    let named = operation.remove("x-errors").map(|named| names(&named)).unwrap_or_default();
    let told_rates = operation.remove("x-rates").is_some();
    let made = errors.by_status(&named)?;
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return Err("an operation has no responses".to_owned());
    };
    for (status, codes) in made {
        responses.insert(status.to_string(), response(status, &codes, errors, error));
    }
    for (status, response) in responses.iter_mut() {
        let rates: &[&str] = if told_rates || status == "429" { &["RateLimit-Policy", "RateLimit"] } else { &[] };
        for name in ["X-Request-Id", "X-Replica"].iter().chain(rates) {
            set(response, &["headers", *name], json!({"$ref": format!("#/components/headers/{name}")}));
        }
    }
    // The connection answers it, before anything is known of the request.
    responses.insert("431".to_owned(), json!({"$ref": "#/components/responses/HeadTooLarge"}));
    Ok(())
}

/// One response: these codes and no others, each with an example.
fn response(status: u16, codes: &[&str], errors: &Errors, error: &Value) -> Value {
    let mut schema = error.clone();
    set(&mut schema, &["properties", "code"], json!({"enum": codes}));
    let example = |code: &str| {
        let sentence = errors.codes.get(code).map_or("", |(_, sentence)| sentence);
        json!({"value": {"success": false, "error": sentence, "message": sentence, "code": code, "request_id": "5d0c9f6f1f6c4e1a0000000000a7"}})
    };
    let examples: Map<String, Value> = codes.iter().map(|code| ((*code).to_owned(), example(code))).collect();
    let mut made = json!({
        "description": format!("`{}`", codes.join("`, `")),
        "content": {"application/json": {"schema": schema, "examples": examples}},
    });
    let header = match status {
        401 => Some("WWW-Authenticate"),
        409 | 429 | 503 => Some("Retry-After"),
        _ => None,
    };
    if let Some(name) = header {
        set(&mut made, &["headers", name], json!({"$ref": format!("#/components/headers/{name}")}));
    }
    made
}
