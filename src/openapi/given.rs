//! What the operator sets for every call is nobody's argument any more.

use std::sync::Arc;

use serde_json::Value;

use super::{
    assemble::purposes,
    catalogue::Catalogue,
    operation::{Operation, Parameter},
    parameter::Location,
};
use crate::domain::tool::FunctionSpec;

impl Catalogue {
    /// The same functions without the header parameters of these names (in any case): the operator's own value is sent instead, so no
    /// planner is asked for one and none is taken.
    pub fn without_headers(mut self, names: &[&str]) -> Self {
        let given = |parameter: &Parameter| {
            parameter.location == Location::Header && names.iter().any(|name| name.eq_ignore_ascii_case(&parameter.name))
        };
        for operation in &mut self.operations {
            // What is the same for every call cannot tell calls apart.
            operation.key_header.take_if(|header| names.iter().any(|name| name.eq_ignore_ascii_case(header)));
        }
        let affected = |operation: &Operation| operation.parameters.iter().any(given);
        if !self.operations.iter().any(affected) {
            return self;
        }
        let mut specs: Vec<FunctionSpec> = self.specs.to_vec();
        for (operation, spec) in self.operations.iter_mut().zip(&mut specs).filter(|(operation, _)| affected(operation)) {
            for parameter in operation.parameters.iter().filter(|parameter| given(parameter)) {
                forget(Arc::make_mut(&mut spec.parameters), &parameter.argument);
            }
            // Holes count the parameters that are left.
            let before = |hole: usize| operation.parameters.iter().take(hole).filter(|parameter| given(parameter)).count();
            operation.holes = operation.holes.iter().map(|hole| hole - before(*hole)).collect();
            operation.parameters.retain(|parameter| !given(parameter));
            operation.arguments = purposes(&operation.parameters, operation.body.as_ref());
        }
        self.specs = specs.into();
        for operation in &mut self.operations {
            operation.specs = Arc::clone(&self.specs);
        }
        self
    }
}

/// Takes an argument out of a function's schema.
fn forget(schema: &mut Value, argument: &str) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.shift_remove(argument);
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != argument);
    }
}
