//! A Cluster of three primaries.

use redis::FromRedisValue;

use super::servers::{Server, eventually, free_port};

const SLOTS: u32 = 16_384;

pub struct Cluster {
    pub nodes: Vec<Server>,
}

impl Cluster {
    /// Starts three nodes with a third of the slots each, and waits until all agree.
    pub fn start() -> Self {
        let nodes: Vec<Server> = (0..3)
            .map(|_| {
                let bus = free_port().to_string();
                Server::start(&[
                    "--cluster-enabled",
                    "yes",
                    "--cluster-port",
                    &bus,
                    "--save",
                    "",
                    "--appendonly",
                    "yes",
                    "--appendfsync",
                    "no",
                ])
            })
            .collect();
        for (at, node) in (0_u32..).zip(&nodes) {
            let third = |n: u32| n * SLOTS / 3;
            node.command::<()>("CLUSTER", &["ADDSLOTSRANGE", &third(at).to_string(), &(third(at + 1) - 1).to_string()]);
            node.command::<()>("CLUSTER", &["SET-CONFIG-EPOCH", &(at + 1).to_string()]);
        }
        for node in &nodes[1..] {
            let bus: Vec<String> = node.command("CONFIG", &["GET", "cluster-port"]);
            nodes[0].command::<()>("CLUSTER", &["MEET", "127.0.0.1", &node.port.to_string(), &bus[1]]);
        }
        let cluster = Self { nodes };
        cluster.agrees();
        cluster
    }

    /// Waits until every node knows of all slots.
    pub fn agrees(&self) {
        for node in &self.nodes {
            eventually("a cluster whose nodes agree", || {
                let info: String = node.command("CLUSTER", &["INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384") && info.contains("cluster_size:3")
            });
        }
    }

    /// Where the service finds it: one node is enough.
    pub fn url(&self) -> String {
        format!("redis+cluster://127.0.0.1:{}", self.nodes[0].port)
    }

    /// One command of a key, at the node that has it.
    pub fn command<T: FromRedisValue>(&self, name: &str, arguments: &[&str]) -> T {
        let mut answers = self.nodes.iter().map(|node| node.try_command(name, arguments));
        answers.find_map(Result::ok).unwrap_or_else(|| panic!("no node takes {name} {arguments:?}"))
    }

    /// The only key of this kind that a user has, as [`RedisServer::key`](super::redis::RedisServer::key) finds it.
    pub fn key(&self, kind: &str, user: &str) -> String {
        let patterns = [format!("saa:*:{kind}:{user}"), format!("saa:*:{kind}:{user}:main")];
        let keys: Vec<String> = patterns.iter().flat_map(|pattern| self.everywhere::<Vec<String>>("KEYS", &[pattern])).flatten().collect();
        assert_eq!(keys.len(), 1, "keys of kind {kind} of {user}: {keys:?}");
        keys.into_iter().next().unwrap_or_default()
    }

    /// Kills all nodes, and starts them again on the same data.
    pub fn restart(&mut self) {
        self.nodes.iter_mut().for_each(Server::stop);
        self.nodes.iter_mut().for_each(Server::launch);
        self.agrees();
    }

    /// One command at every node.
    pub fn everywhere<T: FromRedisValue>(&self, name: &str, arguments: &[&str]) -> Vec<T> {
        self.nodes.iter().map(|node| node.command(name, arguments)).collect()
    }

    /// The nodes' positions: which has the slot, and another one.
    pub fn owner_of(&self, slot: u16) -> (usize, usize) {
        /// `[first, last, [host, port, id, more]]`
        type Range = (u16, u16, (String, u16, redis::Value, redis::Value));
        let ranges: Vec<Range> = self.nodes[0].command("CLUSTER", &["SLOTS"]);
        let port = ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&slot)).map(|(_, _, (_, port, ..))| *port);
        let owner = self.nodes.iter().position(|node| Some(node.port) == port).expect("a slot that somebody has");
        (owner, (owner + 1) % self.nodes.len())
    }

    /// Moves a slot to another node, a few keys at a time, as resharding does. Says how many keys moved.
    pub fn migrate(&self, slot: u16, from: usize, to: usize) -> usize {
        let (from, to) = (&self.nodes[from], &self.nodes[to]);
        let id = |node: &Server| node.command::<String>("CLUSTER", &["MYID"]);
        let (from_id, to_id, number) = (id(from), id(to), slot.to_string());
        to.command::<()>("CLUSTER", &["SETSLOT", &number, "IMPORTING", &from_id]);
        from.command::<()>("CLUSTER", &["SETSLOT", &number, "MIGRATING", &to_id]);
        let mut moved = 0;
        loop {
            let keys: Vec<String> = from.command("CLUSTER", &["GETKEYSINSLOT", &number, "3"]);
            if keys.is_empty() {
                break;
            }
            moved += keys.len();
            let port = to.port.to_string();
            let mut arguments = vec!["127.0.0.1", port.as_str(), "", "0", "5000", "KEYS"];
            arguments.extend(keys.iter().map(String::as_str));
            from.command::<redis::Value>("MIGRATE", &arguments);
        }
        to.command::<()>("CLUSTER", &["SETSLOT", &number, "NODE", &to_id]);
        from.command::<()>("CLUSTER", &["SETSLOT", &number, "NODE", &to_id]);
        moved
    }
}
