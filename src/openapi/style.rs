//! How a parameter's value is written: the seven styles of OpenAPI 3, the tab of Swagger 2.0, and JSON text.
//!
//! Where the specification leaves a form open, this is ours: null inside a list or an object is refused, a nested list or object is
//! written as compact JSON, an empty list or object in a query is left out, `deepObject` nests by brackets (`a[b][c]=1`) and repeats the
//! name for a list (`a[b]=1&a[b]=2`), an exploded cookie list repeats the cookie. What could not be told from two values on the other
//! side is refused: a space in a part between spaces, a bar between bars, a dot between dots, a comma in a header or a cookie.

use serde_json::{Map, Value};

use super::encode::{Keep, percent};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    /// `spaceDelimited`, `pipeDelimited` and 2.0's `tsv`: a separator that is itself escaped.
    Separated(&'static str),
    DeepObject,
}

/// How one parameter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wire {
    pub style: Style,
    pub explode: bool,
    pub keep: Keep,
    /// The value is one JSON text (`content: application/json`).
    pub json: bool,
}

/// Why a value cannot be written; completes "`name` …".
type Reason = String;

/// A value for a hole of the path, escaped.
pub(super) fn in_path(name: &str, value: &Value, wire: &Wire) -> Result<String, Reason> {
    let escaped_name = escape(name, wire);
    let (start, separator, named) = match (wire.style, wire.explode) {
        (Style::Label, true) => (".", ".", false),
        (Style::Label, false) => (".", ",", false),
        (Style::Matrix, true) => (";", ";", true),
        (Style::Matrix, false) => (";", ",", false),
        _ => ("", ",", false),
    };
    let (body, single) = match value {
        _ if wire.json => (escape(&value.to_string(), wire), true),
        Value::Array(items) => {
            let label = if named { format!("{escaped_name}=") } else { String::new() };
            let parts: Result<Vec<String>, Reason> =
                items.iter().map(|item| Ok(format!("{label}{}", escape(&part(item, separator)?, wire)))).collect();
            (parts?.join(separator), false)
        }
        Value::Object(map) => (pairs(map, wire, wire.explode, separator)?, false),
        scalar => {
            let text = text(scalar)?;
            match text.as_str() {
                "." | ".." => return Err(format!("is `{text}`, which servers and proxies resolve away in a path")),
                _ => (escape(&text, wire), true),
            }
        }
    };
    if body.is_empty() {
        return Err("is empty, which a path cannot carry".to_owned());
    }
    let matrix_name = wire.style == Style::Matrix && (single || !wire.explode);
    Ok(if matrix_name { format!(";{escaped_name}={body}") } else { format!("{start}{body}") })
}

/// Appends a query (or form) parameter as one or more `name=value` joined by `&`; nothing for an empty list or object.
pub(super) fn in_query(out: &mut String, name: &str, value: &Value, wire: &Wire) -> Result<(), Reason> {
    let (key, items, separator) = match (value, wire.style) {
        _ if wire.json => return pair(out, name, &value.to_string(), wire),
        (Value::Object(map), Style::DeepObject) => return deep(out, name, map, wire),
        (Value::Array(items), Style::DeepObject) => {
            return items.iter().try_for_each(|item| pair(out, name, &text(item)?, wire));
        }
        (Value::Array(items), _) if wire.explode => {
            return items.iter().try_for_each(|item| pair(out, name, &text(item)?, wire));
        }
        (Value::Object(map), _) if wire.explode => {
            return map.iter().try_for_each(|(key, item)| pair(out, key, &text(item)?, wire));
        }
        (Value::Array(items), style) => {
            let separator = separator(style);
            let parts: Result<Vec<String>, Reason> = items.iter().map(|item| Ok(comma_free(&part(item, separator)?, wire))).collect();
            (escape(name, wire), parts?, separator)
        }
        (Value::Object(map), style) => {
            let separator = separator(style);
            let mut parts = Vec::with_capacity(map.len() * 2);
            for (key, item) in map {
                parts.push(comma_free(&single(key.clone(), separator)?, wire));
                parts.push(comma_free(&part(item, separator)?, wire));
            }
            (escape(name, wire), parts, separator)
        }
        (scalar, _) => return pair(out, name, &text(scalar)?, wire),
    };
    if !items.is_empty() {
        ampersand(out);
        out.push_str(&key);
        out.push('=');
        out.push_str(&items.join(separator));
    }
    Ok(())
}

