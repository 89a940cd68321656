//! What is remembered between requests: sessions with their conversations, leases, journals, users.
//!
//! A closed enum over two stores, not a trait: Redis for many replicas, one file for one process. What both must do stands in
//! [`contract`]; one suite of tests holds both to it.

pub mod contract;
mod embedded;
mod kept;
mod keys;
pub mod migrate;
mod on_redis;
pub mod record;

pub use self::{
    embedded::{EmbeddedStore, OpenError},
    on_redis::RedisStore,
};

use std::time::Duration;

use self::contract::{
    AccountChange, Added, AdminAnswer, Begin, Begun, Caller, Cleared, Commit, Committed, Cursor, Entered, Entry, Known, Lease, Reset,
    SessionStats, SessionsPage, Stepped, StoreError, StoredKey, Tail,
    credentials::{Admitted, CredentialPut, FetchedToken, OwnCredential, UpstreamToken},
};
use crate::domain::{
    kept::{KeptReply, ResultId},
    user::{Account, UserName},
};

/// How long the answer to a request with an idempotency key can be asked for again.
const IDEMPOTENCY_TTL_MS: u64 = 24 * 60 * 60 * 1000;
/// Ended sessions taken out of one bucket of the index at once.
const SWEEP_AT_ONCE: u64 = 500;

/// An id for a new session: 128 random bits.
fn new_session_id() -> String {
    crate::secrets::random::hex_of(16)
}

/// Where sessions live. Cheap to clone.
#[derive(Clone)]
pub enum Store {
    Redis(RedisStore),
    Embedded(EmbeddedStore),
}

/// The same verb on whichever store there is.
macro_rules! either {
    ($self:ident.$verb:ident($($argument:expr),*)) => {
        match $self {
            Store::Redis(store) => store.$verb($($argument),*).await,
            Store::Embedded(store) => store.$verb($($argument),*).await,
        }
    };
}

impl Store {
    /// Lets a caller in, or says why not; makes the session if there is none; brings part of the conversation.
    pub async fn enter(&self, caller: Caller<'_>, tail: Tail) -> Result<Entered, StoreError> {
        either!(self.enter(caller, tail))
    }

    /// Takes the session for a run. Repeating the same attempt (same `owner`) is safe.
    pub async fn begin(&self, begin: Begin<'_>) -> Result<Begun, StoreError> {
        either!(self.begin(begin))
    }

    /// Renews the lease and writes journal entries, if the lease is still held. Repeating it is safe.
    pub async fn step(&self, lease: &Lease, lease_ms: u64, entries: &[Entry]) -> Result<Stepped, StoreError> {
        either!(self.step(lease, lease_ms, entries))
    }

    /// Undoes a begin whose answer was lost, if it was done and nobody has come after it; says whether there was anything to undo.
    /// It never takes a lease. Repeating it is safe.
    pub async fn release(&self, begun: &Begin<'_>) -> Result<bool, StoreError> {
        either!(self.release(begun))
    }

    /// Ends a run: turns, journal, lease, all or nothing. Repeating it is safe.
    pub async fn commit(&self, lease: &Lease, commit: Commit<'_>) -> Result<Committed, StoreError> {
        either!(self.commit(lease, commit))
    }

    /// Empties the conversation.
    pub async fn clear(&self, caller: Caller<'_>) -> Result<Cleared, StoreError> {
        either!(self.clear(caller))
    }

    /// Puts a new session in the place of the old one.
    pub async fn reset(&self, caller: Caller<'_>) -> Result<Reset, StoreError> {
        either!(self.reset(caller))
    }

    /// Lets an administrator in, and brings nothing.
    pub async fn administrator(&self, caller: Caller<'_>) -> Result<AdminAnswer<()>, StoreError> {
        either!(self.administrator(caller))
    }

    /// Keeps a reply of a user for so long, under an id that nothing was kept under before (or this very reply: repeating it is safe). Of
    /// more than [`RESULTS_KEPT_MAX`](crate::domain::limits::RESULTS_KEPT_MAX) the oldest go; a reset of the session drops all.
    pub async fn keep_result(&self, user: &UserName, id: &ResultId, reply: &KeptReply, ttl: Duration) -> Result<(), StoreError> {
        either!(self.keep_result(user, id, reply, ttl))
    }

    /// A kept reply of this user, if it is still there; nobody else's is ever found. Whether the user may come in is not asked here.
    pub async fn kept_result(&self, user: &UserName, id: &ResultId) -> Result<Option<KeptReply>, StoreError> {
        either!(self.kept_result(user, id))
    }

    pub async fn stats(&self) -> Result<SessionStats, StoreError> {
        either!(self.stats())
    }

    pub async fn sessions(
        &self,
        caller: Caller<'_>,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<AdminAnswer<SessionsPage>, StoreError> {
        either!(self.sessions(caller, cursor, limit))
    }

    pub async fn keys(&self, caller: Caller<'_>, user: &UserName) -> Result<AdminAnswer<Vec<StoredKey>>, StoreError> {
        either!(self.keys(caller, user))
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

    /// False if there is no such user.
    pub async fn change_account(&self, user: &UserName, change: AccountChange<'_>) -> Result<bool, StoreError> {
        either!(self.change_account(user, change))
    }

    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        either!(self.accounts())
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

    pub async fn ping(&self) -> Result<(), StoreError> {
        either!(self.ping())
    }
}
