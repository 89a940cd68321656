//! A whole conversation as one Markdown text, for whoever wants to keep or show it.

use super::{
    escape::{code, fenced},
    inline, of_outcome,
};
use crate::{
    clock::rfc3339,
    domain::{
        language::Language,
        session::{Round, Turn},
        tool::{Outcome, SentRequest, ToolResult},
    },
};

/// The title, and each turn: what was said, which calls were made and what came of each, the answer. What the user said is shown as text;
/// the answer is the Markdown that it was.
pub fn transcript(title: Option<&str>, turns: &[Turn], language: Language) -> String {
    let title = title.filter(|title| !title.is_empty()).unwrap_or(language.choose("Conversation", "对话"));
    let mut text = format!("# {}\n", inline(title));
    for turn in turns {
        let (you, agent) = (language.choose("You", "你"), language.choose("Agent", "智能体"));
        text.push_str(&format!("\n## {you} · {}\n\n{}\n", rfc3339(turn.asked_ms), fenced(&turn.message)));
        let calls = turn.rounds.iter().flat_map(|round: &Round| &round.results);
        let calls: Vec<String> = calls.map(|result| of_call(result, language)).collect();
        if !calls.is_empty() {
            text.push_str(&format!("\n{}\n", calls.join("\n")));
        }
        text.push_str(&format!("\n### {agent} · {}\n\n{}\n", rfc3339(turn.answered_ms), turn.answer.trim_end()));
    }
    text
}

/// One line: the function, what was asked, and what became of it.
fn of_call(result: &ToolResult, language: Language) -> String {
    let asked = |request: &SentRequest| format!(": {}", code(&format!("{} {}", request.method, request.url)));
    let asked = result.request.as_ref().map_or_else(String::new, asked);
    let became = match &result.outcome {
        Outcome::Replied(reply) => reply.status.to_string(),
        other => {
            let told = of_outcome(other, language);
            told.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
        }
    };
    format!("- {}{asked} → {became}", inline(&result.call.name))
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::domain::tool::{ReplyBody, ToolCall, UpstreamReply};

    #[test]
    fn a_conversation_is_told_with_its_calls_and_nobody_s_text_becomes_markup() {
        let call = |outcome| ToolResult {
            call: ToolCall { id: "1".into(), name: "listOrders".into(), arguments: Ok(Map::new()) },
            request: Some(SentRequest { method: "GET".into(), url: "http://up/orders?a=*b*".into() }),
            outcome,
        };
        let replied = Outcome::Replied(UpstreamReply { status: 200, headers: Vec::new(), body: ReplyBody::Empty, kept: None });
        let turn = Turn {
            run: "r".into(),
            asked_ms: 0,
            message: "# list\n<b>".into(),
            rounds: vec![Round { said: None, results: vec![call(replied), call(Outcome::Failed("no route".into()))] }],
            answered_ms: 1000,
            answer: "**two** orders\n".into(),
            usage: None,
            served: None,
        };
        let told = transcript(Some("a\n# b"), &[turn], Language::English);
        let expected = "# a # b\n\n## You · 1970-01-01T00:00:00.000Z\n\n```text\n# list\n<b>\n```\n\n\
             - listOrders: `GET http://up/orders?a=*b*` → 200\n\
             - listOrders: `GET http://up/orders?a=*b*` → ⚠️ Not done; nothing was changed (no route).\n\n\
             ### Agent · 1970-01-01T00:00:01.000Z\n\n**two** orders\n";
        assert_eq!(told, expected);
        assert_eq!(transcript(None, &[], Language::Chinese), "# 对话\n");
    }
}
