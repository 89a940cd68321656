//! One turn of thinking: prompt → plan → calls → results → … → answer. Knows no store and no web.
//!
//! An [`Agent`] is a view made for one turn; what lasts is the session. The caller drives it, one [`Agent::think`] a round and then one
//! [`Stretch`] of the batch after the other, so that what must be recorded between the plan and each call can be.

mod apis;
mod confirm;
mod fallback;
mod keyed;
mod looking;
mod meaning;
mod offer;
mod perform;
mod probing;
mod prompt;
mod reading;
mod repair;
mod resume;
mod trim;

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value};
use tokio::time::Instant;

pub use self::{
    apis::{Api, Apis},
    confirm::{Asking, without_how},
    fallback::is_away,
    meaning::Meaning,
    offer::{Offering, gives_some},
    perform::{Ready, Stretch},
    probing::seen,
    reading::{Reading, mark, size},
    resume::Begun,
    trim::{kept, kept_answer},
};
use crate::{
    domain::{
        language::Language,
        session::{Round, Turn, Usage},
        tool::{Effect, Outcome, Refusal, ToolCall, ToolResult},
        vector::Vector,
    },
    llm::{ModelError, Move, Offline, Planner, Price, Prompt, Recap, ToolSet, Words, tokens},
    markdown,
    openapi::Operation,
    redact::Redactor,
    upstream::UserCredentials,
};

/// What a planner is told where nothing may be changed: it would look for what there is not.
pub const READ_ONLY: &str = "\nNothing can be changed here: there are no functions that create, change or delete anything. \
                             If the user asks for that, say that this service only reads.";

/// What one turn may cost.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    pub rounds_max: u32,
    pub calls_max: u32,
    /// A larger reply is not kept beside the turn, in bytes.
    pub kept_bytes_max: usize,
    /// When the turn ends, whatever it has come to.
    pub until: Instant,
}

/// Everything a turn is thought with.
#[derive(Clone, Copy)]
pub struct Agent<'a> {
    pub planner: &'a Planner,
    /// Who takes a turn over whose model cannot be asked; none: nobody.
    pub fallback: Option<&'a Offline>,
    pub apis: &'a Apis,
    /// What the user has set for the APIs.
    pub own: &'a UserCredentials,
    /// The operator's secrets, which nobody is told.
    pub hidden: &'a Redactor,
    pub budget: Budget,
    /// Calls that are sent only after the user has said yes to them; none: what is called is a person's own act, and nobody is asked.
    pub asking: Option<&'a Asking>,
    pub offering: Offering<'a>,
    /// None: functions are found by words alone.
    pub meaning: Option<Meaning<'a>>,
}

/// What the user wants, and what came before.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub instructions: &'a str,
    pub history: &'a [Turn],
    /// What was said before that.
    pub summary: Option<Recap<'a>>,
    pub message: &'a str,
}

/// How far a turn has come.
#[derive(Debug, Default)]
pub struct Progress {
    pub rounds: Vec<Round>,
    pub usage: Option<Usage>,
    /// Tokens that were used, counted by the caller where they are bounded.
    pub tokens: u64,
    calls: u32,
    /// The functions that the planner is given in this turn; none: all.
    offered: Option<ToolSet>,
    /// Places of functions that it found and is given from its next move on.
    found: Vec<usize>,
    /// Whether the turn before it ended with a question.
    pub behind_question: bool,
    /// Whether the offline planner has taken the turn over.
    taken_over: fallback::TakenOver,
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
    /// Not sent in this turn: the user is asked first.
    Waiting(Box<Ready>),
    /// Not sent in this turn, and not asked about: it only reads, and stands behind what waits.
    Behind(Box<Ready>),
    /// Reads a reply that was kept; nothing is sent.
    Reading(Box<Reading>),
    /// Answered already; nothing is sent.
    Answered(Box<ToolResult>),
    /// Goes back to the planner with the reason.
    Refused(ToolCall, Refusal),
}

impl Thought {
    /// How many tokens it was for whoever thought it, by estimate.
    pub fn tokens(&self) -> u64 {
        match self {
            Self::Answer(answer) => tokens::in_json(answer),
            Self::Calls(batch) => {
                let said = batch.said.as_deref().map_or(0, tokens::in_json);
                let arguments = |result: ToolResult| match result.call.arguments {
                    Ok(arguments) => tokens::of(Value::Object(arguments).to_string().as_bytes()),
                    Err(text) => tokens::in_json(&text),
                };
                batch.not_sent().into_iter().map(arguments).fold(said, u64::saturating_add)
            }
        }
    }
}

