//! What administrators ask: counts, listings, keys, cleaning.

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::{
    EmbeddedStore, Fault, Inner,
    accounts::account_of,
    book::{Book, members_of},
    callers::Who,
    credentials,
    logins::{self, LAST},
    results::results_of,
    tables::{
        ACCOUNTS, ACTIVITY, Bytes, CREDENTIALS, ENDS, HISTORY, JOURNAL, LISTED, META, OPEN, RESULTS, REVOKED, RUNS, SESSIONS, SWEPT, Text,
        WAITING, Waits,
    },
};
use crate::{
    domain::{
        limits::{ENDED_RUNS_MS, SESSIONS_LOOKED_AT_MAX},
        scope::Scope,
        session::SessionId,
        slot::Slot,
        user::UserName,
    },
    store::{
        SWEEP_AT_ONCE,
        contract::{
            AdminAnswer, Caller, Cursor, Listed, Refused, SessionFilter, SessionState, SessionStats, SessionsPage, StoreError, StoredKey,
        },
        keys::{UserKeys, escaped_text, user_of},
    },
};

impl EmbeddedStore {
    /// Lets an administrator in.
    pub async fn administrator(&self, caller: Caller<'_>, needed: Scope) -> Result<AdminAnswer<()>, StoreError> {
        self.for_admin(caller, needed, |_, _, _| Ok(())).await
    }

    /// As [`EmbeddedStore::administrator`], not counted.
    pub async fn still_administrator(&self, caller: Caller<'_>, needed: Scope) -> Result<AdminAnswer<()>, StoreError> {
        let who = Who::from(caller);
        self.work(move |inner| {
            let transaction = inner.database.begin_read()?;
            let (accounts, revoked) = (transaction.open_table(ACCOUNTS)?, transaction.open_table(REVOKED)?);
            let Some(account) = who.let_in_by(&accounts, &revoked, inner.clock.now_ms())? else {
                return Ok(AdminAnswer::Refused(Refused::Revoked));
            };
            Ok(AdminAnswer::refusal(account.allowed()?, needed).unwrap_or(AdminAnswer::Granted(())))
        })
        .await
    }

    /// Exact numbers, for anybody: no names in them.
    pub async fn stats(&self) -> Result<SessionStats, StoreError> {
        self.work(|inner| stats_of(&inner.database.begin_read()?, inner.clock.now_ms())).await
    }

    /// The newest sessions after `cursor` that are wanted, exact totals of all beside them.
    pub async fn listed(&self, filter: &SessionFilter, cursor: Option<&Cursor>, limit: usize) -> Result<SessionsPage, StoreError> {
        let (filter, cursor) = (filter.clone(), cursor.cloned());
        self.work(move |inner| page(&inner.database.begin_read()?, &filter, cursor.as_ref(), limit, inner.clock.now_ms())).await
    }

    /// The entries that hold a user's sessions, own credentials and logins; or those of one session.
    pub async fn stored_keys(&self, user: &UserName, session: Option<&SessionId>) -> Result<Vec<StoredKey>, StoreError> {
        let (user, keys, session) = (user.clone(), UserKeys::of(user), session.cloned());
        self.work(move |inner| {
            let (transaction, now) = (inner.database.begin_read()?, inner.clock.now_ms());
            if let Some(session) = session {
                let keys = UserKeys::at(&user, Slot::of_session(&session));
                let is_it =
                    transaction.open_table(LISTED)?.get(keys.member().as_str())?.is_some_and(|row| row.value().4 == session.as_str());
                return if is_it { entries_of_one(&transaction, &keys, &session, now) } else { Ok(Vec::new()) };
            }
            let mut found = Vec::new();
            for member in members_of(&transaction.open_table(LISTED)?, &user)? {
                found.extend(entries(&transaction, &member, now)?);
            }
            let (rows, bytes) = credentials::size(&transaction.open_table(CREDENTIALS)?, keys.listed())?;
            if rows > 0 {
                found.push(StoredKey { name: format!("credentials/{}", keys.listed()), kind: "hash".to_owned(), ttl_ms: None, bytes });
            }
            let (rows, bytes) = runs_size(&transaction.open_table(RUNS)?, keys.listed())?;
            if rows > 0 {
                let (name, kind) = (format!("runs/{}", keys.listed()), "hash".to_owned());
                found.push(StoredKey { name, kind, ttl_ms: Some(ENDED_RUNS_MS), bytes });
            }
            found.extend(logins::stored(&transaction, keys.listed(), now)?);
            Ok(found)
        })
        .await
    }

