//! Replies kept whole for a while. They are large, so they go over connections of their own and hold up no turn.

use std::time::Duration;

use redis::{Cmd, Value};

use super::{
    RedisStore, forgotten, late, lost,
    script::{KEEP, Script},
};
use crate::{
    domain::{
        kept::{KeptReply, ResultId},
        limits::RESULTS_KEPT_MAX,
        user::UserName,
    },
    store::{
        contract::StoreError,
        kept::{decode, encode},
        keys::UserKeys,
    },
};

impl RedisStore {
    pub async fn keep_result(&self, user: &UserName, id: &ResultId, reply: &KeptReply, ttl: Duration) -> Result<(), StoreError> {
        let keys = UserKeys::of(user);
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut call = KEEP.on(&[&keys.results()]);
        call.arg(keys.result_prefix()).arg(id.as_str()).arg(encode(reply)).arg(ttl_ms).arg(RESULTS_KEPT_MAX);
        self.apart(Some(&KEEP), &call).await.map(|_| ())
    }

    pub async fn kept_result(&self, user: &UserName, id: &ResultId) -> Result<Option<KeptReply>, StoreError> {
        let key = UserKeys::of(user).result_prefix() + id.as_str();
        match self.apart(None, redis::cmd("GET").arg(key)).await? {
            Value::Nil => Ok(None),
            Value::BulkString(record) => decode(&record).map(Some).ok_or(StoreError::Unreadable),
            _ => Err(StoreError::Unavailable),
        }
    }

    /// One command over a connection of its own; all attempts within one deadline. What is called here can be repeated.
    async fn apart(&self, script: Option<&Script>, call: &Cmd) -> Result<Value, StoreError> {
        let attempts = async {
            let mut connection = self.own().await?;
            let mut answer = call.query_async::<Value>(&mut connection).await;
            if answer.as_ref().is_err_and(lost) {
                connection = self.own().await?;
                answer = call.query_async(&mut connection).await;
            }
            if let Some(script) = script.filter(|_| answer.as_ref().is_err_and(forgotten)) {
                let loaded = redis::cmd("SCRIPT").arg("LOAD").arg(script.text()).query_async::<Value>(&mut connection).await;
                loaded.map_err(|e| self.told(&e))?;
                answer = call.query_async(&mut connection).await;
            }
            answer.map_err(|e| self.told(&e))
        };
        tokio::time::timeout(self.deadline, attempts).await.unwrap_or_else(|_| Err(self.told(&late())))
    }
}
