//! One function called directly, past the planner. A reading one needs one round trip to the store; a changing one holds the session,
//! so that a crash in the middle is told and not repeated.

use serde_json::{Map, Value};
use tracing::{Instrument, info, warn};

use super::{
    App, AppError,
    orphans::Input,
    round::about_to_send,
    turn::{Claimed, new_run},
};
use crate::{
    agent::Ready,
    domain::{
        tool::{Effect, Refusal, ToolResult},
        turn::JournalEntry,
    },
    secrets::tokens::Bearer,
    store::{
        contract::{Begin, Commit, Entered, Tail},
        record,
    },
};

impl App {
    /// Calls a function with these parameters.
    ///
    /// # Errors
    /// No such function, wrong parameters, no session to be had. What the API answers, failures included, is the result; after a
    /// changing call was sent there is no error.
    pub async fn call(&self, caller: &Bearer, function: &str, parameters: &Map<String, Value>) -> Result<ToolResult, AppError> {
        let (served, own) = (self.served(), self.credentials_of(&caller.user));
        let agent = self.agent(&served, &own);
        let ready = match agent.ready(new_run(), function, parameters) {
            Ok(ready) if ready.effect == Effect::Changing => return self.call_changing(caller, ready).await,
            Ok(ready) => Ok(ready),
            Err(refusal) => Err(refused(function, refusal)),
        };
        // Whoever may not come in does not learn what functions there are.
        match self.store().enter(super::caller(caller), Tail::Nothing).await? {
            Entered::Refused(refused) => Err(refused.into()),
            Entered::In(_) => {
                let mut result = agent.send(ready?, None).await;
                self.keep_unshown(&caller.user, &mut result).await;
                Ok(result)
            }
        }
    }

    async fn call_changing(&self, caller: &Bearer, ready: Ready) -> Result<ToolResult, AppError> {
        let (app, caller) = (self.clone(), caller.clone());
        let task = async move { app.hold_and_call(&caller, ready).await };
        self.spawn(task.in_current_span())?.await.map_err(|_| AppError::Broken)?
    }

    async fn hold_and_call(&self, caller: &Bearer, ready: Ready) -> Result<ToolResult, AppError> {
        let intent = about_to_send(&ready);
        let sent = intent.request.as_ref().map_or_else(String::new, |r| format!("{} {}", r.method, r.url));
        let call = serde_json::from_slice(&record::encode_result(&intent)).ok();
        let input = Input { message: sent, at: self.now_ms(), call }.to_bytes();
        let (run, owner) = (ready.call.id.clone(), self.new_owner());
        let begin = Begin {
            caller: super::caller(caller),
            run: &run,
            owner: &owner,
            lease_ms: self.settings().turns.lease_ms,
            tail: 0,
            input: &input,
            idempotency: None,
        };
        let (started, held) = match self.begin(begin).await? {
            Claimed::Started(started, held) => (started, held),
            // Only requests with an idempotency key are replayed, and this one has none.
            Claimed::Replay(_) => return Err(AppError::Broken),
        };
        if held.countdown.is_over() {
            // The answer to begin took too long: the session may be another's, who tells this call as unknown. It is not sent.
            return Err(AppError::LeaseLost { run });
        }
        let others: Vec<JournalEntry> = started.journal.iter().filter(|entry| entry.run != run).cloned().collect();
        let settled = super::orphans::turns(&others, started.now_ms);
        let (served, own) = (self.served(), self.credentials_of(&caller.user));
        let agent = self.agent(&served, &own);
        // The call is out: whatever becomes of the session, the caller is told what came of it. An error here would invite a caller to
        // send it again.
        let sending = agent.send(ready, Some(&held.countdown));
        tokio::pin!(sending);
        let mut result = tokio::select! {
            result = &mut sending => result,
            _ = self.keep(&held) => sending.await,
        };
        if let Err(error) = self.commit(&held, Commit { turns: &settled, reply: None }).await {
            warn!(user = %caller.user, run, ?error, "the call of {} was done, but its run could not be ended in the store", caller.user);
        }
        self.keep_unshown(&caller.user, &mut result).await;
        info!(user = %caller.user, run, function = result.call.name, "{} called {}", caller.user, result.call.name);
        Ok(result)
    }
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
