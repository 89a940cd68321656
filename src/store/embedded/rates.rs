//! How often a user may come: GCRA as in `lua/gate.lua`, in memory. A restart forgives; a minute would have forgiven anyway.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::domain::{
    number::whole,
    rate::{MINUTE_MS, ROUNDING_MS, Rate},
};

/// Entries that are kept before those are looked for that say nothing any more.
const ENTRIES_UNSWEPT: usize = 1024;

/// Theoretical arrival times. Only users with an account get here, so their number bounds it; entries whose time has come are
/// dropped whenever it has doubled.
#[derive(Default)]
pub(super) struct Arrivals(Mutex<Times>);

#[derive(Default)]
struct Times {
    at: HashMap<(String, Rate), f64>,
    sweep_at: usize,
}

impl Arrivals {
    /// Lets one more in, and says how many milliseconds the arrival time is ahead then; or says how many to wait.
    pub fn admit(&self, user: &str, rate: Rate, per_minute: u32, now: u64) -> Result<u64, u64> {
        let mut times = self.times();
        let at = times.due(user, rate, per_minute, now)?;
        times.charge(user, rate, at, now);
        Ok(ahead(at, now))
    }

    /// When one more would be due, or how many milliseconds it has to wait. Counts nothing: `charge` does.
    pub fn due(&self, user: &str, rate: Rate, per_minute: u32, now: u64) -> Result<f64, u64> {
        self.times().due(user, rate, per_minute, now)
    }

    pub fn charge(&self, user: &str, rate: Rate, at: f64, now: u64) {
        self.times().charge(user, rate, at, now);
    }

    /// A panic elsewhere leaves at worst one entry uncounted: the numbers stay usable.
    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many milliseconds an arrival time is ahead.
pub(super) fn ahead(at: f64, now: u64) -> u64 {
    whole(at - now as f64)
}

impl Times {
    fn due(&self, user: &str, rate: Rate, per_minute: u32, now: u64) -> Result<f64, u64> {
        let now = now as f64;
        let stored = self.at.get(&(user.to_owned(), rate)).copied().unwrap_or(0.0);
        let at = stored.max(now) + MINUTE_MS / f64::from(per_minute);
        let wait = (at - now - MINUTE_MS - ROUNDING_MS).ceil();
        if wait > 0.0 { Err(whole(wait)) } else { Ok(at) }
    }

    fn charge(&mut self, user: &str, rate: Rate, at: f64, now: u64) {
        if self.at.len() >= self.sweep_at.max(ENTRIES_UNSWEPT) {
            self.at.retain(|_, at| *at > now as f64);
            self.sweep_at = self.at.len().saturating_mul(2);
        }
        self.at.insert((user.to_owned(), rate), at);
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
                assert!(arrivals.admit("ann", Rate::Requests, per_minute, 1_795_340_710_123).is_ok(), "{per_minute} a minute");
            }
            let wait = arrivals.admit("ann", Rate::Requests, per_minute, 1_795_340_710_123).unwrap_err();
            assert!(wait.abs_diff(60_000 / u64::from(per_minute)) <= 1, "{wait}");
            assert!(arrivals.admit("ann", Rate::Requests, per_minute, 1_795_340_710_123 + wait).is_ok());
            assert!(arrivals.admit("ann", Rate::Turns, per_minute, 1_795_340_710_123).is_ok(), "classes are counted apart");
        }
    }

    #[test]
    fn what_says_nothing_any_more_is_dropped() {
        let arrivals = Arrivals::default();
        for i in 0..10 * ENTRIES_UNSWEPT {
            let now = i as u64 * 1000;
            assert!(arrivals.admit(&format!("user{i}"), Rate::Requests, 60, now).is_ok());
        }
        assert!(arrivals.times().at.len() <= 2 * ENTRIES_UNSWEPT);
    }
}
