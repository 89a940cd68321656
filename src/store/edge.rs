//! What both stores keep as they are given it: journals and answers. They are closed before they go to a store and opened when they come
//! back, so that neither store, nor any script, knows what is in them.

use std::borrow::Cow;

use super::{
    Store,
    contract::{Begin, Begun, Entry, Idempotency, Lease, Looked, Started, StoreError, StoredEvent, Taken},
    envelope::{Envelopes, Place},
    verbs::either,
};
use crate::domain::{event::Numbered, turn::JournalEntry, user::UserName};

/// The journal's field for what was asked: written by `begin`, or by `take` from what waited.
const INPUT: &str = "in";
/// A run that cannot be read is looked at again after so long, in milliseconds.
pub(super) const UNREADABLE_AGAIN_MS: u64 = 60_000;

impl Store {
    pub(super) fn envelopes(&self) -> &Envelopes {
        match self {
            Self::Redis(store) => store.envelopes(),
            Self::Embedded(store) => store.envelopes(),
        }
    }

    pub(super) async fn begin_closed(&self, begin: Begin<'_>) -> Result<Begun, StoreError> {
        let input = self.envelopes().close(&Place::journal(begin.caller.user, begin.run, INPUT), begin.input)?;
        let begin = Begin { input: &input, ..begin };
        let begun = either!(self.begin(begin))?;
        self.open_begun(&begin, begun)
    }

    fn open_begun(&self, begin: &Begin<'_>, begun: Begun) -> Result<Begun, StoreError> {
        let (envelopes, user) = (self.envelopes(), begin.caller.user);
        Ok(match begun {
            Begun::Replay(answer) => {
                let key = begin.idempotency.map_or("", |request| request.key);
                Begun::Replay(envelopes.open(&Place::answer(user, key), answer)?.into_owned())
            }
            other => other,
        })
    }

    /// A run that was taken, with its journal opened. One that cannot be read is given back, as one whose conversation cannot be.
    pub(super) async fn open_taken(&self, user: &UserName, taken: Taken) -> Result<Taken, StoreError> {
        let Taken::Run(mut taken) = taken else { return Ok(taken) };
        if let Err(error) = self.open_journal(user, &mut taken.journal) {
            let Started { run, token, turns_at, .. } = taken.started;
            let _ = self.hand_over(&Lease { user: user.clone(), run, token, turns_at }, UNREADABLE_AGAIN_MS).await;
            return Err(error);
        }
        Ok(Taken::Run(taken))
    }

    pub(super) fn close_events(&self, lease: &Lease, events: &[Numbered]) -> Result<Vec<StoredEvent>, StoreError> {
        let close = |Numbered { id, event }: &Numbered| {
            let record = serde_json::to_vec(event).map_err(|_| StoreError::Unreadable)?;
            let record = self.envelopes().close(&Place::event(&lease.user, &lease.run, *id), record)?.into_owned();
            Ok(StoredEvent { id: *id, record })
        };
        events.iter().map(close).collect()
    }

    /// Events of a kind that only a later release knows are left out: it tells them itself to those who ask it.
    pub(super) fn open_events(&self, user: &UserName, run: &str, events: Vec<StoredEvent>) -> Result<Vec<Numbered>, StoreError> {
        let mut opened = Vec::with_capacity(events.len());
        for StoredEvent { id, record } in events {
            let record = self.envelopes().open(&Place::event(user, run, id), record)?;
            opened.extend(serde_json::from_slice(&record).ok().map(|event| Numbered { id, event }));
        }
        Ok(opened)
    }

    pub(super) fn open_looked(&self, user: &UserName, run: &str, mut looked: Looked) -> Result<Looked, StoreError> {
        match &mut looked {
            Looked::Running { journal, .. } => self.open_journal(user, journal)?,
            Looked::Waiting { input, .. } => {
                *input = self.envelopes().open(&Place::journal(user, run, INPUT), std::mem::take(input))?.into_owned();
            }
            Looked::Ended { .. } | Looked::Unknown | Looked::Refused(_) => {}
        }
        Ok(looked)
    }

    fn open_journal(&self, user: &UserName, journal: &mut [JournalEntry]) -> Result<(), StoreError> {
        for entry in journal {
            let stored = std::mem::take(&mut entry.value);
            entry.value = self.envelopes().open(&Place::journal(user, &entry.run, &entry.field), stored)?.into_owned();
        }
        Ok(())
    }

    pub(super) fn close_entries(&self, lease: &Lease, entries: &[Entry]) -> Result<Vec<Entry>, StoreError> {
        let close = |entry: &Entry| {
            let place = Place::journal(&lease.user, &lease.run, &entry.field);
            let value = self.envelopes().close(&place, entry.value.as_slice())?.into_owned();
            Ok(Entry { field: entry.field.clone(), value })
        };
        entries.iter().map(close).collect()
    }

    /// The answer to be kept; an empty one says that there is none, and stays empty.
    pub(super) fn close_answer<'a>(&self, lease: &Lease, reply: Option<(Idempotency<'_>, &'a [u8])>) -> Result<Cow<'a, [u8]>, StoreError> {
        match reply {
            Some((request, answer)) if !answer.is_empty() => self.envelopes().close(&Place::answer(&lease.user, request.key), answer),
            Some(_) | None => Ok(Cow::Borrowed(b"")),
        }
    }
}
