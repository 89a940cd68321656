//! The logs of an epoch, sorted by what is asked of them.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::Chains;
use crate::records::{Applied, Class, Fault, Histories, Op, Outcome, Received, Run, ToldCall, Try, Upstream};

/// A call: its turn's mark and its place in the turn.
pub(super) type Place<'a> = (&'a str, &'a str);

/// What somebody was told of a call, and in which run.
pub(super) struct Told<'a> {
    pub run: Option<&'a str>,
    pub call: &'a ToldCall,
    /// The whole list that it stands in.
    pub all: &'a [ToldCall],
    /// The turn that tells it only asked for a yes, which came.
    asks: bool,
}

impl<'a> Told<'a> {
    /// What it says of the call's fate. That a call which waited for a yes had not been sent says nothing of what the yes came to.
    pub fn state(&self) -> Option<&'a str> {
        let state = self.call.state.as_str();
        (!self.asks || !matches!(state, "not_sent" | "refused" | "planned")).then_some(state)
    }

    pub fn is_of(&self, place: Place<'_>) -> bool {
        (self.call.mark.as_str(), self.call.call.as_str()) == place
    }
}

/// Everything, sorted.
pub(super) struct Book<'a> {
    pub all: &'a Histories,
    pub requests: BTreeMap<Place<'a>, Vec<&'a Received>>,
    pub effects: BTreeMap<Place<'a>, Vec<&'a Applied>>,
    /// Turns and direct calls by their mark.
    pub by_mark: BTreeMap<&'a str, &'a Op>,
    pub runs: BTreeMap<&'a str, &'a Run>,
    pub told: Vec<Told<'a>>,
    /// Turns by the mark whose shown requests they agree to.
    pub approvals: BTreeMap<&'a str, Vec<&'a Op>>,
    unjudged: BTreeSet<(&'a str, u64)>,
    /// Sessions between which nobody knows whether one ended and the other began.
    pub chains: Chains<'a>,
}

impl<'a> Book<'a> {
    pub fn of(all: &'a Histories) -> Self {
        let (mut requests, mut effects) = (BTreeMap::<Place<'_>, Vec<_>>::new(), BTreeMap::<Place<'_>, Vec<_>>::new());
        for record in &all.upstream {
            match record {
                Upstream::Received(one) => requests.entry((&one.mark, &one.call)).or_default().push(one),
                Upstream::Applied(one) => effects.entry((&one.mark, &one.call)).or_default().push(one),
            }
        }
        let mut approvals = BTreeMap::<&str, Vec<_>>::new();
        for op in &all.ops {
            if let Some(mark) = &op.approves {
                approvals.entry(mark).or_default().push(op);
            }
        }
        let agreed = |op: &&Op| {
            let yes = op.mark.as_deref().and_then(|mark| approvals.get(mark));
            yes.is_some_and(|yes| yes.iter().any(|op| op.outcome != Outcome::Fail))
        };
        let shown =
            || all.ops.iter().filter(agreed).flat_map(|op| op.shown.iter().map(move |one| (op, (one.mark.as_str(), one.call.as_str()))));
        let asked_by: BTreeSet<(u64, Place<'_>)> = shown().map(|(op, place)| (op.id, place)).collect();
        let asked_in: BTreeSet<(&str, Place<'_>)> = shown().filter_map(|(op, place)| Some((op.run.as_deref()?, place))).collect();
        let told_by_clients = all.ops.iter().map(|op| (Some(op.id), op.run.as_deref(), op.told.as_slice()));
        let told_at_the_end = all.left.runs.iter().map(|run| (None, Some(run.id.as_str()), run.calls.as_slice()));
        let told = told_by_clients.chain(told_at_the_end).flat_map(|(op, run, all)| all.iter().map(move |call| (op, run, all, call)));
        let told = told.map(|(op, run, all, call)| {
            let place = (call.mark.as_str(), call.call.as_str());
            let asks = op.is_some_and(|op| asked_by.contains(&(op, place))) || run.is_some_and(|run| asked_in.contains(&(run, place)));
            Told { run, call, all, asks }
        });
        Self {
            all,
            requests,
            effects,
            by_mark: all.ops.iter().filter_map(|op| Some((op.mark.as_deref()?, op))).collect(),
            runs: all.left.runs.iter().map(|run| (run.id.as_str(), run)).collect(),
            told: told.collect(),
            approvals,
            unjudged: all.left.unjudged.iter().map(|(user, generation)| (user.as_str(), *generation)).collect(),
            chains: Chains::of(&all.ops),
        }
    }

    pub fn class(&self, function: &str) -> Class {
        self.all.terms.class_of(function)
    }

    /// Whether the session of an operation was not ended from outside.
    pub fn judged(&self, user: &str, generation: u64) -> bool {
        !self.unjudged.contains(&(user, generation))
    }

    /// Whether what was read in a chain of sessions can be judged: what makes a session of it unjudged is known to the chain.
    pub fn chain_judged(&self, user: &str, first: u64) -> bool {
        let sessions = self.chains.sessions(user, first);
        sessions.clone().all(|n| self.judged(user, n) || (sessions.end() > sessions.start() && !self.chains.disturbed(user, &sessions, n)))
    }

    /// The operations that send a call: its turn, or who agreed to it.
    pub fn senders(&self, place: Place<'_>) -> Vec<&'a Op> {
        let Some(turn) = self.by_mark.get(place.0) else { return Vec::new() };
        let shown = turn.shown.iter().any(|one| (one.mark.as_str(), one.call.as_str()) == place);
        self.approvals.get(place.0).filter(|_| shown).cloned().unwrap_or_else(|| vec![turn])
    }

    /// When a turn was first seen to have begun, by the model or the API; if its client was told to come again, when it began anew after that.
    pub fn begun(&self) -> BTreeMap<&'a str, u64> {
        let mut begun = BTreeMap::<&str, u64>::new();
        let asked = self.all.asked.iter().map(|asked| (asked.mark.as_str(), asked.at_us));
        let requests = self.requests.iter().flat_map(|((mark, _), requests)| requests.iter().map(move |request| (*mark, request.at_us)));
        for (mark, at_us) in asked.chain(requests) {
            let first = begun.entry(mark).or_insert(at_us);
            *first = at_us.min(*first);
        }
        for asked in self.all.asked.iter().filter(|asked| asked.step == 0) {
            if let (Some(began), Some(op)) = (begun.get_mut(asked.mark.as_str()), self.by_mark.get(asked.mark.as_str())) {
                let between = |tried: &Try| tried.status == 503 && (*began..asked.at_us).contains(&tried.ended_us);
                if op.tries.iter().any(between) {
                    *began = asked.at_us;
                }
            }
        }
        begun
    }

    /// Faults that overlap a time.
    pub fn faults(&self, from_us: u64, until_us: u64) -> impl Iterator<Item = &'a Fault> {
        self.all.faults.iter().filter(move |fault| fault.from_us <= until_us && fault.until_us >= from_us)
    }

    /// How often something may have been interrupted that an operation began.
    pub fn interruptions(&self, mark: &str) -> usize {
        // What is agreed to is sent by the turn that agrees.
        let turns = self.by_mark.get(mark).into_iter().chain(self.approvals.get(mark).into_iter().flatten());
        turns.map(|op| self.faults(op.invoked_us, op.ended_us.unwrap_or(u64::MAX)).count()).sum()
    }
}
