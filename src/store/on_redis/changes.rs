//! What begins and ends while administrators watch: a stream in each bucket, written by the scripts only where somebody said lately that they
//! watch. Reading it is one pipeline over all buckets.

use redis::Value;

use super::{
    RedisStore,
    admin::time_ms,
    reply::{Parts, odd, text},
};
use crate::{
    domain::{
        limits::{CHANGES_READ_MAX, WATCHED_MS},
        session::SessionId,
    },
    store::{
        contract::{
            StoreError,
            changes::{Change, Changes, Seen, What},
        },
        keys::{BucketKeys, user_of},
    },
};

impl RedisStore {
    pub async fn watch(&self) -> Result<u64, StoreError> {
        let mut pipe = redis::pipe();
        for bucket in BucketKeys::all() {
            pipe.cmd("SET").arg(bucket.watched()).arg("1").arg("PX").arg(WATCHED_MS);
        }
        pipe.cmd("TIME");
        time_ms(self.pipeline(&pipe).await?.last())
    }

    pub async fn changes(&self, seen: &Seen) -> Result<Changes, StoreError> {
        let mut pipe = redis::pipe();
        // Before the streams are read: whatever is older than this stands in them by then.
        pipe.cmd("TIME");
        for (bucket, (ms, n)) in BucketKeys::all().zip(&seen.0) {
            pipe.cmd("XRANGE").arg(bucket.changes()).arg(format!("({ms}-{n}")).arg("+").arg("COUNT").arg(CHANGES_READ_MAX);
        }
        let mut answers = self.pipeline(&pipe).await?.into_iter();
        let mut complete_ms = time_ms(answers.next().as_ref())?.saturating_sub(1);
        let (mut seen, mut changes) = (seen.clone(), Vec::new());
        for (answer, last) in answers.zip(&mut seen.0) {
            let Value::Array(entries) = answer else { return Err(odd("a list of changes")) };
            let full = entries.len() >= CHANGES_READ_MAX;
            for entry in entries {
                let mut entry = Parts::of(entry)?;
                let id = entry.text()?;
                *last = id.split_once('-').and_then(|(ms, n)| Some((ms.parse().ok()?, n.parse().ok()?))).ok_or_else(|| odd("an id"))?;
                let fields = entry.list()?.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
                changes.extend(change(last.0, &fields));
            }
            if full {
                complete_ms = complete_ms.min(last.0.saturating_sub(1));
            }
        }
        changes.sort_by_key(|change: &Change| change.at_ms);
        Ok(Changes { changes, seen, complete_ms })
    }
}

/// `k, kind, u, <user>:<slot> or <user>, s, session, r, run, a, about`.
fn change(at_ms: u64, fields: &[String]) -> Option<Change> {
    let [_, kind, _, whose, _, session, _, run, _, about] = fields else { return None };
    Some(Change { at_ms, user: user_of(whose)?, session: SessionId::from_stored(session), what: What::stored(kind, run, about)? })
}
