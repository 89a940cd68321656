//! What was ended, spent and waited for: invariants 12, 15, 19.

use std::collections::{BTreeMap, BTreeSet};

use super::{Verdict, book::Book};
use crate::records::{Class, Kind, Outcome, Received, Upstream};

/// What was on its way when the session ended may still arrive.
const ON_ITS_WAY_US: u64 = 300_000;

pub(super) fn check(book: &Book<'_>, verdict: &mut Verdict) {
    after_the_end(book, verdict);
    budgets(book, verdict);
    quiet(book, verdict);
}

/// 12: once the end of a session was acknowledged, nothing that had begun before it is sent any more.
fn after_the_end(book: &Book<'_>, verdict: &mut Verdict) {
    let begun = book.begun();
    let mut changing = BTreeMap::<&str, Vec<&Received>>::new();
    for request in received(book).filter(|request| book.class(&request.function) != Class::Safe) {
        changing.entry(&request.mark).or_default().push(request);
    }
    for kill in book.all.ops.iter().filter(|op| op.kind == Kind::Kill && op.outcome == Outcome::Ok) {
        let Some(acked_us) = kill.ended_us else { continue };
        for (mark, requests) in &changing {
            let of_user = book.by_mark.get(mark).is_some_and(|op| op.user == kill.user);
            if !of_user || begun.get(mark).is_none_or(|first| *first >= kill.invoked_us) {
                continue;
            }
            let late: Vec<u64> = requests.iter().map(|request| request.at_us).filter(|at| *at > acked_us + ON_ITS_WAY_US).collect();
            // One whose marker was set before may be late if its sender was held up.
            let held_up =
                |at: u64| book.faults(acked_us, at).any(|fault| matches!(fault.kind.as_str(), "pause" | "cut" | "slow" | "narrow"));
            let right = late.is_empty() || (late.len() == 1 && held_up(late[0]));
            verdict.must(12, right, || {
                format!("{mark} was sent {} times after session {}#{} had ended", late.len(), kill.user, kill.generation)
            });
        }
    }
}

fn received<'a>(book: &Book<'a>) -> impl Iterator<Item = &'a Received> {
    book.all.upstream.iter().filter_map(|record| match record {
        Upstream::Received(request) => Some(request),
        Upstream::Applied(_) => None,
    })
}

/// 15: rounds and calls of a turn.
fn budgets(book: &Book<'_>, verdict: &mut Verdict) {
    let mut asks = BTreeMap::<&str, usize>::new();
    for asked in book.all.asked.iter().filter(|asked| !asked.mark.is_empty()) {
        *asks.entry(&asked.mark).or_default() += 1;
    }
    for (mark, count) in asks {
        let most = book.all.terms.rounds_max * (1 + book.interruptions(mark));
        verdict.must(15, count <= most, || format!("the model was asked {count} times about {mark}, {most} at most"));
    }
    let mut calls = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (mark, call) in book.requests.keys() {
        calls.entry(mark).or_default().insert(call);
    }
    for (mark, calls) in calls {
        verdict.must(15, calls.len() <= book.all.terms.calls_max, || format!("{mark} made {} calls", calls.len()));
    }
}

/// 19: how long it takes until everything has ended.
fn quiet(book: &Book<'_>, verdict: &mut Verdict) {
    let last_us = book.all.faults.iter().map(|fault| fault.until_us).max().unwrap_or(0);
    let took_us = book.all.left.quiet_us.saturating_sub(last_us);
    let within_us = book.all.left.quiet_within_us;
    let measured = last_us > 0 && book.all.left.quiet_us > 0;
    verdict.must(19, !measured || took_us <= within_us, || {
        format!("everything had ended {took_us} us after the last fault, {within_us} at most")
    });
}
