//! A primary with a replica, and three Sentinels that watch them.

use super::{
    redis::run,
    servers::{Server, eventually, free_port},
};

/// The name that the Sentinels watch the primary under.
pub const WATCHED: &str = "main";
/// A primary that is silent for so long counts as down.
const DOWN_AFTER_MS: u32 = 500;

pub struct Sentinels {
    /// Two servers; which one is the primary may change.
    pub servers: [Server; 2],
    pub sentinels: Vec<Server>,
}

impl Sentinels {
    /// Starts all of it and waits until the Sentinels know the replica and each other. The second server is the replica.
    pub fn start() -> Self {
        let [primary, replica] = with_replica();
        let sentinels = Self::watching(primary.port);
        let group = Self { servers: [primary, replica], sentinels };
        group.know_all();
        group
    }

    fn watching(primary: u16) -> Vec<Server> {
        let lines = [
            format!("file:sentinel monitor {WATCHED} 127.0.0.1 {primary} 2"),
            format!("file:sentinel down-after-milliseconds {WATCHED} {DOWN_AFTER_MS}"),
            format!("file:sentinel failover-timeout {WATCHED} 4000"),
            "--sentinel".to_owned(),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        (0..3)
            .map(|_| {
                let mut sentinel = Server::prepared(free_port(), &lines);
                sentinel.launch();
                sentinel
            })
            .collect()
    }

    fn know_all(&self) {
        for sentinel in &self.sentinels {
            eventually("sentinels that know each other and the replica", || {
                let told: Vec<String> = sentinel.command("SENTINEL", &["MASTER", WATCHED]);
                let says = |field: &str, value: &str| told.windows(2).any(|pair| pair[0] == field && pair[1] == value);
                says("num-other-sentinels", "2") && says("num-slaves", "1") && says("flags", "master")
            });
        }
    }

    /// Where the service finds it.
    pub fn url(&self) -> String {
        let places: Vec<String> = self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port)).collect();
        format!("redis+sentinel://{}/{WATCHED}", places.join(","))
    }

    /// From now on the Sentinels want to know who asks, and let this user do what the service needs and no more (docs/REDIS.md).
    pub fn ask_who_it_is(&self, user: &str, password: &str) {
        let password = format!(">{password}");
        let may = ["on", &password, "resetchannels", "&+switch-master", "-@all", "+sentinel|master", "+subscribe", "+ping"];
        for sentinel in &self.sentinels {
            sentinel.command::<()>("ACL", &[["SETUSER", user].as_slice(), &may].concat());
            // The Sentinels among themselves, and this test, go on as they are.
            sentinel.command::<()>("ACL", &["SETUSER", "default", "-subscribe"]);
        }
    }

    /// Waits until the second server has all that the first one has.
    pub fn in_step(&self) {
        let offset = |server: &Server| {
            let told: String = server.command("INFO", &["replication"]);
            told.lines().find_map(|line| line.strip_prefix("master_repl_offset:")).map(str::to_owned)
        };
        eventually("a replica that is in step", || offset(&self.servers[0]) == offset(&self.servers[1]));
    }

    /// The two servers change their roles, by hand, and no client is cut off: the old primary goes on answering. The Sentinels are told
    /// as somebody would tell them who sets them up anew, so they announce nothing.
    pub fn swap_roles(&self) {
        let [primary, replica] = &self.servers;
        replica.command::<()>("REPLICAOF", &["NO", "ONE"]);
        primary.command::<()>("REPLICAOF", &["127.0.0.1", &replica.port.to_string()]);
        for sentinel in &self.sentinels {
            sentinel.command::<()>("SENTINEL", &["REMOVE", WATCHED]);
            sentinel.command::<()>("SENTINEL", &["MONITOR", WATCHED, "127.0.0.1", &replica.port.to_string(), "2"]);
        }
    }
}

/// A primary and its replica, in step.
pub fn with_replica() -> [Server; 2] {
    let arguments = ["--save", "", "--appendonly", "yes", "--appendfsync", "no", "--repl-diskless-sync-delay", "0"];
    let primary = Server::start(&arguments);
    let follows = primary.port.to_string();
    let replica = Server::start(&[arguments.as_slice(), &["--replicaof", "127.0.0.1", &follows]].concat());
    eventually("a replica that is in step", || {
        let told: String = primary.command("INFO", &["replication"]);
        told.contains("state=online") && replica.command::<String>("INFO", &["replication"]).contains("master_link_status:up")
    });
    // A replica that has just been filled may be busy with its own file for a moment, and acknowledges nothing meanwhile.
    let mut connection = primary.connection();
    eventually("a replica that acknowledges", || {
        run::<()>(&mut connection, "SET", &["probe", "1"]);
        run::<u32>(&mut connection, "WAIT", &["1", "100"]) == 1
    });
    run::<()>(&mut connection, "DEL", &["probe"]);
    [primary, replica]
}
