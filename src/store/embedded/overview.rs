//! What administrators are told of the whole service: runs that go on, runs whose outcome is not known, what was counted. As `overview.lua`.

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::{
    EmbeddedStore, Fault, Inner,
    book::{Book, session_of},
    stored::Session,
    tables::{COUNTED, LISTED, OPEN, SESSIONS, UNKNOWN},
};
use crate::{
    domain::{
        limits::{HOUR_MS, STATS_KEPT_MS, UNKNOWN_OUTCOMES_MS, UNKNOWN_OUTCOMES_PER_BUCKET},
        session::SessionId,
        slot::Slot,
        turn::Stop,
        user::UserName,
    },
    store::{
        contract::{
            Ended, StoreError,
            overview::{HourCounted, LoginsOfHour, OpenPlace, OpenRun, OpenRuns, OpenState, Told, UnknownOutcome, holder_of},
        },
        keys::{BUCKETS, UserKeys, session_of_member, user_of},
    },
};

/// Runs of unknown outcome that are remembered.
const UNKNOWN_KEPT: u64 = UNKNOWN_OUTCOMES_PER_BUCKET as u64 * BUCKETS as u64;

impl EmbeddedStore {
    pub async fn open_runs(&self, after: Option<&OpenPlace>, limit: usize) -> Result<OpenRuns, StoreError> {
        let after = after.cloned();
        self.work(move |inner| {
            let (transaction, now) = (inner.database.begin_read()?, inner.clock.now_ms());
            let mut found = open_runs(&transaction, now)?;
            found.retain(|(place, _)| after.as_ref().is_none_or(|after| place > after));
            found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            let more = found.len() > limit;
            found.truncate(limit);
            let next = found.last().filter(|_| more).map(|(place, _)| place.clone());
            Ok(OpenRuns { runs: found.into_iter().map(|(_, run)| run).collect(), next })
        })
        .await
    }

    pub async fn user_of_open_run(&self, run: &str) -> Result<Option<UserName>, StoreError> {
        let run = run.to_owned();
        self.work(move |inner| {
            let (transaction, now) = (inner.database.begin_read()?, inner.clock.now_ms());
            let slot = Slot::of_run(&run);
            let mut found = open_runs(&transaction, now)?.into_iter().map(|(_, open)| open);
            Ok(found.find(|open| open.run == run && Slot::of_session(&open.session) == slot).map(|open| open.user))
        })
        .await
    }

    /// As `stop.lua`.
    pub async fn stop_run(&self, user: &UserName, run: &str) -> Result<Told, StoreError> {
        let (member, run) = (UserKeys::of_run(user, run).member(), run.to_owned());
        self.work(move |inner| {
            inner.write(|book| {
                let Some(mut session) = book.session(&member)? else { return Ok(Told::NotRunning) };
                let Some(until) = session.held.as_ref().filter(|held| held.run == run).map(|held| held.until) else {
                    return Ok(Told::NotRunning);
                };
                session.stop.get_or_insert_with(|| Stop::Administrator.as_str().to_owned());
                book.rewrite(&member, &session)?;
                Ok(Told::Stopping { left_ms: until.saturating_sub(book.now) })
            })
        })
        .await
    }

    pub async fn unknown_outcomes(&self) -> Result<Vec<UnknownOutcome>, StoreError> {
        self.work(|inner| {
            let oldest = inner.clock.now_ms().saturating_sub(UNKNOWN_OUTCOMES_MS);
            let mut found = Vec::new();
            for entry in inner.database.begin_read()?.open_table(UNKNOWN)?.range((oldest, "")..)? {
                let (key, value) = entry?;
                let ((ended_ms, run), (member, session, functions)) = (key.value(), value.value());
                let (session, functions) = (SessionId::from_stored(session), UnknownOutcome::functions_of(functions));
                found.extend(user_of(member).map(|user| UnknownOutcome { user, session, run: run.to_owned(), functions, ended_ms }));
            }
            Ok(found)
        })
        .await
    }

