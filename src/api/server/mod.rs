//! The accept loop: bounded connections, bounded waiting, and an end that comes.
//!
//! `axum::serve` has no time limit for a request's head, none for idle connections, and its graceful shutdown waits for ever; so
//! connections are served with hyper directly (`connection`), over a stream that keeps time (`pace`) and
//! lets no request be read in two ways (`framing`).

mod admin;
mod connection;
mod framing;
mod pace;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use self::admin::serve_admin;
use self::{
    connection::{Serving, connection},
    pace::Waits,
};
use super::address::Peer;
use crate::{app::App, domain::limits::CONNECTION_RESTS_AFTER_MS, settings::Server};

/// A request's line and headers, in bytes; more is answered with 431.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Headers of a request; more is answered with 431.
const HEADERS_MAX: usize = 64;
/// A client that takes nothing of its answer for so long is given up.
const WRITE_STALL_MAX: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection (out of descriptors, most likely).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What handing a turn over takes besides awaiting a change that is out.
const HAND_OVER_MARGIN: Duration = Duration::from_secs(1);

/// How a server takes its leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// It is not ready any more, but goes on for the notice's time, so that load balancers find out before anything is refused.
    AfterNotice,
    AtOnce,
}

/// Serves until `leave` comes and what was begun has ended, or the drain's hard deadline has come.
///
/// From `leave` on the replica is not ready; after the notice it accepts nothing; at the deadline everything is cut.
pub async fn serve(app: App, listener: TcpListener, leave: impl Future<Output = Leave>) {
    let settings = app.settings().server.clone();
    let places = Arc::new(Semaphore::new(settings.connections_max));
    let closing = CancellationToken::new();
    let serving = Arc::new(Serving { router: super::router(app.clone()), waits: waits_of(&settings), closing: closing.clone() });
    let mut connections = JoinSet::new();
    let notice = async {
        let leave = leave.await;
        info!("going down: not ready any more");
        app.drain();
        if leave == Leave::AfterNotice {
            tokio::time::sleep(Duration::from_millis(settings.drain_notice_ms)).await;
        }
    };
    tokio::pin!(notice);
    if let Ok(at) = listener.local_addr() {
        app.arrive(at).await;
    }
    loop {
        // A place first: what cannot be served waits in the system's queue.
        let accepted = tokio::select! {
            () = &mut notice => break,
            accepted = accept(&listener, &places) => accepted,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer, place)) => {
                connections.spawn(connection(stream, peer, serving.clone(), place));
            }
            Err(error) => {
                warn!(%error, "a connection could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    closing.cancel();
    let began = Instant::now();
    let ended = async {
        while connections.join_next().await.is_some() {}
        app.drained().await;
    };
    let left = Duration::from_millis(settings.drain_ms.saturating_sub(settings.drain_notice_ms));
    // Turns that will not end in time are given to other replicas while there is time to await a change that is out.
    let handing_over = async {
        tokio::time::sleep(left - (left / 2).min(Duration::from_millis(app.settings().upstream.timeout_ms) + HAND_OVER_MARGIN)).await;
        app.hand_over_runs();
        std::future::pending::<()>().await;
    };
    let ended = async {
        tokio::select! {
            () = ended => {}
            () = handing_over => {}
        }
    };
    if tokio::time::timeout(left, ended).await.is_err() {
        warn!(connections = connections.len(), "the drain's deadline has come: {} connections are cut", connections.len());
        connections.abort_all();
    } else {
        info!(drained_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX), "everything that was begun has ended");
    }
    app.leave().await;
}

fn waits_of(settings: &Server) -> Waits {
    Waits {
        head: Duration::from_millis(settings.header_timeout_ms),
        idle: Duration::from_millis(settings.idle_timeout_ms),
        stall: WRITE_STALL_MAX,
        rest: Duration::from_millis(CONNECTION_RESTS_AFTER_MS),
    }
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> std::io::Result<(TcpStream, Peer, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, Peer(peer.ip()), place))
}
