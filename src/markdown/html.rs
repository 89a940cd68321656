//! Markdown as HTML that can be put into any page: a few elements, no attributes but those of links, lists and code, and nothing that loads by
//! itself. HTML that stands in the Markdown is shown as the text it is, and a picture is a link to it.
//!
//! Two parts, and neither trusts the other: the parser's events are rewritten, so that no HTML but its own is written, and what is written passes
//! a sanitiser with a list of its own.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt::{self, Write},
    sync::LazyLock,
};

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

use crate::domain::limits::{
    HISTORY_HTML_BYTES_MAX, MARKDOWN_HTML_BYTES_ALWAYS, MARKDOWN_HTML_BYTES_MAX, MARKDOWN_HTML_DEPTH_MAX, MARKDOWN_HTML_GROWTH_MAX,
    MARKDOWN_LINK_BYTES_MAX, MARKDOWN_TO_HTML_BYTES_MAX,
};

/// The elements there may be.
const ELEMENTS: [&str; 25] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];
/// Their attributes; `rel` is written by the sanitiser itself.
const ATTRIBUTES: [(&str, &str); 3] = [("a", "href"), ("code", "class"), ("ol", "start")];
/// Where links may lead.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];
/// What every link says of where it leads.
const LINK_REL: &str = "noopener noreferrer nofollow";
/// What the class of code in a language begins with.
const LANGUAGE: &str = "language-";
/// The name of a language, in bytes.
const LANGUAGE_BYTES_MAX: usize = 32;
/// Text without a break, in bytes. What writes HTML behind the sanitiser looks through all that is left of a text at each `&` in it, so a long one would
/// take as long as its length squared.
const UNBROKEN_BYTES_MAX: usize = 512;
/// A break that nobody sees: the sanitiser takes it out, and leaves two texts.
const BREAK: Event<'static> = Event::InlineHtml(CowStr::Borrowed("<!---->"));

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut attributes: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (element, attribute) in ATTRIBUTES {
        attributes.entry(element).or_default().insert(attribute);
    }
    let mut sanitiser = Builder::empty();
    sanitiser
        .tags(ELEMENTS.into())
        .tag_attributes(attributes)
        .generic_attributes(HashSet::new())
        .url_schemes(SCHEMES.into())
        .url_relative(UrlRelative::Deny)
        .link_rel(Some(LINK_REL))
        .clean_content_tags(["script", "style"].into())
        .attribute_filter(|element, attribute, value| {
            let kept = match (element, attribute) {
                ("code", "class") => value.strip_prefix(LANGUAGE).is_some_and(is_language),
                ("ol", "start") => value.bytes().all(|b| b.is_ascii_digit()),
                _ => true,
            };
            kept.then_some(Cow::Borrowed(value))
        });
    sanitiser
});

fn is_language(name: &str) -> bool {
    (1..=LANGUAGE_BYTES_MAX).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-#._".contains(&b))
}

/// Markdown (CommonMark with GFM's tables, strikethrough and task lists) as safe HTML. What is behind
/// [`MARKDOWN_TO_HTML_BYTES_MAX`] is shown as plain text, and so is all of it where it would become more than [`MARKDOWN_HTML_BYTES_MAX`], or
/// out of all proportion ([`MARKDOWN_HTML_GROWTH_MAX`]).
pub fn to_html(markdown: &str) -> String {
    within(markdown, MARKDOWN_HTML_BYTES_MAX)
}

/// Several texts, the newest last, each as [`to_html`] has it while all of it fits into [`HISTORY_HTML_BYTES_MAX`]; older ones are plain text.
/// Takes its time: call it off the runtime.
pub fn all_to_html<'t>(newest_last: impl DoubleEndedIterator<Item = &'t str>) -> Vec<String> {
    let mut left = HISTORY_HTML_BYTES_MAX;
    let one = |markdown| {
        let html = within(markdown, left);
        left = left.saturating_sub(html.len());
        html
    };
    let mut all: Vec<String> = newest_last.rev().map(one).collect();
    all.reverse();
    all
}

/// Safe HTML of so many bytes, or plain text.
fn within(markdown: &str, bytes: usize) -> String {
    let (text, rest) = markdown.split_at(markdown.floor_char_boundary(MARKDOWN_TO_HTML_BYTES_MAX));
    let proportionate = MARKDOWN_HTML_BYTES_ALWAYS + text.len() * MARKDOWN_HTML_GROWTH_MAX;
    let most = bytes.min(proportionate).min(MARKDOWN_HTML_BYTES_MAX);
    let written = written(rewritten(text), most).map(|html| SANITISER.clean(&html).to_string());
    let html = written.filter(|html| html.len() <= most).unwrap_or_else(|| plain(text));
    if rest.is_empty() { html } else { html + &plain(rest) }
}

/// The text as it stands there.
fn plain(text: &str) -> String {
    let mut html = String::new();
    let events = [Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)), Event::Text(cleaned(text.into())), Event::End(TagEnd::CodeBlock)];
    html::push_html(&mut html, events.into_iter());
    html
}

/// What the events become; `None` if it is too much.
fn written<'t>(events: impl Iterator<Item = Event<'t>>, most: usize) -> Option<String> {
    let mut html = Bounded { html: String::new(), most };
    html::write_html_fmt(&mut html, events).ok()?;
    Some(html.html)
}

