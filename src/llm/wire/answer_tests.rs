//! What servers send, shape by shape.

use serde_json::json;

use super::*;

fn read_message(message: Value) -> Answer {
    read_choice(json!({"index": 0, "message": message, "finish_reason": "stop"}))
}

fn read_choice(choice: Value) -> Answer {
    read(json!({"choices": [choice]}).to_string().as_bytes()).expect("an answer")
}

fn one_call(message: Value) -> ToolCall {
    let answer = read_message(message);
    assert_eq!(answer.calls.len(), 1, "{answer:?}");
    answer.calls.into_iter().next().expect("a call")
}

fn arguments_of(given: Value) -> Result<Map<String, Value>, String> {
    one_call(json!({"tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": given}}]})).arguments
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

#[test]
fn a_plain_answer_is_read() {
    let body = json!({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "service_tier": "odd", "system_fingerprint": null,
        "choices": [{"index": 0, "logprobs": null, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello 你好", "annotations": []}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 0}}, "timings": {}});
    let answer = read(body.to_string().as_bytes()).expect("an answer");
    let counted = Counted { prompt: Some(9), completion: Some(3), total: Some(12) };
    assert_eq!(answer, Answer { said: Some("Hello 你好".to_owned()), calls: vec![], counted });
}

#[test]
fn content_may_be_null_empty_or_missing_beside_calls() {
    let tool_calls = json!([{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    for message in [
        json!({"content": null, "tool_calls": tool_calls}),
        json!({"content": "", "tool_calls": tool_calls}),
        json!({"content": "\n ", "tool_calls": tool_calls}),
        json!({"tool_calls": tool_calls}),
    ] {
        let answer = read_message(message);
        assert_eq!((answer.said, answer.calls.len()), (None, 1));
    }
}

#[test]
fn content_and_calls_come_together() {
    let answer = read_message(json!({"content": "Looking.", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]}));
    assert_eq!((answer.said.as_deref(), answer.calls.len()), (Some("Looking."), 1));
}

#[test]
fn content_may_be_an_array_of_parts() {
    let parts = json!([{"type": "thinking", "thinking": [{"text": "hm"}]}, {"type": "text", "text": "one "}, "two ", {"text": "three"}, 7, null,
        {"type": "reasoning", "text": "hm"}, {"type": "output_text", "text": "."}]);
    assert_eq!(read_message(json!({"content": parts})).said.as_deref(), Some("one two three."));
    assert_eq!(read_message(json!({"content": []})).said, None);
}

#[test]
fn reasoning_is_not_part_of_the_answer() {
    let answer = read_message(json!({"reasoning_content": "secret thought", "reasoning": "x", "content": "Done."}));
    assert_eq!(answer.said.as_deref(), Some("Done."));
    assert_eq!(read_message(json!({"reasoning_content": "secret thought", "content": null})).said, None);
}

#[test]
fn a_refusal_is_an_answer() {
    assert_eq!(read_message(json!({"content": null, "refusal": "I cannot."})).said.as_deref(), Some("I cannot."));
}

#[test]
fn no_calls_may_be_missing_null_empty_or_odd() {
    for tool_calls in [json!(null), json!([]), json!([null]), json!([{}]), json!("none"), json!({}), json!([7])] {
        let answer = read_message(json!({"content": "x", "tool_calls": tool_calls, "function_call": null}));
        assert_eq!(answer.calls, vec![], "{tool_calls}");
    }
}

#[test]
fn several_calls_keep_their_order() {
    let item = |id: &str, name: &str| json!({"index": 0, "id": id, "type": "function", "function": {"name": name, "arguments": "{}"}});
    let calls = read_message(json!({"tool_calls": [item("call_1", "b"), item("xyz", "a"), item("3", "c")]})).calls;
    let seen: Vec<(&str, &str)> = calls.iter().map(|call| (call.id.as_str(), call.name.as_str())).collect();
    assert_eq!(seen, [("call_1", "b"), ("xyz", "a"), ("3", "c")]);
}

#[test]
fn ids_that_are_missing_or_repeated_are_made_unique() {
    let function = json!({"name": "f", "arguments": "{}"});
    let items = json!([{"function": function}, {"id": null, "function": function}, {"id": "", "function": function}, {"id": "same", "function": function},
        {"id": "same", "function": function}, {"id": 7, "function": function}, {"id": "c00000001", "function": function}]);
    let calls = read_message(json!({"tool_calls": items})).calls;
    let ids: HashSet<&str> = calls.iter().map(|call| call.id.as_str()).collect();
    assert_eq!((calls.len(), ids.len()), (7, 7), "{ids:?}");
    assert!(ids.contains("same") && ids.contains("7") && !ids.contains(""), "{ids:?}");
}

#[test]
fn a_call_without_a_wrapping_function_is_read() {
    let call = one_call(json!({"tool_calls": [{"id": "a", "name": "f", "arguments": {"x": 1}}]}));
    assert_eq!((call.name.as_str(), call.arguments), ("f", Ok(map(json!({"x": 1})))));
}

#[test]
fn the_old_function_call_is_read() {
    let call = one_call(json!({"content": null, "function_call": {"name": "f", "arguments": "{\"x\":1}"}}));
    assert_eq!((call.name.as_str(), call.arguments), ("f", Ok(map(json!({"x": 1})))));
    assert!(!call.id.is_empty());
}

#[test]
fn arguments_may_be_a_string_or_an_object() {
    let expected = Ok(map(json!({"page": 2, "name": "李"})));
    assert_eq!(arguments_of(json!("{\"page\":2,\"name\":\"李\"}")), expected);
    assert_eq!(arguments_of(json!({"page": 2, "name": "李"})), expected);
    assert_eq!(arguments_of(json!("\"{\\\"page\\\":2,\\\"name\\\":\\\"李\\\"}\"")), expected);
    assert_eq!(arguments_of(json!(" {\"page\":2,\"name\":\"李\"}\n")), expected);
}

#[test]
fn empty_arguments_are_none() {
    for given in [json!(""), json!("  "), json!(null), json!("{}"), json!({})] {
        assert_eq!(arguments_of(given.clone()), Ok(Map::new()), "{given}");
    }
}

#[test]
fn broken_arguments_are_kept_as_text() {
    for (given, text) in [
        (json!("{\"page\":"), "{\"page\":"),
        (json!("page 2"), "page 2"),
        (json!("[1]"), "[1]"),
        (json!([1]), "[1]"),
        (json!(7), "7"),
        (json!("null"), "null"),
    ] {
        assert_eq!(arguments_of(given), Err(text.to_owned()));
    }
    let long = arguments_of(json!("好".repeat(5000))).expect_err("broken");
    assert!(long.len() <= BROKEN_ARGUMENTS_BYTES_MAX && long.starts_with("好好"));
}

#[test]
fn what_a_call_says_is_bounded() {
    let long = "n".repeat(100_000);
    let item = |name: &str, text: &str| json!({"id": name, "function": {"name": name, "arguments": json!({"a": text}).to_string()}});
    let items = [item(&long, &"x".repeat(200_000)), item("b", &"x".repeat(200_000)), item("c", "x")];
    let calls = read_choice(json!({"message": {"tool_calls": items}})).calls;
    assert_eq!(calls.iter().map(|call| call.name.len()).collect::<Vec<_>>(), [CALL_NAME_BYTES_MAX, 1, 1]);
    assert!(calls[0].id.len() < CALL_NAME_BYTES_MAX && calls[0].arguments.is_ok() && calls[2].arguments.is_ok());
    assert!(matches!(&calls[1].arguments, Err(text) if text.len() <= BROKEN_ARGUMENTS_BYTES_MAX));
}

#[test]
fn half_a_call_of_a_cut_answer_is_not_believed() {
    let cut = |arguments: Value| {
        let function = json!({"name": "deleteAll", "arguments": arguments});
        read_choice(json!({"finish_reason": "length", "message": {"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": ""}}, {"id": "b", "function": function}]}}))
            .calls
    };
    assert_eq!(cut(json!("{\"ids\":[1,")).last().map(|call| call.arguments.clone()), Some(Err("{\"ids\":[1,".to_owned())));
    for nothing in [json!(""), json!(null)] {
        let calls = cut(nothing);
        assert_eq!(calls[0].arguments, Ok(Map::new()), "a call before the cut is whole");
        assert!(calls[1].arguments.is_err());
    }
    assert_eq!(cut(json!("{\"id\":1}"))[1].arguments, Ok(map(json!({"id": 1}))), "a whole call is believed");
}

#[test]
fn finish_reason_may_be_anything() {
    for reason in [json!("stop"), json!("tool_calls"), json!(""), json!(null), json!("eos_token"), json!(7), json!({}), json!("length")] {
        let choice =
            json!({"finish_reason": reason, "message": {"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]}});
        assert_eq!(read_choice(choice).calls.len(), 1, "{reason}");
    }
    assert_eq!(read_choice(json!({"message": {"content": "x"}})).said.as_deref(), Some("x"));
}

#[test]
fn a_call_without_a_name_is_left_for_the_agent_to_refuse() {
    assert_eq!(one_call(json!({"tool_calls": [{"id": "a", "function": {"arguments": "{}"}}]})).name, "");
    assert_eq!(one_call(json!({"tool_calls": [{"id": "a", "function": {"name": 7, "arguments": "{}"}}]})).name, "");
}

#[test]
fn a_200_with_an_error_is_no_answer() {
    for body in [r#"{"error":{"message":"x","code":null}}"#, r#"{"error":"x","choices":null}"#, r#"{"error":{},"choices":[]}"#] {
        assert_eq!(read(body.as_bytes()), Err(NoAnswer::Error), "{body}");
    }
    let both = read(br#"{"error":null,"choices":[{"message":{"content":"x"}}]}"#).expect("an answer");
    assert_eq!(both.said.as_deref(), Some("x"));
}

#[test]
fn what_is_no_completion_is_nonsense() {
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "<html>",
        "null",
        "[]",
        "{}",
        "7",
        r#"{"choices":null}"#,
        r#"{"choices":[]}"#,
        r#"{"choices":[null]}"#,
        r#"{"choices":[{"message":null}]}"#,
        r#"{"choices":[{"text":"old"}]}"#,
        r#"{"choices":"x"}"#,
        r#"{"choices":[{"message":{"content":"half"#,
        "\u{feff}",
        deep.as_str(),
    ] {
        assert_eq!(read(body.as_bytes()), Err(NoAnswer::Nonsense), "{body:.40}");
    }
    assert_eq!(read(b"{\"choices\":[{\"message\":{\"content\":\"\xff\"}}]}"), Err(NoAnswer::Nonsense));
}

#[test]
fn usage_is_believed_as_far_as_it_can_be_and_estimated_beyond() {
    // 350 bytes were sent and 35 came.
    let of = |usage: Value| {
        let body = json!({"choices": [{"message": {"content": "x".repeat(35)}}], "usage": usage});
        let usage = read(body.to_string().as_bytes()).expect("an answer").usage(&[b'x'; 350]);
        (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, usage.estimated)
    };
    assert_eq!(of(json!({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12})), (9, 3, 12, false));
    assert_eq!(of(json!({"prompt_tokens": 9, "completion_tokens": 3})), (9, 3, 12, false));
    assert_eq!(of(json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})), (0, 0, 0, false));
    assert_eq!(of(json!({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 1})), (9, 3, 12, false));
    assert_eq!(of(json!({"total_tokens": "12"})), (100, 10, 12, true));
    assert_eq!(of(json!({"prompt_tokens": -1, "completion_tokens": 3, "total_tokens": -5})), (100, 3, 103, true));
    assert_eq!(
        of(json!({"prompt_tokens": 9_223_372_036_854_775_808_u64, "completion_tokens": 1e300, "total_tokens": u64::MAX})),
        (100, 10, 110, true)
    );
    for nothing in [
        json!(null),
        json!({}),
        json!([]),
        json!("12"),
        json!(7),
        json!({"prompt_tokens": -1}),
        json!({"prompt_tokens": "many", "total_tokens": null}),
    ] {
        assert_eq!(of(nothing.clone()), (100, 10, 110, true), "{nothing}");
    }
}

#[test]
fn an_estimate_counts_calls_as_well() {
    let call = json!({"function": {"name": "f".repeat(20), "arguments": {"a": "x".repeat(72)}}});
    let body = json!({"choices": [{"message": {"content": null, "tool_calls": [call]}}]});
    assert_eq!(read(body.to_string().as_bytes()).expect("an answer").usage(b"").completion_tokens, 6 + 23);
}
