//! One write transaction on sessions: their records, conversations, journals and the index, changed together or not at all.

use redb::{ReadableTable, Table, WriteTransaction};

use super::{
    Fault, Inner,
    stored::{Session, decode, encode},
    tables::{
        ACCOUNTS, ACTIVITY, Bytes, CREDENTIALS, Credential, ENDS, FENCES, HISTORY, JOURNAL, Kept, LISTED, REQUEST_ENDS, REQUESTS,
        RESULT_ENDS, RESULTS, Request, Row, SESSIONS, Text,
    },
};
use crate::{
    domain::{limits::HISTORY_PAGE_BYTES, session::Turn, turn::JournalEntry},
    store::{
        contract::Tail,
        record::{self, Detail},
    },
};

/// Ended sessions, and answers that need not be repeated any more, taken out at each write.
const CLEANED_AT_A_WRITE: usize = 4;

/// The tables of one write transaction. Nothing is kept unless something was changed.
pub(super) struct Book<'t> {
    pub now: u64,
    pub accounts: Table<'t, Text, Bytes>,
    pub credentials: Table<'t, (Text, Text), Credential>,
    pub changed: bool,
    idle_ms: u64,
    fences: Table<'t, Text, u64>,
    sessions: Table<'t, Text, Bytes>,
    history: Table<'t, (Text, u64), Bytes>,
    journal: Table<'t, (Text, Text), Bytes>,
    requests: Table<'t, (Text, Text), Request>,
    listed: Table<'t, Text, Row>,
    activity: Table<'t, (u64, Text), ()>,
    ends: Table<'t, (u64, Text), ()>,
    request_ends: Table<'t, (u64, Text, Text), ()>,
    pub results: Table<'t, (Text, Text), Kept>,
    pub result_ends: Table<'t, (u64, Text, Text), ()>,
}

/// What is remembered of a request with an idempotency key.
pub(super) struct Remembered {
    pub fingerprint: String,
    pub run: String,
    pub answer: Option<Vec<u8>>,
}

impl Inner {
    /// Runs `job` in one write transaction, which is kept if the job succeeded and changed something.
    pub fn write<T>(&self, job: impl FnOnce(&mut Book<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let transaction = self.database.begin_write()?;
        // Asked for only now: whoever waited for the transaction before must not write older times than it did.
        let (made, changed) = {
            let mut book = Book::open(&transaction, self.clock.now_ms(), self.lifetimes.idle_ms)?;
            (job(&mut book)?, book.changed)
        };
        if changed {
            transaction.commit()?;
        } else {
            transaction.abort()?;
        }
        Ok(made)
    }
}

impl<'t> Book<'t> {
    fn open(transaction: &'t WriteTransaction, now: u64, idle_ms: u64) -> Result<Self, Fault> {
        Ok(Self {
            now,
            accounts: transaction.open_table(ACCOUNTS)?,
            credentials: transaction.open_table(CREDENTIALS)?,
            changed: false,
            idle_ms,
            fences: transaction.open_table(FENCES)?,
            sessions: transaction.open_table(SESSIONS)?,
            history: transaction.open_table(HISTORY)?,
            journal: transaction.open_table(JOURNAL)?,
            requests: transaction.open_table(REQUESTS)?,
            listed: transaction.open_table(LISTED)?,
            activity: transaction.open_table(ACTIVITY)?,
            ends: transaction.open_table(ENDS)?,
            request_ends: transaction.open_table(REQUEST_ENDS)?,
            results: transaction.open_table(RESULTS)?,
            result_ends: transaction.open_table(RESULT_ENDS)?,
        })
    }

    /// The session, if there is one that has not ended.
    pub fn session(&self, member: &str) -> Result<Option<Session>, Fault> {
        session_of(&self.sessions, &self.listed, member, self.now)
    }

    pub fn turns(&self, member: &str, session: &Session, tail: Tail, whole: usize) -> Result<(Vec<Turn>, u64), Fault> {
        turns_of(&self.history, member, session, tail, whole)
    }

    /// Writes the session, its end and its place in the index; takes a few ended ones out on the way.
    pub fn keep(&mut self, member: &str, session: &mut Session) -> Result<(), Fault> {
        session.active = self.now;
        self.prolong(member, session)?;
        self.clean(CLEANED_AT_A_WRITE)?;
        self.clean_requests(CLEANED_AT_A_WRITE)?;
        self.clean_results(CLEANED_AT_A_WRITE)?;
        Ok(())
    }

