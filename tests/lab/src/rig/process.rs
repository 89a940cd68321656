//! Programs that the lab starts, and ports for them.

use std::{
    fs::OpenOptions,
    io,
    net::TcpListener,
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicU16, Ordering},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

/// Below the ports that the system hands out by itself, so that nobody takes one while its program is dead.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 11_000;
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port of this machine on which nobody listens; each is given once.
pub fn free_port() -> u16 {
    if NEXT.load(Ordering::Relaxed) == 0 {
        // Two labs on one machine begin at different places.
        NEXT.store(u16::try_from(std::process::id() % u32::from(PORTS)).unwrap_or(1), Ordering::Relaxed);
    }
    loop {
        let port = FIRST_PORT + NEXT.fetch_add(1, Ordering::Relaxed) % PORTS;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Starts a program whose output goes to the end of a file. It ends when its handle is dropped.
pub fn start(program: &Path, arguments: &[String], environment: &[(String, String)], log: &Path) -> io::Result<Child> {
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    Command::new(program)
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))
}

/// Sends a signal to a process of the lab's own; one that has ended gets none.
pub fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
        let _ = kill_process(pid, signal);
    }
}
