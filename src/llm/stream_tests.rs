//! Answers that come in pieces over a real connection: read along, cut, stalled, and answered otherwise than asked.

use serde_json::{Value, json};

use super::{
    tests::{model, prompt, says, settings, tools},
    *,
};
use crate::{
    llm::{ChatModel, Planner, reader::Reader},
    outbound::scripted::{Act, Scripted},
};

/// The plan, what was read along, and what the server was asked.
struct Read {
    plan: Result<Plan, ModelError>,
    heard: Vec<String>,
    asked: Vec<Value>,
}

async fn read_by(model: &ChatModel, server: &Scripted) -> Read {
    let reader = Reader::default();
    let plan = model.plan(&prompt(&tools()), Some(&|heard: Heard<'_>| reader.hears(heard))).await;
    Read { plan, heard: reader.pieces(), asked: server.requests().iter().map(crate::outbound::scripted::Received::json).collect() }
}

async fn read(act: Act) -> Read {
    let server = Scripted::start([act]).await;
    read_by(&model(&settings(Some(&server.url))).expect("a model"), &server).await
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

fn stream(events: &[Value]) -> Vec<u8> {
    let mut text = HEAD.to_owned();
    for event in events {
        let event = event.as_str().map_or_else(|| event.to_string(), str::to_owned);
        text += &format!("data: {event}\n\n");
    }
    text.into_bytes()
}

fn said(text: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
}

fn finish(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn answer(plan: Result<Plan, ModelError>) -> String {
    match plan.expect("a plan").next {
        Move::Answer(answer) => answer,
        Move::Calls { .. } => panic!("calls"),
    }
}

#[tokio::test]
async fn an_answer_is_read_along_and_its_cost_is_told() {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}});
    let events = [said("Hello"), said(" 你好"), finish("stop"), usage, json!("[DONE]")];
    let Read { plan, heard, asked } = read(Act::WriteAndClose(stream(&events))).await;
    assert_eq!(plan.as_ref().map(|plan| plan.usage.map(|usage| (usage.total_tokens, usage.estimated))), Ok(Some((12, false))));
    assert_eq!((answer(plan).as_str(), heard.concat().as_str(), heard.len()), ("Hello 你好", "Hello 你好", 2));
    assert_eq!((&asked[0]["stream"], &asked[0]["stream_options"]), (&json!(true), &json!({"include_usage": true})));
}

#[tokio::test]
async fn who_does_not_read_along_asks_for_no_stream() {
    let server = Scripted::start([says("x")]).await;
    model(&settings(Some(&server.url))).expect("a model").plan(&prompt(&tools()), None).await.expect("a plan");
    let asked = server.requests()[0].json();
    assert_eq!((&asked["stream"], asked.get("stream_options")), (&json!(false), None));
}

#[tokio::test]
async fn a_server_that_cannot_stream_is_not_asked_to_again() {
    let refuses = || Act::json(400, r#"{"error":{"message":"unknown field `stream_options`"}}"#);
    let server = Scripted::start([refuses(), says("Whole."), says("Again.")]).await;
    let model = model(&settings(Some(&server.url))).expect("a model");
    let first = read_by(&model, &server).await;
    assert_eq!((answer(first.plan).as_str(), first.heard), ("Whole.", vec!["Whole.".to_owned()]));
    let second = read_by(&model, &server).await;
    let streams: Vec<&Value> = second.asked.iter().map(|asked| &asked["stream"]).collect();
    assert_eq!(streams, [&json!(true), &json!(false), &json!(false)]);
}

#[tokio::test]
async fn a_setting_keeps_streams_away() {
    let server = Scripted::start([says("Whole.")]).await;
    let never = settings::Llm { stream: Streaming::Never, ..settings(Some(&server.url)) };
    let read = read_by(&model(&never).expect("a model"), &server).await;
    assert_eq!((&read.asked[0]["stream"], read.heard), (&json!(false), vec!["Whole.".to_owned()]));
}

#[tokio::test]
async fn plain_json_is_accepted_where_a_stream_was_asked_for() {
    for act in [says("Whole."), Act::reply(200, "", b"\n {\"choices\":[{\"message\":{\"content\":\"Whole.\"}}]}")] {
        let Read { plan, heard, .. } = read(act).await;
        assert_eq!((answer(plan).as_str(), heard), ("Whole.", vec!["Whole.".to_owned()]));
    }
    let error = read(Act::json(200, r#"{"error":{"code":"context_length_exceeded"}}"#)).await;
    assert_eq!(error.plan, Err(ModelError::ContextOverflow));
}

#[tokio::test]
async fn an_end_that_was_told_is_an_end_and_another_is_none() {
    for whole in [vec![said("x"), finish("stop")], vec![said("x"), json!("[DONE]")], vec![said("x"), finish("length")]] {
        assert_eq!(answer(read(Act::WriteAndClose(stream(&whole))).await.plan), "x");
    }
    let cut = read(Act::WriteAndClose(stream(&[said("Half of"), said(" it")]))).await;
    assert_eq!((cut.plan, cut.heard.concat().as_str()), (Err(ModelError::Unavailable), "Half of it"));
    let call =
        json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "getUsers", "arguments": "{}"}}]}}]});
    assert_eq!(read(Act::WriteAndClose(stream(&[call]))).await.plan, Err(ModelError::Unavailable), "what is cut is no plan");
    let stumbled = [stream(&[said("Half")]), b"data: {\"choices\": [{\"del\n\n".to_vec()].concat();
    for cut in [stream(&[]), HEAD.replace("event-stream", "html").into_bytes(), stumbled] {
        assert_eq!(read(Act::WriteAndClose(cut)).await.plan, Err(ModelError::Unavailable));
    }
    let nonsense = [HEAD.as_bytes(), b"<html>\n\n"].concat();
    assert_eq!(read(Act::WriteAndClose(nonsense)).await.plan, Err(ModelError::Nonsense), "that would come again");
}