    /// Takes ended sessions out of the file, for an administrator.
    pub async fn cleanup(&self, caller: Caller<'_>) -> Result<AdminAnswer<u64>, StoreError> {
        self.for_admin(caller, Scope::SessionsEnd, |inner, transaction, _| {
            // Pages that a reader still sees cannot be used again.
            drop(transaction);
            inner.sweep()
        })
        .await
    }

    /// Takes ended sessions, and answers that need not be repeated any more, out of the file. How many sessions it were.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        self.work(Inner::sweep).await
    }

    async fn for_admin<T: Send + 'static>(
        &self,
        caller: Caller<'_>,
        needed: Scope,
        answer: impl FnOnce(&Inner, ReadTransaction, u64) -> Result<T, Fault> + Send + 'static,
    ) -> Result<AdminAnswer<T>, StoreError> {
        let who = Who::from(caller);
        self.work(move |inner| {
            let transaction = inner.database.begin_read()?;
            let now = inner.clock.now_ms();
            let accounts = transaction.open_table(ACCOUNTS)?;
            if let Err(refused) = inner.let_in(&accounts, &transaction.open_table(REVOKED)?, &who, now)? {
                return Ok(AdminAnswer::Refused(refused));
            }
            let Some(account) = account_of(&accounts, &who.key)? else { return Ok(AdminAnswer::Refused(Refused::Revoked)) };
            drop(accounts);
            match AdminAnswer::refusal(account.allowed()?, needed) {
                Some(refusal) => Ok(refusal),
                None => answer(inner, transaction, now).map(AdminAnswer::Granted),
            }
        })
        .await
    }
}

impl Inner {
    /// In several transactions, so that no turn waits for all of them.
    fn sweep(&self) -> Result<u64, Fault> {
        let at_once = usize::try_from(SWEEP_AT_ONCE).unwrap_or(usize::MAX);
        let mut swept = 0;
        loop {
            let clean = |book: &mut Book<'_>| {
                let others =
                    [book.clean_requests(at_once)?, book.clean_results(at_once)?, book.clean_runs(at_once)?, book.clean_vectors(at_once)?];
                book.clean_logins()?;
                book.clean_overview()?;
                Ok((book.clean(at_once)?, others.into_iter().max().unwrap_or_default()))
            };
            let (sessions, others) = self.write(clean)?;
            swept += sessions;
            if sessions.max(others) < SWEEP_AT_ONCE {
                break;
            }
        }
        let transaction = self.database.begin_write()?;
        transaction.open_table(META)?.insert(SWEPT, self.clock.now_ms())?;
        transaction.commit()?;
        Ok(swept)
    }
}

fn stats_of(transaction: &ReadTransaction, now: u64) -> Result<SessionStats, Fault> {
    let total = transaction.open_table(LISTED)?.len()?;
    // Those that have ended are few, since every write takes some out: counting them is cheaper than counting those that live.
    let mut ended = 0;
    for entry in transaction.open_table(ENDS)?.range((0, "")..(now.saturating_add(1), ""))? {
        entry?;
        ended += 1;
    }
    let last_cleanup_ms = transaction.open_table(META)?.get(SWEPT)?.map_or(0, |at| at.value());
    Ok(SessionStats { total, active: total.saturating_sub(ended), last_cleanup_ms })
}

fn page(
    transaction: &ReadTransaction,
    filter: &SessionFilter,
    cursor: Option<&Cursor>,
    limit: usize,
    now_ms: u64,
) -> Result<SessionsPage, Fault> {
    let stats = stats_of(transaction, now_ms)?;
    let listed = transaction.open_table(LISTED)?;
    let activity = transaction.open_table(ACTIVITY)?;
    let open = transaction.open_table(OPEN)?;
    let prefix = filter.user.as_deref().map(escaped_text).unwrap_or_default();
    let until = cursor.map_or((u64::MAX, ""), |c| (c.last_active_ms, c.member.as_str()));
    let mut places = activity.range(..until)?.rev();
    let (mut sessions, mut taken, mut looked) = (Vec::new(), 0, 0);
    let mut last = None;
    while taken < limit && looked < SESSIONS_LOOKED_AT_MAX {
        let Some(entry) = places.next() else { break };
        let (key, _) = entry?;
        let (last_active_ms, member) = key.value();
        looked += 1;
        last = Some(Cursor { last_active_ms, member: member.to_owned() });
        let of_state = match filter.state {
            None => true,
            Some(SessionState::Running) => open.get(member)?.is_some(),
            Some(SessionState::Idle) => open.get(member)?.is_none(),
        };
        if !of_state || !member.starts_with(&prefix) {
            continue;
        }
        taken += 1;
        let Some(row) = listed.get(member)? else { continue };
        let Some(user) = user_of(member) else { continue };
        let (_, expires_ms, created_ms, turns, id) = row.value();
        sessions.push(Listed { user, id: SessionId::from_stored(id), created_ms, last_active_ms, expires_ms, turns });
    }
    let more = places.next().transpose()?.is_some();
    Ok(SessionsPage { stats, sessions, next: last.filter(|_| more), now_ms })
}

