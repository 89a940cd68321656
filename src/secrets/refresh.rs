//! Refresh tokens (RFC 6749, 1.5): opaque random text that a client exchanges for a new access token, and for its own successor.
//!
//! A token is `rt1.<user>.<family>.<secret>`: the user's name in base64url, so that any replica finds where the family is kept; 128 random
//! bits that all tokens of one login share; 256 random bits of its own. The store keeps digests alone. Whoever has never had a token of
//! the family cannot name it, so a token that names it and is not the good one was used before (RFC 9700, 4.14.2).
//!
//! A successor is kept sealed under a key that is derived from its predecessor's secret. So whoever lost the answer to an exchange
//! can be given the same successor again, while the store, or who reads it, can make nothing of it.

use aws_lc_rs::{
    aead::{AES_256_GCM, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, Salt},
};
use secrecy::{ExposeSecret, SecretString};

use super::{digest, random, seal};
use crate::domain::{base64, limits::REFRESH_TOKEN_CHARS_MAX, user::UserName};

const PREFIX: &str = "rt1";
/// Random bytes that name a family, and those of one token; both are written in hexadecimal.
const FAMILY_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
/// What a family is called in the store and in access tokens, in characters: the beginning of a digest.
const NAME_CHARS: usize = 32;
/// What the derived key is for (RFC 5869, 3.2).
const LABEL: &[u8] = b"swagger-api-agent successor of a refresh token v1";

/// A refresh token.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    user: UserName,
    family: SecretString,
    secret: SecretString,
}

impl RefreshToken {
    /// The first of a new family.
    pub fn first(user: &UserName) -> Self {
        Self { user: user.clone(), family: random::hex_of(FAMILY_BYTES).into(), secret: random::hex_of(SECRET_BYTES).into() }
    }

    /// One to take the place of this.
    pub fn successor(&self) -> Self {
        Self { secret: random::hex_of(SECRET_BYTES).into(), ..self.clone() }
    }

    /// A token as a client sends it; `None` for anything that is not exactly as it would be written here.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > REFRESH_TOKEN_CHARS_MAX {
            return None;
        }
        let mut parts = text.split('.');
        let (_prefix, user, family, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let user = UserName::new(&String::from_utf8(base64::decode(user)?).ok()?)?;
        let is_hex = |text: &str, bytes: usize| text.len() == 2 * bytes && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let whole = is_hex(family, FAMILY_BYTES) && is_hex(secret, SECRET_BYTES);
        let token = Self { user, family: family.into(), secret: secret.into() };
        (whole && token.text().expose_secret() == text).then_some(token)
    }

    /// As the client gets it.
    pub fn text(&self) -> SecretString {
        let user = base64::encode(self.user.as_str().as_bytes()).replace('+', "-").replace('/', "_");
        let (user, family, secret) = (user.trim_end_matches('='), self.family.expose_secret(), self.secret.expose_secret());
        format!("{PREFIX}.{user}.{family}.{secret}").into()
    }

    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// What the family is called: no secret, and nobody finds the family's part of a token by it.
    pub fn family(&self) -> String {
        let mut name = digest::of(&[b"refresh family", self.family.expose_secret().as_bytes()]);
        name.truncate(NAME_CHARS);
        name
    }

    /// What the store knows the token by. The secret is as random as the digest is long: it needs no salt and no slow hash.
    pub fn digest(&self) -> String {
        digest::of(&[
            b"refresh token",
            self.user.as_str().as_bytes(),
            self.family.expose_secret().as_bytes(),
            self.secret.expose_secret().as_bytes(),
        ])
    }

    /// A successor, for whoever has this token; base64. `None` if the cryptography library fails.
    pub fn seal(&self, successor: &Self) -> Option<String> {
        let sealed = seal::sealed(&self.key()?, &[&self.family()], Vec::new(), successor.secret.expose_secret().as_bytes())?;
        Some(base64::encode(&sealed))
    }

    /// The successor that was sealed for whoever has this token.
    pub fn open(&self, sealed: &str) -> Option<Self> {
        let secret = seal::opened(&self.key()?, &[&self.family()], 0, &base64::decode(sealed)?)?;
        Some(Self { secret: String::from_utf8(secret).ok()?.into(), ..self.clone() })
    }

    fn key(&self) -> Option<RandomizedNonceKey> {
        let key = seal::expanded(&Salt::new(HKDF_SHA256, &[]).extract(self.secret.expose_secret().as_bytes()), &[LABEL])?;
        RandomizedNonceKey::new(&AES_256_GCM, &key).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(user: &str) -> RefreshToken {
        RefreshToken::first(&UserName::new(user).unwrap())
    }

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let longest = "🦀".repeat(64);
        for user in ["ann", "张三", "a.b", "??>", longest.as_str()] {
            let token = token(user);
            let text = token.text();
            let read = RefreshToken::read(text.expose_secret()).unwrap();
            assert_eq!((read.user(), read.family(), read.digest()), (token.user(), token.family(), token.digest()));
        }
    }

    #[test]
    fn what_is_not_exactly_a_token_is_none() {
        let text = token("ann").text();
        let text = text.expose_secret();
        let wrong = [
            text.to_uppercase(),
            format!("{text} "),
            format!("{text}="),
            format!("{text}0"),
            format!("{text}.x"),
            text.chars().take(text.len() - 1).collect(),
            text.replace("rt1.", "rt2."),
            text.replace(".YW5u.", ".YW5u=."),
            text.replace(".YW5u.", ".."),
            text.replace(".YW5u.", ".IA."),
            text.replacen('.', "", 1),
            "x".repeat(REFRESH_TOKEN_CHARS_MAX + 1),
            String::new(),
        ];
        for wrong in wrong {
            assert!(RefreshToken::read(&wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_successor_is_of_the_same_family_and_opens_for_its_predecessor_alone() {
        let first = token("ann");
        let second = first.successor();
        assert_eq!(first.family(), second.family());
        assert_ne!(first.digest(), second.digest());
        let sealed = first.seal(&second).unwrap();
        assert_eq!(first.open(&sealed).unwrap().digest(), second.digest());
        assert!(second.open(&sealed).is_none() && token("ann").open(&sealed).is_none() && first.open("AAAA").is_none());
        assert!(!sealed.contains('|'), "it is one part of a record");
    }

    #[test]
    fn what_the_store_has_names_no_part_of_the_token() {
        let token = token("ann");
        let text = token.text();
        let kept = [token.family(), token.digest(), token.seal(&token.successor()).unwrap()].concat();
        assert!(text.expose_secret().split('.').skip(2).all(|part| !kept.contains(part)));
    }
}
