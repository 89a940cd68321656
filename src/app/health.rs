//! Whether this replica can serve: known in advance, so that asking costs nothing and hangs on nothing.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use tracing::{info, warn};

use super::App;
use crate::{
    clock::Clock,
    domain::language::Language,
    llm::ModelError,
    store::{Store, contract::SessionStats, warnings::StoreWarning},
};

const PING_EVERY: Duration = Duration::from_secs(1);
/// Clocks that differ by less agree: so much of it is the way there and back.
const CLOCKS_AGREE_MS: u64 = 100;
/// Pings that may fail before the store counts as away: one lost answer is no outage.
const MISSES_MAX: u32 = 3;
/// How Redis is set up changes rarely; how many replicas it has changes when one goes away.
const CHECK_EVERY: Duration = Duration::from_secs(10);
/// Numbers of sessions are asked for at most this often by those who need no token for it.
const STATS_EVERY: Duration = Duration::from_secs(1);

/// What the background ping knows. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Health {
    misses: Arc<AtomicU32>,
    /// How far the store's clock is ahead of this replica's, in milliseconds.
    ahead_ms: Arc<AtomicI64>,
    model_error: Arc<Mutex<Option<ModelError>>>,
    stats: Arc<tokio::sync::Mutex<Option<Told>>>,
    warnings: Arc<Mutex<Vec<StoreWarning>>>,
}

/// How the offline planner stands that takes turns over whose model cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// The model answered last time.
    Ready,
    /// It did not, and the offline planner took the turn over.
    InUse,
}

/// What the store said of its sessions; nothing if it did not answer.
#[derive(Debug, Clone, Copy)]
struct Told {
    at: Instant,
    stats: Option<SessionStats>,
}

impl Health {
    /// Whether the store answered lately.
    pub fn store_answers(&self) -> bool {
        self.misses.load(Ordering::Relaxed) < MISSES_MAX
    }

    /// What the model's server did last time, if it did not answer.
    pub fn last_model_error(&self) -> Option<ModelError> {
        *self.model_error.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn model_did(&self, error: Option<ModelError>) {
        *self.model_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    /// This replica's time, put right by the store's clock: what several replicas judge alike is judged by one clock.
    pub(super) fn put_right(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add_signed(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// Asks the store what time it is; false if it does not answer.
    pub(super) async fn ask(&self, store: &Store, clock: &Clock) -> bool {
        let before = clock.now_ms();
        let Ok(theirs) = store.ping().await else { return false };
        // Half of the way there and back.
        let ours = before / 2 + clock.now_ms() / 2;
        let ahead = i64::try_from(theirs).unwrap_or_default().saturating_sub_unsigned(ours);
        let ahead = if ahead.unsigned_abs() < CLOCKS_AGREE_MS { 0 } else { ahead };
        self.ahead_ms.store(ahead, Ordering::Relaxed);
        true
    }

    /// What is set in the store so that something may be lost, as it was known lately.
    pub fn store_warnings(&self) -> Vec<StoreWarning> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the store how it is set up. What is new is logged; while the store is away, what was known stays.
    pub(super) async fn check(&self, store: &Store) {
        let Ok(found) = store.warnings().await else { return };
        let known = self.store_warnings();
        for warning in found.iter().filter(|warning| !known.contains(warning)) {
            warn!(code = warning.code(), "{}", warning.sentence(Language::English));
        }
        for warning in known.iter().filter(|warning| !found.contains(warning)) {
            info!(code = warning.code(), "no longer: {}", warning.sentence(Language::English));
        }
        *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// Asks the store once a second, for ever.
    pub(super) async fn watch(self, store: Store, clock: Clock) {
        let mut checked = Instant::now();
        loop {
            tokio::time::sleep(PING_EVERY).await;
            if checked.elapsed() >= CHECK_EVERY {
                self.check(&store).await;
                checked = Instant::now();
            }
            if self.ask(&store, &clock).await {
                if self.misses.swap(0, Ordering::Relaxed) >= MISSES_MAX {
                    info!("the store answers again");
                }
            } else if self.misses.fetch_add(1, Ordering::Relaxed) + 1 == MISSES_MAX {
                warn!("the store does not answer: not ready");
            }
        }
    }
}

impl App {
    /// Numbers of sessions, at most a second old; `None` while the store is away.
    pub async fn stats_lately(&self) -> Option<SessionStats> {
        let mut known = self.health().stats.lock().await;
        if let Some(told) = *known
            && told.at.elapsed() < STATS_EVERY
        {
            return told.stats;
        }
        // That there was no answer is known for as long as an answer is: many who ask must not wait one after the other.
        let stats = self.session_stats().await.ok();
        *known = Some(Told { at: Instant::now(), stats });
        stats
    }
}
