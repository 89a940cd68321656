//! Runs that wait, runs that have ended, and what ends a session before its time: what several verbs do with them.

use redb::ReadableTable;

use super::{Fault, book::Book, callers::Who, results::results_of, stored::Session};
use crate::{
    domain::{
        limits::{ENDED_RUNS_MAX, ENDED_RUNS_MS},
        session::{Revision, SessionId, Since},
        slot::Slot,
        turn::Ending,
        user::UserName,
    },
    store::{
        contract::{Ended, changes::What},
        keys::UserKeys,
    },
};

/// A run that waits for its session.
pub(super) struct Waits {
    /// Its place in the table, in the order of the queue; the first need not be 0 or 1.
    pub at: i64,
    pub accepted: u64,
    pub run: String,
    pub input: Vec<u8>,
}

impl Book<'_> {
    /// Those that wait, the next one first.
    pub fn waiting_of(&self, member: &str) -> Result<Vec<Waits>, Fault> {
        let mut waiting = Vec::new();
        for entry in self.waiting.range((member, i64::MIN)..=(member, i64::MAX))? {
            let (key, value) = entry?;
            let (accepted, run, input) = value.value();
            waiting.push(Waits { at: key.value().1, accepted, run: run.to_owned(), input: input.to_vec() });
        }
        Ok(waiting)
    }

    pub fn first_waiting(&self, member: &str) -> Result<Option<Waits>, Fault> {
        Ok(self.waiting_of(member)?.into_iter().next())
    }

    /// Takes one that waits out of the queue.
    pub fn stop_waiting(&mut self, member: &str, at: i64) -> Result<(), Fault> {
        self.waiting.remove((member, at))?;
        self.changed = true;
        Ok(())
    }

    /// Remembers how a run ended; of too many the oldest are forgotten.
    pub fn end(&mut self, user: &str, ended: &Ended) -> Result<(), Fault> {
        self.forget_run(user, &ended.run)?;
        self.runs.insert((user, ended.run.as_str()), ended.to_text().as_str())?;
        self.run_ends.insert((ended.ended_ms.saturating_add(ENDED_RUNS_MS), user, ended.run.as_str()), ())?;
        let mut known = Vec::new();
        for entry in self.runs.range((user, "")..)? {
            let (key, _) = entry?;
            let (whose, run) = key.value();
            if whose != user {
                break;
            }
            known.push(run.to_owned());
        }
        let extra = known.len().saturating_sub(ENDED_RUNS_MAX);
        for run in known.iter().take(extra) {
            self.forget_run(user, run)?;
        }
        self.count_end(ended)?;
        let Ended { run, ending, session, detail, .. } = ended.clone();
        self.change(user, session.as_str(), What::TurnEnded { run, ending, detail });
        self.changed = true;
        Ok(())
    }

    pub fn forget_run(&mut self, user: &str, run: &str) -> Result<(), Fault> {
        let known = self.runs.remove((user, run))?.and_then(|text| Ended::parse(text.value()));
        if let Some(ended) = known {
            self.run_ends.remove((ended.ended_ms.saturating_add(ENDED_RUNS_MS), user, run))?;
            self.changed = true;
        }
        Ok(())
    }

    /// Removes at most `n` ended runs whose time is over; how many it were.
    pub fn clean_runs(&mut self, n: usize) -> Result<u64, Fault> {
        let mut over = Vec::new();
        for entry in self.run_ends.range((0, "", "")..(self.now.saturating_add(1), "", ""))?.take(n) {
            let (key, ()) = entry.map(|(key, _)| (key, ()))?;
            let (ends, user, run) = key.value();
            over.push((ends, user.to_owned(), run.to_owned()));
        }
        for (ends, user, run) in &over {
            self.run_ends.remove((*ends, user.as_str(), run.as_str()))?;
            self.forget_run(user, run)?;
        }
        Ok(over.len() as u64)
    }

    /// How a run ended, if it has.
    pub fn ended(&self, user: &str, run: &str) -> Result<Option<Ended>, Fault> {
        match self.runs.get((user, run))? {
            Some(text) => Ended::parse(text.value()).ok_or(Fault::Unreadable).map(Some),
            None => Ok(None),
        }
    }

    /// What there is, if it is not what a client knows.
    pub fn moved(&self, who: &Who, session: Option<&Session>, expects: Option<&Revision>) -> Result<Option<Revision>, Fault> {
        let Some(expected) = expects else { return Ok(None) };
        let fence = self.fences(&who.key)?;
        let (id, version) = session.map_or(("", 0), |session| (session.id.as_str(), session.version));
        let stored = Revision { session: SessionId::from_stored(id), fence, version };
        Ok((expected.since(&stored) != Since::Same).then_some(stored))
    }

    /// Ends a session before its time, readable or not, with the run that holds it and those that wait. The user's next fence, which is
    /// given to nobody: whoever still works for the session is fenced off.
    pub fn wipe(&mut self, user: &UserName, slot: Slot, detail: &str) -> Result<u64, Fault> {
        let keys = UserKeys::at(user, slot);
        let (user, member) = (keys.listed(), &keys.member());
        let session = self.session(member).unwrap_or_default();
        let id = session.as_ref().map_or("", |session| session.id.as_str()).to_owned();
        let held = session.and_then(|session| session.held).map(|held| (held.run, 0));
        let waiting = self.waiting_of(member)?.into_iter().map(|waits| (waits.run, waits.accepted));
        for (run, accepted_ms) in held.into_iter().chain(waiting) {
            let session = SessionId::from_stored(&id);
            let (turn, detail) = (None, detail.to_owned());
            self.end(user, &Ended { run, ending: Ending::Killed, session, turn, accepted_ms, ended_ms: self.now, detail })?;
        }
        self.remove_for(member, detail)?;
        self.forget_results(&results_of(&keys, slot))?;
        self.fence(user)
    }
}
