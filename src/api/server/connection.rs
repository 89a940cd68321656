//! One connection. At rest it is a socket, a deadline and a task; the parser, its buffers and what keeps its time are there while there is
//! something to serve.
//!
//! A parser that waits holds more than 8 KiB, and most connections wait most of their time. It is let go between two requests only, where
//! the stream says so (`pace`): all requests that came were answered, all answers were written, no byte of another has come. Its next one
//! begins as on a new connection.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::OwnedSemaphorePermit, time::Instant};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::{debug, error};

use super::{
    super::address::Peer,
    HEAD_BYTES_MAX, HEADERS_MAX,
    pace::{Pace, Paced, Silence, Waits},
};
use crate::metrics::{ConnectionState, metrics};

/// What all connections of a listener have in common.
pub(super) struct Serving {
    pub router: Router,
    pub waits: Waits,
    /// The server takes its leave: answers that are under way are the last.
    pub closing: CancellationToken,
}

/// How the parser was left.
enum Left {
    Ended(hyper::Result<()>),
    AtRest,
}

/// Serves one connection until it ends, or until the answer that is under way when the server takes its leave; then its place is free again.
pub(super) async fn connection(mut stream: TcpStream, peer: Peer, serving: Arc<Serving>, _place: OwnedSemaphorePermit) {
    // An answer is one small write; waiting to fill a packet would only delay it.
    let _ = stream.set_nodelay(true);
    let mut silence = Silence::of_who_has_just_come();
    while speaks(&stream, silence.ends(&serving.waits), &serving.closing).await {
        // On the heap, so that a task at rest has no room for it.
        match Box::pin(until_rest(stream, silence, peer, &serving)).await {
            Some(rested) => (stream, silence) = rested,
            None => break,
        }
    }
}

/// Waits until something comes, if only the end; false if nothing has come in time, or the server takes its leave.
///
/// It looks at what has come and leaves it there. To wait until the socket is readable would not do: a new one is taken for readable until
/// somebody has tried.
async fn speaks(stream: &TcpStream, until: Instant, closing: &CancellationToken) -> bool {
    let _at_rest = metrics().connection(ConnectionState::AtRest);
    let mut first = [0];
    tokio::select! {
        // What has come before the leave is served.
        biased;
        came = tokio::time::timeout_at(until, stream.peek(&mut first)) => matches!(came, Ok(Ok(_))),
        () = closing.cancelled() => false,
    }
}

/// Serves what comes until the connection is at rest again, and gives its socket back; none if it has ended.
async fn until_rest(stream: TcpStream, silence: Silence, peer: Peer, serving: &Serving) -> Option<(TcpStream, Silence)> {
    let _served = metrics().connection(ConnectionState::Served);
    let pace = Arc::new(Pace::new());
    let service = {
        let (pace, router) = (pace.clone(), serving.router.clone());
        service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let answering = pace.clone().begun();
            let router = router.clone();
            async move {
                let Ok(response) = router.oneshot(request.map(Body::new)).await;
                Ok::<_, Infallible>(response.map(|body| answering.over(body)))
            }
        })
    };
    let mut builder = http1::Builder::new();
    builder.half_close(false).max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX).header_read_timeout(None);
    let mut parser = builder.serve_connection(TokioIo::new(Paced::new(stream, silence, pace.clone(), serving.waits)), service);
    let mut served = |cx: &mut Context<'_>| match Pin::new(&mut parser).poll(cx) {
        Poll::Ready(ended) => Poll::Ready(Left::Ended(ended)),
        Poll::Pending if pace.is_at_rest() => Poll::Ready(Left::AtRest),
        Poll::Pending => Poll::Pending,
    };
    let left = tokio::select! {
        biased;
        left = std::future::poll_fn(&mut served) => left,
        () = serving.closing.cancelled() => {
            Pin::new(&mut parser).graceful_shutdown();
            Left::Ended((&mut parser).await)
        }
    };
    match left {
        Left::AtRest => {
            let parts = parser.into_parts();
            // It cannot be otherwise, unless parser and framing take what came for different requests. Then nobody may go on with it.
            if parts.read_buf.is_empty() {
                return Some(parts.io.into_inner().into_parts());
            }
            error!(bytes = parts.read_buf.len(), "a connection is closed: {} bytes were left between two requests", parts.read_buf.len());
        }
        Left::Ended(Ok(())) => {}
        Left::Ended(Err(error)) => debug!(%error, "a connection ended: {error}"),
    }
    None
}
