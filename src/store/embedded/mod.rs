//! The store in one file, for one process: redb, crash-safe, no server beside it.
//!
//! Every verb means what the script of the same name means (`lua/`). A verb that writes is one write transaction, so it happens whole
//! or not at all, and it is on the disk when it is answered; a verb that reads is one read transaction. Redb blocks, so all of it runs
//! on tokio's blocking threads. Only rates, tokens for the API and what is set aside of budgets live in memory.

mod accounts;
mod admin;
mod attempts;
mod audit;
mod book;
mod budgets;
mod callers;
mod changes;
mod credentials;
mod ends;
mod events;
mod keys;
mod logins;
mod migrate;
mod open;
mod overview;
mod rates;
mod removal;
mod replicas;
mod results;
mod runs;
mod sessions;
mod stored;
mod tables;
mod unfinished;
mod vectors;
mod waiting;

use std::sync::Arc;

use redb::Database;
use tracing::{error, warn};

pub use self::open::OpenError;
use self::{budgets::Reservations, credentials::UpstreamTokens, events::Events, rates::Arrivals};
use super::{
    contract::{Lifetimes, Rates, StoreError},
    envelope::Envelopes,
};
use crate::clock::Clock;

/// The store in one file. Cheap to clone; the file is free again when the last clone is gone.
#[derive(Clone)]
pub struct EmbeddedStore(Arc<Inner>);

struct Inner {
    database: Database,
    clock: Clock,
    rates: Rates,
    lifetimes: Lifetimes,
    envelopes: Envelopes,
    arrivals: Arrivals,
    upstream_tokens: UpstreamTokens,
    events: Events,
    reservations: Reservations,
    attempts: attempts::Attempts,
    replicas: replicas::Replicas,
    newest: changes::Newest,
}

/// Why a verb could not be done.
#[derive(Debug)]
enum Fault {
    /// A record that this release cannot read.
    Unreadable,
    /// A record that a newer release wrote.
    Newer,
    /// What was to be written cannot be sealed.
    Unsealed,
    /// The file: no space, no permission, damage.
    File(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::File(error.into())
    }
}

impl Fault {
    /// What the envelopes say.
    fn of(error: StoreError) -> Self {
        match error {
            StoreError::Unreadable => Self::Unreadable,
            StoreError::Newer => Self::Newer,
            // A file has no replicas that it could want.
            StoreError::Unavailable | StoreError::NotDurable => Self::Unsealed,
        }
    }
}

impl EmbeddedStore {
    pub(super) fn envelopes(&self) -> &Envelopes {
        &self.0.envelopes
    }

    /// Runs a verb on a thread that may block.
    async fn work<T: Send + 'static>(&self, verb: impl FnOnce(&Inner) -> Result<T, Fault> + Send + 'static) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || verb(&inner)).await {
            Ok(Ok(made)) => Ok(made),
            Ok(Err(Fault::Unreadable)) => {
                warn!("a stored record of a session cannot be read");
                Err(StoreError::Unreadable)
            }
            Ok(Err(Fault::Newer)) => Err(StoreError::Newer),
            Ok(Err(Fault::Unsealed)) => Err(StoreError::Unavailable),
            Ok(Err(Fault::File(error))) => {
                error!(%error, "the data file: {error}");
                Err(StoreError::Unavailable)
            }
            // A page that was damaged on the disk makes redb panic; the write it was part of is undone.
            Err(error) => {
                error!(%error, "the data file could not be worked on: {error}");
                Err(StoreError::Unavailable)
            }
        }
    }

    /// The clock, if the file can be read, in milliseconds since 1970.
    pub async fn ping(&self) -> Result<u64, StoreError> {
        self.work(|inner| inner.schema().map(|_| inner.clock.now_ms())).await
    }
}
