//! A real Redis of a test's own: a child process on a socket in a temporary directory, gone with the test.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use redis::{Connection, FromRedisValue, ToRedisArgs};
use tempfile::TempDir;

/// How long a start may take before the test says so.
const START_MAX: Duration = Duration::from_secs(20);

/// A Redis that writes every change to its append-only file before it answers, so that killing it loses nothing (a power cut would).
pub struct RedisServer {
    directory: TempDir,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts one and waits until it answers.
    pub fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("saa-redis-").tempdir().expect("a temporary directory");
        let mut server = Self { directory, child: None };
        server.launch();
        server
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("r.sock")
    }

    /// Where it listens, as a client is told.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    fn launch(&mut self) {
        let log = std::fs::File::create(self.directory.path().join("log")).expect("a log file");
        let child = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "no", "--databases", "1"])
            .arg("--unixsocket")
            .arg(self.socket())
            .arg("--dir")
            .arg(self.directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("these tests need `redis-server` on the PATH (tests/run installs it): {error}"));
        self.child = Some(child);
        let since = Instant::now();
        while self.connect().and_then(|mut c| redis::cmd("PING").query::<String>(&mut c)).is_err() {
            let log = || std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            assert!(since.elapsed() < START_MAX, "redis-server does not answer; its log says:\n{}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn connect(&self) -> redis::RedisResult<Connection> {
        redis::Client::open(self.url())?.get_connection_with_timeout(Duration::from_secs(5))
    }

    /// Kills it. Its data stays for `restart`.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Only this very process; it may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Kills it, and starts it again on the same data.
    pub fn restart(&mut self) {
        self.stop();
        self.launch();
    }

    /// Stops it in the middle of whatever it does, without closing a connection; `resume` lets it go on.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().expect("it runs").id().to_string();
        let done = Command::new("kill").args([signal, &pid]).status().expect("there is a `kill`");
        assert!(done.success(), "kill {signal} {pid}");
    }

    /// A connection for commands of the test's own.
    pub fn connection(&self) -> Connection {
        self.connect().expect("redis-server accepts connections")
    }

    /// One command, over a connection of its own.
    pub fn command<T: FromRedisValue>(&self, name: &str, arguments: &[&str]) -> T {
        run(&mut self.connection(), name, arguments)
    }

    /// The only key of this kind that a user has: `saa:{b}:<kind>:<user>`, or the same with `:main` behind it.
    pub fn key(&self, kind: &str, user: &str) -> String {
        let mut keys: Vec<String> = self.command("KEYS", &[&format!("saa:*:{kind}:{user}")]);
        keys.extend(self.command::<Vec<String>>("KEYS", &[&format!("saa:*:{kind}:{user}:main")]));
        assert_eq!(keys.len(), 1, "keys of kind {kind} of {user}: {keys:?}");
        keys.into_iter().next().unwrap_or_default()
    }

    /// All bytes that were ever written into it: what its append-only file holds, values that are gone again included.
    pub fn everything_written(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.directory.path().join("appendonlydir")).expect("an append-only file");
        files.flat_map(|file| std::fs::read(file.expect("a file").path()).expect("a file")).collect()
    }

    /// Every key with its type and its TTL in milliseconds (-1: none).
    pub fn keys(&self) -> Vec<(String, String, i64)> {
        let mut connection = self.connection();
        let mut keys: Vec<String> = run(&mut connection, "KEYS", &["*"]);
        keys.sort();
        let about = |key: String| {
            let kind = run(&mut connection, "TYPE", &[&key]);
            let ttl = run(&mut connection, "PTTL", &[&key]);
            (key, kind, ttl)
        };
        keys.into_iter().map(about).collect()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One command; panics with Redis's own words if it fails.
pub fn run<T: FromRedisValue>(connection: &mut Connection, name: &str, arguments: &[impl ToRedisArgs]) -> T {
    redis::cmd(name).arg(arguments).query(connection).unwrap_or_else(|error| panic!("{name}: {error}"))
}
