//! What is remembered between requests: sessions with their conversations, leases, journals, users.
//!
//! A closed enum over two stores, not a trait: Redis for many replicas, one file for one process. What both must do stands in
//! [`contract`]; one suite of tests holds both to it.

mod audit;
pub mod contract;
mod edge;
mod embedded;
pub mod envelope;
mod kept;
mod keys;
pub mod migrate;
mod on_redis;
pub mod record;
mod replicas;
mod summary;
mod vectors;
pub mod warnings;

pub use self::{
    embedded::{EmbeddedStore, OpenError},
    on_redis::RedisStore,
};

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use self::contract::{
    AccountChange, AccountsPage, Added, AdminAnswer, Begin, Begun, Caller, Cancelled, Changed, Cleared, Commit, Committed, Cursor, Entered,
    Entry, Known, Lease, Looked, Reset, SessionFilter, SessionStats, SessionsPage, Stepped, StoreError, StoredKey, Tail, Taken, TurnPlace,
    audit::{AuditPage, Peeked},
    budgets::{Purse, Reservation, Reserved},
    changes::{Changes, Seen},
    credentials::{Admitted, CredentialPut, FetchedToken, OwnCredential, UpstreamToken},
    keys::{KeptKey, KeyMade, NewKey},
    logins::{Attempted, LoggedOut, Login, Logout, Opened, Rotated, Rotation, StoppedRuns},
    overview::{HourCounted, LoginsOfHour, OpenPlace, OpenRuns, Told, UnknownOutcome},
    replicas::{Alive, Replica},
    sessions::{LabelChange, NewSession, OwnSession, ReadBefore, ReadTurns, Rewound, SessionOpened},
};
use crate::{
    domain::{
        audit::{AuditPlace, Deed, Wanted},
        event::{EventId, Numbered},
        kept::{KeptReply, ResultId},
        scope::Scope,
        session::{Revision, SessionId, Summary},
        slot::{SessionSlot, Slot},
        user::{Account, UserName},
        vector::Vector,
    },
    metrics::{StoreFault, StoreTime, metrics},
};

/// How long the answer to a request with an idempotency key can be asked for again.
const IDEMPOTENCY_TTL_MS: u64 = 24 * 60 * 60 * 1000;
/// Ended sessions taken out of one bucket of the index at once.
const SWEEP_AT_ONCE: u64 = 500;

/// An id for a new session in this slot: 128 random bits, the slot's among them.
pub fn new_session_id(slot: Slot) -> SessionId {
    slot.session_id(&crate::secrets::random::hex_of(16))
}

/// Where sessions live. Cheap to clone.
#[derive(Clone)]
pub enum Store {
    Redis(RedisStore),
    Embedded(EmbeddedStore),
}

/// The same verb on whichever store there is.
macro_rules! either {
    ($self:ident.$verb:ident($($argument:expr),*)) => {{
        static TIME: LazyLock<StoreTime> = LazyLock::new(|| metrics().store_verb(stringify!($verb)));
        let began = Instant::now();
        let answer = match $self {
            Store::Redis(store) => store.$verb($($argument),*).await,
            Store::Embedded(store) => store.$verb($($argument),*).await,
        };
        TIME.took(began.elapsed());
        answer.inspect_err(count)
    }};
}
use either;

/// What the store did not do is counted.
fn count(error: &StoreError) {
    metrics().store_fault(match error {
        StoreError::Unavailable => StoreFault::Unavailable,
        StoreError::NotDurable => StoreFault::NotDurable,
        StoreError::Unreadable => StoreFault::Unreadable,
        StoreError::Newer => StoreFault::Newer,
    });
}

impl Store {
    /// Lets a caller in, or says why not; makes the session if there is none; brings part of the conversation.
    pub async fn enter(&self, caller: Caller<'_>, tail: Tail) -> Result<Entered, StoreError> {
        either!(self.enter(caller, tail))
    }

    /// Takes the session for a run, or has it wait. Repeating the same attempt (same `run` and `owner`) is safe.
    pub async fn begin(&self, begin: Begin<'_>) -> Result<Begun, StoreError> {
        self.begin_closed(begin).await
    }

    /// Sessions with a run that nobody works on, because its holder is gone or because it waits; not all of them at once.
    pub async fn due(&self) -> Result<Vec<SessionSlot>, StoreError> {
        either!(self.due())
    }

