//! How verbs reach Redis: one server, the primary that Sentinels name, or the node of a Cluster that has the keys. Verbs do not know
//! which it is.
//!
//! Every call has one deadline for all its attempts. Between them the link does what the error asks for: connects anew, loads a script,
//! finds the primary, follows a slot. A call that had no answer may still have run, so everything that is sent can be repeated.

mod cluster;
mod dial;
mod fault;
mod node;
mod own;
mod sentinel;
mod slots;
mod standalone;
mod topology;
mod weather;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use redis::{ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};
use tokio::time::{Instant, sleep, timeout_at};

use self::{
    cluster::Cluster, dial::Dial, fault::Remedy, node::Node, sentinel::Sentinel, standalone::Standalone, topology::Topology,
    weather::Weather,
};
pub use self::{
    fault::Failure,
    node::{Asking, Over, What},
};
use super::script;
use crate::settings::{Entry, RedisUrl, Store};

/// A call waits so long for a server that takes no connections: a restart takes less, and what takes more is better told.
const COMES_BACK_WITHIN: Duration = Duration::from_millis(600);
/// Between attempts that wait for something to change.
const PAUSE: Duration = Duration::from_millis(25);

/// The way to Redis. Cheap to clone.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    topology: Topology,
    deadline: Duration,
    weather: Weather,
}

impl Link {
    /// Prepares connections; nothing is sent yet, so a Redis that is away now is found when it is needed.
    ///
    /// # Errors
    /// A sentence for each setting that cannot be used.
    pub fn new(settings: &Store) -> Result<Self, Vec<String>> {
        let deadline = Duration::from_millis(settings.timeout_ms);
        let url = settings.redis_url.as_ref().map(RedisUrl::read);
        let url = url.unwrap_or(Err("is not set")).map_err(|problem| vec![format!("store.redis_url: {problem}")]);
        let (url, certificates) = match (url, dial::certificates(settings)) {
            (Ok(url), Ok(certificates)) => (url, certificates),
            (url, certificates) => return Err(url.err().into_iter().chain(certificates.err()).flatten().collect()),
        };
        let unusable = |error: RedisError| vec![format!("store.redis_url: is not usable: {error}")];
        let topology = match url {
            RedisUrl::Standalone { url, .. } => {
                let client = dial::by_url(&url, certificates.as_ref()).map_err(unusable)?;
                Topology::Standalone(Standalone::new(client, deadline).map_err(unusable)?)
            }
            RedisUrl::Sentinel { sentinels, primary, database, entry } => {
                let who = Entry { tls: entry.tls, user: settings.sentinel_username.clone(), password: settings.sentinel_password.clone() };
                let to_sentinels = Dial::new(who, certificates.clone(), 0);
                let sentinels = sentinels.iter().map(|place| to_sentinels.client(place)).collect::<Result<_, _>>().map_err(unusable)?;
                let dial = Dial::new(entry, certificates, database);
                Topology::Sentinel(Sentinel::start(sentinels, primary, dial, deadline).map_err(unusable)?)
            }
            RedisUrl::Cluster { nodes, entry } => Topology::Cluster(Cluster::new(nodes, Dial::new(entry, certificates, 0), deadline)),
        };
        Ok(Self(Arc::new(Inner { topology, deadline, weather: Weather::default() })))
    }

    /// Asks, and brings the answer.
    pub async fn ask(&self, asking: Asking<'_>) -> Result<Value, Failure> {
        self.ask_within(asking, self.0.deadline).await
    }

    /// As [`Link::ask`], with another deadline.
    pub async fn ask_within(&self, asking: Asking<'_>, deadline: Duration) -> Result<Value, Failure> {
        let until = Instant::now() + deadline;
        let slot = self.0.topology.slot_of(&asking);
        let answer = timeout_at(until, self.0.attempts(&asking, slot, until)).await;
        let answer = answer.unwrap_or_else(|_| {
            self.was_late(slot);
            Err(late().into())
        });
        match &answer {
            Err(Failure::Redis(error)) if error.is_io_error() => self.0.weather.turns_foul(),
            _ => self.0.weather.is_fair(),
        }
        answer
    }

