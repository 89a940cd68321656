//! The keys that sign tokens and check them, as operators write them: a secret, or a PEM (RFC 7468), as it is or in a file.
//!
//! A file is read here, once: what a token calls its key is only ever looked up among these.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    file,
    reader::quoted,
    tables::{Notes, Part, Table, kind_of},
};
use crate::domain::{
    base64,
    limits::{SIGNING_KEY_BYTES_MIN, SIGNING_KEY_FILE_BYTES_MAX, SIGNING_KEY_ID_CHARS_MAX, SIGNING_KEYS_MAX},
    signing::SigningAlgorithm,
};

const KEY: [&str; 4] = ["id", "algorithm", "key", "file"];
/// Object identifiers as DER has them: id-Ed25519 (RFC 8410, 3) and rsaEncryption (RFC 8017, A.1).
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// One key and what tokens call it.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// `kid` of the tokens that it signs (RFC 7515, 4.1.4): letters, digits, `-`, `_` and `.`.
    pub id: String,
    pub algorithm: SigningAlgorithm,
    /// A secret, or a PEM.
    pub key: SecretString,
    /// Where it was read, if it was.
    pub file: Option<PathBuf>,
}

impl SigningKey {
    /// Whether tokens can be signed with it: a public key only checks them.
    pub fn signs(&self) -> bool {
        self.algorithm == SigningAlgorithm::Hs256 || self.key.expose_secret().contains("PRIVATE KEY-----")
    }
}

/// `[[auth.keys]]`.
pub(super) fn keys(whole: &Part<'_>, notes: &mut Notes) -> Vec<SigningKey> {
    let mut keys: Vec<SigningKey> = Vec::new();
    for (at, element) in whole.few(SIGNING_KEYS_MAX, notes).into_iter().enumerate() {
        let Some(table) = element.table(&KEY, notes) else { continue };
        let id = table.needed("id", notes, id_of);
        let algorithm = table.needed("algorithm", notes, algorithm_of);
        let found = key_of(&table, notes);
        let (Some(id), Some(algorithm), Some((key, file, path))) = (id, algorithm, found) else { continue };
        if keys.iter().any(|other| other.id == id) {
            notes.refuse(
                &format!("{}.id", element.path),
                format!("is {}, which another key is called; every key needs its own", quoted(&id)),
            );
        }
        if let Err(sentence) = fits(algorithm, key.expose_secret()) {
            notes.refuse(&path, sentence);
        }
        let key = SigningKey { id, algorithm, key, file };
        if at == 0 && !key.signs() {
            notes.refuse(&path, "is a public key; the first key signs, and needs a private one");
        }
        keys.push(key);
    }
    keys
}

fn id_of(part: &Part<'_>, notes: &mut Notes) -> Option<String> {
    let id = part.text(notes)?;
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if plain && id.len() <= SIGNING_KEY_ID_CHARS_MAX {
        return Some(id);
    }
    notes.refuse(&part.path, format!("is {}; 1 to {SIGNING_KEY_ID_CHARS_MAX} letters, digits, -, _ or . are needed", quoted(&id)));
    None
}

fn algorithm_of(part: &Part<'_>, notes: &mut Notes) -> Option<SigningAlgorithm> {
    let name = part.text(notes)?;
    let algorithm = SigningAlgorithm::parse(&name);
    if algorithm.is_none() {
        notes.refuse(&part.path, format!("is {}; one of {} is needed", quoted(&name), SigningAlgorithm::NAMES.join(", ")));
    }
    algorithm
}

/// The key, the file that it was read from, and the place of whichever of the two was set.
fn key_of(table: &Table<'_>, notes: &mut Notes) -> Option<(SecretString, Option<PathBuf>, String)> {
    match (table.get("key"), table.get("file")) {
        (Some(part), None) => match part.value {
            // Lines of a PEM may be there: it is no text of one line, as other secrets are.
            Value::String(text) => Some((SecretString::from(text.trim()), None, part.path)),
            other => {
                notes.refuse(&part.path, format!("is {}; a text is needed", kind_of(other)));
                None
            }
        },
        (None, Some(part)) => {
            let file = PathBuf::from(part.text(notes)?);
            match read(&file) {
                Ok(text) => Some((text, Some(file), part.path)),
                Err(sentence) => {
                    notes.refuse(&part.path, sentence);
                    None
                }
            }
        }
        (Some(_), Some(_)) => {
            notes.refuse(&table.path, "has a key and a file; one of them is needed");
            None
        }
        (None, None) => {
            notes.refuse(&table.path, "has no key and no file; one of them is needed");
            None
        }
    }
}

fn read(path: &Path) -> Result<SecretString, String> {
    let text = file::text_of(path, SIGNING_KEY_FILE_BYTES_MAX);
    let text = text.map_err(|problem| format!("is {}, which {problem}", quoted(&path.display().to_string())))?;
    Ok(SecretString::from(text.trim()))
}

/// Whether a key is one for its algorithm, as far as can be seen without cryptography. A sentence never quotes it.
fn fits(algorithm: SigningAlgorithm, key: &str) -> Result<(), String> {
    let is_pem = key.contains("-----BEGIN ");
    let wanted = match algorithm {
        SigningAlgorithm::Hs256 if is_pem => {
            // Whoever has the public half could sign with it (RFC 8725, 2.1).
            return Err("is a PEM; HS256 takes a secret, and nothing that anybody else may know".to_owned());
        }
        SigningAlgorithm::Hs256 if key.len() < SIGNING_KEY_BYTES_MIN => {
            return Err(format!("is {} bytes; at least {SIGNING_KEY_BYTES_MIN} are needed", key.len()));
        }
        SigningAlgorithm::Hs256 => return Ok(()),
        SigningAlgorithm::EdDsa => ED25519,
        SigningAlgorithm::Rs256 => RSA,
    };
    let name = algorithm.as_str();
    let (label, der) = pem(key).ok_or_else(|| format!("is no PEM; {name} takes a private key, or a public one to check tokens only"))?;
    match label {
        "PRIVATE KEY" | "PUBLIC KEY" if der.windows(wanted.len()).any(|bytes| bytes == wanted) => Ok(()),
        "PRIVATE KEY" | "PUBLIC KEY" => Err(format!("is a key for something else than {name}")),
        "RSA PRIVATE KEY" | "RSA PUBLIC KEY" if algorithm == SigningAlgorithm::Rs256 => Ok(()),
        _ => Err(format!("is a PEM of another kind; {name} takes a private key, or a public one to check tokens only")),
    }
}

/// The label and the content of a text that is one PEM and nothing else.
fn pem(text: &str) -> Option<(&str, Vec<u8>)> {
    let (label, rest) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let (body, end) = rest.split_once("-----END ")?;
    (end.strip_suffix("-----")? == label).then_some(())?;
    Some((label, base64::decode(body.trim())?))
}
