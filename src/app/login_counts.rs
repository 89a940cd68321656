//! Logins, counted by the hour for administrators. They are gathered for a moment and written at once: however many passwords somebody tries, the
//! store is asked once a second.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tracing::warn;

use super::App;
use crate::{
    domain::limits::HOUR_MS,
    store::contract::overview::{LOGINS, LoginEnd, LoginsOfHour},
};

/// How long what was counted is gathered before it is written.
const GATHERED_FOR: Duration = Duration::from_secs(1);

/// What this replica has counted.
#[derive(Debug, Default)]
pub(super) struct LoginCounts(Mutex<Gathered>);

#[derive(Debug, Default)]
struct Gathered {
    /// By when the hour began. The newest stays, since what is written of an hour is all that there was in it.
    hours: BTreeMap<u64, [u64; LOGINS.len()]>,
    /// Whether a task writes what is counted now.
    writing: bool,
}

impl LoginCounts {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more; whether somebody has to see to it that it is written.
    fn add(&self, end: LoginEnd, now_ms: u64) -> bool {
        let mut gathered = self.gathered();
        let counts = gathered.hours.entry(now_ms / HOUR_MS * HOUR_MS).or_default();
        counts.iter_mut().zip(LOGINS).filter(|(_, of)| *of == end).for_each(|(count, _)| *count += 1);
        !std::mem::replace(&mut gathered.writing, true)
    }

    fn counted(&self) -> Vec<LoginsOfHour> {
        self.gathered().hours.iter().map(|(began_ms, logins)| LoginsOfHour { began_ms: *began_ms, logins: *logins }).collect()
    }

    /// These are written. Whether nothing was counted meanwhile.
    fn written(&self, hours: &[LoginsOfHour]) -> bool {
        let mut gathered = self.gathered();
        let newest = gathered.hours.keys().next_back().copied();
        let is_written =
            |began_ms: u64, logins: &[u64; LOGINS.len()]| hours.iter().any(|hour| hour.began_ms == began_ms && hour.logins == *logins);
        let all = gathered.hours.iter().all(|(began_ms, logins)| is_written(*began_ms, logins));
        gathered.hours.retain(|began_ms, logins| Some(*began_ms) == newest || !is_written(*began_ms, logins));
        gathered.writing = !all;
        all
    }

    /// Nobody writes any more.
    fn left(&self) {
        self.gathered().writing = false;
    }
}

impl App {
    /// Counts a login that has ended so.
    pub(super) fn count_login(&self, end: LoginEnd) {
        if self.0.login_counts.add(end, self.now_ms()) {
            let app = self.clone();
            if self.spawn(async move { app.write_logins().await }).is_err() {
                self.0.login_counts.left();
            }
        }
    }

    /// Writes what is counted until all is written, and no later than this replica goes down.
    async fn write_logins(&self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(GATHERED_FOR) => {}
                () = self.0.draining.cancelled() => {}
            }
            let hours = self.0.login_counts.counted();
            match self.store().count_logins(self.replica(), &hours).await {
                Ok(()) if self.0.login_counts.written(&hours) => return,
                Ok(()) => {}
                Err(error) if self.is_draining() => {
                    warn!(%error, "how many logins there were lately is not counted, since the store was not told of them: {error}");
                    return self.0.login_counts.left();
                }
                // That the store is away is told by the pings; what was counted is written when it is back.
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_while_it_is_written_is_written_next() {
        let counts = LoginCounts::default();
        assert!(counts.add(LoginEnd::Succeeded, HOUR_MS + 1));
        assert!(!counts.add(LoginEnd::Failed, HOUR_MS + 2), "somebody writes already");
        let first = counts.counted();
        assert_eq!(first, [LoginsOfHour { began_ms: HOUR_MS, logins: [1, 1, 0] }]);
        counts.add(LoginEnd::Throttled, HOUR_MS + 3);
        assert!(!counts.written(&first));
        assert!(counts.written(&counts.counted()));
        assert!(counts.add(LoginEnd::Failed, HOUR_MS + 4), "nobody writes any more");
        assert_eq!(counts.counted()[0].logins, [1, 2, 1], "all that there was in the hour");
    }

    #[test]
    fn an_hour_that_is_over_is_forgotten_when_it_is_written() {
        let counts = LoginCounts::default();
        counts.add(LoginEnd::Succeeded, 5);
        counts.add(LoginEnd::Succeeded, HOUR_MS);
        let both = counts.counted();
        assert_eq!(both.len(), 2);
        assert!(counts.written(&both));
        assert_eq!(counts.counted(), [LoginsOfHour { began_ms: HOUR_MS, logins: [1, 0, 0] }]);
    }
}