    /// Goes on with the run of a session whose holder is gone, under the same run and a new token; if there is none, begins the run that has
    /// waited longest. Repeating it with the same `owner` is safe.
    pub async fn take(&self, session: &SessionSlot, owner: &str, lease_ms: u64, tail: usize) -> Result<Taken, StoreError> {
        let taken = either!(self.take(session, owner, lease_ms, tail))?;
        self.open_taken(&session.user, taken).await
    }

    /// Whether the API key that a taken run was begun with (its digest) still stands: a run whose key is taken away stops. Repeating it is safe.
    pub async fn begun_with(&self, lease: &Lease, key: &str) -> Result<Stepped, StoreError> {
        either!(self.begun_with(lease, key))
    }

    /// Renews the lease and writes journal entries, if the lease is still held. Repeating it is safe.
    pub async fn step(&self, lease: &Lease, lease_ms: u64, entries: &[Entry]) -> Result<Stepped, StoreError> {
        let entries = self.close_entries(lease, entries)?;
        either!(self.step(lease, lease_ms, &entries))
    }

    /// Writes down what happens in a run, if it still holds its session; false if it does not. Nothing is relied on for having been told.
    /// Repeating it is safe: what is not newer than the newest is not written.
    pub async fn tell(&self, lease: &Lease, events: &[Numbered]) -> Result<bool, StoreError> {
        let events = self.close_events(lease, events)?;
        either!(self.tell(lease, &events))
    }

    /// What happened in a run of this user's after an event, in order, at most [`EVENTS_READ_MAX`](crate::domain::limits::EVENTS_READ_MAX) of
    /// it; the oldest is forgotten. Whether the user may come in is not asked here.
    pub async fn told_since(&self, user: &UserName, run: &str, after: EventId) -> Result<Vec<Numbered>, StoreError> {
        let events = either!(self.told_since(user, run, after))?;
        self.open_events(user, run, events)
    }

    /// Gives a run back as it is, not counted as a crash; it becomes due after so many milliseconds. False if it was not held any more.
    pub async fn hand_over(&self, lease: &Lease, again_ms: u64) -> Result<bool, StoreError> {
        either!(self.hand_over(lease, again_ms))
    }

    /// Undoes a begin whose answer was lost, if it was done and nobody has come after it; says whether there was anything to undo.
    /// It never takes a lease. Repeating it is safe.
    pub async fn release(&self, begun: &Begin<'_>) -> Result<bool, StoreError> {
        either!(self.release(begun))
    }

    /// Ends a run: turns, journal, lease, all or nothing. Repeating it is safe.
    pub async fn commit(&self, lease: &Lease, commit: Commit<'_>) -> Result<Committed, StoreError> {
        let answer = self.close_answer(lease, commit.reply)?;
        let reply = commit.reply.map(|(request, _)| (request, answer.as_ref()));
        either!(self.commit(lease, Commit { reply, ..commit }))
    }

    /// Keeps a summary of older turns in the session that a run was in, if that session is still there, the conversation was not emptied since
    /// and no summary covers as much; false if not. No lease is needed: no turn is changed. It goes with the session, and when the
    /// conversation is emptied. Repeating it is safe.
    pub async fn keep_summary(&self, user: &UserName, place: &TurnPlace, summary: &Summary) -> Result<bool, StoreError> {
        either!(self.keep_summary(user, place, summary))
    }

    /// What is known of a run of the caller's. Only what is `counted` counts for the rate: a request that waits for a run looks often.
    pub async fn look(&self, caller: Caller<'_>, run: &str, counted: bool) -> Result<Looked, StoreError> {
        let looked = either!(self.look(caller, run, counted))?;
        self.open_looked(caller.user, run, looked)
    }

    /// Has a run of the caller's stop. Repeating it is safe.
    pub async fn cancel(&self, caller: Caller<'_>, run: &str) -> Result<Cancelled, StoreError> {
        either!(self.cancel(caller, run))
    }

    /// Ends a user's session and whatever runs in it, or all of them if no session is named. How many it were. Whether the caller may is not
    /// asked here.
    pub async fn kill(&self, user: &UserName, session: Option<&SessionId>) -> Result<u64, StoreError> {
        either!(self.kill(user, session))
    }

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

    /// Empties the conversation, if it is what the caller `expects`.
    pub async fn clear(&self, caller: Caller<'_>, expects: Option<&Revision>) -> Result<Cleared, StoreError> {
        either!(self.clear(caller, expects))
    }

