//! What administrators ask: counts, listings, keys, cleaning. One pipeline each, the caller's check first.

use redis::{Pipeline, Value};

use super::{
    RedisStore,
    reply::{Parts, number, refused, text},
    script::{CHECK, COUNT, SWEEP},
};
use crate::{
    domain::{
        scope::{Allowed, Scope, Scopes},
        session::SessionId,
        user::UserName,
    },
    store::{
        SWEEP_AT_ONCE,
        contract::{AdminAnswer, Caller, Cursor, Listed, SessionStats, SessionsPage, StoreError, StoredKey},
        keys::{BUCKETS, BucketKeys, META, UserKeys, user_of},
    },
};

impl RedisStore {
    /// Lets an administrator in.
    pub async fn administrator(&self, caller: Caller<'_>, needed: Scope) -> Result<AdminAnswer<()>, StoreError> {
        let mut pipe = redis::pipe();
        self.check(&mut pipe, caller);
        let mut answers = self.pipeline(&pipe).await?.into_iter();
        Ok(refusal(answers.next(), needed)?.unwrap_or(AdminAnswer::Granted(())))
    }

    /// Exact numbers, for anybody: no names in them.
    pub async fn stats(&self) -> Result<SessionStats, StoreError> {
        let mut pipe = redis::pipe();
        count_buckets(&mut pipe);
        let mut answers = self.pipeline(&pipe).await?.into_iter();
        stats_of(&mut answers).map(|(stats, _)| stats)
    }

    /// The newest sessions after `cursor`, exact totals beside them.
    pub async fn sessions(
        &self,
        caller: Caller<'_>,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<AdminAnswer<SessionsPage>, StoreError> {
        let mut pipe = redis::pipe();
        self.check(&mut pipe, caller);
        count_buckets(&mut pipe);
        // A bucket can fill the page alone; one more tells whether there is a next page.
        let wanted = limit + 1;
        for bucket in BucketKeys::all() {
            // What is as old as the cursor is read whole, since only its names tell what comes after it; then whatever is older.
            if let Some(Cursor { last_active_ms: at, .. }) = cursor {
                pipe.cmd("ZRANGE").arg(bucket.activity()).arg(at).arg(at).arg("BYSCORE").arg("WITHSCORES");
            }
            let from = cursor.map_or_else(|| "+inf".to_owned(), |c| format!("({}", c.last_active_ms));
            pipe.cmd("ZRANGE")
                .arg(bucket.activity())
                .arg(from)
                .arg("-inf")
                .arg("BYSCORE")
                .arg("REV")
                .arg("LIMIT")
                .arg(0)
                .arg(wanted)
                .arg("WITHSCORES");
        }
        let mut answers = self.pipeline(&pipe).await?.into_iter();
        if let Some(refusal) = refusal(answers.next(), Scope::SessionsRead)? {
            return Ok(refusal);
        }
        let (stats, now_ms) = stats_of(&mut answers)?;
        let mut found = Vec::new();
        let answers_each = if cursor.is_some() { 2 } else { 1 };
        for (bucket, answer) in BucketKeys::all().flat_map(|bucket| std::iter::repeat_n(bucket, answers_each)).zip(answers) {
            for (member, score) in scored(answer)? {
                let after = cursor.is_none_or(|c| (score, member.as_str()) < (c.last_active_ms, c.member.as_str()));
                if after {
                    found.push((score, member, bucket.clone()));
                }
            }
        }
        found.sort_by(|a, b| (b.0, &b.1).cmp(&(a.0, &a.1)));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(score, member, _)| Cursor { last_active_ms: *score, member: member.clone() });
        let sessions = self.summaries(found).await?;
        Ok(AdminAnswer::Granted(SessionsPage { stats, sessions, next, now_ms }))
    }

    /// The second half of a page: what the index says of the sessions on it.
    async fn summaries(&self, found: Vec<(u64, String, BucketKeys)>) -> Result<Vec<Listed>, StoreError> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipe = redis::pipe();
        for (_, member, bucket) in &found {
            pipe.cmd("HGET").arg(bucket.summaries()).arg(member);
            pipe.cmd("ZSCORE").arg(bucket.expiries()).arg(member);
        }
        let mut answers = self.pipeline(&pipe).await?.into_iter();
        let mut sessions = Vec::with_capacity(found.len());
        for (last_active_ms, member, _) in found {
            let summary = answers.next().unwrap_or_default();
            let expires_ms = number(&answers.next().unwrap_or_default())?;
            let Value::BulkString(_) = summary else { continue };
            sessions.extend(listed(&member, &text(summary)?, last_active_ms, expires_ms));
        }
        Ok(sessions)
    }

    /// The keys that hold a user's sessions, own credentials and logins.
    pub async fn keys(&self, caller: Caller<'_>, user: &UserName) -> Result<AdminAnswer<Vec<StoredKey>>, StoreError> {
        let keys = UserKeys::of(user);
        let of_session = [keys.session(), keys.history(), keys.journal(), keys.waiting(), keys.events()];
        let names = of_session.into_iter().chain([keys.credentials(), keys.runs(), keys.refresh(), keys.revoked()]).collect::<Vec<_>>();
        let mut pipe = redis::pipe();
        self.check(&mut pipe, caller);
        for name in &names {
            pipe.cmd("TYPE").arg(name);
            pipe.cmd("PTTL").arg(name);
            pipe.cmd("MEMORY").arg("USAGE").arg(name);
        }
        let mut answers = self.pipeline(&pipe).await?.into_iter();
        if let Some(refusal) = refusal(answers.next(), Scope::SessionsRead)? {
            return Ok(refusal);
        }
        let mut stored = Vec::new();
        for name in names {
            let kind = text(answers.next().unwrap_or_default())?;
            let ttl = answers.next().unwrap_or_default();
            let bytes = number(&answers.next().unwrap_or_default())?;
            if kind != "none" {
                stored.push(StoredKey { name, kind, ttl_ms: number(&ttl).ok(), bytes });
            }
        }
        Ok(AdminAnswer::Granted(stored))
    }

    /// Takes ended sessions out of the index, for an administrator.
    pub async fn cleanup(&self, caller: Caller<'_>) -> Result<AdminAnswer<u64>, StoreError> {
        match self.administrator(caller, Scope::SessionsEnd).await? {
            AdminAnswer::Granted(()) => self.sweep().await.map(AdminAnswer::Granted),
            AdminAnswer::NotAdmin => Ok(AdminAnswer::NotAdmin),
            AdminAnswer::Lacks(scope) => Ok(AdminAnswer::Lacks(scope)),
            AdminAnswer::Refused(refused) => Ok(AdminAnswer::Refused(refused)),
        }
    }

    /// Takes ended sessions out of the index. Idempotent, and safe on all replicas at once.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let mut swept = 0;
        let mut left: Vec<BucketKeys> = BucketKeys::all().collect();
        while !left.is_empty() {
            let mut pipe = redis::pipe();
            for bucket in &left {
                pipe.add_command(SWEEP.on(&[&bucket.expiries(), &bucket.activity(), &bucket.summaries()]).arg(SWEEP_AT_ONCE).take());
            }
            let answers = self.pipeline(&pipe).await?;
            let mut again = Vec::new();
            for (bucket, answer) in left.into_iter().zip(&answers) {
                let n = number(answer)?;
                swept += n;
                if n >= SWEEP_AT_ONCE {
                    again.push(bucket);
                }
            }
            left = again;
        }
        let now_ms = self.now_ms().await?;
        self.one(redis::cmd("HSET").arg(META).arg("swept").arg(now_ms)).await?;
        Ok(swept)
    }

    fn check(&self, pipe: &mut Pipeline, caller: Caller<'_>) {
        let keys = UserKeys::of(caller.user);
        let mut call = CHECK.on(&[&keys.account(), &keys.revoked()]);
        call.arg(caller.token_id).arg(caller.issued_ms).arg(self.rates.requests_per_minute);
        pipe.add_command(call);
    }
}

