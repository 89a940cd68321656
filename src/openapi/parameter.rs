//! One parameter of a 2.0, 3.0 or 3.1 document in the one form that requests are built from.

use openapiv3::{CookieStyle, HeaderStyle, Parameter as Shell, PathStyle, QueryStyle};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    document::{Document, Edition},
    encode::Keep,
    style::{Style, Wire},
};
use crate::domain::header::frames_message;

/// Where a parameter's value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    Path,
    Query,
    Header,
    Cookie,
}

impl Location {
    pub fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

/// A parameter as it was declared; its schema still is the document's.
#[derive(Debug)]
pub(super) struct Declared<'d> {
    pub name: String,
    pub location: Location,
    pub required: bool,
    pub description: Option<String>,
    pub deprecated: bool,
    /// An empty text is allowed, whatever the schema says.
    pub allow_empty: bool,
    pub wire: Wire,
    /// None: anything.
    pub schema: Option<&'d Value>,
}

/// Headers that OpenAPI says to ignore (3.0, Parameter Object), and those that are the sender's own business: none is ever an argument.
pub(super) fn is_reserved_header(name: &str) -> bool {
    ["accept", "content-type", "authorization"].iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) || frames_message(name)
}

/// A header's, a cookie's or a method's name (RFC 9110, 5.6.2).
pub(super) use crate::domain::header::is_field_name as is_token;

/// Reads a parameter whose references have been followed; the reason when it cannot be written on a wire.
pub(super) fn declared<'d>(document: &'d Document, raw: &'d Value) -> Result<Declared<'d>, String> {
    let name = raw.get("name").and_then(Value::as_str).ok_or("a parameter has no name")?;
    let read = if document.edition == Edition::Swagger2 { swagger2(name, raw) } else { openapi3(document, name, raw) };
    let declared = read.map_err(|reason| format!("parameter `{name}`: {reason}"))?;
    if matches!(declared.location, Location::Header | Location::Cookie) && !is_token(name) {
        return Err(format!("parameter `{name}`: not a {} name", declared.location.word()));
    }
    Ok(declared)
}

/// The shell goes through openapiv3's types, which know locations, styles and defaults; the schema stays out of it, as 3.1 schemas and
/// many real ones would be refused or lose keywords there.
fn openapi3<'d>(document: &'d Document, name: &str, raw: &'d Value) -> Result<Declared<'d>, String> {
    let mut shell: Map<String, Value> = ["name", "in", "description", "required", "deprecated", "style", "explode", "allowReserved"]
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), raw.get(*key)?.clone())))
        .collect();
    shell.insert("schema".to_owned(), json!({}));
    // 3.2's style for cookies is what is sent anyway: nothing escaped.
    if shell.get("in").is_some_and(|place| place == "cookie") && shell.get("style").is_some_and(|style| style == "cookie") {
        shell.shift_remove("style");
    }
    // 3.2's whole query string: a form's fields are an exploded object.
    let whole = shell.get("in").is_some_and(|place| place == "querystring");
    if whole {
        shell.insert("in".to_owned(), "query".into());
        shell.shift_remove("style");
        shell.shift_remove("explode");
    }
    let shell = Shell::deserialize(Value::Object(shell)).map_err(|error| error.to_string())?;
    let (location, style, explode_by_default, keep) = match &shell {
        Shell::Query { style, allow_reserved, .. } => {
            let style = match style {
                QueryStyle::Form => Style::Form,
                QueryStyle::SpaceDelimited => Style::Separated("%20"),
                QueryStyle::PipeDelimited => Style::Separated("%7C"),
                QueryStyle::DeepObject => Style::DeepObject,
            };
            (Location::Query, style, style == Style::Form, if *allow_reserved { Keep::Reserved } else { Keep::Unreserved })
        }
        Shell::Path { style, .. } => {
            let style = match style {
                PathStyle::Simple => Style::Simple,
                PathStyle::Label => Style::Label,
                PathStyle::Matrix => Style::Matrix,
            };
            (Location::Path, style, false, Keep::Unreserved)
        }
        Shell::Header { style: HeaderStyle::Simple, .. } => (Location::Header, Style::Simple, false, Keep::Unreserved),
        Shell::Cookie { style: CookieStyle::Form, .. } => (Location::Cookie, Style::Form, true, Keep::Unreserved),
    };
    let data = shell.parameter_data();
    let content = raw.get("content").and_then(Value::as_object).and_then(|content| content.iter().next());
    let (schema, json) = match content {
        None => (raw.get("schema"), false),
        Some((media, of)) if whole && media == "application/x-www-form-urlencoded" => (document.follow(of)?.get("schema"), false),
        Some((media, _)) if whole => return Err(format!("the query string is `{media}`, which is not supported")),
        Some((media, of)) if is_json(media) => (document.follow(of)?.get("schema"), true),
        Some((media, of)) if media.starts_with("text/") => (document.follow(of)?.get("schema"), false),
        Some((media, _)) => return Err(format!("its content is `{media}`, which is not supported in a parameter")),
    };
    Ok(Declared {
        name: name.to_owned(),
        location,
        required: data.required || location == Location::Path,
        description: data.description,
        deprecated: data.deprecated == Some(true),
        allow_empty: location == Location::Query && allows_empty(raw),
        wire: Wire { style, explode: data.explode.unwrap_or(explode_by_default), keep, json },
        schema,
    })
}

