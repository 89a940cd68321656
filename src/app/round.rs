//! One round of a turn: calls out, results in. What a changing call is about to do is in the journal before it is sent, and what came of
//! the one before it goes there in the same step, so that whoever goes on with the turn knows each call as what it is.

use std::mem;

use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{
    App, AppError,
    call_key::call_key,
    feed::{Feed, call_told},
    journal,
    lease::Held,
    work::unless_halted,
};
use crate::{
    agent::{Agent, Batch, Progress, Ready, Stretch},
    domain::{
        event::{CallTold, Event},
        session::{Round, Usage},
        tool::{Outcome, ToolResult},
        turn::CallStage,
    },
    redact::Redactor,
    store::contract::Entry,
};

/// How far a turn got, readable after it was stopped in the middle.
#[derive(Default)]
pub(super) struct SoFar {
    pub progress: Progress,
    /// The round that is being carried out, each call as what is known of it now.
    open: Option<Round>,
    /// Whether a changing call was sent, or may have been.
    pub changed: bool,
    /// Whether the user said no to a question, or anything else but yes: that is kept whatever becomes of the turn.
    pub declined: bool,
    /// The calls that waited for a yes and did not get one.
    pub dropped: Vec<ToolResult>,
    /// The fingerprint of what is served to it.
    pub served: Option<String>,
    /// The result of the last changing call, until a step has carried it into the journal.
    unjournaled: Vec<Entry>,
    /// Rounds whose plan is in the journal.
    planned: usize,
    /// Where what happens is told, if anybody follows the turn.
    feed: Option<Feed>,
}

impl SoFar {
    /// Nothing yet; what happens is told to this feed.
    pub fn told_to(feed: Option<&Feed>) -> Self {
        Self { feed: feed.cloned(), ..Self::default() }
    }

    /// Begins behind rounds that are over, and in the journal.
    pub fn begin_with(&mut self, rounds: Vec<Round>) {
        self.planned = rounds.len();
        self.progress = Progress::resumed(rounds);
    }

    /// What goes into the journal with the next step, if anything does.
    pub fn take_unjournaled(&mut self) -> Vec<Entry> {
        mem::take(&mut self.unjournaled)
    }

    pub fn feed(&self) -> Option<&Feed> {
        self.feed.as_ref()
    }

    /// Tells which calls of the last round wait for the user's yes.
    pub fn tell_question(&self, hidden: &Redactor) {
        let (Some(feed), Some((number, round))) = (&self.feed, self.progress.rounds.iter().enumerate().next_back()) else { return };
        let waiting = round.results.iter().enumerate().filter(|(_, result)| result.waits());
        let calls = waiting.map(|(at, result)| without(call_told(place(number, at), result, CallStage::Settled), hidden)).collect();
        feed.tell(Event::ConfirmationRequired { calls });
    }

    /// All rounds, the one that was not finished included, and what they cost.
    pub fn into_rounds(self) -> (Vec<Round>, Option<Usage>) {
        let mut rounds = self.progress.rounds;
        rounds.extend(self.open);
        (rounds, self.progress.usage)
    }
}

