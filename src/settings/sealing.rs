//! Keys that seal stored secrets, as operators write them: `id:base64, id:base64`.

use std::sync::Arc;

use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};

use super::reader::Reader;
use crate::domain::{base64, limits::SEALING_KEY_ID_CHARS_MAX};

const NAME: &str = "store.sealing_keys";
/// AES-256.
const KEY_BYTES: usize = 32;

/// One key and what it is called.
#[derive(Debug, Clone)]
pub struct SealingKey {
    /// Letters, digits, `-` and `_`; stands beside what the key has sealed.
    pub id: String,
    pub key: Arc<SecretBox<[u8; KEY_BYTES]>>,
}

/// The operator's keys, in their order. What is wrong is told by position: an entry without its id would show its key.
pub(super) fn keys(from: &mut Reader) -> Vec<SealingKey> {
    let Some(text) = from.secret(NAME) else { return Vec::new() };
    let mut keys: Vec<SealingKey> = Vec::new();
    for (number, entry) in (1..).zip(text.expose_secret().split(',')) {
        match read(entry.trim()) {
            Ok(key) if keys.iter().any(|other| other.id == key.id) => {
                from.refuse(NAME, format!("has the id of key {number} twice; every key needs its own"));
            }
            Ok(key) => keys.push(key),
            Err(problem) => from.refuse(NAME, format!("has a key {number} that {problem}")),
        }
    }
    keys
}

fn read(entry: &str) -> Result<SealingKey, String> {
    let plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let (id, key) = entry.split_once(':').ok_or("is not of the form id:key")?;
    if !plain(id) || !(1..=SEALING_KEY_ID_CHARS_MAX).contains(&id.len()) {
        return Err(format!("has no id of 1 to {SEALING_KEY_ID_CHARS_MAX} letters, digits, - or _"));
    }
    let bytes = base64::decode(key).ok_or("is not base64")?;
    let mut key = SecretBox::new(Box::new([0; KEY_BYTES]));
    match <[u8; KEY_BYTES]>::try_from(bytes) {
        Ok(bytes) => *key.expose_secret_mut() = bytes,
        Err(bytes) => return Err(format!("is {} bytes; {KEY_BYTES} are needed", bytes.len())),
    }
    Ok(SealingKey { id: id.to_owned(), key: Arc::new(key) })
}
