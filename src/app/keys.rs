//! API keys: made, listed and taken away by their user, and sent in the place of access tokens.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use secrecy::SecretString;

use super::{App, AppError};
use crate::{
    domain::{
        audit::{Action, Deed},
        limits::{API_KEYS_KNOWN_MAX, DAY_MS},
        rate::Counted,
        scope::Scopes,
    },
    secrets::{
        api_key::ApiKey,
        tokens::{Bearer, GoodFor, TokenError},
    },
    store::contract::{
        credentials::Admitted,
        keys::{API_KEY_ID, KeptKey, KeyMade, NewKey},
    },
};

/// Keys that the store was found to have, by digest. What is kept never changes while the key is there; that it still is is asked of the store
/// with every request. When there are more, all are forgotten and found again.
#[derive(Default)]
pub(super) struct KnownKeys(Mutex<HashMap<String, KeptKey>>);

impl KnownKeys {
    fn get(&self, digest: &str) -> Option<KeptKey> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    fn insert(&self, digest: &str, key: KeptKey) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= API_KEYS_KNOWN_MAX {
            all.clear();
        }
        all.insert(digest.to_owned(), key);
    }
}

/// Digest of the API key that a caller comes with, if it is one.
pub(super) fn api_key_of(caller: &Bearer) -> Option<String> {
    caller.token_id.strip_prefix(API_KEY_ID).map(str::to_owned)
}

impl App {
    /// Whom an API key names. A replica that meets it for the first time asks the store whether there is such a key; that it has not ended and was
    /// not taken away is found out with whatever the request does there, as of a token.
    ///
    /// # Errors
    /// There is no such key, or the store does not answer.
    pub async fn bearer_of_key(&self, text: &str) -> Result<Result<Bearer, TokenError>, AppError> {
        let Some(key) = ApiKey::read(text) else { return Ok(Err(TokenError::Invalid)) };
        let digest = key.digest();
        let kept = match self.0.known_keys.get(&digest) {
            Some(kept) => kept,
            None => {
                let Some(kept) = self.store().find_key(key.user(), &digest).await? else { return Ok(Err(TokenError::Invalid)) };
                self.0.known_keys.insert(&digest, kept.clone());
                kept
            }
        };
        let now_ms = self.now_ms();
        if kept.ends_ms <= now_ms {
            return Ok(Err(TokenError::Expired));
        }
        Ok(Ok(Bearer {
            user: key.user().clone(),
            token_id: format!("{API_KEY_ID}{digest}"),
            // What a new password stops is what began before it.
            issued_ms: now_ms,
            expires_ms: kept.ends_ms,
            counted: Counted::default(),
            good_for: GoodFor::Key { scopes: kept.scopes },
            session: None,
        }))
    }

    /// Makes an API key for the caller; its text is told once, and here.
    ///
    /// # Errors
    /// Among others [`AppError::KeyExists`], [`AppError::TooManyKeys`], and [`AppError::InsufficientScope`] for scopes that the caller lacks.
    pub async fn make_key(&self, caller: &Bearer, name: &str, scopes: Scopes, days: u64) -> Result<(KeptKey, SecretString), AppError> {
        if !scopes.is_empty() {
            self.has_scopes(caller, scopes).await?;
        }
        let key = ApiKey::new(&caller.user);
        let (digest, lasts_ms) = (key.digest(), days.saturating_mul(DAY_MS));
        match self.store().make_key(super::caller(caller), NewKey { name, digest: &digest, scopes, lasts_ms }).await? {
            KeyMade::Done(kept) => {
                let deed = Deed::new(Action::ApiKeyMade).by(&caller.user).to(&caller.user).with("key", name);
                self.note_deed(deed.with("scopes", scopes.text()).with("days", days.to_string())).await;
                Ok((kept, key.text()))
            }
            KeyMade::Exists => Err(AppError::KeyExists { name: name.to_owned() }),
            KeyMade::Full => Err(AppError::TooManyKeys),
            KeyMade::Refused(refused) => Err(refused.into()),
        }
    }

    /// The caller's API keys that have not ended, by name.
    ///
    /// # Errors
    /// The caller may not come in.
    pub async fn own_keys(&self, caller: &Bearer) -> Result<Vec<KeptKey>, AppError> {
        match self.store().keys_of(super::caller(caller)).await? {
            Admitted::In(keys) => Ok(keys),
            Admitted::Refused(refused) => Err(refused.into()),
        }
    }

    /// Takes an API key away: it lets nobody in from now on, at any replica, and what was begun with it goes no further: the run that holds the
    /// session is told to stop (which one comes back), and one that waits when its turn comes.
    ///
    /// # Errors
    /// Among others [`AppError::NoKey`].
    pub async fn revoke_key(&self, caller: &Bearer, name: &str) -> Result<Vec<String>, AppError> {
        match self.store().remove_key(super::caller(caller), name).await? {
            Admitted::In(Some(stopped)) => {
                self.attend_stopped(&caller.user, &stopped.running);
                self.note_deed(Deed::new(Action::ApiKeyRevoked).by(&caller.user).to(&caller.user).with("key", name)).await;
                Ok(stopped.running.into_iter().map(|stopped| stopped.run).collect())
            }
            Admitted::In(None) => Err(AppError::NoKey { name: name.to_owned() }),
            Admitted::Refused(refused) => Err(refused.into()),
        }
    }
}
