//! Schemas of requests in one dialect, JSON Schema 2020-12, with what they share kept once.
//!
//! Every schema is normalised where it stands; a `$ref` becomes `#/$defs/<number>`, a number in [`Definitions`]. Only what a request can
//! reach is kept, so a large document costs little after it has been read.

mod discriminator;
mod effort;
mod formats;
mod judge;
mod keywords;
mod normalise;
mod patterns;
mod read_only;

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::domain::limits::{REFERENCE_HOPS_MAX, SCHEMAS_REACHED_MAX};

pub(super) use effort::{Effort, size};
pub(super) use formats::is_range;
pub(super) use judge::Judge;
use judge::validator;
pub(super) use normalise::Normaliser;

const CIRCLE: &str = "a schema refers to itself without anything between";

/// A normalised schema, what it refers to, and why it cannot be used, if it cannot.
#[derive(Debug, Clone, Default)]
pub(super) struct Normalised {
    pub schema: Value,
    pub links: Vec<Link>,
    pub problem: Option<String>,
    /// What the document calls it, when it is a shared one.
    pub name: Option<String>,
}

/// One reference to a shared definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub to: usize,
    /// The definition judges the same value as the schema that refers to it (not a property or an item of it).
    pub in_place: bool,
}

/// The shared schemas, by number.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    list: Vec<Normalised>,
}

impl Definitions {
    fn new(mut list: Vec<Normalised>) -> Self {
        mark_circles(&mut list);
        spread_problems(&mut list);
        Self { list }
    }

    pub fn get(&self, number: usize) -> Option<&Value> {
        self.list.get(number).map(|definition| &definition.schema)
    }

    /// What the `$ref` of a normalised schema points at, with its number.
    pub fn target(&self, schema: &Map<String, Value>) -> Option<(usize, &Value)> {
        let number = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?.parse().ok()?;
        Some((number, self.get(number)?))
    }

    /// The schema itself, or what its chain of references ends at.
    pub fn follow<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut here = schema;
        for _ in 0..REFERENCE_HOPS_MAX {
            match here.as_object().and_then(|map| self.target(map)) {
                Some((_, next)) => here = next,
                None => break,
            }
        }
        here
    }

    /// Why a schema with these links cannot be used, if it cannot.
    pub fn problem(&self, links: &[Link]) -> Option<&str> {
        links.iter().find_map(|link| self.list.get(link.to)?.problem.as_deref())
    }

    /// What the document calls the shared schema that a normalised schema refers to.
    pub fn name(&self, schema: &Map<String, Value>) -> Option<&str> {
        self.list.get(self.target(schema)?.0)?.name.as_deref()
    }

    /// Everything reachable through `links`.
    fn reachable(&self, links: &[Link]) -> Result<Vec<usize>, String> {
        let mut seen = HashSet::new();
        let mut open: Vec<usize> = links.iter().map(|link| link.to).collect();
        while let Some(number) = open.pop() {
            let Some(definition) = self.list.get(number).filter(|_| seen.insert(number)) else { continue };
            if seen.len() > SCHEMAS_REACHED_MAX {
                return Err(format!("it reaches more than {SCHEMAS_REACHED_MAX} other schemas"));
            }
            open.extend(definition.links.iter().map(|link| link.to));
        }
        let mut found: Vec<usize> = seen.into_iter().collect();
        found.sort_unstable();
        Ok(found)
    }

    /// `schema` with the definitions it can reach: a document of its own for a validator.
    fn bundle(&self, schema: &Value, reachable: &[usize]) -> Value {
        let mut top = match schema {
            Value::Object(map) => map.clone(),
            other => Map::from_iter([("allOf".to_owned(), Value::Array(vec![other.clone()]))]),
        };
        if !reachable.is_empty() {
            let shared = reachable.iter().filter_map(|&number| Some((number.to_string(), self.get(number)?.clone())));
            top.insert("$defs".to_owned(), Value::Object(shared.collect()));
        }
        Value::Object(top)
    }
}

/// Finds definitions that come back to themselves without looking into a property or an item (`A: {$ref: B}`, `B: {$ref: A}`): no value
/// could be judged by them. What can be peeled off from the ends is sound; what remains leads into a circle.
fn mark_circles(list: &mut [Normalised]) {
    let mut left: Vec<usize> = Vec::with_capacity(list.len());
    let mut referred_by: Vec<Vec<usize>> = vec![Vec::new(); list.len()];
    for (number, definition) in list.iter().enumerate() {
        let mut targets: Vec<usize> = definition.links.iter().filter(|link| link.in_place).map(|link| link.to).collect();
        targets.sort_unstable();
        targets.dedup();
        left.push(targets.len());
        for target in targets {
            if let Some(by) = referred_by.get_mut(target) {
                by.push(number);
            }
        }
    }
    let mut sound: Vec<usize> = left.iter().enumerate().filter(|(_, left)| **left == 0).map(|(number, _)| number).collect();
    while let Some(number) = sound.pop() {
        for by in referred_by.get(number).into_iter().flatten() {
            if let Some(left) = left.get_mut(*by) {
                *left -= 1;
                if *left == 0 {
                    sound.push(*by);
                }
            }
        }
    }
    for (definition, left) in list.iter_mut().zip(left) {
        if left > 0 && definition.problem.is_none() {
            definition.problem = Some(CIRCLE.to_owned());
        }
    }
}

/// A schema that refers to one that cannot be used cannot be used either.
fn spread_problems(list: &mut [Normalised]) {
    let mut referred_by: Vec<Vec<usize>> = vec![Vec::new(); list.len()];
    for (number, definition) in list.iter().enumerate() {
        for link in &definition.links {
            if let Some(by) = referred_by.get_mut(link.to) {
                by.push(number);
            }
        }
    }
    let mut open: Vec<usize> = list.iter().enumerate().filter(|(_, one)| one.problem.is_some()).map(|(number, _)| number).collect();
    while let Some(number) = open.pop() {
        let Some(problem) = list.get(number).and_then(|one| one.problem.clone()) else { continue };
        for by in referred_by.get_mut(number).map(std::mem::take).unwrap_or_default() {
            if let Some(one) = list.get_mut(by).filter(|one| one.problem.is_none()) {
                one.problem = Some(problem.clone());
                open.push(by);
            }
        }
    }
}

#[cfg(test)]
mod tests;
