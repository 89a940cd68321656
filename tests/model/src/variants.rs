//! The table: the protocol as it is, in several worlds, and with each of its rules taken away.

use crate::{
    check::{Expected::*, Variant},
    properties::*,
    rules::*,
};

const DURABLE: Bounds = Bounds { crashes: 1, pauses: 1, failovers: 1, ..CALM };
const ONE_PROCESS_DIES: Bounds = Bounds { crashes: 1, pauses: 1, ..CALM };

/// Where every promise holds.
pub const HOLD: &[Variant] = &[
    Variant {
        name: "durable: two calls, a failover, a hand-over",
        rules: PROTOCOL,
        bounds: Bounds { calls: 2, hand_overs: 1, lost_replies: 1, ..DURABLE },
        expected: Holds { reached: &[ANSWERED, UNKNOWN, NOT_SENT], unreached: &[FAILED] },
    },
    Variant {
        name: "durable: one call, two failovers",
        rules: PROTOCOL,
        bounds: Bounds { failovers: 2, crashes: 2, ..DURABLE },
        expected: Holds { reached: &[ANSWERED, UNKNOWN], unreached: &[] },
    },
    Variant {
        name: "durable: a second turn waits, a failover",
        rules: PROTOCOL,
        bounds: Bounds { turns: 2, ..DURABLE },
        expected: Holds { reached: &[BOTH_ANSWERED, UNKNOWN], unreached: &[] },
    },
    Variant {
        name: "durable: kill and cancel, two calls, a failover",
        rules: PROTOCOL,
        bounds: Bounds { calls: 2, kills: 1, cancels: 1, ..DURABLE },
        expected: Holds { reached: &[ANSWERED, UNKNOWN, CANCELLED, KILLED], unreached: &[] },
    },
    Variant {
        name: "durable: calls with a key, a failover",
        rules: Rules { recovery: Recovery::SendAgainWithKey, ..PROTOCOL },
        bounds: Bounds { calls: 2, lost_replies: 1, ..DURABLE },
        expected: Holds { reached: &[ANSWERED], unreached: &[] },
    },
    Variant {
        name: "single: calls with a key, a lost reply",
        rules: Rules { recovery: Recovery::SendAgainWithKey, ..SINGLE },
        bounds: Bounds { calls: 2, lost_replies: 1, crashes: 0, pauses: 0, ..ONE_PROCESS_DIES },
        expected: Holds { reached: &[ANSWERED], unreached: &[] },
    },
    Variant {
        name: "single: two turns of two calls, a hand-over, a crash",
        rules: SINGLE,
        bounds: Bounds { turns: 2, calls: 2, hand_overs: 1, lost_replies: 1, ..ONE_PROCESS_DIES },
        expected: Holds { reached: &[BOTH_ANSWERED, UNKNOWN, NOT_SENT], unreached: &[] },
    },
    Variant {
        name: "single: kill and cancel with a turn that waits",
        rules: SINGLE,
        bounds: Bounds { turns: 2, kills: 1, cancels: 1, ..ONE_PROCESS_DIES },
        expected: Holds { reached: &[BOTH_ANSWERED, CANCELLED, KILLED], unreached: &[] },
    },
    Variant {
        name: "single: a run that is taken again and again",
        rules: SINGLE,
        bounds: Bounds { calls: 2, crashes: 3, pauses: 2, takes: 3, ..CALM },
        expected: Holds { reached: &[ANSWERED, UNKNOWN, FAILED], unreached: &[] },
    },
];

