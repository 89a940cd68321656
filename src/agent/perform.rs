//! Sending the calls of a round: reading ones together, changing ones alone and in order.

use futures_util::future::join_all;

use super::{Agent, Batch, Prepared};
use crate::{
    clock::Countdown,
    domain::{
        session::Round,
        tool::{Effect, Outcome, SentRequest, ToolCall, ToolResult},
    },
    openapi::UpstreamRequest,
    upstream::UpstreamCall,
};

/// A call that can be sent as it is.
#[derive(Debug)]
pub struct Ready {
    pub call: ToolCall,
    pub request: UpstreamRequest,
    pub effect: Effect,
}

impl Agent<'_> {
    /// Sends the calls of a batch. Reading calls that stand side by side go at once; a changing call waits for all before it and
    /// all after it wait for it, since a planner that asks for "create, then list" means that order.
    /// A changing call is not sent once the countdown is over: the session may be another's by then.
    pub async fn perform(&self, batch: Batch, lease: &Countdown) -> Round {
        let mut results = Vec::with_capacity(batch.calls.len());
        let mut reading = Vec::new();
        for prepared in batch.calls {
            match prepared {
                Prepared::Ready(ready) if ready.effect == Effect::Changing => {
                    results.extend(join_all(reading.drain(..).map(|p| self.settle(p))).await);
                    results.push(if lease.is_over() { not_sent(*ready) } else { self.send(*ready).await });
                }
                other => reading.push(other),
            }
        }
        results.extend(join_all(reading.into_iter().map(|p| self.settle(p))).await);
        Round { said: batch.said, results }
    }

    async fn settle(&self, prepared: Prepared) -> ToolResult {
        match prepared {
            Prepared::Ready(ready) => self.send(*ready).await,
            Prepared::Reading(reading) => reading.result(),
            Prepared::Refused(call, refusal) => ToolResult { call, request: None, outcome: Outcome::Refused(refusal) },
        }
    }

    /// Sends one call: the only place where anything leaves for the upstream.
    pub async fn send(&self, ready: Ready) -> ToolResult {
        let Ready { call, request, effect } = ready;
        let sending = UpstreamCall { method: &request.method, url: &request.url, headers: &request.headers, body: request.body.as_deref() };
        let outcome = self.upstream.send(&sending, effect).await;
        ToolResult { call, request: Some(SentRequest { method: request.method, url: request.url }), outcome }
    }
}

fn not_sent(ready: Ready) -> ToolResult {
    let why = "the request was not sent: this replica may have lost the session".to_owned();
    ToolResult { call: ready.call, request: None, outcome: Outcome::Failed(why) }
}
