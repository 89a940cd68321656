//! The user's answer to a question whether something may be sent.
//!
//! A question is the last thing of its turn, and only the next turn can answer it, soon enough and with nothing but a yes or a no. That
//! turn takes the session as every turn does, so of two answers at the same time one comes too late, and every later one finds that the
//! last turn asks nothing.

use super::{App, AppError, turn::Request};
use crate::{
    domain::{
        consent::Consent,
        language::Language,
        limits::{CONFIRMATION_ID_CHARS, CONFIRMATION_MS_MAX, CONFIRMATION_TURNS_MAX},
        session::{Revision, Round, Turn, waiting},
        slot::Slot,
        tool::{Outcome, Refusal, ToolResult},
        turn::OnBusy,
        user::UserName,
    },
    secrets::{digest, tokens::Bearer},
    store::contract::Tail,
};

/// A question that is open, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Names the user, the run that asked and each request to the byte, and nothing else has it: a yes to it is a yes to that.
    pub id: String,
    /// Nothing can be sent on its strength from then on.
    pub expires_ms: u64,
}

impl Question {
    /// The question that ends a turn, if one does.
    pub fn of(user: &UserName, run: &str, asked_ms: u64, rounds: &[Round]) -> Option<Self> {
        let digests = waiting(rounds).filter_map(|result| match &result.outcome {
            Outcome::Refused(Refusal::NeedsConfirmation { digest }) => Some(digest.as_bytes()),
            _ => None,
        });
        let parts: Vec<&[u8]> = [user.as_str().as_bytes(), run.as_bytes()].into_iter().chain(digests).collect();
        if parts.len() == 2 {
            return None;
        }
        let id: String = digest::of(&parts).chars().take(CONFIRMATION_ID_CHARS).collect();
        // It tells the session as a run's id does.
        Some(Self { id: Slot::of_run(run).run_id(&id), expires_ms: asked_ms.saturating_add(CONFIRMATION_MS_MAX) })
    }

    fn of_turn(user: &UserName, turn: &Turn) -> Option<Self> {
        Self::of(user, &turn.run, turn.asked_ms, &turn.rounds)
    }
}

/// What somebody says to a question, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<'a> {
    pub question: &'a str,
    pub approve: bool,
}

impl App {
    /// The question that waits for the caller's answer, and the turn that asked it.
    ///
    /// # Errors
    /// The caller may not come in.
    pub async fn open_question(&self, caller: &Bearer) -> Result<Option<(Question, Turn)>, AppError> {
        let visit = self.visit(caller, None, Tail::NewestWhole(1)).await?;
        let last = visit.tail.into_iter().next_back();
        let asked = last.and_then(|turn| Question::of_turn(&caller.user, &turn).map(|question| (question, turn)));
        Ok(asked.filter(|(question, _)| self.now_ms() < question.expires_ms))
    }

    /// The caller, asking about the session that a question was put in.
    ///
    /// # Errors
    /// [`AppError::NoQuestion`]; the caller may not come in.
    pub async fn asked_in(&self, caller: &Bearer, question: &str) -> Result<Bearer, AppError> {
        let slot = Slot::of_run(question);
        if slot == caller.slot() {
            return Ok(caller.clone());
        }
        let everything = Bearer { session: None, ..caller.clone() };
        if slot.is_main() {
            return Ok(everything);
        }
        let own = self.own_sessions(&everything, None).await?;
        let session = own.into_iter().map(|found| found.own.session.id).find(|id| Slot::of_session(id) == slot);
        Ok(Bearer { session: Some(session.ok_or(AppError::NoQuestion)?), ..everything })
    }

