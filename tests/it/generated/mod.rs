//! The reader of documents, the maker of requests and whole turns against what nobody thought of: documents, arguments and models made at
//! random, for as long as `GENERATED_SECS` says (a few seconds unless it is set; `tests/run` gives each property a minute).

mod calls;
mod decode;
mod document;
mod garbage;
mod hostile;
mod text;

use std::time::{Duration, Instant};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseResult, TestRunner},
};

/// How long a property is tried when nothing else is said.
const SECS: u64 = 3;
/// Cases between two looks at the clock.
const CASES: u32 = 32;

/// How long a property is tried.
#[expect(clippy::disallowed_methods, reason = "a test looks at its environment")]
fn secs() -> u64 {
    std::env::var("GENERATED_SECS").ok().map_or(SECS, |secs| secs.parse().expect("GENERATED_SECS is a number of seconds"))
}

/// Tries a property with new values until the time is over; a failure is shown with the smallest value that was found for it.
fn for_a_while<S: Strategy>(values: &S, property: impl Fn(S::Value) -> TestCaseResult) {
    let secs = secs();
    let end = Instant::now() + Duration::from_secs(secs);
    let mut cases = 0;
    while Instant::now() < end {
        // Each runner begins with a seed of its own.
        let config = Config { cases: CASES, failure_persistence: None, max_shrink_time: 30_000, ..Config::default() };
        if let Err(failure) = TestRunner::new(config).run(values, &property) {
            panic!("after {cases} cases: {failure}");
        }
        cases += CASES;
    }
    println!("{cases} cases in {secs} s");
}
