//! Asks Redis how it is set up, by `INFO` alone: access lists rarely allow more.

use std::collections::{BTreeSet, HashMap};

use redis::Value;
use tracing::debug;

use super::{RedisStore, link::Over};
use crate::store::{contract::StoreError, warnings::StoreWarning};

impl RedisStore {
    /// What is set so that something may be lost, at any primary; each thing once.
    pub async fn warnings(&self) -> Result<Vec<StoreWarning>, StoreError> {
        let mut ask = redis::cmd("INFO");
        ask.arg("memory").arg("persistence").arg("replication");
        let mut all = BTreeSet::new();
        for (place, answer) in self.link.at_every_primary(&ask).await.map_err(|e| super::told(&e))? {
            match answer {
                Ok(Value::BulkString(told)) => {
                    let found = found_in(&String::from_utf8_lossy(&told), self.durable_replicas());
                    debug!(place, ?found, "redis at {place} was asked how it is set up");
                    all.extend(found);
                }
                Ok(_) => drop(all.insert(StoreWarning::NotTold)),
                Err(error) if error.code() == Some("NOPERM") => drop(all.insert(StoreWarning::NotTold)),
                Err(error) => return Err(super::told(&error.into())),
            }
        }
        Ok(all.into_iter().collect())
    }

    /// The release of the server, or of the first primary of a Cluster, as it tells it; `None` if it does not.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn version(&self) -> Result<Option<String>, StoreError> {
        let mut ask = redis::cmd("INFO");
        ask.arg("server");
        let answers = self.link.at_every_primary(&ask).await.map_err(|e| super::told(&e))?;
        let told = answers.into_iter().find_map(|(_, answer)| if let Ok(Value::BulkString(told)) = answer { Some(told) } else { None });
        let told = told.map(|told| String::from_utf8_lossy(&told).into_owned()).unwrap_or_default();
        Ok(told.lines().find_map(|line| line.strip_prefix("redis_version:")).map(|version| version.trim().to_owned()))
    }

    /// Where its primaries are (`host:port`), as far as that is known. One that is alone need not answer for that.
    pub async fn primaries(&self) -> Vec<String> {
        self.link.primaries().await
    }

    fn durable_replicas(&self) -> Option<u32> {
        if let Over::Durable { replicas, .. } = self.relied_on { Some(replicas) } else { None }
    }
}

/// Reads `INFO`. `wanted`: so many replicas must have what turns rely on.
fn found_in(told: &str, wanted: Option<u32>) -> Vec<StoreWarning> {
    let fields: HashMap<&str, &str> = told.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
    let is = |field: &str, value: &str| fields.get(field) == Some(&value);
    let mut found = Vec::new();
    // Without a bound on its memory nothing is dropped, whatever the policy says.
    if fields.contains_key("maxmemory_policy") && !is("maxmemory_policy", "noeviction") && !is("maxmemory", "0") {
        found.push(StoreWarning::Evicts);
    }
    if is("aof_enabled", "0") {
        found.push(StoreWarning::NoAppendOnlyFile);
    }
    if let Some(wanted) = wanted {
        let in_step = fields.iter().filter(|(name, value)| is_replica(name) && value.contains("state=online")).count();
        if in_step < wanted as usize {
            found.push(StoreWarning::ReplicasMissing);
        }
        // The field is there only where the number is set.
        if !fields.contains_key("min_slaves_good_slaves") {
            found.push(StoreWarning::MinReplicasUnset);
        }
    }
    found
}

/// `slave0`, `slave1` …
fn is_replica(field: &str) -> bool {
    field.strip_prefix("slave").is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFE: &str = "# Memory\r\nmaxmemory:1000000\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n# Replication\r\n\
                        role:master\r\nconnected_slaves:2\r\nmin_slaves_good_slaves:1\r\nslave0:ip=a,port=1,state=online,offset=1,lag=0\r\n\
                        slave1:ip=b,port=1,state=wait_bgsave,offset=0,lag=0\r\nslave_read_repl_offset:1\r\n";

    #[test]
    fn a_redis_that_is_set_up_well_is_no_matter() {
        assert_eq!(found_in(SAFE, Some(1)), []);
        assert_eq!(found_in(SAFE, None), []);
    }

    #[test]
    fn only_replicas_that_are_in_step_count() {
        assert_eq!(found_in(SAFE, Some(2)), [StoreWarning::ReplicasMissing]);
    }

    #[test]
    fn every_policy_but_noeviction_drops_something_once_memory_has_a_bound() {
        let evicting = SAFE.replace("noeviction", "volatile-ttl");
        assert_eq!(found_in(&evicting, None), [StoreWarning::Evicts]);
        assert_eq!(found_in(&evicting.replace("maxmemory:1000000", "maxmemory:0"), None), []);
    }

    #[test]
    fn what_is_missing_is_told() {
        let bare = "maxmemory:0\r\nmaxmemory_policy:noeviction\r\naof_enabled:0\r\nrole:master\r\n";
        assert_eq!(found_in(bare, None), [StoreWarning::NoAppendOnlyFile]);
        let all = [StoreWarning::NoAppendOnlyFile, StoreWarning::ReplicasMissing, StoreWarning::MinReplicasUnset];
        assert_eq!(found_in(bare, Some(1)), all);
    }
}
