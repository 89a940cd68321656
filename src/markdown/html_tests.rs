//! What HTML becomes of Markdown, as a parser of HTML understands it.

use html5ever::{ParseOpts, parse_fragment, tendril::TendrilSink};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;

use super::*;

/// What is not on the list in a piece of HTML, however it hides.
fn foreign(html: &str) -> Vec<String> {
    let context = html5ever::QualName::new(None, html5ever::ns!(html), html5ever::local_name!("body"));
    let dom = parse_fragment(RcDom::default(), ParseOpts::default(), context, Vec::new(), false).one(html);
    let (mut found, mut nodes) = (Vec::new(), dom.document.children.borrow().clone());
    while let Some(node) = nodes.pop() {
        foreign_of(&node, &mut found);
        nodes.extend(node.children.borrow().iter().cloned());
    }
    found
}

fn foreign_of(node: &Handle, found: &mut Vec<String>) {
    match &node.data {
        NodeData::Element { name, attrs, .. } => {
            let element = &*name.local;
            // A fragment is parsed into an element of its own.
            if name.ns != html5ever::ns!(html) || !ELEMENTS.contains(&element) && element != "html" {
                found.push(format!("<{element}> of {}", &*name.ns));
            }
            for attribute in attrs.borrow().iter() {
                let (name, value) = (&*attribute.name.local, &*attribute.value);
                let allowed = match (element, name) {
                    ("a", "rel") => value == LINK_REL,
                    ("a", "href") => url::Url::parse(value).is_ok_and(|url| SCHEMES.contains(&url.scheme())),
                    ("code", "class") => value.strip_prefix(LANGUAGE).is_some_and(is_language),
                    ("ol", "start") => value.parse::<u64>().is_ok(),
                    _ => false,
                };
                if !allowed {
                    found.push(format!("<{element} {name}={value:?}>"));
                }
            }
        }
        NodeData::Text { contents } => {
            let text = contents.borrow();
            let hides = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t') || matches!(c, '\u{202A}'..='\u{202E}'));
            found.extend(hides.map(|c| format!("{c:?} in {text:?}")));
        }
        NodeData::Document => {}
        NodeData::Doctype { .. } | NodeData::Comment { .. } | NodeData::ProcessingInstruction { .. } => {
            found.push(format!("{:?}", node.data));
        }
    }
}

/// The corpora of the console, as they are.
fn corpus(json: &str) -> Vec<serde_json::Value> {
    serde_json::from_str(json).unwrap()
}

/// `BULK x 9000` is `x` so many times.
fn payloads() -> Vec<String> {
    let payloads = corpus(include_str!("../../tests/console/payloads.json"));
    let grown = |payload: &str| {
        let bulk = payload.strip_prefix("BULK ").and_then(|bulk| bulk.rsplit_once(' '));
        bulk.and_then(|(text, times)| Some(text.repeat(times.parse().ok()?))).unwrap_or_else(|| payload.to_owned())
    };
    payloads.iter().map(|payload| grown(payload.as_str().unwrap())).collect()
}

#[test]
fn markdown_becomes_the_elements_that_it_means() {
    for (markdown, html) in [
        ("plain & <b>text</b>", "<p>plain &amp; &lt;b&gt;text&lt;/b&gt;</p>\n"),
        ("a **bold** *em* ~~old~~ `code`", "<p>a <strong>bold</strong> <em>em</em> <del>old</del> <code>code</code></p>\n"),
        ("one\ntwo<br>three", "<p>one<br>\ntwo<br>\nthree</p>\n"),
        ("# One\n\n---", "<h1>One</h1>\n<hr>\n"),
        ("3. a\n4. b\n   - c", "<ol start=\"3\">\n<li>a</li>\n<li>b\n<ul>\n<li>c</li>\n</ul>\n</li>\n</ol>\n"),
        ("- [ ] to do\n- [x] done", "<ul>\n<li>☐ to do</li>\n<li>☑ done</li>\n</ul>\n"),
        ("```json\n{\"a\": \"<b>\"}\n```", "<pre><code class=\"language-json\">{\"a\": \"&lt;b&gt;\"}\n</code></pre>\n"),
        ("```\" onload=\"x\ny\n```", "<pre><code>y\n</code></pre>\n"),
        (
            "| a | b |\n| :-: | --: |\n| 1 \\| 2 | **x** |",
            "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>\n<tr><td>1 | 2</td><td><strong>x</strong></td></tr>\n</tbody></table>\n",
        ),
        ("", ""),
    ] {
        assert_eq!(to_html(markdown), html, "{markdown}");
    }
}

