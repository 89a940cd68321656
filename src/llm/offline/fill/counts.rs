//! Numbers and days that their neighbours explain: pages, limits, quantities, bounds.

use serde_json::Value;

use super::{Reading, values};
use crate::{
    llm::offline::{
        literal::Literal,
        sentence::Span,
        slot::{Kind as SlotKind, Role, Slot},
    },
    words::Cue,
};

impl Reading<'_> {
    /// "page 2", "page number 2", "第2页", "the 2nd page".
    pub(super) fn pages(&mut self) {
        let Some(slot) = self.entry.slot(Role::Page).filter(|slot| self.is_open(*slot)) else { return };
        for at in 0..self.sentence.spans.len() {
            if !self.span(at).is_some_and(|span| span.is(Cue::Page)) {
                continue;
            }
            let skip = usize::from(self.span(at + 1).is_some_and(|next| next.is(Cue::Id) || next.is_mark('#') || next.is_mark(':')));
            if self.give(slot, at + 1 + skip) {
                return self.use_spans(at, at + 1 + skip);
            }
            let ordinal = |back: usize| at.checked_sub(back).and_then(|at| self.span(at));
            let back = if ordinal(1).is_some_and(|span| matches!(span.raw.as_str(), "st" | "nd" | "rd" | "th")) { 2 } else { 1 };
            if let Some(number) = at.checked_sub(back)
                && self.give(slot, number)
            {
                return self.use_spans(number.saturating_sub(1), at);
            }
        }
    }

    /// "limit 5", "50 per page", "每页3条", "top 5", "前5个".
    pub(super) fn limits(&mut self) {
        let Some(slot) = self.entry.slot(Role::Limit).filter(|slot| self.is_open(*slot)) else { return };
        for at in 0..self.sentence.spans.len() {
            let Some(span) = self.span(at).filter(|span| span.is_any(&[Cue::PerPage, Cue::Top])) else { continue };
            let skip = usize::from(self.span(at + 1).is_some_and(|next| next.is(Cue::Assign) || next.is_mark(':') || next.is_mark('=')));
            let next = at + 1 + skip;
            // "前5页" and "at most 5 euro" are no limits.
            let other = self
                .span(next + 1)
                .is_some_and(|after| after.is_any(&[Cue::Page, Cue::Currency]) || after.is_mark('€') || after.is_mark('$'));
            if !other && self.give(slot, next) {
                return self.use_spans(at, next);
            }
            let counted = at
                .checked_sub(1)
                .map(|before| if self.span(before).is_some_and(|span| span.is(Cue::Measure)) { before.saturating_sub(1) } else { before });
            if let Some(number) = counted.filter(|_| span.is(Cue::PerPage))
                && self.give(slot, number)
            {
                return self.use_spans(number, at);
            }
        }
    }

    /// "show 5 users" is a limit, "2 of product 6" and "2件" a quantity, "7.50 euro" a price.
    pub(super) fn counted(&mut self) {
        let quantity = self.open_slots(|slot| slot.kind == SlotKind::Integer && slot.has("quantity")).first().copied();
        let price = self.open_slots(|slot| slot.role == Role::Plain && (slot.has("price") || slot.has("amount"))).first().copied();
        let limit = self.entry.slot(Role::Limit).filter(|slot| self.is_open(*slot) && self.is_safe());
        for at in 0..self.sentence.spans.len() {
            if self.span(at).and_then(Span::number).is_none() || self.is_used(at) {
                continue;
            }
            let measured = self.span(at + 1).is_some_and(|next| next.is(Cue::Measure) || matches!(next.raw.as_str(), "of" | "x" | "×"));
            let money = self.span(at + 1).is_some_and(|next| next.is(Cue::Currency))
                || at.checked_sub(1).and_then(|at| self.span(at)).is_some_and(|before| before.is(Cue::Currency));
            let noun = self.span(at + 1 + usize::from(measured)).is_some_and(|next| self.is_object(next));
            let slot = match (money, measured, noun) {
                (true, _, _) => price,
                (false, true, _) if quantity.is_some() => quantity,
                (false, _, true) => limit.or(quantity),
                _ => None,
            };
            if let Some(slot) = slot {
                self.give(slot, at);
            }
        }
    }

    pub(super) fn is_object(&self, span: &Span) -> bool {
        self.entry.objects.iter().flatten().any(|own| span.words().any(|word| word == own) || span.stem == *own)
    }

    /// "under 50", "50以下", "between 10 and 40", "from 2026-03-01 to 2026-03-31", "since 2026-03-01", "on 2026-03-10".
    pub(super) fn bounds(&mut self) {
        for at in 0..self.sentence.spans.len() {
            if self.is_used(at) || !self.is_quantity(at) {
                continue;
            }
            if let Some(end) = self.range_end(at) {
                let (least, most) = (self.bound_for(Role::Least, at), self.bound_for(Role::Most, end));
                if let (Some(least), Some(most)) = (least, most) {
                    self.give_bound(least, at, false);
                    self.give_bound(most, end, true);
                    self.use_spans(at, self.after_parenthesis(end + 1) - 1);
                }
                continue;
            }
            let before = self.neighbour(at, false);
            let after = self.neighbour(at, true);
            let says = |cues: &[Cue], span: Option<&Span>| span.is_some_and(|span| span.is_any(cues));
            let day = self.span(at).and_then(Span::number).is_none();
            let role = if says(&[Cue::Less], before)
                || says(&[Cue::LessAfter], after)
                || (day && (says(&[Cue::Until], before) || says_after(after, Cue::Until)))
            {
                Some(Role::Most)
            } else if says(&[Cue::More], before)
                || says(&[Cue::MoreAfter], after)
                || (day && (says(&[Cue::Since], before) || says_after(after, Cue::Since)))
            {
                Some(Role::Least)
            } else {
                None
            };
            match role.and_then(|role| self.bound_for(role, at).map(|slot| (slot, role))) {
                Some((slot, role)) => self.give_bound(slot, at, role == Role::Most),
                None if day && role.is_none() => self.on_day(at),
                None => {}
            }
        }
    }

    /// One day without a word about it: both bounds, if the function has both.
    fn on_day(&mut self, at: usize) {
        if let (Some(least), Some(most)) = (self.bound_for(Role::Least, at), self.bound_for(Role::Most, at)) {
            self.give_bound(least, at, false);
            self.used_again(at);
            self.give_bound(most, at, true);
        }
    }

    fn used_again(&mut self, at: usize) {
        if let Some(used) = self.used.get_mut(at) {
            *used = false;
        }
    }

    fn is_quantity(&self, at: usize) -> bool {
        matches!(self.span(at).and_then(Span::literal), Some(Literal::Number(_) | Literal::Date(_) | Literal::Instant(_)))
    }

    /// The other end of a range that begins here: "10 and 40" after "between", "10 to 40", "10-40", "10到40".
    fn range_end(&self, at: usize) -> Option<usize> {
        let first = self.span(at)?;
        let number = first.number().is_some();
        // "10-40" reads as 10 and -40 where they touch.
        if number && self.span(at + 1).is_some_and(|next| next.start == first.end && next.number().is_some()) {
            return Some(at + 1);
        }
        let mut next = at + 1;
        while self.span(next).is_some_and(|span| span.is(Cue::Currency) || span.is_mark('$') || span.is_mark('€')) {
            next += 1;
        }
        let between = at.checked_sub(1).and_then(|at| self.span(at)).is_some_and(|span| span.is_any(&[Cue::Between, Cue::Since]));
        next = self.after_parenthesis(next);
        let joined = self.span(next).filter(|span| {
            let to = span.is(Cue::To) && !span.is(Cue::And);
            to || span.is_mark('~') || span.is_mark('-') || (between && span.is_any(&[Cue::And, Cue::Until]))
        });
        joined?;
        next += 1;
        while self.span(next).is_some_and(|span| span.is(Cue::Currency)) {
            next += 1;
        }
        (self.is_quantity(next) && self.span(next).is_some_and(|span| span.number().is_some() == number)).then_some(next)
    }

    /// "(含)", "(inclusive)": what stands in parentheses behind a value says how it is meant, and parts it from nothing.
    fn after_parenthesis(&self, at: usize) -> usize {
        const WORDS_MAX: usize = 3;
        let opens = self.span(at).is_some_and(|span| span.is_mark('('));
        let end = (at + 1..=at + 1 + WORDS_MAX).find(|at| self.span(*at).is_some_and(|span| span.is_mark(')')));
        end.filter(|_| opens).map_or(at, |end| end + 1)
    }

    /// The open slot for a bound of this kind: one whose words stand in the sentence, else the first.
    fn bound_for(&self, role: Role, at: usize) -> Option<usize> {
        let number = self.span(at)?.number().is_some();
        let fits = |slot: &Slot| slot.role == role && number == matches!(slot.kind, SlotKind::Integer | SlotKind::Number);
        let open = self.open_slots(fits);
        let said = |at: &&usize| self.entry.slots.get(**at).is_some_and(|slot| self.sentence.spans.iter().any(|span| slot.is_of(span)));
        let of_another = number && self.other_property(at).is_some();
        open.iter().find(said).or_else(|| open.first().filter(|_| !of_another)).copied()
    }

    fn give_bound(&mut self, slot: usize, at: usize, upper: bool) {
        let ends = match (self.entry.slots.get(slot), self.span(at).and_then(Span::literal)) {
            (Some(of), Some(literal)) if upper => values::end_of_day(of, literal),
            _ => None,
        };
        let given = match (ends, self.span(at).and_then(Span::number).and_then(serde_json::Number::as_i64)) {
            (Some(value), _) => {
                self.set(slot, value, at, at);
                true
            }
            (None, Some(negative)) if negative < 0 && upper => {
                self.set(slot, Value::from(negative.saturating_neg()), at, at);
                true
            }
            _ => self.give(slot, at),
        };
        if given {
            self.use_slot_word(slot);
        }
    }

    /// The span before or after, passing over money and what counts.
    fn neighbour(&self, at: usize, after: bool) -> Option<&Span> {
        let mut next = at;
        for _ in 0..3 {
            next = if after { next + 1 } else { next.checked_sub(1)? };
            let span = self.span(next)?;
            let passed = span.is(Cue::Currency)
                || span.is(Cue::Measure)
                || (!after && span.is(Cue::Assign) && !span.is_any(&[Cue::Less, Cue::More]));
            if !passed || span.is_any(&[Cue::Less, Cue::More]) {
                return Some(span);
            }
        }
        None
    }
}

/// In Chinese "after" follows the day; in English it comes before it, and what follows belongs to something else.
fn says_after(span: Option<&Span>, cue: Cue) -> bool {
    span.is_some_and(|span| span.is(cue) && span.kind == crate::llm::offline::sentence::Kind::Ideographs)
}
