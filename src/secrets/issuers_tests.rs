//! Tokens that others sign: which are taken, whom they name, and the many that are not.

use std::sync::LazyLock;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde_json::json;

use super::*;

const ISSUER: &str = "https://id.example.org/realms/shop";
const NOW: u64 = 1_795_000_000;

struct Keys {
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    ed: Ed25519KeyPair::generate().expect("a key"),
    ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"),
});

fn url(bytes: &[u8]) -> String {
    base64::encode(bytes).replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
}

fn set() -> Value {
    let point = KEYS.ec.public_key().as_ref();
    json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "use": "sig", "alg": "EdDSA", "x": url(KEYS.ed.public_key().as_ref())},
        {"kty": "EC", "crv": "P-256", "kid": "ec", "x": url(&point[1..33]), "y": url(&point[33..])},
        {"kty": "oct", "kid": "secret", "k": url(b"a secret that everybody may read, because it stands in a public set")},
        {"kty": "EC", "crv": "P-256", "kid": "enc", "use": "enc", "x": url(&point[1..33]), "y": url(&point[33..])},
        {"kty": "RSA", "kid": "short", "n": url(&[0xc1; 128]), "e": "AQAB"},
        {"kty": "new"}, 7,
    ]})
}

fn keys() -> IssuerKeys {
    IssuerKeys::read(&set().to_string()).expect("keys")
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": ["account", "agent"], "sub": "f3a1", "preferred_username": "ann", "iat": NOW, "exp": NOW + 300, "jti": "t1",
        "realm_access": {"roles": ["staff", "agent-admin"]}, "https://example.org/roles": "staff agent-admin"})
}

fn token(header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", url(header.to_string().as_bytes()), url(claims.to_string().as_bytes()));
    let signature = match header["alg"].as_str() {
        Some("ES256") => KEYS.ec.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature").as_ref().to_vec(),
        _ => KEYS.ed.sign(signed.as_bytes()).as_ref().to_vec(),
    };
    format!("{signed}.{}", url(&signature))
}

fn of(claims: &Value) -> String {
    token(&json!({"alg": "EdDSA", "kid": "ed", "typ": "JWT"}), claims)
}

fn terms(admins: &[String]) -> Terms<'_> {
    Terms {
        issuer: ISSUER,
        audience: "agent",
        user_claim: "preferred_username",
        user_prefix: "shop/",
        role_claim: Some("realm_access.roles"),
        admin_roles: admins,
    }
}

fn read(token: &str) -> Result<Outsider, NotAccepted> {
    check(token, &terms(&["agent-admin".to_owned()]), &keys())
}

#[test]
fn only_keys_that_check_signatures_are_taken_from_a_set() {
    crate::secrets::install_crypto();
    assert_eq!(keys().count(), 2);
    for (text, why) in
        [("{", "is no JSON"), ("{\"keys\": 1}", "is no JWK set: it has no list of keys"), ("[]", "is no JWK set: it has no list of keys")]
    {
        assert_eq!(IssuerKeys::read(text).err(), Some(why));
    }
    assert!(IssuerKeys::read("{\"keys\": []}").err().is_some_and(|why| why.starts_with("has no key")));
}

#[test]
fn a_token_names_a_user_behind_the_issuers_prefix_with_the_role_of_a_claim() {
    crate::secrets::install_crypto();
    for header in [
        json!({"alg": "EdDSA", "kid": "ed"}),
        json!({"alg": "ES256", "kid": "ec", "typ": "at+jwt"}),
        json!({"alg": "ES256", "typ": "application/JWT", "x5t": "a"}),
    ] {
        let outsider = read(&token(&header, &claims())).unwrap_or_else(|_| panic!("{header}"));
        assert_eq!((outsider.bearer.user.as_str(), outsider.role), ("shop/ann", Some(Role::Admin)));
        assert_eq!((outsider.bearer.issued_ms, outsider.bearer.expires_ms), (NOW * 1000, (NOW + 300) * 1000));
        assert!(outsider.bearer.family().is_none());
    }
    let (none, admins) = (Vec::new(), vec!["agent-admin".to_owned()]);
    let role = |terms: Terms<'_>| check(&of(&claims()), &terms, &keys()).expect("a user").role;
    assert_eq!(role(terms(&none)), Some(Role::User));
    assert_eq!(role(Terms { role_claim: None, ..terms(&admins) }), None);
    assert_eq!(role(Terms { role_claim: Some("https://example.org/roles"), ..terms(&admins) }), Some(Role::Admin));
    assert_eq!(role(Terms { role_claim: Some("realm_access.none"), ..terms(&admins) }), Some(Role::User));
}

#[test]
fn its_time_is_held_against_ours_with_some_leeway() {
    crate::secrets::install_crypto();
    let outsider = read(&of(&claims())).expect("a user");
    let at = |secs: u64| outsider.is_good_at(secs * 1000);
    assert_eq!([at(NOW - 30), at(NOW), at(NOW + 329)], [Ok(()); 3]);
    assert_eq!((at(NOW - 31), at(NOW + 330)), (Err(TokenError::Invalid), Err(TokenError::Expired)));
    let mut later = claims();
    later["nbf"] = json!(1_795_000_100.5);
    assert_eq!(read(&of(&later)).expect("a user").is_good_at(NOW * 1000), Err(TokenError::Invalid));
}

