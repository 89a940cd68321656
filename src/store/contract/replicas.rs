//! The replicas that are there, as values.

/// What a replica says of itself now and then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replica {
    /// As it names itself in leases and logs.
    pub id: String,
    /// Its release.
    pub version: String,
    /// The address that it listens on.
    pub address: String,
    /// When it was started, milliseconds since 1970.
    pub started_ms: u64,
    /// It is going down: not ready any more.
    pub draining: bool,
    /// Turns and calls that it works on.
    pub turns: u64,
    /// Streams of events that clients follow there.
    pub streams: u64,
    /// Memory of the process; none where the system does not tell.
    pub memory_bytes: Option<u64>,
}

/// A replica that said lately that it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alive {
    pub replica: Replica,
    /// When it said so, milliseconds since 1970 by the store's clock.
    pub seen_ms: u64,
}
