//! A stream that keeps time: a limit for the head of a request, another for idling between requests, another for a client that
//! does not take its answer. The stream cannot see where a request begins or ends, so the service tells it.
//!
//! It also finds out when its connection has come to rest, so that nothing is lost if the parser is let go (`connection`).

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};

use super::framing::Framing;

/// How long each kind of waiting may last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    pub head: Duration,
    pub idle: Duration,
    pub stall: Duration,
    /// After so long without a request a connection is at rest.
    pub rest: Duration,
}

/// Whether requests are under way on a connection: shared by its stream and its service.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    /// Requests handed over and not answered yet.
    busy: AtomicU32,
    /// Requests answered: when it moves, idling begins anew.
    answered: AtomicU64,
    /// When the last of them was answered, in milliseconds after `began`.
    answered_ms: AtomicU64,
    /// Whether the stream was found at rest, and nothing was read or written since.
    at_rest: AtomicBool,
}

impl Pace {
    pub fn new() -> Self {
        let (busy, answered, answered_ms) = (AtomicU32::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { began: Instant::now(), busy, answered, answered_ms, at_rest: AtomicBool::new(false) }
    }

    /// Whether the parser has nothing of a request in it and nothing of an answer, and has waited for the next one for a while.
    pub fn is_at_rest(&self) -> bool {
        self.at_rest.load(Ordering::Relaxed)
    }

    fn answered_at(&self) -> Instant {
        self.began + Duration::from_millis(self.answered_ms.load(Ordering::Relaxed))
    }

    /// A request's head is complete.
    pub fn begun(self: Arc<Self>) -> Answering {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Answering(self)
    }
}

/// One request under way; over when it is dropped.
pub(super) struct Answering(Arc<Pace>);

impl Drop for Answering {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.answered_ms.store(now, Ordering::Relaxed);
        self.0.answered.fetch_add(1, Ordering::Relaxed);
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Answering {
    /// The answer's body: the request is over when it has been sent or given up.
    pub fn over(self, body: Body) -> AnswerBody {
        AnswerBody { body, _answering: self }
    }
}

pub(super) struct AnswerBody {
    body: Body,
    _answering: Answering,
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What the stream waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// For the first byte of a request.
    Idle,
    /// For the rest of its head.
    Head,
}

/// What a connection waits for, and since when.
#[derive(Clone, Copy)]
pub(super) struct Silence {
    waiting: Waiting,
    since: Instant,
}

impl Silence {
    /// Whoever has just come is expected to speak: the first request's head has begun.
    pub fn of_who_has_just_come() -> Self {
        Self { waiting: Waiting::Head, since: Instant::now() }
    }

    /// Until when the connection waits.
    pub fn ends(&self, waits: &Waits) -> Instant {
        self.since + if self.waiting == Waiting::Idle { waits.idle } else { waits.head }
    }
}

/// A TCP stream that ends by itself when its peer keeps it waiting.
pub(super) struct Paced {
    stream: TcpStream,
    framing: Framing,
    pace: Arc<Pace>,
    waits: Waits,
    silence: Silence,
    answered: u64,
    /// How many answers had been given when everything that there was to write was written.
    flushed: u64,
    timer: Pin<Box<Sleep>>,
    /// Since when the peer has taken nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub fn new(stream: TcpStream, silence: Silence, pace: Arc<Pace>, waits: Waits) -> Self {
        let timer = Box::pin(tokio::time::sleep_until(silence.ends(&waits).min(Instant::now() + waits.rest)));
        Self { stream, framing: Framing::new(), pace, waits, silence, answered: 0, flushed: 0, timer, stalled: None }
    }

    /// The socket, and what it waits for.
    pub fn into_parts(self) -> (TcpStream, Silence) {
        (self.stream, self.silence)
    }

    /// Ready when the peer has kept the stream waiting for too long.
    ///
    /// Asked only where a read found nothing. The parser reads only when it has used up what it read before, so what it holds then is
    /// at most the beginning of a request.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.pace.busy.load(Ordering::Relaxed) > 0 {
            // Hyper does not ask for the next request again when it has answered this one, so the stream must look by itself
            // whether idling has begun. The timer runs on for that; waking at every answer would cost more.
            while self.timer.as_mut().poll(cx).is_ready() {
                let again = Instant::now() + self.waits.idle.min(self.waits.rest);
                self.timer.as_mut().reset(again);
            }
            return Poll::Pending;
        }
        let answered = self.pace.answered.load(Ordering::Relaxed);
        if answered != self.answered {
            (self.answered, self.silence) = (answered, Silence { waiting: Waiting::Idle, since: self.pace.answered_at() });
        }
        let late = self.silence.ends(&self.waits);
        // The timer is moved only when it would fire too late or has fired too early: not once a request.
        if self.timer.deadline() > late {
            self.timer.as_mut().reset(late);
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let now = Instant::now();
            if now >= late {
                return Poll::Ready(());
            }
            if now >= self.silence.since + self.waits.rest && self.is_between_requests(answered) {
                self.pace.at_rest.store(true, Ordering::Relaxed);
            }
            // No further away, or nobody would notice when a request that comes meanwhile has been answered.
            self.timer.as_mut().reset(late.min(now + self.waits.rest));
        }
    }

    /// Whether every request that came was answered, every answer was written, and nothing else has come.
    fn is_between_requests(&self, answered: u64) -> bool {
        self.framing.whole() == Some(answered) && self.flushed == answered
    }

    /// Lets a write that makes no progress fail after a while.
    fn watched<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stall = self.waits.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Paced {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                self.pace.at_rest.store(false, Ordering::Relaxed);
                self.framing.follow(buffer.filled_mut().get_mut(before..).unwrap_or_default());
                let answered = self.pace.answered.load(Ordering::Relaxed);
                let first = self.silence.waiting == Waiting::Idle || answered != self.answered;
                if buffer.filled().len() > before && first {
                    (self.answered, self.silence) = (answered, Silence { waiting: Waiting::Head, since: Instant::now() });
                }
                Poll::Ready(read)
            }
            Poll::Pending => self.poll_late(cx).map(|()| Err(io::ErrorKind::TimedOut.into())),
        }
    }
}

impl AsyncWrite for Paced {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.pace.at_rest.store(false, Ordering::Relaxed);
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        crate::fault::point("K15");
        self.watched(cx, written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.pace.at_rest.store(false, Ordering::Relaxed);
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        crate::fault::point("K15");
        self.watched(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Hyper flushes the stream only when it has written all that it had (`proto/h1/io`).
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushed = self.pace.answered.load(Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
