//! Changing one's own password.

use tracing::warn;

use super::{App, AppError, hashing::hashing, refresh::Admission};
use crate::{
    domain::{
        audit::{Action, Deed},
        scope::Scope,
        user::UserName,
    },
    secrets::{digest, passwords, tokens::Bearer},
    store::contract::{AccountChange, AdminAnswer, Changed, logins::Attempted},
};

impl App {
    /// Gives the caller a new password, which follows the rule, and new tokens: everything that was issued before is void. The old password is
    /// counted as one that is tried at a login. `from` is the address that the request comes from.
    ///
    /// # Errors
    /// Among others [`AppError::WrongPassword`] and [`AppError::LoginsLimited`].
    pub async fn change_own_password(&self, caller: &Bearer, old: &str, new: &str, from: &str) -> Result<Admission, AppError> {
        // Whether the token is good is asked with a scope, of which nothing depends.
        if let AdminAnswer::Refused(refused) = self.store().administrator(super::caller(caller), Scope::UsersRead).await? {
            return Err(refused.into());
        }
        let user = &caller.user;
        let (address, from) = (from, digest::of(&[from.as_bytes()]));
        // Before it is counted: who is told to come again has not tried.
        let hand = self.hand().await?;
        let (attempted, known) = tokio::join!(self.store().attempt(user, &from), self.store().known(user));
        self.allowed(attempted?, Some(user), address).await?;
        let hash = known?.account.ok_or(AppError::Revoked)?.password_hash;
        let (old, new, known) = (old.to_owned(), new.to_owned(), hash.clone());
        let hashed = hashing(hand, move || passwords::matches(&old, Some(&known)).then(|| passwords::hash(&new))).await?;
        let new = hashed.ok_or(AppError::WrongPassword)?.ok_or(AppError::Broken)?;
        // One that was set meanwhile stays: whoever set it may have done so because the old one was stolen.
        let changes = [AccountChange::Password(&new), AccountChange::MustChange(false)];
        match self.store().change_account_of(user, Some(&hash), &changes).await? {
            Changed::Done => {}
            Changed::OtherPassword => return Err(AppError::WrongPassword),
            Changed::NoUser => return Err(AppError::Revoked),
        }
        if let Err(error) = self.store().forgive(user, &from).await {
            warn!(%user, %error, "a right password counts as a failure, because the store did not take it back: {error}");
        }
        self.note_deed(Deed::new(Action::PasswordChanged).by(user).to(user)).await;
        // Dated behind what has just been voided.
        let known = self.store().known(user).await?;
        let account = known.account.filter(|account| !account.disabled).ok_or(AppError::Revoked)?;
        self.admit(&account, known.now_ms).await
    }

    /// Goes on if a password may be tried: for a user, or for anybody from this address.
    pub(super) async fn allowed(&self, attempted: Attempted, user: Option<&UserName>, address: &str) -> Result<(), AppError> {
        match attempted {
            Attempted::Counted => Ok(()),
            Attempted::Limited { retry_after_ms, first } => {
                if first {
                    let deed = Deed::new(Action::LoginThrottled).with("address", address);
                    self.note_deed(if let Some(user) = user { deed.to(user) } else { deed.with("names", "all") }).await;
                }
                Err(AppError::LoginsLimited { retry_after_ms })
            }
        }
    }
}
