//! The stored form of what a replica says of itself: JSON with short names. What a newer release says beside is passed over, and what an
//! older one does not say is nothing.

use serde::{Deserialize, Serialize};

use super::contract::replicas::Replica;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Record {
    #[serde(rename = "v")]
    version: String,
    #[serde(rename = "a")]
    address: String,
    #[serde(rename = "s")]
    started_ms: u64,
    #[serde(rename = "d")]
    draining: bool,
    #[serde(rename = "t")]
    turns: u64,
    #[serde(rename = "e")]
    streams: u64,
    #[serde(rename = "m")]
    memory_bytes: Option<u64>,
}

pub(super) fn encode(replica: &Replica) -> Vec<u8> {
    let Replica { id: _, version, address, started_ms, draining, turns, streams, memory_bytes } = replica.clone();
    // Writing JSON of strings and numbers into memory cannot fail.
    serde_json::to_vec(&Record { version, address, started_ms, draining, turns, streams, memory_bytes }).unwrap_or_default()
}

/// `None` if it makes no sense.
pub(super) fn decode(id: &str, record: &[u8]) -> Option<Replica> {
    let Record { version, address, started_ms, draining, turns, streams, memory_bytes } = serde_json::from_slice(record).ok()?;
    Some(Replica { id: id.to_owned(), version, address, started_ms, draining, turns, streams, memory_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_read_as_it_was_written_and_as_other_releases_write_it() {
        let replica = Replica {
            id: "web-1".into(),
            version: "1.2.3".into(),
            address: "0.0.0.0:5000".into(),
            started_ms: 5,
            draining: true,
            turns: 2,
            streams: 1,
            memory_bytes: Some(7),
        };
        assert_eq!(decode("web-1", &encode(&replica)), Some(replica));
        let sparse = Replica { id: "web-2".into(), version: "9".into(), ..Replica::default() };
        assert_eq!(decode("web-2", br#"{"v":"9","new":[1]}"#), Some(sparse));
        assert_eq!(decode("web-3", b"web"), None);
    }
}
