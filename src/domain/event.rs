//! What happens in a run, told while it happens: the events of a stream.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An event's id: greater than that of every event before it, whichever replica told that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The fencing number of the lease under which it was told.
    pub fence: u64,
    /// The how many-th under that lease, from 1.
    pub n: u64,
}

impl EventId {
    /// Before every event.
    pub const START: Self = Self { fence: 0, n: 0 };

    /// Behind every event.
    pub const END: Self = Self { fence: u64::MAX, n: 0 };

    /// `<fence>-<n>`, nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (fence, n) = text.split_once('-')?;
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        Some(Self { fence: number(fence)?, n: number(n)? })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.fence, self.n)
    }
}

/// An event of a run that has not ended. How it ends is not told here: that is what the store says of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Somebody works on it.
    Accepted,
    /// The replica that worked on it is gone and another goes on, or the model's answer broke off and another is asked for. Text since the
    /// last finished call is told anew.
    Recovering,
    /// A piece of the text that the planner writes.
    Token {
        text: String,
    },
    CallPlanned(CallTold),
    CallStarted(CallTold),
    CallFinished(CallTold),
    /// These are sent only if the next message says yes.
    ConfirmationRequired {
        calls: Vec<CallTold>,
    },
}

impl Event {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Recovering => "recovering",
            Self::Token { .. } => "token",
            Self::CallPlanned(_) => "call_planned",
            Self::CallStarted(_) => "call_started",
            Self::CallFinished(_) => "call_finished",
            Self::ConfirmationRequired { .. } => "confirmation_required",
        }
    }
}

/// A call as its events tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallTold {
    /// `<round>.<place in it>`, both from 0.
    pub call: String,
    pub function_name: String,
    /// Without credentials; nothing for a call that leads to no request.
    pub method: Option<String>,
    pub url: Option<String>,
    /// `planned`, `dispatched`, `result`, `refused`, `failed`, `not_sent`, `unknown`.
    pub state: String,
    pub status: Option<u16>,
    /// Why there is no result.
    pub error: Option<String>,
}

/// An event with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    pub id: EventId,
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_nothing_else_is_one() {
        let id = EventId { fence: 17, n: 5 };
        assert_eq!(EventId::parse(&id.to_string()), Some(id));
        assert!(id > EventId { fence: 16, n: 900 } && id > EventId { fence: 17, n: 4 } && id > EventId::START);
        for text in ["", "-1", "5", "5-", "-", "a-b", "1-2-3", "+1-2", "1-+2", " 1-2", "99999999999999999999-1", "end"] {
            assert_eq!(EventId::parse(text), None, "{text}");
        }
    }
}
