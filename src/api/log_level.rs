//! What the log tells, changed by an administrator while the replica runs.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    error::ApiError,
    extract::{Body, Caller, Fields, Shape, Spoken},
    problem::Problem,
};
use crate::{app::App, domain::limits::LOG_LEVEL_CHARS_MAX, settings};

/// The level as `log.level` takes it.
pub(super) struct LevelAsk(String);

impl Shape for LevelAsk {
    fn read(fields: &mut Fields) -> Option<Self> {
        let level = fields.text("level", LOG_LEVEL_CHARS_MAX)?;
        match settings::log_level_problem(&level) {
            None => Some(Self(level)),
            Some(problem) => fields.wrong(Problem::new(
                format!("level {problem}"),
                format!("level 是 {level:?}，应为 trace、debug、info、warn、error 或 off，或形如 warn,swagger_api_agent=debug 的列表"),
            )),
        }
    }
}

/// At this replica, until its process ends.
pub(super) async fn set(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    Body(LevelAsk(level)): Body<LevelAsk>,
) -> Result<Response, ApiError> {
    let set = app.set_log_level(&caller, &level).await?;
    let message = language.choose("the level of this replica's log is changed until it ends", "已更改本副本的日志级别，进程结束前有效");
    let told = json!({
        "success": true,
        "message": message,
        "before": set.before,
        "level": set.now,
        "replica": app.replica(),
        "user_id": caller.user.as_str(),
    });
    Ok(Json(told).into_response())
}
