//! Users, stored beside the sessions.

use redis::Value;
use tracing::warn;

use super::{
    RedisStore,
    admin::scopes_of,
    reply::{number, text},
    script::{ACCOUNT_ADD, ACCOUNT_CHANGE, ACCOUNT_REMOVE},
};
use crate::{
    domain::{
        scope::Scopes,
        user::{Account, Role, UserName},
    },
    store::{
        contract::{AccountChange, AccountsPage, Added, Changed, Known, StoreError},
        keys::{BucketKeys, UserKeys, user_of},
    },
};

const FIELDS: [&str; 6] = ["role", "ph", "dis", "ca", "sc", "mc"];

impl RedisStore {
    /// The account behind a name, and the store's clock, in one round trip.
    pub async fn known(&self, user: &UserName) -> Result<Known, StoreError> {
        let mut pipe = redis::pipe();
        pipe.cmd("TIME");
        pipe.cmd("HMGET").arg(UserKeys::of(user).account()).arg(&FIELDS);
        let mut answers = self.pipeline(&pipe).await?.into_iter();
        let now_ms = super::admin::time_ms(answers.next().as_ref())?;
        let account = account_of(user, answers.next().unwrap_or_default())?;
        Ok(Known { account, now_ms })
    }

    pub async fn add_account(&self, account: &Account) -> Result<Added, StoreError> {
        let keys = UserKeys::of(&account.name);
        let mut call = ACCOUNT_ADD.on(&[&keys.account(), &keys.bucket().users()]);
        call.arg(account.role.as_str()).arg(&account.password_hash).arg(keys.listed());
        call.arg(u8::from(account.scopes.is_some())).arg(account.scopes.unwrap_or_default().text());
        call.arg(u8::from(account.must_change));
        let added = number(&self.run_relied_on(&ACCOUNT_ADD, &call).await?)?;
        Ok(if added == 1 { Added::New } else { Added::Exists })
    }

    pub async fn change_account(&self, user: &UserName, hash: Option<&str>, changes: &[AccountChange<'_>]) -> Result<Changed, StoreError> {
        let keys = UserKeys::of(user);
        let mut call = ACCOUNT_CHANGE.on(&[&keys.account(), &keys.session(), &keys.slots()]);
        call.arg(u8::from(changes.iter().any(AccountChange::voids_tokens))).arg(hash.unwrap_or_default());
        let mut set = |field: &str, value: Option<&str>| {
            call.arg(field).arg(value.unwrap_or_default()).arg(u8::from(value.is_none()));
        };
        for change in changes {
            match change {
                AccountChange::Password(hash) => set("ph", Some(hash)),
                AccountChange::Role(role) => {
                    set("role", Some(role.as_str()));
                    set("sc", None);
                }
                AccountChange::Scopes(scopes) => set("sc", scopes.map(Scopes::text).as_deref()),
                AccountChange::MustChange(must) => set("mc", must.then_some("1")),
                AccountChange::Disabled(disabled) => set("dis", Some(if *disabled { "1" } else { "0" })),
            }
        }
        match number(&self.run_relied_on(&ACCOUNT_CHANGE, &call).await?)? {
            0 => Ok(Changed::NoUser),
            1 => Ok(Changed::Done),
            _ => Ok(Changed::OtherPassword),
        }
    }

    pub async fn remove_account(&self, user: &UserName) -> Result<bool, StoreError> {
        let keys = UserKeys::of(user);
        let else_of_theirs = [
            keys.bucket().users(),
            keys.credentials(),
            keys.refresh(),
            keys.revoked(),
            keys.failures(None),
            keys.tokens(),
            keys.reservations(),
        ];
        let mut call = ACCOUNT_REMOVE.on_all(keys.ending().into_iter().chain(else_of_theirs));
        call.arg(keys.member()).arg(keys.result_prefix()).arg(keys.listed());
        Ok(number(&self.run_relied_on(&ACCOUNT_REMOVE, &call).await?)? == 1)
    }

    pub async fn accounts_after(&self, after: Option<&UserName>, limit: usize) -> Result<AccountsPage, StoreError> {
        let mut listing = redis::pipe();
        for bucket in BucketKeys::all() {
            listing.cmd("SMEMBERS").arg(bucket.users());
        }
        let members = self.long_pipeline(&listing).await?.into_iter().map(members).collect::<Result<Vec<_>, _>>()?;
        let mut users: Vec<UserName> = members.iter().flatten().filter_map(|member| user_of(member)).collect();
        users.retain(|user| after.is_none_or(|after| user > after));
        users.sort();
        let more = users.len() > limit;
        users.truncate(limit);
        let next = users.last().filter(|_| more).cloned();
        if users.is_empty() {
            return Ok(AccountsPage { accounts: Vec::new(), next });
        }
        let mut reading = redis::pipe();
        for user in &users {
            reading.cmd("HMGET").arg(UserKeys::of(user).account()).arg(&FIELDS);
        }
        let found = self.long_pipeline(&reading).await?;
        let mut accounts = Vec::with_capacity(users.len());
        for (user, fields) in users.iter().zip(found) {
            match account_of(user, fields) {
                Ok(account) => accounts.extend(account),
                Err(StoreError::Unreadable) => warn!(%user, "the account of {user} cannot be read"),
                Err(error) => return Err(error),
            }
        }
        Ok(AccountsPage { accounts, next })
    }
}

pub(super) fn members(answer: Value) -> Result<Vec<String>, StoreError> {
    match answer {
        Value::Array(members) | Value::Set(members) => members.into_iter().map(text).collect(),
        _ => Err(StoreError::Unavailable),
    }
}

fn account_of(user: &UserName, fields: Value) -> Result<Option<Account>, StoreError> {
    let Value::Array(fields) = fields else { return Err(StoreError::Unavailable) };
    let Ok([role, hash, disabled, created, scopes, must_change]) = <[Value; 6]>::try_from(fields) else {
        return Err(StoreError::Unavailable);
    };
    if role == Value::Nil {
        return Ok(None);
    }
    Ok(Some(Account {
        name: user.clone(),
        role: Role::parse(&text(role)?).ok_or(StoreError::Unreadable)?,
        scopes: scopes_of(scopes)?,
        disabled: disabled == Value::BulkString(b"1".to_vec()),
        must_change: must_change == Value::BulkString(b"1".to_vec()),
        password_hash: text(hash)?,
        created_ms: number(&created)?,
    }))
}
