//! Streams as servers really send them, and as nobody should.

use super::{super::events::Events, *};
use crate::domain::tool::ToolCall;

/// What comes of chunks, and every text that was handed on.
fn read(chunks: &[Value]) -> (Result<Answer, NoAnswer>, Vec<String>) {
    let mut pieces = Pieces::default();
    let mut said = Vec::new();
    for chunk in chunks {
        let data = chunk.as_str().map_or_else(|| chunk.to_string(), str::to_owned);
        match pieces.take(&Event { name: Vec::new(), data: data.into_bytes() }) {
            Ok(text) => said.extend(Some(text).filter(|text| !text.is_empty())),
            Err(error) => return (Err(error), said),
        }
    }
    (Ok(pieces.answer()), said)
}

fn answer(chunks: &[Value]) -> Answer {
    read(chunks).0.expect("an answer")
}

fn delta(delta: Value) -> Value {
    json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn call(piece: Value) -> Value {
    delta(json!({"tool_calls": [piece]}))
}

fn finish(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn told(calls: &[ToolCall]) -> Vec<String> {
    let arguments =
        |call: &ToolCall| call.arguments.clone().map_or_else(|text| format!("broken {text}"), |map| Value::Object(map).to_string());
    calls.iter().map(|call| format!("{} {} {}", call.id, call.name, arguments(call))).collect()
}

#[test]
fn a_stream_becomes_the_answer_that_it_is_a_stream_of() {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}});
    let (answer, said) = read(&[
        delta(json!({"role": "assistant", "content": null})),
        delta(json!({"content": "Hel"})),
        delta(json!({"content": "lo 你好", "reasoning_content": "hm"})),
        delta(json!({"content": ""})),
        finish("stop"),
        usage,
        json!("[DONE]"),
        delta(json!({"content": "after the end"})),
    ]);
    let answer = answer.expect("an answer");
    assert_eq!((answer.said.as_deref(), answer.calls.len()), (Some("Hello 你好"), 0));
    assert_eq!(answer.usage(b"asked").total_tokens, 12);
    assert_eq!(said, ["Hel", "lo 你好"]);
}

