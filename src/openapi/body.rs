//! The body of a request: which of the offered media types is sent, and how each is made of a value.

use std::collections::HashMap;

use openapiv3::QueryStyle;
use serde::Deserialize;
use serde_json::Value;

use super::{
    document::{Document, Edition},
    encode::Keep,
    parameter::{Declared, is_json, is_token},
    schema::Definitions,
    style::{Style, Wire, text},
};

/// How a value becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    Form,
    Multipart,
    /// A string as it is.
    Text,
    /// A string as it is, or what a value makes.
    Xml,
    /// Bytes that come as base64.
    Bytes,
}

/// What a form or a multipart body says of one of its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Encoding {
    pub content_type: Option<String>,
    /// Headers of its own whose value the document fixes; only parts of a multipart body have any.
    pub headers: Vec<(String, String)>,
    /// None: as the value's kind wants it.
    pub wire: Option<Wire>,
}

/// A body as it was declared; its schema still is the document's.
#[derive(Debug)]
pub(super) struct DeclaredBody<'d> {
    pub media: Media,
    /// As it is sent, but for a multipart body's boundary.
    pub content_type: String,
    pub required: bool,
    pub description: Option<String>,
    pub schema: Content<'d>,
    pub encodings: HashMap<String, Encoding>,
}

#[derive(Debug)]
pub(super) enum Content<'d> {
    Schema(Option<&'d Value>),
    /// 2.0's `formData` parameters.
    Fields(Vec<Declared<'d>>),
}

/// The body of a 3.x operation; the reason when none of its media types can be made.
pub(super) fn openapi3<'d>(document: &'d Document, operation: &'d Value) -> Result<Option<DeclaredBody<'d>>, String> {
    let Some(body) = operation.get("requestBody") else { return Ok(None) };
    let body = document.follow(body)?;
    let Some(content) = body.get("content").and_then(Value::as_object).filter(|content| !content.is_empty()) else {
        return Ok(None);
    };
    // The order of the document decides between equals.
    let (media_type, of) = content.iter().min_by_key(|(media_type, _)| rank(media_type)).ok_or("the body has no media type")?;
    let of = document.follow(of)?;
    let schema = of.get("schema");
    let binary = schema.and_then(|schema| document.follow(schema).ok()).is_some_and(is_binary);
    let mended = mended(media_type);
    let media_type = mended.as_deref().unwrap_or(media_type);
    let media = media(media_type, binary);
    let mut encodings = HashMap::new();
    if let (Media::Form | Media::Multipart, Some(Value::Object(fields))) = (media, of.get("encoding")) {
        for (field, raw) in fields {
            let mut encoding = encoding(document, raw).map_err(|reason| format!("body field `{field}`: {reason}"))?;
            // Before 3.1 styles are for urlencoded forms only (3.0.4, Encoding Object).
            encoding.wire = encoding.wire.filter(|_| media == Media::Form || document.edition != Edition::V3_0);
            encodings.insert(field.clone(), encoding);
        }
    }
    Ok(Some(DeclaredBody {
        media,
        content_type: concrete(media_type, media),
        required: body.get("required") == Some(&Value::Bool(true)),
        description: body.get("description").and_then(Value::as_str).map(str::to_owned),
        schema: Content::Schema(schema),
        encodings,
    }))
}

/// The body of a 2.0 operation: its `body` parameter or its `formData` parameters, with the media types it consumes.
pub(super) fn swagger2<'d>(
    document: &'d Document,
    operation: &'d Value,
    body: Option<&'d Value>,
    fields: Vec<Declared<'d>>,
) -> Option<DeclaredBody<'d>> {
    let consumes = operation.get("consumes").or_else(|| document.root.get("consumes")).and_then(Value::as_array);
    let consumes: Vec<&str> = consumes.into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(body) = body {
        let media_type = consumes.iter().min_by_key(|media_type| rank(media_type)).copied().unwrap_or("application/json");
        // A body parameter is not a form, whatever else the operation consumes.
        let media_type = if matches!(media(media_type, false), Media::Form | Media::Multipart) { "application/json" } else { media_type };
        let media = media(media_type, false);
        return Some(DeclaredBody {
            media,
            content_type: concrete(media_type, media),
            required: body.get("required") == Some(&Value::Bool(true)),
            description: body.get("description").and_then(Value::as_str).map(str::to_owned),
            schema: Content::Schema(body.get("schema")),
            encodings: HashMap::new(),
        });
    }
    if fields.is_empty() {
        return None;
    }
    let file = fields.iter().any(|field| field.schema.and_then(|schema| schema.get("type")).is_some_and(|kind| kind == "file"));
    let only_multipart = consumes.contains(&"multipart/form-data") && !consumes.contains(&"application/x-www-form-urlencoded");
    let media = if file || only_multipart { Media::Multipart } else { Media::Form };
    let content_type = if media == Media::Form { "application/x-www-form-urlencoded" } else { "multipart/form-data" };
    let encodings = fields.iter().map(|field| (field.name.clone(), Encoding { wire: Some(field.wire), ..Encoding::default() }));
    Some(DeclaredBody {
        media,
        content_type: content_type.to_owned(),
        required: fields.iter().any(|field| field.required),
        description: None,
        encodings: encodings.collect(),
        schema: Content::Fields(fields),
    })
}

