//! Sentences that lean on the turn before: the next page, and a refusal.

use serde_json::{Map, Value};

use super::{
    index::Index,
    sentence::{Kind, Sentence, Span},
    slot::Role,
};
use crate::{
    domain::session::Turn,
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
