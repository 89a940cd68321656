//! What an API or a user says is shown and does nothing, wherever it stands.

use proptest::prelude::*;

use super::{super::to_html, *};

#[test]
fn ordinary_text_stays_readable() {
    for text in [
        "Ann Lee",
        "ann@example.com",
        "created_at",
        "27-inch, 3.5 kg",
        "2026-03-01T09:30:00.000Z",
        "红楼梦 (上)",
        "50% #1!",
        "+55 11 5550 1021",
        "-5",
        "+39",
        "-1.5",
    ] {
        assert_eq!(inline(text), text);
        assert_eq!(amid(text), text);
        assert_eq!(described(text), text);
    }
}

#[test]
fn markup_is_shown_as_text() {
    for (text, expected) in [
        ("# title", "\\# title"),
        ("- item", "\\- item"),
        ("-", "\\-"),
        ("---", "\\---"),
        ("+ item", "\\+ item"),
        ("===", "\\==="),
        ("1. item", "1\\. item"),
        ("2)", "2\\)"),
        ("_em_", "\\_em\\_"),
        ("Ⓐ_a_Ⓐ नि_नाम", "Ⓐ\\_a\\_Ⓐ नि\\_नाम"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("![x](http://a/b)", "!\\[x\\](`http://a/b`)"),
        ("a\\|b", "a\\\\\\|b"),
        ("  a\n\n b  ", "a b"),
        ("`admin`", "\\`admin\\`"),
    ] {
        assert_eq!(inline(text), expected);
    }
}

#[test]
fn what_begins_a_heading_or_a_list_needs_nothing_where_no_line_begins() {
    for text in ["# title", "- item", "-", "---", "+ item", "= 5", "===", "1. item", "2)"] {
        assert_eq!(amid(text), text);
    }
    assert_eq!(amid("*a* | _b_"), "\\*a\\* \\| \\_b\\_");
}

#[test]
fn an_address_is_code_and_so_no_link() {
    for (text, expected) in [
        ("https://example.com/a_b?c=*d*&e=1", "`https://example.com/a_b?c=*d*&e=1`"),
        ("see (HTTPS://a.test/x), please.", "see (`HTTPS://a.test/x`), please."),
        ("https://a.test/Foo_(bar).", "`https://a.test/Foo_(bar)`."),
        ("打开https://a.test/红，谢谢", "打开`https://a.test/红`，谢谢"),
        ("www.evil.example", "`www.evil.example`"),
        // What would end the code, or a cell, is no part of it.
        ("http://a/|b", "`http://a/`\\|b"),
        ("http://a/<b>", "`http://a/`&lt;b&gt;"),
        ("http://a/\\", "`http://a/`\\\\"),
        // Where code cannot stand it is broken.
        ("`http://a`", "\\`http:\\//a\\`"),
        ("`www.a.b", "\\`www\\.a.b"),
        ("1http://a", "1http:\\//a"),
        ("http://", "http:\\//"),
        ("awww.b", "awww\\.b"),
    ] {
        assert_eq!(inline(text), expected);
        assert_eq!(amid(text), expected);
    }
    assert_eq!(amid_within("http://abc/def", 9), "`http://ab`…");
}

#[test]
fn words_in_code_stay_so_in_a_description() {
    assert_eq!(described("One of `admin` 管理员, `member` 会员."), "One of `admin` 管理员, `member` 会员.");
    for (text, expected) in [
        ("``admin``", "\\`\\`admin\\`\\`"),
        ("`a|b`", "\\`a\\|b\\`"),
        ("`<b>`", "\\`&lt;b&gt;\\`"),
        ("`open", "\\`open"),
        ("` `", "\\` \\`"),
        ("`a`b`c`", "`a`b`c`"),
        ("`https://a.test/`", "`https://a.test/`"),
    ] {
        assert_eq!(described(text), expected);
    }
}

#[test]
fn a_text_cannot_close_its_code_or_its_fence() {
    assert_eq!(code("GET http://a/?b=*c*"), "`GET http://a/?b=*c*`");
    assert_eq!(code("a``b`\n<c>"), "``` a``b` <c> ```");
    let block = fenced("a\n````\n<script>\n```\nb");
    assert!(block.starts_with("`````text\n") && block.ends_with("\n`````"), "{block}");
}

/// The tags of HTML but those of code, and its text without white space.
fn parts(html: &str) -> (Vec<String>, String) {
    let (mut tags, mut text) = (Vec::new(), String::new());
    for piece in html.split('<') {
        let Some((tag, said)) = piece.split_once('>') else {
            text.push_str(piece);
            continue;
        };
        if !matches!(tag, "code" | "/code") {
            tags.push(tag.to_owned());
        }
        text.push_str(said);
    }
    for (entity, sign) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&nbsp;", " "), ("&amp;", "&")] {
        text = text.replace(entity, sign);
    }
    text.retain(|c| !c.is_whitespace());
    (tags, text)
}

/// What stands neither in code nor behind a backslash: GFM makes links of addresses there, which the parser here does not.
fn bare(markdown: &str) -> String {
    let (mut out, mut chars) = (String::new(), markdown.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '`' => drop(chars.find(|c| *c == '`')),
            c => out.push(c.to_ascii_lowercase()),
        }
        if matches!(c, '\\' | '`') {
            out.push(' ');
        }
    }
    out
}

fn places(text: &str) -> [(&'static str, String); 8] {
    [
        ("@", inline(text)),
        ("- @", inline(text)),
        ("# @ ·", inline(text)),
        ("a\n\n@ · b: c", inline(text)),
        ("| a | b |\n| --- | --- |\n| @ | c |", amid(text)),
        ("| @ | b |\n| --- | --- |\n| c | d |", amid(text)),
        ("⚠️ said: @", amid(text)),
        ("- **a** – @", described(text)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_said_becomes_no_markup_anywhere_and_all_of_it_is_shown(pieces in prop::collection::vec(prop_oneof![
        prop::sample::select(vec![
            "*", "**", "_", "~~", "`", "``", "[", "]", "(", ")", "![", "](", "<", ">", "\"", "=", "&", "#", "|", "-", "+", "\n", "\\", ":", "//", " ", ".",
            "1. ", "- ", "# ", "---", "http://e.x/", "https://", "www.", "WWW.e.x", "a", "é", "红", "<img src=x>", "&lt;", "&#42;", "`a`", "javascript:", "\t", "\u{202e}", "x@e.x",
        ]).prop_map(str::to_owned),
        "[ -~\\n]{0,8}",
        any::<String>(),
    ], 1..12)) {
        let said = pieces.concat();
        let (kept, cut) = shown(&said, MARKDOWN_CELL_CHARS_MAX);
        let whole: String = kept.into_iter().chain(cut.then_some('…')).filter(|c| !c.is_whitespace()).collect();
        prop_assume!(!whole.is_empty());
        for (place, told) in places(&said) {
            let html = to_html(&place.replace('@', &told));
            let (tags, text) = parts(&html);
            let (wanted, around) = parts(&to_html(&place.replace('@', "x")));
            prop_assert_eq!(&tags, &wanted, "{:?} in {:?}: {}", told, place, html);
            // Of a description the ticks around words in code are not shown.
            let read = |text: &str| if place.contains('–') { text.replace('`', "") } else { text.to_owned() };
            prop_assert_eq!(read(&text), read(&around.replacen('x', &whole, 1)), "{:?} in {:?}", told, place);
            let bare = bare(&told);
            prop_assert!(!bare.contains("://") && !bare.contains("www."), "{:?}", told);
        }
    }
}
