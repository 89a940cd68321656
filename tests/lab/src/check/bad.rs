//! The checker is checked: a history in which everything is right passes, and each of these, in which one thing is wrong, is flagged with
//! the invariant that it breaks.

use super::*;
use std::collections::BTreeSet;

use crate::records::{
    Applied, Asked, Busy, Fault, Kind, Leftover, NOT_STORED, Op, Outcome, Received, Run, Sent, Session, ToldCall, Try, Upstream,
};

pub(super) const SECOND: u64 = 1_000_000;

pub(super) fn op(id: u64, user: &str, kind: Kind, from: u64, until: u64) -> Op {
    let tried = Try { sent_us: from * SECOND, ended_us: until * SECOND, status: 200, answer: format!("answer {id}"), ..Try::default() };
    let done = Op::new(id, user, 0, kind, from * SECOND);
    Op { ended_us: Some(until * SECOND), outcome: Outcome::Ok, tries: vec![tried], ..done }
}

pub(super) fn turn(id: u64, user: &str, from: u64, until: u64) -> Op {
    let mut turn = op(id, user, Kind::Turn(Busy::Reject), from, until);
    let run = Some(format!("r{id}"));
    (turn.key, turn.mark, turn.run) = (Some(format!("k{id}")), Some(format!("m{id}")), run.clone());
    turn.tries[0].run = run;
    turn
}

pub(super) fn read(id: u64, user: &str, at: u64, seen: &[&str]) -> Op {
    let mut read = op(id, user, Kind::Read, at, at);
    read.seen = seen.iter().map(|mark| (*mark).to_owned()).collect();
    read
}

pub(super) fn told(mark: &str, call: &str, function: &str, state: &str, status: Option<u16>) -> ToldCall {
    let text = str::to_owned;
    ToldCall { mark: text(mark), call: text(call), function: text(function), state: text(state), status }
}

pub(super) fn received(request: u64, at_ms: u64, mark: &str, call: &str, function: &str) -> Received {
    let key = (function == "payOrder").then(|| format!("key of {mark}/{call}"));
    let text = str::to_owned;
    let hash = format!("hash of {mark}/{call}");
    Received {
        at_us: at_ms * 1000,
        request,
        function: text(function),
        mark: text(mark),
        call: text(call),
        ask: 1,
        mode: text("ok"),
        key,
        hash,
        problem: None,
    }
}

/// The effect of a request, a millisecond later.
pub(super) fn applied(of: &Received) -> Upstream {
    let of = of.clone();
    Upstream::Applied(Applied {
        at_us: of.at_us + 1000,
        request: of.request,
        mark: of.mark,
        call: of.call,
        function: of.function,
        hash: of.hash,
    })
}

/// A user with two turns, of which a crash cut the second off, and a user whose session an administrator ended.
fn good() -> Histories {
    let done = vec![
        told("m1", "0.0", "placeOrder", "result", Some(201)),
        told("m1", "0.1", "payOrder", "result", Some(201)),
        told("m1", "1.0", "readItem", "result", Some(200)),
    ];
    let cut_off = vec![told("m3", "0.0", "placeOrder", "unknown", None), told("m3", "1.0", "placeOrder", "not_sent", None)];
    let mut first = turn(1, "u00", 1, 2);
    let answered = first.tries[0].clone();
    let again = Try { sent_us: 3 * SECOND, ended_us: 3 * SECOND, ..answered.clone() };
    let other = Try { status: 422, changed: true, answer: "refused".to_owned(), run: None, ..again.clone() };
    let busy = Try {
        status: 409,
        code: "turn_in_progress".to_owned(),
        retry_after: true,
        answer: "busy".to_owned(),
        run: None,
        ..answered.clone()
    };
    first.tries = vec![busy, answered, again, other];
    first.told.clone_from(&done);
    let mut third = turn(3, "u00", 6, 9);
    third.told.clone_from(&cut_off);
    let mut looked = op(5, "u00", Kind::Look, 10, 10);
    (looked.run, looked.tries[0].run, looked.tries[0].state) =
        (Some("r3".to_owned()), Some("r3".to_owned()), Some("unknown_outcome".to_owned()));
    let mut killed = turn(6, "u01", 1, 4);
    (killed.outcome, killed.ended_us, killed.tries[0].status) = (Outcome::Info, None, 0);
    let kill = op(7, "u01", Kind::Kill, 2, 3);
    let requests = [
        received(1, 1100, "m1", "0.0", "placeOrder"),
        received(2, 1200, "m1", "0.1", "payOrder"),
        received(3, 1300, "m1", "0.1", "payOrder"),
        received(4, 1400, "m1", "1.0", "readItem"),
        received(5, 6500, "m3", "0.0", "placeOrder"),
        received(6, 1500, "m6", "0.0", "placeOrder"),
    ];
    let effects = [0, 1, 4, 5].map(|at| applied(&requests[at]));
    let asked = [("m1", 0), ("m1", 1), ("m1", 2), ("m3", 0), ("m6", 0)];
    Histories {
        ops: vec![first, read(2, "u00", 4, &["m1"]), third, read(4, "u00", 10, &["m1", "m3"]), looked, killed, kill],
        upstream: requests.into_iter().map(Upstream::Received).chain(effects).collect(),
        asked: asked.map(|(mark, step)| Asked { at_us: 1_050_000, ask: 1, mark: mark.to_owned(), step }).into(),
        faults: vec![Fault { from_us: 7 * SECOND, until_us: 7 * SECOND, kind: "kill".to_owned(), on: "r0".to_owned() }],
        left: crate::records::Left {
            runs: vec![
                Run { id: "r1".to_owned(), state: "answered".to_owned(), calls: done },
                Run { id: "r3".to_owned(), state: "unknown_outcome".to_owned(), calls: cut_off },
            ],
            sessions: vec![Session {
                user: "u00".to_owned(),
                marks: vec!["m1".to_owned(), "m3".to_owned()],
                told: 2,
                counted: 2,
                records: 2,
                ..Session::default()
            }],
            unjudged: vec![("u01".to_owned(), 0)],
            quiet_us: 10 * SECOND,
            quiet_within_us: 12 * SECOND,
            ..crate::records::Left::default()
        },
        terms: crate::records::Terms::default(),
    }
}

