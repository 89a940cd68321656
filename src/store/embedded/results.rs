//! Replies kept whole for a while.

use std::time::Duration;

use redb::{ReadableDatabase, ReadableTable};

use super::{
    EmbeddedStore, Fault,
    book::Book,
    ends,
    tables::{Kept, RESULTS, Text},
};
use crate::{
    domain::{
        kept::{KeptReply, ResultId},
        limits::RESULTS_KEPT_MAX,
        slot::{SessionSlot, Slot},
        user::UserName,
    },
    store::{
        contract::StoreError,
        envelope::Place,
        kept::{decode, encode},
        keys::UserKeys,
    },
};

impl EmbeddedStore {
    pub async fn keep_result(&self, session: &SessionSlot, id: &ResultId, reply: &KeptReply, ttl: Duration) -> Result<(), StoreError> {
        let record = self.envelopes().close(&Place::result(&session.user, id.as_str()), encode(reply))?.into_owned();
        let (user, id) = (results_of(&UserKeys::of(&session.user), session.slot), id.to_string());
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        self.work(move |inner| inner.write(|book| book.keep_result(&user, &id, &record, ttl_ms))).await
    }

    pub async fn kept_result(&self, user: &UserName, id: &ResultId) -> Result<Option<KeptReply>, StoreError> {
        let (user, id) = (user.clone(), id.to_string());
        self.work(move |inner| {
            let results = inner.database.begin_read()?.open_table(RESULTS)?;
            let Some(found) = found_in(&results, &UserKeys::of(&user), &id)? else { return Ok(None) };
            let (ends, stored) = &found;
            if *ends <= inner.clock.now_ms() {
                return Ok(None);
            }
            let record = inner.envelopes.open(&Place::result(&user, &id), stored.as_slice()).map_err(Fault::of)?;
            decode(&record).map(Some).ok_or(Fault::Unreadable)
        })
        .await
    }
}

/// Whose kept replies are filed where: those of the main session under the user's name, others under the session's member.
pub(super) fn results_of(keys: &UserKeys, slot: Slot) -> String {
    if slot.is_main() { keys.listed().to_owned() } else { format!("{}{slot}", keys.members()) }
}

/// A reply of any of the user's sessions: its id is its own among all of them.
fn found_in(results: &impl ReadableTable<(Text, Text), Kept>, keys: &UserKeys, id: &str) -> Result<Option<(u64, Vec<u8>)>, Fault> {
    let owned = |(ends, record): (u64, &[u8])| (ends, record.to_vec());
    if let Some(found) = results.get((keys.listed(), id))? {
        return Ok(Some(owned(found.value())));
    }
    let others = keys.members();
    for entry in results.range((others.as_str(), "")..)? {
        let (key, found) = entry?;
        let (filed, of) = key.value();
        if !filed.starts_with(&others) {
            break;
        }
        if of == id {
            return Ok(Some(owned(found.value())));
        }
    }
    Ok(None)
}

impl Book<'_> {
    fn keep_result(&mut self, user: &str, id: &str, record: &[u8], ttl_ms: u64) -> Result<(), Fault> {
        let ends = self.now.saturating_add(ttl_ms);
        self.forget_result(user, id)?;
        self.results.insert((user, id), (ends, record))?;
        self.result_ends.insert((ends, user, id), ())?;
        let mut kept = self.results_of(user)?;
        kept.sort_unstable();
        let extra = kept.len().saturating_sub(RESULTS_KEPT_MAX);
        for (_, oldest) in kept.iter().take(extra) {
            self.forget_result(user, oldest)?;
        }
        self.changed = true;
        Ok(())
    }

    /// Drops all that is kept for a session.
    pub fn forget_results(&mut self, user: &str) -> Result<(), Fault> {
        for (_, id) in self.results_of(user)? {
            self.forget_result(user, &id)?;
        }
        Ok(())
    }

    /// Removes at most `n` replies whose time is over; how many it were.
    pub fn clean_results(&mut self, n: usize) -> Result<u64, Fault> {
        let ended = ends::over_of_users(&self.result_ends, self.now, n)?;
        for (user, id) in &ended {
            self.forget_result(user, id)?;
        }
        Ok(ended.len() as u64)
    }

    /// When each of a user's ends, and its id: a handful at most.
    fn results_of(&self, user: &str) -> Result<Vec<(u64, String)>, Fault> {
        let mut kept = Vec::new();
        for entry in self.results.range((user, "")..)? {
            let (key, value) = entry?;
            let (whose, id) = key.value();
            if whose != user {
                break;
            }
            kept.push((value.value().0, id.to_owned()));
        }
        Ok(kept)
    }

    fn forget_result(&mut self, user: &str, id: &str) -> Result<(), Fault> {
        let ends = self.results.remove((user, id))?.map(|found| found.value().0);
        if let Some(ends) = ends {
            self.result_ends.remove((ends, user, id))?;
            self.changed = true;
        }
        Ok(())
    }
}
