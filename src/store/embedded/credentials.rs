//! Users' own credentials for the API, and the tokens for it. All of it is sealed before it comes here.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use redb::{ReadableDatabase, ReadableTable};

use super::{
    EmbeddedStore, Fault,
    callers::Who,
    tables::{ACCOUNTS, CREDENTIALS, Credential, REVOKED, Text},
};
use crate::{
    domain::{limits::CREDENTIALS_PER_USER_MAX, user::UserName},
    store::{
        contract::{
            Caller, StoreError,
            credentials::{Admitted, CredentialPut, FetchedToken, OwnCredential, UpstreamToken},
        },
        keys::escaped,
    },
};

/// Tokens for the API, in memory: there is one process, and after a restart it fetches new ones. One entry for each of the operator's
/// OAuth 2.0 clients and what they ask for.
#[derive(Default)]
pub(super) struct UpstreamTokens(Mutex<HashMap<String, Shared>>);

#[derive(Default)]
struct Shared {
    /// Sealed, and when it is gone.
    token: Option<(Vec<u8>, u64)>,
    /// Who is fetching it, and when the claim lapses.
    claim: Option<(String, u64)>,
}

impl UpstreamTokens {
    /// A panic elsewhere leaves whole entries behind: the map stays usable.
    fn all(&self) -> MutexGuard<'_, HashMap<String, Shared>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EmbeddedStore {
    /// The caller's own credentials, by their places.
    pub async fn own_credentials(&self, caller: Caller<'_>) -> Result<Admitted<Vec<OwnCredential>>, StoreError> {
        let who = Who::from(caller);
        self.work(move |inner| {
            let transaction = inner.database.begin_read()?;
            let (accounts, revoked) = (transaction.open_table(ACCOUNTS)?, transaction.open_table(REVOKED)?);
            if let Err(refused) = inner.let_in(&accounts, &revoked, &who, inner.clock.now_ms())? {
                return Ok(Admitted::Refused(refused));
            }
            of(&transaction.open_table(CREDENTIALS)?, &who.key).map(Admitted::In)
        })
        .await
    }

    /// A user's own credentials, for somebody who has been let in as that user.
    pub async fn credentials_of(&self, user: &UserName) -> Result<Vec<OwnCredential>, StoreError> {
        let user = escaped(user);
        self.work(move |inner| of(&inner.database.begin_read()?.open_table(CREDENTIALS)?, &user)).await
    }

    pub async fn put_credential(
        &self,
        caller: Caller<'_>,
        place: &str,
        kind: &str,
        sealed: &[u8],
    ) -> Result<Admitted<CredentialPut>, StoreError> {
        let (who, place, kind, sealed) = (Who::from(caller), place.to_owned(), kind.to_owned(), sealed.to_vec());
        self.work(move |inner| {
            inner.write(|book| {
                if let Err(refused) = inner.let_in(&book.accounts, &book.revoked, &who, book.now)? {
                    return Ok(Admitted::Refused(refused));
                }
                let own = of(&book.credentials, &who.key)?;
                if own.len() >= CREDENTIALS_PER_USER_MAX && !own.iter().any(|credential| credential.place == place) {
                    return Ok(Admitted::In(CredentialPut::TooMany));
                }
                book.credentials.insert((who.key.as_str(), place.as_str()), (book.now, kind.as_str(), sealed.as_slice()))?;
                book.changed = true;
                Ok(Admitted::In(CredentialPut::Done { set_ms: book.now }))
            })
        })
        .await
    }

    /// False if there was none.
    pub async fn remove_credential(&self, caller: Caller<'_>, place: &str) -> Result<Admitted<bool>, StoreError> {
        let (who, place) = (Who::from(caller), place.to_owned());
        self.work(move |inner| {
            inner.write(|book| {
                if let Err(refused) = inner.let_in(&book.accounts, &book.revoked, &who, book.now)? {
                    return Ok(Admitted::Refused(refused));
                }
                let removed = book.credentials.remove((who.key.as_str(), place.as_str()))?.is_some();
                book.changed |= removed;
                Ok(Admitted::In(removed))
            })
        })
        .await
    }

    #[expect(clippy::unused_async, reason = "a verb of the contract: the other store waits")]
    pub async fn upstream_token(&self, place: &str, by: &str, claim_ms: u64) -> Result<UpstreamToken, StoreError> {
        let now = self.0.clock.now_ms();
        let mut all = self.0.upstream_tokens.all();
        let shared = all.entry(place.to_owned()).or_default();
        match (&shared.token, &shared.claim) {
            (Some((sealed, ends)), _) if *ends > now => Ok(UpstreamToken::Kept(sealed.clone())),
            (_, Some((other, lapses))) if *lapses > now && other != by => Ok(UpstreamToken::Awaited { left_ms: lapses - now }),
            _ => {
                *shared = Shared { token: None, claim: Some((by.to_owned(), now.saturating_add(claim_ms))) };
                Ok(UpstreamToken::Claimed)
            }
        }
    }

    #[expect(clippy::unused_async, reason = "a verb of the contract: the other store waits")]
    pub async fn keep_upstream_token(&self, place: &str, by: &str, fetched: Option<FetchedToken<'_>>) -> Result<(), StoreError> {
        let now = self.0.clock.now_ms();
        let mut all = self.0.upstream_tokens.all();
        let shared = all.entry(place.to_owned()).or_default();
        match fetched {
            Some(token) => {
                *shared = Shared { token: Some((token.sealed.to_vec(), now.saturating_add(token.lasts_ms))), claim: None };
            }
            None => shared.claim = shared.claim.take().filter(|(other, _)| other != by),
        }
        Ok(())
    }

    #[expect(clippy::unused_async, reason = "a verb of the contract: the other store waits")]
    pub async fn drop_upstream_token(&self, place: &str, sealed: &[u8]) -> Result<(), StoreError> {
        let mut all = self.0.upstream_tokens.all();
        if let Some(shared) = all.get_mut(place) {
            shared.token = shared.token.take().filter(|(own, _)| own != sealed);
        }
        Ok(())
    }
}

fn of(credentials: &impl ReadableTable<(Text, Text), Credential>, user: &str) -> Result<Vec<OwnCredential>, Fault> {
    let mut found = Vec::new();
    for entry in credentials.range((user, "")..)? {
        let (key, record) = entry?;
        let (whose, place) = key.value();
        if whose != user {
            break;
        }
        let (set_ms, kind, sealed) = record.value();
        found.push(OwnCredential { place: place.to_owned(), kind: kind.to_owned(), sealed: sealed.to_vec(), set_ms });
    }
    Ok(found)
}

/// How many credentials a user has, and how many bytes they are.
pub(super) fn size(credentials: &impl ReadableTable<(Text, Text), Credential>, user: &str) -> Result<(u64, u64), Fault> {
    let own = of(credentials, user)?;
    let bytes = own.iter().map(|credential| (credential.place.len() + credential.kind.len() + credential.sealed.len()) as u64).sum();
    Ok((own.len() as u64, bytes))
}
