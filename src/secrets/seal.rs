//! Secrets at rest: sealed with AES-256-GCM (NIST SP 800-38D) under one of the operator's keys, bound to what they are for.
//!
//! A sealed secret is `version (1 byte) | length of the key's id (1) | id | nonce (12) | ciphertext | tag (16)`. The nonce is random: at
//! 96 bits one key may seal 2³² secrets (SP 800-38D, 8.3), far more than one service stores. Version and key id are authenticated with
//! the purpose, so a secret that is put in another place, or is said to be under another key, does not open.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
};
use secrecy::{ExposeSecret, SecretString};

const VERSION: u8 = 1;
/// The size of a key, in bytes.
pub const KEY_BYTES: usize = 32;
/// The id of the key that is derived from the signing key. Ids of the operator's keys have no dot.
const DERIVED_ID: &str = "signing.key";
/// What the derived key is for (RFC 5869, 3.2): the tokens' key itself seals nothing.
const DERIVED_LABEL: &[u8] = b"swagger-api-agent sealing key v1";

/// Keys that seal and open. The first seals, all open.
pub struct KeyRing {
    keys: Vec<(String, RandomizedNonceKey)>,
}

/// A sealed secret could not be opened: its key is not on the ring, it was sealed for something else, or it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be opened with any sealing key that is set")]
pub struct CannotOpen;

impl KeyRing {
    /// A ring of the operator's keys, by their ids, and behind them the one that is derived from the signing key (HKDF-SHA256,
    /// RFC 5869): it seals while the operator has set none, and what it has sealed opens after they have. `None` if the cryptography
    /// library refuses a key.
    pub fn new<'a>(given: impl IntoIterator<Item = (&'a str, &'a [u8; KEY_BYTES])>, signing_key: &SecretString) -> Option<Self> {
        let key = |id: &str, bytes: &[u8]| Some((id.to_owned(), RandomizedNonceKey::new(&AES_256_GCM, bytes).ok()?));
        let derived = derived(signing_key)?;
        let mut keys: Vec<_> = given.into_iter().map(|(id, bytes)| key(id, bytes)).collect::<Option<_>>()?;
        keys.push(key(DERIVED_ID, &derived)?);
        Some(Self { keys })
    }

    /// Seals a secret for a purpose: words that tell its place from every other. `None` if the cryptography library fails.
    pub fn seal(&self, purpose: &[&str], secret: &[u8]) -> Option<Vec<u8>> {
        let (id, key) = self.keys.first()?;
        let mut sealed = vec![VERSION, u8::try_from(id.len()).ok()?];
        sealed.extend_from_slice(id.as_bytes());
        let mut body = secret.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(bound_to(&sealed, purpose)), &mut body).ok()?;
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&body);
        Some(sealed)
    }

    /// The secret, if it was sealed for this purpose under a key of this ring.
    ///
    /// # Errors
    /// No reason beyond that: whoever changed it need not learn what was noticed.
    pub fn open(&self, purpose: &[&str], sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        self.opened(purpose, sealed).ok_or(CannotOpen)
    }

    fn opened(&self, purpose: &[&str], sealed: &[u8]) -> Option<Vec<u8>> {
        let (&[version, length], rest) = sealed.split_first_chunk::<2>()?;
        let (id, rest) = rest.split_at_checked(length.into())?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        let (_, key) = self.keys.iter().find(|(own, _)| version == VERSION && own.as_bytes() == id)?;
        let head = sealed.get(..2 + id.len())?;
        let mut body = body.to_vec();
        let secret = key.open_in_place(Nonce::from(nonce), Aad::from(bound_to(head, purpose)), &mut body).ok()?;
        Some(secret.to_vec())
    }
}

/// Each part is preceded by its length, so that no two purposes run together.
fn bound_to(head: &[u8], purpose: &[&str]) -> Vec<u8> {
    let parts = std::iter::once(head).chain(purpose.iter().map(|word| word.as_bytes()));
    parts.flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied())).collect()
}

fn derived(signing_key: &SecretString) -> Option<[u8; KEY_BYTES]> {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            KEY_BYTES
        }
    }
    let mut key = [0; KEY_BYTES];
    let pseudorandom = Salt::new(HKDF_SHA256, &[]).extract(signing_key.expose_secret().as_bytes());
    pseudorandom.expand(&[DERIVED_LABEL], Length).ok()?.fill(&mut key).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSE: [&str; 3] = ["credential", "ann", "KeyQ"];

    fn signing_key() -> SecretString {
        "0123456789abcdef0123456789abcdef".into()
    }

    fn ring(keys: &[(&str, u8)]) -> KeyRing {
        let keys: Vec<(&str, [u8; KEY_BYTES])> = keys.iter().map(|(id, byte)| (*id, [*byte; KEY_BYTES])).collect();
        KeyRing::new(keys.iter().map(|(id, key)| (*id, key)), &signing_key()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_purpose_only() {
        let ring = ring(&[]);
        let sealed = ring.seal(&PURPOSE, b"canary").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"canary"));
        assert_eq!(ring.open(&PURPOSE, &sealed), Ok(b"canary".to_vec()));
        for other in [&["credential", "bob", "KeyQ"][..], &["credential", "annK", "eyQ"], &["credential", "ann"], &[]] {
            assert_eq!(ring.open(other, &sealed), Err(CannotOpen), "{other:?}");
        }
        assert_ne!(ring.seal(&PURPOSE, b"canary"), Some(sealed), "every nonce is new");
        let empty = ring.seal(&PURPOSE, b"").unwrap();
        assert_eq!(ring.open(&PURPOSE, &empty), Ok(Vec::new()));
    }

    #[test]
    fn keys_are_rotated_by_putting_a_new_one_first() {
        let derived = ring(&[]).seal(&PURPOSE, b"one").unwrap();
        let old = ring(&[("a", 1)]).seal(&PURPOSE, b"two").unwrap();
        let rotated = ring(&[("b", 2), ("a", 1)]);
        assert_eq!((rotated.open(&PURPOSE, &derived), rotated.open(&PURPOSE, &old)), (Ok(b"one".to_vec()), Ok(b"two".to_vec())));
        let new = rotated.seal(&PURPOSE, b"three").unwrap();
        assert_eq!(ring(&[("b", 2)]).open(&PURPOSE, &new), Ok(b"three".to_vec()));
        assert_eq!(ring(&[("a", 1)]).open(&PURPOSE, &new), Err(CannotOpen));
        assert_eq!(ring(&[("b", 3)]).open(&PURPOSE, &new), Err(CannotOpen), "another key of that id");
        let other = KeyRing::new([], &"another signing key of enough bytes".into()).unwrap();
        assert_eq!(other.open(&PURPOSE, &derived), Err(CannotOpen));
    }

    #[test]
    fn what_was_changed_or_cut_does_not_open() {
        let ring = ring(&[("a", 1)]);
        let sealed = ring.seal(&PURPOSE, b"canary").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(ring.open(&PURPOSE, &changed), Err(CannotOpen), "byte {at}");
            assert_eq!(ring.open(&PURPOSE, &sealed[..at]), Err(CannotOpen), "{at} bytes");
        }
    }
}
