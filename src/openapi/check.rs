//! Whether arguments fit an operation: every problem at once, found before anything is sent.

use jsonschema::Validator;
use serde_json::{Map, Value};

use super::{
    near::near,
    operation::{Body, Operation, Parameter, Shape},
    sentence::{Place, inexact, sentences},
};
use crate::domain::limits::{NEAR_NAMES_MAX, PROBLEMS_MAX};

/// The compiled schemas of one operation.
#[derive(Debug)]
pub(super) struct Validators {
    parameters: Validator,
    body: Option<Validator>,
}

/// Arguments sorted by where they go, found to fit.
pub(super) struct Sorted<'a> {
    /// Every parameter that has a value.
    pub parameters: Vec<(&'a Parameter, &'a Value)>,
    pub body: Option<(&'a Body, Value)>,
}

impl Operation {
    /// Says whether a request can be made of the arguments: `Ok`, or all problems, one sentence each that names the argument (by JSON
    /// pointer when it lies deeper), what is wrong and what would be right.
    ///
    /// An optional parameter that is null counts as not given; in a body null is a value like any other.
    pub fn check(&self, arguments: &Map<String, Value>) -> Result<(), Vec<String>> {
        self.prepare(arguments).map(drop)
    }

    pub(super) fn sort<'a>(&'a self, arguments: &'a Map<String, Value>) -> Result<Sorted<'a>, Vec<String>> {
        let validators = match self.validators.get_or_init(|| self.compile()) {
            Ok(validators) => validators,
            Err(reason) => return Err(vec![reason.clone()]),
        };
        let mut problems = Vec::new();
        let parameter = |name: &str| self.parameters.iter().find(|parameter| parameter.argument == name);
        let (mut given, mut flat, mut whole) = (Vec::new(), Map::new(), None);
        for (name, value) in arguments {
            match (parameter(name), self.body.as_ref().map(|body| &body.shape)) {
                (Some(parameter), _) if value.is_null() && !parameter.required => {}
                (Some(parameter), _) => given.push((parameter, value)),
                (None, Some(Shape::Whole(argument))) if argument == name => whole = Some(value.clone()),
                (None, Some(Shape::Flat { properties, open })) => match properties.iter().find(|(argument, _)| argument == name) {
                    Some((_, property)) => drop(flat.insert(property.clone(), value.clone())),
                    None if *open => drop(flat.insert(name.clone(), value.clone())),
                    None => problems.push(self.unknown(name)),
                },
                (None, _) => problems.push(self.unknown(name)),
            }
        }
        let instance: Map<String, Value> = given.iter().map(|(parameter, value)| (parameter.argument.clone(), (*value).clone())).collect();
        let instance = Value::Object(instance);
        problems.extend(sentences(validators.parameters.iter_errors(&instance), &Place::Arguments));
        for (parameter, value) in &given {
            inexact(&parameter.schema, value, &self.definitions, &format!("/{}", parameter.argument), &Place::Arguments, &mut problems);
        }
        let body = self.body.as_ref().and_then(|body| {
            let value = match &body.shape {
                Shape::Whole(_) => whole,
                Shape::Flat { .. } => (body.required || !flat.is_empty()).then_some(Value::Object(flat)),
            };
            Some((body, value?))
        });
        match (&self.body, &body) {
            (Some(Body { required: true, shape: Shape::Whole(argument), .. }), None) => {
                problems.push(format!("`{argument}` is missing; it is required"));
            }
            (_, Some((body, value))) => {
                let place = match &body.shape {
                    Shape::Whole(argument) => Place::Whole(argument),
                    Shape::Flat { properties, .. } => Place::Flat(properties),
                };
                if let Some(validator) = &validators.body {
                    problems.extend(sentences(validator.iter_errors(value), &place));
                }
                inexact(&body.schema, value, &self.definitions, "", &place, &mut problems);
            }
            _ => {}
        }
        if problems.is_empty() { Ok(Sorted { parameters: given, body }) } else { Err(bounded(problems)) }
    }

    fn compile(&self) -> Result<Validators, String> {
        let build = |schema: Value| {
            let built = jsonschema::draft202012::new(&self.definitions.bundle(&schema, &self.reachable));
            built.map_err(|error| format!("the document's schema of {} cannot be used: {error}", self.name()))
        };
        let properties: Map<String, Value> =
            self.parameters.iter().map(|parameter| (parameter.argument.clone(), parameter.schema.clone())).collect();
        let required: Vec<&str> =
            self.parameters.iter().filter(|parameter| parameter.required).map(|parameter| &*parameter.argument).collect();
        Ok(Validators {
            parameters: build(serde_json::json!({"properties": properties, "required": required}))?,
            body: self.body.as_ref().map(|body| build(body.schema.clone())).transpose()?,
        })
    }

    fn unknown(&self, name: &str) -> String {
        let mut known: Vec<&str> = self.parameters.iter().map(|parameter| parameter.argument.as_str()).collect();
        match self.body.as_ref().map(|body| &body.shape) {
            Some(Shape::Whole(argument)) => known.push(argument),
            Some(Shape::Flat { properties, .. }) => known.extend(properties.iter().map(|(argument, _)| argument.as_str())),
            None => {}
        }
        let list = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        // A name that several places share is no argument's, and each of those places' arguments may have been meant.
        let by_wire = self.parameters.iter().filter(|parameter| parameter.name == name).map(|parameter| parameter.argument.clone());
        let mut close: Vec<String> = by_wire.take(NEAR_NAMES_MAX).collect();
        if close.is_empty() {
            close = near(name, known.iter().copied());
        }
        let near: Vec<&str> = close.iter().map(String::as_str).collect();
        match (near.as_slice(), known.as_slice()) {
            (_, []) => format!("`{name}` is not an argument of {}, which takes none", self.name()),
            ([], known) => {
                format!("`{name}` is not an argument of {}, which takes {}", self.name(), list(known.get(..30).unwrap_or(known)))
            }
            (near, _) => format!("`{name}` is not an argument of {}; close to it: {}", self.name(), list(near)),
        }
    }
}

fn bounded(mut problems: Vec<String>) -> Vec<String> {
    if problems.len() > PROBLEMS_MAX {
        let more = problems.len() - PROBLEMS_MAX;
        problems.truncate(PROBLEMS_MAX);
        problems.push(format!("{more} more problems are not listed"));
    }
    problems
}
