//! Sending the calls of a round: reading ones together, changing ones alone and in order.

use futures_util::future::join_all;

use super::{Agent, Batch, Prepared};
use crate::{
    clock::Countdown,
    domain::{
        session::Round,
        tool::{Effect, Outcome, SentRequest, ToolCall, ToolResult},
    },
    openapi::{Alternatives, UpstreamRequest},
};

/// A call that can be sent as it is.
#[derive(Debug)]
pub struct Ready {
    pub call: ToolCall,
    pub request: UpstreamRequest,
    pub effect: Effect,
    /// The credentials that the document asks for.
    pub security: Option<Alternatives>,
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
                    results.push(self.send(*ready, Some(lease)).await);
                }
                other => reading.push(other),
            }
        }
        results.extend(join_all(reading.into_iter().map(|p| self.settle(p))).await);
        Round { said: batch.said, results }
    }

    async fn settle(&self, prepared: Prepared) -> ToolResult {
        match prepared {
            Prepared::Ready(ready) => self.send(*ready, None).await,
            Prepared::Refused(call, refusal) => ToolResult { call, request: None, outcome: Outcome::Refused(refusal) },
        }
    }

    /// Sends one call: the only place where anything leaves for the upstream. What is told of the request is told without credentials.
    /// A call that must not outlive a lease looks at it last: getting credentials may take a while.
    pub async fn send(&self, ready: Ready, lease: Option<&Countdown>) -> ToolResult {
        let Ready { call, request, effect, security } = ready;
        let told = SentRequest { method: request.method.clone(), url: request.url.clone() };
        let authorised = match self.upstream.authorise(request, security.as_ref(), self.own).await {
            Ok(authorised) => authorised,
            Err(refusal) => return ToolResult { call, request: None, outcome: Outcome::Refused(refusal) },
        };
        if lease.is_some_and(Countdown::is_over) {
            let why = "the request was not sent: this replica may have lost the session".to_owned();
            return ToolResult { call, request: None, outcome: Outcome::Failed(why) };
        }
        let outcome = self.upstream.deliver(authorised, effect, self.own).await;
        ToolResult { call, request: Some(told), outcome }
    }
}
