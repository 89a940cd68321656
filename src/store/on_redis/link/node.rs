//! One server of Redis: a connection that all requests share, and a few that one request has for itself.
//!
//! Scripts go over the shared one: a pooled connection would hold others up. What is long or rare goes over the others, so that it delays
//! no turn; and what must be on replicas too goes with `WAIT` behind it over others again.

use std::{
    future::Future,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use deadpool_redis::{Connection, Manager, Pool, PoolError, Runtime};
use futures_util::future::BoxFuture;
use redis::{
    Client, Cmd, Pipeline, RedisError, Value,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
};

use super::{
    dial,
    fault::{Failure, Remedy},
    own::OwnConnections,
};
use crate::store::on_redis::script::Script;

/// How often a lost connection is tried again before a caller is told: who asks tries again anyway.
const RECONNECTS_PER_CALL: usize = 1;
/// Connections for long or rare work.
const LONG_MOST: usize = 4;
/// Connections for what must be on replicas: a call has one for as long as the slowest replica needs.
const DURABLE_MOST: usize = 32;
/// So many calls in a row without any answer: the other end may be gone without having said so.
const SILENT_CALLS_MAX: u32 = 3;

/// What is asked in one round trip. All of it can be repeated.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    pub what: What<'a>,
    /// The script that stands first in it, if one does.
    pub script: Option<&'a Script>,
    pub over: Over,
}

#[derive(Clone, Copy)]
pub enum What<'a> {
    One(&'a Cmd),
    /// Between `MULTI` and `EXEC`, both included; the answer is that of `EXEC`.
    Together(&'a Pipeline),
    /// Several that have nothing to do with each other; the answer lists theirs, errors included.
    Several(&'a Pipeline),
}

/// Which connection it goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Shared,
    Own,
    /// One of its own, and so many replicas must have what it wrote within so many milliseconds.
    Durable {
        replicas: u32,
        timeout_ms: u64,
    },
}

/// One server.
pub struct Node {
    pub place: String,
    since: Instant,
    shared: ConnectionManager,
    long: Pool,
    durable: OwnConnections,
    unanswered: AtomicU32,
}

impl Node {
    /// Prepares connections; nothing is sent yet.
    pub fn new(client: Client, deadline: Duration) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(RECONNECTS_PER_CALL)
            .set_min_delay(Duration::from_millis(20))
            .set_max_delay(Duration::from_millis(100))
            .set_connection_timeout(Some(deadline))
            // Every call has a deadline of its own, which also covers a reconnect on its way.
            .set_response_timeout(None);
        let durable = OwnConnections::new(client.clone(), dial::connecting(deadline), DURABLE_MOST);
        let manager = Manager::new_with_config(client.get_connection_info().clone(), dial::connecting(deadline))?;
        // One that lay idle is asked how it is before it is used: here the round trip that it costs delays no turn.
        let long = Pool::builder(manager)
            .max_size(LONG_MOST)
            .create_timeout(Some(deadline))
            .recycle_timeout(Some(deadline))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|_| RedisError::from((redis::ErrorKind::InvalidClientConfig, "no pool of connections can be made")))?;
        Ok(Self {
            place: client.get_connection_info().addr().to_string(),
            since: Instant::now(),
            long,
            durable,
            shared: ConnectionManager::new_lazy_with_config(client, config)?,
            unanswered: AtomicU32::new(0),
        })
    }

    /// How long it has been known.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Sends, and brings the answer. `detour`: these keys are on their way to this server, and it answers for them this once.
    pub async fn send(&self, asking: &Asking<'_>, detour: bool) -> Result<Value, Failure> {
        let answer = match asking.over {
            Over::Shared => exchange(&mut self.shared.clone(), asking.what, detour, None).await,
            Over::Own => boxed(over_long(&self.long, asking.what, detour)).await,
            Over::Durable { replicas, timeout_ms } => boxed(over(&self.durable, asking.what, detour, (replicas, timeout_ms))).await,
        };
        // Whatever it says, it answers.
        if !is_lost(&answer) && self.unanswered.load(Ordering::Relaxed) > 0 {
            self.unanswered.store(0, Ordering::Relaxed);
        }
        answer
    }

    /// A call had no answer in time; says whether this server should be connected to anew.
    pub fn was_silent(&self) -> bool {
        self.unanswered.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT_CALLS_MAX
    }

    /// Puts a script into its cache.
    pub async fn load(&self, script: &Script) -> Result<(), Failure> {
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(script.text());
        self.send(&Asking { what: What::One(&load), script: None, over: Over::Shared }, false).await.map(drop)
    }
}

