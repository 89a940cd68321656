//! What the service does, one verb per function. The same with and without HTTP: `App::build(settings)`, then the verbs.
//!
//! ```text
//! begin (one round trip) → agent: plan → [journal] → calls → … → answer → commit (one round trip)
//! ```

mod accept;
mod admin;
mod audit;
mod budget;
mod build;
mod call;
mod call_key;
mod confirm;
mod credentials;
mod document;
mod error;
mod feed;
mod first_administrator;
mod follow;
mod hashing;
mod health;
mod issuers;
mod journal;
mod keys;
mod lease;
mod log_level;
mod login;
mod login_counts;
mod meanings;
mod overview;
mod password;
mod portable;
mod presence;
mod recover;
mod refresh;
mod reload;
mod results;
mod round;
mod runs;
mod seen;
mod served;
mod sessions;
mod summary;
mod told;
mod turn;
mod users;
mod visit;
mod watch;
mod work;

use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{sync::Semaphore, task::JoinHandle, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::reload::Reloading;
pub use self::{
    budget::{Exhausted, Whose},
    build::{BuildError, open_store},
    call::{CallTaken, DirectCall},
    confirm::{Decision, Question},
    credentials::{OwnScheme, Set},
    document::read_document,
    error::AppError,
    feed::{call_state, call_told},
    first_administrator::{Administration, FirstStart},
    follow::{Followed, From},
    health::{Fallback, Health},
    log_level::{LogLevelSet, SetLogLevel},
    login::account,
    portable::{bring, whole_turns},
    refresh::{Admission, Refreshing},
    reload::{ReloadFailure, Reloaded},
    results::Part,
    runs::{CancelSeen, RunSeen, RunState},
    served::Served,
    sessions::FoundSession,
    turn::{AcceptedRun, Begun, Rendering, Report, Request, Taken},
    users::{NewUser, UserChange},
    watch::Watched,
};
use crate::{
    agent::{self, Agent, Budget, Meaning, Offering},
    clock::Clock,
    demo::Demo,
    llm::{Embedder, Planner},
    redact::Redactor,
    secrets::tokens::{Bearer, Tokens},
    settings::Settings,
    store::{Store, contract::Caller},
    upstream::{UserCredentials, Vault},
};

/// The service. Cheap to clone; all clones are the same service.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    settings: Settings,
    clock: Clock,
    store: Store,
    tokens: Tokens,
    issuers: issuers::Issuers,
    known_keys: keys::KnownKeys,
    login_counts: login_counts::LoginCounts,
    vault: Vault,
    served: ArcSwap<Served>,
    reloading: Reloading,
    /// Says what functions and messages mean, if there is a model for it.
    embedder: Option<Arc<Embedder>>,
    /// The operator's secrets, which nobody is told.
    hidden: Redactor,
    /// Names this process in leases and logs.
    replica: String,
    /// Permits to hash passwords.
    hands: Arc<Semaphore>,
    /// Leaves to read a file of a session.
    imports: Arc<Semaphore>,
    health: Health,
    tasks: TaskTracker,
    attending: recover::Attending,
    seen: seen::Seen,
    feeds: feed::Feeds,
    summarising: summary::Summarising,
    rendering: OnceLock<Rendering>,
    log: log_level::Log,
    presence: presence::Presence,
    /// Places for administrators who watch what begins and ends.
    watchers: Arc<Semaphore>,
    /// Cancelled when the process begins to go down.
    draining: CancellationToken,
    /// Cancelled when what still runs must be given to other replicas.
    handing_over: CancellationToken,
    first_start: Option<FirstStart>,
    /// The built-in API, if it is the one that is served; stops with the service.
    demo: Option<Demo>,
}

