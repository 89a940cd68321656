//! Logins that refresh tokens keep going, and how they end, as values. The store sees digests and sealed bytes only.

use super::{Caller, Refused};
use crate::domain::{
    limits::{
        LOGIN_FAILURES_FROM_ADDRESS_MAX, LOGIN_FAILURES_FROM_ADDRESS_MS, LOGIN_FAILURES_MAX, LOGIN_FAILURES_MS,
        LOGIN_FAILURES_OF_ADDRESS_MS,
    },
    user::{Role, UserName},
};

/// So many failures count for so long from the first of them on.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub failures_max: u32,
    pub ms: u64,
}

/// Failures for one account.
pub const OF_ACCOUNT: Window = Window { failures_max: LOGIN_FAILURES_MAX, ms: LOGIN_FAILURES_MS };
/// Failures for one account from one address.
pub const FROM_ADDRESS: Window = Window { failures_max: LOGIN_FAILURES_FROM_ADDRESS_MAX, ms: LOGIN_FAILURES_FROM_ADDRESS_MS };

/// Failures from one address for whatever accounts, of which so many may come.
pub fn of_address(failures_max: u32) -> Window {
    Window { failures_max, ms: LOGIN_FAILURES_OF_ADDRESS_MS }
}

/// Whether a password may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempted {
    /// It counts as a failure until it is forgiven, or taken back.
    Counted,
    /// Too many have failed. The first to be told so is told that it is.
    Limited { retry_after_ms: u64, first: bool },
}

/// Somebody who has proved who they are, and the family of refresh tokens that begins with it.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    pub user: &'a UserName,
    /// When they proved it, by the store's clock ([`Known::now_ms`](super::Known::now_ms)).
    pub born_ms: u64,
    pub family: &'a str,
    /// Digest of its first token.
    pub token: &'a str,
    /// The family ends if it is not used for so long.
    pub lasts_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    Done,
    /// The account was shut, or its tokens were voided, while the password was checked.
    Revoked,
}

/// A refresh token and the one that is to take its place.
#[derive(Debug, Clone, Copy)]
pub struct Rotation<'a> {
    pub user: &'a UserName,
    pub family: &'a str,
    /// Digests.
    pub presented: &'a str,
    pub successor: &'a str,
    /// The successor, sealed so that only whoever has the presented one can open it; without `|`.
    pub sealed: &'a str,
    pub lasts_ms: u64,
    /// How long access tokens of the family may live from now on: so long it is remembered if it is revoked.
    pub access_ms: u64,
}

/// What came of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    /// The successor is good, and the presented one is not any more.
    Done { role: Role, now_ms: u64 },
    /// It was exchanged a moment ago, and its successor was not used yet: this is the one that it got, sealed.
    Again { role: Role, now_ms: u64, sealed: String },
    /// It had been used before: two have it. The family is revoked, and its access tokens with it.
    Used,
    /// There is no such family, or not any more.
    Unknown,
    /// `Revoked`: the account is shut, or its tokens were voided since the login.
    Refused(Refused),
}

/// A caller who goes.
#[derive(Debug, Clone, Copy)]
pub struct Logout<'a> {
    pub caller: Caller<'a>,
    /// Until when the token has to be remembered, milliseconds since 1970.
    pub token_until_ms: u64,
    /// The family that the token is of; tokens of older releases have none.
    pub family: Option<&'a str>,
    /// As in [`Rotation`].
    pub access_ms: u64,
    /// All tokens and families of the user, not only this one.
    pub everything: bool,
    /// The run that holds the user's session is to stop, and those that wait for it never begin.
    pub stops_runs: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoggedOut {
    Done(StoppedRuns),
    Refused(Refused),
}

/// What a logout stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoppedRuns {
    /// The runs that are told to stop.
    pub running: Vec<StoppedRun>,
    /// How many waited, and were cancelled.
    pub waited: u64,
}

/// A run that is told to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedRun {
    pub run: String,
    /// What is left of its lease; 0: nobody works on it.
    pub left_ms: u64,
}
