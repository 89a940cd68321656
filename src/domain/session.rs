//! A session: one conversation of one user, whole turns only.

use std::fmt;

use super::{
    limits::{SESSION_TITLE_CHARS_MAX, SESSION_TITLE_MADE_CHARS_MAX},
    tool::ToolResult,
    user::UserName,
};

/// The longest id of a session, in characters.
const SESSION_ID_CHARS_MAX: usize = 64;
/// The id of no session.
const NOBODYS: &str = "-";

/// A session's public id: made by the server, 128 random bits or more, never chosen by a client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// Takes an id as it was stored or generated; ids are compared, never interpreted.
    pub fn from_stored(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// Takes an id as somebody names it; what no session can have is the name of none.
    pub fn named(id: &str) -> Self {
        let may_be_one = !id.is_empty() && id.len() <= SESSION_ID_CHARS_MAX && id.bytes().all(|b| b.is_ascii_alphanumeric());
        Self::from_stored(if may_be_one { id } else { NOBODYS })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known of a session without reading its conversation. Times are milliseconds since 1970 on the store's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    pub user: UserName,
    pub id: SessionId,
    pub created_ms: u64,
    pub last_active_ms: u64,
    /// When the session ends even if it stays in use.
    pub expires_ms: u64,
    /// Turns in the conversation.
    pub turns: u64,
    /// The number of the oldest of them: numbers go on when turns are dropped or the conversation is emptied.
    pub first_turn: u64,
    /// Counts every change of the conversation.
    pub version: u64,
    /// How many leases the user's sessions have been given so far; it outlives resets.
    pub fence: u64,
    /// The run that holds the session now.
    pub running: Option<String>,
}

/// What a conversation is called that begins with this message: its first words.
pub fn title_of(message: &str) -> String {
    let mut title = String::new();
    for word in message.split_whitespace() {
        let space = usize::from(!title.is_empty());
        let chars = title.chars().count() + space + word.chars().count();
        if chars > SESSION_TITLE_MADE_CHARS_MAX {
            // A word that is longer than a title, as a sentence without spaces is, is cut.
            if title.is_empty() {
                title.extend(word.chars().take(SESSION_TITLE_MADE_CHARS_MAX - 1));
            }
            title.push('…');
            break;
        }
        if space > 0 {
            title.push(' ');
        }
        title.push_str(word);
    }
    title
}

/// Why a text is no title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTitle {
    #[error("is empty")]
    Empty,
    #[error("has control characters")]
    ControlCharacters,
    #[error("has more than {SESSION_TITLE_CHARS_MAX} characters")]
    TooLong,
}

/// What is wrong with a title that somebody gives, behind the word for it.
pub fn title_problem(title: &str) -> Option<BadTitle> {
    if title.trim().is_empty() {
        return Some(BadTitle::Empty);
    }
    if title.chars().any(char::is_control) {
        return Some(BadTitle::ControlCharacters);
    }
    title.chars().nth(SESSION_TITLE_CHARS_MAX).map(|_| BadTitle::TooLong)
}

/// What a session is called and what is noted of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Label {
    /// As its user calls it, or else made from its first turn.
    pub title: Option<String>,
    /// It stands before others.
    pub pinned: bool,
    /// Whatever its client notes, as the text of a JSON object.
    pub metadata: Option<String>,
}

impl SessionInfo {
    pub fn revision(&self) -> Revision {
        Revision { session: self.id.clone(), fence: self.fence, version: self.version }
    }
}

/// Which state of which session somebody has seen. Written `<session>.<fence>.<version>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    pub session: SessionId,
    pub fence: u64,
    pub version: u64,
}

/// What the store has, seen from somebody who knows a [`Revision`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// The conversation is as it was.
    Same,
    /// It went on, or another session took its place.
    Later,
    /// The store knows less than it has told: it lost what it acknowledged.
    RolledBack,
}

impl Revision {
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, '.');
        let (version, fence, session) = (parts.next()?, parts.next()?, parts.next()?);
        let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        let plain = !session.is_empty() && session.bytes().all(|b| b.is_ascii_alphanumeric());
        plain.then_some(())?;
        Some(Self { session: SessionId::from_stored(session), fence: number(fence)?, version: number(version)? })
    }

    /// What became of this revision in a store that is at `stored` now. Leases and versions are only ever counted up, so a smaller count
    /// means that something was lost. A lease that left the conversation as it was changes nothing.
    pub fn since(&self, stored: &Self) -> Since {
        if stored.fence < self.fence || (stored.session == self.session && stored.version < self.version) {
            Since::RolledBack
        } else if stored.session == self.session && stored.version == self.version {
            Since::Same
        } else {
            Since::Later
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.session, self.fence, self.version)
    }
}

/// Tokens a turn used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub total_tokens: u64,
    /// Whether some of it is not what the model's server counted, but estimated from what was sent and what came.
    pub estimated: bool,
}

impl Usage {
    /// The sum, saturating: a server may send nonsense.
    pub fn plus(self, other: Self) -> Self {
        Self {
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            completion_tokens: self.completion_tokens.saturating_add(other.completion_tokens),
            total_tokens: self.total_tokens.saturating_add(other.total_tokens),
            estimated: self.estimated || other.estimated,
        }
    }
}

/// One round of a turn: what the planner said beside its calls, and the calls with what came of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    pub said: Option<String>,
    pub results: Vec<ToolResult>,
}

/// One turn of conversation, finished. It enters the history whole or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The run that made it.
    pub run: String,
    pub asked_ms: u64,
    pub message: String,
    pub rounds: Vec<Round>,
    pub answered_ms: u64,
    /// Markdown.
    pub answer: String,
    pub usage: Option<Usage>,
    /// The fingerprint of the functions that it could call; none where it is not known.
    pub served: Option<String>,
}

/// What was said and done in the older turns of a conversation, in short: made by a model for a model. The turns themselves stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The number of the first turn that it covers.
    pub first: u64,
    /// The number of the last one.
    pub last: u64,
    pub text: String,
}

/// The calls of a turn that wait for the user's yes: in its last round, for a turn that asks ends there.
pub fn waiting(rounds: &[Round]) -> impl Iterator<Item = &ToolResult> {
    let last = rounds.last().map(|round| round.results.as_slice()).unwrap_or_default();
    last.iter().filter(|result| result.waits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_words_of_a_message() {
        let long = "word ".repeat(20);
        let chinese = "查".repeat(100);
        for (message, title) in [
            ("  list\n all   orders ", "list all orders".to_owned()),
            ("", String::new()),
            (&long, format!("{}…", "word ".repeat(12).trim_end())),
            (&chinese, format!("{}…", "查".repeat(59))),
        ] {
            assert_eq!(title_of(message), title);
        }
    }

    #[test]
    fn a_revision_tells_what_became_of_it() {
        let seen = Revision::parse("s1.5.3").unwrap();
        assert_eq!(seen.to_string(), "s1.5.3");
        let at = |text: &str| seen.since(&Revision::parse(text).unwrap());
        assert_eq!([at("s1.5.3"), at("s1.9.3"), at("s1.6.4"), at("s2.6.0")], [Since::Same, Since::Same, Since::Later, Since::Later]);
        assert_eq!([at("s1.4.3"), at("s1.5.2"), at("s2.4.9"), at("s1.6.2")], [Since::RolledBack; 4]);
        for text in ["", "s", "s.1", ".1.2", "s.x.1", "s.1.+2", "s.1.99999999999999999999999", "s\", \"t.1.2"] {
            assert_eq!(Revision::parse(text), None, "{text}");
        }
    }
}
