//! One turn of conversation for a user: it is accepted, worked on in a task of its own, and answered. A client that goes away loses nothing.

use serde_json::{Map, Value};
use tracing::{Instrument, Span};

use super::{
    App, AppError,
    accept::{Accepted, Digests, Wanted, canonical},
    journal::Input,
    keys::api_key_of,
    runs::Fate,
    work::{Run, Worked},
};
use crate::{
    domain::{
        event::Event,
        language::Language,
        session::{Revision, Round, SessionId, Turn, Usage},
        tool::ToolResult,
        turn::{Ending, OnBusy},
        user::UserName,
    },
    secrets::tokens::Bearer,
    spans,
};

/// What a user wants in one turn.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub message: String,
    /// What the client knows beside the message.
    pub context: Option<Map<String, Value>>,
    /// The client's idempotency key: the same request under the same key is done once.
    pub idempotency_key: Option<String>,
    /// What happens if another run holds the session.
    pub on_busy: OnBusy,
    /// What the client knows of the conversation: anything else there, and nothing is begun.
    pub expects: Option<Revision>,
    /// The question that the message answers, if it was answered by its id.
    pub decides: Option<String>,
    /// Whether somebody wants to follow it ([`App::follow_run`]).
    pub streamed: bool,
}

/// A finished turn.
#[derive(Debug, Clone)]
pub struct Report {
    pub run: String,
    pub ending: Ending,
    /// The language of what the user said.
    pub language: Language,
    /// The conversation after this turn.
    pub revision: Revision,
    pub answer: String,
    /// Whole results, not what the history keeps of them.
    pub rounds: Vec<Round>,
    pub usage: Option<Usage>,
    pub asked_ms: u64,
    pub answered_ms: u64,
}

impl Report {
    pub(super) fn of(turn: &Turn, ending: Ending, revision: Revision) -> Self {
        Self {
            run: turn.run.clone(),
            ending,
            language: Language::of_text(&turn.message),
            revision,
            answer: turn.answer.clone(),
            rounds: turn.rounds.clone(),
            usage: turn.usage,
            asked_ms: turn.asked_ms,
            answered_ms: turn.answered_ms,
        }
    }

    pub fn session(&self) -> &SessionId {
        &self.revision.session
    }
}

/// How answers become the bytes that clients get: given by the edge, so that a repeated request gets the very same bytes, whichever replica
/// came to its end.
#[derive(Debug, Clone, Copy)]
pub struct Rendering {
    pub turn: fn(&App, &UserName, &Report) -> Vec<u8>,
    /// Of a direct call, under its run if it has one, for a reader of this language.
    pub call: fn(&App, &UserName, Option<&str>, &ToolResult, Language) -> Vec<u8>,
}

impl Default for Rendering {
    /// An answer is just its text.
    fn default() -> Self {
        Self {
            turn: |_, _, report| report.answer.clone().into_bytes(),
            call: |_, _, _, result, language| crate::agent::shown(result, language).into_bytes(),
        }
    }
}

/// An answer for the client.
#[derive(Debug, Clone)]
pub struct Taken {
    pub run: String,
    pub body: Vec<u8>,
    /// Whether it is the stored answer of an earlier, equal request.
    pub replayed: bool,
    /// Whether the store has it: what it has not yet may come to be told otherwise, as done by a replica that was lost.
    pub stored: bool,
    /// The conversation afterwards, as far as it is known.
    pub revision: Option<Revision>,
}

/// What a client is told before there is an answer.
pub struct AcceptedRun {
    pub run: String,
    /// Whether it waits for another run to end.
    pub waits: bool,
}

/// What came of a request whose client does not wait.
pub enum Begun {
    Accepted(AcceptedRun),
    /// It was answered before.
    Replayed(Taken),
}

