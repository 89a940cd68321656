//! What it costs to know who asks: tokens that are seen for the first time and again, by algorithm; tokens that are made.
//!
//! `cargo bench --bench auth` runs all.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement may fail where it stands")]

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::KeySize,
    signature::{Ed25519KeyPair, RsaKeyPair},
};
use divan::{Bencher, black_box};
use secrecy::{ExposeSecret, SecretString};
use swagger_api_agent::{
    domain::{
        base64,
        signing::SigningAlgorithm,
        user::{Role, UserName},
    },
    secrets::{random, refresh::RefreshToken, ring::GivenKey, tokens::Tokens},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NOW: u64 = 1_795_340_710_123;
const ALGORITHMS: [&str; 3] = SigningAlgorithm::NAMES;
const LIFE_HOURS: u64 = 24;

fn main() {
    divan::main();
}

fn key(algorithm: SigningAlgorithm) -> SecretString {
    let pem = |der: &[u8]| format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", base64::encode(der)).into();
    match algorithm {
        SigningAlgorithm::Hs256 => random::hex_of(32).into(),
        SigningAlgorithm::EdDsa => pem(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref()),
        SigningAlgorithm::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
            pem(der.as_ref())
        }
    }
}

fn tokens(algorithm: &str, key: &SecretString) -> Tokens {
    let algorithm = SigningAlgorithm::parse(algorithm).unwrap();
    Tokens::of_ring(&[GivenKey { id: "2026-11", algorithm, key }], None, LIFE_HOURS).unwrap()
}

fn made(algorithm: &str) -> (Tokens, SecretString) {
    let key = key(SigningAlgorithm::parse(algorithm).unwrap());
    (tokens(algorithm, &key), key)
}

fn issued(tokens: &Tokens) -> String {
    let family = RefreshToken::first(&UserName::new("ann").unwrap()).family();
    tokens.issue(&UserName::new("ann").unwrap(), Role::User, Some(&family), NOW).unwrap().token
}

/// A token that this replica has not seen: header, signature, claims.
#[divan::bench(args = ALGORITHMS)]
fn checked_for_the_first_time(bencher: Bencher, algorithm: &str) {
    let (signs, key) = made(algorithm);
    let fresh = tokens(algorithm, &key);
    bencher.with_inputs(|| issued(&signs)).bench_values(|token| fresh.check(black_box(&token), NOW).unwrap());
}

/// One that it has seen lately, as nearly all are.
#[divan::bench]
fn checked_again(bencher: Bencher) {
    let (tokens, _) = made("HS256");
    let token = issued(&tokens);
    bencher.bench_local(|| tokens.check(black_box(&token), NOW).unwrap());
}

/// One whose signature is wrong: what a forger makes us do.
#[divan::bench(args = ALGORITHMS)]
fn refused(bencher: Bencher, algorithm: &str) {
    let (tokens, _) = made(algorithm);
    let token = issued(&tokens);
    let (signed, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "A".repeat(token.len() - signed.len() - 1));
    bencher.bench_local(|| tokens.check(black_box(&forged), NOW).is_err());
}

#[divan::bench(args = ALGORITHMS)]
fn signed(bencher: Bencher, algorithm: &str) {
    let (tokens, _) = made(algorithm);
    bencher.bench_local(|| issued(black_box(&tokens)));
}

/// What a rotation takes beside the access token and the store: the token is read, a successor made, sealed, and both are digested.
#[divan::bench]
fn refresh_token_rotated(bencher: Bencher) {
    let text = RefreshToken::first(&UserName::new("ann").unwrap()).text();
    bencher.bench_local(|| {
        let presented = RefreshToken::read(black_box(text.expose_secret())).unwrap();
        let successor = presented.successor();
        (presented.digest(), successor.digest(), presented.family(), presented.seal(&successor))
    });
}
