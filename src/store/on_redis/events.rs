//! What happens in runs, told while it happens: one stream a session, because a session has one run at a time.

use redis::Value;

use super::{
    RedisStore,
    reply::{Parts, number, odd, text},
    script::TELL,
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

impl RedisStore {
    pub async fn tell(&self, lease: &Lease, events: &[StoredEvent]) -> Result<bool, StoreError> {
        let keys = UserKeys::of_run(&lease.user, &lease.run);
        let mut call = TELL.on(&[&keys.session(), &keys.events()]);
        call.arg(&lease.run).arg(lease.token.as_str()).arg(EVENTS_KEPT_MS).arg(EVENTS_KEPT_MAX);
        for StoredEvent { id, record } in events {
            call.arg(id.to_string()).arg(record);
        }
        Ok(number(&self.run(&TELL, &call).await?)? == 1)
    }

    pub async fn told_since(&self, user: &UserName, run: &str, after: EventId) -> Result<Vec<StoredEvent>, StoreError> {
        let key = UserKeys::of_run(user, run).events();
        let mut after = after;
        loop {
            let mut range = redis::cmd("XRANGE");
            range.arg(&key).arg(format!("({after}")).arg("+").arg("COUNT").arg(EVENTS_READ_MAX);
            let Value::Array(entries) = self.one(&range).await? else { return Err(odd("a list of events")) };
            let (full, mut found) = (entries.len() == EVENTS_READ_MAX, Vec::new());
            for entry in entries {
                let mut entry = Parts::of(entry)?;
                let id = EventId::parse(&entry.text()?).ok_or_else(|| odd("an event's id"))?;
                after = id;
                let fields = entry.list()?;
                if let [_, of, _, Value::BulkString(record)] = fields.as_slice()
                    && text(of.clone())? == run
                {
                    found.push(StoredEvent { id, record: record.clone() });
                }
            }
            // Before it stand perhaps those of earlier runs.
            if !found.is_empty() || !full {
                return Ok(found);
            }
        }
    }
}
