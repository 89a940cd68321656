//! How the servers of a topology are joined, and how a primary is lost or changes.

use std::{io, path::Path, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    process::{free_port, start},
    store::{STEP, Store, Topology, until, words},
};
use crate::resp::{self, Reply};

const SLOTS: u16 = 16_384;

impl Store {
    pub(super) async fn join_under_sentinels(&mut self, dir: &Path) -> io::Result<()> {
        let primary = self.servers[0].announced;
        self.servers[0].start(&[]).await?;
        self.servers[1].start(&words(&format!("--replicaof 127.0.0.1 {primary}"))).await?;
        for n in 0..3 {
            let (port, own) = (free_port(), dir.join(format!("sentinel{n}")));
            std::fs::create_dir_all(&own)?;
            let file = own.join("sentinel.conf");
            std::fs::write(
                &file,
                format!(
                    "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor lab 127.0.0.1 {primary} 2\nsentinel down-after-milliseconds lab 800\n\
                     sentinel failover-timeout lab 1500\nsentinel parallel-syncs lab 1\n",
                    own.display()
                ),
            )?;
            let arguments = [file.display().to_string(), "--sentinel".to_owned()];
            self.sentinels.push((port, start(Path::new("redis-server"), &arguments, &[], &dir.join(format!("sentinel{n}.log")))?));
        }
        until("the Sentinels know each other and the replica", || async {
            for (port, _) in &self.sentinels {
                let known = resp::ask(*port, &["SENTINEL", "MASTER", "lab"]).await.map(Reply::many).unwrap_or_default();
                let told = |name: &str| known.windows(2).find(|pair| pair[0].text() == name).map_or(0, |pair| pair[1].number());
                if told("num-slaves") < 1 || told("num-other-sentinels") < 2 {
                    return false;
                }
            }
            true
        })
        .await?;
        self.writable().await
    }

