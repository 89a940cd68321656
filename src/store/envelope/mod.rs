//! The one form in which content is stored: what people say, what is called, what comes back.
//!
//! `2<flags><payload>`, where the flags say whether the payload is compressed and whether it is sealed (`form.rs`). A record that needs
//! neither stays as it is, for then the release before reads it too: replicas of two releases overlap in a rolling upgrade, so what it
//! cannot read is only written where the operator has asked for it (`store.compress_over_bytes`, `store.seal_conversations`).
//!
//! A sealed record is bound to its place: kind, user, session or run, number or field. Whoever puts it in another place, or an older one
//! back in the place of a newer, makes it unreadable; nobody is ever told another's bytes. Turns are sealed under the key of their session
//! (`turns.rs`), everything else, which is read without the session or outlives it, under a key of its user.
//!
//! Scripts never look inside. What they decide by (fingerprints, runs, tokens, numbers, times) stands outside and is not sealed.

mod form;
mod labels;
mod turns;

use std::{borrow::Cow, sync::Arc};

use tracing::warn;

use self::form::{Form, Sealed};
pub(super) use self::labels::{ClosedLabel, StoredLabel};
pub(super) use self::turns::SessionTurns;
pub use self::turns::TurnPlace;
use super::contract::StoreError;
use crate::{
    domain::{event::EventId, session::SessionId, user::UserName},
    secrets::records::{DataKey, RecordKeys},
};

/// Closes and opens what is stored. Cheap to clone. The default closes nothing and opens what is not sealed.
#[derive(Clone, Default)]
pub struct Envelopes(Arc<Inner>);

#[derive(Default)]
struct Inner {
    keys: RecordKeys,
    seals: bool,
    compress_over_bytes: usize,
}

/// Where a record stands: what it is bound to if it is sealed.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    kind: &'static str,
    user: &'a UserName,
    within: &'a str,
    at: Cow<'a, str>,
}

impl<'a> Place<'a> {
    /// Any place. `kind` is a word of the program; `within` and `at` tell the record from all others of its kind and user.
    pub fn of(kind: &'static str, user: &'a UserName, within: &'a str, at: impl Into<Cow<'a, str>>) -> Self {
        Self { kind, user, within, at: at.into() }
    }

    /// The turn of this number in a session.
    pub fn turn(user: &'a UserName, session: &'a SessionId, number: u64) -> Self {
        Self::of("turn", user, session.as_str(), number.to_string())
    }

    /// The summary of a session that covers everything up to this turn.
    pub fn summary(user: &'a UserName, session: &'a SessionId, last: u64) -> Self {
        Self::of("summary", user, session.as_str(), last.to_string())
    }

    /// What a session is called.
    pub fn title(user: &'a UserName, session: &'a SessionId) -> Self {
        Self::of("title", user, session.as_str(), "")
    }

    /// What is noted of a session.
    pub fn metadata(user: &'a UserName, session: &'a SessionId) -> Self {
        Self::of("metadata", user, session.as_str(), "")
    }

    /// A field of a run's journal.
    pub fn journal(user: &'a UserName, run: &'a str, field: &'a str) -> Self {
        Self::of("journal", user, run, field)
    }

    /// Something that happened in a run.
    pub fn event(user: &'a UserName, run: &'a str, id: EventId) -> Self {
        Self::of("event", user, run, id.to_string())
    }

    /// The answer to a request, by the digest of its idempotency key.
    pub fn answer(user: &'a UserName, digest: &'a str) -> Self {
        Self::of("answer", user, digest, "")
    }

    /// A reply that is kept whole, by its id.
    pub fn result(user: &'a UserName, id: &'a str) -> Self {
        Self::of("result", user, id, "")
    }

    fn bound(&self) -> [&str; 4] {
        [self.kind, self.user.as_str(), self.within, &self.at]
    }
}

