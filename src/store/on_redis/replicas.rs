//! Which replicas there are: one hash in a slot of its own, written by each of them now and then, and beside no request. With plain commands: it is
//! no harm if two of them find out at once that a third is dead.

use redis::Value;

use super::{
    RedisStore,
    admin::time_ms,
    reply::{odd, text},
};
use crate::{
    domain::limits::REPLICA_LASTS_MS,
    store::{
        contract::{
            StoreError,
            replicas::{Alive, Replica},
        },
        keys::REPLICAS,
        replicas,
    },
};

/// What the hash has under a name: when it was said, and what.
struct Said {
    id: String,
    seen_ms: u64,
    record: String,
}

impl Said {
    fn counts(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.seen_ms) <= REPLICA_LASTS_MS
    }
}

impl RedisStore {
    pub async fn beat(&self, replica: &Replica) -> Result<(), StoreError> {
        let now_ms = self.now_ms().await?;
        let record = [format!("{now_ms}|").into_bytes(), replicas::encode(replica)].concat();
        let mut pipe = redis::pipe();
        pipe.cmd("HSET").arg(REPLICAS).arg(&replica.id).arg(record);
        pipe.cmd("PEXPIRE").arg(REPLICAS).arg(REPLICA_LASTS_MS);
        pipe.cmd("HGETALL").arg(REPLICAS);
        let said = self.pipeline(&pipe).await?.pop().map_or_else(|| Ok(Vec::new()), said)?;
        let dead: Vec<&str> = said.iter().filter(|said| !said.counts(now_ms)).map(|said| said.id.as_str()).collect();
        if !dead.is_empty() {
            self.one(redis::cmd("HDEL").arg(REPLICAS).arg(dead)).await?;
        }
        Ok(())
    }

    pub async fn replica_goes(&self, id: &str) -> Result<(), StoreError> {
        self.one(redis::cmd("HDEL").arg(REPLICAS).arg(id)).await.map(drop)
    }

    pub async fn replicas(&self) -> Result<Vec<Alive>, StoreError> {
        let mut pipe = redis::pipe();
        pipe.cmd("TIME");
        pipe.cmd("HGETALL").arg(REPLICAS);
        let mut answers = self.pipeline(&pipe).await?.into_iter();
        let now_ms = time_ms(answers.next().as_ref())?;
        let said = said(answers.next().unwrap_or_default())?;
        let alive = said.into_iter().filter(|said| said.counts(now_ms));
        let decoded = alive
            .filter_map(|Said { id, seen_ms, record }| replicas::decode(&id, record.as_bytes()).map(|replica| Alive { replica, seen_ms }));
        Ok(decoded.collect())
    }
}

/// `id, <seen ms>|<record>, …`; what makes no sense was never said.
fn said(answer: Value) -> Result<Vec<Said>, StoreError> {
    let mut parts = match answer {
        Value::Map(pairs) => pairs.into_iter().flat_map(|(id, said)| [id, said]).collect(),
        Value::Array(parts) => parts,
        _ => return Err(odd("a hash")),
    }
    .into_iter();
    let mut found = Vec::new();
    while let (Some(id), Some(value)) = (parts.next(), parts.next()) {
        let (id, value) = (text(id)?, text(value)?);
        let (seen, record) = value.split_once('|').unwrap_or(("", ""));
        found.push(Said { id, seen_ms: seen.parse().unwrap_or_default(), record: record.to_owned() });
    }
    Ok(found)
}
