//! That this replica is there: said in the store now and then for as long as it serves, so that administrators see all replicas from any.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{App, AppError, Inner};
use crate::{
    domain::{limits::REPLICA_BEAT_MS, scope::Scope},
    metrics::metrics,
    release,
    secrets::tokens::Bearer,
    store::contract::replicas::{Alive, Replica},
};

/// What is the same in all that a replica says of itself.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// Where it listens and since when; none while it does not serve.
    serving: OnceLock<(SocketAddr, u64)>,
    /// Held while something is said, so that nothing is said after the last word.
    saying: Mutex<()>,
    gone: CancellationToken,
}

impl App {
    /// Says that this replica serves at this address, and goes on saying that it is there until [`App::leave`].
    pub async fn arrive(&self, at: SocketAddr) {
        if self.0.presence.serving.set((at, self.now_ms())).is_ok() {
            self.say_here().await;
            tokio::spawn(beat(Arc::downgrade(&self.0)));
        }
    }

    /// Says that this replica is gone.
    pub async fn leave(&self) {
        self.0.presence.gone.cancel();
        let _last_word = self.0.presence.saying.lock().await;
        if let Err(error) = self.store().replica_goes(self.replica()).await {
            warn!(%error, "the store was not told that this replica goes, and finds out when it hears nothing of it: {error}");
        }
    }

    /// What is not said while the store is away is said the next time.
    async fn say_here(&self) {
        let presence = &self.0.presence;
        let _one_word = presence.saying.lock().await;
        let Some((address, started_ms)) = presence.serving.get().filter(|_| !presence.gone.is_cancelled()) else { return };
        let load = metrics().load();
        let replica = Replica {
            id: self.replica().to_owned(),
            version: release::VERSION.to_owned(),
            address: address.to_string(),
            started_ms: *started_ms,
            draining: self.is_draining(),
            turns: load.turns,
            streams: load.streams,
            memory_bytes: load.memory_bytes,
        };
        let _away = self.store().beat(&replica).await;
    }

    /// The replicas that are there, by name.
    ///
    /// # Errors
    /// The caller may not.
    pub async fn replicas(&self, caller: &Bearer) -> Result<Vec<Alive>, AppError> {
        self.granted(caller, Scope::SessionsRead).await?;
        Ok(self.store().replicas().await?)
    }
}

/// For as long as the service is there and has not left; that it goes down is said at once.
async fn beat(service: Weak<Inner>) {
    let every = Duration::from_millis(REPLICA_BEAT_MS);
    loop {
        let Some(app) = service.upgrade().map(App) else { return };
        let (draining, gone, said) = (app.0.draining.clone(), app.0.presence.gone.clone(), app.is_draining());
        drop(app);
        tokio::select! {
            () = gone.cancelled() => return,
            () = draining.cancelled(), if !said => {}
            () = tokio::time::sleep(every) => {}
        }
        let Some(app) = service.upgrade().map(App) else { return };
        app.say_here().await;
    }
}
