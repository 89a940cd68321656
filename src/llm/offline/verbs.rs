//! What a word or a sentence commands, by where it stands: a noun, a denial and a question command nothing.

use super::sentence::{Sentence, Span};
use crate::words::{Cue, Meaning};

/// English has one word for the thing and for making it.
pub(super) const ORDERING: &str = "order";

/// Whether a word stands first in a sentence, with a thing of another kind and which one behind it: "order product 7", "buy 2 of product 7".
pub(super) fn commands_another_thing(sentence: &Sentence<'_>, at: usize) -> bool {
    let Some(word) = sentence.get(at) else { return false };
    let idle = |span: &Span| span.meanings.contains(&Meaning::Stop) || span.is_any(&[Cue::Thanks, Cue::Greeting]) || span.is_mark(',');
    let passed = |at: usize| sentence.get(at).is_some_and(|span| idle(span) && !span.is_content());
    let Some(thing) = (at + 1..).find(|at| !passed(*at)) else { return false };
    let other = |span: &Span| span.words().next().is_some() && !span.words().any(|own| word.words().any(|named| named == own));
    let which = (thing + 1..).find(|at| !passed(*at) && !sentence.get(*at).is_some_and(|span| span.is(Cue::Id) || span.is_mark('#')));
    (0..at).all(passed)
        && sentence.get(thing).is_some_and(other)
        && which.and_then(|at| sentence.get(at)).is_some_and(|span| span.number().is_some())
}

/// Whether a sentence ends as a question and is no polite request.
pub(super) fn asks_back(sentence: &Sentence<'_>) -> bool {
    const POLITE: [&str; 11] =
        ["can you", "could you", "would you", "will you", "please", "请", "请你", "好吗", "好不好", "可以吗", "行吗"];
    let polite = sentence.spans.iter().any(|span| POLITE.contains(&span.raw.as_str()));
    !polite && sentence.spans.last().is_some_and(|span| span.is_mark('?'))
}

/// Whether what is denied is an action: "don't show it".
pub(super) fn forbids(sentence: &Sentence<'_>) -> bool {
    let acts = |(at, span): (usize, &Span)| {
        let not = sentence.denial_before(at, |_| false).and_then(|not| sentence.get(not));
        span.actions().next().is_some() && not.is_some_and(|not| !not.is(Cue::Undone) && !span.is_content())
    };
    sentence.spans.iter().enumerate().any(acts)
}

/// Whether what follows is a thing and no command.
pub(super) fn introduces_a_noun(span: &Span) -> bool {
    const ENGLISH: [&str; 15] =
        ["a", "an", "the", "this", "that", "these", "those", "my", "our", "your", "his", "her", "its", "their", "each"];
    span.is(Cue::Of) || ENGLISH.contains(&span.raw.as_str())
}
