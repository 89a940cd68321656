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
        let mut numbers: Vec<(String, u32)> = self.numbers.into_iter().collect();
        numbers.sort_unstable();
        let (mut text, mut starts, mut offsets, mut postings) = (String::new(), vec![0], vec![0], Vec::new());
        for (term, number) in numbers {
            let list = self.postings.get(number as usize).map_or(&[][..], Vec::as_slice);
            let with = list.len() as f32;
            let telling = (1.0 + (count - with + 0.5) / (with + 0.5)).ln();
            postings.extend(list.iter().map(|Posting { place, worth }| {
                let (length, share) = self.functions.get(*place as usize).copied().unwrap_or((mean, 1.0));
                let norm = SATURATION * (1.0 - LENGTH_SHARE + LENGTH_SHARE * length / mean);
                Posting { place: *place, worth: share * telling * worth * (SATURATION + 1.0) / (worth + norm) }
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
