//! The listener of those who operate the service: metrics, and whether this process lives and takes requests. It asks for no token.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{super::home, ACCEPT_PAUSE, Serving, accept, connection, waits_of};
use crate::{
    app::App,
    domain::limits::ADMIN_CONNECTIONS_MAX,
    metrics::{self, Asked},
};

/// Serves for as long as it is let: also while the service goes down, so that this can be watched.
pub async fn serve_admin(app: App, listener: TcpListener) {
    let (places, waits) = (Arc::new(Semaphore::new(ADMIN_CONNECTIONS_MAX)), waits_of(&app.settings().server));
    let router =
        Router::new().route("/metrics", get(told)).route("/livez", get(home::live)).route("/readyz", get(home::ready)).with_state(app);
    let serving = Arc::new(Serving { router, waits, closing: CancellationToken::new() });
    loop {
        match accept(&listener, &places).await {
            Ok((stream, peer, place)) => {
                tokio::spawn(connection(stream, peer, serving.clone(), place));
            }
            Err(error) => {
                warn!(%error, "a connection of the admin listener could not be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// What is counted, with what is asked for only now. Of the store it costs one look at most a second, whoever scrapes.
async fn told(State(app): State<App>) -> Response {
    let sessions = app.stats_lately().await.map(|stats| (stats.total, stats.active));
    let asked = Asked { sessions, store_answers: app.health().store_answers(), draining: app.is_draining() };
    ([(header::CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE))], metrics::metrics().told(asked)).into_response()
}
