//! How often a planner may be told that its arguments are wrong before the turn ends on it.

use super::results;
use crate::{
    domain::{
        language::Language,
        limits::REPAIRS_MAX,
        session::Round,
        tool::{Outcome, Refusal, ToolResult},
    },
    markdown,
};

/// What is said when telling the planner once more would not help: it has been told the same before, or as often as may be. `None`: go on.
/// Rounds tell it, so whoever goes on with a turn counts on where it was left; calls without a mistake are not counted.
pub(super) fn given_up(rounds: &[Round], language: Language) -> Option<String> {
    let (last, before) = rounds.split_last()?;
    let wrong = last.results.iter().filter_map(mistake).next()?;
    let told_before = || before.iter().flat_map(|round| &round.results).filter_map(mistake);
    let again = last.results.iter().filter_map(mistake).find(|now| told_before().any(|then| then == *now));
    let told = rounds.iter().filter(|round| round.results.iter().any(|result| mistake(result).is_some())).count();
    match again {
        Some(same) => Some(sentence(same, rounds, language)),
        None if told > REPAIRS_MAX => Some(sentence(wrong, rounds, language)),
        None => None,
    }
}

/// The function that was called with wrong arguments, and all that is wrong with them.
fn mistake(result: &ToolResult) -> Option<(&str, &[String])> {
    match &result.outcome {
        Outcome::Refused(Refusal::InvalidArguments(problems)) => Some((&result.call.name, problems)),
        Outcome::Refused(_) | Outcome::Replied(_) | Outcome::Failed(_) | Outcome::Unknown(_) => None,
    }
}

fn sentence((function, problems): (&str, &[String]), rounds: &[Round], language: Language) -> String {
    let function = markdown::inline(function);
    let mut text = match language {
        Language::English => format!(
            "I stopped: I could not put together a call of **{function}** that fits. Nothing was sent for it. What is wrong with it:"
        ),
        Language::Chinese => format!("我已停止：无法为 **{function}** 组成有效的调用，未为其发送任何请求。问题如下："),
    };
    text.push('\n');
    for problem in problems {
        text.push_str("\n- ");
        text.push_str(&markdown::inline(problem));
    }
    let advice =
        language.choose("Say it in other words, or give the values that are missing or wrong.", "请换一种说法，或补充缺少或有误的值。");
    text.push_str("\n\n");
    text.push_str(advice);
    let done: Vec<ToolResult> = rounds.iter().flat_map(|round| &round.results).filter(|result| result.request.is_some()).cloned().collect();
    if !done.is_empty() {
        text.push_str("\n\n");
        text.push_str(language.choose("What I have so far:", "目前的结果："));
        text.push_str("\n\n");
        text.push_str(&results(&done, language));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::domain::tool::{ReplyBody, SentRequest, ToolCall, UpstreamReply};

    fn result(name: &str, outcome: Outcome, sent: bool) -> ToolResult {
        let request = sent.then(|| SentRequest { method: "GET".into(), url: "http://up/".into() });
        ToolResult { call: ToolCall { id: "a".into(), name: name.into(), arguments: Ok(Map::new()) }, request, outcome }
    }

    fn wrong(name: &str, problem: &str) -> ToolResult {
        result(name, Outcome::Refused(Refusal::InvalidArguments(vec![problem.into()])), false)
    }

    fn good() -> ToolResult {
        let reply = UpstreamReply { status: 200, headers: Vec::new(), body: ReplyBody::Text("all well".into()), kept: None };
        result("getUsers", Outcome::Replied(reply), true)
    }

    fn rounds(rounds: Vec<Vec<ToolResult>>) -> Vec<Round> {
        rounds.into_iter().map(|results| Round { said: None, results }).collect()
    }

    #[test]
    fn the_same_mistake_twice_ends_it_in_the_users_language() {
        let twice = rounds(vec![vec![wrong("f", "`a` is missing")], vec![good()], vec![good(), wrong("f", "`a` is missing")]]);
        let english = given_up(&twice, Language::English).unwrap();
        assert!(english.contains("**f**") && english.contains("\n- ") && english.contains("is missing"), "{english}");
        assert_eq!(english.matches("all well").count(), 2, "what was done is told: {english}");
        assert!(given_up(&twice, Language::Chinese).unwrap().contains("请换一种说法"));
    }

    #[test]
    fn other_mistakes_go_back_three_times() {
        let told = |times: usize| rounds((0..times).map(|n| vec![wrong("f", &n.to_string()), wrong("f", "and")]).collect());
        let different = |times: usize| rounds((0..times).map(|n| vec![wrong("f", &n.to_string())]).collect());
        assert!(given_up(&told(2), Language::English).is_some(), "one of two mistakes was made before");
        assert!(given_up(&different(REPAIRS_MAX), Language::English).is_none());
        assert!(given_up(&different(REPAIRS_MAX + 1), Language::English).is_some());
        let functions = rounds(vec![vec![wrong("f", "x")], vec![wrong("g", "x")]]);
        assert!(given_up(&functions, Language::English).is_none(), "the same words about another function are another mistake");
    }

    #[test]
    fn good_calls_are_not_counted() {
        let many = rounds((0..50).map(|_| vec![good(), good()]).chain([vec![wrong("f", "x")]]).collect());
        assert_eq!(given_up(&many, Language::English), None);
        let mended = rounds(vec![vec![wrong("f", "1")], vec![wrong("f", "2")], vec![wrong("f", "3")], vec![good()], vec![good()]]);
        assert_eq!(given_up(&mended, Language::English), None);
        let same_in_one_round = rounds(vec![vec![wrong("f", "x"), wrong("f", "x")]]);
        assert_eq!(given_up(&same_in_one_round, Language::English), None, "the planner has not been told yet");
    }
}
