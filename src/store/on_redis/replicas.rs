//! Which replicas there are: one hash in a slot of its own, written by each of them now and then, and beside no request.

use super::{
    RedisStore,
    reply::Parts,
    script::{ALIVE, BEAT},
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

impl RedisStore {
    pub async fn beat(&self, replica: &Replica) -> Result<(), StoreError> {
        self.say_of(&replica.id, &replicas::encode(replica)).await
    }

    pub async fn replica_goes(&self, id: &str) -> Result<(), StoreError> {
        self.say_of(id, b"").await
    }

    async fn say_of(&self, id: &str, record: &[u8]) -> Result<(), StoreError> {
        let mut call = BEAT.on(&[REPLICAS]);
        call.arg(id).arg(record).arg(REPLICA_LASTS_MS);
        self.run(&BEAT, &call).await.map(drop)
    }

    pub async fn replicas(&self) -> Result<Vec<Alive>, StoreError> {
        let mut call = ALIVE.on(&[REPLICAS]);
        call.arg(REPLICA_LASTS_MS);
        let mut parts = Parts::of(self.run(&ALIVE, &call).await?)?;
        let mut alive = Vec::new();
        while let Ok(id) = parts.text() {
            let (seen_ms, record) = (parts.number()?, parts.bytes()?);
            alive.extend(replicas::decode(&id, &record).map(|replica| Alive { replica, seen_ms }));
        }
        Ok(alive)
    }
}
