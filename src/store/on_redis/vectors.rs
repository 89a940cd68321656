//! What functions mean, so that one replica asks for all. It is read and written beside everything else, over connections of its own.

use redis::Value;

use super::RedisStore;
use crate::{
    domain::vector::Vector,
    store::{
        contract::StoreError,
        keys,
        vectors::{decode, encode},
    },
};

impl RedisStore {
    /// Those that are kept, in the order of their names, and kept on from now.
    pub async fn kept_vectors(&self, names: &[String], ttl_ms: u64) -> Result<Vec<Option<Vector>>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipe = redis::pipe();
        for name in names {
            pipe.cmd("GET").arg(keys::vector(name));
        }
        for name in names {
            pipe.cmd("PEXPIRE").arg(keys::vector(name)).arg(ttl_ms);
        }
        let answers = self.long_pipeline(&pipe).await?.into_iter().take(names.len());
        let read = |answer: Value| match answer {
            Value::BulkString(record) => decode(&record),
            _ => None,
        };
        Ok(answers.map(read).collect())
    }

    pub async fn keep_vectors(&self, vectors: &[(String, Vector)], ttl_ms: u64) -> Result<(), StoreError> {
        if vectors.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for (name, vector) in vectors {
            pipe.cmd("SET").arg(keys::vector(name)).arg(encode(vector)).arg("PX").arg(ttl_ms);
        }
        self.long_pipeline(&pipe).await.map(drop)
    }

    /// Whether it is the caller's to find out what these mean. An answer that is lost leaves a claim that nobody has; it lapses.
    pub async fn claim_vectors(&self, work: &str, by: &str, claim_ms: u64) -> Result<bool, StoreError> {
        let mut call = redis::cmd("SET");
        call.arg(keys::vectors_claim(work)).arg(by).arg("NX").arg("PX").arg(claim_ms);
        Ok(!matches!(self.one(&call).await?, Value::Nil))
    }

    /// Ends a claim of the caller's.
    pub async fn unclaim_vectors(&self, work: &str) -> Result<(), StoreError> {
        self.one(redis::cmd("DEL").arg(keys::vectors_claim(work))).await.map(drop)
    }
}
