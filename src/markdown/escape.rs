//! Foreign text as Markdown that shows it and nothing else.

use serde_json::Value;

use crate::domain::limits::MARKDOWN_CELL_CHARS_MAX;

/// The scheme of an address, in characters.
const SCHEME_CHARS_MAX: usize = 32;
/// Words of a description that stay in code, in characters.
const CODE_CHARS_MAX: usize = 64;

/// Where a text stands, and what may stay of what it says in Markdown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It may be the first thing of a line.
    Line,
    /// Something stands before it on its line.
    Amid,
    /// As `Amid`, and words that it has in code stay in code.
    Described,
}

/// Text that may begin a line: no markup, HTML, image or link comes of it, line ends become spaces, control and direction-changing
/// characters are dropped, and it ends with `…` where it was cut. An address is put in code, in which it is none to follow.
pub fn inline(text: &str) -> String {
    escaped(text, MARKDOWN_CELL_CHARS_MAX, Place::Line)
}

/// As [`inline`], of text in a cell or behind other text on its line: what makes a heading or a list of a line makes nothing there, and stays as it
/// is.
pub fn amid(text: &str) -> String {
    amid_within(text, MARKDOWN_CELL_CHARS_MAX)
}

/// As [`amid`], of so many characters.
pub(super) fn amid_within(text: &str, chars_max: usize) -> String {
    escaped(text, chars_max, Place::Amid)
}

/// As [`amid`], of a description in the operator's document: it is Markdown (OpenAPI 3.1, 3.5), and its words in code stay so.
pub fn described(text: &str) -> String {
    escaped(text, MARKDOWN_CELL_CHARS_MAX, Place::Described)
}

/// Text as code in a line, not in a cell, in which a bar would end it.
pub(super) fn code(text: &str) -> String {
    let (clean, cut) = shown(text, MARKDOWN_CELL_CHARS_MAX);
    let text: String = clean.into_iter().chain(cut.then_some('…')).collect();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    let room = if longest > 0 || text.is_empty() { " " } else { "" };
    format!("{ticks}{room}{text}{room}{ticks}")
}

/// What is shown of a text on one line, and whether it was cut.
fn shown(text: &str, chars_max: usize) -> (Vec<char>, bool) {
    let mut before = ' ';
    let line = text.trim().chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).filter(|c| is_shown(*c));
    let single = line.filter(|c| {
        let doubled = *c == ' ' && before == ' ';
        before = *c;
        !doubled
    });
    let mut chars: Vec<char> = single.take(chars_max + 1).collect();
    let cut = chars.len() > chars_max;
    chars.truncate(chars_max);
    while !cut && chars.last().is_some_and(|c| c.is_whitespace()) {
        chars.pop();
    }
    (chars, cut)
}

fn escaped(text: &str, chars_max: usize, place: Place) -> String {
    let (chars, cut) = shown(text, chars_max);
    let mut out = String::with_capacity(text.len().min(4 * chars_max) + 8);
    let (mut before, mut at) = (' ', 0);
    while let Some((&c, behind)) = chars.get(at..).and_then(<[char]>::split_first) {
        let rest = chars.get(at..).unwrap_or_default();
        let in_code = match place {
            Place::Described => words_in_code(rest, before).or_else(|| address(rest, before).map(|length| (0, length))),
            Place::Line | Place::Amid => address(rest, before).map(|length| (0, length)),
        };
        if let Some((ticks, length)) = in_code {
            out.push('`');
            out.extend(rest.get(ticks..ticks + length).unwrap_or_default());
            out.push('`');
            (before, at) = ('`', at + length + 2 * ticks);
            continue;
        }
        let after = behind.first().copied().unwrap_or(' ');
        let begins = place == Place::Line && out.is_empty();
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '\\' | '`' | '*' | '[' | ']' | '~' => out.extend(['\\', c]),
            // Inside a word an underscore is only itself (CommonMark 0.31, 6.2), and names such as created_at stay readable. What else than ASCII
            // makes a word, renderers do not agree on.
            '_' if !(before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric()) => out.push_str("\\_"),
            // GFM makes links of bare addresses (GFM 0.29, 6.9); not if these two are escaped.
            '/' if before == ':' && after == '/' => out.push_str("\\/"),
            '.' if is_www(chars.get(at.saturating_sub(3)..at).unwrap_or_default()) => out.push_str("\\."),
            // Only at the start of a line would these begin a heading, a list or a rule: the signs only with room or themselves behind them.
            '#' | '=' if begins => out.extend(['\\', c]),
            '-' | '+' if begins && (after == ' ' || after == c) => out.extend(['\\', c]),
            '.' | ')' if place == Place::Line && after == ' ' && is_number(&out) => out.extend(['\\', c]),
            _ => out.push(c),
        }
        (before, at) = (c, at + 1);
    }
    if cut {
        out.push('…');
    }
    out
}

