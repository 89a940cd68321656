//! Who decides what to do next: a model behind an OpenAI-compatible endpoint, or the offline planner.
//!
//! Both see the same [`Prompt`] and answer with a [`Plan`]; neither touches the store, the document or the upstream.

pub mod offline;

use crate::domain::{
    session::{Round, Turn, Usage},
    tool::ToolCall,
};

pub use self::{
    endpoint::{BadEndpoint, ChatModel},
    lookup::Lookup,
    offline::Offline,
    tools::ToolSet,
    wire::told_whole,
};

mod endpoint;
mod lookup;
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

    /// The next move for this prompt.
    pub async fn plan(&self, prompt: &Prompt<'_>) -> Result<Plan, ModelError> {
        match self {
            Self::Model(model) => model.plan(prompt).await,
            Self::Offline(offline) => Ok(offline.plan(prompt)),
        }
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