    pub(super) async fn join_as_cluster(&self) -> io::Result<()> {
        for server in &self.servers {
            server.start(&[]).await?;
        }
        for n in 0..3_u16 {
            let (from, to) = (n * SLOTS / 3, if n == 2 { SLOTS - 1 } else { (n + 1) * SLOTS / 3 - 1 });
            resp::ask(self.servers[usize::from(n)].port, &["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()]).await?;
            resp::ask(self.servers[usize::from(n)].port, &["CLUSTER", "SET-CONFIG-EPOCH", &(n + 1).to_string()]).await?;
        }
        let first = &self.servers[0];
        let bus = |arguments: &[String]| arguments.iter().skip_while(|word| *word != "--cluster-port").nth(1).cloned().unwrap_or_default();
        for server in &self.servers[1..] {
            let (port, bus) = (first.announced.to_string(), bus(first.arguments()));
            resp::ask(server.port, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await?;
        }
        until("the nodes of the cluster know each other", || async {
            for server in &self.servers {
                let nodes = resp::ask(server.port, &["CLUSTER", "NODES"]).await;
                if !nodes.is_ok_and(|nodes| nodes.text().lines().count() == 6 && !nodes.text().contains("handshake")) {
                    return false;
                }
            }
            true
        })
        .await?;
        for n in 3..6 {
            let primary = resp::ask(self.servers[n - 3].port, &["CLUSTER", "MYID"]).await?;
            until("a replica of the cluster follows its primary", || async {
                resp::ask(self.servers[n].port, &["CLUSTER", "REPLICATE", primary.text()]).await.is_ok()
            })
            .await?;
        }
        self.writable().await
    }

    /// Returns when every primary can be written to and has its replica.
    pub async fn writable(&self) -> io::Result<()> {
        let wanted = if self.topology == Topology::T3 { 3 } else { 1 };
        until("the store can be written to", || async {
            self.demote_deposed().await;
            let primaries = self.primaries().await;
            if primaries.len() != wanted {
                return false;
            }
            if self.topology == Topology::T1 {
                return true;
            }
            for n in primaries {
                let told = resp::ask(self.servers[n].port, &["INFO", "replication"]).await;
                if !told.is_ok_and(|told| told.text().contains("state=online")) {
                    return false;
                }
            }
            self.topology != Topology::T3 || self.cluster_is_ok().await
        })
        .await
    }

    /// Lets a server that was primary follow the one that all Sentinels name, as they would after ten seconds themselves.
    async fn demote_deposed(&self) {
        if self.topology != Topology::T2 {
            return;
        }
        let mut named = Vec::new();
        for (port, _) in &self.sentinels {
            named.push(master_of(*port).await);
        }
        let Some(Some(master)) = named.first().copied().filter(|first| named.iter().all(|one| one == first)) else { return };
        let mut primaries = Vec::new();
        for server in &self.servers {
            let role = resp::ask(server.port, &["ROLE"]).await.map(Reply::many).unwrap_or_default();
            if role.first().is_some_and(|role| role.text() == "master") {
                primaries.push(server);
            }
        }
        if primaries.iter().any(|server| server.announced == master) {
            for deposed in primaries.into_iter().filter(|server| server.announced != master) {
                // One that dies just now is started as a replica.
                let _ = resp::ask(deposed.port, &["REPLICAOF", "127.0.0.1", &master.to_string()]).await;
            }
        }
    }

    async fn cluster_is_ok(&self) -> bool {
        for server in &self.servers {
            let told = resp::ask(server.port, &["CLUSTER", "INFO"]).await;
            if !told.is_ok_and(|told| told.text().contains("cluster_state:ok")) {
                return false;
            }
        }
        true
    }

    /// The announced port of the primary, as the Sentinels tell it.
    pub(super) async fn master(&self) -> Option<u16> {
        for (port, _) in &self.sentinels {
            if let Some(master) = master_of(*port).await {
                return Some(master);
            }
        }
        None
    }

    pub(super) async fn owns_slots(&self, port: u16) -> bool {
        let nodes = resp::ask(port, &["CLUSTER", "NODES"]).await;
        nodes.is_ok_and(|nodes| {
            nodes.text().lines().any(|line| line.contains("myself") && line.contains("master") && line.split(' ').count() > 8)
        })
    }

    /// Kills a primary and starts it again after a while, as a replica if another one took its place. Says whether one did.
    pub async fn lose_primary(&self, n: usize, away: Duration) -> io::Result<bool> {
        let server = &self.servers[n];
        server.kill().await?;
        // As soon as another has its place, it may come back: what lies between is what a failover costs, and not what the lab waits for.
        let back = Instant::now() + away;
        while Instant::now() < back && !self.is_replaced(n).await {
            sleep(STEP.min(back.saturating_duration_since(Instant::now()))).await;
        }
        let master = self.master().await.filter(|master| *master != server.announced);
        let follow = master.map(|master| words(&format!("--replicaof 127.0.0.1 {master}")));
        server.start(&follow.unwrap_or_default()).await?;
        if self.topology == Topology::T3 {
            until("a node of the cluster knows who it is", || self.cluster_is_ok()).await?;
            return Ok(!self.owns_slots(server.port).await);
        }
        Ok(master.is_some())
    }

    /// Whether another server has taken the place of a primary that is away.
    async fn is_replaced(&self, n: usize) -> bool {
        match self.topology {
            Topology::T1 => false,
            Topology::T2 => {
                self.master().await.is_some_and(|master| master != self.servers[n].announced) && self.primaries().await.len() == 1
            }
            Topology::T3 => self.primaries().await.len() == 3,
        }
    }

    /// Asks for a failover, as an operator does. Says whether it came about.
    pub async fn change_primary(&self, n: usize) -> io::Result<bool> {
        match self.topology {
            Topology::T1 => return Ok(false),
            Topology::T2 => {
                let Some((sentinel, _)) = self.sentinels.first() else { return Ok(false) };
                if resp::ask(*sentinel, &["SENTINEL", "FAILOVER", "lab"]).await.is_err() {
                    return Ok(false);
                }
            }
            Topology::T3 => {
                let Some(replica) = self.replica_of(n).await else { return Ok(false) };
                if resp::ask(self.servers[replica].port, &["CLUSTER", "FAILOVER"]).await.is_err() {
                    return Ok(false);
                }
            }
        }
        Ok(until("another primary", || async { !self.primaries().await.contains(&n) }).await.is_ok())
    }

    async fn replica_of(&self, n: usize) -> Option<usize> {
        for (other, server) in self.servers.iter().enumerate() {
            let role = resp::ask(server.port, &["ROLE"]).await.map(Reply::many).unwrap_or_default();
            if role.get(2).is_some_and(|port| port.number() == i64::from(self.servers[n].announced)) && role[0].text() == "slave" {
                return Some(other);
            }
        }
        None
    }

    /// Every server forgets its scripts.
    pub async fn flush_scripts(&self) {
        for port in self.alive().await {
            // One that dies just now forgets them as well.
            let _ = resp::ask(port, &["SCRIPT", "FLUSH"]).await;
        }
    }
}

/// The announced port of the primary, as one Sentinel tells it.
async fn master_of(sentinel: u16) -> Option<u16> {
    let told = resp::ask(sentinel, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "lab"]).await;
    told.ok().map(Reply::many).and_then(|told| told.get(1)?.text().parse().ok())
}
