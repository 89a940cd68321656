//! What a turn keeps of its results: enough to go on from, not everything an API said.

use crate::{
    domain::{
        limits::{ANSWER_KEPT_BYTES_MAX, RESULT_KEPT_BYTES_MAX},
        session::Round,
        tool::{Outcome, ReplyBody, ToolResult, UpstreamReply},
    },
    excerpt::{self, Rest},
};

/// The rounds as they enter the history: big replies cut to size, with marks that say what is missing; `reader` is the function that reads it.
pub fn kept(rounds: Vec<Round>, reader: &str) -> Vec<Round> {
    let results = |results: Vec<ToolResult>| results.into_iter().map(|result| trimmed(result, reader)).collect();
    rounds.into_iter().map(|round| Round { said: round.said.map(kept_answer), results: results(round.results) }).collect()
}

fn trimmed(result: ToolResult, reader: &str) -> ToolResult {
    let outcome = match result.outcome {
        Outcome::Replied(UpstreamReply { status, body, kept, .. }) => {
            let body = excerpt::of(&body, RESULT_KEPT_BYTES_MAX, &Rest { reader, id: kept.as_ref() }).unwrap_or(body);
            let body = match body {
                ReplyBody::Binary { content_type, bytes, .. } => ReplyBody::Binary { content_type, bytes, content: bytes::Bytes::new() },
                other => other,
            };
            Outcome::Replied(UpstreamReply { status, headers: Vec::new(), body, kept })
        }
        other => other,
    };
    ToolResult { outcome, ..result }
}

/// An answer as it enters the history.
pub fn kept_answer(answer: String) -> String {
    if answer.len() <= ANSWER_KEPT_BYTES_MAX {
        return answer;
    }
    let end = answer.floor_char_boundary(ANSWER_KEPT_BYTES_MAX);
    format!("{}… [cut: {end} of {} bytes kept]", answer.get(..end).unwrap_or_default(), answer.len())
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::domain::{kept::ResultId, tool::ToolCall};

    fn body_of(body: ReplyBody) -> ReplyBody {
        let call = ToolCall { id: String::new(), name: String::new(), arguments: Ok(Map::new()) };
        let reply = UpstreamReply { status: 200, headers: vec![("a".into(), "b".into())], body, kept: ResultId::parse(&"0a".repeat(16)) };
        match trimmed(ToolResult { call, request: None, outcome: Outcome::Replied(reply) }, "read_result").outcome {
            Outcome::Replied(UpstreamReply { headers, body, kept: Some(_), .. }) if headers.is_empty() => body,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_big_reply_is_cut_with_a_mark_and_a_small_one_is_kept() {
        let small = ReplyBody::Json(json!({"a": [1, 2]}).into());
        assert_eq!(body_of(small.clone()), small);
        let ReplyBody::Json(cut) = body_of(ReplyBody::Json(json!({"items": vec!["x"; 5000]}).into())) else { panic!("JSON stays JSON") };
        assert!(cut.get().len() <= RESULT_KEPT_BYTES_MAX && cut.get().contains("of 5000 left out; read_result("), "{cut:?}");
        let image = ReplyBody::Binary { content_type: "image/png".into(), bytes: 3, content: bytes::Bytes::from_static(b"png") };
        assert!(matches!(body_of(image), ReplyBody::Binary { bytes: 3, content, .. } if content.is_empty()));
    }

    #[test]
    fn a_long_answer_is_cut_on_a_character() {
        assert_eq!(kept_answer("short".to_owned()), "short");
        let answer = "字".repeat(ANSWER_KEPT_BYTES_MAX);
        assert!(kept_answer(answer).ends_with("字… [cut: 65535 of 196608 bytes kept]"));
    }
}
