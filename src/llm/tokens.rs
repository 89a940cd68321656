//! How many tokens a text is for a model, by a rule that needs no vocabulary.
//!
//! Seven ASCII characters are two tokens (3.5 bytes each, what English, JSON and code come to), any other character is one (what Chinese
//! comes to at most), one beyond the Basic Multilingual Plane (most emoji, rare ideographs) two. What goes over the wire is counted, names
//! of fields and escapes included, so a prompt counts for rather more than it is.

use std::{borrow::Cow, io};

/// A token is so many parts, so that the rule needs no fractions.
const PARTS: u64 = 7;

/// The parts that one byte of UTF-8 adds: a character counts where it begins.
fn parts_of(byte: u8) -> u64 {
    match byte {
        0x00..=0x7F => 2,
        0x80..=0xBF => 0,
        0xC0..=0xEF => PARTS,
        0xF0..=0xFF => 2 * PARTS,
    }
}

/// The tokens of a text.
pub fn of(text: &[u8]) -> u64 {
    text.iter().map(|byte| parts_of(*byte)).sum::<u64>().div_ceil(PARTS)
}

/// More tokens no text of so many bytes has: a character of two bytes is one token, and so are two of the bytes of any longer one at most.
pub(super) fn of_bytes_at_most(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(2)
}

/// The tokens of so many ASCII characters.
pub(super) fn of_ascii(bytes: usize) -> u64 {
    (bytes as u64).saturating_mul(parts_of(b' ')).div_ceil(PARTS)
}

/// Counts what is written into it and keeps nothing.
#[derive(Debug, Default)]
pub(super) struct Counter(u64);

impl Counter {
    pub fn tokens(&self) -> u64 {
        self.0.div_ceil(PARTS)
    }
}

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.iter().map(|byte| parts_of(*byte)).sum::<u64>();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The parts of a character as it stands in a JSON string.
fn parts_in_json(c: char) -> u64 {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{C}' => 4,
        c if c < ' ' => 12,
        c => {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().map(parts_of).sum()
        }
    }
}

/// The tokens of a text as it stands in a JSON string.
pub fn in_json(text: &str) -> u64 {
    text.chars().map(parts_in_json).sum::<u64>().div_ceil(PARTS)
}

/// Room for the mark that stands where a text was cut.
const MARK_TOKENS: u64 = 16;

/// The text, of at most so many tokens in a JSON string: the end of a longer one is left out, with a mark that says how much.
pub fn cut(text: &str, tokens_max: u64) -> Cow<'_, str> {
    if in_json(text) <= tokens_max {
        return Cow::Borrowed(text);
    }
    let mut room = tokens_max.saturating_sub(MARK_TOKENS) * PARTS;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        match room.checked_sub(parts_in_json(c)) {
            Some(left) => room = left,
            None => break,
        }
        end = at + c.len_utf8();
    }
    let kept = text.get(..end).unwrap_or_default();
    Cow::Owned(format!("{kept}… [cut: {end} of {} bytes]", text.len()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rule_is_this() {
        for (text, tokens) in [("", 0), ("a", 1), ("abcdefg", 2), ("abcdefgh", 3), ("你好", 2), ("é", 1), ("😀", 2), ("查询 users", 4)]
        {
            assert_eq!(of(text.as_bytes()), tokens, "{text}");
        }
    }

    #[test]
    fn a_text_that_fits_is_not_cut() {
        assert_eq!(cut("abcdefg", 2), "abcdefg");
        assert_eq!(cut(&"abcdefg".repeat(100), 20), "abcdefgabcdefg… [cut: 14 of 700 bytes]");
        assert_eq!(cut(&"长".repeat(100), 20), "长长长长… [cut: 12 of 300 bytes]");
    }

    proptest! {
        #[test]
        fn what_is_cut_fits_and_what_is_counted_is_what_is_written(text in "\\PC{0,200}|[a\"\\\\\n\u{1}]{0,200}", room in 16_u64..60) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(in_json(&text), of(&json.as_bytes()[1..json.len() - 1]));
            let mut counter = Counter::default();
            counter.write_all(text.as_bytes()).unwrap();
            prop_assert_eq!(counter.tokens(), of(text.as_bytes()));
            prop_assert!(of(text.as_bytes()) <= of_bytes_at_most(text.len()));
            prop_assert!(in_json(&cut(&text, room)) <= room);
        }
    }
}
