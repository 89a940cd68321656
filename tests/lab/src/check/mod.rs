//! The checker: what must hold of every history, whatever went wrong. Pure functions over what was written down; `INVARIANTS` says each in
//! a sentence, `bad` proves that each can be seen to fail, and `doubt` that what nobody knows is held against nobody.

mod answers;
#[cfg(test)]
mod bad;
mod book;
mod calls;
mod chain;
#[cfg(test)]
mod doubt;
mod effects;
mod limits;
mod linear;
mod sessions;

use std::collections::BTreeMap;

use self::book::Book;
use crate::records::Histories;

/// The invariants, by number.
pub const INVARIANTS: [(u8, &str); 20] = [
    (1, "at most one effect of a changing call"),
    (2, "a call told as done took effect exactly once"),
    (3, "one key is one run and one answer, byte by byte; another body under it is refused"),
    (4, "what was told as final stays: conversations only grow, ended runs do not change, no turn is there twice"),
    (5, "an effect has a record that it was sent"),
    (6, "an unprotected call is sent once, another one as often as it was interrupted and no oftener"),
    (7, "told as not sent: never sent; told as unknown: something had gone wrong, and nothing changing was sent after it"),
    (8, "an acknowledged turn exists and ends"),
    (9, "the conversation of each session is linearizable"),
    (10, "turns are counted without gap or repetition, and stand in order"),
    (11, "nobody is shown another user's text"),
    (12, "nothing is sent for a session that was ended"),
    (13, "what needs a yes is sent after exactly one yes of that user"),
    (14, "requests have the API's origin, methods, paths, headers and credential; a key belongs to one call"),
    (15, "turns keep to their budgets of rounds and calls"),
    (
        16,
        "at rest nothing is held, open, queued or immortal in the store, nothing is left of an ended session, and what is sealed is nowhere in clear",
    ),
    (17, "no 5xx but 503 and 504, no 401 for a valid token; 503, 429 and 409 of a busy session say when to come again"),
    (18, "a plan that was acted on is the only one"),
    (19, "after the last fault everything ends within lease, sweep and a turn's time"),
    (20, "what was shown is what was sent"),
];

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub invariant: u8,
    pub what: String,
}

/// What the checker found, and how much it looked at.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    pub violations: Vec<Violation>,
    /// How many things each invariant was asked of.
    pub examined: BTreeMap<u8, u64>,
}

impl Verdict {
    /// One thing was looked at; if it is wrong, why.
    fn judge(&mut self, invariant: u8, wrong: Option<String>) {
        *self.examined.entry(invariant).or_default() += 1;
        self.violations.extend(wrong.map(|what| Violation { invariant, what }));
    }

    /// One thing was looked at, and must be so.
    fn must(&mut self, invariant: u8, holds: bool, otherwise: impl FnOnce() -> String) {
        self.judge(invariant, (!holds).then(otherwise));
    }
}

/// Judges what was written down in one epoch.
pub fn check(histories: &Histories) -> Verdict {
    let (book, mut verdict) = (Book::of(histories), Verdict::default());
    effects::check(&book, &mut verdict);
    calls::check(&book, &mut verdict);
    answers::check(&book, &mut verdict);
    sessions::check(&book, &mut verdict);
    linear::check(&book, &mut verdict);
    limits::check(&book, &mut verdict);
    verdict
}
