//! What administrators are told of the whole service: runs that go on, runs whose outcome is not known, what was counted, as values.

use crate::domain::{
    limits::{HOUR_MS, STATS_HOURS},
    session::SessionId,
    turn::Ending,
    user::UserName,
};

/// A run that has not ended and does not wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    pub user: UserName,
    pub session: SessionId,
    pub run: String,
    /// The number that its turn will have.
    pub turn: u64,
    pub state: OpenState,
    /// The replica that works on it; none where a replica gave it back.
    pub holder: Option<String>,
    /// How long the lease lasts if nobody renews it, in milliseconds.
    pub left_ms: u64,
}

/// How a run stands that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenState {
    Running,
    /// It is to stop, and has not yet.
    Stopping,
    /// Its holder is gone, or gave it back; somebody will go on with it.
    Orphaned,
}

impl OpenState {
    /// By what is left of the lease, and whether somebody wants the run to stop.
    pub fn of(left_ms: u64, stop: bool) -> Self {
        match (left_ms, stop) {
            (0, _) => Self::Orphaned,
            (_, true) => Self::Stopping,
            (_, false) => Self::Running,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Orphaned => "orphaned",
        }
    }
}

/// Which replica an owner (`replica#nonce`) is of; none if nobody owns it.
pub fn holder_of(owner: &str) -> Option<String> {
    owner.rsplit_once('#').map(|(replica, _)| replica.to_owned()).filter(|replica| !replica.is_empty())
}

/// A place among the open runs, which are in the order in which they were begun or taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenPlace {
    /// When somebody was to look after it, milliseconds since 1970: a lease after it was begun or taken.
    pub due_ms: u64,
    /// The index member, opaque; orders those of one instant.
    pub member: String,
}

/// A page of the open runs, those first that were begun or taken longest ago.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenRuns {
    pub runs: Vec<OpenRun>,
    /// The last place on this page, if there are more.
    pub next: Option<OpenPlace>,
}

/// Whether a run was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Whoever runs it will find out; its lease has so many milliseconds left.
    Stopping { left_ms: u64 },
    /// It does not hold its session any more.
    NotRunning,
}

/// A run of which it is not known what became of a call that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownOutcome {
    pub user: UserName,
    pub session: SessionId,
    pub run: String,
    /// Names of the functions whose calls it are, as far as they are known.
    pub functions: Vec<String>,
    /// When it ended, milliseconds since 1970.
    pub ended_ms: u64,
}

impl UnknownOutcome {
    /// Names of functions as they are kept: with commas between.
    pub fn functions_of(names: &str) -> Vec<String> {
        names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// What they are listed by, newest first.
    pub fn order(&self) -> (u64, &str) {
        (self.ended_ms, &self.run)
    }
}

/// What a run adds to what is counted, of its session and of the hour, beside that it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally<'a> {
    /// Calls that were answered, or may have been sent.
    pub calls: u64,
    /// Those of them that may change something.
    pub changing_calls: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// Whether some of the tokens are estimated.
    pub estimated: bool,
    /// Functions of which it is not known what became of their calls, with commas between.
    pub unknown: &'a str,
}

/// What was counted in one hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HourCounted {
    /// When it began, milliseconds since 1970.
    pub began_ms: u64,
    /// Turns that ended, by outcome; in the order of [`ENDINGS`].
    pub turns: [u64; ENDINGS.len()],
    /// Changing calls past the planner that ended, in the same order.
    pub direct_calls: [u64; ENDINGS.len()],
    /// Calls that turns sent, and those past the planner that change something.
    pub calls: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// Passwords that were tried, in the order of [`LOGINS`].
    pub logins: [u64; LOGINS.len()],
}

/// Every outcome there is, in the order in which they are counted.
pub const ENDINGS: [Ending; 5] = [Ending::Answered, Ending::UnknownOutcome, Ending::Failed, Ending::Cancelled, Ending::Killed];

/// What came of a password that somebody tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginEnd {
    Succeeded,
    /// It was wrong, or there is no such user, or a disabled one.
    Failed,
    /// Too many were wrong before it, so it was not tried.
    Throttled,
}

impl LoginEnd {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Throttled => "throttled",
        }
    }
}

