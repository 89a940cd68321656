//! HTTP in and out, thin: all routes on this page, what surrounds them in one function.

mod address;
mod admin;
mod audit;
mod calls;
mod chat;
mod confirmations;
mod console;
mod context;
mod credentials;
mod documents;
mod error;
mod events;
mod extract;
mod file;
mod home;
mod keys;
mod log_level;
mod login;
pub mod openapi;
mod overview;
mod portable;
mod problem;
mod query;
mod rates;
mod replicas;
mod results;
mod revision;
mod runs;
pub mod server;
mod session;
mod sessions;
mod shapes;
mod trace;
mod users;
mod watch;
mod well_formed;

pub use self::replicas::shown as replica_shown;

use std::any::Any;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post, put},
};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::error;

use self::error::ApiError;
use crate::app::{App, Rendering};

/// Every route of the service. Open to everybody: `/`, `/admin` (the page alone), `/docs`, `/openapi.json`, `/console/*`, `/health*`, `/api/login`, and
/// `/api/token/refresh`, which takes a token of its own kind. All others take an access token.
fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/", get(home::home)),
        ("/console/{file}", get(console::file)),
        ("/admin", get(console::admin)),
        ("/docs", get(console::docs)),
        ("/openapi.json", get(openapi::served)),
        ("/health", get(home::health)),
        ("/health/live", get(home::live)),
        ("/health/ready", get(home::ready)),
        ("/api/login", post(login::login)),
        ("/api/token/refresh", post(login::refresh)),
        ("/api/logout", post(login::logout)),
        ("/api/logout/all", post(login::logout_all)),
        ("/api/password", post(users::own_password)),
        ("/api/keys", get(keys::list).post(keys::make)),
        ("/api/keys/{name}", delete(keys::revoke)),
        ("/api/process", post(chat::process)),
        ("/api/call", post(calls::call)),
        ("/api/functions", get(calls::functions)),
        ("/api/info", get(session::api_info)),
        ("/api/history", get(session::history).delete(session::clear)),
        ("/api/confirmations", get(confirmations::open)),
        ("/api/confirmations/{id}", post(confirmations::decide)),
        ("/api/results/{id}", get(results::result)),
        ("/api/runs/{id}", get(runs::look)),
        ("/api/runs/{id}/events", get(events::follow)),
        ("/api/runs/{id}/cancel", post(runs::cancel)),
        ("/api/session/info", get(session::info)),
        ("/api/session/reset", post(session::reset)),
        ("/api/sessions", get(sessions::list).post(sessions::open)),
        ("/api/sessions/import", post(portable::import)),
        ("/api/sessions/{id}", get(sessions::one).patch(sessions::change).delete(sessions::end)),
        ("/api/sessions/{id}/export", get(portable::export)),
        ("/api/sessions/{id}/fork", post(sessions::fork)),
        ("/api/sessions/{id}/rewind", post(sessions::rewind)),
        ("/api/credentials", get(credentials::all)),
        ("/api/credentials/{scheme}", get(credentials::one).put(credentials::put).delete(credentials::remove)),
        ("/api/admin/sessions", get(admin::sessions)),
        ("/api/admin/sessions/{user}", delete(admin::kill)),
        ("/api/admin/sessions/{user}/{session}", get(admin::session).delete(admin::kill_one)),
        ("/api/admin/sessions/{user}/{session}/history", get(audit::history_of_one)),
        ("/api/admin/sessions/{user}/{session}/keys", get(admin::keys_of_one)),
        ("/api/admin/sessions/{user}/keys", get(admin::keys)),
        ("/api/admin/sessions/{user}/history", get(audit::history)),
        ("/api/admin/turns", get(overview::turns)),
        ("/api/admin/turns/{run}/cancel", post(overview::cancel)),
        ("/api/admin/unknown", get(overview::unknown)),
        ("/api/admin/replicas", get(replicas::list)),
        ("/api/admin/events", get(watch::follow)),
        ("/api/admin/stats", get(overview::stats)),
        ("/api/admin/users", get(users::list).post(users::create)),
        ("/api/admin/users/{name}", get(users::one).patch(users::change).delete(users::remove)),
        ("/api/admin/audit", get(audit::records)),
        ("/api/admin/cleanup", post(admin::cleanup)),
        ("/api/admin/openapi", get(documents::served)),
        ("/api/admin/openapi/reload", post(documents::reload)),
        ("/api/admin/log-level", put(log_level::set)),
    ]
}

/// The path templates of all routes, as `openapi` describes them.
pub fn paths() -> Vec<&'static str> {
    routes().into_iter().map(|(path, _)| path).collect()
}

/// The service as a router.
pub fn router(app: App) -> Router {
    app.render_with(Rendering { turn: chat::render, call: calls::render });
    routes()
        .into_iter()
        .fold(Router::new(), |router, (path, handlers)| router.route(path, handlers))
        .fallback(async || ApiError::no_such_path())
        .method_not_allowed_fallback(async || ApiError::wrong_method())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(well_formed::checked))
        .layer(from_fn_with_state(app.clone(), trace::around))
        .with_state(app)
}

/// A bug in one request is an answer of that request; the process lives.
fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let cause = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    error!(cause, "a handler panicked: {}", cause.unwrap_or("without a message"));
    ApiError::internal().into_response()
}
