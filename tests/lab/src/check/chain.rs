//! Sessions of which nobody knows where one ends: a request to end it got no answer that settles it, so what follows may belong to the
//! same session or to a new one. They are judged together, as a chain.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use crate::{
    clients::life::lost,
    records::{Kind, Op, Outcome},
};

pub(super) struct Chains<'a> {
    /// Ends of sessions, by user.
    ends: BTreeMap<&'a str, Vec<&'a Op>>,
    /// Sessions whose end is in doubt.
    doubtful: BTreeSet<(&'a str, u64)>,
}

impl<'a> Chains<'a> {
    pub fn of(ops: &'a [Op]) -> Self {
        let mut ends = BTreeMap::<&str, Vec<_>>::new();
        for op in ops.iter().filter(|op| matches!(op.kind, Kind::Reset | Kind::Kill)) {
            ends.entry(&op.user).or_default().push(op);
        }
        let doubtful = ends.values().flatten().filter(|end| in_doubt(end)).map(|end| (end.user.as_str(), end.generation)).collect();
        Self { ends, doubtful }
    }

    /// The first session of the chain that a session belongs to: its own, if the end of the one before it is certain.
    pub fn first(&self, user: &str, generation: u64) -> u64 {
        (0..generation).rev().take_while(|n| self.doubtful.contains(&(user, *n))).last().unwrap_or(generation)
    }

    /// All sessions of the chain that begins with this one.
    pub fn sessions(&self, user: &str, first: u64) -> RangeInclusive<u64> {
        let last = (first..).find(|n| !self.doubtful.contains(&(user, *n))).unwrap_or(first);
        first..=last
    }

    /// When requests were sent within a chain that may have ended a session, the first first.
    pub fn may_have_ended(&self, user: &str, sessions: &RangeInclusive<u64>) -> Vec<u64> {
        let ends = self.of_user(user).filter(|end| in_doubt(end) && sessions.contains(&end.generation));
        let mut sent: Vec<u64> = ends.flat_map(|end| &end.tries).map(|tried| tried.sent_us).collect();
        sent.sort_unstable();
        sent
    }

    /// When the last session before this one that certainly ended was asked to.
    pub fn begun_after(&self, user: &str, first: u64) -> u64 {
        let ended = self.of_user(user).filter(|end| !in_doubt(end) && end.generation < first);
        ended.map(|end| end.invoked_us).max().unwrap_or(0)
    }

    /// Whether a session of a chain may have been ended by anything but the chain's own doubtful requests.
    pub fn disturbed(&self, user: &str, sessions: &RangeInclusive<u64>, generation: u64) -> bool {
        let last = *sessions.end();
        let closed_us = self.of_user(user).find(|end| end.generation == last).map_or(u64::MAX, |end| end.ended_us.unwrap_or(u64::MAX));
        self.of_user(user).filter(|end| !(in_doubt(end) && sessions.contains(&end.generation))).any(|end| {
            let late = lost(end) && end.generation.checked_add(1) == Some(generation);
            // An administrator waits for nobody.
            let kill = end.kind == Kind::Kill;
            late || (kill && end.generation == generation) || (kill && end.generation > last && end.invoked_us < closed_us)
        })
    }

    fn of_user(&self, user: &str) -> impl Iterator<Item = &'a Op> {
        self.ends.get(user).into_iter().flatten().copied()
    }
}

fn in_doubt(end: &Op) -> bool {
    end.outcome == Outcome::Info
}
