//! What exists: users, sessions, turns, functions and their bounds. No async, no I/O, nothing `Serialize`:
//! every edge (store record, model wire, HTTP) owns a twin of what it needs, so that a stored shape can age.

pub mod audit;
pub mod base64;
pub mod consent;
pub mod credential;
pub mod event;
pub mod header;
pub mod idempotency;
pub mod json;
pub mod kept;
pub mod language;
pub mod limits;
pub mod near;
pub mod number;
pub mod password;
pub mod policy;
pub mod probe;
pub mod rate;
pub mod scope;
pub mod selection;
pub mod session;
pub mod signing;
pub mod slot;
pub mod tool;
pub mod totals;
pub mod turn;
pub mod unrepeated;
pub mod user;
pub mod vector;
