//! API keys: fields of their user's account.

use redis::{Cmd, Value};

use super::{
    RedisStore,
    reply::{Parts, odd, refused, text},
    script::{KEY_LIST, KEY_MAKE, KEY_REMOVE, Script},
};
use crate::{
    domain::{limits::API_KEYS_PER_USER_MAX, scope::Scopes, user::UserName},
    store::{
        contract::{
            Caller, StoreError,
            credentials::Admitted,
            keys::{API_KEY_ID, KeptKey, KeyMade, NewKey},
            logins::StoppedRuns,
        },
        keys::UserKeys,
    },
};

impl RedisStore {
    pub async fn make_key(&self, caller: Caller<'_>, key: NewKey<'_>) -> Result<KeyMade, StoreError> {
        let mut call = self.about_keys(&KEY_MAKE, caller);
        call.arg(key.digest).arg(key.name).arg(key.scopes.text()).arg(key.lasts_ms).arg(API_KEYS_PER_USER_MAX);
        let (status, mut parts) = self.ask_relied_on(&KEY_MAKE, &call).await?;
        match status.as_str() {
            "OK" => {
                let (made_ms, ends_ms) = (parts.number()?, parts.number()?);
                Ok(KeyMade::Done(KeptKey { name: key.name.to_owned(), scopes: key.scopes, made_ms, ends_ms }))
            }
            "EXISTS" => Ok(KeyMade::Exists),
            "FULL" => Ok(KeyMade::Full),
            other => refused(other, &mut parts).map(KeyMade::Refused),
        }
    }

    /// By name.
    pub async fn keys_of(&self, caller: Caller<'_>) -> Result<Admitted<Vec<KeptKey>>, StoreError> {
        let (status, mut parts) = self.ask(&KEY_LIST, &self.about_keys(&KEY_LIST, caller)).await?;
        if status != "OK" {
            return refused(&status, &mut parts).map(Admitted::Refused);
        }
        let mut keys = Vec::new();
        for key in parts.list()? {
            let mut key = Parts::of(key)?;
            let (made_ms, ends_ms) = (key.number()?, key.number()?);
            keys.push(KeptKey { scopes: Scopes::stored(&key.text()?), name: key.text()?, made_ms, ends_ms });
        }
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Admitted::In(keys))
    }

    pub async fn remove_key(&self, caller: Caller<'_>, name: &str) -> Result<Admitted<Option<StoppedRuns>>, StoreError> {
        let keys = UserKeys::of(caller.user);
        let mut call = KEY_REMOVE.on(&[&keys.account(), &keys.revoked(), &keys.session(), &keys.slots()]);
        call.arg(caller.token_id).arg(caller.issued_ms).arg(self.rates.requests_per_minute).arg(name);
        let (status, mut parts) = self.ask_relied_on(&KEY_REMOVE, &call).await?;
        if status != "OK" {
            return refused(&status, &mut parts).map(Admitted::Refused);
        }
        let removed = parts.number()? > 0;
        let stopped = StoppedRuns { running: parts.stopped()?, waited: 0 };
        Ok(Admitted::In(removed.then_some(stopped)))
    }

    /// Whether it has ended is found out by whatever is done with it.
    pub async fn find_key(&self, user: &UserName, digest: &str) -> Result<Option<KeptKey>, StoreError> {
        let mut get = redis::cmd("HGET");
        get.arg(UserKeys::of(user).account()).arg(format!("{API_KEY_ID}{digest}"));
        match self.one(&get).await? {
            Value::Nil => Ok(None),
            kept => read(&text(kept)?).map(Some).ok_or_else(|| odd("a kept key")),
        }
    }

    fn about_keys(&self, script: &Script, caller: Caller<'_>) -> Cmd {
        let keys = UserKeys::of(caller.user);
        let mut call = script.on(&[&keys.account(), &keys.revoked()]);
        call.arg(caller.token_id).arg(caller.issued_ms).arg(self.rates.requests_per_minute);
        call
    }
}

/// `<made>|<ends>|<scopes>|<name>`
fn read(kept: &str) -> Option<KeptKey> {
    let mut parts = kept.splitn(4, '|');
    let (made_ms, ends_ms) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(KeptKey { scopes: Scopes::stored(parts.next()?), name: parts.next()?.to_owned(), made_ms, ends_ms })
}
