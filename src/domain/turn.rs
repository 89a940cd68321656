//! A running turn: who runs it, what it may write, and what its journal says.

/// Proof that a worker holds a session: `fence:replica#nonce`, compared whole in every write.
/// A number alone would not do: a failover can hand out the same number twice, the nonce makes the owners differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FencingToken(String);

impl FencingToken {
    pub fn from_store(token: String) -> Self {
        Self(token)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the journal says of one changing call of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// The run that wrote it.
    pub run: String,
    /// `in` (what was asked), or of changing call n: `c<n>p` (planned behind another), `c<n>i` (about to be sent), `c<n>r` (its result).
    pub field: String,
    /// As written; the application reads it.
    pub value: Vec<u8>,
}
