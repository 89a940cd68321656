//! A name and a password against a token.

use axum::{Json, extract::State};
use serde::Serialize;

use super::{
    error::ApiError,
    extract::{Body, Fields, Shape, Spoken},
};
use crate::{app::App, domain::limits::USER_NAME_CHARS_MAX};

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

#[derive(Serialize)]
pub(super) struct LoggedIn {
    success: bool,
    message: &'static str,
    token: String,
    /// Seconds.
    expires_in: u64,
    user_id: String,
}

pub(super) async fn login(
    State(app): State<App>,
    Spoken(language): Spoken,
    Body(asked): Body<Credentials>,
) -> Result<Json<LoggedIn>, ApiError> {
    let issued = app.log_in(&asked.username, &asked.password).await?;
    let message = language.choose("logged in", "登录成功");
    Ok(Json(LoggedIn { success: true, message, token: issued.token, expires_in: issued.expires_in_secs, user_id: asked.username }))
}
