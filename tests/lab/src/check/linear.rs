//! Invariant 9: the conversation of each session behaves like one list that one client after the other appends to and reads; where nobody
//! knows whether a session was ended, the list may have been begun anew. Judged by stateright's `LinearizabilityTester`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use super::{Verdict, book::Book};
use crate::records::{Kind, Op, Outcome};

/// What stands before and after each turn in all that was read. A turn is appended once and a conversation only grows, so each has one
/// place: the tester need not try another one, which would take it years.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
struct Order {
    before: BTreeMap<String, Option<String>>,
    after: BTreeMap<Option<String>, String>,
}

impl Order {
    /// `ends`: how often a conversation may have been begun anew.
    fn of<'a>(reads: impl Iterator<Item = &'a [String]>, ends: usize) -> Result<Self, String> {
        let mut order = Self::default();
        for seen in reads {
            let mut last = None;
            for mark in seen {
                let before = order.before.entry(mark.clone()).or_insert_with(|| last.clone());
                if *before != last {
                    return Err(format!("{mark} was read after {before:?} and after {last:?}"));
                }
                // Several may be the first, if there may be several conversations.
                if last.is_some() || ends == 0 {
                    let after = order.after.entry(last.clone()).or_insert_with(|| mark.clone());
                    if after != mark {
                        return Err(format!("{after} and {mark} were read after {last:?}"));
                    }
                }
                last = Some(mark.clone());
            }
        }
        Ok(order)
    }
}

/// A conversation, as it ought to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Conversation {
    marks: Vec<String>,
    /// How often it was begun anew.
    ended: usize,
    order: Arc<Order>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asked {
    Append(String),
    Read,
    /// The n-th request that may have ended the session.
    End(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Answered {
    Done,
    Marks(Vec<String>),
}

impl SequentialSpec for Conversation {
    type Op = Asked;
    type Ret = Answered;

    fn invoke(&mut self, op: &Asked) -> Answered {
        match op {
            Asked::Append(mark) => self.marks.push(mark.clone()),
            Asked::Read => return Answered::Marks(self.marks.clone()),
            Asked::End(_) => {
                self.marks.clear();
                self.ended += 1;
            }
        }
        Answered::Done
    }

    fn is_valid_step(&mut self, op: &Asked, told: &Answered) -> bool {
        let last = self.marks.last().cloned();
        let fits = match op {
            Asked::Append(mark) => match self.order.before.get(mark) {
                Some(before) => *before == last,
                None => !self.order.after.contains_key(&last),
            },
            Asked::Read => true,
            // Whatever was read longer than this did not end here; one end is as good as another.
            Asked::End(n) => *n == self.ended && (last.is_none() || !self.order.after.contains_key(&last)),
        };
        fits && self.invoke(op) == *told
    }
}

pub(super) fn check(book: &Book<'_>, verdict: &mut Verdict) {
    let mut chains = BTreeMap::<(&str, u64), Vec<&Op>>::new();
    for op in book.all.ops.iter().filter(|op| op.is_turn() || op.kind == Kind::Read) {
        chains.entry((&op.user, book.chains.first(&op.user, op.generation))).or_default().push(op);
    }
    let begun = book.begun();
    for ((user, first), ops) in &chains {
        if !book.chain_judged(user, *first) {
            continue;
        }
        let mut ops = ops.clone();
        let since = book.chains.begun_after(user, *first);
        // A request that was on its way when its session ended may begin in the next one; a turn that had begun may not.
        // Whether it did is known only if it was read.
        let seen: BTreeSet<&String> = ops.iter().filter(|op| op.outcome == Outcome::Ok).flat_map(|op| &op.seen).collect();
        for (_, earlier) in chains.range((*user, 0)..(*user, *first)) {
            let late = |op: &&&Op| {
                op.mark.as_ref().is_some_and(|mark| seen.contains(mark))
                    && op.mark.as_deref().and_then(|mark| begun.get(mark)).is_none_or(|first| *first >= since)
            };
            ops.extend(earlier.iter().filter(late));
        }
        let ends = book.chains.may_have_ended(user, &book.chains.sessions(user, *first));
        verdict.judge(9, judge(&ops, &ends).map(|why| format!("{user}#{first}: {why}")));
    }
}

/// Why the operations of a chain of sessions are not linearizable, if they are not; `ends`: when it was asked for its sessions' ends that
/// are in doubt.
fn judge(ops: &[&Op], ends: &[u64]) -> Option<String> {
    let reads = || ops.iter().filter(|op| op.kind == Kind::Read && op.outcome == Outcome::Ok);
    let seen: BTreeSet<&str> = reads().flat_map(|op| &op.seen).map(String::as_str).collect();
    let own: BTreeMap<&str, &Op> = ops.iter().filter_map(|op| Some((op.mark.as_deref()?, *op))).collect();
    if let Some(strange) = seen.iter().find(|mark| !own.contains_key(**mark)) {
        return Some(format!("{strange} was read and belongs to another session"));
    }
    if let Some(refused) = seen.iter().find(|mark| own[**mark].outcome == Outcome::Fail) {
        return Some(format!("{refused} was refused and then read"));
    }
    // An end that nobody read after is as good as none; the earliest allow whatever later ones do.
    let ends = &ends[..ends.len().min(reads().count())];
    let order = match Order::of(reads().map(|op| op.seen.as_slice()), ends.len()) {
        Ok(order) => Arc::new(order),
        Err(why) => return Some(why),
    };
    // Invocations before returns where both bear the same time. What was read happened, if nobody knows when; an end that did not happen
    // is one that happened when all was over.
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    for (n, op) in ops.iter().enumerate() {
        let counts = match (op.kind, op.outcome) {
            (Kind::Read, outcome) => outcome == Outcome::Ok,
            (_, Outcome::Ok) => op.mark.is_some(),
            (_, Outcome::Fail) => false,
            // Nobody saw it, so nobody can say that it happened.
            (_, Outcome::Info) => op.mark.as_deref().is_some_and(|mark| seen.contains(mark)),
        };
        if counts {
            let returned = op.ended_us.filter(|_| op.outcome == Outcome::Ok).unwrap_or(u64::MAX);
            events.extend([(op.invoked_us, false, n), (returned, true, n)]);
        }
    }
    for (n, sent_us) in ends.iter().enumerate() {
        events.extend([(*sent_us, false, ops.len() + n), (u64::MAX, true, ops.len() + n)]);
    }
    events.sort_unstable();
    let mut tester = LinearizabilityTester::new(Conversation { marks: Vec::new(), ended: 0, order });
    for (_, returned, n) in events {
        let asked = match ops.get(n) {
            None => Asked::End(n - ops.len()),
            Some(op) if op.kind == Kind::Read => Asked::Read,
            Some(op) => Asked::Append(op.mark.clone().unwrap_or_default()),
        };
        // Each operation is a thread of its own: one that never returns must not hold up another.
        let noted = match (returned, asked) {
            (false, asked) => tester.on_invoke(n, asked),
            (true, Asked::Read) => tester.on_return(n, Answered::Marks(ops[n].seen.clone())),
            (true, _) => tester.on_return(n, Answered::Done),
        };
        if let Err(why) = noted {
            return Some(why);
        }
    }
    let told = || ops.iter().map(|op| (op.id, op.kind, op.mark.as_deref(), &op.seen, op.outcome)).collect::<Vec<_>>();
    (!tester.is_consistent()).then(|| format!("no order explains {:?}, with ends asked for at {ends:?}", told()))
}
