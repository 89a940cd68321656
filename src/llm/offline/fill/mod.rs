//! Which arguments of a function a sentence gives. Nothing is invented: every value stands in the sentence, and every span is used once.

mod codes;
mod counts;
mod ids;
mod texts;
mod unread;
mod values;

use serde_json::{Map, Value};

use super::{
    index::{Entry, Index},
    sentence::{Kind, Sentence, Span},
    slot::{Kind as SlotKind, Role, Slot},
};
use crate::{
    domain::tool::Effect,
    words::{Cue, Meaning},
};

/// A sentence read as a call of one function.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) entry: &'a Entry,
    sentence: &'a Sentence<'a>,
    /// By slot.
    values: Vec<Option<Value>>,
    /// By span.
    used: Vec<bool>,
}

impl<'a> Reading<'a> {
    /// Fills what the sentence gives, the surest signs first: `name=value`, then words that say what their neighbour is,
    /// then what is left.
    pub(super) fn of(entry: &'a Entry, sentence: &'a Sentence<'a>) -> Self {
        let (values, used) = (vec![None; entry.slots.len()], vec![false; sentence.spans.len()]);
        let mut reading = Self { entry, sentence, values, used };
        reading.named_pairs();
        reading.pages();
        reading.limits();
        reading.owner_and_repo();
        reading.ids();
        reading.quoted_names();
        reading.choices();
        reading.flags();
        reading.bounds();
        reading.properties();
        reading.counted();
        reading.emails();
        reading.places();
        reading.last_resorts();
        reading
    }

    /// The call's arguments, in the order of the schema.
    pub(super) fn arguments(&self) -> Map<String, Value> {
        let filled = self.entry.slots.iter().zip(&self.values).filter_map(|(slot, value)| Some((slot.name.clone(), value.clone()?)));
        filled.collect()
    }