#[tokio::test]
async fn an_error_in_the_middle_is_no_plan() {
    let overloaded = json!({"error": {"message": "overloaded", "code": 503}});
    let Read { plan, heard, .. } = read(Act::WriteAndClose(stream(&[said("Half"), overloaded, said("more")]))).await;
    assert_eq!((plan, heard.concat().as_str()), (Err(ModelError::Unavailable), "Half"));
}

#[tokio::test]
async fn a_stream_that_stalls_is_given_up_before_the_deadline() {
    let began = std::time::Instant::now();
    assert_eq!(read(Act::WriteAndHang(stream(&[said("Half")]))).await.plan, Err(ModelError::TimedOut));
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    let first = std::time::Instant::now();
    assert_eq!(read(Act::WriteAndHang(HEAD.as_bytes().to_vec())).await.plan, Err(ModelError::TimedOut));
    assert!(first.elapsed() >= Duration::from_millis(900), "the first piece has the whole time: {:?}", first.elapsed());
}

#[tokio::test]
async fn what_keeps_a_connection_alive_before_the_first_word_is_no_word() {
    let waiting = [HEAD.as_bytes(), b": processing\n\n"].concat();
    let began = std::time::Instant::now();
    assert_eq!(read(Act::WriteAndHang(waiting)).await.plan, Err(ModelError::TimedOut));
    assert!(began.elapsed() >= Duration::from_millis(900), "a long prompt has the whole time: {:?}", began.elapsed());
}

