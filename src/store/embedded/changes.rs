//! What begins and ends, for administrators who watch. It is for those who watch just now, so the newest of it is kept in memory.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use super::{EmbeddedStore, book::Book};
use crate::{
    domain::{limits::CHANGES_KEPT_MAX, session::SessionId},
    store::{
        contract::{
            StoreError,
            changes::{Change, Changes, Seen, What},
        },
        keys::user_of,
    },
};

/// The newest, each with its number.
#[derive(Debug, Default)]
pub(super) struct Newest(Mutex<(u64, VecDeque<(u64, Change)>)>);

impl Newest {
    /// What a write transaction did, once it is kept.
    pub fn add(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (n, kept) = &mut *newest;
        for change in changes {
            *n += 1;
            kept.push_back((*n, change));
        }
        let extra = kept.len().saturating_sub(CHANGES_KEPT_MAX);
        kept.drain(..extra);
    }
}

impl Book<'_> {
    /// Something began or ended in a session; `whose` is a member of the index, or an escaped user.
    pub fn change(&mut self, whose: &str, session: &str, what: What) {
        let (at_ms, session) = (self.now, SessionId::from_stored(session));
        self.changes.extend(user_of(whose).map(|user| Change { at_ms, user, session, what }));
    }
}

impl EmbeddedStore {
    pub async fn watch(&self) -> Result<u64, StoreError> {
        Ok(self.0.clock.now_ms())
    }

    pub async fn changes(&self, seen: &Seen) -> Result<Changes, StoreError> {
        let newest = self.0.newest.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = seen.0.first().copied().unwrap_or_default();
        // Times can be equal, numbers cannot: whoever has seen a number goes on behind it.
        let new = newest.1.iter().filter(|(n, change)| if last.1 == u64::MAX { change.at_ms > last.0 } else { *n > last.1 });
        let changes: Vec<Change> = new.map(|(_, change)| change.clone()).collect();
        let complete_ms = self.0.clock.now_ms().saturating_sub(1);
        let seen = if last.1 == u64::MAX && changes.is_empty() { seen.clone() } else { Seen(vec![(complete_ms, newest.0)]) };
        Ok(Changes { changes, seen, complete_ms })
    }
}
