//! One turn of thinking: prompt → plan → calls → results → … → answer. Knows no store and no web.
//!
//! An [`Agent`] is a view made for one turn; what lasts is the session. The caller drives it, one [`Agent::think`] a round and then one
//! [`Stretch`] of the batch after the other, so that what must be recorded between the plan and each call can be.

mod apis;
mod confirm;
mod looking;
mod offer;
mod perform;
mod prompt;
mod reading;
mod trim;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use self::{
    apis::{Api, Apis},
    confirm::PLANNERS_PART,
    offer::Offering,
    perform::{Ready, Stretch},
    reading::{Reading, mark, size},
    trim::{kept, kept_answer},
};
use crate::{
    domain::{
        language::Language,
        session::{Round, Turn, Usage},
        tool::{Effect, Outcome, Refusal, ToolCall, ToolResult},
    },
    llm::{ModelError, Move, Planner, Prompt, ToolSet},
    markdown,
    upstream::UserCredentials,
};

/// What one turn may cost.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub rounds_max: u32,
    pub calls_max: u32,
    /// A larger reply is not kept beside the turn, in bytes.
    pub kept_bytes_max: usize,
}

/// Everything a turn is thought with.
#[derive(Clone, Copy)]
pub struct Agent<'a> {
    pub planner: &'a Planner,
    pub apis: &'a Apis,
    /// What the user has set for the APIs.
    pub own: &'a UserCredentials,
    pub budget: Budget,
    /// Whether a changing call is sent only after the user has said yes to it.
    pub confirm: bool,
    pub offering: Offering<'a>,
}

/// What the user wants, and what came before.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub instructions: &'a str,
    pub history: &'a [Turn],
    pub message: &'a str,
}

/// How far a turn has come.
#[derive(Debug, Default)]
pub struct Progress {
    pub rounds: Vec<Round>,
    pub usage: Option<Usage>,
    calls: u32,
    /// The functions that the planner is given in this turn; none: all.
    offered: Option<ToolSet>,
    /// Places of functions that it found and is given from its next move on.
    found: Vec<usize>,
}

/// The next move, checked.
#[derive(Debug)]
pub enum Thought {
    Calls(Batch),
    /// Markdown. The turn is done.
    Answer(String),
}

/// Calls that a planner asked for at once, in its order.
#[derive(Debug)]
pub struct Batch {
    pub said: Option<String>,
    pub calls: Vec<Prepared>,
}

/// A call that was looked up and checked.
#[derive(Debug)]
pub enum Prepared {
    Ready(Box<Ready>),
    /// Not sent in this turn: it changes something, or stands behind what does, and the user is asked first.
    Waiting(Box<Ready>),
    /// Reads a reply that was kept; nothing is sent.
    Reading(Box<Reading>),
    /// Answered already; nothing is sent.
    Answered(Box<ToolResult>),
    /// Goes back to the planner with the reason.
    Refused(ToolCall, Refusal),
}

impl Batch {
    /// The calls that may change something and can be sent, with their place in the batch.
    pub fn changing(&self) -> impl Iterator<Item = (usize, &Ready)> {
        self.calls.iter().enumerate().filter_map(|(i, call)| match call {
            Prepared::Ready(ready) if ready.effect == Effect::Changing => Some((i, &**ready)),
            Prepared::Ready(_) | Prepared::Waiting(_) | Prepared::Reading(_) | Prepared::Answered(_) | Prepared::Refused(..) => None,
        })
    }
}

