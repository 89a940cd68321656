//! A name and a password against tokens; how a login goes on, and how it ends.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

use super::{
    address::From,
    error::ApiError,
    extract::{Body, Fields, MaybeBody, Person, Shape, Spoken},
};
use crate::{
    app::{Admission, App, Refreshing},
    domain::{language::Language, limits::USER_NAME_CHARS_MAX},
    store::contract::logins::StoppedRuns,
};

pub(super) struct Credentials {
    username: String,
    password: String,
}

impl Shape for Credentials {
    fn read(fields: &mut Fields) -> Option<Self> {
        // A name that is too long is nobody's: it is told like any other that is nobody's.
        let (username, password) = (fields.text("username", USER_NAME_CHARS_MAX * 16), fields.secret("password"));
        Some(Self { username: username?, password: password? })
    }
}

/// A refresh token; whatever is none is told like one that is not good.
pub(super) struct Refresh(String);

impl Shape for Refresh {
    fn read(fields: &mut Fields) -> Option<Self> {
        fields.secret("refresh_token").map(Self)
    }
}

/// Whether a logout stops what runs: it does unless somebody says no.
pub(super) struct Leaving {
    stops_turns: bool,
}

impl Default for Leaving {
    fn default() -> Self {
        Self { stops_turns: true }
    }
}

impl Shape for Leaving {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { stops_turns: fields.maybe_flag("stop_turns").unwrap_or(true) })
    }
}

#[derive(Serialize)]
struct Admitted<'a> {
    success: bool,
    message: &'static str,
    token: &'a str,
    /// Seconds.
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    /// Seconds, if it is not used before.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_in: Option<u64>,
    /// The token is good for `POST /api/password` and logging out only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    password_change_required: bool,
    user_id: &'a str,
}

pub(super) async fn login(
    State(app): State<App>,
    Spoken(language): Spoken,
    From(from): From,
    Body(asked): Body<Credentials>,
) -> Result<Response, ApiError> {
    let admission = app.log_in(&asked.username, &asked.password, &from).await?;
    Ok(admitted(&admission, language.choose("logged in", "登录成功")))
}

/// New tokens for a refresh token (RFC 6749, 6); the old one is not good any more.
pub(super) async fn refresh(State(app): State<App>, Spoken(language): Spoken, Body(asked): Body<Refresh>) -> Result<Response, ApiError> {
    let admission = app.refresh(&asked.0).await?;
    Ok(admitted(&admission, language.choose("refreshed", "令牌已刷新")))
}

/// Ends this login: its token, and all that came or could come from it.
pub(super) async fn logout(
    State(app): State<App>,
    Person(caller): Person,
    Spoken(language): Spoken,
    MaybeBody(leaving): MaybeBody<Leaving>,
) -> Result<Response, ApiError> {
    let stopped = app.log_out(&caller, false, leaving.stops_turns).await?;
    Ok(left(caller.user.as_str(), &stopped, language, language.choose("logged out", "已退出登录")))
}

/// Ends all logins of the user.
pub(super) async fn logout_all(State(app): State<App>, Person(caller): Person, Spoken(language): Spoken) -> Result<Response, ApiError> {
    let stopped = app.log_out(&caller, true, true).await?;
    Ok(left(caller.user.as_str(), &stopped, language, language.choose("logged out everywhere", "已在所有设备退出登录")))
}

pub(super) fn admitted(admission: &Admission, message: &'static str) -> Response {
    Json(Admitted {
        success: true,
        message,
        token: &admission.token,
        expires_in: admission.expires_in_secs,
        refresh_token: admission.refresh.as_ref().map(Refreshing::text),
        refresh_expires_in: admission.refresh.as_ref().map(|refresh| refresh.expires_in_secs),
        password_change_required: admission.refresh.is_none(),
        user_id: admission.user.as_str(),
    })
    .into_response()
}

fn left(user: &str, stopped: &StoppedRuns, language: Language, message: &str) -> Response {
    let stops = !stopped.running.is_empty() || stopped.waited > 0;
    let message = match (stops, language) {
        (false, _) => message.to_owned(),
        (true, Language::English) => format!("{message}; what was running is told to stop"),
        (true, Language::Chinese) => format!("{message}，正在进行的处理已通知停止"),
    };
    let runs: Vec<&str> = stopped.running.iter().map(|stopped| stopped.run.as_str()).collect();
    Json(json!({
        "success": true,
        "message": message,
        "stopped_run": runs.first(),
        "stopped_runs": runs,
        "cancelled_waiting": stopped.waited,
        "user_id": user,
    }))
    .into_response()
}
