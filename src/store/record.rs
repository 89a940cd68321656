//! The stored form of a turn: one record a turn, versioned, so that a shape can age.
//!
//! `<version byte><flags byte><payload>`. Version `1` is JSON: what was said, and behind it, if there were any, the rounds of calls,
//! so that whoever reads only what was said never looks at the rest. Flags are `0`. Compression and sealing are around it (`envelope`).
//! One record holds a whole turn, so a turn enters the history whole or not at all, a tail never begins in the middle of one,
//! and a call never stands without its result.
//!
//! A record is never rewritten: turns are appended and trimmed. So nothing that a newer release wrote beside what is known here is lost;
//! it is passed over when it is read.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use crate::domain::{
    credential::MissingCredentials,
    kept::ResultId,
    session::{Round, Turn, Usage},
    tool::{Outcome, Refusal, ReplyBody, SentRequest, ToolCall, ToolResult, UpstreamReply},
};

const VERSION: u8 = b'1';
const PLAIN: u8 = b'0';

/// The record of a turn.
pub(super) fn encode(turn: &Turn) -> Vec<u8> {
    let mut record = vec![VERSION, PLAIN];
    // Writing JSON of strings, numbers and maps with text keys into memory cannot fail.
    serde_json::to_writer(&mut record, &Said::from(turn)).unwrap_or_default();
    if !turn.rounds.is_empty() {
        let rounds: Vec<StoredRound> = turn.rounds.iter().map(StoredRound::from).collect();
        serde_json::to_writer(&mut record, &rounds).unwrap_or_default();
    }
    record
}

/// How much of a turn is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Whole,
    /// What was said, without the calls: much less to read.
    Said,
}

/// The turn of a record; `None` if it is not one that this release can read.
pub(super) fn decode(record: &[u8], detail: Detail) -> Option<Turn> {
    let payload = match record {
        [VERSION, PLAIN, payload @ ..] => payload,
        _ => return None,
    };
    let mut parts = serde_json::Deserializer::from_slice(payload).into_iter::<Said>();
    let said = parts.next()?.ok()?;
    let behind = payload.get(parts.byte_offset()..).unwrap_or_default();
    let rounds = match detail {
        Detail::Whole if !behind.is_empty() => serde_json::from_slice::<Vec<StoredRound>>(behind).ok()?,
        Detail::Whole | Detail::Said => Vec::new(),
    };
    Some(said.into_turn(rounds))
}

/// One call and what came of it, for the journal.
pub fn encode_result(result: &ToolResult) -> Vec<u8> {
    serde_json::to_vec(&StoredCall::from(result)).unwrap_or_default()
}

/// A journaled result; `None` if it cannot be read.
pub fn decode_result(value: &[u8]) -> Option<ToolResult> {
    serde_json::from_slice::<StoredCall>(value).ok().map(ToolResult::from)
}

/// One round of a turn, for the journal.
pub fn encode_round(round: &Round) -> Vec<u8> {
    serde_json::to_vec(&StoredRound::from(round)).unwrap_or_default()
}

/// A journaled round; `None` if it cannot be read.
pub fn decode_round(value: &[u8]) -> Option<Round> {
    serde_json::from_slice::<StoredRound>(value).ok().map(Round::from)
}

/// Names are short because they are stored with every turn.
#[derive(Serialize, Deserialize)]
struct Said {
    run: String,
    at: u64,
    msg: String,
    end: u64,
    ans: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "use")]
    usage: Option<[u64; 3]>,
    /// Whether that is estimated; records of before have none, and releases of before pass it over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    est: bool,
    /// The fingerprint of what was served; records of before have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fp: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredRound {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    calls: Vec<StoredCall>,
}

