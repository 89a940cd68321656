//! What happens in a streamed run while this replica works on it: for those who follow it here at once, for those who follow it elsewhere
//! through the store, a few times a second and beside the turn. How it ended is told once it is stored.

use std::{
    cmp::Ordering,
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};
use tracing::warn;

use super::App;
use crate::{
    agent,
    domain::{
        event::{CallTold, Event, EventId, Numbered},
        limits::EVENTS_KEPT_MAX,
        tool::{Outcome, ToolResult},
        turn::CallStage,
    },
    store::contract::Lease,
};

/// Pieces of text that come closer together than this are told together, and events are written to the store so far apart.
const TELL_EVERY: Duration = Duration::from_millis(25);

/// The feeds of the runs that this replica works on, by run.
#[derive(Debug, Default)]
pub(super) struct Feeds(Mutex<HashMap<String, Feed>>);

impl Feeds {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Feed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn of(&self, run: &str) -> Option<Feed> {
        self.lock().get(run).cloned()
    }
}

/// The feed of one run under one lease. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    lease: Lease,
    /// Whether the run began under this lease: then nothing was told before.
    whole: bool,
    state: Mutex<State>,
    changed: watch::Sender<()>,
    /// Held by whoever writes to the store: in order, and nothing twice.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    told: VecDeque<Numbered>,
    /// How many there were.
    count: u64,
    /// How many of them the store has.
    written: u64,
    /// Text that came too soon after the last.
    text: String,
    last_text: Option<Instant>,
    ended: bool,
    end: Option<Arc<FeedEnd>>,
}

/// How a run ended, as the store has it.
#[derive(Debug)]
pub(super) struct FeedEnd {
    pub message: String,
    /// The whole answer, as the edge renders it.
    pub body: Vec<u8>,
}

/// What there is to be read of a feed.
pub(super) enum Read {
    Events(Vec<Numbered>),
    /// Nothing new.
    Nothing,
    /// What is wanted is not here; the store may have it.
    NotHere,
    /// Nothing more comes from here. Without an end the store knows it, or another replica goes on.
    Over(Option<Arc<FeedEnd>>),
}

impl Feed {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what happens; text that waited to be told goes first.
    pub fn tell(&self, event: Event) {
        let mut state = self.state();
        state.tell_text(&self.0.lease);
        state.push(&self.0.lease, event);
        self.0.changed.send_replace(());
    }

    /// Tells a piece of text: at once, or with the pieces that come right after it.
    pub fn say(&self, piece: &str) {
        let mut state = self.state();
        state.text.push_str(piece);
        if state.last_text.is_none_or(|last| last.elapsed() >= TELL_EVERY) {
            state.tell_text(&self.0.lease);
        }
        self.0.changed.send_replace(());
    }

    /// A planner said more, behind what it said before; nothing where it said nothing yet: then all of it comes with the answer.
    pub fn say_behind(&self, piece: &str) {
        let state = self.state();
        if !state.text.is_empty() || matches!(state.told.back(), Some(Numbered { event: Event::Token { .. }, .. })) {
            drop(state);
            self.say(piece);
        }
    }

    /// What was said since the last event of another kind does not count any more: says so, if any of it was told.
    pub fn say_anew(&self) {
        let mut state = self.state();
        state.text.clear();
        if matches!(state.told.back(), Some(Numbered { event: Event::Token { .. }, .. })) {
            state.push(&self.0.lease, Event::Recovering);
            self.0.changed.send_replace(());
        }
    }

    /// Tells text that waits for more: the turn is over.
    pub fn say_rest(&self) {
        self.state().tell_text(&self.0.lease);
        self.0.changed.send_replace(());
    }

