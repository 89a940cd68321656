//! What the newest sentences mean, so that one that is said again, or is read with the next, is not asked for twice.

use std::collections::VecDeque;

use crate::domain::{limits::EMBEDDINGS_REMEMBERED_MAX, vector::Vector};

/// By digest: what people say is not kept for it. The newest used stands at the end.
#[derive(Debug, Default)]
pub(super) struct Remembered(VecDeque<(String, Vector)>);

impl Remembered {
    /// What a text means, if it is known and can be compared with directions of so many numbers.
    pub(super) fn get(&mut self, digest: &str, dimensions: usize) -> Option<Vector> {
        let place = self.0.iter().position(|(known, vector)| known == digest && vector.dimensions() == dimensions)?;
        let found = self.0.remove(place)?;
        let vector = found.1.clone();
        self.0.push_back(found);
        Some(vector)
    }

    /// Remembers it, in the place of the one that was used longest ago if there are too many.
    pub(super) fn put(&mut self, digest: String, vector: Vector) {
        self.0.retain(|(known, _)| *known != digest);
        self.0.push_back((digest, vector));
        if self.0.len() > EMBEDDINGS_REMEMBERED_MAX {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let vector = Vector::of(&[1.0, 2.0]).unwrap();
        let mut remembered = Remembered::default();
        for number in 0..EMBEDDINGS_REMEMBERED_MAX {
            remembered.put(number.to_string(), vector.clone());
        }
        assert_eq!(remembered.get("0", 2), Some(vector.clone()));
        remembered.put("0".to_owned(), vector.clone());
        remembered.put("new".to_owned(), vector);
        let known = |remembered: &mut Remembered, name: &str| remembered.get(name, 2).is_some();
        assert!(known(&mut remembered, "0") && known(&mut remembered, "new") && known(&mut remembered, "2"));
        assert!(!known(&mut remembered, "1"));
        assert!(remembered.get("0", 3).is_none(), "another model has other directions");
    }
}
