//! A real Redis of a test's own: a child process on a socket in a temporary directory, gone with the test.

use std::{
    ffi::OsString,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use redis::{Connection, FromRedisValue, ToRedisArgs};

use super::daemon::{Daemon, START_MAX, connected};

/// A Redis that writes every change to its append-only file before it answers, so that killing it loses nothing (a power cut would).
pub struct RedisServer {
    daemon: Daemon,
}

impl RedisServer {
    /// Starts one and waits until it answers.
    pub fn start() -> Self {
        let mut server = Self { daemon: Daemon::prepared() };
        server.launch();
        server
    }

    fn socket(&self) -> PathBuf {
        self.daemon.path().join("r.sock")
    }

    /// Where it listens, as a client is told.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    fn launch(&mut self) {
        let mut arguments = ["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "no", "--databases", "1", "--unixsocket"]
            .map(OsString::from)
            .to_vec();
        arguments.push(self.socket().into());
        let client = redis::Client::open(self.url());
        self.daemon.launch(arguments, &client);
    }

    /// Kills it. Its data stays for `restart`.
    pub fn stop(&mut self) {
        self.daemon.stop();
    }

    /// Kills it, and starts it again on the same data.
    pub fn restart(&mut self) {
        self.stop();
        self.launch();
    }

    /// Stops it in the middle of whatever it does, without closing a connection; `resume` lets it go on.
    pub fn pause(&self) {
        self.daemon.pause();
    }

    pub fn resume(&self) {
        self.daemon.resume();
    }

    /// A connection for commands of the test's own.
    pub fn connection(&self) -> Connection {
        redis::Client::open(self.url()).and_then(|client| connected(&client)).expect("redis-server accepts connections")
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
        let files = std::fs::read_dir(self.daemon.path().join("appendonlydir")).expect("an append-only file");
        files.flat_map(|file| std::fs::read(file.expect("a file").path()).expect("a file")).collect()
    }

    /// What a snapshot of it holds (RDB), not compressed.
    pub fn snapshot(&self) -> Vec<u8> {
        self.command::<()>("CONFIG", &["SET", "rdbcompression", "no"]);
        self.command::<()>("SAVE", &[]);
        std::fs::read(self.daemon.path().join("dump.rdb")).expect("a snapshot")
    }

    /// Listens to every command from now on.
    pub fn monitor(&self) -> Monitor {
        let mut stream = UnixStream::connect(self.socket()).expect("redis-server accepts connections");
        stream.write_all(b"MONITOR\r\n").expect("it listens");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut part = [0; 64 * 1024];
            while let Ok(bytes @ 1..) = stream.read(&mut part) {
                heard.lock().expect("no one panics with it").extend_from_slice(&part[..bytes]);
            }
        });
        let monitor = Monitor(seen);
        monitor.wait_for(b"+OK");
        monitor
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

/// Every command that a Redis was sent, as `MONITOR` tells it; it ends with the server.
pub struct Monitor(Arc<Mutex<Vec<u8>>>);

impl Monitor {
    /// All that was told until now.
    pub fn seen(&self, server: &RedisServer) -> Vec<u8> {
        let _: String = server.command("ECHO", &["the last thing that is heard"]);
        self.wait_for(b"the last thing that is heard");
        self.0.lock().expect("no one panics with it").clone()
    }

    fn wait_for(&self, text: &[u8]) {
        let since = Instant::now();
        while !self.0.lock().expect("no one panics with it").windows(text.len()).any(|window| window == text) {
            assert!(since.elapsed() < START_MAX, "MONITOR never told {}", String::from_utf8_lossy(text));
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// One command; panics with Redis's own words if it fails.
pub fn run<T: FromRedisValue>(connection: &mut Connection, name: &str, arguments: &[impl ToRedisArgs]) -> T {
    redis::cmd(name).arg(arguments).query(connection).unwrap_or_else(|error| panic!("{name}: {error}"))
}
