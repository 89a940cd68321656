//! Turns from outside: what the model hears, what the API sees, and what is left when something in the middle goes away.

mod asking;
mod budgets;
mod confirmation;
mod crashes;
mod decisions;
mod ends;
mod fallback;
mod isolation;
mod keyed;
mod long;
mod lost;
mod memory;
mod probes;
mod queue;
mod revisions;
mod rounds;
mod summaries;
mod zombies;

use serde_json::{Value, json};

use crate::harness::{client::Client, gate::Gate, process::Process, until};

fn new_user() -> Value {
    json!({"name": "Ann", "email": "a@example.com"})
}

/// Lets the doomed process begin something, and kills it as soon as a request of its stands at the gate.
async fn killed_at(gate: &Gate, process: &mut Process, doomed: Client, path: &'static str, body: Value) {
    doomed.token().await;
    let request = tokio::spawn(async move { tokio::time::timeout(std::time::Duration::from_secs(20), doomed.post(path, body)).await });
    gate.reached().await;
    process.kill();
    gate.open();
    assert!(request.await.is_err(), "its client got no answer");
}

/// The conversation, once it has so many messages.
async fn history_of(ann: &Client, messages: usize) -> Vec<String> {
    until("the turn in the history", async || ann.history().await.len() == messages).await;
    ann.history().await
}