    pub async fn count_logins(&self, replica: &str, hours: &[LoginsOfHour]) -> Result<(), StoreError> {
        let counted: Vec<(u64, String, u64)> =
            hours.iter().flat_map(|hour| hour.named(replica).map(|(name, n)| (hour.began_ms, name, n))).collect();
        self.work(move |inner| {
            inner.write(|book| {
                for (began_ms, name, n) in &counted {
                    book.counted.insert((*began_ms, name.as_str()), n)?;
                }
                book.changed = true;
                Ok(())
            })
        })
        .await
    }

    pub async fn counted(&self) -> Result<Vec<HourCounted>, StoreError> {
        self.work(|inner: &Inner| {
            let counted = inner.database.begin_read()?.open_table(COUNTED)?;
            let mut hours = HourCounted::lately(inner.clock.now_ms());
            for hour in &mut hours {
                for entry in counted.range((hour.began_ms, "")..(hour.began_ms.saturating_add(1), ""))? {
                    let (key, n) = entry?;
                    hour.add(key.value().1, n.value());
                }
            }
            Ok(hours)
        })
        .await
    }
}

fn open_runs(transaction: &ReadTransaction, now: u64) -> Result<Vec<(OpenPlace, OpenRun)>, Fault> {
    let (sessions, listed) = (transaction.open_table(SESSIONS)?, transaction.open_table(LISTED)?);
    let mut found = Vec::new();
    for entry in transaction.open_table(OPEN)?.iter()? {
        let (member, due) = entry?;
        let member = member.value();
        // One that cannot be read is nobody's to go on with.
        let Ok(Some(session)) = session_of(&sessions, &listed, member, now) else { continue };
        let Some(whose) = session_of_member(member) else { continue };
        let place = OpenPlace { due_ms: due.value(), member: member.to_owned() };
        found.extend(open_run(whose.user, &session, now).map(|run| (place, run)));
    }
    Ok(found)
}

fn open_run(user: UserName, session: &Session, now: u64) -> Option<OpenRun> {
    let held = session.held.as_ref()?;
    let left_ms = held.until.saturating_sub(now);
    Some(OpenRun {
        user,
        session: SessionId::from_stored(&session.id),
        run: held.run.clone(),
        turn: session.next(),
        state: OpenState::of(left_ms, session.stop.is_some()),
        holder: holder_of(&held.owner),
        left_ms,
    })
}

impl Book<'_> {
    /// Counts so many of something in the hour that it is.
    pub fn count(&mut self, what: &str, n: u64) -> Result<(), Fault> {
        if n == 0 {
            return Ok(());
        }
        let hour = self.now / HOUR_MS * HOUR_MS;
        let before = self.counted.get((hour, what))?.map(|n| n.value());
        self.counted.insert((hour, what), before.unwrap_or_default().saturating_add(n))?;
        self.changed = true;
        Ok(())
    }

    /// Counts that a run ended.
    pub fn count_end(&mut self, ended: &Ended) -> Result<(), Fault> {
        let kind = if ended.detail == "call" { "call" } else { "turn" };
        self.count(&format!("{kind}|{}", ended.ending.as_str()), 1)
    }

    /// Remembers a run of which it is not known what became of a change; of too many the oldest are forgotten.
    pub fn remember_unknown(&mut self, run: &str, member: &str, session: &str, functions: &str) -> Result<(), Fault> {
        self.unknown.insert((self.now, run), (member, session, functions))?;
        while self.unknown.len()? > UNKNOWN_KEPT {
            self.unknown.pop_first()?;
        }
        self.changed = true;
        Ok(())
    }

    /// Forgets what is older than anybody is told of.
    pub fn clean_overview(&mut self) -> Result<(), Fault> {
        self.unknown.retain_in((0, "")..(self.now.saturating_sub(UNKNOWN_OUTCOMES_MS), ""), |_, _| false)?;
        self.counted.retain_in((0, "")..(self.now.saturating_sub(STATS_KEPT_MS), ""), |_, _| false)?;
        self.changed = true;
        Ok(())
    }

    /// Forgets those of a user who goes.
    pub fn forget_unknown(&mut self, user: &str) -> Result<(), Fault> {
        self.unknown.retain(|_, (member, _, _)| member.split_once(':').is_none_or(|(whose, _)| whose != user))?;
        self.changed = true;
        Ok(())
    }
}
