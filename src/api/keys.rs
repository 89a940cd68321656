//! A user's own API keys: which there are, making one, taking one away. The key itself is told once.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{
    error::ApiError,
    extract::{Body, Caller, Fields, LoggedIn, Shape, Spoken},
    problem::Problem,
    users::scopes_in,
};
use crate::{
    app::{App, AppError},
    clock::rfc3339,
    domain::{
        limits::{API_KEY_DAYS_DEFAULT, API_KEY_DAYS_MAX, API_KEY_NAME_CHARS_MAX},
        number::whole,
        scope::Scopes,
    },
    store::contract::keys::KeptKey,
};

/// `name`, and perhaps `scopes` (none otherwise) and `expires_in_days`.
pub(super) struct NewKey {
    name: String,
    scopes: Scopes,
    days: u64,
}

impl Shape for NewKey {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.text("name", API_KEY_NAME_CHARS_MAX).and_then(|name| {
            if name.chars().any(char::is_control) {
                return fields.wrong(Problem::has_control_characters("name"));
            }
            Some(name)
        });
        let scopes = match fields.maybe("scopes") {
            None | Some(Value::Null) => Some(Scopes::NONE),
            Some(value) => scopes_in(fields, &value),
        };
        let days = match fields.maybe("expires_in_days") {
            None | Some(Value::Null) => Some(API_KEY_DAYS_DEFAULT),
            // `30.0` is a whole number (JSON Schema 2020-12, 6.1.1).
            Some(value) => {
                value.as_f64().filter(|days| days.fract() == 0.0).map(whole).filter(|days| (1..=API_KEY_DAYS_MAX).contains(days)).or_else(
                    || {
                        fields.wrong(Problem::new(
                            format!("expires_in_days is {value}; a whole number from 1 to {API_KEY_DAYS_MAX} is needed"),
                            format!("expires_in_days 是 {value}，应为 1 到 {API_KEY_DAYS_MAX} 的整数"),
                        ))
                    },
                )
            }
        };
        Some(Self { name: name?, scopes: scopes?, days: days? })
    }
}

fn shown(key: &KeptKey) -> Value {
    json!({"name": key.name, "scopes": key.scopes.names(), "created_at": rfc3339(key.made_ms), "expires_at": rfc3339(key.ends_ms)})
}

pub(super) async fn list(State(app): State<App>, Caller(caller): Caller) -> Result<Response, ApiError> {
    let keys: Vec<Value> = app.own_keys(&caller).await?.iter().map(shown).collect();
    Ok(Json(json!({"success": true, "count": keys.len(), "keys": keys, "user_id": caller.user.as_str()})).into_response())
}

pub(super) async fn make(
    State(app): State<App>,
    LoggedIn(caller): LoggedIn,
    Spoken(language): Spoken,
    Body(new): Body<NewKey>,
) -> Result<Response, ApiError> {
    let (kept, text) = app.make_key(&caller, &new.name, new.scopes, new.days).await?;
    let message = language.choose("the key is shown this once: keep it", "密钥仅显示这一次，请妥善保存");
    let (text, key) = (text.expose_secret(), shown(&kept));
    let told = json!({"success": true, "message": message, "api_key": text, "key": key, "user_id": caller.user.as_str()});
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

pub(super) async fn revoke(
    State(app): State<App>,
    LoggedIn(caller): LoggedIn,
    Spoken(language): Spoken,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Ok(Path(name)) = name else { return Err(AppError::NoKey { name: "of that name".to_owned() }.into()) };
    let stopped = app.revoke_key(&caller, &name).await?;
    let message = if stopped.is_empty() {
        language.choose("the key was revoked", "密钥已撤销")
    } else {
        language.choose("the key was revoked; what was begun with it is told to stop", "密钥已撤销，由其发起且正在进行的处理已通知停止")
    };
    Ok(Json(json!({"success": true, "message": message, "name": name, "stopped_runs": stopped, "user_id": caller.user.as_str()}))
        .into_response())
}
