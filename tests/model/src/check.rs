//! Walks through one variant whole and says what was found.

use std::{
    collections::BTreeSet,
    fmt,
    time::{Duration, Instant},
};

use stateright::{Checker, HasDiscoveries, Model};

use crate::{
    properties::PROMISES,
    rules::{Bounds, Rules},
    turns::{Action, Turns},
};

/// What is expected of a variant.
#[derive(Clone, Copy, Debug)]
pub enum Expected {
    /// Every promise holds, these ends are reached and those are not.
    Holds { reached: &'static [&'static str], unreached: &'static [&'static str] },
    /// This promise is broken.
    Breaks(&'static str),
}

#[derive(Clone, Copy, Debug)]
pub struct Variant {
    pub name: &'static str,
    pub rules: Rules,
    pub bounds: Bounds,
    pub expected: Expected,
}

/// What a walk found.
pub struct Found {
    pub states: usize,
    pub took: Duration,
    /// Promises that were broken, with a shortest way to it.
    pub broken: Vec<(&'static str, Vec<Action>)>,
    /// What was not as expected.
    pub wrong: Vec<String>,
}

impl Variant {
    /// A variant that holds is walked through to its end; one that breaks, until it breaks.
    pub fn check(&self) -> Found {
        let started = Instant::now();
        let turns = Turns { rules: self.rules, bounds: self.bounds };
        let until = match self.expected {
            Expected::Holds { .. } => HasDiscoveries::AnyFailures,
            Expected::Breaks(promise) => HasDiscoveries::AllOf(BTreeSet::from([promise])),
        };
        let walked = turns.checker().threads(1).finish_when(until).spawn_bfs().join();
        let discovered = walked.discoveries();
        let broken: Vec<_> =
            PROMISES.iter().filter_map(|promise| Some((*promise, discovered.get(promise)?.clone().into_actions()))).collect();
        let mut wrong = Vec::new();
        match self.expected {
            Expected::Breaks(promise) if !discovered.contains_key(promise) => wrong.push(format!("not broken: {promise}")),
            Expected::Breaks(_) => {}
            Expected::Holds { reached, unreached } => {
                wrong.extend(broken.iter().map(|(promise, way)| format!("broken: {promise}, by {way:?}")));
                wrong.extend(reached.iter().filter(|end| !discovered.contains_key(*end)).map(|end| format!("not reached: {end}")));
                wrong.extend(unreached.iter().filter(|end| discovered.contains_key(*end)).map(|end| format!("reached: {end}")));
            }
        }
        Found { states: walked.unique_state_count(), took: started.elapsed(), broken, wrong }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9} states {:>6.1} s  ", self.states, self.took.as_secs_f64())?;
        match self.broken.as_slice() {
            [] => write!(f, "holds"),
            broken => {
                let told: Vec<_> = broken.iter().map(|(promise, way)| format!("{promise} ({} steps)", way.len())).collect();
                write!(f, "breaks: {}", told.join("; "))
            }
        }
    }
}
