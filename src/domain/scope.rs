//! What somebody may do beyond their own session, piece by piece.

use super::user::Role;

/// One such thing. Its name is what stands in the store, in requests and in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// List other people's sessions, and look at what the store has of them: numbers and times, no contents.
    SessionsRead,
    /// End other people's sessions, and clean up after those that have ended.
    SessionsEnd,
    /// Read what was said in other people's sessions.
    SessionsContent,
    UsersRead,
    /// Add, change and remove users.
    UsersWrite,
    AuditRead,
    /// Have the documents read again, and see what came of reading them.
    OpenApiReload,
    /// Change what a replica's log tells.
    LogLevel,
}

impl Scope {
    pub const ALL: [Self; 8] = [
        Self::SessionsRead,
        Self::SessionsEnd,
        Self::SessionsContent,
        Self::UsersRead,
        Self::UsersWrite,
        Self::AuditRead,
        Self::OpenApiReload,
        Self::LogLevel,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::SessionsRead => "sessions:read",
            Self::SessionsEnd => "sessions:end",
            Self::SessionsContent => "sessions:content",
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
            Self::AuditRead => "audit:read",
            Self::OpenApiReload => "openapi:reload",
            Self::LogLevel => "log:level",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }

    /// The names of all, for sentences that say what would be right.
    pub fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u16);

impl Scopes {
    pub const NONE: Self = Self(0);

    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    pub fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are in both.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }

    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Scope::as_str).collect()
    }

    /// As the store has them: names with a space between (as `scope` of RFC 6749, 3.3).
    pub fn text(self) -> String {
        self.names().join(" ")
    }

    /// What [`Scopes::text`] wrote. A name that only a newer release knows allows nothing here.
    pub fn stored(text: &str) -> Self {
        text.split(' ').filter_map(Scope::parse).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope.bit()))
    }
}

/// What an account allows: its role, and scopes of its own if it was given any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    pub role: Role,
    /// `None`: what the role has, which is all of them for administrators and none for users.
    pub own: Option<Scopes>,
}

impl Allowed {
    pub fn scopes(self) -> Scopes {
        self.own.unwrap_or(match self.role {
            Role::Admin => Scopes::all(),
            Role::User => Scopes::NONE,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_come_back_as_they_were_stored() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
            let alone: Scopes = [scope].into_iter().collect();
            assert_eq!((Scopes::stored(&alone.text()), alone.names().len()), (alone, 1));
        }
        assert_eq!(Scopes::stored(&Scopes::all().text()), Scopes::all());
        assert_eq!(Scopes::stored(""), Scopes::NONE);
        assert_eq!(Scopes::stored("moon:walk users:read").text(), "users:read");
    }

    #[test]
    fn an_administrator_without_scopes_of_its_own_has_all_and_a_user_none() {
        let of = |role, own| Allowed { role, own }.scopes();
        assert_eq!(of(Role::Admin, None), Scopes::all());
        assert_eq!(of(Role::User, None), Scopes::NONE);
        assert_eq!(of(Role::Admin, Some(Scopes::NONE)), Scopes::NONE);
        let reads = Some(Scopes::stored("audit:read"));
        assert!(of(Role::User, reads).has(Scope::AuditRead) && !of(Role::Admin, reads).has(Scope::UsersRead));
    }
}
