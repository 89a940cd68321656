//! API keys: opaque random text that a script sends in the place of an access token.
//!
//! A key is `saa_<user>.<secret>`: the user's name in base64url, so that any replica finds the account in the round trip that the request
//! makes anyway, and 256 random bits. The store keeps a digest alone; the secret is as random as the digest is long, so it needs no salt and no
//! slow hash. The prefix is there for whoever looks for secrets where none should be.

use secrecy::{ExposeSecret, SecretString};

use super::{digest, random};
use crate::domain::{base64, limits::API_KEY_CHARS_MAX, user::UserName};

/// What every key begins with, and no access token.
pub const PREFIX: &str = "saa_";
/// Random bytes of a key, written in hexadecimal.
const SECRET_BYTES: usize = 32;

/// An API key.
#[derive(Debug, Clone)]
pub struct ApiKey {
    user: UserName,
    secret: SecretString,
}

impl ApiKey {
    pub fn new(user: &UserName) -> Self {
        Self { user: user.clone(), secret: random::hex_of(SECRET_BYTES).into() }
    }

    /// A key as a client sends it; `None` for anything that is not exactly as it would be written here.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > API_KEY_CHARS_MAX {
            return None;
        }
        let (user, secret) = text.strip_prefix(PREFIX)?.split_once('.')?;
        let user = UserName::new(&String::from_utf8(base64::decode(user)?).ok()?)?;
        let is_hex = secret.len() == 2 * SECRET_BYTES && secret.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let key = Self { user, secret: secret.into() };
        (is_hex && key.text().expose_secret() == text).then_some(key)
    }

    /// As the client gets it, once.
    pub fn text(&self) -> SecretString {
        let user = base64::encode(self.user.as_str().as_bytes()).replace('+', "-").replace('/', "_");
        format!("{PREFIX}{}.{}", user.trim_end_matches('='), self.secret.expose_secret()).into()
    }

    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// What the store knows the key by (SHA-256, in hexadecimal).
    pub fn digest(&self) -> String {
        digest::of(&[b"api key", self.user.as_str().as_bytes(), self.secret.expose_secret().as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let longest = "🦀".repeat(64);
        for user in ["ann", "张三", "a.b", "??>", longest.as_str()] {
            let key = ApiKey::new(&UserName::new(user).unwrap());
            let read = ApiKey::read(key.text().expose_secret()).unwrap();
            assert_eq!((read.user(), read.digest()), (key.user(), key.digest()));
        }
    }

    #[test]
    fn what_is_not_exactly_a_key_is_none() {
        let key = ApiKey::new(&UserName::new("ann").unwrap());
        let text = key.text();
        let text = text.expose_secret();
        let wrong = [
            text.to_uppercase(),
            format!("{text}0"),
            format!("{text} "),
            text.replace("saa_", "sab_"),
            text.replace("saa_", ""),
            text.replace("YW5u.", "YW5u=."),
            text.replace("YW5u.", "."),
            text.replace("YW5u.", "IA."),
            text.chars().take(text.len() - 1).collect(),
            "x".repeat(API_KEY_CHARS_MAX + 1),
        ];
        assert!(wrong.iter().all(|wrong| ApiKey::read(wrong).is_none()));
        assert!(!key.digest().contains(key.secret.expose_secret()) && ApiKey::new(key.user()).digest() != key.digest());
    }
}
