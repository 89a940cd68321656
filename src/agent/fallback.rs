//! Who plans where the model's server cannot be asked: the offline planner, if the operator wants it, and only from the first thought of a
//! turn on, so that no turn is planned by two.

use super::{Agent, Progress, Thought};
use crate::{
    domain::session::Round,
    llm::{ModelError, Offline, Plan, Prompt, Words, anew},
};

/// Whether the offline planner has a turn that was to be the model's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum TakenOver {
    #[default]
    No,
    /// The model's server did this.
    Because(ModelError),
    /// In an earlier thought, maybe by another replica; the model is not asked now.
    Before,
}

impl Agent<'_> {
    /// The next plan, and whose the turn is now, having been `taken_over` or not.
    pub(super) async fn plan(
        &self,
        prompt: &Prompt<'_>,
        words: Option<Words<'_>>,
        mut taken_over: TakenOver,
    ) -> (Result<Plan, ModelError>, TakenOver) {
        let Some(fallback) = self.fallback else { return (self.planner.plan(prompt, words).await, taken_over) };
        if taken_over == TakenOver::No && prompt.rounds.iter().any(is_fallbacks) {
            taken_over = TakenOver::Before;
        }
        if taken_over != TakenOver::No {
            return (Ok(fallback.plan(prompt)), TakenOver::Before);
        }
        match self.planner.plan(prompt, words).await {
            Err(error) if prompt.rounds.is_empty() && is_away(error) => {
                anew(words);
                (Ok(fallback.plan(prompt)), TakenOver::Because(error))
            }
            planned => (planned, taken_over),
        }
    }
}

impl Progress {
    /// What the model's server did for this thought: nothing wrong, or an error; none: it was not asked.
    pub fn model_did(&self, thought: &Result<Thought, ModelError>) -> Option<Option<ModelError>> {
        match (thought, self.taken_over) {
            (Err(error), _) => Some(Some(*error)),
            (Ok(_), TakenOver::No) => Some(None),
            (Ok(_), TakenOver::Because(error)) => Some(Some(error)),
            (Ok(_), TakenOver::Before) => None,
        }
    }
}

/// Whether a round was planned by the offline planner.
fn is_fallbacks(round: &Round) -> bool {
    round.results.iter().any(|result| Offline::planned(&result.call))
}

/// Whether the model's server cannot be asked now. What it refuses or answers badly is for people to see, not to be hidden by another planner.
pub fn is_away(error: ModelError) -> bool {
    match error {
        ModelError::Unavailable | ModelError::TimedOut | ModelError::RateLimited { .. } => true,
        ModelError::Unauthorized | ModelError::ContextOverflow | ModelError::Refused(_) | ModelError::Nonsense | ModelError::Empty => false,
    }
}
