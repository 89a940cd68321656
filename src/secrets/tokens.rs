//! Access tokens: JWT (RFC 7519) signed with HS256, checked as RFC 8725 asks.
//!
//! The header of a token must be exactly ours: no `crit`, `jku`, `jwk`, `x5u` or another `typ` is ever looked at. All claims are
//! required and typed; times are checked against our own clock, and a life longer than we give is not one of ours.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::domain::user::{Role, UserName};

const ISSUER: &str = "swagger-api-agent";
const AUDIENCE: &str = "swagger-api-agent";
/// RFC 9068: says that this is an access token, so that no other kind of token passes for one.
const TYPE: &str = "at+jwt";
/// How far the clocks of replicas may be apart, in seconds.
const LEEWAY_SECS: u64 = 5;
/// A token longer than this is not read, in bytes.
const TOKEN_BYTES_MAX: usize = 4096;

/// Tokens that were found to be ours lately, kept so that their signature need not be checked at every request. When there are more,
/// all are forgotten and found again.
const KNOWN_MAX: usize = 4096;

/// Makes and checks tokens.
pub struct Tokens {
    header: Header,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
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
    pub fn new(key: &SecretString, life_hours: u64) -> Self {
        let secret = key.expose_secret().as_bytes();
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        // Times are checked below, on a clock that tests can move.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            header,
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
            life_secs: life_hours * 3600,
            known: Mutex::default(),
        }
    }

    /// A token for a user, dated `now_ms`; `None` if signing fails.
    pub fn issue(&self, user: &UserName, role: Role, now_ms: u64) -> Option<Issued> {
        let iat = now_ms / 1000;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.as_str().to_owned(),
            exp: iat + self.life_secs,
            nbf: iat,
            iat,
            jti: super::random::hex_of(16),
            iat_ms: now_ms,
            role: role.as_str().to_owned(),
        };
        let token = jsonwebtoken::encode(&self.header, &claims, &self.encoding).ok()?;
        Some(Issued { token, expires_in_secs: self.life_secs })
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
        let read = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).map_err(|_| TokenError::Invalid)?;
        let claims = read.claims;
        let life = claims.exp.checked_sub(claims.iat).ok_or(TokenError::Invalid)?;
        let coherent = read.header == self.header && life <= self.life_secs && claims.iat_ms / 1000 == claims.iat;
        let user = UserName::new(&claims.sub).filter(|_| coherent && !claims.jti.is_empty()).ok_or(TokenError::Invalid)?;
        let bearer = Bearer { user, token_id: claims.jti, issued_ms: claims.iat_ms, expires_ms: claims.exp.saturating_mul(1000) };
        Ok(Known { bearer, begins_secs: claims.nbf.max(claims.iat), ends_secs: claims.exp })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_795_340_710_123;

    fn key() -> SecretString {
        "0123456789abcdef0123456789abcdef".into()
    }

    fn tokens() -> Tokens {
        Tokens::new(&key(), 24)
    }

    fn claims() -> Value {
        let iat = NOW / 1000;
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": iat + 3600, "nbf": iat, "iat": iat, "jti": "j", "iat_ms": NOW, "role": "user"})
    }

    fn signed(header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(key().expose_secret().as_bytes())).unwrap()
    }

    #[test]
    fn a_token_names_its_user_until_it_expires() {
        let issued = tokens().issue(&UserName::new("ann").unwrap(), Role::User, NOW).unwrap();
        assert_eq!(issued.expires_in_secs, 86_400);
        let bearer = tokens().check(&issued.token, NOW).unwrap();
        assert_eq!((bearer.user.as_str(), bearer.issued_ms), ("ann", NOW));
        assert!(tokens().check(&issued.token, NOW + 86_400_000).is_ok(), "within the leeway");
        assert_eq!(tokens().check(&issued.token, NOW + 86_406_000), Err(TokenError::Expired));
    }

    #[test]
    fn every_claim_is_required_and_typed() {
        let header = tokens().header;
        assert!(tokens().check(&signed(&header, &claims()), NOW).is_ok());
        let names: Vec<String> = claims().as_object().unwrap().keys().cloned().collect();
        for name in names {
            let mut without = claims();
            without.as_object_mut().unwrap().remove(&name);
            assert_eq!(tokens().check(&signed(&header, &without), NOW), Err(TokenError::Invalid), "without {name}");
            for wrong in [json!(null), json!([]), json!({}), json!(-1), json!(1e300), json!(true), json!("")] {
                let mut with = claims();
                with[&name] = wrong.clone();
                let told = tokens().check(&signed(&header, &with), NOW);
                assert!(told.is_err() || name == "role", "{name} = {wrong}");
            }
        }
    }

    #[test]
    fn times_that_cannot_be_ours_are_refused() {
        let header = tokens().header;
        let iat = NOW / 1000;
        for (name, value) in [("nbf", iat + 60), ("exp", iat + 100 * 365 * 86_400), ("exp", iat - 1), ("iat_ms", NOW + 5000)] {
            let mut with = claims();
            with[name] = json!(value);
            assert_eq!(tokens().check(&signed(&header, &with), NOW), Err(TokenError::Invalid), "{name}");
        }
        let mut expired = claims();
        expired["exp"] = json!(iat + 10);
        assert_eq!(tokens().check(&signed(&header, &expired), NOW + 60_000), Err(TokenError::Expired));
    }

    #[test]
    fn a_header_that_is_not_exactly_ours_is_refused() {
        let ours = tokens().header;
        let changes: [fn(&mut Header); 7] = [
            |h| h.typ = Some("JWT".into()),
            |h| h.typ = Some("refresh+jwt".into()),
            |h| h.kid = Some("../../dev/null".into()),
            |h| h.jku = Some("http://evil/keys".into()),
            |h| h.crit = Some(vec!["exp".into()]),
            |h| h.x5u = Some("http://evil".into()),
            |h| h.cty = Some("JWT".into()),
        ];
        for (i, change) in changes.iter().enumerate() {
            let mut header = ours.clone();
            change(&mut header);
            assert_eq!(tokens().check(&signed(&header, &claims()), NOW), Err(TokenError::Invalid), "change {i}");
        }
        let mut longer = Header::new(Algorithm::HS512);
        longer.typ = Some(TYPE.into());
        assert_eq!(tokens().check(&signed(&longer, &claims()), NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn a_changed_or_foreign_token_is_refused() {
        let issued = tokens().issue(&UserName::new("ann").unwrap(), Role::User, NOW).unwrap().token;
        let other = Tokens::new(&"another key another key another key".into(), 24);
        assert_eq!(other.check(&issued, NOW), Err(TokenError::Invalid));
        for at in (0..issued.len()).step_by(7) {
            let mut bytes = issued.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(changed == issued || tokens().check(&changed, NOW).is_err(), "byte {at}");
        }
        for odd in ["", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30.", &format!("{issued}="), &format!(" {issued}"), &"x".repeat(5000)] {
            assert_eq!(tokens().check(odd, NOW), Err(TokenError::Invalid));
        }
    }
}
