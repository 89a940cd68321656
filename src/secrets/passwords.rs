//! Passwords: argon2id, 19 MiB, two passes (OWASP Password Storage Cheat Sheet), as PHC strings. Slow on purpose: call it off the runtime.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};

/// The hash to store; `None` only if the password is longer than argon2 takes (4 GiB).
pub fn hash(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

/// Whether the password is the one behind the hash. Without a hash (nobody has that name, or they have no password) it takes as long and
/// says no.
pub fn matches(password: &str, stored: Option<&str>) -> bool {
    let (known, hash) = tried(stored);
    let verified = hash.is_some_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    verified && known
}

/// What a password is tried against, and whether it counts.
fn tried(stored: Option<&str>) -> (bool, Option<PasswordHash>) {
    /// Of a password that nobody knows.
    static NOBODY: LazyLock<String> = LazyLock::new(|| hash(&super::random::password()).unwrap_or_default());
    match stored.and_then(|stored| PasswordHash::new(stored).ok()) {
        Some(hash) => (true, Some(hash)),
        None => (false, PasswordHash::new(&NOBODY).ok()),
    }
}

/// Makes the hash that unknown names are checked against, so that the first such login is not slower than the others.
pub fn prepare() {
    matches("", None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_matches_and_hashes_are_salted() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(matches("correct horse", Some(&stored)));
        assert!(!matches("correct horsf", Some(&stored)));
        assert!(!matches("correct horse", None));
        assert!(!matches("x", Some("not a hash")));
        assert_ne!(stored, hash("correct horse").unwrap());
    }

    /// Those of people whose tokens an issuer signs: a login as one of them must not be quicker than one as nobody.
    #[test]
    fn an_account_without_a_password_costs_what_nobody_costs() {
        let stored = hash("correct horse").unwrap();
        assert!(matches!(tried(Some(&stored)), (true, Some(hash)) if hash.to_string() == stored));
        for none in [None, Some(""), Some("not a hash")] {
            let (can_match, hash) = tried(none);
            assert!(!can_match && hash.unwrap().to_string().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{none:?}");
        }
    }
}
