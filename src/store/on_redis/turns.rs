//! What callers do with their session besides running turns: look at it, clear it, reset it.

use redis::{Cmd, Value};

use super::{
    RedisStore,
    reply::{self, Parts, SESSION_FIELDS, StoredSession, refused},
    script::{CLEAR, ENTER, RESET, Script},
};
use crate::{
    domain::{
        limits::HISTORY_PAGE_BYTES,
        rate::Rate,
        session::{Revision, SessionInfo},
    },
    store::{
        contract::{Caller, Cleared, Entered, Reset, StoreError, Tail, Visit},
        keys::UserKeys,
        new_session_id,
    },
};

/// Records of the history that a plain command reads beside the script: what a page always has room for.
const NEWEST_READ_PLAINLY: usize = 16;
/// A rate that counts as good as nothing.
pub(super) const UNCOUNTED: u32 = u32::MAX;

/// What a look found.
enum Glance {
    At(Entered),
    /// The session is not there any more, or its time is over.
    Ended,
}

impl RedisStore {
    /// One round trip; a second one only for a session that ended within the time in which visits leave it alone.
    pub async fn enter(&self, caller: Caller<'_>, tail: Tail) -> Result<Entered, StoreError> {
        match self.glance(caller, tail, self.rates.requests_per_minute, self.lifetimes.touch_every_ms()).await? {
            Glance::At(entered) => Ok(entered),
            // The request was counted already, and this one looks after the session whenever it was looked after last.
            Glance::Ended => match self.glance(caller, tail, UNCOUNTED, 0).await? {
                Glance::At(entered) => Ok(entered),
                Glance::Ended => Err(StoreError::Unreadable),
            },
        }
    }

    async fn glance(&self, caller: Caller<'_>, tail: Tail, requests_per_minute: u32, touch_every_ms: u64) -> Result<Glance, StoreError> {
        let keys = UserKeys::of(caller.user);
        let (session, history) = (keys.session(), keys.history());
        let (newest, wanted, before) = match tail {
            Tail::Nothing => (0, 0, None),
            Tail::Newest(n) | Tail::NewestWhole(n) => (n.min(NEWEST_READ_PLAINLY), n, None),
            Tail::Before { turn, n } => (0, n, Some(turn)),
        };
        let mut call = self.call_of(&ENTER, &keys, caller, requests_per_minute, &[]);
        call.arg(touch_every_ms).arg(newest).arg(wanted);
        match before {
            Some(turn) => call.arg(turn),
            None => call.arg(""),
        };
        call.arg(HISTORY_PAGE_BYTES);
        let mut pipe = redis::pipe();
        pipe.cmd("MULTI").add_command(call).cmd("HMGET").arg(&session).arg(&SESSION_FIELDS);
        if newest > 0 {
            pipe.cmd("LRANGE").arg(&history).arg(format!("-{newest}")).arg(-1);
        }
        pipe.cmd("EXEC");
        let mut answers = Parts::of(self.together(&ENTER, &pipe).await?)?;
        let mut parts = Parts::of(answers.next()?)?;
        let status = parts.text()?;
        if status != "OK" {
            return refused(&status, &mut parts).map(|why| Glance::At(Entered::Refused(why)));
        }
        caller.counted.tell(Rate::Requests, parts.number()?);
        let (role, now_ms, fence) = (parts.role()?, parts.number()?, parts.number()?);
        let Some(StoredSession { session, key }) = answers.session_fields(caller.user, now_ms, fence)? else { return Ok(Glance::Ended) };
        let mut records = if wanted > newest || before.is_some() { parts.list()? } else { Vec::new() };
        let newest_first = session.first_turn + session.turns;
        if newest > 0 {
            let plain = answers.list()?;
            if plain.len() as u64 != session.turns.min(newest as u64) {
                return Err(StoreError::Unreadable);
            }
            records.extend(plain);
        }
        let first = match before {
            Some(_) => parts.number()?,
            None => newest_first.saturating_sub(records.len() as u64),
        };
        let stored = self.envelopes.turns_of(caller.user, &session.id, key.as_deref());
        let tail = reply::turns(&records, first, tail.whole(), HISTORY_PAGE_BYTES, &stored)?;
        let first = first.saturating_add((records.len() - tail.len()) as u64);
        Ok(Glance::At(Entered::In(Box::new(Visit { role, session, tail, first }))))
    }