#[test]
fn calls_are_put_together_by_their_index_however_they_interleave() {
    let answer = answer(&[
        delta(json!({"role": "assistant", "content": null})),
        call(json!({"index": 0, "id": "a", "type": "function", "function": {"name": "getUser", "arguments": "{"}})),
        call(json!({"index": 1, "type": "function", "function": {"name": "getUsers", "arguments": ""}})),
        call(json!({"index": 0, "function": {"arguments": "\"id\":"}})),
        call(json!({"index": 1, "function": {"name": null, "arguments": "{\"page\""}})),
        call(json!({"index": 0, "id": "a", "function": {"name": "getUser", "arguments": " 1}"}})),
        call(json!({"index": 1, "id": "", "function": {"arguments": ":2}"}})),
        finish("tool_calls"),
    ]);
    assert_eq!(told(&answer.calls), [r#"a getUser {"id":1}"#, r#"c00000001 getUsers {"page":2}"#]);
    assert_eq!(answer.said, None);
}

#[test]
fn calls_that_are_counted_wrongly_or_not_at_all_are_told_apart() {
    let whole = |index: Value, id: &str, name: &str| call(json!({"index": index, "id": id, "function": {"name": name, "arguments": "{}"}}));
    for (first, second) in [
        (whole(json!(0), "a", "f"), whole(json!(0), "b", "g")),
        (whole(json!(null), "a", "f"), whole(json!(null), "b", "g")),
        (whole(json!(7), "a", "f"), whole(json!(3), "b", "g")),
    ] {
        assert_eq!(told(&answer(&[first, second, finish("stop")]).calls), ["a f {}", "b g {}"]);
    }
    let nameless = answer(&[whole(json!(null), "", "f"), whole(json!(null), "", "g"), finish("stop")]);
    assert_eq!(told(&nameless.calls), ["c00000001 f {}", "c00000002 g {}"]);
    let older = answer(&[
        delta(json!({"function_call": {"name": "f", "arguments": "{\"a\""}})),
        delta(json!({"function_call": {"arguments": ":1}"}})),
        finish("function_call"),
    ]);
    assert_eq!(told(&older.calls), [r#"c00000001 f {"a":1}"#]);
}

#[test]
fn half_a_call_is_broken_and_not_guessed_at() {
    let begun = call(json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{\"a\": 1"}}));
    assert_eq!(told(&answer(&[begun.clone(), finish("length")]).calls), ["a f broken {\"a\": 1"]);
    assert_eq!(told(&answer(&[begun, finish("stop")]).calls), ["a f broken {\"a\": 1"]);
    let no_arguments = call(json!({"index": 0, "id": "a", "function": {"name": "f"}}));
    assert_eq!(told(&answer(&[no_arguments.clone(), finish("length")]).calls), ["a f broken "]);
    assert_eq!(told(&answer(&[no_arguments, finish("tool_calls")]).calls), ["a f {}"]);
}

#[test]
fn an_error_in_the_middle_is_an_error() {
    let begun = delta(json!({"content": "Half"}));
    let (error, said) = read(&[begun.clone(), json!({"error": {"message": "overloaded", "code": 503}})]);
    assert_eq!((error, said.len()), (Err(NoAnswer::Error), 1));
    assert_eq!(read(&[begun.clone(), json!("{\"choices\": [{\"delta\": {\"cont")]).0, Err(NoAnswer::Nonsense));
    let mut pieces = Pieces::default();
    let named = Event { name: b"error".to_vec(), data: b"{\"message\": \"x\"}".to_vec() };
    assert_eq!(pieces.take(&named), Err(NoAnswer::Error));
}

#[test]
fn what_is_finished_is_told_from_what_was_cut() {
    let after = |chunks: &[Value]| {
        let mut pieces = Pieces::default();
        for chunk in chunks {
            let data = chunk.as_str().map_or_else(|| chunk.to_string(), str::to_owned);
            pieces.take(&Event { name: Vec::new(), data: data.into_bytes() }).expect("a piece");
        }
        (pieces.is_finished(), pieces.is_done(), pieces.has_begun())
    };
    let said = delta(json!({"content": "x"}));
    assert_eq!(after(std::slice::from_ref(&said)), (false, false, true));
    assert_eq!(after(&[said.clone(), finish("stop")]), (true, false, true));
    assert_eq!(after(&[said, json!("[DONE]")]), (true, true, true));
    assert_eq!(after(&[finish("")]), (false, false, false));
}

#[test]
fn a_stream_of_calls_without_end_is_bounded() {
    let chunks: Vec<Value> = (0..CALLS_PER_ANSWER_MAX + 50)
        .map(|index| call(json!({"index": index, "function": {"name": "f", "arguments": "{}"}})))
        .chain([finish("stop")])
        .collect();
    assert_eq!(answer(&chunks).calls.len(), CALLS_PER_ANSWER_MAX);
}

#[test]
fn a_recorded_stream_is_read_wherever_it_is_cut() {
    let stream = concat!(
        ": llama.cpp\r\n\r\n",
        "data: {\"choices\":[{\"finish_reason\":null,\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\r\n\r\n",
        "data: {\"choices\":[{\"finish_reason\":null,\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"x1\",\"type\":\"function\",\"function\":{\"name\":\"查询\",\"arguments\":\"{\"}}]}}]}\r\n\r\n",
        "data: {\"choices\":[{\"finish_reason\":null,\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\\"名\\\":1}\"}}]}}]}\r\n\r\n",
        "data: {\"choices\":[{\"finish_reason\":\"tool_calls\",\"index\":0,\"delta\":{}}]}\r\n\r\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}}\r\n\r\n",
        "data: [DONE]\r\n\r\n",
    );
    for size in [1, 2, 3, 7, 64, 5000] {
        let (mut events, mut pieces) = (Events::default(), Pieces::default());
        for bytes in stream.as_bytes().chunks(size) {
            for event in events.take(bytes) {
                pieces.take(&event).expect("a piece");
            }
        }
        assert!(pieces.is_done());
        let answer = pieces.answer();
        assert_eq!((told(&answer.calls), answer.counted.total), (vec![r#"x1 查询 {"名":1}"#.to_owned()], Some(7)), "{size}");
    }
}

/// Streams damaged at random: cut, doubled, with bytes of another kind in them.
#[test]
fn no_damage_to_a_stream_makes_more_of_it_than_was_said() {
    let whole = [
        delta(json!({"role": "assistant", "content": null})),
        delta(json!({"content": "Hello 你好 "})),
        call(json!({"index": 0, "id": "a", "type": "function", "function": {"name": "getUser", "arguments": "{"}})),
        call(json!({"index": 1, "id": "b", "type": "function", "function": {"name": "getUsers", "arguments": "{}"}})),
        call(json!({"index": 0, "function": {"arguments": "\"id\": 1}"}})),
        delta(json!({"content": "there"})),
        finish("tool_calls"),
        json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}}),
    ];
    let whole: String = whole.iter().map(|event| format!("data: {event}\n\n")).chain(["data: [DONE]\n\n".to_owned()]).collect();
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: usize| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        usize::try_from(chance % bound as u64).unwrap()
    };
    let mut finished = 0;
    for _ in 0..20_000 {
        let mut stream = whole.clone().into_bytes();
        for _ in 0..below(4) {
            let (from, to) = (below(stream.len()), below(stream.len()));
            match below(4) {
                0 => stream.truncate(from.max(1)),
                1 => stream[from] = [b'\n', b'\r', b'"', b'{', 0, 0xff, b':', b' '][below(8)],
                2 => stream = [&stream[..from], &stream[to..]].concat(),
                _ => drop(stream.splice(from..from, whole.as_bytes()[to.min(whole.len())..].iter().copied().take(200))),
            }
            if stream.is_empty() {
                stream.push(b'\n');
            }
        }
        let (mut events, mut pieces, mut said) = (Events::default(), Pieces::default(), String::new());
        let size = 1 + below(300);
        let read = stream
            .chunks(size)
            .try_for_each(|bytes| events.take(bytes).iter().try_for_each(|event| pieces.take(event).map(|text| said.push_str(&text))));
        if read.is_err() || !pieces.is_finished() {
            continue;
        }
        finished += 1;
        let answer = pieces.answer();
        assert_eq!(answer.said.unwrap_or_default().trim(), said.trim());
        for call in &answer.calls {
            assert!(!call.id.is_empty() && call.arguments.as_ref().is_ok_and(|map| map.len() < 3) | call.arguments.is_err(), "{call:?}");
        }
    }
    assert!(finished > 5000, "{finished}");
}
