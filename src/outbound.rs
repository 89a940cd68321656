//! The one HTTP client: one request out, one bounded reply back, and a word for every way it can go wrong.
//!
//! Connections go where the operator said, and otherwise to public addresses only (`guard`). Redirects are not followed, proxies of the environment are not used, no cookie and no referrer is kept or sent.
//! The body is counted while it streams, packed and unpacked, and the connection is dropped at the cap. Gzip is the only coding accepted.

use std::{error::Error as _, io, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{
    Body, Client, Method, Request,
    header::{ACCEPT_ENCODING, CONTENT_LENGTH, HeaderValue, RANGE},
    redirect, retry,
};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tracing::{Instrument, debug, warn};
pub use url::Url;

use crate::{domain::limits, spans};

use self::guard::{Forbidden, Guard, Lookup, Unreachable};
pub use self::{
    headers::{BadHeader, Headers},
    incoming::Incoming,
    retry_after::RetryAfter,
};

mod guard;
mod headers;
mod incoming;
mod retry_after;
#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;
mod unpack;

/// The HTTP client. Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
    guard: Guard,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").finish_non_exhaustive()
    }
}

/// One request to send.
#[derive(Debug, Clone)]
pub struct Sending {
    /// An RFC 9110 method: `GET`, `POST` …
    pub method: String,
    pub url: Url,
    pub headers: Headers,
    pub body: Option<Bytes>,
    /// From now until the last byte of the reply.
    pub deadline: Duration,
    /// The reply's body after decompression, in bytes.
    pub reply_bytes_max: usize,
}

/// What came back: any status, the whole body.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Headers,
    pub body: Bytes,
}

/// Why there is no reply. `status` is there when the reply had begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No connection came about, so not one byte of the request was written.
    #[error("{0}")]
    NotSent(NoConnection),
    /// The deadline passed. The request may have been received.
    #[error("no answer in time")]
    TimedOut { status: Option<u16> },
    /// The connection broke, or what came was not HTTP. The request may have been received.
    #[error("the connection broke before the answer was complete")]
    Broken { status: Option<u16> },
    /// The request was received and answered; the body did not fit.
    #[error("the answer is larger than {cap} bytes")]
    TooLarge { status: u16, cap: usize },
    /// The request was received and answered; the body grows out of all proportion when it is unpacked.
    #[error("the answer unpacks to more than {} times its size", limits::UNPACKED_RATIO_MAX)]
    Bomb { status: u16 },
    /// The request was received and answered; the body is packed in a way that was not asked for, or is damaged.
    #[error("the answer is packed in a way that cannot be read (only gzip is asked for)")]
    Packed { status: u16 },
    /// Not an `http(s)` URL without credentials, or not a method: nothing was sent.
    #[error("the address or the method cannot be used")]
    BadUrl,
}

impl SendError {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::TimedOut { .. } => "timeout",
            Self::Broken { .. } => "broken",
            Self::TooLarge { .. } => "too_large",
            Self::Bomb { .. } => "bomb",
            Self::Packed { .. } => "packed",
            Self::BadUrl => "bad_url",
        }
    }
}

/// Why no connection came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoConnection {
    #[error("the host name is not known")]
    UnknownHost,
    #[error("the connection was refused")]
    Refused,
    #[error("no connection in time")]
    TimedOut,
    /// It would go inside, where the operator named nothing, or to an address that is never called.
    #[error("{Forbidden}")]
    Forbidden,
    #[error("no connection could be made")]
    Other,
}

impl Outbound {
    /// Builds a client. `connect_timeout` covers name, TCP and TLS. A connection that was not used for `idle` is not used again: keep it
    /// shorter than the server's own limit, because a request that meets a closing connection has an unknown outcome.
    ///
    /// Needs the system's CA certificates for `https`; where there are none (a bare container) only `http` works, and the log says so.
    pub fn new(connect_timeout: Duration, idle: Duration) -> Result<Self, ClientNotBuilt> {
        Self::looking_up(Lookup::System, connect_timeout, idle)
    }

    fn looking_up(lookup: Lookup, connect_timeout: Duration, idle: Duration) -> Result<Self, ClientNotBuilt> {
        let guard = Guard::new(lookup);
        let builder = || {
            Client::builder()
                .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .referer(false)
                .retry(retry::never())
                .no_proxy()
                .dns_resolver(Arc::new(guard.clone()))
                .tcp_nodelay(true)
                .connect_timeout(connect_timeout)
                .pool_idle_timeout(idle)
        };
        let client = builder().build().or_else(|error| {
            warn!(cause = cause(&error), "no CA certificates of the system could be loaded: https will not work");
            builder().tls_certs_only([]).build()
        });
        let client = client.map_err(|error| {
            warn!(cause = cause(&error), "the HTTP client could not be built");
            ClientNotBuilt
        })?;
        Ok(Self { client, guard })
    }

    /// The operator named this URL: its host may be inside, at an address of this machine or of a network of the operator's. Of any other
    /// host only public addresses are called. Link-local addresses, those where clouds keep credentials and multicast are never called.
    pub fn named_by_operator(&self, url: &Url) {
        self.guard.name(url);
    }

    /// Sends one request, once, and reads the whole reply.
    ///
    /// # Errors
    /// Why there is no reply.
    pub async fn send(&self, sending: Sending) -> Result<Reply, SendError> {
        self.begin(sending, unpack::ACCEPTED).await?.whole().await
    }

