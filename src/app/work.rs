//! Working on a run that this replica holds, to its end: the agent thinks and calls while the lease is kept, and what came of it is stored.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tracing::{Instrument, Span, info, warn};

use super::{
    App, AppError,
    budget::{self, Allowed, Used},
    confirm::{self, Answered},
    feed::{Feed, FeedEnd},
    journal::{Input, JournaledRound},
    lease::{End, Halt, Held, Tallied},
    round::SoFar,
    runs::Fate,
    told::{self, Why},
    turn::Report,
};
use crate::{
    agent::{self, Agent, Ask, Batch, Thought},
    domain::{
        language::Language,
        limits::REPLAYED_BODY_BYTES_MAX,
        session::{Revision, Round, Turn, waiting},
        turn::{CallStage, Ending},
        user::{Role, UserName},
    },
    llm::{Heard, Recap, Words},
    metrics::{self, Stage, metrics},
    secrets::tokens::Bearer,
    spans,
    store::contract::{Started, StoreError},
    upstream::UserCredentials,
};

/// What a span tells of how a turn ended.
fn told_of(span: &Span, worked: &Result<Worked, AppError>) {
    match worked {
        Ok(Worked { report, .. }) => {
            spans::set(span, "saa.turn.ending", report.ending.as_str());
            spans::say(span, "gen_ai.output.messages", || spans::message("assistant", &report.answer));
            spans::used(span, report.usage);
            if matches!(report.ending, Ending::UnknownOutcome | Ending::Failed | Ending::Killed) {
                spans::failed(span, report.ending.as_str());
            }
        }
        Err(_) => spans::failed(span, "no_answer"),
    }
}

/// A run that this replica holds.
pub(super) struct Run {
    pub user: UserName,
    /// Who waits for its answer. If nobody does, what goes wrong is told in the conversation.
    pub caller: Option<Bearer>,
    pub input: Input,
    /// It did not begin as soon as it was asked for: it waited for the session, or another replica had it.
    pub taken: bool,
    pub started: Started,
    pub held: Held,
}

/// What came of a run.
pub(super) struct Worked {
    pub body: Vec<u8>,
    pub report: Report,
    /// Whether the store has it, or another ended the run.
    pub stored: bool,
}

/// What lies before a turn.
struct Before<'a> {
    /// Of the user, as the account has it now.
    role: Role,
    /// What the planner is told of it, oldest first.
    history: &'a [Turn],
    /// What was said before that.
    summary: Option<Recap<'a>>,
    /// Whether the last turn ended with a question.
    behind_question: bool,
    /// What this turn's message says to it.
    answered: Option<Answered>,
}

/// The detail of a turn that ends because its session was lost, or the store.
const SESSION_LOST: &str = "session_lost";

/// How working on a turn ended.
enum Stopped {
    Answer(String),
    /// It could need more tokens than a turn may use.
    TurnSpent,
    Deadline,
    Halted(Halt),
}

/// A turn that is to be stored.
struct Made {
    turn: Turn,
    ending: Ending,
    detail: &'static str,
    /// Whether it changed something.
    changed: bool,
}

impl App {
    /// Works on a turn to its end, and tells what happens to those who follow it. `begun` are the rounds that another replica began; `settled`
    /// are turns of runs that never ended, which are stored with it.
    pub(super) async fn work(&self, run: Run, begun: Vec<JournaledRound>, settled: Vec<Turn>) -> Result<Worked, AppError> {
        let asked_elsewhere = run.input.trace.as_deref().filter(|_| run.taken);
        let span = spans::turn(&run.started.run, run.started.visit.session.id.as_str(), asked_elsewhere);
        spans::set(&span, "saa.replica", self.replica().to_owned());
        let feed = self.feeds().of(&run.started.run);
        let worked = Box::pin(self.work_on(run, begun, settled, feed.as_ref())).instrument(span.clone()).await;
        told_of(&span, &worked);
        let Some(feed) = feed else { return worked };
        let stored = worked.as_ref().ok().filter(|worked| worked.stored);
        // Of a run that somebody stopped the store is asked: it may have been a logout, and then its followers are out.
        let stored = stored.filter(|worked| !matches!(worked.report.ending, Ending::Cancelled | Ending::Killed));
        self.close_feed(&feed, stored.map(|worked| FeedEnd { message: worked.report.answer.clone(), body: worked.body.clone() }));
        worked
    }