/// A header's value: the simple style, nothing escaped; none for an empty list or object. What a header cannot carry is refused
/// (RFC 9110, 5.5).
pub(super) fn in_header(value: &Value, wire: &Wire) -> Result<Option<String>, Reason> {
    if is_nothing(value, wire) {
        return Ok(None);
    }
    let plain = plain(value, wire)?;
    if has_blank_ends(&plain) {
        return Err("begins or ends with white space, which a header cannot carry".to_owned());
    }
    if plain.chars().any(|c| c.is_control() && c != '\t') {
        return Err("contains a line break or another control character, which a header cannot carry".to_owned());
    }
    if !plain.is_ascii() {
        return Err("contains characters outside ASCII, which a header cannot carry".to_owned());
    }
    Ok(Some(plain))
}

/// Whether there is nothing to write: a list without items, an object without properties.
fn is_nothing(value: &Value, wire: &Wire) -> bool {
    !wire.json && (value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty))
}

/// One cookie as `name=value`, several when a list or an object is exploded. Nothing is escaped: cookie values have no escapes
/// (RFC 6265, 4.1.1), so what would end one is refused.
pub(super) fn in_cookie(name: &str, value: &Value, wire: &Wire) -> Result<Vec<String>, Reason> {
    let exploded = wire.explode && !wire.json;
    let cookies: Vec<(&str, String)> = match value {
        Value::Array(items) if exploded => items.iter().map(|item| Ok((name, text(item)?))).collect::<Result<_, Reason>>()?,
        Value::Object(map) if exploded => map.iter().map(|(key, item)| Ok((key.as_str(), text(item)?))).collect::<Result<_, Reason>>()?,
        nothing if is_nothing(nothing, wire) => Vec::new(),
        other => vec![(name, plain(other, wire)?)],
    };
    let bad = |text: &str| text.chars().any(|c| c.is_control() || !c.is_ascii() || c == ';');
    if cookies.iter().any(|(name, value)| bad(name) || name.contains(['=', ' ', ',']) || bad(value)) {
        return Err("contains `;`, a line break or characters outside ASCII, which a cookie cannot carry".to_owned());
    }
    if cookies.iter().any(|(name, value)| has_blank_ends(name) || has_blank_ends(value)) {
        return Err("begins or ends with white space, which a cookie cannot carry".to_owned());
    }
    Ok(cookies.into_iter().map(|(name, value)| format!("{name}={value}")).collect())
}

/// What readers of a header (RFC 9110, 5.5) and of a cookie (RFC 6265, 5.2) take away.
fn has_blank_ends(text: &str) -> bool {
    text.starts_with([' ', '\t']) || text.ends_with([' ', '\t'])
}

/// The parts, name and text, that a list or an object becomes in a multipart body whose encoding gives it a style: what the query would
/// hold between its ampersands, unescaped (OpenAPI 3.1.1, Encoding Object and appendix E).
pub(super) fn in_multipart(name: &str, value: &Value, wire: &Wire) -> Result<Vec<(String, String)>, Reason> {
    let one_text = |texts: Vec<String>| {
        let separator = percent_encoding::percent_decode_str(separator(wire.style)).decode_utf8_lossy();
        match texts.iter().find(|text| text.contains(&*separator)) {
            Some(text) => Err(format!("has the part `{text}` with `{separator}`, which would read as two")),
            None => Ok(vec![(name.to_owned(), texts.join(&separator))]),
        }
    };
    match value {
        Value::Object(map) if wire.style == Style::DeepObject => {
            let parts: Result<Vec<_>, Reason> = map.iter().map(|(key, item)| in_multipart(&format!("{name}[{key}]"), item, wire)).collect();
            Ok(parts?.concat())
        }
        Value::Object(map) if wire.explode => map.iter().map(|(key, item)| Ok((key.clone(), text(item)?))).collect(),
        Value::Object(map) => {
            let texts: Result<Vec<[String; 2]>, Reason> = map.iter().map(|(key, item)| Ok([key.clone(), text(item)?])).collect();
            one_text(texts?.concat())
        }
        Value::Array(items) if wire.explode || wire.style == Style::DeepObject => {
            items.iter().map(|item| Ok((name.to_owned(), text(item)?))).collect()
        }
        Value::Array(items) => one_text(items.iter().map(text).collect::<Result<_, Reason>>()?),
        scalar => Ok(vec![(name.to_owned(), text(scalar)?)]),
    }
}

