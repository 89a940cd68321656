//! What was done that somebody may have to answer for: who did what to whom, and when. Never a secret, never what was said.

use std::fmt;

use super::user::UserName;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// So many passwords were wrong that no more are tried for a while.
    LoginThrottled,
    /// A refresh token came again after it was used: its login has been ended.
    RefreshReused,
    LoggedOutEverywhere,
    UserCreated,
    /// The role, or whether the password must be changed.
    UserChanged,
    ScopesChanged,
    UserDisabled,
    UserEnabled,
    UserRemoved,
    PasswordChanged,
    ApiKeyMade,
    ApiKeyRevoked,
    /// Somebody read what was said in another's session.
    SessionRead,
    /// Somebody who runs the service gave a user a session that was a file.
    SessionImported,
    /// Somebody ended another's session.
    SessionEnded,
    /// Somebody had another's run stop.
    RunStopped,
    DocumentsReloaded,
    /// What the log of a replica tells.
    LogLevelChanged,
}

impl Action {
    pub const ALL: [Self; 18] = [
        Self::LoginThrottled,
        Self::RefreshReused,
        Self::LoggedOutEverywhere,
        Self::UserCreated,
        Self::UserChanged,
        Self::ScopesChanged,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::UserRemoved,
        Self::PasswordChanged,
        Self::ApiKeyMade,
        Self::ApiKeyRevoked,
        Self::SessionRead,
        Self::SessionImported,
        Self::SessionEnded,
        Self::RunStopped,
        Self::DocumentsReloaded,
        Self::LogLevelChanged,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::LoginThrottled => "login_throttled",
            Self::RefreshReused => "refresh_reused",
            Self::LoggedOutEverywhere => "logged_out_everywhere",
            Self::UserCreated => "user_created",
            Self::UserChanged => "user_changed",
            Self::ScopesChanged => "scopes_changed",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserRemoved => "user_removed",
            Self::PasswordChanged => "password_changed",
            Self::ApiKeyMade => "api_key_made",
            Self::ApiKeyRevoked => "api_key_revoked",
            Self::SessionRead => "session_read",
            Self::SessionImported => "session_imported",
            Self::SessionEnded => "session_ended",
            Self::RunStopped => "run_stopped",
            Self::DocumentsReloaded => "documents_reloaded",
            Self::LogLevelChanged => "log_level_changed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }

    /// The names of all, for sentences that say what would be right.
    pub fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

/// Something that was done, before it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    pub action: Action,
    /// Who did it; none: nobody who is known, or the operator.
    pub by: Option<UserName>,
    /// Whom it was done to.
    pub user: Option<UserName>,
    /// What else there is to say of it, by name.
    pub details: Vec<(&'static str, String)>,
}

impl Deed {
    pub fn new(action: Action) -> Self {
        Self { action, by: None, user: None, details: Vec::new() }
    }

    #[must_use]
    pub fn by(mut self, user: &UserName) -> Self {
        self.by = Some(user.clone());
        self
    }

    #[must_use]
    pub fn to(mut self, user: &UserName) -> Self {
        self.user = Some(user.clone());
        self
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }
}

/// A record's place in the log: records are in the order of their places. The store dates them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditPlace {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Tells those of one millisecond apart.
    pub n: u64,
}

impl AuditPlace {
    /// `<at>-<n>`, nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, n) = text.split_once('-')?;
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        Some(Self { at_ms: number(at)?, n: number(n)? })
    }
}

impl fmt::Display for AuditPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at_ms, self.n)
    }
}

/// A record as it is read. A newer release may know other actions, so they are texts here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    pub place: AuditPlace,
    pub action: String,
    pub by: Option<String>,
    pub user: Option<String>,
    pub details: Vec<(String, String)>,
}

/// Which records somebody wants to see; what is `None` is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Who did it, or whom it was done to.
    pub user: Option<String>,
    pub action: Option<Action>,
    /// Not older, milliseconds since 1970.
    pub since_ms: Option<u64>,
}

impl Wanted {
    pub fn takes(&self, record: &Audited) -> bool {
        let concerns = |user: &str| record.by.as_deref() == Some(user) || record.user.as_deref() == Some(user);
        self.user.as_deref().is_none_or(concerns)
            && self.action.is_none_or(|action| record.action == action.as_str())
            && self.since_ms.is_none_or(|since| record.place.at_ms >= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = AuditPlace { at_ms: 5, n: 7 };
        assert_eq!(AuditPlace::parse(&place.to_string()), Some(place));
        for wrong in ["", "5", "5-", "-7", "5-7-1", "+5-7", "x-1", "99999999999999999999-1"] {
            assert_eq!(AuditPlace::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn every_action_is_known_by_its_name() {
        assert!(Action::ALL.iter().all(|action| Action::parse(action.as_str()) == Some(*action)));
    }

    #[test]
    fn a_record_is_wanted_for_whoever_it_concerns() {
        let place = AuditPlace { at_ms: 5, n: 0 };
        let (by, user) = (Some("root".to_owned()), Some("ann".to_owned()));
        let record = Audited { place, action: "session_read".to_owned(), by, user, details: Vec::new() };
        let wanted = |user: &str, since_ms| Wanted { user: Some(user.to_owned()), since_ms, action: Some(Action::SessionRead) };
        assert!(wanted("root", None).takes(&record) && wanted("ann", Some(5)).takes(&record) && Wanted::default().takes(&record));
        assert!(!wanted("bob", None).takes(&record) && !wanted("ann", Some(6)).takes(&record));
        assert!(!Wanted { action: Some(Action::SessionEnded), ..Wanted::default() }.takes(&record));
    }
}
