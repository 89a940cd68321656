//! From functions to the index of them.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{
    Index, Posting,
    terms::{of_action, of_document},
};
use crate::{
    domain::limits::RETRIEVAL_DESCRIPTION_CHARS_MAX,
    openapi::Operation,
    words::{Action, Meaning, lexicon, words_of_name},
};

const NAME_WEIGHT: f32 = 3.0;
const SUMMARY_WEIGHT: f32 = 2.0;
const TAG_WEIGHT: f32 = 1.0;
const PATH_WEIGHT: f32 = 1.0;
const ACTION_WEIGHT: f32 = 2.0;
const DESCRIPTION_WEIGHT: f32 = 0.4;
const ARGUMENT_WEIGHT: f32 = 0.5;
const SATURATION: f32 = 1.2;
const LENGTH_SHARE: f32 = 0.6;
/// What it is worth that a sentence says all of a function's name: as much for a short one as for a long one.
const WHOLE_NAME: f32 = 2.0;
/// What a function is worth that the document advises against.
const DEPRECATED_SHARE: f32 = 0.8;

/// A function as the index reads it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    pub name: &'a str,
    /// In upper case.
    pub method: &'a str,
    pub path: &'a str,
    pub tags: &'a [String],
    pub summary: &'a str,
    pub description: &'a str,
    /// The schema of its arguments: their names are read.
    pub parameters: &'a Value,
    pub deprecated: bool,
}

impl<'a> Entry<'a> {
    /// An operation, under the name that its function has.
    pub fn of(name: &'a str, operation: &'a Operation) -> Self {
        let spec = operation.spec();
        Self {
            name,
            method: operation.method(),
            path: operation.path(),
            tags: operation.tags(),
            summary: operation.summary().unwrap_or_default(),
            description: &spec.description,
            parameters: &spec.parameters,
            deprecated: operation.deprecated(),
        }
    }
}

impl Entry<'_> {
    /// What a model for embeddings is told of it: what it is called and does, the most telling first, because the end may be cut.
    pub fn told(&self) -> String {
        let (name, tags) = (words_of_name(self.name).join(" "), self.tags.join(", "));
        let summary = if self.description.contains(self.summary) { "" } else { self.summary };
        let call = format!("{} {}", self.method, self.path);
        let parts = [name.as_str(), summary, self.description, &call, &tags];
        parts.into_iter().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join("\n")
    }
}

impl Index {
    /// Reads all functions; they are told by their place in this order.
    pub fn of<'a>(functions: impl IntoIterator<Item = Entry<'a>>) -> Self {
        let mut building = Building::default();
        for function in functions {
            building.add(&function);
        }
        building.finish()
    }
}

/// The index as it grows.
#[derive(Default)]
struct Building {
    numbers: HashMap<String, u32>,
    /// By term: functions and how often they have it, weighted.
    postings: Vec<Vec<Posting>>,
    /// By function: how long it is, and its share for being deprecated or not.
    functions: Vec<(f32, f32)>,
    /// By function: its name word by word, each as the terms that say it.
    names: Vec<Vec<Vec<u32>>>,
}

impl Building {
    fn add(&mut self, function: &Entry<'_>) {
        let place = u32::try_from(self.functions.len()).unwrap_or(u32::MAX);
        // In the order of the numbers, so that sums are the same on every replica.
        let mut weights: BTreeMap<u32, f32> = BTreeMap::new();
        for (text, weight) in texts(function) {
            for term in of_document(text) {
                *weights.entry(self.number(term)).or_default() += weight;
            }
        }
        for action in actions(function) {
            *weights.entry(self.number(of_action(action).to_owned())).or_default() += ACTION_WEIGHT;
        }
        let name = name_of(function.name).into_iter().map(|terms| terms.into_iter().map(|term| self.number(term)).collect()).collect();
        self.names.push(name);
        let length = weights.values().sum();
        self.functions.push((length, if function.deprecated { DEPRECATED_SHARE } else { 1.0 }));
        for (number, worth) in weights {
            if let Some(list) = self.postings.get_mut(number as usize) {
                list.push(Posting { place, worth });
            }
        }
    }

