//! What passes for a token, and what does not.

use jsonwebtoken::{EncodingKey, Header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{super::ring::TYPE, *};

const NOW: u64 = 1_795_340_710_123;

fn key() -> SecretString {
    "0123456789abcdef0123456789abcdef".into()
}

fn tokens() -> Tokens {
    Tokens::new(&key(), 24)
}

fn ours() -> Header {
    tokens().keys[0].header.clone()
}

fn claims() -> Value {
    let iat = NOW / 1000;
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": iat + 3600, "nbf": iat, "iat": iat, "jti": "j", "iat_ms": NOW, "role": "user"})
}

fn signed(header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(key().expose_secret().as_bytes())).unwrap()
}

#[test]
fn a_token_names_its_user_until_it_expires() {
    let issued = tokens().issue(&UserName::new("ann").unwrap(), Role::User, None, NOW).unwrap();
    assert_eq!(issued.expires_in_secs, 86_400);
    let bearer = tokens().check(&issued.token, NOW).unwrap();
    assert_eq!((bearer.user.as_str(), bearer.issued_ms), ("ann", NOW));
    assert!(tokens().check(&issued.token, NOW + 86_400_000).is_ok(), "within the leeway");
    assert_eq!(tokens().check(&issued.token, NOW + 86_406_000), Err(TokenError::Expired));
}

#[test]
fn every_claim_is_required_and_typed() {
    let header = ours();
    assert!(tokens().check(&signed(&header, &claims()), NOW).is_ok());
    let names: Vec<String> = claims().as_object().unwrap().keys().cloned().collect();
    for name in names {
        let mut without = claims();
        without.as_object_mut().unwrap().remove(&name);
        assert_eq!(tokens().check(&signed(&header, &without), NOW), Err(TokenError::Invalid), "without {name}");
        for wrong in [json!(null), json!([]), json!({}), json!(-1), json!(1e300), json!(true), json!("")] {
            let mut with = claims();
            with[&name] = wrong.clone();
            let told = tokens().check(&signed(&header, &with), NOW);
            assert!(told.is_err() || name == "role", "{name} = {wrong}");
        }
    }
}

#[test]
fn times_that_cannot_be_ours_are_refused() {
    let header = ours();
    let iat = NOW / 1000;
    for (name, value) in [("nbf", iat + 60), ("exp", iat + 100 * 365 * 86_400), ("exp", iat - 1), ("iat_ms", NOW + 5000)] {
        let mut with = claims();
        with[name] = json!(value);
        assert_eq!(tokens().check(&signed(&header, &with), NOW), Err(TokenError::Invalid), "{name}");
    }
    let mut expired = claims();
    expired["exp"] = json!(iat + 10);
    assert_eq!(tokens().check(&signed(&header, &expired), NOW + 60_000), Err(TokenError::Expired));
}

#[test]
fn a_header_that_is_not_exactly_ours_is_refused() {
    let ours = ours();
    let changes: [fn(&mut Header); 7] = [
        |h| h.typ = Some("JWT".into()),
        |h| h.typ = Some("refresh+jwt".into()),
        |h| h.kid = Some("../../dev/null".into()),
        |h| h.jku = Some("http://evil/keys".into()),
        |h| h.crit = Some(vec!["exp".into()]),
        |h| h.x5u = Some("http://evil".into()),
        |h| h.cty = Some("JWT".into()),
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut header = ours.clone();
        change(&mut header);
        assert_eq!(tokens().check(&signed(&header, &claims()), NOW), Err(TokenError::Invalid), "change {i}");
    }
    let mut longer = Header::new(Algorithm::HS512);
    longer.typ = Some(TYPE.into());
    assert_eq!(tokens().check(&signed(&longer, &claims()), NOW), Err(TokenError::Invalid));
}

