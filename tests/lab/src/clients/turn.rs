//! One turn of a user, with all that its client does to have it done once: the same key until there is an answer, whatever happens.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Clients, User,
    api::{Exchange, call_of_answer, calls_of_answer, shown},
};
use crate::{
    http::Hangup,
    journal::now_us,
    plan::Plan,
    records::{Busy, Kind, NOT_STORED, Op, Outcome},
};

/// After this a client gives up, and nobody knows what became of its request.
const PATIENCE_US: u64 = 25_000_000;

/// What a client does after an answer.
enum Next {
    Done(Outcome),
    Again(Duration),
}

impl Clients {
    /// A turn, waited for; now and then without a key, and then tried once.
    pub(super) async fn turn(&self, user: &User, rng: &mut Rng) {
        let generation = user.generation.read().await;
        let busy = [Busy::Reject, Busy::Reject, Busy::Enqueue, Busy::Interrupt][rng.usize(..if self.terms.runs { 4 } else { 2 })];
        let mut op = self.begin(&user.caller.user, *generation, Kind::Turn(busy));
        let mark = format!("{}-{}", op.user, op.id);
        let mut body = json!({"message": Plan::random(rng, &op.user, &mark).text()});
        if self.terms.runs {
            body["on_busy"] = json!(match busy {
                Busy::Reject => "reject",
                Busy::Enqueue => "enqueue",
                Busy::Interrupt => "interrupt",
            });
        }
        op.mark = Some(mark);
        op.key = (rng.u8(..) > 25).then(|| format!("key-{}-{:x}", op.id, rng.u32(..)));
        self.settle(user, rng, &mut op, &body, "/api/process").await;
        let asks = (op.outcome == Outcome::Ok && !op.shown.is_empty() && rng.u8(..) < 180).then(|| op.mark.clone()).flatten();
        self.end(op).await;
        let Some(approves) = asks else { return };
        let mut yes = self.begin(&user.caller.user, *generation, Kind::Turn(Busy::Reject));
        yes.key = Some(format!("key-{}-{:x}", yes.id, rng.u32(..)));
        yes.approves = Some(approves);
        self.settle(user, rng, &mut yes, &json!({"message": "yes"}), "/api/process").await;
        self.end(yes).await;
    }

    /// A changing operation, directly.
    pub(super) async fn call(&self, user: &User, rng: &mut Rng) {
        let generation = user.generation.read().await;
        let mut op = self.begin(&user.caller.user, *generation, Kind::Call);
        let mark = format!("{}-{}", op.user, op.id);
        let function = ["placeOrder", "payOrder"][rng.usize(..2)];
        let parameters = json!({
            "mark": mark, "call": "0.0", "ask": 0, "mode": "ok", "wait": rng.u64(0..20), "note": crate::plan::canary(&op.user),
        });
        op.mark = Some(mark);
        op.key = Some(format!("key-{}-{:x}", op.id, rng.u32(..)));
        self.settle(user, rng, &mut op, &json!({"function_name": function, "parameters": parameters}), "/api/call").await;
        self.end(op).await;
    }

    /// Asks until there is an answer that settles it, or patience ends.
    async fn settle(&self, user: &User, rng: &mut Rng, op: &mut Op, body: &Value, path: &str) {
        let headers = headers(op, user, rng, self.terms.runs);
        loop {
            let hangup = self.hangup(rng);
            let exchange = user.caller.ask("POST", path, Some(body), &headers, hangup).await;
            op.tries.push(exchange.tried.clone());
            match self.next(user, rng, op, &exchange).await {
                Next::Again(pause) if op.key.is_some() && now_us() - op.invoked_us < PATIENCE_US => sleep(pause).await,
                Next::Again(_) => return,
                Next::Done(outcome) => {
                    op.outcome = outcome;
                    if outcome != Outcome::Info {
                        op.ended_us = Some(now_us());
                    }
                    break;
                }
            }
        }
        if op.run.is_some() && op.key.is_some() {
            self.repeat(user, rng, op, body, path, &headers).await;
        }
    }

    async fn next(&self, user: &User, rng: &mut Rng, op: &mut Op, exchange: &Exchange) -> Next {
        let (tried, answer) = (&exchange.tried, &exchange.body);
        let pause = Duration::from_millis(rng.u64(80..400));
        match tried.status {
            // Its run tells what is kept in the end.
            200 if tried.code == NOT_STORED => {
                op.run.clone_from(&tried.run);
                Next::Done(Outcome::Info)
            }
            200 => {
                op.run.clone_from(&tried.run);
                op.told = if op.kind == Kind::Call { call_of_answer(op, answer).into_iter().collect() } else { calls_of_answer(answer) };
                op.shown = shown(answer);
                if exchange.etag.is_some() {
                    user.etag.lock().expect("nobody panics with it").clone_from(&exchange.etag);
                }
                // A turn that was stopped may stand in the conversation or not: both are right.
                let whole = tried.state.as_deref().is_none_or(|state| matches!(state, "answered" | "unknown_outcome"));
                Next::Done(if whole { Outcome::Ok } else { Outcome::Info })
            }
            0 | 429 | 502 | 503 | 504 => Next::Again(pause),
            409 if tried.code == "turn_in_progress" || tried.code == "turn_lost" => {
                if self.terms.runs
                    && rng.u8(..) < 12
                    && let Some(run) = &tried.run
                {
                    self.cancel(user, op.generation, run).await;
                }
                Next::Again(pause)
            }
            // Refused every time, it was never begun.
            _ => {
                let never = |status: u16, code: &str| {
                    status == 412 || status == 400 || status == 429 || code == "state_rolled_back" || code == "turn_in_progress"
                };
                let all = op.tries.iter().all(|tried| never(tried.status, &tried.code));
                Next::Done(if all { Outcome::Fail } else { Outcome::Info })
            }
        }
    }

    /// What was answered is asked for again; now and then with another body, which must be refused.
    async fn repeat(&self, user: &User, rng: &mut Rng, op: &mut Op, body: &Value, path: &str, headers: &[(&str, String)]) {
        if rng.u8(..) < 70 {
            op.tries.push(user.caller.ask("POST", path, Some(body), headers, self.hangup(rng)).await.tried);
        }
        if rng.u8(..) < 8 {
            let mut other = body.clone();
            if path == "/api/call" {
                other["parameters"]["note"] = json!("another");
            } else {
                other["message"] = json!(format!("{} and more", body["message"].as_str().unwrap_or_default()));
            }
            let mut tried = user.caller.ask("POST", path, Some(&other), headers, Hangup::Never).await.tried;
            tried.changed = true;
            op.tries.push(tried);
        }
    }

    fn hangup(&self, rng: &mut Rng) -> Hangup {
        if rng.u8(..) >= self.hangups {
            return Hangup::Never;
        }
        if rng.bool() { Hangup::Sending(rng.usize(1..600)) } else { Hangup::Reading(rng.usize(1..300)) }
    }
}

fn headers(op: &Op, user: &User, rng: &mut Rng, runs: bool) -> Vec<(&'static str, String)> {
    let mut headers: Vec<_> = op.key.iter().map(|key| ("idempotency-key", key.clone())).collect();
    // A request that is repeated would meet its own change.
    if op.key.is_none() && runs && rng.bool() {
        let known = user.etag.lock().expect("nobody panics with it").clone();
        headers.extend(known.map(|etag| ("if-match", etag)));
    }
    if op.key.is_some() && runs && rng.u8(..) < 50 {
        headers.push(("prefer", "wait=2".to_owned()));
    }
    headers
}