#[derive(Serialize, Deserialize)]
struct StoredCall {
    id: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    args: Option<Map<String, Value>>,
    /// The text that should have been arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    broken: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<(String, String)>,
    out: StoredOutcome,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredOutcome {
    Replied {
        status: u16,
        body: StoredBody,
        /// Under which id the whole reply was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<String>,
    },
    UnknownFunction {
        near: Vec<String>,
    },
    InvalidArguments {
        problems: Vec<String>,
    },
    OverBudget,
    CredentialMissing {
        api: String,
        alternatives: Vec<Vec<String>>,
    },
    CredentialUnusable {
        scheme: String,
        reason: String,
    },
    NeedsConfirmation {
        digest: String,
    },
    Declined,
    Outdated,
    Failed {
        why: String,
    },
    Unknown {
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredBody {
    Empty,
    Json(Box<RawValue>),
    Text(String),
    Binary(String, usize),
}

impl From<&Turn> for Said {
    fn from(turn: &Turn) -> Self {
        Self {
            run: turn.run.clone(),
            at: turn.asked_ms,
            msg: turn.message.clone(),
            end: turn.answered_ms,
            ans: turn.answer.clone(),
            usage: turn.usage.map(|u| [u.prompt_tokens, u.completion_tokens, u.total_tokens]),
            est: turn.usage.is_some_and(|u| u.estimated),
            fp: turn.served.clone(),
        }
    }
}

impl Said {
    fn into_turn(self, rounds: Vec<StoredRound>) -> Turn {
        Turn {
            run: self.run,
            asked_ms: self.at,
            message: self.msg,
            rounds: rounds.into_iter().map(Round::from).collect(),
            answered_ms: self.end,
            answer: self.ans,
            usage: self.usage.map(|[prompt_tokens, completion_tokens, total_tokens]| Usage {
                prompt_tokens,
                completion_tokens,
                total_tokens,
                estimated: self.est,
            }),
            served: self.fp,
        }
    }
}

impl From<&Round> for StoredRound {
    fn from(round: &Round) -> Self {
        Self { said: round.said.clone(), calls: round.results.iter().map(StoredCall::from).collect() }
    }
}

impl From<StoredRound> for Round {
    fn from(stored: StoredRound) -> Self {
        Self { said: stored.said, results: stored.calls.into_iter().map(ToolResult::from).collect() }
    }
}

impl From<&ToolResult> for StoredCall {
    fn from(result: &ToolResult) -> Self {
        Self {
            id: result.call.id.clone(),
            name: result.call.name.clone(),
            args: result.call.arguments.as_ref().ok().cloned(),
            broken: result.call.arguments.as_ref().err().cloned(),
            sent: result.request.as_ref().map(|r| (r.method.clone(), r.url.clone())),
            out: match &result.outcome {
                Outcome::Replied(reply) => StoredOutcome::Replied {
                    status: reply.status,
                    body: StoredBody::from(&reply.body),
                    kept: reply.kept.as_ref().map(ToString::to_string),
                },
                Outcome::Refused(Refusal::UnknownFunction { near }) => StoredOutcome::UnknownFunction { near: near.clone() },
                Outcome::Refused(Refusal::InvalidArguments(problems)) => StoredOutcome::InvalidArguments { problems: problems.clone() },
                Outcome::Refused(Refusal::OverBudget) => StoredOutcome::OverBudget,
                Outcome::Refused(Refusal::CredentialMissing(MissingCredentials { api, alternatives })) => {
                    StoredOutcome::CredentialMissing { api: api.clone(), alternatives: alternatives.clone() }
                }
                Outcome::Refused(Refusal::CredentialUnusable { scheme, reason }) => {
                    StoredOutcome::CredentialUnusable { scheme: scheme.clone(), reason: reason.clone() }
                }
                Outcome::Refused(Refusal::NeedsConfirmation { digest }) => StoredOutcome::NeedsConfirmation { digest: digest.clone() },
                Outcome::Refused(Refusal::Declined) => StoredOutcome::Declined,
                Outcome::Refused(Refusal::Outdated) => StoredOutcome::Outdated,
                Outcome::Failed(why) => StoredOutcome::Failed { why: why.clone() },
                Outcome::Unknown(why) => StoredOutcome::Unknown { why: why.clone() },
            },
        }
    }
}

impl From<StoredCall> for ToolResult {
    fn from(stored: StoredCall) -> Self {
        Self {
            call: ToolCall {
                id: stored.id,
                name: stored.name,
                arguments: match stored.broken {
                    Some(text) => Err(text),
                    None => Ok(stored.args.unwrap_or_default()),
                },
            },
            request: stored.sent.map(|(method, url)| SentRequest { method, url }),
            outcome: match stored.out {
                StoredOutcome::Replied { status, body, kept } => {
                    let kept = kept.as_deref().and_then(ResultId::parse);
                    Outcome::Replied(UpstreamReply { status, headers: Vec::new(), body: ReplyBody::from(body), kept })
                }
                StoredOutcome::UnknownFunction { near } => Outcome::Refused(Refusal::UnknownFunction { near }),
                StoredOutcome::InvalidArguments { problems } => Outcome::Refused(Refusal::InvalidArguments(problems)),
                StoredOutcome::OverBudget => Outcome::Refused(Refusal::OverBudget),
                StoredOutcome::CredentialMissing { api, alternatives } => {
                    Outcome::Refused(Refusal::CredentialMissing(MissingCredentials { api, alternatives }))
                }
                StoredOutcome::CredentialUnusable { scheme, reason } => Outcome::Refused(Refusal::CredentialUnusable { scheme, reason }),
                StoredOutcome::NeedsConfirmation { digest } => Outcome::Refused(Refusal::NeedsConfirmation { digest }),
                StoredOutcome::Declined => Outcome::Refused(Refusal::Declined),
                StoredOutcome::Outdated => Outcome::Refused(Refusal::Outdated),
                StoredOutcome::Failed { why } => Outcome::Failed(why),
                StoredOutcome::Unknown { why } => Outcome::Unknown(why),
            },
        }
    }
}

impl From<&ReplyBody> for StoredBody {
    fn from(body: &ReplyBody) -> Self {
        match body {
            ReplyBody::Empty => Self::Empty,
            ReplyBody::Json(json) => Self::Json(json.as_raw().to_owned()),
            ReplyBody::Text(text) => Self::Text(text.clone()),
            ReplyBody::Binary { content_type, bytes, .. } => Self::Binary(content_type.clone(), *bytes),
        }
    }
}

impl From<StoredBody> for ReplyBody {
    fn from(body: StoredBody) -> Self {
        match body {
            StoredBody::Empty => Self::Empty,
            StoredBody::Json(raw) => Self::Json(raw.into()),
            StoredBody::Text(text) => Self::Text(text),
            StoredBody::Binary(content_type, bytes) => Self::Binary { content_type, bytes, content: Bytes::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(arguments: Result<Map<String, Value>, String>, outcome: Outcome) -> ToolResult {
        let request = Some(SentRequest { method: "GET".into(), url: "http://up/users".into() });
        ToolResult { call: ToolCall { id: "c1".into(), name: "listUsers".into(), arguments }, request, outcome }
    }

    #[test]
    fn a_turn_comes_back_as_it_was_stored() {
        let reply =
            |body| Outcome::Replied(UpstreamReply { status: 200, headers: Vec::new(), body, kept: ResultId::parse(&"5e".repeat(16)) });
        let arguments = json!({"n": 9_007_199_254_740_993_u64, "z": 1, "a": null}).as_object().cloned().unwrap();
        let results = vec![
            call(Ok(arguments), reply(ReplyBody::Json(json!({"b": [1, "二"], "a": 0}).into()))),
            call(Err("{half".into()), Outcome::Refused(Refusal::InvalidArguments(vec!["x".into()]))),
            call(Ok(Map::new()), reply(ReplyBody::Binary { content_type: "image/png".into(), bytes: 3, content: Bytes::new() })),
            call(Ok(Map::new()), Outcome::Unknown("lost".into())),
            call(Ok(Map::new()), Outcome::Refused(Refusal::UnknownFunction { near: vec!["a".into()] })),
            call(Ok(Map::new()), Outcome::Refused(Refusal::CredentialUnusable { scheme: "K".into(), reason: "lost".into() })),
            call(
                Ok(Map::new()),
                Outcome::Refused(Refusal::CredentialMissing(MissingCredentials {
                    api: "shop".into(),
                    alternatives: vec![vec!["A".into(), "B".into()], vec!["C".into()]],
                })),
            ),
            call(Ok(Map::new()), Outcome::Refused(Refusal::NeedsConfirmation { digest: "d".into() })),
            call(Ok(Map::new()), Outcome::Refused(Refusal::Declined)),
            call(Ok(Map::new()), Outcome::Refused(Refusal::Outdated)),
        ];
        let turn = Turn {
            run: "r".into(),
            asked_ms: 1,
            message: "查询".into(),
            rounds: vec![Round { said: Some("one moment".into()), results }],
            answered_ms: 2,
            answer: "done".into(),
            usage: Some(Usage { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, estimated: true }),
            served: Some("0123456789abcdef".into()),
        };
        let record = encode(&turn);
        assert_eq!(decode(&record, Detail::Said), Some(Turn { rounds: Vec::new(), ..turn.clone() }));
        assert_eq!(decode(&record, Detail::Whole), Some(turn));
    }

    #[test]
    fn an_estimate_is_marked_beside_the_numbers_and_nothing_is_written_of_a_count() {
        let before = br#"10{"run":"r","at":1,"msg":"hi","end":2,"ans":"ho","use":[1,2,3]}"#;
        let mut turn = decode(before, Detail::Said).unwrap();
        assert_eq!(turn.usage.map(|usage| (usage.total_tokens, usage.estimated)), Some((3, false)));
        assert_eq!(encode(&turn), before, "a release of before reads and writes the same");
        turn.usage = turn.usage.map(|usage| Usage { estimated: true, ..usage });
        let now = encode(&turn);
        assert!(String::from_utf8(now.clone()).unwrap().contains(r#""use":[1,2,3],"est":true"#), "the numbers stand where they stood");
        assert_eq!(decode(&now, Detail::Said), Some(turn));
    }

    #[test]
    fn a_record_without_a_fingerprint_is_read() {
        let before = br#"10{"run":"r","at":1,"msg":"hi","end":2,"ans":"ho"}"#;
        for detail in [Detail::Whole, Detail::Said] {
            let turn = decode(before, detail).unwrap();
            assert_eq!((turn.answer.as_str(), turn.served), ("ho", None));
        }
    }

    #[test]
    fn what_is_no_record_of_a_known_version_is_not_guessed_at() {
        for record in [&b""[..], b"1", b"10", b"10{", b"20{}", b"11{}", b"\xff\xfe"] {
            assert_eq!(decode(record, Detail::Whole), None);
            assert_eq!(decode(record, Detail::Said), None);
        }
    }
}
