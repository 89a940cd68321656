//! What goes out, byte for byte where it matters.

use serde_json::{Map, Value, json};

use super::*;
use crate::{
    domain::{
        limits::{OLD_RESULT_TO_MODEL_BYTES_MAX, RESULT_TO_MODEL_BYTES_MAX},
        session::{Round, Turn, Usage},
        tool::{Effect, FunctionSpec, Outcome, Refusal, ReplyBody, ToolCall, UpstreamReply},
    },
    llm::ToolSet,
};

fn manner() -> Manner {
    Manner { model: "m".to_owned(), temperature: None, max_tokens: None, context_tokens: 64_000 }
}

fn sent(prompt: &Prompt<'_>) -> Value {
    serde_json::from_slice(&bytes(prompt, &manner(), Way::Tools, false).expect("bytes")).expect("JSON")
}

fn result(id: &str, name: &str, body: &str) -> ToolResult {
    let reply = UpstreamReply { status: 200, headers: Vec::new(), body: ReplyBody::Text(body.to_owned()), kept: None };
    let arguments = Ok(json!({"page": 1}).as_object().expect("an object").clone());
    ToolResult { call: ToolCall { id: id.to_owned(), name: name.to_owned(), arguments }, request: None, outcome: Outcome::Replied(reply) }
}

fn round(results: Vec<ToolResult>) -> Round {
    Round { said: None, results }
}

fn turn(message: &str, rounds: Vec<Round>, answer: &str) -> Turn {
    Turn {
        run: "r".to_owned(),
        asked_ms: 1,
        message: message.to_owned(),
        rounds,
        answered_ms: 2,
        answer: answer.to_owned(),
        usage: Some(Usage::default()),
        served: None,
    }
}

fn no_tools() -> ToolSet {
    ToolSet::new(Vec::new())
}

fn plain<'a>(history: &'a [Turn], message: &'a str, rounds: &'a [Round], tools: &'a ToolSet) -> Prompt<'a> {
    Prompt { instructions: "s", history, rounds, ..Prompt::of(message, tools) }
}

#[test]
fn a_prompt_is_written_whole_and_in_order() {
    let spec = FunctionSpec {
        name: "getUsers".to_owned(),
        description: "Lists".to_owned(),
        parameters: json!({"type": "object", "properties": {"page": {"type": "integer"}}}).into(),
        effect: Effect::Safe,
    };
    let tools = ToolSet::new(vec![spec]);
    let history = [turn("hi", vec![], "Hello."), turn("list", vec![round(vec![result("call_1", "getUsers", "[1]")])], "One user.")];
    let now = [Round { said: Some("Looking.".to_owned()), results: vec![result("x", "getUsers", "[1]"), result("y", "getUsers", "[2]")] }];
    let prompt = Prompt { instructions: "Be brief.", ..plain(&history, "again", &now, &tools) };
    let manner = Manner { model: "m".to_owned(), temperature: Some(0.5), max_tokens: Some(100), context_tokens: 64_000 };
    let text = String::from_utf8(bytes(&prompt, &manner, Way::Tools, false).expect("bytes")).expect("UTF-8");
    let expected = concat!(
        r#"{"model":"m","temperature":0.5,"max_tokens":100,"stream":false,"messages":["#,
        r#"{"role":"system","content":"Be brief."},"#,
        r#"{"role":"user","content":"hi"},{"role":"assistant","content":"Hello."},"#,
        r#"{"role":"user","content":"list"},"#,
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"getUsers","arguments":"{\"page\":1}"}}]},"#,
        r#"{"role":"tool","tool_call_id":"call_1","content":"{\"status\":200,\"body\":\"[1]\"}"},"#,
        r#"{"role":"assistant","content":"One user."},"#,
        r#"{"role":"user","content":"again"},"#,
        r#"{"role":"assistant","content":"Looking.","tool_calls":[{"id":"x","type":"function","function":{"name":"getUsers","arguments":"{\"page\":1}"}},"#,
        r#"{"id":"y","type":"function","function":{"name":"getUsers","arguments":"{\"page\":1}"}}]},"#,
        r#"{"role":"tool","tool_call_id":"x","content":"{\"status\":200,\"body\":\"[1]\"}"},"#,
        r#"{"role":"tool","tool_call_id":"y","content":"{\"status\":200,\"body\":\"[2]\"}"}],"#,
        r#""tools":[{"type":"function","function":{"name":"getUsers","description":"Lists","parameters":{"type":"object","properties":{"page":{"type":"integer"}}}}}]}"#,
    );
    assert_eq!(text, expected);
}

#[test]
fn without_functions_no_tools_are_sent() {
    let tools = no_tools();
    let prompt = plain(&[], "hi", &[], &tools);
    let sent = sent(&prompt);
    let keys: Vec<&str> = sent.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["model", "stream", "messages"]);
}

