//! One write transaction on sessions: their records, conversations, journals and the index, changed together or not at all.

use redb::{ReadableTable, Table, WriteTransaction};

use super::{
    Fault, Inner, ends,
    logins::LAST,
    stored::{Session, decode, encode},
    tables::{
        ACCOUNTS, ACTIVITY, Bytes, COUNTED, CREDENTIALS, Covering, Credential, ENDS, FENCES, Family, HISTORY, JOURNAL, Kept, LISTED, OPEN,
        REFRESH, REQUEST_ENDS, REQUESTS, RESULT_ENDS, RESULTS, REVOKED, RUN_ENDS, RUNS, Request, Row, SESSIONS, SUMMARIES, TOKENS, Text,
        UNKNOWN, VECTOR_ENDS, VECTORS, WAITING, Waits,
    },
};
use crate::{
    domain::{
        base64,
        limits::HISTORY_PAGE_BYTES,
        session::{SessionId, Summary, Turn},
        slot::Slot,
        turn::JournalEntry,
        user::UserName,
    },
    store::{
        contract::{
            Tail, TurnPlace,
            changes::{Change, What},
        },
        envelope::{Envelopes, SessionTurns},
        keys::{UserKeys, user_of},
        record::Detail,
    },
};

/// Ended sessions, and answers that need not be repeated any more, taken out at each write.
const CLEANED_AT_A_WRITE: usize = 4;

/// The tables of one write transaction. Nothing is kept unless something was changed.
pub(super) struct Book<'t> {
    pub now: u64,
    pub accounts: Table<'t, Text, Bytes>,
    pub credentials: Table<'t, (Text, Text), Credential>,
    pub families: Table<'t, (Text, Text), Family>,
    pub revoked: Table<'t, (Text, Text), u64>,
    pub changed: bool,
    /// What began and ended.
    pub changes: Vec<Change>,
    idle_ms: u64,
    envelopes: Envelopes,
    fences: Table<'t, Text, u64>,
    sessions: Table<'t, Text, Bytes>,
    history: Table<'t, (Text, u64), Bytes>,
    pub summaries: Table<'t, Text, Covering>,
    journal: Table<'t, (Text, Text), Bytes>,
    pub waiting: Table<'t, (Text, i64), Waits>,
    pub open: Table<'t, Text, u64>,
    pub runs: Table<'t, (Text, Text), Text>,
    pub run_ends: Table<'t, (u64, Text, Text), ()>,
    pub unknown: Table<'t, (u64, Text), (Text, Text, Text)>,
    pub counted: Table<'t, (u64, Text), u64>,
    requests: Table<'t, (Text, Text), Request>,
    listed: Table<'t, Text, Row>,
    activity: Table<'t, (u64, Text), ()>,
    ends: Table<'t, (u64, Text), ()>,
    request_ends: Table<'t, (u64, Text, Text), ()>,
    pub tokens: Table<'t, Text, (u64, u64)>,
    pub results: Table<'t, (Text, Text), Kept>,
    pub result_ends: Table<'t, (u64, Text, Text), ()>,
    pub vectors: Table<'t, Text, Kept>,
    pub vector_ends: Table<'t, (u64, Text), ()>,
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
        let (made, changed, changes) = {
            let mut book = Book::open(&transaction, self.clock.now_ms(), self.lifetimes.idle_ms, self.envelopes.clone())?;
            (job(&mut book)?, book.changed, std::mem::take(&mut book.changes))
        };
        if changed {
            transaction.commit()?;
            self.newest.add(changes);
        } else {
            transaction.abort()?;
        }
        Ok(made)
    }
}

impl<'t> Book<'t> {
    fn open(transaction: &'t WriteTransaction, now: u64, idle_ms: u64, envelopes: Envelopes) -> Result<Self, Fault> {
        Ok(Self {
            now,
            accounts: transaction.open_table(ACCOUNTS)?,
            credentials: transaction.open_table(CREDENTIALS)?,
            families: transaction.open_table(REFRESH)?,
            revoked: transaction.open_table(REVOKED)?,
            changed: false,
            changes: Vec::new(),
            idle_ms,
            envelopes,
            fences: transaction.open_table(FENCES)?,
            sessions: transaction.open_table(SESSIONS)?,
            history: transaction.open_table(HISTORY)?,
            summaries: transaction.open_table(SUMMARIES)?,
            journal: transaction.open_table(JOURNAL)?,
            waiting: transaction.open_table(WAITING)?,
            open: transaction.open_table(OPEN)?,
            runs: transaction.open_table(RUNS)?,
            run_ends: transaction.open_table(RUN_ENDS)?,
            unknown: transaction.open_table(UNKNOWN)?,
            counted: transaction.open_table(COUNTED)?,
            requests: transaction.open_table(REQUESTS)?,
            listed: transaction.open_table(LISTED)?,
            activity: transaction.open_table(ACTIVITY)?,
            ends: transaction.open_table(ENDS)?,
            request_ends: transaction.open_table(REQUEST_ENDS)?,
            tokens: transaction.open_table(TOKENS)?,
            results: transaction.open_table(RESULTS)?,
            result_ends: transaction.open_table(RESULT_ENDS)?,
            vectors: transaction.open_table(VECTORS)?,
            vector_ends: transaction.open_table(VECTOR_ENDS)?,
        })
    }

