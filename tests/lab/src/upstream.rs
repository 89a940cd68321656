//! The API behind the service: a process of its own that is never harmed. It writes down each request before it does anything, and each
//! effect in the moment that it takes effect.

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Mutex,
    time::sleep,
};

use crate::{
    document::{self, Call, document, read},
    http::{self, answer},
    journal::{Journal, now_us},
    records::{Applied, Received, Terms, Upstream},
};

/// Longer than the service waits for an answer (`rig::replica` sets that).
const SLOW: Duration = Duration::from_millis(2500);

/// The answer to a key, once there is one.
type Kept = Mutex<Option<Vec<u8>>>;

struct Api {
    port: u16,
    terms: Terms,
    journal: Journal,
    requests: AtomicU64,
    /// Answers by key; a request that comes while its twin is worked on waits for it.
    answers: Mutex<HashMap<String, Arc<Kept>>>,
}

/// Serves until the process ends.
pub async fn serve(port: u16, dedup: bool, log: &Path) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let terms = Terms { dedup, ..Terms::default() };
    let api = Arc::new(Api { port, terms, journal: Journal::open(log)?, requests: AtomicU64::new(0), answers: Mutex::default() });
    loop {
        let (stream, _) = listener.accept().await?;
        let api = Arc::clone(&api);
        tokio::spawn(async move {
            // A connection that breaks is the business of whoever broke it.
            let _ = api.connection(stream).await;
        });
    }
}

impl Api {
    async fn connection(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (from, mut to) = stream.into_split();
        let mut from = BufReader::new(from);
        while let Some(message) = http::read(&mut from).await? {
            if message.first.contains("/openapi.json") {
                to.write_all(&answer(200, document(self.terms.dedup).to_string().as_bytes())).await?;
                continue;
            }
            let call = read(&message, self.port);
            let Some(reply) = self.call(&call).await else { return Ok(()) };
            to.write_all(&reply).await?;
        }
        Ok(())
    }

    /// Does what is asked. `None`: the connection is closed without an answer.
    async fn call(&self, call: &Call) -> Option<Vec<u8>> {
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        self.journal
            .write(&Upstream::Received(Received {
                at_us: now_us(),
                request,
                function: call.function.clone(),
                mark: call.mark.clone(),
                call: call.call.clone(),
                ask: call.ask,
                mode: call.mode.clone(),
                key: call.key.clone(),
                hash: call.hash.clone(),
                problem: call.problem.clone(),
            }))
            .await;
        if call.problem.is_some() {
            return Some(answer(400, b"{\"error\":\"not a call of this API\"}"));
        }
        let key = call.key.as_ref().filter(|_| self.terms.dedup && call.function == "payOrder");
        let Some(key) = key else { return self.carry_out(call, request, false).await };
        let place = Arc::clone(self.answers.lock().await.entry(key.clone()).or_default());
        let mut known = place.lock().await;
        if let Some(reply) = &*known {
            return Some(reply.clone());
        }
        // What is kept is what a repetition gets; this request may still lose its own answer.
        let reply = self.carry_out(call, request, true).await;
        *known = reply;
        if call.mode == "lost" { None } else { known.clone() }
    }

    async fn carry_out(&self, call: &Call, request: u64, kept: bool) -> Option<Vec<u8>> {
        let half = Duration::from_millis(call.wait_ms / 2);
        sleep(half).await;
        let changes = call.function != "readItem";
        let place = json!({"mark": call.mark, "call": call.call, "request": request});
        if call.mode == "fail" {
            return Some(answer(422, json!({"error": "as it was planned", "place": place}).to_string().as_bytes()));
        }
        if changes {
            self.journal
                .write(&Upstream::Applied(Applied {
                    at_us: now_us(),
                    request,
                    mark: call.mark.clone(),
                    call: call.call.clone(),
                    function: call.function.clone(),
                    hash: call.hash.clone(),
                }))
                .await;
        }
        sleep(half).await;
        match call.mode.as_str() {
            "lost" if !kept => return None,
            "slow" => sleep(SLOW).await,
            _ => {}
        }
        Some(answer(if changes { 201 } else { 200 }, json!({"done": place}).to_string().as_bytes()))
    }
}

/// The document, for the service to read.
pub fn write_document(path: &Path, dedup: bool) -> io::Result<()> {
    std::fs::write(path, document::document(dedup).to_string())
}
