//! Who talks to the service.

use std::fmt;

use super::{
    limits::USER_NAME_CHARS_MAX,
    scope::{Allowed, Scopes},
};

/// A user's name: 1 to 64 characters, none of them white space or control characters. Case matters.
/// Names travel through keys, logs and paths, each of which escapes what it must; two names that look alike are two users.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    /// Takes a name that follows the rule, or `None`.
    pub fn new(name: &str) -> Option<Self> {
        let chars = name.chars().count();
        let clean = name.chars().all(|c| !c.is_control() && !c.is_whitespace());
        (clean && (1..=USER_NAME_CHARS_MAX).contains(&chars)).then(|| Self(name.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    User,
    Admin,
}

/// Every role that there is.
pub const ROLES: [Role; 2] = [Role::User, Role::Admin];

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "user" => Some(Self::User),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// A user as stored beside the sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub name: UserName,
    pub role: Role,
    /// What the user may do beyond their own session; `None`: what the role has.
    pub scopes: Option<Scopes>,
    pub disabled: bool,
    /// Whoever logs in must change the password before anything else.
    pub must_change: bool,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// Milliseconds since 1970.
    pub created_ms: u64,
}

impl Account {
    pub fn allowed(&self) -> Allowed {
        Allowed { role: self.role, own: self.scopes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_visible_characters_only_and_at_most_64() {
        assert!(UserName::new("ann").is_some());
        assert!(UserName::new("张三:{x}").is_some());
        for bad in ["", " ", "a b", "a\u{1f}b", "a\0", "\u{3000}", &"x".repeat(65)] {
            assert!(UserName::new(bad).is_none(), "{bad:?}");
        }
    }
}
