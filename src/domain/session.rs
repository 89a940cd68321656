//! A session: one conversation of one user, whole turns only.

use std::fmt;

use super::{
    tool::{Outcome, Refusal, ToolResult},
    user::UserName,
};

/// A session's public id: made by the server, 128 random bits or more, never chosen by a client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// Takes an id as it was stored or generated; ids are compared, never interpreted.
    pub fn from_stored(id: &str) -> Self {
        Self(id.to_owned())
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
    /// The run that holds the session now.
    pub running: Option<String>,
}

/// Tokens a turn used, as the model's server counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub total_tokens: u64,
}

impl Usage {
    /// The sum, saturating: a server may send nonsense.
    pub fn plus(self, other: Self) -> Self {
        Self {
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            completion_tokens: self.completion_tokens.saturating_add(other.completion_tokens),
            total_tokens: self.total_tokens.saturating_add(other.total_tokens),
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

/// The calls of a turn that wait for the user's yes: in its last round, for a turn that asks ends there.
pub fn waiting(rounds: &[Round]) -> impl Iterator<Item = &ToolResult> {
    let last = rounds.last().map(|round| round.results.as_slice()).unwrap_or_default();
    last.iter().filter(|result| matches!(result.outcome, Outcome::Refused(Refusal::NeedsConfirmation { .. })))
}
