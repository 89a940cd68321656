//! Keys that seal what is stored of conversations: AES-256-GCM (NIST SP 800-38D) under keys that are made for it.
//!
//! The operator's keys seal no record themselves. Each makes one key for every user (HKDF-SHA256, RFC 5869, the user's name in `info`), so
//! the 2³² records that one key may seal with random nonces (SP 800-38D, 8.3) are counted for each user and not for the whole service.
//! A session has a data key of its own, random and wrapped by its user's: whoever drops the wrapped key has shredded what it sealed.
//!
//! Sealed under the operator's: `length of the key's id (1) | id | nonce (12) | ciphertext | tag (16)`; under a session's: the same without
//! the id. Everything before the nonce is authenticated, and so is what the record is bound to.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    aead::{AES_256_GCM, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, Prk, Salt},
    rand,
};

use super::seal::{CannotOpen, KEY_BYTES, expanded, headed, key_id, opened, sealed};

/// What is derived from the operator's keys here, apart from all else they are for.
const LABEL: &[u8] = b"swagger-api-agent records v1";
/// What a wrapped data key is bound to, beside its user.
const DATA_KEY: &str = "data key";

/// The operator's keys. The first seals, all open.
#[derive(Default)]
pub struct RecordKeys(Vec<(String, Prk)>);

/// The key of one session, and how it is stored. Clones share it.
#[derive(Clone)]
pub struct DataKey(Arc<(Vec<u8>, RandomizedNonceKey)>);

/// Keys are equal if they are stored alike: no two are wrapped with the same nonce.
impl PartialEq for DataKey {
    fn eq(&self, other: &Self) -> bool {
        self.wrapped() == other.wrapped()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

impl RecordKeys {
    /// Keys by their ids.
    pub fn new<'a>(given: impl IntoIterator<Item = (&'a str, &'a [u8; KEY_BYTES])>) -> Self {
        let salt = Salt::new(HKDF_SHA256, &[]);
        Self(given.into_iter().map(|(id, key)| (id.to_owned(), salt.extract(key))).collect())
    }

    /// `head`, and behind it the record, sealed for this user under the newest key. `None` if there is no key, or the cryptography library
    /// fails.
    pub fn seal(&self, user: &str, bound: &[&str], head: &[u8], record: &[u8]) -> Option<Vec<u8>> {
        let (id, key) = self.0.first()?;
        sealed(&of_user(key, user)?, bound, headed(head, id)?, record)
    }

    /// The record behind a head of so many bytes, if it was sealed for this user and bound to the same, under a key that is here.
    ///
    /// # Errors
    /// No reason beyond that: whoever changed it need not learn what was noticed.
    pub fn open(&self, user: &str, bound: &[&str], head: usize, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (id, at) = key_id(sealed, head).ok_or(CannotOpen)?;
        let (_, key) = self.0.iter().find(|(own, _)| own.as_bytes() == id).ok_or(CannotOpen)?;
        opened(&of_user(key, user).ok_or(CannotOpen)?, bound, at, sealed).ok_or(CannotOpen)
    }

    /// A new key for a session of this user. `None` as for [`RecordKeys::seal`].
    pub fn new_data_key(&self, user: &str) -> Option<DataKey> {
        let mut bytes = [0; KEY_BYTES];
        rand::fill(&mut bytes).ok()?;
        let wrapped = self.seal(user, &[DATA_KEY], &[], &bytes)?;
        Some(DataKey(Arc::new((wrapped, RandomizedNonceKey::new(&AES_256_GCM, &bytes).ok()?))))
    }

    /// The key that was stored so for this user.
    ///
    /// # Errors
    /// As [`RecordKeys::open`].
    pub fn data_key(&self, user: &str, wrapped: &[u8]) -> Result<DataKey, CannotOpen> {
        let bytes = self.open(user, &[DATA_KEY], 0, wrapped)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| CannotOpen)?;
        Ok(DataKey(Arc::new((wrapped.to_vec(), key))))
    }
}

impl DataKey {
    /// As it is stored.
    pub fn wrapped(&self) -> &[u8] {
        &self.0.0
    }

    /// As [`RecordKeys::seal`].
    pub fn seal(&self, bound: &[&str], head: &[u8], record: &[u8]) -> Option<Vec<u8>> {
        sealed(&self.0.1, bound, head.to_vec(), record)
    }

    /// As [`RecordKeys::open`].
    ///
    /// # Errors
    /// As there.
    pub fn open(&self, bound: &[&str], head: usize, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        opened(&self.0.1, bound, head, sealed).ok_or(CannotOpen)
    }
}

