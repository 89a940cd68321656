//! The API of the lab: its document, and what a request for it must look like.

use serde_json::{Value, json};

use crate::{http::Message, journal::digest};

/// The credential that every call must carry.
pub const TOKEN: &str = "lab-upstream-token";
/// The header under which repetitions are known.
pub const KEY_HEADER: &str = "Idempotency-Key";

/// The operations: function, method, first segment of the path, whether it takes a body.
pub const OPERATIONS: [(&str, &str, &str, bool); 4] = [
    ("readItem", "GET", "items", false),
    ("placeOrder", "POST", "orders", true),
    ("payOrder", "POST", "payments", true),
    ("removeItem", "DELETE", "items", false),
];
const HEADERS: [&str; 11] = [
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "authorization",
    "content-type",
    "content-length",
    "connection",
    "idempotency-key",
    "traceparent",
    "tracestate",
];

/// The OpenAPI document; with `dedup` it says that payments are known by their key.
pub fn document(dedup: bool) -> Value {
    let text = json!({"type": "string"});
    let number = json!({"type": "integer"});
    let query = |name: &str, schema: &Value| json!({"name": name, "in": "query", "required": true, "schema": schema});
    let path = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": text});
    let mut paths = json!({});
    for (function, method, segment, has_body) in OPERATIONS {
        let mut operation = json!({
            "operationId": function,
            "summary": format!("{function} of the lab"),
            "parameters": [path("mark"), path("call")],
            "responses": {"200": {"description": "done"}},
        });
        if has_body {
            let fields = json!({"ask": number, "mode": text, "wait": number, "note": text});
            let schema = json!({"type": "object", "properties": fields, "required": ["ask", "mode", "wait", "note"]});
            operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
        } else {
            let more = [query("ask", &number), query("mode", &text), query("wait", &number)];
            operation["parameters"].as_array_mut().expect("it was made an array").extend(more);
        }
        if function == "payOrder" && dedup {
            operation["x-idempotency-header"] = json!(KEY_HEADER);
        }
        paths[format!("/{segment}/{{mark}}/{{call}}")][method.to_ascii_lowercase()] = operation;
    }
    json!({"openapi": "3.0.3", "info": {"title": "The lab's API", "version": "1"}, "paths": paths})
}

/// A call as the API understands it.
#[derive(Debug, Clone, Default)]
pub struct Call {
    pub function: String,
    pub mark: String,
    pub call: String,
    pub ask: u64,
    pub mode: String,
    pub wait_ms: u64,
    pub key: Option<String>,
    pub hash: String,
    pub problem: Option<String>,
}

/// Which turn and which call a URL or path names.
pub fn place_of(url: &str) -> Option<(String, String, String)> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let mut segments = path.rsplit('/');
    let (call, mark, segment) = (segments.next()?, segments.next()?, segments.next()?);
    Some((segment.to_owned(), mark.to_owned(), call.to_owned()))
}

/// What identifies a request: method, path with query, body; members of JSON in any order.
pub fn hash_of(method: &str, path: &str, body: &[u8]) -> String {
    let sorted = serde_json::from_slice::<Value>(body).map_or_else(|_| body.to_vec(), |body| body.to_string().into_bytes());
    digest(&[method.as_bytes(), b" ", path.as_bytes(), b" ", &sorted].concat())
}

/// Reads a request, and says what is wrong with it.
pub fn read(message: &Message, port: u16) -> Call {
    let mut words = message.first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (segment, mark, call) = place_of(path).unwrap_or_default();
    let known = OPERATIONS.iter().find(|(_, own, own_segment, _)| *own == method && *own_segment == segment);
    let body: Value = serde_json::from_slice(&message.body).unwrap_or_default();
    let query = |name: &str| {
        let (_, query) = path.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    let number = |name: &str| query(name).and_then(|n| n.parse().ok()).or(body[name].as_u64()).unwrap_or(0);
    let odd = message.headers.iter().find(|(name, _)| !HEADERS.contains(&name.as_str()));
    let problem = if known.is_none() {
        Some(format!("no such operation: {}", message.first))
    } else if message.header("host") != Some(&format!("127.0.0.1:{port}")) {
        Some(format!("another origin: {:?}", message.header("host")))
    } else if message.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        Some("not the API's credential".to_owned())
    } else {
        odd.map(|(name, _)| format!("a header of nobody: {name}"))
    };
    Call {
        function: known.map_or("unknown", |(function, ..)| function).to_owned(),
        mark,
        call,
        ask: number("ask"),
        mode: query("mode").or(body["mode"].as_str()).unwrap_or("ok").to_owned(),
        wait_ms: number("wait"),
        key: message.header("idempotency-key").map(str::to_owned),
        hash: hash_of(method, path, &message.body),
        problem,
    }
}
