//! Replies kept whole for a while, because whoever asked was told only part of them.

use std::fmt;

use super::tool::ReplyBody;

/// Under which id a reply is kept: 128 random bits in hexadecimal, of use to its own user only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResultId(String);

/// Characters of an id.
const ID_CHARS: usize = 32;

impl ResultId {
    /// Takes an id as it was made or as somebody names it; `None` if no reply can have it.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == ID_CHARS && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A reply as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptReply {
    /// What the API called it; may be empty.
    pub content_type: String,
    pub body: ReplyBody,
}

#[cfg(test)]
mod tests {
    use super::ResultId;

    #[test]
    fn nothing_but_an_id_is_an_id() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(ResultId::parse(id).unwrap().as_str(), id);
        for other in
            ["", "0", "0123456789ABCDEF0123456789abcdef", "0123456789abcdef0123456789abcde:", &format!("{id}0"), "你".repeat(32).as_str()]
        {
            assert_eq!(ResultId::parse(other), None, "{other}");
        }
    }
}
