//! What Redis itself spends on a turn: its processor time for each script that a turn runs, beside histories of different lengths. A table on
//! stdout; needs `redis-server`.
//!
//! `cargo bench --bench scripts`. Nothing of the client counts: it is the time that Redis' main thread was on a processor
//! (`/proc/<pid>/schedstat`), commands, scripts and system calls included.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a measurement may fail where it stands, and prints"
)]

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::future::join_all;
use secrecy::SecretString;
use swagger_api_agent::{
    domain::{
        rate::Counted,
        session::Turn,
        turn::{Ending, OnBusy},
        user::{Account, Role, UserName},
    },
    settings::Settings,
    store::{
        RedisStore, Store,
        contract::{Begin, Begun, Caller, Commit, Committed, Entered, Entry, Lease, Lifetimes, Rates, Stepped, Tail, overview::Tally},
    },
};

/// Messages that a session has when it is measured: two a turn.
const MESSAGES: [u64; 4] = [0, 10, 1_000, 100_000];
const USERS: usize = 50;
/// Turns of each user that are measured.
const ROUNDS: usize = 60;
/// What Redis may spend on one script, microseconds.
const WANTED_US: f64 = 90.0;
const LEASE_MS: u64 = 60_000;
/// Turns that a turn brings along, as the service's settings have it.
const TAIL: usize = 10;

struct Redis(Child, String);

impl Redis {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let arguments = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port];
        let child = Command::new("redis-server").args(arguments).stdout(Stdio::null()).spawn().expect("redis-server can be run");
        Self(child, format!("redis://127.0.0.1:{port}"))
    }

    /// How long its main thread has been on a processor, nanoseconds.
    fn spent(&self) -> u64 {
        let id = self.0.id();
        let told = fs::read_to_string(format!("/proc/{id}/task/{id}/schedstat")).expect("a kernel that counts");
        told.split(' ').next().and_then(|first| first.parse().ok()).expect("nanoseconds")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What was spent on all scripts of one kind, nanoseconds.
#[derive(Default)]
struct Spent {
    /// Of asking nothing.
    ping: u64,
    enter: u64,
    begin: u64,
    step: u64,
    commit: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("processor time of Redis for one script, us (wanted: {WANTED_US} at most); {USERS} sessions, {ROUNDS} turns of each\n");
    println!("messages before     ping    enter    begin     step   commit");
    for messages in MESSAGES {
        let (spent, count) = measured(messages).await;
        let us = |ns: u64| ns as f64 / count / 1000.0;
        let all = [spent.ping, spent.enter, spent.begin, spent.step, spent.commit].map(us);
        let [ping, enter, begin, step, commit] = all;
        let beyond = if all.iter().any(|us| *us > WANTED_US) { "   beyond" } else { "" };
        println!("{messages:15} {ping:8.1} {enter:8.1} {begin:8.1} {step:8.1} {commit:8.1}{beyond}");
    }
}

async fn measured(messages: u64) -> (Spent, f64) {
    let redis = Redis::start();
    let mut settings = Settings::builtin().store;
    settings.redis_url = Some(SecretString::from(redis.1.clone()));
    let rates = Rates { requests_per_minute: 4_000_000, turns_per_minute: 4_000_000 };
    let turns_max = usize::try_from(MESSAGES[MESSAGES.len() - 1]).unwrap();
    let lifetimes = Lifetimes { idle_ms: 600_000, max_ms: 6_000_000, turns_max };
    let store = Store::Redis(RedisStore::connect(&settings, rates, lifetimes).unwrap());
    while store.migrate("bench").await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let users: Vec<UserName> = (0..USERS).map(|n| UserName::new(&format!("u{n}")).unwrap()).collect();
    for user in &users {
        let (name, password_hash) = (user.clone(), "hash".to_owned());
        store
            .add_account(&Account {
                name,
                role: Role::User,
                scopes: None,
                disabled: false,
                must_change: false,
                password_hash,
                created_ms: 0,
            })
            .await
            .unwrap();
    }
    // Once without being counted: scripts are loaded, sessions made.
    round(&redis, &store, &users, 0).await;
    if messages > 0 {
        lengthen(&redis, messages / 2).await;
    }
    let mut spent = Spent::default();
    for number in 1..=ROUNDS {
        let this = round(&redis, &store, &users, number).await;
        spent.ping += this.ping;
        spent.enter += this.enter;
        spent.begin += this.begin;
        spent.step += this.step;
        spent.commit += this.commit;
    }
    (spent, (USERS * ROUNDS) as f64)
}

/// Gives every session so many turns, each like its first.
async fn lengthen(redis: &Redis, turns: u64) {
    let script = "for _, name in ipairs(redis.call('KEYS', '*')) do
        if redis.call('TYPE', name).ok == 'list' then
          local one = redis.call('LINDEX', name, 0)
          for _ = 2, ARGV[1] do redis.call('RPUSH', name, one) end
          redis.call('HSET', (string.gsub(name, ':h:', ':s:')), 'len', ARGV[1])
        end
      end";
    let client = redis::Client::open(redis.1.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection_with_config(&patient()).await.unwrap();
    redis::cmd("EVAL").arg(script).arg(0).arg(turns).query_async::<()>(&mut connection).await.unwrap();
}

fn patient() -> redis::AsyncConnectionConfig {
    redis::AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(120)))
}

