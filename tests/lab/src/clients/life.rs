//! What clients do around turns: read, begin anew, ask for a run, cancel; and what an administrator does to sessions.

use std::{collections::BTreeSet, time::Duration};

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    Clients, User,
    api::{Caller, Exchange, calls_of_run, marks_of, turns_of},
};
use crate::{
    http::Hangup,
    journal::now_us,
    plan::Plan,
    records::{Kind, Op, Outcome, Run, Session},
};

const TRIES: usize = 80;
const PAUSE: Duration = Duration::from_millis(150);
/// A run may be taken from the dead three times before it is given up.
const RUNS_PATIENCE: Duration = Duration::from_secs(30);
/// The conversation of a session fits on one page.
const PAGE: &str = "/api/history?limit=200";

/// A request that may be repeated.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub body: Option<&'a Value>,
}

/// Whether a run of this state has ended.
pub fn ended(state: &str) -> bool {
    matches!(state, "answered" | "unknown_outcome" | "failed" | "cancelled" | "killed" | "missing")
}

/// Whether a request went out and no answer of the service came.
pub fn lost(op: &Op) -> bool {
    op.tries.iter().any(|tried| matches!(tried.status, 0 | 502 | 504))
}

async fn run_of(user: &User, run: &str, end: Instant) -> Run {
    let path = format!("/api/runs/{run}");
    loop {
        let exchange = user.caller.ask("GET", &path, None, &[], Hangup::Never).await;
        let state = match exchange.tried.status {
            200 => exchange.tried.state.clone().unwrap_or_default(),
            404 => "missing".to_owned(),
            _ => "not told".to_owned(),
        };
        if ended(&state) || Instant::now() > end {
            return Run { id: run.to_owned(), state, calls: calls_of_run(&exchange.body["run"]) };
        }
        sleep(PAUSE).await;
    }
}

impl Clients {
    /// Reads the conversation.
    pub(super) async fn read(&self, user: &User) {
        let generation = user.generation.read().await;
        self.read_of(user, *generation).await;
    }

    /// Reads the conversation of a session that is known not to change its number meanwhile.
    pub async fn read_of(&self, user: &User, generation: u64) -> Option<(Vec<String>, u64)> {
        let mut op = self.begin(&user.caller.user, generation, Kind::Read);
        let exchange = self.until_answered(&mut op, &user.caller, Asked { method: "GET", path: PAGE, body: None }).await;
        let seen = exchange.map(|exchange| (marks_of(&exchange.body), turns_of(&exchange.body)));
        if let Some((marks, _)) = &seen {
            op.seen.clone_from(marks);
        }
        self.end(op).await;
        seen
    }

    /// Repeats a request that may be repeated until it is answered with 200.
    pub async fn until_answered(&self, op: &mut Op, caller: &Caller, asked: Asked<'_>) -> Option<Exchange> {
        let key: Vec<_> = op.key.iter().map(|key| ("idempotency-key", key.clone())).collect();
        for _ in 0..TRIES {
            let exchange = caller.ask(asked.method, asked.path, asked.body, &key, Hangup::Never).await;
            op.tries.push(exchange.tried.clone());
            match exchange.tried.status {
                200 => {
                    (op.ended_us, op.outcome) = (Some(now_us()), Outcome::Ok);
                    return Some(exchange);
                }
                404 | 412 => {
                    op.outcome = Outcome::Fail;
                    return Some(exchange);
                }
                _ => sleep(PAUSE).await,
            }
        }
        None
    }

    /// Ends the session as its user does, when nothing is under way.
    pub(super) async fn begin_anew(&self, user: &User) {
        let mut generation = user.generation.write().await;
        if let Some((marks, told)) = self.read_of(user, *generation).await {
            // Only what is there at the end is counted in the store.
            let session = Session { user: user.caller.user.clone(), generation: *generation, marks, told, counted: told, records: told };
            self.sessions.lock().expect("nobody panics with it").push(session);
        }
        self.look_at_runs(user, *generation, RUNS_PATIENCE).await;
        let mut op = self.begin(&user.caller.user, *generation, Kind::Reset);
        self.until_answered(&mut op, &user.caller, Asked { method: "POST", path: "/api/session/reset", body: None }).await;
        if op.outcome == Outcome::Info || lost(&op) {
            // A request that was lost may still come, and end the session that follows: that one cannot be judged.
            self.killed.lock().expect("nobody panics with it").insert((user.caller.user.clone(), *generation + 1));
        }
        self.end(op).await;
        *generation += 1;
    }

