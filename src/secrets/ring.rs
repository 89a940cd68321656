//! The keys that sign access tokens and check them. The first signs, all check.
//!
//! Which key a token is checked with is decided by its whole header, before anything of it is believed: it must be, field by field, the one
//! that a key of this ring writes. So a key is used with its own algorithm alone (RFC 8725, 3.1), a name that is none of ours (`kid`) finds
//! nothing and goes nowhere, and what else a header may ask for (`jku`, `jwk`, `x5u`, `crit`) is not looked at.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RsaKeyPair};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::{limits::RSA_KEY_BITS_MIN, signing::SigningAlgorithm};

/// RFC 9068, 2.1: says that this is an access token, so that no other kind of token passes for one.
pub(super) const TYPE: &str = "at+jwt";

/// A key as the operator gave it.
#[derive(Debug, Clone, Copy)]
pub struct GivenKey<'a> {
    pub id: &'a str,
    pub algorithm: SigningAlgorithm,
    /// A secret, or a PEM.
    pub key: &'a SecretString,
}

/// One key of the ring.
pub(super) struct RingKey {
    pub header: Header,
    /// None: it only checks.
    pub encoding: Option<EncodingKey>,
    pub decoding: DecodingKey,
    pub validation: Validation,
}

impl RingKey {
    /// A secret whose tokens do not say which it is.
    pub fn nameless(secret: &SecretString, validation: fn(Algorithm) -> Validation) -> Self {
        let (encoding, decoding) = of_secret(secret);
        Self::with(None, Algorithm::HS256, encoding, decoding, validation)
    }

    /// A key by its name.
    ///
    /// # Errors
    /// What is wrong with it, behind the name of it; never the key.
    pub fn named(given: &GivenKey<'_>, validation: fn(Algorithm) -> Validation) -> Result<Self, &'static str> {
        let pem = given.key.expose_secret();
        let (algorithm, (encoding, decoding)) = match given.algorithm {
            SigningAlgorithm::Hs256 => (Algorithm::HS256, of_secret(given.key)),
            SigningAlgorithm::EdDsa => (Algorithm::EdDSA, of_ed25519(pem)?),
            SigningAlgorithm::Rs256 => (Algorithm::RS256, of_rsa(pem)?),
        };
        Ok(Self::with(Some(given.id), algorithm, encoding, decoding, validation))
    }

    fn with(
        id: Option<&str>,
        algorithm: Algorithm,
        encoding: Option<EncodingKey>,
        decoding: DecodingKey,
        validation: fn(Algorithm) -> Validation,
    ) -> Self {
        let mut header = Header::new(algorithm);
        header.typ = Some(TYPE.to_owned());
        header.kid = id.map(str::to_owned);
        Self { header, encoding, decoding, validation: validation(algorithm) }
    }
}

type Pair = (Option<EncodingKey>, DecodingKey);

fn of_secret(secret: &SecretString) -> Pair {
    let secret = secret.expose_secret().as_bytes();
    (Some(EncodingKey::from_secret(secret)), DecodingKey::from_secret(secret))
}

fn of_ed25519(pem: &str) -> Result<Pair, &'static str> {
    const BROKEN: &str = "is no Ed25519 key that can be read";
    if !pem.contains("PRIVATE KEY-----") {
        return DecodingKey::from_ed_pem(pem.as_bytes()).map(|decoding| (None, decoding)).map_err(|_| BROKEN);
    }
    let encoding = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| BROKEN)?;
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(encoding.as_bytes()).map_err(|_| BROKEN)?;
    Ok((Some(encoding), DecodingKey::from_ed_der(pair.public_key().as_ref())))
}

fn of_rsa(pem: &str) -> Result<Pair, &'static str> {
    const BROKEN: &str = "is no RSA key of 2048 to 8192 bits that can be read";
    if !pem.contains("PRIVATE KEY-----") {
        let decoding = DecodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| BROKEN)?;
        return if is_long(&decoding) { Ok((None, decoding)) } else { Err(BROKEN) };
    }
    let encoding = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| BROKEN)?;
    let pair = RsaKeyPair::from_der(encoding.as_bytes()).map_err(|_| BROKEN)?;
    let decoding = DecodingKey::from_rsa_der(pair.public_key().as_ref());
    if is_long(&decoding) { Ok((Some(encoding), decoding)) } else { Err(BROKEN) }
}

/// A public key in DER is longer than its modulus.
fn is_long(key: &DecodingKey) -> bool {
    match key.kind() {
        jsonwebtoken::DecodingKeyKind::SecretOrDer(der) => der.len() > RSA_KEY_BITS_MIN / 8,
        jsonwebtoken::DecodingKeyKind::RsaModulusExponent { n, .. } => n.len() >= RSA_KEY_BITS_MIN / 8,
    }
}
