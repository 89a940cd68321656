//! Users, stored beside the sessions.

use redb::{ReadableDatabase, ReadableTable};
use tracing::warn;

use super::{
    EmbeddedStore, Fault,
    stored::{StoredAccount, decode, encode},
    tables::{ACCOUNTS, Bytes, Text},
};
use crate::{
    domain::{
        scope::Scopes,
        turn::Stop,
        user::{Account, Role, UserName},
    },
    store::{
        contract::{AccountChange, AccountsPage, Added, Changed, Known, StoreError},
        keys::{UserKeys, escaped, user_of},
    },
};

/// A change that owns its words.
enum Change {
    Password(String),
    Role(Role),
    Scopes(Option<Scopes>),
    Disabled(bool),
    NewPasswordNeeded(bool),
}

impl EmbeddedStore {
    /// The account behind a name, and the store's clock.
    pub async fn known(&self, user: &UserName) -> Result<Known, StoreError> {
        let user = user.clone();
        self.work(move |inner| {
            let accounts = inner.database.begin_read()?.open_table(ACCOUNTS)?;
            let account = account_of(&accounts, &escaped(&user))?.map(|stored| stored.account(&user)).transpose()?;
            Ok(Known { account, now_ms: inner.clock.now_ms() })
        })
        .await
    }

    pub async fn add_account(&self, account: &Account) -> Result<Added, StoreError> {
        let account = account.clone();
        self.work(move |inner| {
            inner.write(|book| {
                let key = escaped(&account.name);
                if book.accounts.get(key.as_str())?.is_some() {
                    return Ok(Added::Exists);
                }
                book.accounts.insert(key.as_str(), encode(&StoredAccount::of(&account, book.now)).as_slice())?;
                book.changed = true;
                Ok(Added::New)
            })
        })
        .await
    }

    pub async fn change_account(&self, user: &UserName, hash: Option<&str>, changes: &[AccountChange<'_>]) -> Result<Changed, StoreError> {
        let keys = UserKeys::of(user);
        let (key, user) = (keys.listed().to_owned(), user.clone());
        let void = changes.iter().any(AccountChange::voids_tokens);
        let owned = changes.iter().map(|change| match *change {
            AccountChange::Password(hash) => Change::Password(hash.to_owned()),
            AccountChange::Role(role) => Change::Role(role),
            AccountChange::Scopes(scopes) => Change::Scopes(scopes),
            AccountChange::Disabled(disabled) => Change::Disabled(disabled),
            AccountChange::MustChange(must) => Change::NewPasswordNeeded(must),
        });
        let (changes, hash): (Vec<Change>, _) = (owned.collect(), hash.map(str::to_owned));
        self.work(move |inner| {
            inner.write(|book| {
                let Some(mut account) = account_of(&book.accounts, &key)? else { return Ok(Changed::NoUser) };
                let repeated = changes.iter().any(|change| matches!(change, Change::Password(new) if account.has_password(new)));
                if !repeated && hash.is_some_and(|hash| !account.has_password(&hash)) {
                    return Ok(Changed::OtherPassword);
                }
                for change in changes {
                    match change {
                        Change::Password(hash) => account.set_password_hash(&hash),
                        Change::Role(role) => {
                            account.set_role(role);
                            account.set_scopes(None);
                        }
                        Change::Scopes(scopes) => account.set_scopes(scopes),
                        Change::Disabled(disabled) => account.disabled = disabled,
                        Change::NewPasswordNeeded(must) => account.must_change = must,
                    }
                }
                if void {
                    account.tokens_from = book.now;
                    for member in book.members_of(&user)? {
                        // A session that cannot be read runs nothing.
                        if let Some(mut session) = book.session(&member).unwrap_or_default().filter(|session| session.held.is_some()) {
                            session.stop = Some(Stop::Revoked.as_str().to_owned());
                            book.prolong(&member, &mut session)?;
                        }
                    }
                }
                book.accounts.insert(key.as_str(), encode(&account).as_slice())?;
                book.changed = true;
                Ok(Changed::Done)
            })
        })
        .await
    }

    pub async fn accounts_after(&self, after: Option<&UserName>, limit: usize) -> Result<AccountsPage, StoreError> {
        let after = after.cloned();
        self.work(move |inner| {
            let stored = inner.database.begin_read()?.open_table(ACCOUNTS)?;
            let mut users = Vec::new();
            for entry in stored.iter()? {
                users.extend(user_of(entry?.0.value()).filter(|user| after.as_ref().is_none_or(|after| user > after)));
            }
            // Escaped names are in another order.
            users.sort();
            let more = users.len() > limit;
            users.truncate(limit);
            let next = users.last().filter(|_| more).cloned();
            let mut accounts = Vec::new();
            for user in users {
                let Some(record) = stored.get(escaped(&user).as_str())? else { continue };
                match decode::<StoredAccount>(record.value()).and_then(|account| account.account(&user)) {
                    Ok(account) => accounts.push(account),
                    Err(_) => warn!(%user, "the account of {user} cannot be read"),
                }
            }
            Ok(AccountsPage { accounts, next })
        })
        .await
    }
}

pub(super) fn account_of(accounts: &impl ReadableTable<Text, Bytes>, key: &str) -> Result<Option<StoredAccount>, Fault> {
    accounts.get(key)?.map(|record| decode(record.value())).transpose()
}