    /// Asks several things that have nothing to do with each other, each where its keys are; the answers in their order, errors included.
    pub async fn several(&self, pipe: &Pipeline, over: Over, deadline: Duration) -> Result<Vec<Value>, Failure> {
        let Topology::Cluster(_) = &self.0.topology else {
            let answer = self.ask_within(Asking { what: What::Several(pipe), script: None, over }, deadline).await?;
            return Ok(listed(answer));
        };
        // Redis takes a pipeline for one slot at a time without looking at the slots of others: one that moves concerns no other.
        let mut by_slot: BTreeMap<Option<u16>, (Vec<usize>, Pipeline)> = BTreeMap::new();
        for (at, command) in pipe.cmd_iter().enumerate() {
            let (places, commands) = by_slot.entry(slots::of(command)).or_insert_with(|| (Vec::new(), redis::pipe()));
            places.push(at);
            commands.add_command(command.clone());
        }
        let asked =
            by_slot.values().map(|(_, commands)| self.ask_within(Asking { what: What::Several(commands), script: None, over }, deadline));
        let answers: Vec<Value> = join_all(asked).await.into_iter().collect::<Result<_, _>>()?;
        let mut all: Vec<(usize, Value)> =
            by_slot.into_values().zip(answers).flat_map(|((places, _), answer)| places.into_iter().zip(listed(answer))).collect();
        all.sort_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, answer)| answer).collect())
    }

    /// Whether the primary of this key answers as one.
    pub async fn ping(&self, key: &str) -> Result<(), Failure> {
        if let Topology::Cluster(_) = &self.0.topology {
            // A node of a Cluster says of each key whether it may answer for it.
            let mut exists = redis::cmd("EXISTS");
            exists.arg(key);
            return self.one(&exists).await.map(drop);
        }
        // A server that was demoted answers PING as if nothing had happened.
        match self.one(&redis::cmd("ROLE")).await {
            Ok(answer) if says_primary(&answer) => Ok(()),
            Ok(_) => {
                if let Ok(node) = self.0.topology.node(None).await {
                    self.0.topology.doubt(&node).await;
                }
                Err(RedisError::from((ErrorKind::Io, "this redis is a replica")).into())
            }
            Err(Failure::Redis(error)) if may_not_ask(&error) => self.one(&redis::cmd("PING")).await.map(drop),
            Err(error) => Err(error),
        }
    }

    /// One command over the shared connection.
    pub async fn one(&self, command: &redis::Cmd) -> Result<Value, Failure> {
        self.ask(Asking { what: What::One(command), script: None, over: Over::Shared }).await
    }

    /// One command at every primary: where it is, and what it said.
    pub async fn at_every_primary(&self, command: &redis::Cmd) -> Result<Vec<(String, Result<Value, RedisError>)>, Failure> {
        let until = Instant::now() + self.0.deadline;
        let asking = Asking { what: What::One(command), script: None, over: Over::Own };
        let ask = async |node: Arc<Node>| match node.send(&asking, false).await {
            Ok(answer) => Ok((node.place.clone(), Ok(answer))),
            Err(Failure::Redis(error)) => Ok((node.place.clone(), Err(error))),
            Err(failure) => Err(failure),
        };
        let asking_all = async {
            self.0.topology.node(None).await?;
            join_all(self.0.topology.primaries().await.into_iter().map(ask)).await.into_iter().collect()
        };
        timeout_at(until, asking_all).await.unwrap_or_else(|_| Err(late().into()))
    }

    /// Where the primaries are, as far as that is known.
    pub async fn primaries(&self) -> Vec<String> {
        let known = timeout_at(Instant::now() + self.0.deadline, self.0.topology.primaries()).await;
        known.unwrap_or_default().iter().map(|node| node.place.clone()).collect()
    }

    /// Puts all scripts into the cache of every primary, so that the first requests need no second round trip.
    pub async fn load_scripts(&self) -> Result<(), Failure> {
        let until = Instant::now() + self.0.deadline;
        let loading = async {
            self.0.topology.node(None).await?;
            join_all(self.0.topology.primaries().await.iter().map(load_all)).await.into_iter().collect()
        };
        timeout_at(until, loading).await.unwrap_or_else(|_| Err(late().into()))
    }

    fn was_late(&self, slot: Option<u16>) {
        let link = self.clone();
        // Whoever was late is late: to look after it must not make it later.
        tokio::spawn(async move {
            if let Ok(node) = link.0.topology.node(slot).await
                && node.was_silent()
            {
                link.0.topology.renew(&node).await;
            }
        });
    }
}

