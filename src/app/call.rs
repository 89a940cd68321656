//! One function called directly, past the planner. A reading one needs one round trip to the store; a changing one holds the session,
//! so that a crash in the middle is told and not repeated.

use serde_json::{Map, Value};
use tracing::{Instrument, info, warn};

use super::{
    App, AppError, Served,
    accept::{Accepted, Digests, Wanted, canonical},
    call_key::call_key,
    journal::Input,
    keys::api_key_of,
    lease::{End, Tallied},
    round::about_to_send,
    told,
    work::Run,
};
use crate::{
    agent::Ready,
    domain::{
        language::Language,
        limits::REPLAYED_BODY_BYTES_MAX,
        session::{Round, Turn},
        tool::{Effect, Refusal, ToolResult},
        turn::{Ending, OnBusy},
        user::Role,
    },
    secrets::tokens::Bearer,
    store::{
        contract::{Entered, Tail},
        record,
    },
};

/// What is kept of a run beside its ending, if it was one direct call.
pub(super) const CALL: &str = "call";
/// The same of one that its user may not make.
const NOT_ALLOWED: &str = "operation_not_allowed";

/// What somebody wants to call.
#[derive(Debug, Clone)]
pub struct DirectCall {
    pub function: String,
    pub parameters: Map<String, Value>,
    /// In which language its result is told.
    pub language: Language,
    /// The client's idempotency key, for a call that changes something.
    pub idempotency_key: Option<String>,
}

/// What came of a direct call, as the client gets it.
#[derive(Debug, Clone)]
pub struct CallTaken {
    pub body: Vec<u8>,
    /// Whether it is the stored answer of an earlier, equal request.
    pub replayed: bool,
    /// Whether the store has it: what it has not yet may come to be told otherwise, as done by a replica that was lost.
    pub stored: bool,
    /// Under which run it was done, if it changes something.
    pub run: Option<String>,
}

impl App {
    /// Calls a function with these parameters.
    ///
    /// # Errors
    /// No such function, wrong parameters, no session to be had. What the API answers, failures included, is the result; after a
    /// changing call was sent there is no error.
    pub async fn call(&self, caller: &Bearer, call: DirectCall) -> Result<CallTaken, AppError> {
        let (served, own) = (self.served(), self.credentials_of(&caller.user));
        let agent = self.agent(&served, &own);
        let ready = match agent.ready(self.new_run(caller.slot()), &call.function, &call.parameters) {
            Ok(ready) if ready.effect == Effect::Changing && served.is_anybodys(&call.function) => {
                return self.call_changing(caller, call, ready).await;
            }
            Ok(ready) => Ok(ready),
            Err(refusal) => Err(refusal),
        };
        // Whoever may not come in does not learn what functions there are.
        match self.store().enter(super::caller(caller), Tail::Nothing).await? {
            Entered::Refused(refused) => Err(refused.into()),
            Entered::NoSession => Err(AppError::NoSession),
            Entered::In(visit) => {
                self.may_call(&served, visit.role, &call.function)?;
                let ready = ready.map_err(|refusal| match refusal {
                    // Names that are close are those of what the caller may call.
                    Refusal::UnknownFunction { .. } => {
                        let near = served.to(visit.role).apis.near(&call.function);
                        refused(&call.function, Refusal::UnknownFunction { near })
                    }
                    refusal => refused(&call.function, refusal),
                });
                let mut result = agent.send(ready?, None).await;
                agent.hidden().in_result(&mut result);
                self.keep_unshown(&caller.session_slot(), &mut result).await;
                let body = (self.rendering().call)(self, &caller.user, None, &result, call.language);
                Ok(CallTaken { body, replayed: false, stored: true, run: None })
            }
        }
    }

    /// Whether somebody of this role may call a function that there is.
    fn may_call(&self, served: &Served, role: Role, function: &str) -> Result<(), AppError> {
        if served.apis.place(function).is_none() || served.to(role).apis.place(function).is_some() {
            return Ok(());
        }
        let read_only = self.settings().agent.read_only
            && served.apis.operation(function).is_some_and(|(_, operation)| operation.spec().effect == Effect::Changing);
        Err(AppError::NotAllowed { function: function.to_owned(), read_only })
    }

