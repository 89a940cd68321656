//! The marks that stand where something was left out. They say what it was and how it is had, and they can be read again, so that a reply
//! which is cut twice still counts from the whole.

use super::{Rest, parts::quoted};

/// The name of the member that is a mark.
const NAME: &str = "…";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Items,
    Members,
    Lines,
}

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Members => "members",
            Self::Lines => "lines",
        }
    }
}

/// A sentence about what is left out from `from` on, of `total`; `at` is the JSON pointer of what they are in.
pub(super) fn sentence(what: What, from: usize, total: usize, at: &str, rest: &Rest<'_>) -> String {
    let short = short(what, from, total);
    match rest.call(at, Some(from)) {
        Some(call) => format!("{short}; {call} reads on"),
        None => format!("{short}; ask for fewer at once"),
    }
}

/// The same without how they are had, for where there is no room.
pub(super) fn short(what: What, from: usize, total: usize) -> String {
    let last = total.saturating_sub(1);
    format!("{} {from}–{last} of {total} left out", what.word())
}

/// The total that a sentence of [`sentence`] or [`short`] tells; `None` if it is none of them.
pub(super) fn total(sentence: &str, what: What) -> Option<usize> {
    let numbers = sentence.strip_prefix(what.word())?.strip_prefix(' ')?;
    let (numbers, _) = numbers.split_once(" left out")?;
    let (range, total) = numbers.split_once(" of ")?;
    let (from, last) = range.split_once('–')?;
    let (from, last, total): (usize, usize, usize) = (from.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    (from <= last && last.checked_add(1) == Some(total)).then_some(total)
}

/// A sentence as a member of an object: `"…":"sentence"`.
pub(super) fn member(sentence: &str) -> String {
    format!("\"{NAME}\":{}", quoted(sentence))
}

/// The total that a member of an object tells, if it is a mark.
pub(super) fn total_of_member(name: &str, raw: &str, what: What) -> Option<usize> {
    (name == NAME && raw.starts_with('"')).then(|| total(&super::parts::text(raw), what)).flatten()
}

/// The total that an element of an array tells, if it is a mark.
pub(super) fn total_of_element(raw: &str, what: What) -> Option<usize> {
    let mut found = None;
    let is_mark = raw.starts_with('{') && super::parts::members(raw, |_, name, raw| found = total_of_member(name, raw, what)) == 1;
    found.filter(|_| is_mark)
}

const CHARS_OPEN: &str = "…[";
const CHARS_CLOSE: &str = " more characters";

/// What a text that was cut ends with.
pub(super) fn more_chars(count: usize, at: &str, rest: &Rest<'_>) -> String {
    match rest.call(at, None) {
        Some(call) => format!("{CHARS_OPEN}{count}{CHARS_CLOSE}; {call} reads them]"),
        None => more_chars_short(count),
    }
}

pub(super) fn more_chars_short(count: usize) -> String {
    format!("{CHARS_OPEN}{count}{CHARS_CLOSE}]")
}

/// A text without the mark of an earlier cut, and how many characters that says are missing.
pub(super) fn uncut(text: &str) -> (&str, usize) {
    let found = text.ends_with(']').then(|| text.rfind(CHARS_OPEN)).flatten().and_then(|at| {
        let (head, mark) = text.split_at(at);
        let count = mark.strip_prefix(CHARS_OPEN)?.split_once(CHARS_CLOSE)?.0.parse().ok()?;
        Some((head, count))
    });
    found.unwrap_or((text, 0))
}

const LINES_OPEN: &str = "…[";

/// The last line of a text of which lines were left out.
pub(super) fn more_lines(sentence: &str) -> String {
    format!("{LINES_OPEN}{sentence}]")
}

/// A text without the last line of an earlier cut, and the total that it tells.
pub(super) fn unlined(text: &str) -> (&str, Option<usize>) {
    let found = text.ends_with(']').then(|| text.rfind(LINES_OPEN)).flatten().and_then(|at| {
        let (head, mark) = text.split_at(at);
        Some((head, total(mark.strip_prefix(LINES_OPEN)?, What::Lines)?))
    });
    found.map_or((text, None), |(head, total)| (head, Some(total)))
}
