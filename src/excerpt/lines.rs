//! Texts as lines: what a text is cut at, and what a kept one is read in.

use crate::domain::limits::RESULT_LINE_BYTES_MAX;

/// The lines of a text, each with its line end; a very long one is several, so that each can be had whole.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        // A character has four bytes at most, so a line that is cut here is never empty.
        let end = if end > RESULT_LINE_BYTES_MAX { rest.floor_char_boundary(RESULT_LINE_BYTES_MAX) } else { end };
        let (line, after) = rest.split_at(end);
        rest = after;
        Some(line)
    })
}

/// How many bytes a text takes in a JSON string, without the quotes (RFC 8259, 7, as serde_json writes it).
pub(super) fn quoted_len(text: &str) -> usize {
    text.bytes().map(quoted_byte_len).sum()
}

/// The longest beginning of a text that takes at most so many bytes in a JSON string. A line end in its second half is where it ends.
pub(super) fn beginning(text: &str, quoted_bytes_max: usize) -> &str {
    let mut taken = 0;
    let fits = text.bytes().take_while(|byte| {
        taken += quoted_byte_len(*byte);
        taken <= quoted_bytes_max
    });
    let end = text.floor_char_boundary(fits.count());
    let head = text.get(..end).unwrap_or_default();
    match head.rfind('\n') {
        Some(at) if end < text.len() && at >= end / 2 => head.get(..=at).unwrap_or(head),
        _ => head,
    }
}

fn quoted_byte_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_its_lines() {
        let long = "字".repeat(700);
        let text = format!("one\n\ntwo\r\n{long}\nend");
        let found: Vec<&str> = lines(&text).collect();
        assert_eq!(found[..3], ["one\n", "\n", "two\r\n"]);
        assert_eq!((found[3].len(), found.len()), (999, 7));
        assert_eq!(found.concat(), text);
        assert_eq!(lines("").count(), 0);
    }

    #[test]
    fn what_a_text_takes_in_json_is_known_beforehand() {
        let text: String = ('\u{0}'..'\u{100}').chain("你😀\u{2028}".chars()).collect();
        assert_eq!(quoted_len(&text) + 2, serde_json::to_string(&text).unwrap().len());
        for room in 0..60 {
            let head = beginning("a\"b\n你\u{1}你😀😀 more than that", room);
            assert!(quoted_len(head) <= room, "{room}: {head}");
        }
        assert_eq!(beginning("line one\nline two\nline three", 20), "line one\nline two\n");
        assert_eq!(beginning("a\nand then a very long line", 20), "a\nand then a very l");
        assert_eq!(beginning("whole", 5), "whole");
    }
}