    fn number(&mut self, term: String) -> u32 {
        let fresh = u32::try_from(self.postings.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(term).or_insert(fresh);
        if number == fresh {
            self.postings.push(Vec::new());
        }
        number
    }

    fn finish(self) -> Index {
        let count = self.functions.len() as f32;
        let mean = (self.functions.iter().map(|(length, _)| length).sum::<f32>() / count.max(1.0)).max(1.0);
        let telling = |with: usize| (1.0 + (count - with as f32 + 0.5) / (with as f32 + 0.5)).ln();
        let in_name = self.shares_of_names(telling);
        let mut numbers: Vec<(String, u32)> = self.numbers.into_iter().collect();
        numbers.sort_unstable();
        let (mut text, mut starts, mut offsets, mut postings) = (String::new(), vec![0], vec![0], Vec::new());
        for (term, number) in numbers {
            let list = self.postings.get(number as usize).map_or(&[][..], Vec::as_slice);
            let telling = telling(list.len());
            postings.extend(list.iter().map(|Posting { place, worth }| {
                let (length, share) = self.functions.get(*place as usize).copied().unwrap_or((mean, 1.0));
                let norm = SATURATION * (1.0 - LENGTH_SHARE + LENGTH_SHARE * length / mean);
                let of_name = WHOLE_NAME * in_name.get(&(*place, number)).copied().unwrap_or_default();
                Posting { place: *place, worth: share * (of_name + telling * worth * (SATURATION + 1.0) / (worth + norm)) }
            }));
            text.push_str(&term);
            starts.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
            offsets.push(u32::try_from(postings.len()).unwrap_or(u32::MAX));
        }
        Index {
            functions: u32::try_from(self.functions.len()).unwrap_or(u32::MAX),
            text: text.into(),
            starts: starts.into(),
            offsets: offsets.into(),
            postings: postings.into(),
        }
    }
}

impl Building {
    /// By function and term: how much of the function's name it says, the rarer words of the name counting more.
    fn shares_of_names(&self, telling: impl Fn(usize) -> f32) -> HashMap<(u32, u32), f32> {
        let weight = |term: &u32| self.postings.get(*term as usize).map_or(0.0, |list| telling(list.len()));
        let mut shares = HashMap::new();
        for (place, name) in (0..).zip(&self.names) {
            let word = |terms: &Vec<u32>| terms.iter().map(weight).fold(0.0, f32::max);
            let all: f32 = name.iter().map(word).sum();
            for terms in name.iter().filter(|_| all > 0.0) {
                for term in terms {
                    *shares.entry((place, *term)).or_default() += word(terms) / all;
                }
            }
        }
        shares
    }
}

/// The words of a name, each as the terms that say it: what it does, or what it is about. What stands after "by" is an argument.
fn name_of(name: &str) -> Vec<Vec<String>> {
    let words = words_of_name(name);
    let told = words.iter().enumerate().take_while(|(at, word)| *at == 0 || *word != "by");
    let terms = |(_, word): (usize, &String)| {
        let does = lexicon().exact(word).iter().filter_map(|meaning| match meaning {
            Meaning::Action(action) => Some(of_action(*action).to_owned()),
            _ => None,
        });
        does.chain(of_document(word)).collect::<Vec<_>>()
    };
    told.map(terms).filter(|terms| !terms.is_empty()).collect()
}

/// Everything that is said of a function, and how much it counts.
fn texts<'a>(function: &Entry<'a>) -> impl Iterator<Item = (&'a str, f32)> {
    let arguments = function.parameters.get("properties").and_then(Value::as_object);
    let arguments = arguments.into_iter().flat_map(|properties| properties.keys()).map(|name| (name.as_str(), ARGUMENT_WEIGHT));
    let end = function.description.char_indices().nth(RETRIEVAL_DESCRIPTION_CHARS_MAX).map_or(function.description.len(), |(at, _)| at);
    let own = [
        (function.name, NAME_WEIGHT),
        (function.summary, SUMMARY_WEIGHT),
        (function.description.get(..end).unwrap_or_default(), DESCRIPTION_WEIGHT),
    ];
    let segments = function.path.split('/').filter(|segment| !segment.contains('{')).map(|segment| (segment, PATH_WEIGHT));
    own.into_iter().chain(segments).chain(function.tags.iter().map(|tag| (tag.as_str(), TAG_WEIGHT))).chain(arguments)
}

/// What a call of it does, as its method, its path and its name say.
fn actions(function: &Entry<'_>) -> Vec<Action> {
    let ends_in_one = function.path.trim_end_matches(".json").ends_with('}');
    let mut actions = match function.method {
        "GET" | "HEAD" | "QUERY" => vec![Action::Read, if ends_in_one { Action::Get } else { Action::List }],
        "POST" => vec![Action::Create],
        "PUT" | "PATCH" => vec![Action::Update],
        "DELETE" => vec![Action::Delete],
        _ => Vec::new(),
    };
    for word in words_of_name(function.name).iter().chain(&words_of_name(function.summary).into_iter().take(1).collect::<Vec<_>>()) {
        for meaning in lexicon().exact(word) {
            if let Meaning::Action(action) = meaning
                && !actions.contains(action)
            {
                actions.push(*action);
            }
        }
    }
    actions
}
