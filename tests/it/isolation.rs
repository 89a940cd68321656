//! Nobody ever sees a byte of another: many users with a canary each, at three replicas on one Redis, with clients that go away at any
//! moment. Whatever comes back has no canary but the user's own, and neither has any prompt.
//!
//! `SAA_ISOLATION_REQUESTS` says how many requests are made; `tests/isolation/run` makes many more than a run of all tests does.

mod stubs;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::{
    app::account,
    domain::user::{Role, UserName},
};

use self::stubs::{Echo, canary, foreign};
use crate::{
    harness::bed::{Bed, On, opened},
    identity::forge::{claims, header, signed},
};

const REQUESTS: usize = 20_000;
const USERS: usize = 200;
const REPLICAS: usize = 3;
/// Requests at once: several of one user are among them.
const WORKERS: usize = 24;
/// Of a hundred clients so many go away before their answer.
const IMPATIENT: u64 = 15;
/// And not later than this, in milliseconds.
const PATIENCE_MS: u64 = 12;

/// What came of all requests.
#[derive(Default)]
struct Tally {
    answered: AtomicUsize,
    cancelled: AtomicUsize,
    bytes: AtomicUsize,
    /// Answers with the user's own canary in them.
    own: AtomicUsize,
    statuses: Mutex<BTreeMap<u16, usize>>,
    foreign: Mutex<Vec<String>>,
}