/// As [`entries`], with the kept replies of the session.
fn entries_of_one(transaction: &ReadTransaction, keys: &UserKeys, session: &SessionId, now: u64) -> Result<Vec<StoredKey>, Fault> {
    let mut found = entries(transaction, &keys.member(), now)?;
    let whose = results_of(keys, Slot::of_session(session));
    for entry in transaction.open_table(RESULTS)?.range((whose.as_str(), "")..=(whose.as_str(), LAST))? {
        let (key, kept) = entry?;
        let (ends, record) = kept.value();
        if ends > now {
            let (name, kind) = (format!("results/{whose}/{}", key.value().1), "record".to_owned());
            found.push(StoredKey { name, kind, ttl_ms: Some(ends - now), bytes: record.len() as u64 });
        }
    }
    Ok(found)
}

/// The entries of a session that has not ended, table by table.
fn entries(transaction: &ReadTransaction, member: &str, now: u64) -> Result<Vec<StoredKey>, Fault> {
    let ends = transaction.open_table(LISTED)?.get(member)?.map_or(0, |row| row.value().1);
    if ends <= now {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut tell = |table: &str, kind: &str, rows: u64, bytes: u64| {
        if rows > 0 {
            found.push(StoredKey { name: format!("{table}/{member}"), kind: kind.to_owned(), ttl_ms: Some(ends - now), bytes });
        }
    };
    let record = transaction.open_table(SESSIONS)?.get(member)?.map(|record| record.value().len() as u64);
    tell("sessions", "record", u64::from(record.is_some()), record.unwrap_or(0));
    let (rows, bytes) = history_size(&transaction.open_table(HISTORY)?, member)?;
    tell("history", "list", rows, bytes);
    let (rows, bytes) = journal_size(&transaction.open_table(JOURNAL)?, member)?;
    tell("journal", "hash", rows, bytes);
    let (rows, bytes) = waiting_size(&transaction.open_table(WAITING)?, member)?;
    tell("waiting", "list", rows, bytes);
    Ok(found)
}

fn history_size(history: &impl ReadableTable<(Text, u64), Bytes>, member: &str) -> Result<(u64, u64), Fault> {
    let (mut rows, mut bytes) = (0, 0);
    for entry in history.range((member, 0)..=(member, u64::MAX))? {
        rows += 1;
        bytes += entry?.1.value().len() as u64;
    }
    Ok((rows, bytes))
}

fn waiting_size(waiting: &impl ReadableTable<(Text, i64), Waits>, member: &str) -> Result<(u64, u64), Fault> {
    let (mut rows, mut bytes) = (0, 0);
    for entry in waiting.range((member, i64::MIN)..=(member, i64::MAX))? {
        let (_, waits) = entry?;
        let (_, run, input) = waits.value();
        rows += 1;
        bytes += (run.len() + input.len()) as u64;
    }
    Ok((rows, bytes))
}

fn runs_size(runs: &impl ReadableTable<(Text, Text), Text>, user: &str) -> Result<(u64, u64), Fault> {
    let (mut rows, mut bytes) = (0, 0);
    for entry in runs.range((user, "")..)? {
        let (key, value) = entry?;
        if key.value().0 != user {
            break;
        }
        rows += 1;
        bytes += (key.value().1.len() + value.value().len()) as u64;
    }
    Ok((rows, bytes))
}

fn journal_size(journal: &impl ReadableTable<(Text, Text), Bytes>, member: &str) -> Result<(u64, u64), Fault> {
    let (mut rows, mut bytes) = (0, 0);
    for entry in journal.range((member, "")..)? {
        let (key, value) = entry?;
        let (whose, name) = key.value();
        if whose != member {
            break;
        }
        rows += 1;
        bytes += (name.len() + value.value().len()) as u64;
    }
    Ok((rows, bytes))
}
