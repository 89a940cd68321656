//! Which functions a sentence may mean: an inverted index with BM25 over names, descriptions and arguments.
//!
//! BM25 after Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), fields weighted before saturation (BM25F).

use std::collections::{HashMap, HashSet};

use super::{
    sentence::{Kind, Sentence, Span},
    slot::{Role, Slot, slots_of, terms_of},
};
use crate::{
    domain::{
        language::is_ideograph,
        tool::{Effect, FunctionSpec},
    },
    words::{Action, Meaning, lexicon, words_of_name},
};

const NAME_WEIGHT: f32 = 3.0;
const DESCRIPTION_WEIGHT: f32 = 2.0;
const ARGUMENT_WEIGHT: f32 = 1.0;
const SATURATION: f32 = 1.2;
const LENGTH_SHARE: f32 = 0.75;

/// Words of names that say nothing of what a function is about.
const EMPTY_WORDS: [&str; 27] = [
    "api",
    "rest",
    "v",
    "by",
    "for",
    "of",
    "in",
    "to",
    "the",
    "a",
    "an",
    "and",
    "or",
    "with",
    "from",
    "on",
    "id",
    "ids",
    "all",
    "one",
    "self",
    "authenticated",
    "activity",
    "1",
    "2",
    "3",
    "at",
];

/// One function, read once.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) effect: Effect,
    /// What its name says it does; a verb that the lexicon does not know is one of its objects.
    pub(super) action: Option<Action>,
    /// What its name is about; each inner list are words for the same.
    pub(super) objects: Vec<Vec<String>>,
    pub(super) slots: Vec<Slot>,
    terms: HashMap<u32, f32>,
}

/// All functions and where their terms occur.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
    ids: HashMap<String, u32>,
    /// By term: the entries that have it.
    postings: Vec<Vec<u32>>,
    /// Every word that is an object of some function.
    things: HashSet<String>,
    length_mean: f32,
}

impl Index {
    pub(super) fn of(functions: &[FunctionSpec]) -> Self {
        let mut index = Self { entries: Vec::new(), ids: HashMap::new(), postings: Vec::new(), things: HashSet::new(), length_mean: 1.0 };
        for function in functions {
            index.add(function);
        }
        let total: f32 = index.entries.iter().map(Entry::length).sum();
        index.length_mean = (total / index.entries.len().max(1) as f32).max(1.0);
        index
    }

    fn add(&mut self, function: &FunctionSpec) {
        let slots = slots_of(&function.parameters);
        let sentence = Sentence::of(&function.description);
        let (action, objects) = name_of(function, &sentence);
        let mut weights: HashMap<String, f32> = HashMap::new();
        let mut weigh = |term: String, weight: f32| *weights.entry(term).or_default() += weight;
        objects.iter().flatten().for_each(|term| weigh(term.clone(), NAME_WEIGHT));
        sentence.spans.iter().flat_map(terms).for_each(|term| weigh(term, DESCRIPTION_WEIGHT));
        slots.iter().flat_map(terms_of).for_each(|term| weigh(term, ARGUMENT_WEIGHT));

        let at = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let mut terms = HashMap::with_capacity(weights.len());
        for (term, weight) in weights {
            let fresh = u32::try_from(self.postings.len()).unwrap_or(u32::MAX);
            let id = *self.ids.entry(term).or_insert(fresh);
            if id == fresh {
                self.postings.push(Vec::new());
            }
            if let Some(entries) = self.postings.get_mut(id as usize) {
                entries.push(at);
            }
            terms.insert(id, weight);
        }
        self.things.extend(objects.iter().flatten().cloned());
        let (name, description, effect) = (function.name.clone(), function.description.clone(), function.effect);
        self.entries.push(Entry { name, description, effect, action, objects, slots, terms });
    }

    /// How telling a term is: great for rare ones, 0 for unknown ones.
    pub(super) fn weight(&self, term: &str) -> f32 {
        let Some(found) = self.ids.get(term).and_then(|id| self.postings.get(*id as usize)) else { return 0.0 };
        let (all, with) = (self.entries.len() as f32, found.len() as f32);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }

    /// How telling a term can be at most, as an unknown one is.
    pub(super) fn weight_max(&self) -> f32 {
        (1.0 + (self.entries.len() as f32 + 0.5) / 0.5).ln()
    }

    /// Whether some function is about this.
    pub(super) fn is_thing(&self, word: &str) -> bool {
        self.things.contains(word)
    }

