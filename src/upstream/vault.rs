//! Secrets that are kept in the store: users' own credentials for an API. They are sealed here, and the store never sees them open.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tracing::error;

use crate::{
    domain::user::UserName,
    openapi::Credential,
    redact::Redactor,
    secrets::seal::{CannotOpen, KeyRing},
    store::{
        Store,
        contract::{
            Caller, StoreError,
            credentials::{Admitted, CredentialPut},
        },
    },
};

/// What a sealed user's credential is bound to, beside the user and the place.
const PURPOSE: &str = "credential";

/// The store and the keys that open what is sealed in it. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    pub(super) store: Store,
    pub(super) ring: Arc<KeyRing>,
}

/// A user's own credential for one security scheme.
#[derive(Debug, Clone)]
pub enum OwnSecret {
    /// An API key or a bearer token, as it is.
    Value(SecretString),
    /// RFC 7617.
    Basic { username: String, password: SecretString },
}

impl OwnSecret {
    /// What it looks like: `value` or `basic`. No secret.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Value(_) => "value",
            Self::Basic { .. } => "basic",
        }
    }

    /// Whether this is what a scheme of that kind is satisfied with.
    pub fn fits(&self, credential: &Credential) -> bool {
        match (credential, self) {
            (Credential::Basic, Self::Basic { .. }) => true,
            (Credential::Bearer | Credential::OAuth2 { .. } | Credential::ApiKey { .. }, Self::Value(_)) => true,
            (Credential::Basic, Self::Value(_)) | (_, Self::Basic { .. }) | (Credential::Unsupported, Self::Value(_)) => false,
        }
    }

    /// As [`UpstreamRequest::authorise`](crate::openapi::UpstreamRequest::authorise) takes it.
    pub fn carried(&self) -> String {
        match self {
            Self::Value(value) => value.expose_secret().to_owned(),
            Self::Basic { username, password } => format!("{username}:{}", password.expose_secret()),
        }
    }

    /// What must not come out.
    fn secrets(&self) -> impl Iterator<Item = String> {
        let password = match self {
            Self::Value(_) => None,
            Self::Basic { password, .. } => Some(password.expose_secret().to_owned()),
        };
        password.into_iter().chain([self.carried()])
    }

    fn to_bytes(&self) -> Vec<u8> {
        let told = match self {
            Self::Value(value) => json!({"value": value.expose_secret()}),
            Self::Basic { username, password } => json!({"username": username, "password": password.expose_secret()}),
        };
        told.to_string().into_bytes()
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let told: Value = serde_json::from_slice(bytes).ok()?;
        let text = |name: &str| told.get(name).and_then(Value::as_str).map(str::to_owned);
        match text("value") {
            Some(value) => Some(Self::Value(value.into())),
            None => Some(Self::Basic { username: text("username")?, password: text("password")?.into() }),
        }
    }
}

/// A user's own credential as it is told: that it is there, never what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The API's name; empty for the one of `[openapi]` and `[upstream]`.
    pub api: String,
    pub scheme: String,
    /// [`OwnSecret::kind`].
    pub kind: String,
    /// Milliseconds since 1970.
    pub set_ms: u64,
}

/// Where the credential for a scheme of an API is kept. Names of APIs have no slash in them.
fn place_of(api: &str, scheme: &str) -> String {
    format!("{api}/{scheme}")
}

impl Vault {
    pub fn new(store: Store, ring: KeyRing) -> Self {
        Self { store, ring: Arc::new(ring) }
    }

    /// Seals a caller's own credential and puts it in the place of the one that was there.
    pub async fn put(
        &self,
        caller: Caller<'_>,
        api: &str,
        scheme: &str,
        secret: &OwnSecret,
    ) -> Result<Admitted<CredentialPut>, StoreError> {
        let place = place_of(api, scheme);
        let Some(sealed) = self.ring.seal(&[PURPOSE, caller.user.as_str(), &place], &secret.to_bytes()) else {
            error!("a credential could not be sealed");
            return Err(StoreError::Unavailable);
        };
        self.store.put_credential(caller, &place, secret.kind(), &sealed).await
    }

    /// Takes a caller's own credential away; false if there was none.
    pub async fn remove(&self, caller: Caller<'_>, api: &str, scheme: &str) -> Result<Admitted<bool>, StoreError> {
        self.store.remove_credential(caller, &place_of(api, scheme)).await
    }

    /// Which credentials of their own a caller has put here.
    pub async fn kept(&self, caller: Caller<'_>) -> Result<Admitted<Vec<Kept>>, StoreError> {
        match self.store.own_credentials(caller).await? {
            Admitted::Refused(refused) => Ok(Admitted::Refused(refused)),
            Admitted::In(own) => {
                let kept = own.into_iter().filter_map(|credential| {
                    let (api, scheme) = credential.place.split_once('/')?;
                    Some(Kept { api: api.to_owned(), scheme: scheme.to_owned(), kind: credential.kind, set_ms: credential.set_ms })
                });
                Ok(Admitted::In(kept.collect()))
            }
        }
    }

    /// A user's own credentials, for a turn or a call of that user, who has been let in.
    pub fn of(&self, user: &UserName) -> UserCredentials {
        UserCredentials { vault: self.clone(), user: user.clone(), all: OnceCell::new(), used: Mutex::default() }
    }
}

/// The credentials of one user for the length of one turn or call: read from the store when an operation first asks for one, and once.
pub struct UserCredentials {
    pub(super) vault: Vault,
    user: UserName,
    /// By place.
    all: OnceCell<BTreeMap<String, Result<OwnSecret, CannotOpen>>>,
    /// Secrets that were read or got so far, and what takes them out of what is told.
    used: Mutex<(Vec<SecretString>, Redactor)>,
}

/// A user's own credentials for one API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own<'a> {
    pub api: &'a str,
    pub all: &'a BTreeMap<String, Result<OwnSecret, CannotOpen>>,
}

impl<'a> Own<'a> {
    pub fn get(&self, scheme: &str) -> Option<&'a Result<OwnSecret, CannotOpen>> {
        self.all.get(&place_of(self.api, scheme))
    }

    pub fn is_empty(&self) -> bool {
        let begins = place_of(self.api, "");
        !self.all.keys().any(|place| place.starts_with(&begins))
    }
}

impl UserCredentials {
    /// The credentials for one API. A store that does not answer is asked again by the next call.
    pub(super) async fn of<'a>(&'a self, api: &'a str) -> Result<Own<'a>, StoreError> {
        let all = self.all.get_or_try_init(|| async {
            let stored = self.vault.store.credentials_of(&self.user).await?;
            let open = |place: &str, sealed: &[u8]| {
                let opened = self.vault.ring.open(&[PURPOSE, self.user.as_str(), place], sealed)?;
                OwnSecret::of_bytes(&opened).ok_or(CannotOpen)
            };
            let all: BTreeMap<_, _> = stored.into_iter().map(|own| (own.place.clone(), open(&own.place, &own.sealed))).collect();
            all.values().flatten().for_each(|own| own.secrets().for_each(|secret| self.hide(&secret)));
            Ok::<_, StoreError>(all)
        });
        Ok(Own { api, all: all.await? })
    }

    /// The secrets that were used so far, to be taken out of what is told: the user's own, once an operation has asked for one, and tokens.
    pub fn hidden(&self) -> Redactor {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// From now on this must not come out.
    pub(super) fn hide(&self, secret: &str) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, hidden) = &mut *used;
        if known.iter().all(|known| known.expose_secret() != secret) {
            known.push(secret.into());
            *hidden = Redactor::of(known.iter().map(ExposeSecret::expose_secret));
        }
    }
}
