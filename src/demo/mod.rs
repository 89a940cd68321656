//! A small real API to try the agent on: users, products and orders, in memory, on a loopback port of its own.
//!
//! It is what a newcomer's first sentence talks to, so it behaves as a careful upstream does: pages, filters, 201 with `Location`,
//! 204, 404, 409 and 422, and one sentence that names everything wrong. [`DOCUMENT`] describes exactly this API.

mod input;
mod orders;
mod products;
mod seed;
mod shop;
mod users;

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    routing::{MethodRouter, get},
};
use tokio::{net::TcpListener, sync::oneshot};

use crate::domain::limits::DEMO_BODY_BYTES_MAX;
use input::Failure;
use shop::Shop;

/// The API as an OpenAPI 3.0.3 document in YAML; its server is `/`, relative to where the demo listens.
pub const DOCUMENT: &str = include_str!("openapi.yaml");

/// A running demo. It stops when this is dropped: the port is closed at once, open connections after their request.
#[derive(Debug)]
pub struct Demo {
    /// Where it listens: 127.0.0.1 and a port that the system chose.
    pub address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// Starts the demo with its first data on a free loopback port, in a task of the running runtime.
///
/// # Errors
/// No loopback port can be opened.
pub async fn start() -> io::Result<Demo> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    #[expect(clippy::disallowed_methods, reason = "on a loopback port of its own the demo has one client: the service")]
    let server = axum::serve(listener, router(Arc::new(Shop::seeded()))).with_graceful_shutdown(async {
        // Nothing is ever sent: the sender's end is the signal.
        let _ = stopped.await;
    });
    tokio::spawn(async move { server.await });
    Ok(Demo { address, _stop: stop })
}

fn router(shop: Arc<Shop>) -> Router {
    let one = |of: MethodRouter<Arc<Shop>>| of.fallback(wrong_method);
    Router::new()
        .route("/users", one(get(users::list).post(users::create)))
        .route("/users/{id}", one(get(users::show).patch(users::change).delete(users::remove)))
        .route("/products", one(get(products::list).post(products::create)))
        .route("/products/{id}", one(get(products::show).patch(products::change).delete(products::remove)))
        .route("/orders", one(get(orders::list).post(orders::create)))
        .route("/orders/{id}", one(get(orders::show).patch(orders::change).delete(orders::remove)))
        .fallback(no_such_path)
        .layer(DefaultBodyLimit::max(DEMO_BODY_BYTES_MAX))
        .with_state(shop)
}

async fn no_such_path() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "there is nothing at this path")
}

async fn wrong_method() -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "this method is not allowed at this path")
}
