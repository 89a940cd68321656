//! JSON that is passed on, not worked on: its bytes are kept as they came, so no number is rounded and no name changes its place.

use std::{fmt, sync::Arc};

use serde_json::{Value, value::RawValue};

/// One whole JSON value as text, without white space between its parts. Cheap to clone.
#[derive(Clone)]
pub struct RawJson(Arc<RawValue>);

impl RawJson {
    /// Takes bytes that are one JSON value in UTF-8.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let raw: &RawValue = serde_json::from_slice(bytes).ok()?;
        compact(raw.get()).map_or_else(|| Some(raw.to_owned()), |text| RawValue::from_string(text).ok()).map(|raw| Self(Arc::from(raw)))
    }

    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// For writing it into other JSON as it is.
    pub fn as_raw(&self) -> &RawValue {
        &self.0
    }

    /// The value, to look into it; `None` if it nests deeper than can be looked into.
    pub fn value(&self) -> Option<Value> {
        serde_json::from_str(self.get()).ok()
    }
}

impl From<Box<RawValue>> for RawJson {
    fn from(raw: Box<RawValue>) -> Self {
        Self(Arc::from(raw))
    }
}

impl From<&Value> for RawJson {
    fn from(value: &Value) -> Self {
        // A value written as text is JSON.
        Self(Arc::from(RawValue::from_string(value.to_string()).unwrap_or_default()))
    }
}

impl From<Value> for RawJson {
    fn from(value: Value) -> Self {
        Self::from(&value)
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for RawJson {}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

/// How deep the brackets outside strings nest: cheaper and safer to count than to find out by recursion.
pub fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in outside_strings(text) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// How many values a JSON text has at most: what it takes when it is read goes by them rather than by its length.
pub fn values(text: &str) -> usize {
    outside_strings(text).filter(|byte| matches!(byte, b'{' | b'[' | b',')).count() + 1
}

/// The bytes of a JSON text that do not stand in strings.
fn outside_strings(text: &str) -> impl Iterator<Item = u8> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().filter(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => return !quoted,
        }
        false
    })
}

/// The text without white space outside of strings; `None` if there is none to leave out.
fn compact(text: &str) -> Option<String> {
    let mut kept = String::new();
    let mut from = 0;
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b' ' | b'\n' | b'\r' | b'\t' if !quoted => {
                kept.push_str(text.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => {}
        }
    }
    if from == 0 {
        return None;
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_order_stay_as_they_came_and_white_space_goes() {
        let text = b"{ \"z\": 12345678901234567890.0100, \n\t\"a b\": [1e400, \"x \\\" y\"] }";
        let json = RawJson::read(text).unwrap();
        assert_eq!(json.get(), r#"{"z":12345678901234567890.0100,"a b":[1e400,"x \" y"]}"#);
        assert_eq!(RawJson::read(b"[1,2]").unwrap().value(), Some(serde_json::json!([1, 2])));
    }

    #[test]
    fn brackets_and_commas_in_texts_do_not_count() {
        assert_eq!(depth(r#"{"a": "[[[[\"[[", "b": [[1]]}"#), 3);
        assert_eq!(values(r#"{"a": "[,\",[", "b": [[1], 2]}"#), 6);
        assert_eq!((depth("1"), values("1")), (0, 1));
    }

    #[test]
    fn what_is_not_one_json_value_is_not_taken() {
        for bytes in [&b""[..], b"{", b"1 2", b"{\"a\":}", b"\xff", b"nul"] {
            assert!(RawJson::read(bytes).is_none(), "{bytes:?}");
        }
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        assert_eq!(RawJson::read(deep.as_bytes()).unwrap().value(), None, "kept, though it cannot be looked into");
    }
}
