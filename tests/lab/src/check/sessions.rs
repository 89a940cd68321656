//! What is left of conversations and runs: invariants 4, 8, 10, 16.

use std::collections::{BTreeMap, BTreeSet};

use super::{Verdict, book::Book};
use crate::{
    clients::life::ended,
    records::{Class, Kind, Op, Outcome, Session},
};

pub(super) fn check(book: &Book<'_>, verdict: &mut Verdict) {
    let left: BTreeMap<(&str, u64), &Session> =
        book.all.left.sessions.iter().map(|one| ((one.user.as_str(), one.generation), one)).collect();
    let mut reads = BTreeMap::<(&str, u64), Vec<&Op>>::new();
    for op in &book.all.ops {
        let first = book.chains.first(&op.user, op.generation);
        if op.kind == Kind::Read && op.outcome == Outcome::Ok && book.chain_judged(&op.user, first) {
            reads.entry((&op.user, first)).or_default().push(op);
        }
        kept(book, op, &left, verdict);
    }
    for (session, reads) in &reads {
        grows(book, *session, reads, verdict);
    }
    final_runs(book, verdict);
    for ((user, generation), session) in &left {
        if book.judged(user, *generation) {
            counted(session, verdict);
        }
    }
    verdict.must(16, true, String::new);
    for left in &book.all.left.leftovers {
        verdict.judge(16, Some(format!("{}: {}", left.key, left.problem)));
    }
    for run in &book.all.left.stuck {
        verdict.judge(8, Some(format!("{run} has not ended")));
    }
}

/// 4: no turn twice, and a later read goes on where an earlier one ended, or is of another session, if that one may have been ended.
fn grows(book: &Book<'_>, session: (&str, u64), reads: &[&Op], verdict: &mut Verdict) {
    let ended_us = book.chains.may_have_ended(session.0, &book.chains.sessions(session.0, session.1)).first().copied();
    let another = |earlier: &Op, later: &Op| {
        let ended = ended_us.is_some_and(|at| later.ended_us.is_some_and(|read| read > at));
        ended && later.seen.iter().all(|mark| !earlier.seen.contains(mark))
    };
    for read in reads {
        let unlike = read.seen.iter().collect::<BTreeSet<_>>().len();
        verdict.must(4, unlike == read.seen.len(), || format!("a turn is twice in {session:?}: {:?}", read.seen));
        let earlier = reads.iter().filter(|other| other.ended_us.is_some_and(|ended| ended < read.invoked_us));
        let torn = earlier.into_iter().find(|other| !read.seen.starts_with(&other.seen) && !another(other, read));
        verdict.judge(4, torn.map(|other| format!("{session:?} was {:?}, then {:?}", other.seen, read.seen)));
    }
}

/// 4: a run that was told as ended is told so for ever, call by call.
fn final_runs(book: &Book<'_>, verdict: &mut Verdict) {
    let mut states = BTreeMap::<&str, BTreeSet<&str>>::new();
    let told_by_clients = book.all.ops.iter().flat_map(|op| &op.tries).filter(|tried| tried.is_final());
    let told = told_by_clients.filter_map(|tried| Some((tried.run.as_deref()?, tried.state.as_deref()?)));
    let at_the_end = book.all.left.runs.iter().map(|run| (run.id.as_str(), run.state.as_str()));
    for (run, state) in told.chain(at_the_end).filter(|(_, state)| ended(state) && *state != "missing") {
        states.entry(run).or_default().insert(state);
    }
    for (run, states) in states {
        verdict.must(4, states.len() == 1, || format!("run {run} ended as {states:?}"));
    }
    let mut calls = BTreeMap::<(&str, &str, &str), BTreeSet<(&str, Option<u16>)>>::new();
    for told in book.told.iter().filter(|told| book.class(&told.call.function) != Class::Safe) {
        if let Some(run) = told.run {
            calls.entry((run, &told.call.mark, &told.call.call)).or_default().insert((&told.call.state, told.call.status));
        }
    }
    for (call, told) in calls {
        // Before a yes it is told as not sent, by answers and records in different words.
        let words: BTreeSet<_> =
            told.iter().map(|(state, status)| (if matches!(*state, "refused" | "planned") { "not_sent" } else { state }, status)).collect();
        verdict.must(4, words.len() == 1, || format!("call {call:?} is told as {told:?}"));
    }
}

/// 8: what was acknowledged is there and has ended.
fn kept(book: &Book<'_>, op: &Op, left: &BTreeMap<(&str, u64), &Session>, verdict: &mut Verdict) {
    if !(op.is_turn() || op.kind == Kind::Call) || !book.judged(&op.user, op.generation) {
        return;
    }
    for tried in op.tries.iter().filter(|tried| matches!(tried.status, 200 | 202) && book.all.terms.runs) {
        let Some(id) = &tried.run else { continue };
        let state = book.runs.get(id.as_str()).map_or("missing", |run| run.state.as_str());
        let there = state != "missing" && ended(state);
        verdict.must(8, there, || format!("operation {} was acknowledged with {} as run {id}, which is {state}", op.id, tried.status));
    }
    if let (true, Outcome::Ok, Some(mark)) = (op.is_turn(), op.outcome, &op.mark)
        && let Some(session) = left.get(&(op.user.as_str(), op.generation))
    {
        verdict.must(8, session.marks.contains(mark), || format!("{mark} was answered and is not in the conversation {:?}", session.marks));
    }
}

/// 10: the counter, the list and what is told agree.
fn counted(session: &Session, verdict: &mut Verdict) {
    let name = (&session.user, session.generation);
    verdict.must(10, session.counted == session.records, || {
        format!("{name:?} counts {} turns and holds {}", session.counted, session.records)
    });
    verdict.must(10, session.told == session.counted, || {
        format!("{name:?} counts {} turns and tells {}: {:?}", session.counted, session.told, session.marks)
    });
    let unlike = session.marks.iter().collect::<BTreeSet<_>>().len();
    verdict.must(10, unlike == session.marks.len(), || format!("a turn is twice in {name:?}: {:?}", session.marks));
}
