//! Holding a session while a run works: the heartbeat, the journal, the brake, the end.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{App, AppError, call::CALL};
use crate::{
    clock::Countdown,
    domain::{
        session::{Turn, Usage, title_of},
        tool::{Outcome, ToolResult},
        turn::{Ending, Stop},
        user::UserName,
    },
    metrics::{self, RunKind, RunOutcome, Stage, metrics},
    store::contract::{Commit, Committed, Entry, Idempotency, Lease, Started, Stepped, StoreError, overview::Tally},
};

/// Pauses between attempts to store the end of a run, growing to the last one.
const COMMIT_PAUSES_MS: [u64; 5] = [50, 100, 200, 500, 1000];
/// The longest time between two renewals of a lease, in milliseconds: it is also how long a run may not know that it is to stop.
const HEARTBEAT_MS_MAX: u64 = 1000;

/// How often, and how long, the end of a run is tried to be stored after its client was told of it.
const END_LATER_ATTEMPTS: u32 = 1200;
const END_LATER_PAUSE: Duration = Duration::from_millis(250);

/// How a run ends, on its way to the store: [`Commit`] with nothing borrowed.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub turns: Vec<Turn>,
    /// Digests of the idempotency key and of what was asked, and the answer.
    pub reply: Option<((String, String), Vec<u8>)>,
    pub ending: Ending,
    pub accepted_ms: u64,
    pub detail: &'static str,
    pub tallied: Tallied,
}

/// What a run adds to what is counted, as [`Tally`] with nothing borrowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tallied {
    calls: u64,
    changing_calls: u64,
    usage: Usage,
    unknown: String,
}

impl Tallied {
    /// Of runs that left these turns.
    pub fn of(turns: &[Turn]) -> Self {
        let usage = turns.iter().filter_map(|turn| turn.usage).fold(Usage::default(), Usage::plus);
        Self { usage, ..Self::of_results(turns.iter().flat_map(|turn| &turn.rounds).flat_map(|round| &round.results)) }
    }

    /// Of one call.
    pub fn of_call(result: &ToolResult) -> Self {
        Self::of_results([result].into_iter())
    }

    fn of_results<'a>(results: impl Iterator<Item = &'a ToolResult>) -> Self {
        let mut tallied = Self::default();
        for result in results {
            if matches!(result.outcome, Outcome::Replied(_) | Outcome::Unknown(_)) {
                tallied.calls += 1;
                tallied.changing_calls += u64::from(!result.is_reading());
            }
            match result.outcome {
                Outcome::Unknown(_) => {
                    let comma = if tallied.unknown.is_empty() { "" } else { "," };
                    tallied.unknown += comma;
                    tallied.unknown += &result.call.name;
                }
                Outcome::Replied(_) | Outcome::Refused(_) | Outcome::Failed(_) => {}
            }
        }
        tallied
    }

    fn tally(&self) -> Tally<'_> {
        let Usage { prompt_tokens, completion_tokens, estimated, .. } = self.usage;
        let Self { calls, changing_calls, unknown, .. } = self;
        Tally { calls: *calls, changing_calls: *changing_calls, prompt_tokens, completion_tokens, estimated, unknown }
    }
}

impl End {
    pub fn as_commit<'a>(&'a self, title: Option<&'a str>) -> Commit<'a> {
        let reply = self.reply.as_ref().map(|((key, fingerprint), answer)| (Idempotency { key, fingerprint }, answer.as_slice()));
        let Self { turns, ending, accepted_ms, detail, .. } = self;
        Commit { turns, reply, ending: *ending, accepted_ms: *accepted_ms, detail, title, tally: self.tallied.tally() }
    }

    /// What the conversation is called from now on, if it begins with this.
    fn title(&self, held: &Held) -> Option<String> {
        let first = self.turns.first().filter(|_| held.begins_conversation)?;
        Some(title_of(&first.message)).filter(|title| !title.is_empty())
    }

    /// It is in the store, and is counted.
    fn count(&self) {
        let kind = if self.detail == CALL { RunKind::Call } else { RunKind::Turn };
        metrics().run_ended(
            kind,
            match self.ending {
                Ending::Answered => RunOutcome::Answered,
                Ending::UnknownOutcome => RunOutcome::UnknownOutcome,
                Ending::Failed => RunOutcome::Failed,
                Ending::Cancelled => RunOutcome::Cancelled,
                Ending::Killed => RunOutcome::Killed,
            },
        );
    }
}

/// Why a run that this replica holds goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// Somebody wants it to stop for good.
    Stop(Stop),
    /// This replica goes down: another goes on with it.
    HandOver,
}

/// Tells all who work on a run that it goes no further. The first reason counts. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Brake(Arc<(OnceLock<Halt>, CancellationToken)>);

impl Brake {
    pub fn pull(&self, why: Halt) {
        if self.0.0.set(why).is_ok() {
            self.0.1.cancel();
        }
    }

    pub fn pulled(&self) -> Option<Halt> {
        self.0.0.get().copied()
    }

    /// Comes when it is pulled.
    pub async fn wait(&self) {
        self.0.1.cancelled().await;
    }
}

/// A lease and how long this process may rely on it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub lease: Lease,
    /// Runs out before the store gives the session to somebody else.
    pub countdown: Countdown,
    pub brake: Brake,
    lease_ms: u64,
    /// Whether its turn is the first of the conversation.
    begins_conversation: bool,
    /// Counts it for as long as anybody has it.
    _counted: Arc<metrics::Open>,
}