impl Agent<'_> {
    /// Asks the planner for the next move and checks it. `words` is told the planner's text while it comes.
    ///
    /// # Errors
    /// What the model's server did instead of answering.
    pub async fn think(&self, ask: Ask<'_>, progress: &mut Progress, words: Option<Words<'_>>) -> Result<Thought, ModelError> {
        if let Some(answer) = self.unasked(&ask, progress) {
            return Ok(Thought::Answer(answer));
        }
        self.offer(&ask, progress).await;
        let (plan, taken_over) = self.plan(&self.prompt(&ask, progress), words, progress.taken_over).await;
        progress.taken_over = taken_over;
        let plan = plan?;
        if let Some(usage) = plan.usage {
            progress.usage = Some(progress.usage.unwrap_or_default().plus(usage));
        }
        match plan.next {
            Move::Answer(answer) => Ok(Thought::Answer(self.hidden.text(&answer).into_owned())),
            Move::Calls { mut said, mut calls } => {
                // Before a request is made of them: what is sent, shown, stored and made again later is the same.
                said.iter_mut().for_each(|said| self.hidden.in_text(said));
                calls.iter_mut().for_each(|call| self.hidden.in_call(call));
                // One beyond the budget tells the planner that there is one; ten thousand would tell it no more.
                calls.truncate(self.budget.calls_max as usize + 1);
                let meant = self.meant_by_searches(&calls, progress).await;
                let calls = calls.into_iter().map(|call| self.prepare(call, &meant, progress)).collect();
                Ok(Thought::Calls(self.keep_back(Batch { said, calls }, progress)))
            }
        }
    }

    /// What asking the planner for its next move costs at most; none if it is not asked, or costs nothing.
    pub async fn price(&self, ask: &Ask<'_>, progress: &mut Progress) -> Option<Price> {
        if self.unasked(ask, progress).is_some() {
            return None;
        }
        self.offer(ask, progress).await;
        self.planner.price_of(&self.prompt(ask, progress))
    }

    /// The answer of a turn in which the planner is not asked any more.
    fn unasked(&self, ask: &Ask<'_>, progress: &Progress) -> Option<String> {
        if progress.rounds.len() as u64 >= u64::from(self.budget.rounds_max) {
            return Some(out_of_rounds(ask.message, &progress.rounds));
        }
        repair::given_up(&progress.rounds, Language::of_text(ask.message))
    }

    /// What the planner looks at for its next move.
    fn prompt<'p>(&'p self, ask: &Ask<'p>, progress: &'p Progress) -> Prompt<'p> {
        let Ask { instructions, history, summary, message } = *ask;
        let tools = progress.offered.as_ref().unwrap_or(self.apis.tools());
        let until = Some(self.budget.until);
        Prompt { instructions, history, rounds: &progress.rounds, until, summary, ..Prompt::of(message, tools) }
    }

    /// What nobody is told in this turn: the operator's secrets, and those of the user that were used in it.
    pub fn hidden(&self) -> Redactor {
        self.hidden.and(&self.own.hidden())
    }

    /// Looks one call up, checks its arguments and builds its request. Nothing is sent. `meant` is what searches mean, as far as it is known.
    fn prepare(&self, call: ToolCall, meant: &HashMap<String, Vector>, progress: &mut Progress) -> Prepared {
        if progress.calls >= self.budget.calls_max {
            return Prepared::Refused(call, Refusal::OverBudget);
        }
        progress.calls += 1;
        match self.reading(&call) {
            Some(Ok(reading)) => return Prepared::Reading(Box::new(reading)),
            Some(Err(refusal)) => return Prepared::Refused(call, refusal),
            None => {}
        }
        if let Some(result) = self.looked_up(&call, meant, progress) {
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
            Ok(ready) if ready.effect == Effect::Changing && progress.is_unclear() => Prepared::Answered(Box::new(ready.after_unknown())),
            // Neither sent nor asked about again: the user has answered.
            Ok(ready) if self.is_declined(&ready, progress) => Prepared::Refused(call, Refusal::Declined),
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
        Self::ready_of(api, operation, id, name, arguments)
    }

    fn ready_of(api: &Arc<Api>, operation: &Operation, id: String, name: &str, arguments: &Map<String, Value>) -> Result<Ready, Refusal> {
        let request = operation.request(api.base_url_for_requests(), arguments).map_err(Refusal::InvalidArguments)?;
        let call = ToolCall { id, name: name.to_owned(), arguments: Ok(arguments.clone()) };
        let (effect, security) = (operation.spec().effect, operation.security().cloned());
        Ok(Ready::of(call, Arc::clone(api), request, effect, security, operation.key_header().map(str::to_owned)))
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
