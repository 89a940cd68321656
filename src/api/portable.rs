//! Sessions as files: one that is taken along, one that is brought.

use axum::{
    extract::{Path, Query, Request, State, rejection::PathRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::{
    error::ApiError,
    extract::{Caller, Spoken, body_of},
    problem::Problem,
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
        query
            .problem(Problem::new(format!("format is none of {}", FORMATS.join(" and ")), format!("format 不是 {}", FORMATS.join(" 或 "))));
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

/// Begins another session with the conversation of a file that [`export`] made, here or elsewhere.
pub(super) async fn import(State(app): State<App>, Caller(caller): Caller, request: Request) -> Result<Response, ApiError> {
    // Whoever may not come in, or comes too often, is told before anything is read.
    app.own_sessions(&caller, None).await?;
    // And whoever waits for leave holds nothing.
    let leave = app.import_leave().await?;
    let text = body_of(request, &app, SESSION_FILE_BYTES_MAX).await?;
    let conversation = app
        .read_conversation(text, leave)
        .await?
        .map_err(|problems| ApiError::invalid_body(problems.into_iter().map(Problem::english).collect()))?;
    let own = app.import_session(&caller, conversation).await?;
    Ok(created(&caller, &own))
}
