//! What administrators ask: counts, keys, cleaning. One pipeline each, the caller's check first.

use redis::{Pipeline, Value};

use super::{
    RedisStore,
    accounts::members,
    reply::{Parts, number, refused, text},
    script::{CHECK, COUNT, SWEEP},
    turns::UNCOUNTED,
};
use crate::{
    domain::{
        scope::{Allowed, Scope, Scopes},
        session::SessionId,
        slot::Slot,
        user::UserName,
    },
    store::{
        SWEEP_AT_ONCE,
        contract::{AdminAnswer, Caller, SessionStats, StoreError, StoredKey},
        keys::{BUCKETS, BucketKeys, META, UserKeys},
    },
};

impl RedisStore {
    /// Lets an administrator in.
    pub async fn administrator(&self, caller: Caller<'_>, needed: Scope) -> Result<AdminAnswer<()>, StoreError> {
        self.checked(caller, needed, self.rates.requests_per_minute).await
    }

    /// As [`RedisStore::administrator`], not counted.
    pub async fn still_administrator(&self, caller: Caller<'_>, needed: Scope) -> Result<AdminAnswer<()>, StoreError> {
        self.checked(caller, needed, UNCOUNTED).await
    }

    async fn checked(&self, caller: Caller<'_>, needed: Scope, per_minute: u32) -> Result<AdminAnswer<()>, StoreError> {
        let keys = UserKeys::of(caller.user);
        let mut call = CHECK.on(&[&keys.account(), &keys.revoked()]);
        call.arg(caller.token_id).arg(caller.issued_ms).arg(per_minute);
        let answer = self.run(&CHECK, &call).await?;
        Ok(refusal(Some(answer), needed)?.unwrap_or(AdminAnswer::Granted(())))
    }

    /// Exact numbers, for anybody: no names in them.
    pub async fn stats(&self) -> Result<SessionStats, StoreError> {
        let mut pipe = redis::pipe();
        count_buckets(&mut pipe);
        let mut answers = self.pipeline(&pipe).await?.into_iter();
        stats_of(&mut answers).map(|(stats, _)| stats)
    }

    /// The keys that hold a user's sessions, own credentials and logins; or those of one session.
    pub async fn stored_keys(&self, user: &UserName, session: Option<&SessionId>) -> Result<Vec<StoredKey>, StoreError> {
        let keys = UserKeys::of(user);
        let of_session = |keys: &UserKeys| [keys.session(), keys.history(), keys.journal(), keys.waiting(), keys.events()];
        let names: Vec<String> = if let Some(session) = session {
            let keys = UserKeys::at(user, Slot::of_session(session));
            let found = self.one(redis::cmd("HGET").arg(keys.session()).arg("sid")).await?;
            if !matches!(&found, Value::BulkString(id) if id == session.as_str().as_bytes()) {
                return Ok(Vec::new());
            }
            let kept = members(self.one(redis::cmd("ZRANGE").arg(keys.results()).arg(0).arg(-1)).await?)?;
            let kept = kept.iter().map(|id| [&keys.result_prefix(), id.as_str()].concat());
            of_session(&keys).into_iter().chain([keys.results()]).chain(kept).collect()
        } else {
            let slots = members(self.one(redis::cmd("SMEMBERS").arg(keys.slots())).await?)?;
            let others = slots.iter().filter_map(|slot| Slot::parse(slot)).map(|slot| UserKeys::at(user, slot));
            let of_user = [keys.slots(), keys.credentials(), keys.runs(), keys.refresh(), keys.revoked()];
            std::iter::once(keys.clone()).chain(others).flat_map(|keys| of_session(&keys)).chain(of_user).collect()
        };
        let mut pipe = redis::pipe();
        for name in &names {
            pipe.cmd("TYPE").arg(name);
            pipe.cmd("PTTL").arg(name);
            pipe.cmd("MEMORY").arg("USAGE").arg(name);
        }
        let mut answers = self.pipeline(&pipe).await?.into_iter();
        let mut stored = Vec::new();
        for name in names {
            let kind = text(answers.next().unwrap_or_default())?;
            let ttl = answers.next().unwrap_or_default();
            let bytes = number(&answers.next().unwrap_or_default())?;
            if kind != "none" {
                stored.push(StoredKey { name, kind, ttl_ms: number(&ttl).ok(), bytes });
            }
        }
        Ok(stored)
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
}

/// What is said to a caller whom an administrator's pipeline does not let in, as its first answer tells; none: the caller is let in.
pub(super) fn refusal<T>(checked: Option<Value>, needed: Scope) -> Result<Option<AdminAnswer<T>>, StoreError> {
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
