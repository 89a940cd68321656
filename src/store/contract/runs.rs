//! What stores do with runs: begin, take, step, commit, and what may be asked of one.

use super::{Refused, TurnPlace, Visit, overview::Tally};
use crate::domain::{
    event::EventId,
    session::{Revision, SessionId, Summary, Turn},
    slot::SessionSlot,
    turn::{Ending, FencingToken, JournalEntry, OnBusy, Stop},
    user::UserName,
};

/// A request that must be done once however often it is sent (IETF draft-ietf-httpapi-idempotency-key-header).
#[derive(Debug, Clone, Copy)]
pub struct Idempotency<'a> {
    /// Digest of the client's key; scoped to the caller by the store.
    pub key: &'a str,
    /// Digest of what was asked.
    pub fingerprint: &'a str,
}

/// Asks for the session's lease.
#[derive(Debug, Clone, Copy)]
pub struct Begin<'a> {
    pub caller: super::Caller<'a>,
    /// Id of the run that wants to begin; in the order of time, without `|`; it tells the slot of the caller's session ([`Slot::run_id`](crate::domain::slot::Slot::run_id)).
    pub run: &'a str,
    /// `replica#nonce`, the nonce new for every attempt to begin (but the same when one attempt is repeated because its answer was lost).
    pub owner: &'a str,
    pub lease_ms: u64,
    /// Turns of the conversation to bring along.
    pub tail: usize,
    /// What is being asked, for whoever finds this run orphaned or waiting.
    pub input: &'a [u8],
    pub idempotency: Option<Idempotency<'a>>,
    pub on_busy: OnBusy,
    /// What the client knows of the conversation: anything else there, and nothing is begun.
    pub expects: Option<&'a Revision>,
    /// In how many of the user's sessions runs may be at once; 0: in as many as there are.
    pub running_max: u64,
}

/// The session is leased.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    pub token: FencingToken,
    pub run: String,
    pub visit: Visit,
    /// Where the run's turns will stand.
    pub turns_at: TurnPlace,
    /// What was said in older turns, if it was summarised.
    pub summary: Option<Summary>,
    /// The store's clock.
    pub now_ms: u64,
}

/// Something that happened in a run, as a store keeps it: what is in the record is not for stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    pub id: EventId,
    pub record: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    Started(Box<Started>),
    Refused(Refused),
    /// Another run holds the session for at most so many milliseconds more, or (none left) waits for it and comes first.
    Busy {
        run: String,
        left_ms: u64,
    },
    /// Another run holds the session, and its holder is gone: it must be taken and ended first.
    Orphaned {
        run: String,
    },
    /// It waits at this place, counted from 1. Where nobody holds the session, somebody must take it.
    Queued {
        place: u64,
        held: bool,
    },
    /// As many wait for the run that holds the session as may.
    Full {
        run: String,
    },
    /// The same request is being worked on, or waits.
    InFlight {
        run: String,
    },
    /// The same request began before, and its journal went with its session: whether it sent anything is not known any more.
    Lost {
        run: String,
    },
    /// The idempotency key was used for another request.
    KeyReused,
    /// The same request was answered: this is the answer.
    Replay(Vec<u8>),
    /// The conversation is not what the client knows: this is what there is.
    Moved(Revision),
    /// The session that the caller names is not there.
    NoSession,
    /// Runs hold as many of the user's sessions as may be at once.
    ManyRun,
}

/// A run that somebody goes on with.
#[derive(Debug, Clone, PartialEq)]
pub struct TakenRun {
    pub started: Started,
    /// What it wrote, and what runs before it that never ended left behind.
    pub journal: Vec<JournalEntry>,
    /// How often it was taken from a holder that did not give it back.
    pub crashes: u64,
    /// Why it is not to go on.
    pub stop: Option<Stop>,
    /// Tokens of its user that were issued before this are void, milliseconds since 1970.
    pub tokens_void_before_ms: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    Run(Box<TakenRun>),
    /// Nobody waits, and nobody died.
    Nothing,
    /// Another holds the session for at most so many milliseconds more.
    Held {
        run: String,
        left_ms: u64,
    },
}

/// A held lease: what every write of a run must prove.
#[derive(Debug, Clone, PartialEq)]
pub struct Lease {
    pub user: UserName,
    pub run: String,
    pub token: FencingToken,
    /// As the run was told when it began.
    pub turns_at: TurnPlace,
}