    /// The session, if there is one that has not ended.
    pub fn session(&self, member: &str) -> Result<Option<Session>, Fault> {
        session_of(&self.sessions, &self.listed, member, self.now)
    }

    /// The id of a session that has not ended, readable or not.
    pub fn listed_id(&self, member: &str) -> Result<Option<String>, Fault> {
        Ok(self.listed.get(member)?.filter(|row| row.value().1 > self.now).map(|row| row.value().4.to_owned()))
    }

    /// As [`slots_of`].
    pub fn slots_of(&self, user: &UserName) -> Result<Vec<Slot>, Fault> {
        slots_of(&self.listed, user)
    }

    /// As [`members_of`].
    pub fn members_of(&self, user: &UserName) -> Result<Vec<String>, Fault> {
        members_of(&self.listed, user)
    }

    pub fn turns(&self, member: &str, session: &Session, tail: Tail, whole: usize) -> Result<(Vec<Turn>, u64), Fault> {
        let (user, id) = whose(member, session)?;
        let key = session.wrapped_key()?;
        let stored = self.envelopes.turns_of(&user, &id, key.as_deref());
        turns_of(&self.history, member, session, tail, whole, &stored)
    }

    /// Where the turns of a run go that begins now; the session gets its key with the first one, if turns are sealed.
    pub fn turn_place(&self, member: &str, session: &mut Session) -> Result<TurnPlace, Fault> {
        let (user, id) = whose(member, session)?;
        let offered = if session.key.is_none() { self.envelopes.new_session_key(&user).map_err(Fault::of)? } else { None };
        if let Some(key) = &offered {
            session.key = Some(base64::encode(key.wrapped()));
        }
        let key = session.wrapped_key()?;
        self.envelopes.turn_place(&user, &id, session.next(), offered, key.as_deref()).map_err(Fault::of)
    }

    /// Writes the session, its end and its place in the index; takes a few ended ones out on the way.
    pub fn keep(&mut self, member: &str, session: &mut Session) -> Result<(), Fault> {
        session.active = self.now;
        self.prolong(member, session)?;
        self.clean(CLEANED_AT_A_WRITE)?;
        self.clean_requests(CLEANED_AT_A_WRITE)?;
        self.clean_results(CLEANED_AT_A_WRITE)?;
        self.clean_runs(CLEANED_AT_A_WRITE)?;
        self.clean_vectors(CLEANED_AT_A_WRITE)?;
        Ok(())
    }

    /// Writes the session and puts its end off; its place among the active ones follows the record.
    pub fn prolong(&mut self, member: &str, session: &mut Session) -> Result<(), Fault> {
        session.ends = session.expires.min(self.now.saturating_add(self.idle_ms.max(1)));
        if self.listed.get(member)?.is_none_or(|row| row.value().4 != session.id) {
            self.change(member, &session.id, What::SessionBegun);
        }
        self.unlist(member)?;
        self.sessions.insert(member, encode(session).as_slice())?;
        self.listed.insert(member, (session.active, session.ends, session.created, session.turns, session.id.as_str()))?;
        self.activity.insert((session.active, member), ())?;
        self.ends.insert((session.ends, member), ())?;
        self.changed = true;
        Ok(())
    }

    /// Writes the session where its place in the index stays.
    pub fn rewrite(&mut self, member: &str, session: &Session) -> Result<(), Fault> {
        self.sessions.insert(member, encode(session).as_slice())?;
        self.changed = true;
        Ok(())
    }

