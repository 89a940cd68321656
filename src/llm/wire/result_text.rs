//! What a model reads of one call's outcome: compact JSON text, errors as errors, never longer than it may be.

use std::{borrow::Cow, io};

use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{
    domain::{
        language::Language,
        limits::RESULT_TO_MODEL_BYTES_MAX,
        tool::{Outcome, Refusal, ReplyBody, ToolResult, UpstreamReply},
    },
    excerpt::{self, Rest},
};

/// Ends a text that was cut.
const CUT: &str = "…[cut: the result is longer]";
/// With less room than this, a body is not cut to size but where the room ends, in bytes.
const BODY_ROOM_MIN: usize = 128;

/// Whether a model is told all of a result when it comes.
pub fn told_whole(result: &ToolResult) -> bool {
    let mut text = Bounded { bytes: Vec::new(), bytes_max: RESULT_TO_MODEL_BYTES_MAX };
    let is_text = !matches!(&result.outcome, Outcome::Replied(UpstreamReply { body: ReplyBody::Binary { .. }, .. }));
    is_text && serde_json::to_writer(&mut text, &Said::from(result)).is_ok()
}

/// Whether more of a result can be read than is told.
pub(super) fn can_be_read(result: &ToolResult) -> bool {
    matches!(&result.outcome, Outcome::Replied(reply) if reply.kept.is_some() && !matches!(reply.body, ReplyBody::Binary { .. }))
}

/// One outcome as text of at most `bytes_max` bytes. A reply that is longer is cut to size, with marks that say what is missing and how the
/// function `reader` reads it; what cannot be cut so is cut on a character boundary with a visible mark.
pub(super) fn of(result: &ToolResult, bytes_max: usize, reader: &str) -> String {
    let mut said = Said::from(result);
    said.note = note(result, reader);
    let mut text = Bounded { bytes: Vec::with_capacity(256), bytes_max };
    // The only error is the bound; what was written up to it is kept.
    let whole = serde_json::to_writer(&mut text, &said).is_ok();
    if !whole && let Some(shortened) = shortened(result, &said, bytes_max, reader) {
        return shortened;
    }
    let mut bytes = text.bytes;
    if whole {
        return into_text(bytes);
    }
    bytes.truncate(bytes_max.saturating_sub(CUT.len()));
    into_text(bytes) + CUT
}

fn note(result: &ToolResult, reader: &str) -> Option<String> {
    let Outcome::Replied(reply) = &result.outcome else { return None };
    let id = reply.kept.as_ref()?;
    if can_be_read(result) {
        let call = Rest { reader, id: Some(id) }.from_the_beginning()?;
        return Some(format!("the result is long; {call} reads all of it"));
    }
    Some(format!("the bytes are kept for the user: GET /api/results/{id}"))
}

/// A reply with as much of its body as there is room for.
fn shortened(result: &ToolResult, said: &Said<'_>, bytes_max: usize, reader: &str) -> Option<String> {
    const BODY: &str = ",\"body\":";
    let Outcome::Replied(reply) = &result.outcome else { return None };
    let around = Said { body: None, note: said.note.clone(), ..Said::from(reply) };
    let room = bytes_max.checked_sub(serde_json::to_string(&around).ok()?.len() + BODY.len()).filter(|room| *room >= BODY_ROOM_MIN)?;
    let body = excerpt::of(&reply.body, room, &Rest { reader, id: reply.kept.as_ref() })?;
    let cut = UpstreamReply { status: reply.status, headers: Vec::new(), body, kept: None };
    let body = Said::from(&cut).body;
    serde_json::to_string(&Said { body, ..around }).ok()
}

/// Everything before the first byte that is not UTF-8: a character may have been cut in two.
fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let valid = error.utf8_error().valid_up_to();
        let mut bytes = error.into_bytes();
        bytes.truncate(valid);
        String::from_utf8(bytes).unwrap_or_default()
    })
}

