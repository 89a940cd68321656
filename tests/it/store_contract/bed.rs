//! The bed that a check lies on: one store, fresh, with a way to let time pass and to spoil what is stored.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use secrecy::SecretString;
use swagger_api_agent::{
    clock::Clock,
    domain::{
        rate::Counted,
        session::Turn,
        turn::Ending,
        user::{Account, Role, UserName},
    },
    secrets::records::RecordKeys,
    settings::Settings,
    store::{
        EmbeddedStore, RedisStore, Store,
        contract::{
            Begun, Commit, Committed, Entered, Idempotency, Lease, Lifetimes, Rates, Started, Tail, Taken, TakenRun, Visit, overview::Tally,
        },
        envelope::Envelopes,
        migrate::Migrated,
    },
};
use tempfile::TempDir;

use super::spoil;
pub use super::{
    ask::{Ask, Token},
    spoil::Spoil,
};
use crate::harness::{cluster::Cluster, redis::RedisServer};

/// Long enough that no lease lapses by itself.
pub const LONG_MS: u64 = 60_000;
/// A lease that a check lets lapse.
pub const SHORT_MS: u64 = 60;
/// When the manual clock begins, milliseconds since 1970.
const START_MS: u64 = 1_795_340_710_000;
const PLENTY: Rates = Rates { requests_per_minute: 1_000_000, turns_per_minute: 1_000_000 };
const LASTING: Lifetimes = Lifetimes { idle_ms: 600_000, max_ms: 6_000_000, turns_max: 100_000 };

pub enum Ground {
    Redis(RedisServer),
    /// Shared by many beds, one after the other.
    Cluster(Arc<Mutex<Cluster>>),
    Embedded {
        directory: TempDir,
        clock: Clock,
    },
    Elsewhere,
}

pub struct Bed {
    store: Option<Store>,
    pub ground: Ground,
    rates: Rates,
    lifetimes: Lifetimes,
    envelopes: Envelopes,
}

impl Bed {
    pub async fn on_redis() -> Self {
        Self::on(Ground::Redis(RedisServer::start())).await
    }

    pub async fn on_cluster(cluster: Arc<Mutex<Cluster>>) -> Self {
        cluster.lock().unwrap().everywhere::<()>("FLUSHALL", &[]);
        Self::on(Ground::Cluster(cluster)).await
    }

    pub async fn embedded() -> Self {
        let directory = tempfile::Builder::new().prefix("saa-data-").tempdir().expect("a temporary directory");
        Self::on(Ground::Embedded { directory, clock: Clock::manual(START_MS) }).await
    }

    async fn on(ground: Ground) -> Self {
        let mut bed = Self::bare(ground);
        bed.open();
        assert!(matches!(bed.store().migrate("bed").await, Ok(Migrated::Ran(_))));
        bed
    }

    /// A bed around a store that a test opened by itself; there is no ground that it could reach behind.
    pub fn around(store: Store) -> Self {
        Self { store: Some(store), ..Self::bare(Ground::Elsewhere) }
    }

    /// A bed whose store is not opened yet.
    fn bare(ground: Ground) -> Self {
        Self { store: None, ground, rates: PLENTY, lifetimes: LASTING, envelopes: Envelopes::default() }
    }

    pub fn open(&mut self) {
        self.store = None;
        self.store = Some(self.another());
    }

    /// Lets go of the store, so that a test can look at what it keeps.
    pub fn close(&mut self) {
        self.store = None;
    }

    /// Removes every key, on Redis.
    pub fn empty(&self) {
        match &self.ground {
            Ground::Redis(server) => server.command("FLUSHALL", &[]),
            Ground::Cluster(cluster) => drop(cluster.lock().unwrap().everywhere::<()>("FLUSHALL", &[])),
            Ground::Embedded { .. } | Ground::Elsewhere => {}
        }
    }

    /// The store as another replica would open it. The embedded one has no other replica: it is the same.
    pub fn another(&self) -> Store {
        match (&self.ground, &self.store) {
            (Ground::Redis(_) | Ground::Cluster(_), _) => self.patient_for(Duration::from_secs(5)),
            (Ground::Embedded { .. } | Ground::Elsewhere, Some(store)) => store.clone(),
            (Ground::Elsewhere, None) => panic!("the test opened this store"),
            (Ground::Embedded { directory, clock }, None) => {
                let (clock, envelopes) = (clock.clone(), self.envelopes.clone());
                let opened = EmbeddedStore::open_with(directory.path(), clock, self.rates, self.lifetimes, envelopes);
                Store::Embedded(opened.expect("the file can be opened"))
            }
        }
    }

