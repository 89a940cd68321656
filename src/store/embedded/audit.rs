//! The audit log, and a look into somebody's session. As `audit.lua` and `peek.lua`.

use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata};
use tracing::warn;

use super::{
    EmbeddedStore, Fault, Inner,
    book::{session_of, turns_of},
    tables::{AUDIT, FENCES, HISTORY, LISTED, SESSIONS},
};
use crate::{
    domain::{
        audit::{AuditPlace, Audited, Deed, Wanted},
        limits::{AUDIT_KEPT_MS, AUDIT_RECORDS_MAX},
        session::SessionId,
        slot::Slot,
        user::UserName,
    },
    store::{
        audit,
        contract::{
            StoreError, Tail,
            audit::{AuditPage, Peeked},
        },
        keys::UserKeys,
    },
};

impl EmbeddedStore {
    pub async fn audit(&self, deed: &Deed) -> Result<(), StoreError> {
        let record = audit::encode(deed);
        self.work(move |inner| inner.write_down(&record)).await
    }

    pub async fn audited(&self, wanted: &Wanted, before: Option<AuditPlace>, limit: usize) -> Result<AuditPage, StoreError> {
        let wanted = wanted.clone();
        self.work(move |inner| {
            let log = inner.database.begin_read()?.open_table(AUDIT)?;
            let oldest = wanted.since_ms.unwrap_or(0).max(inner.clock.now_ms().saturating_sub(AUDIT_KEPT_MS));
            let until = before.map_or((u64::MAX, u64::MAX), |place| (place.at_ms, place.n));
            let mut records: Vec<Audited> = Vec::new();
            // Nothing is newer than what is older than anything that is kept.
            if until <= (oldest, 0) {
                return Ok(AuditPage { records, next: None });
            }
            for entry in log.range((oldest, 0)..until)?.rev() {
                let (key, record) = entry?;
                let (at_ms, n) = key.value();
                let place = AuditPlace { at_ms, n };
                let Ok(record) = audit::decode(place, record.value()) else {
                    warn!(%place, "the record {place} of the audit log cannot be read");
                    continue;
                };
                if !wanted.takes(&record) {
                    continue;
                }
                if records.len() == limit {
                    return Ok(AuditPage { next: records.last().map(|last| last.place), records });
                }
                records.push(record);
            }
            Ok(AuditPage { records, next: None })
        })
        .await
    }

    /// What was said in a user's session; `None` if there is none.
    pub async fn peek(&self, user: &UserName, session: Option<&SessionId>, tail: Tail) -> Result<Option<Peeked>, StoreError> {
        let (user, named) = (user.clone(), session.cloned());
        self.work(move |inner| {
            let keys = UserKeys::at(&user, named.as_ref().map_or(Slot::MAIN, Slot::of_session));
            let (transaction, now) = (inner.database.begin_read()?, inner.clock.now_ms());
            let member = keys.member();
            let found = session_of(&transaction.open_table(SESSIONS)?, &transaction.open_table(LISTED)?, &member, now)?;
            let found = found.filter(|found| named.as_ref().is_none_or(|named| named.as_str() == found.id));
            let Some(session) = found else { return Ok(None) };
            let fence = transaction.open_table(FENCES)?.get(keys.listed())?.map_or(0, |n| n.value());
            let (told, key) = (session.told(&user, now, fence), session.wrapped_key()?);
            let stored = inner.envelopes.turns_of(&user, &told.id, key.as_deref());
            let (tail, first) = turns_of(&transaction.open_table(HISTORY)?, &member, &session, tail, tail.whole(), &stored)?;
            Ok(Some(Peeked { session: told, totals: session.totals(), tail, first }))
        })
        .await
    }
}

impl Inner {
    /// In a transaction of its own, since nothing else of a request is written with it.
    fn write_down(&self, record: &[u8]) -> Result<(), Fault> {
        let transaction = self.database.begin_write()?;
        {
            let mut log = transaction.open_table(AUDIT)?;
            let now = self.clock.now_ms();
            // A clock that was put back must not write before what is there.
            let place = match log.last()? {
                Some((newest, _)) if newest.value().0 >= now => (newest.value().0, newest.value().1.saturating_add(1)),
                _ => (now, 0),
            };
            log.insert(place, record)?;
            log.retain_in((0, 0)..(now.saturating_sub(AUDIT_KEPT_MS), 0), |_, _| false)?;
            while log.len()? > AUDIT_RECORDS_MAX {
                log.pop_first()?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}