#[test]
fn a_changed_or_foreign_token_is_refused() {
    let issued = tokens().issue(&UserName::new("ann").unwrap(), Role::User, None, NOW).unwrap().token;
    let other = Tokens::new(&"another key another key another key".into(), 24);
    assert_eq!(other.check(&issued, NOW), Err(TokenError::Invalid));
    for at in (0..issued.len()).step_by(7) {
        let mut bytes = issued.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(changed == issued || tokens().check(&changed, NOW).is_err(), "byte {at}");
    }
    for odd in ["", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30.", &format!("{issued}="), &format!(" {issued}"), &"x".repeat(5000)] {
        assert_eq!(tokens().check(odd, NOW), Err(TokenError::Invalid));
    }
}

mod of_a_ring {
    use aws_lc_rs::{
        encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
        rsa::KeySize,
        signature::{Ed25519KeyPair, KeyPair},
    };

    use super::*;
    use crate::domain::{base64, signing::SigningAlgorithm};

    fn pem(label: &str, der: &[u8]) -> SecretString {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", base64::encode(der)).into()
    }

    fn ed25519() -> (SecretString, SecretString) {
        let pair = Ed25519KeyPair::generate().unwrap();
        let private = Ed25519KeyPair::to_pkcs8v1(&pair).unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        (pem("PRIVATE KEY", private.as_ref()), pem("PUBLIC KEY", public.as_ref()))
    }

    fn rsa() -> (SecretString, SecretString) {
        let pair = aws_lc_rs::signature::RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        (pem("PRIVATE KEY", private.as_ref()), pem("PUBLIC KEY", public.as_ref()))
    }

    fn given<'a>(id: &'a str, algorithm: SigningAlgorithm, key: &'a SecretString) -> GivenKey<'a> {
        GivenKey { id, algorithm, key }
    }

