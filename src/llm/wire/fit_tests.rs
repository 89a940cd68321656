//! Prompts that are too long.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    domain::{
        session::Round,
        tool::{Effect, FunctionSpec, ReplyBody, ToolCall, UpstreamReply},
    },
    llm::{
        Recap, ToolSet,
        wire::ask::{self, Manner, Way},
    },
};

fn manner(context_tokens: u64) -> Manner {
    Manner { model: "m".to_owned(), temperature: None, max_tokens: None, context_tokens }
}

fn result(name: &str, arguments: usize, body: usize) -> ToolResult {
    let arguments = Map::from_iter([("text".to_owned(), json!("a".repeat(arguments)))]);
    let reply = UpstreamReply { status: 201, headers: Vec::new(), body: ReplyBody::Text("line of it\n".repeat(body / 11)), kept: None };
    ToolResult {
        call: ToolCall { id: "same".to_owned(), name: name.to_owned(), arguments: Ok(arguments) },
        request: None,
        outcome: Outcome::Replied(reply),
    }
}

fn round(results: Vec<ToolResult>) -> Round {
    Round { said: None, results }
}

fn turn(message: &str, rounds: Vec<Round>, answer: &str) -> Turn {
    let (message, answer) = (message.to_owned(), answer.to_owned());
    Turn { run: "r".to_owned(), asked_ms: 1, message, rounds, answered_ms: 2, answer, usage: None, served: None }
}

fn tools() -> ToolSet {
    let parameters = json!({"type": "object", "properties": {"text": {"type": "string"}}});
    ToolSet::new(vec![FunctionSpec { name: "f".into(), description: "d".into(), parameters: parameters.into(), effect: Effect::Safe }])
}

fn prompt<'a>(history: &'a [Turn], message: &'a str, rounds: &'a [Round], tools: &'a ToolSet) -> Prompt<'a> {
    Prompt { instructions: "Be brief.", history, rounds, ..Prompt::of(message, tools) }
}

/// Every way in which a server is asked.
fn ways() -> [(Way, bool); 4] {
    [(Way::Tools, false), (Way::Tools, true), (Way::Schema, false), (Way::Prose, false)]
}

/// The messages that are sent, after it was looked whether they fit and whether each call has its result right behind it.
fn sent(prompt: &Prompt<'_>, context_tokens: u64) -> Vec<Value> {
    let manner = manner(context_tokens);
    for (way, stream) in ways() {
        let tokens = tokens::of(&ask::bytes(prompt, &manner, way, stream).expect("bytes"));
        assert!(tokens <= manner.prompt_tokens(), "{tokens} tokens of {}, {way:?} {stream}", manner.prompt_tokens());
    }
    let bytes = ask::bytes(prompt, &manner, Way::Tools, true).expect("bytes");
    let sent: Value = serde_json::from_slice(&bytes).expect("JSON");
    let messages = sent["messages"].as_array().expect("messages").clone();
    let mut open: Vec<Value> = Vec::new();
    for message in &messages {
        if message["role"] == "tool" {
            let at = open.iter().position(|id| *id == message["tool_call_id"]).expect("a call before its result");
            open.remove(at);
        } else {
            assert!(open.is_empty(), "calls without results before {message}");
        }
        open.extend(message["tool_calls"].as_array().into_iter().flatten().map(|call| call["id"].clone()));
    }
    assert!(open.is_empty(), "calls without results at the end");
    messages
}

