//! What callers do with their session: look, run a turn, clear, reset.

use redis::{Cmd, Value};

use super::{
    RedisStore,
    reply::{Parts, SESSION_FIELDS, number, refused, said},
    script::{BEGIN, CLEAR, COMMIT, ENTER, RELEASE, RESET, STEP, Script},
};
use crate::{
    domain::{
        limits::{HISTORY_PAGE_BYTES, TURNS_WITH_CALLS_TO_MODEL_MAX},
        session::SessionInfo,
        turn::FencingToken,
    },
    store::{
        IDEMPOTENCY_TTL_MS,
        contract::{
            Begin, Begun, Caller, Cleared, Commit, Committed, Entered, Entry, Lease, Refused, Reset, Started, Stepped, StoreError, Tail,
            Visit,
        },
        keys::UserKeys,
        new_session_id, record,
    },
};

/// Records of the history that a plain command reads beside the script: what a page always has room for.
const NEWEST_READ_PLAINLY: usize = 16;
/// A rate that counts as good as nothing.
const UNCOUNTED: u32 = u32::MAX;

/// What a look found.
enum Looked {
    At(Entered),
    /// The session is not there any more, or its time is over.
    Ended,
}

impl RedisStore {
    /// One round trip; a second one only for a session that ended within the time in which visits leave it alone.
    pub async fn enter(&self, caller: Caller<'_>, tail: Tail) -> Result<Entered, StoreError> {
        match self.look(caller, tail, self.rates.requests_per_minute, self.lifetimes.touch_every_ms()).await? {
            Looked::At(entered) => Ok(entered),
            // The request was counted already, and this one looks after the session whenever it was looked after last.
            Looked::Ended => match self.look(caller, tail, UNCOUNTED, 0).await? {
                Looked::At(entered) => Ok(entered),
                Looked::Ended => Err(StoreError::Unreadable),
            },
        }
    }

    async fn look(&self, caller: Caller<'_>, tail: Tail, requests_per_minute: u32, touch_every_ms: u64) -> Result<Looked, StoreError> {
        let keys = UserKeys::of(caller.user);
        let (session, history) = (keys.session(), keys.history());
        let (newest, wanted, before) = match tail {
            Tail::Nothing => (0, 0, None),
            Tail::Newest(n) => (n.min(NEWEST_READ_PLAINLY), n, None),
            Tail::Before { turn, n } => (0, n, Some(turn)),
        };
        let mut call = self.call_of(&ENTER, &keys, caller, requests_per_minute, None);
        call.arg(touch_every_ms).arg(newest).arg(wanted);
        match before {
            Some(turn) => call.arg(turn),
            None => call.arg(""),
        };
        call.arg(HISTORY_PAGE_BYTES);
        let mut pipe = redis::pipe();
        pipe.atomic().add_command(call).cmd("HMGET").arg(&session).arg(&SESSION_FIELDS);
        if newest > 0 {
            pipe.cmd("LRANGE").arg(&history).arg(format!("-{newest}")).arg(-1);
        }
        let mut answers = Parts::of(self.together(&ENTER, &pipe).await?)?;
        let mut parts = Parts::of(answers.next()?)?;
        let status = parts.text()?;
        if status != "OK" {
            return refused(&status, &mut parts).map(|why| Looked::At(Entered::Refused(why)));
        }
        let (role, now_ms) = (parts.role()?, parts.number()?);
        let Some(session) = answers.session_fields(caller.user, now_ms)? else { return Ok(Looked::Ended) };
        let mut records = if wanted > newest || before.is_some() { parts.list()? } else { Vec::new() };
        let newest_first = session.first_turn + session.turns;
        if newest > 0 {
            let plain = answers.list()?;
            if plain.len() as u64 != session.turns.min(newest as u64) {
                return Err(StoreError::Unreadable);
            }
            records.extend(plain);
            leave_one_page(&mut records);
        }
        let first = match before {
            Some(_) => parts.number()?,
            None => newest_first.saturating_sub(records.len() as u64),
        };
        let tail = said(records)?;
        Ok(Looked::At(Entered::In(Box::new(Visit { role, session, tail, first }))))
    }

