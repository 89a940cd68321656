//! Runs that never ended: what their journal says becomes a turn of the conversation, so that nothing said or sent is lost in silence.

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
/// What an intent says until a result takes its place.
const UNKNOWN: &str =
    "the request was sent, or was about to be sent, when the replica that ran it stopped; whether it took effect is not known";

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

    let mut intents: Vec<&&JournalEntry> = own.iter().filter(|entry| entry.field.ends_with('i') && entry.field.starts_with('c')).collect();
    intents.sort_by(|a, b| a.field.cmp(&b.field));
    let mut results: Vec<ToolResult> = intents.iter().filter_map(|intent| last_known(intent, &own)).collect();
    results.extend(direct);

    let language = Language::of_text(&message);
    let answer = interrupted(&results, language);
    let rounds = if results.is_empty() { Vec::new() } else { vec![Round { said: None, results }] };
    Turn { run: run.to_owned(), asked_ms, message, rounds, answered_ms: now_ms, answer, usage: None }
}

/// The result that was journaled for an intent, or the intent itself, which says that the outcome is unknown.
fn last_known(intent: &JournalEntry, own: &[&JournalEntry]) -> Option<ToolResult> {
    let settled = intent.field.strip_suffix('i').map(|stem| format!("{stem}r"));
    let known = own.iter().find(|entry| Some(&entry.field) == settled.as_ref());
    record::decode_result(known.map_or(&intent.value, |entry| &entry.value))
}

fn input(run: &str, journal: &[JournalEntry]) -> Option<Input> {
    let entry = journal.iter().find(|entry| entry.run == run && entry.field == INPUT)?;
    serde_json::from_slice(&entry.value).ok()
}

fn interrupted(results: &[ToolResult], language: Language) -> String {
    let mut text = language.choose("This request was interrupted before it was finished.", "此请求在完成之前被中断。").to_owned();
    for result in results {
        let sent = result.request.as_ref().map_or_else(String::new, |r| format!("`{} {}`", r.method, r.url));
        let line = match (&result.outcome, language) {
            (Outcome::Replied(reply), Language::English) => format!("- {} {sent}: was sent, status {}", result.call.name, reply.status),
            (Outcome::Replied(reply), Language::Chinese) => format!("- {} {sent}：已发送，状态 {}", result.call.name, reply.status),
            (Outcome::Unknown(_), Language::English) => {
                format!("- {} {sent}: **outcome unknown**. It is not sent again.", result.call.name)
            }
            (Outcome::Unknown(_), Language::Chinese) => format!("- {} {sent}：**结果未知**，不会重复发送。", result.call.name),
            (Outcome::Refused(_) | Outcome::Failed(_), Language::English) => format!("- {} {sent}: was not done", result.call.name),
            (Outcome::Refused(_) | Outcome::Failed(_), Language::Chinese) => format!("- {} {sent}：未执行", result.call.name),
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
    fn an_intent_without_a_result_is_told_as_unknown_and_one_with_a_result_as_done() {
        let input = Input { message: "create two users".into(), at: 5, call: None };
        let reply = UpstreamReply { status: 201, headers: Vec::new(), body: ReplyBody::Empty, kept: None };
        let done = ToolResult { outcome: Outcome::Replied(reply), ..call("a") };
        let journal = vec![
            JournalEntry { run: "r".into(), field: INPUT.into(), value: input.to_bytes() },
            entry("r", intent(0, 1, &call("b"))),
            entry("r", intent(0, 0, &call("a"))),
            entry("r", result(0, 0, &done)),
        ];
        let [turn] = turns(&journal, 9).try_into().unwrap();
        assert_eq!((turn.message.as_str(), turn.asked_ms), ("create two users", 5));
        let outcomes: Vec<_> = turn.rounds[0].results.iter().map(|r| matches!(r.outcome, Outcome::Unknown(_))).collect();
        assert_eq!(outcomes, [false, true]);
        assert!(turn.answer.contains("status 201") && turn.answer.contains("outcome unknown"), "{}", turn.answer);
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