    async fn call_changing(&self, caller: &Bearer, call: DirectCall, ready: Ready) -> Result<CallTaken, AppError> {
        let (app, caller) = (self.clone(), caller.clone());
        let task = async move { app.hold_and_call(&caller, &call, ready).await };
        self.spawn(task.in_current_span())?.await.map_err(|_| AppError::Broken)?
    }

    async fn hold_and_call(&self, caller: &Bearer, call: &DirectCall, ready: Ready) -> Result<CallTaken, AppError> {
        let intent = about_to_send(&ready);
        let mut sent = intent.request.as_ref().map_or_else(String::new, |r| format!("{} {}", r.method, r.url));
        self.hidden().in_text(&mut sent);
        let keyed = call.idempotency_key.as_deref().map(|key| {
            let parameters = canonical(Some(&call.parameters));
            Digests::of(caller, "call", key, &[call.function.as_bytes(), parameters.as_bytes()])
        });
        let input = Input {
            message: sent,
            at: self.now_ms(),
            call: serde_json::from_slice(&record::encode_result(&intent)).ok(),
            key: keyed.as_ref().map(|keyed| (keyed.key.clone(), keyed.fingerprint.clone())),
            issued: Some(caller.issued_ms),
            api_key: api_key_of(caller),
            zh: call.language == Language::Chinese,
            key_header: ready.key_header.clone(),
            ..Input::default()
        };
        let run = ready.call.id.clone();
        let (on_busy, tail, expects) = (OnBusy::Reject, 0, None);
        let (owner, bytes) = (self.new_owner(), input.to_bytes());
        let wanted = Wanted { caller: caller.clone(), run: run.clone(), owner, input: bytes, tail, keyed, on_busy, expects };
        let (started, held) = match self.accept(&wanted).await? {
            Accepted::Started(started, held) => (*started, held),
            Accepted::Replay(body) => return Ok(CallTaken { body, replayed: true, stored: true, run: Some(run) }),
            // Whoever would wait is refused instead.
            Accepted::Waits => return Err(AppError::Broken),
        };
        if let Err(refused) = self.may_call(&self.served(), started.visit.role, &call.function) {
            let nothing = End {
                turns: Vec::new(),
                reply: input.key.clone().map(|key| (key, Vec::new())),
                ending: Ending::Failed,
                accepted_ms: input.at,
                detail: NOT_ALLOWED,
                tallied: Tallied::default(),
            };
            self.commit(&held, &nothing).await?;
            return Err(refused);
        }
        if held.countdown.is_over() {
            // The answer to begin took too long: the session may be another's, who tells this call as unknown. It is not sent.
            return Err(AppError::LeaseLost { run });
        }
        let whole = Run { user: caller.user.clone(), caller: Some(caller.clone()), input, taken: false, started, held };
        let (result, body, stored) = Box::pin(self.send_held(&whole, ready)).await;
        info!(user = %caller.user, run, function = result.call.name, "{} called {}", caller.user, result.call.name);
        Ok(CallTaken { body, replayed: false, stored, run: Some(run) })
    }

    /// Sends the one call of a run that is held, and ends the run. The call is out: whatever becomes of the session, the caller is told what
    /// came of it. An error here would invite a caller to send it again.
    async fn send_held(&self, run: &Run, mut ready: Ready) -> (ToolResult, Vec<u8>, bool) {
        let (served, own) = (self.served(), self.credentials_of(&run.user));
        let agent = self.agent(&served, &own);
        ready.keyed_by(&call_key(&run.started.run, 0, 0));
        let sending = async { agent.looked_after(agent.send(ready, Some(&run.held.countdown)).await).await };
        tokio::pin!(sending);
        let mut result = tokio::select! {
            result = &mut sending => result,
            _ = self.keep(&run.held) => sending.await,
        };
        agent.hidden().in_result(&mut result);
        crate::fault::point("K12");
        self.keep_unshown(&run.held.lease.session(), &mut result).await;
        let (result, body) = self.told_call(run, result);
        let end = call_end(run, &result, Vec::new(), &body);
        let committed = self.commit(&run.held, &end).await;
        let stored = committed.is_ok();
        if let Err(error) = committed {
            warn!(user = %run.user, run = run.started.run, ?error, "the call of {} was done, but its run could not be ended in the store yet", run.user);
            self.end_later(&run.held, end);
        }
        (result, body, stored)
    }

