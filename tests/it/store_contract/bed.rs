//! The bed that a check lies on: one store, fresh, with a way to let time pass and to spoil what is stored.

use std::{sync::Arc, time::Duration};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use secrecy::SecretString;
use swagger_api_agent::{
    clock::Clock,
    domain::{
        session::Turn,
        user::{Account, Role, UserName},
    },
    store::{
        EmbeddedStore, RedisStore, Store,
        contract::{
            Begin, Begun, Caller, Commit, Committed, Entered, Idempotency, Lease, Lifetimes, Rates, Started, StoreError, Tail, Visit,
        },
        migrate::Migrated,
    },
};
use tempfile::TempDir;

use crate::harness::redis::RedisServer;

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
    Embedded { directory: TempDir, clock: Clock },
    Elsewhere,
}

pub struct Bed {
    store: Option<Store>,
    pub ground: Ground,
    rates: Rates,
    lifetimes: Lifetimes,
}

/// What of a user's session is made unreadable, or changed behind the store's back.
#[derive(Debug, Clone, Copy)]
pub enum Spoil {
    SessionGarbage,
    SessionOfAnotherKind,
    NewestTurn,
    HistoryGone,
    HistoryOfAnotherKind,
    JournalOfAnotherKind,
    /// The fence counter falls back, as after a failover.
    FenceRolledBack,
    Account,
    /// Somebody asks the run to stop.
    CancelWanted,
}

impl Bed {
    pub async fn on_redis() -> Self {
        Self::on(Ground::Redis(RedisServer::start())).await
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
        Self { store: None, ground, rates: PLENTY, lifetimes: LASTING }
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
        if let Ground::Redis(server) = &self.ground {
            server.command::<()>("FLUSHALL", &[]);
        }
    }

    /// The store as another replica would open it. The embedded one has no other replica: it is the same.
    pub fn another(&self) -> Store {
        match (&self.ground, &self.store) {
            (Ground::Redis(_), _) => self.patient_for(Duration::from_secs(5)),
            (Ground::Embedded { .. } | Ground::Elsewhere, Some(store)) => store.clone(),
            (Ground::Elsewhere, None) => panic!("the test opened this store"),
            (Ground::Embedded { directory, clock }, None) => Store::Embedded(
                EmbeddedStore::open(directory.path(), clock.clone(), self.rates, self.lifetimes).expect("the file can be opened"),
            ),
        }
    }

