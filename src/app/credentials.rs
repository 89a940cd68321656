//! Users' own credentials for the API: putting one by, seeing which there are, taking one away. A secret goes in and is never told again.

use secrecy::ExposeSecret;

use super::{App, AppError, Served};
use crate::{
    domain::{
        limits::{CREDENTIAL_BYTES_MAX, NEAR_NAMES_MAX},
        near::nearest,
        user::UserName,
    },
    openapi::{Credential, UpstreamRequest},
    secrets::tokens::Bearer,
    store::contract::credentials::{Admitted, CredentialPut},
    upstream::{Kept, OwnSecret, UserCredentials},
};

/// A security scheme of an API, and whether the caller has put a credential of their own by for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnScheme {
    /// The API's name; empty for the one of `[openapi]` and `[upstream]`.
    pub api: String,
    pub scheme: String,
    /// None: the document has no such scheme any more, and what is kept for it is not sent.
    pub credential: Option<Credential>,
    pub set: Option<Set>,
}

/// That a credential is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// [`OwnSecret::kind`].
    pub kind: String,
    /// Milliseconds since 1970.
    pub at_ms: u64,
}

impl App {
    /// Every scheme that is declared, and whatever else the caller has kept.
    ///
    /// # Errors
    /// The caller may not come in.
    pub async fn own_schemes(&self, caller: &Bearer) -> Result<Vec<OwnScheme>, AppError> {
        let mut kept = self.kept(caller).await?;
        let served = self.served();
        let mut all: Vec<OwnScheme> = schemes(&served)
            .map(|(api, scheme, credential)| {
                let own = kept.iter().position(|kept| kept.api == api && kept.scheme == scheme).map(|at| kept.swap_remove(at));
                let (api, scheme) = (api.to_owned(), scheme.to_owned());
                OwnScheme { api, scheme, credential: Some(credential.clone()), set: own.map(set) }
            })
            .collect();
        kept.sort_by(|a, b| (&a.api, &a.scheme).cmp(&(&b.api, &b.scheme)));
        all.extend(kept.into_iter().map(|kept| OwnScheme {
            api: kept.api.clone(),
            scheme: kept.scheme.clone(),
            credential: None,
            set: Some(set(kept)),
        }));
        Ok(all)
    }

    /// One scheme; `api` where several APIs have one of that name.
    ///
    /// # Errors
    /// Among others [`AppError::UnknownScheme`].
    pub async fn own_scheme(&self, caller: &Bearer, api: Option<&str>, scheme: &str) -> Result<OwnScheme, AppError> {
        let meant = |own: &OwnScheme| own.scheme == scheme && api.is_none_or(|api| own.api == api);
        let mut found: Vec<OwnScheme> = self.own_schemes(caller).await?.into_iter().filter(meant).collect();
        match (found.pop(), found.len()) {
            (Some(only), 0) => Ok(only),
            (Some(_), _) => Err(AppError::AmbiguousScheme { name: scheme.to_owned() }),
            (None, _) => Err(self.unknown_scheme(api, scheme)),
        }
    }

    /// Puts a credential of the caller's own by, in the place of the one that was there.
    ///
    /// # Errors
    /// Among others [`AppError::UnknownScheme`], [`AppError::InvalidCredential`] with all that is wrong, [`AppError::TooManyCredentials`].
    pub async fn put_credential(
        &self,
        caller: &Bearer,
        api: Option<&str>,
        scheme: &str,
        secret: &OwnSecret,
    ) -> Result<OwnScheme, AppError> {
        // Whoever may not come in does not learn which schemes there are.
        let own = self.own_scheme(caller, api, scheme).await?;
        let Some(credential) = &own.credential else { return Err(self.unknown_scheme(api, scheme)) };
        let problems = wrong_with(secret, scheme, credential);
        if !problems.is_empty() {
            return Err(AppError::InvalidCredential(problems));
        }
        match self.0.vault.put(super::caller(caller), &own.api, scheme, secret).await? {
            Admitted::Refused(refused) => Err(refused.into()),
            Admitted::In(CredentialPut::TooMany) => Err(AppError::TooManyCredentials),
            Admitted::In(CredentialPut::Done { set_ms }) => {
                Ok(OwnScheme { set: Some(Set { kind: secret.kind().to_owned(), at_ms: set_ms }), ..own })
            }
        }
    }

    /// Takes a credential of the caller's own away; that there was none is no error.
    ///
    /// # Errors
    /// As [`App::own_scheme`].
    pub async fn remove_credential(&self, caller: &Bearer, api: Option<&str>, scheme: &str) -> Result<OwnScheme, AppError> {
        let own = self.own_scheme(caller, api, scheme).await?;
        match self.0.vault.remove(super::caller(caller), &own.api, scheme).await? {
            Admitted::Refused(refused) => Err(refused.into()),
            Admitted::In(_) => Ok(OwnScheme { set: None, ..own }),
        }
    }

    /// The credentials that a turn or a call of this user may use; nothing is read yet.
    pub(super) fn credentials_of(&self, user: &UserName) -> UserCredentials {
        self.0.vault.of(user)
    }

    async fn kept(&self, caller: &Bearer) -> Result<Vec<Kept>, AppError> {
        match self.0.vault.kept(super::caller(caller)).await? {
            Admitted::In(kept) => Ok(kept),
            Admitted::Refused(refused) => Err(refused.into()),
        }
    }

