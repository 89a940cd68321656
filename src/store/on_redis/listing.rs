//! The list of sessions, a page at a time: one pipeline with the caller's check, exact totals and a share of each bucket.

use redis::Pipeline;

use super::{
    RedisStore,
    admin::{refusal, time_ms},
    reply::{Parts, number},
    script::PAGE,
};
use crate::{
    domain::{scope::Scope, session::SessionId},
    store::{
        contract::{AdminAnswer, Caller, Cursor, Listed, SessionStats, SessionsPage, StoreError},
        keys::{BUCKETS, BucketKeys, META, user_of},
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
    /// Whether it may have more behind the last place.
    more: bool,
    places: Vec<Place>,
}

impl RedisStore {
    /// The newest sessions after `cursor`, exact totals beside them.
    pub async fn sessions(
        &self,
        caller: Caller<'_>,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<AdminAnswer<SessionsPage>, StoreError> {
        let share = limit * 4 / BUCKETS as usize + SHARE_SLACK;
        let mut pipe = redis::pipe();
        self.check(&mut pipe, caller);
        pipe.cmd("TIME");
        pipe.cmd("HGET").arg(META).arg("swept");
        for bucket in BucketKeys::all() {
            ask(&mut pipe, &bucket, cursor, share);
        }
        let mut answers = self.pipeline(&pipe).await?.into_iter();
        if let Some(refusal) = refusal(answers.next(), Scope::SessionsRead)? {
            return Ok(refusal);
        }
        let now_ms = time_ms(answers.next().as_ref())?;
        let last_cleanup_ms = number(&answers.next().unwrap_or_default())?;
        let mut stats = SessionStats { last_cleanup_ms, ..SessionStats::default() };
        let mut told = Vec::with_capacity(BUCKETS as usize);
        for (bucket, answer) in BucketKeys::all().zip(answers) {
            let (total, active, places) = places(answer)?;
            stats.total += total;
            stats.active += active;
            told.push(Told { bucket, more: places.len() >= share, places });
        }
        self.complete(&mut told, limit).await?;
        let mut found: Vec<Place> = told.into_iter().flat_map(|told| told.places).collect();
        found.sort_unstable_by(|a, b| order(&b.at).cmp(&order(&a.at)));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|place| place.at.clone());
        let sessions = found.into_iter().filter_map(|place| place.listed).collect();
        Ok(AdminAnswer::Granted(SessionsPage { stats, sessions, next, now_ms }))
    }

    /// Asks on where a bucket's share ends before the page does.
    async fn complete(&self, told: &mut [Told], limit: usize) -> Result<(), StoreError> {
        loop {
            let mut newest: Vec<(u64, &str)> = told.iter().flat_map(|told| &told.places).map(|place| order(&place.at)).collect();
            newest.sort_unstable_by(|a, b| b.cmp(a));
            // The place behind the page is wanted too: it tells that there is another page.
            let end = newest.get(limit).copied();
            let ends_early = |told: &Told| told.more && told.places.last().is_some_and(|last| end.is_none_or(|end| order(&last.at) > end));
            let ends_early: Vec<bool> = told.iter().map(ends_early).collect();
            let mut asked: Vec<&mut Told> = told.iter_mut().zip(ends_early).filter_map(|(told, ends)| ends.then_some(told)).collect();
            if asked.is_empty() {
                return Ok(());
            }
            let mut pipe = redis::pipe();
            for told in &asked {
                ask(&mut pipe, &told.bucket, told.places.last().map(|last| &last.at), limit + 1);
            }
            let answers = self.pipeline(&pipe).await?;
            for (told, answer) in asked.iter_mut().zip(answers) {
                let (_, _, places) = places(answer)?;
                told.more = places.len() > limit;
                told.places.extend(places);
            }
        }
    }
}

/// Newest last.
fn order(at: &Cursor) -> (u64, &str) {
    (at.last_active_ms, &at.member)
}

fn ask(pipe: &mut Pipeline, bucket: &BucketKeys, after: Option<&Cursor>, most: usize) {
    let (at, member) = after.map_or_else(|| ("+inf".to_owned(), ""), |after| (after.last_active_ms.to_string(), &after.member));
    let mut call = PAGE.on(&[&bucket.expiries(), &bucket.activity(), &bucket.summaries()]);
    call.arg(at).arg(member).arg(most);
    pipe.add_command(call);
}

/// `listed, alive, member, last active, expires, summary, member, …`
fn places(answer: redis::Value) -> Result<(u64, u64, Vec<Place>), StoreError> {
    let mut parts = Parts::of(answer)?;
    let (total, active) = (parts.number()?, parts.number()?);
    let mut places = Vec::new();
    while let Ok(member) = parts.next() {
        let at = Cursor { member: super::reply::text(member)?, last_active_ms: parts.number()? };
        let (expires_ms, summary) = (parts.number()?, parts.text()?);
        let listed = listed(&at, &summary, expires_ms);
        places.push(Place { at, listed });
    }
    Ok((total, active, places))
}

/// `<sid>|<created>|<turns>`; a member or summary that makes no sense is left out, since the index is not the session.
fn listed(at: &Cursor, summary: &str, expires_ms: u64) -> Option<Listed> {
    let mut parts = summary.rsplitn(3, '|');
    let turns = parts.next()?.parse().ok()?;
    let created_ms = parts.next()?.parse().ok()?;
    let id = SessionId::from_stored(parts.next()?);
    Some(Listed { user: user_of(&at.member)?, id, created_ms, last_active_ms: at.last_active_ms, expires_ms, turns })
}
