//! The checker is checked where nobody knows what happened: an end of a session without an answer, a yes whose answer was lost. What may be
//! so passes; what cannot be so, whichever of the two happened, is flagged.

use super::{
    bad::{Change, SECOND, agreed, op, read, told, turn},
    *,
};
use crate::records::{Asked, Fault, Kind, Left, Outcome, Terms, Try};

/// A user whose session's end was asked for twice in vain, between the fourth second and the sixth.
fn ending(kind: Kind, before: &[&str], reads: &[&[&str]]) -> Histories {
    let mut end = op(3, "u05", kind, 4, 6);
    let vain = |at: u64| Try { sent_us: at * SECOND, ended_us: at * SECOND, status: 503, retry_after: true, ..Try::default() };
    (end.outcome, end.ended_us, end.tries) = (Outcome::Info, None, vec![vain(4), vain(5)]);
    let mut ops = vec![turn(1, "u05", 1, 2), read(2, "u05", 3, before), end];
    let mut later = [turn(10, "u05", 20, 21), turn(11, "u05", 30, 31)].to_vec();
    later.extend(reads.iter().zip(0..).map(|(seen, n)| read(20 + n, "u05", [15, 25, 35][n as usize], seen)));
    later.iter_mut().for_each(|op| op.generation = 1);
    ops.extend(later);
    // As the clients count it: the session that an administrator hits, and the one that a user's lost request may hit.
    let unjudged = u64::from(kind == Kind::Reset);
    Histories {
        ops,
        upstream: Vec::new(),
        asked: vec![Asked { at_us: SECOND + 1, ask: 1, mark: "m1".to_owned(), step: 0 }],
        faults: Vec::new(),
        left: Left { unjudged: vec![("u05".to_owned(), unjudged)], ..Left::default() },
        terms: Terms { runs: false, ..Terms::default() },
    }
}

/// What may be read at the fifteenth second, the twenty-fifth and the thirty-fifth: turns end at the twenty-first and the thirty-first.
const MAY_BE: [&[&[&str]]; 6] = [
    &[&["m1"], &["m1", "m10"], &["m1", "m10", "m11"]],
    &[&[], &["m10"], &["m10", "m11"]],
    // It is carried out late, or again.
    &[&["m1"], &["m10"], &["m10", "m11"]],
    &[&["m1"], &["m1", "m10"], &["m11"]],
    &[&[], &[], &["m11"]],
    &[&[], &["m10"], &["m11"]],
];

const CANNOT_BE: [(&str, &[&[&str]]); 7] = [
    ("a mixture of the old session and the new one", &[&["m1"], &["m10"], &["m1", "m11"]]),
    ("the old session after the new one", &[&[], &["m10"], &["m1", "m10", "m11"]]),
    ("the old session after the empty new one", &[&[], &["m1", "m10"], &["m1", "m10", "m11"]]),
    ("a turn lost, and another after it", &[&["m1"], &["m1"], &["m1", "m11"]]),
    ("a turn lost of the new session", &[&[], &["m10"], &["m10"]]),
    ("turns in the other order", &[&[], &["m10"], &["m11", "m10"]]),
    ("a turn of nobody", &[&["m77"], &["m10"], &["m10", "m11"]]),
];

fn found(all: &Histories) -> std::collections::BTreeSet<u8> {
    check(all).violations.iter().map(|violation| violation.invariant).collect()
}

#[test]
fn a_session_whose_end_is_in_doubt_may_have_ended_or_not() {
    for kind in [Kind::Kill, Kind::Reset] {
        for reads in MAY_BE {
            let verdict = check(&ending(kind, &["m1"], reads));
            assert_eq!(verdict.violations, [], "{kind:?} {reads:?}");
            assert_eq!(verdict.examined.get(&9), Some(&1), "{kind:?}: both sessions are judged, as one history");
        }
    }
}

#[test]
fn a_session_whose_end_is_in_doubt_is_no_mixture_and_does_not_come_back() {
    for kind in [Kind::Kill, Kind::Reset] {
        for (name, reads) in CANNOT_BE {
            assert!(found(&ending(kind, &["m1"], reads)).contains(&9), "{kind:?}: {name}");
        }
        let early = ending(kind, &[], MAY_BE[1]);
        assert!(found(&early).contains(&9), "{kind:?}: it had ended before anybody asked for it");
        let mixed = ending(kind, &["m1"], &[&["m1"], &["m1", "m10"], &["m10", "m11"]]);
        assert!(found(&mixed).is_superset(&[4, 9].into()), "{kind:?}: a conversation lost its beginning");
    }
}

#[test]
fn a_session_whose_end_is_certain_has_ended() {
    for kind in [Kind::Kill, Kind::Reset] {
        let mut all = ending(kind, &["m1"], MAY_BE[0]);
        (all.ops[2].outcome, all.ops[2].ended_us, all.ops[2].tries[1].status) = (Outcome::Ok, Some(6 * SECOND), 200);
        // No request was lost on its way, so the session after it is judged.
        all.left.unjudged = if kind == Kind::Kill { vec![("u05".to_owned(), 0)] } else { Vec::new() };
        assert!(found(&all).contains(&9), "{kind:?}");
    }
}