impl Agent<'_> {
    /// Asks the planner for the next move and checks it.
    ///
    /// # Errors
    /// What the model's server did instead of answering.
    pub async fn think(&self, ask: Ask<'_>, progress: &mut Progress) -> Result<Thought, ModelError> {
        if progress.rounds.len() as u64 >= u64::from(self.budget.rounds_max) {
            return Ok(Thought::Answer(out_of_rounds(ask.message, &progress.rounds)));
        }
        self.offer(&ask, progress);
        let Ask { instructions, history, message } = ask;
        let tools = progress.offered.as_ref().unwrap_or(self.apis.tools());
        let plan = self.planner.plan(&Prompt { instructions, history, message, rounds: &progress.rounds, tools }).await?;
        if let Some(usage) = plan.usage {
            progress.usage = Some(progress.usage.unwrap_or_default().plus(usage));
        }
        match plan.next {
            Move::Answer(answer) => Ok(Thought::Answer(answer)),
            Move::Calls { said, calls } => {
                // One beyond the budget tells the planner that there is one; ten thousand would tell it no more.
                let calls = calls.into_iter().take(self.budget.calls_max as usize + 1).map(|call| self.prepare(call, progress)).collect();
                let batch = Batch { said, calls };
                Ok(Thought::Calls(if self.confirm { batch.keep_back() } else { batch }))
            }
        }
    }

    /// Looks one call up, checks its arguments and builds its request. Nothing is sent.
    fn prepare(&self, call: ToolCall, progress: &mut Progress) -> Prepared {
        if progress.calls >= self.budget.calls_max {
            return Prepared::Refused(call, Refusal::OverBudget);
        }
        progress.calls += 1;
        match self.reading(&call) {
            Some(Ok(reading)) => return Prepared::Reading(Box::new(reading)),
            Some(Err(refusal)) => return Prepared::Refused(call, refusal),
            None => {}
        }
        if let Some(result) = self.looked_up(&call, progress) {
            return Prepared::Answered(Box::new(result));
        }
        let arguments = match &call.arguments {
            Ok(arguments) => arguments,
            Err(text) => {
                let problem = format!("the arguments are no JSON object, or too long: {}", text.chars().take(200).collect::<String>());
                return Prepared::Refused(call, Refusal::InvalidArguments(vec![problem]));
            }
        };
        match self.ready(call.id.clone(), &call.name, arguments) {
            Ok(ready) => Prepared::Ready(Box::new(ready)),
            Err(refusal) => Prepared::Refused(call, refusal),
        }
    }

    /// A call of a named function with these arguments, ready to be sent.
    ///
    /// # Errors
    /// Why it cannot be: no such function, or all that is wrong with the arguments.
    pub fn ready(&self, id: String, name: &str, arguments: &Map<String, Value>) -> Result<Ready, Refusal> {
        let Some((api, operation)) = self.apis.operation(name) else {
            return Err(Refusal::UnknownFunction { near: self.apis.near(name) });
        };
        let request = operation.request(api.base_url_for_requests(), arguments).map_err(Refusal::InvalidArguments)?;
        let call = ToolCall { id, name: name.to_owned(), arguments: Ok(arguments.clone()) };
        Ok(Ready { call, api: Arc::clone(api), request, effect: operation.spec().effect, security: operation.security().cloned() })
    }
}

/// What is said when the planner would go on for ever.
fn out_of_rounds(message: &str, rounds: &[Round]) -> String {
    let language = Language::of_text(message);
    let stopped = match language {
        Language::English => format!("I stopped after {} rounds of calls without coming to an end. What I have so far:", rounds.len()),
        Language::Chinese => format!("经过 {} 轮调用仍未完成，我已停止。目前的结果：", rounds.len()),
    };
    let last = rounds.last().map_or_else(String::new, |round| results(&round.results, language));
    format!("{stopped}\n\n{last}")
}

/// Results as people read them.
pub fn results(results: &[ToolResult], language: Language) -> String {
    let shown: Vec<String> = results.iter().map(|result| shown(result, language)).collect();
    shown.join("\n\n")
}

/// One result as people read it.
pub fn shown(result: &ToolResult, language: Language) -> String {
    markdown::of_outcome(&result.outcome, language)
}

/// The sentence for a result that is no success; `None` for one that is.
pub fn error_of(result: &ToolResult) -> Option<String> {
    match &result.outcome {
        Outcome::Replied(reply) if (200..300).contains(&reply.status) => None,
        Outcome::Replied(reply) => Some(format!("the API answered with status {}", reply.status)),
        Outcome::Refused(Refusal::UnknownFunction { near }) if near.is_empty() => {
            Some(format!("there is no function {}", result.call.name))
        }
        Outcome::Refused(Refusal::UnknownFunction { near }) => {
            Some(format!("there is no function {}; close names: {}", result.call.name, near.join(", ")))
        }
        Outcome::Refused(Refusal::InvalidArguments(problems)) => Some(problems.join("; ")),
        Outcome::Refused(Refusal::OverBudget) => Some("the turn has no calls left".to_owned()),
        Outcome::Refused(Refusal::CredentialMissing(missing)) => Some(missing.sentence(Language::English)),
        Outcome::Refused(Refusal::CredentialUnusable { scheme, reason }) => Some(Refusal::unusable(scheme, reason, Language::English)),
        Outcome::Refused(Refusal::NeedsConfirmation { .. }) => Some("it was not sent: it needs the user's confirmation".to_owned()),
        Outcome::Refused(Refusal::Declined) => Some("it was not sent: the user did not confirm it".to_owned()),
        Outcome::Refused(Refusal::Outdated) => Some("it was not sent: it is no longer the request that was shown".to_owned()),
        Outcome::Failed(why) | Outcome::Unknown(why) => Some(why.clone()),
    }
}
