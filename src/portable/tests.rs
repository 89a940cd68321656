//! What a file has and has not, and all that can be wrong with one.

use serde_json::json;

use super::*;
use crate::domain::{
    credential::MissingCredentials,
    kept::ResultId,
    session::{Round, Usage},
    tool::{Outcome, Refusal, ReplyBody, SentRequest, ToolCall, ToolResult, UpstreamReply},
};

const TURNS_MAX: usize = 10;

fn call(id: &str, outcome: Outcome) -> ToolResult {
    let arguments = json!({"n": 9_007_199_254_740_993_u64, "z": 1.5, "a": null}).as_object().cloned().unwrap();
    let request = Some(SentRequest { method: "POST".into(), url: "http://up/a?b=c".into() });
    ToolResult { call: ToolCall { id: id.into(), name: "f".into(), arguments: Ok(arguments) }, request, outcome }
}

fn replied(body: ReplyBody) -> Outcome {
    Outcome::Replied(UpstreamReply { status: 201, headers: Vec::new(), body, kept: ResultId::parse(&"5e".repeat(16)) })
}

fn turn(results: Vec<ToolResult>) -> Turn {
    Turn {
        run: "run-1".into(),
        asked_ms: 1_764_417_600_123,
        message: "查询\n\"x\"".into(),
        rounds: vec![Round { said: Some("one moment".into()), results }, Round { said: None, results: Vec::new() }],
        answered_ms: 1_764_417_601_000,
        answer: "**done**".into(),
        usage: Some(Usage { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, estimated: true }),
        served: Some("0123456789abcdef".into()),
    }
}

