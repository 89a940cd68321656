//! HTTP in and out, thin: all routes on this page, what surrounds them in one function.

mod address;
mod admin;
mod audit;
mod calls;
mod chat;
mod console;
mod context;
mod credentials;
mod documents;
mod error;
mod events;
mod extract;
mod home;
mod keys;
mod login;
mod query;
mod results;
mod revision;
mod runs;
pub mod server;
mod session;
mod shapes;
mod trace;
mod users;

use std::any::Any;

use axum::{
    Router,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::error;

use self::error::ApiError;
use crate::app::{App, Rendering};

/// Every route of the service. Open to everybody: `/`, `/console/*`, `/health*`, `/api/login`, and `/api/token/refresh`, which takes a token of
/// its own kind. All others take an access token.
pub fn router(app: App) -> Router {
    app.render_with(Rendering { turn: chat::render, call: calls::render });
    Router::new()
        .route("/", get(home::home))
        .route("/console/{file}", get(console::file))
        .route("/health", get(home::health))
        .route("/health/live", get(home::live))
        .route("/health/ready", get(home::ready))
        .route("/api/login", post(login::login))
        .route("/api/token/refresh", post(login::refresh))
        .route("/api/logout", post(login::logout))
        .route("/api/logout/all", post(login::logout_all))
        .route("/api/password", post(users::own_password))
        .route("/api/keys", get(keys::list).post(keys::make))
        .route("/api/keys/{name}", delete(keys::revoke))
        .route("/api/process", post(chat::process))
        .route("/api/call", post(calls::call))
        .route("/api/functions", get(calls::functions))
        .route("/api/info", get(session::api_info))
        .route("/api/history", get(session::history).delete(session::clear))
        .route("/api/results/{id}", get(results::result))
        .route("/api/runs/{id}", get(runs::look))
        .route("/api/runs/{id}/events", get(events::follow))
        .route("/api/runs/{id}/cancel", post(runs::cancel))
        .route("/api/session/info", get(session::info))
        .route("/api/session/reset", post(session::reset))
        .route("/api/credentials", get(credentials::all))
        .route("/api/credentials/{scheme}", get(credentials::one).put(credentials::put).delete(credentials::remove))
        .route("/api/admin/sessions", get(admin::sessions))
        .route("/api/admin/sessions/{user}", delete(admin::kill))
        .route("/api/admin/sessions/{user}/keys", get(admin::keys))
        .route("/api/admin/sessions/{user}/history", get(audit::history))
        .route("/api/admin/users", get(users::list).post(users::create))
        .route("/api/admin/users/{name}", get(users::one).patch(users::change).delete(users::remove))
        .route("/api/admin/audit", get(audit::records))
        .route("/api/admin/cleanup", post(admin::cleanup))
        .route("/api/admin/openapi", get(documents::served))
        .route("/api/admin/openapi/reload", post(documents::reload))
        .fallback(async || ApiError::no_such_path())
        .method_not_allowed_fallback(async || ApiError::wrong_method())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), trace::around))
        .with_state(app)
}

/// A bug in one request is an answer of that request; the process lives.
fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let cause = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    error!(cause, "a handler panicked: {}", cause.unwrap_or("without a message"));
    ApiError::internal().into_response()
}
