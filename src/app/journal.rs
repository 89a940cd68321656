//! The journal of a run: what is written down before something is sent, and what is read in it by whoever goes on with the run.
//!
//! | field | written | holds |
//! |---|---|---|
//! | `in` | when the run is accepted | what was asked ([`Input`]) |
//! | `p<round>` | before the round's first changing call is sent | the round as it was planned, with what was known of its calls then; the rounds before it as well |
//! | `c<round>.<at>i` | before that changing call is sent | the call; its outcome is its worst one, unknown |
//! | `c<round>.<at>k` | with it, if the call carries an idempotency key | the header that it travels in |
//! | `c<round>.<at>r` | with the next step after its reply | the call with what came of it |
//!
//! A field is written once and never changed. So a run can be gone on with as it was planned: nothing is asked of the planner a second
//! time that it has answered with a change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    agent::Begun,
    domain::{
        language::Language,
        session::Round,
        tool::{Outcome, ToolResult},
        turn::{CallStage, JournalEntry},
    },
    store::{contract::Entry, record},
};

/// What was asked. Unknown fields of a later release are left alone: it is read, never written again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Input {
    pub message: String,
    /// When it was accepted, milliseconds since 1970.
    pub at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<serde_json::Map<String, serde_json::Value>>,
    /// The call itself, for a run that is one direct call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<serde_json::Value>,
    /// Digest of the idempotency key, and of what was asked under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<(String, String)>,
    /// When the token was issued on whose strength it is done, milliseconds since 1970; records of before have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<u64>,
    /// Digest of the API key that it was begun with; records of before have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// Whether what happens in it is told while it happens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub streamed: bool,
    /// The trace that it was asked for in (W3C Trace Context): whoever goes on with it elsewhere goes on with that. Records of before have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Whether the answer of a direct call is told in Chinese.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub zh: bool,
    /// The header in which the key of a direct call travels, if it carries one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_header: Option<String>,
}

impl Input {
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub fn of(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// What a run was asked, if its journal tells.
    pub fn of_run(run: &str, journal: &[JournalEntry]) -> Option<Self> {
        let entry = journal.iter().find(|entry| entry.run == run && entry.field == INPUT)?;
        Self::of(&entry.value)
    }

    /// The direct call, as it was about to be sent.
    pub fn direct(&self) -> Option<ToolResult> {
        self.call.as_ref().and_then(|call| record::decode_result(call.to_string().as_bytes()))
    }

    /// In which language its answer is told.
    pub fn language(&self) -> Language {
        match (self.call.is_some(), self.zh) {
            (true, true) => Language::Chinese,
            (true, false) => Language::English,
            (false, _) => Language::of_text(&self.message),
        }
    }
}

const INPUT: &str = "in";
/// What an intent says until a result takes its place.
const UNKNOWN: &str =
    "the request was sent, or was about to be sent, when the replica that ran it stopped; whether it took effect is not known";

/// A round as it is planned, or as it has come.
pub(super) fn plan(number: usize, round: &Round) -> Entry {
    Entry { field: format!("p{number:03}"), value: record::encode_round(round) }
}

/// That a changing call is about to be sent. It is stored as its own worst outcome.
pub(super) fn intent(round: usize, at: usize, call: &ToolResult) -> Entry {
    let unknown = ToolResult { outcome: Outcome::Unknown(UNKNOWN.to_owned()), ..call.clone() };
    Entry { field: format!("c{round:03}.{at:03}i"), value: record::encode_result(&unknown) }
}

/// That the call carries an idempotency key, in this header: only then may it be sent again.
pub(super) fn keyed(round: usize, at: usize, header: &str) -> Entry {
    Entry { field: format!("c{round:03}.{at:03}k"), value: header.as_bytes().to_vec() }
}

/// What came of a changing call.
pub(super) fn result(round: usize, at: usize, call: &ToolResult) -> Entry {
    Entry { field: format!("c{round:03}.{at:03}r"), value: record::encode_result(call) }
}

/// One round of a run as its journal has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JournaledRound {
    pub said: Option<String>,
    pub calls: Vec<Begun>,
}

/// The rounds of a run, in order; `None` if the journal has no plan for some of them (an older release wrote it).
pub(super) fn rounds(run: &str, journal: &[JournalEntry]) -> Option<Vec<JournaledRound>> {
    let own: BTreeMap<&str, &[u8]> =
        journal.iter().filter(|entry| entry.run == run).map(|entry| (entry.field.as_str(), entry.value.as_slice())).collect();
    let mut rounds = Vec::new();
    while let Some(plan) = own.get(format!("p{:03}", rounds.len()).as_str()) {
        let Round { said, results } = record::decode_round(plan)?;
        let number = rounds.len();
        let calls = results.into_iter().enumerate().map(|(at, planned)| journaled(&own, number, at, planned)).collect::<Option<_>>()?;
        rounds.push(JournaledRound { said, calls });
    }
    // A call without a plan: written by a release that kept none.
    let without_plan = own.keys().filter_map(|field| field.strip_prefix('c')?.split_once('.')?.0.parse::<usize>().ok());
    without_plan.into_iter().all(|round| round < rounds.len()).then_some(rounds)
}

