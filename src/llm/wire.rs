//! The chat-completions protocol as servers really speak it: tolerant twins of what is sent and of what comes.

pub(super) mod answer;
pub(super) mod ask;
pub(super) mod problem;
mod result_text;

pub use self::result_text::told_whole;
