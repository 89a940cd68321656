//! Runs that nobody works on: every replica looks for them, and goes on with what it finds, so that what was accepted comes to its end
//! without its client and without the replica that accepted it.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, FutureExt, Shared};
use tracing::{Instrument, info, info_span, warn};

use super::{
    App,
    journal::{self, Input},
    lease::{End, Held, Tallied},
    told::{self, Why},
    turn::Report,
    work::{Run, is_away},
};
use crate::{
    domain::{
        event::{Event, EventId},
        language::Language,
        limits::CRASHES_OF_A_RUN_MAX,
        session::{Revision, SessionId, Turn},
        slot::SessionSlot,
        turn::{Ending, JournalEntry, Stop},
        user::UserName,
    },
    metrics::{TakenHow, metrics},
    store::contract::{Stepped, Taken, TakenRun, logins::StoppedRun},
};

/// How often each replica looks for runs that nobody works on.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Which sessions are being attended to here, so that none is attended to twice at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Attending(Arc<Mutex<Attended>>);

#[derive(Debug, Default)]
struct Attended {
    /// What was begun last for each session, with its number.
    latest: HashMap<SessionSlot, (u64, Shared<BoxFuture<'static, ()>>)>,
    begun: u64,
}

impl Attending {
    fn lock(&self) -> MutexGuard<'_, Attended> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Looks for runs that nobody works on, for ever.
    pub(super) async fn reap(self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            // That the store is away is told by the pings.
            for session in self.store().due().await.unwrap_or_default() {
                self.attend_soon(&session);
            }
        }
    }

