//! Which replicas there are: the one process that has the file. What it says of itself is kept in memory.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::EmbeddedStore;
use crate::{
    domain::limits::REPLICA_LASTS_MS,
    store::contract::{
        StoreError,
        replicas::{Alive, Replica},
    },
};

/// By id.
#[derive(Debug, Default)]
pub(super) struct Replicas(Mutex<HashMap<String, Alive>>);

impl Replicas {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Alive>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EmbeddedStore {
    pub async fn beat(&self, replica: &Replica) -> Result<(), StoreError> {
        let alive = Alive { replica: replica.clone(), seen_ms: self.0.clock.now_ms() };
        self.0.replicas.lock().insert(replica.id.clone(), alive);
        Ok(())
    }

    pub async fn replica_goes(&self, id: &str) -> Result<(), StoreError> {
        self.0.replicas.lock().remove(id);
        Ok(())
    }

    pub async fn replicas(&self) -> Result<Vec<Alive>, StoreError> {
        let now = self.0.clock.now_ms();
        let mut all = self.0.replicas.lock();
        all.retain(|_, alive| now.saturating_sub(alive.seen_ms) <= REPLICA_LASTS_MS);
        Ok(all.values().cloned().collect())
    }
}