    /// What was told after an event.
    pub fn since(&self, after: EventId) -> Read {
        let state = self.state();
        let own = after.fence >= self.0.lease.token.fence();
        let first = state.told.front().map_or(state.count + 1, |first| first.id.n);
        let known = match after.fence.cmp(&self.0.lease.token.fence()) {
            Ordering::Less => 0,
            Ordering::Equal => after.n,
            Ordering::Greater => state.count,
        };
        if !(own || self.0.whole) || known + 1 < first {
            return Read::NotHere;
        }
        let new: Vec<Numbered> = state.told.iter().skip(usize::try_from(known + 1 - first).unwrap_or(usize::MAX)).cloned().collect();
        match (new.is_empty(), state.ended) {
            (false, _) => Read::Events(new),
            (true, true) => Read::Over(state.end.clone()),
            (true, false) => Read::Nothing,
        }
    }

    /// Hears of everything that comes from now on.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }
}

impl State {
    fn tell_text(&mut self, lease: &Lease) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.last_text = Some(Instant::now());
            self.push(lease, Event::Token { text });
        }
    }

    fn push(&mut self, lease: &Lease, event: Event) {
        self.count += 1;
        self.told.push_back(Numbered { id: EventId { fence: lease.token.fence(), n: self.count }, event });
        if self.told.len() > EVENTS_KEPT_MAX {
            self.told.pop_front();
        }
    }
}

impl App {
    /// Begins to tell what happens in a run; `first` says how it comes to be worked on.
    pub(super) fn open_feed(&self, lease: &Lease, first: Event) -> Feed {
        let whole = first == Event::Accepted;
        let feed = Feed(Arc::new(Inner {
            lease: lease.clone(),
            whole,
            state: Mutex::default(),
            changed: watch::Sender::default(),
            writing: tokio::sync::Mutex::default(),
        }));
        feed.tell(first);
        self.feeds().lock().insert(lease.run.clone(), feed.clone());
        let (app, writing) = (self.clone(), feed.clone());
        tokio::spawn(async move { app.write_out(&writing).await });
        feed
    }

    /// Nothing more is told by this replica. What came of the run, if it is stored, is told to those who follow it here without a look.
    pub(super) fn close_feed(&self, feed: &Feed, end: Option<FeedEnd>) {
        let mut state = feed.state();
        state.tell_text(&feed.0.lease);
        (state.ended, state.end) = (true, end.map(Arc::new));
        feed.0.changed.send_replace(());
        drop(state);
        let mut feeds = self.feeds().lock();
        // The same run may have been taken again by now.
        if feeds.get(&feed.0.lease.run).is_some_and(|now| Arc::ptr_eq(&now.0, &feed.0)) {
            feeds.remove(&feed.0.lease.run);
        }
    }

    /// Writes a feed to the store until it ends.
    async fn write_out(&self, feed: &Feed) {
        let mut changes = feed.changes();
        loop {
            self.write_now(feed).await;
            if feed.state().ended || changes.changed().await.is_err() {
                return;
            }
            tokio::time::sleep(TELL_EVERY).await;
        }
    }

    /// Writes to the store what it does not have yet. What cannot be written now is written with what comes next: the run does not depend
    /// on it.
    pub(super) async fn write_now(&self, feed: &Feed) {
        let _writing = feed.0.writing.lock().await;
        let (new, until) = {
            let mut state = feed.state();
            if state.ended {
                return;
            }
            if state.last_text.is_none_or(|last| last.elapsed() >= TELL_EVERY) {
                state.tell_text(&feed.0.lease);
            }
            let new: Vec<Numbered> = state.told.iter().filter(|told| told.id.n > state.written).cloned().collect();
            (new, state.count)
        };
        if new.is_empty() {
            return;
        }
        match self.store().tell(&feed.0.lease, &new).await {
            // Where it is not held any more, nothing will ever be written.
            Ok(_) => feed.state().written = until,
            Err(error) => {
                let run = &feed.0.lease.run;
                warn!(run, %error, "what happens in run {run} could not be written down yet: {error}");
            }
        }
    }
}

