//! Whether Redis has been away for some time: then nobody is made to wait for it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// A restart or a failover is waited for; what lasts longer is an outage.
const PATIENT_FOR: Duration = Duration::from_secs(3);

/// Since when calls have come to nothing.
pub struct Weather {
    began: Instant,
    /// Milliseconds since `began`, plus one; 0: the last call had an answer.
    foul_since: AtomicU64,
}

impl Default for Weather {
    fn default() -> Self {
        Self { began: Instant::now(), foul_since: AtomicU64::new(0) }
    }
}

impl Weather {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    /// A call came to nothing.
    pub fn turns_foul(&self) {
        // Who was first counts.
        let _ = self.foul_since.compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// A call was answered.
    pub fn is_fair(&self) {
        // All requests share this place: it is written only if it changes.
        if self.foul_since.load(Ordering::Relaxed) != 0 {
            self.foul_since.store(0, Ordering::Relaxed);
        }
    }

    /// For longer than anybody is made to wait.
    pub fn has_been_foul(&self) -> bool {
        match self.foul_since.load(Ordering::Relaxed) {
            0 => false,
            since => self.now().saturating_sub(since) >= u64::try_from(PATIENT_FOR.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
