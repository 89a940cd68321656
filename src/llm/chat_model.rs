//! The model: its endpoint, and those that stand in for it, asked in order and more than once where that may help.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use tokio::time::Instant;
use tracing::warn;

use super::{
    ModelError, Plan, Price, Prompt, Words, anew,
    endpoint::{BadEndpoint, Endpoint, Failure},
};
use crate::{
    domain::limits::{MODEL_ATTEMPT_MS_MIN, MODEL_PAUSE_BESIDE_OTHERS_MS_MAX, MODEL_PAUSE_MS_MAX, MODEL_PAUSE_MS_MIN},
    outbound::Outbound,
    settings,
};

/// A model behind one endpoint or several.
#[derive(Debug)]
pub struct ChatModel {
    /// The first is the model's own.
    endpoints: Vec<Endpoint>,
    attempts_max: u32,
}

impl ChatModel {
    /// Takes the endpoints from the settings; nothing is sent yet.
    ///
    /// # Errors
    /// What of the settings cannot be used.
    pub fn new(outbound: &Outbound, settings: &settings::Llm) -> Result<Self, BadEndpoint> {
        let mut endpoints = vec![Endpoint::new(outbound.clone(), settings)?];
        for (place, fallback) in settings.fallbacks.iter().enumerate() {
            let as_main = settings::Llm {
                url: Some(fallback.url.clone()),
                api_key: fallback.api_key.clone(),
                model: fallback.model.clone().unwrap_or_else(|| settings.model.clone()),
                headers: fallback.headers.clone(),
                fallbacks: Vec::new(),
                ..settings.clone()
            };
            endpoints.push(Endpoint::new(outbound.clone(), &as_main).map_err(|bad| bad.of_fallback(place))?);
        }
        Ok(Self { endpoints, attempts_max: settings.attempts_max })
    }

    /// What asking for the next move costs at most: the model's own endpoint, as it would be asked now. Those that stand in for it have the same
    /// context and the same bound for answers.
    pub(super) fn price_of(&self, prompt: &Prompt<'_>) -> Price {
        self.endpoints.first().map_or_else(Price::default, |own| own.price_of(prompt))
    }

    /// What may be sent at once, in tokens.
    pub(super) fn prompt_tokens(&self) -> u64 {
        self.endpoints.first().map_or(0, |own| own.manner.prompt_tokens())
    }

    /// Asks for the next move: the model's own endpoint first, then those that stand in for it. Whoever has read the beginning of an answer
    /// that broke off is told when another one is asked for: nothing was done upon a part of an answer, so a second one costs tokens alone.
    ///
    /// # Errors
    /// What the first of them did instead of answering. The cause is logged here; no text of the conversation is.
    pub async fn plan(&self, prompt: &Prompt<'_>, words: Option<Words<'_>>) -> Result<Plan, ModelError> {
        let mut first = None;
        for (at, endpoint) in self.endpoints.iter().enumerate() {
            let is_last = at + 1 == self.endpoints.len();
            match self.ask(endpoint, is_last, prompt, words).await {
                Ok(plan) => return Ok(plan),
                Err(failure) => _ = first.get_or_insert(failure.error),
            }
            if !is_last {
                warn!(model = endpoint.model(), "the model did not answer; the next endpoint is asked");
                anew(words);
            }
        }
        Err(first.unwrap_or(ModelError::Unavailable))
    }

    /// Asks one endpoint, more than once if it is busy or away and there is time for it.
    async fn ask(&self, endpoint: &Endpoint, is_last: bool, prompt: &Prompt<'_>, words: Option<Words<'_>>) -> Result<Plan, Failure> {
        let mut attempt = 0;
        loop {
            if !endpoint.breaker.admits(Instant::now()) {
                return Err(Failure::of(ModelError::Unavailable));
            }
            let failure = match endpoint.ask(prompt, words).await {
                Ok(plan) => {
                    endpoint.breaker.worked();
                    return Ok(plan);
                }
                Err(failure) => failure,
            };
            if !is_broken(failure.error) {
                endpoint.breaker.worked();
            } else if endpoint.breaker.failed(Instant::now()) {
                warn!(model = endpoint.model(), "the model's server failed too often in a row and is left alone for a while");
            }
            attempt += 1;
            let may_help = matches!(failure.error, ModelError::Unavailable | ModelError::RateLimited { .. });
            if !may_help || attempt >= self.attempts_max {
                return Err(failure);
            }
            let pause = pause(attempt, failure.wait_secs(), chance());
            let too_long = !is_last && pause > Duration::from_millis(MODEL_PAUSE_BESIDE_OTHERS_MS_MAX);
            let too_late = prompt.until.is_some_and(|until| Instant::now() + pause + Duration::from_millis(MODEL_ATTEMPT_MS_MIN) > until);
            if too_long || too_late {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            anew(words);
        }
    }
}

/// Whether the server is to blame, and not what was asked of it or how often.
fn is_broken(error: ModelError) -> bool {
    match error {
        ModelError::Unavailable | ModelError::TimedOut | ModelError::Nonsense => true,
        ModelError::Unauthorized
        | ModelError::RateLimited { .. }
        | ModelError::ContextOverflow
        | ModelError::Refused(_)
        | ModelError::Empty => false,
    }
}

/// How long to wait after the attempt of this number (from 1): what the server asks for, and twice as long as the time before, with half of
/// it left to chance.
fn pause(attempt: u32, asked_secs: Option<u64>, chance: u64) -> Duration {
    let doubled = MODEL_PAUSE_MS_MIN.saturating_mul(1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX));
    let half = doubled.min(MODEL_PAUSE_MS_MAX) / 2;
    Duration::from_secs(asked_secs.unwrap_or_default()) + Duration::from_millis(half + chance % (half + 1))
}

/// A number nobody can foresee, from what the standard library seeds its maps with.
fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
#[path = "chat_model_tests.rs"]
mod tests;
