//! Where an OpenAI-compatible endpoint is, and the headers that every request to it has.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::endpoint::BadValue;
use crate::outbound::{Headers, Url};

const COMPLETIONS: &str = "/chat/completions";
const EMBEDDINGS: &str = "/embeddings";

/// Where chat completions are. Operators give it with or without the last two segments, with or without a slash; a query stays.
pub(super) fn completions(text: &str) -> Result<Url, BadValue> {
    address(text, COMPLETIONS)
}

/// Where embeddings are: given up to the same place, with the last segment, or as where chat completions are.
pub(super) fn embeddings(text: &str) -> Result<Url, BadValue> {
    address(text, EMBEDDINGS)
}

fn address(text: &str, resource: &str) -> Result<Url, BadValue> {
    let mut url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or(BadValue::NotHttp)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadValue::Credentials);
    }
    let path = url.path().trim_end_matches('/');
    let base = path.strip_suffix(COMPLETIONS).or_else(|| path.strip_suffix(resource)).unwrap_or(path);
    url.set_path(&format!("{base}{resource}"));
    url.set_fragment(None);
    Ok(url)
}

/// The key, and what the operator says of headers, which wins but for what the body is.
pub(super) fn headers(key: Option<&SecretString>, own: &BTreeMap<String, SecretString>, accept: &str) -> Result<Headers, BadValue> {
    let mut headers = Headers::default();
    let key = key.map(|key| key.expose_secret().trim()).filter(|key| !key.is_empty());
    let keyed = key.map_or(Ok(()), |key| headers.set_secret("authorization", &format!("Bearer {key}")));
    keyed.map_err(|_| BadValue::Key)?;
    for (name, value) in own {
        headers.set_secret(name, value.expose_secret()).map_err(|_| BadValue::Header)?;
    }
    for (name, value) in [("content-type", "application/json"), ("accept", accept)] {
        headers.remove(name);
        headers.add(name, value).map_err(|_| BadValue::Header)?;
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_completed() {
        for (given, expected) in [
            ("http://h/v1", "http://h/v1/chat/completions"),
            ("http://h/v1/", "http://h/v1/chat/completions"),
            ("http://h", "http://h/chat/completions"),
            ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
            ("http://h/v1/chat/completions/", "http://h/v1/chat/completions"),
            (" https://h/openai/deployments/x?api-version=1#y ", "https://h/openai/deployments/x/chat/completions?api-version=1"),
        ] {
            assert_eq!(completions(given).map(String::from), Ok(expected.to_owned()), "{given}");
        }
        for given in ["http://h/v1", "http://h/v1/", "http://h/v1/embeddings", "http://h/v1/embeddings/", "http://h/v1/chat/completions"] {
            assert_eq!(embeddings(given).map(String::from), Ok("http://h/v1/embeddings".to_owned()), "{given}");
        }
        assert_eq!(embeddings("https://h/x?api-version=1").map(String::from), Ok("https://h/x/embeddings?api-version=1".to_owned()));
    }
}