    /// A turn whose answer is not waited for; then it is asked about, or cancelled.
    pub(super) async fn later(&self, user: &User, rng: &mut Rng) {
        let generation = user.generation.read().await;
        let mut op = self.begin(&user.caller.user, *generation, Kind::Async);
        let mark = format!("{}-{}", op.user, op.id);
        let body = json!({"message": Plan::random(rng, &op.user, &mark).text(), "on_busy": "enqueue"});
        op.mark = Some(mark);
        let key = format!("key-{}-{:x}", op.id, rng.u32(..));
        op.key = Some(key.clone());
        let headers = [("idempotency-key", key), ("prefer", "respond-async".to_owned())];
        for _ in 0..TRIES {
            let exchange = user.caller.ask("POST", "/api/process", Some(&body), &headers, Hangup::Never).await;
            op.tries.push(exchange.tried.clone());
            if matches!(exchange.tried.status, 200 | 202) {
                op.run.clone_from(&exchange.tried.run);
                break;
            }
            sleep(PAUSE).await;
        }
        if let Some(run) = op.run.clone() {
            if rng.u8(..) < 80 {
                self.cancel(user, op.generation, &run).await;
            }
            let state = self.look(user, op.generation, &run).await;
            // What ended otherwise is in the conversation or is not: its record tells.
            if state.as_deref() == Some("answered") || state.as_deref() == Some("unknown_outcome") {
                (op.ended_us, op.outcome) = (Some(now_us()), Outcome::Ok);
            }
        }
        self.end(op).await;
    }

    /// Asks for a run until it has ended.
    async fn look(&self, user: &User, generation: u64, run: &str) -> Option<String> {
        let mut op = self.begin(&user.caller.user, generation, Kind::Look);
        op.run = Some(run.to_owned());
        let path = format!("/api/runs/{run}");
        let mut state = None;
        for _ in 0..TRIES {
            let exchange = user.caller.ask("GET", &path, None, &[], Hangup::Never).await;
            op.tries.push(exchange.tried.clone());
            state = exchange.tried.state.clone().filter(|_| exchange.tried.status == 200);
            if state.as_deref().is_some_and(ended) {
                op.told = calls_of_run(&exchange.body["run"]);
                (op.ended_us, op.outcome) = (Some(now_us()), Outcome::Ok);
                break;
            }
            sleep(PAUSE).await;
        }
        self.end(op).await;
        state
    }

    /// What the runs of a session came to, as it is told while the session is there.
    pub async fn look_at_runs(&self, user: &User, generation: u64, patience: Duration) {
        let acknowledged = |op: &Op| {
            let named = op.tries.iter().filter(|tried| matches!(tried.status, 200 | 202)).filter_map(|tried| tried.run.clone());
            named.chain(op.run.clone()).collect::<Vec<_>>()
        };
        let ids: BTreeSet<String> = {
            let ops = self.ops.lock().expect("nobody panics with it");
            ops.iter()
                .filter(|op| op.user == user.caller.user && op.generation == generation && op.kind != Kind::Cancel)
                .flat_map(acknowledged)
                .collect()
        };
        let end = Instant::now() + patience;
        for id in ids.into_iter().filter(|_| self.terms.runs) {
            let run = run_of(user, &id, end).await;
            self.runs.lock().expect("nobody panics with it").push(run);
        }
    }

    pub(super) async fn cancel(&self, user: &User, generation: u64, run: &str) {
        let mut op = self.begin(&user.caller.user, generation, Kind::Cancel);
        op.run = Some(run.to_owned());
        let path = format!("/api/runs/{run}/cancel");
        let exchange = user.caller.ask("POST", &path, None, &[], Hangup::Never).await;
        if matches!(exchange.tried.status, 200 | 202) {
            (op.ended_us, op.outcome) = (Some(now_us()), Outcome::Ok);
        }
        op.tries.push(exchange.tried);
        self.end(op).await;
    }

    /// The administrator's work: now and then a session is ended, whatever goes on in it.
    pub(super) async fn end_sessions(&self, seed: u64) {
        let mut rng = Rng::with_seed(seed);
        while !self.stopped() {
            sleep(Duration::from_millis(rng.u64(1500..4000))).await;
            self.end_session(&self.users[rng.usize(..self.users.len())]).await;
        }
    }

    /// Ends a session as an administrator, and says whether that is certain.
    pub async fn end_session(&self, user: &User) -> bool {
        // Two sessions may be hit, if its user begins anew just now; neither is judged by what it told.
        let name = &user.caller.user;
        let mut op = self.begin(name, u64::MAX, Kind::Kill);
        let path = format!("/api/admin/sessions/{name}");
        let before = user.generation.try_read().map(|generation| *generation);
        self.until_answered(&mut op, &self.admin, Asked { method: "DELETE", path: &path, body: None }).await;
        let acked_us = now_us();
        let mut generation = user.generation.write().await;
        {
            let mut killed = self.killed.lock().expect("nobody panics with it");
            let from = before.unwrap_or_else(|_| generation.saturating_sub(1));
            let to = *generation + u64::from(lost(&op));
            killed.extend((from..=to).map(|n| (name.clone(), n)));
        }
        op.generation = *generation;
        op.ended_us = op.ended_us.map(|_| acked_us);
        *generation += 1;
        drop(generation);
        let certain = op.outcome != Outcome::Info;
        self.end(op).await;
        certain
    }
}
