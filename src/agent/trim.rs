//! What a turn keeps of its results: enough to go on from, not everything an API said.

use crate::domain::{
    limits::{ANSWER_KEPT_BYTES_MAX, RESULT_KEPT_BYTES_MAX},
    session::Round,
    tool::{Outcome, ReplyBody, ToolResult, UpstreamReply},
};

/// The rounds as they enter the history: big replies cut, with a mark that says so.
pub fn kept(rounds: Vec<Round>) -> Vec<Round> {
    rounds.into_iter().map(|round| Round { said: round.said, results: round.results.into_iter().map(trimmed).collect() }).collect()
}

fn trimmed(result: ToolResult) -> ToolResult {
    let outcome = match result.outcome {
        Outcome::Replied(reply) => Outcome::Replied(UpstreamReply { status: reply.status, headers: Vec::new(), body: cut(reply.body) }),
        other => other,
    };
    ToolResult { outcome, ..result }
}

fn cut(body: ReplyBody) -> ReplyBody {
    match body {
        ReplyBody::Json(json) if json.get().len() > RESULT_KEPT_BYTES_MAX => ReplyBody::Text(marked(json.get(), RESULT_KEPT_BYTES_MAX)),
        ReplyBody::Text(text) if text.len() > RESULT_KEPT_BYTES_MAX => ReplyBody::Text(marked(&text, RESULT_KEPT_BYTES_MAX)),
        other => other,
    }
}

/// An answer as it enters the history.
pub fn kept_answer(answer: String) -> String {
    if answer.len() <= ANSWER_KEPT_BYTES_MAX { answer } else { marked(&answer, ANSWER_KEPT_BYTES_MAX) }
}

fn marked(text: &str, bytes_max: usize) -> String {
    let end = text.floor_char_boundary(bytes_max);
    format!("{}… [cut: {end} of {} bytes kept]", text.get(..end).unwrap_or_default(), text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_big_reply_is_cut_with_a_mark_and_a_small_one_is_kept() {
        let small = ReplyBody::Json(serde_json::json!({"a": [1, 2]}).into());
        assert_eq!(cut(small.clone()), small);
        let ReplyBody::Text(text) = cut(ReplyBody::Text("字".repeat(10_000))) else { panic!("text stays text") };
        assert!(text.ends_with("… [cut: 4095 of 30000 bytes kept]"));
        let ReplyBody::Text(text) = cut(ReplyBody::Json(serde_json::json!(vec!["x"; 5000]).into())) else { panic!("cut JSON is text") };
        assert!(text.starts_with("[\"x\",\"x\"") && text.contains("bytes kept]"));
    }
}