    async fn work_on(
        &self,
        mut run: Run,
        begun: Vec<JournaledRound>,
        mut settled: Vec<Turn>,
        feed: Option<&Feed>,
    ) -> Result<Worked, AppError> {
        let (began, started_ms) = (Instant::now(), run.started.now_ms);
        let mut history = std::mem::take(&mut run.started.visit.tail);
        let made = {
            // A plan that was made already has the user's answer in it.
            let (last, said_ms) = (settled.last().or(history.last()), run.taken.then_some(run.input.at));
            let behind_question = last.is_some_and(|last| waiting(&last.rounds).next().is_some());
            let answered = begun.is_empty().then(|| confirm::answered(last, &run.input.message, said_ms, started_ms));
            history.truncate(self.settings().turns.history_turns);
            history.extend(settled.iter().cloned());
            history.iter_mut().for_each(|turn| self.hidden().in_turn(turn));
            let first = run.started.visit.first;
            let summary = run.started.summary.as_ref().map(|summary| Recap { text: &summary.text, of_older: summary.first < first });
            let (role, answered) = (run.started.visit.role, answered.flatten());
            let before = Before { role, history: &history, summary, behind_question, answered };
            Box::pin(self.think_until_the_end(&run, begun, before, feed)).await?
        };
        let Made { turn, ending, detail, changed } = made;
        let lost_in_the_middle = detail == SESSION_LOST;
        let mut report = self.report(&run, &turn, ending, settled.len());
        let mut body = (self.rendering().turn)(self, &run.user, &report);
        if run.input.key.is_some() && body.len() > REPLAYED_BODY_BYTES_MAX {
            // What is kept for repetitions is bounded, and the first answer is the same as every later one.
            report.rounds = self.cut_to_keep(report.rounds);
            body = (self.rendering().turn)(self, &run.user, &report);
        }
        settled.push(Turn { rounds: self.cut_to_keep(turn.rounds), answer: agent::kept_answer(turn.answer), ..turn });
        let outgoing = self.outgoing(&run.user, &run.started, &history.iter().chain(settled.last()).collect::<Vec<_>>());
        let reply = run.input.key.clone().map(|key| (key, body.clone()));
        let tallied = Tallied::of(&settled);
        let end = End { turns: settled, reply, ending, accepted_ms: run.input.at, detail, tallied };
        let mut stored = true;
        if let Some(feed) = feed {
            // After the commit the run tells nothing more; those who follow it elsewhere would miss what was told last.
            feed.say_rest();
            self.write_now(feed).await;
        }
        match self.commit(&run.held, &end).await {
            Ok(version) => {
                report.revision.version = version;
                outgoing.into_iter().for_each(|outgoing| self.summarise_later(outgoing));
            }
            // It is stored, but could be lost still: what is acknowledged must not be. The client finds it under its run.
            Err(AppError::Store(StoreError::NotDurable)) => {
                self.end_later(&run.held, end);
                return Err(AppError::AnswerNotDurable { run: report.run });
            }
            // Whoever ended it says how it ended; what was changed is told all the same.
            Err(AppError::LeaseLost { run: lost }) if changed => match self.fate_for(&run, &lost).await {
                Fate::Elsewhere => return Err(AppError::LeaseLost { run: lost }),
                Fate::Ended(ending) => {
                    report.ending = ending;
                    // Under a lease that still counted only a kill can have ended it, and then nobody else had it.
                    let others = ending != Ending::Killed || run.held.countdown.is_over();
                    if let Some(doubt) = others.then(|| told::doubt(&mut report.rounds, report.language)).flatten() {
                        let said = if lost_in_the_middle { told::session_lost(&report.rounds, report.language) } else { report.answer };
                        report.answer = format!("{said}\n\n{doubt}");
                    }
                    body = (self.rendering().turn)(self, &run.user, &report);
                }
                Fate::NotKnown => {
                    warn!(run = %lost, "a turn that changed something is answered, but what became of its run is not known");
                    stored = false;
                }
            },
            // Told to come again, the user would have it changed twice.
            Err(error) if changed => {
                warn!(run = %report.run, %error, "a turn that changed something is answered, but could not be stored yet: {error}");
                self.end_later(&run.held, end);
                stored = false;
            }
            Err(error) => return Err(self.given_up(&run, error)),
        }
        crate::fault::point("K14");
        metrics().stage(Stage::Turn, began);
        info!(
            user = %run.user, run = %report.run, rounds = report.rounds.len(), ending = ending.as_str(),
            duration_ms = self.now_ms().saturating_sub(started_ms),
            "turn of {} finished after {} rounds of calls", run.user, report.rounds.len()
        );
        Ok(Worked { body, report, stored })
    }

