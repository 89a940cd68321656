//! Texts that are looked for, all at once: one Aho-Corasick automaton over a text as it is written, and over it with its escapes read.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::{grams::Grams, unescape};

/// A blank is looked for as the plus sign that forms write for it.
const BLANK: (u8, u8) = (b' ', b'+');

pub(super) struct Set {
    automaton: AhoCorasick,
    /// What is asked first, where it says anything.
    grams: Option<Grams>,
    /// The same texts, sorted.
    texts: Vec<Vec<u8>>,
    longest: usize,
    shortest: usize,
    /// Whether one of them had a blank.
    blanks: bool,
}

impl Set {
    /// `None` if there are no texts, or too many to be held.
    pub fn of(mut texts: Vec<Vec<u8>>) -> Option<Self> {
        let blanks = texts.iter().flatten().any(|byte| *byte == BLANK.0);
        texts.iter_mut().for_each(|text| blanks_out(text));
        texts.sort_unstable();
        texts.dedup();
        let longest = texts.iter().map(Vec::len).max()?;
        let shortest = texts.iter().map(Vec::len).min()?;
        // Small enough that a token of many kilobytes does not take megabytes, and every match is found, also inside of another.
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).kind(kind).build(&texts).ok()?;
        let grams = Grams::of(&texts, shortest);
        Some(Self { automaton, grams, texts, longest, shortest, blanks })
    }

    /// Every place at which one of the texts stands, in no order. A place does not begin or end within an escape.
    pub fn found(&self, text: &[u8]) -> Vec<Range<usize>> {
        // Ids, names and most of what people say. Escapes are never shorter than what they stand for.
        if text.len() < self.shortest {
            return Vec::new();
        }
        let mut found = if self.blanks { self.places(&plus_for_blank(text)) } else { self.places(text) };
        let mut readings = unescape::readings(text);
        for read in &mut readings {
            blanks_out(&mut read.bytes);
            found.extend(self.places(&read.bytes).into_iter().map(|place| read.written(place)));
        }
        if let Some(all) = readings.first() {
            found.iter_mut().for_each(|place| *place = all.whole(place.clone()));
        }
        found
    }

    fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        if self.grams.as_ref().is_some_and(|grams| !grams.may_be_in(text)) {
            return Vec::new();
        }
        self.automaton.find_overlapping_iter(text).map(|found| found.range()).collect()
    }

    /// From where on the text may be the beginning of one that is looked for, or of an escape; its length if nowhere. What stands before
    /// that place is read the same, whatever follows.
    pub fn open_from(&self, text: &[u8]) -> usize {
        let mut open = text.len() - self.begun(&plus_for_blank(text));
        let mut readings = unescape::readings(text);
        for read in &mut readings {
            // What an escape that is not whole yet stands for may go on with what is begun before it.
            read.close();
            blanks_out(&mut read.bytes);
            let begun = read.bytes.len() - self.begun(&read.bytes);
            open = open.min(read.written(begun..begun).start).min(read.open);
        }
        readings.first().map_or(open, |all| all.whole_from(open))
    }

    /// How many bytes at the end are the beginning of one of the texts, but not the whole.
    fn begun(&self, text: &[u8]) -> usize {
        let earliest = text.len().saturating_sub(self.longest - 1);
        (earliest..text.len()).find(|at| text.get(*at..).is_some_and(|end| self.begins_one(end))).map_or(0, |at| text.len() - at)
    }

    fn begins_one(&self, end: &[u8]) -> bool {
        // Those that it begins stand together, right behind where it would stand itself.
        let behind = self.texts.partition_point(|text| text.as_slice() <= end);
        self.texts.get(behind).is_some_and(|text| text.starts_with(end))
    }
}

fn blanks_out(text: &mut [u8]) {
    text.iter_mut().filter(|byte| **byte == BLANK.0).for_each(|byte| *byte = BLANK.1);
}

fn plus_for_blank(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    blanks_out(&mut text);
    text
}