    /// Required arguments that the sentence does not give.
    pub(super) fn missing(&self) -> Vec<&'a Slot> {
        self.slots().filter(|(slot, value)| slot.required && value.is_none()).map(|(slot, _)| slot).collect()
    }

    /// Optional arguments that a change could be about.
    pub(super) fn open(&self) -> Vec<&'a Slot> {
        self.slots().filter(|(slot, value)| !slot.required && value.is_none()).map(|(slot, _)| slot).collect()
    }

    pub(super) fn filled(&self) -> usize {
        self.values.iter().flatten().count()
    }

    /// Whether anything is given beside what says which record is meant.
    pub(super) fn gives_content(&self) -> bool {
        self.slots().any(|(slot, value)| value.is_some() && !(slot.required && slot.role == Role::Id))
    }

    pub(super) fn is_used(&self, at: usize) -> bool {
        self.used.get(at).copied().unwrap_or(false)
    }

    /// Literal values that found no place, as they were written.
    pub(super) fn stray_literals(&self) -> Vec<&'a str> {
        let stray = self.sentence.spans.iter().enumerate().filter(|(at, span)| span.literal().is_some() && !self.is_used(*at));
        stray.map(|(at, _)| self.sentence.text_of(at, at)).collect()
    }

    /// Words that say something which neither the function's name nor a filled argument covers, as they were written.
    pub(super) fn unexplained(&self, index: &Index) -> Vec<&'a str> {
        let open = |(at, span): &(usize, &Span)| span.is_content() && !self.is_used(*at) && !self.explains(span, index);
        self.sentence.spans.iter().enumerate().filter(open).map(|(at, _)| self.sentence.text_of(at, at)).collect()
    }

    /// Whether the function's name or a filled argument's says this word. A word that does something or asks for something is
    /// explained unless it also names a thing of the document.
    fn explains(&self, span: &Span, index: &Index) -> bool {
        let named = |word: &str| self.entry.objects.iter().flatten().any(|own| own == word);
        let filled = |word: &str| self.slots().any(|(slot, value)| value.is_some() && slot.has(word));
        let says = |word: &str| named(word) || filled(word);
        if span.words().any(says) || says(&span.stem) {
            return true;
        }
        let speaks = span.actions().next().is_some() || span.meanings.iter().any(|m| matches!(m, Meaning::Cue(_) | Meaning::Stop));
        speaks && !span.words().any(|word| index.is_thing(word))
    }

    /// Whether a span names an argument that is given.
    pub(super) fn gives(&self, span: &Span) -> bool {
        self.slots().any(|(slot, value)| value.is_some() && slot.is_of(span))
    }

    /// The first "not" that no argument says, with the part of the sentence that it is about.
    pub(super) fn denial(&self) -> Option<(usize, usize)> {
        let not = self.sentence.spans.iter().enumerate().find(|(at, span)| span.is(Cue::Not) && !self.is_used(*at));
        not.map(|(at, _)| self.sentence.denied_part(at))
    }

    /// The argument that says one of the words of a part, where they are not denied.
    pub(super) fn choices_in(&self, from: usize, to: usize) -> Option<&'a Slot> {
        let said = |slot: &Slot| (from..=to).any(|at| self.span(at).is_some_and(|span| values::choice(slot, span).is_some()));
        self.slots().map(|(slot, _)| slot).find(|slot| said(slot))
    }

    fn slots(&self) -> impl Iterator<Item = (&'a Slot, &Option<Value>)> {
        self.entry.slots.iter().zip(&self.values)
    }

    fn is_safe(&self) -> bool {
        self.entry.effect == Effect::Safe
    }

    fn span(&self, at: usize) -> Option<&'a Span> {
        self.sentence.get(at)
    }

    fn is_open(&self, slot: usize) -> bool {
        self.values.get(slot).is_some_and(Option::is_none)
    }

    /// The slots that have no value yet and pass a test, by number.
    fn open_slots(&self, test: impl Fn(&Slot) -> bool) -> Vec<usize> {
        let open = self.slots().enumerate().filter(|(_, (slot, value))| value.is_none() && test(slot));
        open.map(|(at, _)| at).collect()
    }

    fn use_spans(&mut self, from: usize, to: usize) {
        for used in self.used.iter_mut().take(to + 1).skip(from) {
            *used = true;
        }
    }

    fn set(&mut self, slot: usize, value: Value, from: usize, to: usize) {
        if let Some(place) = self.values.get_mut(slot) {
            *place = Some(value);
            self.use_spans(from, to);
        }
    }

    /// Gives one span's literal to a slot if it is of its kind.
    fn give(&mut self, slot: usize, at: usize) -> bool {
        if self.is_used(at) || !self.is_open(slot) {
            return false;
        }
        let (Some(of), Some(span)) = (self.entry.slots.get(slot), self.span(at)) else { return false };
        match values::of_literal(of, span, self.sentence.text_of(at, at)) {
            Some(value) => {
                self.set(slot, value, at, at);
                true
            }
            None => false,
        }
    }

    /// `name=value` and `name: value`, and a name as the document spells it followed by its value.
    fn named_pairs(&mut self) {
        for at in 0..self.sentence.spans.len() {
            let Some(key) = self.span(at) else { continue };
            let spelled = self.open_slots(|slot| slot.name.to_lowercase() == key.raw.trim_matches('"'));
            let sign = self.span(at + 1).is_some_and(|next| next.is_mark('=') || next.is_mark(':'));
            let meant = if sign { self.open_slots(|slot| slot.is_of(key)) } else { Vec::new() };
            let exact = key.raw.contains('_') || sign;
            let Some(slot) = spelled.iter().find(|_| exact).or_else(|| meant.first()).copied() else { continue };
            let from = at + 1 + usize::from(sign);
            if self.give(slot, from) || self.give_text(slot, from) || self.give_choice(slot, from) {
                self.use_spans(at, from);
            }
        }
    }

    /// Values of enumerations, wherever they stand.
    fn choices(&mut self) {
        for slot in self.open_slots(|slot| matches!(slot.kind, SlotKind::Choice(_))) {
            for at in 0..self.sentence.spans.len() {
                let Some(span) = self.span(at) else { continue };
                let named = self.entry.objects.iter().flatten().any(|own| span.words().any(|word| word == own));
                if !named && self.give_choice(slot, at) {
                    self.use_slot_word(slot);
                    break;
                }
            }
        }
    }

    fn give_choice(&mut self, slot: usize, at: usize) -> bool {
        let Some(span) = self.span(at).filter(|_| !self.is_used(at) && self.is_open(slot)) else { return false };
        let Some(of) = self.entry.slots.get(slot) else { return false };
        // "Not shipped" is anything but `shipped`.
        if self.sentence.denial_before(at, |between| of.is_of(between)).is_some() {
            return false;
        }
        match values::choice(of, span) {
            Some(value) => {
                self.set(slot, value, at, at);
                true
            }
            None => false,
        }
    }

    /// Marks the words that only name an argument, such as "status", as used with it.
    fn use_slot_word(&mut self, slot: usize) {
        let Some(of) = self.entry.slots.get(slot) else { return };
        for (at, span) in self.sentence.spans.iter().enumerate() {
            if of.is_of(span) {
                self.use_spans(at, at);
            }
        }
    }

    /// Yes-or-no properties that are said to be or not to be.
    fn flags(&mut self) {
        for slot in self.open_slots(|slot| slot.kind == SlotKind::Boolean) {
            let Some(of) = self.entry.slots.get(slot) else { continue };
            let found = self.sentence.spans.iter().enumerate().find_map(|(at, span)| Some((at, values::flag(of, span)?)));
            if let Some((at, value)) = found.filter(|(at, _)| !self.is_used(*at)) {
                let not = self.sentence.denial_before(at, |between| of.is_of(between));
                self.set(slot, Value::Bool(value != not.is_some()), not.unwrap_or(at), at);
            }
        }
    }

    fn emails(&mut self) {
        for at in 0..self.sentence.spans.len() {
            if !matches!(self.span(at).map(|span| &span.kind), Some(Kind::Literal(super::literal::Literal::Email(_)))) {
                continue;
            }
            let fits = self.open_slots(|slot| slot.kind == SlotKind::Email);
            let search = if self.is_safe() { self.open_slots(|slot| slot.role == Role::Search) } else { Vec::new() };
            for slot in fits.into_iter().chain(search).take(1) {
                if self.give(slot, at) {
                    self.use_words("email");
                }
            }
        }
    }

    fn use_words(&mut self, word: &str) {
        for (at, span) in self.sentence.spans.iter().enumerate() {
            if span.words().any(|own| own == word) {
                self.use_spans(at, at);
            }
        }
    }
}
