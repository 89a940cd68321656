//! Whether a text may hold one of many, seen by looking at few places of it: nearly every text is spared the full search.
//!
//! Wherever a text of at least `shortest` bytes stands, one of the places looked at begins a run of a few bytes that lies wholly in it. The
//! runs of all texts are in a Bloom filter, so what is not in it is in none of them.

/// Bytes looked at together, least and most: the more, the rarer a run; half of the shortest text leaves the other half to be passed over.
const LENGTH: (usize, usize) = (4, 8);
/// Bits of the filter for each run that it holds: with two of them set for each, one look in three hundred is wrongly told to go on.
const BITS_EACH: usize = 32;
/// At least so many bits, a power of two; and at most so many (128 KiB), for a filter must stay in a processor's cache.
const BITS: (usize, usize) = (1 << 10, 1 << 20);
/// Spreads a run over 64 bits (2^64 divided by the golden ratio, as for Fibonacci hashing).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

pub(super) struct Grams {
    /// Of a power of two of words.
    words: Vec<u64>,
    /// Of a run, in bytes.
    length: usize,
    /// From one place that is looked at to the next.
    stride: usize,
}

impl Grams {
    /// Of texts that are no shorter than `shortest` bytes; `None` if that is too short to say anything.
    pub fn of(texts: &[Vec<u8>], shortest: usize) -> Option<Self> {
        let length = (shortest / 2).clamp(LENGTH.0, LENGTH.1);
        let stride = (shortest + 1).checked_sub(length).filter(|stride| *stride > 0)?;
        let runs: usize = texts.iter().map(Vec::len).sum();
        let bits = runs.saturating_mul(BITS_EACH).next_power_of_two().clamp(BITS.0, BITS.1);
        let mut grams = Self { words: vec![0; bits / 64], length, stride };
        for run in texts.iter().flat_map(|text| text.windows(length)) {
            for (word, bit) in grams.places(run) {
                if let Some(word) = grams.words.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        Some(grams)
    }

    /// False: it holds none of them.
    pub fn may_be_in(&self, text: &[u8]) -> bool {
        text.windows(self.length).step_by(self.stride).any(|run| self.has(run))
    }

    fn has(&self, run: &[u8]) -> bool {
        self.places(run).into_iter().all(|(word, bit)| self.words.get(word).is_some_and(|word| word & bit != 0))
    }

    /// The two bits of a run: which word, which bit of it.
    fn places(&self, run: &[u8]) -> [(usize, u64); 2] {
        let spread = run.iter().fold(0_u64, |all, byte| (all << 8) | u64::from(*byte)).wrapping_mul(SPREAD);
        let mask = self.words.len() - 1;
        [spread >> 40, spread >> 16].map(|half| ((half >> 6) as usize & mask, 1 << (half & 63)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_without_any_are_spared_and_short_ones_are_not_looked_at() {
        let secret = b"Zx81-Quokka-77-Widget".to_vec();
        let grams = Grams::of(std::slice::from_ref(&secret), secret.len()).unwrap();
        assert!(!grams.may_be_in(b"There are two users: Ann and Bob, and what they do all day is nobody's business."));
        assert!(!grams.may_be_in(b""));
        assert!(Grams::of(&[b"abc".to_vec()], 3).is_none());
    }

    proptest! {
        #[test]
        fn a_text_that_holds_one_is_never_spared(
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 8..80), 1..20),
            which in any::<prop::sample::Index>(),
            (before, after) in (prop::collection::vec(any::<u8>(), 0..100), prop::collection::vec(any::<u8>(), 0..100)),
        ) {
            let shortest = texts.iter().map(Vec::len).min().unwrap();
            let grams = Grams::of(&texts, shortest).unwrap();
            prop_assert!(grams.may_be_in(&[before, which.get(&texts).clone(), after].concat()));
        }
    }
}
