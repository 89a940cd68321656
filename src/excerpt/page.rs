//! Reading part of a kept reply: which value, from where, how much, and only what has certain words in it.

use super::{
    Rest, lines,
    parts::{self, Kind, quoted},
    shorten::Shortener,
};
use crate::domain::{
    limits::{NEAR_NAMES_MAX, QUOTED_VALUE_CHARS_MAX, RESULT_PATH_PARTS_MAX},
    tool::ReplyBody,
};

/// What of a reply is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A JSON pointer (RFC 6901); empty: the whole. The first slash may be missing.
    pub path: String,
    /// Elements, members or lines that are passed over; with `search`, of those that are found.
    pub offset: usize,
    /// At most so many; none: as many as there is room for.
    pub limit: Option<usize>,
    /// Only what has this text in it, whatever its case.
    pub search: Option<String>,
}

/// Part of a reply as one JSON object of about `bytes_max` bytes at most:
///
/// - an array: `{"path","total","matching"?,"offset","count","items":[…],"next_offset"?}`; after a search each item is `{"index","item"}`;
/// - an object: the same with `members` for `items`;
/// - a text: the same with `text`, counted in lines;
/// - another value: `{"path","value"}`.
///
/// `next_offset` is where to read on. An element that is too big by itself is cut, with marks that say how to read it.
///
/// # Errors
/// A sentence: there is no such place in the reply, or the reply is no text.
pub fn of(body: &ReplyBody, wanted: &Wanted, bytes_max: usize, rest: &Rest<'_>) -> Result<String, String> {
    let path = match wanted.path.as_str() {
        "" => String::new(),
        path if path.starts_with('/') => path.to_owned(),
        path => format!("/{path}"),
    };
    let page = Page { wanted, rest, path: &path, bytes_max };
    match body {
        ReplyBody::Json(json) => {
            let raw = find(json.get(), &path)?;
            match parts::kind_of(raw) {
                Kind::Array => Ok(page.of_array(raw)),
                Kind::Object => Ok(page.of_object(raw)),
                Kind::Text => Ok(page.of_text(&parts::text(raw))),
                Kind::Scalar => Ok(format!("{}\"value\":{}}}", page.head(), Shortener { rest }.value(raw, bytes_max, &path, 0))),
            }
        }
        ReplyBody::Text(text) if path.is_empty() => Ok(page.of_text(text)),
        ReplyBody::Text(_) => Err("the reply is a text, so there is no path into it; leave path out".to_owned()),
        ReplyBody::Empty => Err("the reply is empty".to_owned()),
        ReplyBody::Binary { .. } => Err("the reply is no text and cannot be read here".to_owned()),
    }
}

/// The value at a JSON pointer.
fn find<'a>(root: &'a str, path: &str) -> Result<&'a str, String> {
    let mut raw = root;
    let mut done = 0;
    if path.matches('/').count() > RESULT_PATH_PARTS_MAX {
        return Err(format!("the path has more than {RESULT_PATH_PARTS_MAX} parts"));
    }
    for step in path.split('/').skip(1) {
        let name = step.replace("~1", "/").replace("~0", "~");
        let mut found = None;
        match parts::kind_of(raw) {
            Kind::Array => {
                let index = step.parse::<usize>().ok();
                parts::elements(raw, |at, element| {
                    if Some(at) == index {
                        found = Some(element);
                    }
                });
            }
            Kind::Object => {
                parts::members(raw, |_, own, value| {
                    if own == name {
                        found = Some(value);
                    }
                });
            }
            Kind::Text | Kind::Scalar => {}
        }
        let Some(inner) = found else {
            let place = path.get(..done).unwrap_or_default();
            return Err(format!("there is nothing at {}; at {} there is {}", shown(path), shown(place), described(raw)));
        };
        (raw, done) = (inner, done + 1 + step.len());
    }
    Ok(raw)
}

/// A value in a few words, for somebody who looked in the wrong place.
fn described(raw: &str) -> String {
    match parts::kind_of(raw) {
        Kind::Array => format!("a list of {}", parts::elements(raw, |_, _| {})),
        Kind::Object => {
            let mut names = Vec::new();
            let count = parts::members(raw, |_, name, _| {
                if names.len() < NEAR_NAMES_MAX {
                    names.push(shown(name));
                }
            });
            let more = if count > names.len() { " …" } else { "" };
            format!("an object with the members {}{more}", names.join(", "))
        }
        Kind::Text => "a text".to_owned(),
        Kind::Scalar => "a single value".to_owned(),
    }
}

fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(QUOTED_VALUE_CHARS_MAX).collect::<String>())
}

/// One page in the making.
struct Page<'a> {
    wanted: &'a Wanted,
    rest: &'a Rest<'a>,
    path: &'a str,
    bytes_max: usize,
}

