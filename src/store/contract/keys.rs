//! API keys, as values. The store sees digests only.

use super::Refused;
use crate::domain::scope::Scopes;

/// What stands before the digest of an API key where a token's id is asked for.
pub const API_KEY_ID: &str = "k:";

/// An API key that is made.
#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    /// What its user calls it.
    pub name: &'a str,
    pub digest: &'a str,
    /// What it may do beyond its user's own session, as far as the user may.
    pub scopes: Scopes,
    pub lasts_ms: u64,
}

/// An API key as it is kept, without the key. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    pub name: String,
    pub scopes: Scopes,
    pub made_ms: u64,
    pub ends_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMade {
    Done(KeptKey),
    /// The user has one of that name.
    Exists,
    /// The user has as many as one may have.
    Full,
    Refused(Refused),
}
