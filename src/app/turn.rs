//! One turn of conversation: lease the session, let the agent work, save, release. It runs in a task of its own, so a client that
//! goes away loses nothing.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tracing::{Instrument, info, warn};

use super::{
    App, AppError,
    confirm::{self, Answered},
    lease::Held,
    orphans,
    round::SoFar,
};
use crate::{
    agent::{self, Ask, Thought},
    domain::{
        language::Language,
        limits::REPLAYED_BODY_BYTES_MAX,
        session::{Round, SessionId, Turn, Usage},
        tool::ToolResult,
    },
    markdown,
    secrets::{digest, random, tokens::Bearer},
    store::contract::{Begin, Begun, Commit, Idempotency, Lease, Started, StoreError},
};

/// How long a begin whose answer was lost is looked after, so that the session is not blocked for a whole lease.
const RELEASE_ATTEMPTS: u32 = 10;
const RELEASE_PAUSE: Duration = Duration::from_millis(500);

/// What a user wants in one turn.
#[derive(Debug, Clone)]
pub struct Request {
    pub message: String,
    /// What the client knows beside the message.
    pub context: Option<Map<String, Value>>,
    /// The client's idempotency key: the same request under the same key is done once.
    pub idempotency_key: Option<String>,
}

/// A finished turn.
#[derive(Debug, Clone)]
pub struct Report {
    pub run: String,
    pub session: SessionId,
    /// The language of what the user said.
    pub language: Language,
    /// The conversation's version after this turn.
    pub version: u64,
    pub answer: String,
    /// Whole results, not what the history keeps of them.
    pub rounds: Vec<Round>,
    pub usage: Option<Usage>,
    pub answered_ms: u64,
}

/// How a report becomes the bytes that the client gets: given by the edge, so that a repeated request gets the very same bytes.
pub type Render = fn(&App, &Bearer, &Report) -> Vec<u8>;

/// An answer for the client.
#[derive(Debug, Clone)]
pub struct Taken {
    pub body: Vec<u8>,
    /// None for the stored answer of an earlier, equal request.
    pub report: Option<Report>,
}

impl App {
    /// Takes one turn for a user. The turn goes on if the caller stops waiting.
    ///
    /// # Errors
    /// Why there is no answer; a turn that changed something always has one.
    pub async fn take_turn(&self, caller: &Bearer, request: Request, render: Render) -> Result<Taken, AppError> {
        let (app, caller) = (self.clone(), caller.clone());
        let task = async move { app.run_turn(&caller, &request, render).await };
        self.spawn(task.in_current_span())?.await.map_err(|_| AppError::Broken)?
    }