impl App {
    /// Takes one turn for a user, and waits for its answer. The turn goes on if the caller stops waiting.
    ///
    /// # Errors
    /// Why there is no answer; a turn that changed something always has one.
    pub async fn take_turn(&self, caller: &Bearer, request: Request) -> Result<Taken, AppError> {
        let app = self.clone();
        let (input, wanted) = self.wanted(caller, request);
        let task = async move {
            match app.accept(&wanted).await? {
                Accepted::Started(started, held) => {
                    let caller = Some(wanted.caller.clone());
                    let whole = Run { user: wanted.caller.user.clone(), caller, input, taken: false, started: *started, held };
                    match app.finish(whole).await {
                        // Somebody else goes on with it, and its client is still here.
                        Err(AppError::HandedOver { .. }) => app.await_turn(&wanted).await,
                        Err(AppError::LeaseLost { run }) if app.fate_of(&wanted.caller, &run).await == Fate::Elsewhere => {
                            app.await_turn(&wanted).await
                        }
                        finished => finished,
                    }
                }
                Accepted::Replay(body) => Ok(Taken { run: wanted.run, body, replayed: true, stored: true, revision: None }),
                Accepted::Waits => app.await_turn(&wanted).await,
            }
        };
        self.spawn(task.in_current_span())?.await.map_err(|_| AppError::Broken)?
    }

    /// Begins one turn for a user, and does not wait for its answer, which is to be had from [`App::look_at_run`].
    ///
    /// # Errors
    /// Why it was not accepted.
    pub async fn begin_turn(&self, caller: &Bearer, request: Request) -> Result<Begun, AppError> {
        let app = self.clone();
        let (input, wanted) = self.wanted(caller, request);
        // In a task of its own: what was accepted is worked on even if its client goes away at this moment.
        let task = async move {
            let run = wanted.run.clone();
            match app.accept(&wanted).await? {
                Accepted::Started(started, held) => {
                    if input.streamed {
                        // Before its client hears of it, so that it follows it here.
                        app.open_feed(&held.lease, Event::Accepted);
                    }
                    let whole = Run { user: wanted.caller.user, caller: None, input, taken: false, started: *started, held };
                    let worker = app.clone();
                    app.0.tasks.spawn(async move { worker.finish(whole).await.map(|_| ()) }.in_current_span());
                    Ok(Begun::Accepted(AcceptedRun { run, waits: false }))
                }
                Accepted::Replay(body) => Ok(Begun::Replayed(Taken { run, body, replayed: true, stored: true, revision: None })),
                Accepted::Waits => Ok(Begun::Accepted(AcceptedRun { run, waits: true })),
            }
        };
        self.spawn(task.in_current_span())?.await.map_err(|_| AppError::Broken)?
    }

    /// What is journaled of a request, and what is asked of the store for it.
    fn wanted(&self, caller: &Bearer, request: Request) -> (Input, Wanted) {
        let Request { mut message, context, idempotency_key, on_busy, expects, decides, streamed } = request;
        let keyed = idempotency_key.map(|key| {
            let context = canonical(context.as_ref());
            let decides = decides.as_ref().map(String::as_bytes);
            let asked: Vec<&[u8]> = [message.as_bytes(), context.as_bytes()].into_iter().chain(decides).collect();
            Digests::of(caller, "process", &key, &asked)
        });
        let key = keyed.as_ref().map(|keyed| (keyed.key.clone(), keyed.fingerprint.clone()));
        // A secret that somebody writes goes no further: it is not stored, and no planner reads it.
        self.hidden().in_text(&mut message);
        let (at, issued, api_key) = (self.now_ms(), Some(caller.issued_ms), api_key_of(caller));
        let trace = spans::traceparent(&Span::current());
        let input = Input { message, at, context, key, issued, api_key, streamed, trace, ..Input::default() };
        let wanted = Wanted {
            caller: caller.clone(),
            run: self.new_run(caller.slot()),
            owner: self.new_owner(),
            input: input.to_bytes(),
            // What the last turn asked is looked at even where the planner is told nothing of it.
            tail: self.settings().turns.history_turns.max(1),
            keyed,
            on_busy,
            expects,
        };
        (input, wanted)
    }

    async fn finish(&self, run: Run) -> Result<Taken, AppError> {
        let Worked { body, report, stored } = self.work(run, Vec::new(), Vec::new()).await?;
        Ok(Taken { run: report.run.clone(), body, replayed: false, stored, revision: stored.then_some(report.revision) })
    }
}
