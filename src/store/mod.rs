//! What is remembered between requests: sessions with their conversations, leases, journals, users.
//!
//! A closed enum over two stores, not a trait: Redis for many replicas, one file for one process. What both must do stands in
//! [`contract`]; one suite of tests holds both to it.

mod audit;
pub mod contract;
mod edge;
mod embedded;
pub mod envelope;
mod kept;
mod keys;
pub mod migrate;
mod on_redis;
pub mod record;
mod replicas;
mod summary;
mod vectors;
mod verbs;
pub mod warnings;

pub use self::{
    embedded::{EmbeddedStore, OpenError},
    on_redis::RedisStore,
};

use crate::domain::{session::SessionId, slot::Slot};

/// How long the answer to a request with an idempotency key can be asked for again.
const IDEMPOTENCY_TTL_MS: u64 = 24 * 60 * 60 * 1000;
/// Ended sessions taken out of one bucket of the index at once.
const SWEEP_AT_ONCE: u64 = 500;

/// An id for a new session in this slot: 128 random bits, the slot's among them.
pub fn new_session_id(slot: Slot) -> SessionId {
    slot.session_id(&crate::secrets::random::hex_of(16))
}

/// Where sessions live. Cheap to clone.
#[derive(Clone)]
pub enum Store {
    Redis(RedisStore),
    Embedded(EmbeddedStore),
}