impl Envelopes {
    /// With `seals`, what is closed is sealed under the newest of the keys; all keys open in any case. What is larger than
    /// `compress_over_bytes` is compressed; 0 is never.
    pub fn new(keys: RecordKeys, seals: bool, compress_over_bytes: usize) -> Self {
        Self(Arc::new(Inner { keys, seals, compress_over_bytes }))
    }

    /// A record as it is stored in its place.
    ///
    /// # Errors
    /// The cryptography library fails: nothing is stored open instead.
    pub fn close<'r>(&self, place: &Place<'_>, record: impl Into<Cow<'r, [u8]>>) -> Result<Cow<'r, [u8]>, StoreError> {
        self.closed(place, record.into(), None)
    }

    /// What was closed in this place.
    ///
    /// # Errors
    /// It was not, or was changed since, or sealed under a key that is not here; a newer release wrote it.
    pub fn open<'r>(&self, place: &Place<'_>, stored: impl Into<Cow<'r, [u8]>>) -> Result<Cow<'r, [u8]>, StoreError> {
        self.opened(place, stored.into(), || None)
    }

    fn closed<'r>(&self, place: &Place<'_>, record: Cow<'r, [u8]>, session: Option<&DataKey>) -> Result<Cow<'r, [u8]>, StoreError> {
        let packed = form::compressed(&record, self.0.compress_over_bytes);
        let compressed = packed.is_some();
        let sealed = match (self.0.seals, session) {
            (false, _) => Sealed::No,
            (true, None) => Sealed::ForUser,
            (true, Some(_)) => Sealed::ForSession,
        };
        let form = Form { compressed, sealed };
        if form.is_bare() && !form::would_be_misread(&record) {
            return Ok(record);
        }
        let (head, body) = (form.head(), packed.as_deref().unwrap_or(&record));
        let stored = match (sealed, session) {
            (Sealed::ForUser, _) => self.0.keys.seal(place.user.as_str(), &place.bound(), &head, body),
            (Sealed::ForSession, Some(key)) => key.seal(&place.bound(), &head, body),
            (Sealed::No | Sealed::ForSession, _) => Some([&head[..], body].concat()),
        };
        stored.map(Cow::Owned).ok_or_else(|| {
            tracing::error!(user = %place.user, kind = place.kind, "a {} of {} cannot be sealed", place.kind, place.user);
            StoreError::Unavailable
        })
    }

    fn opened<'r>(
        &self,
        place: &Place<'_>,
        stored: Cow<'r, [u8]>,
        session: impl FnOnce() -> Option<DataKey>,
    ) -> Result<Cow<'r, [u8]>, StoreError> {
        let (form, head) = match Form::read(&stored) {
            Ok(None) => return Ok(stored),
            Ok(Some(found)) => found,
            Err(error) => return Err(told(place, error, "has a form that this release does not know")),
        };
        let body = match form.sealed {
            Sealed::No => Some(cut(stored, head)),
            Sealed::ForUser => self.0.keys.open(place.user.as_str(), &place.bound(), head, &stored).ok().map(Cow::Owned),
            Sealed::ForSession => session().and_then(|key| key.open(&place.bound(), head, &stored).ok()).map(Cow::Owned),
        };
        let unreadable = |why| told(place, StoreError::Unreadable, why);
        let body = body.ok_or_else(|| unreadable("does not open: it was changed or moved, or its key is not among store.sealing_keys"))?;
        if form.compressed { form::unpacked(&body).map(Cow::Owned).ok_or_else(|| unreadable("cannot be unpacked")) } else { Ok(body) }
    }
}

fn cut(stored: Cow<'_, [u8]>, head: usize) -> Cow<'_, [u8]> {
    match stored {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(head..).unwrap_or_default()),
        Cow::Owned(mut bytes) => {
            bytes.drain(..head);
            Cow::Owned(bytes)
        }
    }
}

/// The log learns which record it is and nothing of what is in it.
fn told(place: &Place<'_>, error: StoreError, why: &str) -> StoreError {
    warn!(user = %place.user, kind = place.kind, within = place.within, at = %place.at, "a stored {} of {} {why}", place.kind, place.user);
    error
}

#[cfg(test)]
mod tests;
