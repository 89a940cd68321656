//! What operators and administrators ask: lists, counts, replicas, the audit log, the state of the store.

use super::either;
use crate::{
    domain::{
        audit::{AuditPlace, Deed, Wanted},
        scope::Scope,
        session::SessionId,
        user::UserName,
    },
    store::{
        Store,
        contract::{
            AdminAnswer, Caller, Cursor, SessionFilter, SessionStats, SessionsPage, StoreError, StoredKey,
            audit::AuditPage,
            changes::{Changes, Seen},
            overview::{HourCounted, LoginsOfHour, OpenPlace, OpenRuns, Told, UnknownOutcome},
            replicas::{Alive, Replica},
        },
        migrate, warnings,
    },
};

impl Store {
    /// Runs that have not ended and do not wait, of all users, after a place; those first that were begun or taken longest ago.
    pub async fn open_runs(&self, after: Option<&OpenPlace>, limit: usize) -> Result<OpenRuns, StoreError> {
        either!(self.open_runs(after, limit))
    }

    /// Whose run this is, if it holds a session now. It looks through all that hold one: an id tells the session's slot and not its user.
    pub async fn user_of_open_run(&self, run: &str) -> Result<Option<UserName>, StoreError> {
        either!(self.user_of_open_run(run))
    }

    /// Has a run of a user's stop, for an administrator. Whether the caller may is not asked here. Repeating it is safe.
    pub async fn stop_run(&self, user: &UserName, run: &str) -> Result<Told, StoreError> {
        either!(self.stop_run(user, run))
    }

    /// Runs of which it is not known what became of a change: of each bucket of users the newest
    /// [`UNKNOWN_OUTCOMES_PER_BUCKET`](crate::domain::limits::UNKNOWN_OUTCOMES_PER_BUCKET), newest first.
    pub async fn unknown_outcomes(&self) -> Result<Vec<UnknownOutcome>, StoreError> {
        let mut found = either!(self.unknown_outcomes())?;
        found.sort_unstable_by(|a, b| b.order().cmp(&a.order()));
        Ok(found)
    }

    /// What was counted in the last [`STATS_HOURS`](crate::domain::limits::STATS_HOURS), hour by hour, the oldest first.
    pub async fn counted(&self) -> Result<Vec<HourCounted>, StoreError> {
        either!(self.counted())
    }

    /// How many logins a replica has counted in these hours: in the place of what it said of them before. Repeating it is safe.
    pub async fn count_logins(&self, replica: &str, hours: &[LoginsOfHour]) -> Result<(), StoreError> {
        either!(self.count_logins(replica, hours))
    }

    /// From now on what begins and ends is written down, for [`WATCHED_MS`](crate::domain::limits::WATCHED_MS); what time it is.
    pub async fn watch(&self) -> Result<u64, StoreError> {
        either!(self.watch())
    }

    /// What began and ended since, as far as it was written down.
    pub async fn changes(&self, seen: &Seen) -> Result<Changes, StoreError> {
        either!(self.changes(seen))
    }

    /// As [`Store::administrator`], and not counted for the rate: whoever watches is asked often.
    pub async fn still_administrator(&self, caller: Caller<'_>, needed: Scope) -> Result<AdminAnswer<()>, StoreError> {
        either!(self.still_administrator(caller, needed))
    }

    /// A replica says that it is there and how it is; it counts for [`REPLICA_LASTS_MS`](crate::domain::limits::REPLICA_LASTS_MS).
    pub async fn beat(&self, replica: &Replica) -> Result<(), StoreError> {
        either!(self.beat(replica))
    }

    /// A replica is not there any more.
    pub async fn replica_goes(&self, id: &str) -> Result<(), StoreError> {
        either!(self.replica_goes(id))
    }

    /// The replicas that have said lately that they are there, by name.
    pub async fn replicas(&self) -> Result<Vec<Alive>, StoreError> {
        let mut alive = either!(self.replicas())?;
        alive.sort_unstable_by(|a, b| a.replica.id.cmp(&b.replica.id));
        Ok(alive)
    }

