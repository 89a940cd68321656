//! Which formats of texts are checked before anything is sent, and the ranges of whole numbers that have one.
//!
//! Only formats with one meaning: `date`, `date-time` (RFC 3339), `uuid` (RFC 9562), `ipv4`, `ipv6`, `email`, and the ranges of `int32` and
//! `int64`. Real documents say `uri` of relative references and `hostname` of almost anything, so these and all others only advise. A
//! format that its own schema contradicts, by a pattern, a default, an example or an enumeration that does not have it, is dropped.

use std::sync::LazyLock;

use jsonschema::{ValidationOptions, Validator};
use serde_json::{Map, Value, json};

const CHECKED: [&str; 6] = ["date", "date-time", "uuid", "ipv4", "ipv6", "email"];
/// Formats that the validator knows and that are not to be checked.
const ADVICE: [&str; 13] = [
    "time",
    "duration",
    "hostname",
    "idn-hostname",
    "idn-email",
    "iri",
    "iri-reference",
    "json-pointer",
    "relative-json-pointer",
    "regex",
    "uri",
    "uri-reference",
    "uri-template",
];

/// Options that check the chosen formats and no others.
pub(super) fn checked(options: ValidationOptions<'static>) -> ValidationOptions<'static> {
    ADVICE.iter().fold(options.should_validate_formats(true), |options, name| options.with_format(*name, |_: &str| true))
}

/// Takes the format away when its own schema says otherwise; gives whole numbers their range.
pub(super) fn settle(raw: &Map<String, Value>, out: &mut Map<String, Value>) {
    let Some(format) = out.get("format").and_then(Value::as_str).map(str::to_owned) else { return };
    let whole = |kind: &Value| kind == "integer" || kind.as_array().is_some_and(|any| any.contains(&"integer".into()));
    let range = match format.as_str() {
        "int32" => Some((json!(i32::MIN), json!(i32::MAX))),
        "int64" => Some((json!(i64::MIN), json!(i64::MAX))),
        _ => None,
    };
    if let Some((least, most)) = range.filter(|_| out.get("type").is_some_and(whole)) {
        let fits = |value: &Value| value.as_i64().is_some_and(|number| format == "int64" || i32::try_from(number).is_ok());
        if said(raw).filter(|value| value.is_number()).all(fits) {
            for (bound, exclusive, limit) in [("minimum", "exclusiveMinimum", least), ("maximum", "exclusiveMaximum", most)] {
                if !out.contains_key(bound) && !out.contains_key(exclusive) {
                    out.insert(bound.to_owned(), limit);
                }
            }
        }
    } else if let Some(at) = CHECKED.iter().position(|checked| *checked == format) {
        let fits = |value: &Value| JUDGES.get(at).and_then(Option::as_ref).is_none_or(|judge| judge.is_valid(value));
        if raw.contains_key("pattern") || !said(raw).all(fits) {
            out.shift_remove("format");
        }
    }
}

/// Whether a bound is one that a format brought: it says nothing that the format does not say.
pub(in super::super) fn is_range(value: &Value) -> bool {
    value.as_i64().is_some_and(|number| [i64::from(i32::MIN), i64::from(i32::MAX), i64::MIN, i64::MAX].contains(&number))
}

/// The values that a schema gives itself.
fn said(raw: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let one = ["default", "example", "const"].iter().filter_map(|key| raw.get(*key));
    let several = ["enum", "examples"].iter().filter_map(|key| raw.get(*key)?.as_array()).flatten();
    one.chain(several)
}

/// In the order of [`CHECKED`].
static JUDGES: LazyLock<Vec<Option<Validator>>> =
    LazyLock::new(|| CHECKED.iter().map(|format| super::validator(&json!({"format": format})).ok()).collect());