    /// Sends one request, once, and comes back when the reply has begun: its body is read while it comes. It is not to be packed, because
    /// what packs waits for more.
    ///
    /// # Errors
    /// Why no reply began.
    pub async fn open(&self, sending: Sending) -> Result<Incoming, SendError> {
        self.begin(sending, "identity").await
    }

    async fn begin(&self, sending: Sending, accepted: &'static str) -> Result<Incoming, SendError> {
        let Sending { method, url, headers, body, deadline, reply_bytes_max } = sending;
        let end = Instant::now() + deadline;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            return Err(SendError::BadUrl);
        }
        self.guard.check(&url).map_err(|Forbidden| SendError::NotSent(NoConnection::Forbidden))?;
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| SendError::BadUrl)?;
        let mut request = Request::new(method, url);
        *request.headers_mut() = headers.into_map();
        if body.is_none() && matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH) {
            // RFC 9110, 8.6: without it some servers answer 411.
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        if !request.headers().contains_key(RANGE) {
            // Part of a packed body could not be unpacked.
            request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
        }
        *request.body_mut() = body.map(Body::from);
        let span =
            spans::sent(request.method().as_str(), request.url().host_str().unwrap_or_default(), request.url().port_or_known_default());
        if let Some(on) = spans::traceparent(&span).and_then(|on| HeaderValue::from_str(&on).ok()) {
            // A call of a document that has a header of this name means it.
            request.headers_mut().entry(spans::TRACEPARENT).or_insert(on);
        }
        let response = timeout_at(end, self.client.execute(request)).instrument(span.clone()).await;
        let response = response.map_err(|_| SendError::TimedOut { status: None }).and_then(|response| response.map_err(not_begun));
        match &response {
            Ok(response) => spans::answered(&span, response.status().as_u16(), 400),
            Err(error) => spans::failed(&span, error.as_str()),
        }
        Incoming::new(response?, end, reply_bytes_max)
    }

    /// Connects to the server of this URL as a request would, and sends nothing.
    ///
    /// # Errors
    /// Why no connection came about.
    pub async fn connect(&self, url: &Url) -> Result<TcpStream, NoConnection> {
        let addresses = self.guard.addresses(url).await.map_err(|error| match error {
            Unreachable::Forbidden(Forbidden) => NoConnection::Forbidden,
            Unreachable::Unknown => NoConnection::UnknownHost,
        })?;
        TcpStream::connect(&*addresses).await.map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => NoConnection::Refused,
            io::ErrorKind::TimedOut => NoConnection::TimedOut,
            _ => NoConnection::Other,
        })
    }

    /// Loads a text: a document that the operator named by URL, at most `bytes_max` bytes of UTF-8. The error is a sentence for the operator.
    pub async fn fetch_text(&self, url: &str, bytes_max: usize) -> Result<String, String> {
        let Ok(parsed) = Url::parse(url) else { return Err("the address is not a URL".to_owned()) };
        let shown = shown(&parsed);
        self.named_by_operator(&parsed);
        let sending = Sending {
            method: "GET".to_owned(),
            url: parsed,
            headers: Headers::default(),
            body: None,
            deadline: Duration::from_secs(limits::DOCUMENT_FETCH_SECS_MAX),
            reply_bytes_max: bytes_max,
        };
        let reply = self.send(sending).await.map_err(|error| format!("{shown} could not be loaded: {error}"))?;
        match (reply.status, reply.headers.get("location")) {
            (200, _) => {}
            (300..400, Some(to)) => {
                return Err(format!("{shown} answered {} and points to {to}: redirects are not followed", reply.status));
            }
            (status, _) => return Err(format!("{shown} answered {status}")),
        }
        String::from_utf8(reply.body.into()).map_err(|_| format!("{shown} is not UTF-8 text"))
    }
}

/// The HTTP client could not be built; the log has the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client could not be built")]
pub struct ClientNotBuilt;

/// A URL as it may be shown: scheme, host, port and path. Credentials and query may hold secrets.
pub fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// Whether a URL is plainly inside: by an address of this machine or of a private network, or by a name that means this machine.
pub fn is_inside(url: &Url) -> bool {
    guard::is_inside(url)
}

/// Whether a URL names an address that is never called, whoever names it.
pub fn is_never_called(url: &Url) -> bool {
    guard::is_never(url)
}

/// Decides what an exchange came to that never got as far as a status line.
fn not_begun(error: reqwest::Error) -> SendError {
    debug!(cause = cause(&error), "a request got no reply");
    if error.is_builder() {
        SendError::BadUrl
    } else if error.is_connect() {
        SendError::NotSent(if caused_by::<Forbidden>(&error).is_some() {
            NoConnection::Forbidden
        } else if error.is_timeout() {
            NoConnection::TimedOut
        } else if error.is_dns() {
            NoConnection::UnknownHost
        } else if refused(&error) {
            NoConnection::Refused
        } else {
            NoConnection::Other
        })
    } else if error.is_timeout() {
        SendError::TimedOut { status: None }
    } else {
        SendError::Broken { status: None }
    }
}

fn refused(error: &reqwest::Error) -> bool {
    caused_by::<io::Error>(error).is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused)
}

/// The first cause of this kind.
fn caused_by<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    std::iter::successors(error.source(), |error| (*error).source()).find_map(|error| error.downcast_ref())
}

/// The chain of causes without the outermost one, which would name the URL with its query.
fn cause(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut source = error.source();
    while let Some(error) = source {
        words.push(error.to_string());
        source = error.source();
    }
    words.join(": ")
}
