//! Following a run while it goes on, from whichever replica: what happened after the last that the client has seen, and then how it ended.
//!
//! While this replica works on the run, its feed tells; otherwise the store is asked, some twenty times a second. How the run ended is always
//! what the store says, so there is one end, whoever tells it.

use std::{collections::VecDeque, time::Duration};

use futures_util::{Stream, stream};
use tokio::{sync::watch, time::Instant};
use tracing::warn;

use super::{
    App, AppError,
    feed::{Feed, Read},
    runs::{RunSeen, RunState},
};
use crate::{
    domain::event::{Event, EventId, Numbered},
    secrets::tokens::Bearer,
};

/// How often the store is asked what happened in a run that another replica works on.
const READ_EVERY: Duration = Duration::from_millis(50);
/// How often it is asked how such a run stands.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often it is asked whether the caller may still come in, while this replica works on the run.
const ADMIT_EVERY: Duration = Duration::from_secs(1);
/// The store may be away for so long before whoever follows is sent off, to come again.
const AWAY_MAX: Duration = Duration::from_secs(10);

/// From where on a run is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Beginning,
    After(EventId),
    /// The client has seen something, but what is not known: it is told how things stand, and what comes.
    Somewhere,
    /// The client has the answer, and wants to know that this was all.
    Answer,
}

/// What a client that follows a run is told.
#[derive(Debug)]
pub enum Followed {
    Event(Numbered),
    /// How the run stands, with the text of the answer so far: for a client that may have missed something. `id` is the last that it covers.
    Snapshot {
        id: Option<EventId>,
        seen: Box<RunSeen>,
        text: String,
    },
    /// The answer, whole.
    Message {
        text: String,
    },
    /// The run ended with an answer: the same bytes as a client gets that does not stream. The last that is told.
    Done {
        body: Vec<u8>,
    },
    /// The run ended without one, or the caller may not come in any more. The last that is told.
    Failed(AppError),
}

/// Following one run.
struct Following {
    app: App,
    caller: Bearer,
    run: String,
    after: EventId,
    answer_seen: bool,
    /// To be told next.
    ready: VecDeque<Followed>,
    over: bool,
    looked: Instant,
    /// Since when the store has not answered.
    away: Option<Instant>,
    feed: Option<(Feed, watch::Receiver<()>)>,
}

impl App {
    /// Follows a run that the caller has just begun: from its beginning, without asking for it first.
    pub fn follow_begun(&self, caller: &Bearer, run: &str) -> impl Stream<Item = Followed> + Send + use<> {
        Following::of(self, caller, run).into_stream()
    }

    /// Follows a run of the caller's.
    ///
    /// # Errors
    /// As [`App::look_at_run`].
    pub async fn follow_run(
        &self,
        caller: &Bearer,
        run: &str,
        from: From,
    ) -> Result<impl Stream<Item = Followed> + Send + use<>, AppError> {
        let seen = self.look_at_run(caller, run).await?;
        let mut following = Following::of(self, caller, run);
        following.begin(seen, from).await?;
        Ok(following.into_stream())
    }
}

impl Following {
    fn of(app: &App, caller: &Bearer, run: &str) -> Self {
        Self {
            app: app.clone(),
            caller: caller.clone(),
            run: run.to_owned(),
            after: EventId::START,
            answer_seen: false,
            ready: VecDeque::new(),
            over: false,
            looked: Instant::now(),
            away: None,
            feed: None,
        }
    }

    fn into_stream(self) -> impl Stream<Item = Followed> + Send {
        stream::unfold(self, |mut following| async move {
            while following.ready.is_empty() && !following.over {
                following.go_on().await;
            }
            following.ready.pop_front().map(|told| (told, following))
        })
    }

    /// Finds the place to go on from. A client that may have missed something is told how the run stands.
    async fn begin(&mut self, seen: RunSeen, from: From) -> Result<(), AppError> {
        self.answer_seen = from == From::Answer;
        let wanted = match from {
            From::Answer => {
                self.after = EventId::END;
                return Ok(());
            }
            From::Beginning => Some(EventId::START),
            From::After(seen) => Some(seen),
            From::Somewhere => None,
        };
        // The last one seen is asked for again: if it is there, nothing behind it is missing.
        let known = wanted.map(|after| EventId { n: after.n.saturating_sub(1), ..after });
        let told = self.all(known.unwrap_or(EventId::START)).await?;
        let covered = match (wanted, told.first()) {
            (Some(EventId::START), Some(first)) => first.event == Event::Accepted,
            // Nothing was written down yet.
            (Some(EventId::START), None) => seen.streamed,
            (Some(after), Some(first)) => first.id == after,
            (Some(_), None) | (None, _) => false,
        };
        if let Some(after) = wanted.filter(|_| covered) {
            self.after = after;
            return Ok(());
        }
        let all = if known.is_none_or(|known| known == EventId::START) { told } else { self.all(EventId::START).await? };
        let id = all.last().map(|last| last.id);
        self.after = id.unwrap_or(EventId::START);
        if !matches!(seen.state, RunState::Ended(_)) {
            self.ready.push_back(Followed::Snapshot { id, seen: Box::new(seen), text: text_so_far(&all) });
        }
        Ok(())
    }

