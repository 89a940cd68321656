//! Every bound of the service that is not a setting, with its unit in its name.

mod answers;
mod documents;
mod models;
mod operators;
mod people;
mod planning;
mod sessions;
mod turns;
mod upstream;

pub use self::{answers::*, documents::*, models::*, operators::*, people::*, planning::*, sessions::*, turns::*, upstream::*};

/// A day, in milliseconds.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// An hour, in milliseconds.
pub const HOUR_MS: u64 = 60 * 60 * 1000;
