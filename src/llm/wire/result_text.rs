//! What a model reads of one call's outcome: compact JSON text, errors as errors, never longer than it may be.

use std::{borrow::Cow, io};

use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use crate::domain::tool::{Outcome, Refusal, ReplyBody, ToolResult, UpstreamReply};

/// Ends a text that was cut.
const CUT: &str = "…[cut: the result is longer]";

/// One outcome as text of at most `bytes_max` bytes, cut on a character boundary with a visible mark.
pub(super) fn of(result: &ToolResult, bytes_max: usize) -> String {
    let mut text = Bounded { bytes: Vec::with_capacity(256), bytes_max };
    // The only error is the bound; what was written up to it is kept.
    let whole = serde_json::to_writer(&mut text, &Said::from(result)).is_ok();
    let mut bytes = text.bytes;
    if whole {
        return into_text(bytes);
    }
    bytes.truncate(bytes_max.saturating_sub(CUT.len()));
    into_text(bytes) + CUT
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
            location: reply.headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value.as_str()),
            body: match &reply.body {
                ReplyBody::Empty => None,
                ReplyBody::Json(json) => Some(Body::Json(json.as_raw())),
                ReplyBody::Text(text) => Some(Body::Text(text)),
                ReplyBody::Binary { content_type, bytes } => Some(Body::Binary { content_type, bytes: *bytes }),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::tool::ToolCall;

    fn text(outcome: Outcome) -> String {
        let call = ToolCall { id: "1".to_owned(), name: "getUser".to_owned(), arguments: Err("{\"a\":".to_owned()) };
        of(&ToolResult { call, request: None, outcome }, 400)
    }

    fn replied(status: u16, body: ReplyBody) -> Outcome {
        Outcome::Replied(UpstreamReply { status, headers: vec![("location".to_owned(), "/users/3".to_owned())], body })
    }

    #[test]
    fn a_reply_is_told_with_its_status() {
        assert_eq!(
            text(replied(200, ReplyBody::Json(json!([{"b": 1, "a": "你"}]).into()))),
            r#"{"status":200,"location":"/users/3","body":[{"b":1,"a":"你"}]}"#
        );
        assert_eq!(text(replied(204, ReplyBody::Empty)), r#"{"status":204,"location":"/users/3"}"#);
        assert_eq!(text(replied(200, ReplyBody::Text("<p>".to_owned()))), r#"{"status":200,"location":"/users/3","body":"<p>"}"#);
        let binary = ReplyBody::Binary { content_type: "image/png".to_owned(), bytes: 9 };
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

    #[test]
    fn a_long_result_is_cut_on_a_character_with_a_mark() {
        let result = |text: String| ToolResult {
            call: ToolCall { id: String::new(), name: String::new(), arguments: Ok(Map::new()) },
            request: None,
            outcome: replied(200, ReplyBody::Text(text)),
        };
        for bytes_max in 100..110 {
            let text = of(&result("你".repeat(1000)), bytes_max);
            assert!(text.ends_with(CUT) && text.len() <= bytes_max && text.len() > bytes_max - 3, "{bytes_max}: {text}");
        }
        let fits = of(&result("x".repeat(10)), 1000);
        assert_eq!(of(&result("x".repeat(10)), fits.len()), fits);
        assert!(of(&result("x".repeat(11)), fits.len()).ends_with(CUT));
        assert_eq!(of(&result("x".repeat(11)), 0), CUT);
    }
}
