//! What turns cost where it is not the usual day: on a store that must have its replicas, with a crowd at one session, beside very many
//! sessions, and after a replica was killed.
//!
//! `SERVICE_BINARY`, `OPENAPI_FILE`, `REDIS_URL` (a primary with one replica) and `SESSIONS_SCRIPT` are taken from the environment. Prints a
//! table.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, routing::post};
use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use rig::{Failure, Service, now_us, part};
use serde_json::{Value, json};

const TURNS: usize = 1_000;
const CROWD: usize = 200;
const CROWDS: usize = 20;
const SESSIONS: u64 = 100_000;
const PAGES: usize = 300;
const KILLED_TURNS: usize = 50;
const KILLS: usize = 4;
const LEASE_MS: u64 = 2_000;

/// The model: answers at once, or after so many milliseconds, or not at all while it is held.
#[derive(Default)]
struct Model {
    slow_ms: AtomicU64,
    held: AtomicBool,
    asked: AtomicU64,
}

async fn answer(State(model): State<Arc<Model>>) -> Json<Value> {
    model.asked.fetch_add(1, Ordering::SeqCst);
    if model.held.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_millis(model.slow_ms.load(Ordering::SeqCst))).await;
    Json(json!({"id": "c", "object": "chat.completion", "choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "Done."}}], "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}}))
}

struct Rig {
    http: reqwest::Client,
    model: Arc<Model>,
    model_url: String,
    redis: MultiplexedConnection,
}

impl Rig {
    async fn start(&self, settings: &[(&str, &str)]) -> Result<Service, Failure> {
        Service::start(&self.http, &self.model_url, settings).await
    }

    async fn users(&self, service: &Service, count: usize) -> Result<Vec<String>, Failure> {
        let mut tokens = Vec::new();
        for n in 0..count {
            tokens.push(service.user(&self.http, &self.model_url, &format!("u{n:03}")).await?);
        }
        Ok(tokens)
    }

    /// One turn: its status, and how long it took in microseconds.
    async fn turn(&self, service: &Service, token: &str) -> Result<(u16, u64), Failure> {
        let began = now_us();
        let asked = self.http.post(format!("{}/api/process", service.base)).bearer_auth(token).json(&json!({"message": "hello"}));
        let response = asked.send().await?;
        let status = response.status().as_u16();
        response.bytes().await?;
        Ok((status, now_us() - began))
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let model_url = format!("http://{}", listener.local_addr()?);
    let model = Arc::new(Model::default());
    let routes = Router::new().route("/v1/chat/completions", post(answer)).with_state(model.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let redis = redis::Client::open(std::env::var("REDIS_URL")?)?;
    let patient = redis::AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(60)));
    let redis = redis.get_multiplexed_async_connection_with_config(&patient).await?;
    let rig = Rig { http: reqwest::Client::new(), model, model_url, redis };

    let service = rig.start(&[]).await?;
    let tokens = rig.users(&service, 100).await?;
    durability(&rig, &service, &tokens).await?;
    crowd(&rig, &service, &tokens[0]).await?;
    pages(&rig, &service).await?;
    drop(service);
    recovery(&rig, &tokens).await
}

/// Turns through a service that relies on the primary alone, and through one that relies on its replica, in turn.
async fn durability(rig: &Rig, single: &Service, tokens: &[String]) -> Result<(), Failure> {
    let durable = rig.start(&[("SAA_STORE__DURABILITY", "durable"), ("SAA_STORE__DURABLE_REPLICAS", "1")]).await?;
    let mut took = [Vec::new(), Vec::new()];
    for (n, token) in tokens.iter().cycle().take(TURNS).enumerate() {
        // Whoever comes first pays for what is cold.
        let order = if n % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            let (status, us) = rig.turn(if which == 0 { single } else { &durable }, token).await?;
            if status != 200 {
                return Err(format!("a turn was answered with {status}").into());
            }
            took[which].push(us);
        }
    }
    took.iter_mut().for_each(|took| took.sort_unstable());
    let [single, durable] = took;
    let more = part(&durable, 0.5) - part(&single, 0.5);
    println!(
        "a turn with durability single {:.2} ms, durable {:.2} ms: {more:+.2} ms (medians of {TURNS}; wanted: 1 more at most); p99 {:.2} and {:.2} ms",
        part(&single, 0.5),
        part(&durable, 0.5),
        part(&single, 0.99),
        part(&durable, 0.99)
    );
    Ok(())
}

