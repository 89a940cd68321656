//! The list of sessions, a page at a time: one pipeline, exact totals and a share of each bucket.

use redis::Pipeline;

use super::{
    RedisStore,
    admin::time_ms,
    reply::{Parts, number},
    script::PAGE,
};
use crate::{
    domain::{
        limits::{SESSIONS_LOOKED_AT_MAX, SESSIONS_LOOKED_AT_ONCE},
        session::SessionId,
    },
    store::{
        contract::{Cursor, Listed, SessionFilter, SessionStats, SessionsPage, StoreError},
        keys::{BUCKETS, BucketKeys, META, escaped_text, user_of},
    },
};

/// What every bucket is asked for beside its share of a page. Users are spread over the buckets evenly, so that hardly ever one has more on
/// a page: of 50 newest sessions, 11 or more in one bucket is one page in a hundred million.
const SHARE_SLACK: usize = 8;

/// One session of the index, and what it is listed as if that makes sense.
struct Place {
    at: Cursor,
    listed: Option<Listed>,
}

/// What a bucket has told so far.
struct Told {
    bucket: BucketKeys,
    /// Whether it may have more behind the last one that was looked at.
    more: bool,
    /// The last one that was looked at.
    reached: Option<Cursor>,
    places: Vec<Place>,
}

/// What is asked of every bucket.
struct Wanted {
    prefix: String,
    state: &'static str,
}

impl Wanted {
    fn of(filter: &SessionFilter) -> Self {
        Self {
            prefix: filter.user.as_deref().map(escaped_text).unwrap_or_default(),
            state: filter.state.map_or("", |state| state.as_str()),
        }
    }

    fn ask(&self, pipe: &mut Pipeline, bucket: &BucketKeys, after: Option<&Cursor>, most: usize) {
        let (at, member) = after.map_or_else(|| ("+inf".to_owned(), ""), |after| (after.last_active_ms.to_string(), &after.member));
        let mut call = PAGE.on(&[&bucket.expiries(), &bucket.activity(), &bucket.summaries(), &bucket.open()]);
        call.arg(at).arg(member).arg(most).arg(&self.prefix).arg(self.state).arg(SESSIONS_LOOKED_AT_ONCE.max(most));
        pipe.add_command(call);
    }
}

impl RedisStore {
    /// The newest sessions after `cursor` that are wanted, exact totals of all beside them.
    pub async fn listed(&self, filter: &SessionFilter, cursor: Option<&Cursor>, limit: usize) -> Result<SessionsPage, StoreError> {
        let wanted = Wanted::of(filter);
        let share = limit * 4 / BUCKETS as usize + SHARE_SLACK;
        let mut pipe = redis::pipe();
        pipe.cmd("TIME");
        pipe.cmd("HGET").arg(META).arg("swept");
        for bucket in BucketKeys::all() {
            wanted.ask(&mut pipe, &bucket, cursor, share);
        }
        let mut answers = self.long_pipeline(&pipe).await?.into_iter();
        let now_ms = time_ms(answers.next().as_ref())?;
        let last_cleanup_ms = number(&answers.next().unwrap_or_default())?;
        let mut stats = SessionStats { last_cleanup_ms, ..SessionStats::default() };
        let (mut told, mut looked) = (Vec::with_capacity(BUCKETS as usize), 0);
        for (bucket, answer) in BucketKeys::all().zip(answers) {
            let mut of_bucket = Told { bucket, more: false, reached: None, places: Vec::new() };
            let (total, active, looked_at) = of_bucket.take_in(answer)?;
            stats.total += total;
            stats.active += active;
            looked += looked_at;
            told.push(of_bucket);
        }
        let horizon = self.complete(&wanted, &mut told, looked, limit).await?;
        let mut found: Vec<Place> = told.into_iter().flat_map(|told| told.places).collect();
        // What is older may stand behind something that was not looked at yet.
        found.retain(|place| horizon.as_ref().is_none_or(|horizon| order(&place.at) >= order(horizon)));
        found.sort_unstable_by(|a, b| order(&b.at).cmp(&order(&a.at)));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|place| place.at.clone()).or(horizon);
        let sessions = found.into_iter().filter_map(|place| place.listed).collect();
        Ok(SessionsPage { stats, sessions, next, now_ms })
    }

    /// Asks on where a bucket's share ends before the page does. Where few of many are wanted it does not look at all of them: then the page
    /// ends at the place that is returned, which nothing that was not looked at stands before.
    async fn complete(&self, wanted: &Wanted, told: &mut [Told], looked: u64, limit: usize) -> Result<Option<Cursor>, StoreError> {
        let mut looked = looked;
        loop {
            let mut newest: Vec<(u64, &str)> = told.iter().flat_map(|told| &told.places).map(|place| order(&place.at)).collect();
            newest.sort_unstable_by(|a, b| b.cmp(a));
            // The place behind the page is wanted too: it tells that there is another page.
            let end = newest.get(limit).copied();
            let ends_early =
                |told: &Told| told.more && told.reached.as_ref().is_some_and(|reached| end.is_none_or(|end| order(reached) > end));
            let ends_early: Vec<bool> = told.iter().map(ends_early).collect();
            let mut asked: Vec<&mut Told> = told.iter_mut().zip(ends_early).filter_map(|(told, ends)| ends.then_some(told)).collect();
            if asked.is_empty() {
                return Ok(None);
            }
            if looked >= SESSIONS_LOOKED_AT_MAX {
                return Ok(asked.iter().filter_map(|told| told.reached.clone()).max_by(|a, b| order(a).cmp(&order(b))));
            }
            let mut pipe = redis::pipe();
            for told in &asked {
                wanted.ask(&mut pipe, &told.bucket, told.reached.as_ref(), limit + 1);
            }
            let answers = self.long_pipeline(&pipe).await?;
            for (told, answer) in asked.iter_mut().zip(answers) {
                looked += told.take_in(answer)?.2;
            }
        }
    }
}

/// Newest last.
fn order(at: &Cursor) -> (u64, &str) {
    (at.last_active_ms, &at.member)
}

impl Told {
    /// `listed, alive, last active and member of the last one looked at, whether there may be more, how many were looked at, member, last
    /// active, expires, summary, member, …`; the totals, and how many were looked at.
    fn take_in(&mut self, answer: redis::Value) -> Result<(u64, u64, u64), StoreError> {
        let mut parts = Parts::of(answer)?;
        let (total, active) = (parts.number()?, parts.number()?);
        let reached = Cursor { last_active_ms: parts.number()?, member: parts.text()? };
        let (more, looked) = (parts.number()? == 1, parts.number()?);
        self.more = more;
        if looked > 0 {
            self.reached = Some(reached);
        }
        while let Some(member) = parts.more() {
            let at = Cursor { member: super::reply::text(member)?, last_active_ms: parts.number()? };
            let (expires_ms, summary) = (parts.number()?, parts.text()?);
            let listed = listed(&at, &summary, expires_ms);
            self.places.push(Place { at, listed });
        }
        Ok((total, active, looked))
    }
}

/// `<sid>|<created>|<turns>`; a member or summary that makes no sense is left out, since the index is not the session.
fn listed(at: &Cursor, summary: &str, expires_ms: u64) -> Option<Listed> {
    let mut parts = summary.rsplitn(3, '|');
    let turns = parts.next()?.parse().ok()?;
    let created_ms = parts.next()?.parse().ok()?;
    let id = SessionId::from_stored(parts.next()?);
    Some(Listed { user: user_of(&at.member)?, id, created_ms, last_active_ms: at.last_active_ms, expires_ms, turns })
}
