//! Sessions of users: coming in, reading, and what their owner does with them.

use super::either;
use crate::{
    domain::{
        session::{Revision, SessionId},
        user::UserName,
    },
    store::{
        Store,
        contract::{
            Caller, Cleared, Entered, Reset, StoreError, Tail,
            audit::Peeked,
            credentials::Admitted,
            sessions::{LabelChange, NewSession, OwnSession, ReadBefore, ReadTurns, Rewound, SessionOpened},
        },
    },
};

impl Store {
    /// Lets a caller in, or says why not; makes the session if there is none; brings part of the conversation.
    pub async fn enter(&self, caller: Caller<'_>, tail: Tail) -> Result<Entered, StoreError> {
        either!(self.enter(caller, tail))
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
}
