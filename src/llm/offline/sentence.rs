//! A sentence as a row of spans: literals, known words, unknown words, marks.

use serde_json::Number;

use super::{
    days::with_days,
    literal::{self, Literal, chinese_number, is_chinese_digit},
};
use crate::{
    domain::language::is_ideograph,
    words::{Action, Cue, Lexicon, Meaning, lexicon, stem},
};

/// One part of a sentence.
#[derive(Debug, Clone)]
pub(super) struct Span {
    /// Bytes of the sentence.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
    pub(super) meanings: Vec<Meaning>,
    /// In lower case; of one English word its stem.
    pub(super) stem: String,
    /// In lower case, with ASCII signs.
    pub(super) raw: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Literal(Literal),
    /// English or other words with spaces between them.
    Words,
    /// Chinese characters.
    Ideographs,
    Mark(char),
}

impl Span {
    pub(super) fn is(&self, cue: Cue) -> bool {
        self.meanings.contains(&Meaning::Cue(cue))
    }

    pub(super) fn is_any(&self, cues: &[Cue]) -> bool {
        cues.iter().any(|cue| self.is(*cue))
    }

    pub(super) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &'static str> {
        self.meanings.iter().filter_map(|meaning| meaning.word())
    }

    pub(super) fn actions(&self) -> impl Iterator<Item = Action> {
        self.meanings.iter().filter_map(|meaning| if let Meaning::Action(action) = meaning { Some(*action) } else { None })
    }

    pub(super) fn number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Literal(Literal::Number(number)) => Some(number),
            _ => None,
        }
    }

    pub(super) fn literal(&self) -> Option<&Literal> {
        match &self.kind {
            Kind::Literal(literal) => Some(literal),
            _ => None,
        }
    }

    /// A word that no entry of the lexicon knows.
    pub(super) fn is_unknown(&self) -> bool {
        self.meanings.is_empty() && matches!(self.kind, Kind::Words | Kind::Ideographs)
    }

    /// Whether the span says what the sentence is about: a thing, a property, or something unknown.
    pub(super) fn is_content(&self) -> bool {
        self.is_unknown() || self.words().next().is_some()
    }
}

/// A sentence taken apart.
#[derive(Debug)]
pub(super) struct Sentence<'t> {
    pub(super) text: &'t str,
    pub(super) spans: Vec<Span>,
}

impl<'t> Sentence<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let mut reader = Reader { text, chars: text.char_indices().map(|(at, c)| (at, fold(c))).collect(), at: 0, spans: Vec::new() };
        while reader.at < reader.chars.len() {
            reader.step();
        }
        let spans = with_days(join_phrases(reader.spans, lexicon()));
        Self { text, spans }
    }

    pub(super) fn text_of(&self, from: usize, to: usize) -> &'t str {
        let start = self.spans.get(from).map_or(0, |span| span.start);
        let end = self.spans.get(to).map_or(start, |span| span.end);
        self.text.get(start..end).unwrap_or_default()
    }

    /// The "not" that a word stands under: the nearest before it, with nothing between them but words that say little and what `passes`.
    pub(super) fn denial_before(&self, at: usize, passes: impl Fn(&Span) -> bool) -> Option<usize> {
        let idle =
            |span: &Span| matches!(span.kind, Kind::Words | Kind::Ideographs) && !span.is_content() && span.actions().next().is_none();
        for before in (0..at).rev() {
            let span = self.get(before)?;
            if span.is(Cue::Not) {
                return Some(before);
            }
            if !idle(span) && !passes(span) {
                return None;
            }
        }
        None
    }

    /// The part of the sentence that a "not" is about: what follows it up to the next mark; what stands before it, where it follows (管理员除外).
    pub(super) fn denied_part(&self, not: usize) -> (usize, usize) {
        let parts = |span: &Span| matches!(span.kind, Kind::Mark(',' | '.' | ';' | '?' | '!'));
        let end = (not + 1..self.spans.len()).find(|at| self.get(*at).is_some_and(parts)).unwrap_or(self.spans.len()) - 1;
        let follows = self.get(not).is_some_and(|span| span.raw.ends_with('外') || span.raw == "excluded");
        if !follows {
            return (not, end);
        }
        let start = (0..not).rev().find(|at| self.get(*at).is_some_and(parts)).map_or(0, |mark| mark + 1);
        (start, not)
    }

    pub(super) fn get(&self, at: usize) -> Option<&Span> {
        self.spans.get(at)
    }
}

/// Full-width signs and digits as their ASCII twins (Unicode, Halfwidth and Fullwidth Forms), Chinese punctuation as Western.
fn fold(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        '。' => '.',
        '、' => ',',
        '’' => '\'',
        '—' | '–' | '~' => '~',
        other => other,
    }
}

