//! The rule for new passwords: how long they are, and that they are not what everybody tries first. Nothing is asked of their composition
//! (NIST SP 800-63B, 3.1.1.2).

use super::{
    limits::{NEW_PASSWORD_CHARS_MAX, NEW_PASSWORD_CHARS_MIN, PASSWORD_BYTES_MAX},
    user::UserName,
};

/// Why a password will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    #[error("the password has fewer than {NEW_PASSWORD_CHARS_MIN} characters")]
    TooShort,
    #[error("the password has more than {NEW_PASSWORD_CHARS_MAX} characters")]
    TooLong,
    #[error("the password has more than {PASSWORD_BYTES_MAX} bytes")]
    TooManyBytes,
    #[error("the password is the user name")]
    IsUserName,
}

/// Checks a new password of a user. It is kept as it is typed: composed and decomposed letters are two passwords, but count alike.
///
/// # Errors
/// What is wrong with it.
pub fn check(user: &UserName, password: &str) -> Result<(), BadPassword> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(BadPassword::TooManyBytes);
    }
    if password.to_lowercase() == user.as_str().to_lowercase() {
        return Err(BadPassword::IsUserName);
    }
    match password.chars().filter(|c| !combines(*c)).count() {
        n if n < NEW_PASSWORD_CHARS_MIN => Err(BadPassword::TooShort),
        n if n > NEW_PASSWORD_CHARS_MAX => Err(BadPassword::TooLong),
        _ => Ok(()),
    }
}

/// Whether a character only marks the one before it: what one keyboard sends as one character, another sends as two (Unicode, combining marks).
fn combines(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{3099}'..='\u{309a}'
        | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_judged_by_its_length_and_by_nothing_else_but_the_name() {
        let ann = UserName::new("Annabella-of-Troy").unwrap();
        let rule = |password: &str| check(&ann, password);
        assert_eq!(rule("11 letters."), Err(BadPassword::TooShort));
        assert_eq!(rule("aaaaaaaaaaaa"), Ok(()));
        assert_eq!(rule("十二个字的密码也是可以的"), Ok(()));
        assert_eq!(rule("annabella-OF-troy"), Err(BadPassword::IsUserName));
        assert_eq!(rule(&"x".repeat(128)), Ok(()));
        assert_eq!(rule(&"x".repeat(129)), Err(BadPassword::TooLong));
        assert_eq!(rule(&"x\u{301}".repeat(400)), Err(BadPassword::TooManyBytes));
    }

    #[test]
    fn a_letter_with_its_accent_counts_as_one_however_it_is_typed() {
        let ann = UserName::new("ann").unwrap();
        for n in [11, 12, 128, 129] {
            assert_eq!(check(&ann, &"\u{e9}".repeat(n)), check(&ann, &"e\u{301}".repeat(n)), "{n}");
        }
    }
}