/// Takes bytes up to its bound and fails there, so that a large body is not written out only to be cut.
struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        let room = self.bytes_max - self.bytes.len();
        let taken = more.len().min(room);
        self.bytes.extend_from_slice(more.get(..taken).unwrap_or_default());
        if taken < more.len() { Err(io::ErrorKind::WriteZero.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The text's shape. Fields that are absent are not written.
#[derive(Serialize, Default)]
struct Said<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    problems: &'a [String],
    /// What came instead of arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    near: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    /// Where more of the body is than is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Json(&'a RawValue),
    Text(&'a str),
    Binary { content_type: &'a str, bytes: usize },
}

impl<'a> From<&'a ToolResult> for Said<'a> {
    fn from(result: &'a ToolResult) -> Self {
        let error = |sentence: Cow<'a, str>| Self { error: Some(sentence), ..Self::default() };
        match &result.outcome {
            Outcome::Replied(reply) => Self::from(reply),
            Outcome::Refused(Refusal::UnknownFunction { near }) => {
                Self { near, ..error(format!("there is no function named {:?}; nothing was sent", result.call.name).into()) }
            }
            Outcome::Refused(Refusal::InvalidArguments(problems)) => {
                let received = result.call.arguments.as_ref().err().map(String::as_str);
                Self { problems, received, ..error("the arguments are not valid; nothing was sent".into()) }
            }
            Outcome::Refused(Refusal::OverBudget) => {
                error("this turn has no calls left; nothing was sent; answer with what is known".into())
            }
            Outcome::Refused(Refusal::CredentialMissing(missing)) => {
                error(format!("nothing was sent: {}", missing.sentence(Language::English)).into())
            }
            Outcome::Refused(Refusal::CredentialUnusable { scheme, reason }) => {
                error(format!("nothing was sent: {}", Refusal::unusable(scheme, reason, Language::English)).into())
            }
            Outcome::Refused(Refusal::NeedsConfirmation { .. }) => error(
                "the user was asked to confirm this call and nothing was sent; once confirmed it is called again in a later turn".into(),
            ),
            Outcome::Refused(Refusal::Declined) => {
                error("the user said no to this call; nothing was sent; do not call it again unasked".into())
            }
            Outcome::Refused(Refusal::Outdated) => error(
                "the user said yes, but the API's document has changed and this is another request now; nothing was sent; \
                       if it is still wanted, make the call again and the user is asked again"
                    .into(),
            ),
            Outcome::Failed(sentence) => error(sentence.into()),
            Outcome::Unknown(sentence) => Self {
                outcome: Some("unknown: the call may or may not have taken effect; do not repeat it; tell the user"),
                ..error(sentence.into())
            },
        }
    }
}

impl<'a> From<&'a UpstreamReply> for Said<'a> {
    fn from(reply: &'a UpstreamReply) -> Self {
        Self {
            error: (reply.status >= 400).then(|| format!("the API answered with status {}", reply.status).into()),
            status: Some(reply.status),
            location: reply.header("location"),
            body: match &reply.body {
                ReplyBody::Empty => None,
                ReplyBody::Json(json) => Some(Body::Json(json.as_raw())),
                ReplyBody::Text(text) => Some(Body::Text(text)),
                ReplyBody::Binary { content_type, bytes, .. } => Some(Body::Binary { content_type, bytes: *bytes }),
            },
            ..Self::default()
        }
    }
}

/// Arguments as the protocol wants them: JSON in a string. Those that were no object are sent as an empty one, because servers answer
/// 500 to broken JSON in the history; what was wrong stands in the call's result.
pub(super) fn arguments(arguments: &Result<Map<String, Value>, String>) -> String {
    match arguments {
        Ok(map) => serde_json::to_string(map).unwrap_or_else(|_| "{}".to_owned()),
        Err(_) => "{}".to_owned(),
    }
}

/// What stands for arguments that are left out, in bytes as JSON: an object still, which says that it is not them.
pub(super) fn left_out(bytes: usize) -> String {
    format!("{{\"…\":\"arguments of {bytes} bytes left out\"}}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{kept::ResultId, tool::ToolCall};

    fn text(outcome: Outcome) -> String {
        let call = ToolCall { id: "1".to_owned(), name: "getUser".to_owned(), arguments: Err("{\"a\":".to_owned()) };
        of(&ToolResult { call, request: None, outcome }, 400, "read_result")
    }

    fn replied(status: u16, body: ReplyBody) -> Outcome {
        Outcome::Replied(UpstreamReply { status, headers: vec![("location".to_owned(), "/users/3".to_owned())], body, kept: None })
    }

    #[test]
    fn a_reply_is_told_with_its_status() {
        assert_eq!(
            text(replied(200, ReplyBody::Json(json!([{"b": 1, "a": "你"}]).into()))),
            r#"{"status":200,"location":"/users/3","body":[{"b":1,"a":"你"}]}"#
        );
        assert_eq!(text(replied(204, ReplyBody::Empty)), r#"{"status":204,"location":"/users/3"}"#);
        assert_eq!(text(replied(200, ReplyBody::Text("<p>".to_owned()))), r#"{"status":200,"location":"/users/3","body":"<p>"}"#);
        let binary = ReplyBody::Binary { content_type: "image/png".to_owned(), bytes: 9, content: bytes::Bytes::new() };
        assert_eq!(text(replied(200, binary)), r#"{"status":200,"location":"/users/3","body":{"content_type":"image/png","bytes":9}}"#);
    }

    #[test]
    fn an_error_status_is_told_as_an_error() {
        let told = r#"{"error":"the API answered with status 404","status":404,"location":"/users/3","body":{"code":1}}"#;
        assert_eq!(text(replied(404, ReplyBody::Json(json!({"code": 1}).into()))), told);
    }

    #[test]
    fn a_refusal_lists_every_problem() {
        let problems = vec!["page is not a number".to_owned(), "id is missing".to_owned()];
        assert_eq!(
            text(Outcome::Refused(Refusal::InvalidArguments(problems))),
            r#"{"error":"the arguments are not valid; nothing was sent","problems":["page is not a number","id is missing"],"received":"{\"a\":"}"#
        );
        let near = vec!["getUsers".to_owned()];
        let told = r#"{"error":"there is no function named \"getUser\"; nothing was sent","near":["getUsers"]}"#;
        assert_eq!(text(Outcome::Refused(Refusal::UnknownFunction { near })), told);
        assert!(text(Outcome::Refused(Refusal::OverBudget)).starts_with(r#"{"error":"this turn has no calls left"#));
    }

    #[test]
    fn an_unknown_outcome_says_not_to_repeat_the_call() {
        let told = text(Outcome::Unknown("POST /users was sent".to_owned()));
        assert!(told.contains("POST /users was sent") && told.contains("unknown") && told.contains("do not repeat"), "{told}");
        assert_eq!(text(Outcome::Failed("it was not sent".to_owned())), r#"{"error":"it was not sent"}"#);
    }

    fn long(outcome: Outcome) -> ToolResult {
        ToolResult { call: ToolCall { id: String::new(), name: String::new(), arguments: Ok(Map::new()) }, request: None, outcome }
    }

    #[test]
    fn a_long_result_is_cut_to_size_and_says_how_to_read_it() {
        let users: Vec<Value> = (0..200).map(|id| json!({"id": id, "name": "Ann"})).collect();
        let Outcome::Replied(reply) = replied(200, ReplyBody::Json(json!({"users": users, "total": 200}).into())) else {
            panic!("a reply")
        };
        let id = ResultId::parse(&"7".repeat(32)).unwrap();
        for kept in [Some(id.clone()), None] {
            let result = long(Outcome::Replied(UpstreamReply { kept: kept.clone(), ..reply.clone() }));
            for bytes_max in (500..1500).step_by(37) {
                let text = of(&result, bytes_max, "read_it");
                assert!(text.len() <= bytes_max, "{} of {bytes_max}: {text}", text.len());
                let told: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                assert_eq!((&told["body"]["total"], &told["location"]), (&json!(200), &json!("/users/3")), "{text}");
                let read = format!("the result is long; read_it({{\"id\":\"{id}\"}}) reads all of it");
                assert_eq!(told.get("note"), kept.as_ref().map(|_| json!(read)).as_ref());
            }
        }
        assert!(told_whole(&long(Outcome::Replied(reply))));
        assert!(!told_whole(&long(replied(200, ReplyBody::Text("x".repeat(RESULT_TO_MODEL_BYTES_MAX))))));
    }

    #[test]
    fn bytes_that_are_kept_are_for_the_user() {
        let body = ReplyBody::Binary { content_type: "image/png".to_owned(), bytes: 9, content: bytes::Bytes::from_static(b"\x89PNG") };
        let kept = ResultId::parse(&"7".repeat(32));
        let image = long(Outcome::Replied(UpstreamReply { status: 200, headers: Vec::new(), body, kept }));
        assert!(!told_whole(&image) && !can_be_read(&image));
        assert!(of(&image, 400, "r").contains("\"note\":\"the bytes are kept for the user: GET /api/results/777"));
    }

    #[test]
    fn what_has_no_body_to_cut_is_cut_on_a_character_with_a_mark() {
        let refused = |text: String| long(Outcome::Failed(text));
        for bytes_max in 100..110 {
            let text = of(&refused("你".repeat(1000)), bytes_max, "r");
            assert!(text.ends_with(CUT) && text.len() <= bytes_max && text.len() > bytes_max - 3, "{bytes_max}: {text}");
        }
        let fits = of(&refused("x".repeat(10)), 1000, "r");
        assert_eq!(of(&refused("x".repeat(10)), fits.len(), "r"), fits);
        assert!(of(&refused("x".repeat(11)), fits.len(), "r").ends_with(CUT));
        assert_eq!(of(&refused("x".repeat(11)), 0, "r"), CUT);
    }
}
