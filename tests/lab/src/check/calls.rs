//! What was sent to the API: invariants 6, 7, 14, 18.

use std::collections::{BTreeMap, BTreeSet};

use super::{Verdict, book::Book};
use crate::records::{Class, Received, ToldCall};

pub(super) fn check(book: &Book<'_>, verdict: &mut Verdict) {
    how_often(book, verdict);
    as_told(book, verdict);
    well_formed(book, verdict);
    one_plan(book, verdict);
}

/// 6: the service sends a call that it may repeat twice at most, and so does each that takes the turn over.
fn how_often(book: &Book<'_>, verdict: &mut Verdict) {
    for ((mark, call), requests) in &book.requests {
        let most = match book.class(&requests[0].function) {
            Class::Unprotected => 1,
            Class::Safe | Class::Keyed => 2 * (1 + book.interruptions(mark)),
        };
        verdict.must(6, requests.len() <= most, || format!("{mark}/{call} was sent {} times, {most} at most", requests.len()));
    }
}

/// 7: what is told as not sent was not sent; unknown needs a reason, and is the last that changes anything.
fn as_told(book: &Book<'_>, verdict: &mut Verdict) {
    // A reading call that was lost is told as one that came to nothing: it has no effect to be wrong about.
    for told in book.told.iter().filter(|told| book.class(&told.call.function) != Class::Safe) {
        let call = told.call;
        let requests = sent(book, call);
        let Some(state) = told.state() else { continue };
        match state {
            "not_sent" | "refused" | "planned" => {
                verdict.must(7, requests.is_empty(), || format!("{}/{} is told as {} and was sent", call.mark, call.call, call.state));
            }
            "unknown" => {
                let asked_for = requests.iter().any(|request| matches!(request.mode.as_str(), "lost" | "slow"));
                let reason = asked_for || book.interruptions(&call.mark) > 0;
                verdict.must(7, reason, || format!("{}/{} is told as unknown, and nothing had gone wrong", call.mark, call.call));
                let after = told.all.iter().filter(|other| other.mark == call.mark && order(&other.call) > order(&call.call));
                let changing = after.filter(|other| book.class(&other.function) != Class::Safe && !sent(book, other).is_empty());
                let sent: Vec<&str> = changing.map(|other| other.call.as_str()).collect();
                verdict.must(7, !book.all.terms.runs || sent.is_empty(), || {
                    format!("{}/{} is unknown, and {sent:?} were sent after it", call.mark, call.call)
                });
            }
            _ => {}
        }
    }
}

fn sent<'a>(book: &'a Book<'a>, call: &'a ToldCall) -> &'a [&'a Received] {
    book.requests.get(&(call.mark.as_str(), call.call.as_str())).map(Vec::as_slice).unwrap_or_default()
}

fn order(call: &str) -> (u32, u32) {
    let (round, at) = call.split_once('.').unwrap_or_default();
    (round.parse().unwrap_or(0), at.parse().unwrap_or(0))
}

/// 14: every request is one of the API's, and its key is its own.
fn well_formed(book: &Book<'_>, verdict: &mut Verdict) {
    let mut owners = BTreeMap::new();
    for ((mark, call), requests) in &book.requests {
        for request in requests {
            verdict.judge(14, request.problem.as_ref().map(|problem| format!("{mark}/{call}: {problem}")));
        }
        let keys: BTreeSet<_> = requests.iter().map(|request| request.key.as_deref()).collect();
        if book.class(&requests[0].function) == Class::Keyed {
            let own = keys.len() == 1 && keys.iter().all(Option::is_some);
            verdict.must(14, own, || format!("{mark}/{call} was sent with the keys {keys:?}"));
        }
        for key in keys.into_iter().flatten() {
            let owner = *owners.entry(key).or_insert((*mark, *call));
            verdict.must(14, owner == (*mark, *call), || format!("{mark}/{call} has the key of {owner:?}"));
        }
    }
}

/// 18: the changing calls of a round come from one answer of the model.
fn one_plan(book: &Book<'_>, verdict: &mut Verdict) {
    let mut plans = BTreeMap::<(&str, u32), BTreeSet<u64>>::new();
    for ((mark, call), requests) in &book.requests {
        for request in requests.iter().filter(|request| book.class(&request.function) != Class::Safe) {
            plans.entry((mark, order(call).0)).or_default().insert(request.ask);
        }
    }
    for (round, asks) in plans {
        verdict.must(18, asks.len() == 1, || format!("round {round:?} was acted on as the answers {asks:?} planned it"));
    }
}
