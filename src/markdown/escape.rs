//! Foreign text as Markdown that shows it and nothing else.

use serde_json::Value;

use crate::domain::limits::MARKDOWN_CELL_CHARS_MAX;

/// Text for one line or one cell: no markup, HTML, image or link comes of it, line ends become spaces, control and
/// direction-changing characters are dropped, and it ends with `…` where it was cut.
pub fn inline(text: &str) -> String {
    inline_within(text, MARKDOWN_CELL_CHARS_MAX)
}

/// As [`inline`], of so many characters.
pub(super) fn inline_within(text: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut chars = text.trim().chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).filter(|c| is_shown(*c)).peekable();
    let mut shown = 0;
    while let Some(c) = chars.next() {
        if shown == chars_max {
            out.push('…');
            break;
        }
        shown += 1;
        let after = chars.peek().copied().unwrap_or(' ');
        match c {
            ' ' if before == ' ' => continue,
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '\\' | '`' | '*' | '[' | ']' | '~' => out.extend(['\\', c]),
            // Inside a word an underscore is only itself (CommonMark 0.31, 6.2), and names such as created_at stay readable.
            '_' if !(before.is_alphanumeric() && after.is_alphanumeric()) => out.push_str("\\_"),
            // GFM makes links of bare addresses (GFM 0.29, 6.9); not if these two are escaped.
            '/' if before == ':' && after == '/' => out.push_str("\\/"),
            '.' if out.to_ascii_lowercase().ends_with("www") => out.push_str("\\."),
            // Only at the start of a line would these begin a heading, a list or a rule.
            '#' | '-' | '+' | '=' if out.is_empty() => out.extend(['\\', c]),
            '.' | ')' if out.len() < 10 && !out.is_empty() && after == ' ' && out.chars().all(|c| c.is_ascii_digit()) => {
                out.extend(['\\', c]);
            }
            _ => out.push(c),
        }
        before = c;
    }
    out.truncate(out.trim_end().len());
    out
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
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_stays_readable() {
        for text in ["Ann Lee", "ann@example.com", "created_at", "27-inch, 3.5 kg", "2026-03-01T09:30:00.000Z", "红楼梦 (上)", "50% #1!"]
        {
            assert_eq!(inline(text), text);
        }
    }

    #[test]
    fn markup_is_shown_as_text() {
        for (text, expected) in [
            ("# title", "\\# title"),
            ("- item", "\\- item"),
            ("1. item", "1\\. item"),
            ("_em_", "\\_em\\_"),
            ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
            ("![x](http://a/b)", "!\\[x\\](http:\\//a/b)"),
            ("www.evil.example", "www\\.evil.example"),
            ("a\\|b", "a\\\\\\|b"),
            ("  a\n\n b  ", "a b"),
        ] {
            assert_eq!(inline(text), expected);
        }
    }

    #[test]
    fn a_text_cannot_close_its_fence() {
        let block = fenced("a\n````\n<script>\n```\nb");
        assert!(block.starts_with("`````text\n") && block.ends_with("\n`````"), "{block}");
    }
}
