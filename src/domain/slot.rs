//! Which of a user's sessions: the one that every user has without asking, or one of those that they began beside it.
//!
//! The slot is where a session is filed; it outlives resets, which put another session in the same slot. Ids of sessions and of runs tell
//! their slot, so nothing has to be looked up to find one. Whoever names a slot that is not theirs names one of their own that is not there:
//! a session is filed under its user first.

use std::fmt;

use super::{session::SessionId, user::UserName};

/// The name of the slot that every user has.
const MAIN: &str = "main";
/// Hexadecimal digits of any other.
const DIGITS: usize = 16;
/// What the id of a session in another slot begins with; its slot follows, and then 64 random bits. Other ids are hexadecimal throughout.
const OTHER_SESSION: char = 's';
/// What stands before the slot at the end of a run's id.
const OTHER_RUN: char = 's';

/// Which of a user's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Slot(Option<u64>);

/// One of a user's sessions, wherever it stands: whose, and which.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionSlot {
    pub user: UserName,
    pub slot: Slot,
}

impl SessionSlot {
    /// The session that this user has without asking.
    pub fn main(user: &UserName) -> Self {
        Self { user: user.clone(), slot: Slot::MAIN }
    }

    /// The session that this run of the user's is in.
    pub fn of_run(user: &UserName, run: &str) -> Self {
        Self { user: user.clone(), slot: Slot::of_run(run) }
    }
}

impl Slot {
    /// The slot of the session that every user has without asking.
    pub const MAIN: Self = Self(None);

    /// Another one, by a number that nobody else of this user has: a random one.
    pub fn other(number: u64) -> Self {
        Self(Some(number))
    }

    pub fn is_main(self) -> bool {
        self.0.is_none()
    }

    /// The slot of a session with this id.
    pub fn of_session(id: &SessionId) -> Self {
        let other = id.as_str().strip_prefix(OTHER_SESSION).filter(|rest| rest.len() == 2 * DIGITS);
        other.and_then(|rest| rest.get(..DIGITS)).and_then(number).map_or(Self::MAIN, Self::other)
    }

    /// The slot of the session that a run with this id is in.
    pub fn of_run(run: &str) -> Self {
        run.rsplit_once(OTHER_RUN).and_then(|(_, slot)| number(slot)).map_or(Self::MAIN, Self::other)
    }

    /// As it stands in keys.
    pub fn parse(name: &str) -> Option<Self> {
        if name == MAIN { Some(Self::MAIN) } else { number(name).map(Self::other) }
    }

    /// The id of a new session in this slot, from 32 random hexadecimal digits.
    pub fn session_id(self, random: &str) -> SessionId {
        let id = match self.0 {
            None => random.to_owned(),
            Some(_) => format!("{OTHER_SESSION}{self}{}", random.get(..DIGITS).unwrap_or(random)),
        };
        SessionId::from_stored(&id)
    }

    /// The id of a run of the session in this slot, from one that is nobody else's.
    pub fn run_id(self, unique: &str) -> String {
        if self.is_main() { unique.to_owned() } else { format!("{unique}{OTHER_RUN}{self}") }
    }
}

/// Exactly as it is written: no slot has two names.
fn number(digits: &str) -> Option<u64> {
    let plain = digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    plain.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str(MAIN),
            Some(number) => write!(f, "{number:016x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn ids_tell_the_slot_that_they_were_made_for() {
        for slot in [Slot::MAIN, Slot::other(0), Slot::other(0xfedc_ba98), Slot::other(u64::MAX)] {
            assert_eq!(Slot::of_session(&slot.session_id(RANDOM)), slot);
            assert_eq!(Slot::of_run(&slot.run_id(RANDOM)), slot);
            assert_eq!(Slot::parse(&slot.to_string()), Some(slot));
        }
        assert_eq!(Slot::MAIN.session_id(RANDOM).as_str(), RANDOM);
        assert_eq!(Slot::other(16).session_id(RANDOM).as_str(), "s00000000000000100123456789abcdef");
        assert_eq!((Slot::MAIN.run_id("r"), Slot::other(1).run_id("r")), ("r".to_owned(), "rs0000000000000001".to_owned()));
    }

    #[test]
    fn whatever_else_is_named_is_the_main_one() {
        for id in
            ["", "s", "s1", "main", "s00000000000000100123456789abcde", "S00000000000000100123456789abcdef", "s你你你你你你你你你你你"]
        {
            assert_eq!(Slot::of_session(&SessionId::from_stored(id)), Slot::MAIN, "{id}");
        }
        for run in ["", "r", "rs", "rs1", "rs000000000000000A", "rs00000000000000000", "rs+00000000000000f", "0123456789abcdef"] {
            assert_eq!(Slot::of_run(run), Slot::MAIN, "{run}");
        }
        assert_eq!([Slot::parse(""), Slot::parse("Main"), Slot::parse("00000000000000000")], [None; 3]);
    }
}
