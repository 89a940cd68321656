//! Runs: beginning, going on, ending, and what is told of them meanwhile.

use std::time::Duration;

use super::either;
use crate::{
    domain::{
        event::{EventId, Numbered},
        kept::{KeptReply, ResultId},
        session::{SessionId, Summary},
        slot::SessionSlot,
        user::UserName,
    },
    store::{
        Store,
        contract::{Begin, Begun, Caller, Cancelled, Commit, Committed, Entry, Lease, Looked, Stepped, StoreError, Taken, TurnPlace},
    },
};

impl Store {
    /// Takes the session for a run, or has it wait. Repeating the same attempt (same `run` and `owner`) is safe.
    pub async fn begin(&self, begin: Begin<'_>) -> Result<Begun, StoreError> {
        self.begin_closed(begin).await
    }

    /// Sessions with a run that nobody works on, because its holder is gone or because it waits; not all of them at once.
    pub async fn due(&self) -> Result<Vec<SessionSlot>, StoreError> {
        either!(self.due())
    }

    /// Goes on with the run of a session whose holder is gone, under the same run and a new token; if there is none, begins the run that has
    /// waited longest. Repeating it with the same `owner` is safe.
    pub async fn take(&self, session: &SessionSlot, owner: &str, lease_ms: u64, tail: usize) -> Result<Taken, StoreError> {
        let taken = either!(self.take(session, owner, lease_ms, tail))?;
        self.open_taken(&session.user, taken).await
    }

    /// Whether the API key that a taken run was begun with (its digest) still stands: a run whose key is taken away stops. Repeating it is safe.
    pub async fn begun_with(&self, lease: &Lease, key: &str) -> Result<Stepped, StoreError> {
        either!(self.begun_with(lease, key))
    }

    /// Renews the lease and writes journal entries, if the lease is still held. Repeating it is safe.
    pub async fn step(&self, lease: &Lease, lease_ms: u64, entries: &[Entry]) -> Result<Stepped, StoreError> {
        let entries = self.close_entries(lease, entries)?;
        either!(self.step(lease, lease_ms, &entries))
    }

    /// Writes down what happens in a run, if it still holds its session; false if it does not. Nothing is relied on for having been told.
    /// Repeating it is safe: what is not newer than the newest is not written.
    pub async fn tell(&self, lease: &Lease, events: &[Numbered]) -> Result<bool, StoreError> {
        let events = self.close_events(lease, events)?;
        either!(self.tell(lease, &events))
    }

    /// What happened in a run of this user's after an event, in order, at most [`EVENTS_READ_MAX`](crate::domain::limits::EVENTS_READ_MAX) of
    /// it; the oldest is forgotten. Whether the user may come in is not asked here.
    pub async fn told_since(&self, user: &UserName, run: &str, after: EventId) -> Result<Vec<Numbered>, StoreError> {
        let events = either!(self.told_since(user, run, after))?;
        self.open_events(user, run, events)
    }

    /// Gives a run back as it is, not counted as a crash; it becomes due after so many milliseconds. False if it was not held any more.
    pub async fn hand_over(&self, lease: &Lease, again_ms: u64) -> Result<bool, StoreError> {
        either!(self.hand_over(lease, again_ms))
    }

    /// Undoes a begin whose answer was lost, if it was done and nobody has come after it; says whether there was anything to undo.
    /// It never takes a lease. Repeating it is safe.
    pub async fn release(&self, begun: &Begin<'_>) -> Result<bool, StoreError> {
        either!(self.release(begun))
    }

    /// Ends a run: turns, journal, lease, all or nothing. Repeating it is safe.
    pub async fn commit(&self, lease: &Lease, commit: Commit<'_>) -> Result<Committed, StoreError> {
        let answer = self.close_answer(lease, commit.reply)?;
        let reply = commit.reply.map(|(request, _)| (request, answer.as_ref()));
        either!(self.commit(lease, Commit { reply, ..commit }))
    }

    /// Keeps a summary of older turns in the session that a run was in, if that session is still there, the conversation was not emptied since
    /// and no summary covers as much; false if not. No lease is needed: no turn is changed. It goes with the session, and when the
    /// conversation is emptied. Repeating it is safe.
    pub async fn keep_summary(&self, user: &UserName, place: &TurnPlace, summary: &Summary) -> Result<bool, StoreError> {
        either!(self.keep_summary(user, place, summary))
    }

    /// What is known of a run of the caller's. Only what is `counted` counts for the rate: a request that waits for a run looks often.
    pub async fn look(&self, caller: Caller<'_>, run: &str, counted: bool) -> Result<Looked, StoreError> {
        let looked = either!(self.look(caller, run, counted))?;
        self.open_looked(caller.user, run, looked)
    }

    /// Has a run of the caller's stop. Repeating it is safe.
    pub async fn cancel(&self, caller: Caller<'_>, run: &str) -> Result<Cancelled, StoreError> {
        either!(self.cancel(caller, run))
    }

    /// Ends a user's session and whatever runs in it, or all of them if no session is named. How many it were. Whether the caller may is not
    /// asked here.
    pub async fn kill(&self, user: &UserName, session: Option<&SessionId>) -> Result<u64, StoreError> {
        either!(self.kill(user, session))
    }

    /// Keeps a reply of a session for so long, under an id that nothing was kept under before (or this very reply: repeating it is safe). Of
    /// more than [`RESULTS_KEPT_MAX`](crate::domain::limits::RESULTS_KEPT_MAX) the oldest go; a reset of the session drops all.
    pub async fn keep_result(&self, session: &SessionSlot, id: &ResultId, reply: &KeptReply, ttl: Duration) -> Result<(), StoreError> {
        either!(self.keep_result(session, id, reply, ttl))
    }

    /// A kept reply of this user, if it is still there; nobody else's is ever found. Whether the user may come in is not asked here.
    pub async fn kept_result(&self, user: &UserName, id: &ResultId) -> Result<Option<KeptReply>, StoreError> {
        either!(self.kept_result(user, id))
    }
}
