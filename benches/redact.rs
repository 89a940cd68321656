//! What taking secrets out costs: building what looks for them, and looking through replies and pieces of answers that have none.
//!
//! `cargo bench --bench redact` runs all.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement may fail where it stands")]

use divan::{Bencher, black_box, counter::BytesCount};
use swagger_api_agent::{redact::Redactor, secrets::random};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Secrets of a small service and of one with many APIs.
const SECRETS: [usize; 2] = [8, 60];

fn main() {
    divan::main();
}

fn secrets(count: usize) -> Vec<String> {
    (0..count).map(|_| random::hex_of(16)).collect()
}

fn redactor(count: usize) -> Redactor {
    Redactor::of(secrets(count).iter().map(String::as_str))
}

/// JSON as APIs send it, of so many bytes, give or take a few; with escapes or without any.
fn reply(bytes: usize, escapes: bool) -> String {
    let link = if escapes { r"https:\/\/up.test\/items\/" } else { "https://up.test/items/" };
    let mut text = String::new();
    while text.len() < bytes {
        let (id, name) = (random::hex_of(8), random::hex_of(3));
        text.push_str(&format!("{{\"id\":\"{id}\",\"email\":\"{name}@example.com\",\"link\":\"{link}{id}\",\"role\":\"customer\"}},"));
    }
    text
}

#[divan::bench(args = SECRETS)]
fn built(bencher: Bencher, count: usize) {
    let secrets = secrets(count);
    bencher.bench_local(|| Redactor::of(black_box(&secrets).iter().map(String::as_str)));
}

/// A token of two kilobytes, as a turn has one that uses its user's own.
#[divan::bench]
fn built_for_a_long_token(bencher: Bencher) {
    let token = random::hex_of(1024);
    bencher.bench_local(|| Redactor::of([black_box(token.as_str())]));
}

#[divan::bench(args = SECRETS)]
fn reply_without_escapes(bencher: Bencher, count: usize) {
    let (redactor, reply) = (redactor(count), reply(64 * 1024, false));
    bencher.counter(BytesCount::of_str(&reply)).bench_local(|| redactor.text(black_box(&reply)).len());
}

#[divan::bench(args = SECRETS)]
fn reply_with_escapes(bencher: Bencher, count: usize) {
    let (redactor, reply) = (redactor(count), reply(64 * 1024, true));
    bencher.counter(BytesCount::of_str(&reply)).bench_local(|| redactor.text(black_box(&reply)).len());
}

#[divan::bench(args = SECRETS)]
fn piece_of_an_answer(bencher: Bencher, count: usize) {
    let redactor = redactor(count);
    let spoken = redactor.spoken();
    bencher.bench_local(|| spoken.piece(black_box(" orders")));
}