/// Takes so much and no more: a table of a few bars can ask for very many cells.
struct Bounded {
    html: String,
    /// In bytes.
    most: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.html.len() + text.len() > self.most {
            return Err(fmt::Error);
        }
        self.html.push_str(text);
        Ok(())
    }
}

/// What became of an element that is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    Kept(TagEnd),
    /// Only what is in it is shown.
    Bare,
}

/// The parser's events, with nothing in them but what may be shown.
fn rewritten(text: &str) -> impl Iterator<Item = Event<'_>> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let (mut open, mut links, mut unbroken): (Vec<Opened>, usize, usize) = (Vec::new(), 0, 0);
    let shown = Parser::new_ext(text, options).map(move |event| match event {
        Event::Start(tag) => {
            // There are no links inside links.
            let fits = |tag: &Tag<'_>| open.len() < MARKDOWN_HTML_DEPTH_MAX && (links == 0 || tag.to_end() != TagEnd::Link);
            let tag = may_open(tag).filter(fits);
            links += usize::from(tag.as_ref().is_some_and(|tag| tag.to_end() == TagEnd::Link));
            open.push(tag.as_ref().map_or(Opened::Bare, |tag| Opened::Kept(tag.to_end())));
            tag.map_or(NOTHING, Event::Start)
        }
        Event::End(end) => match open.pop() {
            Some(Opened::Kept(kept)) => {
                links -= usize::from(kept == TagEnd::Link);
                Event::End(kept)
            }
            // Blocks too deep to be shown as such are told apart all the same.
            Some(Opened::Bare) | None if is_block(end) => Event::HardBreak,
            Some(Opened::Bare) | None => NOTHING,
        },
        Event::Text(text) => Event::Text(cleaned(text)),
        Event::Code(code) => Event::Code(cleaned(code)),
        Event::InlineHtml(html) if is_break(&html) => Event::HardBreak,
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(cleaned(html)),
        // Line ends stay: models and people mean them.
        Event::SoftBreak | Event::HardBreak => Event::HardBreak,
        Event::Rule => Event::Rule,
        Event::TaskListMarker(done) => Event::Text(if done { "☑ " } else { "☐ " }.into()),
        // None of these is asked for.
        Event::FootnoteReference(text) | Event::InlineMath(text) | Event::DisplayMath(text) => Event::Text(cleaned(text)),
    });
    shown.flat_map(move |event| {
        let (before, text, behind) = match event {
            Event::Text(text) => (NOTHING, text, NOTHING),
            Event::Code(code) if code.len() > UNBROKEN_BYTES_MAX => {
                (Event::InlineHtml(CowStr::Borrowed("<code>")), code, Event::InlineHtml(CowStr::Borrowed("</code>")))
            }
            other => return vec![other],
        };
        unbroken += text.len();
        if unbroken <= UNBROKEN_BYTES_MAX {
            return vec![before, Event::Text(text), behind];
        }
        let (mut events, mut rest) = (vec![before], &*text);
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.floor_char_boundary(UNBROKEN_BYTES_MAX));
            events.extend([BREAK, Event::Text(piece.to_owned().into())]);
            (unbroken, rest) = (piece.len(), more);
        }
        events.push(behind);
        events
    })
}

const NOTHING: Event<'static> = Event::Text(CowStr::Borrowed(""));

/// The element as it may be opened; none: only what is in it is shown.
fn may_open(tag: Tag<'_>) -> Option<Tag<'_>> {
    match tag {
        Tag::Paragraph | Tag::List(_) | Tag::Item | Tag::TableHead | Tag::TableRow | Tag::TableCell => Some(tag),
        Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::CodeBlock(_) => Some(tag),
        // How a column is aligned would be a style.
        Tag::Table(columns) => Some(Tag::Table(columns.iter().map(|_| pulldown_cmark::Alignment::None).collect())),
        Tag::Heading { level, .. } => Some(Tag::Heading { level, id: None, classes: Vec::new(), attrs: Vec::new() }),
        Tag::BlockQuote(_) => Some(Tag::BlockQuote(None)),
        Tag::HtmlBlock => Some(Tag::Paragraph),
        // A picture would be loaded as soon as the page is there, and tell whoever keeps it what its address says.
        Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } if dest_url.len() > MARKDOWN_LINK_BYTES_MAX => None,
        Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. } => {
            let link_type = if link_type == LinkType::Email { link_type } else { LinkType::Inline };
            Some(Tag::Link { link_type, dest_url, title: CowStr::Borrowed(""), id: CowStr::Borrowed("") })
        }
        Tag::FootnoteDefinition(_)
        | Tag::DefinitionList
        | Tag::DefinitionListTitle
        | Tag::DefinitionListDefinition
        | Tag::Superscript
        | Tag::Subscript
        | Tag::MetadataBlock(_) => None,
    }
}

fn is_block(end: TagEnd) -> bool {
    matches!(end, TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead | TagEnd::CodeBlock)
}

/// `<br>` alone, which models write in cells of tables.
fn is_break(html: &str) -> bool {
    let name = html.strip_prefix('<').and_then(|html| html.strip_suffix('>')).unwrap_or_default();
    name.trim_end_matches('/').trim_end().eq_ignore_ascii_case("br")
}

/// Control characters and those that turn the direction of text around (Unicode 16, 23.2) are made visible: they could make an address or a number
/// read as another.
fn cleaned(text: CowStr<'_>) -> CowStr<'_> {
    let hides = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    if text.contains(hides) { text.replace(hides, "\u{FFFD}").into() } else { text }
}

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
