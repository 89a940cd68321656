//! Codes and names that a noun or a word beside them explains: "the file docs/a.md", "src/auth 目录", "by carol".

use serde_json::json;

use super::Reading;
use crate::llm::offline::{
    literal::Literal,
    sentence::{Kind, Span},
    slot::{Kind as SlotKind, Role},
};

impl Reading<'_> {
    /// "src/auth 目录": in Chinese the noun may follow a code.
    pub(super) fn codes_before_nouns(&mut self) {
        for at in 1..self.sentence.spans.len() {
            let code = matches!(self.span(at - 1).and_then(Span::literal), Some(Literal::Code(_) | Literal::Pair(..)));
            let Some(noun) = self.span(at).filter(|span| code && span.kind == Kind::Ideographs && !self.is_object(span)) else { continue };
            let named = self.open_slots(|slot| slot.kind == SlotKind::Text && slot.is_of(noun));
            if let Some(slot) = named.first().copied()
                && self.give(slot, at - 1)
            {
                self.use_spans(at, at);
            }
        }
    }

    /// "by carol", "由 carol": whose it is.
    pub(super) fn authors(&mut self) {
        let Some(slot) =
            self.open_slots(|slot| slot.kind == SlotKind::Text && (slot.has("author") || slot.has("creator"))).first().copied()
        else {
            return;
        };
        for at in 0..self.sentence.spans.len() {
            let said = self.span(at).is_some_and(|span| matches!(span.raw.as_str(), "by" | "由"));
            let named = self.span(at + 1).is_some_and(|next| next.is_unknown() && next.kind == Kind::Words);
            if said && named && self.give_text(slot, at + 1) {
                return self.use_spans(at, at);
            }
        }
    }

    /// A read of the one thing whose name is a code behind the noun: "the file docs/setup guide.md".
    pub(super) fn code_after_noun(&mut self) {
        let wanting = self.open_slots(|slot| slot.required && slot.kind == SlotKind::Text && slot.role == Role::Plain);
        let ([slot], Some(noun)) = (wanting.as_slice(), (0..self.sentence.spans.len()).find(|at| self.is_own_noun(*at))) else { return };
        let code = |at: usize| {
            let literal = self.span(at).filter(|_| !self.is_used(at)).and_then(Span::literal);
            matches!(literal, Some(Literal::Code(_) | Literal::Pair(..)))
        };
        let Some(to) = (noun + 1..).take_while(|at| code(*at)).last() else { return };
        let text = self.sentence.text_of(noun + 1, to).to_owned();
        self.set(*slot, json!(text), noun + 1, to);
    }
}