#[test]
fn a_link_says_where_it_leads_and_a_picture_is_a_link() {
    let link = |to: &str, text: &str| format!("<p><a href=\"{to}\" rel=\"{LINK_REL}\">{text}</a></p>\n");
    for (markdown, html) in [
        ("[docs](https://example.com/a?b=1&c=2 \"title\")", link("https://example.com/a?b=1&amp;c=2", "docs")),
        ("<ann@example.com>", link("mailto:ann@example.com", "ann@example.com")),
        ("![a *cat*](http://example.com/cat.png)", link("http://example.com/cat.png", "a <em>cat</em>")),
        ("[![alt](http://a/pic)](http://b/)", link("http://b/", "alt")),
    ] {
        assert_eq!(to_html(markdown), html, "{markdown}");
    }
    for elsewhere in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//example.com/",
        "/api/history",
        "#top",
        "file:///etc/passwd",
    ] {
        for markdown in [format!("[x]({elsewhere})"), format!("![x]({elsewhere})"), format!("[x][r]\n\n[r]: {elsewhere}")] {
            assert!(!to_html(&markdown).contains("href"), "{markdown}: {}", to_html(&markdown));
        }
    }
}

#[test]
fn hostile_markdown_has_nothing_in_it_that_is_not_on_the_list() {
    let cases = corpus(include_str!("../../tests/console/markdown_cases.json"));
    let texts = payloads().into_iter().chain(cases.iter().map(|case| case[0].as_str().unwrap().to_owned()));
    let mut looked_at = 0;
    for text in texts {
        let html = to_html(&text);
        assert_eq!(foreign(&html), [""; 0], "{}", text.chars().take(200).collect::<String>());
        looked_at += 1;
    }
    assert!(looked_at > 50, "{looked_at}");
}

#[test]
fn whatever_is_foreign_is_noticed() {
    for html in [
        "<img src=x>",
        "<p onclick=x>",
        "<a href=javascript:x>",
        "<a href=/x>",
        "<svg></svg>",
        "<code class=x>",
        "<!-- x -->",
        "a\u{202E}b",
    ] {
        assert!(!foreign(html).is_empty(), "{html}");
    }
}

#[test]
fn what_is_too_long_too_deep_or_would_become_too_much_is_bounded_and_still_shown() {
    let long = format!("{}**the end**", "word ".repeat(MARKDOWN_TO_HTML_BYTES_MAX / 5));
    let html = to_html(&long);
    assert!(html.ends_with("<pre><code>**the end**</code></pre>\n"));

    let deep = format!("{}bottom", "> ".repeat(500));
    let html = to_html(&deep);
    assert_eq!(html.matches("<blockquote>").count(), MARKDOWN_HTML_DEPTH_MAX);
    assert!(html.contains("bottom"), "{html}");

    let links = "<a@b>".repeat(MARKDOWN_TO_HTML_BYTES_MAX / 5);
    let html = to_html(&links);
    assert!(html.starts_with("<pre><code>&lt;a@b&gt;&lt;a") && html.len() <= MARKDOWN_HTML_BYTES_MAX, "{}", html.len());

    // A row of one bar asks for as many cells as the first one has.
    let wide = format!("{}\n{}\n{}", "|a".repeat(10_000), "|-".repeat(10_000), "|b\n".repeat(20_000));
    assert!(to_html(&wide).len() <= MARKDOWN_HTML_BYTES_MAX);

    let long = |length: usize| format!("[x](http://example.com/{})", "&".repeat(length));
    assert!(to_html(&long(100)).contains("href") && !to_html(&long(MARKDOWN_LINK_BYTES_MAX)).contains("href"));
}