    async fn run_turn(&self, caller: &Bearer, request: &Request, render: Render) -> Result<Taken, AppError> {
        let digests = request.idempotency_key.as_deref().map(|key| Digests::of(caller, key, request));
        let idempotency = digests.as_ref().map(Digests::as_idempotency);
        let input = orphans::Input { message: request.message.clone(), at: self.now_ms(), call: None }.to_bytes();
        let run = new_run();
        let owner = self.new_owner();
        let turns = &self.settings().turns;
        let begin = Begin {
            caller: super::caller(caller),
            run: &run,
            owner: &owner,
            lease_ms: turns.lease_ms,
            // What the last turn asked is looked at even where the planner is told nothing of it.
            tail: turns.history_turns.max(1),
            input: &input,
            idempotency,
        };
        let (mut started, held) = match self.begin(begin).await? {
            Claimed::Started(started, held) => (started, held),
            Claimed::Replay(body) => return Ok(Taken { body, report: None }),
        };

        // A dead holder of the same request may have changed something: then its turn is told, not run again.
        let before = orphans::turns(&started.journal, started.now_ms);
        let (again, mut settled): (Vec<Turn>, Vec<Turn>) = before.into_iter().partition(|turn| turn.run == started.run);
        let repeated = again.into_iter().next().filter(|_| orphans::changed_anything(&started.run, &started.journal));

        let (turn, changed) = match repeated {
            // What it changed was changed before, and is told again whenever it is asked for.
            Some(turn) => (turn, false),
            None => {
                let mut history = std::mem::take(&mut started.visit.tail);
                let answered = confirm::answered(settled.last().or(history.last()), &request.message, started.now_ms);
                history.truncate(turns.history_turns);
                history.extend(settled.iter().cloned());
                let before = Before { history: &history, settled: &settled, answered };
                self.work(request, &started, &held, before, idempotency).await?
            }
        };
        let mut report = Report {
            run: turn.run.clone(),
            session: started.visit.session.id.clone(),
            language: Language::of_text(&request.message),
            version: started.visit.session.version + settled.len() as u64 + 1,
            answer: turn.answer.clone(),
            rounds: turn.rounds.clone(),
            usage: turn.usage,
            answered_ms: turn.answered_ms,
        };
        let mut body = render(self, caller, &report);
        if idempotency.is_some() && body.len() > REPLAYED_BODY_BYTES_MAX {
            // What is kept for repetitions is bounded, and the first answer is the same as every later one.
            report.rounds = self.cut_to_keep(report.rounds);
            body = render(self, caller, &report);
        }
        settled.push(Turn { rounds: self.cut_to_keep(turn.rounds), answer: agent::kept_answer(turn.answer), ..turn });
        let reply = idempotency.map(|i| (i, body.as_slice()));
        match self.commit(&held, Commit { turns: &settled, reply }).await {
            Ok(version) => report.version = version,
            // Told to come again, the user would have it changed twice. The journal, if it is still there, tells the next turn.
            Err(error) if changed => {
                warn!(run = %report.run, %error, "a turn that changed something is answered, but could not be stored: {error}");
            }
            Err(error) => return Err(error),
        }
        info!(
            user = %caller.user, run = %report.run, rounds = report.rounds.len(), duration_ms = self.now_ms().saturating_sub(started.now_ms),
            "turn of {} finished after {} rounds of calls", caller.user, report.rounds.len()
        );
        Ok(Taken { body, report: Some(report) })
    }

    /// Lets the agent work while the lease is kept, within the turn's deadline. Beside the turn: whether it changed anything.
    async fn work(
        &self,
        request: &Request,
        started: &Started,
        held: &Held,
        before: Before<'_>,
        idempotency: Option<Idempotency<'_>>,
    ) -> Result<(Turn, bool), AppError> {
        let asked_ms = started.now_ms;
        let mut so_far = SoFar::default();
        let deadline = Duration::from_millis(self.settings().turns.deadline_ms);
        let ended = tokio::select! {
            answer = self.think_and_call(request, held, &before, &mut so_far) => answer.map(End::Answer),
            lost = self.keep(held) => Err(lost),
            () = tokio::time::sleep(deadline) => Ok(End::Deadline),
        };
        let (changed, declined, served) = (so_far.changed, so_far.declined, so_far.served.take());
        let (mut rounds, usage) = so_far.into_rounds();
        if !matches!(ended, Ok(End::Answer(_))) {
            confirm::never_asked(&mut rounds);
        }
        let language = Language::of_text(&request.message);
        let answer = match ended {
            Ok(End::Answer(answer)) => answer,
            Ok(End::Deadline) => {
                stopped(&rounds, language, language.choose("The turn took too long and was stopped.", "本次处理超时，已停止。"))
            }
            // What was said instead of a yes, if it left no trace, would leave the question open to a later one.
            Err(AppError::Model(error)) if changed || declined => {
                warn!(run = %started.run, %error, "the model failed in a turn that must be told: {error}");
                stopped(
                    &rounds,
                    language,
                    language.choose("The model became unavailable before it could answer.", "模型在回答之前变得不可用。"),
                )
            }
            // Told to come again, the user would have it changed twice.
            Err(error @ (AppError::Store(_) | AppError::LeaseLost { .. })) if changed => {
                warn!(run = %started.run, %error, "the session was lost after calls that changed something: {error}");
                let sentence = match error {
                    AppError::LeaseLost { .. } => language.choose("The session was lost in the middle.", "会话在处理中途丢失。"),
                    _ => language.choose("The session store became unavailable in the middle.", "会话存储在处理中途变得不可用。"),
                };
                stopped(&rounds, language, sentence)
            }
            Err(AppError::Model(error)) => {
                // Nothing was changed, so the turn leaves no trace, and the same request may be made again.
                let reply = idempotency.map(|i| (i, &b""[..]));
                self.commit(held, Commit { turns: before.settled, reply }).await?;
                return Err(AppError::Model(error));
            }
            Err(error) => return Err(error),
        };
        let turn = Turn {
            run: started.run.clone(),
            asked_ms,
            message: request.message.clone(),
            rounds,
            answered_ms: self.now_ms(),
            answer,
            usage,
            served,
        };
        Ok((turn, changed))
    }

