//! What the log tells, changed while the process runs. Whoever writes the log says how; this floor knows no log.

use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::info;

use super::{
    App, AppError,
    admin::{granted, within_key},
};
use crate::{
    domain::{
        audit::{Action, Deed},
        scope::Scope,
    },
    secrets::tokens::Bearer,
};

/// Has the log tell what a level says from now on; a sentence if it cannot.
pub type SetLogLevel = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// The log of this process, as far as it can be changed.
#[derive(Default)]
pub(super) struct Log {
    set: OnceLock<SetLogLevel>,
    /// The level that was set last; none: that of the settings.
    changed: Mutex<Option<String>>,
}

/// A change of what the log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLevelSet {
    pub before: String,
    pub now: String,
}

impl App {
    /// Says how the level of the log is changed. Only the first to say it is heard.
    pub fn log_with(&self, set: SetLogLevel) {
        let _ = self.0.log.set.set(set);
    }

    /// Changes what the log of this replica tells until the process ends, for an administrator. `level` was checked as the setting is.
    ///
    /// # Errors
    /// The caller may not; or nobody said how ([`AppError::LogFixed`]).
    pub async fn set_log_level(&self, caller: &Bearer, level: &str) -> Result<LogLevelSet, AppError> {
        within_key(caller, Scope::LogLevel)?;
        granted(self.store().administrator(super::caller(caller), Scope::LogLevel).await?)?;
        let Some(set) = self.0.log.set.get() else { return Err(AppError::LogFixed) };
        let before = {
            let mut changed = self.0.log.changed.lock().unwrap_or_else(PoisonError::into_inner);
            let before = changed.clone().unwrap_or_else(|| self.settings().log.level.clone());
            // Told by the level that lets more through.
            info!(user = %caller.user, before, now = level, "{} changes the level of the log from {before} to {level}", caller.user);
            set(level).map_err(|_| AppError::Broken)?;
            info!(user = %caller.user, before, now = level, "the level of the log is {level}");
            *changed = Some(level.to_owned());
            before
        };
        let deed = Deed::new(Action::LogLevelChanged).by(&caller.user).with("replica", self.replica());
        self.note_deed(deed.with("before", before.as_str()).with("level", level)).await;
        Ok(LogLevelSet { before, now: level.to_owned() })
    }
}
