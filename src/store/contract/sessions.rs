//! The sessions that a user has beside the main one, as values: what is begun, what is told of each, what may be changed.

use super::Refused;
use crate::domain::{
    session::{Label, Revision, SessionId, SessionInfo, Turn},
    totals::Totals,
};

/// A session that a caller begins.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// Nobody else's ([`new_session_id`](crate::store::new_session_id)), in a slot that is not the main one.
    pub id: &'a SessionId,
    pub label: &'a Label,
    /// What its conversation begins with, oldest first.
    pub turns: &'a [Turn],
    /// How many sessions a user may have beside the main one.
    pub most: usize,
}

/// Whether it was begun.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionOpened {
    /// It is there now.
    Done(Box<OwnSession>),
    /// The user has as many as may be.
    Full,
    Refused(Refused),
}

/// One of the caller's sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnSession {
    pub session: SessionInfo,
    /// When it ends if nobody comes, milliseconds since 1970.
    pub ends_ms: u64,
    pub label: Label,
    pub totals: Totals,
}

/// One of several sessions that are read at once: what was said before a turn.
#[derive(Debug, Clone)]
pub struct ReadBefore {
    pub session: SessionId,
    /// The number of the turn.
    pub turn: u64,
}

/// What was said in one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadTurns {
    /// Without their calls, oldest first, and the newest of those that were asked for.
    pub turns: Vec<Turn>,
    /// The number of the first of them.
    pub first: u64,
}

/// What changes of a session's label; what is `None` stays, an empty text goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelChange {
    pub title: Option<String>,
    pub pinned: Option<bool>,
    /// JSON.
    pub metadata: Option<String>,
}

/// Whether the newest turns were taken out.
#[derive(Debug, Clone, PartialEq)]
pub enum Rewound {
    Done(Box<SessionInfo>),
    /// A run holds the session, or (no time left) waits for it.
    Busy {
        run: String,
        left_ms: u64,
    },
    /// The conversation does not reach so far, or what is before it is gone.
    NoTurn,
    /// It is not what the caller knows: this is what there is.
    Moved(Revision),
    /// The session that the caller names is not there.
    NoSession,
    Refused(Refused),
}

impl LabelChange {
    /// Everything that a label has.
    pub fn of(label: &Label) -> Self {
        let Label { title, pinned, metadata } = label;
        Self { title: title.clone(), pinned: pinned.then_some(true), metadata: metadata.clone() }
    }
}
