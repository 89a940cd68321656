//! A JSON text taken apart one level deep: what is in it stays the text that it was, so no number is rounded and nothing is built in memory.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer as _,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// What a JSON text is, by its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Array,
    Object,
    Text,
    /// A number, true, false or null.
    Scalar,
}

pub(super) fn kind_of(raw: &str) -> Kind {
    match raw.as_bytes().first() {
        Some(b'[') => Kind::Array,
        Some(b'{') => Kind::Object,
        Some(b'"') => Kind::Text,
        _ => Kind::Scalar,
    }
}

/// Shows every element of an array, in order; returns how many there are. What is no array has none.
pub(super) fn elements<'a>(raw: &'a str, take: impl FnMut(usize, &'a str)) -> usize {
    let mut elements = Elements { take, count: 0 };
    // What is no array is not taken apart; a reply was read as JSON before, so it has no other fault.
    let _ = serde_json::Deserializer::from_str(raw).deserialize_seq(&mut elements);
    elements.count
}

/// Shows every member of an object, in order; returns how many there are. What is no object has none.
pub(super) fn members<'a>(raw: &'a str, take: impl FnMut(usize, &str, &'a str)) -> usize {
    let mut members = Members { take, count: 0 };
    let _ = serde_json::Deserializer::from_str(raw).deserialize_map(&mut members);
    members.count
}

/// The text that a JSON string means. Half a surrogate pair means nothing: then it is shown as it was written.
pub(super) fn text(raw: &str) -> Cow<'_, str> {
    match serde_json::from_str::<String>(raw) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(raw.trim_matches('"')),
    }
}

/// A text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    // Writing text into memory cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}

struct Elements<F> {
    take: F,
    count: usize,
}

impl<'de, F: FnMut(usize, &'de str)> Visitor<'de> for &mut Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element::<&'de RawValue>()? {
            (self.take)(self.count, element.get());
            self.count = self.count.checked_add(1).ok_or_else(|| A::Error::custom("too many"))?;
        }
        Ok(())
    }
}

struct Members<F> {
    take: F,
    count: usize,
}

impl<'de, F: FnMut(usize, &str, &'de str)> Visitor<'de> for &mut Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
            (self.take)(self.count, &text(name.get()), value.get());
            self.count = self.count.checked_add(1).ok_or_else(|| A::Error::custom("too many"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_text_that_they_were() {
        let mut seen = Vec::new();
        let raw = r#"[1.10,{"a":[1e400]},"\u4f60\ud800",[]]"#;
        assert_eq!(elements(raw, |at, raw| seen.push((at, raw))), 4);
        assert_eq!(seen, [(0, "1.10"), (1, r#"{"a":[1e400]}"#), (2, r#""\u4f60\ud800""#), (3, "[]")]);
        let mut seen = Vec::new();
        assert_eq!(members(r#"{"\u4f60":1,"\ud800":2,"a":{"b":[]},"a":3}"#, |_, name, raw| seen.push((name.to_owned(), raw))), 4);
        let expected = [("你", "1"), ("\\ud800", "2"), ("a", r#"{"b":[]}"#), ("a", "3")].map(|(name, raw)| (name.to_owned(), raw));
        assert_eq!(seen, expected);
        assert_eq!((elements("{}", |_, _| {}), members("[1]", |_, _, _| {}), elements("12", |_, _| {})), (0, 0, 0));
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = format!("[{}{}]", "[".repeat(500_000), "]".repeat(500_000));
        assert_eq!(elements(&deep, |_, raw| assert_eq!(raw.len(), 1_000_000)), 1);
    }
}
