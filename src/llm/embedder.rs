//! A model for embeddings: what texts mean, as directions that can be compared. Whatever its server does, there is a bound to it, and all that
//! is lost is what the answer would have been good for.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    address,
    breaker::Breaker,
    endpoint::BadValue,
    remembered::Remembered,
    wire::vectors::{self, NoVectors},
};
use crate::{
    domain::{
        limits::{EMBEDDED_AT_ONCE_MAX, EMBEDDED_TEXT_BYTES_MAX, EMBEDDINGS_OF_FUNCTIONS_MS_MAX, EMBEDDINGS_REPLY_BYTES_MAX},
        vector::Vector,
    },
    outbound::{Headers, Outbound, SendError, Sending, Url},
    secrets::digest,
    settings::{self, Embeddings},
};

/// A model for embeddings and what is known of its server.
#[derive(Debug)]
pub struct Embedder {
    outbound: Outbound,
    url: Url,
    headers: Headers,
    model: String,
    /// A sentence must be answered within this time.
    timeout: Duration,
    breaker: Breaker,
    /// Whether it was told that there is nothing to be had.
    told: AtomicBool,
    remembered: Mutex<Remembered>,
}

/// Why there can be no model for embeddings with these settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} {problem}", place(.problem))]
pub struct BadEmbeddings {
    pub problem: BadValue,
}

/// The setting that is meant.
fn place(problem: &BadValue) -> &'static str {
    match problem {
        BadValue::NoUrl | BadValue::NotHttp | BadValue::Credentials => "llm.embeddings.url",
        BadValue::Key => "llm.embeddings.api_key",
        BadValue::Header => "llm.headers",
    }
}

/// There is nothing to be had now. The log has the cause, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server for embeddings gave nothing that can be used")]
pub struct NotEmbedded;

/// What the server did instead.
#[derive(Debug, Clone, Copy, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    NoReply(#[from] SendError),
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("{0}")]
    NoVectors(#[from] NoVectors),
    #[error("its embeddings have {0} numbers, those of the functions {1}")]
    Another(usize, usize),
}

impl Embedder {
    /// Takes the endpoint from the settings, if they name a model for embeddings; nothing is sent yet.
    ///
    /// # Errors
    /// What of the settings cannot be used.
    pub fn of(outbound: &Outbound, settings: &settings::Llm) -> Result<Option<Self>, BadEmbeddings> {
        let Embeddings { model, url, api_key, timeout_ms } = &settings.embeddings;
        let Some(model) = model else { return Ok(None) };
        let bad = |problem| BadEmbeddings { problem };
        let models_own = settings.url.as_deref().map(address::embeddings);
        let url = match (url, &models_own) {
            (Some(url), _) => address::embeddings(url),
            (None, Some(url)) => url.clone(),
            (None, None) => Err(BadValue::NoUrl),
        };
        let url = url.map_err(bad)?;
        outbound.named_by_operator(&url);
        // What the model's server is shown is for nobody else.
        let beside_the_model = models_own.is_some_and(|own| own.is_ok_and(|own| own.origin() == url.origin()));
        let (key, own) = match beside_the_model {
            true => (api_key.as_ref().or(settings.api_key.as_ref()), settings.headers.clone()),
            false => (api_key.as_ref(), BTreeMap::new()),
        };
        Ok(Some(Self {
            outbound: outbound.clone(),
            url,
            headers: address::headers(key, &own, "application/json").map_err(bad)?,
            model: model.clone(),
            timeout: Duration::from_millis(*timeout_ms),
            breaker: Breaker::default(),
            told: AtomicBool::default(),
            remembered: Mutex::default(),
        }))
    }

    /// What tells a text, as this model is given it, from any other text and model: what it means may be kept under this name.
    pub fn name_of(&self, text: &str) -> String {
        digest::of(&[self.model.as_bytes(), cut(text).as_bytes()])
    }

