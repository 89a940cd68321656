//! Redis servers on TCP ports of a test's own, alone or as parts of something larger; gone with the test.

use std::{
    collections::HashSet,
    ffi::OsString,
    net::TcpListener,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{Client, Connection, FromRedisValue, RedisResult, TlsCertificates};

use super::{
    daemon::{Daemon, START_MAX, connected},
    redis::run,
};

/// A port that nobody listens on, and that was not given out in this process before.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    loop {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        if GIVEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert(port) {
            return port;
        }
    }
}

/// One server.
pub struct Server {
    pub port: u16,
    daemon: Daemon,
    arguments: Vec<String>,
    /// How the test itself comes in: `user:password@`, or nothing.
    entry: String,
    /// If it speaks TLS.
    certificates: Option<TlsCertificates>,
}

impl Server {
    /// Starts one with these arguments and waits until it answers.
    pub fn start(arguments: &[&str]) -> Self {
        let mut server = Self::prepared(free_port(), arguments);
        server.launch();
        server
    }

    /// As [`Server::start`], for one that speaks TLS only, and to nobody without a certificate. `entry` is how the test itself comes in:
    /// `user:password@`.
    pub fn sealed(arguments: &[&str], entry: &str, certificates: TlsCertificates) -> Self {
        let mut server = Self::prepared(free_port(), arguments);
        server.entry = entry.to_owned();
        server.certificates = Some(certificates);
        server.launch();
        server
    }

    /// One that is not started yet. `--sentinel` among the arguments makes it one; what begins with `file:` is a line of its file.
    pub fn prepared(port: u16, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { port, daemon: Daemon::prepared(), arguments, entry: String::new(), certificates: None }
    }

    pub fn launch(&mut self) {
        let (lines, arguments): (Vec<&String>, Vec<&String>) = self.arguments.iter().partition(|argument| argument.starts_with("file:"));
        let configuration = self.daemon.path().join("redis.conf");
        if !configuration.exists() {
            let lines: String = lines.iter().map(|line| format!("{}\n", line.trim_start_matches("file:"))).collect();
            std::fs::write(&configuration, lines).expect("a configuration file");
        }
        let listens = if self.certificates.is_some() { ["--port", "0", "--tls-port"].as_slice() } else { ["--port"].as_slice() };
        let mut all = vec![configuration.into_os_string()];
        all.extend(listens.iter().map(OsString::from));
        all.extend([self.port.to_string().into(), "--bind".into(), "127.0.0.1".into()]);
        all.extend(arguments.into_iter().map(OsString::from));
        let client = self.client();
        self.daemon.launch(all, &client);
    }

    /// Where it listens, as a client is told.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn client(&self) -> RedisResult<Client> {
        match &self.certificates {
            Some(certificates) => {
                let url = format!("rediss://{}localhost:{}", self.entry, self.port);
                Client::build_with_tls(url, certificates.clone())
            }
            None => Client::open(format!("redis://{}127.0.0.1:{}", self.entry, self.port)),
        }
    }

    fn connect(&self) -> RedisResult<Connection> {
        connected(&self.client()?)
    }

    pub fn connection(&self) -> Connection {
        self.connect().expect("redis-server accepts connections")
    }

    /// One command, over a connection of its own.
    pub fn command<T: FromRedisValue>(&self, name: &str, arguments: &[&str]) -> T {
        run(&mut self.connection(), name, arguments)
    }

    /// As [`Server::command`], where an error is no surprise.
    pub fn try_command<T: FromRedisValue>(&self, name: &str, arguments: &[&str]) -> RedisResult<T> {
        redis::cmd(name).arg(arguments).query(&mut self.connect()?)
    }

    /// Kills it. Its data stays for `launch`.
    pub fn stop(&mut self) {
        self.daemon.stop();
    }

    /// Stops it in the middle of whatever it does, without closing a connection; `resume` lets it go on.
    pub fn pause(&self) {
        self.daemon.pause();
    }

    pub fn resume(&self) {
        self.daemon.resume();
    }
}

/// Waits until something holds; says what did not.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < START_MAX, "{what} does not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}
