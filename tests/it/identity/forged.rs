//! Some two hundred malformed and forged tokens, made from a good one: none lets anybody in, and nothing is written for any.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use swagger_api_agent::{
    clock::Clock,
    domain::user::{Role, UserName},
    secrets::tokens::Tokens,
};

use super::{
    Login, bearer, comes_in,
    forge::{base64url, claims, claims_with, claims_without, header, header_with, parts, signed, signed_with},
    logins_are_counted, on_both_stores, written,
};
use crate::harness::{
    bed::{Bed, On, SIGNING_KEY},
    shape::has,
};

on_both_stores! {
    no_forged_token_lets_anybody_in
}

/// Forged tokens that there are at least: a corpus that shrinks by mistake is noticed.
const FORGED_MIN: usize = 200;

async fn no_forged_token_lets_anybody_in(on: On) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    logins_are_counted(&bed).await;
    login.at(&bed, 0).get("/api/session/info").await.ok();
    let corpus = corpus(&login.token);
    assert!(corpus.len() >= FORGED_MIN, "{}", corpus.len());
    let before = written(&bed);
    for (what, token) in &corpus {
        // A read and a write that would both show.
        for reply in
            [bearer(&bed, 0, token).get("/api/session/info").await, bearer(&bed, 0, token).post("/api/session/reset", json!({})).await]
        {
            assert_eq!(reply.status, 401, "{what}: {token} is answered {}", reply.text());
            let body = reply.json();
            has(&body, "success:bool error:text message:text code:text request_id:text");
            let fields: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(fields, ["success", "error", "message", "code", "request_id"], "{what}");
            let code = body["code"].as_str().unwrap();
            let expected = if what.starts_with("expired") { "token_expired" } else { "token_invalid" };
            assert_eq!((&body["success"], code), (&json!(false), expected), "{what}: {token}");
            assert_eq!(reply.header("www-authenticate"), Some("Bearer error=\"invalid_token\""), "{what}");
        }
    }
    assert_eq!(written(&bed), before, "something was written for one of them");
    assert!(comes_in(&bed, 0, &login.token).await, "and the good one is good still");
}

/// What each is, and the token. All are different, and none is the good one.
fn corpus(good: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    unsigned(good, &mut all);
    cut(good, &mut all);
    changed(good, &mut all);
    encoded_otherwise(good, &mut all);
    by_header(&mut all);
    by_claims(&mut all);
    by_time(&mut all);
    by_key(&mut all);
    no_json(&mut all);
    let mut seen = BTreeSet::from([good.to_owned()]);
    all.retain(|(_, token)| seen.insert(token.clone()));
    all
}

type Corpus = Vec<(String, String)>;

