//! The audit log: one stream for all users, in a slot of its own. And a look into somebody's session.

use redis::Value;
use tracing::warn;

use super::{
    RedisStore,
    reply::{self, Parts, odd, text},
    script::{AUDIT, PEEK},
};
use crate::{
    domain::{
        audit::{AuditPlace, Audited, Deed, Wanted},
        limits::{AUDIT_KEPT_MS, AUDIT_READ_AT_ONCE, AUDIT_RECORDS_MAX, HISTORY_PAGE_BYTES},
        session::SessionId,
        slot::Slot,
        totals::Totals,
        user::UserName,
    },
    secrets::random,
    store::{
        audit,
        contract::{
            StoreError, Tail,
            audit::{AuditPage, Peeked},
        },
        keys::{AUDIT_LOG, UserKeys},
    },
};

/// Records among which one is looked for that may have been written before its answer was lost.
const NEWEST_LOOKED_AT: usize = 32;

impl RedisStore {
    pub async fn audit(&self, deed: &Deed) -> Result<(), StoreError> {
        let mut call = AUDIT.on(&[AUDIT_LOG]);
        call.arg(random::hex_of(8)).arg(audit::encode(deed)).arg(AUDIT_RECORDS_MAX).arg(AUDIT_KEPT_MS).arg(NEWEST_LOOKED_AT);
        self.run_relied_on(&AUDIT, &call).await.map(|_| ())
    }

    pub async fn audited(&self, wanted: &Wanted, before: Option<AuditPlace>, limit: usize) -> Result<AuditPage, StoreError> {
        let (mut before, mut records) = (before, Vec::new());
        if before.is_some_and(|place| (place.at_ms, place.n) == (0, 0)) {
            // Nothing is older, and Redis takes no open end there.
            return Ok(AuditPage { records, next: None });
        }
        let oldest = wanted.since_ms.map_or_else(|| "-".to_owned(), |since| since.to_string());
        loop {
            let newest = before.map_or_else(|| "+".to_owned(), |place| format!("({place}"));
            let mut range = redis::cmd("XREVRANGE");
            range.arg(AUDIT_LOG).arg(newest).arg(&oldest).arg("COUNT").arg(AUDIT_READ_AT_ONCE);
            let Value::Array(entries) = self.apart(None, &range).await? else { return Err(odd("a list of records")) };
            let last = entries.len() < AUDIT_READ_AT_ONCE;
            for entry in entries {
                let mut entry = Parts::of(entry)?;
                let place = AuditPlace::parse(&entry.text()?).ok_or_else(|| odd("a record's id"))?;
                before = Some(place);
                let Some(record) = read(place, &entry.list()?).filter(|record| wanted.takes(record)) else { continue };
                if records.len() == limit {
                    return Ok(AuditPage { next: records.last().map(|last: &Audited| last.place), records });
                }
                records.push(record);
            }
            if last {
                return Ok(AuditPage { records, next: None });
            }
        }
    }

    /// What was said in a user's session; `None` if there is none.
    pub async fn peek(&self, user: &UserName, session: Option<&SessionId>, tail: Tail) -> Result<Option<Peeked>, StoreError> {
        let keys = UserKeys::at(user, session.map_or(Slot::MAIN, Slot::of_session));
        let mut call = PEEK.on(&[&keys.account(), &keys.session(), &keys.history()]);
        match tail {
            Tail::Nothing => call.arg(0).arg(""),
            Tail::Newest(n) | Tail::NewestWhole(n) => call.arg(n).arg(""),
            Tail::Before { turn, n } | Tail::BeforeWhole { turn, n } => call.arg(n).arg(turn),
        };
        call.arg(HISTORY_PAGE_BYTES).arg(session.map_or("", SessionId::as_str));
        let mut parts = Parts::of(self.apart(Some(&PEEK), &call).await?)?;
        match parts.text()?.as_str() {
            "OK" => {}
            "NONE" => return Ok(None),
            "UNREADABLE" => return Err(StoreError::Unreadable),
            _ => return Err(odd("a status of this script")),
        }
        let (session, key, first, records) = (parts.session(user)?, parts.bytes()?, parts.number()?, parts.list()?);
        let totals = Totals::from_stored(&parts.text()?);
        let stored = self.envelopes.turns_of(user, &session.id, Some(key.as_slice()).filter(|key| !key.is_empty()));
        let tail = reply::turns(&records, first, tail.whole(), HISTORY_PAGE_BYTES, &stored)?;
        let first = first.saturating_add((records.len() - tail.len()) as u64);
        Ok(Some(Peeked { session, totals, tail, first }))
    }
}

/// One that cannot be read is left out, and the log says so: the others are worth reading all the same.
fn read(place: AuditPlace, fields: &[Value]) -> Option<Audited> {
    let mut pairs = fields.chunks_exact(2);
    let record = pairs.find_map(|pair| match pair {
        [name, Value::BulkString(record)] if text(name.clone()).is_ok_and(|name| name == "r") => Some(record),
        _ => None,
    });
    let read = record.and_then(|record| audit::decode(place, record).ok());
    if read.is_none() {
        warn!(%place, "the record {place} of the audit log cannot be read");
    }
    read
}