    /// Puts a new session in the place of the old one, if that is what the caller `expects`.
    pub async fn reset(&self, caller: Caller<'_>, expects: Option<&Revision>) -> Result<Reset, StoreError> {
        either!(self.reset(caller, expects))
    }

    /// Begins a session beside the main one, under an id that nobody has, with a conversation if one is given. Repeating it is safe.
    pub async fn open_session(&self, caller: Caller<'_>, session: NewSession<'_>) -> Result<SessionOpened, StoreError> {
        either!(self.open_session(caller, session))
    }

    /// The caller's sessions: the one that is named, or else all of them, the main one first if there is one.
    pub async fn own_sessions(&self, caller: Caller<'_>) -> Result<Admitted<Vec<OwnSession>>, StoreError> {
        either!(self.own_sessions(caller))
    }

    /// Changes what a session of the caller's is called, whether it is pinned and what is noted of it; false if it is not there. What is not
    /// given stays. Repeating it is safe.
    pub async fn label_session(&self, caller: Caller<'_>, label: &LabelChange) -> Result<Admitted<bool>, StoreError> {
        either!(self.label_session(caller, label))
    }

    /// Ends the session that the caller names, with whatever runs in it; false if it is not there.
    pub async fn end_session(&self, caller: Caller<'_>) -> Result<Admitted<bool>, StoreError> {
        either!(self.end_session(caller))
    }

    /// Takes the newest turns out of the conversation of the session that the caller names, until `turn` is the number of the next one.
    pub async fn rewind(&self, caller: Caller<'_>, turn: u64, expects: Option<&Revision>) -> Result<Rewound, StoreError> {
        either!(self.rewind(caller, turn, expects))
    }

    /// Lets an administrator in, and brings nothing.
    pub async fn administrator(&self, caller: Caller<'_>, needed: Scope) -> Result<AdminAnswer<()>, StoreError> {
        either!(self.administrator(caller, needed))
    }

    /// Keeps a reply of a session for so long, under an id that nothing was kept under before (or this very reply: repeating it is safe). Of
    /// more than [`RESULTS_KEPT_MAX`](crate::domain::limits::RESULTS_KEPT_MAX) the oldest go; a reset of the session drops all.
    pub async fn keep_result(&self, session: &SessionSlot, id: &ResultId, reply: &KeptReply, ttl: Duration) -> Result<(), StoreError> {
        either!(self.keep_result(session, id, reply, ttl))
    }

    /// A kept reply of this user, if it is still there; nobody else's is ever found. Whether the user may come in is not asked here.
    pub async fn kept_result(&self, user: &UserName, id: &ResultId) -> Result<Option<KeptReply>, StoreError> {
        either!(self.kept_result(user, id))
    }

    /// Sets tokens of the day aside, if so many are neither used nor set aside; `per_day` are there. Repeating it is safe.
    pub async fn reserve_tokens(&self, purse: Purse<'_>, reservation: &Reservation, per_day: u64) -> Result<Reserved, StoreError> {
        either!(self.reserve_tokens(purse, reservation, per_day))
    }

    /// Counts what was used of tokens that were set aside, and gives the rest back; a reservation that lapsed and was cleared away is
    /// passed over. Repeating it is safe.
    pub async fn settle_tokens(&self, purse: Purse<'_>, reservation: &Reservation, used: u64) -> Result<(), StoreError> {
        either!(self.settle_tokens(purse, reservation, used))
    }

    /// What texts mean, by names that tell text and model, in their order; `None` where it is not kept, or not so that this release can read
    /// it. What was found is kept for so long from now. Nothing relies on it.
    pub async fn kept_vectors(&self, names: &[String], ttl_ms: u64) -> Result<Vec<Option<Vector>>, StoreError> {
        either!(self.kept_vectors(names, ttl_ms))
    }

    /// Keeps what texts mean for so long. Repeating it is safe.
    pub async fn keep_vectors(&self, vectors: &[(String, Vector)], ttl_ms: u64) -> Result<(), StoreError> {
        either!(self.keep_vectors(vectors, ttl_ms))
    }

    /// Whether it is the caller's to find out what some texts mean, which `work` tells from others; then nobody else's for so long. It spares
    /// work and is nothing to rely on.
    pub async fn claim_vectors(&self, work: &str, by: &str, claim_ms: u64) -> Result<bool, StoreError> {
        either!(self.claim_vectors(work, by, claim_ms))
    }

