//! Logins that refresh tokens keep going, and how they end. One script each.

use super::{
    RedisStore,
    reply::{Parts, odd, refused},
    script::{ATTEMPT, FORGIVE, LOGIN, LOGOUT, REFRESH, TAKE_BACK},
};
use crate::{
    domain::{
        limits::{REFRESH_FAMILIES_PER_USER_MAX, REFRESH_GRACE_MS},
        user::UserName,
    },
    store::{
        contract::{
            StoreError,
            logins::{
                Attempted, FROM_ADDRESS, LoggedOut, Login, Logout, OF_ACCOUNT, Opened, Rotated, Rotation, StoppedRuns, Window, of_address,
            },
        },
        keys::{UserKeys, address_failures},
    },
};

impl RedisStore {
    pub async fn attempt(&self, user: &UserName, from: &str) -> Result<Attempted, StoreError> {
        let keys = UserKeys::of(user);
        self.count_attempt(&[&keys.failures(None), &keys.failures(Some(from))], &[OF_ACCOUNT, FROM_ADDRESS]).await
    }

    /// On a Cluster it is another node's than [`RedisStore::attempt`], so it is another script's call: both are asked at once.
    pub async fn attempt_from(&self, from: &str, failures_max: u32) -> Result<Attempted, StoreError> {
        self.count_attempt(&[&address_failures(from)], &[of_address(failures_max)]).await
    }

    async fn count_attempt(&self, places: &[&str], windows: &[Window]) -> Result<Attempted, StoreError> {
        let mut call = ATTEMPT.on(places);
        for window in windows {
            call.arg(window.failures_max).arg(window.ms);
        }
        let mut parts = Parts::of(self.run(&ATTEMPT, &call).await?)?;
        Ok(match (parts.number()?, parts.number()?) {
            (0, _) => Attempted::Counted,
            (retry_after_ms, first) => Attempted::Limited { retry_after_ms, first: first == 1 },
        })
    }

    pub async fn forgive(&self, user: &UserName, from: &str) -> Result<(), StoreError> {
        let keys = UserKeys::of(user);
        let call = FORGIVE.on(&[&keys.failures(None), &keys.failures(Some(from))]);
        self.run(&FORGIVE, &call).await.map(|_| ())
    }

    pub async fn take_back(&self, user: &UserName, from: &str) -> Result<(), StoreError> {
        let keys = UserKeys::of(user);
        let call = TAKE_BACK.on(&[&keys.failures(None), &keys.failures(Some(from))]);
        self.run(&TAKE_BACK, &call).await.map(|_| ())
    }

    pub async fn take_back_from(&self, from: &str) -> Result<(), StoreError> {
        self.run(&TAKE_BACK, &TAKE_BACK.on(&[&address_failures(from)])).await.map(|_| ())
    }

    pub async fn log_in(&self, login: Login<'_>) -> Result<Opened, StoreError> {
        let keys = UserKeys::of(login.user);
        let mut call = LOGIN.on(&[&keys.account(), &keys.revoked(), &keys.refresh()]);
        call.arg(login.born_ms).arg(login.family).arg(login.token).arg(login.lasts_ms).arg(REFRESH_FAMILIES_PER_USER_MAX);
        // Not relied on: whoever loses it in a failover logs in again. A rotation that is lost would make an honest client look like a thief,
        // and a logout that is lost would let somebody in again.
        match Parts::of(self.run(&LOGIN, &call).await?)?.text()?.as_str() {
            "OK" => Ok(Opened::Done),
            "REVOKED" => Ok(Opened::Revoked),
            _ => Err(odd("a status of this script")),
        }
    }

    pub async fn rotate(&self, rotation: Rotation<'_>) -> Result<Rotated, StoreError> {
        let keys = UserKeys::of(rotation.user);
        let mut call = REFRESH.on(&[&keys.account(), &keys.revoked(), &keys.refresh()]);
        call.arg(rotation.family).arg(rotation.presented).arg(rotation.successor).arg(rotation.sealed);
        call.arg(rotation.lasts_ms).arg(REFRESH_GRACE_MS).arg(rotation.access_ms).arg(self.rates.requests_per_minute);
        let (status, mut parts) = self.ask_relied_on(&REFRESH, &call).await?;
        match status.as_str() {
            "OK" => Ok(Rotated::Done { role: parts.role()?, now_ms: parts.number()? }),
            "AGAIN" => Ok(Rotated::Again { role: parts.role()?, now_ms: parts.number()?, sealed: parts.text()? }),
            "USED" => Ok(Rotated::Used),
            "UNKNOWN" => Ok(Rotated::Unknown),
            other => refused(other, &mut parts).map(Rotated::Refused),
        }
    }

    pub async fn log_out(&self, logout: Logout<'_>) -> Result<LoggedOut, StoreError> {
        let keys = UserKeys::of(logout.caller.user);
        let mut call =
            LOGOUT.on(&[&keys.account(), &keys.revoked(), &keys.session(), &keys.waiting(), &keys.runs(), &keys.refresh(), &keys.slots()]);
        call.arg(logout.caller.token_id).arg(logout.caller.issued_ms).arg(logout.family.unwrap_or_default());
        call.arg(logout.token_until_ms).arg(logout.access_ms).arg(u8::from(logout.everything)).arg(u8::from(logout.stops_runs));
        let (status, mut parts) = self.ask_relied_on(&LOGOUT, &call).await?;
        if status != "OK" {
            return refused(&status, &mut parts).map(LoggedOut::Refused);
        }
        parts.role()?;
        Ok(LoggedOut::Done(StoppedRuns { waited: parts.number()?, running: parts.stopped()? }))
    }
}
