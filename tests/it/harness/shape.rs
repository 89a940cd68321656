//! Fields and their types, as clients rely on them.

use serde_json::Value;

/// Fails unless the object has all of these fields with these types: `"success:bool message:text usage:object?"`, `?` for "or null".
/// More fields than these are welcome.
#[track_caller]
pub fn has(value: &Value, fields: &str) {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    for field in fields.split_whitespace() {
        let (name, kind) = field.split_once(':').unwrap_or_else(|| panic!("{field} has no type"));
        let found = object.get(name).unwrap_or_else(|| panic!("{name} is missing in {value:#}"));
        let (kind, nullable) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
        assert!(is(found, kind) || nullable && found.is_null(), "{name} is not {kind}: {found} in {value:#}");
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "bool" => value.is_boolean(),
        "text" => value.as_str().is_some_and(|text| !text.is_empty()),
        "count" => value.is_u64(),
        "number" => value.is_number(),
        "list" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        "time" => {
            value.as_str().is_some_and(|text| time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).is_ok())
        }
        other => panic!("no such type: {other}"),
    }
}