    /// Ends a claim of the caller's.
    pub async fn unclaim_vectors(&self, work: &str) -> Result<(), StoreError> {
        either!(self.unclaim_vectors(work))
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

    pub async fn known(&self, user: &UserName) -> Result<Known, StoreError> {
        either!(self.known(user))
    }

    pub async fn add_account(&self, account: &Account) -> Result<Added, StoreError> {
        either!(self.add_account(account))
    }

    /// One change, as [`Store::change_account_so`].
    pub async fn change_account(&self, user: &UserName, change: AccountChange<'_>) -> Result<bool, StoreError> {
        self.change_account_so(user, &[change]).await
    }

    /// All these changes in their order, or none; false if there is no such user.
    pub async fn change_account_so(&self, user: &UserName, changes: &[AccountChange<'_>]) -> Result<bool, StoreError> {
        Ok(self.change_account_of(user, None, changes).await? == Changed::Done)
    }

    /// As [`Store::change_account_so`], but with a hash only as long as the user's password is the one behind it.
    pub async fn change_account_of(
        &self,
        user: &UserName,
        hash: Option<&str>,
        changes: &[AccountChange<'_>],
    ) -> Result<Changed, StoreError> {
        either!(self.change_account(user, hash, changes))
    }

    /// All accounts, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        Ok(self.accounts_after(None, usize::MAX).await?.accounts)
    }

    /// At most `limit` accounts whose names come after this one, by name. One that cannot be read is left out, and the log says which.
    pub async fn accounts_after(&self, after: Option<&UserName>, limit: usize) -> Result<AccountsPage, StoreError> {
        either!(self.accounts_after(after, limit))
    }

    /// Removes a user with the session and everything else that is kept of them; false if there is no such user.
    pub async fn remove_account(&self, user: &UserName) -> Result<bool, StoreError> {
        either!(self.remove_account(user))
    }

    /// Writes one more record into the audit log, dated by the store. Repeating it is safe.
    pub async fn audit(&self, deed: &Deed) -> Result<(), StoreError> {
        either!(self.audit(deed))
    }

    /// A page of the audit log: records before this one, newest first, that are wanted.
    pub async fn audited(&self, wanted: &Wanted, before: Option<AuditPlace>, limit: usize) -> Result<AuditPage, StoreError> {
        either!(self.audited(wanted, before, limit))
    }

    /// What was said in a session of a user's, the main one if none is named, for somebody else: nothing of it changes. `None` if there is none.
    pub async fn peek(&self, user: &UserName, session: Option<&SessionId>, tail: Tail) -> Result<Option<Peeked>, StoreError> {
        either!(self.peek(user, session, tail))
    }

    /// What was said in several sessions of one user, in their order, the newest [`HISTORY_READ_TURNS`](crate::domain::limits::HISTORY_READ_TURNS) of
    /// each, in one round trip: of the first ones, until a page is full, and of one at least. `None` for one that is not there any more, or
    /// cannot be read. Whether the user may come in is not asked here.
    pub async fn read_several(&self, user: &UserName, wanted: &[ReadBefore]) -> Result<Vec<Option<ReadTurns>>, StoreError> {
        either!(self.read_several(user, wanted))
    }

    /// A password is about to be tried for an account, there or not, from an address (its digest): counted as a failure until `forgive`.
    pub async fn attempt(&self, user: &UserName, from: &str) -> Result<Attempted, StoreError> {
        either!(self.attempt(user, from))
    }

    /// A password is about to be tried from an address (its digest), for whatever account: counted as a failure until `take_back_from`.
    pub async fn attempt_from(&self, from: &str, failures_max: u32) -> Result<Attempted, StoreError> {
        either!(self.attempt_from(from, failures_max))
    }

    /// The password that was counted for an account was not tried after all.
    pub async fn take_back(&self, user: &UserName, from: &str) -> Result<(), StoreError> {
        either!(self.take_back(user, from))
    }

    /// The password that was counted for an address was right, or was not tried after all. What failed from there besides is not forgotten: whoever
    /// has a password of their own must not be able to have it forgotten.
    pub async fn take_back_from(&self, from: &str) -> Result<(), StoreError> {
        either!(self.take_back_from(from))
    }

    /// The password that was tried from there was the right one.
    pub async fn forgive(&self, user: &UserName, from: &str) -> Result<(), StoreError> {
        either!(self.forgive(user, from))
    }

    /// Begins a family of refresh tokens. Repeating it is safe.
    pub async fn log_in(&self, login: Login<'_>) -> Result<Opened, StoreError> {
        either!(self.log_in(login))
    }

    /// Exchanges a refresh token for its successor. Repeating it is safe for [`REFRESH_GRACE_MS`](crate::domain::limits::REFRESH_GRACE_MS).
    pub async fn rotate(&self, rotation: Rotation<'_>) -> Result<Rotated, StoreError> {
        either!(self.rotate(rotation))
    }

    /// Revokes the caller's token with its family, or everything of the user's. It holds for the next request at any replica.
    pub async fn log_out(&self, logout: Logout<'_>) -> Result<LoggedOut, StoreError> {
        either!(self.log_out(logout))
    }

    /// Makes an API key for the caller. Repeating it is safe.
    pub async fn make_key(&self, caller: Caller<'_>, key: NewKey<'_>) -> Result<KeyMade, StoreError> {
        either!(self.make_key(caller, key))
    }

    /// The caller's API keys that have not ended, by name.
    pub async fn keys_of(&self, caller: Caller<'_>) -> Result<Admitted<Vec<KeptKey>>, StoreError> {
        either!(self.keys_of(caller))
    }

    /// Takes a caller's API key away, by its name, and has the run stop that was begun with it, if it holds the session; `None` if there is no
    /// such key.
    pub async fn remove_key(&self, caller: Caller<'_>, name: &str) -> Result<Admitted<Option<StoppedRuns>>, StoreError> {
        either!(self.remove_key(caller, name))
    }

    /// What a user's API key is, by its digest. It lets nobody in: that is found out with whatever is done with it.
    pub async fn find_key(&self, user: &UserName, digest: &str) -> Result<Option<KeptKey>, StoreError> {
        either!(self.find_key(user, digest))
    }

    /// The caller's own credentials for the API, by their places. Makes no session.
    pub async fn own_credentials(&self, caller: Caller<'_>) -> Result<Admitted<Vec<OwnCredential>>, StoreError> {
        either!(self.own_credentials(caller))
    }

    /// A user's own credentials, for somebody who has been let in as that user: no rate is counted.
    pub async fn credentials_of(&self, user: &UserName) -> Result<Vec<OwnCredential>, StoreError> {
        either!(self.credentials_of(user))
    }

    /// Puts a caller's own credential, sealed by now, in its place. Repeating it is safe.
    pub async fn put_credential(
        &self,
        caller: Caller<'_>,
        place: &str,
        kind: &str,
        sealed: &[u8],
    ) -> Result<Admitted<CredentialPut>, StoreError> {
        either!(self.put_credential(caller, place, kind, sealed))
    }

    /// Takes a caller's own credential away; false if there was none.
    pub async fn remove_credential(&self, caller: Caller<'_>, place: &str) -> Result<Admitted<bool>, StoreError> {
        either!(self.remove_credential(caller, place))
    }

    /// A token for the API that all replicas share; if there is none, one who asks is chosen to fetch it and holds the claim for
    /// `claim_ms`. Repeating it with the same `by` is safe. `place` is a digest: it tells whose token it is and what for.
    pub async fn upstream_token(&self, place: &str, by: &str, claim_ms: u64) -> Result<UpstreamToken, StoreError> {
        either!(self.upstream_token(place, by, claim_ms))
    }

    /// Keeps a token that was fetched, and ends the claim; `None` gives the claim back. Repeating it is safe.
    pub async fn keep_upstream_token(&self, place: &str, by: &str, fetched: Option<FetchedToken<'_>>) -> Result<(), StoreError> {
        either!(self.keep_upstream_token(place, by, fetched))
    }

    /// Forgets a token that the API refused, if it is still the one that is kept. Repeating it is safe.
    pub async fn drop_upstream_token(&self, place: &str, sealed: &[u8]) -> Result<(), StoreError> {
        either!(self.drop_upstream_token(place, sealed))
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

    /// What is set in Redis so that something may be lost; nothing can be set so in the embedded store.
    pub async fn warnings(&self) -> Result<Vec<warnings::StoreWarning>, StoreError> {
        match self {
            Self::Redis(store) => store.warnings().await,
            Self::Embedded(_) => Ok(Vec::new()),
        }
    }
}