/// A user who was shown a request and said yes.
pub(super) fn agreed() -> Histories {
    let mut all = good();
    all.terms.confirm = true;
    let (mut asking, mut yes) = (turn(8, "u02", 1, 2), turn(9, "u02", 3, 4));
    asking.told = vec![told("m8", "0.0", "placeOrder", "not_sent", None)];
    asking.shown = vec![Sent { mark: "m8".to_owned(), call: "0.0".to_owned(), hash: "hash of m8/0.0".to_owned() }];
    (yes.mark, yes.approves) = (None, Some("m8".to_owned()));
    yes.told = vec![told("m8", "0.0", "placeOrder", "result", Some(201))];
    let run = |id: &str, op: &Op| Run { id: id.to_owned(), state: "answered".to_owned(), calls: op.told.clone() };
    all.left.runs = vec![run("r8", &asking), run("r9", &yes)];
    let sent = received(9, 3500, "m8", "0.0", "placeOrder");
    all.upstream = vec![applied(&sent), Upstream::Received(sent)];
    all.ops = vec![asking, yes];
    all.left.sessions =
        vec![Session { user: "u02".to_owned(), marks: vec!["m8".to_owned()], told: 2, counted: 2, records: 2, ..Session::default() }];
    all
}

fn request(all: &mut Histories, number: u64) -> &mut Received {
    let found = all.upstream.iter_mut().find_map(|record| match record {
        Upstream::Received(request) if request.request == number => Some(request),
        _ => None,
    });
    found.unwrap()
}

fn send_again(all: &mut Histories, number: u64, at_ms: u64) -> Received {
    let again = Received { at_us: at_ms * 1000, request: 100 + number, ..request(all, number).clone() };
    all.upstream.push(Upstream::Received(again.clone()));
    again
}

pub(super) type Change = fn(&mut Histories);