/// What one page shows of something that is counted.
#[derive(Default)]
struct Shown {
    pieces: Vec<String>,
    bytes: usize,
    /// What the search found, or all there is.
    matching: usize,
    full: bool,
}

/// Bytes of everything on a page but its content and its path.
const HEAD_BYTES: usize = 256;

impl Page<'_> {
    fn head(&self) -> String {
        let id = self.rest.id.map_or_else(String::new, |id| format!("\"id\":\"{id}\","));
        format!("{{{id}\"path\":{},", quoted(self.path))
    }

    /// Room for the content.
    fn room(&self) -> usize {
        self.bytes_max.saturating_sub(HEAD_BYTES + quoted(self.path).len())
    }

    /// Room for one element when so many are wanted: one that fills the page leaves nothing to see of the others.
    fn share(&self, there: usize) -> usize {
        const ELEMENTS_MIN: usize = 4;
        let wanted = self.wanted.limit.unwrap_or(usize::MAX).min(there.saturating_sub(self.wanted.offset));
        self.room() / wanted.clamp(1, ELEMENTS_MIN)
    }

    fn finds(&self, haystack: impl FnOnce() -> String) -> bool {
        self.wanted.search.as_ref().is_none_or(|needle| haystack().to_lowercase().contains(&needle.to_lowercase()))
    }

    /// Puts one more piece on the page, if it is wanted and there is room. The first one always has its place.
    fn put(&self, shown: &mut Shown, piece: impl FnOnce() -> String) {
        let at = shown.matching;
        shown.matching += 1;
        let wanted = at >= self.wanted.offset && self.wanted.limit.is_none_or(|limit| shown.pieces.len() < limit);
        if shown.full || !wanted {
            return;
        }
        let piece = piece();
        if !shown.pieces.is_empty() && shown.bytes + piece.len() + 1 > self.room() {
            shown.full = true;
            return;
        }
        shown.bytes += piece.len() + 1;
        shown.pieces.push(piece);
    }

    fn of_array(&self, raw: &str) -> String {
        let share = self.share(parts::elements(raw, |_, _| {}));
        let mut shown = Shown::default();
        let total = parts::elements(raw, |index, element| {
            if self.finds(|| readable(element)) {
                self.put(&mut shown, || {
                    let item = Shortener { rest: self.rest }.value(element, share, &format!("{}/{index}", self.path), 0);
                    if self.wanted.search.is_some() { format!("{{\"index\":{index},\"item\":{item}}}") } else { item }
                });
            }
        });
        let items = shown.pieces.join(",");
        self.told(total, &shown, &format!("\"items\":[{items}]"))
    }

    fn of_object(&self, raw: &str) -> String {
        let share = self.share(parts::members(raw, |_, _, _| {}));
        let mut shown = Shown::default();
        let total = parts::members(raw, |_, name, value| {
            if self.finds(|| format!("{name} {}", readable(value))) {
                self.put(&mut shown, || {
                    let at = format!("{}/{}", self.path, name.replace('~', "~0").replace('/', "~1"));
                    format!("{}:{}", quoted(name), Shortener { rest: self.rest }.value(value, share, &at, 0))
                });
            }
        });
        let members = shown.pieces.join(",");
        self.told(total, &shown, &format!("\"members\":{{{members}}}"))
    }

    fn of_text(&self, text: &str) -> String {
        let mut shown = Shown::default();
        let mut total = 0;
        for line in lines::lines(text) {
            total += 1;
            if self.finds(|| line.to_owned()) {
                self.put(&mut shown, || {
                    let quoted = quoted(line);
                    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
                });
            }
        }
        self.told(total, &shown, &format!("\"text\":\"{}\"", shown.pieces.concat()))
    }

    fn told(&self, total: usize, shown: &Shown, content: &str) -> String {
        let (offset, count, matching) = (self.wanted.offset, shown.pieces.len(), shown.matching);
        let matches = if self.wanted.search.is_some() { format!("\"matching\":{matching},") } else { String::new() };
        let end = offset.saturating_add(count);
        let next = if end < matching { format!(",\"next_offset\":{end}") } else { String::new() };
        format!("{}\"total\":{total},{matches}\"offset\":{offset},\"count\":{count},{content}{next}}}", self.head())
    }
}

/// A JSON text as it is searched: characters that were written as escapes are the characters that they mean.
fn readable(raw: &str) -> String {
    if !raw.contains('\\') {
        return raw.to_owned();
    }
    // What nests too deep to be looked into is searched as it was written.
    serde_json::from_str::<serde_json::Value>(raw).map_or_else(|_| raw.to_owned(), |value| value.to_string())
}
