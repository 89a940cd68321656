//! What a text means, as a model for embeddings says it: a direction. Texts that mean alike have directions that are near each other.

use super::limits::EMBEDDING_DIMENSIONS_MAX;

/// A direction. Only its angle to others counts, so its numbers are kept as small ones: a quarter of the memory and of the time, and angles
/// between directions of a thousand numbers change by less than a thousandth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vector(Box<[i8]>);

impl Vector {
    /// The direction of these numbers. `None` if they have none: there are none or too many, one is not finite, or all are zero.
    pub fn of(numbers: &[f32]) -> Option<Self> {
        let fits = (1..=EMBEDDING_DIMENSIONS_MAX).contains(&numbers.len()) && numbers.iter().all(|number| number.is_finite());
        let largest = numbers.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
        (fits && largest > 0.0).then(|| Self(numbers.iter().map(|number| small(number / largest)).collect()))
    }

    /// What [`Vector::numbers`] gave, once more; `None` if it cannot have.
    pub fn of_small(numbers: Box<[i8]>) -> Option<Self> {
        let fits = numbers.len() <= EMBEDDING_DIMENSIONS_MAX && numbers.iter().any(|number| *number != 0);
        fits.then_some(Self(numbers))
    }

    pub fn numbers(&self) -> &[i8] {
        &self.0
    }

    /// How many numbers it has. Only those with as many can be compared.
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// The direction between this and another one, to which it leans so much; `None` if they cannot be compared, or have none between them.
    pub fn leaning(&self, to: &Self, weight: f32) -> Option<Self> {
        if self.dimensions() != to.dimensions() {
            return None;
        }
        let (own, other) = (length(&self.0), length(&to.0));
        let between = self.0.iter().zip(&to.0).map(|(one, two)| f32::from(*one) / own + weight * f32::from(*two) / other);
        Self::of(&between.collect::<Vec<f32>>())
    }
}

/// From -1 to 1, in steps of a 127th.
#[expect(clippy::cast_possible_truncation, reason = "what is rounded lies between -127 and 127")]
fn small(number: f32) -> i8 {
    (number * f32::from(i8::MAX)).round() as i8
}

/// How long a direction of small numbers is.
pub fn length(numbers: &[i8]) -> f32 {
    (product(numbers, numbers) as f32).sqrt()
}

/// The sum of the products of numbers that stand at the same place. No direction has so many of them that it would be too large.
pub fn product(one: &[i8], other: &[i8]) -> i32 {
    let times = |one: i8, other: i8| i32::from(i16::from(one) * i16::from(other));
    // Sixteen sums side by side are what processors add up at once; one sum takes twice as long.
    let ((one, rest), (other, others_rest)) = (one.as_chunks::<16>(), other.as_chunks::<16>());
    let mut sums = [0; 16];
    for (one, other) in one.iter().zip(other) {
        sums.iter_mut().zip(one).zip(other).for_each(|((sum, one), other)| *sum += times(*one, *other));
    }
    sums.iter().sum::<i32>() + rest.iter().zip(others_rest).map(|(one, other)| times(*one, *other)).sum::<i32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(one: &Vector, other: &Vector) -> f32 {
        product(&one.0, &other.0) as f32 / length(&one.0) / length(&other.0)
    }

    #[test]
    fn a_direction_keeps_its_angles_and_not_its_length() {
        let wave = |step: f32| (0..1024).map(|at| (at as f32 * step).sin() * 1e30).collect::<Vec<f32>>();
        let (one, other) = (wave(0.7), wave(0.7003));
        let exact = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let angle = exact(&one, &other) / (exact(&one, &one) * exact(&other, &other)).sqrt();
        let (one, other) = (Vector::of(&one).unwrap(), Vector::of(&other).unwrap());
        assert!((f64::from(cosine(&one, &other)) - angle).abs() < 1e-3, "{angle}");
        assert_eq!(Vector::of(&[1e-30, -4e-30]), Vector::of(&[1e30, -4e30]));
        assert_eq!(Vector::of_small(one.numbers().into()), Some(one));
    }

    #[test]
    fn what_is_no_direction_is_none() {
        let too_many = vec![1.0; EMBEDDING_DIMENSIONS_MAX + 1];
        for numbers in [&[][..], &[0.0, -0.0], &[1.0, f32::NAN], &[f32::INFINITY, 1.0], &too_many] {
            assert_eq!(Vector::of(numbers), None);
        }
        assert_eq!(Vector::of_small(Box::new([0, 0])), None);
        assert_eq!(Vector::of_small(Box::new([])), None);
        let most = Vector::of(&vec![-1.0; EMBEDDING_DIMENSIONS_MAX]).unwrap();
        assert!(product(&most.0, &most.0) > 0, "the largest sum is a number");
    }

    #[test]
    fn what_lies_between_leans_as_much_as_it_is_to() {
        let (east, north) = (Vector::of(&[9.0, 0.0]).unwrap(), Vector::of(&[0.0, 0.1]).unwrap());
        let between = east.leaning(&north, 0.5).unwrap();
        assert!(cosine(&between, &east) > cosine(&between, &north) && cosine(&between, &north) > 0.4);
        assert_eq!(east.leaning(&Vector::of(&[-1.0, 0.0]).unwrap(), 1.0), None, "opposites have nothing between them");
        assert_eq!(east.leaning(&Vector::of(&[1.0]).unwrap(), 1.0), None);
    }
}
