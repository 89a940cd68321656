//! What the service does, one verb per function. The same with and without HTTP: `App::build(settings)`, then the verbs.
//!
//! ```text
//! begin (one round trip) → agent: plan → [journal] → calls → … → answer → commit (one round trip)
//! ```

mod admin;
mod build;
mod call;
mod confirm;
mod credentials;
mod document;
mod error;
mod health;
mod lease;
mod login;
mod orphans;
mod reload;
mod results;
mod round;
mod served;
mod turn;
mod visit;

use std::{future::Future, sync::Arc};

use arc_swap::ArcSwap;
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::reload::Reloading;
pub use self::{
    build::{BuildError, FirstStart, open_store},
    credentials::{OwnScheme, Set},
    document::read_document,
    error::AppError,
    health::Health,
    login::{BadPassword, account, password_rule},
    reload::{ReloadFailure, Reloaded},
    results::Part,
    served::Served,
    turn::{Render, Report, Request, Taken},
};
use crate::{
    agent::{Agent, Budget, Offering},
    clock::Clock,
    demo::Demo,
    llm::Planner,
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
    vault: Vault,
    served: ArcSwap<Served>,
    reloading: Reloading,
    /// Names this process in leases and logs.
    replica: String,
    /// Permits to hash passwords.
    hands: Arc<Semaphore>,
    health: Health,
    tasks: TaskTracker,
    /// Cancelled when the process begins to go down.
    draining: CancellationToken,
    first_start: Option<FirstStart>,
    /// The built-in API, if it is the one that is served; stops with the service.
    demo: Option<Demo>,
}

impl App {
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

    pub fn now_ms(&self) -> u64 {
        self.0.clock.now_ms()
    }

    /// Says that this replica is going down: not ready any more. Until [`App::drained`] is asked for, what still comes is served,
    /// for load balancers need a moment to notice.
    pub fn drain(&self) {
        self.0.draining.cancel();
    }

    pub fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
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

    fn hands(&self) -> Arc<Semaphore> {
        self.0.hands.clone()
    }

    /// The agent for a turn or a call of the user whose credentials these are.
    fn agent<'a>(&'a self, served: &'a Served, own: &'a UserCredentials) -> Agent<'a> {
        let Settings { turns, results, agent, .. } = &self.0.settings;
        let budget = Budget { rounds_max: turns.rounds_max, calls_max: turns.calls_max, kept_bytes_max: results.bytes_max };
        Agent {
            planner: &served.planner,
            apis: &served.apis,
            own,
            budget,
            confirm: agent.confirm,
            offering: Offering { max: agent.tools_max, pinned: &agent.pinned },
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
    Caller { user: &bearer.user, token_id: &bearer.token_id, issued_ms: bearer.issued_ms }
}
