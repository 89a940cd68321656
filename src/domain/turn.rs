//! A run: one turn of conversation, or one direct call, from the moment it is accepted to its end. Who runs it, what it may write, what its
//! journal says, and how it ends.

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

    /// The number in front: how many leases the user's sessions have been given. It can fall back at a failover.
    pub fn fence(&self) -> u64 {
        self.0.split_once(':').and_then(|(fence, _)| fence.parse().ok()).unwrap_or_default()
    }
}

/// When a run was accepted, milliseconds since 1970, as its id tells (RFC 9562, 5.7: the first 48 bits of a UUIDv7); none if it is no such id.
pub fn accepted_ms(run: &str) -> Option<u64> {
    let is_version_7 = run.len() >= 32 && run.as_bytes().get(12) == Some(&b'7');
    run.get(..12).filter(|_| is_version_7).and_then(|digits| u64::from_str_radix(digits, 16).ok())
}

/// What the journal says of one changing call of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// The run that wrote it.
    pub run: String,
    /// `in` (what was asked), `p<round>` (the plan of a round), or of changing call n: `c<n>i` (about to be sent), `c<n>r` (its result).
    pub field: String,
    /// As written; the application reads it.
    pub value: Vec<u8>,
}

/// What happens to a request that finds its session held by another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBusy {
    /// It is refused, and nothing is kept of it.
    #[default]
    Reject,
    /// It waits, behind those that wait already.
    Enqueue,
    /// The run that holds the session is cancelled, and this one comes next.
    Interrupt,
}

impl OnBusy {
    pub const NAMES: [&'static str; 3] = ["reject", "enqueue", "interrupt"];

    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "reject" => Some(Self::Reject),
            "enqueue" => Some(Self::Enqueue),
            "interrupt" => Some(Self::Interrupt),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Enqueue => "enqueue",
            Self::Interrupt => "interrupt",
        }
    }
}

/// Why a run that could go on is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Its user cancelled it.
    Cancelled,
    /// A later request of its user took its place.
    Interrupted,
    /// The account was disabled, or its tokens were voided.
    Revoked,
    /// An administrator stopped it.
    Administrator,
}

impl Stop {
    /// As it is stored. A release to come may have reasons of its own; to stop is what all of them want.
    pub fn from_stored(name: &str) -> Self {
        Self::parse(name).unwrap_or(Self::Cancelled)
    }

    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "cancelled" => Some(Self::Cancelled),
            "interrupted" => Some(Self::Interrupted),
            "revoked" => Some(Self::Revoked),
            "administrator" => Some(Self::Administrator),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Revoked => "revoked",
            Self::Administrator => "administrator",
        }
    }
}

/// How far one call of a run had come when its journal was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStage {
    /// Nothing of it is known to have left.
    Planned,
    /// It may have been sent.
    Dispatched,
    /// What came of it is known, or it needed nothing to be sent.
    Settled,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It has an answer.
    Answered,
    /// It has an answer, but what became of a call that changes something is not known.
    UnknownOutcome,
    /// There is no answer; nothing was changed that is not told.
    Failed,
    /// Its user cancelled it, or put another in its place.
    Cancelled,
    /// Its session was ended under it.
    Killed,
}

impl Ending {
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Answered, Self::UnknownOutcome, Self::Failed, Self::Cancelled, Self::Killed].into_iter().find(|end| end.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::UnknownOutcome => "unknown_outcome",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Killed => "killed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in OnBusy::NAMES {
            assert_eq!(OnBusy::parse(name).map(OnBusy::as_str), Some(name));
        }
        for stop in [Stop::Cancelled, Stop::Interrupted, Stop::Revoked, Stop::Administrator] {
            assert_eq!(Stop::parse(stop.as_str()), Some(stop));
        }
        for ending in ["answered", "unknown_outcome", "failed", "cancelled", "killed"] {
            assert_eq!(Ending::parse(ending).map(Ending::as_str), Some(ending));
        }
        assert_eq!((OnBusy::parse(""), Stop::parse("1"), Ending::parse("running")), (None, None, None));
    }

    #[test]
    fn the_id_of_a_run_tells_when_it_was_accepted() {
        assert_eq!(accepted_ms("019a5f3c7d1e7c3f8a2b4c6d8e0f1a2b"), Some(0x019a_5f3c_7d1e));
        assert_eq!(accepted_ms("019a5f3c7d1e7c3f8a2b4c6d8e0f1a2bs0000000000000001"), Some(0x019a_5f3c_7d1e));
        for run in ["", "r1", "019a5f3c7d1e4c3f8a2b4c6d8e0f1a2b", "zzzzzzzzzzzz7c3f8a2b4c6d8e0f1a2b", "019a5f3c7d1e7c3f"] {
            assert_eq!(accepted_ms(run), None, "{run}");
        }
    }

    #[test]
    fn a_fence_is_the_number_in_front() {
        assert_eq!(FencingToken::from_store("17:a#b:c".into()).fence(), 17);
        assert_eq!(FencingToken::from_store("none".into()).fence(), 0);
    }
}
