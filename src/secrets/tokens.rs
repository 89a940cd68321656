//! Access tokens: JWT (RFC 7519), signed with the first key of a ring (`ring`), checked as RFC 8725 asks.
//!
//! The header of a token must be exactly ours: no `crit`, `jku`, `jwk`, `x5u` or another `typ` is ever looked at. All claims are
//! required and typed; times are checked against our own clock, and a life longer than we give is not one of ours.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jsonwebtoken::{Algorithm, Validation};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::ring::{GivenKey, RingKey};
use crate::domain::{
    limits::PASSWORD_CHANGE_SECS,
    rate::Counted,
    scope::Scopes,
    user::{Role, UserName},
};

const ISSUER: &str = "swagger-api-agent";
const AUDIENCE: &str = "swagger-api-agent";
/// Whom tokens are for that are good for changing one's password only: a release that does not know them refuses them.
const PASSWORD_AUDIENCE: &str = "swagger-api-agent/password";
/// How far the clocks of replicas may be apart, in seconds.
const LEEWAY_SECS: u64 = 5;
/// A token longer than this is not read, in bytes.
const TOKEN_BYTES_MAX: usize = 4096;

/// Tokens that were found to be ours lately, kept so that their signature need not be checked at every request. When there are more,
/// all are forgotten and found again.
const KNOWN_MAX: usize = 4096;

/// Makes and checks tokens.
pub struct Tokens {
    /// The first signs, all check; there is one.
    keys: Vec<RingKey>,
    life_secs: u64,
    known: Mutex<HashMap<String, Arc<Known>>>,
}

/// A token whose signature, header and claims are right; only time can turn against it.
struct Known {
    bearer: Bearer,
    begins_secs: u64,
    ends_secs: u64,
}

/// Whom a token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    pub user: UserName,
    pub token_id: String,
    pub issued_ms: u64,
    pub expires_ms: u64,
    pub good_for: GoodFor,
    /// What is left of the bearer's rates, as far as one request came to know it: each has its own.
    pub counted: Counted,
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoodFor {
    Everything,
    /// Changing one's own password, and logging out.
    PasswordChange,
    /// It is an API key: what its user may do in their own session, and with these scopes beyond it.
    Key {
        scopes: Scopes,
    },
}

impl Bearer {
    /// The family of refresh tokens that the token came with or from; none in one of an older release.
    pub fn family(&self) -> Option<&str> {
        self.token_id.split_once('-').map(|(family, _)| family)
    }
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid")]
    Invalid,
}

/// A signed token and its life.
#[derive(Debug, Clone)]
pub struct Issued {
    pub token: String,
    pub expires_in_secs: u64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    exp: u64,
    nbf: u64,
    iat: u64,
    jti: String,
    /// `iat` in milliseconds: revocations are dated to the millisecond.
    iat_ms: u64,
    /// What the bearer was when the token was issued, for clients to read. What counts is the account.
    role: String,
}

impl Tokens {
    /// Tokens of one secret, whose header names no key: HS256.
    pub fn new(secret: &SecretString, life_hours: u64) -> Self {
        Self::of(vec![RingKey::nameless(secret, validation)], life_hours)
    }