fn closing(open: char) -> Option<char> {
    Some(match open {
        '"' => '"',
        '\'' => '\'',
        '`' => '`',
        '“' => '”',
        '‘' => '\'',
        '「' => '」',
        '『' => '』',
        '《' => '》',
        '«' => '»',
        _ => return None,
    })
}

struct Reader<'t> {
    text: &'t str,
    /// Byte offsets and folded characters.
    chars: Vec<(usize, char)>,
    at: usize,
    spans: Vec<Span>,
}

impl Reader<'_> {
    fn char(&self, at: usize) -> Option<char> {
        self.chars.get(at).map(|(_, c)| *c)
    }

    fn byte(&self, at: usize) -> usize {
        self.chars.get(at).map_or(self.text.len(), |(byte, _)| *byte)
    }

    fn folded(&self, from: usize, to: usize) -> String {
        self.chars.get(from..to).unwrap_or_default().iter().map(|(_, c)| *c).collect()
    }

    fn push(&mut self, to: usize, kind: Kind, meanings: Vec<Meaning>, stem: String) {
        let raw = self.folded(self.at, to).to_lowercase();
        self.spans.push(Span { start: self.byte(self.at), end: self.byte(to), kind, meanings, stem, raw });
        self.at = to;
    }

    fn step(&mut self) {
        let Some(c) = self.char(self.at) else { return };
        if c.is_whitespace() {
            self.at += 1;
        } else if let Some(end) = self.quote_end(c) {
            let inner = self.text.get(self.byte(self.at + 1)..self.byte(end)).unwrap_or_default().to_owned();
            self.push(end + 1, Kind::Literal(Literal::Quoted(inner)), Vec::new(), String::new());
        } else if is_ideograph(c) {
            self.ideographs();
        } else if c.is_alphanumeric() || (is_chunk(c) && self.char(self.at + 1).is_some_and(char::is_alphanumeric)) {
            self.chunk();
        } else {
            let meanings = lexicon().exact(&c.to_string()).to_vec();
            self.push(self.at + 1, Kind::Mark(c), meanings, c.to_string());
        }
    }

    /// Where a quotation that opens here ends; an apostrophe inside a word opens none.
    fn quote_end(&self, open: char) -> Option<usize> {
        let close = closing(open)?;
        if open == '\'' && self.at > 0 && self.char(self.at - 1).is_some_and(char::is_alphanumeric) {
            return None;
        }
        let end = (self.at + 1..self.chars.len())
            .find(|at| self.char(*at) == Some(close) && !(close == '\'' && self.char(at + 1).is_some_and(char::is_alphanumeric)))?;
        (end > self.at + 1).then_some(end)
    }

    /// A run without spaces: a literal, or a word.
    fn chunk(&mut self) {
        let from = self.at;
        let mut to = from;
        while self.char(to).is_some_and(|c| is_chunk(c) && !is_ideograph(c)) || self.joins(to) {
            to += 1;
        }
        while to > from + 1 && self.char(to - 1).is_some_and(|c| matches!(c, '.' | '-' | '/' | '\'' | '+')) {
            to -= 1;
        }
        let mut chunk = self.folded(from, to);
        if chunk.ends_with("'s") && lexicon().exact(&chunk.to_lowercase()).is_empty() {
            to -= 2;
            chunk = self.folded(from, to);
        }
        let split = number_prefix(&chunk);
        if split > 0 && split < chunk.chars().count() {
            to = from + split;
            chunk = self.folded(from, to);
        }
        let end_of_owner = if self.folded(to, to + 2) == "'s" { 2 } else { 0 };
        match literal::of_chunk(&chunk) {
            Some(literal) => self.push(to, Kind::Literal(literal), Vec::new(), chunk.to_lowercase()),
            None => {
                let lower = chunk.to_lowercase();
                match literal::number_word(&lower) {
                    Some(number) => self.push(to, Kind::Literal(Literal::Number(number)), Vec::new(), lower),
                    None => self.push(to, Kind::Words, lexicon().of_word(&lower).to_vec(), stem(&chunk)),
                }
            }
        }
        self.at += end_of_owner;
    }

    /// Signs that hold a chunk together at this place: a comma before three digits, a colon in a time or after a scheme.
    fn joins(&self, at: usize) -> bool {
        let digit = |at: usize| self.char(at).is_some_and(|c| c.is_ascii_digit());
        let before = at > 0 && digit(at - 1);
        match self.char(at) {
            Some(',') => before && (1..=3).all(|n| digit(at + n)) && !digit(at + 4),
            Some(':') => (before && digit(at + 1)) || (self.char(at + 1) == Some('/') && self.char(at + 2) == Some('/')),
            _ => false,
        }
    }

    /// The longest known form here, else a Chinese number where one is counted, else one unknown character more.
    fn ideographs(&mut self) {
        let farthest = self.chars.len().min(self.at + lexicon().chars_max);
        let run = (self.at..farthest).take_while(|at| self.char(*at).is_some_and(is_ideograph)).count();
        for length in (1..=run).rev() {
            let form = self.folded(self.at, self.at + length);
            let meanings = lexicon().exact(&form);
            if !meanings.is_empty()
                && !(length == 1 && (self.counts(1).is_some() || self.is_idle_measure(meanings) || self.is_part(meanings)))
            {
                return self.push(self.at + length, Kind::Ideographs, meanings.to_vec(), form);
            }
            if let Some(number) = self.counts(length) {
                return self.push(self.at + length, Kind::Literal(Literal::Number(number)), Vec::new(), form);
            }
        }
        let start = self.byte(self.at);
        let character = self.folded(self.at, self.at + 1);
        match self.spans.last_mut().filter(|last| last.end == start && last.kind == Kind::Ideographs && last.meanings.is_empty()) {
            Some(last) => {
                last.stem.push_str(&character);
                last.raw.push_str(&character);
                last.end = self.chars.get(self.at + 1).map_or(self.text.len(), |(byte, _)| *byte);
                self.at += 1;
            }
            None => self.push(self.at + 1, Kind::Ideographs, Vec::new(), character),
        }
    }

    /// A single character that only counts (张, 位, 本) says something after a number alone; elsewhere it is part of a name.
    fn is_idle_measure(&self, meanings: &[Meaning]) -> bool {
        let after_number = self.spans.last().is_some_and(|last| last.number().is_some());
        meanings == [Meaning::Cue(Cue::Measure)] && !after_number
    }

    /// A weak character before one that begins no known form is the beginning of an unknown word (上海).
    fn is_part(&self, meanings: &[Meaning]) -> bool {
        let next = self.at + 1;
        let known = |length: usize| !lexicon().exact(&self.folded(next, next + length)).is_empty();
        let after_number = self.spans.last().is_some_and(|last| last.number().is_some());
        meanings.contains(&Meaning::Cue(Cue::Weak))
            && !after_number
            && self.char(next).is_some_and(is_ideograph)
            && !(1..=lexicon().chars_max).any(known)
    }

    /// A Chinese number of so many characters, if what stands around it counts: `第二`, `前五`, `两件`.
    fn counts(&self, length: usize) -> Option<Number> {
        let text = self.folded(self.at, self.at + length);
        if !text.chars().all(is_chinese_digit) || self.char(self.at + length).is_some_and(is_chinese_digit) {
            return None;
        }
        let counted_before = self.spans.last().is_some_and(|last| last.is_any(&[Cue::Ordinal, Cue::Top, Cue::PerPage, Cue::Page, Cue::Id]));
        let after = self.char(self.at + length).map(|c| c.to_string()).unwrap_or_default();
        let counted_after = text != "一"
            && lexicon().exact(&after).iter().any(|m| matches!(m, Meaning::Cue(Cue::Measure | Cue::Page | Cue::Id | Cue::Currency)));
        (counted_before || counted_after).then(|| chinese_number(&text)).flatten()
    }
}

