//! Looking at one's session, emptying it, beginning anew. One round trip to the store each.

use super::{App, AppError};
use crate::{
    domain::session::{SessionId, SessionInfo},
    secrets::tokens::Bearer,
    store::contract::{Cleared, Entered, Reset, Tail, Visit},
};

impl App {
    /// Lets a caller in and shows the session; `tail` says how much of the conversation.
    ///
    /// # Errors
    /// The caller may not come in, or `session` is given and is not the caller's session now.
    pub async fn visit(&self, caller: &Bearer, session: Option<&SessionId>, tail: Tail) -> Result<Visit, AppError> {
        match self.store().enter(super::caller(caller), tail).await? {
            Entered::Refused(refused) => Err(refused.into()),
            Entered::In(visit) if session.is_some_and(|wanted| *wanted != visit.session.id) => Err(AppError::NoSession),
            Entered::In(visit) => Ok(*visit),
        }
    }

    /// Empties the conversation; the session stays.
    ///
    /// # Errors
    /// Among others [`AppError::Busy`] while a turn runs.
    pub async fn clear_history(&self, caller: &Bearer) -> Result<SessionInfo, AppError> {
        match self.store().clear(super::caller(caller)).await? {
            Cleared::Done(session) => Ok(*session),
            Cleared::Refused(refused) => Err(refused.into()),
            Cleared::Busy { run, left_ms } => Err(AppError::Busy { run, left_ms }),
        }
    }

    /// Puts a new session in the place of the old one; a turn that still runs on the old one is fenced off.
    pub async fn reset_session(&self, caller: &Bearer) -> Result<SessionInfo, AppError> {
        match self.store().reset(super::caller(caller)).await? {
            Reset::Done(session) => Ok(*session),
            Reset::Refused(refused) => Err(refused.into()),
        }
    }
}