/// What each rule is for: without it, this is what breaks.
pub const ABLATIONS: &[Variant] = &[
    Variant {
        name: "without fencing",
        rules: Rules { token: Token::Unchecked, ..SINGLE },
        bounds: ONE_PROCESS_DIES,
        expected: Breaks(AT_MOST_ONCE),
    },
    Variant {
        name: "without fencing, seen at the store",
        rules: Rules { token: Token::Unchecked, ..SINGLE },
        bounds: ONE_PROCESS_DIES,
        expected: Breaks(NO_STALE_WRITE),
    },
    Variant {
        name: "the token is a number only, a failover",
        rules: Rules { token: Token::NumberOnly, ..PROTOCOL },
        bounds: DURABLE,
        expected: Breaks(AT_MOST_ONCE),
    },
    Variant {
        name: "whoever takes a run over keeps its token",
        rules: Rules { token: Token::KeptByTheTaker, ..SINGLE },
        bounds: ONE_PROCESS_DIES,
        expected: Breaks(AT_MOST_ONCE),
    },
    Variant {
        name: "commit without a look at the token",
        rules: Rules { commit_checked: false, ..SINGLE },
        bounds: ONE_PROCESS_DIES,
        expected: Breaks(ONCE_IN_HISTORY),
    },
    Variant { name: "without WAIT, a failover", rules: SINGLE, bounds: DURABLE, expected: Breaks(AT_MOST_ONCE) },
    Variant { name: "without WAIT, a failover, seen by clients", rules: SINGLE, bounds: DURABLE, expected: Breaks(NOTHING_LOST) },
    Variant {
        name: "WAIT for everything but the dispatch marker",
        rules: Rules { wait_for_marker: false, ..PROTOCOL },
        bounds: DURABLE,
        expected: Breaks(AT_MOST_ONCE),
    },
    Variant {
        name: "WAIT for everything but what clients are told",
        rules: Rules { wait_to_tell: false, ..PROTOCOL },
        bounds: DURABLE,
        expected: Breaks(NOTHING_LOST),
    },
    Variant {
        name: "WAIT for everything but kills",
        rules: Rules { wait_to_stop: false, ..PROTOCOL },
        bounds: Bounds { kills: 1, ..DURABLE },
        expected: Breaks(STOP_HOLDS),
    },
    Variant {
        name: "a taker sends again before WAIT has counted it",
        rules: Rules { wait_to_send_again: false, recovery: Recovery::SendAgainWithKey, ..PROTOCOL },
        bounds: DURABLE,
        expected: Breaks(NOT_SENT_IS_TRUE),
    },
    Variant {
        name: "without dispatch markers",
        rules: Rules { marker: false, ..SINGLE },
        bounds: ONE_PROCESS_DIES,
        expected: Breaks(AT_MOST_ONCE),
    },
    Variant {
        name: "the plan in a step of its own, not waited for",
        rules: Rules { plan_with_marker: false, ..PROTOCOL },
        bounds: DURABLE,
        expected: Breaks(AT_MOST_ONCE),
    },
    Variant {
        name: "the planner is asked again after a crash",
        rules: Rules { plan_kept: false, ..SINGLE },
        bounds: ONE_PROCESS_DIES,
        expected: Breaks(AT_MOST_ONCE),
    },
    Variant {
        name: "sent again to an API that takes it twice",
        rules: Rules { recovery: Recovery::SendAgainBlindly, ..SINGLE },
        bounds: ONE_PROCESS_DIES,
        expected: Breaks(AT_MOST_ONCE),
    },
    Variant {
        name: "a lost reply sent again to an API that takes it twice",
        rules: Rules { recovery: Recovery::SendAgainBlindly, ..SINGLE },
        bounds: Bounds { lost_replies: 1, ..CALM },
        expected: Breaks(AT_MOST_ONCE),
    },
    Variant {
        name: "no connection at the second time, told as not sent",
        rules: Rules { recovery: Recovery::SendAgainAndForget, ..SINGLE },
        bounds: ONE_PROCESS_DIES,
        expected: Breaks(NOT_SENT_IS_TRUE),
    },
    Variant {
        name: "a marker without result is told as done",
        rules: Rules { recovery: Recovery::TellDone, ..SINGLE },
        bounds: ONE_PROCESS_DIES,
        expected: Breaks(DONE_IS_TRUE),
    },
    Variant {
        name: "a marker without result is told as not sent",
        rules: Rules { recovery: Recovery::TellNotSent, ..SINGLE },
        bounds: ONE_PROCESS_DIES,
        expected: Breaks(NOT_SENT_IS_TRUE),
    },
    Variant {
        name: "the queue is popped, then the turn begun",
        rules: Rules { claim: Claim::PopThenBegin, ..SINGLE },
        bounds: Bounds { turns: 2, ..ONE_PROCESS_DIES },
        expected: Breaks(ENDS),
    },
    Variant {
        name: "the queue is read, then the turn begun",
        rules: Rules { claim: Claim::PeekThenBegin, ..SINGLE },
        bounds: Bounds { turns: 2, ..ONE_PROCESS_DIES },
        expected: Breaks(ONCE_IN_HISTORY),
    },
    Variant {
        name: "a new turn begins over a run whose lease lapsed",
        rules: Rules { lapsed_first: false, ..SINGLE },
        bounds: Bounds { turns: 2, ..ONE_PROCESS_DIES },
        expected: Breaks(ONE_AT_A_TIME),
    },
    Variant {
        name: "steps do not look for a kill",
        rules: Rules { stop_checked: false, ..SINGLE },
        bounds: Bounds { kills: 1, ..CALM },
        expected: Breaks(STOP_HOLDS),
    },
    Variant {
        name: "steps do not look for a cancel",
        rules: Rules { stop_checked: false, ..SINGLE },
        bounds: Bounds { cancels: 1, ..CALM },
        expected: Breaks(STOP_HOLDS),
    },
    Variant {
        name: "going on after an unknown outcome",
        rules: Rules { halt_after_unknown: false, ..SINGLE },
        bounds: Bounds { calls: 2, ..ONE_PROCESS_DIES },
        expected: Breaks(HALTS),
    },
];
