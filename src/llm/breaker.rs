//! Whether a server is asked at all: after some failures in a row it is left alone for a while, and then one request finds out.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::domain::limits::{MODEL_FAILURES_MAX, MODEL_REST_MS};

/// What is known of one server.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Until then it is not asked.
    rests_until: Option<Instant>,
}

impl Breaker {
    /// Whether it may be asked now. Of those who come after its rest one may; if nothing becomes of that one, the next after another rest.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.rests_until {
            None => true,
            Some(end) if now < end => false,
            Some(_) => {
                state.rests_until = Some(rest_from(now));
                true
            }
        }
    }

    /// It answered, whatever it said.
    pub(super) fn worked(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// It did not answer, or not so that it could be read. Whether it is left alone from now on.
    pub(super) fn failed(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        let rests = state.failures >= MODEL_FAILURES_MAX;
        if rests {
            state.rests_until = Some(rest_from(now));
        }
        rests
    }
}

fn rest_from(now: Instant) -> Instant {
    now + Duration::from_millis(MODEL_REST_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(times: u32, now: Instant) -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..times {
            breaker.failed(now);
        }
        breaker
    }

    #[tokio::test]
    async fn failures_in_a_row_bring_a_rest_and_one_request_ends_it() {
        let now = Instant::now();
        let rested = rest_from(now);
        assert!(failed(MODEL_FAILURES_MAX - 1, now).admits(now), "one less is none too many");
        let breaker = failed(MODEL_FAILURES_MAX, now);
        assert!(!breaker.admits(now) && !breaker.admits(rested - Duration::from_millis(1)));
        assert_eq!((breaker.admits(rested), breaker.admits(rested)), (true, false), "one finds out");
        breaker.worked();
        assert!(breaker.admits(rested) && !breaker.failed(rested), "the count begins anew");
    }

    #[tokio::test]
    async fn who_finds_out_and_fails_or_is_never_heard_of_brings_another_rest() {
        let now = Instant::now();
        let breaker = failed(MODEL_FAILURES_MAX, now);
        let rested = rest_from(now);
        assert!(breaker.admits(rested));
        assert!(breaker.admits(rest_from(rested)), "whoever went to find out did not come back");
        let later = rest_from(rested);
        assert!(breaker.failed(later));
        assert!(!breaker.admits(later) && breaker.admits(rest_from(later)));
    }
}
