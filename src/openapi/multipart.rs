//! `multipart/form-data` bodies (RFC 7578), and the bytes of files, which arguments carry as base64 or as data URIs (RFC 2397).

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{
    body::Encoding,
    form::FieldProblems,
    naming::fnv1a,
    parameter::is_json,
    style::{in_multipart, text},
};
use crate::domain::base64;

/// A file as an argument brought it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    pub bytes: Vec<u8>,
    pub content_type: Option<String>,
    pub name: Option<String>,
}

/// Reads `data:image/png;name=cat.png;base64,AP8=` or plain base64 (both alphabets, white space and missing padding forgiven).
pub(super) fn file(value: &Value) -> Result<File, String> {
    const WANTED: &str = "must be a file's content as base64, or a data URI (`data:image/png;name=cat.png;base64,…`)";
    let text = value.as_str().ok_or(WANTED)?;
    let Some(uri) = text.strip_prefix("data:") else {
        return Ok(File { bytes: base64::decode(text).ok_or(WANTED)?, content_type: None, name: None });
    };
    let (head, data) = uri.split_once(',').ok_or(WANTED)?;
    let mut parts = head.split(';');
    let content_type = parts.next().filter(|media_type| !media_type.is_empty()).map(str::to_owned);
    let (mut name, mut encoded) = (None, false);
    for part in parts {
        match part.split_once('=') {
            Some(("name" | "filename", given)) => name = Some(percent_encoding::percent_decode_str(given).decode_utf8_lossy().into_owned()),
            None if part.eq_ignore_ascii_case("base64") => encoded = true,
            _ => {}
        }
    }
    let bytes = if encoded { base64::decode(data).ok_or(WANTED)? } else { percent_encoding::percent_decode_str(data).collect() };
    Ok(File { bytes, content_type, name })
}

/// The body and its content type. Files are the fields in `files`; lists become one part per item; objects are JSON, unless an encoding
/// gives them a style.
/// Fields that are null are left out. Problems name the field.
pub(super) fn encode(
    fields: &Map<String, Value>,
    files: &[String],
    encodings: &HashMap<String, Encoding>,
) -> Result<(Vec<u8>, String), FieldProblems> {
    let (mut parts, mut problems) = (Vec::new(), Vec::new());
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let wire = encodings.get(name).and_then(|encoding| encoding.wire);
        let encoding = encodings.get(name).and_then(|encoding| encoding.content_type.as_deref());
        // Where a style is given, a content type is not looked at (OpenAPI 3.1.1, Encoding Object); a file has no style.
        if let (Some(wire), Value::Array(_) | Value::Object(_), false) = (wire, value, files.contains(name)) {
            match in_multipart(name, value, &wire) {
                Ok(texts) => parts.extend(texts.into_iter().map(|(name, text)| (disposition(&name), text.into_bytes()))),
                Err(reason) => problems.push((name.clone(), reason)),
            }
            continue;
        }
        let one = std::slice::from_ref(value);
        let whole = encoding.is_some_and(is_json);
        let items = value.as_array().filter(|_| !whole).map_or(one, Vec::as_slice);
        for item in items {
            match part(name, item, files.contains(name), encodings.get(name)) {
                Ok(part) => parts.push(part),
                Err(reason) => problems.push((name.clone(), reason)),
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let boundary = boundary(&parts);
    let mut body = Vec::new();
    for (head, content) in &parts {
        body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((body, format!("multipart/form-data; boundary={boundary}")))
}

fn disposition(name: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{}\"", quoted(name))
}

fn part(name: &str, value: &Value, is_file: bool, said: Option<&Encoding>) -> Result<(String, Vec<u8>), String> {
    let encoding = said.and_then(|said| said.content_type.as_deref());
    let headers: String = said.into_iter().flat_map(|said| &said.headers).map(|(name, value)| format!("\r\n{name}: {value}")).collect();
    let disposition = disposition(name);
    if is_file {
        let file = file(value)?;
        let filename = quoted(file.name.as_deref().unwrap_or(name));
        let content_type = encoding.map(str::to_owned).or(file.content_type).unwrap_or_else(|| "application/octet-stream".to_owned());
        if content_type.chars().any(char::is_control) {
            return Err("has a media type with a line break".to_owned());
        }
        return Ok((format!("{disposition}; filename=\"{filename}\"\r\nContent-Type: {content_type}{headers}"), file.bytes));
    }
    let structured = value.is_object() || value.is_array() || encoding.is_some_and(is_json);
    let content = if structured { value.to_string() } else { text(value)? };
    let head = match (encoding, structured) {
        (Some(content_type), _) => format!("{disposition}\r\nContent-Type: {content_type}"),
        (None, true) => format!("{disposition}\r\nContent-Type: application/json"),
        (None, false) => disposition,
    };
    Ok((head + &headers, content.into_bytes()))
}

/// As browsers do it (WHATWG HTML, 4.10.21.8): only what would end the quoted name is escaped.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// A boundary that occurs in no part; the same body always gets the same one.
fn boundary(parts: &[(String, Vec<u8>)]) -> String {
    let mut seed = parts.iter().fold(0, |seed: u64, (head, content)| seed.rotate_left(7) ^ fnv1a(head.as_bytes()) ^ fnv1a(content));
    loop {
        let boundary = format!("part-{seed:016x}");
        let occurs = |content: &[u8]| content.windows(boundary.len()).any(|window| window == boundary.as_bytes());
        if !parts.iter().any(|(_, content)| occurs(content)) {
            return boundary;
        }
        seed = seed.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_data_uri_brings_type_and_name() {
        let file = file(&json!("data:image/png;name=a%20b.png;base64,AP8=")).unwrap();
        assert_eq!(file, File { bytes: vec![0, 255], content_type: Some("image/png".to_owned()), name: Some("a b.png".to_owned()) });
    }

    #[test]
    fn the_boundary_occurs_in_no_part() {
        let parts = vec![(String::new(), b"x".to_vec())];
        let first = boundary(&parts);
        let hostile = vec![(String::new(), first.clone().into_bytes())];
        let second = boundary(&hostile);
        assert!(!first.contains(&second));
        assert_eq!(first, boundary(&parts));
    }
}