/// How many characters of a chunk are a number followed by a unit without a space, such as `50€` or `2x`.
fn number_prefix(chunk: &str) -> usize {
    let digits = chunk.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).count();
    let rest: String = chunk.chars().skip(digits).collect();
    let unit = matches!(rest.as_str(), "€" | "$" | "£" | "¥" | "x" | "eur" | "st" | "nd" | "rd" | "th");
    if let Some(upper) = rest.strip_prefix('-').or_else(|| rest.strip_prefix('~'))
        && literal::number(upper).is_some()
    {
        return digits;
    }
    if unit { digits } else { 0 }
}

fn is_chunk(c: char) -> bool {
    (c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@' | '\'' | '+' | '\\' | '%')) && !is_ideograph(c)
}

/// Puts neighbouring English words together where the lexicon knows them as one form.
fn join_phrases(spans: Vec<Span>, lexicon: &Lexicon) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    let mut at = 0;
    while let Some(span) = spans.get(at) {
        let mut taken = 1;
        for length in (2..=lexicon.words_max).rev() {
            let Some(group) = spans.get(at..at + length) else { continue };
            if !group.iter().all(|part| part.kind == Kind::Words) {
                continue;
            }
            // Stems would join "first page" and "first pages" alike, but also forms that are no phrase; the text decides.
            let form: Vec<&str> = group.iter().map(|part| part.raw.as_str()).collect();
            let meanings = lexicon.exact(&form.join(" "));
            if let (false, Some(last)) = (meanings.is_empty(), group.last()) {
                let phrase = form.join(" ");
                joined.push(Span { end: last.end, meanings: meanings.to_vec(), stem: phrase.clone(), raw: phrase, ..span.clone() });
                taken = length;
                break;
            }
        }
        if taken == 1 {
            joined.push(span.clone());
        }
        at += taken;
    }
    joined
}