#[test]
fn claims_that_are_wrong_missing_or_of_another_type_are_refused() {
    crate::secrets::install_crypto();
    let wrong = [
        ("iss", json!("https://id.example.org/realms/other")),
        ("iss", json!([ISSUER])),
        ("aud", json!("account")),
        ("aud", json!({"agent": 1})),
        ("aud", json!(["Agent"])),
        ("exp", json!("1795000300")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!(NOW + 100 * 365 * 86_400)),
        ("exp", json!(NOW - 1)),
        ("iat", json!("now")),
        ("nbf", json!("now")),
        ("preferred_username", json!("")),
        ("preferred_username", json!("an n")),
        ("preferred_username", json!(7)),
        ("preferred_username", json!("x".repeat(64))),
    ];
    for (name, value) in wrong {
        let mut claims = claims();
        claims[name] = value.clone();
        assert_eq!(read(&of(&claims)), Err(NotAccepted::Invalid), "{name} {value}");
    }
    for name in ["iss", "aud", "exp", "iat", "preferred_username"] {
        let mut claims = claims();
        claims.as_object_mut().expect("an object").remove(name);
        assert_eq!(read(&of(&claims)), Err(NotAccepted::Invalid), "without {name}");
    }
    let unproved =
        json!({"iss": ISSUER, "aud": "agent", "email": "ann@example.org", "email_verified": false, "iat": NOW, "exp": NOW + 300});
    let terms = Terms { user_claim: "email", user_prefix: "", ..terms(&[]) };
    assert_eq!(check(&of(&unproved), &terms, &keys()), Err(NotAccepted::Invalid));
    let mut untold = unproved.clone();
    untold.as_object_mut().expect("claims").remove("email_verified");
    assert_eq!(check(&of(&untold), &terms, &keys()), Err(NotAccepted::Invalid), "nobody says that it is theirs");
    let mut proved = unproved.clone();
    proved["email_verified"] = json!(true);
    assert_eq!(check(&of(&proved), &terms, &keys()).expect("a user").bearer.user.as_str(), "ann@example.org");
}

#[test]
fn headers_that_ask_for_more_name_no_key_or_another_algorithm_are_refused() {
    crate::secrets::install_crypto();
    let secret = jsonwebtoken::EncodingKey::from_secret(b"a secret that everybody may read, because it stands in a public set");
    let mut of_secret = jsonwebtoken::Header::new(Algorithm::HS256);
    of_secret.kid = Some("secret".to_owned());
    let of_secret = jsonwebtoken::encode(&of_secret, &claims(), &secret).expect("a token");
    let unknown = [
        of_secret,
        token(&json!({"alg": "EdDSA", "kid": "other"}), &claims()),
        token(&json!({"alg": "ES256", "kid": "enc"}), &claims()),
        token(&json!({"alg": "ES256", "kid": "ed"}), &claims()),
        token(&json!({"alg": "HS256", "kid": "ed"}), &claims()),
    ];
    for token in unknown {
        assert_eq!(read(&token), Err(NotAccepted::UnknownKey), "{token}");
    }
    let mut invalid = Vec::new();
    for (name, value) in
        [("crit", json!(["exp"])), ("jku", json!("https://evil.example")), ("jwk", json!({})), ("x5u", json!("https://evil.example"))]
    {
        invalid.push(token(&json!({"alg": "EdDSA", "kid": "ed", name: value}), &claims()));
    }
    for header in [
        json!({"alg": "none"}),
        json!({"kid": "ed"}),
        json!({"alg": "EdDSA", "kid": 7}),
        json!({"alg": "EdDSA", "typ": "refresh+jwt"}),
        json!({"alg": "EdDSA", "typ": 1}),
    ] {
        invalid.push(token(&header, &claims()));
    }
    let good = of(&claims());
    let (signed, signature) = good.rsplit_once('.').expect("a signature");
    invalid.push(format!("{signed}."));
    invalid.push(format!("{signed}.{}", url(&[0; 64])));
    invalid.push(format!("{good}="));
    invalid.push(format!("{good}.x"));
    let other = of(&json!({"iss": ISSUER}));
    invalid.push(format!("{}.{signature}", other.rsplit_once('.').expect("a signature").0));
    invalid.push(of(&{
        let mut long = claims();
        long["pad"] = json!("x".repeat(ISSUER_TOKEN_BYTES_MAX));
        long
    }));
    for token in invalid {
        assert_eq!(read(&token), Err(NotAccepted::Invalid), "{token:.300}");
    }
}

#[test]
fn who_says_to_have_issued_a_token_is_read_without_believing_it() {
    assert_eq!(named_issuer(&of(&claims())).as_deref(), Some(ISSUER));
    for token in ["", "a", "a.b", "a.b.c", "a.b.c.d", &format!("x.{}.y", url(b"{\"iss\": 7}"))] {
        assert_eq!(named_issuer(token), None, "{token}");
    }
}

#[test]
fn a_token_without_an_id_is_known_by_what_was_signed() {
    crate::secrets::install_crypto();
    let mut nameless = claims();
    nameless.as_object_mut().expect("an object").remove("jti");
    // An ECDSA signature is another one each time.
    let header = json!({"alg": "ES256", "kid": "ec"});
    let ids: Vec<_> = (0..2).map(|_| read(&token(&header, &nameless)).expect("a user").bearer.token_id).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], read(&of(&claims())).expect("a user").bearer.token_id);
}