    /// Everything after an event that is still known.
    async fn all(&mut self, after: EventId) -> Result<Vec<Numbered>, AppError> {
        let (mut all, mut after) = (Vec::new(), after);
        loop {
            let Read::Events(told) = self.read(after).await? else { return Ok(all) };
            let Some(last) = told.last() else { return Ok(all) };
            after = last.id;
            all.extend(told);
        }
    }

    /// What happened after an event: what the feed of this replica tells, or else what the store knows of it.
    async fn read(&mut self, after: EventId) -> Result<Read, AppError> {
        if self.feed.is_none() {
            self.feed = self.app.feeds().of(&self.run).map(|feed| (feed.clone(), feed.changes()));
        }
        match self.feed.as_ref().map(|(feed, _)| feed.since(after)) {
            Some(Read::NotHere) | None => Ok(Read::Events(self.app.store().told_since(&self.caller.user, &self.run, after).await?)),
            Some(read) => Ok(read),
        }
    }

    /// One step: what is new is made ready, or a while passes.
    async fn go_on(&mut self) {
        if self.app.is_handing_over() {
            // Another replica tells the rest.
            self.over = true;
            return;
        }
        // Asked first: where there is always something new, whoever was shut out would be told all of it.
        if self.looked.elapsed() >= ADMIT_EVERY {
            return self.look().await;
        }
        match self.read(self.after).await {
            Ok(Read::Events(told)) if !told.is_empty() => {
                self.after = told.last().map_or(self.after, |last| last.id);
                self.away = None;
                self.ready.extend(told.into_iter().map(Followed::Event));
                return;
            }
            Ok(Read::Over(Some(end))) => return self.end(end.message.clone(), end.body.clone()),
            Ok(Read::Over(None)) => {
                self.feed = None;
                return self.look().await;
            }
            Ok(Read::Events(_) | Read::Nothing | Read::NotHere) => {}
            Err(error) => return self.store_failed(error).await,
        }
        let here = self.feed.is_some();
        if !here && self.looked.elapsed() >= LOOK_EVERY {
            return self.look().await;
        }
        match &mut self.feed {
            Some((_, changes)) => drop(tokio::time::timeout(LOOK_EVERY, changes.changed()).await),
            None => tokio::time::sleep(READ_EVERY).await,
        }
    }

    /// Asks whether the run has ended, and whether the caller may still come in.
    async fn look(&mut self) {
        self.looked = Instant::now();
        match self.app.ended_run(&self.caller, &self.run).await {
            Ok(None) => self.away = None,
            Ok(Some(taken)) => {
                // What was told last may have come to the store after it was asked for.
                if let Ok(told) = self.all(self.after).await {
                    self.ready.extend(told.into_iter().map(Followed::Event));
                }
                self.end(taken.message, taken.taken.body);
            }
            Err(error) if super::work::is_away(&error) => self.store_failed(error).await,
            Err(error) => {
                self.ready.push_back(Followed::Failed(error));
                self.over = true;
            }
        }
    }

    fn end(&mut self, text: String, body: Vec<u8>) {
        if !self.answer_seen {
            self.ready.push_back(Followed::Message { text });
        }
        self.ready.push_back(Followed::Done { body });
        self.over = true;
    }

    async fn store_failed(&mut self, error: AppError) {
        if self.away.get_or_insert_with(Instant::now).elapsed() > AWAY_MAX {
            warn!(run = self.run, %error, "run {} cannot be followed: {error}", self.run);
            self.over = true;
            return;
        }
        tokio::time::sleep(READ_EVERY).await;
    }
}

/// The text since the last call that was told of.
fn text_so_far(told: &[Numbered]) -> String {
    let texts = told.iter().rev().map_while(|told| if let Event::Token { text } = &told.event { Some(text.as_str()) } else { None });
    let mut texts: Vec<&str> = texts.collect();
    texts.reverse();
    texts.concat()
}
