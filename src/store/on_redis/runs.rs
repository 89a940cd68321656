//! What a run does with a session: begin, step, commit, or give it back.

use std::borrow::Cow;

use super::{
    RedisStore,
    reply::{self, Parts, number, refused},
    script::{BEGIN, COMMIT, HANDOVER, RELEASE, STEP, SUMMARY},
    turns::{expected, named},
};
use crate::{
    domain::{
        limits::{TURNS_WITH_CALLS_TO_MODEL_MAX, WAITING_RUNS_MAX},
        rate::Rate,
        session::{SessionId, Summary},
        slot::Slot,
        turn::{FencingToken, Stop},
        user::UserName,
    },
    secrets::records::DataKey,
    store::{
        IDEMPOTENCY_TTL_MS,
        contract::{Begin, Begun, Commit, Committed, Entry, Lease, Started, Stepped, StoreError, TurnPlace, overview::Tally},
        keys::UserKeys,
        new_session_id,
    },
};

impl RedisStore {
    pub async fn begin(&self, begin: Begin<'_>) -> Result<Begun, StoreError> {
        let caller = begin.caller;
        let keys = UserKeys::at(caller.user, caller.slot());
        let bucket = keys.bucket();
        let journal = keys.journal();
        let record_key = keys.request(begin.idempotency.map(|i| i.key));
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
            &keys.waiting(),
            &bucket.open(),
            &keys.slots(),
        ]);
        call.arg(caller.token_id).arg(caller.issued_ms).arg(self.rates.requests_per_minute).arg(self.rates.turns_per_minute);
        call.arg(self.lifetimes.idle_ms).arg(self.lifetimes.max_ms).arg(keys.member()).arg(new_session_id(caller.slot()).as_str());
        call.arg(begin.run).arg(begin.owner).arg(begin.lease_ms).arg(begin.tail).arg(begin.input);
        call.arg(begin.idempotency.map_or("", |i| i.fingerprint)).arg(IDEMPOTENCY_TTL_MS).arg(self.lifetimes.touch_every_ms());
        call.arg(begin.on_busy.as_str()).arg(WAITING_RUNS_MAX);
        expected(&mut call, begin.expects);
        let offered = self.envelopes.new_session_key(caller.user)?;
        call.arg(offered.as_ref().map_or(&b""[..], DataKey::wrapped)).arg(named(caller)).arg(begin.running_max);
        let (status, mut parts) = self.ask_relied_on(&BEGIN, &call).await?;
        if !matches!(status.as_str(), "REVOKED" | "LIMITED" | "UNREADABLE") {
            caller.counted.tell(Rate::Requests, parts.number()?);
        }
        if matches!(status.as_str(), "OK" | "QUEUED") {
            caller.counted.tell(Rate::Turns, parts.number()?);
        }
        match status.as_str() {
            "OK" => {
                let (_, started) = self.started(caller.user, &mut parts, offered)?;
                if started.is_err() {
                    // It is leased, but its conversation cannot be read: nobody shall wait for a run that never was, and nothing of it shall
                    // be told later.
                    let _ = self.release(&begin).await;
                }
                started.map(|started| Begun::Started(Box::new(started)))
            }
            "BUSY" => Ok(Begun::Busy { run: parts.text()?, left_ms: parts.number()? }),
            "ORPHANED" => Ok(Begun::Orphaned { run: parts.text()? }),
            "QUEUED" => Ok(Begun::Queued { place: parts.number()?, held: parts.number()? == 1 }),
            "FULL" => Ok(Begun::Full { run: parts.text()? }),
            "IN_FLIGHT" => Ok(Begun::InFlight { run: parts.text()? }),
            "LOST" => Ok(Begun::Lost { run: parts.text()? }),
            "KEY_REUSED" => Ok(Begun::KeyReused),
            "REPLAY" => Ok(Begun::Replay(parts.bytes()?)),
            "MOVED" => parts.revision().map(Begun::Moved),
            "NO_SESSION" => Ok(Begun::NoSession),
            "MANY_RUN" => Ok(Begun::ManyRun),
            other => refused(other, &mut parts).map(Begun::Refused),
        }
    }

    pub async fn step(&self, lease: &Lease, lease_ms: u64, entries: &[Entry]) -> Result<Stepped, StoreError> {
        let lease = &self.unfenced(lease).await;
        let keys = UserKeys::of_run(&lease.user, &lease.run);
        let mut call = STEP.on(&[&keys.session(), &keys.history(), &keys.journal(), &keys.bucket().expiries(), &keys.waiting()]);
        call.arg(&lease.run).arg(lease.token.as_str()).arg(lease_ms).arg(self.lifetimes.idle_ms).arg(keys.member());
        for entry in entries {
            call.arg(&entry.field).arg(&entry.value);
        }
        // A heartbeat only says that the run lives; nothing is sent on its strength.
        let asked = if entries.is_empty() { self.ask(&STEP, &call).await } else { self.ask_relied_on(&STEP, &call).await };
        let (status, mut parts) = asked?;
        match status.as_str() {
            "OK" => Ok(Stepped::Held),
            "STOP" => Ok(Stepped::StopWanted(Stop::from_stored(&parts.text()?))),
            "STALE" => Ok(Stepped::Stale),
            other => refused(other, &mut parts).map(|_| Stepped::Stale),
        }
    }

    /// The lease itself. Where the fault lab takes fencing out, one that proves whatever is asked for.
    async fn unfenced<'a>(&self, lease: &'a Lease) -> Cow<'a, Lease> {
        if !crate::fault::ablated("fence") {
            return Cow::Borrowed(lease);
        }
        let mut look = redis::cmd("HMGET");
        look.arg(UserKeys::of_run(&lease.user, &lease.run).session()).arg(&["rid", "tok"]);
        let held = async { Parts::of(self.one(&look).await.ok()?).ok() }.await;
        let proved = held.and_then(|mut held| Some((held.text().ok()?, held.text().ok()?)));
        let (run, token) = proved.unwrap_or_else(|| (lease.run.clone(), lease.token.as_str().to_owned()));
        Cow::Owned(Lease { run, token: FencingToken::from_store(token), ..lease.clone() })
    }

    /// Gives a run back as it is, for whoever takes it; false if it was not held any more.
    pub async fn hand_over(&self, lease: &Lease, again_ms: u64) -> Result<bool, StoreError> {
        let keys = UserKeys::of_run(&lease.user, &lease.run);
        let mut call = HANDOVER.on(&[&keys.session(), &keys.bucket().open()]);
        call.arg(&lease.run).arg(lease.token.as_str()).arg(keys.member()).arg(again_ms);
        Ok(number(&self.run(&HANDOVER, &call).await?)? == 1)
    }

    pub async fn release(&self, begun: &Begin<'_>) -> Result<bool, StoreError> {
        let keys = UserKeys::at(begun.caller.user, begun.caller.slot());
        let journal = keys.journal();
        let record_key = keys.request(begun.idempotency.map(|i| i.key));
        let mut call = RELEASE.on(&[&keys.session(), &journal, &record_key, &keys.waiting(), &keys.bucket().open()]);
        call.arg(begun.run).arg(begun.owner).arg(keys.member());
        Ok(number(&self.run(&RELEASE, &call).await?)? == 1)
    }

    pub async fn commit(&self, lease: &Lease, commit: Commit<'_>) -> Result<Committed, StoreError> {
        let lease = &self.unfenced(lease).await;
        let keys = UserKeys::of_run(&lease.user, &lease.run);
        let bucket = keys.bucket();
        let journal = keys.journal();
        let record_key = keys.request(commit.reply.map(|(i, _)| i.key));
        let mut call = COMMIT.on(&[
            &keys.session(),
            &keys.history(),
            &journal,
            &record_key,
            &bucket.expiries(),
            &bucket.activity(),
            &bucket.summaries(),
            &keys.waiting(),
            &bucket.open(),
            &keys.runs(),
            &bucket.unknown(),
        ]);
        call.arg(&lease.run).arg(lease.token.as_str()).arg(self.lifetimes.idle_ms).arg(self.lifetimes.turns_max).arg(keys.member());
        let (fingerprint, answer) = commit.reply.map_or(("", &b""[..]), |(i, answer)| (i.fingerprint, answer));
        call.arg(fingerprint).arg(IDEMPOTENCY_TTL_MS).arg(answer);
        call.arg(commit.ending.as_str()).arg(commit.accepted_ms).arg(commit.detail);
        call.arg(self.envelopes.close_title(&lease.user, lease.turns_at.session(), commit.title.unwrap_or_default())?);
        let Tally { calls, changing_calls, prompt_tokens, completion_tokens, estimated, unknown } = commit.tally;
        call.arg(calls).arg(prompt_tokens).arg(completion_tokens).arg(unknown).arg(changing_calls).arg(u8::from(estimated));
        for record in self.envelopes.close_turns(&lease.user, &lease.turns_at, commit.turns)? {
            call.arg(record);
        }
        let (status, mut parts) = self.ask_relied_on(&COMMIT, &call).await?;
        match status.as_str() {
            "OK" => Ok(Committed::Done { turns: parts.number()?, version: parts.number()?, waiting: parts.number()? }),
            "STALE" => Ok(Committed::Stale),
            other => refused(other, &mut parts).map(|_| Committed::Stale),
        }
    }

    pub async fn keep_summary(&self, user: &UserName, place: &TurnPlace, summary: &Summary) -> Result<bool, StoreError> {
        let record = self.envelopes.close_summary(user, place, summary)?;
        let mut call = SUMMARY.on(&[&UserKeys::at(user, Slot::of_session(place.session())).session()]);
        call.arg(place.session().as_str()).arg(summary.last).arg(record);
        Ok(number(&self.run(&SUMMARY, &call).await?)? == 1)
    }

    /// `role, now, first, {session}, {records}, token, run, the session's key, the last turn of its summary, the summary`: the lease, and what began with it if the conversation can be
    /// read. Without it the lease is good for giving it back.
    pub(super) fn started(
        &self,
        user: &UserName,
        parts: &mut Parts,
        offered: Option<DataKey>,
    ) -> Result<(Lease, Result<Started, StoreError>), StoreError> {
        let visit = parts.visit(user);
        let (token, run, key) = (FencingToken::from_store(parts.text()?), parts.text()?, parts.bytes()?);
        let (last, summary) = (parts.text()?, parts.bytes()?);
        let key = Some(key.as_slice()).filter(|key| !key.is_empty());
        let started = visit.and_then(|(mut visit, now_ms, records)| {
            let session = &visit.session;
            let stored = self.envelopes.turns_of(user, &session.id, key);
            visit.tail = reply::turns(&records, visit.first, TURNS_WITH_CALLS_TO_MODEL_MAX, usize::MAX, &stored)?;
            let next = session.first_turn.saturating_add(session.turns);
            let turns_at = self.envelopes.turn_place(user, &session.id, next, offered, key)?;
            // A summary that does not reach the first turn that there is tells of a conversation that was emptied.
            let last = last.parse().ok().filter(|last: &u64| last.saturating_add(1) >= session.first_turn && *last < next);
            let summary = last.and_then(|last| stored.open_summary(last, &summary));
            Ok(Started { token: token.clone(), run: run.clone(), visit, turns_at, summary, now_ms })
        });
        let turns_at = started.as_ref().map_or_else(|_| TurnPlace::open(SessionId::from_stored(""), 0), |started| started.turns_at.clone());
        Ok((Lease { user: user.clone(), run, token, turns_at }, started))
    }
}
