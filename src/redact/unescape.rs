//! A text read as JSON and URLs write it: `\/`, `\u002b` and `%2B` as what they stand for (RFC 8259, 7; RFC 3986, 2.1).

use std::ops::Range;

/// A text with its escapes read.
pub(super) struct Unescaped {
    pub bytes: Vec<u8>,
    /// For each byte where it begins in what was written; bytes of one escape begin together. Texts of four gigabytes are not read.
    begins: Vec<u32>,
    /// How long the text is that was read.
    length: usize,
    /// Where an escape begins that the end of the text cuts off; the length of the text if none does.
    pub open: usize,
}

/// What stands at a place.
enum Read {
    /// A byte that is written in so many.
    Byte(u8, usize),
    /// A character that is written in so many bytes.
    Character(char, usize),
    /// No escape.
    Plain,
    /// It may become an escape.
    Open,
}

/// The text as it may be read otherwise than it is written: the first time with all escapes, and if there are two kinds of them, with those of
/// JSON alone and those of URLs alone, for what looks like the other kind may be meant as it is. No escape overlaps another, so what is whole
/// for the first is whole for all.
pub(super) fn readings(text: &[u8]) -> Vec<Unescaped> {
    match (has(text, b'\\'), has(text, b'%')) {
        (false, false) => Vec::new(),
        (true, true) => [b"\\%".as_slice(), b"\\", b"%"].map(|begins| read(text, begins)).into(),
        _ => vec![read(text, b"\\%")],
    }
}

fn has(text: &[u8], wanted: u8) -> bool {
    // By the block, without a way out in the middle: so it takes a fraction of the time.
    text.chunks(64).any(|block| block.iter().fold(false, |any, byte| any | (*byte == wanted)))
}

/// Reads escapes that begin with one of these.
fn read(text: &[u8], begins: &[u8]) -> Unescaped {
    let mut read =
        Unescaped { bytes: Vec::with_capacity(text.len()), begins: Vec::with_capacity(text.len()), length: text.len(), open: text.len() };
    let mut at = 0;
    while let Some((&plain, _)) = text.get(at..).and_then(<[u8]>::split_first) {
        let what = if begins.contains(&plain) { escape(text.get(at..).unwrap_or_default()) } else { Read::Plain };
        at += match what {
            Read::Byte(byte, length) => read.push(&[byte], at, length),
            Read::Character(c, length) => read.push(c.encode_utf8(&mut [0; 4]).as_bytes(), at, length),
            Read::Plain => read.push(&[plain], at, 1),
            Read::Open => {
                read.open = read.open.min(at);
                read.push(&[plain], at, 1)
            }
        };
    }
    read
}

impl Unescaped {
    fn push(&mut self, meant: &[u8], at: usize, length: usize) -> usize {
        self.bytes.extend_from_slice(meant);
        self.begins.extend(meant.iter().map(|_| u32::try_from(at).unwrap_or(u32::MAX)));
        length
    }

    /// Leaves out the escape that is cut off.
    pub fn close(&mut self) {
        let whole = self.begins.partition_point(|begin| (*begin as usize) < self.open);
        self.bytes.truncate(whole);
    }

    fn begin(&self, byte: usize) -> usize {
        self.begins.get(byte).map_or(self.length, |begin| *begin as usize)
    }

    /// Where the byte ends in what was written.
    fn end(&self, byte: usize) -> usize {
        let own = self.begins.get(byte);
        let behind = self.begins.iter().skip(byte).find(|begin| Some(*begin) != own);
        behind.map_or(self.length, |begin| *begin as usize)
    }

    /// Where some of the bytes stand in what was written.
    pub fn written(&self, bytes: Range<usize>) -> Range<usize> {
        self.begin(bytes.start)..bytes.end.checked_sub(1).map_or(0, |last| self.end(last))
    }

    /// Where the byte or the escape begins that this place of what was written belongs to.
    pub fn whole_from(&self, written: usize) -> usize {
        if written >= self.length {
            return self.length;
        }
        let behind = self.begins.partition_point(|begin| *begin as usize <= written);
        behind.checked_sub(1).map_or(0, |byte| self.begin(byte))
    }