/// Each breaks an invariant of `good`.
const BAD: [(u8, &str, Change); 39] = [
    (1, "an unprotected call took effect twice", |all| {
        let again = send_again(all, 1, 1150);
        all.upstream.push(applied(&again));
    }),
    (1, "a keyed call took effect twice", |all| {
        let second = request(all, 3).clone();
        all.upstream.push(applied(&second));
    }),
    (2, "told as done, and nothing happened", |all| {
        all.upstream.retain(|record| !matches!(record, Upstream::Applied(one) if one.mark == "m1" && one.call == "0.0"))
    }),
    (2, "a run's record tells a call as done that never took effect", |all| {
        all.left.runs[1].calls[0] = told("m9", "0.0", "placeOrder", "result", Some(200));
    }),
    (3, "the same request was answered with other bytes", |all| all.ops[0].tries[2].answer = "another".to_owned()),
    (3, "the same request was answered by another run", |all| all.ops[0].tries[2].run = Some("r99".to_owned())),
    (3, "another body under the same key was carried out", |all| all.ops[0].tries[3].status = 200),
    (3, "the same body under its own key was refused", |all| all.ops[0].tries[2].status = 422),
    (4, "a conversation lost its beginning", |all| all.ops[3].seen = vec!["m3".to_owned()]),
    (4, "a turn is in the conversation twice", |all| all.ops[3].seen.push("m3".to_owned())),
    (4, "a run that had ended ended otherwise", |all| all.left.runs[1].state = "answered".to_owned()),
    (4, "a call was told as unknown and later as done", |all| {
        all.left.runs[1].calls[0] = told("m3", "0.0", "placeOrder", "result", Some(201));
    }),
    (5, "an effect that its record does not know", |all| {
        all.left.runs[1].calls.remove(0);
        all.ops[2].told.remove(0);
    }),
    (5, "an effect that its record tells as only planned", |all| {
        all.left.runs[1].calls[0].state = "planned".to_owned();
        all.ops[2].told[0].state = "planned".to_owned();
    }),
    (6, "an unprotected call was sent twice", |all| {
        send_again(all, 5, 8000);
    }),
    (6, "a reading call was sent five times without a fault", |all| (0..4).for_each(|n| drop(send_again(all, 4, 1500 + n)))),
    (7, "told as not sent, and sent", |all| all.upstream.push(Upstream::Received(received(7, 8000, "m3", "1.0", "placeOrder")))),
    (7, "told as unknown, and nothing had gone wrong", |all| all.faults.clear()),
    (7, "something changing was sent after an unknown call", |all| {
        all.upstream.push(Upstream::Received(received(7, 8000, "m3", "1.0", "placeOrder")));
        all.left.runs[1].calls[1] = told("m3", "1.0", "placeOrder", "unknown", None);
    }),
    (8, "an acknowledged run is gone", |all| drop(all.left.runs.remove(0))),
    (8, "an acknowledged run does not end", |all| all.left.runs[0].state = "running".to_owned()),
    (8, "an answered turn is not in the conversation", |all| drop(all.left.sessions[0].marks.pop())),
    (9, "a read that does not know an earlier turn", |all| all.ops[1].seen.clear()),
    (9, "a turn that was refused was read", |all| all.ops[2].outcome = Outcome::Fail),
    (9, "a turn of another session was read", |all| all.ops[3].seen.push("m77".to_owned())),
    (9, "two turns were read in the other order", |all| all.ops[3].seen = vec!["m3".to_owned(), "m1".to_owned()]),
    (10, "the counter and the list disagree", |all| all.left.sessions[0].records = 3),
    (10, "a turn is counted and not told", |all| all.left.sessions[0].told = 1),
    (11, "a user was shown another user's text", |all| all.ops[1].tries[0].foreign = Some("canary-u01-".to_owned())),
    (12, "a turn went on after its session had ended", |all| {
        all.upstream.push(Upstream::Received(received(8, 3900, "m6", "0.1", "placeOrder")))
    }),
    (14, "a request without the API's credential", |all| request(all, 4).problem = Some("not the API's credential".to_owned())),
    (14, "one call was sent with two keys", |all| request(all, 3).key = Some("another".to_owned())),
    (15, "the model was asked without end", |all| {
        all.asked.extend((0..20).map(|step| Asked { at_us: 1_060_000, ask: 2, mark: "m1".to_owned(), step }));
    }),
    (16, "a key that never dies", |all| {
        all.left.leftovers.push(Leftover { key: "saa:{b00}:h:u00:main".to_owned(), problem: "it never dies".to_owned() })
    }),
    (17, "an answer of 500", |all| all.ops[1].tries.insert(0, Try { status: 500, ..Try::default() })),
    (17, "503 without Retry-After", |all| all.ops[1].tries.insert(0, Try { status: 503, ..Try::default() })),
    (17, "a valid token was refused", |all| all.ops[1].tries.insert(0, Try { status: 401, ..Try::default() })),
    (18, "a round was planned anew after it had been acted on", |all| request(all, 2).ask = 2),
    (19, "it took too long until everything had ended", |all| all.left.quiet_us = 60 * SECOND),
];

/// Each breaks an invariant of `agreed`.
const NOT_AGREED: [(u8, &str, Change); 4] = [
    (13, "sent without a yes", |all| all.ops[1].approves = None),
    (13, "sent after the yes of another user", |all| all.ops[1].user = "u00".to_owned()),
    (13, "one yes was given twice", |all| {
        let again = all.ops[1].clone();
        all.ops.push(again);
    }),
    (20, "another request was sent than was shown", |all| all.ops[0].shown[0].hash = "another".to_owned()),
];

#[test]
fn what_is_right_passes() {
    for (name, all) in [("good", good()), ("agreed", agreed())] {
        assert_eq!(check(&all).violations, [], "{name}");
    }
}

#[test]
fn an_answer_that_was_not_stored_yet_may_be_told_otherwise_by_its_run() {
    let mut all = good();
    let early =
        Try { answer: "early".to_owned(), code: NOT_STORED.to_owned(), state: Some("failed".to_owned()), ..all.ops[0].tries[2].clone() };
    all.ops[0].tries.insert(0, early);
    assert_eq!(check(&all).violations, []);
    all.ops[0].tries[0].code.clear();
    let found: BTreeSet<_> = check(&all).violations.iter().map(|violation| violation.invariant).collect();
    assert_eq!(found, [3, 4].into());
}

#[test]
fn what_is_wrong_is_flagged_with_its_invariant() {
    for (from, bad) in [(good as fn() -> Histories, BAD.as_slice()), (agreed, NOT_AGREED.as_slice())] {
        for (invariant, name, change) in bad {
            let mut all = from();
            change(&mut all);
            let found = check(&all).violations;
            assert!(found.iter().any(|violation| violation.invariant == *invariant), "{name}: not flagged as {invariant}: {found:?}");
        }
    }
}

#[test]
fn every_invariant_is_seen_to_fail() {
    let flagged: std::collections::BTreeSet<u8> = BAD.iter().chain(&NOT_AGREED).map(|(invariant, ..)| *invariant).collect();
    let all: std::collections::BTreeSet<u8> = INVARIANTS.iter().map(|(invariant, _)| *invariant).collect();
    assert_eq!(flagged, all);
}