/// Many at once want the same session.
async fn crowd(rig: &Rig, service: &Service, token: &str) -> Result<(), Failure> {
    rig.model.slow_ms.store(500, Ordering::SeqCst);
    let (mut refused, mut holders, mut others) = (Vec::new(), Vec::new(), 0);
    for _ in 0..CROWDS {
        let all = join_all((0..CROWD).map(|_| rig.turn(service, token))).await;
        let mut answered = 0;
        for one in all {
            match one? {
                (200, _) => answered += 1,
                (409, us) => refused.push(us),
                _ => others += 1,
            }
        }
        holders.push(answered);
    }
    rig.model.slow_ms.store(0, Ordering::SeqCst);
    refused.sort_unstable();
    println!(
        "{CROWD} turns at once for one session, {CROWDS} times: held it {} to {} (wanted: 1), {} refused with 409 after {:.1} ms (median), {:.1} ms (p99; wanted: 20 at most), other answers: {others}",
        holders.iter().min().unwrap_or(&0),
        holders.iter().max().unwrap_or(&0),
        refused.len(),
        part(&refused, 0.5),
        part(&refused, 0.99)
    );
    Ok(())
}

/// An administrator's page beside very many sessions.
async fn pages(rig: &Rig, service: &Service) -> Result<(), Failure> {
    let admin = service.login(&rig.http, "admin").await?;
    let page = || rig.http.get(format!("{}/api/admin/sessions?limit=50", service.base)).bearer_auth(&admin);
    let told = async || Ok::<Value, Failure>(page().send().await?.error_for_status()?.json().await?);
    let total = |told: &Value| told["sessions_info"]["total_sessions"].as_u64().unwrap_or(0);
    let before = total(&told().await?);
    let script = std::fs::read_to_string(std::env::var("SESSIONS_SCRIPT")?)?;
    let mut redis = rig.redis.clone();
    for from in (1..=SESSIONS).step_by(5_000) {
        redis::cmd("EVAL").arg(&script).arg(0).arg(from).arg(from + 4_999).query_async::<Vec<u64>>(&mut redis).await?;
    }
    let after = total(&told().await?);
    let reads = async || {
        let info: String = redis::cmd("INFO").arg("stats").query_async(&mut rig.redis.clone()).await?;
        let reads = info.lines().find_map(|line| line.strip_prefix("total_reads_processed:")?.trim().parse::<u64>().ok());
        reads.ok_or_else(|| Failure::from("INFO does not tell what was read"))
    };
    let mut took = Vec::new();
    let before_pages = reads().await?;
    for _ in 0..PAGES {
        let began = now_us();
        let told = told().await?;
        took.push(now_us() - began);
        let told = told["sessions_info"]["sessions"].as_object().map_or(0, serde_json::Map::len);
        if told != 50 {
            return Err(format!("the page holds {told} sessions, not 50").into());
        }
    }
    // A page is one pipeline, of which Redis reads 16 KiB at a time. The INFO that asks is a read as well; so are those of the service's own
    // looking after things.
    let read = (reads().await? - before_pages - 1) as f64 / PAGES as f64;
    took.sort_unstable();
    println!(
        "a page of 50 of {after} sessions ({} more than before, {SESSIONS} were made): {:.2} ms (median), {:.2} ms (p99; wanted: 15 at most), {read:.2} reads of Redis for its one pipeline",
        after - before,
        part(&took, 0.5),
        part(&took, 0.99)
    );
    Ok(())
}

/// A replica is killed with turns in its hands; another answers for them, and takes the next.
async fn recovery(rig: &Rig, tokens: &[String]) -> Result<(), Failure> {
    let lease = LEASE_MS.to_string();
    let settings = [("SAA_TURNS__LEASE_MS", lease.as_str())];
    let mut took = Vec::new();
    let other = rig.start(&settings).await?;
    for _ in 0..KILLS {
        let mut doomed = rig.start(&settings).await?;
        rig.model.held.store(true, Ordering::SeqCst);
        let before = rig.model.asked.load(Ordering::SeqCst);
        let base = doomed.base.clone();
        for token in &tokens[..KILLED_TURNS] {
            let asked = rig.http.post(format!("{base}/api/process")).bearer_auth(token).json(&json!({"message": "hello"}));
            tokio::spawn(asked.send());
        }
        while rig.model.asked.load(Ordering::SeqCst) < before + KILLED_TURNS as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        rig.model.held.store(false, Ordering::SeqCst);
        doomed.kill();
        let killed = now_us();
        let until_served = async |token: &String| loop {
            match rig.turn(&other, token).await? {
                (200, _) => return Ok::<u64, Failure>(now_us() - killed),
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        for one in join_all(tokens[..KILLED_TURNS].iter().map(until_served)).await {
            took.push(one?);
        }
    }
    took.sort_unstable();
    let wanted = (LEASE_MS + 1_000) as f64;
    println!(
        "the next turn on another replica, {KILLED_TURNS} sessions of a killed one, {KILLS} times, lease {LEASE_MS} ms: {:.0} ms after the kill (median), {:.0} ms (p99), {:.0} ms (the latest; wanted: {wanted:.0} at most)",
        part(&took, 0.5),
        part(&took, 0.99),
        part(&took, 1.0)
    );
    Ok(())
}