    /// The store as a replica with this deadline opens it, on Redis.
    pub fn patient_for(&self, deadline: Duration) -> Store {
        let url = match &self.ground {
            Ground::Redis(server) => server.url(),
            Ground::Cluster(cluster) => cluster.lock().unwrap().url(),
            Ground::Embedded { .. } | Ground::Elsewhere => panic!("the file has no deadline"),
        };
        let mut settings = Settings::builtin().store;
        settings.redis_url = Some(SecretString::from(url));
        settings.timeout_ms = u64::try_from(deadline.as_millis()).expect("a deadline of this century");
        let store = RedisStore::connect(&settings, self.rates, self.lifetimes).expect("a usable URL");
        Store::Redis(store.with_envelopes(self.envelopes.clone()))
    }

    pub fn store(&self) -> &Store {
        self.store.as_ref().expect("the store is open")
    }

    /// The same bed with other rates per minute.
    pub fn rated(mut self, requests_per_minute: u32, turns_per_minute: u32) -> Self {
        self.rates = Rates { requests_per_minute, turns_per_minute };
        self.open();
        self
    }

    /// The same bed with other lifetimes.
    pub fn lasting(mut self, idle_ms: u64, max_ms: u64) -> Self {
        self.lifetimes = Lifetimes { idle_ms, max_ms, ..self.lifetimes };
        self.open();
        self
    }

    /// The same bed, keeping fewer turns.
    pub fn keeping(mut self, turns_max: usize) -> Self {
        self.lifetimes.turns_max = turns_max;
        self.open();
        self
    }

    /// The same bed, with what is stored closed so.
    pub fn closing(mut self, envelopes: Envelopes) -> Self {
        self.envelopes = envelopes;
        self.open();
        self
    }

    /// The same bed, with everything that is stored sealed, and compressed where that saves anything.
    pub fn sealed(self) -> Self {
        self.closing(Envelopes::new(RecordKeys::new([("a", &[7; 32])]), true, 1))
    }

    /// The process that holds the data dies and comes again.
    pub fn restart(&mut self) {
        match &mut self.ground {
            Ground::Redis(server) => server.restart(),
            Ground::Cluster(cluster) => cluster.lock().unwrap().restart(),
            Ground::Embedded { .. } | Ground::Elsewhere => self.open(),
        }
    }

    /// Lets time pass on the store's clock.
    pub async fn pass(&self, ms: u64) {
        match &self.ground {
            Ground::Redis(_) | Ground::Cluster(_) | Ground::Elsewhere => tokio::time::sleep(Duration::from_millis(ms)).await,
            Ground::Embedded { clock, .. } => clock.advance_ms(ms),
        }
    }

    pub async fn now(&self) -> u64 {
        self.store().known(&name("nobody")).await.expect("the store answers").now_ms
    }

    pub async fn user(&self, user: &str) -> Token {
        self.with_role(user, Role::User).await
    }

    pub async fn admin(&self, user: &str) -> Token {
        self.with_role(user, Role::Admin).await
    }

    async fn with_role(&self, user: &str, role: Role) -> Token {
        self.store().add_account(&account(user, role)).await.expect("the store answers");
        self.token(user).await
    }

    /// A token as a login would issue it now.
    pub async fn token(&self, user: &str) -> Token {
        Token { user: name(user), issued_ms: self.now().await, counted: Counted::default(), session: None }
    }

    pub async fn begin(&self, ask: &Ask<'_>) -> Begun {
        ask.of(self.store()).await
    }

    pub async fn started(&self, ask: &Ask<'_>) -> Started {
        match self.begin(ask).await {
            Begun::Started(started) => *started,
            other => panic!("the run did not start: {other:?}"),
        }
    }

    /// Goes on with the run of a user that nobody works on.
    pub async fn taken(&self, token: &Token, owner: &str, lease_ms: u64) -> TakenRun {
        match self.take(token, owner, lease_ms).await {
            Taken::Run(taken) => *taken,
            other => panic!("nothing was taken: {other:?}"),
        }
    }

    pub async fn take(&self, token: &Token, owner: &str, lease_ms: u64) -> Taken {
        self.store().take(&token.slot(), owner, lease_ms, 20).await.expect("the store answers")
    }