/// The simple style without escaping, for headers and cookies.
fn plain(value: &Value, wire: &Wire) -> Result<String, Reason> {
    let unambiguous = |part: String| match part {
        part if part.contains(',') => Err(format!("has the part `{part}` with a comma, which would read as two")),
        part if has_blank_ends(&part) => Err(format!("has the part `{part}` with white space at an end, which would be lost")),
        part => Ok(part),
    };
    match value {
        _ if wire.json => Ok(value.to_string()),
        Value::Array(items) => Ok(items.iter().map(|item| unambiguous(text(item)?)).collect::<Result<Vec<_>, Reason>>()?.join(",")),
        Value::Object(map) => {
            let equals = if wire.explode { '=' } else { ',' };
            let part = |(key, item): (&String, &Value)| {
                if wire.explode && key.contains('=') {
                    return Err(format!("has the property `{key}` with an equals sign, which would read as another"));
                }
                Ok(format!("{}{equals}{}", unambiguous(key.clone())?, unambiguous(text(item)?)?))
            };
            Ok(map.iter().map(part).collect::<Result<Vec<_>, Reason>>()?.join(","))
        }
        scalar => text(scalar),
    }
}

fn deep(out: &mut String, name: &str, map: &Map<String, Value>, wire: &Wire) -> Result<(), Reason> {
    map.iter().try_for_each(|(key, value)| {
        let name = format!("{name}[{key}]");
        match value {
            Value::Object(inner) => deep(out, &name, inner, wire),
            Value::Array(items) => items.iter().try_for_each(|item| pair(out, &name, &text(item)?, wire)),
            scalar => pair(out, &name, &text(scalar)?, wire),
        }
    })
}

fn separator(style: Style) -> &'static str {
    match style {
        Style::Separated(separator) => separator,
        _ => ",",
    }
}

fn pairs(map: &Map<String, Value>, wire: &Wire, explode: bool, separator: &str) -> Result<String, Reason> {
    let equals = if explode { "=" } else { "," };
    let pair = |(key, item): (&String, &Value)| {
        Ok(format!("{}{equals}{}", escape(&single(key.clone(), separator)?, wire), escape(&part(item, separator)?, wire)))
    };
    Ok(map.iter().map(pair).collect::<Result<Vec<_>, Reason>>()?.join(separator))
}

/// One of several values in one text.
fn part(item: &Value, separator: &str) -> Result<String, Reason> {
    single(text(item)?, separator)
}

/// A part, if it has nothing in it that stands between parts and that escaping does not tell apart: a dot needs none, and what is
/// between the parts is itself escaped in the delimited styles.
fn single(part: String, separator: &str) -> Result<String, Reason> {
    let between = match separator {
        "%20" => (' ', "a space"),
        "%7C" => ('|', "a bar"),
        "%09" => ('\t', "a tab"),
        "." => ('.', "a dot"),
        _ => return Ok(part),
    };
    if part.contains(between.0) { Err(format!("has the part `{part}` with {}, which would read as two", between.1)) } else { Ok(part) }
}

fn pair(out: &mut String, name: &str, value: &str, wire: &Wire) -> Result<(), Reason> {
    ampersand(out);
    percent(out, name, Keep::Unreserved);
    out.push('=');
    percent(out, value, wire.keep);
    Ok(())
}

fn ampersand(out: &mut String) {
    if !out.is_empty() {
        out.push('&');
    }
}

fn escape(text: &str, wire: &Wire) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    percent(&mut out, text, wire.keep);
    out
}

/// A part of a list: the comma between the parts is the only one, even where reserved characters are kept.
fn comma_free(text: &str, wire: &Wire) -> String {
    escape(text, wire).replace(',', "%2C")
}

/// A value as text: strings as they are, whole numbers without a fraction, nested values as compact JSON.
pub(super) fn text(value: &Value) -> Result<String, Reason> {
    match value {
        Value::Null => Err("contains null, which has no form there".to_owned()),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => format!("{float:.0}"),
            _ => number.to_string(),
        }),
        other => Ok(other.to_string()),
    }
}
