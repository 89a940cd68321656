//! How a login goes on, and how it ends: refresh tokens against new tokens, and logging out.

use secrecy::{ExposeSecret, SecretString};
use tracing::{info, warn};

use super::{App, AppError};
use crate::{
    domain::{
        audit::{Action, Deed},
        limits::REVOKED_BEYOND_END_MS,
        user::{Role, UserName},
    },
    metrics::{LoginOutcome, metrics},
    secrets::{refresh::RefreshToken, tokens::Bearer},
    store::contract::logins::{LoggedOut, Logout, Rotated, Rotation, StoppedRuns},
};

/// What somebody gets who is let in.
#[derive(Debug)]
pub struct Admission {
    pub user: UserName,
    pub token: String,
    pub expires_in_secs: u64,
    /// None: the token is good for changing the password only.
    pub refresh: Option<Refreshing>,
}

/// A refresh token and its life.
#[derive(Debug)]
pub struct Refreshing {
    token: SecretString,
    /// If it is not used before.
    pub expires_in_secs: u64,
}

impl App {
    /// New tokens for a refresh token, which is not good any more then (RFC 6749, 6; RFC 9700, 4.14.2). One that was used before ends its
    /// login: two have it, and which of them is the thief is not known. What came of an exchange whose answer was lost can be had again
    /// for [`REFRESH_GRACE_MS`](crate::domain::limits::REFRESH_GRACE_MS), as long as nobody has used it.
    ///
    /// # Errors
    /// Among others [`AppError::NotRefreshed`] and [`AppError::RefreshUsed`].
    pub async fn refresh(&self, token: &str) -> Result<Admission, AppError> {
        let done = self.exchange(token).await;
        metrics().login(match &done {
            Ok(_) => LoginOutcome::Refreshed,
            Err(AppError::NotRefreshed | AppError::Revoked) => LoginOutcome::RefreshInvalid,
            Err(AppError::RefreshUsed) => LoginOutcome::RefreshReused,
            Err(_) => LoginOutcome::Failed,
        });
        done
    }

    async fn exchange(&self, token: &str) -> Result<Admission, AppError> {
        let presented = RefreshToken::read(token).ok_or(AppError::NotRefreshed)?;
        let successor = presented.successor();
        let (user, family) = (presented.user(), presented.family());
        let rotation = Rotation {
            user,
            family: &family,
            presented: &presented.digest(),
            successor: &successor.digest(),
            sealed: &presented.seal(&successor).ok_or(AppError::Broken)?,
            lasts_ms: self.refresh_ms(),
            access_ms: self.access_ms(),
        };
        match self.store().rotate(rotation).await? {
            Rotated::Done { role, now_ms } => self.admission(role, &successor, now_ms),
            Rotated::Again { role, now_ms, sealed } => {
                let successor = presented.open(&sealed).ok_or(AppError::Broken)?;
                self.admission(role, &successor, now_ms)
            }
            Rotated::Used => {
                warn!(%user, family, "a refresh token of {user} came again after it was used: its login {family} has been ended");
                self.note_deed(Deed::new(Action::RefreshReused).to(user).with("login", family)).await;
                Err(AppError::RefreshUsed)
            }
            Rotated::Unknown => Err(AppError::NotRefreshed),
            Rotated::Refused(refused) => Err(refused.into()),
        }
    }

    /// Ends the caller's login, or with `everything` all logins of the user. What runs in the user's session is cancelled, if
    /// `stops_runs` says so, as by [`App::cancel_run`]: it is written down, so it holds whichever replica runs it, and whichever dies.
    ///
    /// # Errors
    /// The caller may not come in any more.
    pub async fn log_out(&self, caller: &Bearer, everything: bool, stops_runs: bool) -> Result<StoppedRuns, AppError> {
        let logout = Logout {
            caller: super::caller(caller),
            token_until_ms: caller.expires_ms.saturating_add(REVOKED_BEYOND_END_MS),
            family: caller.family(),
            access_ms: self.access_ms(),
            everything,
            stops_runs,
        };
        match self.store().log_out(logout).await? {
            LoggedOut::Done(stopped) => {
                self.attend_stopped(&caller.user, &stopped.running);
                let user = &caller.user;
                let what = if everything { "all logins" } else { "a login" };
                info!(%user, everything, stopped = stopped.running.len(), waited = stopped.waited, "{user} ended {what}");
                if everything {
                    self.note_deed(Deed::new(Action::LoggedOutEverywhere).by(user).to(user)).await;
                }
                Ok(stopped)
            }
            LoggedOut::Refused(refused) => Err(refused.into()),
        }
    }

    /// The tokens that go with a refresh token, dated by the store.
    pub(super) fn admission(&self, role: Role, refresh: &RefreshToken, now_ms: u64) -> Result<Admission, AppError> {
        let issued = self.tokens().issue(refresh.user(), role, Some(&refresh.family()), now_ms).ok_or(AppError::Broken)?;
        Ok(Admission {
            user: refresh.user().clone(),
            token: issued.token,
            expires_in_secs: issued.expires_in_secs,
            refresh: Some(Refreshing { token: refresh.text(), expires_in_secs: self.refresh_ms() / 1000 }),
        })
    }

    /// How long a login lasts that is not refreshed.
    pub(super) fn refresh_ms(&self) -> u64 {
        self.settings().auth.refresh_hours.saturating_mul(60 * 60 * 1000)
    }

    /// How long an access token that is issued now has to be remembered, if it is revoked.
    fn access_ms(&self) -> u64 {
        self.tokens().life_ms().saturating_add(REVOKED_BEYOND_END_MS)
    }
}

impl Refreshing {
    /// The refresh token as the client gets it.
    pub fn text(&self) -> &str {
        self.token.expose_secret()
    }
}
