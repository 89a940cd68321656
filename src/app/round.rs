//! One round of a turn: calls out, results in. What a changing call is about to do is in the journal before it is sent, and what came of
//! the one before it goes there in the same step, so that a turn that is cut off anywhere tells every call as what it is.

use std::mem;

use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{App, AppError, lease::Held, orphans};
use crate::{
    agent::{Agent, Batch, Progress, Ready, Stretch},
    domain::{
        session::{Round, Usage},
        tool::{Outcome, ToolResult},
    },
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
    /// The fingerprint of what is served to it.
    pub served: Option<String>,
    /// The result of the last changing call, until a step has carried it into the journal.
    unjournaled: Vec<Entry>,
}

impl SoFar {
    /// What goes into the journal with the next step, if anything does.
    pub fn take_unjournaled(&mut self) -> Vec<Entry> {
        mem::take(&mut self.unjournaled)
    }

    /// All rounds, the one that was not finished included, and what they cost.
    pub fn into_rounds(self) -> (Vec<Round>, Option<Usage>) {
        let mut rounds = self.progress.rounds;
        rounds.extend(self.open);
        (rounds, self.progress.usage)
    }
}

impl App {
    /// Carries out one round. Each changing call costs one step of the journal: the first one's says what is planned after it as well, and
    /// the result of the last one is left for whoever takes the next step.
    pub(super) async fn carry_out(&self, agent: &Agent<'_>, held: &Held, batch: Batch, so_far: &mut SoFar) -> Result<(), AppError> {
        let SoFar { progress, open, changed, unjournaled, .. } = so_far;
        let number = progress.rounds.len();
        let round = open.insert(Round { said: batch.said.clone(), results: batch.not_sent() });
        let (waiting, later) = (batch.waiting(), batch.changing().skip(1));
        let mut planned: Vec<Entry> = later.map(|(at, ready)| orphans::planned(number, at, &about_to_send(ready))).collect();
        for stretch in batch.into_stretches() {
            match stretch {
                Stretch::Reading(together) => {
                    for (at, ready) in &together {
                        put(round, *at, ready.with(Outcome::Failed("no answer had come when the turn ended".to_owned())));
                    }
                    let send = |(at, ready): (usize, Box<Ready>)| async move { (at, agent.send(*ready, None).await) };
                    let mut answers: FuturesUnordered<_> = together.into_iter().map(send).collect();
                    while let Some((at, result)) = answers.next().await {
                        put(round, at, result);
                    }
                }
                Stretch::Changing(at, ready) => {
                    let mut entries = mem::take(unjournaled);
                    entries.push(orphans::intent(number, at, &about_to_send(&ready)));
                    entries.append(&mut planned);
                    self.journal(held, &entries).await?;
                    let result = if held.countdown.is_over() {
                        // The session may be another's by now.
                        ready.with(Outcome::Failed("the request was not sent: this replica may have lost the session".to_owned()))
                    } else {
                        *changed = true;
                        put(round, at, about_to_send(&ready));
                        agent.send(*ready, Some(&held.countdown)).await
                    };
                    unjournaled.push(orphans::result(number, at, &result));
                    put(round, at, result);
                }
            }
        }
        // Until the user was asked they are told as not sent: a turn that was cut off has asked nothing.
        for (at, result) in waiting {
            put(round, at, result);
        }
        progress.rounds.extend(open.take());
        Ok(())
    }
}

/// A changing call as it is known from the moment in which it may be on its way.
pub(super) fn about_to_send(ready: &Ready) -> ToolResult {
    ready.with(Outcome::Unknown("it was being sent when the turn ended".to_owned()))
}

fn put(round: &mut Round, at: usize, result: ToolResult) {
    if let Some(place) = round.results.get_mut(at) {
        *place = result;
    }
}
