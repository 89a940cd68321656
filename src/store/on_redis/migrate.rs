//! Bringing the keyspace to this program's schema, once, under a lease.

use redis::Value;

use super::{RedisStore, reply::number};
use crate::store::{
    contract::StoreError,
    keys::{BUCKETS, BucketKeys, META, MIGRATING},
    migrate::{Keyspace, MIGRATIONS, Migrated, SCHEMA},
};

/// How long a dead migration keeps others out.
const LEASE_MS: u64 = 60_000;

impl RedisStore {
    pub async fn keyspace(&self) -> Result<Keyspace, StoreError> {
        let schema = number(&self.one(redis::cmd("HGET").arg(META).arg("schema")).await?)?;
        Ok(Keyspace::of(u32::try_from(schema).unwrap_or(u32::MAX)))
    }

    /// Runs the steps that are missing. `holder` names who migrates.
    pub async fn migrate(&self, holder: &str) -> Result<Migrated, StoreError> {
        if let Keyspace::Newer { schema } = self.keyspace().await? {
            return Ok(Migrated::Newer { schema });
        }
        let taken = self.one(redis::cmd("SET").arg(MIGRATING).arg(holder).arg("NX").arg("PX").arg(LEASE_MS)).await?;
        if taken == Value::Nil {
            return Ok(Migrated::Held);
        }
        let result = self.run_steps(holder).await;
        // Given back only if it is still ours; if it lapsed meanwhile, whoever holds it now keeps it.
        let release = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
        self.one(redis::cmd("EVAL").arg(release).arg(1).arg(MIGRATING).arg(holder)).await?;
        result.map(Migrated::Ran)
    }

    async fn run_steps(&self, holder: &str) -> Result<Vec<&'static str>, StoreError> {
        let mut ran = Vec::new();
        for step in MIGRATIONS {
            let mut needed = false;
            for bucket in BucketKeys::all() {
                let meta = bucket.meta();
                let reached = number(&self.one(redis::cmd("HGET").arg(&meta).arg("schema")).await?)?;
                if reached >= u64::from(step.number) {
                    continue;
                }
                needed = true;
                let held = self.one(redis::cmd("GET").arg(MIGRATING)).await?;
                if held != Value::BulkString(holder.as_bytes().to_vec()) {
                    return Err(StoreError::Unavailable);
                }
                let mut call = redis::cmd("EVAL");
                call.arg(step.script).arg(1).arg(&meta).arg(step.number);
                self.apart(None, &call).await?;
                self.one(redis::cmd("PEXPIRE").arg(MIGRATING).arg(LEASE_MS)).await?;
            }
            if needed {
                ran.push(step.name);
            }
        }
        self.one(redis::cmd("HSET").arg(META).arg("schema").arg(SCHEMA).arg("buckets").arg(BUCKETS)).await?;
        Ok(ran)
    }
}