/// What is said to a caller whom an administrator's pipeline does not let in, as its first answer tells; none: the caller is let in.
fn refusal<T>(checked: Option<Value>, needed: Scope) -> Result<Option<AdminAnswer<T>>, StoreError> {
    let mut parts = Parts::of(checked.unwrap_or_default())?;
    let status = parts.text()?;
    if status != "OK" {
        return refused(&status, &mut parts).map(|refused| Some(AdminAnswer::Refused(refused)));
    }
    let role = parts.role()?;
    parts.number()?;
    let own = scopes_of(parts.next()?)?;
    Ok(AdminAnswer::refusal(Allowed { role, own }, needed))
}

/// Scopes of an account's own, as its hash has them.
pub(super) fn scopes_of(field: Value) -> Result<Option<Scopes>, StoreError> {
    match field {
        Value::Nil => Ok(None),
        names => Ok(Some(Scopes::stored(&text(names)?))),
    }
}

/// `TIME`, when the index was swept, and a count of each bucket.
fn count_buckets(pipe: &mut Pipeline) {
    pipe.cmd("TIME");
    pipe.cmd("HGET").arg(META).arg("swept");
    for bucket in BucketKeys::all() {
        pipe.add_command(COUNT.on(&[&bucket.expiries()]));
    }
}

fn stats_of(answers: &mut impl Iterator<Item = Value>) -> Result<(SessionStats, u64), StoreError> {
    let now_ms = time_ms(answers.next().as_ref())?;
    let last_cleanup_ms = number(&answers.next().unwrap_or_default())?;
    let mut stats = SessionStats { last_cleanup_ms, ..SessionStats::default() };
    for _ in 0..BUCKETS {
        let mut parts = Parts::of(answers.next().unwrap_or_default())?;
        stats.total += parts.number()?;
        stats.active += parts.number()?;
    }
    Ok((stats, now_ms))
}

pub(super) fn time_ms(value: Option<&Value>) -> Result<u64, StoreError> {
    match value {
        Some(Value::Array(parts)) => match parts.as_slice() {
            [secs, micros] => Ok(number(secs)? * 1000 + number(micros)? / 1000),
            _ => Err(StoreError::Unavailable),
        },
        _ => Err(StoreError::Unavailable),
    }
}

/// `member, score, member, score …`
fn scored(value: Value) -> Result<Vec<(String, u64)>, StoreError> {
    let Value::Array(parts) = value else { return Err(StoreError::Unavailable) };
    let mut parts = parts.into_iter();
    let mut pairs = Vec::new();
    while let (Some(member), Some(score)) = (parts.next(), parts.next()) {
        pairs.push((text(member)?, number(&score)?));
    }
    Ok(pairs)
}

/// `<sid>|<created>|<turns>`; a member or summary that makes no sense is left out, since the index is not the session.
fn listed(member: &str, summary: &str, last_active_ms: u64, expires_ms: u64) -> Option<Listed> {
    let mut parts = summary.rsplitn(3, '|');
    let turns = parts.next()?.parse().ok()?;
    let created_ms = parts.next()?.parse().ok()?;
    let id = SessionId::from_stored(parts.next()?);
    Some(Listed { user: user_of(member)?, id, created_ms, last_active_ms, expires_ms, turns })
}
