//! The audit log, and a look into somebody's session that leaves a record there, as values.

use crate::domain::{
    audit::{AuditPlace, Audited},
    session::{SessionInfo, Turn},
    totals::Totals,
};

/// A page of the log, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    pub records: Vec<Audited>,
    /// The last record on this page, if there are more that are wanted.
    pub next: Option<AuditPlace>,
}

/// What somebody else sees of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Peeked {
    pub session: SessionInfo,
    pub totals: Totals,
    /// Oldest first, as far as it was asked for.
    pub tail: Vec<Turn>,
    /// The number of the first turn in `tail`.
    pub first: u64,
}