    /// What texts of documents mean, in their order; [`EMBEDDED_AT_ONCE_MAX`] at most. It may take a while.
    ///
    /// # Errors
    /// There is nothing to be had now.
    pub async fn texts(&self, texts: &[&str]) -> Result<Vec<Vector>, NotEmbedded> {
        let asked = self.ask(texts, Duration::from_millis(EMBEDDINGS_OF_FUNCTIONS_MS_MAX)).await;
        self.noted(asked)
    }

    /// What sentences mean, in their order, as directions of so many numbers; `None` if that is not known in time. Of many, the first
    /// [`EMBEDDED_AT_ONCE_MAX`].
    pub async fn sentences(&self, sentences: &[&str], dimensions: usize, until: Instant) -> Option<Vec<Vector>> {
        let sentences = sentences.get(..EMBEDDED_AT_ONCE_MAX).unwrap_or(sentences);
        if sentences.iter().any(|sentence| sentence.trim().is_empty()) {
            return None;
        }
        let names: Vec<String> = sentences.iter().map(|sentence| self.name_of(sentence)).collect();
        let mut known: Vec<Option<Vector>> = {
            let mut remembered = self.remembered();
            names.iter().map(|name| remembered.get(name, dimensions)).collect()
        };
        let mut unknown: Vec<&str> = Vec::new();
        for (sentence, _) in sentences.iter().zip(&known).filter(|(_, known)| known.is_none()) {
            if !unknown.contains(sentence) {
                unknown.push(sentence);
            }
        }
        if !unknown.is_empty() {
            let now = Instant::now();
            if until <= now || !self.breaker.admits(now) {
                return None;
            }
            let asked = self.ask(&unknown, self.timeout.min(until.saturating_duration_since(now))).await;
            let asked = asked.and_then(|vectors| match vectors.iter().find(|vector| vector.dimensions() != dimensions) {
                Some(other) => Err(Failure::Another(other.dimensions(), dimensions)),
                None => Ok(vectors),
            });
            let answers = self.noted(asked).ok()?;
            let mut remembered = self.remembered();
            for ((known, name), sentence) in known.iter_mut().zip(names).zip(sentences).filter(|((known, _), _)| known.is_none()) {
                let place = unknown.iter().position(|unknown| unknown == sentence)?;
                *known = answers.get(place).cloned();
                known.iter().for_each(|vector| remembered.put(name.clone(), vector.clone()));
            }
        }
        known.into_iter().collect()
    }

    async fn ask(&self, texts: &[&str], deadline: Duration) -> Result<Vec<Vector>, Failure> {
        let texts: Vec<&str> = texts.iter().map(|text| cut(text)).collect();
        let body = vectors::ask(&self.model, &texts).map_err(|_| NoVectors::NoList)?;
        let sending = Sending {
            method: "POST".to_owned(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: Some(Bytes::from(body)),
            deadline,
            reply_bytes_max: EMBEDDINGS_REPLY_BYTES_MAX,
        };
        let reply = self.outbound.send(sending).await?;
        if reply.status != 200 {
            return Err(Failure::Status(reply.status));
        }
        Ok(vectors::read(&reply.body, texts.len())?)
    }

    /// Notes how the server does. It is told when that changes, and not with every turn.
    fn noted<T>(&self, asked: Result<T, Failure>) -> Result<T, NotEmbedded> {
        let model = self.model.as_str();
        match asked {
            Ok(answer) => {
                self.breaker.worked();
                if self.told.swap(false, Ordering::Relaxed) {
                    info!(model, "the model {model} for embeddings answers again");
                }
                Ok(answer)
            }
            Err(why) => {
                self.breaker.failed(Instant::now());
                if !self.told.swap(true, Ordering::Relaxed) {
                    warn!(model, "the model {model} for embeddings is of no use, so functions are found by words alone until it is: {why}");
                }
                Err(NotEmbedded)
            }
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As much of a text as a model is given.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(EMBEDDED_TEXT_BYTES_MAX)).unwrap_or(text)
}

#[cfg(test)]
#[path = "embedder_tests.rs"]
mod tests;