/// What may number an item of a list.
fn is_number(text: &str) -> bool {
    (1..10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_www(chars: &[char]) -> bool {
    chars.len() == 3 && chars.iter().all(|c| c.eq_ignore_ascii_case(&'w'))
}

/// How many of these characters are an address that others might make a link of, and that can stand in code of one tick, in a cell too.
fn address(rest: &[char], before: char) -> Option<usize> {
    if before == '`' || before.is_ascii_alphanumeric() || !rest.first()?.is_ascii_alphabetic() {
        return None;
    }
    let scheme = rest.iter().take(SCHEME_CHARS_MAX).take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')).count();
    let start = match rest.get(scheme..)? {
        [':', '/', '/', ..] => scheme + 3,
        _ if is_www(rest.get(..3)?) && rest.get(3) == Some(&'.') => 4,
        _ => return None,
    };
    let belongs = |c: &&char| c.is_alphanumeric() || "-._~:/?#@!$&'()*+,;=%".contains(**c);
    let all = start + rest.get(start..)?.iter().take_while(belongs).count();
    // What ends a sentence, or closes what was opened before the address, is no part of it (as in GFM 0.29, 6.9).
    let mut length = all;
    while let Some(([.., last], count)) = rest.get(..length).map(|told| (told, |sign| told.iter().filter(|c| **c == sign).count())) {
        match last {
            ')' if count(')') > count('(') => length -= 1,
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' => length -= 1,
            _ => break,
        }
    }
    (length > start && rest.get(length) != Some(&'`')).then_some(length)
}

/// Words between two ticks, of characters that mean nothing anywhere: the tick, and how many characters.
fn words_in_code(rest: &[char], before: char) -> Option<(usize, usize)> {
    let ('`', behind) = rest.split_first()? else { return None };
    let length = behind.iter().take(CODE_CHARS_MAX + 1).position(|c| *c == '`')?;
    let (words, rest) = behind.split_at_checked(length)?;
    let is_plain = words.iter().all(|c| c.is_alphanumeric() || "_-.:/ ".contains(*c)) && words.iter().any(|c| *c != ' ');
    (before != '`' && rest.get(1) != Some(&'`') && is_plain).then_some((1, length))
}

/// A JSON value as one text, not escaped: strings as they are, `–` for null, arrays of scalars with commas, the rest as JSON.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if !items.is_empty() && items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            items.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Whole text as a code block whose fence the text cannot close.
pub(super) fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let clean: String = text.chars().filter(|c| matches!(c, '\n' | '\t') || is_shown(*c)).collect();
    format!("{fence}text\n{}\n{fence}", clean.trim_end())
}

/// The text with what [`fenced`] would leave out written as `\u{200b}`, for whoever must see all of it.
pub(super) fn visible(text: &str) -> String {
    let shown = |c: char| matches!(c, '\n' | '\t') || is_shown(c);
    text.chars().map(|c| if shown(c) { c.to_string() } else { c.escape_unicode().to_string() }).collect()
}

/// Not a control character, and none of those that hide text or turn its direction (Unicode 16, 23.2: U+200B–200F, U+202A–202E,
/// U+2060–2069, U+FEFF).
fn is_shown(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
#[path = "escape_tests.rs"]
mod tests;
