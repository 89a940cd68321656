//! Watching what begins and ends, from any replica: sessions, turns, and the replicas themselves.
//!
//! The scripts that begin and end something write it down where somebody watches, and whoever watches reads it twice a second. To compare what
//! there is with what there was would cost turns nothing at all, but it would miss every turn that is shorter than the time between two looks,
//! and how it ended; to publish it would need connections that only listen, at every kind of Redis.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use futures_util::{Stream, stream};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tracing::warn;

use super::{App, AppError, admin::granted, work::is_away};
use crate::{
    domain::{
        limits::{WATCH_AGAIN_MS, WATCH_RESUMED_MS},
        scope::Scope,
    },
    secrets::tokens::Bearer,
    store::contract::{
        changes::{Change, Seen},
        replicas::Alive,
    },
};

/// How often the store is asked what happened.
const READ_EVERY: Duration = Duration::from_millis(500);
/// How often it is asked whether the caller may still watch.
const ADMIT_EVERY: Duration = Duration::from_secs(1);
/// The store may be away for so long before whoever watches is sent off, to come again.
const AWAY_MAX: Duration = Duration::from_secs(10);

/// What somebody is told who watches.
#[derive(Debug)]
pub enum Watched {
    /// From this time on nothing is missed, milliseconds since 1970; whether something may have been missed before, since it was watched last.
    Watching {
        at_ms: u64,
        missed: bool,
    },
    Change(Change),
    ReplicaCame(Alive),
    /// It is going down.
    ReplicaDraining(Alive),
    /// It took its leave, or nothing was heard of it for too long.
    ReplicaGone {
        id: String,
    },
    /// Everything until the end of this millisecond was told.
    Until {
        at_ms: u64,
    },
    /// The caller may not watch any more. The last that is told.
    Over(AppError),
}

/// One who watches.
struct Watcher {
    app: App,
    caller: Bearer,
    seen: Seen,
    /// Whether each replica is going down.
    replicas: BTreeMap<String, bool>,
    ready: VecDeque<Watched>,
    over: bool,
    admitted: Instant,
    said: Instant,
    away: Option<Instant>,
    _place: OwnedSemaphorePermit,
}

impl App {
    /// Watches what begins and ends, from now on, or from a time on until which everything was seen (milliseconds since 1970).
    ///
    /// # Errors
    /// Among others [`AppError::TooManyWatchers`].
    pub async fn watch(
        &self,
        caller: &Bearer,
        again: bool,
        seen_ms: Option<u64>,
    ) -> Result<impl Stream<Item = Watched> + Send + use<>, AppError> {
        self.granted(caller, Scope::SessionsRead).await?;
        let place = self.0.watchers.clone().try_acquire_owned().map_err(|_| AppError::TooManyWatchers)?;
        let now_ms = self.store().watch().await?;
        let resumed = seen_ms.filter(|seen| (now_ms.saturating_sub(WATCH_RESUMED_MS)..=now_ms).contains(seen));
        let replicas = self.store().replicas().await?.into_iter().map(|alive| (alive.replica.id, alive.replica.draining)).collect();
        let first = Watched::Watching { at_ms: now_ms, missed: again && resumed.is_none() };
        let watcher = Watcher {
            app: self.clone(),
            caller: caller.clone(),
            // What happens in this very millisecond is told, even if it was before.
            seen: Seen::until(resumed.unwrap_or(now_ms.saturating_sub(1))),
            replicas,
            ready: VecDeque::from([first]),
            over: false,
            admitted: Instant::now(),
            said: Instant::now(),
            away: None,
            _place: place,
        };
        Ok(watcher.into_stream())
    }
}

impl Watcher {
    fn into_stream(self) -> impl Stream<Item = Watched> + Send {
        stream::unfold(self, |mut watcher| async move {
            while watcher.ready.is_empty() && !watcher.over {
                watcher.go_on().await;
            }
            watcher.ready.pop_front().map(|told| (told, watcher))
        })
    }

    /// One step: a while passes, and what is new is made ready.
    async fn go_on(&mut self) {
        tokio::select! {
            () = tokio::time::sleep(READ_EVERY) => {}
            // Another replica tells the rest.
            () = self.app.0.draining.cancelled() => {
                self.over = true;
                return;
            }
        }
        match self.look().await {
            Ok(()) => self.away = None,
            Err(error) if is_away(&error) => {
                if self.away.get_or_insert_with(Instant::now).elapsed() > AWAY_MAX {
                    warn!(%error, "nobody can watch what begins and ends: {error}");
                    self.over = true;
                }
            }
            Err(error) => {
                self.ready.push_back(Watched::Over(error));
                self.over = true;
            }
        }
    }

    async fn look(&mut self) -> Result<(), AppError> {
        let store = self.app.store();
        if self.admitted.elapsed() >= ADMIT_EVERY {
            match granted(store.still_administrator(super::caller(&self.caller), Scope::SessionsRead).await?) {
                // That somebody asks too often elsewhere is no reason to be sent off here.
                Ok(()) | Err(AppError::Limited { .. }) => self.admitted = Instant::now(),
                Err(refused) => return Err(refused),
            }
        }
        if self.said.elapsed() >= Duration::from_millis(WATCH_AGAIN_MS) {
            store.watch().await?;
            self.said = Instant::now();
        }
        let changes = store.changes(&self.seen).await?;
        let alive = store.replicas().await?;
        self.seen = changes.seen;
        self.ready.extend(changes.changes.into_iter().map(Watched::Change));
        self.compare(alive);
        if !self.ready.is_empty() {
            self.ready.push_back(Watched::Until { at_ms: changes.complete_ms });
        }
        Ok(())
    }

    /// Tells which replicas came, went, or are going down now.
    fn compare(&mut self, alive: Vec<Alive>) {
        let mut gone = std::mem::take(&mut self.replicas);
        for alive in alive {
            let (id, draining) = (alive.replica.id.clone(), alive.replica.draining);
            match (gone.remove(&id), draining) {
                (None, _) => self.ready.push_back(Watched::ReplicaCame(alive)),
                (Some(false), true) => self.ready.push_back(Watched::ReplicaDraining(alive)),
                (Some(_), _) => {}
            }
            self.replicas.insert(id, draining);
        }
        self.ready.extend(gone.into_keys().map(|id| Watched::ReplicaGone { id }));
    }
}