/// `applicationjson;version=1`: without its slash it is no media type, but there is no doubt which one is meant.
fn mended(media_type: &str) -> Option<String> {
    let (essence, parameters) = media_type.split_once(';').map_or((media_type, ""), |(essence, parameters)| (essence, parameters));
    let slipped = essence.trim().eq_ignore_ascii_case("applicationjson");
    slipped.then(|| if parameters.is_empty() { "application/json".to_owned() } else { format!("application/json;{parameters}") })
}

/// Which media type is sent when several are offered: the lower the better.
fn rank(media_type: &str) -> u8 {
    match essence(media_type).as_str() {
        "application/json" => 0,
        "*/*" | "application/*" => 2,
        _ if is_json(media_type) => 1,
        "application/x-www-form-urlencoded" => 3,
        "multipart/form-data" => 4,
        "text/plain" => 5,
        "application/xml" | "text/xml" => 6,
        text if text.starts_with("text/") => 6,
        "application/octet-stream" => 7,
        _ => 8,
    }
}

fn media(media_type: &str, binary: bool) -> Media {
    match essence(media_type).as_str() {
        _ if is_json(media_type) => Media::Json,
        "application/x-www-form-urlencoded" => Media::Form,
        multipart if multipart.starts_with("multipart/") => Media::Multipart,
        xml if xml.ends_with("/xml") || xml.ends_with("+xml") => Media::Xml,
        text if text.starts_with("text/") => Media::Text,
        "application/octet-stream" | "application/pdf" | "application/zip" | "application/gzip" => Media::Bytes,
        bytes if binary || ["image/", "audio/", "video/", "font/"].iter().any(|kind| bytes.starts_with(kind)) => Media::Bytes,
        _ => Media::Text,
    }
}

/// The media type as it is sent: exactly as the document says it, ranges made definite.
fn concrete(media_type: &str, media: Media) -> String {
    match (media_type.contains('*'), media) {
        (false, _) => media_type.trim().to_owned(),
        (true, Media::Json) => "application/json".to_owned(),
        (true, Media::Bytes) => "application/octet-stream".to_owned(),
        (true, _) => "text/plain".to_owned(),
    }
}

fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a schema stands for bytes: `format: binary` (3.0), `contentMediaType` without an encoding (3.1).
pub(super) fn is_binary(schema: &Value) -> bool {
    let says = |key: &str| schema.get(key).and_then(Value::as_str);
    let textual = says("contentMediaType").is_none_or(|media_type| media_type.starts_with("text/") || is_json(media_type));
    says("format") == Some("binary") || (!textual && says("contentEncoding").is_none())
}

/// Whether a field of a multipart body is a file.
pub(super) fn is_file(schema: &Value, encoding: Option<&Encoding>, definitions: &Definitions) -> bool {
    let schema = definitions.follow(schema);
    let by_type = encoding.and_then(|encoding| encoding.content_type.as_deref()).is_some_and(|content_type| {
        let essence = essence(content_type);
        !is_json(content_type) && !essence.starts_with("text/") && !essence.ends_with("xml")
    });
    let structured = ["object", "array"].iter().any(|kind| schema.get("type") == Some(&Value::from(*kind)));
    is_binary(schema) || (by_type && !structured)
}

/// The one value that a schema allows, or takes when none is said.
fn fixed(schema: &Value) -> Option<String> {
    let single = schema.get("enum").and_then(Value::as_array).filter(|values| values.len() == 1).and_then(|values| values.first());
    text(schema.get("const").or_else(|| schema.get("default")).or(single)?).ok()
}

fn encoding(document: &Document, raw: &Value) -> Result<Encoding, String> {
    let style = raw.get("style").map(QueryStyle::deserialize).transpose().map_err(|error| error.to_string())?;
    let explode = raw.get("explode").and_then(Value::as_bool);
    let reserved = raw.get("allowReserved") == Some(&Value::Bool(true));
    let wire = (style.is_some() || explode.is_some() || reserved).then(|| {
        let style = match style.unwrap_or_default() {
            QueryStyle::Form => Style::Form,
            QueryStyle::SpaceDelimited => Style::Separated("%20"),
            QueryStyle::PipeDelimited => Style::Separated("%7C"),
            QueryStyle::DeepObject => Style::DeepObject,
        };
        let keep = if reserved { Keep::Reserved } else { Keep::Unreserved };
        Wire { style, explode: explode.unwrap_or(style == Style::Form), keep, json: false }
    });
    // A list of types allows any of them; the first is taken.
    let content_type = raw.get("contentType").and_then(Value::as_str).and_then(|list| list.split(',').next());
    if content_type.is_some_and(|content_type| content_type.chars().any(char::is_control)) {
        return Err("its content type has a control character".to_owned());
    }
    let mut headers = Vec::new();
    for (name, header) in raw.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let schema = document.follow(header)?.get("schema").map(|schema| document.follow(schema)).transpose()?;
        let Some(fixed) = schema.and_then(fixed).filter(|_| !name.eq_ignore_ascii_case("content-type")) else { continue };
        if !is_token(name) || fixed.chars().any(char::is_control) {
            return Err(format!("its header `{name}` cannot be sent"));
        }
        headers.push((name.clone(), fixed));
    }
    Ok(Encoding { headers, content_type: content_type.map(|one| one.trim().to_owned()).filter(|one| !one.contains('*')), wire })
}