    /// Rounds of plan and calls until there is an answer.
    async fn think_and_call(&self, request: &Request, held: &Held, before: &Before<'_>, so_far: &mut SoFar) -> Result<String, AppError> {
        // What is served may change in the middle; the turn ends on what it began with.
        let served = self.served();
        so_far.served = Some(served.apis.fingerprint().to_owned());
        let own = self.credentials_of(&held.lease.user);
        let agent = self.agent(&served, &own);
        let mut instructions = served.apis.instructions(self.now_ms(), request.context.as_ref());
        if agent.confirm {
            instructions.push_str(agent::PLANNERS_PART);
        }
        let answered = match &before.answered {
            Some(Answered::Yes(asked)) => Some(agent.agreed(asked, &mut so_far.progress)),
            Some(Answered::No(asked)) => {
                so_far.declined = true;
                Some(agent.declined(asked))
            }
            Some(Answered::Otherwise) => {
                so_far.declined = true;
                None
            }
            None => None,
        };
        if let Some(batch) = answered {
            self.carry_out(&agent, held, batch, so_far).await?;
        }
        loop {
            let ask = Ask { instructions: &instructions, history: before.history, message: &request.message };
            // Replies that the planner is not told whole are kept while it thinks.
            let unkept = agent.mark(&mut so_far.progress);
            let keeping = self.keep_results(&held.lease.user, unkept);
            let results = so_far.take_unjournaled();
            let thought = if results.is_empty() {
                tokio::join!(keeping, agent.think(ask, &mut so_far.progress)).1
            } else {
                // The result of the last changing call is journaled while the planner thinks.
                let ((), journaled, thought) = tokio::join!(keeping, self.journal(held, &results), agent.think(ask, &mut so_far.progress));
                journaled?;
                thought
            };
            self.health().model_did(thought.as_ref().err().copied());
            match thought.map_err(AppError::Model)? {
                Thought::Answer(answer) => return Ok(answer),
                Thought::Calls(batch) => {
                    let batch = self.read_kept(&agent, &held.lease.user, batch, &so_far.progress).await;
                    let question = batch.question(Language::of_text(&request.message));
                    self.carry_out(&agent, held, batch, so_far).await?;
                    if let Some(question) = question {
                        self.keep_results(&held.lease.user, agent.mark(&mut so_far.progress)).await;
                        return Ok(question);
                    }
                }
            }
        }
    }

    /// Asks the store for the session.
    pub(super) async fn begin(&self, begin: Begin<'_>) -> Result<Claimed, AppError> {
        let asked = Instant::now();
        match self.store().begin(begin).await {
            Ok(Begun::Started(started)) => {
                let lease = Lease { user: begin.caller.user.clone(), run: started.run.clone(), token: started.token.clone() };
                Ok(Claimed::Started(started, Held::new(lease, begin.lease_ms, asked)))
            }
            Ok(Begun::Replay(body)) => Ok(Claimed::Replay(body)),
            Ok(Begun::Refused(refused)) => Err(refused.into()),
            Ok(Begun::Busy { run, left_ms }) => Err(AppError::Busy { run, left_ms }),
            Ok(Begun::InFlight { run }) => Err(AppError::InFlight { run }),
            Ok(Begun::Lost { run }) => Err(AppError::Lost { run }),
            Ok(Begun::KeyReused) => Err(AppError::KeyReused),
            Err(error) => {
                if error == StoreError::Unavailable {
                    self.release_later(begin);
                }
                Err(error.into())
            }
        }
    }

