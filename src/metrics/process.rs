//! Memory and file descriptors of this process, as Linux tells them; elsewhere nothing is told. The names are those of every exporter.

use std::fs;

use prometheus_client::{metrics::gauge::Gauge, registry::Registry};

/// Adds what is known now. It takes some reads of /proc, which is no disk.
pub(super) fn register(now: &mut Registry) {
    let told = [
        ("process_resident_memory_bytes", "Memory that is resident", resident_bytes()),
        ("process_open_fds", "File descriptors that are open", open_descriptors()),
        ("process_max_fds", "File descriptors that may be open", most_descriptors()),
    ];
    for (name, help, value) in told {
        if let Some(value) = value.and_then(|value| i64::try_from(value).ok()) {
            let gauge: Gauge = Gauge::default();
            gauge.set(value);
            now.register(name, help, gauge);
        }
    }
}

/// `VmRSS:     12345 kB` (proc_pid_status(5)).
pub(super) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kib: u64 = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The one that reads the directory is not counted.
fn open_descriptors() -> Option<u64> {
    u64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()?.checked_sub(1)
}

/// `Max open files            1024                 524288               files` (proc_pid_limits(5)): the first is what holds.
fn most_descriptors() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.parse().ok()
}
