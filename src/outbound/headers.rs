//! Header fields of a request or a reply.

use std::borrow::Cow;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Header fields in order of arrival; names are compared without case.
#[derive(Debug, Clone, Default)]
pub struct Headers(HeaderMap);

/// A name that is no token or a value with control characters in it (RFC 9110, 5.1 and 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a header field")]
pub struct BadHeader;

impl Headers {
    /// Adds a field beside those of the same name.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), BadHeader> {
        let (name, value) = field(name, value)?;
        self.0.append(name, value);
        Ok(())
    }

    /// Sets a field that is never shown when the headers are printed for debugging.
    pub fn set_secret(&mut self, name: &str, value: &str) -> Result<(), BadHeader> {
        let (name, mut value) = field(name, value)?;
        value.set_sensitive(true);
        self.0.insert(name, value);
        Ok(())
    }

    /// Adds a field beside those of the same name that is never shown when the headers are printed for debugging.
    pub fn add_secret(&mut self, name: &str, value: &str) -> Result<(), BadHeader> {
        let (name, mut value) = field(name, value)?;
        value.set_sensitive(true);
        self.0.append(name, value);
        Ok(())
    }

    /// Takes every field of that name away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The first value of that name, if it is visible ASCII.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether there is a field of that name, whatever its value.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Names in lower case, values with whatever is not UTF-8 replaced.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
    }

    pub(super) fn from_map(map: HeaderMap) -> Self {
        Self(map)
    }

    pub(super) fn into_map(self) -> HeaderMap {
        self.0
    }
}

fn field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), BadHeader> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| BadHeader)?;
    let value = HeaderValue::from_str(value).map_err(|_| BadHeader)?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_does_not_get_into_a_header() {
        let mut headers = Headers::default();
        for (name, value) in [("x-a", "1\r\nx-b: 2"), ("x-a", "1\n"), ("x-a\r\n", "1"), ("", "1"), ("x a", "1"), ("x-a", "\0")] {
            assert_eq!(headers.add(name, value), Err(BadHeader), "{name:?}: {value:?}");
        }
        assert_eq!(headers.iter().count(), 0);
    }

    #[test]
    fn a_secret_field_is_not_printed() {
        let mut headers = Headers::default();
        assert_eq!(headers.set_secret("authorization", "Bearer canary"), Ok(()));
        assert_eq!(headers.get("Authorization"), Some("Bearer canary"));
        assert!(!format!("{headers:?}").contains("canary"));
    }
}
