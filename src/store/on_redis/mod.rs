//! The store on Redis: every verb is one script (or one pipeline), so one round trip.
//!
//! Scripts go over one multiplexed connection that all requests share: a pooled connection costs a `PING` at every checkout and holds
//! the others up. The pool is for what is long or rare (listings of keys, accounts, migrations), so that it delays no turn.
//! Every call has a deadline. A call that timed out may still have run, so every script can be repeated safely.

mod accounts;
mod admin;
mod credentials;
mod migrate;
mod reply;
mod results;
mod script;
mod turns;

use std::{io, time::Duration};

use deadpool_redis::{Manager, Pool, Runtime};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, ServerErrorKind, Value,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
    io::tcp::TcpSettings,
};
use secrecy::{ExposeSecret, SecretString};
use tracing::{info, warn};

use self::script::Script;
use super::contract::{Lifetimes, Rates, StoreError};

/// How often a lost connection is tried again before a caller is told: reconnecting is the next caller's first step anyway.
const RECONNECTS_PER_CALL: usize = 1;
/// Connections for long or rare work.
const POOL_SIZE: usize = 4;

/// What is asked in one round trip.
#[derive(Clone, Copy)]
enum Asking<'a> {
    One(&'a Cmd),
    Together(&'a redis::Pipeline),
}

/// The store on Redis. Cheap to clone.
#[derive(Clone)]
pub struct RedisStore {
    hot: ConnectionManager,
    pool: Pool,
    deadline: Duration,
    rates: Rates,
    lifetimes: Lifetimes,
}

impl RedisStore {
    /// Prepares connections; nothing is sent yet, so a Redis that is away now is found when it is needed.
    ///
    /// # Errors
    /// A sentence if the URL is not one of Redis.
    pub fn connect(url: &SecretString, timeout_ms: u64, rates: Rates, lifetimes: Lifetimes) -> Result<Self, String> {
        let deadline = Duration::from_millis(timeout_ms);
        let told = |what: &str, error: &RedisError| format!("store.redis_url: {what}: {error}");
        let client = Client::open(url.expose_secret()).map_err(|e| told("is not usable", &e))?;
        let info = client.get_connection_info().clone().set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = Client::open(info.clone()).map_err(|e| told("is not usable", &e))?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(RECONNECTS_PER_CALL)
            .set_min_delay(Duration::from_millis(20))
            .set_max_delay(Duration::from_millis(100))
            .set_connection_timeout(Some(deadline))
            // Every call has a deadline of its own, which also covers a reconnect on its way.
            .set_response_timeout(None);
        let hot = ConnectionManager::new_lazy_with_config(client, config).map_err(|e| told("is not usable", &e))?;
        let own = AsyncConnectionConfig::new().set_connection_timeout(Some(deadline)).set_response_timeout(Some(deadline * 10));
        let manager = Manager::new_with_config(info, own).map_err(|e| told("is not usable", &e))?;
        let pool = Pool::builder(manager)
            .max_size(POOL_SIZE)
            .wait_timeout(Some(deadline))
            .create_timeout(Some(deadline))
            .recycle_timeout(Some(deadline))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|e| format!("store: no pool of connections: {e}"))?;
        Ok(Self { hot, pool, deadline, rates, lifetimes })
    }

    /// Whether Redis answers within the deadline.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.one(&redis::cmd("PING")).await.map(|_| ())
    }

    /// Runs a script, all attempts within one deadline: over a new connection if this one was lost before or while it was sent (scripts
    /// can be repeated, so a restarted Redis stays unseen), and again if this Redis does not know it (a restart, a failover, `SCRIPT FLUSH`).
    async fn run(&self, script: &Script, call: &Cmd) -> Result<Value, StoreError> {
        self.attempt(script, Asking::One(call)).await
    }

    /// As [`RedisStore::run`], for a transaction in which the script stands first: the list of all answers.
    async fn together(&self, script: &Script, transaction: &redis::Pipeline) -> Result<Value, StoreError> {
        self.attempt(script, Asking::Together(transaction)).await
    }

    async fn attempt(&self, script: &Script, asking: Asking<'_>) -> Result<Value, StoreError> {
        let attempts = async {
            let mut answer = self.asked(asking).await;
            if answer.as_ref().is_err_and(lost) {
                answer = self.asked(asking).await;
            }
            if answer.as_ref().is_err_and(forgotten) {
                self.sent(redis::cmd("SCRIPT").arg("LOAD").arg(script.text())).await?;
                answer = self.asked(asking).await;
            }
            answer
        };
        let answer = tokio::time::timeout(self.deadline, attempts).await.unwrap_or_else(|_| Err(late()));
        answer.map_err(|e| self.told(&e))
    }

    async fn asked(&self, asking: Asking<'_>) -> Result<Value, RedisError> {
        match asking {
            Asking::One(command) => self.sent(command).await,
            Asking::Together(transaction) => {
                // What is before the answer to EXEC only says that a command was queued.
                let queued = transaction.len() + 1;
                let answers = self.hot.clone().req_packed_commands(transaction, queued, 1).await?;
                answers.into_iter().next().unwrap_or(Value::Nil).extract_error()
            }
        }
    }

    async fn one(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.send(command).await.map_err(|e| self.told(&e))
    }

    async fn send(&self, command: &Cmd) -> Result<Value, RedisError> {
        tokio::time::timeout(self.deadline, self.sent(command)).await.unwrap_or_else(|_| Err(late()))
    }

    /// Sends without a deadline: only within one.
    async fn sent(&self, command: &Cmd) -> Result<Value, RedisError> {
        self.hot.clone().req_packed_command(command).await.and_then(Value::extract_error)
    }

    /// Runs several commands in one round trip over the shared connection.
    async fn pipeline(&self, pipe: &redis::Pipeline, count: usize) -> Result<Vec<Value>, RedisError> {
        let mut connection = self.hot.clone();
        match tokio::time::timeout(self.deadline, connection.req_packed_commands(pipe, 0, count)).await {
            Ok(answers) => answers,
            Err(_) => Err(late()),
        }
    }

    /// A connection of one's own, for long or rare work.
    async fn own(&self) -> Result<deadpool_redis::Connection, StoreError> {
        self.pool.get().await.map_err(|error| {
            warn!(%error, "no connection of one's own to redis: {error}");
            StoreError::Unavailable
        })
    }

    /// What an error means for the caller; its cause goes to the log.
    fn told(&self, error: &RedisError) -> StoreError {
        if error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError) && error.code() == Some("WRONGTYPE")
            || error.code() == Some("WRONGTYPE")
        {
            warn!(%error, "a key of a session has the wrong type: {error}");
            return StoreError::Unreadable;
        }
        warn!(%error, "redis: {error}");
        StoreError::Unavailable
    }

    /// Puts all scripts into Redis's cache, so that the first requests need no second round trip.
    pub async fn load_scripts(&self) -> Result<(), StoreError> {
        for script in script::ALL {
            self.one(redis::cmd("SCRIPT").arg("LOAD").arg(script.text())).await?;
        }
        info!(scripts = script::ALL.len(), "scripts are loaded");
        Ok(())
    }
}

/// The connection went away. An answer that is late is no such thing: asking again would only make the caller wait twice as long.
fn lost(error: &RedisError) -> bool {
    error.is_connection_dropped()
}

/// This Redis does not know the script.
fn forgotten(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

fn late() -> RedisError {
    io::Error::new(io::ErrorKind::TimedOut, "no answer within the deadline").into()
}
