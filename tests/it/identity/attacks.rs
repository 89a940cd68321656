//! The first seven rows of the table of attacks, each with what is answered and what came of it.

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use swagger_api_agent::clock::Clock;

use super::{
    Login, bearer, comes_in, exchanged,
    forge::{base64url, claims, claims_with, claims_without, header, header_with, parts, signed, signed_with},
    logins_are_counted, on_both_stores, written,
};
use crate::harness::{
    bed::{Bed, On, SIGNING_KEY},
    client::Reply,
    process::Process,
    until,
};

on_both_stores! {
    row_01_no_token_garbage_and_an_expired_token
    row_02_no_algorithm_another_and_the_public_key_for_a_secret
    row_03_claims_and_headers_that_no_token_of_ours_has
    row_04_a_key_id_that_is_a_path_or_sql_or_huge
    row_05_claims_twice_padding_and_white_space
    row_06_a_refresh_token_for_access_and_an_access_token_for_refresh
    row_07_a_refresh_token_that_was_used_before
}

/// A bed with a user who has a session, and what was written until then.
async fn scene(on: On) -> (Bed, Login, Vec<u8>) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    logins_are_counted(&bed).await;
    login.at(&bed, 0).get("/api/session/info").await.ok();
    let before = written(&bed);
    (bed, login, before)
}

/// The token lets nobody in: 401 with a challenge, nothing written, nothing fetched. What is told beside the request's id.
async fn refused(bed: &Bed, before: &[u8], token: &str, code: &str) -> Value {
    let reply = bearer(bed, 0, token).post("/api/process", json!({"message": "hello"})).await;
    let body = without_id(&reply, code);
    assert_eq!(reply.header("www-authenticate"), Some("Bearer error=\"invalid_token\""), "{token}");
    assert_eq!(written(bed), before, "something was written for {token}");
    assert!(bed.upstream.log().is_empty() && bed.llm.asked().is_empty(), "something was asked for {token}");
    body
}

fn without_id(reply: &Reply, code: &str) -> Value {
    let mut body = reply.refused(401, code);
    body.as_object_mut().unwrap().remove("request_id");
    body
}

/// All of them are refused, with one and the same body.
async fn all_refused(bed: &Bed, before: &[u8], tokens: impl IntoIterator<Item = String>) {
    let mut told: Option<Value> = None;
    for token in tokens {
        let body = refused(bed, before, &token, "token_invalid").await;
        assert_eq!(*told.get_or_insert_with(|| body.clone()), body, "for {token}");
    }
}

async fn row_01_no_token_garbage_and_an_expired_token(on: On) {
    let (bed, login, before) = scene(on).await;
    // Without a token there is nothing that could be invalid (RFC 6750, 3.1).
    let none = bed.nobody().get("/api/session/info").await;
    none.refused(401, "token_missing");
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    all_refused(&bed, &before, ["garbage", "a.b.c", "..", &base64url([0xff; 300])].map(str::to_owned)).await;
    let secs = Clock::System.now_ms() / 1000;
    let mut expired = claims("ann");
    for (name, value) in [("iat", secs - 7200), ("nbf", secs - 7200), ("exp", secs - 3600), ("iat_ms", (secs - 7200) * 1000)] {
        expired[name] = json!(value);
    }
    refused(&bed, &before, &signed(&header(), &expired.to_string()), "token_expired").await;
    assert!(comes_in(&bed, 0, &login.token).await);
}

async fn row_02_no_algorithm_another_and_the_public_key_for_a_secret(on: On) {
    let (bed, login, before) = scene(on).await;
    let payload = claims("ann").to_string();
    let mut forged = Vec::new();
    for algorithm in ["none", "None", "nOnE", "NONE", ""] {
        let head = format!("{}.{}", base64url(header_with("alg", json!(algorithm)).to_string()), base64url(&payload));
        forged.extend([format!("{head}."), format!("{head}.{}", parts(&login.token)[2])]);
    }
    let secret = SIGNING_KEY.as_bytes();
    for (name, algorithm) in [("HS512", hmac::HMAC_SHA512), ("HS384", hmac::HMAC_SHA384)] {
        forged.push(signed_with(algorithm, secret, &header_with("alg", json!(name)).to_string(), &payload));
    }
    // The right signature under another name.
    forged.extend(["RS256", "EdDSA", "ES256", "PS256", "hs256"].map(|name| signed(&header_with("alg", json!(name)), &payload)));
    all_refused(&bed, &before, forged).await;
}

async fn row_03_claims_and_headers_that_no_token_of_ours_has(on: On) {
    let (bed, _, before) = scene(on).await;
    let secs = Clock::System.now_ms() / 1000;
    let mut forged: Vec<String> = ["aud", "iss", "sub", "exp", "nbf", "iat", "jti"].map(|name| claims_without("ann", name)).to_vec();
    for (name, value) in [
        ("aud", json!(["swagger-api-agent", 5])),
        ("aud", json!({"of": "swagger-api-agent"})),
        ("iss", json!(["swagger-api-agent"])),
        ("iss", json!("another")),
        ("nbf", json!(secs + 3600)),
        ("exp", json!((secs + 3600).to_string())),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!(secs + 100 * 365 * 86_400)),
    ] {
        forged.push(claims_with("ann", name, value));
    }
    let by_claims = forged.iter().map(|payload| signed(&header(), payload)).collect::<Vec<_>>();
    all_refused(&bed, &before, by_claims).await;
    let keys = format!("{}/keys", bed.upstream.url);
    let jwk = json!({"kty": "oct", "k": base64url(SIGNING_KEY)});
    let by_header = [
        header_with("crit", json!(["exp"])),
        header_with("typ", json!("refresh+jwt")),
        header_with("typ", json!("JWT")),
        header_with("jku", json!(keys)),
        header_with("jwk", jwk),
        header_with("x5u", json!(keys)),
    ];
    // That nothing was fetched is looked at for each.
    all_refused(&bed, &before, by_header.map(|header| signed(&header, &claims("ann").to_string()))).await;
}