    /// Writes the session and puts its end off; its place among the active ones follows the record.
    pub fn prolong(&mut self, member: &str, session: &mut Session) -> Result<(), Fault> {
        session.ends = session.expires.min(self.now.saturating_add(self.idle_ms.max(1)));
        self.unlist(member)?;
        self.sessions.insert(member, encode(session).as_slice())?;
        self.listed.insert(member, (session.active, session.ends, session.created, session.turns, session.id.as_str()))?;
        self.activity.insert((session.active, member), ())?;
        self.ends.insert((session.ends, member), ())?;
        self.changed = true;
        Ok(())
    }

    fn unlist(&mut self, member: &str) -> Result<(), Fault> {
        let places = self.listed.remove(member)?.map(|row| (row.value().0, row.value().1));
        if let Some((active, ends)) = places {
            self.activity.remove((active, member))?;
            self.ends.remove((ends, member))?;
        }
        Ok(())
    }

    /// Removes a session with all that belongs to it, readable or not.
    pub fn remove(&mut self, member: &str) -> Result<(), Fault> {
        self.unlist(member)?;
        self.sessions.remove(member)?;
        self.forget_turns(member)?;
        self.settle(member)?;
        self.changed = true;
        Ok(())
    }

    pub fn forget_turns(&mut self, member: &str) -> Result<(), Fault> {
        self.history.retain_in((member, 0)..=(member, u64::MAX), |_, _| false)?;
        self.changed = true;
        Ok(())
    }

    /// Appends a turn behind the newest.
    pub fn append(&mut self, member: &str, session: &mut Session, turn: &Turn) -> Result<(), Fault> {
        self.history.insert((member, session.next()), record::encode(turn).as_slice())?;
        session.turns = session.turns.saturating_add(1);
        self.changed = true;
        Ok(())
    }

    /// Drops the oldest turns until `kept` are left.
    pub fn trim(&mut self, member: &str, session: &mut Session, kept: u64) -> Result<(), Fault> {
        let extra = session.turns.saturating_sub(kept);
        if extra > 0 {
            let base = session.base.saturating_add(extra);
            self.history.retain_in((member, session.base)..(member, base), |_, _| false)?;
            (session.base, session.turns) = (base, kept);
        }
        Ok(())
    }

    /// All that runs which have not ended left behind.
    pub fn journal(&self, member: &str) -> Result<Vec<JournalEntry>, Fault> {
        let mut entries = Vec::new();
        for entry in self.journal.range((member, "")..)? {
            let (key, value) = entry?;
            let (whose, name) = key.value();
            if whose != member {
                break;
            }
            let (run, field) = name.split_once('|').ok_or(Fault::Unreadable)?;
            entries.push(JournalEntry { run: run.to_owned(), field: field.to_owned(), value: value.value().to_vec() });
        }
        Ok(entries)
    }

    pub fn journaled(&self, member: &str, run: &str, field: &str) -> Result<bool, Fault> {
        Ok(self.journal.get((member, [run, "|", field].concat().as_str()))?.is_some())
    }

    /// Writes an entry, unless it is written already.
    pub fn journal_once(&mut self, member: &str, run: &str, field: &str, value: &[u8]) -> Result<(), Fault> {
        if !self.journaled(member, run, field)? {
            self.journal.insert((member, [run, "|", field].concat().as_str()), value)?;
            self.changed = true;
        }
        Ok(())
    }

    /// Takes an entry out again.
    pub fn unjournal(&mut self, member: &str, run: &str, field: &str) -> Result<(), Fault> {
        self.changed |= self.journal.remove((member, [run, "|", field].concat().as_str()))?.is_some();
        Ok(())
    }

    /// Empties the journal.
    pub fn settle(&mut self, member: &str) -> Result<(), Fault> {
        let mut names = Vec::new();
        for entry in self.journal.range((member, "")..)? {
            let (key, _) = entry?;
            let (whose, name) = key.value();
            if whose != member {
                break;
            }
            names.push(name.to_owned());
        }
        for name in names {
            self.journal.remove((member, name.as_str()))?;
            self.changed = true;
        }
        Ok(())
    }

    /// The next fence of a user: it lives with the account, so it outlives resets.
    pub fn fence(&mut self, user: &str) -> Result<u64, Fault> {
        let next = self.fences.get(user)?.map_or(0, |n| n.value()).saturating_add(1);
        self.fences.insert(user, next)?;
        self.changed = true;
        Ok(next)
    }

