//! Looking at one's session, emptying it, beginning anew. One round trip to the store each.

use super::{App, AppError};
use crate::{
    domain::session::{Revision, SessionInfo, Since},
    secrets::tokens::Bearer,
    store::contract::{Cleared, Entered, Reset, Tail, Visit},
};

impl App {
    /// Lets a caller in and shows the session; `tail` says how much of the conversation.
    ///
    /// # Errors
    /// The caller may not come in, or names a session that is not theirs now, or the session is not what the caller `expects`.
    pub async fn visit(&self, caller: &Bearer, expects: Option<&Revision>, tail: Tail) -> Result<Visit, AppError> {
        match self.store().enter(super::caller(caller), tail).await? {
            Entered::Refused(refused) => Err(refused.into()),
            Entered::NoSession => Err(AppError::NoSession),
            Entered::In(visit) => match expects {
                Some(seen) if seen.since(&visit.session.revision()) != Since::Same => {
                    Err(AppError::moved(expects, visit.session.revision()))
                }
                Some(_) | None => {
                    let mut visit = *visit;
                    // What was stored before a secret was set may hold it.
                    visit.tail.iter_mut().for_each(|turn| self.hidden().in_turn(turn));
                    Ok(visit)
                }
            },
        }
    }

    /// Empties the conversation; the session stays.
    ///
    /// # Errors
    /// Among others [`AppError::Busy`] while a turn runs.
    pub async fn clear_history(&self, caller: &Bearer, expects: Option<&Revision>) -> Result<SessionInfo, AppError> {
        match self.store().clear(super::caller(caller), expects).await? {
            Cleared::Done(session) => Ok(*session),
            Cleared::Refused(refused) => Err(refused.into()),
            Cleared::Busy { run, left_ms } => Err(AppError::Busy { run, left_ms }),
            Cleared::Moved(stored) => Err(AppError::moved(expects, stored)),
            Cleared::NoSession => Err(AppError::NoSession),
        }
    }

    /// Puts a new session in the place of the old one; a turn that still runs on the old one is fenced off.
    pub async fn reset_session(&self, caller: &Bearer, expects: Option<&Revision>) -> Result<SessionInfo, AppError> {
        match self.store().reset(super::caller(caller), expects).await? {
            Reset::Done(session) => Ok(*session),
            Reset::Refused(refused) => Err(refused.into()),
            Reset::Moved(stored) => Err(AppError::moved(expects, stored)),
            Reset::NoSession => Err(AppError::NoSession),
        }
    }
}