/// Reads the messages as a strict server does: each call answered once, right after it, ids never twice.
fn check_pairing(messages: &[Value]) -> usize {
    let mut ids = HashSet::new();
    let mut open: HashSet<&str> = HashSet::new();
    for message in messages {
        match message["role"].as_str() {
            Some("tool") => assert!(open.remove(message["tool_call_id"].as_str().expect("an id")), "{message}"),
            _ => assert!(open.is_empty(), "unanswered before {message}: {open:?}"),
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let id = call["id"].as_str().expect("an id");
            assert!(ids.insert(id) && open.insert(id), "{id} twice");
            assert!(!id.is_empty() && id.len() <= CALL_ID_BYTES_MAX, "{id}");
        }
    }
    assert!(open.is_empty());
    ids.len()
}

#[test]
fn every_call_is_answered_under_an_id_of_its_own() {
    let twice =
        || round(vec![result("call_1", "f", "1"), result("call_1", "f", "2"), result("", "f", "3"), result(&"x".repeat(99), "f", "4")]);
    let history = [turn("a", vec![twice(), twice()], "b"), turn("c", vec![round(vec![result("c00000001", "f", "5")]), round(vec![])], "d")];
    let now = [twice(), round(vec![])];
    let tools = no_tools();
    let prompt = plain(&history, "m", &now, &tools);
    let sent = sent(&prompt);
    let messages = sent["messages"].as_array().expect("messages");
    assert_eq!(check_pairing(messages), 13);
    let results: Vec<&str> = messages.iter().filter(|m| m["role"] == "tool").filter_map(|m| m["content"].as_str()).collect();
    let order: String =
        results.iter().filter_map(|text| text.chars().find(|c| ('1'..='5').contains(c) && text.contains(&format!("\"{c}\"")))).collect();
    assert_eq!(order, "1234123451234");
    assert!(messages.iter().all(|m| m["role"] != "assistant" || m.get("tool_calls").is_none_or(|calls| calls != &json!([]))));
}

#[test]
fn an_earlier_result_is_short_and_a_new_one_long() {
    let long = "x".repeat(100_000);
    let history = [turn("a", vec![round(vec![result("1", "f", &long)])], "b")];
    let now = [round(vec![result("2", "f", &long)])];
    let tools = no_tools();
    let prompt = plain(&history, "m", &now, &tools);
    let sent = sent(&prompt);
    let lengths: Vec<usize> = sent["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .filter(|m| m["role"] == "tool")
        .filter_map(|m| m["content"].as_str().map(str::len))
        .collect();
    assert_eq!(lengths.len(), 2);
    // A text is cut at its lines, so a little may be left.
    for (length, most) in lengths.iter().zip([OLD_RESULT_TO_MODEL_BYTES_MAX, RESULT_TO_MODEL_BYTES_MAX]) {
        assert!((most * 9 / 10..=most).contains(length), "{lengths:?}");
    }
}

#[test]
fn a_name_that_a_model_made_up_does_not_poison_the_history() {
    for (made_up, expected) in
        [("get users!", "get_users_"), ("", "unnamed"), ("查询", "__"), ("functions.getUsers", "functions_getUsers"), ("ok-1_A", "ok-1_A")]
    {
        assert_eq!(name(made_up), expected);
    }
    assert_eq!(name(&"x".repeat(100)).len(), FUNCTION_NAME_CHARS_MAX);
}

#[test]
fn broken_arguments_go_back_as_an_empty_object_and_a_refusal() {
    let call = ToolCall { id: "1".to_owned(), name: "f".to_owned(), arguments: Err("{\"a\":".to_owned()) };
    let refused = Outcome::Refused(Refusal::InvalidArguments(vec!["the arguments are not a JSON object".to_owned()]));
    let now = [round(vec![ToolResult { call, request: None, outcome: refused }])];
    let tools = no_tools();
    let prompt = plain(&[], "m", &now, &tools);
    let sent = sent(&prompt);
    assert_eq!(sent["messages"][2]["tool_calls"][0]["function"]["arguments"], "{}");
    let told = sent["messages"][3]["content"].as_str().expect("content");
    assert!(told.contains("not a JSON object") && told.contains(r#"{\"a\":"#), "{told}");
}

#[test]
fn arguments_are_sent_as_json_in_a_string() {
    let mut map = Map::new();
    map.insert("名".to_owned(), json!("a\"b\n\u{1}"));
    let text = result_text::arguments(&Ok(map.clone()));
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), Value::Object(map));
}

#[test]
fn the_reader_of_kept_results_is_offered_while_one_is_in_sight() {
    let kept = |id: &str| {
        let mut result = result("1", "getUsers", "a long text");
        let Outcome::Replied(reply) = &mut result.outcome else { panic!("a reply") };
        reply.kept = crate::domain::kept::ResultId::parse(id);
        round(vec![result])
    };
    let id = "5".repeat(32);
    let offered = |history: &[Turn], now: &[Round]| {
        let tools = no_tools();
        let prompt = plain(history, "m", now, &tools);
        sent(&prompt).get("tools").map(|tools| tools[0]["function"]["name"].clone())
    };
    assert_eq!(offered(&[], &[kept("")]), None);
    assert_eq!(offered(&[], &[kept(&id)]), Some(json!("read_result")));
    let plain = || turn("a", vec![], "b");
    assert_eq!(offered(&[turn("a", vec![kept(&id)], "b"), plain()], &[]), Some(json!("read_result")));
    assert_eq!(offered(&[turn("a", vec![kept(&id)], "b"), plain(), plain()], &[]), None, "its calls are not told any more");
}
