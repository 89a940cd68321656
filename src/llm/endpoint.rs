//! One OpenAI-compatible endpoint: one prompt in, one plan out, one request each, whole or in pieces.

use std::time::Duration;

use bytes::Bytes;
use tracing::{Instrument, Span, info, warn};

use super::{
    Heard, ModelError, Move, Plan, Price, Prompt, Words, address, anew,
    breaker::Breaker,
    learned::Learned,
    tokens,
    wire::{
        answer::{self, Answer, NoAnswer},
        ask::{self, Manner, Way},
        events::{Event, Events},
        pieces::Pieces,
        problem::{self, Part},
        spoken::{self, Spoken},
    },
};
use crate::{
    domain::limits::{MODEL_REPLY_BYTES_MAX, MODEL_USAGE_WAIT_MS_MAX, RETRY_AFTER_SECS_MAX},
    outbound::{Headers, Incoming, Outbound, RetryAfter, SendError, Sending, Url},
    settings::{self, Streaming},
    spans,
};

/// An endpoint and what is known of it.
#[derive(Debug)]
pub(super) struct Endpoint {
    outbound: Outbound,
    url: Url,
    headers: Headers,
    pub(super) manner: Manner,
    deadline: Duration,
    /// The longest wait between two pieces of an answer.
    idle: Duration,
    may_stream: bool,
    learned: Learned,
    pub(super) breaker: Breaker,
}

/// Why there is no plan from one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) error: ModelError,
    /// What of the request the server does not take.
    refuses: Option<Part>,
    /// How long it asks to wait.
    retry_after_secs: Option<u64>,
}

impl Failure {
    pub(super) fn of(error: ModelError) -> Self {
        Self { error, refuses: None, retry_after_secs: None }
    }

    /// How long the server asks to wait.
    pub(super) fn wait_secs(&self) -> Option<u64> {
        self.retry_after_secs
    }
}

/// Why there can be no model with these settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} {problem}", place(.fallback, .problem))]
pub struct BadEndpoint {
    /// Which of `llm.fallbacks` is meant; none: the model's own endpoint.
    pub fallback: Option<usize>,
    pub problem: BadValue,
}

/// What is wrong with what is said of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    #[error("is not set")]
    NoUrl,
    #[error("is not an http(s) URL")]
    NotHttp,
    #[error("has a user name or a password in it; a key belongs in api_key")]
    Credentials,
    #[error("cannot be sent in a header")]
    Key,
    #[error("has one that cannot be sent")]
    Header,
}

impl BadEndpoint {
    pub(super) fn of_fallback(self, place: usize) -> Self {
        Self { fallback: Some(place), ..self }
    }
}

impl From<BadValue> for BadEndpoint {
    fn from(problem: BadValue) -> Self {
        Self { fallback: None, problem }
    }
}

/// The setting that is meant.
fn place(fallback: &Option<usize>, problem: &BadValue) -> String {
    let key = match problem {
        BadValue::NoUrl | BadValue::NotHttp | BadValue::Credentials => "url",
        BadValue::Key => "api_key",
        BadValue::Header => "headers",
    };
    fallback.map_or_else(|| format!("llm.{key}"), |place| format!("llm.fallbacks[{place}].{key}"))
}

impl Endpoint {
    /// Takes the endpoint from the settings; nothing is sent yet.
    pub(super) fn new(outbound: Outbound, settings: &settings::Llm) -> Result<Self, BadEndpoint> {
        let url = address::completions(settings.url.as_deref().ok_or(BadValue::NoUrl)?)?;
        outbound.named_by_operator(&url);
        let headers = address::headers(settings.api_key.as_ref(), &settings.headers, "application/json, text/event-stream")?;
        let manner = Manner {
            model: settings.model.clone(),
            temperature: settings.temperature,
            max_tokens: settings.max_tokens,
            context_tokens: settings.context_tokens,
        };
        Ok(Self {
            outbound,
            url,
            headers,
            manner,
            deadline: Duration::from_millis(settings.timeout_ms),
            idle: Duration::from_millis(settings.idle_timeout_ms),
            may_stream: settings.stream == Streaming::Auto,
            learned: Learned::default(),
            breaker: Breaker::default(),
        })
    }

    /// The model's name.
    pub(super) fn model(&self) -> &str {
        &self.manner.model
    }

    /// What asking for the next move costs at most, as the server would be asked now: in pieces, where it may be, which is a little longer.
    pub(super) fn price_of(&self, prompt: &Prompt<'_>) -> Price {
        let way = self.learned.way();
        let asked = ask::bytes(prompt, &self.manner, way, self.may_stream(way));
        let prompt_tokens = asked.map_or(self.manner.prompt_tokens(), |bytes| tokens::of(&bytes));
        Price { prompt_tokens, answer_tokens: self.manner.answer_tokens() }
    }

    /// Whether an answer may be asked for in pieces. One inside of JSON is nothing to read along.
    fn may_stream(&self, way: Way) -> bool {
        self.may_stream && way == Way::Tools && self.learned.streams()
    }