    /// The entries that share most with the terms, best first, with their BM25 score. A query term is a list of words for the same.
    pub(super) fn nearest(&self, query: &[Vec<String>], count: usize) -> Vec<(usize, f32)> {
        let mut scores: HashMap<u32, f32> = HashMap::new();
        for same in query {
            // Of words for the same only the best counts, or an entry would gain by having many of them.
            let mut best: HashMap<u32, f32> = HashMap::new();
            for term in same {
                let Some(id) = self.ids.get(term) else { continue };
                let weight = self.weight(term);
                for at in self.postings.get(*id as usize).into_iter().flatten() {
                    let Some(entry) = self.entries.get(*at as usize) else { continue };
                    let frequency = entry.terms.get(id).copied().unwrap_or_default();
                    let norm = SATURATION * (1.0 - LENGTH_SHARE + LENGTH_SHARE * entry.length() / self.length_mean);
                    let score = weight * frequency * (SATURATION + 1.0) / (frequency + norm);
                    let known = best.entry(*at).or_default();
                    *known = known.max(score);
                }
            }
            for (at, score) in best {
                *scores.entry(at).or_default() += score;
            }
        }
        let mut found: Vec<(usize, f32)> = scores.into_iter().map(|(at, score)| (at as usize, score)).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(count);
        found
    }

    /// Whether an entry has a term anywhere.
    pub(super) fn has(&self, entry: &Entry, term: &str) -> bool {
        self.ids.get(term).is_some_and(|id| entry.terms.contains_key(id))
    }
}

impl Entry {
    fn length(&self) -> f32 {
        self.terms.values().sum()
    }

    /// The first line of the description.
    pub(super) fn summary(&self) -> &str {
        self.description.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
    }

    pub(super) fn slot(&self, role: Role) -> Option<usize> {
        self.slots.iter().position(|slot| slot.role == role)
    }
}

/// The terms that a span is found by: the lexicon's words, the stem, and of unknown Chinese text its bigrams.
pub(super) fn terms(span: &Span) -> Vec<String> {
    let mut terms: Vec<String> = span.words().map(str::to_owned).collect();
    match span.kind {
        Kind::Words if span.is_content() && !terms.contains(&span.stem) => {
            terms.push(span.stem.clone());
            // "squash-merge" merges.
            let parts = span.raw.split('-').filter(|part| span.is_unknown() && part.len() < span.raw.len() && part.len() > 2);
            terms.extend(parts.flat_map(|part| lexicon().terms(part)));
        }
        Kind::Ideographs if span.is_content() => terms.extend(bigrams(&span.raw)),
        _ => {}
    }
    terms
}

fn bigrams(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    match chars.as_slice() {
        [one] => vec![one.to_string()],
        many => many.windows(2).map(|pair| pair.iter().collect()).collect(),
    }
}

/// What a function does and what it does it to, from its name; from its description where the name says nothing.
fn name_of(function: &FunctionSpec, description: &Sentence<'_>) -> (Option<Action>, Vec<Vec<String>>) {
    let mut action = None;
    let mut objects: Vec<Vec<String>> = Vec::new();
    // What stands after "by" is an argument (`getByUsername`), and "the authenticated user" is whoever asks.
    let named = words_of_name(&function.name);
    let whose = named.iter().position(|word| word == "authenticated").map(|at| at + 1);
    let told = named.iter().enumerate().take_while(|(at, word)| *at == 0 || *word != "by").filter(|(at, _)| Some(*at) != whose);
    for (_, word) in told {
        let does = lexicon().exact(word).iter().find_map(|meaning| match meaning {
            Meaning::Action(action) => Some(*action),
            _ => None,
        });
        // A second verb is what the function is about: `createSearch`.
        match does.filter(|_| action.is_none() && !word.chars().any(is_ideograph)) {
            Some(does) => action = Some(does),
            None if EMPTY_WORDS.contains(&word.as_str()) => {}
            None => {
                let terms = lexicon().terms(word);
                if !objects.contains(&terms) {
                    objects.push(terms);
                }
            }
        }
    }
    let first_line = description.spans.iter().take_while(|span| !span.is_mark('\n') && !span.is_mark('.'));
    if action.is_none() {
        action = first_line.clone().take(2).find_map(|span| span.actions().next());
    }
    if objects.is_empty() {
        objects = first_line.filter(|span| span.words().next().is_some()).map(terms).take(2).collect();
    }
    (action, objects)
}
