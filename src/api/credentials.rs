//! A user's own credentials for the API: which there are, setting one, taking one away. No answer holds a secret.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    error::ApiError,
    extract::{Body, Caller, Fields, Shape, Spoken},
    problem::Problem,
    query::Asked,
};
use crate::{
    app::{App, AppError, OwnScheme},
    clock::rfc3339,
    domain::limits::SCHEME_NAME_CHARS_MAX,
    openapi::{Credential, KeyPlace},
    upstream::OwnSecret,
};

/// What is put by: `value`, or `username` and `password`; `api` where several APIs have a scheme of that name.
pub(super) struct CredentialAsk {
    api: Option<String>,
    secret: OwnSecret,
}

impl Shape for CredentialAsk {
    fn read(fields: &mut Fields) -> Option<Self> {
        let api = fields.maybe_text("api");
        let (value, username, password) = (fields.maybe_text("value"), fields.maybe_text("username"), fields.maybe_text("password"));
        let secret = match (value, username, password) {
            (Some(value), None, None) => OwnSecret::Value(value.into()),
            (None, Some(username), Some(password)) => OwnSecret::Basic { username, password: password.into() },
            (None, Some(_), None) => return fields.wrong(Problem::missing("password")),
            (None, None, Some(_)) => return fields.wrong(Problem::missing("username")),
            (None, None, None) if fields.are_wrong() => return None,
            (None, None, None) => {
                return fields.wrong(Problem::new("value is missing, or username and password", "缺少 value，或 username 和 password"));
            }
            (Some(_), _, _) => {
                return fields.wrong(Problem::new(
                    "value and username or password are given; one credential is needed",
                    "同时提供了 value 和 username 或 password，只能提供一种凭据",
                ));
            }
        };
        Some(Self { api, secret })
    }
}

/// The scheme of the path; nobody has one whose name is no text, or longer than any.
fn named(scheme: Result<Path<String>, PathRejection>) -> Result<String, ApiError> {
    let unknown = || AppError::UnknownScheme { name: "of that name".to_owned(), near: Vec::new() };
    Ok(scheme.ok().map(|Path(name)| name).filter(|name| name.chars().nth(SCHEME_NAME_CHARS_MAX).is_none()).ok_or_else(unknown)?)
}

pub(super) async fn all(State(app): State<App>, Caller(caller): Caller) -> Result<Response, ApiError> {
    let all: Vec<Value> = app.own_schemes(&caller).await?.iter().map(shown).collect();
    let count = all.len();
    Ok(Json(json!({"success": true, "credentials": all, "count": count, "user_id": caller.user.as_str()})).into_response())
}

pub(super) async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    scheme: Result<Path<String>, PathRejection>,
    query: Query<Asked>,
) -> Result<Response, ApiError> {
    let api = query.0.text_of("api");
    let own = app.own_scheme(&caller, api.as_deref(), &named(scheme)?).await?;
    Ok(Json(json!({"success": true, "credential": shown(&own), "user_id": caller.user.as_str()})).into_response())
}

pub(super) async fn put(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    scheme: Result<Path<String>, PathRejection>,
    Body(ask): Body<CredentialAsk>,
) -> Result<Response, ApiError> {
    let own = app.put_credential(&caller, ask.api.as_deref(), &named(scheme)?, &ask.secret).await?;
    let message = language.choose("your credential is set; it is sent to the API alone", "凭据已设置，只会发送给该 API");
    Ok(Json(json!({"success": true, "message": message, "credential": shown(&own), "user_id": caller.user.as_str()})).into_response())
}

pub(super) async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    scheme: Result<Path<String>, PathRejection>,
    query: Query<Asked>,
) -> Result<Response, ApiError> {
    let api = query.0.text_of("api");
    let own = app.remove_credential(&caller, api.as_deref(), &named(scheme)?).await?;
    let message = language.choose("you have no credential of your own for it now", "您自己的凭据已移除");
    Ok(Json(json!({"success": true, "message": message, "credential": shown(&own), "user_id": caller.user.as_str()})).into_response())
}

/// A scheme and whether the caller has set a credential for it, without the credential.
fn shown(own: &OwnScheme) -> Value {
    let kind = match &own.credential {
        None => "undeclared",
        Some(Credential::Bearer) => "bearer",
        Some(Credential::Basic) => "basic",
        Some(Credential::ApiKey { .. }) => "api_key",
        Some(Credential::OAuth2 { .. }) => "oauth2",
        Some(Credential::Unsupported) => "unsupported",
    };
    let mut told = json!({
        "scheme": own.scheme,
        "type": kind,
        "set": own.set.is_some(),
        "kind": own.set.as_ref().map(|set| &set.kind),
        "set_at": own.set.as_ref().map(|set| rfc3339(set.at_ms)),
    });
    if let Value::Object(fields) = &mut told {
        if let Some(Credential::ApiKey { place, name }) = &own.credential {
            let place = match place {
                KeyPlace::Header => "header",
                KeyPlace::Query => "query",
                KeyPlace::Cookie => "cookie",
            };
            fields.insert("in".to_owned(), json!(place));
            fields.insert("name".to_owned(), json!(name));
        }
        if !own.api.is_empty() {
            fields.insert("api".to_owned(), json!(own.api));
        }
    }
    told
}
