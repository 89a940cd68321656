//! A `redis-server` as a process, in a directory of its own; both are gone with the test.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use redis::{Client, Connection, RedisResult};
use tempfile::TempDir;

use super::process::signal;

/// How long a start may take before the test says so.
pub const START_MAX: Duration = Duration::from_secs(20);

pub struct Daemon {
    directory: TempDir,
    child: Option<Child>,
}

impl Daemon {
    /// One that is not started yet.
    pub fn prepared() -> Self {
        let directory = tempfile::Builder::new().prefix("saa-redis-").tempdir().expect("a temporary directory");
        Self { directory, child: None }
    }

    /// Where it keeps its data and its log.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Starts it with these arguments and its directory, and waits until it answers `client`.
    pub fn launch(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, client: &RedisResult<Client>) {
        let log = std::fs::File::create(self.path().join("log")).expect("a log file");
        let child = Command::new("redis-server")
            .args(arguments)
            .arg("--dir")
            .arg(self.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("these tests need `redis-server` on the PATH (tests/run installs it): {error}"));
        self.child = Some(child);
        let client = client.as_ref().expect("a usable URL");
        let since = Instant::now();
        while connected(client).and_then(|mut c| redis::cmd("PING").query::<String>(&mut c)).is_err() {
            let log = || std::fs::read_to_string(self.path().join("log")).unwrap_or_default();
            assert!(since.elapsed() < START_MAX, "redis-server does not answer; its log says:\n{}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills it. Its data stays for `launch`.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Only this very process; it may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it in the middle of whatever it does, without closing a connection; `resume` lets it go on.
    pub fn pause(&self) {
        signal(self.child.as_ref().expect("it runs"), "-STOP");
    }

    pub fn resume(&self) {
        signal(self.child.as_ref().expect("it runs"), "-CONT");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

pub fn connected(client: &Client) -> RedisResult<Connection> {
    client.get_connection_with_timeout(Duration::from_secs(5))
}
