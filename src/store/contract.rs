//! What every store must do, as values: what goes in and what can come out. `tests/it/store_contract.rs` holds all stores to it.

pub mod credentials;

use crate::domain::{
    session::{SessionId, SessionInfo, Turn},
    turn::{FencingToken, JournalEntry},
    user::{Account, Role, UserName},
};

/// Why a store could not do what was asked: for deciding. The cause is logged where it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nobody answered in time, or the answer made no sense. What was asked may or may not have been done.
    #[error("the store does not answer")]
    Unavailable,
    /// A stored record of this session cannot be read; other sessions are not concerned.
    #[error("a stored record of this session cannot be read")]
    Unreadable,
}

/// A caller as its token names it.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    pub user: &'a UserName,
    /// The token's `jti`.
    pub token_id: &'a str,
    /// When the token was issued, milliseconds since 1970.
    pub issued_ms: u64,
}

/// Why a caller is not let in, in the order of checking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The token was revoked, or the user is gone or disabled.
    Revoked,
    /// Over the rate: try again after so many milliseconds.
    Limited { retry_after_ms: u64 },
}

/// Rates per user and minute. A full minute's worth may come at once (GCRA).
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    pub requests_per_minute: u32,
    pub turns_per_minute: u32,
}

/// The most that `last active` may lag behind, in milliseconds.
const TOUCH_EVERY_MS_MAX: u64 = 1000;

/// How long sessions live.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    pub idle_ms: u64,
    pub max_ms: u64,
    /// Turns kept in one session.
    pub turns_max: usize,
}

impl Lifetimes {
    /// A visit that follows another within this time leaves TTLs and index as they are: reads then write nothing but the rate.
    /// A tenth of the idle time at most, so that a session in use never ends for it.
    pub fn touch_every_ms(&self) -> u64 {
        TOUCH_EVERY_MS_MAX.min(self.idle_ms / 10)
    }
}

/// Which turns of a conversation to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    Nothing,
    /// The newest `n`.
    Newest(usize),
    /// At most `n` that are older than the turn with this number (the first turn of a session is 0).
    Before {
        turn: u64,
        n: usize,
    },
}

/// A caller was let in.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    pub role: Role,
    pub session: SessionInfo,
    /// Oldest first. `enter` brings what was said; `begin` brings the calls of the newest two as well
    /// ([`TURNS_WITH_CALLS_TO_MODEL_MAX`](crate::domain::limits::TURNS_WITH_CALLS_TO_MODEL_MAX)): older ones are never looked into again.
    pub tail: Vec<Turn>,
    /// The number of the first turn in `tail`.
    pub first: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Entered {
    In(Box<Visit>),
    Refused(Refused),
}

/// A request that must be done once however often it is sent (IETF draft-ietf-httpapi-idempotency-key-header).
#[derive(Debug, Clone, Copy)]
pub struct Idempotency<'a> {
    /// Digest of the client's key; scoped to the caller by the store.
    pub key: &'a str,
    /// Digest of what was asked.
    pub fingerprint: &'a str,
}

/// Asks for the session's lease.
#[derive(Debug, Clone, Copy)]
pub struct Begin<'a> {
    pub caller: Caller<'a>,
    /// Id of the run that wants to begin.
    pub run: &'a str,
    /// `replica#nonce`, the nonce new for every attempt to begin (but the same when one attempt is repeated because its answer was lost).
    pub owner: &'a str,
    pub lease_ms: u64,
    /// Turns of the conversation to bring along.
    pub tail: usize,
    /// What is being asked, for whoever finds this run orphaned.
    pub input: &'a [u8],
    pub idempotency: Option<Idempotency<'a>>,
}

/// The session is leased.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    pub token: FencingToken,
    /// The run's id: the one asked for, or that of the dead holder of the same idempotency key.
    pub run: String,
    pub visit: Visit,
    /// What earlier runs that never ended left behind, this run's own entries included when it takes over itself.
    pub journal: Vec<JournalEntry>,
    /// The store's clock.
    pub now_ms: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    Started(Box<Started>),
    Refused(Refused),
    /// Another run holds the session for at most so many milliseconds more.
    Busy {
        run: String,
        left_ms: u64,
    },
    /// The same request is being worked on.
    InFlight {
        run: String,
    },
    /// The same request began before, and its journal went with its session: whether it sent anything is not known any more.
    Lost {
        run: String,
    },
    /// The idempotency key was used for another request.
    KeyReused,
    /// The same request was answered: this is the answer.
    Replay(Vec<u8>),
}

/// A held lease: what every write of a run must prove.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    pub user: UserName,
    pub run: String,
    pub token: FencingToken,
}

/// One entry for the journal of a run: written once, never changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub field: String,
    pub value: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// Written; the lease is renewed.
    Held,
    /// Somebody wants this run to stop.
    CancelWanted,
    /// The lease is another's now: nothing was written, and nothing may be sent any more.
    Stale,
}

/// What a run leaves when it ends.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// Whole turns, oldest first; none for a run that leaves no trace in the conversation.
    pub turns: &'a [Turn],
    /// The answer to keep for repetitions of the same request.
    pub reply: Option<(Idempotency<'a>, &'a [u8])>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// Written, or found written by an earlier attempt whose answer was lost.
    Done { turns: u64, version: u64 },
    /// The lease was lost: nothing was written.
    Stale,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Cleared {
    Done(Box<SessionInfo>),
    Refused(Refused),
    Busy { run: String, left_ms: u64 },
}

/// A new session took the place of the old one.
#[derive(Debug, Clone, PartialEq)]
pub enum Reset {
    Done(Box<SessionInfo>),
    Refused(Refused),
}

/// Numbers of sessions, exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionStats {
    /// Listed sessions, those included that have ended and are not cleaned away yet.
    pub total: u64,
    pub active: u64,
    pub last_cleanup_ms: u64,
}

/// A session as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub user: UserName,
    pub id: SessionId,
    pub created_ms: u64,
    pub last_active_ms: u64,
    pub expires_ms: u64,
    pub turns: u64,
}

/// A page of the index, newest activity first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionsPage {
    pub stats: SessionStats,
    pub sessions: Vec<Listed>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
    pub now_ms: u64,
}

/// A place in the index: after the session that has this rank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub last_active_ms: u64,
    /// The index member, opaque; orders sessions of one instant.
    pub member: String,
}

/// What an administrator's request yields, or why the caller may not ask.
#[derive(Debug, Clone, PartialEq)]
pub enum AdminAnswer<T> {
    Granted(T),
    Refused(Refused),
    NotAdmin,
}

/// A key (or, on the embedded store, a table's entry) that holds part of a user's session, or the user's own credentials for the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    pub name: String,
    /// `hash`, `list`, `string`, `zset` …
    pub kind: String,
    /// Milliseconds to live; `None`: it stays.
    pub ttl_ms: Option<u64>,
    /// Bytes in the store.
    pub bytes: u64,
}

/// Whether a user was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    New,
    Exists,
}

/// An account as it is looked up for a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub account: Option<Account>,
    /// The store's clock: tokens are dated by it, because it is what revocations are dated by.
    pub now_ms: u64,
}

/// What changes in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountChange<'a> {
    /// Also revokes all tokens issued before.
    Password(&'a str),
    Role(Role),
    /// Disabling also revokes all tokens issued before.
    Disabled(bool),
}