fn unsigned(good: &str, all: &mut Corpus) {
    let [head, payload, signature] = parts(good);
    for algorithm in ["none", "None", "NONE", "nOnE", "", "null", "HS0"] {
        let head = base64url(json!({"typ": "at+jwt", "alg": algorithm}).to_string());
        all.push((format!("alg {algorithm}, no signature"), format!("{head}.{payload}.")));
        all.push((format!("alg {algorithm}, two parts"), format!("{head}.{payload}")));
        all.push((format!("alg {algorithm}, the old signature"), format!("{head}.{payload}.{signature}")));
    }
    all.push(("no signature".into(), format!("{head}.{payload}.")));
    all.push(("no signature and no dot".into(), format!("{head}.{payload}")));
    all.push(("a signature of zeros".into(), format!("{head}.{payload}.{}", base64url([0; 32]))));
    all.push(("no alg".into(), format!("{}.{payload}.{signature}", base64url(r#"{"typ":"at+jwt"}"#))));
    for (what, order) in [("payload first", [1, 0, 2]), ("signature first", [2, 0, 1]), ("backwards", [2, 1, 0])] {
        let parts = [head, payload, signature];
        all.push((what.into(), order.map(|at| parts[at]).join(".")));
    }
}

fn cut(good: &str, all: &mut Corpus) {
    for left in [1, 2, 5, good.len() / 4, good.len() / 2, good.len() - 44, good.len() - 43, good.len() - 2, good.len() - 1] {
        all.push((format!("cut to {left}"), good[..left].to_owned()));
    }
    for first in [1, 3, 10, good.len() / 2] {
        all.push((format!("without its first {first}"), good[first..].to_owned()));
    }
    let [head, payload, signature] = parts(good);
    for (what, token) in [
        ("no header", format!(".{payload}.{signature}")),
        ("no payload", format!("{head}..{signature}")),
        ("dots alone", "..".into()),
        ("many dots", ".".repeat(3000)),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as if encrypted", format!("{head}.{payload}.{signature}.{payload}.{signature}")),
        ("one after another", format!("{good}.{good}")),
        ("too long", format!("{good}{}", "A".repeat(6000))),
        ("a long signature", format!("{head}.{payload}.{}", "A".repeat(3000))),
        ("a long payload", format!("{head}.{}.{signature}", "A".repeat(3500))),
        ("one word", "Bearer".into()),
        ("the scheme twice", format!("Bearer {good}")),
        ("quoted", format!("\"{good}\"")),
        ("with a comma", format!("{good},{good}")),
    ] {
        all.push((what.into(), token));
    }
}

fn changed(good: &str, all: &mut Corpus) {
    for at in (3..good.len()).step_by(good.len() / 40) {
        let mut bytes = good.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        all.push((format!("byte {at} changed"), String::from_utf8(bytes).unwrap()));
    }
    let [head, payload, signature] = parts(good);
    let told: Value = serde_json::from_slice(&swagger_api_agent::domain::base64::decode(payload).unwrap()).unwrap();
    for (name, value) in [("sub", json!("root")), ("role", json!("admin")), ("exp", json!(4_000_000_000_u64)), ("jti", json!("x"))] {
        let mut changed = told.clone();
        changed[name] = value;
        all.push((format!("{name} changed under the old signature"), format!("{head}.{}.{signature}", base64url(changed.to_string()))));
    }
    let spaced = serde_json::to_string_pretty(&told).unwrap();
    all.push(("the same claims in other bytes".into(), format!("{head}.{}.{signature}", base64url(spaced))));
    all.push(("in upper case".into(), good.to_uppercase()));
    all.push(("in lower case".into(), good.to_lowercase()));
}

fn encoded_otherwise(good: &str, all: &mut Corpus) {
    let [head, payload, signature] = parts(good);
    for padding in ["=", "==", "===", "%3D", "%3d"] {
        all.push((format!("{padding:?} behind the signature"), format!("{head}.{payload}.{signature}{padding}")));
        all.push((format!("{padding:?} behind the payload"), format!("{head}.{payload}{padding}.{signature}")));
        all.push((format!("{padding:?} behind the header"), format!("{head}{padding}.{payload}.{signature}")));
    }
    for (what, token) in [
        ("a tab", format!("{head}\t.{payload}.{signature}")),
        ("a space before it", format!(" {good}")),
        ("a space inside", format!("{head}.{payload} .{signature}")),
        ("escaped dots", good.replace('.', "%2E")),
        ("the other alphabet's digit in front", format!("{head}.{payload}.+{}", &signature[1..])),
        ("another digit of it", format!("{head}.{payload}./{}", &signature[1..])),
        ("base64 of all of it", base64url(good)),
        ("each part encoded twice", [head, payload, signature].map(base64url).join(".")),
        ("the last digit with bits that do not count", format!("{}{}", &good[..good.len() - 1], with_idle_bits(good))),
    ] {
        all.push((what.into(), token));
    }
}

/// The last digit of 32 bytes in base64 has two bits that count for nothing; a reader that forgives them has four names for one token.
fn with_idle_bits(good: &str) -> char {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = DIGITS.find(good.chars().next_back().unwrap()).unwrap();
    DIGITS.as_bytes()[last | 1].into()
}

fn by_header(all: &mut Corpus) {
    let payload = claims("ann").to_string();
    for kid in ["", "a", "1", "../../etc/passwd", "/dev/null", "http://127.0.0.1/key", "' OR '1'='1", "\n", "张三", "%2e%2e%2f"] {
        all.push((format!("kid {kid:?}"), signed(&header_with("kid", json!(kid)), &payload)));
    }
    for kid in [json!(null), json!(5), json!([]), json!({"a": 1}), json!(true)] {
        let token = signed(&header_with("kid", kid.clone()), &payload);
        // `null` is how some say that there is none.
        if !kid.is_null() {
            all.push((format!("kid {kid}"), token));
        }
    }
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("at+JWT")),
        ("typ", json!("application/at+jwt")),
        ("typ", json!("refresh+jwt")),
        ("typ", json!(5)),
        ("cty", json!("JWT")),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!("exp")),
        ("jku", json!("https://evil.test/keys")),
        ("jwk", json!({"kty": "oct", "k": "AAAA"})),
        ("x5u", json!("https://evil.test/cert")),
        ("x5c", json!(["AAAA"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
        ("enc", json!("A256GCM")),
        ("zip", json!("DEF")),
        ("b64", json!(false)),
        ("nonce", json!("1")),
        ("anything", json!("else")),
        ("alg", json!("HS384")),
        ("alg", json!("HS512")),
        ("alg", json!("RS256")),
        ("alg", json!("EdDSA")),
        ("alg", json!("ES256")),
        ("alg", json!("PS512")),
        ("alg", json!("dir")),
        ("alg", json!(["HS256"])),
        ("alg", json!(256)),
    ] {
        all.push((format!("header {name} = {value}"), signed(&header_with(name, value), &payload)));
    }
    for (what, header) in [
        ("two algs", r#"{"typ":"at+jwt","alg":"none","alg":"HS256"}"#),
        ("the right alg first", r#"{"typ":"at+jwt","alg":"HS256","alg":"none"}"#),
        ("two typs", r#"{"typ":"JWT","typ":"at+jwt","alg":"HS256"}"#),
        ("no typ", r#"{"alg":"HS256"}"#),
        ("alg in upper case", r#"{"typ":"at+jwt","ALG":"HS256"}"#),
        ("a list", r#"["at+jwt","HS256"]"#),
        ("a text", r#""HS256""#),
        ("nothing", ""),
        ("something behind it", r#"{"typ":"at+jwt","alg":"HS256"}x"#),
    ] {
        all.push((format!("header: {what}"), signed_with(hmac::HMAC_SHA256, SIGNING_KEY.as_bytes(), header, &payload)));
    }
}

fn by_claims(all: &mut Corpus) {
    for name in ["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "iat_ms", "role"] {
        all.push((format!("without {name}"), signed(&header(), &claims_without("ann", name))));
        let wrong = [json!(null), json!([]), json!({}), json!(true)];
        for value in wrong {
            all.push((format!("{name} = {value}"), signed(&header(), &claims_with("ann", name, value))));
        }
    }
    for (name, value) in [
        ("iss", json!("https://issuer.test")),
        ("iss", json!("Swagger-API-Agent")),
        ("iss", json!("swagger-api-agent ")),
        ("aud", json!("another")),
        ("aud", json!(["another"])),
        ("sub", json!("")),
        ("sub", json!("ann root")),
        ("sub", json!("a\u{0}b")),
        ("sub", json!("x".repeat(65))),
        ("sub", json!(5)),
        ("jti", json!("")),
        ("jti", json!(7)),
    ] {
        all.push((format!("{name} = {value}"), signed(&header(), &claims_with("ann", name, value))));
    }
    let whole = claims("ann").to_string();
    for claim in [r#""sub":"root""#, r#""sub":"ann""#, r#""exp":9999999999"#, r#""nbf":0"#, r#""iat":1"#, r#""jti":"x""#, r#""iat_ms":1"#] {
        all.push((format!("twice: {claim}"), signed(&header(), &format!("{{{claim},{}", &whole[1..]))));
    }
}

fn by_time(all: &mut Corpus) {
    let now = Clock::System.now_ms();
    let secs = now / 1000;
    let dated = |iat: u64, nbf: u64, exp: u64| {
        let mut claims = claims("ann");
        for (name, value) in [("iat", iat), ("nbf", nbf), ("exp", exp), ("iat_ms", iat * 1000)] {
            claims[name] = json!(value);
        }
        signed(&header(), &claims.to_string())
    };
    for (what, token) in [
        ("expired an hour ago", dated(secs - 7200, secs - 7200, secs - 3600)),
        ("expired long ago", dated(1, 1, 3600)),
        ("expired in 1970", dated(0, 0, 0)),
        ("nbf in an hour", dated(secs, secs + 3600, secs + 7200)),
        ("nbf in ten years", dated(secs, secs + 315_360_000, secs + 3600)),
        ("made in an hour", dated(secs + 3600, secs, secs + 7200)),
        ("a life of a century", dated(secs, secs, secs + 3_153_600_000)),
        ("a life of more than we give", dated(secs, secs, secs + 86_401)),
        ("an end before the beginning", dated(secs, secs, secs - 1)),
    ] {
        all.push((what.into(), token));
    }
    for (name, value) in [
        ("exp", json!("9999999999")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!(1.5)),
        ("exp", json!(u64::MAX)),
        ("nbf", json!("0")),
        ("nbf", json!(-1)),
        ("nbf", json!(u64::MAX)),
        ("iat", json!(-5)),
        ("iat", json!(u64::MAX)),
        ("iat_ms", json!(now + 10_000)),
        ("iat_ms", json!(1)),
    ] {
        all.push((format!("{name} = {value}"), signed(&header(), &claims_with("ann", name, value))));
    }
}

fn by_key(all: &mut Corpus) {
    let (header, payload) = (header().to_string(), claims("ann").to_string());
    let keys: [&[u8]; 8] = [
        b"",
        b"secret",
        b"\0",
        b"another key, as long as the right one must be",
        &SIGNING_KEY.as_bytes()[1..],
        b"null",
        b"HS256",
        &[0; 32],
    ];
    for key in keys {
        let what = format!("signed with {:?}", String::from_utf8_lossy(key));
        all.push((what, signed_with(hmac::HMAC_SHA256, key, &header, &payload)));
    }
    for (name, algorithm) in
        [("SHA-512", hmac::HMAC_SHA512), ("SHA-384", hmac::HMAC_SHA384), ("SHA-1", hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY)]
    {
        all.push((format!("HS256 by name, {name} in truth"), signed_with(algorithm, SIGNING_KEY.as_bytes(), &header, &payload)));
    }
    let foreign = Tokens::new(&"another key, as long as the right one must be".into(), 24);
    let issued = foreign.issue(&UserName::new("ann").unwrap(), Role::Admin, None, Clock::System.now_ms()).unwrap();
    all.push(("of another service".into(), issued.token));
}

fn no_json(all: &mut Corpus) {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(800), "]".repeat(800));
    for payload in ["", "null", "{}", "[]", "\"ann\"", "5", "{", "{\"sub\":\"ann\"", "\u{feff}{}", deep.as_str()] {
        let what: String = payload.chars().take(20).collect();
        all.push((format!("payload {what:?}"), signed(&header(), payload)));
    }
    let whole = claims("ann").to_string();
    all.push(("something behind the payload".into(), signed(&header(), &format!("{whole}{whole}"))));
    all.push(("a byte order mark before it".into(), signed(&header(), &format!("\u{feff}{whole}"))));
    let head = base64url(header().to_string());
    for bytes in [&[0xff, 0xfe, 0x00][..], &[0xc3, 0x28], &[0; 64]] {
        all.push((format!("payload of bytes {:?}", &bytes[..2]), format!("{head}.{}.{}", base64url(bytes), base64url([1; 32]))));
    }
}
