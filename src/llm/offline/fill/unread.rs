//! What of a sentence would narrow a list but finds no argument: it must not look as if it had been asked for.

use super::Reading;
use crate::{
    llm::offline::{
        literal::Literal,
        sentence::Span,
        slot::{Kind as SlotKind, Role, Slot},
        verbs::introduces_a_noun,
    },
    words::{Cue, Meaning},
};

impl<'a> Reading<'a> {
    /// The words that a read must not go without, and the arguments that come nearest: a verb that nobody knows, the value of a property
    /// that does not have it, a bound of something else, a day without its year.
    pub(in crate::llm::offline) fn unread(&self) -> Option<(Vec<String>, Vec<&'a Slot>)> {
        let text = |from: usize, to: usize| vec![self.sentence.text_of(from, to).to_owned()];
        if let Some(verb) = self.verb_that_nobody_knows() {
            return Some((text(verb, verb), Vec::new()));
        }
        for at in 0..self.sentence.spans.len() {
            let Some(span) = self.span(at).filter(|_| !self.is_used(at)) else { continue };
            if matches!(span.literal(), Some(Literal::DayOfYear)) {
                return Some((text(at, at), Vec::new()));
            }
            if span.number().is_some()
                && let Some(property) = self.other_property(at)
            {
                return Some((text(property, at), Vec::new()));
            }
            if let Some(value) = self.value_that_is_none(at) {
                let slots = self.slots().map(|(slot, _)| slot).filter(|slot| slot.is_of(span)).collect();
                return Some((text(at, value), slots));
            }
        }
        None
    }

    /// An unknown word in the place of the verb, in a sentence that has no other: "sort products", "恢复用户3".
    pub(super) fn verb_that_nobody_knows(&self) -> Option<usize> {
        let spans = &self.sentence.spans;
        let idle = |span: &Span| !span.is_content() && span.literal().is_none() && span.actions().next().is_none();
        let first = spans.iter().position(|span| !idle(span))?;
        let acts = spans.iter().any(|span| span.actions().next().is_some());
        let determined = first.checked_sub(1).and_then(|at| self.span(at)).is_some_and(introduces_a_noun);
        // "Who is GitHub user torvalds?" has its verb.
        let asked = spans.iter().take(first).any(|span| span.raw.starts_with("wh")) || spans.last().is_some_and(|span| span.is_mark('?'));
        let unknown = self.span(first).is_some_and(Span::is_unknown) && !self.is_used(first) && !determined && !self.is_superlative(first);
        let noun = spans.iter().skip(first + 1).any(|span| self.is_object(span));
        (unknown && noun && !acts && !asked).then_some(first)
    }

    /// The property that a number is said to be of, where it is no argument: "with stock above 50", "库存大于50".
    pub(super) fn other_property(&self, at: usize) -> Option<usize> {
        let bounds = [Cue::Less, Cue::More, Cue::Between];
        let passed = |span: &Span| {
            span.is_any(&bounds)
                || span.is_any(&[Cue::Currency, Cue::Assign, Cue::Measure, Cue::With])
                || span.meanings.contains(&Meaning::Stop)
        };
        let told = (0..at).rev().find(|before| !self.span(*before).is_some_and(passed))?;
        let bounded = (told..at).any(|at| self.span(at).is_some_and(|span| span.is_any(&bounds)))
            || self.span(at + 1).is_some_and(|span| span.is_any(&[Cue::LessAfter, Cue::MoreAfter]));
        let span = self.span(told).filter(|_| bounded && !self.is_used(told))?;
        let property = span.words().next().is_some() && span.actions().next().is_none() && !self.is_object(span);
        (property && !self.slots().any(|(slot, _)| matches!(slot.role, Role::Least | Role::Most) && slot.is_of(span))).then_some(told)
    }

    /// A word that is said to be the value of an argument with certain values, and is none of them: "role superadmin".
    fn value_that_is_none(&self, at: usize) -> Option<usize> {
        let span = self.span(at)?;
        let chooses = |slot: &Slot| matches!(slot.kind, SlotKind::Choice(_)) && slot.is_of(span);
        self.slots().find(|(slot, value)| value.is_none() && chooses(slot))?;
        let passed = |at: usize| self.span(at).is_some_and(|span| span.is(Cue::Assign) || span.is_mark('=') || span.is_mark(':'));
        let next = (at + 1..).find(|at| !passed(*at))?;
        self.span(next).is_some_and(Span::is_unknown).then_some(next).filter(|next| !self.is_used(*next))
    }

    /// Whether a word asks for an order that no argument gives: "the cheapest".
    pub(in crate::llm::offline) fn asks_for_an_order(&self) -> bool {
        (0..self.sentence.spans.len()).any(|at| self.is_superlative(at) && !self.is_used(at))
    }

    /// Whether a span is of what the function is about.
    pub(in crate::llm::offline) fn is_about(&self, span: &Span) -> bool {
        self.is_object(span)
    }

    /// Whether a span says another value of an argument that has one already.
    pub(in crate::llm::offline) fn is_another_choice(&self, span: &Span) -> bool {
        self.slots()
            .any(|(slot, given)| given.as_ref().is_some_and(|given| super::values::choice(slot, span).is_some_and(|other| other != *given)))
    }
}
