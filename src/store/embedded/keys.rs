//! API keys: parts of their user's account. As `keys.lua` and what stands behind it.

use redb::ReadableDatabase;

use super::{
    EmbeddedStore,
    accounts::account_of,
    callers::Who,
    stored::{StoredApiKey, encode},
    tables::ACCOUNTS,
};
use crate::{
    domain::{limits::API_KEYS_PER_USER_MAX, turn::Stop, user::UserName},
    store::{
        contract::{
            Caller, Refused, StoreError,
            credentials::Admitted,
            keys::{KeptKey, KeyMade, NewKey},
            logins::{StoppedRun, StoppedRuns},
        },
        keys::escaped,
    },
};

impl EmbeddedStore {
    pub async fn make_key(&self, caller: Caller<'_>, key: NewKey<'_>) -> Result<KeyMade, StoreError> {
        let (who, digest, name) = (Who::from(caller), key.digest.to_owned(), key.name.to_owned());
        let NewKey { scopes, lasts_ms, .. } = key;
        self.work(move |inner| {
            inner.write(|book| {
                if let Err(refused) = inner.let_in(&book.accounts, &book.revoked, &who, book.now)? {
                    return Ok(KeyMade::Refused(refused));
                }
                let now = book.now;
                let Some(mut account) = account_of(&book.accounts, &who.key)? else { return Ok(KeyMade::Refused(Refused::Revoked)) };
                account.keys.retain(|_, key| key.ends > now);
                // The answer to this very request was lost.
                if let Some(key) = account.keys.get(&digest) {
                    return Ok(KeyMade::Done(key.kept()));
                }
                if account.keys.values().any(|key| key.name == name) {
                    return Ok(KeyMade::Exists);
                }
                if account.keys.len() >= API_KEYS_PER_USER_MAX {
                    return Ok(KeyMade::Full);
                }
                let key = StoredApiKey { name, scopes: scopes.text(), made: now, ends: now.saturating_add(lasts_ms) };
                let made = key.kept();
                account.keys.insert(digest, key);
                book.accounts.insert(who.key.as_str(), encode(&account).as_slice())?;
                book.changed = true;
                Ok(KeyMade::Done(made))
            })
        })
        .await
    }

    /// By name.
    pub async fn keys_of(&self, caller: Caller<'_>) -> Result<Admitted<Vec<KeptKey>>, StoreError> {
        let who = Who::from(caller);
        self.work(move |inner| {
            let transaction = inner.database.begin_read()?;
            let now = inner.clock.now_ms();
            let accounts = transaction.open_table(ACCOUNTS)?;
            if let Err(refused) = inner.let_in(&accounts, &transaction.open_table(super::tables::REVOKED)?, &who, now)? {
                return Ok(Admitted::Refused(refused));
            }
            let account = account_of(&accounts, &who.key)?;
            let all = account.iter().flat_map(|account| account.keys.values());
            let mut keys: Vec<KeptKey> = all.filter(|key| key.ends > now).map(StoredApiKey::kept).collect();
            keys.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(Admitted::In(keys))
        })
        .await
    }

    pub async fn remove_key(&self, caller: Caller<'_>, name: &str) -> Result<Admitted<Option<StoppedRuns>>, StoreError> {
        let (who, name) = (Who::from(caller), name.to_owned());
        self.work(move |inner| {
            inner.write(|book| {
                if let Err(refused) = inner.let_in(&book.accounts, &book.revoked, &who, book.now)? {
                    return Ok(Admitted::Refused(refused));
                }
                let now = book.now;
                let Some(mut account) = account_of(&book.accounts, &who.key)? else { return Ok(Admitted::Refused(Refused::Revoked)) };
                let named = account.keys.iter().find(|(_, key)| key.name == name && key.ends > now);
                let Some(digest) = named.map(|(digest, _)| digest.clone()) else { return Ok(Admitted::In(None)) };
                account.keys.remove(&digest);
                book.accounts.insert(who.key.as_str(), encode(&account).as_slice())?;
                book.changed = true;
                let mut stopped = StoppedRuns::default();
                // A session that cannot be read runs nothing.
                for member in book.members_of(&who.user)? {
                    if let Some(mut session) = book.session(&member).unwrap_or_default()
                        && let Some(held) = session.held.as_ref().filter(|held| held.key.as_ref() == Some(&digest))
                    {
                        stopped.running.push(StoppedRun { run: held.run.clone(), left_ms: held.until.saturating_sub(now) });
                        session.stop.get_or_insert_with(|| Stop::Revoked.as_str().to_owned());
                        book.prolong(&member, &mut session)?;
                    }
                }
                Ok(Admitted::In(Some(stopped)))
            })
        })
        .await
    }

    /// Whether it has ended is found out by whatever is done with it.
    pub async fn find_key(&self, user: &UserName, digest: &str) -> Result<Option<KeptKey>, StoreError> {
        let (user, digest) = (escaped(user), digest.to_owned());
        self.work(move |inner| {
            let account = account_of(&inner.database.begin_read()?.open_table(ACCOUNTS)?, &user)?;
            Ok(account.and_then(|account| account.keys.get(&digest).map(StoredApiKey::kept)))
        })
        .await
    }
}
