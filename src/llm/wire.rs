//! The chat-completions protocol as servers really speak it: tolerant twins of what is sent and of what comes.

pub(super) mod answer;
pub(super) mod ask;
pub(super) mod events;
mod fit;
mod in_words;
pub(super) mod pieces;
pub(super) mod problem;
mod result_text;
pub(super) mod spoken;
mod told;
pub(super) mod vectors;

pub use self::result_text::told_whole;
