//! haproxy as the house runs it: `deploy/haproxy.cfg`, with three servers of this machine in place of those that Docker names.

use std::{fs, io, path::Path};

use tokio::process::Child;

use super::process::start;

/// The house's configuration for the lab's ports.
fn configuration(house: &str, port: u16, replicas: &[u16]) -> String {
    let mut told = String::new();
    let mut skipping = false;
    for line in house.lines() {
        let begins_section = !line.starts_with([' ', '\t', '#']) && !line.is_empty();
        if begins_section {
            skipping = line.starts_with("resolvers");
        }
        if skipping || line.trim_start().starts_with('#') {
            continue;
        }
        if line.trim_start().starts_with("bind ") {
            told.push_str(&format!("    bind 127.0.0.1:{port}\n"));
        } else if line.trim_start().starts_with("server-template") {
            for (n, replica) in replicas.iter().enumerate() {
                told.push_str(&format!("    server r{n} 127.0.0.1:{replica}\n"));
            }
        } else {
            told.push_str(line);
            told.push('\n');
        }
    }
    told
}

/// Starts haproxy on `port` in front of the replicas.
pub fn balance(house: &Path, port: u16, replicas: &[u16], dir: &Path) -> io::Result<Child> {
    let file = dir.join("haproxy.cfg");
    fs::write(&file, configuration(&fs::read_to_string(house)?, port, replicas))?;
    start(Path::new("haproxy"), &["-db".to_owned(), "-f".to_owned(), file.display().to_string()], &[], &dir.join("haproxy.log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_stays_and_the_addresses_change() {
        let house = include_str!("../../../../deploy/haproxy.cfg");
        let told = configuration(house, 7000, &[7001, 7002, 7003]);
        assert!(told.contains("bind 127.0.0.1:7000") && told.contains("server r2 127.0.0.1:7003"), "{told}");
        assert!(!told.contains("docker") && !told.contains("server-template"), "{told}");
        for kept in ["option http-server-close", "disable-l7-retry unless METH_GET", "on-error mark-down", "replica_lost"] {
            assert!(told.contains(kept), "{kept}");
        }
    }
}