fn label() -> Label {
    Label { title: Some("Orders of 五月".into()), pinned: true, metadata: Some(r#"{"b":1,"a":[2.5]}"#.into()) }
}

#[test]
fn what_is_read_and_written_again_has_the_same_bytes() {
    let mut own = call("own", replied(ReplyBody::Json(json!({"found": 1}).into())));
    own.request = None;
    let mut broken = call("broken", Outcome::Refused(Refusal::InvalidArguments(vec!["x is missing".into()])));
    broken.call.arguments = Err("{half".into());
    let missing = MissingCredentials { api: "shop".into(), alternatives: vec![vec!["A".into()]] };
    let refusals = [
        Refusal::UnknownFunction { near: vec!["g".into()] },
        Refusal::OverBudget,
        Refusal::CredentialMissing(missing),
        Refusal::CredentialUnusable { scheme: "K".into(), reason: "lost".into() },
        Refusal::Declined,
        Refusal::Outdated,
    ];
    let mut results: Vec<ToolResult> = (0..).zip(refusals).map(|(n, refusal)| call(&format!("r{n}"), Outcome::Refused(refusal))).collect();
    results.extend([
        own,
        broken,
        call(
            "json",
            replied(ReplyBody::Json(
                serde_json::from_str::<Box<serde_json::value::RawValue>>(r#"{"n":1.000,"a":1,"a":2}"#).unwrap().into(),
            )),
        ),
        call("text", replied(ReplyBody::Text("tea".into()))),
        call("none", replied(ReplyBody::Empty)),
        call("file", replied(ReplyBody::Binary { content_type: "image/png".into(), bytes: 3, content: bytes::Bytes::new() })),
        call("failed", Outcome::Failed("no route".into())),
        call("lost", Outcome::Unknown("no answer".into())),
    ]);
    let first = write(&label(), &[turn(results.clone()), turn(Vec::new())]);
    let read = read(first.as_bytes(), TURNS_MAX).unwrap();
    assert_eq!(write(&read.label, &read.turns), first);
    assert_eq!(read.label, label());
    let unnamed = |mut turn: Turn| {
        turn.run = String::new();
        for result in turn.rounds.iter_mut().flat_map(|round| &mut round.results) {
            if let Outcome::Replied(reply) = &mut result.outcome {
                reply.kept = None;
            }
        }
        turn
    };
    assert_eq!(read.turns, [unnamed(turn(results)), unnamed(turn(Vec::new()))]);
    assert!(!first.contains("run-1") && !first.contains("5e5e"), "{first}");
}

#[test]
fn a_question_that_waits_cannot_be_answered_from_a_file() {
    let asked = call("1", Outcome::Refused(Refusal::NeedsConfirmation { digest: "secret digest".into() }));
    let text = write(&Label::default(), &[turn(vec![asked])]);
    assert!(text.contains("not_confirmed") && !text.contains("digest"), "{text}");
    let back = read(text.as_bytes(), TURNS_MAX).unwrap();
    assert!(back.turns[0].rounds[0].results.iter().all(|result| result.outcome == Outcome::Refused(Refusal::Outdated)));
}

fn file(turns: serde_json::Value) -> serde_json::Value {
    json!({"format": FORMAT, "version": VERSION, "turns": turns})
}

fn problems(file: &serde_json::Value) -> Vec<String> {
    read(file.to_string().as_bytes(), TURNS_MAX).unwrap_err()
}

#[test]
fn a_small_file_written_by_hand_is_enough() {
    let asked = json!({"asked_at": "2026-05-01T00:00:00+02:00", "message": "hi", "answered_at": "2026-05-01T00:00:01Z", "answer": "ho"});
    let read = read(file(json!([asked])).to_string().as_bytes(), TURNS_MAX).unwrap();
    assert_eq!((read.label, read.turns[0].answered_ms - read.turns[0].asked_ms), (Label::default(), 2 * 3_600_000 + 1000));
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let whole = |calls: serde_json::Value| {
        json!({"asked_at": "2026-05-01T00:00:00Z", "message": "hi", "answered_at": "2026-05-01T00:00:01Z", "answer": "ho",
               "rounds": [{"calls": calls}]})
    };
    let mut foreign = whole(json!([]));
    foreign["run"] = json!("019a");
    let mut early = whole(json!([]));
    early["asked_at"] = json!("1969-12-31T23:59:59Z");
    early["answered_at"] = json!("yesterday");
    let orphan = whole(json!([{"id": "1", "function": "f", "arguments": {}}]));
    let calls = whole(json!([
        {"id": "1", "function": "", "arguments": {}, "outcome": "declined"},
        {"id": "1", "function": "f", "outcome": "declined"},
        {"id": "2", "function": "f", "arguments": {}, "outcome": {"unknown": {"why": "?"}}},
        {"id": "3", "function": "f", "arguments": {}, "request": {"method": "G T", "url": ""}, "outcome": {"replied": {"status": 7, "body": "empty"}}},
        {"id": "4", "function": "f", "arguments": {}, "outcome": {"needs_confirmation": {"digest": "d"}}},
    ]));
    let mut file = file(json!([foreign, early, orphan, calls, {}]));
    file["title"] = json!(" ");
    file["metadata"] = json!([]);
    let told = problems(&file);
    let expected = [
        "title is empty",
        "metadata is no object",
        "turns[0]: unknown field `run`, expected one of `asked_at`, `message`, `rounds`, `answered_at`, `answer`, `usage`, `served`",
        "turns[1].asked_at is \"1969-12-31T23:59:59Z\"; a moment since 1970 is needed, as 2026-01-31T12:00:00.000Z",
        "turns[1].answered_at is \"yesterday\"; a moment since 1970 is needed, as 2026-01-31T12:00:00.000Z",
        "turns[2].rounds[0].calls[0]: missing field `outcome`: a call needs what came of it",
        "turns[3].rounds[0].calls[0].function has 0 bytes; 1 to 256 are needed",
        "turns[3].rounds[0].calls[1].id is that of another call of this round",
        "turns[3].rounds[0].calls[1]: arguments are missing (or broken_arguments, for a text that was none)",
        "turns[3].rounds[0].calls[2].request is missing: what may have been sent has one",
        "turns[3].rounds[0].calls[3].request.method is \"G T\"; a method such as GET is needed",
        "turns[3].rounds[0].calls[3].outcome.replied.status is 7; 100 to 999 is needed",
    ];
    for sentence in expected {
        assert!(told.iter().any(|problem| problem == sentence), "{sentence} is not among {told:#?}");
    }
    assert!(
        told.iter().any(|problem| problem.starts_with("turns[3].rounds[0].calls[4]: unknown variant `needs_confirmation`")),
        "{told:#?}"
    );
    assert_eq!(told.len(), expected.len() + 2, "{told:#?}");
}

#[test]
fn a_file_of_another_format_or_version_is_told_as_that_whatever_else_is_in_it() {
    let newer = json!({"format": FORMAT, "version": 2, "branches": []});
    assert_eq!(problems(&newer), ["version is 2; this release reads 1: a newer release wrote the file"]);
    assert_eq!(problems(&json!({"format": FORMAT, "version": 0, "turns": []})), ["version is 0; 1 is needed"]);
    assert_eq!(problems(&json!({"format": "chat", "version": 1, "messages": []})), [format!("format is \"chat\"; {FORMAT:?} is needed")]);
    let turns = |count: usize| file(json!((0..count).map(|_| json!({})).collect::<Vec<_>>()));
    assert_eq!(problems(&turns(30)), ["turns has 30; a session keeps 10 (sessions.turns_max)"]);
    for text in ["", "[]", "{", "{}", "\u{0}"] {
        let told = read(text.as_bytes(), TURNS_MAX).unwrap_err();
        assert!(told[0].starts_with("it is no file of a session: "), "{told:?}");
    }
}

#[test]
fn what_would_take_too_much_is_refused_before_it_is_taken_apart() {
    let hoard = format!("[{}]", vec![r#"{"":0}"#; 5000].join(","));
    let with = |arguments: &str| {
        let call = format!(r#"{{"id":"1","function":"f","arguments":{arguments},"outcome":"declined"}}"#);
        let turn = format!(
            r#"{{"asked_at":"2026-05-01T00:00:00Z","message":"m","answered_at":"2026-05-01T00:00:00Z","answer":"a","rounds":[{{"calls":[{call}]}}]}}"#
        );
        format!(r#"{{"format":"{FORMAT}","version":1,"turns":[{turn}]}}"#)
    };
    let wrong = |text: &str| read(text.as_bytes(), TURNS_MAX).unwrap_err().join("; ");
    assert!(wrong(&with(&format!(r#"{{"a":{}}}"#, "[".repeat(60) + &"]".repeat(60)))).contains("arguments nests deeper than 32 levels"));
    assert!(wrong(&with(&format!(r#"{{"a":"{}"}}"#, "x".repeat(300_000)))).contains("arguments has 300008 bytes"));
    let metadata = |text: &str| format!(r#"{{"format":"{FORMAT}","version":1,"metadata":{text},"turns":[]}}"#);
    assert_eq!(wrong(&metadata(&format!(r#"{{"a":{hoard}}}"#))), "metadata has more than 4096 bytes as JSON");
    assert!(read(metadata("null").as_bytes(), TURNS_MAX).unwrap().label.metadata.is_none());
    let turns = format!(r#"{{"format":"{FORMAT}","version":1,"turns":[{}]}}"#, vec!["0"; 1_000_001].join(","));
    assert!(wrong(&turns).contains("values; 1000000 are allowed"));
    let long = file(
        json!([{"asked_at": "2026-05-01T00:00:00Z", "message": "m".repeat(64_001), "answered_at": "2026-05-01T00:00:00Z", "answer": "a"}]),
    );
    assert_eq!(problems(&long), ["turns[0].message has 64001 bytes; 64000 are allowed"]);
    let named = format!(r#"{{"format":"{FORMAT}","version":1,"turns":[],"\u001b]0;{}":1}}"#, "n".repeat(10_000));
    let told = wrong(&named);
    assert!(told.len() < 400 && !told.contains('\u{1b}'), "{told}");
}
