//! Secrets that an API sends back in its reply (in an error that quotes the request, in the address of a redirect) are taken out of it
//! before anybody reads it.
//!
//! Looked for are occurrences of what was sent, of at least [`ECHOED_SECRET_BYTES_MIN`] bytes, in header fields and bodies. Each character
//! may stand as it is, as JSON may write it in a text (`\/`, `\u002b`; libraries differ in what they escape), or as a URL may (`%2F`, `%2f`,
//! `+`). A secret that comes back cut, in another encoding or in pieces is not found.

use std::cmp::Reverse;

use crate::domain::{
    json::RawJson,
    limits::ECHOED_SECRET_BYTES_MIN,
    tool::{ReplyBody, UpstreamReply},
};

/// Words in the name of a header that the operator sets which say that its value is a secret. Others (a version, a tenant, a language)
/// are often ordinary words or dates, and would be found in replies where they mean something else.
const SECRET_HEADERS: [&str; 9] = ["auth", "cookie", "token", "key", "secret", "password", "credential", "session", "signature"];

/// What stands where a secret stood.
const MASK: &str = "********";

/// Words before a secret in a field like `Authorization`: an API may quote what comes behind alone.
const SCHEMES: [&str; 5] = ["bearer", "basic", "token", "apikey", "key"];

/// What is looked for because of a secret: it, and it without the scheme before it, each if it is long enough.
pub(super) fn sought(secret: &str) -> Vec<String> {
    let schemeless = secret.split_once(' ').filter(|(scheme, _)| SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)));
    let texts = [Some(secret), schemeless.map(|(_, bare)| bare.trim())];
    texts.into_iter().flatten().filter(|text| text.len() >= ECHOED_SECRET_BYTES_MIN).map(str::to_owned).collect()
}

/// What is looked for because of a header of the operator's: of cookies each value as well.
pub(super) fn sought_of_header(name: &str, value: &str) -> Vec<String> {
    let cookies = value.split(';').filter(|_| name.eq_ignore_ascii_case("cookie")).filter_map(|pair| pair.split_once('='));
    std::iter::once(value).chain(cookies.map(|(_, cookie)| cookie.trim())).flat_map(sought).collect()
}

/// Whether what a header of the operator's says is taken for a secret.
pub(super) fn is_secret(header: &str) -> bool {
    let name = header.to_ascii_lowercase();
    SECRET_HEADERS.iter().any(|word| name.contains(word))
}

/// The reply without these.
pub(super) fn without(mut reply: UpstreamReply, secrets: &[String]) -> UpstreamReply {
    // One that begins like another would leave its end behind.
    let mut secrets: Vec<&[u8]> = secrets.iter().map(String::as_bytes).collect();
    secrets.sort_unstable_by_key(|secret| Reverse(secret.len()));
    let text = |text: &str| masked(text.as_bytes(), &secrets).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    for (_, value) in &mut reply.headers {
        if let Some(masked) = text(value) {
            *value = masked;
        }
    }
    let body = match &reply.body {
        // A secret of digits may have stood as a number: then what is left is no JSON any more.
        ReplyBody::Json(json) => {
            text(json.get()).map(|masked| RawJson::read(masked.as_bytes()).map_or(ReplyBody::Text(masked), ReplyBody::Json))
        }
        ReplyBody::Text(said) => text(said).map(ReplyBody::Text),
        ReplyBody::Binary { content_type, content, .. } => masked(content, &secrets).map(|left| {
            let content_type = content_type.clone();
            ReplyBody::Binary { content_type, bytes: left.len(), content: left.into() }
        }),
        ReplyBody::Empty => None,
    };
    UpstreamReply { body: body.unwrap_or(reply.body), ..reply }
}

/// `None` if there is nothing to take out, which is the usual case.
fn masked(text: &[u8], secrets: &[&[u8]]) -> Option<Vec<u8>> {
    secrets.iter().fold(None, |left: Option<Vec<u8>>, secret| masked_one(left.as_deref().unwrap_or(text), secret).or(left))
}

fn masked_one(text: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let first = *secret.first()?;
    let mut left: Option<Vec<u8>> = None;
    let (mut kept, mut at) = (0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let may_begin = matches!(rest.first(), Some(&byte) if byte == first || matches!(byte, b'\\' | b'%' | b'+'));
        match may_begin.then(|| length_of(rest, secret)).flatten() {
            Some(length) => {
                let left = left.get_or_insert_default();
                left.extend_from_slice(text.get(kept..at).unwrap_or_default());
                left.extend_from_slice(MASK.as_bytes());
                at += length;
                kept = at;
            }
            None => at += 1,
        }
    }
    if let Some(left) = &mut left {
        left.extend_from_slice(text.get(kept..).unwrap_or_default());
    }
    left
}

