//! Tokens that others issue: JWTs of an OpenID provider, checked with its published keys (RFC 7517) as RFC 8725 and RFC 9068 ask.
//!
//! What a token says of itself decides only which of the configured issuers is asked for a key. A key is used with its own kind of algorithm
//! alone, never with a secret's (HS256); `crit`, `jku`, `jwk` and `x5u` in a header are refused.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::Jwk};
use serde_json::{Map, Value};

use super::{
    digest,
    tokens::{Bearer, GoodFor, TokenError},
};
use crate::domain::{
    base64,
    limits::{ISSUER_KEYS_MAX, ISSUER_LEEWAY_SECS, ISSUER_TOKEN_BYTES_MAX, ISSUER_TOKEN_SECS_MAX},
    rate::Counted,
    user::{Role, UserName},
};

/// Members of a header that would have us look elsewhere or understand what we do not (RFC 7515, 4.1).
const REFUSED: [&str; 4] = ["crit", "jku", "jwk", "x5u"];

/// What is asked of a token of one issuer, and what its claims mean.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub user_claim: &'a str,
    pub user_prefix: &'a str,
    pub role_claim: Option<&'a str>,
    pub admin_roles: &'a [String],
}

/// Whom a token names, and when it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outsider {
    pub bearer: Bearer,
    /// None: the issuer does not say.
    pub role: Option<Role>,
    begins_secs: u64,
}

impl Outsider {
    /// # Errors
    /// If `now_ms` does not lie in the token's life.
    pub fn is_good_at(&self, now_ms: u64) -> Result<(), TokenError> {
        let now = now_ms / 1000;
        if self.begins_secs > now.saturating_add(ISSUER_LEEWAY_SECS) {
            return Err(TokenError::Invalid);
        }
        if now >= (self.bearer.expires_ms / 1000).saturating_add(ISSUER_LEEWAY_SECS) {
            return Err(TokenError::Expired);
        }
        Ok(())
    }
}

/// Why a token could not be checked, or is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAccepted {
    /// None of these keys is meant; the issuer may have a new one.
    UnknownKey,
    Invalid,
}

/// An issuer's public keys.
pub struct IssuerKeys(Vec<IssuerKey>);

struct IssuerKey {
    id: Option<String>,
    algorithms: &'static [Algorithm],
    /// The only one of them, if the issuer says so.
    algorithm: Option<Algorithm>,
    decoding: DecodingKey,
}