impl Lease {
    /// The session that it is for.
    pub fn session(&self) -> SessionSlot {
        SessionSlot::of_run(&self.user, &self.run)
    }
}

/// One entry for the journal of a run: written once, never changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub field: String,
    pub value: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// Written; the lease is renewed.
    Held,
    /// As [`Stepped::Held`], but somebody wants this run to stop.
    StopWanted(Stop),
    /// The lease is another's now: nothing was written, and nothing may be sent any more.
    Stale,
}

/// What a run leaves when it ends.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// Whole turns, oldest first, the run's own last; none for a run that leaves no trace in the conversation.
    pub turns: &'a [Turn],
    /// The answer to keep for repetitions of the same request; an empty one frees the key.
    pub reply: Option<(Idempotency<'a>, &'a [u8])>,
    pub ending: Ending,
    /// When it was accepted, milliseconds since 1970.
    pub accepted_ms: u64,
    /// More of how it ended, for programs: a stable name, or nothing.
    pub detail: &'a str,
    /// What the conversation is called if nobody calls it otherwise, for a run that begins one.
    pub title: Option<&'a str>,
    /// What it adds to what is counted.
    pub tally: Tally<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// Written, or found written by an earlier attempt whose answer was lost. So many runs wait for the session now.
    Done { turns: u64, version: u64, waiting: u64 },
    /// The lease was lost: nothing was written.
    Stale,
}

/// What is known of a run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub run: String,
    pub ending: Ending,
    pub session: SessionId,
    /// The number of its turn in the conversation, if it left one.
    pub turn: Option<u64>,
    pub accepted_ms: u64,
    pub ended_ms: u64,
    /// A stable name, or nothing.
    pub detail: String,
}

impl Ended {
    /// Reads `<run>|<ending>|<session>|<turn, or ->|<accepted ms>|<ended ms>|<detail>`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(7, '|');
        let mut part = || parts.next();
        Some(Self {
            run: part()?.to_owned(),
            ending: Ending::parse(part()?)?,
            session: SessionId::from_stored(part()?),
            turn: match part()? {
                "-" => None,
                number => Some(number.parse().ok()?),
            },
            accepted_ms: part()?.parse().ok()?,
            ended_ms: part()?.parse().ok()?,
            detail: part()?.to_owned(),
        })
    }

    pub fn to_text(&self) -> String {
        let turn = self.turn.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let Self { run, ending, session, accepted_ms, ended_ms, detail, .. } = self;
        format!("{run}|{}|{session}|{turn}|{accepted_ms}|{ended_ms}|{detail}", ending.as_str())
    }
}

/// What is known of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Looked {
    /// Its turn comes along if it is in the conversation still; with it the conversation's revision.
    Ended {
        ended: Ended,
        turn: Option<Box<Turn>>,
        revision: Revision,
    },
    /// Somebody holds it for so many milliseconds more; none left: its holder is gone, and somebody will take it.
    Running {
        left_ms: u64,
        stop: Option<Stop>,
        session: SessionId,
        journal: Vec<JournalEntry>,
    },
    /// It waits at this place, counted from 1.
    Waiting {
        place: u64,
        accepted_ms: u64,
        input: Vec<u8>,
        session: SessionId,
    },
    /// The user has no such run, or not any more.
    Unknown,
    Refused(Refused),
}

/// What came of the wish that a run stops.
#[derive(Debug, Clone, PartialEq)]
pub enum Cancelled {
    /// Whoever runs it will find out; its lease has so many milliseconds left.
    Stopping {
        left_ms: u64,
    },
    /// It waited, and will never begin.
    Taken,
    /// It had ended.
    Ended(Ended),
    Unknown,
    Refused(Refused),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_run_is_read_as_it_was_written() {
        for text in ["r1|answered|s1|7|5|9|", "r|failed|s|-|5|9|model_unavailable", "r|killed||-|0|9|a|b"] {
            assert_eq!(Ended::parse(text).map(|ended| ended.to_text()).as_deref(), Some(text));
        }
        for text in ["", "r|answered|s|7|5|9", "r|done|s|7|5|9|", "r|answered|s|x|5|9|", "r|answered|s|7|five|9|"] {
            assert_eq!(Ended::parse(text), None, "{text}");
        }
    }
}
