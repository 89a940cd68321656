//! Which functions a sentence may mean: an index of all functions, built once, and read without a change by every turn.
//!
//! BM25 after Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), fields weighted before saturation (BM25F). What a
//! term is worth in a function is computed when the index is built, so a query adds up numbers of the postings that it touches and no more.
//! Where a model for embeddings says what functions and sentences mean, its ranking is put together with this one ([`fused`]).

mod build;
mod meanings;
mod terms;

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    mem::size_of,
};

use self::terms::Group;
pub use self::{
    build::Entry,
    meanings::{Meanings, fused},
};
use crate::domain::limits::{RETRIEVAL_CHARS_MAX, RETRIEVAL_GROUPS_MAX};

/// All functions, found by what they are called and what they do. Immutable.
#[derive(Debug, Default)]
pub struct Index {
    functions: u32,
    /// All terms in order, one behind the other.
    text: Box<str>,
    /// Where in `text` each term begins; one more for its end.
    starts: Box<[u32]>,
    /// Where in `postings` those of each term begin; one more for their end.
    offsets: Box<[u32]>,
    postings: Box<[Posting]>,
}

/// A function that has a term, and what the term is worth in it.
#[derive(Debug, Clone, Copy)]
struct Posting {
    place: u32,
    worth: f32,
}

/// What is looked for: one sentence, or several that count differently.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<Group>);

impl Query {
    /// What a sentence asks for. Of a long one the beginning is read.
    pub fn of(sentence: &str) -> Self {
        Self::default().and(sentence, 1.0)
    }

    /// This and another sentence, which counts so much. What both say counts once, as much as where it counts more.
    #[must_use]
    pub fn and(mut self, sentence: &str, weight: f32) -> Self {
        let end = sentence.char_indices().nth(RETRIEVAL_CHARS_MAX).map_or(sentence.len(), |(at, _)| at);
        for mut group in terms::of_sentence(sentence.get(..end).unwrap_or_default()) {
            group.weight *= weight;
            match self.0.iter_mut().find(|known| known.terms == group.terms) {
                Some(known) => known.weight = known.weight.max(group.weight),
                None => self.0.push(group),
            }
        }
        self
    }

    /// How many different things it speaks of.
    pub fn things(&self) -> usize {
        self.0.len()
    }
}

/// A function that was found: better is greater, and of equals the one that stands first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Found {
    score: f32,
    place: u32,
}

impl Eq for Found {}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.place.cmp(&self.place))
    }
}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Index {
    /// The places of the functions that fit best, best first: as many as wanted, or as share anything with the query. Of those that fit
    /// alike the one that stands first comes first.
    pub fn nearest(&self, query: &Query, count: usize) -> Vec<usize> {
        let mut scores = Scores::of(self.functions);
        let mut best = Scores::of(self.functions);
        for (weight, lists) in self.telling(query) {
            if let [only] = lists.as_slice() {
                only.iter().for_each(|Posting { place, worth }| scores.change(*place, |score| score + weight * worth));
                continue;
            }
            // Of words for the same only the best counts, or a function would gain by having many of them.
            for Posting { place, worth } in lists.into_iter().flatten() {
                best.change(*place, |known| known.max(*worth));
            }
            best.drain(|place, worth| scores.change(place, |score| score + weight * worth));
        }
        let mut found = Vec::with_capacity(scores.touched.len());
        scores.drain(|place, score| found.push(Found { score, place }));
        best_of(found, count)
    }

    /// The lists of postings that a query touches, with the weight of each group: of many groups those that tell most.
    fn telling(&self, query: &Query) -> Vec<(f32, Vec<&[Posting]>)> {
        let lists = |group: &Group| group.terms.iter().filter_map(|term| self.postings(term)).collect::<Vec<_>>();
        let mut groups: Vec<(f32, Vec<&[Posting]>)> = query.0.iter().map(|group| (group.weight, lists(group))).collect();
        groups.retain(|(_, lists)| !lists.is_empty());
        if groups.len() > RETRIEVAL_GROUPS_MAX {
            groups.sort_by_key(|(_, lists)| lists.iter().map(|list| list.len()).sum::<usize>());
            groups.truncate(RETRIEVAL_GROUPS_MAX);
        }
        groups
    }

    fn postings(&self, term: &str) -> Option<&[Posting]> {
        let terms = self.starts.len().saturating_sub(1);
        let (mut low, mut high) = (0, terms);
        while low < high {
            let middle = low.midpoint(high);
            match self.term(middle)?.cmp(term) {
                Ordering::Equal => {
                    let (from, to) = (*self.offsets.get(middle)?, *self.offsets.get(middle + 1)?);
                    return self.postings.get(from as usize..to as usize);
                }
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn term(&self, number: usize) -> Option<&str> {
        let (from, to) = (*self.starts.get(number)?, *self.starts.get(number + 1)?);
        self.text.get(from as usize..to as usize)
    }

    /// What the index takes of memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.text.len() + (self.starts.len() + self.offsets.len()) * size_of::<u32>() + self.postings.len() * size_of::<Posting>()
    }
}

/// A number for every function, of which only those that were changed are looked at.
struct Scores {
    numbers: Vec<f32>,
    touched: Vec<u32>,
}

impl Scores {
    fn of(functions: u32) -> Self {
        Self { numbers: vec![0.0; functions as usize], touched: Vec::new() }
    }

    /// What stands there is 0 before, and greater afterwards.
    fn change(&mut self, place: u32, change: impl FnOnce(f32) -> f32) {
        let Some(number) = self.numbers.get_mut(place as usize) else { return };
        if *number == 0.0 {
            self.touched.push(place);
        }
        *number = change(*number);
    }

    /// Takes what was changed, in the order in which it was first, and makes all 0 again.
    fn drain(&mut self, mut take: impl FnMut(u32, f32)) {
        let Self { numbers, touched } = self;
        for place in touched.drain(..) {
            if let Some(number) = numbers.get_mut(place as usize) {
                take(place, std::mem::take(number));
            }
        }
    }
}

/// The greatest, greatest first, with no more than these kept at any time.
fn best_of(all: Vec<Found>, count: usize) -> Vec<usize> {
    let mut kept = BinaryHeap::with_capacity(count.min(all.len()));
    for found in all {
        if kept.len() < count {
            kept.push(Reverse(found));
        } else if let Some(mut least) = kept.peek_mut()
            && found > least.0
        {
            *least = Reverse(found);
        }
    }
    // The order of what is reversed, smallest first, is the order of the greatest.
    kept.into_sorted_vec().into_iter().map(|Reverse(found)| found.place as usize).collect()
}

#[cfg(test)]
mod tests;