impl App {
    /// What this replica has told its users of their sessions.
    pub fn seen(&self) -> &seen::Seen {
        &self.0.seen
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What is served now. Whoever takes it keeps it to the end, whatever is served by then.
    pub fn served(&self) -> Arc<Served> {
        self.0.served.load_full()
    }

    /// Whether a model plans; the offline planner does otherwise.
    pub fn has_model(&self) -> bool {
        matches!(*self.served().planner, Planner::Model(_))
    }

    /// Whether the offline planner takes turns over whose model cannot be asked; none: it does not.
    pub fn fallback(&self) -> Option<Fallback> {
        self.served().fallback.as_ref()?;
        let away = self.health().last_model_error().is_some_and(agent::is_away);
        Some(if away { Fallback::InUse } else { Fallback::Ready })
    }

    /// Whether the built-in demo API is what is served.
    pub fn serves_demo(&self) -> bool {
        self.0.demo.is_some()
    }

    pub fn replica(&self) -> &str {
        &self.0.replica
    }

    pub fn health(&self) -> &Health {
        &self.0.health
    }

    /// The administrator that this start made, with the only copy of the password.
    pub fn first_start(&self) -> Option<&FirstStart> {
        self.0.first_start.as_ref()
    }

    /// Milliseconds since 1970, by the store's clock as far as it is known.
    pub fn now_ms(&self) -> u64 {
        self.0.health.put_right(self.0.clock.now_ms())
    }

    /// Says that this replica is going down: not ready any more. Until [`App::drained`] is asked for, what still comes is served,
    /// for load balancers need a moment to notice.
    pub fn drain(&self) {
        self.0.draining.cancel();
    }

    pub fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    /// Gives what still runs back, for other replicas to go on with; only a change that is out is awaited.
    pub fn hand_over_runs(&self) {
        self.0.handing_over.cancel();
    }

    /// Whether what still runs is being given to other replicas.
    pub(crate) fn is_handing_over(&self) -> bool {
        self.0.handing_over.is_cancelled()
    }

    /// The operator's secrets, which nobody is told.
    pub(crate) fn hidden(&self) -> &Redactor {
        &self.0.hidden
    }

    fn feeds(&self) -> &feed::Feeds {
        &self.0.feeds
    }

    /// Says how answers become bytes, and begins to look for runs that nobody works on. Only the first to say it is heard.
    pub fn render_with(&self, rendering: Rendering) {
        if self.0.rendering.set(rendering).is_ok() {
            let (app, draining) = (self.clone(), self.0.draining.clone());
            tokio::spawn(async move { draining.run_until_cancelled(app.reap()).await });
        }
    }

    fn rendering(&self) -> Rendering {
        self.0.rendering.get().copied().unwrap_or_default()
    }

    /// Takes nothing new from now on, and waits until all turns have ended.
    pub async fn drained(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    fn imports(&self) -> Arc<Semaphore> {
        self.0.imports.clone()
    }

    fn hands(&self) -> Arc<Semaphore> {
        self.0.hands.clone()
    }

    /// The agent for a call of the user whose credentials these are, or for a turn if it is told what to ask about.
    fn agent<'a>(&'a self, served: &'a Served, own: &'a UserCredentials) -> Agent<'a> {
        let Settings { turns, results, agent, .. } = &self.0.settings;
        let budget = Budget {
            rounds_max: turns.rounds_max,
            calls_max: turns.calls_max,
            kept_bytes_max: results.bytes_max,
            until: Instant::now() + Duration::from_millis(turns.deadline_ms),
        };
        let meaning = self.0.embedder.as_deref().zip(served.meanings.get()).map(|(embedder, functions)| Meaning { embedder, functions });
        Agent {
            planner: &served.planner,
            fallback: served.fallback.as_ref(),
            apis: &served.apis,
            own,
            hidden: self.hidden(),
            budget,
            asking: None,
            offering: Offering { max: agent.tools_max, pinned: &agent.pinned },
            meaning,
        }
    }

    /// Starts a task that outlives the request that wants it.
    fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> Result<JoinHandle<T>, AppError> {
        if self.0.tasks.is_closed() {
            return Err(AppError::Draining);
        }
        Ok(self.0.tasks.spawn(task))
    }
}

fn caller(bearer: &Bearer) -> Caller<'_> {
    let Bearer { user, token_id, issued_ms, session, counted, .. } = bearer;
    Caller { user, token_id, issued_ms: *issued_ms, session: session.as_ref(), counted }
}
