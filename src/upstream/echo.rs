//! Secrets that an API sends back in its reply (in an error that quotes the request, in the address of a redirect) are taken out of it
//! before anybody reads it.
//!
//! Looked for are exact occurrences of what was sent, as it is, as JSON writes it in a text, and as a query writes it, of at least
//! [`ECHOED_SECRET_BYTES_MIN`] bytes, in header fields and bodies that are text. A secret that comes back cut, in another encoding, in
//! pieces or among bytes that are no text is not found.

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

/// The forms in which a secret may come back.
pub(super) fn forms(secret: &str) -> Vec<String> {
    if secret.len() < ECHOED_SECRET_BYTES_MIN {
        return Vec::new();
    }
    let quoted = serde_json::Value::from(secret).to_string();
    let in_json = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned();
    let in_query = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
    let in_path = in_query.replace("%2D", "-").replace("%5F", "_").replace("%2E", ".").replace("%7E", "~");
    let in_form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut forms = vec![secret.to_owned(), in_json, in_query, in_path, in_form];
    forms.sort();
    forms.dedup();
    forms
}

/// Whether what a header of the operator's says is taken for a secret.
pub(super) fn is_secret(header: &str) -> bool {
    let name = header.to_ascii_lowercase();
    SECRET_HEADERS.iter().any(|word| name.contains(word))
}

/// The reply without these.
pub(super) fn without(mut reply: UpstreamReply, secrets: &[String]) -> UpstreamReply {
    for (_, value) in &mut reply.headers {
        if let Some(masked) = masked(value, secrets) {
            *value = masked;
        }
    }
    match &reply.body {
        ReplyBody::Json(json) => {
            if let Some(masked) = masked(json.get(), secrets) {
                // A secret of digits may have stood as a number: then what is left is no JSON any more.
                reply.body = RawJson::read(masked.as_bytes()).map_or(ReplyBody::Text(masked), ReplyBody::Json);
            }
        }
        ReplyBody::Text(text) => {
            if let Some(masked) = masked(text, secrets) {
                reply.body = ReplyBody::Text(masked);
            }
        }
        ReplyBody::Empty | ReplyBody::Binary { .. } => {}
    }
    reply
}

/// `None` if there is nothing to take out, which is the usual case.
fn masked(text: &str, secrets: &[String]) -> Option<String> {
    secrets
        .iter()
        .filter(|secret| text.contains(secret.as_str()))
        .fold(None, |masked: Option<String>, secret| Some(masked.as_deref().unwrap_or(text).replace(secret.as_str(), MASK)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply(body: ReplyBody) -> UpstreamReply {
        UpstreamReply { status: 200, headers: vec![("location".to_owned(), "/x?key=canary%20%2F+1".to_owned())], body, kept: None }
    }

    #[test]
    fn a_secret_that_comes_back_is_masked_in_every_form_that_was_sent() {
        let secrets = forms("canary /\"1");
        let told = without(reply(ReplyBody::Text("a canary /\"1 b canary%20%2F%221 c canary+%2F%221".to_owned())), &secrets);
        assert_eq!(told.body, ReplyBody::Text("a ******** b ******** c ********".to_owned()));
        let told = without(reply(ReplyBody::Json(json!({"error": "no key canary /\"1!", "n": 1}).into())), &secrets);
        assert_eq!(told.body, ReplyBody::Json(json!({"error": "no key ********!", "n": 1}).into()));
        let told = without(reply(ReplyBody::Empty), &forms("canary /+1"));
        assert_eq!(told.headers[0].1, "/x?key=canary%20%2F+1", "no form of it");
        let told = without(reply(ReplyBody::Empty), &forms("canary%20%2F+1"));
        assert_eq!(told.headers[0].1, "/x?key=********");
    }

    #[test]
    fn json_that_breaks_by_it_becomes_text_and_short_secrets_are_left_alone() {
        let told = without(reply(ReplyBody::Json(json!({"pin": 1234567890}).into())), &forms("1234567890"));
        assert_eq!(told.body, ReplyBody::Text("{\"pin\":********}".to_owned()));
        assert!(forms("seven77").is_empty());
        let unchanged = reply(ReplyBody::Json(json!([1]).into()));
        assert_eq!(without(unchanged.clone(), &forms("canary-canary")), unchanged);
    }
}