fn journaled(own: &BTreeMap<&str, &[u8]>, round: usize, at: usize, planned: ToolResult) -> Option<Begun> {
    let field = |stage| format!("c{round:03}.{at:03}{stage}");
    if let Some(result) = own.get(field('r').as_str()) {
        return Some(Begun { result: record::decode_result(result)?, stage: CallStage::Settled, key_header: None });
    }
    if let Some(intent) = own.get(field('i').as_str()) {
        let key_header = own.get(field('k').as_str()).and_then(|header| String::from_utf8(header.to_vec()).ok());
        return Some(Begun { result: record::decode_result(intent)?, stage: CallStage::Dispatched, key_header });
    }
    let stage = match &planned.outcome {
        // What could not be sent has its reason; what was not sent yet is told as failed.
        Outcome::Failed(_) if planned.request.is_some() => CallStage::Planned,
        Outcome::Failed(_) | Outcome::Replied(_) | Outcome::Refused(_) | Outcome::Unknown(_) => CallStage::Settled,
    };
    Some(Begun { result: planned, stage, key_header: None })
}

/// Every call of a run, as the last that the journal has of it, whichever release wrote it.
pub(super) fn calls(run: &str, journal: &[JournalEntry]) -> Vec<Begun> {
    if let Some(rounds) = rounds(run, journal).filter(|rounds| !rounds.is_empty()) {
        return rounds.into_iter().flat_map(|round| round.calls).collect();
    }
    let mut last: BTreeMap<&str, (usize, &[u8])> = BTreeMap::new();
    for entry in journal.iter().filter(|entry| entry.run == run) {
        let Some((call, stage)) = stage_of(&entry.field) else { continue };
        let known = last.entry(call).or_insert((stage, &entry.value));
        if stage > known.0 {
            *known = (stage, &entry.value);
        }
    }
    let stages = [CallStage::Planned, CallStage::Dispatched, CallStage::Settled];
    last.values()
        .filter_map(|(stage, value)| Some(Begun { result: record::decode_result(value)?, stage: *stages.get(*stage)?, key_header: None }))
        .collect()
}

/// Which call an entry speaks of, and how far that had come: planned (by an older release), about to be sent, its result.
fn stage_of(field: &str) -> Option<(&str, usize)> {
    let (call, last) = field.split_at_checked(field.len().checked_sub(1)?)?;
    let stage = ["p", "i", "r"].iter().position(|stage| *stage == last)?;
    call.starts_with('c').then_some((call, stage))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::tool::{Refusal, ReplyBody, SentRequest, ToolCall, UpstreamReply};

    pub fn call(id: &str) -> ToolResult {
        let call = ToolCall { id: id.into(), name: "createUser".into(), arguments: Ok(serde_json::Map::new()) };
        let request = Some(SentRequest { method: "POST".into(), url: "http://up/users".into() });
        ToolResult { call, request, outcome: Outcome::Failed("not yet".into()) }
    }

    pub fn entry(run: &str, entry: Entry) -> JournalEntry {
        JournalEntry { run: run.into(), field: entry.field, value: entry.value }
    }

    pub fn done(id: &str) -> ToolResult {
        let reply = UpstreamReply { status: 201, headers: Vec::new(), body: ReplyBody::Empty, kept: None };
        ToolResult { outcome: Outcome::Replied(reply), ..call(id) }
    }

    #[test]
    fn every_call_is_read_as_far_as_it_had_come() {
        let refused = ToolResult { outcome: Outcome::Refused(Refusal::OverBudget), request: None, ..call("d") };
        let round = Round { said: Some("first".into()), results: vec![call("a"), call("b"), call("c"), refused] };
        let journal = vec![
            entry("r", intent(0, 1, &call("b"))),
            entry("r", intent(0, 0, &call("a"))),
            entry("r", result(0, 0, &done("a"))),
            entry("r", plan(0, &round)),
            entry("q", plan(1, &round)),
        ];
        let rounds = rounds("r", &journal).unwrap();
        assert_eq!((rounds.len(), rounds[0].said.as_deref()), (1, Some("first")));
        let stages: Vec<_> = rounds[0].calls.iter().map(|call| (call.result.call.id.as_str(), call.stage)).collect();
        let expected = [("a", CallStage::Settled), ("b", CallStage::Dispatched), ("c", CallStage::Planned), ("d", CallStage::Settled)];
        assert_eq!(stages, expected);
        assert!(matches!(rounds[0].calls[1].result.outcome, Outcome::Unknown(_)));
    }

    #[test]
    fn a_journal_without_plans_is_told_and_not_gone_on_with() {
        // As the release before wrote it.
        let planned = |at: usize, id: &str| Entry { field: format!("c000.{at:03}p"), value: record::encode_result(&call(id)) };
        let journal = vec![
            entry("r", intent(0, 0, &call("a"))),
            entry("r", result(0, 0, &done("a"))),
            entry("r", planned(2, "c")),
            entry("r", planned(1, "b")),
            entry("r", intent(0, 1, &call("b"))),
        ];
        assert_eq!(rounds("r", &journal), None);
        let stages: Vec<_> = calls("r", &journal).into_iter().map(|call| (call.result.call.id, call.stage)).collect();
        let expected = [("a", CallStage::Settled), ("b", CallStage::Dispatched), ("c", CallStage::Planned)];
        assert_eq!(stages, expected.map(|(id, stage)| (id.to_owned(), stage)));
    }

    #[test]
    fn an_input_is_read_as_it_was_written_and_as_it_was_written_before() {
        let input = Input { message: "hi".into(), at: 5, key: Some(("k".into(), "f".into())), issued: Some(4), ..Input::default() };
        assert_eq!(Input::of(&input.to_bytes()), Some(input));
        let before =
            Input::of(br#"{"message":"POST http://up","at":5,"call":{"id":"a","name":"n","out":{"unknown":{"why":"w"}}}}"#).unwrap();
        assert!(before.direct().is_some_and(|call| matches!(call.outcome, Outcome::Unknown(_))));
        assert_eq!((before.issued, before.language()), (None, Language::English));
        assert_eq!(Input::of(b"{"), None);
    }
}
