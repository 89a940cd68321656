//! What begins and ends, as server-sent events for administrators.

use axum::{
    extract::State,
    http::HeaderMap,
    response::{Response, sse},
};
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};

use super::{
    error::ApiError,
    events::as_stream,
    extract::{Caller, Spoken},
    replicas,
};
use crate::{
    app::{App, Watched},
    clock::rfc3339,
    domain::language::Language,
    redact::Redactor,
    store::contract::changes::{Change, What},
};

/// Follows what begins and ends from now on, or from where a stream broke off.
pub(super) async fn follow(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let last = headers.get("last-event-id");
    let seen_ms = last.and_then(|last| last.to_str().ok()?.parse().ok());
    let watched = app.watch(&caller, last.is_some(), seen_ms).await?;
    Ok(as_stream(events(language, app.hidden().clone(), watched)))
}

fn events(
    language: Language,
    hidden: Redactor,
    watched: impl Stream<Item = Watched> + Send + 'static,
) -> impl Stream<Item = sse::Event> + Send + 'static {
    watched.map(move |watched| {
        let named = |name: &str, data: &Value| sse::Event::default().event(name).data(data.to_string());
        match watched {
            Watched::Watching { at_ms, missed } => {
                named("watching", &json!({"at": rfc3339(at_ms), "missed": missed})).id(at_ms.saturating_sub(1).to_string())
            }
            Watched::Change(change) => named(change.what.as_str(), &shown(&change)),
            Watched::ReplicaCame(alive) => named("replica_came", &json!({"replica": replicas::shown(&alive)})),
            Watched::ReplicaDraining(alive) => named("replica_draining", &json!({"replica": replicas::shown(&alive)})),
            Watched::ReplicaGone { id } => named("replica_gone", &json!({"id": id})),
            Watched::Until { at_ms } => named("until", &json!({"at": rfc3339(at_ms)})).id(at_ms.to_string()),
            Watched::Over(error) => named("over", &ApiError::from(error).hiding(&hidden).into_event(language)),
        }
    })
}

fn shown(change: &Change) -> Value {
    let Change { at_ms, user, session, what } = change;
    let mut told = json!({"at": rfc3339(*at_ms), "user_id": user.as_str(), "session_id": session.as_str()});
    let more = match what {
        What::SessionBegun => vec![],
        What::SessionEnded { why } => vec![("why", json!(why))],
        What::TurnBegun { run, holder } | What::TurnTaken { run, holder } => vec![("run_id", json!(run)), ("holder", json!(holder))],
        What::TurnEnded { run, ending, detail } => {
            let error = Some(detail).filter(|detail| !detail.is_empty());
            vec![("run_id", json!(run)), ("outcome", json!(ending.as_str())), ("error", json!(error))]
        }
    };
    if let Some(told) = told.as_object_mut() {
        told.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    told
}
