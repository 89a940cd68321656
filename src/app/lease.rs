//! Holding a session while a turn runs: the heartbeat, the journal, the end.

use std::time::{Duration, Instant};

use tracing::{error, warn};

use super::{App, AppError};
use crate::{
    clock::Countdown,
    store::contract::{Commit, Committed, Entry, Lease, Stepped, StoreError},
};

/// Pauses between attempts to store the end of a turn, growing to the last one.
const COMMIT_PAUSES_MS: [u64; 5] = [50, 100, 200, 500, 1000];

/// A lease and how long this process may rely on it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub lease: Lease,
    /// Runs out before the store gives the session to somebody else.
    pub countdown: Countdown,
    lease_ms: u64,
}

impl Held {
    /// `asked` is when the lease was asked for: it cannot have begun earlier than that.
    pub fn new(lease: Lease, lease_ms: u64, asked: Instant) -> Self {
        Self { lease, countdown: Countdown::since(asked, relied_on(lease_ms)), lease_ms }
    }

    fn renewed(&self, asked: Instant) {
        self.countdown.restart_ms(asked, relied_on(self.lease_ms));
    }
}

/// Four fifths of the lease: what is left covers the difference between two clocks' speeds and the way to the upstream.
fn relied_on(lease_ms: u64) -> u64 {
    lease_ms / 5 * 4
}

impl App {
    /// Writes journal entries and renews the lease.
    pub(super) async fn journal(&self, held: &Held, entries: &[Entry]) -> Result<(), AppError> {
        let asked = Instant::now();
        match self.store().step(&held.lease, held.lease_ms, entries).await? {
            Stepped::Held | Stepped::CancelWanted => {
                held.renewed(asked);
                Ok(())
            }
            Stepped::Stale => Err(self.lost(&held.lease)),
        }
    }

    /// Renews the lease until it is lost; ends only then.
    pub(super) async fn keep(&self, held: &Held) -> AppError {
        loop {
            tokio::time::sleep(Duration::from_millis(held.lease_ms / 3)).await;
            match self.journal(held, &[]).await {
                Ok(()) => {}
                Err(AppError::Store(StoreError::Unavailable)) if !held.countdown.is_over() => {
                    warn!(run = %held.lease.run, "the lease of run {} could not be renewed, trying again", held.lease.run);
                }
                Err(error) => return error,
            }
        }
    }

    /// Stores the end of a run; returns the conversation's version. While the store is away it tries again for as long as a lease lasts: the token decides, not the time.
    pub(super) async fn commit(&self, held: &Held, commit: Commit<'_>) -> Result<u64, AppError> {
        let until = Instant::now() + Duration::from_millis(held.lease_ms);
        let mut pauses = COMMIT_PAUSES_MS.iter();
        let mut pause = COMMIT_PAUSES_MS[0];
        loop {
            match self.store().commit(&held.lease, commit).await {
                Ok(Committed::Stale) => return Err(self.lost(&held.lease)),
                Ok(Committed::Done { version, .. }) => return Ok(version),
                Err(StoreError::Unavailable) if Instant::now() < until => {
                    pause = pauses.next().copied().unwrap_or(pause);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Err(error) => {
                    error!(run = %held.lease.run, "the end of run {} could not be stored", held.lease.run);
                    return Err(error.into());
                }
            }
        }
    }

    fn lost(&self, lease: &Lease) -> AppError {
        warn!(run = %lease.run, user = %lease.user, "run {} of {} lost its session to another", lease.run, lease.user);
        AppError::LeaseLost { run: lease.run.clone() }
    }
}