    /// The store did not answer, but may have done what it was asked: that is undone as soon as it can be reached, unless somebody has
    /// come after it.
    fn release_later(&self, begin: Begin<'_>) {
        let (app, user, token_id, issued_ms) =
            (self.clone(), begin.caller.user.clone(), begin.caller.token_id.to_owned(), begin.caller.issued_ms);
        let (run, owner, lease_ms) = (begin.run.to_owned(), begin.owner.to_owned(), begin.lease_ms);
        let keyed = begin.idempotency.map(|i| (i.key.to_owned(), i.fingerprint.to_owned()));
        let release = async move {
            for _ in 0..RELEASE_ATTEMPTS {
                tokio::time::sleep(RELEASE_PAUSE).await;
                let caller = crate::store::contract::Caller { user: &user, token_id: &token_id, issued_ms };
                let idempotency = keyed.as_ref().map(|(key, fingerprint)| Idempotency { key, fingerprint });
                let begun = Begin { caller, run: &run, owner: &owner, lease_ms, tail: 0, input: b"", idempotency };
                if app.store().release(&begun).await.is_ok() {
                    return;
                }
            }
        };
        // If the process is going down there is nobody to look after it: the lease lapses by itself.
        let _ = self.spawn(release);
    }
}

/// What `begin` came to, if it came to anything.
pub(super) enum Claimed {
    Started(Box<Started>, Held),
    Replay(Vec<u8>),
}

/// What lies before a turn.
struct Before<'a> {
    /// What the planner is told of it, oldest first.
    history: &'a [Turn],
    /// The part of it that is not stored yet: runs that never ended.
    settled: &'a [Turn],
    /// What this turn's message says to the question of the last one.
    answered: Option<Answered>,
}

enum End {
    Answer(String),
    Deadline,
}

/// Digests of a client's key and of what it asks, scoped to the caller.
struct Digests {
    key: String,
    fingerprint: String,
}

impl Digests {
    fn of(caller: &Bearer, key: &str, request: &Request) -> Self {
        let context = request.context.as_ref().map(|c| Value::Object(c.clone()).to_string()).unwrap_or_default();
        Self {
            key: digest::of(&[caller.user.as_str().as_bytes(), b"process", key.as_bytes()]),
            fingerprint: digest::of(&[request.message.as_bytes(), context.as_bytes()]),
        }
    }

    fn as_idempotency(&self) -> Idempotency<'_> {
        Idempotency { key: &self.key, fingerprint: &self.fingerprint }
    }
}

/// An id for a new run, in the order of time (RFC 9562, UUIDv7).
pub(super) fn new_run() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

impl App {
    /// Who asks for a lease: this replica, with a nonce for this attempt.
    pub(super) fn new_owner(&self) -> String {
        format!("{}#{}", self.replica(), random::hex_of(8))
    }
}

/// What is said when a turn ends without the planner's own answer.
fn stopped(rounds: &[Round], language: Language, sentence: &str) -> String {
    let results: Vec<String> = rounds.iter().flat_map(|round| &round.results).map(|result| told(result, language)).collect();
    if results.is_empty() {
        return sentence.to_owned();
    }
    let far = language.choose("What was done until then:", "到此为止的结果：");
    format!("{sentence} {far}\n\n{}", results.join("\n\n"))
}

/// One call with what came of it, for whoever did not see it being planned.
fn told(result: &ToolResult, language: Language) -> String {
    let request = result.request.as_ref().map_or_else(String::new, |r| format!(" `{} {}`", r.method, r.url));
    format!("**{}**{request}\n\n{}", markdown::inline(&result.call.name), agent::shown(result, language))
}