/// How many bytes of the text the secret takes, if the text begins with it.
fn length_of(text: &[u8], secret: &[u8]) -> Option<usize> {
    if text.starts_with(secret) {
        return Some(secret.len());
    }
    let (mut at, mut left) = (0, secret);
    while let Some(&next) = left.first() {
        let rest = text.get(at..)?;
        let escaped = unescaped(rest).filter(|(meant, _)| left.starts_with(meant));
        let (meant, length) = match (escaped, rest.first()?) {
            (Some((meant, length)), _) => (meant.len(), length),
            (None, b'+') if next == b' ' => (1, 1),
            (None, &byte) if byte == next => (1, 1),
            (None, _) => return None,
        };
        at += length;
        left = left.get(meant..)?;
    }
    Some(at)
}

/// What the escape at the beginning of the text stands for, and how long it is (RFC 8259, 7; RFC 3986, 2.1).
fn unescaped(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let hex = |digits: &[u8]| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    match text {
        [b'%', high, low, ..] => Some((vec![u8::try_from(hex(&[*high, *low])?).ok()?], 3)),
        [b'\\', b'u', a, b, c, d, ..] => Some((char::from_u32(hex(&[*a, *b, *c, *d])?)?.to_string().into_bytes(), 6)),
        [b'\\', meant @ (b'/' | b'"' | b'\\'), ..] => Some((vec![*meant], 2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn reply(body: ReplyBody) -> UpstreamReply {
        UpstreamReply { status: 200, headers: vec![("location".to_owned(), "/x?key=canary%20%2F+1".to_owned())], body, kept: None }
    }

    #[test]
    fn a_secret_that_comes_back_is_masked_in_every_form_that_was_sent() {
        let secrets = sought("canary /\"1");
        let told = without(reply(ReplyBody::Text("a canary /\"1 b canary%20%2F%221 c canary+%2F%221".to_owned())), &secrets);
        assert_eq!(told.body, ReplyBody::Text("a ******** b ******** c ********".to_owned()));
        let told = without(reply(ReplyBody::Json(json!({"error": "no key canary /\"1!", "n": 1}).into())), &secrets);
        assert_eq!(told.body, ReplyBody::Json(json!({"error": "no key ********!", "n": 1}).into()));
        for secret in ["canary%20%2F+1", "canary / 1"] {
            let told = without(reply(ReplyBody::Empty), &sought(secret));
            assert_eq!(told.headers[0].1, "/x?key=********", "{secret}");
        }
        let told = without(reply(ReplyBody::Empty), &sought("canary /-1"));
        assert_eq!(told.headers[0].1, "/x?key=canary%20%2F+1", "no form of it");
    }

    #[test]
    fn it_does_not_matter_what_the_api_escapes() {
        let secrets = sought("ab+/cé\\\\d==");
        for json in [
            r#"{"e":"k=ab+\/cé\\\\d=="}"#,
            r#"{"e":"k=ab\u002B\u002fc\u00e9\u005c\\d\u003D="}"#,
            r#"{"e":"k=ab%2b%2fc%C3%a9%5C%5cd%3d%3D"}"#,
        ] {
            let told = without(reply(ReplyBody::Json(RawJson::read(json.as_bytes()).unwrap())), &secrets);
            assert_eq!(told.body, ReplyBody::Json(json!({"e": "k=********"}).into()), "{json}");
        }
        let told = without(reply(ReplyBody::Text("\\uab+/cé\\\\d== %zz%\\".to_owned())), &secrets);
        assert_eq!(told.body, ReplyBody::Text("\\u******** %zz%\\".to_owned()));
    }

    #[test]
    fn bytes_that_are_no_text_are_looked_through_and_the_longer_secret_goes_first() {
        let content = Bytes::from_static(b"\0canary-one-and-more\xffcanary-one");
        let body = ReplyBody::Binary { content_type: "x/y".to_owned(), bytes: content.len(), content };
        let secrets = [sought("canary-one"), sought("canary-one-and-more")].concat();
        let ReplyBody::Binary { bytes: 18, content, .. } = without(reply(body), &secrets).body else { panic!("bytes stay bytes") };
        assert_eq!(&content[..], b"\0********\xff********");
    }

    #[test]
    fn what_stands_behind_a_scheme_or_in_a_cookie_is_looked_for_alone() {
        assert_eq!(sought("Bearer canary-1"), ["Bearer canary-1", "canary-1"]);
        assert_eq!(sought("correct horse"), ["correct horse"]);
        assert_eq!(sought_of_header("Cookie", "sid=canary-1; l=en"), ["sid=canary-1; l=en", "canary-1"]);
        assert_eq!(sought_of_header("X-Key", "a=canary-1"), ["a=canary-1"]);
    }

    #[test]
    fn json_that_breaks_by_it_becomes_text_and_short_secrets_are_left_alone() {
        let told = without(reply(ReplyBody::Json(json!({"pin": 1234567890}).into())), &sought("1234567890"));
        assert_eq!(told.body, ReplyBody::Text("{\"pin\":********}".to_owned()));
        assert!(sought("seven77").is_empty());
        let unchanged = reply(ReplyBody::Json(json!([1]).into()));
        assert_eq!(without(unchanged.clone(), &sought("canary-canary")), unchanged);
    }
}
