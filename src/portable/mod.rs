//! A conversation as a file that goes from one place to another: written, and read back with all that is wrong with it. Pure.
//!
//! The file is JSON of one version (`form.rs` has its fields; docs/SESSIONS.md tells them to people). It has nothing that means something in one
//! place only: no user, no ids of sessions, runs or kept replies, and no question that somebody could answer with a yes. So what was read
//! from a file and is written again has the same bytes.
//!
//! It is not the form in which turns are stored (`store/record`), though both tell the same: that one may change with any release, this one
//! is a promise to whoever has such a file.

mod form;
mod read;

pub use read::read;

use self::form::{FORMAT, TurnForm, VERSION, WrittenFile};
use crate::domain::session::{Label, Turn};

/// A conversation without a place: what it is called, and its turns, oldest first. The runs of the turns are unnamed (empty).
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    pub label: Label,
    pub turns: Vec<Turn>,
}

/// The file of a conversation: JSON in one line, and the end of that line.
pub fn write(label: &Label, turns: &[Turn]) -> String {
    let metadata = label.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let turns = turns.iter().map(TurnForm::of).collect();
    let file = WrittenFile { format: FORMAT, version: VERSION, title: label.title.as_deref(), pinned: label.pinned, metadata, turns };
    // Writing JSON of strings, numbers and maps with text keys into memory cannot fail.
    serde_json::to_string(&file).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests;
