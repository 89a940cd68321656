//! Sending a reading call a second time, once, where that helps and harms nobody.
//!
//! Only calls that read and whose method is safe (RFC 9110, 9.2.1) come again: after 429 and 503, when the wait that the API asks for is
//! short, and after a connection that broke before an answer began. PUT and DELETE are idempotent by the RFC (9.2.2), but they are sent at
//! most once all the same: an API may count or notify at each, what was lost may have been done by somebody else meanwhile, and what cannot
//! be known is told as unknown instead.

use std::time::{Duration, Instant};

use tracing::debug;

use crate::{
    domain::{
        limits::{REPEAT_PAUSE_MS_DEFAULT, REPEAT_PAUSE_MS_MAX},
        tool::Effect,
    },
    outbound::{Outbound, Reply, RetryAfter, SendError, Sending},
};

/// Sends a call, and once more if it may be. Both together keep to the call's deadline.
pub(super) async fn send(outbound: &Outbound, sending: Sending, effect: Effect) -> Result<Reply, SendError> {
    if effect == Effect::Changing || !matches!(sending.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "QUERY") {
        return outbound.send(sending).await;
    }
    let (began, deadline) = (Instant::now(), sending.deadline);
    let first = outbound.send(sending.clone()).await;
    let left = deadline.saturating_sub(began.elapsed());
    let Some(pause) = pause_after(&first).filter(|pause| *pause < left) else { return first };
    debug!(pause_ms = pause.as_millis(), "a reading call is sent once more");
    tokio::time::sleep(pause).await;
    let left = deadline.saturating_sub(began.elapsed());
    outbound.send(Sending { deadline: left, ..sending }).await
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