fn is_lost<T>(answer: &Result<T, Failure>) -> bool {
    matches!(answer, Err(Failure::Redis(error)) if Remedy::of(error) == Remedy::Reconnect)
}

/// Opening a connection is a deep stack of futures, which every verb would carry.
fn boxed<'a>(exchange: impl Future<Output = Result<Value, Failure>> + Send + 'a) -> BoxFuture<'a, Result<Value, Failure>> {
    Box::pin(exchange)
}

async fn over_long(pool: &Pool, what: What<'_>, detour: bool) -> Result<Value, Failure> {
    let mut own = pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(_) => super::late(),
        PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            RedisError::from(std::io::Error::from(std::io::ErrorKind::NotConnected))
        }
    })?;
    let answer = exchange(&mut own, what, detour, None).await;
    if is_lost(&answer) {
        // Closed instead of given back: nobody may meet the answer to somebody else's question.
        drop(Connection::take(own));
    }
    answer
}

async fn over(connections: &OwnConnections, what: What<'_>, detour: bool, wait: (u32, u64)) -> Result<Value, Failure> {
    let mut own = connections.take().await?;
    let answer = exchange(&mut own.connection, what, detour, Some(wait)).await;
    if is_lost(&answer) {
        connections.forget_idle();
    } else {
        own.give_back();
    }
    answer
}

/// One round trip.
async fn exchange(connection: &mut impl ConnectionLike, what: What<'_>, detour: bool, wait: Option<(u32, u64)>) -> Result<Value, Failure> {
    let written;
    let (pipe, asked) = match what {
        What::One(command) if !detour && wait.is_none() => {
            return Ok(connection.req_packed_command(command).await.and_then(Value::extract_error)?);
        }
        What::Together(pipe) | What::Several(pipe) if !detour && wait.is_none() => (pipe, pipe.len()),
        What::One(command) => {
            written = with_extras(std::iter::once(command), &what, detour, wait);
            (&written, 1)
        }
        What::Together(pipe) | What::Several(pipe) => {
            written = with_extras(pipe.cmd_iter(), &what, detour, wait);
            (&written, pipe.len())
        }
    };
    let mut answers = connection.req_packed_commands(pipe, 0, pipe.len()).await?;
    let reached = wait.and_then(|_| answers.pop());
    // `ASKING` is answered with OK, before the command or before each of them.
    let answers: Vec<Value> = match (detour, &what) {
        (true, What::Several(_)) => answers.into_iter().skip(1).step_by(2).collect(),
        (true, _) => answers.into_iter().skip(1).collect(),
        (false, _) => answers,
    };
    if answers.len() != asked {
        return Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)).into());
    }
    let answer = match what {
        What::One(_) => answers.into_iter().next().unwrap_or(Value::Nil).extract_error()?,
        // Whatever was refused when it was queued says why nothing was done; EXEC only says that.
        What::Together(_) => answers.into_iter().try_fold(Value::Nil, |_, answer| answer.extract_error())?,
        What::Several(_) => Value::Array(answers.into_iter().map(unless_it_can_be_helped).collect::<Result<_, _>>()?),
    };
    match (wait, reached) {
        (Some((wanted, _)), Some(reached)) => match reached.extract_error()? {
            Value::Int(n) if n >= i64::from(wanted) => Ok(answer),
            Value::Int(n) => Err(Failure::NotDurable { replicas: u64::try_from(n).unwrap_or(0) }),
            _ => Err(Failure::NotDurable { replicas: 0 }),
        },
        _ => Ok(answer),
    }
}

/// An answer of one command among several: an error that asking again elsewhere or later may mend concerns them all.
fn unless_it_can_be_helped(answer: Value) -> Result<Value, RedisError> {
    if let Value::ServerError(error) = &answer {
        let error = RedisError::from(error.clone());
        if Remedy::of(&error) != Remedy::None {
            return Err(error);
        }
    }
    Ok(answer)
}

/// `ASKING` before each command that it must stand before (for a transaction once), `WAIT` behind all.
fn with_extras<'a>(commands: impl Iterator<Item = &'a Cmd>, what: &What<'_>, detour: bool, wait: Option<(u32, u64)>) -> Pipeline {
    let mut pipe = redis::pipe();
    for (at, command) in commands.enumerate() {
        if detour && (at == 0 || matches!(what, What::Several(_))) {
            pipe.cmd("ASKING");
        }
        pipe.add_command(command.clone());
    }
    if let Some((replicas, timeout_ms)) = wait {
        pipe.cmd("WAIT").arg(replicas).arg(timeout_ms);
    }
    pipe
}