#[test]
fn a_long_text_is_one_text_to_whoever_reads_it() {
    let code = format!("`{}`", "a&b ".repeat(1000));
    assert_eq!(to_html(&code), format!("<p><code>{}</code></p>\n", "a&amp;b ".repeat(1000)));
    assert_eq!(to_html(&"查&é".repeat(1000)), format!("<p>{}</p>\n", "查&amp;é".repeat(1000)));
}

#[test]
fn what_grows_out_of_all_proportion_is_shown_as_it_is() {
    // Two kilobytes that ask for a hundred thousand cells.
    let table = format!("{}\n{}\n{}", "|a".repeat(240), "|-".repeat(240), "a\n".repeat(480));
    let html = to_html(&table);
    assert!(html.starts_with("<pre>") && html.len() < 2 * table.len(), "{} bytes of {}", html.len(), table.len());
    // What people write is none of that.
    let table = format!("| Name | City |\n|---|---|\n{}", "| A | B |\n".repeat(2000));
    assert!(to_html(&table).starts_with("<table>"));
}

#[test]
fn of_many_texts_the_newest_become_html_as_long_as_it_fits() {
    let table = format!("|a|b|c|\n|-|-|-|\n{}", "|1|2|3|\n".repeat(10_000));
    let all = all_to_html(std::iter::repeat_n(table.as_str(), 12));
    let plain = all.iter().take_while(|html| html.starts_with("<pre>")).count();
    assert!((1..12).contains(&plain), "{plain} of 12 are plain");
    assert!(all[plain..].iter().all(|html| html.starts_with("<table>")), "the newest are not");
    assert!(all[plain..].iter().map(String::len).sum::<usize>() <= HISTORY_HTML_BYTES_MAX);
}

/// How long this thread has been on a processor: what else the machine does is none of it.
#[cfg(target_os = "linux")]
fn spent() -> std::time::Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    std::time::Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

/// Of such texts that would take longest if something were looked for again and again.
#[cfg(target_os = "linux")]
#[test]
fn ten_times_as_much_takes_nowhere_near_a_hundred_times_as_long() {
    let took = |text: &str| {
        let before = spent();
        std::hint::black_box(to_html(text));
        (spent() - before).as_secs_f64()
    };
    for piece in [
        "*a ",
        "**a_b ",
        "&a ",
        "é",
        "`&`",
        "`",
        "a`b``",
        "[",
        "![",
        "](",
        "<",
        "&",
        "> - ",
        "~~",
        "|",
        "\\",
        "[a]: b\n",
        "[a](<b",
        "*_**__",
        "<!--",
        "<?",
        "<a href=\"",
        "1. ",
        "```\n",
        "a\n-\n",
        "[a]\n\n[a]: <b> 'c'\n",
    ] {
        let (short, long) = (took(&piece.repeat(5_000 / piece.len())), took(&piece.repeat(50_000 / piece.len())));
        assert!(long < 50.0 * short.max(0.005), "of {piece:?} ten times as much takes {long} s instead of {short} s");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_goes_in_only_what_is_on_the_list_comes_out(pieces in prop::collection::vec(prop_oneof![
        prop::sample::select(vec![
            "*", "**", "_", "~~", "`", "```", "[", "]", "(", ")", "![", "](", "<", ">", "\"", "'", "=", "&", "#", "|", "-", "\n", "\n\n", "\\", ":", "//",
            "<img src=x onerror=alert(1)>", "<script>", "</script>", "<svg onload=x>", "<a href=", "javascript:", "data:text/html,", "http://e.x/", "<!--", "-->",
            "&#106;avascript:", "&lt;", "&#x202e;", "<br>", "> ", "- ", "1. ", "| a | b |\n| - | - |\n", "[r]: javascript:x\n", "[r]", "style=", " ", "\t", "\u{0}",
        ]).prop_map(str::to_owned),
        "[ -~\\n]{0,12}",
        any::<String>(),
    ], 0..40)) {
        let html = to_html(&pieces.concat());
        prop_assert_eq!(foreign(&html), Vec::<String>::new(), "{}", html);
    }
}
