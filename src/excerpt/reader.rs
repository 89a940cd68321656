//! The function by which a planner reads kept replies: its name, its schema, its arguments.

use serde_json::{Map, Value, json};

use super::page::Wanted;
use crate::domain::{
    kept::ResultId,
    limits::RESULT_SEARCH_CHARS_MAX,
    tool::{self, Effect, FunctionSpec},
};

const NAME: &str = "read_result";

/// The function's name beside these.
pub fn name_beside(functions: &[FunctionSpec]) -> String {
    tool::name_beside(NAME, functions)
}

/// The function as a planner sees it.
pub fn spec(name: &str) -> FunctionSpec {
    let description = "Reads more of a result that was too long to be shown whole and was kept under an id. Answers with one page: how many \
                       items, members or lines there are, the ones from offset on, and next_offset if there are more. Sends nothing to the API.";
    let parameters = json!({
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "The id of the kept result."},
            "path": {"type": "string", "description": "JSON pointer to the list, object or text to read, such as /items or /items/3/notes; leave it out for the whole result."},
            "offset": {"type": "integer", "minimum": 0, "description": "How many items, members or lines to pass over (with search: of those found). Default 0."},
            "limit": {"type": "integer", "minimum": 1, "description": "How many to read at most. Default: as many as there is room for."},
            "search": {"type": "string", "description": "Only items, members or lines that have this text in them; upper and lower case are the same."},
        },
        "required": ["id"],
        "additionalProperties": false,
    });
    FunctionSpec { name: name.to_owned(), description: description.to_owned(), parameters: parameters.into(), effect: Effect::Safe }
}

/// The arguments of a call: of which kept reply, and what of it.
///
/// # Errors
/// All that is wrong with them, one sentence each.
pub fn read(arguments: &Map<String, Value>) -> Result<(ResultId, Wanted), Vec<String>> {
    const KNOWN: [&str; 5] = ["id", "path", "offset", "limit", "search"];
    let mut problems = Vec::new();
    // Models write null for what they leave out.
    let given = |name: &str| arguments.get(name).filter(|value| !value.is_null());
    let mut text = |name: &str| match given(name) {
        None => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => {
            problems.push(format!("`{name}` must be a text"));
            None
        }
    };
    let (id, path, search) = (text("id"), text("path"), text("search"));
    let mut count = |name: &str, least: u64| match given(name) {
        None => None,
        Some(value) => {
            let count = value.as_u64().filter(|count| *count >= least);
            if count.is_none() {
                problems.push(format!("`{name}` must be a whole number of at least {least}"));
            }
            count.map(|count| usize::try_from(count).unwrap_or(usize::MAX))
        }
    };
    let (offset, limit) = (count("offset", 0), count("limit", 1));
    let known = id.as_deref().map(ResultId::parse);
    match &known {
        None if given("id").is_none() => problems.push("`id` is missing".to_owned()),
        Some(None) => problems.push("`id` is not the id of a kept result; take it from the mark in the result".to_owned()),
        None | Some(Some(_)) => {}
    }
    if search.as_ref().is_some_and(|search| search.chars().nth(RESULT_SEARCH_CHARS_MAX).is_some()) {
        problems.push(format!("`search` has more than {RESULT_SEARCH_CHARS_MAX} characters"));
    }
    let strange = arguments.keys().filter(|name| !KNOWN.contains(&name.as_str()));
    problems.extend(strange.take(KNOWN.len()).map(|name| format!("there is no argument {name:?}")));
    match known.flatten() {
        Some(id) if problems.is_empty() => {
            let search = search.filter(|search| !search.is_empty());
            Ok((id, Wanted { path: path.unwrap_or_default(), offset: offset.unwrap_or(0), limit, search }))
        }
        _ => Err(problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> String {
        let functions: Vec<FunctionSpec> = names.iter().map(|name| spec(name)).collect();
        name_beside(&functions)
    }

    #[test]
    fn an_operation_keeps_its_name() {
        assert_eq!(named(&[]), "read_result");
        assert_eq!(named(&["read_result_2", "getUsers"]), "read_result");
        assert_eq!(named(&["read_result"]), "read_result_2");
        assert_eq!(named(&["read_result", "read_result_3", "read_result_2"]), "read_result_4");
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let asked = |arguments: Value| read(arguments.as_object().unwrap());
        let id = "ab".repeat(16);
        let whole = Wanted::default();
        assert_eq!(asked(json!({"id": id, "path": null})), Ok((ResultId::parse(&id).unwrap(), whole)));
        let part = Wanted { path: "/items".to_owned(), offset: 20, limit: Some(5), search: Some("x".to_owned()) };
        let arguments = json!({"id": id, "path": "/items", "offset": 20, "limit": 5, "search": "x"});
        assert_eq!(asked(arguments).map(|(_, wanted)| wanted), Ok(part));
        let problems = asked(json!({"path": 1, "offset": -1, "limit": 0, "search": "x".repeat(300), "page": 2})).unwrap_err();
        for name in ["`id` is missing", "`path`", "`offset`", "`limit`", "`search`", "\"page\""] {
            assert!(problems.iter().any(|problem| problem.contains(name)), "{name}: {problems:?}");
        }
        assert_eq!(asked(json!({"id": "../x"})).unwrap_err().len(), 1);
    }
}
