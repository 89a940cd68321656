//! Credentials and tokens for the API behind the document, as values. The store sees sealed bytes only, and never opens them.

use super::Refused;

/// What a caller asked for, or why they are not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted<T> {
    In(T),
    Refused(Refused),
}

/// A user's own credential for the API, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCredential {
    /// What it is for; the caller's own word, unique among the user's.
    pub place: String,
    /// What it looks like unsealed; the caller's own word. No secret.
    pub kind: String,
    pub sealed: Vec<u8>,
    /// When it was put there, by the store's clock; 0 if its record cannot be read (and then it does not open either).
    pub set_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialPut {
    /// It took the place of the one that was there.
    Done { set_ms: u64 },
    /// The user has as many as they may have ([`CREDENTIALS_PER_USER_MAX`](crate::domain::limits::CREDENTIALS_PER_USER_MAX)).
    TooMany,
}

/// What there is of a token that all replicas share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamToken {
    /// It is there and good, as it was kept.
    Kept(Vec<u8>),
    /// There is none, and whoever asked is the one to fetch it: nobody else is told so until the claim lapses or is given back.
    Claimed,
    /// Somebody else is fetching it; their claim lapses after so many milliseconds.
    Awaited { left_ms: u64 },
}

/// A token that was fetched.
#[derive(Debug, Clone, Copy)]
pub struct FetchedToken<'a> {
    pub sealed: &'a [u8],
    /// It is gone after so many milliseconds.
    pub lasts_ms: u64,
}
