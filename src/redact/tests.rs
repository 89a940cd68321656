//! What is found and taken out, form by form, and what is left alone.

use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::domain::{
    json::RawJson,
    tool::{Outcome, ReplyBody, UpstreamReply},
};

fn without(body: ReplyBody, secrets: &[&str]) -> UpstreamReply {
    let headers = vec![("location".to_owned(), "/x?key=canary%20%2F+1".to_owned())];
    let mut outcome = Outcome::Replied(UpstreamReply { status: 200, headers, body, kept: None });
    Redactor::of(secrets.iter().copied()).in_outcome(&mut outcome);
    let Outcome::Replied(reply) = outcome else { panic!("a reply stays a reply") };
    reply
}

#[test]
fn a_secret_that_comes_back_is_taken_out_in_every_form_that_was_sent() {
    let secret = "canary /\"1";
    let told = without(ReplyBody::Text("a canary /\"1 b canary%20%2F%221 c canary+%2F%221".to_owned()), &[secret]);
    assert_eq!(told.body, ReplyBody::Text("a [redacted] b [redacted] c [redacted]".to_owned()));
    let told = without(ReplyBody::Json(json!({"error": "no key canary /\"1!", "n": 1}).into()), &[secret]);
    assert_eq!(told.body, ReplyBody::Json(json!({"error": "no key [redacted]!", "n": 1}).into()));
    for secret in ["canary%20%2F+1", "canary / 1"] {
        assert_eq!(without(ReplyBody::Empty, &[secret]).headers[0].1, "/x?key=[redacted]", "{secret}");
    }
    assert_eq!(without(ReplyBody::Empty, &["canary /-1"]).headers[0].1, "/x?key=canary%20%2F+1", "no form of it");
}

#[test]
fn it_does_not_matter_what_the_api_escapes() {
    let secret = "ab+/cé\\\\d==";
    for json in
        [r#"{"e":"k=ab+\/cé\\\\d=="}"#, r#"{"e":"k=ab\u002B\u002fc\u00e9\u005c\\d\u003D="}"#, r#"{"e":"k=ab%2b%2fc%C3%a9%5C%5cd%3d%3D"}"#]
    {
        let told = without(ReplyBody::Json(RawJson::read(json.as_bytes()).unwrap()), &[secret]);
        assert_eq!(told.body, ReplyBody::Json(json!({"e": "k=[redacted]"}).into()), "{json}");
    }
    let told = without(ReplyBody::Text("\\uab+/cé\\\\d== %zz%\\".to_owned()), &[secret]);
    assert_eq!(told.body, ReplyBody::Text("\\u[redacted] %zz%\\".to_owned()));
}

#[test]
fn bytes_that_are_no_text_are_looked_through_and_secrets_that_overlap_go_as_one() {
    let content = Bytes::from_static(b"\0canary-one-and-more\xffcanary-one");
    let body = ReplyBody::Binary { content_type: "x/y".to_owned(), bytes: content.len(), content };
    let ReplyBody::Binary { bytes: 22, content, .. } = without(body, &["canary-one", "canary-one-and-more"]).body else {
        panic!("bytes stay bytes")
    };
    assert_eq!(&content[..], b"\0[redacted]\xff[redacted]");
    assert_eq!(Redactor::of(["one-two-three", "three-four"]).text("a one-two-three-four b"), "a [redacted] b");
}

#[test]
fn json_that_breaks_by_it_becomes_text_and_short_secrets_are_left_alone() {
    let told = without(ReplyBody::Json(json!({"pin": 1234567890}).into()), &["1234567890"]);
    assert_eq!(told.body, ReplyBody::Text("{\"pin\":[redacted]}".to_owned()));
    assert!(Redactor::of(["seven77", ""]).is_empty());
    let mut value = json!({"a": [1234567890, "x 1234567890"], "b": 12});
    Redactor::of(["1234567890"]).in_value(&mut value);
    assert_eq!(value, json!({"a": ["[redacted]", "x [redacted]"], "b": 12}));
}

#[test]
fn base64_is_found_alone_and_within_something_longer() {
    let redactor = Redactor::of(["swordfish-9", "ann:swordfish-9"]);
    let whole = crate::domain::base64::encode(b"ann:swordfish-9");
    assert_eq!(redactor.text(&format!("Authorization: Basic {whole}")), "Authorization: Basic [redacted]");
    let alone = crate::domain::base64::encode(b"swordfish-9");
    assert_eq!(redactor.text(&alone.replace('=', "%3D")), "[redacted]");
    let of_others = crate::domain::base64::encode(b"somebody:swordfish-9!");
    let left = redactor.text(&of_others);
    assert!(left.contains("[redacted]") && left.len() < of_others.len() + REDACTED.len() - 12, "{left}");
}

#[test]
fn pieces_are_told_as_soon_as_they_cannot_become_a_secret() {
    let spoken = Redactor::of(["canary-one", "one-more-thing"]).spoken();
    let told: Vec<String> =
        ["I can", " say", " canary", "-one", "-more", " and ", "100", "% of it, ca"].iter().map(|piece| spoken.piece(piece)).collect();
    assert_eq!(told, ["I ", "can say", " ", "", "", "[redacted]-more and ", "100", "% of it, "]);
    assert_eq!(spoken.rest(), "ca");
    assert_eq!(spoken.rest(), "");
    let spoken = Redactor::of(["canary-one", "one-more-thing"]).spoken();
    assert_eq!(["canary-one-", "more-thin", "g."].map(|piece| spoken.piece(piece)).concat(), "[redacted].");
    let nothing = Redactor::default().spoken();
    assert_eq!((nothing.piece("any%"), nothing.rest()), ("any%".to_owned(), String::new()));
}