    fn unknown_scheme(&self, api: Option<&str>, name: &str) -> AppError {
        let served = self.served();
        if let Some(api) = api.filter(|api| served.apis.named(api).is_none()) {
            let names = served.apis.iter().filter(|api| !api.name.is_empty()).map(|api| api.name.clone()).collect();
            return AppError::UnknownApi { name: api.to_owned(), names };
        }
        let of_api = schemes(&served).filter(|(of, _, _)| api.is_none_or(|api| api == *of));
        let near = nearest(name, of_api.map(|(_, scheme, _)| scheme), NEAR_NAMES_MAX);
        AppError::UnknownScheme { name: name.to_owned(), near: near.into_iter().map(str::to_owned).collect() }
    }
}

/// Every security scheme that is declared: its API, its name, what it is satisfied with.
fn schemes(served: &Served) -> impl Iterator<Item = (&str, &str, &Credential)> {
    served.apis.iter().flat_map(|api| {
        let of_one = move |(name, credential)| (api.name.as_str(), String::as_str(name), credential);
        api.catalogue.schemes().iter().map(of_one)
    })
}

fn set(kept: Kept) -> Set {
    Set { kind: kept.kind, at_ms: kept.set_ms }
}

/// All that is wrong with a credential for a scheme; no sentence quotes it.
fn wrong_with(secret: &OwnSecret, scheme: &str, credential: &Credential) -> Vec<String> {
    if *credential == Credential::Unsupported {
        return vec![format!("the scheme {scheme} is of a kind that is not supported")];
    }
    if !secret.fits(credential) {
        let needed = if *credential == Credential::Basic { "username and password are" } else { "value is" };
        return vec![format!("{needed} needed for the scheme {scheme}")];
    }
    let mut problems = Vec::new();
    let parts = match secret {
        OwnSecret::Value(value) => vec![("value", value.expose_secret())],
        OwnSecret::Basic { username, password } => vec![("username", username.as_str()), ("password", password.expose_secret())],
    };
    for (name, text) in parts {
        if text.is_empty() && name != "password" {
            problems.push(format!("{name} is empty"));
        }
        if text.len() > CREDENTIAL_BYTES_MAX {
            problems.push(format!("{name} has more than {CREDENTIAL_BYTES_MAX} bytes"));
        }
    }
    match secret {
        OwnSecret::Basic { username, .. } if username.contains(':') => {
            // RFC 7617, 2: it would end there.
            problems.push("username has a colon".to_owned());
        }
        OwnSecret::Value(value) if !matches!(credential, Credential::ApiKey { .. }) => {
            let begins = value.expose_secret().get(..7).unwrap_or_default();
            if begins.eq_ignore_ascii_case("bearer ") {
                problems.push("value begins with `Bearer `; the token alone is needed".to_owned());
            }
        }
        OwnSecret::Basic { .. } | OwnSecret::Value(_) => {}
    }
    let mut rehearsal = UpstreamRequest { method: String::new(), url: String::new(), headers: Vec::new(), body: None };
    problems.extend(rehearsal.authorise(credential, &secret.carried()).err().map(str::to_owned));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::KeyPlace;

    fn value(text: &str) -> OwnSecret {
        OwnSecret::Value(text.into())
    }

    fn basic(username: &str, password: &str) -> OwnSecret {
        OwnSecret::Basic { username: username.to_owned(), password: password.into() }
    }

    #[test]
    fn a_credential_must_be_of_the_schemes_kind_and_fit_where_it_goes() {
        let key = |place| Credential::ApiKey { place, name: "k".to_owned() };
        let wrong = |secret: &OwnSecret, credential: &Credential| wrong_with(secret, "S", credential);
        for (secret, credential) in [
            (value("k e y"), key(KeyPlace::Header)),
            (value("键"), key(KeyPlace::Query)),
            (value("eyJ.a-b_c"), Credential::Bearer),
            (value("t"), Credential::OAuth2 { token_url: None }),
            (basic("ann", ""), Credential::Basic),
            (basic("张三", "a:b"), Credential::Basic),
        ] {
            assert_eq!(wrong(&secret, &credential), [""; 0], "{credential:?}");
        }
        assert_eq!(wrong(&value("x"), &Credential::Basic), ["username and password are needed for the scheme S"]);
        assert_eq!(wrong(&basic("a", "b"), &Credential::Bearer), ["value is needed for the scheme S"]);
        assert_eq!(wrong(&value("x"), &Credential::Unsupported), ["the scheme S is of a kind that is not supported"]);
        assert_eq!(wrong(&value("bearer canary"), &Credential::Bearer), ["value begins with `Bearer `; the token alone is needed"]);
        assert_eq!(wrong(&value("a\r\nb"), &key(KeyPlace::Header)), ["the secret has characters that a header cannot carry"]);
        assert_eq!(wrong(&value("a;b"), &key(KeyPlace::Cookie)), ["the secret has a semicolon, which a cookie cannot carry"]);
        assert_eq!(wrong(&basic("", &"p".repeat(CREDENTIAL_BYTES_MAX + 1)), &Credential::Basic).len(), 2);
        assert_eq!(wrong(&basic("a:b", "p"), &Credential::Basic), ["username has a colon"]);
        assert_eq!(wrong(&value(""), &key(KeyPlace::Query)), ["value is empty"]);
    }
}
