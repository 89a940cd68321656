//! What administrators may ask. Whether the caller is one is decided by the account, in the same round trip.

use super::{App, AppError};
use crate::{
    domain::{scope::Scope, session::SessionId, user::UserName},
    secrets::tokens::{Bearer, GoodFor},
    store::contract::{AdminAnswer, Cursor, SessionFilter, SessionStats, SessionsPage, StoreError, StoredKey, Tail, audit::Peeked},
};

impl App {
    /// One of a user's sessions, without what was said in it.
    ///
    /// # Errors
    /// Among others [`AppError::NoSession`].
    pub async fn session_of_user(&self, caller: &Bearer, user: &UserName, session: &SessionId) -> Result<Peeked, AppError> {
        self.granted(caller, Scope::SessionsRead).await?;
        self.store().peek(user, Some(session), Tail::Nothing).await?.ok_or(AppError::NoSession)
    }

    /// Lets a caller in who has this scope.
    pub(super) async fn granted(&self, caller: &Bearer, scope: Scope) -> Result<(), AppError> {
        within_key(caller, scope)?;
        granted(self.store().administrator(super::caller(caller), scope).await?)
    }

    /// A page of the sessions of all users that are wanted, newest activity first.
    ///
    /// # Errors
    /// The caller may not.
    pub async fn list_sessions(
        &self,
        caller: &Bearer,
        filter: &SessionFilter,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<SessionsPage, AppError> {
        self.granted(caller, Scope::SessionsRead).await?;
        Ok(self.store().listed(filter, cursor, limit).await?)
    }

    /// The store's keys that hold one of a user's sessions; without one those of all of them, and what else is kept of the user.
    ///
    /// # Errors
    /// Among others [`AppError::NoSession`].
    pub async fn session_keys(&self, caller: &Bearer, user: &UserName, session: Option<&SessionId>) -> Result<Vec<StoredKey>, AppError> {
        self.granted(caller, Scope::SessionsRead).await?;
        let keys = self.store().stored_keys(user, session).await?;
        if keys.is_empty() { Err(AppError::NoSession) } else { Ok(keys) }
    }

    /// Takes ended sessions out of the index; returns how many, and what is left.
    pub async fn clean_up(&self, caller: &Bearer) -> Result<(u64, SessionStats), AppError> {
        within_key(caller, Scope::SessionsEnd)?;
        let removed = granted(self.store().cleanup(super::caller(caller)).await?)?;
        Ok((removed, self.store().stats().await?))
    }

    /// Exact numbers of sessions, for anybody.
    pub async fn session_stats(&self) -> Result<SessionStats, StoreError> {
        self.store().stats().await
    }
}

/// An API key has no scopes but those that it was made with.
pub(super) fn within_key(caller: &Bearer, scope: Scope) -> Result<(), AppError> {
    match caller.good_for {
        GoodFor::Key { scopes } if !scopes.has(scope) => Err(AppError::InsufficientScope(scope)),
        GoodFor::Key { .. } | GoodFor::Everything | GoodFor::PasswordChange => Ok(()),
    }
}

pub(super) fn granted<T>(answer: AdminAnswer<T>) -> Result<T, AppError> {
    match answer {
        AdminAnswer::Granted(answer) => Ok(answer),
        AdminAnswer::Refused(refused) => Err(refused.into()),
        AdminAnswer::NotAdmin => Err(AppError::NotAdmin),
        AdminAnswer::Lacks(scope) => Err(AppError::InsufficientScope(scope)),
    }
}