/// Numbers that look random and are the same in every run (splitmix64).
fn shuffled(n: usize) -> u64 {
    let mut z = (n as u64).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The n-th request.
struct Ask {
    user: usize,
    replica: usize,
    method: Method,
    path: String,
    body: Option<Value>,
    streams: bool,
    /// None: its client waits.
    goes_after_ms: Option<u64>,
}

impl Ask {
    fn number(n: usize) -> Self {
        let dice = shuffled(n);
        let below = |dice: u64, bound: usize| usize::try_from(dice % bound as u64).unwrap();
        let (user, replica) = (below(dice, USERS), below(dice >> 8, REPLICAS));
        let own = canary(user);
        let read = |path: &str| (Method::GET, path.to_owned(), None);
        let says = |words: &str| (Method::POST, "/api/process".to_owned(), Some(json!({"message": format!("{words} {own}")})));
        let calls = |function: &str| {
            (Method::POST, "/api/call".to_owned(), Some(json!({"function_name": function, "parameters": {"canary": own}})))
        };
        let (method, path, body) = match (dice >> 16) % 20 {
            0..=5 => read("/api/history"),
            6..=8 => read("/api/session/info"),
            9..=11 => calls("echo"),
            12 => calls("keep"),
            13 => read("/api/functions"),
            14 => read("/api/credentials"),
            15..=17 => says("note"),
            _ => says("call"),
        };
        let goes = (dice >> 32) % 100 < IMPATIENT;
        let streams = body.as_ref().is_some_and(|body| body["message"].is_string()) && (dice >> 40).is_multiple_of(4);
        Self { user, replica, method, path, body, streams, goes_after_ms: goes.then_some((dice >> 48) % PATIENCE_MS) }
    }
}

struct Run {
    doors: Vec<String>,
    tokens: Vec<String>,
    http: reqwest::Client,
    tally: Tally,
}

impl Run {
    async fn send(&self, ask: &Ask) {
        let mut request = self.http.request(ask.method.clone(), format!("{}{}", self.doors[ask.replica], ask.path));
        request = request.bearer_auth(&self.tokens[ask.user]);
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        if ask.streams {
            request = request.header("accept", "text/event-stream");
        }
        let exchange = async {
            let reply = request.send().await.ok()?;
            let (status, told) = (reply.status().as_u16(), format!("{:?}", reply.headers()));
            Some((status, told, reply.bytes().await.ok()?))
        };
        let came = match ask.goes_after_ms {
            // The future is dropped, and with it the connection in the middle of whatever it does.
            Some(ms) => tokio::time::timeout(Duration::from_millis(ms), exchange).await.ok().flatten(),
            None => exchange.await,
        };
        let Some((status, headers, body)) = came else {
            self.tally.cancelled.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let text = headers + &String::from_utf8_lossy(&body);
        self.tally.answered.fetch_add(1, Ordering::Relaxed);
        self.tally.bytes.fetch_add(text.len(), Ordering::Relaxed);
        self.tally.own.fetch_add(usize::from(text.contains(&canary(ask.user))), Ordering::Relaxed);
        *self.tally.statuses.lock().unwrap().entry(status).or_default() += 1;
        if let Some(other) = foreign(&text, ask.user) {
            self.tally.foreign.lock().unwrap().push(format!("{} {} of {} has {other}", ask.method, ask.path, canary(ask.user)));
        }
    }
}

/// Accounts with one password, whose hash is made once, and a token for each.
async fn tokens(bed: &Bed) -> Vec<String> {
    let store = opened(&bed.settings).await;
    let mut account = account(&UserName::new("x").unwrap(), Role::User, "correct horse battery");
    let mut tokens = Vec::new();
    for user in 0..USERS {
        let name = format!("user-{user}");
        account.name = UserName::new(&name).unwrap();
        store.add_account(&account).await.unwrap();
        let mut own = claims(&name);
        own["role"] = json!("user");
        own["jti"] = json!(format!("{user:032x}"));
        tokens.push(signed(&header(), &own.to_string()));
    }
    tokens
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_a_byte_of_another_whoever_goes_away() {
    let requests = std::env::var("SAA_ISOLATION_REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(REQUESTS);
    let echo = Echo::start().await;
    let bed = Bed::replicas(On::Redis, REPLICAS, |settings| {
        settings.llm.url = Some(echo.model());
        settings.openapi.file = Some(echo.document());
        settings.upstream.base_url = Some(echo.api());
        settings.limits.requests_per_minute = 1_000_000;
        settings.limits.turns_per_minute = 1_000_000;
        settings.sessions.turns_max = 20;
        settings.turns.history_turns = 4;
        settings.agent.summaries = false;
    });
    let bed = bed.await;
    let doors = (0..REPLICAS).map(|replica| bed.at(replica).base).collect();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let run = Arc::new(Run { doors, tokens: tokens(&bed).await, http, tally: Tally::default() });
    let (next, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (run, next) = (run.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= requests {
                        return;
                    }
                    run.send(&Ask::number(n)).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let took = began.elapsed();
    // Afterwards every conversation is whole and its user's alone, at every replica.
    for user in 0..USERS {
        for replica in 0..REPLICAS {
            let path = "/api/history".to_owned();
            run.send(&Ask { user, replica, method: Method::GET, path, body: None, streams: false, goes_after_ms: None }).await;
        }
    }
    let tally = &run.tally;
    let (answered, cancelled) = (tally.answered.load(Ordering::Relaxed), tally.cancelled.load(Ordering::Relaxed));
    let (own, bytes, statuses) = (tally.own.load(Ordering::Relaxed), tally.bytes.load(Ordering::Relaxed), tally.statuses.lock().unwrap());
    println!(
        "{requests} requests of {USERS} users at {REPLICAS} replicas in {:.1} s: {answered} answers ({bytes} bytes, {own} with a canary), {cancelled} given up, \
         statuses {statuses:?}; {} prompts; foreign: {} answers, {} prompts",
        took.as_secs_f64(),
        echo.prompts(),
        tally.foreign.lock().unwrap().len(),
        echo.mixed().len(),
    );
    assert!(tally.foreign.lock().unwrap().is_empty(), "{:#?}", tally.foreign.lock().unwrap());
    assert!(echo.mixed().is_empty(), "{:#?}", echo.mixed());
    assert!(answered > requests / 2 && own > requests / 4 && cancelled > requests / 200, "the run says little");
    let told = |status: &u16| matches!(status, 200 | 409);
    assert!(statuses.keys().all(told), "{statuses:?}");
}
