//! Cutting: an array to its first elements, an object to all its small members and the beginnings of its big ones, a text to its first lines.

use super::{
    Rest,
    lines::{self, beginning, quoted_len},
    mark::{self, What},
    parts::{self, Kind, quoted},
};

/// What stands for a value when there is no room for a word about it.
const NOTHING: &str = "\"…\"";
/// Less room than this is not worth a beginning.
const ROOM_MIN: usize = 64;
/// How many elements of an array are shown at least, if need be cut themselves.
const ELEMENTS_MIN: usize = 4;
/// How deep a value is cut inside itself; what is deeper is left out.
const DEPTH_MAX: usize = 16;
/// A mark that also says how to read on takes at most this part of the room.
const MARK_SHARE: usize = 4;
/// A member with a longer name is left out, in bytes: its name would have to be told whole to be of use.
const NAME_BYTES_MAX: usize = 256;

/// Cuts values of one reply.
pub(super) struct Shortener<'a> {
    pub rest: &'a Rest<'a>,
}

impl Shortener<'_> {
    /// A JSON text of at most `room` bytes (but never less than a mark of five) for the value at the JSON pointer `at`.
    pub fn value(&self, raw: &str, room: usize, at: &str, depth: usize) -> String {
        if raw.len() <= room {
            return raw.to_owned();
        }
        if room < ROOM_MIN || depth > DEPTH_MAX {
            return NOTHING.to_owned();
        }
        match parts::kind_of(raw) {
            Kind::Array => self.array(raw, room, at, depth),
            Kind::Object => self.object(raw, room, at, depth),
            Kind::Text => self.string(raw, room, at),
            Kind::Scalar => NOTHING.to_owned(),
        }
    }

    fn array(&self, raw: &str, room: usize, at: &str, depth: usize) -> String {
        let (mut shown, mut last) = (Vec::new(), "");
        let count = parts::elements(raw, |_, element| {
            // Each takes two bytes at least.
            if shown.len() <= room / 2 {
                shown.push(element);
            }
            last = element;
        });
        let before = mark::total_of_element(last, What::Items);
        let there = if before.is_some() { count - 1 } else { count };
        let total = before.unwrap_or(count).max(there);
        shown.truncate(there);

        let widest = self.mark(What::Items, total, total, at, room).len() + 2;
        let inner = room.saturating_sub(2 + widest + 1);
        let share = inner / there.clamp(1, ELEMENTS_MIN);
        let mut out = String::from("[");
        let mut told = 0;
        for element in shown {
            let left = (inner + 1).saturating_sub(out.len());
            let piece = match share.min(left) {
                _ if element.len() <= share => element.to_owned(),
                room if room >= ROOM_MIN => self.value(element, room, &format!("{at}/{told}"), depth + 1),
                _ => break,
            };
            if piece.len() + 1 > left {
                break;
            }
            out.push_str(&piece);
            out.push(',');
            told += 1;
        }
        if told < total {
            out.push('{');
            out.push_str(&self.mark(What::Items, told, total, at, room));
            out.push('}');
        } else {
            out.pop();
        }
        out.push(']');
        out
    }

    fn object(&self, raw: &str, room: usize, at: &str, depth: usize) -> String {
        let mut shown: Vec<(String, &str)> = Vec::new();
        let (mut open, mut before) = (true, None);
        let count = parts::members(raw, |_, name, value| {
            before = mark::total_of_member(name, value, What::Members);
            // Each takes four bytes at least.
            open = open && name.len() <= NAME_BYTES_MAX && shown.len() <= room / 4;
            if open {
                shown.push((name.to_owned(), value));
            }
        });
        let there = if before.is_some() { count - 1 } else { count };
        let total = before.unwrap_or(count).max(there);
        shown.truncate(there);

        let widest = self.mark(What::Members, total, total, at, room).len();
        let inner = room.saturating_sub(2 + widest);
        // First the least that each needs, in order, as far as the room goes; then what is left is shared by those that need more.
        let mut left = inner;
        let mut rows: Vec<(String, &str, usize)> = Vec::new();
        for (name, value) in shown {
            let (name_quoted, least) = (quoted(&name), value.len().min(ROOM_MIN));
            let Some(after) = left.checked_sub(name_quoted.len() + 2 + least) else { break };
            left = after;
            rows.push((name, value, least));
        }
        share(&mut rows, left);
        let told = rows.len();
        let mut out = String::from("{");
        for (name, value, room) in rows {
            let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            out.push_str(&quoted(&name));
            out.push(':');
            out.push_str(&self.value(value, room, &at, depth + 1));
            out.push(',');
        }
        if told < total {
            out.push_str(&self.mark(What::Members, told, total, at, room));
        } else {
            out.pop();
        }
        out.push('}');
        out
    }

    fn mark(&self, what: What, from: usize, total: usize, at: &str, room: usize) -> String {
        let whole = mark::member(&mark::sentence(what, from, total, at, self.rest));
        // Whether it fits is decided by the widest that it can be, so that what was reserved is what is used.
        let widest = mark::member(&mark::sentence(what, total, total, at, self.rest)).len();
        if widest <= room / MARK_SHARE { whole } else { mark::member(&mark::short(what, from, total)) }
    }

    fn string(&self, raw: &str, room: usize, at: &str) -> String {
        let text = parts::text(raw);
        let (text, before) = mark::uncut(&text);
        quoted(&cut(text, before, room.saturating_sub(2), at, self.rest))
    }
}

