//! What a user may ask of a run: how it stands, its answer, that it stops. What an administrator may: that a session ends with all that runs in it.

use std::time::Duration;

use tracing::info;

use super::{
    App, AppError,
    accept::Wanted,
    call::CALL,
    journal::{self, Input},
    told,
    turn::{Report, Taken},
    work::is_away,
};
use crate::{
    domain::{
        audit::{Action, Deed},
        scope::Scope,
        session::{Revision, Round, SessionId, Turn},
        slot::SessionSlot,
        tool::ToolResult,
        turn::{CallStage, Ending, Stop},
        user::UserName,
    },
    secrets::tokens::Bearer,
    store::contract::{Begun, Cancelled, Ended, Looked},
};

/// Pauses between two looks at a run that somebody waits for, growing to the last one.
const LOOK_PAUSES_MS: [u64; 6] = [20, 40, 60, 100, 150, 250];

/// How a run stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSeen {
    pub run: String,
    pub state: RunState,
    pub session: SessionId,
    pub accepted_ms: u64,
    pub ended_ms: Option<u64>,
    /// Whether it is one direct call.
    pub is_call: bool,
    /// Whether what happens in it is told while it happens, as far as that is known.
    pub streamed: bool,
    pub message: String,
    /// The calls that are known of it, with how far they have come.
    pub calls: Vec<(ToolResult, CallStage)>,
    /// Markdown, if it has one.
    pub answer: Option<String>,
    /// More of how it ended, for programs; or nothing.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// At this place, counted from 1.
    Waiting(u64),
    Running,
    /// It is to stop, and has not yet.
    Stopping(Stop),
    /// Its replica is gone; another will go on with it.
    Recovering,
    Ended(Ending),
}

impl RunState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting(_) => "queued",
            Self::Running => "running",
            Self::Stopping(_) => "stopping",
            Self::Recovering => "recovering",
            Self::Ended(ending) => ending.as_str(),
        }
    }
}

/// A run that ended with an answer.
pub(super) struct EndedRun {
    pub taken: Taken,
    /// Markdown.
    pub message: String,
}

/// What became of a run that was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Somebody else goes on with it, or has ended it with a turn.
    Elsewhere,
    /// It was ended without one.
    Ended(Ending),
    NotKnown,
}

/// What came of the wish that a run stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelSeen {
    /// Whoever runs it finds out within a second; a change that is out is awaited.
    Stopping,
    /// It waited, and never began.
    Cancelled,
    /// It had ended before.
    Ended(Ending),
}

impl App {
    /// How a run of the caller's stands.
    ///
    /// # Errors
    /// Among others [`AppError::NoRun`].
    pub async fn look_at_run(&self, caller: &Bearer, run: &str) -> Result<RunSeen, AppError> {
        match self.store().look(super::caller(caller), run, true).await? {
            Looked::Ended { ended, turn, .. } => Ok(ended_seen(ended, turn.map(|turn| *turn))),
            Looked::Running { left_ms, stop, session, journal } => {
                let state = match stop {
                    _ if left_ms == 0 => RunState::Recovering,
                    Some(stop) => RunState::Stopping(stop),
                    None => RunState::Running,
                };
                let input = Input::of_run(run, &journal).unwrap_or_default();
                let direct = input.direct().map(|result| (result, CallStage::Dispatched));
                let calls = journal::calls(run, &journal).into_iter().map(|call| (call.result, call.stage)).chain(direct);
                Ok(seen(run, state, session, input.at, &input, calls.collect()))
            }
            Looked::Waiting { place, accepted_ms, input, session } => {
                let input = Input::of(&input).unwrap_or_default();
                Ok(seen(run, RunState::Waiting(place), session, accepted_ms, &input, Vec::new()))
            }
            Looked::Unknown => Err(AppError::NoRun { run: run.to_owned() }),
            Looked::Refused(refused) => Err(refused.into()),
        }
    }

    /// Has a run of the caller's stop.
    ///
    /// # Errors
    /// Among others [`AppError::NoRun`].
    pub async fn cancel_run(&self, caller: &Bearer, run: &str) -> Result<CancelSeen, AppError> {
        match self.store().cancel(super::caller(caller), run).await? {
            Cancelled::Stopping { left_ms } => {
                if left_ms == 0 {
                    self.attend_soon(&SessionSlot::of_run(&caller.user, run));
                }
                Ok(CancelSeen::Stopping)
            }
            Cancelled::Taken => Ok(CancelSeen::Cancelled),
            Cancelled::Ended(ended) => Ok(CancelSeen::Ended(ended.ending)),
            Cancelled::Unknown => Err(AppError::NoRun { run: run.to_owned() }),
            Cancelled::Refused(refused) => Err(refused.into()),
        }
    }

    /// Ends a session of a user's with all that runs in it, or all of them if none is named, for an administrator. How many it were.
    ///
    /// # Errors
    /// Among others [`AppError::NoSession`].
    pub async fn kill_session(&self, caller: &Bearer, user: &UserName, session: Option<&SessionId>) -> Result<u64, AppError> {
        self.granted(caller, Scope::SessionsEnd).await?;
        let ended = self.store().kill(user, session).await?;
        if ended == 0 {
            return Err(AppError::NoSession);
        }
        info!(%user, ended, administrator = %caller.user, "{} ended {ended} sessions of {user}", caller.user);
        let deed = Deed::new(Action::SessionEnded).by(&caller.user).to(user);
        let deed = session.map_or_else(|| deed.clone(), |session| deed.clone().with("session", session.as_str()));
        self.note_deed(deed).await;
        Ok(ended)
    }