/// One turn of every user: one kind of script after the other, each for all users at once, as a Redis that has something to do is asked.
async fn round(redis: &Redis, store: &Store, users: &[UserName], number: usize) -> Spent {
    let run = format!("{number:032}");
    let counted = Counted::default();
    let caller = |user| Caller { user, token_id: "a-token-of-some-length", issued_ms: u64::MAX >> 12, counted: &counted, session: None };
    let mut before = redis.spent();
    let mut since = || {
        let now = redis.spent();
        let spent = now - before;
        before = now;
        spent
    };
    join_all(users.iter().map(async |_| store.ping().await.unwrap())).await;
    let ping = since();
    join_all(users.iter().map(async |user| assert!(matches!(store.enter(caller(user), Tail::Newest(TAIL)).await, Ok(Entered::In(_))))))
        .await;
    let enter = since();
    let (run, owner) = (&run, &format!("replica#{number:016}"));
    let leases = join_all(users.iter().map(async |user| {
        let begin = Begin {
            caller: caller(user),
            run,
            owner,
            lease_ms: LEASE_MS,
            tail: TAIL,
            input: b"{\"message\":\"list users\"}",
            idempotency: None,
            on_busy: OnBusy::Reject,
            expects: None,
            running_max: 8,
        };
        let Ok(Begun::Started(started)) = store.begin(begin).await else { panic!("{user}'s run did not start") };
        Lease { user: user.clone(), run: started.run, token: started.token, turns_at: started.turns_at }
    }))
    .await;
    let begin = since();
    join_all(leases.iter().map(async |lease| {
        let noted = Entry { field: "c1i".to_owned(), value: vec![b'x'; 300] };
        assert_eq!(store.step(lease, LEASE_MS, &[noted]).await, Ok(Stepped::Held));
    }))
    .await;
    let step = since();
    let turn = Turn {
        run: run.to_owned(),
        asked_ms: 1,
        message: "list users".to_owned(),
        rounds: Vec::new(),
        answered_ms: 2,
        answer: "There are two users: Ann and Bob. ".repeat(8),
        usage: None,
        served: None,
    };
    let turn = &turn;
    join_all(leases.iter().map(async |lease| {
        let commit = Commit {
            turns: std::slice::from_ref(turn),
            reply: None,
            ending: Ending::Answered,
            accepted_ms: 1,
            detail: "",
            title: None,
            tally: Tally::default(),
        };
        assert!(matches!(store.commit(lease, commit).await, Ok(Committed::Done { .. })));
    }))
    .await;
    let commit = since();
    Spent { ping, enter, begin, step, commit }
}
