//! What happened at the API: invariants 1, 2, 5, 13, 20.

use super::{
    Verdict,
    book::{Book, Place, Told},
};
use crate::records::{Applied, Class, Kind, Op, Outcome};

pub(super) fn check(book: &Book<'_>, verdict: &mut Verdict) {
    for (place, effects) in &book.effects {
        at_most_once(*place, effects, verdict);
        recorded(book, *place, verdict);
        if book.all.terms.confirm && book.by_mark.get(place.0).is_some_and(|op| op.kind != Kind::Call) {
            agreed(book, *place, effects, verdict);
        }
    }
    done_is_done(book, verdict);
}

fn at_most_once(place: Place<'_>, effects: &[&Applied], verdict: &mut Verdict) {
    verdict.must(1, effects.len() <= 1, || format!("{place:?} took effect {} times: requests {:?}", effects.len(), requests(effects)));
}

fn requests(effects: &[&Applied]) -> Vec<u64> {
    effects.iter().map(|effect| effect.request).collect()
}

/// 2: whatever tells a changing call with 2xx, it took effect.
fn done_is_done(book: &Book<'_>, verdict: &mut Verdict) {
    for told in &book.told {
        let call = told.call;
        let done = call.state == "result" && call.status.is_some_and(|status| (200..300).contains(&status));
        if !done || book.class(&call.function) == Class::Safe {
            continue;
        }
        let effects = book.effects.get(&(call.mark.as_str(), call.call.as_str())).map_or(0, Vec::len);
        verdict.must(2, effects == 1, || {
            format!("{}/{} was told as done in run {:?} and took effect {effects} times", call.mark, call.call, told.run)
        });
    }
}

/// 5: an effect stands in the record of its turn as sent.
fn recorded(book: &Book<'_>, place: Place<'_>, verdict: &mut Verdict) {
    let states: Vec<&str> = book.told.iter().filter(|told| told.is_of(place)).filter_map(Told::state).collect();
    let senders = book.senders(place);
    // An answer that never came, of a session that nobody can ask any more, tells nothing.
    let silent = |op: &&Op| op.outcome != Outcome::Ok || !book.judged(&op.user, op.generation);
    if senders.is_empty() || (states.is_empty() && senders.iter().any(silent)) {
        return;
    }
    let sent = |state: &&str| matches!(*state, "result" | "unknown" | "dispatched");
    verdict.must(5, states.iter().any(sent), || format!("{place:?} took effect, and is told as {states:?}"));
}

/// 13 and 20: one yes of the same user, and the very request that was shown.
fn agreed(book: &Book<'_>, place: Place<'_>, effects: &[&Applied], verdict: &mut Verdict) {
    let Some(asked) = book.by_mark.get(place.0) else { return };
    let yes = book.approvals.get(place.0).map(Vec::as_slice).unwrap_or_default();
    let by_user = yes.iter().filter(|op| op.user == asked.user && Some(op.invoked_us) >= asked.ended_us).count();
    verdict.must(13, by_user == 1 && yes.len() == 1, || {
        format!("{place:?} took effect after {} yes, {by_user} of them its user's", yes.len())
    });
    let shown = asked.shown.iter().find(|shown| (shown.mark.as_str(), shown.call.as_str()) == place);
    let same = effects.iter().all(|effect| shown.is_some_and(|shown| shown.hash == effect.hash));
    verdict.must(20, same, || format!("{place:?} was shown as {shown:?} and sent as {:?}", effects[0].hash));
}
