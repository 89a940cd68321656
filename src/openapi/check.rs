//! Whether arguments fit an operation: every problem at once, found before anything is sent.

use serde_json::{Map, Value};

use super::{
    near::near,
    operation::{Body, Operation, Parameter, Purpose, Shape},
    schema::{Effort, Judge, Link},
    sentence::{Place, inexact, lost_digits, sentences},
};
use crate::domain::limits::{ERRORS_READ_MAX, NEAR_NAMES_MAX, PROBLEMS_MAX};

/// The compiled schemas of one operation.
#[derive(Debug)]
pub(super) struct Validators {
    parameters: Judge,
    /// What `parameters` was compiled from.
    parameters_schema: Value,
    body: Option<Judge>,
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
        let (mut given, mut flat, mut whole) = (Vec::new(), Map::new(), None);
        for (name, value) in arguments {
            let shape = self.body.as_ref().map(|body| &body.shape);
            match (self.arguments.get(name), shape) {
                (Some(Purpose::Parameter(at)), _) => {
                    // An optional parameter that is null is not given.
                    given.extend(self.parameters.get(*at).filter(|own| own.required || !value.is_null()).map(|own| (own, value)));
                }
                (Some(Purpose::Property(at)), Some(Shape::Flat { properties, .. })) => {
                    if let Some((_, property)) = properties.get(*at) {
                        flat.insert(property.clone(), value.clone());
                    }
                }
                (Some(Purpose::Body), _) => whole = Some(value.clone()),
                (None, Some(Shape::Flat { open: true, .. })) => drop(flat.insert(name.clone(), value.clone())),
                _ if problems.len() < ERRORS_READ_MAX => problems.push(self.unknown(name)),
                _ => {}
            }
        }
        let instance: Map<String, Value> = given.iter().map(|(parameter, value)| (parameter.argument.clone(), (*value).clone())).collect();
        let instance = Value::Object(instance);
        problems.extend(self.judged(&validators.parameters, &validators.parameters_schema, &instance, &Place::Arguments));
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
                    problems.extend(self.judged(validator, &body.schema, value, &place));
                }
            }
            _ => {}
        }
        if problems.is_empty() { Ok(Sorted { parameters: given, body }) } else { Err(bounded(problems)) }
    }

    /// What is wrong with a value, one sentence each; bounded in time and memory, whatever the schema.
    fn judged(&self, judge: &Judge, schema: &Value, value: &Value, place: &Place) -> Vec<String> {
        match self.definitions.effort(schema, value) {
            Effort::Fair => {
                let mut problems = sentences(judge.iter_errors(value), place);
                if lost_digits(value) {
                    inexact(schema, value, &self.definitions, "", place, &mut problems);
                }
                problems
            }
            Effort::WithoutReasons if judge.is_valid(value) => Vec::new(),
            Effort::WithoutReasons => {
                vec![format!("{} does not fit the document's schema, which has too many alternatives to say where", place.whole())]
            }
            Effort::TooMuch => vec![format!("{} would take too long to check against the document's schema", place.whole())],
        }
    }

    fn compile(&self) -> Result<Validators, String> {
        let build = |schema: &Value, links: &[Link]| {
            let built = self.definitions.compile(schema, links);
            built.map_err(|reason| format!("the document's schema of {} cannot be used: {reason}", self.name()))
        };
        let schemas = self.parameters.iter().map(|parameter| (parameter.argument.clone(), parameter.schema.schema.clone()));
        let properties: Map<String, Value> = schemas.collect();
        let required: Vec<&str> =
            self.parameters.iter().filter(|parameter| parameter.required).map(|parameter| &*parameter.argument).collect();
        let parameters_schema = serde_json::json!({"properties": properties, "required": required});
        let links: Vec<Link> = self.parameters.iter().flat_map(|parameter| parameter.schema.links.iter().copied()).collect();
        Ok(Validators {
            parameters: build(&parameters_schema, &links)?,
            body: self.body.as_ref().map(|body| build(&body.schema, &body.links)).transpose()?,
            parameters_schema,
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