    /// The store as a replica with this deadline opens it, on Redis.
    pub fn patient_for(&self, deadline: Duration) -> Store {
        let Ground::Redis(server) = &self.ground else { panic!("the file has no deadline") };
        let url = SecretString::from(server.url());
        let deadline_ms = u64::try_from(deadline.as_millis()).expect("a deadline of this century");
        Store::Redis(RedisStore::connect(&url, deadline_ms, self.rates, self.lifetimes).expect("a usable URL"))
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

    /// The process that holds the data dies and comes again.
    pub fn restart(&mut self) {
        if let Ground::Redis(server) = &mut self.ground {
            server.restart();
        } else {
            self.open();
        }
    }

    /// Lets time pass on the store's clock.
    pub async fn pass(&self, ms: u64) {
        match &self.ground {
            Ground::Redis(_) | Ground::Elsewhere => tokio::time::sleep(Duration::from_millis(ms)).await,
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
        Token { user: name(user), issued_ms: self.now().await }
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

    /// Undoes a begin as if its answer had been lost; says whether there was anything to undo.
    pub async fn released(&self, ask: &Ask<'_>) -> bool {
        self.store().release(&ask.begin()).await.expect("the store answers")
    }

    pub async fn commit(&self, lease: &Lease, turns: &[Turn]) -> Committed {
        self.store().commit(lease, Commit { turns, reply: None }).await.expect("the store answers")
    }

    /// Ends a run that keeps no answer: its idempotency key is free again.
    pub async fn commit_keyless(&self, ask: &Ask<'_>, started: &Started) -> Committed {
        let reply = ask.idempotency().map(|key| (key, &b""[..]));
        self.store().commit(&ask.lease(started), Commit { turns: &[], reply }).await.expect("the store answers")
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
            Ground::Redis(server) => spoil_redis(server, user, what),
            Ground::Embedded { directory, .. } => {
                let file = directory.path().join("agent.redb");
                self.store = None;
                spoil_file(&file, user, what);
                self.open();
            }
            Ground::Elsewhere => panic!("the test has no way behind this store"),
        }
    }
}

fn spoil_redis(server: &RedisServer, user: &str, what: Spoil) {
    let replaced = |kind: &str| {
        let key = server.key(kind, user);
        server.command::<()>("SET", &[&key, "not what it was"]);
    };
    match what {
        Spoil::SessionGarbage => server.command("HSET", &[&server.key("s", user), "len", "ten"]),
        Spoil::SessionOfAnotherKind => replaced("s"),
        Spoil::NewestTurn => server.command("LSET", &[&server.key("h", user), "-1", "10{half a rec"]),
        Spoil::HistoryGone => server.command("DEL", &[&server.key("h", user)]),
        Spoil::HistoryOfAnotherKind => replaced("h"),
        Spoil::JournalOfAnotherKind => replaced("j"),
        Spoil::FenceRolledBack => server.command("HSET", &[&server.key("u", user), "gen", "0"]),
        Spoil::Account => server.command("HSET", &[&server.key("u", user), "role", "king"]),
        Spoil::CancelWanted => server.command("HSET", &[&server.key("s", user), "cx", "1"]),
    }
}

const SESSIONS: TableDefinition<&str, &[u8]> = TableDefinition::new("sessions");
const HISTORY: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("history");
const JOURNAL: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("journal");
const ACCOUNTS: TableDefinition<&str, &[u8]> = TableDefinition::new("accounts");
const FENCES: TableDefinition<&str, u64> = TableDefinition::new("fences");

fn spoil_file(file: &std::path::Path, user: &str, what: Spoil) {
    let member = format!("{user}:main");
    let member = member.as_str();
    let database = Database::open(file).expect("the store let go of its file");
    let numbers: Vec<u64> = {
        let history = database.begin_read().unwrap().open_table(HISTORY).unwrap();
        history.range((member, 0)..=(member, u64::MAX)).unwrap().map(|row| row.unwrap().0.value().1).collect()
    };
    let transaction = database.begin_write().unwrap();
    match what {
        Spoil::SessionGarbage => drop(transaction.open_table(SESSIONS).unwrap().insert(member, &b"1{\"sid\":"[..]).unwrap()),
        Spoil::SessionOfAnotherKind => drop(transaction.open_table(SESSIONS).unwrap().insert(member, &b"9\xff"[..]).unwrap()),
        Spoil::NewestTurn | Spoil::HistoryOfAnotherKind => {
            let newest = *numbers.last().expect("there is a turn");
            drop(transaction.open_table(HISTORY).unwrap().insert((member, newest), &b"10{half a rec"[..]).unwrap());
        }
        Spoil::HistoryGone => {
            let mut history = transaction.open_table(HISTORY).unwrap();
            for number in numbers {
                history.remove((member, number)).unwrap();
            }
        }
        Spoil::JournalOfAnotherKind => drop(transaction.open_table(JOURNAL).unwrap().insert((member, "no run"), &b"x"[..]).unwrap()),
        Spoil::FenceRolledBack => drop(transaction.open_table(FENCES).unwrap().insert(user, 0).unwrap()),
        Spoil::Account => drop(transaction.open_table(ACCOUNTS).unwrap().insert(user, &b"1{\"role\":\"king\"}"[..]).unwrap()),
        Spoil::CancelWanted => {
            let mut sessions = transaction.open_table(SESSIONS).unwrap();
            let record = sessions.get(member).unwrap().expect("there is a session").value().to_vec();
            let mut session: serde_json::Value = serde_json::from_slice(&record[1..]).unwrap();
            session["cx"] = true.into();
            let record = [b"1".to_vec(), serde_json::to_vec(&session).unwrap()].concat();
            sessions.insert(member, record.as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// A token of a user, as a login would have issued it.
#[derive(Debug, Clone)]
pub struct Token {
    pub user: UserName,
    pub issued_ms: u64,
}

impl Token {
    pub fn caller(&self) -> Caller<'_> {
        Caller { user: &self.user, token_id: "jti", issued_ms: self.issued_ms }
    }
}

/// A run that asks for its user's session.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    token: &'a Token,
    run: String,
    owner: String,
    lease_ms: u64,
    tail: usize,
    key: Option<(&'a str, &'a str)>,
}

impl<'a> Ask<'a> {
    /// A run of this name with an owner of its own.
    pub fn new(token: &'a Token, run: &str) -> Self {
        Self { token, run: run.to_owned(), owner: format!("A#{run}"), lease_ms: LONG_MS, tail: 20, key: None }
    }

    pub fn owner(mut self, owner: &str) -> Self {
        owner.clone_into(&mut self.owner);
        self
    }

    pub fn lease_ms(mut self, lease_ms: u64) -> Self {
        self.lease_ms = lease_ms;
        self
    }

    pub fn tail(mut self, tail: usize) -> Self {
        self.tail = tail;
        self
    }

    /// With an idempotency key and the fingerprint of what is asked.
    pub fn key(mut self, key: &'a str, fingerprint: &'a str) -> Self {
        self.key = Some((key, fingerprint));
        self
    }

    pub fn idempotency(&self) -> Option<Idempotency<'a>> {
        self.key.map(|(key, fingerprint)| Idempotency { key, fingerprint })
    }

    fn begin(&self) -> Begin<'_> {
        let (lease_ms, tail) = (self.lease_ms, self.tail);
        let input = self.run.as_bytes();
        let (run, owner) = (&*self.run, &*self.owner);
        Begin { caller: self.token.caller(), run, owner, lease_ms, tail, input, idempotency: self.idempotency() }
    }

    pub async fn try_of(&self, store: &Store) -> Result<Begun, StoreError> {
        store.begin(self.begin()).await
    }

    pub async fn of(&self, store: &Store) -> Begun {
        self.try_of(store).await.expect("the store answers")
    }

    pub fn lease(&self, started: &Started) -> Lease {
        Lease { user: self.token.user.clone(), run: started.run.clone(), token: started.token.clone() }
    }
}

pub fn name(user: &str) -> UserName {
    UserName::new(user).expect("a name that follows the rule")
}

pub fn account(user: &str, role: Role) -> Account {
    Account { name: name(user), role, disabled: false, password_hash: format!("hash of {user}"), created_ms: 0 }
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