/// 2.0 keeps the schema's keywords in the parameter itself and says `collectionFormat` for style and explode.
fn swagger2<'d>(name: &str, raw: &'d Value) -> Result<Declared<'d>, String> {
    let location = match raw.get("in").and_then(Value::as_str) {
        Some("path") => Location::Path,
        Some("query") => Location::Query,
        Some("header") => Location::Header,
        // A form's field is written as a query's pair.
        Some("formData") => Location::Query,
        Some(other) => return Err(format!("`in: {other}` is not a place of a parameter")),
        None => return Err("it has no `in`".to_owned()),
    };
    if raw.pointer("/items/type").is_some_and(|kind| kind == "array") {
        return Err("a list of lists is not supported".to_owned());
    }
    Ok(Declared {
        name: name.to_owned(),
        location,
        required: raw.get("required") == Some(&Value::Bool(true)) || location == Location::Path,
        description: raw.get("description").and_then(Value::as_str).map(str::to_owned),
        deprecated: false,
        allow_empty: location == Location::Query && allows_empty(raw),
        wire: collection(raw, location == Location::Query)?,
        schema: Some(raw),
    })
}

fn allows_empty(raw: &Value) -> bool {
    raw.get("allowEmptyValue") == Some(&Value::Bool(true))
}

/// How 2.0's `collectionFormat` writes a list. In a path or a header only commas keep the list's parts apart without being escaped.
pub(super) fn collection(raw: &Value, in_query: bool) -> Result<Wire, String> {
    let (style, explode) = match (raw.get("collectionFormat").and_then(Value::as_str).unwrap_or("csv"), in_query) {
        ("csv", true) => (Style::Form, false),
        ("csv", false) => (Style::Simple, false),
        ("multi", true) => (Style::Form, true),
        ("ssv", true) => (Style::Separated("%20"), false),
        ("tsv", true) => (Style::Separated("%09"), false),
        ("pipes", true) => (Style::Separated("%7C"), false),
        (other, _) => return Err(format!("`collectionFormat: {other}` is not supported there")),
    };
    Ok(Wire { style, explode, keep: Keep::Unreserved, json: false })
}

/// `application/json`, any `+json`, with or without parameters; also what stands for anything.
pub(super) fn is_json(media: &str) -> bool {
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/json" | "text/json" | "*/*" | "application/*") || essence.ends_with("+json")
}
