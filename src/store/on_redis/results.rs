//! Replies kept whole for a while. They are large, so they go over connections of their own and hold up no turn.

use std::time::Duration;

use redis::Value;

use super::{RedisStore, script::KEEP};
use crate::{
    domain::{
        kept::{KeptReply, ResultId},
        limits::RESULTS_KEPT_MAX,
        slot::SessionSlot,
        user::UserName,
    },
    store::{
        contract::StoreError,
        envelope::Place,
        kept::{decode, encode},
        keys::UserKeys,
    },
};

impl RedisStore {
    pub async fn keep_result(&self, session: &SessionSlot, id: &ResultId, reply: &KeptReply, ttl: Duration) -> Result<(), StoreError> {
        let (user, keys) = (&session.user, UserKeys::at(&session.user, session.slot));
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        let kept = keys.result_prefix() + id.as_str();
        let record = self.envelopes.close(&Place::result(user, id.as_str()), encode(reply))?;
        let mut call = KEEP.on(&[&keys.results(), &kept]);
        call.arg(keys.result_prefix()).arg(id.as_str()).arg(&*record).arg(ttl_ms).arg(RESULTS_KEPT_MAX);
        self.apart(Some(&KEEP), &call).await.map(|_| ())
    }

    pub async fn kept_result(&self, user: &UserName, id: &ResultId) -> Result<Option<KeptReply>, StoreError> {
        let key = UserKeys::of(user).result_prefix() + id.as_str();
        match self.apart(None, redis::cmd("GET").arg(key)).await? {
            Value::Nil => Ok(None),
            Value::BulkString(stored) => {
                let record = self.envelopes.open(&Place::result(user, id.as_str()), stored)?;
                decode(&record).map(Some).ok_or(StoreError::Unreadable)
            }
            _ => Err(StoreError::Unavailable),
        }
    }
}