    /// Nothing was changed, and the client is told to come again: then it is not gone on with either.
    fn given_up(&self, run: &Run, error: AppError) -> AppError {
        if is_away(&error) && run.caller.is_some() {
            self.end_later(&run.held, nothing(&run.input, "store_unavailable"));
        }
        error
    }

    async fn fate_for(&self, run: &Run, lost: &str) -> Fate {
        match &run.caller {
            Some(caller) => self.fate_of(caller, lost).await,
            // Nobody waits for an answer: whoever has it now ends it.
            None => Fate::Elsewhere,
        }
    }

    /// What is told of a turn that is about to be stored behind `settled` others.
    fn report(&self, run: &Run, turn: &Turn, ending: Ending, settled: usize) -> Report {
        let session = &run.started.visit.session;
        let version = session.version + settled as u64 + 1;
        let revision = Revision { session: session.id.clone(), fence: run.started.token.fence(), version };
        Report::of(turn, ending, revision)
    }

    /// Lets the agent work while the lease is kept, within the turn's deadline.
    async fn think_until_the_end(
        &self,
        run: &Run,
        begun: Vec<JournaledRound>,
        before: Before<'_>,
        feed: Option<&Feed>,
    ) -> Result<Made, AppError> {
        let Run { input, started, held, .. } = run;
        let detached = run.caller.is_none();
        let mut so_far = SoFar::told_to(feed);
        let own = self.credentials_of(&held.lease.user);
        let deadline = Duration::from_millis(self.settings().turns.deadline_ms);
        let ended = tokio::select! {
            ended = self.think_and_call(input, held, &own, &before, begun, &mut so_far) => ended,
            lost = self.keep(held) => Err(lost),
            () = tokio::time::sleep(deadline) => Ok(Stopped::Deadline),
        };
        let (changed, declined, served, dropped) =
            (so_far.changed, so_far.declined, so_far.served.take(), std::mem::take(&mut so_far.dropped));
        let (mut rounds, usage) = so_far.into_rounds();
        if !matches!(ended, Ok(Stopped::Answer(_))) {
            confirm::never_asked(&mut rounds);
        }
        let language = Language::of_text(&input.message);
        let ended_as = |ending| told::ended_as(ending, &rounds);
        let stopped = |english, chinese| told::stopped(&rounds, language, language.choose(english, chinese));
        let (mut answer, ending, detail) = match ended {
            Ok(Stopped::Answer(answer)) => (answer, ended_as(Ending::Answered), ""),
            Ok(Stopped::Deadline) => {
                (stopped("The turn took too long and was stopped.", "本次处理超时，已停止。"), ended_as(Ending::Failed), "deadline")
            }
            Ok(Stopped::TurnSpent) => {
                let why = budget::turn_spent(self.settings().turns.tokens_max, language);
                (told::stopped(&rounds, language, &why), ended_as(Ending::Failed), "turn_tokens")
            }
            // What has begun is told: only a turn of which nothing is done yet leaves no trace.
            Err(AppError::BudgetExhausted(exhausted)) if changed || declined || detached || !rounds.is_empty() => {
                let answer = told::stopped(&rounds, language, &exhausted.sentence(language));
                (answer, ended_as(Ending::Failed), "budget_exhausted")
            }
            Err(error @ AppError::BudgetExhausted(_)) => {
                self.commit(held, &nothing(input, "budget_exhausted")).await?;
                return Err(error);
            }
            Ok(Stopped::Halted(Halt::HandOver)) => return Err(self.hand_over(held).await),
            Ok(Stopped::Halted(Halt::Stop(stop))) => {
                let why = Why::Stopped(stop);
                let (ending, detail) = why.ending();
                (told::stopped(&rounds, language, why.sentence(language)), ended_as(ending), detail)
            }
            // What was said instead of a yes, if it left no trace, would leave the question open to a later one.
            Err(AppError::Model(error)) if changed || declined || detached => {
                warn!(run = %started.run, %error, "the model failed in a turn that must be told: {error}");
                let answer = stopped("The model became unavailable before it could answer.", "模型在回答之前变得不可用。");
                (answer, ended_as(Ending::Failed), "model_unavailable")
            }
            // A replica that slept too long: the run goes on without it, and its client is told what came of it there.
            Err(AppError::LeaseLost { run: lost }) if changed && self.fate_for(run, &lost).await == Fate::Elsewhere => {
                return Err(AppError::LeaseLost { run: lost });
            }
            // Told to come again, the user would have it changed twice.
            Err(error @ (AppError::Store(_) | AppError::LeaseLost { .. })) if changed && !detached => {
                warn!(run = %started.run, %error, "the session was lost after calls that changed something: {error}");
                let answer = match error {
                    AppError::LeaseLost { .. } => told::session_lost(&rounds, language),
                    _ => stopped("The session store became unavailable in the middle.", "会话存储在处理中途变得不可用。"),
                };
                (answer, ended_as(Ending::Failed), SESSION_LOST)
            }
            Err(AppError::Model(error)) => {
                // Nothing was changed, so the turn leaves no trace, and the same request may be made again.
                self.commit(held, &nothing(input, "model_unavailable")).await?;
                return Err(AppError::Model(error));
            }
            Err(error) => return Err(self.given_up(run, error)),
        };
        // Whoever has said something else than a yes may think that it still waits.
        if let Some(dropped) = told::dropped(&dropped, &rounds, language) {
            let behind = format!("\n\n{dropped}");
            feed.iter().for_each(|feed| feed.say_behind(&behind));
            answer.push_str(&behind);
        }
        let mut turn = Turn {
            run: started.run.clone(),
            asked_ms: started.now_ms,
            message: input.message.clone(),
            rounds,
            answered_ms: self.now_ms(),
            answer,
            usage,
            served,
        };
        self.hidden().and(&own.hidden()).in_turn(&mut turn);
        spans::say(&Span::current(), "gen_ai.input.messages", || spans::message("user", &turn.message));
        Ok(Made { turn, ending, detail, changed })
    }