fn of_user(key: &Prk, user: &str) -> Option<RandomizedNonceKey> {
    RandomizedNonceKey::new(&AES_256_GCM, &expanded(key, &[LABEL, user.as_bytes()])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: [&str; 3] = ["turn", "s1", "0"];

    fn keys(given: &[(&str, u8)]) -> RecordKeys {
        let given: Vec<(&str, [u8; KEY_BYTES])> = given.iter().map(|(id, byte)| (*id, [*byte; KEY_BYTES])).collect();
        RecordKeys::new(given.iter().map(|(id, key)| (*id, key)))
    }

    #[test]
    fn a_record_opens_for_its_user_and_place_only() {
        let keys = keys(&[("a", 1)]);
        let sealed = keys.seal("ann", &BOUND, b"22", b"canary").unwrap();
        assert!(sealed.starts_with(b"22\x01a") && !sealed.windows(6).any(|window| window == b"canary"));
        assert_eq!(keys.open("ann", &BOUND, 2, &sealed), Ok(b"canary".to_vec()));
        assert_eq!(keys.open("bob", &BOUND, 2, &sealed), Err(CannotOpen));
        for other in [&["turn", "s1", "1"][..], &["turn", "s10", ""], &["turn", "s1"], &[]] {
            assert_eq!(keys.open("ann", other, 2, &sealed), Err(CannotOpen), "{other:?}");
        }
        assert_eq!(self::keys(&[]).seal("ann", &BOUND, b"22", b"canary"), None, "there is no key");
    }

    /// Made by another implementation, from the description above.
    #[test]
    fn what_was_sealed_by_whoever_keeps_to_the_form_opens() {
        let sealed = b"\x32\x32\x01\x61\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x29\xf3\x58\x28\xb8\x1d\x8b\x25\xb3\x81\xe9\x3b\xb9\xdf\x98\xa2\x96\x36\xd9\xa5\x62\xae";
        assert_eq!(keys(&[("a", 1)]).open("ann", &BOUND, 2, sealed), Ok(b"canary".to_vec()));
    }

    #[test]
    fn a_data_key_opens_what_it_sealed_for_its_user() {
        let keys = keys(&[("a", 1)]);
        let (one, two) = (keys.new_data_key("ann").unwrap(), keys.new_data_key("ann").unwrap());
        let sealed = one.seal(&BOUND, b"24", b"canary").unwrap();
        let again = keys.data_key("ann", one.wrapped()).unwrap();
        assert_eq!((again.open(&BOUND, 2, &sealed), again == one), (Ok(b"canary".to_vec()), true));
        assert_eq!((two.open(&BOUND, 2, &sealed), two == one), (Err(CannotOpen), false));
        assert_eq!(keys.data_key("bob", one.wrapped()), Err(CannotOpen));
        assert_eq!(keys.data_key("ann", &sealed), Err(CannotOpen));
        assert_eq!(format!("{one:?}"), "DataKey(…)");
    }

    #[test]
    fn keys_are_rotated_by_putting_a_new_one_first() {
        let (old, rotated, new) = (keys(&[("a", 1)]), keys(&[("b", 2), ("a", 1)]), keys(&[("b", 2)]));
        let (record, key) = (old.seal("ann", &BOUND, b"", b"one").unwrap(), old.new_data_key("ann").unwrap());
        assert_eq!(rotated.open("ann", &BOUND, 0, &record), Ok(b"one".to_vec()));
        assert_eq!(rotated.data_key("ann", key.wrapped()), Ok(key.clone()));
        assert_eq!(new.open("ann", &BOUND, 0, &record), Err(CannotOpen));
        assert_eq!(new.data_key("ann", key.wrapped()), Err(CannotOpen));
        assert_eq!(new.open("ann", &BOUND, 0, &rotated.seal("ann", &BOUND, b"", b"two").unwrap()), Ok(b"two".to_vec()));
        assert_eq!(keys(&[("a", 3)]).open("ann", &BOUND, 0, &record), Err(CannotOpen), "another key of that id");
    }

    #[test]
    fn what_was_changed_or_cut_does_not_open() {
        let keys = keys(&[("a", 1)]);
        let key = keys.new_data_key("ann").unwrap();
        let (record, of_session) = (keys.seal("ann", &BOUND, b"22", b"canary").unwrap(), key.seal(&BOUND, b"24", b"canary").unwrap());
        for (sealed, session) in [(record, false), (of_session, true)] {
            let open = |bytes: &[u8]| if session { key.open(&BOUND, 2, bytes) } else { keys.open("ann", &BOUND, 2, bytes) };
            assert_eq!(open(&sealed), Ok(b"canary".to_vec()));
            for at in 0..sealed.len() {
                for bit in 0..8 {
                    let mut changed = sealed.clone();
                    changed[at] ^= 1 << bit;
                    assert_eq!(open(&changed), Err(CannotOpen), "bit {bit} of byte {at}");
                }
                assert_eq!(open(&sealed[..at]), Err(CannotOpen), "{at} bytes");
            }
        }
    }
}