    /// What the caller is told. What is kept for repetitions is bounded, and the first answer is the same as every later one.
    fn told_call(&self, run: &Run, result: ToolResult) -> (ToolResult, Vec<u8>) {
        let render = |result: &ToolResult| (self.rendering().call)(self, &run.user, Some(&run.started.run), result, run.input.language());
        let body = render(&result);
        if run.input.key.is_none() || body.len() <= REPLAYED_BODY_BYTES_MAX {
            return (result, body);
        }
        let mut cut = self.cut_to_keep(vec![Round { said: None, results: vec![result.clone()] }]);
        let result = cut.pop().and_then(|mut round| round.results.pop()).unwrap_or(result);
        let body = render(&result);
        (result, body)
    }

    /// Goes on with a direct call whose replica died: it is sent again only if that does no harm; otherwise what became of it is not known.
    /// Its caller is gone, so the conversation tells it.
    pub(super) async fn go_on_calling(&self, run: Run, mut settled: Vec<Turn>) -> Result<(), AppError> {
        let dispatched = run.input.direct().ok_or(AppError::Broken)?;
        let (served, own) = (self.served(), self.credentials_of(&run.user));
        // What its user may not call any more is not sent again.
        let agent = self.agent(served.to(run.started.visit.role), &own);
        let carrying_on = async {
            let result = match agent.again_without_harm(&dispatched, run.input.key_header.as_deref()) {
                Some(mut ready) => {
                    ready.keyed_by(&call_key(&run.started.run, 0, 0));
                    agent.send(ready, Some(&run.held.countdown)).await
                }
                None => dispatched,
            };
            agent.looked_after(result).await
        };
        let mut result = tokio::select! {
            result = carrying_on => result,
            lost = self.keep(&run.held) => return Err(lost),
        };
        agent.hidden().in_result(&mut result);
        let (result, body) = self.told_call(&run, result);
        let mut told = told::turn_of_call(&run.started.run, &run.input, result.clone(), self.now_ms());
        told.rounds = self.cut_to_keep(std::mem::take(&mut told.rounds));
        settled.push(told);
        self.commit(&run.held, &call_end(&run, &result, settled, &body)).await.map(|_| ())
    }
}

/// How the run of a direct call ends; `turns` enter the conversation with it.
fn call_end(run: &Run, result: &ToolResult, turns: Vec<Turn>, body: &[u8]) -> End {
    let ending = if result.is_unknown() { Ending::UnknownOutcome } else { Ending::Answered };
    let reply = run.input.key.clone().map(|key| (key, body.to_vec()));
    End { turns, reply, ending, accepted_ms: run.input.at, detail: CALL, tallied: Tallied::of_call(result) }
}

fn refused(function: &str, refusal: Refusal) -> AppError {
    match refusal {
        Refusal::UnknownFunction { near } => AppError::UnknownFunction { name: function.to_owned(), near },
        Refusal::InvalidArguments(problems) => AppError::InvalidArguments(problems),
        // A direct call has no budget, and is a person's own act: nobody is asked about it. Credentials are looked at when it is sent, and
        // what comes of that is its result.
        Refusal::OverBudget
        | Refusal::NeedsConfirmation { .. }
        | Refusal::Declined
        | Refusal::Outdated
        | Refusal::CredentialMissing(_)
        | Refusal::CredentialUnusable { .. } => AppError::Broken,
    }
}
