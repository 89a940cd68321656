//! How much work it is to judge a value by a schema, found out before it is judged.
//!
//! A few lines of schema can multiply: alternatives of alternatives double with every level, and so do parts that each look into the same
//! property. The validator would follow all of them; here they are counted first, and the count has an end.

use serde_json::{Map, Value};

use super::Definitions;
use crate::domain::limits::{CHECK_CELLS_MAX, CHECK_DEPTH_MAX, CHECK_STEPS_BASE, CHECK_STEPS_PER_VALUE};

/// What judging a value comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Effort {
    Fair,
    /// Whether the value fits can be said, but not in what it does not: the reasons would take too much memory.
    WithoutReasons,
    TooMuch,
}

impl Definitions {
    /// The effort of judging `value` by `schema`.
    pub fn effort(&self, schema: &Value, value: &Value) -> Effort {
        let values = size(value, usize::MAX);
        let steps = CHECK_STEPS_BASE.saturating_add(values.saturating_mul(CHECK_STEPS_PER_VALUE));
        let mut count = Count { definitions: self, steps, cells: CHECK_CELLS_MAX };
        match count.schema(schema, value, false, 0) {
            None => Effort::TooMuch,
            Some(()) if count.cells == 0 => Effort::WithoutReasons,
            Some(()) => Effort::Fair,
        }
    }
}

struct Count<'a> {
    definitions: &'a Definitions,
    /// Schemas that may still be applied.
    steps: usize,
    /// Values that reasons may still be made from.
    cells: usize,
}

impl Count<'_> {
    /// `None` when the bound was met. A reason inside a choice holds a copy of the value it is about.
    fn schema(&mut self, schema: &Value, value: &Value, in_choice: bool, depth: usize) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        if depth >= CHECK_DEPTH_MAX {
            return None;
        }
        let Value::Object(keywords) = schema else { return Some(()) };
        if in_choice && self.cells > 0 {
            self.cells = self.cells.saturating_sub(size(value, self.cells));
        }
        if let Some((_, target)) = self.definitions.target(keywords) {
            self.schema(target, value, in_choice, depth + 1)?;
        }
        keywords.iter().try_for_each(|(key, of)| self.keyword(keywords, key, of, value, in_choice, depth + 1))
    }

    fn keyword(&mut self, beside: &Map<String, Value>, key: &str, of: &Value, value: &Value, in_choice: bool, depth: usize) -> Option<()> {
        let mut all =
            |schemas: &[Value], in_choice: bool| schemas.iter().try_for_each(|schema| self.schema(schema, value, in_choice, depth));
        match (key, of, value) {
            ("allOf", Value::Array(parts), _) => all(parts, in_choice),
            ("anyOf", Value::Array(parts), _) => all(parts, true),
            ("not" | "if" | "then" | "else", _, _) => self.schema(of, value, in_choice, depth),
            ("dependentSchemas", Value::Object(schemas), Value::Object(_)) => {
                schemas.values().try_for_each(|schema| self.schema(schema, value, in_choice, depth))
            }
            ("properties", Value::Object(schemas), Value::Object(map)) => {
                let known = |(name, child)| schemas.get(name).map_or(Some(()), |schema| self.schema(schema, child, in_choice, depth));
                map.iter().try_for_each(known)
            }
            ("patternProperties", Value::Object(schemas), Value::Object(map)) => {
                schemas.values().try_for_each(|schema| map.values().try_for_each(|child| self.schema(schema, child, in_choice, depth)))
            }
            ("additionalProperties" | "unevaluatedProperties", _, Value::Object(map)) => {
                let known = beside.get("properties").and_then(Value::as_object);
                let others = map.iter().filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
                others.map(|(_, child)| child).try_for_each(|child| self.schema(of, child, in_choice, depth))
            }
            ("propertyNames", _, Value::Object(map)) => map.iter().try_for_each(|_| self.schema(of, &Value::Null, in_choice, depth)),
            ("items" | "contains" | "unevaluatedItems", _, Value::Array(items)) => {
                items.iter().try_for_each(|item| self.schema(of, item, in_choice, depth))
            }
            ("prefixItems", Value::Array(schemas), Value::Array(items)) => {
                schemas.iter().zip(items).try_for_each(|(schema, item)| self.schema(schema, item, in_choice, depth))
            }
            // A reason quotes all values that are allowed.
            ("enum", Value::Array(values), _) => {
                self.cells = self.cells.saturating_sub(values.len());
                Some(())
            }
            _ => Some(()),
        }
    }
}

/// How many values a value is made of; `most` when there are as many or more.
pub(in super::super) fn size(value: &Value, most: usize) -> usize {
    let mut found = 1;
    let mut add = |child: &Value| {
        if found < most {
            found += size(child, most - found);
        }
    };
    match value {
        Value::Array(items) => items.iter().for_each(&mut add),
        Value::Object(map) => map.values().for_each(&mut add),
        _ => {}
    }
    found.min(most)
}
