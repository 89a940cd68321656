//! Which functions mean what a sentence means: every one of them is compared, which takes less than looking for a cleverer way.

use std::collections::HashMap;

use super::{Found, best_of};
use crate::domain::vector::{Vector, length, product};

/// How much the first places of a ranking count more than later ones: a function at place n of it gets 1 / (60 + n). It is the number of
/// Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods" (2009), who found that
/// it matters little; ranks are put together and not scores, because what BM25 and what a cosine says have no common measure, and every
/// model has its own.
const PLACES_BEFORE_THE_FIRST: f32 = 60.0;

/// What all functions mean, by their places. Immutable.
#[derive(Debug)]
pub struct Meanings {
    dimensions: usize,
    /// One function after the other.
    numbers: Box<[i8]>,
    lengths: Box<[f32]>,
}

impl Meanings {
    /// Those of all functions, in their order; `None` if they cannot be compared with each other, or there are none.
    pub fn of(functions: &[Vector]) -> Option<Self> {
        let dimensions = functions.first()?.dimensions();
        functions.iter().all(|vector| vector.dimensions() == dimensions).then(|| Self {
            dimensions,
            numbers: functions.iter().flat_map(Vector::numbers).copied().collect(),
            lengths: functions.iter().map(|vector| length(vector.numbers())).collect(),
        })
    }

    /// How many numbers a direction must have to be compared with these.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The places of the functions that come nearest to this, nearest first. Of those that are as near the one that stands first comes first.
    pub fn nearest(&self, wanted: &Vector, count: usize) -> Vec<usize> {
        if wanted.dimensions() != self.dimensions {
            return Vec::new();
        }
        let each = self.numbers.chunks_exact(self.dimensions).zip(&self.lengths);
        let found = (0..).zip(each).map(|(place, (function, length))| {
            let score = product(function, wanted.numbers()) as f32 / length;
            Found { score, place }
        });
        best_of(found.collect(), count)
    }
}

/// Two rankings as one, by reciprocal ranks. Of those that come out alike, what the first ranking has comes first.
pub fn fused(by_words: &[usize], by_meaning: &[usize], count: usize) -> Vec<usize> {
    let mut scores: HashMap<usize, f32> = HashMap::with_capacity(by_words.len() + by_meaning.len());
    let mut places = Vec::with_capacity(scores.capacity());
    for (rank, place) in by_words.iter().enumerate().chain(by_meaning.iter().enumerate()) {
        let score = scores.entry(*place).or_insert_with(|| {
            places.push(*place);
            0.0
        });
        *score += 1.0 / (PLACES_BEFORE_THE_FIRST + 1.0 + rank as f32);
    }
    let score = |place: &usize| scores.get(place).copied().unwrap_or_default();
    places.sort_by(|one, other| score(other).total_cmp(&score(one)));
    places.truncate(count);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(numbers: &[f32]) -> Vector {
        Vector::of(numbers).unwrap()
    }

    #[test]
    fn the_nearest_comes_first_however_long_it_is() {
        let functions = [vector(&[0.0, 1.0]), vector(&[1.0, 1.0]), vector(&[0.02, 0.0]), vector(&[1.0, 1.0])];
        let meanings = Meanings::of(&functions).unwrap();
        assert_eq!(meanings.nearest(&vector(&[5.0, 0.1]), 9), [2, 1, 3, 0]);
        assert_eq!(meanings.nearest(&vector(&[-1.0, 2.0]), 1), [0]);
        assert_eq!(meanings.nearest(&vector(&[1.0, 1.0, 1.0]), 9), Vec::<usize>::new());
    }

    #[test]
    fn what_cannot_be_compared_is_none() {
        assert!(Meanings::of(&[]).is_none());
        assert!(Meanings::of(&[vector(&[1.0]), vector(&[1.0, 1.0])]).is_none());
    }

    #[test]
    fn what_both_rankings_have_comes_first() {
        assert_eq!(fused(&[1, 2, 3], &[4, 2, 5], 9), [2, 1, 4, 3, 5]);
        assert_eq!(fused(&[1, 2, 3], &[4, 2, 5], 2), [2, 1]);
        assert_eq!(fused(&[], &[4, 5], 9), [4, 5]);
        assert_eq!(fused(&[4, 5], &[], 9), [4, 5]);
    }
}
