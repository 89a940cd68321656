//! The operator's document as functions: what can be called, whether arguments fit, and the exact bytes to send.
//!
//! Pure and synchronous: no network, no files, no clock. [`Catalogue::read`] takes the text once; everything after it is immutable and
//! shared. The way of a document, one file each:
//!
//! `load` (text → JSON value) → `document` (edition, local references) → `gather` (every operation, alone: a bad one is set aside) →
//! `parameter`, `body`, `server` (one internal form for 2.0, 3.0 and 3.1) → `schema` (draft 2020-12, shared definitions) → `model`
//! (finite schemas for planners) → `naming` → [`Operation`].
//!
//! The way of a call: `check` (all problems at once, `sentence` words them) → `style`, `form`, `multipart` over `encode` (the only
//! escaping there is) → `request` (the URL is taken apart again and compared before it leaves).
//!
//! Which functions a sentence may mean is told by [`retrieve`], an index of all functions.

mod asked;
mod assemble;
mod body;
mod catalogue;
mod check;
mod confirm;
mod document;
mod encode;
mod files;
mod form;
mod gather;
mod given;
mod keyed;
mod load;
mod model;
mod multipart;
mod naming;
mod near;
mod operation;
mod options;
mod parameter;
mod report;
mod request;
pub mod retrieve;
mod schema;
mod security;
mod sentence;
mod server;
mod several;
mod style;
mod template;
#[cfg(test)]
mod wire_cases;
mod xml;

pub use catalogue::{Catalogue, Info};
pub use files::ReadFile;
pub use load::{DocumentError, read as read_text};
pub use naming::fingerprint;
pub use near::near;
pub use operation::Operation;
pub use options::ReadOptions;
pub use report::{Filtered, GivenName, Report, SetAside};
pub use request::UpstreamRequest;
pub use security::{Alternatives, Credential, KeyPlace, Need};
pub use several::names_over_all;