    /// Undoes a begin as if its answer had been lost; says whether there was anything to undo.
    pub async fn released(&self, ask: &Ask<'_>) -> bool {
        self.store().release(&ask.begin()).await.expect("the store answers")
    }

    pub async fn commit(&self, lease: &Lease, turns: &[Turn]) -> Committed {
        self.store().commit(lease, leaving(turns, None)).await.expect("the store answers")
    }

    /// Ends a run that keeps no answer: its idempotency key is free again.
    pub async fn commit_keyless(&self, ask: &Ask<'_>, started: &Started) -> Committed {
        let reply = ask.idempotency().map(|key| (key, &b""[..]));
        self.store().commit(&ask.lease(started), leaving(&[], reply)).await.expect("the store answers")
    }

    /// One turn from beginning to end.
    pub async fn takes_turn(&self, token: &Token, said: &str) -> Committed {
        let ask = Ask::new(token, said);
        let started = self.started(&ask).await;
        self.commit(&ask.lease(&started), &[turn(said)]).await
    }

    pub async fn visit(&self, token: &Token, tail: Tail) -> Visit {
        match self.store().enter(token.caller(), tail).await {
            Ok(Entered::In(visit)) => *visit,
            other => panic!("not let in: {other:?}"),
        }
    }

    /// What was said in the newest turns.
    pub async fn said(&self, token: &Token) -> Vec<String> {
        said(&self.visit(token, Tail::Newest(1000)).await.tail)
    }

    /// Reaches behind the store.
    pub fn spoil(&mut self, user: &str, what: Spoil) {
        match &self.ground {
            Ground::Redis(server) => {
                spoil::on_redis(&|name, arguments| server.command(name, arguments), &|kind| server.key(kind, user), what);
            }
            Ground::Cluster(cluster) => {
                let cluster = cluster.lock().unwrap();
                spoil::on_redis(&|name, arguments| cluster.command(name, arguments), &|kind| cluster.key(kind, user), what);
            }
            Ground::Embedded { directory, .. } => {
                let file = directory.path().join("agent.redb");
                self.store = None;
                spoil::in_file(&file, user, what);
                self.open();
            }
            Ground::Elsewhere => panic!("the test has no way behind this store"),
        }
    }
}

pub fn name(user: &str) -> UserName {
    UserName::new(user).expect("a name that follows the rule")
}

pub fn account(user: &str, role: Role) -> Account {
    Account {
        name: name(user),
        role,
        scopes: None,
        disabled: false,
        must_change: false,
        password_hash: format!("hash of {user}"),
        created_ms: 0,
    }
}

/// What a run leaves that ends well.
pub fn leaving<'a>(turns: &'a [Turn], reply: Option<(Idempotency<'a>, &'a [u8])>) -> Commit<'a> {
    Commit { turns, reply, ending: Ending::Answered, accepted_ms: 1, detail: "", title: None, tally: Tally::default() }
}

/// The lease of a run that was taken.
pub fn lease_of(token: &Token, taken: &TakenRun) -> Lease {
    let Started { run, token: fence, turns_at, .. } = taken.started.clone();
    Lease { user: token.user.clone(), run, token: fence, turns_at }
}

/// `Done` with nobody waiting.
pub fn done(turns: u64, version: u64) -> Committed {
    Committed::Done { turns, version, waiting: 0 }
}

/// A turn in which somebody says something and is answered.
pub fn turn(said: &str) -> Turn {
    Turn {
        run: format!("run of {said}"),
        asked_ms: 1,
        message: said.to_owned(),
        rounds: Vec::new(),
        answered_ms: 2,
        answer: format!("{said}?"),
        usage: None,
        served: Some("0123456789abcdef".to_owned()),
    }
}

pub fn said(turns: &[Turn]) -> Vec<String> {
    turns.iter().map(|turn| turn.message.clone()).collect()
}

/// Runs `n` tasks at once and brings back what each made.
pub async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(n: usize, task: impl Fn(usize) -> F) -> Vec<T> {
    let barrier = Arc::new(tokio::sync::Barrier::new(n));
    let tasks: Vec<_> = (0..n)
        .map(|i| {
            let (barrier, work) = (Arc::clone(&barrier), task(i));
            tokio::spawn(async move {
                barrier.wait().await;
                work.await
            })
        })
        .collect();
    let mut made = Vec::new();
    for task in tasks {
        made.push(task.await.expect("the task ends"));
    }
    made
}
