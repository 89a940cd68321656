//! What the service does, one verb per function. The same with and without HTTP: `App::build(settings)`, then the verbs.
//!
//! ```text
//! begin (one round trip) → agent: plan → [journal] → calls → … → answer → commit (one round trip)
//! ```

mod admin;
mod build;
mod call;
mod credentials;
mod document;
mod error;
mod health;
mod lease;
mod login;
mod orphans;
mod turn;
mod visit;

use std::{future::Future, sync::Arc};

use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::{
    build::{BuildError, FirstStart, open_store},
    credentials::{OwnScheme, Set},
    document::{Source, read_document},
    error::AppError,
    health::Health,
    login::{BadPassword, account, password_rule},
    turn::{Render, Report, Request, Taken},
};
use crate::{
    agent::{Agent, Api, Budget},
    clock::Clock,
    demo::Demo,
    llm::{Planner, ToolSet},
    openapi::Catalogue,
    secrets::tokens::{Bearer, Tokens},
    settings::Settings,
    store::{Store, contract::Caller},
    upstream::{Upstream, UserCredentials, Vault},
};

/// The service. Cheap to clone; all clones are the same service.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    settings: Settings,
    clock: Clock,
    store: Store,
    tokens: Tokens,
    catalogue: Catalogue,
    tools: ToolSet,
    api: Api,
    planner: Planner,
    upstream: Upstream,
    vault: Vault,
    base_url: String,
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

    pub fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    /// Where the API is.
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// Whether a model plans; the offline planner does otherwise.
    pub fn has_model(&self) -> bool {
        matches!(self.0.planner, Planner::Model(_))
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

    fn about_api(&self) -> &Api {
        &self.0.api
    }

    /// The agent for a turn or a call of the user whose credentials these are.
    fn agent<'a>(&'a self, own: &'a UserCredentials) -> Agent<'a> {
        let Inner { planner, catalogue, tools, upstream, base_url, settings, .. } = &*self.0;
        let budget = Budget { rounds_max: settings.turns.rounds_max, calls_max: settings.turns.calls_max };
        Agent { planner, catalogue, tools, upstream, own, base_url: Some(base_url), budget }
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
