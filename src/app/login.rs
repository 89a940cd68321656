//! Names and passwords against tokens, and the accounts behind them.

use tracing::warn;

use super::{App, AppError, hashing::hashing, refresh::Admission};
use crate::{
    clock,
    domain::{
        limits::PASSWORD_BYTES_MAX,
        user::{Account, Role, UserName},
    },
    metrics::{LoginOutcome, metrics},
    secrets::{
        digest, passwords,
        refresh::RefreshToken,
        tokens::{Bearer, TokenError},
    },
    store::contract::{
        Added, Known,
        logins::{Attempted, Login, Opened},
        overview::LoginEnd,
    },
};

impl App {
    /// A token for a user who knows the password. Unknown, disabled and wrong are one answer, after the same time; after too many of them from
    /// one address, or for one account, nothing is tried for a while. `from` is the address that the request comes from.
    pub async fn log_in(&self, name: &str, password: &str, from: &str) -> Result<Admission, AppError> {
        let done = self.try_password(name, password, from).await;
        let (outcome, end) = match &done {
            Ok(_) => (LoginOutcome::Admitted, Some(LoginEnd::Succeeded)),
            Err(AppError::WrongCredentials) => (LoginOutcome::WrongCredentials, Some(LoginEnd::Failed)),
            Err(AppError::LoginsLimited { .. }) => (LoginOutcome::Limited, Some(LoginEnd::Throttled)),
            // Nobody knows what would have come of it.
            Err(_) => (LoginOutcome::Failed, None),
        };
        metrics().login(outcome);
        if let Some(end) = end {
            self.count_login(end);
        }
        done
    }

    async fn try_password(&self, name: &str, password: &str, from: &str) -> Result<Admission, AppError> {
        let Some(user) = UserName::new(name).filter(|_| password.len() <= PASSWORD_BYTES_MAX) else {
            return Err(AppError::WrongCredentials);
        };
        let (address, from) = (from, digest::of(&[from.as_bytes()]));
        // Before it is counted: who is told to come again has not tried.
        let hand = self.hand().await?;
        let known = self.may_log_in(&user, &from, address).await?;
        let account = known.account.filter(|account| !account.disabled);
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let password = password.to_owned();
        let matches = hashing(hand, move || passwords::matches(&password, hash.as_deref())).await?;
        match account {
            Some(account) if matches => {
                let taken_back = async {
                    let bounded = self.settings().auth.login_failures_per_address > 0;
                    if bounded { self.store().take_back_from(&from).await } else { Ok(()) }
                };
                let (forgiven, taken_back, admission) =
                    tokio::join!(self.store().forgive(&user, &from), taken_back, self.admit(&account, known.now_ms));
                if let Err(error) = forgiven.and(taken_back) {
                    warn!(%user, %error, "a login counts as a failure, because the store did not take it back: {error}");
                }
                admission
            }
            _ => Err(AppError::WrongCredentials),
        }
    }

    /// The account behind a name, if a password may be tried for it from there. All that is asked of the store is asked at once: what an address
    /// has tried is kept apart from what concerns the user, on a Cluster by another node, and a login must not wait for one after the other. So the
    /// address is known before anything is hashed, and what was counted in one place and refused in the other is taken back: behind one address,
    /// whoever goes on with one name that is refused uses up nothing that others need, and nobody's name pays for what others tried.
    async fn may_log_in(&self, user: &UserName, from: &str, address: &str) -> Result<Known, AppError> {
        let store = self.store();
        let of_address = async {
            match self.settings().auth.login_failures_per_address {
                0 => Ok(Attempted::Counted),
                failures_max => store.attempt_from(from, failures_max).await,
            }
        };
        let (of_account, of_address, known) = tokio::join!(store.attempt(user, from), of_address, store.known(user));
        let (of_account, of_address) = (of_account?, of_address?);
        let taken_back = match (of_account, of_address) {
            (Attempted::Counted, Attempted::Limited { .. }) => store.take_back(user, from).await,
            (Attempted::Limited { .. }, Attempted::Counted) if self.settings().auth.login_failures_per_address > 0 => {
                store.take_back_from(from).await
            }
            _ => Ok(()),
        };
        if let Err(error) = taken_back {
            warn!(%user, %error, "a login that was refused counts as a failure, because the store did not take it back: {error}");
        }
        self.allowed(of_account, Some(user), address).await?;
        self.allowed(of_address, None, address).await?;
        Ok(known?)
    }

    /// The tokens of somebody who proved who they are.
    pub(super) async fn admit(&self, account: &Account, born_ms: u64) -> Result<Admission, AppError> {
        if account.must_change {
            let issued = self.tokens().issue_for_password(&account.name, account.role, born_ms).ok_or(AppError::Broken)?;
            let (token, expires_in_secs) = (issued.token, issued.expires_in_secs);
            return Ok(Admission { user: account.name.clone(), token, expires_in_secs, refresh: None });
        }
        let refresh = RefreshToken::first(&account.name);
        let (family, token) = (refresh.family(), refresh.digest());
        let login = Login { user: &account.name, born_ms, family: &family, token: &token, lasts_ms: self.refresh_ms() };
        match self.store().log_in(login).await? {
            Opened::Done => self.admission(account.role, &refresh, born_ms),
            // What was proved is not true any more.
            Opened::Revoked => Err(AppError::WrongCredentials),
        }
    }

    /// Adds a user; false if the name is taken. The caller has checked the password's rule.
    pub async fn add_user(&self, name: &UserName, role: Role, password: &str) -> Result<bool, AppError> {
        let (name, password) = (name.clone(), password.to_owned());
        let account = hashing(self.hand().await?, move || account(&name, role, &password)).await?;
        Ok(self.store().add_account(&account).await? == Added::New)
    }

    /// Whom an access token names. Revocation is found out by the store, with whatever the request does there.
    pub fn bearer(&self, token: &str) -> Result<Bearer, TokenError> {
        self.tokens().check(token, self.now_ms())
    }
}

/// A new account; the caller has checked the password's rule. Hashing takes tens of milliseconds and blocks.
pub fn account(name: &UserName, role: Role, password: &str) -> Account {
    let password_hash = passwords::hash(password).unwrap_or_default();
    Account {
        name: name.clone(),
        role,
        scopes: None,
        disabled: false,
        must_change: false,
        password_hash,
        created_ms: clock::Clock::System.now_ms(),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::{domain::limits::LOGIN_FAILURES_FROM_ADDRESS_MAX, settings::Settings};

    const PASSWORD: &str = "correct horse battery";

    #[tokio::test]
    async fn a_login_that_is_told_to_come_again_is_not_counted_as_a_failure() {
        let data = tempfile::tempdir().unwrap();
        let mut settings = Settings::builtin();
        settings.store.data_dir = data.path().to_owned();
        settings.auth.logins_at_once = std::num::NonZeroUsize::new(1);
        let app = App::build(settings).await.unwrap();
        app.add_user(&UserName::new("ann").unwrap(), Role::User, PASSWORD).await.unwrap();
        // Somebody else's password is being hashed, and takes long.
        let hand = app.hand().await.unwrap();
        let logins = join_all((0..=LOGIN_FAILURES_FROM_ADDRESS_MAX).map(|_| app.log_in("ann", PASSWORD, "here"))).await;
        assert!(logins.iter().all(|login| login.as_ref().err() == Some(&AppError::LoginsBusy)));
        drop(hand);
        assert!(app.log_in("ann", PASSWORD, "here").await.is_ok());
    }
}
