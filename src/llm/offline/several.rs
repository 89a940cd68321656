//! Two requests in one sentence: "user 3 and order 2", "shipped and pending", "列出用户并列出商品". One at a time is done.

use super::{
    fill::Reading,
    index::Entry,
    sentence::{Kind, Sentence, Span},
};
use crate::words::{Cue, Meaning};

/// Whether a sentence that was read as one call of a function that changes nothing asks for more than that.
pub(super) fn asks_for_more(sentence: &Sentence<'_>, reading: &Reading<'_>, is_thing: impl Fn(&str) -> bool) -> bool {
    let thing = |span: &Span| span.words().any(&is_thing);
    (0..sentence.spans.len()).any(|at| {
        if reading.is_used(at) {
            return false;
        }
        let Some(span) = sentence.get(at) else { return false };
        another_value(sentence, reading, at, span, &thing) || another_verb(sentence, reading, at, span, &thing)
    })
}

/// Whether two of the functions that fit alike are named one beside the other, with an "and" between.
pub(super) fn names_both(sentence: &Sentence<'_>, alike: &[&Entry]) -> bool {
    let names = |entry: &Entry, at: usize| {
        let said = |own: &String| sentence.get(at).is_some_and(|span| span.words().any(|word| word == own) || span.stem == *own);
        entry.objects.iter().flatten().any(said)
    };
    let mut joints = (1..sentence.spans.len()).filter(|at| is_joint(sentence, *at));
    joints.any(|joint| {
        let only =
            |range: std::ops::Range<usize>, one: &Entry, other: &Entry| range.into_iter().any(|at| names(one, at) && !names(other, at));
        alike.iter().any(|one| alike.iter().any(|other| only(0..joint, one, other) && only(joint + 1..sentence.spans.len(), other, one)))
    })
}

/// A value that found no place, joined to one that did: "users 3 and 4", "order 2 and user 3", "Berlin and Paris", "paid or shipped".
fn another_value(sentence: &Sentence<'_>, reading: &Reading<'_>, at: usize, span: &Span, thing: &impl Fn(&Span) -> bool) -> bool {
    let second_choice = reading.is_another_choice(span);
    if span.number().is_none() && !span.is_unknown() && !second_choice {
        return false;
    }
    let idle = |span: &Span| thing(span) || span.is_any(&[Cue::Id, Cue::Ordinal]) || span.is_mark('#') || says_little(span);
    let Some(joint) = (0..at).rev().find(|before| is_joint(sentence, *before) || !sentence.get(*before).is_some_and(idle)) else {
        return false;
    };
    let before =
        (0..joint).rev().find(|before| !sentence.get(*before).is_some_and(|span| says_little(span) || thing(span) && second_choice));
    let value = |at: usize| {
        reading.is_used(at) && sentence.get(at).is_some_and(|span| span.literal().is_some() || span.is_unknown() || second_choice)
    };
    is_joint(sentence, joint) && before.is_some_and(value)
}

/// Another verb with a thing of its own: "list users and list products".
fn another_verb(sentence: &Sentence<'_>, reading: &Reading<'_>, at: usize, span: &Span, thing: &impl Fn(&Span) -> bool) -> bool {
    let joint = (0..at).rev().find(|before| !sentence.get(*before).is_some_and(says_little) || is_joint(sentence, *before));
    let Some(joint) = joint.filter(|joint| span.actions().next().is_some() && is_joint(sentence, *joint)) else { return false };
    let acts = |at: usize| sentence.get(at).is_some_and(|span| span.actions().next().is_some());
    let noun = |at: usize| sentence.get(at).is_some_and(|span| thing(span) && !span.is(Cue::With));
    let other = |at: usize| noun(at) && !reading.is_used(at) && sentence.get(at).is_some_and(|span| !reading.is_about(span));
    (0..joint).any(acts) && (0..joint).any(noun) && (at + 1..sentence.spans.len()).any(other)
}

fn is_joint(sentence: &Sentence<'_>, at: usize) -> bool {
    sentence.get(at).is_some_and(|span| {
        span.is(Cue::And)
            || matches!(span.raw.as_str(), "or" | "then" | "或" | "或者" | "然后")
            || matches!(span.kind, Kind::Mark(',' | ';' | '&' | '+'))
    })
}

fn says_little(span: &Span) -> bool {
    span.meanings.contains(&Meaning::Stop) && !span.is_content()
}