/// Shares what is left among the rows that need more than they have: small needs first, so that as many as possible are whole.
fn share(rows: &mut [(String, &str, usize)], mut left: usize) {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let need = |row: &(String, &str, usize)| row.1.len() - row.2;
    order.sort_by_key(|at| rows.get(*at).map_or(0, need));
    let mut waiting = order.len();
    for at in order {
        let Some(row) = rows.get_mut(at) else { continue };
        let more = need(row).min(left / waiting.max(1));
        row.2 += more;
        left -= more;
        waiting -= 1;
    }
}

/// A text of at most `room` bytes in JSON, without the quotes; `before` characters of it are missing already.
fn cut(text: &str, before: usize, room: usize, at: &str, rest: &Rest<'_>) -> String {
    let chars = text.chars().count() + before;
    let widest = quoted_len(&mark::more_chars(chars, at, rest));
    let whole = widest <= room / MARK_SHARE;
    let reserved = if whole { widest } else { quoted_len(&mark::more_chars_short(chars)) };
    let head = beginning(text, room.saturating_sub(reserved));
    let missing = chars - head.chars().count();
    let mark = if whole { mark::more_chars(missing, at, rest) } else { mark::more_chars_short(missing) };
    format!("{head}{mark}")
}

/// A text cut after a line, so that it takes at most `room` bytes in JSON, without the quotes.
pub(super) fn text(text: &str, room: usize, rest: &Rest<'_>) -> String {
    let (text, before) = mark::unlined(text);
    let (text, chars_before) = if before.is_some() { (text, 0) } else { mark::uncut(text) };
    let total = before.unwrap_or_else(|| lines::lines(text).count());
    let reserved = quoted_len(&mark::more_lines(&mark::sentence(What::Lines, total, total, "", rest)));
    let (mut end, mut told, mut left) = (0, 0, room.saturating_sub(reserved));
    for line in lines::lines(text) {
        let Some(after) = left.checked_sub(quoted_len(line)) else { break };
        (end, told, left) = (end + line.len(), told + 1, after);
    }
    if told == 0 || chars_before > 0 {
        return cut(text, chars_before, room, "", rest);
    }
    let mark = mark::more_lines(&mark::sentence(What::Lines, told, total, "", rest));
    format!("{}{mark}", text.get(..end).unwrap_or_default())
}
