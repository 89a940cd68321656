//! The planner behind the service, scripted: it speaks OpenAI's chat completions and carries out the plan in the user's message. Every
//! answer has a number that goes along with the calls it plans, so that two answers to one question can be told apart.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::{
    http::{self, answer},
    journal::{Journal, now_us},
    plan::{Plan, Step},
    records::Asked,
};

/// Serves until the process ends.
pub async fn serve(port: u16, log: &Path) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let (journal, asks) = (Journal::open(log)?, Arc::new(AtomicU64::new(1)));
    loop {
        let (stream, _) = listener.accept().await?;
        let (journal, asks) = (journal.clone(), Arc::clone(&asks));
        tokio::spawn(async move {
            // A connection that breaks is the business of whoever broke it.
            let _ = connection(stream, &journal, &asks).await;
        });
    }
}

async fn connection(stream: TcpStream, journal: &Journal, asks: &AtomicU64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::new(from);
    while let Some(message) = http::read(&mut from).await? {
        let prompt: Value = serde_json::from_slice(&message.body).unwrap_or_default();
        let ask = asks.fetch_add(1, Ordering::Relaxed);
        let (plan, step) = asked(&prompt);
        let mark = plan.as_ref().map(|plan| plan.mark.clone()).unwrap_or_default();
        journal.write(&Asked { at_us: now_us(), ask, mark, step }).await;
        sleep(Duration::from_millis(plan.as_ref().map_or(0, |plan| plan.think_ms))).await;
        let said = said(plan.as_ref(), step, ask);
        let finish = if said["tool_calls"].is_null() { "stop" } else { "tool_calls" };
        let body = json!({
            "id": format!("ask-{ask}"), "object": "chat.completion", "created": 0, "model": "lab",
            "choices": [{"index": 0, "finish_reason": finish, "message": said}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        });
        to.write_all(&answer(200, body.to_string().as_bytes())).await?;
    }
    Ok(())
}

/// The plan of the newest message of the user, and how many rounds of it have been answered.
fn asked(prompt: &Value) -> (Option<Plan>, usize) {
    let messages = prompt["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(at) = messages.iter().rposition(|message| message["role"] == "user") else { return (None, 0) };
    let step = messages[at..].iter().filter(|message| message["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty())).count();
    (messages[at]["content"].as_str().and_then(Plan::read), step)
}

fn said(plan: Option<&Plan>, step: usize, ask: u64) -> Value {
    let Some(plan) = plan else { return json!({"role": "assistant", "content": "done"}) };
    let round = if plan.endless {
        &[Step { function: "readItem".to_owned(), mode: "ok".to_owned(), wait_ms: 0 }][..]
    } else {
        plan.rounds.get(step).map(Vec::as_slice).unwrap_or_default()
    };
    if round.is_empty() {
        return json!({"role": "assistant", "content": format!("done mark={} canary={}", plan.mark, plan.canary)});
    }
    let calls: Vec<Value> = round
        .iter()
        .enumerate()
        .map(|(at, call)| {
            let mut arguments = json!({
                "mark": plan.mark, "call": format!("{step}.{at}"), "ask": ask, "mode": call.mode, "wait": call.wait_ms,
            });
            if matches!(call.function.as_str(), "placeOrder" | "payOrder") {
                arguments["note"] = json!(plan.canary);
            }
            json!({"id": format!("c{ask}-{at}"), "type": "function", "function": {"name": call.function, "arguments": arguments.to_string()}})
        })
        .collect();
    json!({"role": "assistant", "content": null, "tool_calls": calls})
}
