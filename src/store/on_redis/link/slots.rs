//! Which slot of a Cluster a command belongs to, and which server has which slots.

use std::{collections::HashMap, sync::Arc};

use redis::{Arg, Cmd, Value};

use super::node::Node;
use crate::settings::Place;

const SLOTS: u16 = 16_384;

/// The slot of the first key that a command names; `None` where it names none.
pub fn of(command: &Cmd) -> Option<u16> {
    let mut words = command.args_iter().filter_map(|arg| if let Arg::Simple(word) = arg { Some(word) } else { None });
    let key = match words.next()? {
        // EVALSHA digest count key …
        b"EVALSHA" | b"EVAL" => words.nth(2),
        b"MEMORY" => words.nth(1),
        b"TIME" | b"PING" | b"ROLE" | b"INFO" | b"SCRIPT" | b"CLUSTER" | b"MULTI" => None,
        _ => words.next(),
    };
    key.map(of_key)
}

/// CRC16 (XMODEM) of what stands between the first braces, or of the whole key.
fn of_key(key: &[u8]) -> u16 {
    let tagged = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let behind = key.get(open + 1..)?;
        let close = behind.iter().position(|byte| *byte == b'}')?;
        behind.get(..close).filter(|tag| !tag.is_empty())
    });
    let crc = tagged.unwrap_or(key).iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 })
    });
    crc % SLOTS
}

/// Which server has which slots. A slot that nobody has is not in it.
#[derive(Default, Clone)]
pub struct SlotMap {
    /// First slot, last slot, server; in order.
    ranges: Vec<(u16, u16, Arc<Node>)>,
    /// Slots that moved since.
    moved: HashMap<u16, Arc<Node>>,
}

impl SlotMap {
    pub fn of(mut ranges: Vec<(u16, u16, Arc<Node>)>) -> Self {
        ranges.sort_by_key(|(first, ..)| *first);
        Self { ranges, moved: HashMap::new() }
    }

    /// Who has a slot.
    pub fn primary(&self, slot: u16) -> Option<&Arc<Node>> {
        self.moved.get(&slot).or_else(|| {
            let (first_behind, at) = (self.ranges.partition_point(|(first, ..)| *first <= slot), slot);
            let (_, last, node) = self.ranges.get(first_behind.checked_sub(1)?)?;
            (at <= *last).then_some(node)
        })
    }

    /// The same, but for one slot.
    pub fn with_moved(&self, slot: u16, to: Arc<Node>) -> Self {
        let mut map = self.clone();
        map.moved.insert(slot, to);
        map
    }

    /// Every server once.
    pub fn primaries(&self) -> Vec<Arc<Node>> {
        let mut all: Vec<Arc<Node>> = Vec::new();
        for node in self.ranges.iter().map(|(.., node)| node).chain(self.moved.values()) {
            if !all.iter().any(|known| Arc::ptr_eq(known, node)) {
                all.push(node.clone());
            }
        }
        all
    }
}

/// Reads `CLUSTER SLOTS`: `[first, last, [host, port, …], replicas …]`. A server that does not know its own name has the one that it was
/// asked under.
pub fn read(answer: &Value, asked: &str) -> Option<Vec<(u16, u16, Place)>> {
    let Value::Array(ranges) = answer else { return None };
    let number = |value: &Value| if let Value::Int(n) = value { u16::try_from(*n).ok() } else { None };
    let range = |range: &Value| {
        let Value::Array(parts) = range else { return None };
        let [first, last, Value::Array(primary), ..] = parts.as_slice() else { return None };
        let [host, port, ..] = primary.as_slice() else { return None };
        let host = match host {
            Value::BulkString(host) if !host.is_empty() && host != b"?" => String::from_utf8(host.clone()).ok()?,
            _ => asked.to_owned(),
        };
        Some((number(first)?, number(last)?, (host, number(port)?)))
    };
    ranges.iter().map(range).collect()
}

/// `host:port`, as redirections name servers: an IPv6 address has no brackets there, and no host means the one that was asked.
pub fn place(text: &str, asked: &str) -> Option<Place> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some((if host.is_empty() { asked } else { host }.to_owned(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // As CLUSTER KEYSLOT says.
        for (key, slot) in [("123456789", 12_739), ("foo", 12_182), ("saa:{b07}:u:ann", 13_866), ("{}x", 10_595), ("a{b}{c}", 3300)] {
            assert_eq!(of_key(key.as_bytes()), slot, "{key}");
        }
        assert_eq!(of_key(b"saa:{b07}:u:ann"), of_key(b"b07"));
    }

    #[test]
    fn a_command_belongs_to_its_first_key() {
        let foo = Some(of_key(b"foo"));
        assert_eq!(of(redis::cmd("GET").arg("foo")), foo);
        assert_eq!(of(redis::cmd("EVALSHA").arg("abc").arg(2).arg("foo").arg("bar")), foo);
        assert_eq!(of(redis::cmd("MEMORY").arg("USAGE").arg("foo")), foo);
        assert_eq!(of(&redis::cmd("TIME")), None);
    }

    #[test]
    fn a_server_without_a_name_is_the_one_that_was_asked() {
        let text = |text: &str| Value::BulkString(text.into());
        let range = |host: Value| {
            let primary = Value::Array(vec![host, Value::Int(7000), text("id")]);
            Value::Array(vec![Value::Array(vec![Value::Int(0), Value::Int(5), primary, Value::Array(vec![])])])
        };
        assert_eq!(read(&range(text("h")), "me"), Some(vec![(0, 5, ("h".into(), 7000))]));
        assert_eq!(read(&range(Value::Nil), "me"), Some(vec![(0, 5, ("me".into(), 7000))]));
        assert_eq!(read(&Value::Array(vec![Value::Nil]), "me"), None);
        assert_eq!(place(":7001", "me"), Some(("me".into(), 7001)));
        assert_eq!(place("::1:7001", "me"), Some(("::1".into(), 7001)));
    }
}
