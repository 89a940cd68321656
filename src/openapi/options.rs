//! What a reader of a document is told beside its text.

use std::collections::BTreeMap;

use crate::domain::{idempotency::KeyRule, selection::Selection};

/// How one document is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Where the text came from, a path or a URL: named in messages, and relative servers start from it when it is a URL. It is never
    /// opened.
    pub origin: String,
    /// What the document's servers leave open, by name; wins over the document's defaults.
    pub server_variables: BTreeMap<String, String>,
    /// Which operations become functions; the others have no effect on the names of these.
    pub selection: Selection,
    /// Which changing operations take an idempotency key; the first that fits wins over the document.
    pub key_rules: Vec<KeyRule>,
}

impl ReadOptions {
    /// The document alone, as it says everything itself.
    pub fn of(origin: &str) -> Self {
        Self { origin: origin.to_owned(), ..Self::default() }
    }
}
