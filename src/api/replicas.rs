//! The replicas that are there.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{error::ApiError, extract::Caller};
use crate::{app::App, clock::rfc3339, store::contract::replicas::Alive};

/// Every replica that said lately that it is there, by name.
pub(super) async fn list(State(app): State<App>, Caller(caller): Caller) -> Result<Response, ApiError> {
    let replicas = app.replicas(&caller).await?;
    let told = json!({
        "success": true,
        "replicas": replicas.iter().map(shown).collect::<Vec<_>>(),
        "count": replicas.len(),
        "user_id": caller.user.as_str(),
    });
    Ok(Json(told).into_response())
}

/// A replica, as administrators are told of it over HTTP and on the command line.
pub fn shown(alive: &Alive) -> Value {
    let Alive { replica, seen_ms } = alive;
    json!({
        "id": replica.id,
        "version": replica.version,
        "address": replica.address,
        "started_at": rfc3339(replica.started_ms),
        "seen_at": rfc3339(*seen_ms),
        "draining": replica.draining,
        "turns_in_flight": replica.turns,
        "streams": replica.streams,
        "memory_bytes": replica.memory_bytes,
    })
}