    /// Rounds of plan and calls until there is an answer, or the brake is pulled.
    async fn think_and_call(
        &self,
        input: &Input,
        held: &Held,
        own: &UserCredentials,
        before: &Before<'_>,
        begun: Vec<JournaledRound>,
        so_far: &mut SoFar,
    ) -> Result<Stopped, AppError> {
        // What is served may change in the middle; the turn ends on what it began with.
        let all = self.served();
        let served = all.to(before.role);
        so_far.served = Some(served.apis.fingerprint().to_owned());
        let asking = all.asking(before.role);
        let agent = Agent { asking: Some(asking), ..self.agent(served, own) };
        let mut instructions = served.apis.instructions(self.now_ms(), input.context.as_ref());
        instructions.push_str(asking.planners_part());
        if self.settings().agent.read_only {
            instructions.push_str(agent::READ_ONLY);
        }
        self.hidden().in_text(&mut instructions);
        let resumed = so_far.resume(&agent, begun);
        so_far.progress.behind_question = before.behind_question;
        if let Some(rest) = resumed {
            let rest = agent.looked_after_rest(rest).await;
            self.carry_out(&agent, held, rest, so_far).await?;
        }
        let answered = match &before.answered {
            Some(Answered::Yes(asked)) => Some(agent.agreed(asked, &mut so_far.progress)),
            Some(Answered::No(asked)) => {
                so_far.declined = true;
                Some(agent.declined(asked))
            }
            Some(Answered::Otherwise(asked)) => {
                so_far.declined = true;
                so_far.dropped.clone_from(asked);
                None
            }
            None => None,
        };
        if let Some(batch) = answered {
            crate::fault::point("K6");
            self.carry_out(&agent, held, batch, so_far).await?;
        }
        loop {
            let ask = Ask { instructions: &instructions, history: before.history, summary: before.summary, message: &input.message };
            let set_aside = match self.may_think(&held.lease.user, &agent, &ask, &mut so_far.progress).await? {
                Allowed::Yes(set_aside) => set_aside,
                Allowed::TurnSpent => {
                    metrics().budget_exhausted(metrics::Whose::Turn);
                    return Ok(Stopped::TurnSpent);
                }
            };
            let usage = so_far.progress.usage;
            // Replies that the planner is not told whole are kept while it thinks.
            let unkept = agent.mark(&mut so_far.progress);
            let session = held.lease.session();
            let keeping = self.keep_results(&session, unkept);
            let results = so_far.take_unjournaled();
            crate::fault::point("K3");
            let followed = so_far.feed().map(|feed| (feed.clone(), agent.hidden().spoken()));
            let say = |heard: Heard<'_>| {
                if let Some((feed, spoken)) = &followed {
                    match heard {
                        Heard::Piece(piece) => feed.say(&spoken.piece(piece)),
                        Heard::Anew => {
                            spoken.forget();
                            feed.say_anew();
                        }
                    }
                }
            };
            let words: Option<Words<'_>> = followed.is_some().then_some(&say);
            let began = Instant::now();
            let thinking = async {
                // On the heap, like all deep parts: what holds them is moved several times before it runs.
                let thought = unless_halted(held, Box::pin(agent.think(ask, &mut so_far.progress, words))).await;
                metrics().stage(Stage::Model, began);
                thought
            };
            let thought = if results.is_empty() {
                tokio::join!(keeping, thinking).1
            } else {
                // The result of the last changing call is journaled while the planner thinks.
                let ((), journaled, thought) = tokio::join!(keeping, self.journal(held, &results), thinking);
                journaled?;
                crate::fault::point("K13");
                thought
            };
            let (before, after) = (usage.unwrap_or_default(), so_far.progress.usage.unwrap_or_default());
            metrics().tokens(
                after.prompt_tokens.saturating_sub(before.prompt_tokens),
                after.completion_tokens.saturating_sub(before.completion_tokens),
            );
            let used = Used::of(thought.as_ref().ok(), usage, &so_far.progress);
            self.thought(set_aside, used, &mut so_far.progress).await;
            let thought = match thought {
                Ok(thought) => thought,
                Err(halt) => return Ok(Stopped::Halted(halt)),
            };
            followed.iter().for_each(|(feed, spoken)| feed.say(&spoken.rest()));
            so_far.progress.model_did(&thought).into_iter().for_each(|did| self.health().model_did(did));
            crate::fault::point("K4");
            match thought.map_err(AppError::Model)? {
                Thought::Answer(answer) => return Ok(Stopped::Answer(answer)),
                Thought::Calls(batch) => {
                    let batch = self.read_kept(&agent, &held.lease.user, batch, &so_far.progress).await;
                    let question = batch.question(Language::of_text(&input.message), agent.is_warned(&so_far.progress));
                    self.carry_out(&agent, held, batch, so_far).await?;
                    if let Some(question) = question.filter(|_| held.brake.pulled().is_none()) {
                        so_far.tell_question(&agent.hidden());
                        self.keep_results(&held.lease.session(), agent.mark(&mut so_far.progress)).await;
                        return Ok(Stopped::Answer(question));
                    }
                }
            }
            if let Some(halt) = held.brake.pulled() {
                return Ok(Stopped::Halted(halt));
            }
        }
    }
}

