//! How often somebody may come, and what is left of it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::number::whole;

/// A minute, in milliseconds.
pub const MINUTE_MS: f64 = 60_000.0;
/// What sums of fractions may be off by without anybody being sent away, in milliseconds.
pub const ROUNDING_MS: f64 = 0.5;

/// What is counted of a user, each by the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rate {
    Requests,
    Turns,
}

impl Rate {
    pub const ALL: [Self; 2] = [Self::Requests, Self::Turns];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Turns => "turns",
        }
    }
}

/// What the store told of a caller's rates while it did what one request wanted. It tells that beside what it is asked for, so it is noted here and
/// not handed through every answer. Cheap to clone; all clones are of the same request.
#[derive(Debug, Clone, Default)]
pub struct Counted(Arc<Ahead>);

/// Milliseconds by which the next arrival time (GCRA) is ahead of the store's clock, and one more; 0: nothing was told.
#[derive(Debug, Default)]
struct Ahead {
    requests: AtomicU64,
    turns: AtomicU64,
}

impl Counted {
    /// Notes that one more was let in, and how many milliseconds the arrival time is ahead now.
    pub fn tell(&self, rate: Rate, ahead_ms: u64) {
        self.of(rate).store(ahead_ms.saturating_add(1), Ordering::Relaxed);
    }

    /// What was told last.
    pub fn ahead_ms(&self, rate: Rate) -> Option<u64> {
        self.of(rate).load(Ordering::Relaxed).checked_sub(1)
    }

    fn of(&self, rate: Rate) -> &AtomicU64 {
        match rate {
            Rate::Requests => &self.0.requests,
            Rate::Turns => &self.0.turns,
        }
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        Rate::ALL.into_iter().all(|rate| self.ahead_ms(rate) == other.ahead_ms(rate))
    }
}

impl Eq for Counted {}

/// What is left of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// So many may come at once.
    pub remaining: u64,
    /// A whole minute's worth may come again after so many seconds.
    pub resets_secs: u64,
}

impl Left {
    /// Of a minute's worth, the last of which was let in.
    pub fn after(ahead_ms: u64, per_minute: u32) -> Self {
        let left = (MINUTE_MS + ROUNDING_MS - ahead_ms as f64) / (MINUTE_MS / f64::from(per_minute));
        Self { remaining: whole(left).min(u64::from(per_minute)), resets_secs: ahead_ms.div_ceil(1000) }
    }

    /// Of one that has to wait for so long.
    pub fn until(wait_ms: u64, per_minute: u32) -> Self {
        let before = whole(MINUTE_MS - MINUTE_MS / f64::from(per_minute));
        Self { remaining: 0, resets_secs: wait_ms.saturating_add(before).div_ceil(1000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_may_come_at_once() {
        for per_minute in [1, 3, 7, 60, 600] {
            let every_ms = MINUTE_MS / f64::from(per_minute);
            for come in 1..=per_minute {
                // As scripts tell it: without the fraction.
                let ahead_ms = whole(every_ms * f64::from(come));
                let left = Left::after(ahead_ms, per_minute);
                assert_eq!(left.remaining, u64::from(per_minute - come), "{come} of {per_minute}");
                assert_eq!(left.resets_secs, ahead_ms.div_ceil(1000));
            }
        }
        assert_eq!(Left::after(0, 5), Left { remaining: 5, resets_secs: 0 });
        assert_eq!(Left::after(u64::MAX, 5).remaining, 0);
    }

    #[test]
    fn nothing_is_left_for_whoever_has_to_wait() {
        assert_eq!(Left::until(20_000, 3), Left { remaining: 0, resets_secs: 60 });
        assert_eq!(Left::until(1, 1), Left { remaining: 0, resets_secs: 1 });
        assert_eq!(Left::until(100, 600), Left { remaining: 0, resets_secs: 60 });
    }

    #[test]
    fn what_was_told_is_known_to_all_who_work_for_the_request() {
        let counted = Counted::default();
        assert_eq!(Rate::ALL.map(|rate| counted.ahead_ms(rate)), [None, None]);
        counted.clone().tell(Rate::Turns, 0);
        assert_eq!(Rate::ALL.map(|rate| counted.ahead_ms(rate)), [None, Some(0)]);
    }
}
