//! A model behind an OpenAI-compatible endpoint: one prompt in, one plan out, one request each.

use std::time::Duration;

use bytes::Bytes;
use secrecy::ExposeSecret;
use tracing::warn;

use super::{
    ModelError, Move, Plan, Prompt,
    wire::{
        answer::{self, Answer, NoAnswer},
        ask::{self, Manner},
        problem,
    },
};
use crate::{
    domain::limits::{MODEL_REPLY_BYTES_MAX, RETRY_AFTER_SECS_MAX},
    outbound::{Headers, Outbound, Reply, SendError, Sending, Url},
    settings,
};

/// A model's endpoint. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct ChatModel {
    outbound: Outbound,
    url: Url,
    headers: Headers,
    manner: Manner,
    deadline: Duration,
}

/// Why there can be no model with these settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadEndpoint {
    #[error("llm.url is not set (SAA_LLM__URL)")]
    NoUrl,
    #[error("llm.url is not an http(s) URL (SAA_LLM__URL)")]
    NotHttp,
    #[error("llm.url has a user name or a password in it; a key belongs in llm.api_key (SAA_LLM__API_KEY)")]
    Credentials,
    #[error("llm.api_key cannot be sent in a header (SAA_LLM__API_KEY)")]
    Key,
}

impl ChatModel {
    /// Takes the endpoint from the settings; nothing is sent yet.
    pub fn new(outbound: Outbound, settings: &settings::Llm) -> Result<Self, BadEndpoint> {
        let url = completions(settings.url.as_deref().ok_or(BadEndpoint::NoUrl)?)?;
        let mut headers = Headers::default();
        let fixed = headers.add("content-type", "application/json").and_then(|()| headers.add("accept", "application/json"));
        let key = settings.api_key.as_ref().map(|key| key.expose_secret().trim()).filter(|key| !key.is_empty());
        let keyed = key.map_or(Ok(()), |key| headers.set_secret("authorization", &format!("Bearer {key}")));
        fixed.and(keyed).map_err(|_| BadEndpoint::Key)?;
        let manner = Manner { model: settings.model.clone(), temperature: settings.temperature, max_tokens: settings.max_tokens };
        Ok(Self { outbound, url, headers, manner, deadline: Duration::from_millis(settings.timeout_ms) })
    }

    /// Asks the model once for the next move. The cause of an error is logged here; no text of the conversation is.
    pub async fn plan(&self, prompt: &Prompt<'_>) -> Result<Plan, ModelError> {
        let body = ask::bytes(prompt, &self.manner).map_err(|error| {
            warn!(%error, "the prompt could not be written as JSON");
            ModelError::Nonsense
        })?;
        let sending = Sending {
            method: "POST".to_owned(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: Some(Bytes::from(body)),
            deadline: self.deadline,
            reply_bytes_max: MODEL_REPLY_BYTES_MAX,
        };
        let reply = self.outbound.send(sending).await.map_err(|error| self.lost(error))?;
        if reply.status != 200 {
            return Err(self.refused(&reply));
        }
        match answer::read(&reply.body) {
            Ok(answer) => {
                plan(answer).inspect_err(|_| warn!(model = self.manner.model, "the model answered without text and without calls"))
            }
            Err(NoAnswer::Error) => Err(self.refused(&reply)),
            Err(NoAnswer::Nonsense) => {
                warn!(model = self.manner.model, bytes = reply.body.len(), "the model's server answered 200 with no chat completion");
                Err(ModelError::Nonsense)
            }
        }
    }

    fn lost(&self, error: SendError) -> ModelError {
        warn!(model = self.manner.model, %error, "the model gave no answer: {error}");
        match error {
            SendError::NotSent(_) | SendError::Broken { .. } | SendError::BadUrl => ModelError::Unavailable,
            SendError::TimedOut { .. } => ModelError::TimedOut,
            SendError::TooLarge { .. } | SendError::Bomb { .. } | SendError::Packed { .. } => ModelError::Nonsense,
        }
    }

    fn refused(&self, reply: &Reply) -> ModelError {
        let problem =
            problem::read(reply.status, &reply.body, reply.headers.retry_after().secs().map(|secs| secs.min(RETRY_AFTER_SECS_MAX)));
        let (status, code) = (reply.status, &problem.code);
        warn!(model = self.manner.model, status, code, "the model's server answered {status} {code}: {}", problem.error);
        problem.error
    }
}

fn plan(answer: Answer) -> Result<Plan, ModelError> {
    let Answer { said, calls, usage } = answer;
    let next = match (said, calls) {
        (said, calls) if !calls.is_empty() => Move::Calls { said, calls },
        (Some(said), _) => Move::Answer(said),
        (None, _) => return Err(ModelError::Empty),
    };
    Ok(Plan { next, usage })
}

/// The address to post to. Operators give it with or without the last two segments, with or without a slash; a query stays.
fn completions(text: &str) -> Result<Url, BadEndpoint> {
    let mut url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or(BadEndpoint::NotHttp)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadEndpoint::Credentials);
    }
    let path = url.path().trim_end_matches('/');
    let path = if path.ends_with("/chat/completions") { path.to_owned() } else { format!("{path}/chat/completions") };
    url.set_path(&path);
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
