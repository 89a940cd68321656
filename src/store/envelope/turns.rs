//! Turns under the key of their session.
//!
//! The key is made with a session's first run and stored, wrapped, in the session's own record. It goes with that record, at a reset, at
//! the end of the session, or when an administrator ends it, and what it sealed is unreadable from then on wherever a copy of it lies.

use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
};

use super::{Envelopes, Place, told};
use crate::{
    domain::{
        session::{SessionId, Summary, Turn},
        user::UserName,
    },
    secrets::records::DataKey,
    store::{
        contract::StoreError,
        record::{self, Detail},
        summary,
    },
};

/// Where the turns of a run are going to stand. Only whoever holds the session appends to it, so it holds as long as the lease.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnPlace {
    session: SessionId,
    /// The number that the next turn gets.
    next: u64,
    /// What seals it; none while nothing is sealed.
    key: Option<DataKey>,
}

impl TurnPlace {
    /// The session that it is in.
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// A place whose turns are not sealed.
    pub fn open(session: SessionId, next: u64) -> Self {
        Self { session, next, key: None }
    }
}

/// The stored turns of one session.
pub(in crate::store) struct SessionTurns<'a> {
    envelopes: &'a Envelopes,
    user: &'a UserName,
    session: &'a SessionId,
    /// Its key as it is stored.
    wrapped: Option<&'a [u8]>,
    /// Unwrapped when the first sealed record is met.
    key: OnceCell<Option<DataKey>>,
    bytes: Cell<usize>,
}

impl Envelopes {
    /// A key for a session that has none, if turns are sealed.
    ///
    /// # Errors
    /// As [`Envelopes::close`].
    pub(in crate::store) fn new_session_key(&self, user: &UserName) -> Result<Option<DataKey>, StoreError> {
        if !self.0.seals {
            return Ok(None);
        }
        self.0.keys.new_data_key(user.as_str()).map(Some).ok_or(StoreError::Unavailable)
    }

    /// Where the turns of a run go that has just begun in this session, from this number on. `offered` is the key that the session was to have if it had none,
    /// `wrapped` the one that it has.
    ///
    /// # Errors
    /// Turns are sealed, and the session's key cannot be opened.
    pub(in crate::store) fn turn_place(
        &self,
        user: &UserName,
        session: &SessionId,
        next: u64,
        offered: Option<DataKey>,
        wrapped: Option<&[u8]>,
    ) -> Result<TurnPlace, StoreError> {
        let key = match wrapped.filter(|_| self.0.seals) {
            None => None,
            Some(wrapped) => match offered.filter(|key| key.wrapped() == wrapped) {
                Some(key) => Some(key),
                None => Some(self.session_key(user, session, wrapped).ok_or(StoreError::Unreadable)?),
            },
        };
        Ok(TurnPlace { session: session.clone(), next, key })
    }

    /// The records of turns that a run appends, in their order.
    ///
    /// # Errors
    /// As [`Envelopes::close`].
    pub(in crate::store) fn close_turns(&self, user: &UserName, place: &TurnPlace, turns: &[Turn]) -> Result<Vec<Vec<u8>>, StoreError> {
        let numbered = (place.next..).zip(turns);
        let close = |(number, turn)| {
            let place_of_turn = Place::turn(user, &place.session, number);
            self.closed(&place_of_turn, Cow::Owned(record::encode(turn)), place.key.as_ref()).map(Cow::into_owned)
        };
        numbered.map(close).collect()
    }

    /// The record of a summary, which is sealed as the turns that it tells of: it goes with them.
    ///
    /// # Errors
    /// As [`Envelopes::close`].
    pub(in crate::store) fn close_summary(&self, user: &UserName, place: &TurnPlace, kept: &Summary) -> Result<Vec<u8>, StoreError> {
        let at = Place::summary(user, &place.session, kept.last);
        self.closed(&at, Cow::Owned(summary::encode(kept)), place.key.as_ref()).map(Cow::into_owned)
    }

    /// The turns of a session, to be read.
    pub(in crate::store) fn turns_of<'a>(
        &'a self,
        user: &'a UserName,
        session: &'a SessionId,
        wrapped: Option<&'a [u8]>,
    ) -> SessionTurns<'a> {
        SessionTurns { envelopes: self, user, session, wrapped, key: OnceCell::new(), bytes: Cell::new(0) }
    }

    fn session_key(&self, user: &UserName, session: &SessionId, wrapped: &[u8]) -> Option<DataKey> {
        let opened = self.0.keys.data_key(user.as_str(), wrapped).ok();
        if opened.is_none() {
            let place = Place::of("session key", user, session.as_str(), "");
            told(&place, StoreError::Unreadable, "does not open with any of store.sealing_keys");
        }
        opened
    }
}

impl SessionTurns<'_> {
    /// Bytes of the turns opened so far, as they are when they are not compressed.
    pub fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// The summary that covers everything up to `last`. A turn can do without it, so one that cannot be read is none; the log says so.
    pub fn open_summary(&self, last: u64, stored: &[u8]) -> Option<Summary> {
        let place = Place::summary(self.user, self.session, last);
        let record = self.envelopes.opened(&place, Cow::Borrowed(stored), || self.session_key()).ok()?;
        let read = summary::decode(&record, last);
        if read.is_none() {
            told(&place, StoreError::Unreadable, "cannot be read");
        }
        read
    }

    fn session_key(&self) -> Option<DataKey> {
        let unwrap = || self.wrapped.and_then(|wrapped| self.envelopes.session_key(self.user, self.session, wrapped));
        self.key.get_or_init(unwrap).clone()
    }

    /// The turn of this number.
    ///
    /// # Errors
    /// As [`Envelopes::open`]; or what is in it is no turn.
    pub fn open(&self, number: u64, stored: &[u8], detail: Detail) -> Result<Turn, StoreError> {
        let place = Place::turn(self.user, self.session, number);
        let record = self.envelopes.opened(&place, Cow::Borrowed(stored), || self.session_key())?;
        self.bytes.set(self.bytes.get().saturating_add(record.len()));
        record::decode(&record, detail).ok_or_else(|| told(&place, StoreError::Unreadable, "cannot be read"))
    }
}
