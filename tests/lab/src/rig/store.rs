//! Redis in the three forms that are operated: T1 alone with its AOF, T2 a primary with a replica under three Sentinels, T3 a cluster of
//! three primaries with a replica each. Everything that speaks to a server of T2 or T3 goes through that server's proxy, because the
//! proxy's port is the one that it announces; in T1 each replica of the service has a proxy of its own.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;
use tokio::{
    process::Child,
    sync::Mutex,
    time::{Instant, sleep},
};

use super::process::{free_port, signal, start};
use crate::{proxy::Proxy, resp};

/// Nothing that is awaited here takes longer, or the lab is broken.
const PATIENCE: Duration = Duration::from_secs(30);
pub(super) const STEP: Duration = Duration::from_millis(50);

/// Which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    T1,
    T2,
    T3,
}

impl Topology {
    pub fn name(self) -> &'static str {
        match self {
            Self::T1 => "T1",
            Self::T2 => "T2",
            Self::T3 => "T3",
        }
    }
}

/// One Redis server.
pub(super) struct Server {
    pub port: u16,
    /// The port at which others are told to find it.
    pub announced: u16,
    arguments: Vec<String>,
    log: PathBuf,
    child: Mutex<Option<Child>>,
}

impl Server {
    pub(super) async fn start(&self, more: &[String]) -> io::Result<()> {
        let arguments = [self.arguments.as_slice(), more].concat();
        *self.child.lock().await = Some(start(Path::new("redis-server"), &arguments, &[], &self.log)?);
        until("a server of Redis answers", || async {
            matches!(resp::ask(self.port, &["PING"]).await, Ok(reply) if reply.text() == "PONG")
        })
        .await
    }

    pub(super) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    pub async fn kill(&self) -> io::Result<()> {
        if let Some(mut child) = self.child.lock().await.take() {
            signal(&child, Signal::KILL);
            child.wait().await?;
        }
        Ok(())
    }
}

/// All servers of a topology and the proxies before them.
pub struct Store {
    pub topology: Topology,
    pub(super) servers: Vec<Server>,
    pub(super) sentinels: Vec<(u16, Child)>,
    /// T1: one a replica of the service; else one a server.
    pub links: Vec<Proxy>,
}

/// Waits until something is so.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        if Instant::now() > end {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("waited in vain: {what}")));
        }
        sleep(STEP).await;
    }
    Ok(())
}

pub(super) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

impl Store {
    /// Starts everything and returns when it can be written to.
    pub async fn start(topology: Topology, dir: &Path) -> io::Result<Self> {
        let count = match topology {
            Topology::T1 => 1,
            Topology::T2 => 2,
            Topology::T3 => 6,
        };
        let mut store = Self { topology, servers: Vec::new(), sentinels: Vec::new(), links: Vec::new() };
        for n in 0..count {
            let (port, announced, bus) = (free_port(), free_port(), free_port());
            let own = dir.join(format!("redis{n}"));
            std::fs::create_dir_all(&own)?;
            let kind = match topology {
                Topology::T1 => String::new(),
                Topology::T2 => format!(
                    "--replica-announce-ip 127.0.0.1 --replica-announce-port {announced} --repl-diskless-sync-delay 0 \
                     --repl-ping-replica-period 1 --min-replicas-to-write 1 --min-replicas-max-lag 2"
                ),
                Topology::T3 => format!(
                    "--cluster-enabled yes --cluster-config-file nodes.conf --cluster-node-timeout 1000 --cluster-port {bus} \
                     --cluster-announce-ip 127.0.0.1 --cluster-announce-port {announced} --cluster-announce-bus-port {bus} \
                     --repl-diskless-sync-delay 0 --cluster-replica-validity-factor 0 --min-replicas-to-write 1 --min-replicas-max-lag 2"
                ),
            };
            let all = format!(
                "--port {port} --bind 127.0.0.1 --appendonly yes --appendfsync everysec --save  --loglevel warning --maxmemory-policy noeviction {kind}"
            );
            // An empty `--save` is a word of its own.
            let mut arguments: Vec<String> = Vec::new();
            for word in words(&all) {
                let save = word == "--save";
                arguments.push(word);
                if save {
                    arguments.push(String::new());
                }
            }
            arguments.extend(["--dir".to_owned(), own.display().to_string()]);
            let server = Server { port, announced, arguments, log: dir.join(format!("redis{n}.log")), child: Mutex::new(None) };
            if topology == Topology::T1 {
                for _ in 0..3 {
                    store.links.push(Proxy::start(free_port(), port).await?);
                }
            } else {
                store.links.push(Proxy::start(announced, port).await?);
            }
            store.servers.push(server);
        }
        match topology {
            Topology::T1 => store.servers[0].start(&[]).await?,
            Topology::T2 => store.join_under_sentinels(dir).await?,
            Topology::T3 => store.join_as_cluster().await?,
        }
        Ok(store)
    }

    /// How replica `n` of the service finds the store.
    pub fn url(&self, n: usize) -> String {
        let hosts = |ports: Vec<u16>| ports.iter().map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",");
        match self.topology {
            Topology::T1 => format!("redis://127.0.0.1:{}/0", self.links[n].port),
            Topology::T2 => format!("redis+sentinel://{}/lab/0", hosts(self.sentinels.iter().map(|(port, _)| *port).collect())),
            Topology::T3 => format!("redis+cluster://{}", hosts(self.servers.iter().map(|server| server.announced).collect())),
        }
    }

    /// The own ports of all servers that answer.
    pub async fn alive(&self) -> Vec<u16> {
        let mut alive = Vec::new();
        for server in &self.servers {
            if resp::ask(server.port, &["PING"]).await.is_ok() {
                alive.push(server.port);
            }
        }
        alive
    }

    /// Which servers are primaries now, by their place.
    pub async fn primaries(&self) -> Vec<usize> {
        let mut primaries = Vec::new();
        for (n, server) in self.servers.iter().enumerate() {
            let role = resp::ask(server.port, &["ROLE"]).await.map(resp::Reply::many).unwrap_or_default();
            let owns_slots = self.topology != Topology::T3 || self.owns_slots(server.port).await;
            if role.first().is_some_and(|role| role.text() == "master") && owns_slots {
                primaries.push(n);
            }
        }
        if self.topology == Topology::T2 {
            // The one that clients are sent to; for a moment there may be two that think so.
            let master = self.master().await;
            primaries.retain(|n| Some(self.servers[*n].announced) == master);
        }
        primaries
    }

    pub fn port_of(&self, n: usize) -> u16 {
        self.servers[n].port
    }
}