    pub fn remembered(&self, user: &str, key: &str) -> Result<Option<Remembered>, Fault> {
        let Some(found) = self.requests.get((user, key))? else { return Ok(None) };
        let (ends, fingerprint, run, answer) = found.value();
        let known = Remembered { fingerprint: fingerprint.to_owned(), run: run.to_owned(), answer: answer.map(<[u8]>::to_vec) };
        Ok((ends > self.now).then_some(known))
    }

    pub fn remember(&mut self, user: &str, key: &str, lasts_ms: u64, what: &Remembered) -> Result<(), Fault> {
        self.forget(user, key)?;
        let ends = self.now.saturating_add(lasts_ms);
        self.requests.insert((user, key), (ends, what.fingerprint.as_str(), what.run.as_str(), what.answer.as_deref()))?;
        self.request_ends.insert((ends, user, key), ())?;
        self.changed = true;
        Ok(())
    }

    pub fn forget(&mut self, user: &str, key: &str) -> Result<(), Fault> {
        let ends = self.requests.remove((user, key))?.map(|found| found.value().0);
        if let Some(ends) = ends {
            self.request_ends.remove((ends, user, key))?;
            self.changed = true;
        }
        Ok(())
    }

    /// Removes at most `n` sessions that have ended; how many it were.
    pub fn clean(&mut self, n: usize) -> Result<u64, Fault> {
        let mut ended = Vec::new();
        for entry in self.ends.range((0, "")..(self.now.saturating_add(1), ""))?.take(n) {
            ended.push(entry?.0.value().1.to_owned());
        }
        for member in &ended {
            self.remove(member)?;
        }
        Ok(ended.len() as u64)
    }

    /// Removes at most `n` remembered requests whose time is over; how many it were.
    pub fn clean_requests(&mut self, n: usize) -> Result<u64, Fault> {
        let mut ended = Vec::new();
        for entry in self.request_ends.range((0, "", "")..(self.now.saturating_add(1), "", ""))?.take(n) {
            let (key, ()) = entry.map(|(key, _)| (key, ()))?;
            let (_, user, digest) = key.value();
            ended.push((user.to_owned(), digest.to_owned()));
        }
        for (user, digest) in &ended {
            self.forget(user, digest)?;
        }
        Ok(ended.len() as u64)
    }
}

/// A session, if it is there and has not ended. One that has ended is gone even if its record cannot be read.
pub(super) fn session_of(
    sessions: &impl ReadableTable<Text, Bytes>,
    listed: &impl ReadableTable<Text, Row>,
    member: &str,
    now: u64,
) -> Result<Option<Session>, Fault> {
    let Some(found) = sessions.get(member)? else { return Ok(None) };
    if listed.get(member)?.is_some_and(|row| row.value().1 <= now) {
        return Ok(None);
    }
    let session: Session = decode(found.value())?;
    Ok((session.ends > now).then_some(session))
}

/// Part of a conversation, oldest first, and the number of its first turn. The newest `whole` turns come with their calls.
pub(super) fn turns_of(
    history: &impl ReadableTable<(Text, u64), Bytes>,
    member: &str,
    session: &Session,
    tail: Tail,
    whole: usize,
) -> Result<(Vec<Turn>, u64), Fault> {
    let next = session.next();
    let (n, until) = match tail {
        Tail::Nothing => return Ok((Vec::new(), next)),
        Tail::Newest(n) => (n, next),
        Tail::Before { turn, n } => (n, turn.min(next)),
    };
    if until <= session.base {
        return Ok((Vec::new(), next));
    }
    let mut from = until.saturating_sub(n as u64).max(session.base);
    let mut turns = Vec::new();
    let mut bytes = 0;
    for entry in history.range((member, from)..(member, until))?.rev() {
        let (key, value) = entry?;
        bytes += value.value().len();
        let detail = if key.value().1 + whole as u64 >= until { Detail::Whole } else { Detail::Said };
        turns.push(record::decode(value.value(), detail).ok_or(Fault::Unreadable)?);
        if bytes >= HISTORY_PAGE_BYTES {
            // The page is full; what is older is on the next one.
            from = key.value().1;
            break;
        }
    }
    turns.reverse();
    // A turn that is missing is as bad as one that cannot be read: what follows it would be taken for it.
    if turns.len() as u64 == until - from { Ok((turns, from)) } else { Err(Fault::Unreadable) }
}
