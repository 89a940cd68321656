//! Sending the calls of a batch: reading ones together, changing ones alone and in order. The caller goes from stretch to stretch, so that
//! it can write down what must be written down before each change.

use std::{sync::Arc, time::Instant};

use serde_json::Value;
use tracing::Instrument;

use super::{Agent, Api, Batch, Prepared, shown};
use crate::{
    clock::Countdown,
    domain::{
        language::Language,
        tool::{Effect, Outcome, SentRequest, ToolCall, ToolResult},
    },
    metrics::{CallClass, CallOutcome, Stage, metrics},
    openapi::{Alternatives, UpstreamRequest},
    spans,
    upstream::{Terms, known_of_both},
};

/// A call that can be sent as it is.
#[derive(Debug)]
pub struct Ready {
    pub call: ToolCall,
    /// Where it goes, whatever is served by then.
    pub api: Arc<Api>,
    pub request: UpstreamRequest,
    pub effect: Effect,
    /// The credentials that the document asks for.
    pub security: Option<Alternatives>,
    /// The header in which an idempotency key travels, if the operation takes one.
    pub key_header: Option<String>,
    /// Whether it carries its key.
    pub(super) keyed: bool,
    /// Whether it may have been sent before.
    pub(super) again: bool,
}

impl Ready {
    /// A call that was looked up and checked.
    pub(super) fn of(
        call: ToolCall,
        api: Arc<Api>,
        request: UpstreamRequest,
        effect: Effect,
        security: Option<Alternatives>,
        key_header: Option<String>,
    ) -> Self {
        Self { call, api, request, effect, security, key_header, keyed: false, again: false }
    }

    /// This call with an outcome that it has without being sent, or before it is known what came of it.
    pub fn with(&self, outcome: Outcome) -> ToolResult {
        let request = SentRequest { method: self.request.method.clone(), url: self.request.url.clone() };
        ToolResult { call: self.call.clone(), request: Some(request), outcome }
    }
}

/// Calls of a batch that are sent after all before them and before all after them, with their places in it.
#[derive(Debug)]
pub enum Stretch {
    /// Side by side. Never empty.
    Reading(Vec<(usize, Box<Ready>)>),
    /// Alone.
    Changing(usize, Box<Ready>),
}

impl Batch {
    /// What every call of the batch has come to while nothing is sent: those that cannot be sent have their reason already.
    pub fn not_sent(&self) -> Vec<ToolResult> {
        let result = |prepared: &Prepared| match prepared {
            Prepared::Ready(ready) | Prepared::Waiting(ready) | Prepared::Behind(ready) => {
                ready.unsent("the turn ended before its place in the order")
            }
            Prepared::Reading(reading) => reading.result(),
            Prepared::Answered(result) => (**result).clone(),
            Prepared::Refused(call, refusal) => {
                ToolResult { call: call.clone(), request: None, outcome: Outcome::Refused(refusal.clone()) }
            }
        };
        self.calls.iter().map(result).collect()
    }

    /// The calls that can be sent, in the order in which they must be. Reading calls that stand side by side go at once; a changing call
    /// waits for all before it and all after it wait for it, since a planner that asks for "create, then list" means that order.
    pub fn into_stretches(self) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        for (at, prepared) in self.calls.into_iter().enumerate() {
            let Prepared::Ready(ready) = prepared else { continue };
            match (ready.effect, stretches.last_mut()) {
                (Effect::Changing, _) => stretches.push(Stretch::Changing(at, ready)),
                (Effect::Safe, Some(Stretch::Reading(together))) => together.push((at, ready)),
                (Effect::Safe, _) => stretches.push(Stretch::Reading(vec![(at, ready)])),
            }
        }
        stretches
    }
}