impl IssuerKeys {
    /// The keys of a JWK set that can check signatures; what else stands in it is passed over, as RFC 7517, 5 asks.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let set: Value = serde_json::from_str(text).map_err(|_| "is no JSON")?;
        let listed = set.get("keys").and_then(Value::as_array).ok_or("is no JWK set: it has no list of keys")?;
        let keys: Vec<_> = listed.iter().take(ISSUER_KEYS_MAX).filter_map(IssuerKey::read).collect();
        if keys.is_empty() { Err("has no key that checks RS256, PS256, ES256, ES384 or EdDSA signatures") } else { Ok(Self(keys)) }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    fn of(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&IssuerKey> {
        let mut fitting = self.0.iter().filter(|key| {
            let named = id.is_none_or(|id| key.id.as_deref() == Some(id));
            named && key.algorithms.contains(&algorithm) && key.algorithm.is_none_or(|only| only == algorithm)
        });
        let found = fitting.next()?;
        // Without a name there must be nothing to choose.
        (id.is_some() || fitting.next().is_none()).then_some(found)
    }
}

impl IssuerKey {
    fn read(jwk: &Value) -> Option<Self> {
        let member = |name: &str| jwk.get(name)?.as_str();
        if member("use").is_some_and(|used| used != "sig") {
            return None;
        }
        let algorithms: &[Algorithm] = match (member("kty")?, member("crv")) {
            ("RSA", _) => &[Algorithm::RS256, Algorithm::PS256],
            ("EC", Some("P-256")) => &[Algorithm::ES256],
            ("EC", Some("P-384")) => &[Algorithm::ES384],
            ("OKP", Some("Ed25519")) => &[Algorithm::EdDSA],
            // Among them secrets (`oct`): whoever can check with one can sign with it.
            _ => return None,
        };
        // RFC 7518, 3.3: 2048 bits or more.
        let long_enough = member("kty") != Some("RSA") || base64::decode(member("n")?)?.len() >= 256;
        let algorithm = match member("alg") {
            Some(name) => Some(*algorithms.iter().find(|algorithm| format!("{algorithm:?}") == name)?),
            None => None,
        };
        let id = member("kid").map(str::to_owned);
        let jwk: Jwk = serde_json::from_value(jwk.clone()).ok().filter(|_| long_enough)?;
        Some(Self { id, algorithms, algorithm, decoding: DecodingKey::from_jwk(&jwk).ok()? })
    }
}

/// Who says to have issued a token. Nothing of it is believed yet.
pub fn named_issuer(token: &str) -> Option<String> {
    let claims = claims_of(token)?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

fn claims_of(token: &str) -> Option<Map<String, Value>> {
    if token.len() > ISSUER_TOKEN_BYTES_MAX {
        return None;
    }
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then(|| serde_json::from_slice(&base64::decode(claims)?).ok())?
}

/// Whom a token of an issuer names. Time is for [`Outsider::is_good_at`].
///
/// # Errors
/// Why it is not accepted; no reason is given to whoever sent it.
pub fn check(token: &str, terms: &Terms<'_>, keys: &IssuerKeys) -> Result<Outsider, NotAccepted> {
    let (header, _) = token.split_once('.').filter(|_| token.len() <= ISSUER_TOKEN_BYTES_MAX).ok_or(NotAccepted::Invalid)?;
    let (algorithm, id) = header_of(header).ok_or(NotAccepted::Invalid)?;
    let key = keys.of(id.as_deref(), algorithm).ok_or(NotAccepted::UnknownKey)?;
    let read = jsonwebtoken::decode::<Map<String, Value>>(token, &key.decoding, &validation(algorithm, terms));
    outsider(&read.map_err(|_| NotAccepted::Invalid)?.claims, token, terms).ok_or(NotAccepted::Invalid)
}

fn header_of(part: &str) -> Option<(Algorithm, Option<String>)> {
    let header: Map<String, Value> = serde_json::from_slice(&base64::decode(part)?).ok()?;
    if REFUSED.iter().any(|name| header.contains_key(*name)) {
        return None;
    }
    // RFC 7515, 4.1.9: the prefix may be there.
    let kind = header.get("typ").map(|kind| kind.as_str().map(str::to_ascii_lowercase));
    let kind = kind.as_ref().map(|kind| kind.as_deref().map(|kind| kind.strip_prefix("application/").unwrap_or(kind)));
    if !matches!(kind, None | Some(Some("jwt" | "at+jwt"))) {
        return None;
    }
    let algorithm = header.get("alg")?.as_str()?.parse().ok()?;
    let id = match header.get("kid") {
        None => None,
        Some(id) => Some(id.as_str()?.to_owned()),
    };
    Some((algorithm, id))
}

fn validation(algorithm: Algorithm, terms: &Terms<'_>) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["exp", "aud", "iss"]);
    validation.set_audience(&[terms.audience]);
    validation.set_issuer(&[terms.issuer]);
    // Times are checked against our own clock.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation
}

fn outsider(claims: &Map<String, Value>, token: &str, terms: &Terms<'_>) -> Option<Outsider> {
    let text = |name: &str| claims.get(name)?.as_str();
    // Said again, because a claim of another type is passed over by the library.
    let for_us = match claims.get("aud")? {
        Value::String(one) => one == terms.audience,
        Value::Array(several) => several.iter().any(|one| one == terms.audience),
        _ => false,
    };
    let (issued, ends) = (secs(claims.get("iat")?)?, secs(claims.get("exp")?)?);
    let begins = claims.get("nbf").map_or(Some(issued), |begins| secs(begins).map(|begins| begins.max(issued)))?;
    let life = ends.checked_sub(issued)?;
    // An address that nobody has proved to be theirs names nobody (OpenID Connect Core 1.0, 5.7).
    let unproved = terms.user_claim == "email" && claims.get("email_verified").is_some_and(|proved| proved != true);
    if !for_us || text("iss") != Some(terms.issuer) || life > ISSUER_TOKEN_SECS_MAX || unproved {
        return None;
    }
    let name = text(terms.user_claim).filter(|name| !name.is_empty())?;
    let user = UserName::new(&format!("{}{name}", terms.user_prefix))?;
    // What revokes it: by its id, or by what was signed. (Two signatures of one text may both be right.)
    let (signed, _) = token.rsplit_once('.')?;
    let id = claims.get("jti").and_then(Value::as_str).unwrap_or(signed);
    let bearer = Bearer {
        user,
        token_id: digest::of(&[terms.issuer.as_bytes(), id.as_bytes()]),
        issued_ms: issued.checked_mul(1000)?,
        expires_ms: ends.checked_mul(1000)?,
        good_for: GoodFor::Everything,
        counted: Counted::default(),
    };
    Some(Outsider { bearer, role: terms.role_claim.map(|claim| role(claims, claim, terms.admin_roles)), begins_secs: begins })
}

/// A `NumericDate` (RFC 7519, 2), without its fraction.
fn secs(value: &Value) -> Option<u64> {
    let whole = value.as_u64();
    // A float up to 2^53 keeps every second.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    whole.or_else(|| value.as_f64().filter(|secs| (0.0..9e15).contains(secs)).map(|secs| secs as u64))
}

/// The role that a claim gives: a text of one or several roles with blanks between them, or a list of them.
fn role(claims: &Map<String, Value>, claim: &str, admin_roles: &[String]) -> Role {
    let mut names = claim.split('.');
    let first = names.next().and_then(|name| claims.get(name));
    // A claim may have dots in its own name, as those with a URL for a name have.
    let found = claims.get(claim).or_else(|| names.fold(first, |value, name| value?.get(name)));
    let is_admin = |role: &str| admin_roles.iter().any(|admin| admin == role);
    let admin = match found {
        Some(Value::String(roles)) => is_admin(roles) || roles.split_whitespace().any(is_admin),
        Some(Value::Array(roles)) => roles.iter().filter_map(Value::as_str).any(is_admin),
        _ => false,
    };
    if admin { Role::Admin } else { Role::User }
}

#[cfg(test)]
#[path = "issuers_tests.rs"]
mod tests;
