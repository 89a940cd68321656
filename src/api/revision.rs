//! Which state of a session a client has seen: told as `ETag`, given back as `If-Match` (RFC 9110, 8.8.3 and 13.1.1).

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};

use super::error::ApiError;
use crate::{
    app::App,
    domain::{
        session::{Revision, SessionInfo},
        user::UserName,
    },
};

/// On an answer about a session of which the store has lost what this replica had told before: the state that was told.
static ROLLED_BACK: HeaderName = HeaderName::from_static("state-rolled-back");

/// What the client knows of the conversation, if it says so: `If-Match: "session.fence.version"`. `*` knows nothing in particular.
pub(super) struct Expects(pub Option<Revision>);

impl<S: Sync> FromRequestParts<S> for Expects {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        read(text).map(|revision| Self(Some(revision))).ok_or_else(|| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "if_match_malformed",
                "If-Match must be one ETag of this service, in its quotes, as an answer about the session gave it",
                "If-Match 必须是本服务返回的一个 ETag（包括引号）",
            )
        })
    }
}

/// A revision as a strong entity tag, in its quotes.
fn read(tag: &str) -> Option<Revision> {
    Revision::parse(tag.strip_prefix('"')?.strip_suffix('"')?)
}

fn write(response: &mut Response, name: HeaderName, revision: &Revision) {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(name, value);
    }
}

/// Says which state of the session an answer is about.
pub(super) fn tag(response: &mut Response, revision: &Revision) {
    write(response, header::ETAG, revision);
}

/// What the caller knew of the session, if the store has lost some of it and tells of an older state now. What is told is remembered.
pub(super) fn lost(app: &App, user: &UserName, known: Option<&Revision>, response: &Response) -> Option<Revision> {
    let now = read(response.headers().get(header::ETAG)?.to_str().ok()?)?;
    app.seen().tell(user, known.cloned(), &now)
}

/// Says that the state before the one that an answer is about was lost: it is named as an ETag names one.
pub(super) fn tag_rolled_back(response: &mut Response, known: &Revision) {
    write(response, ROLLED_BACK.clone(), known);
}

/// The response, saying which state of the session it is about.
pub(super) fn tagged(mut response: Response, session: &SessionInfo) -> Response {
    tag(&mut response, &session.revision());
    response
}
