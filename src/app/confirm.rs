//! The user's answer to a question whether something may be sent.
//!
//! A question is the last thing of its turn, and only the next turn can answer it, soon enough and with nothing but a yes or a no. That
//! turn takes the session as every turn does, so of two answers at the same time one comes too late, and every later one finds that the
//! last turn asks nothing.

use crate::domain::{
    consent::Consent,
    limits::CONFIRMATION_MS_MAX,
    session::{Round, Turn, waiting},
    tool::{Outcome, Refusal, ToolResult},
};

/// The calls that were asked about, with what the user says of them.
pub(super) enum Answered {
    Yes(Vec<ToolResult>),
    No(Vec<ToolResult>),
    /// Something else: nothing is sent, and the question is over.
    Otherwise,
}

/// What a message answers to the question that ended the last turn, if it does. The time of the question is when its turn began, which is
/// by the store's clock, like `now_ms`.
pub(super) fn answered(last: Option<&Turn>, message: &str, now_ms: u64) -> Option<Answered> {
    let last = last.filter(|turn| now_ms.saturating_sub(turn.asked_ms) <= CONFIRMATION_MS_MAX)?;
    let asked: Vec<ToolResult> = waiting(&last.rounds).cloned().collect();
    match Consent::of_text(message) {
        _ if asked.is_empty() => None,
        Some(Consent::Yes) => Some(Answered::Yes(asked)),
        Some(Consent::No) => Some(Answered::No(asked)),
        None => Some(Answered::Otherwise),
    }
}

/// Calls that wait for a yes in a turn that ended before its question could be put: nobody has seen them, so no yes may send them.
pub(super) fn never_asked(rounds: &mut [Round]) {
    for result in rounds.iter_mut().flat_map(|round| &mut round.results) {
        if matches!(result.outcome, Outcome::Refused(Refusal::NeedsConfirmation { .. })) {
            result.outcome = Outcome::Failed("the request was not sent: the turn ended before you could be asked".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::domain::tool::ToolCall;

    #[test]
    fn what_nobody_was_asked_about_waits_for_nothing() {
        let call = ToolCall { id: "a".into(), name: "deleteUser".into(), arguments: Ok(Map::new()) };
        let outcome = Outcome::Refused(Refusal::NeedsConfirmation { digest: "d".into() });
        let mut rounds = [Round { said: None, results: vec![ToolResult { call, request: None, outcome }] }];
        assert_eq!(waiting(&rounds).count(), 1);
        never_asked(&mut rounds);
        assert_eq!(waiting(&rounds).count(), 0);
        assert!(matches!(&rounds[0].results[0].outcome, Outcome::Failed(why) if why.contains("not sent")));
    }
}