#[test]
fn what_another_end_may_have_hit_is_not_judged() {
    let mut all = ending(Kind::Kill, &["m1"], CANNOT_BE[0].1);
    let mut kill = op(40, "u05", Kind::Kill, 36, 37);
    kill.generation = 1;
    all.ops.push(kill);
    all.left.unjudged.push(("u05".to_owned(), 1));
    assert_eq!(found(&all), [].into());
}

/// A session that was certainly ended at the fifth second, and a turn asked for before that is read in the next one. It had begun in the
/// second second already, and the model was asked again at the seventh.
fn straggling(told_to_come_again: bool) -> Histories {
    let mut all = ending(Kind::Kill, &[], &[&["m1"], &["m1", "m10"], &["m1", "m10", "m11"]]);
    (all.ops[2].outcome, all.ops[2].ended_us, all.ops[2].tries[1].status) = (Outcome::Ok, Some(5 * SECOND), 200);
    all.left.unjudged = vec![("u05".to_owned(), 0)];
    all.ops[0].ended_us = Some(9 * SECOND);
    let refused = Try { sent_us: SECOND, ended_us: 3 * SECOND, status: if told_to_come_again { 503 } else { 502 }, ..Try::default() };
    all.ops[0].tries.insert(0, refused);
    all.asked.push(Asked { at_us: 7 * SECOND, ask: 2, mark: "m1".to_owned(), step: 0 });
    all
}

#[test]
fn a_turn_that_was_given_up_may_begin_anew_in_the_next_session_and_no_other_may() {
    assert!(!found(&straggling(true)).contains(&9));
    assert!(found(&straggling(false)).contains(&9));
}

/// Changes of `agreed`, after which everything is still right.
const STILL_RIGHT: [(&str, Change); 3] = [
    ("the answer to the yes was lost, and its session ended", |all| lose_the_yes(all)),
    ("the same, and the record of the turn that asked says in its own words that the call was not sent", |all| {
        lose_the_yes(all);
        all.left.runs[0].calls[0].state = "planned".to_owned();
    }),
    ("the API did not answer what the yes sent", |all| {
        all.left.runs[1].calls[0] = told("m8", "0.0", "placeOrder", "unknown", None);
        all.ops[1].told.clone_from(&all.left.runs[1].calls);
        let (from_us, until_us) = (3 * SECOND, 4 * SECOND);
        all.faults.push(Fault { from_us, until_us, kind: "cut".to_owned(), on: "upstream".to_owned() });
    }),
];

const NO_LONGER_RIGHT: [(u8, &str, Change); 7] = [
    (7, "the yes was refused, and the call was sent", |all| {
        lose_the_yes(all);
        all.ops[1].outcome = Outcome::Fail;
    }),
    (7, "a call that nobody agreed to was sent, and the API refused it", |all| {
        all.ops.truncate(1);
        all.left.runs.truncate(1);
        all.upstream.retain(|record| matches!(record, crate::records::Upstream::Received(_)));
    }),
    (5, "a yes that was answered tells nothing of the call that it sent", |all| {
        all.ops[1].told.clear();
        all.left.runs[1].calls.clear();
    }),
    (5, "a yes that was answered tells the call as not sent", |all| tell_not_sent(all)),
    (7, "the same", |all| tell_not_sent(all)),
    (7, "the record of a yes tells the call as not sent, and its answer was lost", |all| {
        tell_not_sent(all);
        let records = all.left.runs.clone();
        lose_the_yes(all);
        all.left.runs = records;
    }),
    (7, "a call that the turn did not show is told as not sent, and was sent", |all| all.ops[0].shown.clear()),
];

fn lose_the_yes(all: &mut Histories) {
    let yes = &mut all.ops[1];
    (yes.outcome, yes.ended_us, yes.run) = (Outcome::Info, None, None);
    yes.told.clear();
    yes.tries[0] = Try { status: 409, code: "outcome_unknown".to_owned(), ..Try::default() };
    all.left.runs.truncate(1);
}

fn tell_not_sent(all: &mut Histories) {
    all.left.runs[1].calls[0] = told("m8", "0.0", "placeOrder", "not_sent", None);
    all.ops[1].told.clone_from(&all.left.runs[1].calls);
}

#[test]
fn what_a_turn_tells_that_only_asked_is_no_word_about_what_the_yes_sent() {
    for (name, change) in STILL_RIGHT {
        let mut all = agreed();
        change(&mut all);
        assert_eq!(check(&all).violations, [], "{name}");
    }
}

#[test]
fn what_the_yes_tells_is_a_word_about_it() {
    for (invariant, name, change) in NO_LONGER_RIGHT {
        let mut all = agreed();
        change(&mut all);
        assert!(found(&all).contains(&invariant), "{name}: not flagged as {invariant}: {:?}", check(&all).violations);
    }
}
