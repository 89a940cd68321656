//! Numbers that cross from one kind to another on purpose.

/// The whole part of a number that counts something: negative ones and what is no number are 0, what is too large is the largest.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, which is what is wanted here")]
pub fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn what_cannot_be_counted_is_bounded() {
        assert_eq!([whole(-1.5), whole(f64::NAN), whole(2.9), whole(1e30)], [0, 0, 2, u64::MAX]);
    }
}
