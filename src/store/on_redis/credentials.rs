//! Users' own credentials for the API, and the tokens for it that all replicas share. All of it is sealed before it comes here.

use redis::{Cmd, Value};

use super::{
    RedisStore,
    reply::{Parts, refused, text},
    script::{CREDENTIAL_PUT, CREDENTIAL_REMOVE, CREDENTIALS, Script, UPSTREAM_TOKEN, UPSTREAM_TOKEN_DROP, UPSTREAM_TOKEN_KEEP},
};
use crate::{
    domain::{limits::CREDENTIALS_PER_USER_MAX, user::UserName},
    store::{
        contract::{
            Caller, StoreError,
            credentials::{Admitted, CredentialPut, FetchedToken, OwnCredential, UpstreamToken},
        },
        keys::{UserKeys, upstream_token},
    },
};

impl RedisStore {
    /// The caller's own credentials, by their places.
    pub async fn own_credentials(&self, caller: Caller<'_>) -> Result<Admitted<Vec<OwnCredential>>, StoreError> {
        let (status, mut parts) = self.of_credentials(&CREDENTIALS, false, caller, |_| {}).await?;
        match status.as_str() {
            "OK" => Ok(Admitted::In(credentials(parts.list()?)?)),
            other => refused(other, &mut parts).map(Admitted::Refused),
        }
    }

    /// A user's own credentials, for somebody who has been let in as that user.
    pub async fn credentials_of(&self, user: &UserName) -> Result<Vec<OwnCredential>, StoreError> {
        let mut call = redis::cmd("HGETALL");
        call.arg(UserKeys::of(user).credentials());
        match self.one(&call).await? {
            Value::Array(pairs) => credentials(pairs),
            Value::Map(pairs) => credentials(pairs.into_iter().flat_map(|(place, record)| [place, record]).collect()),
            _ => Err(StoreError::Unavailable),
        }
    }

    pub async fn put_credential(
        &self,
        caller: Caller<'_>,
        place: &str,
        kind: &str,
        sealed: &[u8],
    ) -> Result<Admitted<CredentialPut>, StoreError> {
        let asked = self.of_credentials(&CREDENTIAL_PUT, true, caller, |call| {
            call.arg(place).arg(kind).arg(sealed).arg(CREDENTIALS_PER_USER_MAX);
        });
        let (status, mut parts) = asked.await?;
        match status.as_str() {
            "OK" => Ok(Admitted::In(CredentialPut::Done { set_ms: parts.number()? })),
            "FULL" => Ok(Admitted::In(CredentialPut::TooMany)),
            other => refused(other, &mut parts).map(Admitted::Refused),
        }
    }

    /// False if there was none.
    pub async fn remove_credential(&self, caller: Caller<'_>, place: &str) -> Result<Admitted<bool>, StoreError> {
        let (status, mut parts) = self.of_credentials(&CREDENTIAL_REMOVE, true, caller, |call| _ = call.arg(place)).await?;
        match status.as_str() {
            "OK" => Ok(Admitted::In(parts.number()? == 1)),
            other => refused(other, &mut parts).map(Admitted::Refused),
        }
    }

    pub async fn upstream_token(&self, place: &str, by: &str, claim_ms: u64) -> Result<UpstreamToken, StoreError> {
        let mut call = UPSTREAM_TOKEN.on(&[&upstream_token(place)]);
        call.arg(by).arg(claim_ms);
        let mut parts = Parts::of(self.run(&UPSTREAM_TOKEN, &call).await?)?;
        match parts.text()?.as_str() {
            "KEPT" => Ok(UpstreamToken::Kept(parts.bytes()?)),
            "CLAIMED" => Ok(UpstreamToken::Claimed),
            _ => Ok(UpstreamToken::Awaited { left_ms: parts.number()? }),
        }
    }

    pub async fn keep_upstream_token(&self, place: &str, by: &str, fetched: Option<FetchedToken<'_>>) -> Result<(), StoreError> {
        let mut call = UPSTREAM_TOKEN_KEEP.on(&[&upstream_token(place)]);
        call.arg(by).arg(fetched.map_or(&b""[..], |token| token.sealed)).arg(fetched.map_or(0, |token| token.lasts_ms));
        self.run(&UPSTREAM_TOKEN_KEEP, &call).await.map(drop)
    }

    pub async fn drop_upstream_token(&self, place: &str, sealed: &[u8]) -> Result<(), StoreError> {
        let mut call = UPSTREAM_TOKEN_DROP.on(&[&upstream_token(place)]);
        call.arg(sealed);
        self.run(&UPSTREAM_TOKEN_DROP, &call).await.map(drop)
    }

    /// The scripts about a caller's credentials share their keys and first arguments.
    async fn of_credentials(
        &self,
        script: &Script,
        relied_on: bool,
        caller: Caller<'_>,
        arguments: impl FnOnce(&mut Cmd),
    ) -> Result<(String, Parts), StoreError> {
        let keys = UserKeys::of(caller.user);
        let mut call = script.on(&[&keys.account(), &keys.revoked(), &keys.credentials()]);
        call.arg(caller.token_id).arg(caller.issued_ms).arg(self.rates.requests_per_minute);
        arguments(&mut call);
        let answer = if relied_on { self.run_relied_on(script, &call).await } else { self.run(script, &call).await };
        let mut parts = Parts::of(answer?)?;
        let status = parts.text()?;
        Ok((status, parts))
    }
}

/// `place, '<set ms>|<kind>|<sealed>', …`. A record of another form is a credential that does not open, and the others are not concerned.
fn credentials(pairs: Vec<Value>) -> Result<Vec<OwnCredential>, StoreError> {
    let mut pairs = pairs.into_iter();
    let mut found = Vec::new();
    while let (Some(place), Some(Value::BulkString(record))) = (pairs.next(), pairs.next()) {
        let (set_ms, kind, sealed) = read(&record).unwrap_or((0, "", &record));
        found.push(OwnCredential { place: text(place)?, kind: kind.to_owned(), sealed: sealed.to_vec(), set_ms });
    }
    found.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(found)
}

fn read(record: &[u8]) -> Option<(u64, &str, &[u8])> {
    let mut parts = record.splitn(3, |byte| *byte == b'|');
    let set_ms = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    Some((set_ms, std::str::from_utf8(parts.next()?).ok()?, parts.next()?))
}
