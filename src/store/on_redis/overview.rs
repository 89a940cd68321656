//! What administrators are told of the whole service: one pipeline over all buckets each.

use redis::Value;

use super::{
    RedisStore,
    accounts::members,
    reply::{Parts, number, odd, text},
    script::{OPEN_RUNS, STOP},
};
use crate::{
    domain::{
        limits::{DAY_MS, HOUR_MS, STATS_HOURS, STATS_KEPT_MS},
        session::SessionId,
        slot::{SessionSlot, Slot},
        user::UserName,
    },
    store::{
        contract::{
            StoreError,
            overview::{HourCounted, LoginsOfHour, OpenPlace, OpenRun, OpenRuns, OpenState, Told, UnknownOutcome, holder_of},
        },
        keys::{BucketKeys, UserKeys, session_of_member},
    },
};

/// Sessions that are asked at once which run holds them.
const ASKED_AT_ONCE: usize = 500;

impl RedisStore {
    /// Runs that have not ended and do not wait, after a place.
    pub async fn open_runs(&self, after: Option<&OpenPlace>, limit: usize) -> Result<OpenRuns, StoreError> {
        let (due, member) = after.map_or_else(|| ("-inf".to_owned(), ""), |after| (after.due_ms.to_string(), &after.member));
        let mut pipe = redis::pipe();
        for bucket in BucketKeys::all() {
            let mut call = OPEN_RUNS.on(&[&bucket.open()]);
            // The place behind the page is wanted too: it tells that there is another page.
            call.arg(&due).arg(member).arg(limit.saturating_add(1)).arg(bucket.sessions());
            pipe.add_command(call);
        }
        let mut found: Vec<(OpenPlace, Option<OpenRun>)> = Vec::new();
        for answer in self.long_pipeline(&pipe).await? {
            let mut parts = Parts::of(answer)?;
            parts.number()?;
            while let Some(member) = parts.more() {
                let place = OpenPlace { member: text(member)?, due_ms: parts.number()? };
                let run = open_run(&place, &mut parts)?;
                found.push((place, run));
            }
        }
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(place, _)| place.clone());
        Ok(OpenRuns { runs: found.into_iter().filter_map(|(_, run)| run).collect(), next })
    }

    /// Whose run this is, if it holds a session now.
    pub async fn user_of_open_run(&self, run: &str) -> Result<Option<UserName>, StoreError> {
        let mut pipe = redis::pipe();
        for bucket in BucketKeys::all() {
            pipe.cmd("ZRANGE").arg(bucket.open()).arg(0).arg(-1);
        }
        let slot = Slot::of_run(run);
        let mut holding: Vec<SessionSlot> = Vec::new();
        for answer in self.long_pipeline(&pipe).await? {
            let sessions = members(answer)?;
            holding.extend(sessions.iter().filter_map(|member| session_of_member(member)).filter(|session| session.slot == slot));
        }
        for some in holding.chunks(ASKED_AT_ONCE) {
            let mut pipe = redis::pipe();
            for session in some {
                pipe.cmd("HGET").arg(UserKeys::at(&session.user, session.slot).session()).arg("rid");
            }
            let answers = self.long_pipeline(&pipe).await?;
            let holds = |answer: &Value| matches!(answer, Value::BulkString(rid) if rid == run.as_bytes());
            if let Some((session, _)) = some.iter().zip(answers).find(|(_, answer)| holds(answer)) {
                return Ok(Some(session.user.clone()));
            }
        }
        Ok(None)
    }

    /// Has a run of a user's stop, whoever wants it.
    pub async fn stop_run(&self, user: &UserName, run: &str) -> Result<Told, StoreError> {
        let mut call = STOP.on(&[&UserKeys::of_run(user, run).session()]);
        call.arg(run);
        let (status, mut parts) = self.ask_relied_on(&STOP, &call).await?;
        match status.as_str() {
            "STOPPING" => Ok(Told::Stopping { left_ms: parts.number()? }),
            "NONE" => Ok(Told::NotRunning),
            "UNREADABLE" => Err(StoreError::Unreadable),
            _ => Err(odd("a status of this script")),
        }
    }

    /// Runs of which it is not known what became of a change, newest first; those after a place.
    pub async fn unknown_outcomes(&self) -> Result<Vec<UnknownOutcome>, StoreError> {
        let mut pipe = redis::pipe();
        for bucket in BucketKeys::all() {
            pipe.cmd("ZRANGE").arg(bucket.unknown()).arg(0).arg(-1).arg("WITHSCORES");
        }
        let mut found = Vec::new();
        for answer in self.long_pipeline(&pipe).await? {
            let mut parts = Parts::of(answer)?;
            while let Some(entry) = parts.more() {
                let (entry, ended_ms) = (text(entry)?, parts.number()?);
                found.extend(unknown_outcome(&entry, ended_ms));
            }
        }
        Ok(found)
    }

    /// As plain commands, since saying it again changes nothing. What one replica counts is no user's; it is in the first bucket.
    pub async fn count_logins(&self, replica: &str, hours: &[LoginsOfHour]) -> Result<(), StoreError> {
        let (bucket, mut pipe) = (BucketKeys::numbered(0), redis::pipe());
        for hour in hours {
            let stats = bucket.counted_on(hour.began_ms / DAY_MS);
            let number = hour.began_ms % DAY_MS / HOUR_MS;
            for (name, n) in hour.named(replica) {
                pipe.cmd("HSET").arg(&stats).arg(format!("{number}|{name}")).arg(n);
            }
            pipe.cmd("PEXPIRE").arg(&stats).arg(STATS_KEPT_MS);
        }
        self.pipeline(&pipe).await.map(|_| ())
    }

    /// What was counted in the last [`STATS_HOURS`], hour by hour, the oldest first.
    pub async fn counted(&self) -> Result<Vec<HourCounted>, StoreError> {
        let now_ms = self.now_ms().await?;
        let mut hours = HourCounted::lately(now_ms);
        let oldest = (now_ms.saturating_sub((STATS_HOURS as u64 - 1) * HOUR_MS)) / DAY_MS;
        let days: Vec<u64> = (oldest..=now_ms / DAY_MS).collect();
        let mut pipe = redis::pipe();
        for bucket in BucketKeys::all() {
            for day in &days {
                pipe.cmd("HGETALL").arg(bucket.counted_on(*day));
            }
        }
        let answers = self.long_pipeline(&pipe).await?;
        for (answer, day) in answers.into_iter().zip(days.iter().cycle()) {
            let mut parts = match answer {
                Value::Map(pairs) => pairs.into_iter().flat_map(|(name, n)| [name, n]).collect::<Vec<_>>(),
                Value::Array(parts) => parts,
                _ => return Err(odd("a hash")),
            }
            .into_iter();
            while let (Some(name), Some(n)) = (parts.next(), parts.next()) {
                let (name, n) = (text(name)?, number(&n)?);
                let Some((hour, what)) = name.split_once('|') else { continue };
                let began_ms = hour.parse::<u64>().map(|hour| day * DAY_MS + hour * HOUR_MS).unwrap_or_default();
                hours.iter_mut().filter(|counted| counted.began_ms == began_ms).for_each(|counted| counted.add(what, n));
            }
        }
        Ok(hours)
    }
}

fn open_run(place: &OpenPlace, parts: &mut Parts) -> Result<Option<OpenRun>, StoreError> {
    let (session, run, owner) = (SessionId::from_stored(&parts.text()?), parts.text()?, parts.text()?);
    let (left_ms, stop, turn) = (parts.number()?, parts.text()?, parts.number()?);
    let state = OpenState::of(left_ms, !stop.is_empty());
    // A member that nobody can have is not told of.
    Ok(session_of_member(&place.member).map(|whose| OpenRun {
        user: whose.user,
        session,
        run,
        turn,
        state,
        holder: holder_of(&owner),
        left_ms,
    }))
}

/// `<run>|<user>:<slot>|<session>|<functions>`; an entry that makes no sense is left out.
fn unknown_outcome(entry: &str, ended_ms: u64) -> Option<UnknownOutcome> {
    let mut parts = entry.splitn(4, '|');
    let (run, member) = (parts.next()?.to_owned(), parts.next()?);
    let (session, functions) = (SessionId::from_stored(parts.next()?), UnknownOutcome::functions_of(parts.next()?));
    Some(UnknownOutcome { user: session_of_member(member)?.user, session, run, functions, ended_ms })
}
