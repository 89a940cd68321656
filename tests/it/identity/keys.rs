//! Keys that change under people who are logged in.

use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
use secrecy::SecretString;
use serde_json::{Value, json};
use swagger_api_agent::{
    app::App,
    domain::{base64, signing::SigningAlgorithm},
    settings::SigningKey,
};

use super::{
    Login, bearer, comes_in,
    forge::{claims, header_with, parts, signed_with},
    on_both_stores,
};
use crate::harness::bed::{Bed, On};

on_both_stores! {
    a_new_key_signs_and_nobody_is_logged_out
    a_token_of_a_key_that_is_gone_is_invalid_and_its_login_goes_on
}

fn key(id: &str, algorithm: SigningAlgorithm, key: impl Into<SecretString>) -> SigningKey {
    SigningKey { id: id.to_owned(), algorithm, key: key.into(), file: None }
}

fn secret(id: &str) -> SigningKey {
    key(id, SigningAlgorithm::Hs256, format!("a secret of enough bytes that is called {id}"))
}

fn ed25519(id: &str) -> SigningKey {
    let der = Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", base64::encode(der.as_ref()));
    key(id, SigningAlgorithm::EdDsa, pem)
}

async fn with_keys(bed: &mut Bed, keys: Vec<SigningKey>) {
    bed.settings.auth.keys = keys;
    bed.restart(async |_| {}).await;
}

/// What a token says of its key.
fn header_of(token: &str) -> Value {
    serde_json::from_slice(&base64::decode(parts(token)[0]).unwrap()).unwrap()
}

async fn a_new_key_signs_and_nobody_is_logged_out(on: On) {
    let mut bed = Bed::on(on).await;
    let mut logins = vec![Login::new(&bed, "ann").await];
    assert_eq!(header_of(&logins[0].token), json!({"typ": "at+jwt", "alg": "HS256"}), "as it always was");
    let (first, second) = (secret("first"), ed25519("second"));
    for (keys, expected) in [
        (vec![first.clone()], json!({"typ": "at+jwt", "alg": "HS256", "kid": "first"})),
        (vec![second.clone(), first.clone()], json!({"typ": "at+jwt", "alg": "EdDSA", "kid": "second"})),
    ] {
        with_keys(&mut bed, keys).await;
        let login = Login::new(&bed, "ann").await;
        assert_eq!(header_of(&login.token), expected);
        logins.push(login);
        for login in &mut logins {
            assert!(comes_in(&bed, 0, &login.token).await);
        }
    }
    for login in &logins {
        let next = Login::of(&login.refreshes(&bed, 0).await.ok());
        assert_eq!(header_of(&next.token)["kid"], "second", "whoever refreshes gets one of the new key");
    }
}

async fn a_token_of_a_key_that_is_gone_is_invalid_and_its_login_goes_on(on: On) {
    let mut bed = Bed::with(on, |settings| settings.auth.keys = vec![secret("old")]).await;
    let login = Login::new(&bed, "ann").await;
    with_keys(&mut bed, vec![ed25519("new")]).await;
    bearer(&bed, 0, &login.token).get("/api/session/info").await.refused(401, "token_invalid");
    let next = Login::of(&login.refreshes(&bed, 0).await.ok());
    assert!(comes_in(&bed, 0, &next.token).await, "refresh tokens are signed by nobody");
    // The name alone makes nothing good.
    let old = b"a secret of enough bytes that is called old";
    for kid in ["new", "old"] {
        let forged = signed_with(hmac::HMAC_SHA256, old, &header_with("kid", json!(kid)).to_string(), &claims("ann").to_string());
        bearer(&bed, 0, &forged).get("/api/session/info").await.refused(401, "token_invalid");
    }
}

#[tokio::test]
async fn keys_that_cannot_be_used_stop_the_start_and_all_are_told() {
    let bed = Bed::on(On::Redis).await;
    let mut settings = bed.settings.clone();
    settings.auth.keys = vec![key("a", SigningAlgorithm::EdDsa, "no key"), key("b", SigningAlgorithm::Rs256, "no key")];
    let told = Box::pin(App::build(settings)).await.err().expect("no start").to_string();
    assert!(told.contains("the key a of auth.keys is no Ed25519 key") && told.contains("the key b of auth.keys is no RSA key"), "{told}");
}