    fn ring(given: &[GivenKey<'_>], nameless: Option<&SecretString>) -> Tokens {
        Tokens::of_ring(given, nameless, 24).unwrap()
    }

    fn issued(tokens: &Tokens) -> String {
        tokens.issue(&UserName::new("ann").unwrap(), Role::User, None, NOW).unwrap().token
    }

    fn header_of(token: &str) -> Header {
        jsonwebtoken::decode_header(token).unwrap()
    }

    #[test]
    fn the_first_key_signs_and_all_check() {
        let (ed, rs, secret) = (ed25519().0, rsa().0, key());
        let keys = [
            given("e", SigningAlgorithm::EdDsa, &ed),
            given("r", SigningAlgorithm::Rs256, &rs),
            given("h", SigningAlgorithm::Hs256, &secret),
        ];
        let mut tokens = Vec::new();
        for first in 0..keys.len() {
            let mut order = keys;
            order.rotate_left(first);
            let token = issued(&ring(&order, None));
            let header = header_of(&token);
            assert_eq!((header.kid.as_deref(), header.typ.as_deref()), (Some(keys[first].id), Some(TYPE)));
            tokens.push(token);
        }
        for token in &tokens {
            assert_eq!(ring(&keys, None).check(token, NOW).unwrap().user.as_str(), "ann");
            assert_eq!(super::tokens().check(token, NOW), Err(TokenError::Invalid), "a ring without the key");
        }
    }

    #[test]
    fn a_key_is_changed_without_a_logout() {
        let (old, new) = (key(), ed25519().0);
        let before = Tokens::new(&old, 24);
        let nameless = issued(&before);
        assert_eq!(header_of(&nameless).kid, None);
        // A new key signs; what the old secret has signed is good as long as it is set.
        let between = ring(&[given("new", SigningAlgorithm::EdDsa, &new)], Some(&old));
        let named = issued(&between);
        assert!(between.check(&nameless, NOW).is_ok() && between.check(&named, NOW).is_ok());
        let after = ring(&[given("new", SigningAlgorithm::EdDsa, &new)], None);
        assert!(after.check(&named, NOW).is_ok());
        assert_eq!(after.check(&nameless, NOW), Err(TokenError::Invalid));
        // And without keys by name all is as it was.
        let alone = ring(&[], Some(&old));
        assert!(before.check(&issued(&alone), NOW).is_ok() && alone.check(&nameless, NOW).is_ok());
    }

    #[test]
    fn a_public_key_checks_and_signs_nothing() {
        for (algorithm, (private, public)) in [(SigningAlgorithm::EdDsa, ed25519()), (SigningAlgorithm::Rs256, rsa())] {
            let token = issued(&ring(&[given("a", algorithm, &private)], None));
            let checks = ring(&[given("own", SigningAlgorithm::Hs256, &key()), given("a", algorithm, &public)], None);
            assert!(checks.check(&token, NOW).is_ok(), "{algorithm:?}");
            let problems = Tokens::of_ring(&[given("a", algorithm, &public)], None, 24).err().unwrap();
            assert!(problems[0].starts_with("no key signs tokens"), "{problems:?}");
        }
    }

    #[test]
    fn a_key_is_used_with_its_own_algorithm_and_under_its_own_name() {
        let (private, public) = rsa();
        let (ed, _) = ed25519();
        let tokens = ring(&[given("r", SigningAlgorithm::Rs256, &private), given("e", SigningAlgorithm::EdDsa, &ed)], Some(&key()));
        let good = issued(&tokens);
        assert!(tokens.check(&good, NOW).is_ok());
        let mut header = header_of(&good);
        // The public key for a secret, as it is known to everybody: PEM, DER, under every name.
        let pem = public.expose_secret();
        for secret in [pem.as_bytes(), pem.trim().as_bytes(), &base64::decode(pem.lines().nth(1).unwrap()).unwrap()] {
            for kid in [Some("r"), Some("e"), None] {
                header.alg = Algorithm::HS256;
                header.kid = kid.map(str::to_owned);
                let forged = jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap();
                assert_eq!(tokens.check(&forged, NOW), Err(TokenError::Invalid), "{kid:?}");
            }
        }
        // The right key under another's name, under no name and under an unknown one.
        let rs = EncodingKey::from_rsa_pem(private.expose_secret().as_bytes()).unwrap();
        for (kid, algorithm) in [
            (Some("e"), Algorithm::RS256),
            (None, Algorithm::RS256),
            (Some("x"), Algorithm::RS256),
            (Some("r\u{0}"), Algorithm::RS256),
            (Some("../../dev/null"), Algorithm::RS256),
            (Some("r"), Algorithm::RS512),
            (Some("r"), Algorithm::PS256),
        ] {
            (header.alg, header.kid) = (algorithm, kid.map(str::to_owned));
            let forged = jsonwebtoken::encode(&header, &claims(), &rs).unwrap();
            assert_eq!(tokens.check(&forged, NOW), Err(TokenError::Invalid), "{kid:?} {algorithm:?}");
        }
        (header.alg, header.kid) = (Algorithm::RS256, Some("r".to_owned()));
        assert!(tokens.check(&jsonwebtoken::encode(&header, &claims(), &rs).unwrap(), NOW).is_ok(), "it is the name that was wrong");
        // The nameless secret under a name.
        let mut header = ours();
        header.kid = Some("r".to_owned());
        assert_eq!(tokens.check(&signed(&header, &claims()), NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn all_keys_that_cannot_be_used_are_told() {
        let (broken_ed, broken_rsa) = (pem("PRIVATE KEY", &[0x30, 5, 6, 3, 0x2b, 0x65, 0x70]), pem("RSA PUBLIC KEY", &[0x30, 0]));
        let keys = [given("a", SigningAlgorithm::EdDsa, &broken_ed), given("b", SigningAlgorithm::Rs256, &broken_rsa)];
        let told = Tokens::of_ring(&keys, Some(&key()), 24).err().unwrap();
        assert_eq!(
            told,
            [
                "the key a of auth.keys is no Ed25519 key that can be read (SAA_AUTH__KEYS)",
                "the key b of auth.keys is no RSA key of 2048 to 8192 bits that can be read (SAA_AUTH__KEYS)"
            ]
        );
    }
}
