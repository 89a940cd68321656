//! Runs that have not ended, and those that have: who must be looked after, going on with the dead, and what may be asked of one.

use super::{
    RedisStore,
    accounts::members,
    reply::{number, odd, refused},
    script::{BEGUN_WITH, CANCEL, KILL, LOOK, TAKE},
    turns::UNCOUNTED,
};
use crate::{
    domain::{
        limits::DUE_SESSIONS_PER_BUCKET_MAX,
        rate::Rate,
        session::{Revision, SessionId},
        slot::{SessionSlot, Slot},
        turn::Stop,
        user::UserName,
    },
    secrets::records::DataKey,
    store::{
        contract::{Caller, Cancelled, Ended, Lease, Looked, Stepped, StoreError, Taken, TakenRun, keys::API_KEY_ID},
        edge::UNREADABLE_AGAIN_MS,
        keys::{BucketKeys, UserKeys, session_of_member},
        record::Detail,
    },
};

impl RedisStore {
    /// Sessions with a run that nobody works on: its lease has lapsed, or it waits.
    pub async fn due(&self) -> Result<Vec<SessionSlot>, StoreError> {
        let now_ms = self.now_ms().await?;
        let mut pipe = redis::pipe();
        for bucket in BucketKeys::all() {
            pipe.cmd("ZRANGE").arg(bucket.open()).arg("-inf").arg(now_ms).arg("BYSCORE");
            pipe.arg("LIMIT").arg(0).arg(DUE_SESSIONS_PER_BUCKET_MAX);
        }
        let mut sessions = Vec::new();
        for answer in self.pipeline(&pipe).await? {
            sessions.extend(members(answer)?.iter().filter_map(|member| session_of_member(member)));
        }
        Ok(sessions)
    }

    pub async fn take(&self, session: &SessionSlot, owner: &str, lease_ms: u64, tail: usize) -> Result<Taken, StoreError> {
        let user = &session.user;
        let keys = UserKeys::at(user, session.slot);
        let bucket = keys.bucket();
        let mut call = TAKE.on(&[
            &keys.account(),
            &keys.session(),
            &keys.history(),
            &keys.journal(),
            &keys.waiting(),
            &bucket.open(),
            &bucket.expiries(),
            &bucket.activity(),
            &bucket.summaries(),
        ]);
        let offered = self.envelopes.new_session_key(user)?;
        call.arg(owner).arg(lease_ms).arg(self.lifetimes.idle_ms).arg(keys.member()).arg(tail);
        call.arg(offered.as_ref().map_or(&b""[..], DataKey::wrapped));
        let (status, mut parts) = self.ask_relied_on(&TAKE, &call).await?;
        match status.as_str() {
            "OK" => {
                let (lease, started) = self.started(user, &mut parts, offered)?;
                let (started, journal) = match (started, parts.journal()) {
                    (Ok(started), Ok(journal)) => (started, journal),
                    (Err(error), _) | (_, Err(error)) => {
                        // Nobody can go on with it before its user resets the session, which takes it out of the list of open ones.
                        let _ = self.hand_over(&lease, UNREADABLE_AGAIN_MS).await;
                        return Err(error);
                    }
                };
                let crashes = parts.number()?;
                let stop = stop_of(&parts.text()?);
                let tokens_void_before_ms = parts.number()?;
                Ok(Taken::Run(Box::new(TakenRun { started, journal, crashes, stop, tokens_void_before_ms })))
            }
            "NOTHING" => Ok(Taken::Nothing),
            "HELD" => Ok(Taken::Held { run: parts.text()?, left_ms: parts.number()? }),
            other => refused(other, &mut parts).map(|_| Taken::Nothing),
        }
    }

    pub async fn begun_with(&self, lease: &Lease, key: &str) -> Result<Stepped, StoreError> {
        let keys = UserKeys::of_run(&lease.user, &lease.run);
        let mut call = BEGUN_WITH.on(&[&keys.account(), &keys.session()]);
        call.arg(&lease.run).arg(lease.token.as_str()).arg([API_KEY_ID, key].concat());
        let (status, mut parts) = self.ask_relied_on(&BEGUN_WITH, &call).await?;
        match status.as_str() {
            "OK" => Ok(Stepped::Held),
            "STOP" => Ok(Stepped::StopWanted(Stop::from_stored(&parts.text()?))),
            "STALE" => Ok(Stepped::Stale),
            other => refused(other, &mut parts).map(|_| Stepped::Stale),
        }
    }

