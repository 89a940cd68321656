//! Tokens of a day, as values: set aside before a model is asked, counted afterwards. A day is one of UTC, by the store's clock.

use crate::domain::user::UserName;

/// Whose tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purse<'a> {
    User(&'a UserName),
    /// Those of all users together. In a Cluster they have a slot of their own, so a user's and these are counted by two scripts: each is
    /// exact by itself, and what was set aside in one is given back where the other refuses.
    Service,
}

/// Tokens set aside for one request to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Unlike that of any other, without `|`.
    pub id: String,
    pub tokens: u64,
    /// If it is not settled within this time, it was never made.
    pub lasts_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    Granted,
    /// So many are not left: used or set aside. The day ends then, milliseconds since 1970, which is after so many milliseconds.
    Exhausted {
        resets_ms: u64,
        left_ms: u64,
    },
}