    /// Asks for the next move. What the server turns out not to take of a request is left out, now and from then on.
    pub(super) async fn ask(&self, prompt: &Prompt<'_>, words: Option<Words<'_>>) -> Result<Plan, Failure> {
        loop {
            let way = self.learned.way();
            let streams = words.is_some() && self.may_stream(way);
            let mut aloud = Aloud { words, held: String::new(), open: false };
            let span = spans::chat(self.model(), self.url.host_str().unwrap_or_default(), streams);
            let answered = self.once(prompt, way, streams, &mut aloud).instrument(span.clone()).await;
            told_of(&span, &answered);
            match answered {
                Ok(plan) => {
                    aloud.end(&plan);
                    return Ok(plan);
                }
                // Each part is left out once, and then it is in no request any more.
                Err(Failure { refuses: Some(part), .. }) if is_in_request(part, way, streams) => {
                    info!(
                        model = self.model(),
                        ?part,
                        "the model's server does not take a part of the request; it is left out from now on"
                    );
                    self.learned.without(part);
                    anew(words);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn once(&self, prompt: &Prompt<'_>, way: Way, streams: bool, aloud: &mut Aloud<'_>) -> Result<Plan, Failure> {
        let body = ask::bytes(prompt, &self.manner, way, streams).map_err(|error| {
            warn!(%error, "the prompt could not be written as JSON");
            Failure::of(ModelError::Nonsense)
        })?;
        let body = Bytes::from(body);
        let sending = Sending {
            method: "POST".to_owned(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: Some(body.clone()),
            deadline: self.deadline,
            reply_bytes_max: MODEL_REPLY_BYTES_MAX,
        };
        let answer = if streams {
            let incoming = self.outbound.open(sending).await.map_err(|error| self.lost(error, false))?;
            if incoming.status == 200 {
                self.read(incoming, aloud).await?
            } else {
                let reply = incoming.whole().await.map_err(|error| self.lost(error, false))?;
                return Err(self.refused(reply.status, &reply.body, reply.headers.retry_after()));
            }
        } else {
            let reply = self.outbound.send(sending).await.map_err(|error| self.lost(error, false))?;
            if reply.status != 200 {
                return Err(self.refused(reply.status, &reply.body, reply.headers.retry_after()));
            }
            answer::read(&reply.body).map_err(|why| self.no_answer(why, &reply.body))?
        };
        self.plan(answer, prompt, way, &body)
    }

    /// Reads an answer while it comes.
    async fn read(&self, mut incoming: Incoming, aloud: &mut Aloud<'_>) -> Result<Answer, Failure> {
        let (mut events, mut pieces) = (Events::default(), Pieces::default());
        // A server may answer with JSON as if no stream had been asked for.
        let mut whole: Option<Vec<u8>> = None;
        let (mut patience, mut empty) = (self.deadline, true);
        while !pieces.is_done() {
            let bytes = match incoming.piece(patience).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break,
                // The answer is there; only what it cost is not.
                Err(_) if pieces.is_finished() => break,
                Err(error) => return Err(self.lost(error, pieces.has_begun())),
            };
            empty &= bytes.is_empty();
            if let Some(whole) = &mut whole {
                whole.extend_from_slice(&bytes);
            } else if !pieces.is_completion() && bytes.trim_ascii_start().starts_with(b"{") && events.is_untouched() {
                whole = Some(bytes.to_vec());
            } else {
                for event in events.take(&bytes) {
                    self.take(&mut pieces, &event, aloud)?;
                }
            }
            // A model that reads a long prompt is not idle, whatever keeps its connection alive meanwhile.
            patience = match () {
                () if pieces.is_finished() => Duration::from_millis(MODEL_USAGE_WAIT_MS_MAX),
                () if pieces.is_completion() => self.idle,
                () => self.deadline,
            };
        }
        if let Some(whole) = whole {
            return answer::read(&whole).map_err(|why| self.no_answer(why, &whole));
        }
        if pieces.is_done() {
            // A body that is read to its end leaves a connection that can be used again.
            _ = incoming.piece(END_OF_BODY).await;
        } else if let Some(event) = events.rest() {
            self.take(&mut pieces, &event, aloud)?;
        }
        if pieces.is_finished() {
            return Ok(pieces.answer());
        }
        let (begun, completion) = (pieces.has_begun(), pieces.is_completion());
        warn!(model = self.model(), begun, completion, "the model's answer broke off, or was none");
        // Something else than a completion came whole, and would come again; an answer that ends before it begins was cut like any other.
        let error = if completion || empty { ModelError::Unavailable } else { ModelError::Nonsense };
        Err(Failure::of(error))
    }

    fn take(&self, pieces: &mut Pieces, event: &Event, aloud: &mut Aloud<'_>) -> Result<(), Failure> {
        match pieces.take(event) {
            Ok(said) => {
                aloud.say(&said);
                Ok(())
            }
            Err(_) if pieces.is_finished() => Ok(()),
            // In the midst of an answer it is no other server, but one that stumbled.
            Err(NoAnswer::Nonsense) if pieces.is_completion() => {
                warn!(model = self.model(), "the model's answer broke off with something that is no piece of it");
                Err(Failure::of(ModelError::Unavailable))
            }
            Err(why) => Err(self.no_answer(why, &event.data)),
        }
    }

    /// The move that an answer is.
    fn plan(&self, answer: Answer, prompt: &Prompt<'_>, way: Way, sent: &[u8]) -> Result<Plan, Failure> {
        let usage = Some(answer.usage(sent));
        let Answer { said, calls, counted: _ } = answer;
        if !calls.is_empty() {
            self.learned.calls();
            return Ok(Plan { next: Move::Calls { said, calls }, usage });
        }
        let Some(said) = said else {
            warn!(model = self.model(), "the model answered without text and without calls");
            return Err(Failure::of(ModelError::Empty));
        };
        let next = match spoken::read(&said, prompt.tools, way) {
            Ok(Spoken::Call(call)) => {
                if way == Way::Tools && self.learned.ignores_tools() {
                    info!(model = self.model(), "the model wrote a call as text; from now on it is asked to");
                }
                Move::Calls { said: None, calls: vec![call] }
            }
            Ok(Spoken::Answer(answer)) => Move::Answer(answer),
            Ok(Spoken::Text) => Move::Answer(said),
            Err(spoken::Cut) => {
                warn!(model = self.model(), "the model's JSON broke off");
                return Err(Failure::of(ModelError::Nonsense));
            }
        };
        Ok(Plan { next, usage })
    }

    fn no_answer(&self, why: NoAnswer, body: &[u8]) -> Failure {
        match why {
            NoAnswer::Error => self.refused(200, body, RetryAfter::Unsaid),
            NoAnswer::Nonsense => {
                warn!(model = self.model(), bytes = body.len(), "the model's server answered 200 with no chat completion");
                Failure::of(ModelError::Nonsense)
            }
        }
    }

    fn lost(&self, error: SendError, begun: bool) -> Failure {
        warn!(model = self.model(), %error, begun, "the model gave no answer: {error}");
        let error = match error {
            SendError::NotSent(_) | SendError::Broken { .. } | SendError::BadUrl => ModelError::Unavailable,
            SendError::TimedOut { .. } => ModelError::TimedOut,
            SendError::TooLarge { .. } | SendError::Bomb { .. } | SendError::Packed { .. } => ModelError::Nonsense,
        };
        Failure::of(error)
    }

    fn refused(&self, status: u16, body: &[u8], retry_after: RetryAfter) -> Failure {
        let retry_after_secs = retry_after.secs().map(|secs| secs.min(RETRY_AFTER_SECS_MAX));
        let problem = problem::read(status, body, retry_after_secs);
        let code = &problem.code;
        warn!(model = self.model(), status, code, "the model's server answered {status} {code}: {}", problem.error);
        Failure { error: problem.error, refuses: problem.refuses, retry_after_secs }
    }
}

/// What a span tells of an answer: what it cost, or why there is none.
fn told_of(span: &Span, answered: &Result<Plan, Failure>) {
    match answered {
        Ok(plan) => spans::used(span, plan.usage),
        Err(failure) => spans::failed(span, failure.error.as_str()),
    }
}

fn is_in_request(part: Part, way: Way, streams: bool) -> bool {
    match part {
        Part::Tools => way == Way::Tools,
        Part::Schema => way == Way::Schema,
        Part::Stream => streams,
    }
}

/// How long the end of a body is waited for when all that counts has come.
const END_OF_BODY: Duration = Duration::from_millis(20);

/// Hands an answer on while it comes. What may turn out to be a call that was written as text is held back until that is known.
struct Aloud<'a> {
    words: Option<Words<'a>>,
    held: String,
    open: bool,
}

impl Aloud<'_> {
    fn say(&mut self, text: &str) {
        let Some(words) = self.words.filter(|_| !text.is_empty()) else { return };
        if self.open {
            return words(Heard::Piece(text));
        }
        self.held += text;
        let begins = self.held.trim_start();
        let may_be_a_call = begins.is_empty() || begins.starts_with('{') || begins.starts_with("```") || "```".starts_with(begins);
        if !may_be_a_call {
            self.open = true;
            words(Heard::Piece(&self.held));
            self.held.clear();
        }
    }

    /// What was held back, or came in one piece, is said when it is known to be words.
    fn end(self, plan: &Plan) {
        if let (Some(words), Some(said), false) = (self.words, plan.next.said(), self.open) {
            words(Heard::Piece(said));
        }
    }
}

#[cfg(test)]
#[path = "in_words_tests.rs"]
mod in_words_tests;
#[cfg(test)]
#[path = "stream_tests.rs"]
mod stream_tests;
#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
