//! What administrators see of the whole service: turns that run, those whose outcome is not known, what was counted; and that they stop a turn.

use tracing::info;

use super::{App, AppError};
use crate::{
    domain::{
        audit::{Action, Deed},
        scope::Scope,
        slot::SessionSlot,
    },
    secrets::tokens::Bearer,
    store::contract::overview::{HourCounted, OpenPlace, OpenRuns, Told, UnknownOutcome},
};

impl App {
    /// A page of the turns and calls that run or are orphaned now, of all users.
    ///
    /// # Errors
    /// The caller may not.
    pub async fn open_turns(&self, caller: &Bearer, after: Option<&OpenPlace>, limit: usize) -> Result<OpenRuns, AppError> {
        self.granted(caller, Scope::SessionsRead).await?;
        Ok(self.store().open_runs(after, limit).await?)
    }

    /// Has anybody's run stop that holds a session now; whose it is.
    ///
    /// # Errors
    /// Among others [`AppError::NoRun`].
    pub async fn stop_run(&self, caller: &Bearer, run: &str) -> Result<crate::domain::user::UserName, AppError> {
        self.granted(caller, Scope::SessionsEnd).await?;
        let none = || AppError::NoRun { run: run.to_owned() };
        let user = self.store().user_of_open_run(run).await?.ok_or_else(none)?;
        let Told::Stopping { left_ms } = self.store().stop_run(&user, run).await? else { return Err(none()) };
        info!(%user, run, administrator = %caller.user, "{} has run {run} of {user} stop", caller.user);
        self.note_deed(Deed::new(Action::RunStopped).by(&caller.user).to(&user).with("run", run)).await;
        if left_ms == 0 {
            self.attend_soon(&SessionSlot::of_run(&user, run));
        }
        Ok(user)
    }

    /// At most so many runs of which it is not known what became of a change, newest first, behind the one that ended then under that id;
    /// and whether there are more.
    ///
    /// # Errors
    /// The caller may not.
    pub async fn unknown_outcomes(
        &self,
        caller: &Bearer,
        after: Option<(u64, &str)>,
        limit: usize,
    ) -> Result<(Vec<UnknownOutcome>, bool), AppError> {
        self.granted(caller, Scope::SessionsRead).await?;
        let mut found = self.store().unknown_outcomes().await?;
        found.retain(|one| after.is_none_or(|after| one.order() < after));
        let more = found.len() > limit;
        found.truncate(limit);
        Ok((found, more))
    }

    /// What was counted in the last days, hour by hour, the oldest first.
    ///
    /// # Errors
    /// The caller may not.
    pub async fn counted(&self, caller: &Bearer) -> Result<Vec<HourCounted>, AppError> {
        self.granted(caller, Scope::SessionsRead).await?;
        Ok(self.store().counted().await?)
    }
}