    /// Lets an administrator in, and brings nothing.
    pub async fn administrator(&self, caller: Caller<'_>, needed: Scope) -> Result<AdminAnswer<()>, StoreError> {
        either!(self.administrator(caller, needed))
    }

    pub async fn stats(&self) -> Result<SessionStats, StoreError> {
        either!(self.stats())
    }

    /// A page of all sessions, the newest activity first, for an administrator.
    pub async fn sessions(
        &self,
        caller: Caller<'_>,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<AdminAnswer<SessionsPage>, StoreError> {
        if let Some(refused) = self.administrator(caller, Scope::SessionsRead).await?.refused() {
            return Ok(refused);
        }
        self.listed(&SessionFilter::default(), cursor, limit).await.map(AdminAnswer::Granted)
    }

    /// A page of the sessions that are wanted, the newest activity first. Where only some are wanted at most
    /// [`SESSIONS_LOOKED_AT_MAX`](crate::domain::limits::SESSIONS_LOOKED_AT_MAX) are looked at (and what one more look brings): a page may
    /// have fewer than `limit`, or none, and still be followed by another. Whether the caller may is not asked here.
    pub async fn listed(&self, filter: &SessionFilter, cursor: Option<&Cursor>, limit: usize) -> Result<SessionsPage, StoreError> {
        either!(self.listed(filter, cursor, limit))
    }

    /// As [`Store::stored_keys`] of all sessions, for an administrator.
    pub async fn keys(&self, caller: Caller<'_>, user: &UserName) -> Result<AdminAnswer<Vec<StoredKey>>, StoreError> {
        if let Some(refused) = self.administrator(caller, Scope::SessionsRead).await?.refused() {
            return Ok(refused);
        }
        self.stored_keys(user, None).await.map(AdminAnswer::Granted)
    }

    /// The keys that hold one of a user's sessions, with its kept replies; without one those of all of them, and of the user's credentials,
    /// ended runs and logins. Whether the caller may is not asked here.
    pub async fn stored_keys(&self, user: &UserName, session: Option<&SessionId>) -> Result<Vec<StoredKey>, StoreError> {
        either!(self.stored_keys(user, session))
    }

    pub async fn cleanup(&self, caller: Caller<'_>) -> Result<AdminAnswer<u64>, StoreError> {
        either!(self.cleanup(caller))
    }

    /// Takes ended sessions out of the index (and, on the embedded store, out of the file). Returns how many.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        either!(self.sweep())
    }

    /// Writes one more record into the audit log, dated by the store. Repeating it is safe.
    pub async fn audit(&self, deed: &Deed) -> Result<(), StoreError> {
        either!(self.audit(deed))
    }

    /// A page of the audit log: records before this one, newest first, that are wanted.
    pub async fn audited(&self, wanted: &Wanted, before: Option<AuditPlace>, limit: usize) -> Result<AuditPage, StoreError> {
        either!(self.audited(wanted, before, limit))
    }

    pub async fn keyspace(&self) -> Result<migrate::Keyspace, StoreError> {
        either!(self.keyspace())
    }

    pub async fn migrate(&self, holder: &str) -> Result<migrate::Migrated, StoreError> {
        either!(self.migrate(holder))
    }

    /// The store's clock, if it answers, in milliseconds since 1970.
    pub async fn ping(&self) -> Result<u64, StoreError> {
        either!(self.ping())
    }

    /// Why the store does not answer, in its own words or the system's, and what may help. None if it answers.
    pub async fn refusal(&self) -> Option<(String, &'static str)> {
        match self {
            Self::Redis(store) => store.refusal().await,
            Self::Embedded(_) => None,
        }
    }

    /// What is set in Redis so that something may be lost; nothing can be set so in the embedded store.
    pub async fn warnings(&self) -> Result<Vec<warnings::StoreWarning>, StoreError> {
        match self {
            Self::Redis(store) => store.warnings().await,
            Self::Embedded(_) => Ok(Vec::new()),
        }
    }
}
