//! The user's answer to a question whether something may be sent.
//!
//! A question is the last thing of its turn, and only the next turn can answer it, soon enough and with nothing but a yes or a no. That
//! turn takes the session as every turn does, so of two answers at the same time one comes too late, and every later one finds that the
//! last turn asks nothing.

use crate::domain::{
    consent::Consent,
    limits::CONFIRMATION_MS_MAX,
    session::{Turn, waiting},
    tool::ToolResult,
};

/// The calls that were asked about, with what the user says of them.
pub(super) enum Answered {
    Yes(Vec<ToolResult>),
    No(Vec<ToolResult>),
}

/// What a message answers to the question that ended the last turn, if it does. The time of the question is when its turn began, which is
/// by the store's clock, like `now_ms`.
pub(super) fn answered(last: Option<&Turn>, message: &str, now_ms: u64) -> Option<Answered> {
    let consent = Consent::of_text(message)?;
    let last = last.filter(|turn| now_ms.saturating_sub(turn.asked_ms) <= CONFIRMATION_MS_MAX)?;
    let asked: Vec<ToolResult> = waiting(&last.rounds).cloned().collect();
    match consent {
        _ if asked.is_empty() => None,
        Consent::Yes => Some(Answered::Yes(asked)),
        Consent::No => Some(Answered::No(asked)),
    }
}
