//! A question of ours that is still open, and the message that answers it.

use super::{
    choice,
    decide::{Decision, decide},
    fill::Reading,
    follow::refuses,
    index::{Entry, Index},
    request::Request,
    sentence::{Kind, Sentence, Span},
    slot::{Kind as SlotKind, Role, Slot},
};
use crate::{
    domain::{consent::Consent, limits::OFFLINE_QUESTIONS_MAX, session::Turn},
    words::Cue,
};

/// What was asked, if nothing was called since.
pub(super) enum Open<'i> {
    Nothing,
    /// Something that this function needs.
    Argument {
        wanted: Request<'i>,
        entry: &'i Entry,
    },
    /// Which of these is meant.
    Choice {
        wanted: Request<'i>,
        offered: Vec<&'i Entry>,
    },
}

impl<'i> Open<'i> {
    /// The question that stands at the end of a conversation.
    pub(super) fn of(index: &'i Index, history: &[Turn]) -> Self {
        let asked = history.iter().rev().take(OFFLINE_QUESTIONS_MAX).take_while(|turn| turn.rounds.is_empty()).count();
        let turns = history.get(history.len() - asked..).unwrap_or_default();
        turns.iter().fold(Self::Nothing, |open, turn| open.after(index, &turn.message))
    }

    fn after(self, index: &'i Index, message: &str) -> Self {
        if refuses(&Sentence::of(message)) {
            return Self::Nothing;
        }
        let wanted = self.wish(index, message);
        let sentence = Sentence::of(&wanted.text);
        let known = |entry: &Entry| index.entries.iter().find(|own| own.name == entry.name);
        match wanted.decide(index, &sentence) {
            Decision::Missing { reading, .. } => match known(reading.entry) {
                Some(entry) => Self::Argument { wanted: Request::in_words(wanted.text.clone(), Some(entry)), entry },
                None => Self::Nothing,
            },
            Decision::Which(entries) => {
                let offered = entries.into_iter().filter_map(known).collect();
                Self::Choice { wanted: Request::in_words(wanted.text.clone(), None), offered }
            }
            _ => Self::Nothing,
        }
    }

    /// What a message wants: what was asked about, if it answers, else what it says itself.
    pub(super) fn wish(&self, index: &'i Index, message: &str) -> Request<'i> {
        let own = Request::of(index, message);
        let answer = match self {
            Self::Nothing => None,
            Self::Argument { wanted, entry } => answered(index, wanted, entry, message, &own),
            Self::Choice { wanted, offered } => choice::chosen(index, offered, wanted, message),
        };
        answer.or_else(|| own.entry.is_none().then(|| choice::by_whole_name(index, message)).flatten()).unwrap_or(own)
    }
}

/// A request with the answer to what it lacked behind it, if a message is that: it gives an argument, and every word of it is used for that.
fn answered<'i>(index: &Index, wanted: &Request<'i>, entry: &'i Entry, message: &str, own: &Request<'_>) -> Option<Request<'i>> {
    let sentence = Sentence::of(message);
    if own.entry.is_some() || Consent::of_text(message).is_some() || !can_answer(&sentence) {
        return None;
    }
    let asked = Sentence::of(&wanted.text);
    let before = Reading::of(entry, &asked);
    let number = bare_number(&sentence).and_then(|number| Some(format!("{}={number}", numeric(&before)?.name)));
    let given = number.as_deref().unwrap_or(message);
    let whole = format!("{} {given}", wanted.text);
    let read = Sentence::of(&whole);
    let after = Reading::of(entry, &read);
    let says = |span: &Span| span.is_content() || span.literal().is_some();
    let used =
        read.spans.iter().enumerate().filter(|(_, span)| span.start > wanted.text.len() && says(span)).all(|(at, _)| after.is_used(at));
    let gives = after.filled() > before.filled() && used;
    // What is no sentence of its own can only be meant as the answer.
    let only_here = || {
        let about = sentence.spans.iter().any(|span| span.words().any(|word| index.is_thing(word)));
        !about && matches!(decide(index, &sentence), Decision::Nothing)
    };
    (gives || only_here()).then(|| Request::in_words(whole.clone(), Some(entry)))
}

/// Whether a sentence neither wants something done nor speaks of something else.
fn can_answer(sentence: &Sentence<'_>) -> bool {
    let acts = sentence.spans.iter().any(|span| span.actions().next().is_some());
    let leaves = sentence.spans.iter().any(|span| span.is_any(&[Cue::Greeting, Cue::Help, Cue::Thanks, Cue::Question]));
    !acts && !leaves && !sentence.spans.is_empty() && !refuses(sentence)
}

/// "3", "number 3", "#3", "3号": a number that nothing says to be of something.
fn bare_number<'t>(sentence: &Sentence<'t>) -> Option<&'t str> {
    let numbers: Vec<usize> = sentence.spans.iter().enumerate().filter(|(_, span)| span.number().is_some()).map(|(at, _)| at).collect();
    let idle = |span: &Span| span.number().is_some() || span.is(Cue::Id) || matches!(span.kind, Kind::Mark('#' | '.' | '!'));
    match numbers.as_slice() {
        [at] if sentence.spans.iter().all(idle) => Some(sentence.text_of(*at, *at)),
        _ => None,
    }
}

/// The first missing argument that a number can be.
fn numeric<'a>(reading: &Reading<'a>) -> Option<&'a Slot> {
    let takes =
        |slot: &&Slot| matches!(slot.kind, SlotKind::Integer | SlotKind::Number) || (slot.kind == SlotKind::Text && slot.role == Role::Id);
    reading.missing().into_iter().find(takes)
}