fn contents(messages: &[Value], role: &str) -> Vec<String> {
    let of_role = messages.iter().filter(|message| message["role"] == role);
    of_role.map(|message| message["content"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_fits_is_told_whole_and_without_a_summary_of_it() {
    let history = [turn("one", vec![round(vec![result("f", 5, 500)])], "1"), turn("two", vec![], "2")];
    let tools = tools();
    let plain = prompt(&history, "three", &[], &tools);
    let summary = Some(Recap { text: "short", of_older: false });
    assert_eq!(sent(&Prompt { summary, ..plain }, 4096), sent(&plain, 4096));
    let of_older = sent(&Prompt { summary: Some(Recap { text: "short", of_older: true }), ..plain }, 4096);
    assert_eq!(of_older[2], json!({"role": "assistant", "content": "short"}));
}

#[test]
fn the_newest_turns_are_told_whole_and_a_summary_speaks_for_the_others() {
    let history: Vec<Turn> =
        (0..40).map(|n| turn(&format!("question {n}"), vec![], &format!("answer {n} {}", "word ".repeat(100)))).collect();
    let tools = tools();
    let summary = Some(Recap { text: "They asked 20 questions.", of_older: false });
    let messages = sent(&Prompt { summary, ..prompt(&history, "and now?", &[], &tools) }, 4096);
    let users = contents(&messages, "user");
    let (asked, told) = (&users[0], &users[1..]);
    assert_eq!(contents(&messages, "assistant")[0], "They asked 20 questions.");
    assert!(asked.contains("in short") && (12..25).contains(&told.len()), "{users:?}");
    let first = 40 - (told.len() - 1);
    let expected: Vec<String> = (first..40).map(|n| format!("question {n}")).chain(["and now?".to_owned()]).collect();
    assert_eq!(told, expected);
    assert!(contents(&messages, "assistant")[1..].iter().all(|answer| answer.ends_with("word ")), "whole turns only");
}

#[test]
fn older_and_larger_results_are_cut_first_with_a_mark() {
    let rounds = [round(vec![result("f", 5, 9000), result("f", 5, 100)]), round(vec![result("f", 5, 3000)])];
    let tools = tools();
    let told = contents(&sent(&prompt(&[], "go", &rounds, &tools), 4096), "tool");
    let sizes: Vec<usize> = told.iter().map(String::len).collect();
    assert!(sizes[0] <= 8192 && sizes[1] >= 100 && sizes[2] > 3000, "{sizes:?}");
    assert!(told[0].contains("left out"), "{}", told[0]);
    assert!(!told[1].contains("left out") && !told[2].contains("left out"));
}

#[test]
fn rounds_that_do_not_fit_at_all_are_told_by_their_outcomes() {
    let rounds: Vec<Round> = (0..30).map(|_| round(vec![result("createThing", 2000, 2000)])).collect();
    let tools = tools();
    let messages = sent(&prompt(&[], "go", &rounds, &tools), 2048);
    let user = &contents(&messages, "user")[0];
    let left_out = 30 - contents(&messages, "tool").len();
    assert!(left_out > 0 && user.starts_with("go\n\n[Done so far"), "{user}");
    assert!(user.contains(&format!("createThing: status 201 ({left_out} times)")), "{user}");
    let calls = messages.iter().filter_map(|message| message["tool_calls"][0]["function"]["arguments"].as_str());
    assert!(calls.clone().count() > 0 && calls.clone().all(|arguments| arguments.contains("2011 bytes left out")), "{messages:?}");
}

#[test]
fn of_a_last_turn_that_is_too_long_a_part_is_told() {
    let history =
        [turn("old", vec![], "old"), turn(&"why ".repeat(300), vec![round(vec![result("f", 10, 900)])], &"because ".repeat(4000))];
    let tools = tools();
    let messages = sent(&prompt(&history, "go on", &[], &tools), 2048);
    assert_eq!(messages.len(), 4, "system, the last turn, the message");
    assert!(contents(&messages, "assistant")[0].starts_with("because because") && contents(&messages, "assistant")[0].contains("[cut: "));
}

#[test]
fn a_message_that_is_too_long_is_cut_with_a_mark() {
    let tools = tools();
    let message = "很长的话".repeat(4000);
    let user = &contents(&sent(&prompt(&[turn("a", vec![], "b")], &message, &[], &tools), 4096), "user")[1..];
    assert!(user[0].starts_with("很长的话") && user[0].ends_with(" of 48000 bytes]"), "{user:?}");
}

#[test]
fn told_in_words_it_is_cut_and_left_out_in_the_same_order() {
    let history: Vec<Turn> = (0..40).map(|n| turn(&format!("question {n}"), vec![], &"word ".repeat(100))).collect();
    let rounds: Vec<Round> = (0..30).map(|_| round(vec![result("createThing", 2000, 2000)])).collect();
    let tools = tools();
    for way in [Way::Schema, Way::Prose] {
        let sent = |prompt: &Prompt<'_>, context_tokens| -> Vec<Value> {
            let bytes = ask::bytes(prompt, &manner(context_tokens), way, false).expect("bytes");
            let sent: Value = serde_json::from_slice(&bytes).expect("JSON");
            assert!(sent["messages"][0]["content"].as_str().is_some_and(|system| system.contains(r#""name":"f""#)), "{sent}");
            sent["messages"].as_array().expect("messages").clone()
        };
        let summary = Some(Recap { text: "They asked 20 questions.", of_older: false });
        let told = sent(&Prompt { summary, ..prompt(&history, "and now?", &[], &tools) }, 4096);
        let (users, answers) = (contents(&told, "user"), contents(&told, "assistant"));
        assert_eq!((answers[0].as_str(), users.last().map(String::as_str)), ("They asked 20 questions.", Some("and now?")));
        assert!(users.len() > 10 && users.contains(&"question 39".to_owned()), "{users:?}");
        let told = sent(&prompt(&[], "go", &rounds, &tools), 2048);
        let (users, calls) = (contents(&told, "user"), contents(&told, "assistant"));
        assert!(users[0].contains("createThing: status 201 ("), "{users:?}");
        assert!(!calls.is_empty() && calls.iter().all(|call| call.contains("2011 bytes left out")), "{calls:?}");
        assert_eq!(users.len(), 1 + calls.len(), "each call has its result");
    }
}

fn any_round() -> impl Strategy<Value = Round> {
    let results = prop::collection::vec((0_usize..3000, 0_usize..20_000), 0..4);
    results.prop_map(|sizes| round(sizes.into_iter().map(|(arguments, body)| result("f", arguments, body)).collect()))
}

fn any_turn() -> impl Strategy<Value = Turn> {
    let said = "[a-z\"\\\\\n你好 ]{0,40}";
    let parts = (said, 0_usize..30, prop::collection::vec(any_round(), 0..3), said, 0_usize..100);
    parts.prop_map(|(message, more, rounds, answer, still)| turn(&message.repeat(more + 1), rounds, &answer.repeat(still + 1)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn whatever_was_said_and_done_it_fits_and_no_call_stands_alone(
        history in prop::collection::vec(any_turn(), 0..12),
        rounds in prop::collection::vec(any_round(), 0..10),
        message in "[a-z你\n ]{0,3000}",
        instructions in "[a-z ]{0,3000}",
        summary in prop::option::of(("[a-z你 ]{0,3000}", any::<bool>())),
        context_tokens in 2048_u64..40_000,
        tokens_max in prop::option::of(800_u64..4000),
    ) {
        let tools = tools();
        let summary = summary.as_ref().map(|(text, of_older)| Recap { text, of_older: *of_older });
        let prompt = Prompt { instructions: &instructions, summary, tokens_max, ..prompt(&history, &message, &rounds, &tools) };
        sent(&prompt, context_tokens);
        for (way, stream) in ways() {
            let within = tokens::of(&ask::bytes(&prompt, &manner(context_tokens), way, stream).unwrap());
            prop_assert!(tokens_max.is_none_or(|most| within <= most), "{within} of {tokens_max:?}, {way:?} {stream}");
        }
    }
}
