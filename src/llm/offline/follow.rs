//! Sentences that lean on the turn before: the next page, and the answer to a question of ours.

use serde_json::{Map, Value};

use super::{
    decide::{Decision, decide},
    index::Index,
    sentence::{Kind, Sentence, Span},
    slot::Role,
};
use crate::{
    domain::{limits::OFFLINE_QUESTIONS_MAX, session::Turn},
    words::{Cue, Meaning},
};

/// Another page of the last list.
pub(super) enum Page<'a> {
    Call {
        name: &'a str,
        arguments: Map<String, Value>,
    },
    /// The list was on its first page already.
    NoneBefore,
}

/// "Next page", "上一页", "page 3" without a word about what: the last call again with another page.
pub(super) fn turned_page<'a>(index: &'a Index, sentence: &Sentence<'_>, history: &[Turn]) -> Option<Page<'a>> {
    let spans = &sentence.spans;
    if spans.iter().any(Span::is_content) {
        return None;
    }
    let step = match () {
        () if spans.iter().any(|span| span.is(Cue::Next)) => 1,
        () if spans.iter().any(|span| span.is(Cue::Previous)) => -1,
        () => 0,
    };
    let numbers: Vec<i64> = spans.iter().filter_map(|span| span.number()?.as_i64()).collect();
    let wanted = match numbers.as_slice() {
        [number] if step == 0 && spans.iter().any(|span| span.is(Cue::Page)) => Some(*number),
        [] if step != 0 => None,
        _ => return None,
    };
    let last = history.last()?.rounds.iter().flat_map(|round| &round.results).next_back()?;
    let entry = index.entries.iter().find(|entry| entry.name == last.call.name)?;
    let slot = entry.slot(Role::Page).and_then(|slot| entry.slots.get(slot))?;
    let mut arguments = last.call.arguments.clone().ok()?;
    let shown = arguments.get(&slot.name).and_then(Value::as_i64).unwrap_or(1);
    let page = wanted.unwrap_or_else(|| shown.saturating_add(step));
    if page < 1 {
        return Some(Page::NoneBefore);
    }
    arguments.insert(slot.name.clone(), Value::from(page));
    Some(Page::Call { name: &entry.name, arguments })
}

/// Whether a message only refuses: "cancel", "forget it", "no thanks", "算了", with nothing in it that could be a value.
pub(super) fn refuses(sentence: &Sentence<'_>) -> bool {
    let no = |span: &Span| span.is_any(&[Cue::Refusal, Cue::Not]);
    let idle = |span: &Span| {
        matches!(span.kind, Kind::Mark(_)) || span.meanings.contains(&Meaning::Stop) || span.is_any(&[Cue::Thanks, Cue::With, Cue::All])
    };
    sentence.spans.iter().any(no) && sentence.spans.iter().all(|span| no(span) || idle(span))
}

/// The name of the function that waits for an argument.
pub(super) fn waiting(index: &Index, history: &[Turn]) -> Option<String> {
    let request = pending(index, history)?;
    match decide(index, &Sentence::of(&request)) {
        Decision::Missing { reading, .. } => Some(reading.entry.name.clone()),
        _ => None,
    }
}

/// What was asked before with this answer behind it, if the last turn ended with our question for an argument and this is no
/// sentence of its own.
pub(super) fn completed(index: &Index, sentence: &Sentence<'_>, history: &[Turn]) -> Option<String> {
    if !answers(index, sentence) {
        return None;
    }
    pending(index, history).map(|request| format!("{request} {}", sentence.text))
}

/// Whether a sentence can be the answer to our question for an argument.
fn answers(index: &Index, sentence: &Sentence<'_>) -> bool {
    let own = sentence.spans.iter().any(|span| span.actions().next().is_some() || span.words().any(|word| index.is_thing(word)));
    let leaves = sentence.spans.iter().any(|span| span.is_any(&[Cue::Greeting, Cue::Help, Cue::Thanks, Cue::Question]));
    !own && !leaves && !sentence.spans.is_empty() && !refuses(sentence)
}

/// The request that still lacks an argument, with what was answered to our questions so far.
fn pending(index: &Index, history: &[Turn]) -> Option<String> {
    let asked = history.iter().rev().take(OFFLINE_QUESTIONS_MAX).take_while(|turn| turn.rounds.is_empty()).count();
    let mut request: Option<String> = None;
    for turn in history.get(history.len() - asked..).unwrap_or_default() {
        let sentence = Sentence::of(&turn.message);
        let alone = decide(index, &sentence);
        request = match (request, &alone) {
            _ if refuses(&sentence) => None,
            (Some(before), Decision::Nothing) if answers(index, &sentence) => {
                let whole = format!("{before} {}", sentence.text);
                matches!(decide(index, &Sentence::of(&whole)), Decision::Missing { .. }).then_some(whole)
            }
            (_, Decision::Missing { .. }) => Some(turn.message.clone()),
            _ => None,
        };
    }
    request
}
