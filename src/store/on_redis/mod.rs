//! The store on Redis: every verb is one script (or one pipeline), so one round trip.
//!
//! How Redis is reached, and what is done when a call comes to nothing, is the business of [`link`]. A call that timed out may still
//! have run, so every script can be repeated safely.

mod accounts;
mod admin;
mod audit;
mod budgets;
mod changes;
mod checks;
mod credentials;
mod events;
mod keys;
mod link;
mod listing;
mod logins;
mod migrate;
mod overview;
mod replicas;
mod reply;
mod results;
mod runs;
mod script;
mod sessions;
mod turns;
mod unfinished;
mod vectors;

use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::{Cmd, Pipeline, Value};
use tracing::{Instrument, Span, info, warn};

use self::{
    link::{Asking, Failure, Link, Over, What},
    script::Script,
};
use super::{
    contract::{Lifetimes, Rates, StoreError},
    envelope::Envelopes,
    keys::META,
};
use crate::{
    metrics::metrics,
    settings::{self, Durability},
    spans,
};

/// Long or rare work may take so many times as long as a call.
const LONG_WORK: u32 = 10;

/// The store on Redis. Cheap to clone.
#[derive(Clone)]
pub struct RedisStore {
    link: Link,
    deadline: Duration,
    /// What turns rely on goes over this: replicas must have it, if the operator wants that.
    relied_on: Over,
    rates: Rates,
    lifetimes: Lifetimes,
    envelopes: Envelopes,
}

impl RedisStore {
    /// Prepares connections; nothing is sent yet, so a Redis that is away now is found when it is needed.
    ///
    /// # Errors
    /// A sentence for each setting that cannot be used.
    pub fn connect(settings: &settings::Store, rates: Rates, lifetimes: Lifetimes) -> Result<Self, Vec<String>> {
        let relied_on = match settings.durability {
            Durability::Single => Over::Shared,
            Durability::Durable if crate::fault::ablated("wait") => Over::Shared,
            Durability::Durable => Over::Durable { replicas: settings.durable_replicas, timeout_ms: settings.durable_timeout_ms },
        };
        let (link, deadline) = (Link::new(settings)?, Duration::from_millis(settings.timeout_ms));
        Ok(Self { link, deadline, relied_on, rates, lifetimes, envelopes: Envelopes::default() })
    }

    /// The same store, which closes and opens content so.
    pub fn with_envelopes(self, envelopes: Envelopes) -> Self {
        Self { envelopes, ..self }
    }

    pub(super) fn envelopes(&self) -> &Envelopes {
        &self.envelopes
    }

    /// Redis's clock, if it answers within the deadline, as one that takes writes; in milliseconds since 1970.
    pub async fn ping(&self) -> Result<u64, StoreError> {
        self.link.ping(META).await.map_err(|e| told(&e))?;
        self.now_ms().await
    }

    /// Why Redis does not answer as [`RedisStore::ping`] wants it to, in its own words or the system's, and what may help. None if it does.
    pub async fn refusal(&self) -> Option<(String, &'static str)> {
        let failure = self.link.ping(META).await.err()?;
        Some((failure.to_string(), failure.advice()))
    }

    async fn now_ms(&self) -> Result<u64, StoreError> {
        admin::time_ms(Some(&self.one(&redis::cmd("TIME")).await?))
    }

    /// Runs a script.
    async fn run(&self, script: &Script, call: &Cmd) -> Result<Value, StoreError> {
        self.asked(Asking { what: What::One(call), script: Some(script), over: Over::Shared }).await
    }

    /// As [`RedisStore::run`], for what turns, and people who were told that it is done, rely on: with `store.durability = "durable"` replicas must have it before this returns.
    ///
    /// `WAIT` counts only what its connection wrote. So such a script writes something on every path that something relies on, also when
    /// it only finds that all was done before: otherwise the answer of a repetition would say nothing of the replicas.
    async fn run_relied_on(&self, script: &Script, call: &Cmd) -> Result<Value, StoreError> {
        self.asked(Asking { what: What::One(call), script: Some(script), over: self.relied_on }).await
    }

    /// As [`RedisStore::run`], between `MULTI` and `EXEC`: the list of all answers.
    async fn together(&self, script: &Script, transaction: &Pipeline) -> Result<Value, StoreError> {
        self.asked(Asking { what: What::Together(transaction), script: Some(script), over: Over::Shared }).await
    }

    /// One command, or one script, over a connection of its own: large answers hold up no turn.
    async fn apart(&self, script: Option<&Script>, call: &Cmd) -> Result<Value, StoreError> {
        self.asked(Asking { what: What::One(call), script, over: Over::Own }).await
    }

    async fn one(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.link.one(command).await.map_err(|e| told(&e))
    }

    /// In a box: what may go on in there is large, and every verb that asks would carry it.
    fn asked<'a>(&'a self, asking: Asking<'a>) -> BoxFuture<'a, Result<Value, StoreError>> {
        let span = asking.script.map_or_else(Span::none, |script| spans::script(script.name()));
        let told_to = span.clone();
        Box::pin(
            async move {
                let answer = self.link.ask(asking).await.map_err(|e| told(&e));
                if answer.is_err() {
                    spans::failed(&told_to, "store");
                }
                answer
            }
            .instrument(span),
        )
    }

    /// Several commands in one round trip; the first error is that of all.
    async fn pipeline(&self, pipe: &Pipeline) -> Result<Vec<Value>, StoreError> {
        self.several(pipe, Over::Shared, self.deadline).await
    }

    /// As [`RedisStore::pipeline`], for what is long or rare: it delays no turn, and may take longer.
    async fn long_pipeline(&self, pipe: &Pipeline) -> Result<Vec<Value>, StoreError> {
        self.several(pipe, Over::Own, self.deadline * LONG_WORK).await
    }

    async fn several(&self, pipe: &Pipeline, over: Over, deadline: Duration) -> Result<Vec<Value>, StoreError> {
        let answers = self.link.several(pipe, over, deadline).await.map_err(|e| told(&e))?;
        answers.into_iter().map(Value::extract_error).collect::<Result<_, _>>().map_err(|e| told(&e.into()))
    }

    /// Puts all scripts into Redis's cache, so that the first requests need no second round trip.
    pub async fn load_scripts(&self) -> Result<(), StoreError> {
        self.link.load_scripts().await.map_err(|e| told(&e))?;
        info!(scripts = script::ALL.len(), "scripts are loaded");
        Ok(())
    }
}

/// What a failure means for the caller; its cause goes to the log.
fn told(failure: &Failure) -> StoreError {
    match failure {
        Failure::Redis(error) if error.code() == Some("WRONGTYPE") => {
            warn!(%error, "a key of a session has the wrong type: {error}");
            StoreError::Unreadable
        }
        // `min-replicas-to-write` refuses before anything is done.
        Failure::Redis(error) if error.code() == Some("NOREPLICAS") => {
            metrics().wait_shortfall();
            warn!(%error, "redis has too few replicas to take writes: {error}");
            StoreError::NotDurable
        }
        Failure::NotDurable { replicas } => {
            metrics().wait_shortfall();
            warn!(replicas, "what was written is not safe: {failure} in time");
            StoreError::NotDurable
        }
        Failure::Redis(_) => {
            warn!(%failure, "redis: {failure}");
            StoreError::Unavailable
        }
    }
}
