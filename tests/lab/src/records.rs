//! What is written down while the lab runs, and what the checker reads: C what clients saw, U what the upstream got and did, L what the
//! model was asked, F what was done to the machines, D what is left at the end. One JSON object a line; times are microseconds of the
//! machine's clock, which all of the lab's own processes share.

use serde::{Deserialize, Serialize};

/// How an operation of the API behaves when it is sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Class {
    /// Only reads.
    Safe,
    /// Changes something; the API knows a repetition by its key.
    Keyed,
    /// Changes something at every request.
    Unprotected,
}

/// One logical operation of a client: a request and all its repetitions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Op {
    pub id: u64,
    pub user: String,
    /// Which of the user's sessions: counted by the clients, who begin a new one only when nothing is under way.
    pub generation: u64,
    pub kind: Kind,
    pub invoked_us: u64,
    /// When the answer came that settled it; `None`: nobody knows whether it happened.
    pub ended_us: Option<u64>,
    pub outcome: Outcome,
    pub key: Option<String>,
    /// The turn that was asked for, as its message and its calls carry it.
    pub mark: Option<String>,
    /// The run that answered.
    pub run: Option<String>,
    /// Marks of the conversation, oldest first: what a read told.
    pub seen: Vec<String>,
    /// What the answer told about calls.
    pub told: Vec<ToldCall>,
    /// Requests that were shown and wait for a yes.
    pub shown: Vec<Sent>,
    /// The mark of the turn whose shown requests this operation agrees to.
    pub approves: Option<String>,
    pub tries: Vec<Try>,
}

impl Op {
    /// One that begins now, of which nothing is known yet.
    pub fn new(id: u64, user: &str, generation: u64, kind: Kind, invoked_us: u64) -> Self {
        Self {
            id,
            user: user.to_owned(),
            generation,
            kind,
            invoked_us,
            ended_us: None,
            outcome: Outcome::Info,
            key: None,
            mark: None,
            run: None,
            seen: Vec::new(),
            told: Vec::new(),
            shown: Vec::new(),
            approves: None,
            tries: Vec::new(),
        }
    }

    /// Whether it asked for a turn, waited for or not.
    pub fn is_turn(&self) -> bool {
        matches!(self.kind, Kind::Turn(_) | Kind::Async)
    }
}

/// What a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A turn; the text is `on_busy`.
    Turn(Busy),
    /// A turn whose answer was not waited for.
    Async,
    /// One operation, directly.
    Call,
    /// The conversation, read.
    Read,
    /// A run, asked about.
    Look,
    Cancel,
    Reset,
    /// An administrator ends the session.
    Kill,
}

/// What a turn does when another one holds the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Busy {
    Reject,
    Enqueue,
    Interrupt,
}

/// How an operation ended for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done, with an answer.
    Ok,
    /// Refused: it did not happen.
    Fail,
    /// It may have happened, or not.
    Info,
}

/// One request of an operation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Try {
    pub sent_us: u64,
    pub ended_us: u64,
    /// 0: no whole answer came.
    pub status: u16,
    /// `code` of an error.
    pub code: String,
    pub run: Option<String>,
    pub session: Option<String>,
    /// The state of the run, if the answer says it.
    pub state: Option<String>,
    /// A digest of the answer's bytes.
    pub answer: String,
    pub retry_after: bool,
    /// Sent with the operation's key and another body, on purpose.
    pub changed: bool,
    /// Another user's text in this answer.
    pub foreign: Option<String>,
}

/// The code of an answer that says of itself that the store does not have it yet (`Answer-Stored: false`).
pub const NOT_STORED: &str = "not_stored";

impl Try {
    /// Whether it is an answer that stays.
    pub fn is_final(&self) -> bool {
        self.status == 200 && self.code != NOT_STORED
    }
}

/// What was told of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldCall {
    /// The turn and the place in it, from the URL.
    pub mark: String,
    pub call: String,
    pub function: String,
    /// planned, dispatched, result, refused, not_sent or unknown.
    pub state: String,
    pub status: Option<u16>,
}

/// A request as it was shown or sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub mark: String,
    pub call: String,
    /// A digest of method, URL and body.
    pub hash: String,
}

/// What the upstream wrote down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Upstream {
    Received(Received),
    Applied(Applied),
}

/// A request came, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    pub at_us: u64,
    pub request: u64,
    pub function: String,
    pub mark: String,
    pub call: String,
    /// Which answer of the model planned it.
    pub ask: u64,
    /// What the upstream was told to do with it: ok, fail, lost, slow.
    pub mode: String,
    pub key: Option<String>,
    pub hash: String,
    /// What is wrong with origin, method, path, headers or credential.
    pub problem: Option<String>,
}

/// The world was changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    pub at_us: u64,
    pub request: u64,
    pub mark: String,
    pub call: String,
    pub function: String,
    pub hash: String,
}

/// The model was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub at_us: u64,
    pub ask: u64,
    pub mark: String,
    pub step: usize,
}

/// Something was done to a machine or a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub from_us: u64,
    pub until_us: u64,
    /// kill, killpoint, pause, cut, failover, …
    pub kind: String,
    pub on: String,
}

/// A run as the service tells it at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    /// The state, or `missing`.
    pub state: String,
    pub calls: Vec<ToldCall>,
}

/// A session at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub user: String,
    pub generation: u64,
    /// Marks of the conversation, oldest first.
    pub marks: Vec<String>,
    /// All turns of the conversation: a yes, or a direct call that was cut off, has no mark.
    pub told: u64,
    /// Turns by the store's counter, and records in its list.
    pub counted: u64,
    pub records: u64,
}

/// A key of the store that is not as it should be when nothing runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    pub key: String,
    pub problem: String,
}

/// D: what is left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    pub runs: Vec<Run>,
    pub sessions: Vec<Session>,
    pub leftovers: Vec<Leftover>,
    /// Sessions that an administrator ended, or that may have been ended by a request that was lost: what they held cannot be judged.
    pub unjudged: Vec<(String, u64)>,
    /// Runs that had not ended when the lab gave up waiting.
    pub stuck: Vec<String>,
    /// When every run had ended, and how long that may take after the last fault.
    pub quiet_us: u64,
    pub quiet_within_us: u64,
}

/// Everything that was written down in one epoch.
#[derive(Debug, Clone, Default)]
pub struct Histories {
    pub ops: Vec<Op>,
    pub upstream: Vec<Upstream>,
    pub asked: Vec<Asked>,
    pub faults: Vec<Fault>,
    pub left: Left,
    /// What the checker has to know of how the lab was set up.
    pub terms: Terms,
}

/// How the lab was set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The service tells about runs (`/api/runs/{id}`).
    pub runs: bool,
    /// The upstream knows repetitions by their key, and its document says so.
    pub dedup: bool,
    /// Changes wait for a yes.
    pub confirm: bool,
    pub rounds_max: usize,
    pub calls_max: usize,
}

impl Default for Terms {
    fn default() -> Self {
        Self { runs: true, dedup: true, confirm: false, rounds_max: 8, calls_max: 32 }
    }
}

impl Terms {
    /// How a function of the document behaves when it is sent twice.
    pub fn class_of(self, function: &str) -> Class {
        match function {
            "readItem" => Class::Safe,
            "payOrder" if self.dedup => Class::Keyed,
            _ => Class::Unprotected,
        }
    }
}
