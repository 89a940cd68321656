//! What the bytes of a reply are: JSON, text, or neither.

use bytes::Bytes;

use crate::domain::{json::RawJson, tool::ReplyBody};

/// Reads a body by its content type, and by its content where the type is missing or wrong. Text that is not UTF-8 is read with
/// replacement characters. JSON is kept as it came, numbers included.
pub(super) fn read(content_type: Option<&str>, bytes: &Bytes) -> ReplyBody {
    if bytes.is_empty() {
        return ReplyBody::Empty;
    }
    let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let promising = is_json(&kind) || begins_like_json(bytes);
    if let Some(json) = promising.then(|| RawJson::read(bytes)).flatten() {
        return ReplyBody::Json(json);
    }
    let untyped_text = kind.is_empty() && !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok();
    if is_json(&kind) || is_text(&kind) || untyped_text {
        ReplyBody::Text(String::from_utf8_lossy(bytes).into_owned())
    } else {
        ReplyBody::Binary { content_type: kind, bytes: bytes.len(), content: bytes.clone() }
    }
}

/// `application/json`, its old names, and every `+json` (RFC 6839, 3.1).
fn is_json(kind: &str) -> bool {
    matches!(kind, "application/json" | "text/json" | "application/x-json") || kind.ends_with("+json")
}

fn is_text(kind: &str) -> bool {
    const TEXTS: [&str; 10] =
        ["xml", "javascript", "x-javascript", "yaml", "x-yaml", "x-ndjson", "jsonl", "x-www-form-urlencoded", "graphql", "sql"];
    kind.starts_with("text/")
        || kind.ends_with("+xml")
        || kind.ends_with("+yaml")
        || kind.strip_prefix("application/").is_some_and(|subtype| TEXTS.contains(&subtype))
}

/// Only objects and arrays: a page that says `12` is text.
fn begins_like_json(bytes: &[u8]) -> bool {
    matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}
