//! What begins and ends while administrators watch, as values.

use crate::domain::{session::SessionId, turn::Ending, user::UserName};

/// Something that began or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    pub user: UserName,
    pub session: SessionId,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    SessionBegun,
    /// `reset`, `administrator`, `expired` …
    SessionEnded {
        why: String,
    },
    TurnBegun {
        run: String,
        holder: Option<String>,
    },
    /// Another replica goes on with a run whose holder was gone or gave it back.
    TurnTaken {
        run: String,
        holder: Option<String>,
    },
    TurnEnded {
        run: String,
        ending: Ending,
        /// More of how it ended, for programs; or nothing.
        detail: String,
    },
}

impl What {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::SessionBegun => "session_begun",
            Self::SessionEnded { .. } => "session_ended",
            Self::TurnBegun { .. } => "turn_begun",
            Self::TurnTaken { .. } => "turn_taken",
            Self::TurnEnded { .. } => "turn_ended",
        }
    }

    /// Reads what `lua/changes.lua` wrote; none of what a newer release writes.
    pub fn stored(kind: &str, run: &str, about: &str) -> Option<Self> {
        let (run, holder) = (run.to_owned(), super::overview::holder_of(about));
        match kind {
            "session_begun" => Some(Self::SessionBegun),
            "session_ended" => Some(Self::SessionEnded { why: about.to_owned() }),
            "turn_begun" => Some(Self::TurnBegun { run, holder }),
            "turn_taken" => Some(Self::TurnTaken { run, holder }),
            "turn_ended" => {
                let (ending, detail) = about.split_once('|')?;
                Some(Self::TurnEnded { run, ending: Ending::parse(ending)?, detail: detail.to_owned() })
            }
            _ => None,
        }
    }
}

/// How far somebody has seen what happens: the last of each bucket of users, by when it was and its number in that millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen(pub(in crate::store) Vec<(u64, u64)>);

impl Seen {
    /// Everything until the end of this millisecond.
    pub fn until(ms: u64) -> Self {
        Self(vec![(ms, u64::MAX); crate::store::keys::BUCKETS as usize])
    }
}

/// What happened since, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    pub changes: Vec<Change>,
    pub seen: Seen,
    /// Until this millisecond nothing is missing, and nothing will come.
    pub complete_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scripts_write_is_read() {
        let ended = What::TurnEnded { run: "r".into(), ending: Ending::Failed, detail: "crashed".into() };
        assert_eq!(What::stored("turn_ended", "r", "failed|crashed"), Some(ended));
        let begun = What::TurnBegun { run: "r".into(), holder: Some("web-1".into()) };
        assert_eq!(What::stored("turn_begun", "r", "web-1#0a"), Some(begun));
        for (kind, about) in [("moon_rose", ""), ("turn_ended", "failed"), ("turn_ended", "done|")] {
            assert_eq!(What::stored(kind, "r", about), None, "{kind} {about}");
        }
    }
}
