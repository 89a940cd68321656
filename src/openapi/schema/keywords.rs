//! Keywords that stand alone: which are kept, and in what shape they must be to be kept.
//!
//! A validator refuses to be built from a misshapen keyword, and one such keyword somewhere must not cost an operation. So only known
//! keywords in their right shape pass; the rest is annotation or mistake.

use serde_json::{Map, Value};

/// What becomes of a keyword whose value is not a schema.
pub(super) fn plain(key: &str, value: &Value) -> Option<Value> {
    let keep = match key {
        "description" | "format" | "contentEncoding" | "contentMediaType" => value.is_string(),
        "default" | "const" => true,
        // How a value is written as XML.
        "xml" => value.is_object(),
        "enum" => value.as_array().is_some_and(|values| !values.is_empty()),
        "minimum" | "maximum" => value.is_number(),
        "multipleOf" => value.as_f64().is_some_and(|number| number > 0.0),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" | "minContains" | "maxContains" => {
            return count(value);
        }
        "uniqueItems" | "deprecated" => value.is_boolean(),
        "dependentRequired" => value.as_object().is_some_and(|map| map.values().all(names)),
        _ => false,
    };
    keep.then(|| value.clone())
}

/// Whole numbers only; YAML and careless generators write `10.0`.
fn count(value: &Value) -> Option<Value> {
    let as_text = |number: f64| format!("{number:.0}").parse::<u64>().ok();
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..1e15).contains(number);
    value.as_u64().or_else(|| value.as_f64().filter(whole).and_then(as_text)).map(Value::from)
}

fn names(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(Value::is_string))
}

const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "string", "integer"];

/// `type` as a string or a list of several; `None` when it says nothing that JSON Schema knows. `file` is Swagger 2.0's upload.
pub(super) fn types(value: &Value, out: &mut Map<String, Value>) {
    if value == "file" {
        out.insert("type".to_owned(), "string".into());
        out.insert("format".to_owned(), "binary".into());
        return;
    }
    let one = std::slice::from_ref(value);
    let mut known: Vec<&str> = Vec::new();
    for name in value.as_array().map_or(one, Vec::as_slice).iter().filter_map(Value::as_str) {
        if TYPES.contains(&name) && !known.contains(&name) {
            known.push(name);
        }
    }
    match known.as_slice() {
        [] => {}
        [single] => drop(out.insert("type".to_owned(), (*single).into())),
        several => drop(out.insert("type".to_owned(), several.iter().map(|name| Value::from(*name)).collect())),
    }
}

/// Bounds: 3.1 gives exclusive ones as numbers, 2.0 and 3.0 as a flag beside the bound.
pub(super) fn exclusive_bounds(raw: &Map<String, Value>, out: &mut Map<String, Value>) {
    for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        match raw.get(exclusive) {
            Some(number @ Value::Number(_)) => drop(out.insert(exclusive.to_owned(), number.clone())),
            Some(Value::Bool(true)) => {
                if let Some(limit) = out.shift_remove(bound) {
                    out.insert(exclusive.to_owned(), limit);
                }
            }
            _ => {}
        }
    }
}

/// `nullable` (3.0) and `x-nullable` (2.0): null is one more type, one more enumerated value, one more alternative.
pub(super) fn allow_null(mut schema: Map<String, Value>) -> Map<String, Value> {
    match schema.get_mut("type") {
        Some(Value::String(single)) if single != "null" => {
            let both = Value::Array(vec![std::mem::take(single).into(), "null".into()]);
            schema.insert("type".to_owned(), both);
        }
        Some(Value::Array(several)) if !several.contains(&"null".into()) => several.push("null".into()),
        _ => {}
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    if !["$ref", "allOf", "anyOf", "const", "not"].iter().any(|key| schema.contains_key(*key)) {
        return schema;
    }
    let (mut outer, keys) = (Map::new(), schema.len());
    for annotation in ["description", "default", "deprecated", "xml"] {
        if let Some(kept) = schema.shift_remove(annotation) {
            outer.insert(annotation.to_owned(), kept);
        }
    }
    let null = Value::Object(Map::from_iter([("type".to_owned(), Value::from("null"))]));
    let alternatives = match schema.get_mut("anyOf") {
        Some(Value::Array(any)) if any.len() > 1 && outer.len() + 1 == keys => std::mem::take(any).into_iter().chain([null]).collect(),
        _ => vec![Value::Object(schema), null],
    };
    outer.insert("anyOf".to_owned(), Value::Array(alternatives));
    outer
}
