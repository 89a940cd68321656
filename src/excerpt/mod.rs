//! Replies that are too big to be told whole: cut to size where the cut does least harm, and read in parts.
//!
//! A cut reply stays what it was: JSON stays valid JSON with every number as it came, and loses whole elements, members and ends of texts;
//! a text loses whole lines. Where something is missing stands a mark that says what, and which call reads on:
//!
//! ```text
//! {"total":200,"items":[{"id":1},…,{"…":"items 20–199 of 200 left out; read_result({\"id\":\"…\",\"path\":\"/items\",\"offset\":20}) reads on"}]}
//! ```

mod lines;
mod mark;
pub mod page;
mod parts;
pub mod reader;
mod shorten;

use self::shorten::Shortener;
use crate::domain::{json::RawJson, kept::ResultId, tool::ReplyBody};

/// How what is left out can be had.
#[derive(Debug, Clone, Copy)]
pub struct Rest<'a> {
    /// The function that reads kept replies.
    pub reader: &'a str,
    /// Under which id the whole is kept; none: it is not.
    pub id: Option<&'a ResultId>,
}

impl Rest<'_> {
    /// The call that reads what is at this JSON pointer, from this offset on.
    fn call(&self, at: &str, offset: Option<usize>) -> Option<String> {
        let id = self.id?;
        let path = if at.is_empty() { String::new() } else { format!(",\"path\":{}", parts::quoted(at)) };
        let offset = offset.map_or_else(String::new, |offset| format!(",\"offset\":{offset}"));
        Some(format!("{}({{\"id\":\"{id}\"{path}{offset}}})", self.reader))
    }

    /// The call that reads the whole from its beginning.
    pub fn from_the_beginning(&self) -> Option<String> {
        self.call("", None)
    }
}

/// A body that takes at most `bytes_max` bytes as JSON; `None` if the whole body does. A text counts as the JSON string that it will be.
pub fn of(body: &ReplyBody, bytes_max: usize, rest: &Rest<'_>) -> Option<ReplyBody> {
    match body {
        ReplyBody::Json(json) if json.get().len() > bytes_max => {
            let short = Shortener { rest }.value(json.get(), bytes_max, "", 0);
            // What was put together here is JSON; if it were not, it would be told as text.
            Some(RawJson::read(short.as_bytes()).map_or(ReplyBody::Text(short), ReplyBody::Json))
        }
        // The length alone rules most texts out without a look at them.
        ReplyBody::Text(text) if text.len() + 2 > bytes_max || lines::quoted_len(text) + 2 > bytes_max => {
            Some(ReplyBody::Text(shorten::text(text, bytes_max.saturating_sub(2), rest)))
        }
        ReplyBody::Empty | ReplyBody::Json(_) | ReplyBody::Text(_) | ReplyBody::Binary { .. } => None,
    }
}

#[cfg(test)]
mod tests;
