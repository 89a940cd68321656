//! The only reader of the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    /// Stands still until it is moved: for tests.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// A clock that shows `now_ms` until it is moved.
    pub fn manual(now_ms: u64) -> Self {
        Self::Manual(Arc::new(AtomicU64::new(now_ms)))
    }

    /// Milliseconds since 1970.
    #[expect(clippy::disallowed_methods, reason = "here is where the time is read")]
    pub fn now_ms(&self) -> u64 {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            }
            Self::Manual(at) => at.load(Ordering::Relaxed),
        }
    }

    /// Moves a manual clock; a system clock cannot be moved and stays as it is.
    pub fn advance_ms(&self, by: u64) {
        if let Self::Manual(at) = self {
            at.fetch_add(by, Ordering::Relaxed);
        }
    }
}

/// A deadline on the monotonic clock that can be moved further: how long a worker may believe that it still holds its lease.
/// It runs on while a process is stopped, so a worker that slept too long finds out before it sends anything.
#[derive(Debug, Clone)]
pub struct Countdown {
    began: Instant,
    /// Milliseconds after `began`.
    ends: Arc<AtomicU64>,
}

impl Countdown {
    /// `ms` from `since`, which may be past: then less is left, or nothing.
    pub fn since(since: Instant, ms: u64) -> Self {
        Self { began: since, ends: Arc::new(AtomicU64::new(ms)) }
    }

    /// Starts over: `ms` from `since`, which is not before the countdown's own beginning.
    pub fn restart_ms(&self, since: Instant, ms: u64) {
        let passed = u64::try_from(since.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
        self.ends.store(passed.saturating_add(ms), Ordering::Relaxed);
    }

    pub fn is_over(&self) -> bool {
        self.began.elapsed().as_millis() >= u128::from(self.ends.load(Ordering::Relaxed)) && !crate::fault::ablated("fence")
    }
}

/// `2026-11-22T09:45:10.123Z` for milliseconds since 1970; the beginning of 1970 for what is beyond the calendar.
pub fn rfc3339(ms: u64) -> String {
    let nanos = i128::from(ms) * 1_000_000;
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let (date, clock) = (at.date(), at.time());
    // Digit by digit: every answer has several of these, and formatting costs ten times as much.
    let mut text = String::with_capacity(24);
    let mut put = |number: u32, digits: u32, after: char| {
        for place in (0..digits).rev() {
            text.extend(char::from_digit(number / 10_u32.pow(place) % 10, 10));
        }
        text.push(after);
    };
    put(u32::try_from(date.year()).unwrap_or_default(), 4, '-');
    put(u8::from(date.month()).into(), 2, '-');
    put(date.day().into(), 2, 'T');
    put(clock.hour().into(), 2, ':');
    put(clock.minute().into(), 2, ':');
    put(clock.second().into(), 2, '.');
    put(clock.millisecond().into(), 3, 'Z');
    text
}

/// Milliseconds since 1970 of a time as RFC 3339 writes it, in whatever zone; `None` for anything else. What is before
/// 1970 is before everything: 0.
pub fn from_rfc3339(text: &str) -> Option<u64> {
    let at = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    Some(u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_written_as_rfc3339_in_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_340_710_123), "2026-11-22T09:45:10.123Z");
        assert_eq!(from_rfc3339("2026-11-22T09:45:10.123Z"), Some(1_795_340_710_123));
        assert_eq!(from_rfc3339("2026-11-22T17:45:10+08:00"), Some(1_795_340_710_000));
        assert_eq!(from_rfc3339("1969-12-31T23:59:59Z"), Some(0));
        assert!(["", "2026-11-22", "1795340710123"].iter().all(|text| from_rfc3339(text).is_none()));
    }

    #[test]
    fn a_countdown_runs_from_the_moment_it_is_given() {
        let second_ago = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        assert!(Countdown::since(second_ago, 900).is_over(), "what has passed is not given again");
        let countdown = Countdown::since(second_ago, 60_000);
        assert!(!countdown.is_over());
        countdown.restart_ms(second_ago, 900);
        assert!(countdown.is_over());
        countdown.restart_ms(Instant::now(), 60_000);
        assert!(!countdown.is_over());
    }
}