    pub async fn begin(&self, begin: Begin<'_>) -> Result<Begun, StoreError> {
        let caller = begin.caller;
        let keys = UserKeys::of(caller.user);
        let bucket = keys.bucket();
        let journal = keys.journal();
        let record_key = begin.idempotency.map_or_else(|| journal.clone(), |i| keys.idempotency(i.key));
        let mut call = BEGIN.on(&[
            &keys.account(),
            &keys.revoked(),
            &keys.session(),
            &keys.history(),
            &journal,
            &record_key,
            &bucket.expiries(),
            &bucket.activity(),
            &bucket.summaries(),
        ]);
        call.arg(caller.token_id).arg(caller.issued_ms).arg(self.rates.requests_per_minute).arg(self.rates.turns_per_minute);
        call.arg(self.lifetimes.idle_ms).arg(self.lifetimes.max_ms).arg(keys.member()).arg(new_session_id());
        call.arg(begin.run).arg(begin.owner).arg(begin.lease_ms).arg(begin.tail).arg(begin.input);
        call.arg(begin.idempotency.map_or("", |i| i.fingerprint)).arg(IDEMPOTENCY_TTL_MS).arg(self.lifetimes.touch_every_ms());
        let (status, mut parts) = self.ask(&BEGIN, &call).await?;
        match status.as_str() {
            "OK" => {
                let visit = parts.visit(caller.user, TURNS_WITH_CALLS_TO_MODEL_MAX);
                let token = FencingToken::from_store(parts.text()?);
                let run = parts.text()?;
                match (visit, parts.journal()) {
                    (Ok((visit, now_ms)), Ok(journal)) => Ok(Begun::Started(Box::new(Started { token, run, visit, journal, now_ms }))),
                    (Err(error), _) | (_, Err(error)) => {
                        // The session is leased, but its conversation cannot be read: nobody shall wait for a run that never was.
                        // A step that leases for no time at all leaves everything else as it is; if it fails, the lease lapses.
                        let _ = self.step(&Lease { user: caller.user.clone(), run, token }, 0, &[]).await;
                        Err(error)
                    }
                }
            }
            "BUSY" => Ok(Begun::Busy { run: parts.text()?, left_ms: parts.number()? }),
            "IN_FLIGHT" => Ok(Begun::InFlight { run: parts.text()? }),
            "LOST" => Ok(Begun::Lost { run: parts.text()? }),
            "KEY_REUSED" => Ok(Begun::KeyReused),
            "REPLAY" => Ok(Begun::Replay(parts.bytes()?)),
            other => refused(other, &mut parts).map(Begun::Refused),
        }
    }

    pub async fn step(&self, lease: &Lease, lease_ms: u64, entries: &[Entry]) -> Result<Stepped, StoreError> {
        let keys = UserKeys::of(&lease.user);
        let mut call = STEP.on(&[&keys.session(), &keys.history(), &keys.journal(), &keys.bucket().expiries()]);
        call.arg(&lease.run).arg(lease.token.as_str()).arg(lease_ms).arg(self.lifetimes.idle_ms).arg(keys.member());
        for entry in entries {
            call.arg(&entry.field).arg(&entry.value);
        }
        let (status, mut parts) = self.ask(&STEP, &call).await?;
        match status.as_str() {
            "OK" => Ok(Stepped::Held),
            "CANCEL" => Ok(Stepped::CancelWanted),
            "STALE" => Ok(Stepped::Stale),
            other => refused(other, &mut parts).map(|_| Stepped::Stale),
        }
    }

    pub async fn release(&self, begun: &Begin<'_>) -> Result<bool, StoreError> {
        let keys = UserKeys::of(begun.caller.user);
        let journal = keys.journal();
        let record_key = begun.idempotency.map_or_else(|| journal.clone(), |i| keys.idempotency(i.key));
        let mut call = RELEASE.on(&[&keys.session(), &journal, &record_key]);
        call.arg(begun.run).arg(begun.owner);
        Ok(number(&self.run(&RELEASE, &call).await?)? == 1)
    }