async fn row_04_a_key_id_that_is_a_path_or_sql_or_huge(on: On) {
    let (bed, login, before) = scene(on).await;
    // An empty file as the key would make an empty secret the right one.
    let odd = ["../../dev/null", "/dev/null", "file:///dev/null", "' OR 1=1 --", "x' UNION SELECT 'secret", "", "\u{0}", "signing.key"];
    let mut forged = Vec::new();
    for kid in odd.into_iter().map(str::to_owned).chain(["k".repeat(2000), "../".repeat(900)]) {
        let header = header_with("kid", json!(kid));
        forged.push(signed(&header, &claims("ann").to_string()));
        forged.push(signed_with(hmac::HMAC_SHA256, b"", &header.to_string(), &claims("ann").to_string()));
    }
    forged.push(signed(&header_with("kid", json!(["a", "b"])), &claims("ann").to_string()));
    all_refused(&bed, &before, forged).await;
    // A head of 64 KB is cut off before anybody looks for a token in it.
    let huge = signed(&header_with("kid", json!("k".repeat(64 * 1024))), &claims("ann").to_string());
    assert_eq!(bearer(&bed, 0, &huge).get("/api/session/info").await.status, 431);
    assert_eq!(written(&bed), before);
    assert!(comes_in(&bed, 0, &login.token).await);
}

async fn row_05_claims_twice_padding_and_white_space(on: On) {
    let (bed, login, before) = scene(on).await;
    let whole = claims("ann").to_string();
    let twice = |claim: &str| format!("{{{claim},{}", &whole[1..]);
    let mut forged: Vec<String> =
        [r#""sub":"root""#, r#""sub":"ann""#, r#""exp":1"#, r#""aud":"x""#].map(|c| signed(&header(), &twice(c))).into();
    let [head, payload, signature] = parts(&login.token);
    forged.extend([
        format!("{}=", login.token),
        format!("{}==", login.token),
        format!("{head}=.{payload}.{signature}"),
        format!("{head}.{payload}=.{signature}"),
        format!(" {}", login.token),
        format!("{head}. {payload}.{signature}"),
        format!("{head}.{payload}.{signature}\t{signature}"),
        format!("{} {}", login.token, login.token),
    ]);
    all_refused(&bed, &before, forged).await;
    assert!(comes_in(&bed, 0, &login.token).await);
}

async fn row_06_a_refresh_token_for_access_and_an_access_token_for_refresh(on: On) {
    let (bed, login, before) = scene(on).await;
    all_refused(&bed, &before, [login.refresh.clone()]).await;
    let mut told = None;
    for token in [login.token.as_str(), "", "x", "rt1.YW5u.x.y", &login.refresh[..login.refresh.len() - 1]] {
        let body = without_id(&exchanged(&bed, 0, token).await, "refresh_token_invalid");
        assert_eq!(*told.get_or_insert_with(|| body.clone()), body);
        assert_eq!(written(&bed), before, "for {token}");
    }
    assert!(comes_in(&bed, 0, &login.token).await);
    login.refreshes(&bed, 0).await.ok();
}

async fn row_07_a_refresh_token_that_was_used_before(on: On) {
    let (bed, login, _) = scene(on).await;
    let other = Login::new(&bed, "ann").await;
    let first = Login::of(&login.refreshes(&bed, 0).await.ok());
    let second = Login::of(&first.refreshes(&bed, 0).await.ok());
    let reused = login.refreshes(&bed, 0).await;
    reused.refused(401, "refresh_token_reused");
    assert_eq!(reused.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    for refresh in [&login.refresh, &first.refresh, &second.refresh] {
        exchanged(&bed, 0, refresh).await.refused(401, "refresh_token_invalid");
    }
    for token in [&login.token, &first.token, &second.token] {
        assert!(!comes_in(&bed, 0, token).await, "access tokens of the family are out as well");
    }
    assert!(comes_in(&bed, 0, &other.token).await, "another login of the user goes on");
    other.refreshes(&bed, 0).await.ok();
}

/// The log is where an operator learns of it.
#[tokio::test]
async fn row_07_is_told_in_the_log() {
    let bed = Bed::on(On::Redis).await;
    let process = Process::start(&bed.settings, &[]).await;
    let login = Login::new(&bed, "ann").await;
    let first = Login::of(&login.refreshes(&bed, 0).await.ok());
    first.refreshes(&bed, 0).await.ok();
    let door = bed.through(&process.base).nobody();
    door.post("/api/token/refresh", json!({"refresh_token": login.refresh})).await.refused(401, "refresh_token_reused");
    let noted = "a refresh token of ann came again after it was used: its login";
    until("a word in the log", async || process.log().contains(noted)).await;
    let log = process.log();
    for token in [&login.refresh, &first.refresh] {
        assert!(token.split('.').skip(2).all(|secret| !log.contains(secret)), "no part of a token is in it");
    }
}
