//! Sending a call a second time, once, where that helps and harms nobody.
//!
//! Calls that read and whose method is safe (RFC 9110, 9.2.1) come again after 429 and 503, when the wait that the API asks for is short, and
//! after a connection that broke before an answer began. Changing calls come again only if they carry a key by which the API knows them
//! again, and only if their answer was lost. PUT and DELETE are idempotent by the RFC (9.2.2), but without a key they are sent at most once
//! all the same: an API may count or notify at each, what was lost may have been done by somebody else meanwhile, and what cannot be known
//! is told as unknown instead.

use std::time::{Duration, Instant};

use tracing::{debug, info};

use crate::{
    clock::Countdown,
    domain::{
        limits::{REPEAT_PAUSE_MS_DEFAULT, REPEAT_PAUSE_MS_MAX},
        tool::{Effect, Outcome},
    },
    outbound::{Outbound, Reply, RetryAfter, SendError, Sending},
};

/// On which terms a call is sent.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    pub effect: Effect,
    /// Whether it carries a key by which the API knows it again.
    pub keyed: bool,
    /// What it must not outlive.
    pub lease: Option<&'a Countdown>,
}

/// What came of sending a call once or twice.
pub(super) struct Came {
    pub last: Result<Reply, SendError>,
    /// A changing call was sent before the last time, and its answer was lost.
    pub lost_one: bool,
}

/// Sends a call, and once more if it may be.
pub(super) async fn send(outbound: &Outbound, sending: Sending, terms: Terms<'_>) -> Came {
    let last = match terms {
        Terms { effect: Effect::Changing, keyed: true, lease } => return send_keyed(outbound, sending, lease).await,
        Terms { effect: Effect::Safe, .. } if is_safe(&sending.method) => send_reading(outbound, sending).await,
        Terms { .. } => outbound.send(sending).await,
    };
    Came { last, lost_one: false }
}

fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "QUERY")
}

/// Both times together keep to the call's deadline.
async fn send_reading(outbound: &Outbound, sending: Sending) -> Result<Reply, SendError> {
    let (began, deadline) = (Instant::now(), sending.deadline);
    let first = outbound.send(sending.clone()).await;
    let left = deadline.saturating_sub(began.elapsed());
    let Some(pause) = pause_after(&first).filter(|pause| *pause < left) else { return first };
    debug!(pause_ms = pause.as_millis(), "a reading call is sent once more");
    tokio::time::sleep(pause).await;
    let left = deadline.saturating_sub(began.elapsed());
    outbound.send(Sending { deadline: left, ..sending }).await
}

/// Each time has the call's whole deadline: an answer that did not come in time would otherwise leave none for asking again.
async fn send_keyed(outbound: &Outbound, sending: Sending, lease: Option<&Countdown>) -> Came {
    let first = outbound.send(sending.clone()).await;
    if !matches!(first, Err(SendError::Broken { .. } | SendError::TimedOut { .. })) {
        return Came { last: first, lost_one: false };
    }
    tokio::time::sleep(Duration::from_millis(REPEAT_PAUSE_MS_DEFAULT)).await;
    if lease.is_some_and(Countdown::is_over) {
        return Came { last: first, lost_one: false };
    }
    info!("the answer to a changing call was lost; it is sent again under its key");
    Came { last: outbound.send(sending).await, lost_one: true }
}

/// How long to wait before the call is sent again; `None` if what came is to be told as it is.
fn pause_after(came: &Result<Reply, SendError>) -> Option<Duration> {
    let pause_ms = match came {
        Ok(Reply { status: 429 | 503, headers, .. }) => match headers.retry_after() {
            RetryAfter::Unsaid => REPEAT_PAUSE_MS_DEFAULT,
            RetryAfter::Secs(secs) => secs.saturating_mul(1000),
            RetryAfter::Unreadable => return None,
        },
        Err(SendError::Broken { status: None }) => 0,
        Ok(_) | Err(_) => return None,
    };
    (pause_ms <= REPEAT_PAUSE_MS_MAX).then(|| Duration::from_millis(pause_ms))
}

/// What is known of a change that may have been sent before, by what came of sending it again under its key. An answer tells of both, unless
/// it is about this time alone: that it was one too many, came too early, or failed for reasons of its own.
pub fn known_of_both(outcome: Outcome) -> Outcome {
    let first = "what became of it when it was first sent is not known";
    match outcome {
        Outcome::Replied(reply) if matches!(reply.status, 401 | 403 | 408 | 409 | 425 | 429 | 500..) => {
            Outcome::Unknown(format!("{first}; sent again under the same key, it was answered with status {}", reply.status))
        }
        Outcome::Failed(why) => Outcome::Unknown(format!("{first}; it could not be sent again: {why}")),
        Outcome::Refused(_) => Outcome::Unknown(format!("{first}; its credentials cannot be used now, so it was not sent again")),
        Outcome::Unknown(why) => Outcome::Unknown(format!("{first}; sent again under the same key: {why}")),
        Outcome::Replied(_) => outcome,
    }
}
