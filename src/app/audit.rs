//! The audit log: what is written down of who did what, and who may read it.

use tracing::{info, warn};

use super::{App, AppError};
use crate::{
    domain::{
        audit::{Action, AuditPlace, Deed, Wanted},
        scope::Scope,
        session::SessionId,
        user::UserName,
    },
    secrets::tokens::Bearer,
    store::contract::{
        StoreError, Tail,
        audit::{AuditPage, Peeked},
    },
};

impl App {
    /// A page of the audit log, newest first.
    ///
    /// # Errors
    /// Among others [`AppError::InsufficientScope`].
    pub async fn audit_page(
        &self,
        caller: &Bearer,
        wanted: &Wanted,
        before: Option<AuditPlace>,
        limit: usize,
    ) -> Result<AuditPage, AppError> {
        self.granted(caller, Scope::AuditRead).await?;
        Ok(self.store().audited(wanted, before, limit).await?)
    }

    /// What was said in a user's session, for somebody else. That it is read is written down before anything of it is given away.
    ///
    /// # Errors
    /// Among others [`AppError::NoSession`].
    pub async fn read_session(
        &self,
        caller: &Bearer,
        user: &UserName,
        session: Option<&SessionId>,
        tail: Tail,
    ) -> Result<Peeked, AppError> {
        self.granted(caller, Scope::SessionsContent).await?;
        let mut peeked = self.store().peek(user, session, tail).await?.ok_or(AppError::NoSession)?;
        let deed = Deed::new(Action::SessionRead).by(&caller.user).to(user);
        self.written_down(&deed.with("session", peeked.session.id.as_str()).with("turns", peeked.tail.len().to_string())).await?;
        // What was stored before a secret was set may hold it.
        peeked.tail.iter_mut().for_each(|turn| self.hidden().in_turn(turn));
        Ok(peeked)
    }

    /// Writes down what was done. It was done, so a store that does not take the record changes nothing for whoever did it: then the log has the
    /// only record.
    pub(super) async fn note_deed(&self, deed: Deed) {
        if let Err(error) = self.written_down(&deed).await {
            warn!(%error, action = deed.action.as_str(), "the audit log in the store lacks {}: {error}", deed.action.as_str());
        }
    }

    async fn written_down(&self, deed: &Deed) -> Result<(), StoreError> {
        let name = |user: &Option<UserName>| user.as_ref().map(ToString::to_string).unwrap_or_default();
        let (action, by, user) = (deed.action.as_str(), name(&deed.by), name(&deed.user));
        let details = told(&deed.details);
        info!(target: "audit", action, by, user, details, "{action} by {by:?} to {user:?} {details}");
        self.store().audit(deed).await
    }
}

/// Details as one text, as a line of the log has them. Whoever names something chooses words, and must not choose what looks like other details.
fn told(details: &[(&'static str, String)]) -> String {
    let plain = |value: &str| !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "-_.:/".contains(c));
    let one = |(name, value): &(&str, String)| if plain(value) { format!("{name}={value}") } else { format!("{name}={value:?}") };
    details.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_looks_like_another_detail() {
        let details = [("key", "n scopes=users:write \"x\"".to_owned()), ("scopes", String::new()), ("days", "30".to_owned())];
        assert_eq!(told(&details), r#"key="n scopes=users:write \"x\"" scopes="" days=30"#);
        assert_eq!(told(&[("outcome", "changed".to_owned()), ("address", "2001:db8::".to_owned())]), "outcome=changed address=2001:db8::");
    }
}