    /// Tokens of a ring: the first key signs, all check, and so does the nameless secret, which signs if it is alone.
    ///
    /// # Errors
    /// A sentence for each key that cannot be used.
    pub fn of_ring(given: &[GivenKey<'_>], nameless: Option<&SecretString>, life_hours: u64) -> Result<Self, Vec<String>> {
        let (mut keys, mut problems) = (Vec::new(), Vec::new());
        for given in given {
            match RingKey::named(given, validation) {
                Ok(key) => keys.push(key),
                Err(problem) => problems.push(format!("the key {} of auth.keys {problem} (SAA_AUTH__KEYS)", given.id)),
            }
        }
        keys.extend(nameless.map(|secret| RingKey::nameless(secret, validation)));
        if problems.is_empty() && keys.first().is_none_or(|key| key.encoding.is_none()) {
            problems.push("no key signs tokens: the first of auth.keys is a public one, or there is none (SAA_AUTH__KEYS)".to_owned());
        }
        if problems.is_empty() { Ok(Self::of(keys, life_hours)) } else { Err(problems) }
    }

    fn of(keys: Vec<RingKey>, life_hours: u64) -> Self {
        Self { keys, life_secs: life_hours * 3600, known: Mutex::default() }
    }

    /// How long a token is good for, in milliseconds.
    pub fn life_ms(&self) -> u64 {
        self.life_secs.saturating_mul(1000)
    }

    /// A token for a user, dated `now_ms`; `None` if signing fails. The family's name stands in its id (`jti`, RFC 7519, 4.1.7), so that
    /// what revokes the family revokes all access tokens that came from it.
    pub fn issue(&self, user: &UserName, role: Role, family: Option<&str>, now_ms: u64) -> Option<Issued> {
        let random = super::random::hex_of(16);
        let id = family.map_or_else(|| random.clone(), |family| format!("{family}-{random}"));
        self.sign(AUDIENCE, self.life_secs, id, user, role, now_ms)
    }

    fn sign(&self, audience: &str, life_secs: u64, id: String, user: &UserName, role: Role, now_ms: u64) -> Option<Issued> {
        let iat = now_ms / 1000;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: audience.to_owned(),
            sub: user.as_str().to_owned(),
            exp: iat + life_secs,
            nbf: iat,
            iat,
            jti: id,
            iat_ms: now_ms,
            role: role.as_str().to_owned(),
        };
        let key = self.keys.first()?;
        let token = jsonwebtoken::encode(&key.header, &claims, key.encoding.as_ref()?).ok()?;
        Some(Issued { token, expires_in_secs: life_secs })
    }

    /// A token for a user who must change the password, and can do nothing else with it.
    pub fn issue_for_password(&self, user: &UserName, role: Role, now_ms: u64) -> Option<Issued> {
        self.sign(PASSWORD_AUDIENCE, PASSWORD_CHANGE_SECS, super::random::hex_of(16), user, role, now_ms)
    }

    /// Whom the token names, if it is one of ours and `now_ms` lies in its life.
    ///
    /// # Errors
    /// `Expired` only for a token that was ours; everything else is `Invalid`, and no reason is given to whoever sent it.
    pub fn check(&self, token: &str, now_ms: u64) -> Result<Bearer, TokenError> {
        let lately = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned();
        let known = match lately {
            Some(known) => known,
            None => {
                let known = Arc::new(self.read(token)?);
                let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                if all.len() >= KNOWN_MAX {
                    all.clear();
                }
                all.insert(token.to_owned(), known.clone());
                known
            }
        };
        let now = now_ms / 1000;
        if known.begins_secs > now.saturating_add(LEEWAY_SECS) {
            return Err(TokenError::Invalid);
        }
        if now >= known.ends_secs.saturating_add(LEEWAY_SECS) {
            return Err(TokenError::Expired);
        }
        Ok(known.bearer.clone())
    }

    /// Everything about a token that does not change with time.
    fn read(&self, token: &str) -> Result<Known, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let key = self.keys.iter().find(|key| key.header == header).ok_or(TokenError::Invalid)?;
        let read = jsonwebtoken::decode::<Claims>(token, &key.decoding, &key.validation).map_err(|_| TokenError::Invalid)?;
        let claims = read.claims;
        let life = claims.exp.checked_sub(claims.iat).ok_or(TokenError::Invalid)?;
        let coherent = read.header == key.header && life <= self.life_secs && claims.iat_ms / 1000 == claims.iat;
        let user = UserName::new(&claims.sub).filter(|_| coherent && !claims.jti.is_empty()).ok_or(TokenError::Invalid)?;
        let good_for = if claims.aud == AUDIENCE { GoodFor::Everything } else { GoodFor::PasswordChange };
        let (token_id, issued_ms, expires_ms) = (claims.jti, claims.iat_ms, claims.exp.saturating_mul(1000));
        let bearer = Bearer { user, token_id, issued_ms, expires_ms, good_for, counted: Counted::default() };
        Ok(Known { bearer, begins_secs: claims.nbf.max(claims.iat), ends_secs: claims.exp })
    }
}

/// What every token is held against, whichever key it is checked with.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
    validation.set_audience(&[AUDIENCE, PASSWORD_AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    // Times are checked against our own clock, which tests can move.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
