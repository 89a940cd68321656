//! Which record is meant: "user 3", "order #7", "7号订单", "编号为20的产品", "acme/api".

use serde_json::json;

use super::Reading;
use crate::{
    llm::offline::{
        literal::Literal,
        sentence::{Kind, Span},
        slot::{Kind as SlotKind, Role, Slot},
    },
    words::{Cue, Meaning},
};

/// Spans between a noun and its number that are passed over.
const GAP_MAX: usize = 5;

impl Reading<'_> {
    pub(super) fn ids(&mut self) {
        let numbers = |slot: &Slot| matches!(slot.kind, SlotKind::Integer | SlotKind::Number | SlotKind::Text);
        for slot in self.open_slots(|slot| slot.role == Role::Id && numbers(slot)) {
            let found = (0..self.sentence.spans.len()).find_map(|at| self.after_noun(slot, at).or_else(|| self.before_noun(slot, at)));
            let found = found.or_else(|| self.marked(slot));
            if let Some((from, value, to)) = found
                && (self.give(slot, value) || self.give_text(slot, value))
            {
                self.use_spans(from, to);
            }
        }
    }

    /// Whether a span names the thing that this id is of: by the slot's words, or by the function's if the slot is just `id`.
    fn names(&self, slot: usize, span: &Span) -> bool {
        let Some(of) = self.entry.slots.get(slot) else { return false };
        if of.words.is_empty() || of.words == ["sha"] {
            return self.entry.objects.iter().flatten().any(|own| span.words().any(|word| word == own) || span.stem == *own);
        }
        of.is_of(span)
    }

    /// `user 3`, `user #3`, `user with id 3`, `订单 7`, `用户编号是 7`: the span at `at` is the noun.
    fn after_noun(&self, slot: usize, at: usize) -> Option<(usize, usize, usize)> {
        self.span(at).filter(|span| self.names(slot, span))?;
        let (mut far, mut marked) = (false, false);
        for next in at + 1..=at + GAP_MAX {
            let span = self.span(next)?;
            // "user octocat": only right behind the noun, where an unknown word can hardly be anything else.
            let called = next == at + 1
                && span.is_unknown()
                && self.entry.slots.get(slot).is_some_and(|of| of.required && of.kind == SlotKind::Text);
            if called && !self.is_used(next) {
                return Some((at, next, next));
            }
            if self.takes(slot, next) {
                return (!far || marked).then_some((at, next, next));
            }
            if span.is(Cue::Id) || span.is_mark('#') {
                marked = true;
            } else if span.is_any(&[Cue::With, Cue::Of]) || span.meanings.contains(&Meaning::Stop) {
                far = true;
            } else if !(span.is(Cue::Assign) || span.is(Cue::Ordinal) || span.is_mark(':') || span.is_mark('=')) {
                return None;
            }
        }
        None
    }

    /// `7号订单`, `第 42 号议题`, `编号为20的产品`: the span at `at` is the number.
    fn before_noun(&self, slot: usize, at: usize) -> Option<(usize, usize, usize)> {
        if !self.takes(slot, at) {
            return None;
        }
        let numbered = self.span(at + 1).is_some_and(|next| next.is(Cue::Id));
        let before = |back: usize| at.checked_sub(back).and_then(|at| self.span(at));
        let told = before(1).is_some_and(|span| span.is(Cue::Id) || span.is_mark('#'))
            || (before(2).is_some_and(|span| span.is(Cue::Id)) && before(1).is_some_and(|span| span.is(Cue::Assign)));
        if !numbered && !told {
            return None;
        }
        let mut next = at + 1 + usize::from(numbered);
        if self.span(next).is_some_and(|span| span.is(Cue::Of)) {
            next += 1;
        }
        let noun = self.span(next).filter(|span| self.names(slot, span))?;
        let from = if told { at - 1 } else { at };
        (!noun.is_content() || noun.words().next().is_some() || noun.is_unknown()).then_some((from, at, next))
    }

    /// "the product with id 20", "where the id is 20": an id that is not said to be of anything is the function's own.
    fn marked(&self, slot: usize) -> Option<(usize, usize, usize)> {
        let own = self.entry.slots.get(slot).is_some_and(|of| of.required);
        let named = self.sentence.spans.iter().any(|span| self.names(slot, span));
        if !own || !named {
            return None;
        }
        (0..self.sentence.spans.len()).find_map(|at| {
            self.span(at).filter(|span| span.is(Cue::Id) && span.raw != "号")?;
            let skip = usize::from(self.span(at + 1).is_some_and(|next| next.is(Cue::Assign) || next.is_mark(':') || next.is_mark('=')));
            let value = at + 1 + skip;
            self.takes(slot, value).then_some((at, value, value))
        })
    }

    /// Whether the span is a value that an id can have: a number, a code, or for texts an unknown word.
    fn takes(&self, slot: usize, at: usize) -> bool {
        let (Some(of), Some(span)) = (self.entry.slots.get(slot), self.span(at)) else { return false };
        if self.is_used(at) {
            return false;
        }
        match (&of.kind, &span.kind) {
            (SlotKind::Integer | SlotKind::Number, Kind::Literal(Literal::Number(number))) => number.is_u64(),
            (SlotKind::Text, Kind::Literal(Literal::Number(_) | Literal::Code(_) | Literal::Quoted(_))) => true,
            _ => false,
        }
    }

    /// `acme/api` for a function that wants both an owner and a repository.
    pub(super) fn owner_and_repo(&mut self) {
        let text = |slot: &Slot, words: &[&str]| slot.kind == SlotKind::Text && slot.required && words.iter().any(|word| slot.has(word));
        let owners = self.open_slots(|slot| text(slot, &["owner", "org", "organization", "namespace", "workspace", "group"]));
        let repos = self.open_slots(|slot| text(slot, &["repo", "project"]));
        let (Some(owner), Some(repo)) = (owners.first().copied(), repos.first().copied()) else { return };
        let pair = |at: &usize| matches!(self.span(*at).map(|span| &span.kind), Some(Kind::Literal(Literal::Pair(..))));
        let pairs: Vec<usize> = (0..self.sentence.spans.len()).filter(pair).collect();
        // Of several the one that nothing says to be something else, as "branch feature/x" and "src/auth 目录" do.
        let Some(at) = pairs.iter().find(|at| !self.is_of_another(**at, repo)).or_else(|| pairs.first()).copied() else { return };
        if let Some(Kind::Literal(Literal::Pair(left, right))) = self.span(at).map(|span| &span.kind) {
            self.set(owner, json!(left), at, at);
            self.set(repo, json!(right), at, at);
        }
    }

    /// Whether the word before a value, or in Chinese the one after it, names something else than this argument.
    fn is_of_another(&self, at: usize, slot: usize) -> bool {
        let Some(of) = self.entry.slots.get(slot) else { return false };
        let other = |span: &Span| span.words().next().is_some() && span.actions().next().is_none() && !of.is_of(span);
        let before = at.checked_sub(1).and_then(|at| self.span(at)).is_some_and(|span| span.kind == Kind::Words && other(span));
        before || self.span(at + 1).is_some_and(|span| span.kind == Kind::Ideographs && other(span))
    }
}