impl Held {
    /// `asked` is when the lease was asked for: it cannot have begun earlier than that.
    pub fn of(user: &UserName, started: &Started, lease_ms: u64, asked: Instant) -> Self {
        let (run, token) = (started.run.clone(), started.token.clone());
        let lease = Lease { user: user.clone(), run, token, turns_at: started.turns_at.clone() };
        Self {
            lease,
            countdown: Countdown::since(asked, relied_on(lease_ms)),
            brake: Brake::default(),
            lease_ms,
            begins_conversation: started.visit.session.turns == 0,
            _counted: Arc::new(metrics().lease()),
        }
    }

    fn renewed(&self, asked: Instant) {
        self.countdown.restart_ms(asked, relied_on(self.lease_ms));
    }
}

/// Four fifths of the lease: what is left covers the difference between two clocks' speeds and the way to the upstream.
fn relied_on(lease_ms: u64) -> u64 {
    lease_ms / 5 * 4
}

impl App {
    /// Writes journal entries and renews the lease. Whether the run is to stop is found out on the way.
    pub(super) async fn journal(&self, held: &Held, entries: &[Entry]) -> Result<(), AppError> {
        let asked = Instant::now();
        match self.store().step(&held.lease, held.lease_ms, entries).await? {
            Stepped::Held => {
                held.renewed(asked);
                Ok(())
            }
            Stepped::StopWanted(stop) => {
                held.renewed(asked);
                held.brake.pull(Halt::Stop(stop));
                Ok(())
            }
            Stepped::Stale => Err(self.lost(&held.lease)),
        }
    }

    /// Renews the lease until it is lost; ends only then. Pulls the brake when this replica begins to hand its runs over.
    pub(super) async fn keep(&self, held: &Held) -> AppError {
        let beat = Duration::from_millis((held.lease_ms / 3).min(HEARTBEAT_MS_MAX));
        loop {
            tokio::select! {
                () = tokio::time::sleep(beat) => {}
                () = self.0.handing_over.cancelled(), if held.brake.pulled().is_none() => held.brake.pull(Halt::HandOver),
            }
            match self.journal(held, &[]).await {
                Ok(()) => {}
                Err(AppError::Store(StoreError::Unavailable | StoreError::NotDurable)) if !held.countdown.is_over() => {
                    warn!(run = %held.lease.run, "the lease of run {} could not be renewed, trying again", held.lease.run);
                }
                Err(error) => return error,
            }
        }
    }

    /// Stores the end of a run; returns the conversation's version. While the store is away it tries again for as long as a lease lasts:
    /// the token decides, not the time. If others wait for the session, they are seen to.
    pub(super) async fn commit(&self, held: &Held, end: &End) -> Result<u64, AppError> {
        let (began, title) = (Instant::now(), end.title(held));
        let until = began + Duration::from_millis(held.lease_ms);
        let mut pauses = COMMIT_PAUSES_MS.iter();
        let mut pause = COMMIT_PAUSES_MS[0];
        loop {
            match self.store().commit(&held.lease, end.as_commit(title.as_deref())).await {
                Ok(Committed::Stale) => return Err(self.lost(&held.lease)),
                Ok(Committed::Done { version, waiting, .. }) => {
                    if waiting > 0 {
                        self.attend_soon(&held.lease.session());
                    }
                    metrics().stage(Stage::Commit, began);
                    end.count();
                    return Ok(version);
                }
                Err(StoreError::Unavailable | StoreError::NotDurable) if Instant::now() < until => {
                    pause = pauses.next().copied().unwrap_or(pause);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Err(error) => {
                    error!(run = %held.lease.run, "the end of run {} could not be stored", held.lease.run);
                    return Err(error.into());
                }
            }
        }
    }

    /// Its client was told how a run ended, but the store was away: the end is stored as soon as the store can be reached, before this replica
    /// goes on with whatever it finds of the run. Where another replica is quicker, the token decides.
    pub(super) fn end_later(&self, held: &Held, end: End) {
        let (app, lease, title) = (self.clone(), held.lease.clone(), end.title(held));
        let storing = async move {
            for _ in 0..END_LATER_ATTEMPTS {
                tokio::time::sleep(END_LATER_PAUSE).await;
                if app.0.handing_over.is_cancelled() {
                    return;
                }
                match app.store().commit(&lease, end.as_commit(title.as_deref())).await {
                    Err(StoreError::Unavailable | StoreError::NotDurable) => {}
                    Ok(Committed::Done { .. }) => {
                        end.count();
                        return;
                    }
                    Ok(Committed::Stale) | Err(StoreError::Unreadable | StoreError::Newer) => return,
                }
            }
        };
        self.attend_behind(&held.lease.session(), storing);
    }

    /// Gives a run back for another replica to go on with. If the store is away, its lease lapses, and it is found then.
    pub(super) async fn hand_over(&self, held: &Held) -> AppError {
        let run = held.lease.run.clone();
        match self.store().hand_over(&held.lease, 0).await {
            Ok(true) => AppError::HandedOver { run },
            Ok(false) => self.lost(&held.lease),
            Err(error) => {
                warn!(run, %error, "run {run} could not be handed over, and is found when its lease has lapsed: {error}");
                AppError::HandedOver { run }
            }
        }
    }

    pub(super) fn lost(&self, lease: &Lease) -> AppError {
        metrics().lease_fenced();
        warn!(run = %lease.run, user = %lease.user, "run {} of {} lost its session to another", lease.run, lease.user);
        AppError::LeaseLost { run: lease.run.clone() }
    }
}
