//! How often a user may come: GCRA as in `lua/gate.lua`, in memory. A restart forgives; a minute would have forgiven anyway.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::domain::number::whole;

const MINUTE_MS: f64 = 60_000.0;
/// What sums of fractions may be off by without anybody being sent away, in milliseconds.
const ROUNDING_MS: f64 = 0.5;
/// Entries that are kept before those are looked for that say nothing any more.
const ENTRIES_UNSWEPT: usize = 1024;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Class {
    Request,
    Turn,
}

/// Theoretical arrival times. Only users with an account get here, so their number bounds it; entries whose time has come are
/// dropped whenever it has doubled.
#[derive(Default)]
pub(super) struct Arrivals(Mutex<Times>);

#[derive(Default)]
struct Times {
    at: HashMap<(String, Class), f64>,
    sweep_at: usize,
}

impl Arrivals {
    /// Lets one more in, or says how many milliseconds to wait.
    pub fn admit(&self, user: &str, class: Class, per_minute: u32, now: u64) -> Result<(), u64> {
        let mut times = self.times();
        let at = times.due(user, class, per_minute, now)?;
        times.charge(user, class, at, now);
        Ok(())
    }

    /// When one more would be due, or how many milliseconds it has to wait. Counts nothing: `charge` does.
    pub fn due(&self, user: &str, class: Class, per_minute: u32, now: u64) -> Result<f64, u64> {
        self.times().due(user, class, per_minute, now)
    }

    pub fn charge(&self, user: &str, class: Class, at: f64, now: u64) {
        self.times().charge(user, class, at, now);
    }

    /// A panic elsewhere leaves at worst one entry uncounted: the numbers stay usable.
    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Times {
    fn due(&self, user: &str, class: Class, per_minute: u32, now: u64) -> Result<f64, u64> {
        let now = now as f64;
        let stored = self.at.get(&(user.to_owned(), class)).copied().unwrap_or(0.0);
        let at = stored.max(now) + MINUTE_MS / f64::from(per_minute);
        let wait = (at - now - MINUTE_MS - ROUNDING_MS).ceil();
        if wait > 0.0 { Err(whole(wait)) } else { Ok(at) }
    }

    fn charge(&mut self, user: &str, class: Class, at: f64, now: u64) {
        if self.at.len() >= self.sweep_at.max(ENTRIES_UNSWEPT) {
            self.at.retain(|_, at| *at > now as f64);
            self.sweep_at = self.at.len().saturating_mul(2);
        }
        self.at.insert((user.to_owned(), class), at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_may_come_at_once_and_then_one_by_one() {
        for per_minute in [1, 3, 7, 11, 600] {
            let arrivals = Arrivals::default();
            for _ in 0..per_minute {
                assert_eq!(arrivals.admit("ann", Class::Request, per_minute, 1_795_340_710_123), Ok(()), "{per_minute} a minute");
            }
            let wait = arrivals.admit("ann", Class::Request, per_minute, 1_795_340_710_123).unwrap_err();
            assert!(wait.abs_diff(60_000 / u64::from(per_minute)) <= 1, "{wait}");
            assert_eq!(arrivals.admit("ann", Class::Request, per_minute, 1_795_340_710_123 + wait), Ok(()));
            assert_eq!(arrivals.admit("ann", Class::Turn, per_minute, 1_795_340_710_123), Ok(()), "classes are counted apart");
        }
    }

    #[test]
    fn what_says_nothing_any_more_is_dropped() {
        let arrivals = Arrivals::default();
        for i in 0..10 * ENTRIES_UNSWEPT {
            let now = i as u64 * 1000;
            assert_eq!(arrivals.admit(&format!("user{i}"), Class::Request, 60, now), Ok(()));
        }
        assert!(arrivals.times().at.len() <= 2 * ENTRIES_UNSWEPT);
    }
}
