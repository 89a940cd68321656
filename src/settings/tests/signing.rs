//! `[[auth.keys]]`: what a key may be, and everything that can be wrong with one.

use std::io::Write;

use super::{load, load_file, shown, told, with};
use crate::{
    domain::{base64, signing::SigningAlgorithm},
    settings::Settings,
};

const SECRET: &str = "hunter2 hunter2 hunter2 hunter2 hunter2";
const ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
const RSA: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// What looks like a PEM of a key; no cryptography is asked here.
fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", base64::encode(&[der, b"hunter2"].concat()))
}

fn keys(list: &serde_json::Value) -> String {
    told(&[("SAA_AUTH__KEYS", &list.to_string())])
}

#[test]
fn keys_come_from_a_file_and_from_a_variable_as_they_are_or_by_path() {
    let (private, public) = (pem("PRIVATE KEY", ED25519), pem("PUBLIC KEY", RSA));
    let toml = format!(
        "[[auth.keys]]\nid = \"new\"\nalgorithm = \"EdDSA\"\nkey = '''\n{private}'''\n[[auth.keys]]\nid = \"old.1\"\nalgorithm = \"HS256\"\nkey = \"{SECRET}\""
    );
    let settings = load_file(&toml).unwrap();
    let read: Vec<_> = settings.auth.keys.iter().map(|key| (key.id.as_str(), key.algorithm, key.signs())).collect();
    assert_eq!(read, [("new", SigningAlgorithm::EdDsa, true), ("old.1", SigningAlgorithm::Hs256, true)]);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(public.as_bytes()).unwrap();
    let path = file.path().to_str().unwrap();
    let list = serde_json::json!([{"id": "a", "algorithm": "HS256", "key": SECRET}, {"id": "b", "algorithm": "RS256", "file": path}]);
    let settings = load(&[("SAA_AUTH__KEYS", &list.to_string())]).unwrap();
    assert!(!settings.auth.keys[1].signs() && settings.auth.keys[1].file.is_some());
    let (told, _) = shown(&settings, "auth.keys");
    assert!(told.contains(r#""key":"********""#) && told.contains(path) && !told.contains("hunter2"), "{told}");
    let secrets = settings.secrets();
    assert!(secrets.iter().any(|secret| secrecy::ExposeSecret::expose_secret(secret) == SECRET), "it is redacted like any other");
}

#[test]
fn everything_that_is_wrong_with_keys_is_told_at_once_and_never_the_key() {
    let list = serde_json::json!([
        {"id": "a", "algorithm": "EdDSA", "key": pem("PUBLIC KEY", ED25519)},
        {"id": "../x", "algorithm": "HS256", "key": SECRET},
        {"id": "c", "algorithm": "none", "key": SECRET},
        {"id": "d", "algorithm": "HS256", "key": "hunter2"},
        {"id": "e", "algorithm": "HS256", "key": pem("PUBLIC KEY", RSA)},
        {"id": "f", "algorithm": "RS256", "key": pem("PRIVATE KEY", ED25519)},
        {"id": "g", "algorithm": "EdDSA", "key": SECRET},
        {"id": "h", "algorithm": "RS256", "key": pem("CERTIFICATE", RSA)},
        {"id": "i", "algorithm": "HS256"},
        {"id": "j", "algorithm": "HS256", "key": SECRET, "file": "x"},
        {"id": "k", "algorithm": "RS256", "file": "/no/such/file"},
        {"id": "a", "algorithm": "HS256", "key": SECRET},
        {"algorithm": "HS256", "key": SECRET, "kid": "x"},
        {"id": "m", "algorithm": "HS256", "key": 5},
    ]);
    let told = keys(&list);
    for expected in [
        "auth.keys[0].key        is a public key; the first key signs, and needs a private one",
        "auth.keys[1].id         is \"../x\"; 1 to 64 letters, digits, -, _ or . are needed",
        "auth.keys[2].algorithm  is \"none\"; one of HS256, EdDSA, RS256 is needed",
        "auth.keys[3].key        is 7 bytes; at least 32 are needed",
        "auth.keys[4].key        is a PEM; HS256 takes a secret, and nothing that anybody else may know",
        "auth.keys[5].key        is a key for something else than RS256",
        "auth.keys[6].key        is no PEM; EdDSA takes a private key, or a public one to check tokens only",
        "auth.keys[7].key        is a PEM of another kind; RS256 takes a private key, or a public one to check tokens only",
        "auth.keys[8]            has no key and no file; one of them is needed",
        "auth.keys[9]            has a key and a file; one of them is needed",
        "auth.keys[10].file      is \"/no/such/file\", which cannot be read: ",
        "auth.keys[11].id        is \"a\", which another key is called; every key needs its own",
        "auth.keys[12].kid       is not a setting; id is near",
        "auth.keys[12].id        is not set, and is needed",
        "auth.keys[13].key       is a number; a text is needed",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    assert!(told.starts_with("settings: 15 problems") && told.contains("(SAA_AUTH__KEYS)"), "{told}");
    assert!(!told.contains("hunter2") && !told.contains(&base64::encode(b"hunter2")), "{told}");
}

#[test]
fn with_redis_the_older_key_may_be_missing_if_others_are_there_for_what_it_did() {
    let list = serde_json::json!([{"id": "a", "algorithm": "HS256", "key": SECRET}]).to_string();
    let sealing = format!("a:{}", base64::encode(&[7; 32]));
    let (redis, keys, sealing) =
        (("REDIS_URL", "redis://h"), ("SAA_AUTH__KEYS", list.as_str()), ("SAA_STORE__SEALING_KEYS", sealing.as_str()));
    for missing in [&[redis, keys][..], &[redis, sealing], &[redis]] {
        let told = Settings::load_for_serving(with(missing)).unwrap_err().to_string();
        assert!(told.contains("auth.signing_key  is not set; with store.redis_url it is needed"), "{told}");
    }
    assert!(Settings::load_for_serving(with(&[redis, keys, sealing])).is_ok());
}
