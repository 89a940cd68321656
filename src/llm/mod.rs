//! Who decides what to do next: a model behind an OpenAI-compatible endpoint, or the offline planner.
//!
//! Both see the same [`Prompt`] and answer with a [`Plan`]; neither touches the store, the document or the upstream.

pub mod offline;

use tokio::time::Instant;

use crate::domain::{
    limits::TOOLS_SHARE,
    session::{Round, Turn, Usage},
    tool::ToolCall,
};

pub use self::{
    chat_model::ChatModel,
    embedder::{BadEmbeddings, Embedder, NotEmbedded},
    endpoint::{BadEndpoint, BadValue},
    lookup::Lookup,
    offline::Offline,
    tools::{ToolSet, told_description},
    wire::told_whole,
};

mod address;
mod breaker;
mod chat_model;
mod embedder;
mod endpoint;
mod learned;
mod lookup;
#[cfg(test)]
mod reader;
mod remembered;
pub mod tokens;
mod tools;
mod wire;

/// Everything a planner may look at for its next move.
#[derive(Debug, Clone, Copy)]
pub struct Prompt<'a> {
    /// What the service is and how it must behave: the system message.
    pub instructions: &'a str,
    /// The newest turns of the conversation, oldest first.
    pub history: &'a [Turn],
    /// What the user says now.
    pub message: &'a str,
    /// What has happened in this turn so far.
    pub rounds: &'a [Round],
    pub tools: &'a ToolSet,
    /// When the turn ends, whatever it has come to; none: it is not known.
    pub until: Option<Instant>,
    /// What was said before the newest turns.
    pub summary: Option<Recap<'a>>,
    /// No more than this is sent, where it is less than the model takes, in tokens ([`tokens`]).
    pub tokens_max: Option<u64>,
}

impl<'a> Prompt<'a> {
    /// A message with nothing before it, no instructions and no bounds.
    pub fn of(message: &'a str, tools: &'a ToolSet) -> Self {
        Self { instructions: "", history: &[], message, rounds: &[], tools, until: None, summary: None, tokens_max: None }
    }
}

/// A summary, as a planner may be told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recap<'a> {
    pub text: &'a str,
    /// Whether it tells of turns that are older than the history; otherwise it is of use only where some of the history is left out.
    pub of_older: bool,
}

/// What somebody who reads along is told of a move while it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'a> {
    /// The next piece of its text.
    Piece(&'a str),
    /// The answer broke off, and another one is asked for: what was told of it counts no more.
    Anew,
}

/// Where the text of a move goes piece by piece while it comes, in order; the move itself has it whole once more. What was handed over may
/// turn out to stand beside calls, or to be cut off by an error.
pub type Words<'a> = &'a (dyn Fn(Heard<'_>) + Sync);

/// Tells whoever reads along that another answer is asked for.
pub fn anew(words: Option<Words<'_>>) {
    words.iter().for_each(|words| words(Heard::Anew));
}

/// A planner's next move.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub next: Move,
    pub usage: Option<Usage>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Move {
    /// Call these, then ask again. Never empty.
    Calls { said: Option<String>, calls: Vec<ToolCall> },
    /// The turn is done: Markdown for the user.
    Answer(String),
}

impl Move {
    /// The text in it, if there is any.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Calls { said, .. } => said.as_deref(),
            Self::Answer(said) => Some(said),
        }
    }
}

/// Who plans.
#[derive(Debug)]
pub enum Planner {
    Model(ChatModel),
    /// There is no model.
    Offline(Offline),
}

impl Planner {
    /// Whether it must be told every function that it may call; the offline planner has an index of its own of all of them.
    pub fn is_told_functions(&self) -> bool {
        matches!(self, Self::Model(_))
    }

    /// The next move for this prompt. Who wants to read along gives `words`; the offline planner has no words before its move is made.
    ///
    /// # Errors
    /// What the model's server did instead of answering.
    pub async fn plan(&self, prompt: &Prompt<'_>, words: Option<Words<'_>>) -> Result<Plan, ModelError> {
        match self {
            Self::Model(model) => {
                let plan = model.plan(prompt, words).await;
                match plan {
                    // It takes less than is said of it, or counts otherwise.
                    Err(ModelError::ContextOverflow) => {
                        anew(words);
                        let tokens_max = Some(model.price_of(prompt).prompt_tokens / 2);
                        model.plan(&Prompt { tokens_max, ..*prompt }, words).await
                    }
                    plan => plan,
                }
            }
            Self::Offline(offline) => Ok(offline.plan(prompt)),
        }
    }

    /// What asking for the next move costs at most; none: it costs nothing.
    pub fn price_of(&self, prompt: &Prompt<'_>) -> Option<Price> {
        match self {
            Self::Model(model) => Some(model.price_of(prompt)),
            Self::Offline(_) => None,
        }
    }

    /// What may be sent to it at once, in tokens; none: it has no bound.
    pub fn prompt_tokens(&self) -> Option<u64> {
        match self {
            Self::Model(model) => Some(model.prompt_tokens()),
            Self::Offline(_) => None,
        }
    }

    /// What the functions that it is given may take of it, in tokens.
    pub fn tools_tokens_max(&self) -> u64 {
        self.prompt_tokens().map_or(u64::MAX, |tokens| tokens / TOOLS_SHARE)
    }
}

/// What asking a model costs at most, in tokens as they are estimated ([`tokens`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Price {
    pub prompt_tokens: u64,
    pub answer_tokens: u64,
}

impl Price {
    /// Both together.
    pub fn tokens(self) -> u64 {
        self.prompt_tokens.saturating_add(self.answer_tokens)
    }
}

/// Why there is no plan. The log has the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    #[error("the model's server does not accept the key")]
    Unauthorized,
    #[error("the model's server has had too many requests")]
    RateLimited { retry_after_secs: Option<u64> },
    #[error("the conversation is too long for the model")]
    ContextOverflow,
    /// The request itself is not accepted, with this status: sending it again would not help.
    #[error("the model's server refused the request with status {0}")]
    Refused(u16),
    /// The server is away or broken: later it may work.
    #[error("the model's server is not available")]
    Unavailable,
    #[error("the model did not answer in time")]
    TimedOut,
    /// What came is no chat completion.
    #[error("the model's server sent something that is not an answer")]
    Nonsense,
    /// An answer without text and without calls.
    #[error("the model answered nothing")]
    Empty,
}

impl ModelError {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::RateLimited { .. } => "rate_limited",
            Self::ContextOverflow => "context_overflow",
            Self::Refused(_) => "refused",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timeout",
            Self::Nonsense => "nonsense",
            Self::Empty => "empty",
        }
    }
}