    pub async fn clear(&self, caller: Caller<'_>, expects: Option<&Revision>) -> Result<Cleared, StoreError> {
        let keys = UserKeys::of(caller.user);
        let mut call = self.call_of(&CLEAR, &keys, caller, self.rates.requests_per_minute, &[&keys.waiting(), &keys.events()]);
        expected(&mut call, expects);
        let (status, mut parts) = self.ask_relied_on(&CLEAR, &call).await?;
        match status.as_str() {
            "OK" => Ok(Cleared::Done(Box::new(changed(&mut parts, caller)?))),
            "BUSY" => Ok(Cleared::Busy { run: parts.text()?, left_ms: parts.number()? }),
            "MOVED" => parts.revision().map(Cleared::Moved),
            other => refused(other, &mut parts).map(Cleared::Refused),
        }
    }

    pub async fn reset(&self, caller: Caller<'_>, expects: Option<&Revision>) -> Result<Reset, StoreError> {
        let keys = UserKeys::of(caller.user);
        let more = [keys.waiting(), keys.runs(), keys.bucket().open(), keys.results(), keys.events()];
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let mut call = self.call_of(&RESET, &keys, caller, self.rates.requests_per_minute, &more);
        expected(&mut call, expects);
        call.arg(keys.result_prefix());
        let (status, mut parts) = self.ask_relied_on(&RESET, &call).await?;
        match status.as_str() {
            "OK" => Ok(Reset::Done(Box::new(changed(&mut parts, caller)?))),
            "MOVED" => parts.revision().map(Reset::Moved),
            other => refused(other, &mut parts).map(Reset::Refused),
        }
    }

    /// A call of the scripts that look at or change one session: they share their keys, `more` behind them, and first arguments.
    fn call_of(&self, script: &Script, keys: &UserKeys, caller: Caller<'_>, requests_per_minute: u32, more: &[&str]) -> Cmd {
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
        let names: Vec<&str> = names.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let mut call = script.on(&names);
        call.arg(caller.token_id).arg(caller.issued_ms).arg(requests_per_minute);
        call.arg(self.lifetimes.idle_ms).arg(self.lifetimes.max_ms).arg(keys.member()).arg(new_session_id());
        call
    }

    pub(super) async fn ask(&self, script: &Script, call: &Cmd) -> Result<(String, Parts), StoreError> {
        status_first(self.run(script, call).await?)
    }

    pub(super) async fn ask_relied_on(&self, script: &Script, call: &Cmd) -> Result<(String, Parts), StoreError> {
        status_first(self.run_relied_on(script, call).await?)
    }
}

fn status_first(answer: Value) -> Result<(String, Parts), StoreError> {
    let mut parts = Parts::of(answer)?;
    let status = parts.text()?;
    Ok((status, parts))
}

/// The arguments that say what a client knows: session, fence, version.
pub(super) fn expected(call: &mut Cmd, expects: Option<&Revision>) {
    match expects {
        Some(Revision { session, fence, version }) => call.arg(session.as_str()).arg(fence).arg(version),
        None => call.arg("").arg(0).arg(0),
    };
}

/// `ms that requests are ahead, role, now, {session}`.
fn changed(parts: &mut Parts, caller: Caller<'_>) -> Result<SessionInfo, StoreError> {
    caller.counted.tell(Rate::Requests, parts.number()?);
    parts.role()?;
    parts.number()?;
    parts.session(caller.user)
}
