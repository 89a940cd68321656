//! What every store must do, as values: what goes in and what can come out. `tests/it/store_contract.rs` holds all stores to it.

pub mod audit;
pub mod budgets;
pub mod changes;
pub mod credentials;
pub mod keys;
pub mod logins;
pub mod overview;
pub mod replicas;
mod runs;
pub mod sessions;

use std::fmt;

pub use self::runs::{
    Begin, Begun, Cancelled, Commit, Committed, Ended, Entry, Idempotency, Lease, Looked, Started, Stepped, StoredEvent, Taken, TakenRun,
};
pub use super::envelope::TurnPlace;
use crate::domain::{
    rate::{Counted, Rate},
    scope::{Allowed, Scope, Scopes},
    session::{Revision, SessionId, SessionInfo, Turn},
    slot::Slot,
    user::{Account, Role, UserName},
};

/// Why a store could not do what was asked: for deciding. The cause is logged where it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nobody answered in time, or the answer made no sense. What was asked may or may not have been done.
    #[error("the store does not answer")]
    Unavailable,
    /// It was done, or refused for it, but replicas of Redis do not have it: nothing may be sent on its strength, and it may be lost.
    #[error("what was stored is not safe yet: replicas of the store do not have it")]
    NotDurable,
    /// A stored record of this session cannot be read; other sessions are not concerned.
    #[error("a stored record of this session cannot be read")]
    Unreadable,
    /// A newer release wrote a record of this session; it is left as it is.
    #[error("a stored record of this session was written by a newer release")]
    Newer,
}

/// A caller as its token names it.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    pub user: &'a UserName,
    /// The token's `jti`.
    pub token_id: &'a str,
    /// When the token was issued, milliseconds since 1970.
    pub issued_ms: u64,
    /// The session that the request is about; none: the one that every user has.
    pub session: Option<&'a SessionId>,
    /// Where it is noted what is left of the caller's rates: by what is done in the caller's session, for that is known there without asking.
    pub counted: &'a Counted,
}

impl Caller<'_> {
    /// The slot of the session that the request is about.
    pub fn slot(&self) -> Slot {
        self.session.map_or(Slot::MAIN, Slot::of_session)
    }
}

/// Why a caller is not let in, in the order of checking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The token was revoked, or the user is gone or disabled.
    Revoked,
    /// Over the rate: try again after so many milliseconds.
    Limited { rate: Rate, retry_after_ms: u64 },
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
    /// The newest `n`, what was said.
    Newest(usize),
    /// The newest `n` with their calls.
    NewestWhole(usize),
    /// At most `n` that are older than the turn with this number (the first turn of a session is 0).
    Before {
        turn: u64,
        n: usize,
    },
    /// As [`Tail::Before`], with their calls.
    BeforeWhole {
        turn: u64,
        n: usize,
    },
}

impl Tail {
    /// How many of the newest turns come with their calls.
    pub fn whole(self) -> usize {
        match self {
            Self::NewestWhole(n) | Self::BeforeWhole { n, .. } => n,
            Self::Nothing | Self::Newest(_) | Self::Before { .. } => 0,
        }
    }
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
    /// The session that the caller names is not there.
    NoSession,
    Refused(Refused),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Cleared {
    Done(Box<SessionInfo>),
    Refused(Refused),
    Busy {
        run: String,
        left_ms: u64,
    },
    /// It is not what the caller knows: this is what there is.
    Moved(Revision),
    /// The session that the caller names is not there.
    NoSession,
}

/// A new session took the place of the old one.
#[derive(Debug, Clone, PartialEq)]
pub enum Reset {
    Done(Box<SessionInfo>),
    Refused(Refused),
    /// It is not what the caller knows: this is what there is.
    Moved(Revision),
    /// The session that the caller names is not there.
    NoSession,
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

/// Which sessions are wanted; what is `None` is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// What the name of their user begins with.
    pub user: Option<String>,
    pub state: Option<SessionState>,
}

/// Whether something is done in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// A run of it has not ended, or waits.
    Running,
    Idle,
}

impl SessionState {
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Running, Self::Idle].into_iter().find(|state| state.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Idle => "idle",
        }
    }
}

/// A place in the index: after the session that has this rank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub last_active_ms: u64,
    /// The index member, opaque; orders sessions of one instant.
    pub member: String,
}

impl Cursor {
    /// `<last active>.<member>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, member) = text.split_once('.')?;
        Some(Self { last_active_ms: at.parse().ok()?, member: member.to_owned() })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.last_active_ms, self.member)
    }
}

/// What an administrator's request yields, or why the caller may not ask.
#[derive(Debug, Clone, PartialEq)]
pub enum AdminAnswer<T> {
    Granted(T),
    Refused(Refused),
    /// The caller is no administrator and has no scope at all.
    NotAdmin,
    /// The caller has other scopes, and not this one.
    Lacks(Scope),
}

impl AdminAnswer<()> {
    /// Why the caller may not ask; none: the caller may.
    pub fn refused<T>(self) -> Option<AdminAnswer<T>> {
        match self {
            Self::Granted(()) => None,
            Self::Refused(refused) => Some(AdminAnswer::Refused(refused)),
            Self::NotAdmin => Some(AdminAnswer::NotAdmin),
            Self::Lacks(scope) => Some(AdminAnswer::Lacks(scope)),
        }
    }
}

impl<T> AdminAnswer<T> {
    /// What is answered to a caller who lacks a scope; none: the caller has it.
    pub fn refusal(allowed: Allowed, needed: Scope) -> Option<Self> {
        let scopes = allowed.scopes();
        match allowed.role {
            _ if scopes.has(needed) => None,
            Role::User if scopes.is_empty() => Some(Self::NotAdmin),
            Role::User | Role::Admin => Some(Self::Lacks(needed)),
        }
    }
}

/// A key (or, on the embedded store, a table's entry) that holds part of a user's session, the user's own credentials for the API, or logins.
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

/// A page of all users, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsPage {
    pub accounts: Vec<Account>,
    /// The last name that this page covers, if there are more.
    pub next: Option<UserName>,
}

/// Whether a user was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    New,
    Exists,
}

/// Whether an account was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Done,
    NoUser,
    /// The user's password is not the one that it was to be.
    OtherPassword,
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
    /// Scopes of its own go with the old role.
    Role(Role),
    /// `None`: what the role has.
    Scopes(Option<Scopes>),
    /// Disabling also revokes all tokens issued before.
    Disabled(bool),
    /// Saying so also revokes all tokens issued before.
    MustChange(bool),
}

impl AccountChange<'_> {
    /// Whether tokens issued before are void, and what runs on their strength stops.
    pub fn voids_tokens(&self) -> bool {
        match self {
            Self::Password(_) | Self::Disabled(true) | Self::MustChange(true) => true,
            Self::Role(_) | Self::Scopes(_) | Self::Disabled(false) | Self::MustChange(false) => false,
        }
    }
}