    /// The answer of a run that somebody else works on, once it has one.
    pub(super) async fn await_turn(&self, wanted: &Wanted) -> Result<Taken, AppError> {
        let mut taken = self.await_run(&wanted.caller, &wanted.run).await?;
        if wanted.keyed.is_some() {
            // What is kept under the key is what every repetition gets.
            let lease_ms = self.settings().turns.lease_ms;
            match self.store().begin(wanted.begin(lease_ms)).await? {
                Begun::Replay(body) => taken.body = body,
                // What was kept is gone: it was done, and nobody shall do it again.
                Begun::Started(_) => self.release_later(wanted.clone()),
                _ => {}
            }
        }
        Ok(taken)
    }

    /// Comes when a run of the caller's has ended, whoever works on it.
    ///
    /// # Errors
    /// The caller may not come in any more, or the run is not known any more.
    pub async fn await_end(&self, caller: &Bearer, run: &str) -> Result<(), AppError> {
        match self.await_run(caller, run).await {
            Ok(_) | Err(AppError::RunEnded { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The answer of a run of the caller's, if it has ended; why it has none, if it ended without one.
    pub(super) async fn ended_run(&self, caller: &Bearer, run: &str) -> Result<Option<EndedRun>, AppError> {
        match self.store().look(super::caller(caller), run, false).await? {
            Looked::Ended { ended, turn: Some(turn), revision } => {
                let report = Report::of(&turn, ended.ending, revision.clone());
                let body = (self.rendering().turn)(self, &caller.user, &report);
                let taken = Taken { run: run.to_owned(), body, replayed: false, stored: true, revision: Some(revision) };
                Ok(Some(EndedRun { taken, message: report.answer }))
            }
            Looked::Ended { ended, turn: None, .. } => {
                Err(AppError::RunEnded { run: run.to_owned(), ending: ended.ending, detail: ended.detail })
            }
            Looked::Unknown => Err(AppError::Lost { run: run.to_owned() }),
            Looked::Refused(refused) => Err(refused.into()),
            Looked::Running { .. } | Looked::Waiting { .. } => Ok(None),
        }
    }

    /// The answer of a run that somebody else works on, or why there is none.
    pub(super) async fn await_run(&self, caller: &Bearer, run: &str) -> Result<Taken, AppError> {
        let mut pauses = LOOK_PAUSES_MS.iter();
        let mut pause = LOOK_PAUSES_MS[0];
        loop {
            match self.ended_run(caller, run).await {
                Ok(Some(ended)) => return Ok(ended.taken),
                Ok(None) => {}
                // It is still there when the store is.
                Err(error) if is_away(&error) => {}
                Err(error) => return Err(error),
            }
            pause = pauses.next().copied().unwrap_or(pause);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// What became of a run that this replica lost.
    pub(super) async fn fate_of(&self, caller: &Bearer, run: &str) -> Fate {
        match self.store().look(super::caller(caller), run, false).await {
            Ok(Looked::Running { .. } | Looked::Ended { turn: Some(_), .. }) => Fate::Elsewhere,
            Ok(Looked::Ended { ended, turn: None, .. }) => Fate::Ended(ended.ending),
            Ok(Looked::Waiting { .. } | Looked::Unknown | Looked::Refused(_)) | Err(_) => Fate::NotKnown,
        }
    }
}

fn seen(run: &str, state: RunState, session: SessionId, accepted_ms: u64, input: &Input, calls: Vec<(ToolResult, CallStage)>) -> RunSeen {
    RunSeen {
        run: run.to_owned(),
        state,
        session,
        accepted_ms,
        ended_ms: None,
        is_call: input.call.is_some(),
        streamed: input.streamed,
        message: input.message.clone(),
        calls,
        answer: None,
        detail: String::new(),
    }
}

fn ended_seen(ended: Ended, turn: Option<Turn>) -> RunSeen {
    let has_turn = turn.is_some();
    let turn = turn.unwrap_or_else(|| told::turn_of(&ended));
    let results = turn.rounds.into_iter().flat_map(|round: Round| round.results);
    let is_call = ended.detail == CALL;
    RunSeen {
        run: ended.run,
        state: RunState::Ended(ended.ending),
        session: ended.session,
        accepted_ms: ended.accepted_ms,
        ended_ms: Some(ended.ended_ms),
        is_call,
        streamed: false,
        message: turn.message,
        calls: results.map(|result| (result, CallStage::Settled)).collect(),
        answer: has_turn.then_some(turn.answer),
        detail: if is_call { String::new() } else { ended.detail },
    }
}

/// What a client that knew too much, or something else, is told.
impl AppError {
    pub(super) fn moved(expected: Option<&Revision>, stored: Revision) -> Self {
        use crate::domain::session::Since;
        let yours = expected.cloned().unwrap_or_else(|| stored.clone());
        match yours.since(&stored) {
            Since::RolledBack => Self::RolledBack { yours, stored },
            Since::Same | Since::Later => Self::Moved { yours, stored },
        }
    }
}