/// How far a call has come and what came of it, in a word; and the status of what was answered.
pub fn call_state(result: &ToolResult, stage: CallStage) -> (&'static str, Option<u16>) {
    match (&result.outcome, stage) {
        (_, CallStage::Planned) => ("planned", None),
        (_, CallStage::Dispatched) => ("dispatched", None),
        (Outcome::Replied(reply), CallStage::Settled) => ("result", Some(reply.status)),
        (Outcome::Refused(_), CallStage::Settled) => ("refused", None),
        // Of a reading call it does not matter whether it was received.
        (Outcome::Failed(_), CallStage::Settled) if result.is_reading() => ("failed", None),
        (Outcome::Failed(_), CallStage::Settled) => ("not_sent", None),
        (Outcome::Unknown(_), CallStage::Settled) => ("unknown", None),
    }
}

/// A call as it is told: how far it has come, and what came of it.
pub fn call_told(call: String, result: &ToolResult, stage: CallStage) -> CallTold {
    let (state, status) = call_state(result, stage);
    CallTold {
        call,
        function_name: result.call.name.clone(),
        method: result.request.as_ref().map(|request| request.method.clone()),
        url: result.request.as_ref().map(|request| request.url.clone()),
        state: state.to_owned(),
        status,
        error: (stage == CallStage::Settled).then(|| agent::error_of(result)).flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{session::SessionId, turn::FencingToken, user::UserName},
        store::contract::TurnPlace,
    };

    fn feed(whole: bool) -> Feed {
        let (user, run) = (UserName::new("ann").unwrap(), "r1".to_owned());
        let lease = Lease {
            user,
            run,
            token: FencingToken::from_store("7:a#b".to_owned()),
            turns_at: TurnPlace::open(SessionId::from_stored("s"), 0),
        };
        let (state, changed, writing) = (Mutex::default(), watch::Sender::default(), tokio::sync::Mutex::default());
        Feed(Arc::new(Inner { lease, whole, state, changed, writing }))
    }

    fn text(text: &str) -> Event {
        Event::Token { text: text.to_owned() }
    }

    fn events(read: Read) -> Vec<(u64, Event)> {
        match read {
            Read::Events(events) => events.into_iter().map(|told| (told.id.n, told.event)).collect(),
            Read::Nothing | Read::Over(_) => Vec::new(),
            Read::NotHere => panic!("not here"),
        }
    }

    #[tokio::test]
    async fn what_is_said_anew_is_told_if_anything_of_it_was_told() {
        let feed = feed(true);
        feed.tell(Event::Accepted);
        feed.say_anew();
        for piece in ["a", "b"] {
            feed.say(piece);
        }
        feed.say_anew();
        feed.say("c");
        feed.say_rest();
        let told = [(1, Event::Accepted), (2, text("a")), (3, Event::Recovering), (4, text("c"))];
        assert_eq!(events(feed.since(EventId::START)), told, "b was never told");
    }

    #[tokio::test]
    async fn the_first_piece_is_told_at_once_and_those_right_after_it_together() {
        let feed = feed(true);
        feed.tell(Event::Accepted);
        for piece in ["a", "b", "c"] {
            feed.say(piece);
        }
        assert_eq!(events(feed.since(EventId::START)), [(1, Event::Accepted), (2, text("a"))]);
        feed.tell(Event::Recovering);
        assert_eq!(events(feed.since(EventId { fence: 7, n: 2 })), [(3, text("bc")), (4, Event::Recovering)], "in their order");
        assert!(matches!(feed.since(EventId { fence: 7, n: 4 }), Read::Nothing));
    }

    #[tokio::test]
    async fn what_was_told_before_this_lease_or_is_forgotten_is_not_here() {
        let later = feed(false);
        later.tell(Event::Recovering);
        assert!(matches!(later.since(EventId { fence: 5, n: 3 }), Read::NotHere), "something may stand between");
        assert_eq!(events(later.since(EventId { fence: 7, n: 0 })), [(1, Event::Recovering)]);
        let long = feed(true);
        (0..=EVENTS_KEPT_MAX).for_each(|_| long.tell(Event::Accepted));
        assert!(matches!(long.since(EventId::START), Read::NotHere));
        assert_eq!(events(long.since(EventId { fence: 7, n: 1 })).len(), EVENTS_KEPT_MAX);
    }
}
