//! The stored form of what a text means: `<version byte><the numbers of its direction, a byte each>`. The digest that it is kept under tells
//! the text and the model.

use crate::domain::vector::Vector;

const VERSION: u8 = b'1';

pub(super) fn encode(vector: &Vector) -> Vec<u8> {
    std::iter::once(VERSION).chain(vector.numbers().iter().map(|number| number.cast_unsigned())).collect()
}

/// The direction of a record; `None` if it is not one that this release can read: then it is made anew.
pub(super) fn decode(record: &[u8]) -> Option<Vector> {
    match record {
        [VERSION, numbers @ ..] => Vector::of_small(numbers.iter().map(|number| number.cast_signed()).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_comes_back_as_it_was_kept() {
        let vector = Vector::of(&[1.0, -1.0, 0.0, 0.004, -0.3]).unwrap();
        assert_eq!(encode(&vector), [b'1', 127, 129, 0, 1, 218]);
        assert_eq!(decode(&encode(&vector)), Some(vector));
    }

    #[test]
    fn what_is_no_record_of_a_known_version_is_not_guessed_at() {
        for record in [&b""[..], b"1", b"1\0\0", b"2ab", b"\xff"] {
            assert_eq!(decode(record), None);
        }
    }
}
