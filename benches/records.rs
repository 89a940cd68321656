//! What sealing and compressing of stored records cost, by themselves and for a whole turn.
//!
//! `cargo bench --bench records` runs all. A turn's own share is what `a_turn` says: the session's key that `begin` offers, what was asked
//! sealed, the key in force unwrapped, the newest turns opened, the new one sealed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement may fail where it stands"
)]

use divan::{Bencher, black_box, counter::BytesCount};
use swagger_api_agent::{
    domain::user::UserName,
    secrets::{
        random,
        records::{DataKey, RecordKeys},
    },
    store::envelope::{Envelopes, Place},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of a turn that only talks, of one with a call or two, and of a long reply.
const SIZES: [usize; 4] = [400, 4 * 1024, 64 * 1024, 1024 * 1024];
const BOUND: [&str; 4] = ["turn", "ann", "5e0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d", "17"];

fn main() {
    divan::main();
}

fn keys() -> RecordKeys {
    RecordKeys::new([("new", &[1; 32]), ("old", &[2; 32])])
}

fn ann() -> UserName {
    UserName::new("ann").unwrap()
}

/// JSON as APIs send it: names that repeat, values that do not.
fn reply(bytes: usize) -> Vec<u8> {
    let mut text = String::from("10{\"items\":[");
    while text.len() < bytes {
        let (id, name) = (random::hex_of(8), random::hex_of(3));
        text.push_str(&format!("{{\"id\":\"{id}\",\"email\":\"{name}@example.com\",\"active\":true,\"role\":\"customer\"}},"));
    }
    text.truncate(bytes);
    text.into_bytes()
}

#[divan::bench]
fn session_key_offered(bencher: Bencher) {
    let keys = keys();
    bencher.bench_local(|| keys.new_data_key(black_box("ann")).unwrap());
}

#[divan::bench]
fn session_key_unwrapped(bencher: Bencher) {
    let keys = keys();
    let wrapped = keys.new_data_key("ann").unwrap().wrapped().to_vec();
    bencher.bench_local(|| keys.data_key("ann", black_box(&wrapped)).unwrap());
}

#[divan::bench(args = SIZES)]
fn turn_sealed(bencher: Bencher, bytes: usize) {
    let (key, turn) = (keys().new_data_key("ann").unwrap(), reply(bytes));
    bencher.counter(BytesCount::new(bytes)).bench_local(|| key.seal(&BOUND, b"24", black_box(&turn)).unwrap());
}

#[divan::bench(args = SIZES)]
fn turn_opened(bencher: Bencher, bytes: usize) {
    let key = keys().new_data_key("ann").unwrap();
    let sealed = key.seal(&BOUND, b"24", &reply(bytes)).unwrap();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| key.open(&BOUND, 2, black_box(&sealed)).unwrap());
}

/// What a turn of a few hundred bytes costs in all, with so many turns before it.
#[divan::bench(args = [0, 1, 10])]
fn a_turn(bencher: Bencher, before: usize) {
    let (keys, user, turn) = (keys(), ann(), reply(400));
    let key = keys.new_data_key("ann").unwrap();
    let (wrapped, history) = (key.wrapped().to_vec(), vec![key.seal(&BOUND, b"24", &turn).unwrap(); before]);
    let envelopes = Envelopes::new(self::keys(), true, 4096);
    bencher.bench_local(|| {
        let offered = keys.new_data_key("ann").unwrap();
        let input = envelopes.close(&Place::journal(&user, "run", "in"), &turn[..60]).unwrap().into_owned();
        let key = keys.data_key("ann", black_box(&wrapped)).unwrap();
        let told: usize = history.iter().map(|record| key.open(&BOUND, 2, record).unwrap().len()).sum();
        (offered, input, told, DataKey::seal(&key, &BOUND, b"24", black_box(&turn)).unwrap())
    });
}

#[divan::bench(args = SIZES)]
fn answer_sealed(bencher: Bencher, bytes: usize) {
    closed(bencher, &Envelopes::new(keys(), true, 0), bytes);
}

#[divan::bench(args = SIZES)]
fn answer_compressed(bencher: Bencher, bytes: usize) {
    closed(bencher, &Envelopes::new(RecordKeys::default(), false, 1), bytes);
}

#[divan::bench(args = SIZES)]
fn answer_compressed_and_sealed(bencher: Bencher, bytes: usize) {
    closed(bencher, &Envelopes::new(keys(), true, 1), bytes);
}

#[divan::bench(args = SIZES)]
fn answer_unpacked(bencher: Bencher, bytes: usize) {
    let (envelopes, user) = (Envelopes::new(RecordKeys::default(), false, 1), ann());
    let place = Place::answer(&user, "digest");
    let stored = envelopes.close(&place, reply(bytes)).unwrap().into_owned();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| envelopes.open(&place, black_box(&stored[..])).unwrap().len());
}

fn closed(bencher: Bencher, envelopes: &Envelopes, bytes: usize) {
    let (user, record) = (ann(), reply(bytes));
    let place = Place::answer(&user, "digest");
    bencher.counter(BytesCount::new(bytes)).bench_local(|| envelopes.close(&place, black_box(&record[..])).unwrap().len());
}
