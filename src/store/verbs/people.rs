//! Accounts, sign-ins, API keys, credentials of their own.

use super::either;
use crate::{
    domain::user::{Account, UserName},
    store::{
        Store,
        contract::{
            AccountChange, AccountsPage, Added, Caller, Changed, Known, StoreError,
            credentials::{Admitted, CredentialPut, OwnCredential},
            keys::{KeptKey, KeyMade, NewKey},
            logins::{Attempted, LoggedOut, Login, Logout, Opened, Rotated, Rotation, StoppedRuns},
        },
    },
};

impl Store {
    pub async fn known(&self, user: &UserName) -> Result<Known, StoreError> {
        either!(self.known(user))
    }

    pub async fn add_account(&self, account: &Account) -> Result<Added, StoreError> {
        either!(self.add_account(account))
    }

    /// One change, as [`Store::change_account_so`].
    pub async fn change_account(&self, user: &UserName, change: AccountChange<'_>) -> Result<bool, StoreError> {
        self.change_account_so(user, &[change]).await
    }

    /// All these changes in their order, or none; false if there is no such user.
    pub async fn change_account_so(&self, user: &UserName, changes: &[AccountChange<'_>]) -> Result<bool, StoreError> {
        Ok(self.change_account_of(user, None, changes).await? == Changed::Done)
    }

    /// As [`Store::change_account_so`], but with a hash only as long as the user's password is the one behind it.
    pub async fn change_account_of(
        &self,
        user: &UserName,
        hash: Option<&str>,
        changes: &[AccountChange<'_>],
    ) -> Result<Changed, StoreError> {
        either!(self.change_account(user, hash, changes))
    }

    /// All accounts, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        Ok(self.accounts_after(None, usize::MAX).await?.accounts)
    }

    /// At most `limit` accounts whose names come after this one, by name. One that cannot be read is left out, and the log says which.
    pub async fn accounts_after(&self, after: Option<&UserName>, limit: usize) -> Result<AccountsPage, StoreError> {
        either!(self.accounts_after(after, limit))
    }

    /// Removes a user with the session and everything else that is kept of them; false if there is no such user.
    pub async fn remove_account(&self, user: &UserName) -> Result<bool, StoreError> {
        either!(self.remove_account(user))
    }

    /// A password is about to be tried for an account, there or not, from an address (its digest): counted as a failure until `forgive`.
    pub async fn attempt(&self, user: &UserName, from: &str) -> Result<Attempted, StoreError> {
        either!(self.attempt(user, from))
    }

    /// A password is about to be tried from an address (its digest), for whatever account: counted as a failure until `take_back_from`.
    pub async fn attempt_from(&self, from: &str, failures_max: u32) -> Result<Attempted, StoreError> {
        either!(self.attempt_from(from, failures_max))
    }

    /// The password that was counted for an account was not tried after all.
    pub async fn take_back(&self, user: &UserName, from: &str) -> Result<(), StoreError> {
        either!(self.take_back(user, from))
    }

    /// The password that was counted for an address was right, or was not tried after all. What failed from there besides is not forgotten: whoever
    /// has a password of their own must not be able to have it forgotten.
    pub async fn take_back_from(&self, from: &str) -> Result<(), StoreError> {
        either!(self.take_back_from(from))
    }

    /// The password that was tried from there was the right one.
    pub async fn forgive(&self, user: &UserName, from: &str) -> Result<(), StoreError> {
        either!(self.forgive(user, from))
    }

    /// Begins a family of refresh tokens. Repeating it is safe.
    pub async fn log_in(&self, login: Login<'_>) -> Result<Opened, StoreError> {
        either!(self.log_in(login))
    }

    /// Exchanges a refresh token for its successor. Repeating it is safe for [`REFRESH_GRACE_MS`](crate::domain::limits::REFRESH_GRACE_MS).
    pub async fn rotate(&self, rotation: Rotation<'_>) -> Result<Rotated, StoreError> {
        either!(self.rotate(rotation))
    }

    /// Revokes the caller's token with its family, or everything of the user's. It holds for the next request at any replica.
    pub async fn log_out(&self, logout: Logout<'_>) -> Result<LoggedOut, StoreError> {
        either!(self.log_out(logout))
    }

    /// Makes an API key for the caller. Repeating it is safe.
    pub async fn make_key(&self, caller: Caller<'_>, key: NewKey<'_>) -> Result<KeyMade, StoreError> {
        either!(self.make_key(caller, key))
    }

    /// The caller's API keys that have not ended, by name.
    pub async fn keys_of(&self, caller: Caller<'_>) -> Result<Admitted<Vec<KeptKey>>, StoreError> {
        either!(self.keys_of(caller))
    }

    /// Takes a caller's API key away, by its name, and has the run stop that was begun with it, if it holds the session; `None` if there is no
    /// such key.
    pub async fn remove_key(&self, caller: Caller<'_>, name: &str) -> Result<Admitted<Option<StoppedRuns>>, StoreError> {
        either!(self.remove_key(caller, name))
    }

    /// What a user's API key is, by its digest. It lets nobody in: that is found out with whatever is done with it.
    pub async fn find_key(&self, user: &UserName, digest: &str) -> Result<Option<KeptKey>, StoreError> {
        either!(self.find_key(user, digest))
    }

    /// The caller's own credentials for the API, by their places. Makes no session.
    pub async fn own_credentials(&self, caller: Caller<'_>) -> Result<Admitted<Vec<OwnCredential>>, StoreError> {
        either!(self.own_credentials(caller))
    }

    /// A user's own credentials, for somebody who has been let in as that user: no rate is counted.
    pub async fn credentials_of(&self, user: &UserName) -> Result<Vec<OwnCredential>, StoreError> {
        either!(self.credentials_of(user))
    }

    /// Puts a caller's own credential, sealed by now, in its place. Repeating it is safe.
    pub async fn put_credential(
        &self,
        caller: Caller<'_>,
        place: &str,
        kind: &str,
        sealed: &[u8],
    ) -> Result<Admitted<CredentialPut>, StoreError> {
        either!(self.put_credential(caller, place, kind, sealed))
    }

    /// Takes a caller's own credential away; false if there was none.
    pub async fn remove_credential(&self, caller: Caller<'_>, place: &str) -> Result<Admitted<bool>, StoreError> {
        either!(self.remove_credential(caller, place))
    }
}