impl App {
    /// Carries out one round. Each changing call costs one step of the journal: the first one's holds the plan as well, and the result of the
    /// last one is left for whoever takes the next step. When the brake is pulled, a change that is out is awaited, and nothing more is sent.
    pub(super) async fn carry_out(&self, agent: &Agent<'_>, held: &Held, batch: Batch, so_far: &mut SoFar) -> Result<(), AppError> {
        let mut unclear = batch.is_unclear() || so_far.progress.is_unclear();
        let SoFar { progress, open, changed, unjournaled, planned, feed, .. } = so_far;
        let number = progress.rounds.len();
        let mut round =
            Carried::of(open.insert(Round { said: batch.said.clone(), results: batch.not_sent() }), number, feed.as_ref(), agent);
        let waiting = batch.waiting();
        for stretch in batch.into_stretches() {
            if held.brake.pulled().is_some() {
                break;
            }
            match stretch {
                Stretch::Reading(together) => {
                    for (at, ready) in &together {
                        round.begins(*at, ready.with(Outcome::Failed("no answer had come when the turn ended".to_owned())));
                    }
                    let send = |(at, ready): (usize, Box<Ready>)| async move { (at, agent.send(*ready, None).await) };
                    let mut answers: FuturesUnordered<_> = together.into_iter().map(send).collect();
                    while let Ok(Some((at, result))) = unless_halted(held, answers.next()).await {
                        round.ends(at, result);
                    }
                }
                Stretch::Changing(at, ready) if unclear => round.ends(at, ready.after_unknown()),
                Stretch::Changing(at, mut ready) => {
                    ready.keyed_by(&call_key(&held.lease.run, number, at));
                    let mut entries = mem::take(unjournaled);
                    // The plan first: rounds before this one that changed nothing have left no trace so far.
                    entries.extend(progress.rounds.iter().enumerate().skip(*planned).map(|(number, round)| self.plan(number, round)));
                    if *planned <= number {
                        entries.push(self.plan(number, round.round));
                    }
                    *planned = number + 1;
                    entries.push(journal::intent(number, at, &about_to_send(&ready)));
                    entries.extend(ready.key_header.as_deref().map(|header| journal::keyed(number, at, header)));
                    crate::fault::point("K7");
                    if !crate::fault::ablated("marker") {
                        crate::fault::during!("K8", 1, self.journal(held, &entries)).await?;
                    }
                    crate::fault::point("K9");
                    let result = if held.countdown.is_over() {
                        // The session may be another's by now.
                        ready.unsent("this replica may have lost the session")
                    } else if held.brake.pulled().is_some() {
                        ready.unsent("the turn was stopped before")
                    } else {
                        *changed = true;
                        round.begins(at, about_to_send(&ready));
                        let sending = crate::fault::during!("K11", 1000, agent.send(*ready, Some(&held.countdown)));
                        let sent = crate::fault::during!("K10", 1, sending).await;
                        agent.looked_after(sent).await
                    };
                    crate::fault::point("K12");
                    unclear = result.is_unknown();
                    unjournaled.push(journal::result(number, at, &result));
                    round.ends(at, result);
                }
            }
        }
        if held.brake.pulled().is_none() {
            // Until the user was asked they are told as not sent: a turn that was cut off has asked nothing.
            for (at, result) in waiting {
                round.put(at, result);
            }
        }
        round.close();
        if held.brake.pulled().is_some() && !unjournaled.is_empty() {
            // Whoever goes on with it, or reads what became of it, is told what came of the change that was out.
            self.journal(held, &mem::take(unjournaled)).await?;
        }
        progress.rounds.extend(open.take());
        Ok(())
    }

    /// A round for the journal, as it enters the history: what an API said is cut to size.
    fn plan(&self, number: usize, round: &Round) -> Entry {
        let mut kept = self.cut_to_keep(vec![round.clone()]);
        journal::plan(number, &kept.pop().unwrap_or_else(|| round.clone()))
    }
}

/// A changing call as it is known from the moment in which it may be on its way.
pub(super) fn about_to_send(ready: &Ready) -> ToolResult {
    ready.with(Outcome::Unknown("it was being sent when the turn ended".to_owned()))
}

/// A round that is being carried out: what is known of each call, and who is told.
struct Carried<'a> {
    round: &'a mut Round,
    number: usize,
    feed: Option<&'a Feed>,
    agent: &'a Agent<'a>,
    /// Places of calls whose end was told.
    told: Vec<usize>,
}

impl<'a> Carried<'a> {
    fn of(round: &'a mut Round, number: usize, feed: Option<&'a Feed>, agent: &'a Agent<'a>) -> Self {
        let carried = Self { round, number, feed, agent, told: Vec::new() };
        for (at, result) in carried.round.results.iter().enumerate() {
            carried.tell(at, result, CallStage::Planned);
        }
        carried
    }

    /// The call is about to be sent; `result` is what is known of it until it ends.
    fn begins(&mut self, at: usize, result: ToolResult) {
        self.tell(at, &result, CallStage::Dispatched);
        self.put(at, result);
    }

    fn ends(&mut self, at: usize, result: ToolResult) {
        self.tell(at, &result, CallStage::Settled);
        self.told.push(at);
        self.put(at, result);
    }

    /// Nothing more happens in it: what was not sent is told with its reason.
    fn close(self) {
        for (at, result) in self.round.results.iter().enumerate().filter(|(at, _)| !self.told.contains(at)) {
            self.tell(at, result, CallStage::Settled);
        }
    }

    fn put(&mut self, at: usize, result: ToolResult) {
        if let Some(place) = self.round.results.get_mut(at) {
            *place = result;
        }
    }

    fn tell(&self, at: usize, result: &ToolResult, stage: CallStage) {
        let Some(feed) = self.feed else { return };
        let call = without(call_told(place(self.number, at), result, stage), &self.agent.hidden());
        feed.tell(match stage {
            CallStage::Planned => Event::CallPlanned(call),
            CallStage::Dispatched => Event::CallStarted(call),
            CallStage::Settled => Event::CallFinished(call),
        });
    }
}

/// What is told of a call, without secrets: of the user's own they may be some that were not known when it was planned.
fn without(mut call: CallTold, hidden: &Redactor) -> CallTold {
    [&mut call.url, &mut call.error].into_iter().flatten().for_each(|text| hidden.in_text(text));
    call
}

fn place(round: usize, at: usize) -> String {
    format!("{round}.{at}")
}