    /// Goes on with whatever nobody works on in a session, in a task of its own; what comes back ends with it. `None` if this replica
    /// is going down: then another does.
    pub(super) fn attend_soon(&self, session: &SessionSlot) -> Option<Shared<BoxFuture<'static, ()>>> {
        let (app, which) = (self.clone(), session.clone());
        (!self.0.handing_over.is_cancelled()).then(|| self.attend_with(session, async move { app.attend(&which).await }))
    }

    /// Goes on with those of a user's stopped runs that nobody works on who could find out.
    pub(super) fn attend_stopped(&self, user: &UserName, stopped: &[StoppedRun]) {
        for stopped in stopped.iter().filter(|stopped| stopped.left_ms == 0) {
            self.attend_soon(&SessionSlot::of_run(user, &stopped.run));
        }
    }

    /// Does this for a session, unless something is being done for it here already; what comes back ends with what is done.
    fn attend_with(&self, session: &SessionSlot, work: impl Future<Output = ()> + Send + 'static) -> Shared<BoxFuture<'static, ()>> {
        let mut attended = self.0.attending.lock();
        let already = attended.latest.get(session).map(|(_, already)| already.clone());
        already.unwrap_or_else(|| self.attend_next(&mut attended, session, work))
    }

    /// Does this for a session as soon as nothing else is being done for it here, and before anything that is found to do later.
    pub(super) fn attend_behind(&self, session: &SessionSlot, work: impl Future<Output = ()> + Send + 'static) {
        let mut attended = self.0.attending.lock();
        let already = attended.latest.get(session).map(|(_, already)| already.clone());
        drop(self.attend_next(&mut attended, session, async move {
            if let Some(already) = already {
                already.await;
            }
            work.await;
        }));
    }

    fn attend_next(
        &self,
        attended: &mut Attended,
        session: &SessionSlot,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Shared<BoxFuture<'static, ()>> {
        attended.begun += 1;
        let (app, which, own) = (self.clone(), session.clone(), attended.begun);
        let work = async move {
            work.await;
            let mut attended = app.0.attending.lock();
            // What stands behind it has the place by now.
            if attended.latest.get(&which).is_some_and(|(latest, _)| *latest == own) {
                attended.latest.remove(&which);
            }
        };
        let task = self.0.tasks.spawn(work.instrument(info_span!("attending", user = %session.user, slot = %session.slot)));
        let done = async move { drop(task.await) }.boxed().shared();
        attended.latest.insert(session.clone(), (own, done.clone()));
        done
    }

    async fn attend(&self, session: &SessionSlot) {
        let user = &session.user;
        let turns = &self.settings().turns;
        while !self.0.handing_over.is_cancelled() {
            let (owner, asked) = (self.new_owner(), Instant::now());
            match self.store().take(session, &owner, turns.lease_ms, turns.history_turns.max(1)).await {
                Ok(Taken::Run(taken)) => {
                    metrics().run_taken(if taken.crashes > 0 { TakenHow::Orphaned } else { TakenHow::Waiting });
                    let held = Held::of(user, &taken.started, turns.lease_ms, asked);
                    if !crate::fault::recovering(Box::pin(self.go_on(user, *taken, held))).await {
                        return;
                    }
                }
                Ok(Taken::Nothing | Taken::Held { .. }) => return,
                Err(error) => {
                    warn!(%user, %error, "the run of {user} that nobody works on could not be taken: {error}");
                    return;
                }
            }
        }
    }

    /// Goes on with one run to its end; false if it did not come to it here.
    async fn go_on(&self, user: &UserName, taken: TakenRun, held: Held) -> bool {
        let TakenRun { started, journal, crashes, stop, tokens_void_before_ms } = taken;
        let run = started.run.clone();
        let settled = told::turns(&journal, &run, started.now_ms);
        let input = Input::of_run(&run, &journal);
        let voided = input.as_ref().and_then(|input| input.issued).is_some_and(|issued| issued < tokens_void_before_ms);
        let mut stop = stop.or(voided.then_some(Stop::Revoked));
        if let Some(key) = input.as_ref().and_then(|input| input.api_key.as_deref()).filter(|_| stop.is_none()) {
            match self.store().begun_with(&held.lease, key).await {
                Ok(Stepped::Held) => {}
                Ok(Stepped::StopWanted(why)) => stop = Some(why),
                Ok(Stepped::Stale) => {
                    self.lost(&held.lease);
                    return false;
                }
                Err(error) => {
                    warn!(%user, run, %error, "whether run {run} of {user} may go on could not be asked, and is asked again: {error}");
                    return false;
                }
            }
        }
        let rounds = journal::rounds(&run, &journal).map(|rounds| if crate::fault::ablated("plan") { Vec::new() } else { rounds });
        info!(%user, run, crashes, "going on with run {run} of {user}");
        let ended = match (input, rounds) {
            (Some(input), Some(rounds)) if stop.is_none() && crashes <= CRASHES_OF_A_RUN_MAX => {
                let whole = Run { user: user.clone(), caller: None, input, taken: true, started, held };
                if whole.input.call.is_some() {
                    self.go_on_calling(whole, settled).await.map(|()| true)
                } else {
                    self.open_feed_again(&whole).await;
                    // One that ended and is not stored yet is stored before anything else is taken.
                    self.work(whole, rounds, settled).await.map(|worked| worked.stored)
                }
            }
            (input, _) => {
                let why = match stop {
                    Some(stop) => Why::Stopped(stop),
                    None if crashes > CRASHES_OF_A_RUN_MAX => Why::DiedOften,
                    None => Why::Died,
                };
                self.tell(&held, &started.visit.session.id, input.as_ref(), &journal, why, settled).await.map(|()| true)
            }
        };
        match ended {
            Ok(stored) => stored,
            Err(error) => {
                warn!(%user, run, %error, "run {run} of {user} did not come to its end here: {error}");
                // What is left of it is found again when its lease has lapsed.
                !is_away(&error) && !self.0.handing_over.is_cancelled() && !matches!(error, super::AppError::LeaseLost { .. })
            }
        }
    }

    /// Goes on telling what happens in a run that somebody follows; of one that only waited until now, nothing was told before.
    async fn open_feed_again(&self, run: &Run) {
        if !run.input.streamed {
            return;
        }
        let told = self.store().told_since(&run.user, &run.started.run, EventId::START).await;
        let first = if told.is_ok_and(|told| told.is_empty()) { Event::Accepted } else { Event::Recovering };
        self.open_feed(&run.held.lease, first);
    }

    /// Ends a run that is not gone on with: its journal becomes its turn.
    async fn tell(
        &self,
        held: &Held,
        session: &SessionId,
        input: Option<&Input>,
        journal: &[JournalEntry],
        why: Why,
        mut turns: Vec<Turn>,
    ) -> Result<(), super::AppError> {
        let now_ms = self.now_ms();
        let turn = told::turn(&held.lease.run, journal, why, now_ms);
        let (ending, detail) = why.ending();
        let ending = told::ended_as(ending, &turn.rounds);
        let accepted_ms = turn.asked_ms;
        let key = input.and_then(|input| input.key.clone());
        let reply = key.map(|key| (key, self.body_of(held, session, input, &turn, ending)));
        turns.push(turn);
        let tallied = Tallied::of(&turns);
        self.commit(held, &End { turns, reply, ending, accepted_ms, detail, tallied }).await.map(|_| ())
    }

    /// What the client of a run that was told is told, should it ask again under its key.
    fn body_of(&self, held: &Held, session: &SessionId, input: Option<&Input>, turn: &Turn, ending: Ending) -> Vec<u8> {
        let user = &held.lease.user;
        match input.and_then(Input::direct) {
            Some(result) => {
                (self.rendering().call)(self, user, Some(&held.lease.run), &result, input.map_or(Language::English, Input::language))
            }
            None => {
                // What its version will be is not known yet, and the same run never tells two stories: it has no ETag.
                let revision = Revision { session: session.clone(), fence: held.lease.token.fence(), version: 0 };
                (self.rendering().turn)(self, user, &Report::of(turn, ending, revision))
            }
        }
    }
}
