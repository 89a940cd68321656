//! Secrets at rest: sealed with AES-256-GCM (NIST SP 800-38D) under one of the operator's keys, bound to what they are for.
//!
//! A sealed secret is `version (1 byte) | length of the key's id (1) | id | nonce (12) | ciphertext | tag (16)`. The nonce is random: at
//! 96 bits one key may seal 2³² secrets (SP 800-38D, 8.3), far more than one service stores. Version and key id are authenticated with
//! the purpose, so a secret that is put in another place, or is said to be under another key, does not open.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, Prk, Salt},
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
    /// RFC 5869): it seals while the operator has set none, and what it has sealed opens after they have. `None` if there is no key
    /// at all, or the cryptography library refuses one.
    pub fn new<'a>(given: impl IntoIterator<Item = (&'a str, &'a [u8; KEY_BYTES])>, signing_key: Option<&SecretString>) -> Option<Self> {
        let key = |id: &str, bytes: &[u8]| Some((id.to_owned(), RandomizedNonceKey::new(&AES_256_GCM, bytes).ok()?));
        let mut keys: Vec<_> = given.into_iter().map(|(id, bytes)| key(id, bytes)).collect::<Option<_>>()?;
        if let Some(signing_key) = signing_key {
            keys.push(key(DERIVED_ID, &derived(signing_key)?)?);
        }
        (!keys.is_empty()).then_some(Self { keys })
    }

    /// Seals a secret for a purpose: words that tell its place from every other. `None` if the cryptography library fails.
    pub fn seal(&self, purpose: &[&str], secret: &[u8]) -> Option<Vec<u8>> {
        let (id, key) = self.keys.first()?;
        sealed(key, purpose, headed(&[VERSION], id)?, secret)
    }

    /// The secret, if it was sealed for this purpose under a key of this ring.
    ///
    /// # Errors
    /// No reason beyond that: whoever changed it need not learn what was noticed.
    pub fn open(&self, purpose: &[&str], sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        self.opened(purpose, sealed).ok_or(CannotOpen)
    }

    fn opened(&self, purpose: &[&str], sealed: &[u8]) -> Option<Vec<u8>> {
        let (id, at) = key_id(sealed, 1)?;
        let (_, key) = self.keys.iter().find(|(own, _)| sealed.first() == Some(&VERSION) && own.as_bytes() == id)?;
        opened(key, purpose, at, sealed)
    }
}

/// `head`, and behind it the id of the key that seals.
pub(super) fn headed(head: &[u8], id: &str) -> Option<Vec<u8>> {
    let length = u8::try_from(id.len()).ok()?;
    Some([head, &[length], id.as_bytes()].concat())
}

/// The id of the key that sealed something behind a head of so many bytes, and where its nonce begins.
pub(super) fn key_id(sealed: &[u8], head: usize) -> Option<(&[u8], usize)> {
    let begins = head.checked_add(1)?;
    let ends = begins.checked_add(usize::from(*sealed.get(head)?))?;
    Some((sealed.get(begins..ends)?, ends))
}

/// `head | nonce | ciphertext | tag`; the head is authenticated, and so is what it is bound to.
pub(super) fn sealed(key: &RandomizedNonceKey, bound: &[&str], head: Vec<u8>, open: &[u8]) -> Option<Vec<u8>> {
    let aad = Aad::from(bound_to(&head, bound));
    let (nonce_at, body_at) = (head.len(), head.len() + NONCE_LEN);
    let mut sealed = head;
    sealed.reserve_exact(NONCE_LEN + open.len() + AES_256_GCM.tag_len());
    sealed.resize(body_at, 0);
    sealed.extend_from_slice(open);
    let (nonce, tag) = key.seal_in_place_separate_tag(aad, sealed.get_mut(body_at..)?).ok()?;
    sealed.get_mut(nonce_at..body_at)?.copy_from_slice(nonce.as_ref());
    sealed.extend_from_slice(tag.as_ref());
    Some(sealed)
}

/// What was sealed behind a head of so many bytes, if it is bound to the same.
pub(super) fn opened(key: &RandomizedNonceKey, bound: &[&str], head: usize, sealed: &[u8]) -> Option<Vec<u8>> {
    let (head, rest) = sealed.split_at_checked(head)?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
    let mut body = body.to_vec();
    let open = key.open_in_place(Nonce::from(nonce), Aad::from(bound_to(head, bound)), &mut body).ok()?.len();
    body.truncate(open);
    Some(body)
}

/// Each part is preceded by its length, so that no two purposes run together.
fn bound_to(head: &[u8], purpose: &[&str]) -> Vec<u8> {
    let parts = || std::iter::once(head).chain(purpose.iter().map(|word| word.as_bytes()));
    let mut bound = Vec::with_capacity(parts().map(|part| part.len() + size_of::<u64>()).sum());
    for part in parts() {
        bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bound.extend_from_slice(part);
    }
    bound
}

fn derived(signing_key: &SecretString) -> Option<[u8; KEY_BYTES]> {
    expanded(&Salt::new(HKDF_SHA256, &[]).extract(signing_key.expose_secret().as_bytes()), &[DERIVED_LABEL])
}

/// A key for one use of another (RFC 5869, 2.3); `info` says which.
pub(super) fn expanded(key: &Prk, info: &[&[u8]]) -> Option<[u8; KEY_BYTES]> {
    let mut bytes = [0; KEY_BYTES];
    key.expand(info, HKDF_SHA256).ok()?.fill(&mut bytes).ok()?;
    Some(bytes)
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
        KeyRing::new(keys.iter().map(|(id, key)| (*id, key)), Some(&signing_key())).unwrap()
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

    /// Made by another implementation, from the description above.
    #[test]
    fn what_was_sealed_by_whoever_keeps_to_the_form_opens() {
        let sealed = b"\x01\x0b\x73\x69\x67\x6e\x69\x6e\x67\x2e\x6b\x65\x79\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\xcc\x90\xd3\x62\xe9\xa5\x49\xc9\x62\xed\x7f\x32\xba\x3b\xbc\xc9\x11\x3f\x72\xe8\x34\xb9";
        assert_eq!(ring(&[("a", 1)]).open(&PURPOSE, sealed), Ok(b"canary".to_vec()));
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
        let other = KeyRing::new([], Some(&"another signing key of enough bytes".into())).unwrap();
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
