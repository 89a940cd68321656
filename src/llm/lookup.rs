//! The functions by which a planner finds functions that it was not given: their names, schemas and arguments.

use serde_json::{Map, Value, json};

use crate::domain::{
    limits::{FUNCTIONS_FOUND_DEFAULT, FUNCTIONS_FOUND_MAX},
    tool::{Effect, FunctionSpec},
};

pub(super) const SEARCH: &str = "search_functions";
pub(super) const DESCRIBE: &str = "describe_function";

/// What a planner wants to know of functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Which functions do something.
    Search { query: String, limit: usize },
    /// What one function is, by its name.
    Describe { name: String },
}

/// The function that finds others, as a planner sees it; `count` is how many there are.
pub(super) fn search_spec(name: &str, count: usize) -> FunctionSpec {
    let description = format!(
        "Finds functions by what they do. There are {count}, of which only those are given to you that seem to fit; what this finds is \
         given to you as well. Use it before you say that something cannot be done. Sends nothing to the API."
    );
    let parameters = json!({
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What the function does and to what, in a few words, such as: list invoices of a customer."},
            "limit": {"type": "integer", "minimum": 1, "maximum": FUNCTIONS_FOUND_MAX, "description": format!("How many to find at most. Default {FUNCTIONS_FOUND_DEFAULT}.")},
        },
        "required": ["query"],
        "additionalProperties": false,
    });
    FunctionSpec { name: name.to_owned(), description, parameters: parameters.into(), effect: Effect::Safe }
}

/// The function that describes another, as a planner sees it.
pub(super) fn describe_spec(name: &str) -> FunctionSpec {
    let description =
        "Tells what a function does and which arguments it takes, by its exact name; it is given to you as well. Sends nothing to the API.";
    let parameters = json!({
        "type": "object",
        "properties": {"name": {"type": "string", "description": "The name of the function."}},
        "required": ["name"],
        "additionalProperties": false,
    });
    FunctionSpec { name: name.to_owned(), description: description.to_owned(), parameters: parameters.into(), effect: Effect::Safe }
}

/// The arguments of a search.
///
/// # Errors
/// All that is wrong with them, one sentence each.
pub(super) fn search(arguments: &Map<String, Value>) -> Result<Lookup, Vec<String>> {
    let mut problems = strangers(arguments, &["query", "limit"]);
    let query = text(arguments, "query", &mut problems);
    // Models write null for what they leave out.
    let limit = match arguments.get("limit").filter(|limit| !limit.is_null()) {
        None => FUNCTIONS_FOUND_DEFAULT,
        Some(limit) => match limit.as_u64().filter(|limit| *limit >= 1) {
            Some(limit) => usize::try_from(limit).unwrap_or(usize::MAX).min(FUNCTIONS_FOUND_MAX),
            None => {
                problems.push("`limit` must be a whole number of at least 1".to_owned());
                FUNCTIONS_FOUND_DEFAULT
            }
        },
    };
    query.filter(|_| problems.is_empty()).map(|query| Lookup::Search { query, limit }).ok_or(problems)
}

/// The arguments of a description.
///
/// # Errors
/// All that is wrong with them, one sentence each.
pub(super) fn describe(arguments: &Map<String, Value>) -> Result<Lookup, Vec<String>> {
    let mut problems = strangers(arguments, &["name"]);
    let name = text(arguments, "name", &mut problems);
    name.filter(|_| problems.is_empty()).map(|name| Lookup::Describe { name }).ok_or(problems)
}

fn strangers(arguments: &Map<String, Value>, known: &[&str]) -> Vec<String> {
    let strange = arguments.keys().filter(|name| !known.contains(&name.as_str()));
    strange.take(known.len()).map(|name| format!("there is no argument {name:?}")).collect()
}

fn text(arguments: &Map<String, Value>, name: &str, problems: &mut Vec<String>) -> Option<String> {
    match arguments.get(name) {
        Some(Value::String(text)) if !text.trim().is_empty() => return Some(text.trim().to_owned()),
        Some(Value::Null) | None => problems.push(format!("`{name}` is missing")),
        Some(_) => problems.push(format!("`{name}` must be a text with something in it")),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_and_all_that_is_wrong_is_told() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let found = |query: &str, limit| Ok(Lookup::Search { query: query.to_owned(), limit });
        assert_eq!(search(&map(json!({"query": " list orders ", "limit": null}))), found("list orders", FUNCTIONS_FOUND_DEFAULT));
        assert_eq!(search(&map(json!({"query": "x", "limit": 1000}))), found("x", FUNCTIONS_FOUND_MAX));
        let problems = search(&map(json!({"limit": 0, "page": 1}))).unwrap_err();
        for part in ["`query` is missing", "`limit`", "\"page\""] {
            assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:?}");
        }
        assert_eq!(describe(&map(json!({"name": "listOrders"}))), Ok(Lookup::Describe { name: "listOrders".to_owned() }));
        assert_eq!(describe(&map(json!({"name": 3}))).unwrap_err().len(), 1);
    }
}