    /// Takes out the turns from this number on, and a summary that tells of one of them.
    pub fn cut(&mut self, member: &str, turn: u64) -> Result<(), Fault> {
        self.history.retain_in((member, turn)..=(member, u64::MAX), |_, _| false)?;
        let covers = self.summaries.get(member)?.is_some_and(|found| found.value().1 >= turn);
        if covers {
            self.summaries.remove(member)?;
        }
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

    /// Removes a session that has ended with all that belongs to it, readable or not.
    pub fn remove(&mut self, member: &str) -> Result<(), Fault> {
        self.remove_for(member, "expired")
    }

    /// As [`Book::remove`], of one that ends for another reason.
    pub fn remove_for(&mut self, member: &str, why: &str) -> Result<(), Fault> {
        let id = self.listed.get(member)?.map(|row| row.value().4.to_owned());
        if let Some(id) = id {
            self.change(member, &id, What::SessionEnded { why: why.to_owned() });
        }
        self.unlist(member)?;
        self.sessions.remove(member)?;
        self.forget_turns(member)?;
        self.settle(member)?;
        self.waiting.retain_in((member, i64::MIN)..=(member, i64::MAX), |_, _| false)?;
        self.open.remove(member)?;
        self.changed = true;
        Ok(())
    }

    pub fn forget_turns(&mut self, member: &str) -> Result<(), Fault> {
        self.history.retain_in((member, 0)..=(member, u64::MAX), |_, _| false)?;
        self.summaries.remove(member)?;
        self.changed = true;
        Ok(())
    }

    /// What was said in older turns, if that was summarised and can be read.
    pub fn summary(&self, member: &str, session: &Session) -> Result<Option<Summary>, Fault> {
        let Some(found) = self.summaries.get(member)? else { return Ok(None) };
        let (of, last, record) = found.value();
        // One that does not reach the first turn that there is tells of a conversation that was emptied.
        if of != session.id || last.saturating_add(1) < session.base || last >= session.next() {
            return Ok(None);
        }
        let ((user, id), key) = (whose(member, session)?, session.wrapped_key()?);
        Ok(self.envelopes.turns_of(&user, &id, key.as_deref()).open_summary(last, record))
    }

    /// Appends the record of a turn behind the newest.
    pub fn append(&mut self, member: &str, session: &mut Session, record: &[u8]) -> Result<(), Fault> {
        self.history.insert((member, session.next()), record)?;
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

    /// How many leases a user's sessions have been given.
    pub fn fences(&self, user: &str) -> Result<u64, Fault> {
        Ok(self.fences.get(user)?.map_or(0, |n| n.value()))
    }

    /// The next fence of a user: it lives with the account, so it outlives resets.
    pub fn fence(&mut self, user: &str) -> Result<u64, Fault> {
        let next = self.fences(user)?.saturating_add(1);
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

    /// Forgets every request of a user's.
    pub fn forget_requests(&mut self, user: &str) -> Result<(), Fault> {
        let mut keys = Vec::new();
        for entry in self.requests.range((user, "")..=(user, LAST))? {
            keys.push(entry?.0.value().1.to_owned());
        }
        keys.iter().try_for_each(|key| self.forget(user, key))
    }

    /// Removes at most `n` sessions that have ended; how many it were.
    pub fn clean(&mut self, n: usize) -> Result<u64, Fault> {
        let ended = ends::over(&self.ends, self.now, n)?;
        for member in &ended {
            self.remove(member)?;
        }
        Ok(ended.len() as u64)
    }

    /// Removes at most `n` remembered requests whose time is over; how many it were.
    pub fn clean_requests(&mut self, n: usize) -> Result<u64, Fault> {
        let ended = ends::over_of_users(&self.request_ends, self.now, n)?;
        for (user, digest) in &ended {
            self.forget(user, digest)?;
        }
        Ok(ended.len() as u64)
    }
}

/// The slots of a user's sessions, ended ones as well: the main one first, whether there is one or not.
pub(super) fn slots_of(listed: &impl ReadableTable<Text, Row>, user: &UserName) -> Result<Vec<Slot>, Fault> {
    let first = UserKeys::of(user).members();
    let mut slots = vec![Slot::MAIN];
    for entry in listed.range(first.as_str()..)? {
        let (member, _) = entry?;
        let Some(slot) = member.value().strip_prefix(&first) else { break };
        slots.extend(Slot::parse(slot).filter(|slot| !slot.is_main()));
    }
    Ok(slots)
}

/// What stands for them, in that order.
pub(super) fn members_of(listed: &impl ReadableTable<Text, Row>, user: &UserName) -> Result<Vec<String>, Fault> {
    Ok(slots_of(listed, user)?.into_iter().map(|slot| UserKeys::at(user, slot).member()).collect())
}

/// A member's user and the id of their session.
fn whose(member: &str, session: &Session) -> Result<(UserName, SessionId), Fault> {
    Ok((user_of(member).ok_or(Fault::Unreadable)?, SessionId::from_stored(&session.id)))
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
    stored: &SessionTurns<'_>,
) -> Result<(Vec<Turn>, u64), Fault> {
    let next = session.next();
    let (n, until) = match tail {
        Tail::Nothing => return Ok((Vec::new(), next)),
        Tail::Newest(n) | Tail::NewestWhole(n) => (n, next),
        Tail::Before { turn, n } | Tail::BeforeWhole { turn, n } => (n, turn.min(next)),
    };
    if until <= session.base {
        return Ok((Vec::new(), next));
    }
    let mut from = until.saturating_sub(n as u64).max(session.base);
    let mut turns = Vec::new();
    for entry in history.range((member, from)..(member, until))?.rev() {
        let (key, value) = entry?;
        let detail = if key.value().1 + whole as u64 >= until { Detail::Whole } else { Detail::Said };
        turns.push(stored.open(key.value().1, value.value(), detail).map_err(Fault::of)?);
        if stored.bytes() >= HISTORY_PAGE_BYTES {
            // The page is full; what is older is on the next one.
            from = key.value().1;
            break;
        }
    }
    turns.reverse();
    // A turn that is missing is as bad as one that cannot be read: what follows it would be taken for it.
    if turns.len() as u64 == until - from { Ok((turns, from)) } else { Err(Fault::Unreadable) }
}
