//! What counting costs: all that one turn with one call records, and what a scrape takes.

use std::time::{Duration, Instant};

use swagger_api_agent::metrics::{Asked, CallClass, CallOutcome, RunKind, RunOutcome, Stage, Verb, metrics};

fn main() {
    divan::main();
}

/// One turn with one round of calls: two moves of the planner, one call, five verbs of the store.
#[divan::bench]
fn a_turn(bencher: divan::Bencher<'_, '_>) {
    let verbs = ["enter", "begin", "step", "commit", "look"].map(|verb| metrics().store_verb(verb));
    bencher.bench_local(|| {
        let began = Instant::now();
        let held = metrics().lease();
        metrics().stage(Stage::Begin, began);
        for _ in 0..2 {
            metrics().stage(Stage::Model, Instant::now());
            metrics().tokens(900, 40);
        }
        metrics().stage(Stage::Upstream, Instant::now());
        metrics().call(CallClass::Safe, CallOutcome::Done);
        metrics().stage(Stage::Commit, Instant::now());
        metrics().stage(Stage::Turn, began);
        metrics().run_ended(RunKind::Turn, RunOutcome::Answered);
        for verb in &verbs {
            let began = Instant::now();
            verb.took(began.elapsed());
        }
        metrics().request("/api/process", Verb::Post, 200);
        drop(held);
    });
}

/// One request that is counted and nothing else.
#[divan::bench]
fn a_request() {
    metrics().request("/api/history", Verb::Get, 200);
}

#[divan::bench]
fn a_verb_of_the_store(bencher: divan::Bencher<'_, '_>) {
    let verb = metrics().store_verb("enter");
    bencher.bench_local(|| verb.took(Duration::from_micros(300)));
}

#[divan::bench]
fn a_scrape() -> usize {
    metrics().told(Asked { sessions: Some((1000, 10)), store_answers: true, draining: false }).len()
}