    pub async fn look(&self, caller: Caller<'_>, run: &str, counted: bool) -> Result<Looked, StoreError> {
        let keys = UserKeys::of_run(caller.user, run);
        let mut call =
            LOOK.on(&[&keys.account(), &keys.revoked(), &keys.session(), &keys.history(), &keys.journal(), &keys.waiting(), &keys.runs()]);
        let per_minute = if counted { self.rates.requests_per_minute } else { UNCOUNTED };
        call.arg(caller.token_id).arg(caller.issued_ms).arg(per_minute).arg(run);
        // It writes that a request was made, so what it tells is on the replicas as well: an end that was told must not be lost.
        let (status, mut parts) = self.ask_relied_on(&LOOK, &call).await?;
        if status != "OK" {
            return refused(&status, &mut parts).map(Looked::Refused);
        }
        let ahead_ms = parts.number()?;
        if counted {
            caller.counted.tell(Rate::Requests, ahead_ms);
        }
        parts.role()?;
        let (_, fence) = (parts.number()?, parts.number()?);
        match parts.text()?.as_str() {
            "ENDED" => {
                let ended = ended_of(&parts.text()?)?;
                let (record, session, version, key) =
                    (parts.bytes()?, SessionId::from_stored(&parts.text()?), parts.number()?, parts.bytes()?);
                let stored = self.envelopes.turns_of(caller.user, &session, Some(key.as_slice()).filter(|key| !key.is_empty()));
                let turn = match ended.turn.filter(|_| !record.is_empty()) {
                    // After a rewind the turn of another run may have the number.
                    Some(number) => Some(stored.open(number, &record, Detail::Whole)?).filter(|turn| turn.run == run).map(Box::new),
                    None => None,
                };
                Ok(Looked::Ended { ended, turn, revision: Revision { session, fence, version } })
            }
            "RUNNING" => {
                let left_ms = parts.number()?;
                let stop = stop_of(&parts.text()?);
                let session = SessionId::from_stored(&parts.text()?);
                let journal = parts.journal()?.into_iter().filter(|entry| entry.run == run).collect();
                Ok(Looked::Running { left_ms, stop, session, journal })
            }
            "WAITING" => {
                let (place, accepted_ms, input) = (parts.number()?, parts.number()?, parts.bytes()?);
                Ok(Looked::Waiting { place, accepted_ms, input, session: SessionId::from_stored(&parts.text()?) })
            }
            "NONE" => Ok(Looked::Unknown),
            _ => Err(odd("a state of a run")),
        }
    }

    pub async fn cancel(&self, caller: Caller<'_>, run: &str) -> Result<Cancelled, StoreError> {
        let keys = UserKeys::of_run(caller.user, run);
        let mut call = CANCEL.on(&[&keys.account(), &keys.revoked(), &keys.session(), &keys.waiting(), &keys.runs()]);
        call.arg(caller.token_id).arg(caller.issued_ms).arg(self.rates.requests_per_minute).arg(run);
        let (status, mut parts) = self.ask_relied_on(&CANCEL, &call).await?;
        if status != "OK" {
            return refused(&status, &mut parts).map(Cancelled::Refused);
        }
        caller.counted.tell(Rate::Requests, parts.number()?);
        parts.role()?;
        match parts.text()?.as_str() {
            "STOPPING" => Ok(Cancelled::Stopping { left_ms: parts.number()? }),
            "CANCELLED" => Ok(Cancelled::Taken),
            "ENDED" => ended_of(&parts.text()?).map(Cancelled::Ended),
            "NONE" => Ok(Cancelled::Unknown),
            _ => Err(odd("a state of a run")),
        }
    }

    /// Ends a user's session, or all of them, whoever runs them. How many it were.
    pub async fn kill(&self, user: &UserName, session: Option<&SessionId>) -> Result<u64, StoreError> {
        let slot = session.map_or(Slot::MAIN, Slot::of_session);
        let keys = UserKeys::at(user, slot);
        let mut call = KILL.on_all(keys.ending());
        call.arg(keys.member()).arg(keys.result_prefix()).arg(session.map_or("", SessionId::as_str)).arg(slot.to_string());
        number(&self.run_relied_on(&KILL, &call).await?)
    }
}

fn stop_of(name: &str) -> Option<Stop> {
    (!name.is_empty()).then(|| Stop::from_stored(name))
}

fn ended_of(text: &str) -> Result<Ended, StoreError> {
    Ended::parse(text).ok_or(StoreError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_is_not_known_still_stops() {
        assert_eq!([stop_of(""), stop_of("revoked"), stop_of("1")], [None, Some(Stop::Revoked), Some(Stop::Cancelled)]);
    }
}
