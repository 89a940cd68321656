//! Why the service could not do what was asked: for deciding. What people read over HTTP is the edge's, in two languages; the words here
//! are for logs and for programs that use the service as a library.

use super::budget::Exhausted;
use crate::{
    domain::{rate::Rate, scope::Scope, session::Revision, turn::Ending},
    llm::ModelError,
    secrets::tokens::TokenError,
    store::contract::{Refused, StoreError},
};

/// One variant for each thing a client can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppError {
    /// The token was revoked, or its user is gone.
    #[error("the token was revoked, or its user is gone")]
    Revoked,
    /// The token is not good.
    #[error("{0}")]
    BadToken(TokenError),
    /// The keys of the token's issuer cannot be had.
    #[error("the keys of the token's issuer cannot be had")]
    IssuerAway,
    /// Over the rate.
    #[error("too many {}: {retry_after_ms} ms to wait", .rate.as_str())]
    Limited { rate: Rate, retry_after_ms: u64 },
    /// No such refresh token is good, or not any more.
    #[error("the refresh token is not good")]
    NotRefreshed,
    /// The refresh token had been used before: its login has been ended.
    #[error("the refresh token had been used before")]
    RefreshUsed,
    /// The operator's policy keeps this function from the caller, or from everybody because it would change something.
    #[error("the caller may not call {function}")]
    NotAllowed { function: String, read_only: bool },
    #[error("the caller is no administrator")]
    NotAdmin,
    /// The caller has scopes, and not this one.
    #[error("the caller lacks the scope {}", .0.as_str())]
    InsufficientScope(Scope),
    #[error("there is no user {name}")]
    NoUser { name: String },
    #[error("there is a user {name} already")]
    UserExists { name: String },
    /// Nobody would be left who may change users.
    #[error("nobody would be left who may change users")]
    LastAdministrator,
    /// The caller's own password is another.
    #[error("the old password is wrong")]
    WrongPassword,
    /// The caller has an API key of that name.
    #[error("there is a key {name} already")]
    KeyExists { name: String },
    #[error("there is no key {name}")]
    NoKey { name: String },
    /// The caller has as many API keys as one may have.
    #[error("the user has as many keys as one may have")]
    TooManyKeys,
    #[error("the name or the password is wrong")]
    WrongCredentials,
    /// All hands are busy checking passwords.
    #[error("too many logins at once")]
    LoginsBusy,
    #[error("too many wrong passwords, try again in {retry_after_ms} ms")]
    LoginsLimited { retry_after_ms: u64 },
    /// Another run holds the session.
    #[error("run {run} holds the session for at most {left_ms} ms more")]
    Busy { run: String, left_ms: u64 },
    /// The same request is being worked on.
    #[error("the same request is being worked on by run {run}")]
    InFlight { run: String },
    /// The same request began before, and what became of it is not known any more.
    #[error("what became of run {run} is not known any more")]
    Lost { run: String },
    /// The idempotency key belongs to another request.
    #[error("the idempotency key belongs to another request")]
    KeyReused,
    /// As many runs wait for the session as may.
    #[error("as many runs wait for the session behind run {run} as may")]
    QueueFull { run: String },
    /// Runs are in as many of the user's sessions as may be at once.
    #[error("runs are in {most} of the user's sessions")]
    TooManyTurns { most: u64 },
    /// The run ended without an answer.
    #[error("run {run} ended without an answer")]
    RunEnded { run: String, ending: Ending, detail: String },
    /// This replica goes down, and another goes on with the run.
    #[error("run {run} was handed over to another replica")]
    HandedOver { run: String },
    /// The run has ended, but its answer could be lost still.
    #[error("the answer of run {run} is not safely kept yet")]
    AnswerNotDurable { run: String },
    /// The user has no such run, or not any more.
    #[error("there is no run {run}")]
    NoRun { run: String },
    /// The store knows less than the client: what it had acknowledged was lost.
    #[error("the store is at {stored}, behind {yours}")]
    RolledBack { yours: Revision, stored: Revision },
    /// The session went on since the client last saw it.
    #[error("the store is at {stored}, not at {yours}")]
    Moved { yours: Revision, stored: Revision },
    /// This replica lost the session to another in the middle of the turn.
    #[error("run {run} lost its session to another")]
    LeaseLost { run: String },
    /// The named session is not the user's, or not any more.
    #[error("there is no such session")]
    NoSession,
    /// As many administrators watch at this replica as may.
    #[error("too many watch at once")]
    TooManyWatchers,
    /// The user has as many sessions beside the main one as may be.
    #[error("the user has {most} sessions beside the main one")]
    TooManySessions { most: usize },
    /// As many files of sessions are read as may be at once.
    #[error("too many files of sessions at once")]
    ImportsBusy,
    /// The conversation has no such turn: it has those from `first` on, and `next` would be the next one.
    #[error("the conversation goes from turn {first} to before turn {next}")]
    NoTurn { first: u64, next: u64 },
    /// The user was asked nothing under this id, or long ago.
    #[error("there is no such question")]
    NoQuestion,
    /// The question was answered, or something else was said since.
    #[error("the question is over")]
    QuestionOver,
    /// The question was not answered in time.
    #[error("the question was not answered in time")]
    QuestionExpired,
    /// No reply is kept under this id for this user, or not any more.
    #[error("there is no kept result {id}")]
    NoResult { id: String },
    /// The kept reply has no such part: a sentence.
    #[error("{0}")]
    NoSuchPart(String),
    #[error("there is no function {name}")]
    UnknownFunction { name: String, near: Vec<String> },
    #[error("wrong arguments: {}", .0.join("; "))]
    InvalidArguments(Vec<String>),
    #[error("there is no security scheme {name}")]
    UnknownScheme { name: String, near: Vec<String> },
    /// None of the APIs is called so; `names` are those that have a name.
    #[error("there is no API {name}")]
    UnknownApi { name: String, names: Vec<String> },
    /// Several APIs have a scheme of that name.
    #[error("several APIs have a security scheme {name}")]
    AmbiguousScheme { name: String },
    #[error("this credential cannot be used: {}", .0.join("; "))]
    InvalidCredential(Vec<String>),
    /// The user has as many as one may have.
    #[error("the user has as many credentials as one may have")]
    TooManyCredentials,
    /// The documents cannot be used; they are served as before.
    #[error("the documents cannot be used: {}", .0.join("; "))]
    Documents(Vec<String>),
    /// This process does not write its log in a way that can be changed.
    #[error("the level of the log cannot be changed")]
    LogFixed,
    /// Not enough tokens are left of a day.
    #[error("the token budget of the {} does not suffice", .0.whose.as_str())]
    BudgetExhausted(Exhausted),
    #[error("the model could not answer: {0}")]
    Model(ModelError),
    #[error("{0}")]
    Store(StoreError),
    /// The process is going down and takes nothing new.
    #[error("the process is going down")]
    Draining,
    /// The turn's task ended without an answer (a bug: it is logged).
    #[error("the turn's task ended without an answer")]
    Broken,
}

impl From<Refused> for AppError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Revoked => Self::Revoked,
            Refused::Limited { rate, retry_after_ms } => Self::Limited { rate, retry_after_ms },
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