#[tokio::test]
async fn a_finished_answer_does_not_wait_for_its_cost_without_end() {
    let long = settings::Llm { timeout_ms: 60_000, ..settings(None) };
    let server = Scripted::start([Act::WriteAndHang(stream(&[said("Done."), finish("stop")]))]).await;
    let long = settings::Llm { url: Some(server.url.clone()), ..long };
    let began = std::time::Instant::now();
    assert_eq!(answer(read_by(&model(&long).expect("a model"), &server).await.plan), "Done.");
    assert!(began.elapsed() < Duration::from_millis(2 * MODEL_USAGE_WAIT_MS_MAX), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_stream_without_end_is_bounded() {
    let mut flood = stream(&[said("Half")]);
    flood.extend_from_slice(b"data: ");
    assert_eq!(read(Act::WriteAndFlood(flood)).await.plan, Err(ModelError::Nonsense));
    let comments = [stream(&[said("Half")]), ": ping\n".repeat(1_000_000).into_bytes()].concat();
    assert_eq!(read(Act::WriteAndHang(comments)).await.plan, Err(ModelError::Nonsense));
}

#[tokio::test]
async fn a_call_that_was_written_as_text_is_not_read_aloud() {
    let text = r#"{"name": "getUsers", "arguments": {"page": 2}}"#;
    let pieces: Vec<Value> = text.split_inclusive(' ').map(said).chain([finish("stop"), json!("[DONE]")]).collect();
    let Read { plan, heard, .. } = read(Act::WriteAndClose(stream(&pieces))).await;
    assert!(matches!(plan.expect("a plan").next, Move::Calls { said: None, calls } if calls[0].name == "getUsers"));
    assert_eq!(heard, [""; 0]);
    for shown in ["{\"a\": 1}", "```rust\nfn main() {}\n```\nis a program.", "`x` is a name.", "{", "\n\nHello."] {
        let pieces: Vec<Value> = shown.split_inclusive(' ').map(said).chain([finish("stop")]).collect();
        let Read { plan, heard, .. } = read(Act::WriteAndClose(stream(&pieces))).await;
        assert_eq!((answer(plan).as_str(), heard.concat().as_str()), (shown, shown));
    }
}

#[tokio::test]
async fn a_connection_is_used_again_after_a_stream() {
    let mut body = String::new();
    for event in [said("x").to_string(), finish("stop").to_string(), "[DONE]".to_owned()] {
        let event = format!("data: {event}\n\n");
        body += &format!("{:x}\r\n{event}\r\n", event.len());
    }
    let whole = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}0\r\n\r\n");
    let server = Scripted::start(vec![Act::Write(whole.into_bytes()); 2]).await;
    let model = model(&settings(Some(&server.url))).expect("a model");
    for _ in 0..2 {
        assert_eq!(answer(read_by(&model, &server).await.plan), "x");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_is_too_long_is_shortened_whatever_of_an_answer_was_read_along() {
    let too_long = || json!({"error": {"code": "context_length_exceeded"}});
    let ask = async |act: Act| {
        let server = Scripted::start([act, says("Short.")]).await;
        let planner = Planner::Model(model(&settings(Some(&server.url))).expect("a model"));
        let reader = Reader::default();
        let words = |heard: Heard<'_>| reader.hears(heard);
        let (tools, message) = (tools(), "so ".repeat(9000));
        let plan = planner.plan(&Prompt { message: &message, ..prompt(&tools) }, Some(&words)).await;
        (plan.map(|plan| plan.next), reader.pieces().concat(), server.requests())
    };
    for act in [Act::json(400, &too_long().to_string()), Act::WriteAndClose(stream(&[too_long()]))] {
        let (next, heard, asked) = ask(act).await;
        assert_eq!((next, heard.as_str(), asked.len()), (Ok(Move::Answer("Short.".to_owned())), "Short.", 2));
        assert!(tokens::of(&asked[1].body) <= tokens::of(&asked[0].body) / 2);
    }
    let (next, heard, asked) = ask(Act::WriteAndClose(stream(&[said("It is "), too_long()]))).await;
    assert_eq!((next, heard.as_str(), asked.len()), (Ok(Move::Answer("Short.".to_owned())), "It is |Short.", 2));
}

#[tokio::test]
async fn the_price_is_that_of_the_request_as_it_is_sent() {
    let tools_refused = Act::json(400, r#"{"error":{"message":"this model does not support tools"}}"#);
    let schema_refused = Act::json(400, r#"{"error":{"message":"response_format is not supported"}}"#);
    let acts = [says("x"), tools_refused, says(r#"{"answer":"x"}"#), schema_refused, says(r#"{"answer":"x"}"#)];
    let server = Scripted::start(acts).await;
    let model = model(&settings(Some(&server.url))).expect("a model");
    let tools = tools();
    for requests in [1, 3, 5] {
        model.plan(&prompt(&tools), Some(&|_: Heard<'_>| ())).await.expect("a plan");
        let sent = server.requests();
        assert_eq!(sent.len(), requests);
        assert_eq!(model.price_of(&prompt(&tools)).prompt_tokens, tokens::of(&sent[requests - 1].body));
    }
}
