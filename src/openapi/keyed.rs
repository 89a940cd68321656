//! Which operations are sent with an idempotency key, and in which header: the operator's word, else the document's.

use serde_json::Value;

use super::{
    gather::Draft,
    operation::About,
    parameter::{Declared, Location},
};
use crate::domain::{
    idempotency::{KeyRule, USUAL_HEADER, may_carry_key},
    selection::Asked,
};

/// Extensions that name the header; the first that is there counts.
const EXTENSIONS: [&str; 2] = ["x-agent-idempotency-header", "x-idempotency-header"];

/// The header that the document names for a changing operation: by an extension, or by declaring a parameter of the usual name.
pub(super) fn documented(about: &About, operation: &Value, parameters: &[Declared<'_>], notes: &mut Vec<String>) -> Option<String> {
    if about.is_safe() {
        return None;
    }
    if let Some((extension, value)) = EXTENSIONS.iter().find_map(|name| Some((name, operation.get(name)?))) {
        let name = value.as_str().filter(|name| may_carry_key(name));
        if name.is_none() {
            notes.push(format!("`{extension}` names no header that a key may travel in; it is sent without"));
        }
        return name.map(str::to_owned);
    }
    let usual = |declared: &&Declared| declared.location == Location::Header && declared.name.eq_ignore_ascii_case(USUAL_HEADER);
    parameters.iter().find(usual).map(|declared| declared.name.clone())
}

/// Settles which header it is. Nobody is asked for the key: a planner would make one up that is new every time, or the same for two calls.
pub(super) fn settle(draft: &mut Draft<'_>, rules: &[KeyRule], about: &About, asked: &Asked<'_>) {
    if let Some(rule) = rules.iter().find(|rule| rule.fits(asked)).filter(|_| !about.is_safe()) {
        draft.key_header = rule.header.clone();
    }
    if let Some(header) = &draft.key_header {
        draft.parameters.retain(|(declared, _)| declared.location != Location::Header || !declared.name.eq_ignore_ascii_case(header));
    }
}
