//! Validators: compiled from a schema with all that it refers to, and dropped, without running out of stack.
//!
//! They are compiled and dropped one inside the other, and a chain of schemas may be as long as the document. So a deep one gets a thread
//! with a stack of its own size for both.

use std::{mem::ManuallyDrop, thread};

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::{Definitions, Link, formats, patterns};
use crate::domain::limits::SCHEMA_STACK_BYTES;

/// Levels that any thread has the stack for.
const SHALLOW_LEVELS: usize = 32;

/// A compiled schema.
#[derive(Debug)]
pub(in super::super) struct Judge {
    /// Taken only when it is dropped.
    validator: Option<Validator>,
    /// How deep its schemas nest, all together.
    levels: usize,
}

impl Definitions {
    /// A judge for `schema`, with all that it refers to; the reason when there can be none.
    pub fn compile(&self, schema: &Value, links: &[Link]) -> Result<Judge, String> {
        let reachable = self.reachable(links)?;
        let levels = depth(schema) + reachable.iter().filter_map(|number| self.get(*number)).map(depth).sum::<usize>();
        let bundle = self.bundle(schema, &reachable);
        let build = || validator(&bundle).map_err(|error| error.to_string());
        let validator = if levels <= SHALLOW_LEVELS {
            build()?
        } else {
            thread::scope(|scope| {
                let built = thread::Builder::new().stack_size(levels * SCHEMA_STACK_BYTES).spawn_scoped(scope, build);
                let built = built.map_err(|error| error.to_string())?;
                built.join().unwrap_or_else(|_| Err("compiling it failed".to_owned()))
            })?
        };
        Ok(Judge { validator: Some(validator), levels })
    }
}

impl Judge {
    pub fn is_valid(&self, value: &Value) -> bool {
        self.validator.as_ref().is_none_or(|validator| validator.is_valid(value))
    }

    pub fn iter_errors<'i>(&'i self, value: &'i Value) -> impl Iterator<Item = ValidationError<'i>> {
        self.validator.iter().flat_map(|validator| validator.iter_errors(value))
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let Some(validator) = self.validator.take() else { return };
        if self.levels <= SHALLOW_LEVELS {
            return drop(validator);
        }
        // Without a thread it is lost, which is better than the process.
        let validator = ManuallyDrop::new(validator);
        let dropping = move || drop(ManuallyDrop::into_inner(validator));
        let _ = thread::Builder::new().stack_size(self.levels * SCHEMA_STACK_BYTES).spawn(dropping);
    }
}

/// How deep a value nests.
fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A validator of a schema that stands alone: draft 2020-12, bounded patterns, formats that have one meaning.
pub(super) fn validator(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    formats::checked(jsonschema::draft202012::options()).with_pattern_options(patterns::engine()).build(schema)
}