/// Every one there is, in the order in which they are counted.
pub const LOGINS: [LoginEnd; 3] = [LoginEnd::Succeeded, LoginEnd::Failed, LoginEnd::Throttled];

/// The logins of one hour at one replica, as many as there were so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginsOfHour {
    /// When it began, milliseconds since 1970.
    pub began_ms: u64,
    /// In the order of [`LOGINS`].
    pub logins: [u64; LOGINS.len()],
}

impl LoginsOfHour {
    /// How many there were, by the names under which they are kept: each replica has its own, so that what it says again takes the place of
    /// what it said before.
    pub fn named(&self, replica: &str) -> impl Iterator<Item = (String, u64)> {
        LOGINS.into_iter().zip(self.logins).filter(|(_, n)| *n > 0).map(move |(end, n)| (format!("login|{}|{replica}", end.as_str()), n))
    }
}

impl HourCounted {
    /// The last [`STATS_HOURS`], nothing counted yet, the oldest first.
    pub fn lately(now_ms: u64) -> Vec<Self> {
        let this = now_ms / HOUR_MS * HOUR_MS;
        let begins = (0..STATS_HOURS as u64).rev().map(|ago| this.saturating_sub(ago * HOUR_MS));
        begins.map(|began_ms| Self { began_ms, ..Self::default() }).collect()
    }

    /// Adds so many of something, by the name under which it is kept; what a newer release counts is passed over.
    pub fn add(&mut self, what: &str, n: u64) {
        let of = |kind: &str| what.strip_prefix(kind).and_then(|name| ENDINGS.iter().position(|ending| ending.as_str() == name));
        let login = what.strip_prefix("login|").and_then(|rest| rest.split('|').next());
        let login = login.and_then(|name| LOGINS.iter().position(|end| end.as_str() == name));
        let counter = match what {
            "calls" => Some(&mut self.calls),
            "prompt_tokens" => Some(&mut self.prompt_tokens),
            "completion_tokens" => Some(&mut self.completion_tokens),
            _ => match (of("turn|"), of("call|"), login) {
                (Some(at), ..) => self.turns.get_mut(at),
                (None, Some(at), _) => self.direct_calls.get_mut(at),
                (None, None, Some(at)) => self.logins.get_mut(at),
                (None, None, None) => None,
            },
        };
        counter.into_iter().for_each(|counter| *counter = counter.saturating_add(n));
    }

    /// Adds another hour's.
    pub fn plus(&mut self, other: &Self) {
        let pairs = self.turns.iter_mut().zip(other.turns).chain(self.direct_calls.iter_mut().zip(other.direct_calls));
        let pairs = pairs.chain(self.logins.iter_mut().zip(other.logins));
        pairs.for_each(|(sum, n)| *sum = sum.saturating_add(n));
        self.calls = self.calls.saturating_add(other.calls);
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self.completion_tokens.saturating_add(other.completion_tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_of_a_replica_or_of_nobody() {
        assert_eq!(holder_of("web-1-3fa2c1#0a1b").as_deref(), Some("web-1-3fa2c1"));
        assert_eq!((holder_of(""), holder_of("#1"), holder_of("a")), (None, None, None));
    }

    #[test]
    fn what_is_counted_is_found_again_by_its_name() {
        let mut hour = HourCounted::default();
        for (what, n) in [
            ("turn|answered", 2),
            ("turn|killed", 1),
            ("call|failed", 3),
            ("calls", 4),
            ("prompt_tokens", 5),
            ("moons", 9),
            ("login|failed|a|b", 6),
            ("login|x|a", 1),
        ] {
            hour.add(what, n);
        }
        assert_eq!((hour.turns, hour.direct_calls), ([2, 0, 0, 0, 1], [0, 0, 3, 0, 0]));
        assert_eq!((hour.calls, hour.prompt_tokens, hour.completion_tokens, hour.logins), (4, 5, 0, [0, 6, 0]));
        let logins = LoginsOfHour { began_ms: 0, logins: [1, 0, 2] };
        logins.named("web-1").for_each(|(name, n)| hour.add(&name, n));
        assert_eq!(hour.logins, [1, 6, 2]);
        let mut sum = hour.clone();
        sum.plus(&hour);
        assert_eq!((sum.turns[0], sum.calls, sum.logins[1]), (4, 8, 12));
    }
}