    /// A part of what was written, and the rest of the escapes that it cuts.
    pub fn whole(&self, written: Range<usize>) -> Range<usize> {
        let end = match self.whole_from(written.end) {
            begin if begin < written.end => self.end(self.begins.partition_point(|other| (*other as usize) < begin)),
            end => end,
        };
        self.whole_from(written.start)..end
    }
}

fn escape(text: &[u8]) -> Read {
    match text {
        [b'%', high, low, ..] => match hex(&[*high, *low]).and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => Read::Byte(byte, 3),
            None => Read::Plain,
        },
        [b'%', rest @ ..] if rest.iter().all(u8::is_ascii_hexdigit) => Read::Open,
        [b'\\', b'u', rest @ ..] => of_a_character(rest),
        [b'\\', letter, ..] => match letter {
            b'/' | b'"' | b'\\' => Read::Byte(*letter, 2),
            b'n' => Read::Byte(b'\n', 2),
            b'r' => Read::Byte(b'\r', 2),
            b't' => Read::Byte(b'\t', 2),
            _ => Read::Plain,
        },
        [b'\\'] => Read::Open,
        _ => Read::Plain,
    }
}

/// What stands behind `\u`: four digits, or those of a pair of surrogates with another `\u` between them.
fn of_a_character(text: &[u8]) -> Read {
    let character = |code: u32, length| char::from_u32(code).map_or(Read::Plain, |c| Read::Character(c, length));
    let Some((digits, rest)) = text.split_at_checked(4) else {
        return if text.iter().all(u8::is_ascii_hexdigit) { Read::Open } else { Read::Plain };
    };
    let Some(code) = hex(digits) else { return Read::Plain };
    if !(0xd800..0xdc00).contains(&code) {
        return character(code, 6);
    }
    match rest {
        [b'\\', b'u', a, b, c, d, ..] => match hex(&[*a, *b, *c, *d]).filter(|low| (0xdc00..0xe000).contains(low)) {
            Some(low) => character(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), 12),
            None => Read::Plain,
        },
        [] | [b'\\'] => Read::Open,
        [b'\\', b'u', rest @ ..] if rest.iter().all(u8::is_ascii_hexdigit) => Read::Open,
        _ => Read::Plain,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_and_what_only_looks_like_one_is_left() {
        for (written, meant) in [
            (r"a\/b\u002b%2B%2b\n", "a/b+++\n"),
            (r"\ud83d\ude00\u00e9", "😀é"),
            (r"\x %zz \u00g0 \ud83d\u0041 %", r"\x %zz \u00g0 \ud83dA %"),
            (r"\\u0041", r"\u0041"),
        ] {
            let read = read(written.as_bytes(), b"\\%");
            assert_eq!(String::from_utf8(read.bytes).unwrap(), meant, "{written}");
        }
    }

    #[test]
    fn an_escape_that_is_cut_off_is_open() {
        for (text, open) in
            [("ab%", 2), ("ab%2", 2), (r"a\", 1), (r"a\u00", 1), (r"\ud83d\ude", 0), ("ab%2F", 5), (r"a\\", 3), ("a%z", 3), (r"\ud83d", 0)]
        {
            assert_eq!(read(text.as_bytes(), b"\\%").open, open, "{text}");
        }
    }

    #[test]
    fn what_was_read_is_found_again_where_it_was_written() {
        let read = read("a%2Fb\\u00e9c".as_bytes(), b"\\%");
        assert_eq!((read.written(0..1), read.written(1..3), read.written(3..5), read.written(5..6)), (0..1, 1..5, 5..11, 11..12));
        assert_eq!(
            (read.whole(2..3), read.whole(0..2), read.whole(4..6), read.whole(11..12), read.whole(0..1)),
            (1..4, 0..4, 4..11, 11..12, 0..1)
        );
    }
}
