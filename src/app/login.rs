//! Names and passwords against tokens, and the accounts behind them.

use std::time::Duration;

use super::{App, AppError};
use crate::{
    clock,
    domain::{
        limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN},
        user::{Account, Role, UserName},
    },
    secrets::{
        passwords,
        tokens::{Bearer, Issued, TokenError},
    },
    store::contract::{Added, StoreError},
};

/// How long a login waits for its turn to be hashed before it is told to come again.
const HASHING_WAIT: Duration = Duration::from_secs(2);

/// Why a password will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    #[error("the password has fewer than {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    #[error("the password has more than {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
}

/// Checks the rule for new passwords: length, nothing else (NIST SP 800-63B, 3.1.1.2).
///
/// # Errors
/// What is wrong with it.
pub fn password_rule(password: &str) -> Result<(), BadPassword> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(BadPassword::TooLong);
    }
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(BadPassword::TooShort);
    }
    Ok(())
}

impl App {
    /// A token for a user who knows the password. Unknown, disabled and wrong are one answer, after the same time.
    pub async fn log_in(&self, name: &str, password: &str) -> Result<Issued, AppError> {
        let user = UserName::new(name).filter(|_| password.len() <= PASSWORD_BYTES_MAX);
        let known = match &user {
            Some(user) => self.store().known(user).await?,
            None => return Err(AppError::WrongCredentials),
        };
        let account = known.account.filter(|account| !account.disabled);
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let password = password.to_owned();
        let matches = self.hashing(move || passwords::matches(&password, hash.as_deref())).await?;
        match account {
            Some(account) if matches => self.tokens().issue(&account.name, account.role, known.now_ms).ok_or(AppError::Broken),
            _ => Err(AppError::WrongCredentials),
        }
    }

    /// Adds a user; false if the name is taken. The caller has checked the password's rule.
    pub async fn add_user(&self, name: &UserName, role: Role, password: &str) -> Result<bool, AppError> {
        let (name, password) = (name.clone(), password.to_owned());
        let account = self.hashing(move || account(&name, role, &password)).await?;
        Ok(self.store().add_account(&account).await? == Added::New)
    }

    /// Whom a token names. Revocation is found out by the store, with whatever the request does there.
    pub fn bearer(&self, token: &str) -> Result<Bearer, TokenError> {
        self.tokens().check(token, self.now_ms())
    }

    /// Runs the slow part off the runtime, a few at a time, so that logins cannot starve turns.
    async fn hashing<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let permit = tokio::time::timeout(HASHING_WAIT, self.hands().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Err(AppError::LoginsBusy) };
        let worked = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        worked.await.map_err(|_| AppError::Broken)
    }
}

/// A new account; the caller has checked the password's rule. Hashing takes tens of milliseconds and blocks.
pub fn account(name: &UserName, role: Role, password: &str) -> Account {
    let password_hash = passwords::hash(password).unwrap_or_default();
    Account { name: name.clone(), role, disabled: false, password_hash, created_ms: clock::Clock::System.now_ms() }
}

/// Sees to it that the operator's first administrator exists. One that is there stays as it is: who changed its password or disabled it
/// since meant it.
pub(super) async fn ensure_administrator(store: &crate::store::Store, name: &UserName, password: &str) -> Result<(), StoreError> {
    if store.known(name).await?.account.is_some() {
        return Ok(());
    }
    let (name, password) = (name.clone(), password.to_owned());
    let made = tokio::task::spawn_blocking(move || account(&name, Role::Admin, &password)).await.map_err(|_| StoreError::Unavailable)?;
    // Another replica starting at the same moment may have been first: then it is there, which is what is wanted.
    store.add_account(&made).await.map(|_| ())
}
