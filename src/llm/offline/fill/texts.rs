//! Texts and other values that a word before them announces: "named Ann", "the price of product 13 to 34.90", "城市 北京".

use serde_json::{Value, json};

use super::{Reading, values};
use crate::domain::limits::OFFLINE_TEXT_WORDS_MAX;
use crate::{
    llm::offline::{
        literal::Literal,
        sentence::{Kind, Span},
        slot::{Kind as SlotKind, Role, Slot},
    },
    words::{Action, Cue, Meaning},
};

/// Spans between a property and its value.
const GAP_MAX: usize = 8;

impl Reading<'_> {
    /// "named Ann", "called Bob", "名叫张三", "titled …": the name or title; for a read without one, what is searched for.
    pub(super) fn quoted_names(&mut self) {
        for at in 0..self.sentence.spans.len() {
            let Some(span) = self.span(at).filter(|_| !self.is_used(at)) else { continue };
            let words: &[&str] = match () {
                () if span.is(Cue::Named) => &["name", "title", "username", "label"],
                () if span.is(Cue::Titled) => &["title", "name", "subject"],
                () if span.is(Cue::Containing) => &[],
                () => continue,
            };
            let search = if self.is_safe() { self.entry.slot(Role::Search) } else { None };
            let named =
                words.iter().find_map(|word| self.open_slots(|slot| slot.has(word) && slot.kind == SlotKind::Text).first().copied());
            let Some(slot) = named.or(search).filter(|slot| self.is_open(*slot)) else { continue };
            // "Search for products with keyboard", "搜索商品 keyboard": not for the word "products".
            let said_first =
                |next: &usize| self.span(*next).is_some_and(|next| self.is_object(next) || next.is_any(&[Cue::With, Cue::Containing]));
            let from = if span.is(Cue::Containing) { (at + 1..).find(|next| !said_first(next)).unwrap_or(at + 1) } else { at + 1 };
            if self.give_text(slot, from) {
                self.use_spans(at, from);
            }
        }
    }

    /// A property followed by its value, with whatever says whose property it is between them.
    pub(super) fn properties(&mut self) {
        let plain =
            |slot: &Slot| slot.role == Role::Plain && !matches!(slot.kind, SlotKind::Choice(_) | SlotKind::Boolean | SlotKind::Other);
        for slot in self.open_slots(plain) {
            for at in 0..self.sentence.spans.len() {
                let Some(of) = self.entry.slots.get(slot) else { continue };
                let renames = of.has("name") && self.span(at).is_some_and(|span| matches!(span.raw.as_str(), "rename" | "重命名"));
                let said = self.span(at).is_some_and(|span| of.is_of(span) || renames);
                if !said || self.is_used(at) || self.is_own_noun(at) {
                    continue;
                }
                if let Some(value) = self.value_of_property(slot, at, renames)
                    && (self.give(slot, value) || self.give_text(slot, value))
                {
                    self.use_spans(at, at);
                    break;
                }
            }
        }
        self.name_after_noun();
        self.codes_before_nouns();
        self.authors();
    }

    /// A span that names the function's own thing ("user" of `createUser`) is no property, even if a slot shares the word.
    pub(super) fn is_own_noun(&self, at: usize) -> bool {
        self.span(at).is_some_and(|span| self.is_object(span))
    }

    /// Where the value of the property at `at` stands.
    fn value_of_property(&self, slot: usize, at: usize, renames: bool) -> Option<usize> {
        let texts = self.entry.slots.get(slot).is_some_and(|of| matches!(of.kind, SlotKind::Text | SlotKind::Texts));
        let mut assigned = !renames && self.span(at + 1).is_some_and(|next| next.is_unknown() || next.literal().is_some());
        // "Raise the price by 10", "价格上调10": the value is a difference, and not what the property shall be.
        let mut differs = false;
        for next in at + 1..=at + GAP_MAX {
            let span = self.span(next)?;
            if span.raw == "by" {
                return None;
            }
            let assigns = span.is_any(&[Cue::Assign, Cue::To]) || span.is_mark(':') || span.is_mark('=');
            if self.is_used(next) {
                continue;
            }
            if span.literal().is_some() && (!renames || assigned) && !differs {
                return Some(next);
            }
            if texts && assigned && !assigns && (span.is_unknown() || span.words().next().is_some()) {
                return Some(next);
            }
            let passed = assigns
                || self.is_object(span)
                || span.is_any(&[Cue::Of, Cue::With, Cue::Id, Cue::Currency])
                || span.meanings.contains(&Meaning::Stop)
                || span.actions().any(|action| action == Action::Update);
            if !passed {
                return None;
            }
            assigned |= assigns;
            differs = !assigns && (differs || span.actions().any(|action| action == Action::Update));
        }
        None
    }

    /// "create user Ann", "创建用户 张三": what follows the noun is its name.
    fn name_after_noun(&mut self) {
        let wants = |slot: &Slot| {
            slot.required && slot.kind == SlotKind::Text && slot.role == Role::Plain && (slot.has("name") || slot.has("title"))
        };
        let Some(slot) = self.open_slots(wants).first().copied() else { return };
        for at in 0..self.sentence.spans.len() {
            let noun = self.is_own_noun(at);
            let next = at + 1 + usize::from(self.span(at + 1).is_some_and(|next| next.is_mark(':')));
            let named = self.span(next).is_some_and(|next| next.is_unknown() || matches!(next.kind, Kind::Literal(Literal::Quoted(_))));
            if noun && named && self.give_text(slot, next) {
                return;
            }
        }
    }

    /// Gives the text that begins at a span: a quotation, or words up to a mark, a literal or the next property.
    pub(super) fn give_text(&mut self, slot: usize, at: usize) -> bool {
        let Some(of) = self.entry.slots.get(slot).filter(|_| self.is_open(slot)) else { return false };
        let mut from = at;
        while self.span(from).is_some_and(|span| span.is(Cue::Assign) || span.is_mark(':') || span.is_mark('=') || is_article(span)) {
            from += 1;
        }
        if self.give(slot, from) {
            return true;
        }
        if of.kind == SlotKind::Boolean {
            let Some(value) = self.span(from).and_then(|span| values::truth(&span.raw)) else { return false };
            self.set(slot, Value::Bool(value), from, from);
            return true;
        }
        match of.kind {
            SlotKind::Texts => self.give_texts(slot, from),
            SlotKind::Text => {
                let Some((text, to)) = self.words_from(slot, from) else { return false };
                self.set(slot, json!(text), from, to);
                true
            }
            _ => false,
        }
    }

    /// Gives the texts that begin at a span, with commas or an "and" between them: "bug and p1", "“a”、“b”".
    fn give_texts(&mut self, slot: usize, from: usize) -> bool {
        let (mut texts, mut next, mut end) = (Vec::new(), from, from);
        while let Some((text, to)) = self.one_text(slot, next) {
            texts.push(text);
            end = to;
            let joined = |at: usize| self.span(at).is_some_and(|span| span.is(Cue::And) || span.is_mark(','));
            next = (to + 1..).find(|at| !joined(*at)).unwrap_or(to + 1);
            if next == to + 1 {
                break;
            }
        }
        if texts.is_empty() {
            return false;
        }
        self.set(slot, json!(texts), from, end);
        true
    }

    /// One text of several, and the span where it ends.
    fn one_text(&self, slot: usize, at: usize) -> Option<(String, usize)> {
        let span = self.span(at).filter(|_| !self.is_used(at))?;
        match span.literal() {
            Some(Literal::Quoted(text)) => Some((text.clone(), at)),
            Some(Literal::Code(_)) => Some((self.sentence.text_of(at, at).to_owned(), at)),
            Some(_) => None,
            None => self.words_from(slot, at),
        }
    }

    /// The words of a text that is not quoted, and the span where they end.
    fn words_from(&self, slot: usize, from: usize) -> Option<(String, usize)> {
        let mut to = from;
        while to < from + OFFLINE_TEXT_WORDS_MAX && self.span(to).is_some_and(|span| self.is_text(slot, to, span, to > from)) {
            to += 1;
        }
        (to > from).then(|| (self.sentence.text_of(from, to - 1).to_owned(), to - 1))
    }

    /// Whether a span can be part of a text that is not quoted.
    fn is_text(&self, slot: usize, at: usize, span: &Span, inside: bool) -> bool {
        if self.is_used(at) || !matches!(span.kind, Kind::Words | Kind::Ideographs) {
            return false;
        }
        let ends = [
            Cue::Assign,
            Cue::And,
            Cue::With,
            Cue::Of,
            Cue::Place,
            Cue::Named,
            Cue::Less,
            Cue::More,
            Cue::Since,
            Cue::Until,
            Cue::To,
            Cue::Containing,
        ];
        // Inside a name an article or a preposition may stand ("Queen of Hearts"), but then it is hard to tell where the name ends.
        let breaks = span.is_any(&ends) || (span.meanings.contains(&Meaning::Stop) && span.words().next().is_none());
        // One Chinese character beside others is as likely part of a name (李新) as the word that it also is.
        let near = |other: usize| self.span(other).filter(|other| other.kind == Kind::Ideographs);
        let touches = at.checked_sub(1).and_then(near).is_some_and(|before| before.end == span.start && inside)
            || near(at + 1).is_some_and(|after| after.start == span.end && after.is_unknown());
        let joint = span.is_any(&[Cue::Of, Cue::And, Cue::Assign, Cue::Containing]);
        if breaks && !(span.raw.chars().count() == 1 && span.kind == Kind::Ideographs && touches && !joint) {
            return false;
        }
        let property = self.slots().enumerate().any(|(other, (of, _))| other != slot && of.is_of(span));
        let thing = self.entry.slots.get(slot).is_some_and(|of| of.role == Role::Search) && self.is_object(span);
        let announces = thing || property || (inside && self.entry.slots.get(slot).is_some_and(|of| of.is_of(span)));
        !announces || (!inside && self.span(at + 1).is_none())
    }

    /// "in Berlin", "住在上海".
    pub(super) fn places(&mut self) {
        let places = ["city", "country", "location", "region", "place"];
        let Some(slot) = self.open_slots(|slot| slot.kind == SlotKind::Text && places.iter().any(|word| slot.has(word))).first().copied()
        else {
            return;
        };
        for at in 0..self.sentence.spans.len() {
            let said = self.span(at).is_some_and(|span| span.is(Cue::Place) && !span.is_any(&[Cue::Less, Cue::More]));
            let named = self.span(at + 1).is_some_and(|next| next.is_unknown() || matches!(next.kind, Kind::Literal(Literal::Quoted(_))));
            if said && named && self.give_text(slot, at + 1) {
                return;
            }
        }
    }

    /// What is left when everything else has its place.
    pub(super) fn last_resorts(&mut self) {
        self.only_quotation();
        if self.is_safe() {
            self.only_number();
            self.code_after_noun();
            self.only_unknown_words();
        }
    }

    /// One quotation, and one required text (or a search) without a value.
    fn only_quotation(&mut self) {
        let quoted = |at: &usize| !self.is_used(*at) && matches!(self.span(*at).and_then(Span::literal), Some(Literal::Quoted(_)));
        let left: Vec<usize> = (0..self.sentence.spans.len()).filter(quoted).collect();
        let mut wanting = self.open_slots(|slot| slot.required && slot.kind == SlotKind::Text);
        if wanting.is_empty() && self.is_safe() {
            wanting = self.open_slots(|slot| slot.role == Role::Search);
        }
        if let ([at], [slot]) = (left.as_slice(), wanting.as_slice()) {
            self.give(*slot, *at);
        }
    }

    /// A read of one record whose id is the only number of the sentence: "details for the user, 3".
    fn only_number(&mut self) {
        let left: Vec<usize> =
            (0..self.sentence.spans.len()).filter(|at| self.span(*at).is_some_and(|span| span.number().is_some())).collect();
        let wanting = self.open_slots(|slot| slot.required && slot.role == Role::Id);
        let named = self.sentence.spans.iter().any(|span| self.is_object(span));
        let Some(at) = left.first().copied().filter(|_| left.len() == 1) else { return };
        let counts = [
            Cue::Page,
            Cue::PerPage,
            Cue::Top,
            Cue::Measure,
            Cue::Currency,
            Cue::Less,
            Cue::More,
            Cue::LessAfter,
            Cue::MoreAfter,
            Cue::Between,
            Cue::Since,
            Cue::Until,
        ];
        let near = [at.checked_sub(1), Some(at + 1)];
        let counted = near.into_iter().flatten().any(|near| self.span(near).is_some_and(|span| span.is_any(&counts)));
        if let ([slot], true, false) = (wanting.as_slice(), named, counted) {
            self.give(*slot, at);
        }
    }

    /// Whether a word asks for an order of the list: "cheapest", or "expensive" behind "most".
    pub(super) fn is_superlative(&self, at: usize) -> bool {
        let most = |at: usize| self.span(at).is_some_and(|span| matches!(span.raw.as_str(), "most" | "least"));
        self.span(at).is_some_and(is_superlative) || at.checked_sub(1).is_some_and(most)
    }

    /// Whether a word names an argument that has no value.
    fn names_an_open_slot(&self) -> bool {
        let open = |span: &Span| self.slots().any(|(slot, value)| value.is_none() && slot.role != Role::Search && slot.is_of(span));
        self.sentence.spans.iter().enumerate().any(|(at, span)| !self.is_used(at) && !self.is_object(span) && open(span))
    }

    /// Words that nobody knows are what is searched for, if they stand together: "any wool socks in stock".
    fn only_unknown_words(&mut self) {
        let Some(slot) = self.entry.slot(Role::Search).filter(|slot| self.is_open(*slot)) else { return };
        // Beside a value that found no place, or a property without its value, the words say something else than what is searched for.
        let left_over = !self.stray_literals().is_empty() || self.names_an_open_slot();
        if left_over || self.verb_that_nobody_knows().is_some() {
            return;
        }
        let open = |at: usize| {
            self.span(at).is_some_and(|span| span.is_unknown() && !self.is_used(at) && !self.is_object(span) && !self.is_superlative(at))
        };
        let Some(from) = (0..self.sentence.spans.len()).find(|at| open(*at)) else { return };
        // "Berlin and Paris": what is joined to a value is another one.
        let joined = from.checked_sub(1).and_then(|at| self.span(at)).is_some_and(|before| before.is(Cue::And) || before.raw == "or");
        if joined && from > 1 && self.is_used(from - 2) {
            return;
        }
        let mut to = from;
        while open(to + 1) {
            to += 1;
        }
        let alone = !(to + 1..self.sentence.spans.len()).any(open);
        if alone && to - from < 4 {
            let text = self.sentence.text_of(from, to).to_owned();
            // One leftover character of Chinese is a particle that the lexicon lacks, not what someone searches for.
            if text.chars().count() > 1 {
                self.set(slot, json!(text), from, to);
            }
        }
    }
}

/// A word that asks for an order of the list: no record contains it.
fn is_superlative(span: &Span) -> bool {
    const ENGLISH: [&str; 12] =
        ["cheapest", "dearest", "newest", "latest", "oldest", "highest", "lowest", "biggest", "largest", "smallest", "best", "most"];
    ENGLISH.contains(&span.raw.as_str()) || span.raw.starts_with('最')
}

fn is_article(span: &Span) -> bool {
    matches!(span.raw.as_str(), "a" | "an" | "the")
}