    pub async fn commit(&self, lease: &Lease, commit: Commit<'_>) -> Result<Committed, StoreError> {
        let keys = UserKeys::of(&lease.user);
        let bucket = keys.bucket();
        let journal = keys.journal();
        let record_key = commit.reply.map_or_else(|| journal.clone(), |(i, _)| keys.idempotency(i.key));
        let mut call = COMMIT.on(&[
            &keys.session(),
            &keys.history(),
            &journal,
            &record_key,
            &bucket.expiries(),
            &bucket.activity(),
            &bucket.summaries(),
        ]);
        call.arg(&lease.run).arg(lease.token.as_str()).arg(self.lifetimes.idle_ms).arg(self.lifetimes.turns_max).arg(keys.member());
        let (fingerprint, answer) = commit.reply.map_or(("", &b""[..]), |(i, answer)| (i.fingerprint, answer));
        call.arg(fingerprint).arg(IDEMPOTENCY_TTL_MS).arg(answer);
        for turn in commit.turns {
            call.arg(record::encode(turn));
        }
        let (status, mut parts) = self.ask(&COMMIT, &call).await?;
        match status.as_str() {
            "OK" => Ok(Committed::Done { turns: parts.number()?, version: parts.number()? }),
            "STALE" => Ok(Committed::Stale),
            other => refused(other, &mut parts).map(|_| Committed::Stale),
        }
    }

    pub async fn clear(&self, caller: Caller<'_>) -> Result<Cleared, StoreError> {
        let keys = UserKeys::of(caller.user);
        let call = self.call_of(&CLEAR, &keys, caller, self.rates.requests_per_minute, None);
        let (status, mut parts) = self.ask(&CLEAR, &call).await?;
        match status.as_str() {
            "OK" => Ok(Cleared::Done(Box::new(changed(&mut parts, caller)?))),
            "BUSY" => Ok(Cleared::Busy { run: parts.text()?, left_ms: parts.number()? }),
            other => refused(other, &mut parts).map(Cleared::Refused),
        }
    }

    pub async fn reset(&self, caller: Caller<'_>) -> Result<Reset, StoreError> {
        let keys = UserKeys::of(caller.user);
        let results = keys.results();
        let mut call = self.call_of(&RESET, &keys, caller, self.rates.requests_per_minute, Some(&results));
        call.arg(keys.result_prefix());
        let (status, mut parts) = self.ask(&RESET, &call).await?;
        match status.as_str() {
            "OK" => Ok(Reset::Done(Box::new(changed(&mut parts, caller)?))),
            other => refused(other, &mut parts).map(Reset::Refused),
        }
    }

    /// A call of the scripts that look at or change one session: they share their keys, `more` behind them, and first arguments.
    fn call_of(&self, script: &Script, keys: &UserKeys, caller: Caller<'_>, requests_per_minute: u32, more: Option<&str>) -> Cmd {
        let bucket = keys.bucket();
        let names = [
            keys.account(),
            keys.revoked(),
            keys.session(),
            keys.history(),
            keys.journal(),
            bucket.expiries(),
            bucket.activity(),
            bucket.summaries(),
        ];
        let names: Vec<&str> = names.iter().map(String::as_str).chain(more).collect();
        let mut call = script.on(&names);
        call.arg(caller.token_id).arg(caller.issued_ms).arg(requests_per_minute);
        call.arg(self.lifetimes.idle_ms).arg(self.lifetimes.max_ms).arg(keys.member()).arg(new_session_id());
        call
    }

    async fn ask(&self, script: &Script, call: &Cmd) -> Result<(String, Parts), StoreError> {
        let mut parts = Parts::of(self.run(script, call).await?)?;
        let status = parts.text()?;
        Ok((status, parts))
    }
}

/// Drops what is beyond a page, from the oldest on.
fn leave_one_page(records: &mut Vec<Value>) {
    let mut bytes = 0;
    let beyond = records.iter().rposition(|record| {
        let full = bytes >= HISTORY_PAGE_BYTES;
        bytes += if let Value::BulkString(record) = record { record.len() } else { 0 };
        full
    });
    records.drain(..beyond.map_or(0, |at| at + 1));
}

/// `role, now, {session}`.
fn changed(parts: &mut Parts, caller: Caller<'_>) -> Result<SessionInfo, StoreError> {
    parts.role()?;
    parts.number()?;
    parts.session(caller.user)
}

/// What an administrator's pipeline begins with.
pub(super) fn checked(value: Value) -> Result<Result<crate::domain::user::Role, Refused>, StoreError> {
    let mut parts = Parts::of(value)?;
    let status = parts.text()?;
    match status.as_str() {
        "OK" => Ok(Ok(parts.role()?)),
        other => refused(other, &mut parts).map(Err),
    }
}