impl Agent<'_> {
    /// Sends one call: the only place where anything leaves for the upstream. What is told of the request is told without credentials.
    /// A call that must not outlive a lease looks at it last: getting credentials may take a while.
    pub async fn send(&self, ready: Ready, lease: Option<&Countdown>) -> ToolResult {
        // Of what may have been sent before, what comes of sending it now is not all that came of it.
        let before = ready.again.then(|| ready.with(Outcome::Unknown(String::new())));
        let (class, began) = (class_of(&ready), Instant::now());
        let span = spans::tool(&ready.call.name, &ready.call.id);
        // On the heap: it is the deepest part of a turn's future, which is moved several times before it runs.
        let result = Box::pin(self.send_once(ready, lease)).instrument(span.clone()).await;
        // Behind it: by now it is known which credentials of the user's own must not be told.
        spans::say(&span, "gen_ai.tool.call.arguments", || {
            let arguments = result.call.arguments.clone().map(Value::Object).map_or_else(Into::into, |arguments| arguments.to_string());
            self.hidden().text(&arguments).into_owned()
        });
        spans::say(&span, "gen_ai.tool.call.result", || self.hidden().text(&shown(&result, Language::English)).into_owned());
        if let Some(why) = word_of(&result.outcome) {
            spans::failed(&span, why);
        }
        metrics().stage(Stage::Upstream, began);
        metrics().call(class, outcome_of(&result.outcome));
        match before {
            Some(before) => ToolResult { outcome: known_of_both(result.outcome), ..before },
            None => result,
        }
    }

    async fn send_once(&self, ready: Ready, lease: Option<&Countdown>) -> ToolResult {
        let Ready { call, api, request, effect, security, key_header: _, keyed, again: _ } = ready;
        let told = SentRequest { method: request.method.clone(), url: request.url.clone() };
        let authorised = match api.upstream.authorise(request, security.as_ref(), self.own).await {
            Ok(authorised) => authorised,
            Err(refusal) => return ToolResult { call, request: None, outcome: Outcome::Refused(refusal) },
        };
        if lease.is_some_and(Countdown::is_over) {
            let why = "the request was not sent: this replica may have lost the session".to_owned();
            return ToolResult { call, request: Some(told), outcome: Outcome::Failed(why) };
        }
        let outcome = api.upstream.deliver(authorised, Terms { effect, keyed, lease }, self.own).await;
        ToolResult { call, request: Some(told), outcome }
    }
}

/// What a call may do, as it is counted.
fn class_of(ready: &Ready) -> CallClass {
    match (ready.effect, ready.keyed) {
        (Effect::Safe, _) => CallClass::Safe,
        (Effect::Changing, true) => CallClass::Keyed,
        (Effect::Changing, false) => CallClass::Changing,
    }
}

/// What a span says of a call that is no success.
fn word_of(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Replied(reply) if reply.status < 400 => None,
        Outcome::Replied(_) => Some("status"),
        Outcome::Refused(_) => Some("refused"),
        Outcome::Failed(_) => Some("failed"),
        Outcome::Unknown(_) => Some("unknown_outcome"),
    }
}

/// What came of a call, as it is counted.
fn outcome_of(outcome: &Outcome) -> CallOutcome {
    match outcome {
        Outcome::Replied(reply) if reply.status < 400 => CallOutcome::Done,
        Outcome::Replied(reply) if reply.status < 500 => CallOutcome::Rejected,
        Outcome::Replied(_) => CallOutcome::Broken,
        Outcome::Refused(_) => CallOutcome::Refused,
        Outcome::Failed(_) => CallOutcome::Failed,
        Outcome::Unknown(_) => CallOutcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::{
        agent::apis::tests::{DOCUMENT, api},
        domain::tool::Refusal,
    };

    fn call(id: &str) -> ToolCall {
        ToolCall { id: id.into(), name: id.into(), arguments: Ok(Map::new()) }
    }

    fn ready(id: &str, effect: Effect) -> Prepared {
        let request = UpstreamRequest { method: "GET".into(), url: format!("http://up/{id}"), headers: Vec::new(), body: None };
        Prepared::Ready(Box::new(Ready::of(call(id), api("", DOCUMENT), request, effect, None, None)))
    }

    #[test]
    fn a_change_parts_what_stands_before_it_from_what_stands_behind_it() {
        let calls = vec![
            ready("a", Effect::Safe),
            Prepared::Refused(call("b"), Refusal::OverBudget),
            ready("c", Effect::Safe),
            ready("d", Effect::Changing),
            ready("e", Effect::Changing),
            ready("f", Effect::Safe),
        ];
        let batch = Batch { said: None, calls };
        let not_sent = batch.not_sent();
        let ids: Vec<_> = not_sent.iter().map(|result| result.call.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c", "d", "e", "f"]);
        assert_eq!(not_sent[1].outcome, Outcome::Refused(Refusal::OverBudget));
        assert!(matches!(&not_sent[3].outcome, Outcome::Failed(why) if why.contains("not sent")));
        let places: Vec<Vec<usize>> = batch
            .into_stretches()
            .into_iter()
            .map(|stretch| match stretch {
                Stretch::Reading(together) => together.into_iter().map(|(at, _)| at).collect(),
                Stretch::Changing(at, _) => vec![at],
            })
            .collect();
        assert_eq!(places, [vec![0, 2], vec![3], vec![4], vec![5]]);
    }
}