/// The end of a run that leaves no trace but that it was there; its key is free again.
fn nothing(input: &Input, detail: &'static str) -> End {
    let reply = input.key.clone().map(|key| (key, Vec::new()));
    End { turns: Vec::new(), reply, ending: Ending::Failed, accepted_ms: input.at, detail, tallied: Tallied::default() }
}

/// What comes of some work, or why the run goes no further.
pub(super) async fn unless_halted<T>(held: &Held, work: impl Future<Output = T>) -> Result<T, Halt> {
    tokio::select! {
        biased;
        () = held.brake.wait() => Err(held.brake.pulled().unwrap_or(Halt::HandOver)),
        done = work => Ok(done),
    }
}

impl SoFar {
    /// Takes the rounds over that another replica began. What is left to do of the last of them comes back, if anything is.
    fn resume(&mut self, agent: &agent::Agent<'_>, mut begun: Vec<JournaledRound>) -> Option<Batch> {
        let last = begun.pop()?;
        self.changed = !begun.is_empty() || last.calls.iter().any(|call| call.stage != CallStage::Planned);
        let whole = |JournaledRound { said, calls }| Round { said, results: calls.into_iter().map(|call| call.result).collect() };
        self.begin_with(begun.into_iter().map(whole).collect());
        Some(agent.rest_of(last.said, last.calls))
    }
}

/// Whether an error means that the store could not be asked.
pub(super) fn is_away(error: &AppError) -> bool {
    matches!(error, AppError::Store(StoreError::Unavailable | StoreError::NotDurable))
}