    /// The turn that says a decision: a yes or a no that is one only for this very question. Whatever else is said first, here or at another
    /// replica, comes to [`AppError::QuestionOver`].
    ///
    /// # Errors
    /// [`AppError::NoQuestion`], [`AppError::QuestionExpired`] and [`AppError::QuestionOver`]; the last not if an idempotency key is given: the
    /// same decision may have been made under it, and is looked for.
    pub async fn deciding(&self, caller: &Bearer, decision: Decision<'_>, idempotency_key: Option<String>) -> Result<Request, AppError> {
        let visit = self.visit(caller, None, Tail::NewestWhole(CONFIRMATION_TURNS_MAX)).await?;
        let asks = |turn: &Turn| Question::of_turn(&caller.user, turn).filter(|question| question.id == decision.question);
        let (at, question) = visit.tail.iter().enumerate().find_map(|(at, turn)| Some((at, asks(turn)?))).ok_or(AppError::NoQuestion)?;
        let (is_last, stored) = (at + 1 == visit.tail.len(), visit.session.revision());
        if !is_last && idempotency_key.is_none() {
            return Err(AppError::QuestionOver);
        }
        if is_last && self.now_ms() >= question.expires_ms {
            return Err(AppError::QuestionExpired);
        }
        let language = visit.tail.get(at).map_or(Language::English, |turn| Language::of_text(&turn.message));
        let message = match decision.approve {
            true => language.choose("yes", "确认"),
            false => language.choose("no", "取消"),
        };
        // Only while the question is the last thing that was said; what was said to it before is found by its key alone.
        let expects = if is_last { stored } else { Revision { version: u64::MAX, ..stored } };
        Ok(Request {
            message: message.to_owned(),
            context: None,
            idempotency_key,
            on_busy: OnBusy::Reject,
            expects: Some(expects),
            decides: Some(question.id),
            streamed: false,
        })
    }
}

/// The calls that were asked about, with what the user says of them.
pub(super) enum Answered {
    Yes(Vec<ToolResult>),
    No(Vec<ToolResult>),
    /// Something else: nothing is sent, and the question is over.
    Otherwise(Vec<ToolResult>),
}

/// What a message answers to the question that ended the last turn, if it does. The time of the question is when its turn began, which is
/// by the store's clock, like `now_ms`. `said_ms` is when the message came, if it has waited since: a yes from before the question agrees to
/// nothing, because nobody had seen what was asked.
pub(super) fn answered(last: Option<&Turn>, message: &str, said_ms: Option<u64>, now_ms: u64) -> Option<Answered> {
    let last = last?;
    let late = now_ms.saturating_sub(last.asked_ms) > CONFIRMATION_MS_MAX;
    let asked: Vec<ToolResult> = waiting(&last.rounds).cloned().collect();
    let early = said_ms.is_some_and(|said_ms| said_ms < last.answered_ms);
    match Consent::of_text(message) {
        _ if asked.is_empty() => None,
        _ if early || late => Some(Answered::Otherwise(asked)),
        Some(Consent::Yes) => Some(Answered::Yes(asked)),
        Some(Consent::No) => Some(Answered::No(asked)),
        None => Some(Answered::Otherwise(asked)),
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
    fn only_what_is_said_after_the_question_answers_it() {
        let call = ToolCall { id: "a".into(), name: "deleteUser".into(), arguments: Ok(Map::new()) };
        let outcome = Outcome::Refused(Refusal::NeedsConfirmation { digest: "d".into() });
        let rounds = vec![Round { said: None, results: vec![ToolResult { call, request: None, outcome }] }];
        let (run, message, answer) = ("r".to_owned(), "delete it".to_owned(), "Shall I?".to_owned());
        let last = Turn { run, asked_ms: 10, message, rounds, answered_ms: 20, answer, usage: None, served: None };
        let is_yes = |said_ms| matches!(answered(Some(&last), "yes", said_ms, 30), Some(Answered::Yes(asked)) if asked.len() == 1);
        assert!(is_yes(None) && is_yes(Some(20)) && is_yes(Some(25)));
        for message in ["yes", "no", "what?"] {
            assert!(matches!(answered(Some(&last), message, Some(19), 30), Some(Answered::Otherwise(_))), "{message}");
        }
    }

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
