//! What tests need around them: real servers, started and stopped by the test.

pub mod bed;
pub mod certificates;
pub mod client;
pub mod cluster;
pub mod collector;
pub mod daemon;
pub mod declared;
pub mod embeddings;
pub mod events;
pub mod gate;
pub mod llm;
pub mod process;
pub mod proxy;
pub mod recorder;
pub mod redis;
pub mod secured;
pub mod sentinels;
pub mod servers;
pub mod shape;
pub mod upstream;
pub mod wire;

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use tokio::net::TcpListener;

/// How long a test waits for something that must come: long enough for a busy machine, and never waited for when all is well.
pub const COMES_WITHIN: Duration = Duration::from_secs(20);

/// Serves a stub on a free loopback port for as long as the test's runtime lives.
#[expect(clippy::disallowed_methods, reason = "a stub's clients are the service itself: they need no limits")]
pub async fn serve_stub(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Waits until `is` holds, and fails with `what` if it never does.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is: impl FnMut() -> F) {
    let waiting = async {
        while !is().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(COMES_WITHIN, waiting).await.is_ok(), "never came: {what}");
}
