//! What happens in runs, told while it happens. It is for those who follow a run just now, so it is kept in memory: one process has the file,
//! and what it told before it was started again is told as the run stands.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use redb::ReadableDatabase;

use super::{
    EmbeddedStore, Fault, Inner,
    book::session_of,
    stored::Session,
    tables::{LISTED, SESSIONS},
};
use crate::{
    domain::{
        event::EventId,
        limits::{EVENTS_KEPT_MAX, EVENTS_KEPT_MS, EVENTS_READ_MAX},
        user::UserName,
    },
    store::{
        contract::{Lease, StoreError, StoredEvent},
        keys::UserKeys,
    },
};

/// Events by the session that they happened in.
#[derive(Debug, Default)]
pub(super) struct Events(Mutex<HashMap<String, OfSession>>);

#[derive(Debug, Default)]
struct OfSession {
    session: String,
    ends_ms: u64,
    /// Each with its run.
    told: VecDeque<(String, StoredEvent)>,
}

impl Inner {
    /// The id of a user's session, if this run holds it under this token (any, without one).
    fn session_of(&self, member: &str, lease: Option<&Lease>) -> Result<Option<String>, Fault> {
        let reading = self.database.begin_read()?;
        let session = session_of(&reading.open_table(SESSIONS)?, &reading.open_table(LISTED)?, member, self.clock.now_ms())?;
        let is_held = |session: &Session, lease: &Lease| {
            session.held.as_ref().is_some_and(|held| held.run == lease.run && held.token == lease.token.as_str())
        };
        Ok(session.filter(|session| lease.is_none_or(|lease| is_held(session, lease))).map(|session| session.id))
    }
}

impl EmbeddedStore {
    pub async fn tell(&self, lease: &Lease, events: &[StoredEvent]) -> Result<bool, StoreError> {
        let (lease, events) = (lease.clone(), events.to_vec());
        self.work(move |inner| {
            let member = UserKeys::of_run(&lease.user, &lease.run).member();
            let Some(session) = inner.session_of(&member, Some(&lease))? else { return Ok(false) };
            let now = inner.clock.now_ms();
            let mut all = inner.events.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|_, of| of.ends_ms > now);
            let of = all.entry(member).or_default();
            if of.session != session {
                *of = OfSession { session, ..OfSession::default() };
            }
            of.ends_ms = now.saturating_add(EVENTS_KEPT_MS);
            for event in events {
                if of.told.back().is_none_or(|(_, newest)| newest.id < event.id) {
                    of.told.push_back((lease.run.clone(), event));
                }
            }
            let extra = of.told.len().saturating_sub(EVENTS_KEPT_MAX);
            of.told.drain(..extra);
            Ok(true)
        })
        .await
    }

    pub async fn told_since(&self, user: &UserName, run: &str, after: EventId) -> Result<Vec<StoredEvent>, StoreError> {
        let (member, run) = (UserKeys::of_run(user, run).member(), run.to_owned());
        self.work(move |inner| {
            let session = inner.session_of(&member, None)?;
            let all = inner.events.0.lock().unwrap_or_else(PoisonError::into_inner);
            let of = all.get(&member).filter(|of| session.as_ref() == Some(&of.session));
            let told = of.into_iter().flat_map(|of| &of.told).filter(|(of, event)| *of == run && event.id > after);
            Ok(told.take(EVENTS_READ_MAX).map(|(_, event)| event.clone()).collect())
        })
        .await
    }
}

impl Events {
    /// Forgets what happened in a conversation, which was emptied.
    pub fn forget(&self, member: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(member);
    }
}
