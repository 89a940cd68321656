//! Sessions as files: one that is taken along, one that is brought.

use axum::{
    extract::{FromRequest, Path, Query, Request, State, rejection::PathRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;

use super::{
    error::ApiError,
    extract::{Caller, Spoken, body_of},
    query::Asked,
    sessions::{about, created},
};
use crate::{app::App, domain::limits::SESSION_FILE_BYTES_MAX, markdown::transcript, portable};

/// The kinds of file that there are, as `?format=` names them.
const FORMATS: [&str; 2] = ["json", "markdown"];

/// The session as a file: JSON that [`import`] takes, or with `?format=markdown` a text for people.
pub(super) async fn export(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    id: Result<Path<String>, PathRejection>,
    query: Query<Asked>,
) -> Result<Response, ApiError> {
    let Query(mut query) = query;
    let format = query.text("format").unwrap_or_else(|| "json".to_owned());
    if !FORMATS.contains(&format.as_str()) {
        query.problem(format!("format is none of {}", FORMATS.join(" and ")));
    }
    query.done()?;
    let (own, turns) = app.whole_session(&about(caller, id)?).await?;
    let (kind, ending, text) = if format == "json" {
        ("application/json", "json", portable::write(&own.label, &turns))
    } else {
        ("text/markdown; charset=utf-8", "md", transcript(own.label.title.as_deref(), &turns, language))
    };
    let mut response = ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response();
    if let Ok(saved) = HeaderValue::from_str(&format!("attachment; filename=\"session-{}.{ending}\"", own.session.id)) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, saved);
    }
    Ok(response)
}

/// A file of a session, and leave to hold it.
pub(super) struct SessionFile {
    text: Bytes,
    _leave: tokio::sync::OwnedSemaphorePermit,
}

impl FromRequest<App> for SessionFile {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        // Before anything is read: whoever waits here holds nothing.
        let leave = app.import_leave().await?;
        Ok(Self { text: body_of(request, app, SESSION_FILE_BYTES_MAX).await?, _leave: leave })
    }
}

/// Begins another session with the conversation of a file that [`export`] made, here or elsewhere.
pub(super) async fn import(State(app): State<App>, Caller(caller): Caller, file: SessionFile) -> Result<Response, ApiError> {
    let conversation = app.read_conversation(file.text.clone()).await?.map_err(ApiError::invalid_body)?;
    let own = app.import_session(&caller, conversation).await?;
    Ok(created(&caller, &own))
}
