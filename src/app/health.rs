//! Whether this replica can serve: known in advance, so that asking costs nothing and hangs on nothing.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use tracing::{info, warn};

use super::App;
use crate::{
    llm::ModelError,
    store::{Store, contract::SessionStats},
};

const PING_EVERY: Duration = Duration::from_secs(1);
/// Pings that may fail before the store counts as away: one lost answer is no outage.
const MISSES_MAX: u32 = 3;
/// Numbers of sessions are asked for at most this often by those who need no token for it.
const STATS_EVERY: Duration = Duration::from_secs(1);

/// What the background ping knows. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Health {
    misses: Arc<AtomicU32>,
    model_error: Arc<Mutex<Option<ModelError>>>,
    stats: Arc<tokio::sync::Mutex<Option<Told>>>,
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

    /// Asks the store once a second, for ever.
    pub(super) async fn watch(self, store: Store) {
        loop {
            tokio::time::sleep(PING_EVERY).await;
            if store.ping().await.is_ok() {
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
