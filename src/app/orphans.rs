//! Runs that never ended: what their journal says becomes a turn of the conversation, so that nothing said or sent is lost in silence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        language::Language,
        session::{Round, Turn},
        tool::{Outcome, ToolResult},
        turn::JournalEntry,
    },
    store::{contract::Entry, record},
};

/// The journal's first entry of a run: what was asked. Written by `begin`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Input {
    pub message: String,
    pub at: u64,
    /// The call itself, for a run that is one direct call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<serde_json::Value>,
}

impl Input {
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

const INPUT: &str = "in";
/// What a plan says until an intent takes its place.
const NOT_SENT: &str = "the request was not sent: the replica that ran the turn stopped before";
/// What an intent says until a result takes its place.
const UNKNOWN: &str =
    "the request was sent, or was about to be sent, when the replica that ran it stopped; whether it took effect is not known";

/// That a changing call is planned, and not sent before its intent is written too. Only calls that wait for others need it.
pub(super) fn planned(round: usize, at: usize, call: &ToolResult) -> Entry {
    let not_sent = ToolResult { outcome: Outcome::Failed(NOT_SENT.to_owned()), ..call.clone() };
    Entry { field: format!("c{round:03}.{at:03}p"), value: record::encode_result(&not_sent) }
}

/// That a changing call is about to be sent. It is stored as its own worst outcome.
pub(super) fn intent(round: usize, at: usize, call: &ToolResult) -> Entry {
    let unknown = ToolResult { outcome: Outcome::Unknown(UNKNOWN.to_owned()), ..call.clone() };
    Entry { field: format!("c{round:03}.{at:03}i"), value: record::encode_result(&unknown) }
}

/// What came of a changing call.
pub(super) fn result(round: usize, at: usize, call: &ToolResult) -> Entry {
    Entry { field: format!("c{round:03}.{at:03}r"), value: record::encode_result(call) }
}

/// One turn for each run in the journal, in the order in which they were asked.
pub(super) fn turns(journal: &[JournalEntry], now_ms: u64) -> Vec<Turn> {
    let mut runs: Vec<&str> = journal.iter().map(|entry| entry.run.as_str()).collect();
    runs.sort_unstable();
    runs.dedup();
    let mut turns: Vec<Turn> = runs.into_iter().map(|run| turn(run, journal, now_ms)).collect();
    turns.sort_by_key(|turn| turn.asked_ms);
    turns
}

/// Whether a run has sent, or may have sent, something that changes things.
pub(super) fn changed_anything(run: &str, journal: &[JournalEntry]) -> bool {
    journal.iter().any(|entry| entry.run == run && entry.field != INPUT) || input(run, journal).is_some_and(|input| input.call.is_some())
}

/// The turn that a run would have been.
pub(super) fn turn(run: &str, journal: &[JournalEntry], now_ms: u64) -> Turn {
    let own: Vec<&JournalEntry> = journal.iter().filter(|entry| entry.run == run).collect();
    let input = input(run, journal);
    let direct = input.as_ref().and_then(|input| input.call.as_ref()).and_then(|call| record::decode_result(call.to_string().as_bytes()));
    let (message, asked_ms) = input.map_or_else(|| (String::new(), now_ms), |input| (input.message, input.at));

    let mut results = calls(&own);
    results.extend(direct);

    let language = Language::of_text(&message);
    let answer = interrupted(&results, language);
    let rounds = if results.is_empty() { Vec::new() } else { vec![Round { said: None, results }] };
    Turn { run: run.to_owned(), asked_ms, message, rounds, answered_ms: now_ms, answer, usage: None, served: None }
}

/// Every call in the order of the plan, as the last that the journal has of it.
fn calls(own: &[&JournalEntry]) -> Vec<ToolResult> {
    let mut last: BTreeMap<&str, (usize, &[u8])> = BTreeMap::new();
    for entry in own {
        let Some((call, stage)) = stage(&entry.field) else { continue };
        let known = last.entry(call).or_insert((stage, &entry.value));
        if stage > known.0 {
            *known = (stage, &entry.value);
        }
    }
    last.values().filter_map(|(_, value)| record::decode_result(value)).collect()
}

/// Which call an entry speaks of, and how far that had come: planned, about to be sent, its result.
fn stage(field: &str) -> Option<(&str, usize)> {
    let (call, last) = field.split_at_checked(field.len().checked_sub(1)?)?;
    let stage = ["p", "i", "r"].iter().position(|stage| *stage == last)?;
    call.starts_with('c').then_some((call, stage))
}

fn input(run: &str, journal: &[JournalEntry]) -> Option<Input> {
    let entry = journal.iter().find(|entry| entry.run == run && entry.field == INPUT)?;
    serde_json::from_slice(&entry.value).ok()
}

fn interrupted(results: &[ToolResult], language: Language) -> String {
    let mut text = language.choose("This request was interrupted before it was finished.", "此请求在完成之前被中断。").to_owned();
    for result in results {
        let sent = result.request.as_ref().map_or_else(String::new, |r| format!(" `{} {}`", r.method, r.url));
        let line = match (&result.outcome, language) {
            (Outcome::Replied(reply), Language::English) => format!("- {}{sent}: was sent, status {}", result.call.name, reply.status),
            (Outcome::Replied(reply), Language::Chinese) => format!("- {}{sent}：已发送，状态 {}", result.call.name, reply.status),
            (Outcome::Unknown(_), Language::English) => {
                format!("- {}{sent}: **outcome unknown**. It is not sent again.", result.call.name)
            }
            (Outcome::Unknown(_), Language::Chinese) => format!("- {}{sent}：**结果未知**，不会重复发送。", result.call.name),
            (Outcome::Refused(_) | Outcome::Failed(_), Language::English) => format!("- {}{sent}: was not sent", result.call.name),
            (Outcome::Refused(_) | Outcome::Failed(_), Language::Chinese) => format!("- {}{sent}：未发送", result.call.name),
        };
        text.push('\n');
        text.push_str(&line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tool::{ReplyBody, SentRequest, ToolCall, UpstreamReply};

    fn call(id: &str) -> ToolResult {
        let call = ToolCall { id: id.into(), name: "createUser".into(), arguments: Ok(serde_json::Map::new()) };
        let request = Some(SentRequest { method: "POST".into(), url: "http://up/users".into() });
        ToolResult { call, request, outcome: Outcome::Failed("not yet".into()) }
    }

    fn entry(run: &str, entry: Entry) -> JournalEntry {
        JournalEntry { run: run.into(), field: entry.field, value: entry.value }
    }

    #[test]
    fn every_call_is_told_as_the_last_that_the_journal_has_of_it() {
        let input = Input { message: "create two users".into(), at: 5, call: None };
        let reply = UpstreamReply { status: 201, headers: Vec::new(), body: ReplyBody::Empty, kept: None };
        let done = ToolResult { outcome: Outcome::Replied(reply), ..call("a") };
        let journal = vec![
            JournalEntry { run: "r".into(), field: INPUT.into(), value: input.to_bytes() },
            entry("r", intent(0, 1, &call("b"))),
            entry("r", intent(0, 0, &call("a"))),
            entry("r", result(0, 0, &done)),
            entry("r", planned(0, 2, &call("c"))),
            entry("r", planned(0, 1, &call("b"))),
        ];
        let [turn] = turns(&journal, 9).try_into().unwrap();
        assert_eq!((turn.message.as_str(), turn.asked_ms), ("create two users", 5));
        let ids: Vec<_> = turn.rounds[0].results.iter().map(|r| r.call.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        let lines: Vec<_> = turn.answer.lines().skip(1).collect();
        let expected = ["was sent, status 201", "**outcome unknown**. It is not sent again.", "was not sent"];
        assert_eq!(lines, expected.map(|came| format!("- createUser `POST http://up/users`: {came}")));
        assert!(changed_anything("r", &journal));
    }

    #[test]
    fn a_run_that_only_asked_leaves_its_question() {
        let input = Input { message: "查询用户".into(), at: 5, call: None };
        let journal = vec![JournalEntry { run: "r".into(), field: INPUT.into(), value: input.to_bytes() }];
        let [turn] = turns(&journal, 9).try_into().unwrap();
        assert_eq!(turn.message, "查询用户");
        assert!(turn.rounds.is_empty() && turn.answer.contains("中断"));
        assert!(!changed_anything("r", &journal));
    }
}