impl Inner {
    async fn attempts(&self, asking: &Asking<'_>, slot: Option<u16>, until: Instant) -> Result<Value, Failure> {
        let mut detour: Option<Arc<Node>> = None;
        let (mut losses, began) = (0, Instant::now());
        loop {
            let asked_this_once = detour.is_some();
            let node = match detour.take() {
                Some(node) => Ok(node),
                None => self.topology.node(slot).await,
            };
            let sent = match &node {
                Ok(node) => node.send(asking, asked_this_once).await,
                Err(Failure::Redis(error)) => Err(error.clone().into()),
                Err(Failure::NotDurable { replicas }) => Err(Failure::NotDurable { replicas: *replicas }),
            };
            let error = match sent {
                Err(Failure::Redis(error)) => error,
                done => return done,
            };
            let pause = match (Remedy::of(&error), &node) {
                (Remedy::None, _) => return Err(error.into()),
                (Remedy::Load, Ok(node)) => {
                    match asking.script {
                        Some(script) => node.load(script).await?,
                        None => load_all(node).await?,
                    }
                    Duration::ZERO
                }
                (Remedy::Moved { slot, to }, Ok(node)) => {
                    if let Topology::Cluster(cluster) = &self.topology {
                        cluster.moved(slot, &cluster.named(&to, node)?);
                    }
                    Duration::ZERO
                }
                (Remedy::Ask { to }, Ok(node)) => {
                    if let Topology::Cluster(cluster) = &self.topology {
                        detour = Some(cluster.named(&to, node)?);
                    }
                    Duration::ZERO
                }
                (Remedy::Reconnect, node) => {
                    losses += 1;
                    if let (Ok(node), true) = (node, losses > 1 || !matches!(self.topology, Topology::Standalone(_))) {
                        self.topology.lost(node).await;
                    }
                    if losses == 1 { Duration::ZERO } else { PAUSE }
                }
                (Remedy::AnotherPrimary, Ok(node)) => {
                    self.topology.doubt(node).await;
                    PAUSE
                }
                (_, Ok(node)) => {
                    if error.kind() == ErrorKind::Server(ServerErrorKind::ClusterDown) {
                        self.topology.doubt(node).await;
                    }
                    PAUSE
                }
                (_, Err(_)) => PAUSE,
            };
            // In a long outage nobody waits at all; one attempt and one over a new connection are made all the same.
            let waited_enough = losses > 1 && (began.elapsed() >= COMES_BACK_WITHIN || self.weather.has_been_foul());
            if waited_enough || Instant::now() + pause >= until {
                return Err(error.into());
            }
            sleep(pause).await;
        }
    }
}

async fn load_all(node: &Arc<Node>) -> Result<(), Failure> {
    let mut pipe = redis::pipe();
    for script in script::ALL {
        pipe.cmd("SCRIPT").arg("LOAD").arg(script.text());
    }
    node.send(&Asking { what: What::Several(&pipe), script: None, over: Over::Shared }, false).await.map(drop)
}

fn listed(answer: Value) -> Vec<Value> {
    if let Value::Array(answers) = answer { answers } else { vec![answer] }
}

/// `ROLE`: `["master", …]`.
fn says_primary(role: &Value) -> bool {
    matches!(role, Value::Array(parts) if matches!(parts.first(), Some(Value::BulkString(role)) if role == b"master"))
}

/// A command that is not there, or not for us.
fn may_not_ask(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(ServerErrorKind::NoPerm | ServerErrorKind::ResponseError))
}

/// Nobody answered within the deadline.
pub fn late() -> RedisError {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within the deadline").into()
}
