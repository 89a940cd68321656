//! Passwords: argon2id, 19 MiB, two passes (OWASP Password Storage Cheat Sheet), as PHC strings. Slow on purpose: call it off the runtime.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};

/// The hash to store; `None` only if the password is longer than argon2 takes (4 GiB).
pub fn hash(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

/// Whether the password is the one behind the hash. Without a hash (nobody has that name) it takes as long and says no.
pub fn matches(password: &str, stored: Option<&str>) -> bool {
    /// Of a password that nobody knows.
    static NOBODY: LazyLock<String> = LazyLock::new(|| hash(&super::random::password()).unwrap_or_default());
    let known = stored.is_some();
    let stored = stored.unwrap_or(&NOBODY);
    let verified = PasswordHash::new(stored).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    verified && known
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
}
