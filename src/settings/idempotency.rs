//! What is said of calls whose answer was lost: which of them carry an idempotency key, and how to look what became of the others.

use super::{
    apis::rules,
    reader::quoted,
    tables::{Notes, Part},
};
use crate::domain::{
    idempotency::{KeyRule, may_carry_key},
    limits::KEY_RULES_MAX,
    probe::{Probe, Sign},
    selection::Rule,
};

/// A list of rules: operations, and the header that their keys travel in.
pub(super) fn key_rules(whole: &Part<'_>, notes: &mut Notes) -> Vec<KeyRule> {
    whole.few(KEY_RULES_MAX, notes).iter().filter_map(|element| key_rule(element, notes)).collect()
}

/// A list of looks after changes.
pub(super) fn probes(whole: &Part<'_>, notes: &mut Notes) -> Vec<Probe> {
    whole.few(KEY_RULES_MAX, notes).iter().filter_map(|element| probe(element, notes)).collect()
}

fn probe(element: &Part<'_>, notes: &mut Notes) -> Option<Probe> {
    let table = element.table(&["operation", "call", "arguments", "took_effect"], notes)?;
    let operation = table.needed("operation", notes, |part, notes| {
        let text = part.text(notes)?;
        let rule = Rule::parse(&text);
        rule.map_err(|problem| notes.refuse(&part.path, format!("is {}: {problem}", quoted(&text)))).ok()
    });
    let call = table.needed("call", notes, Part::text);
    let value = |(name, part): (&str, Part<'_>)| (name.to_owned(), part.value.clone());
    let arguments = table.get("arguments").map(|part| part.members(notes).into_iter().map(value).collect());
    let took_effect = table.needed("took_effect", notes, |part, notes| match part.text(notes)?.as_str() {
        "found" => Some(Sign::Found),
        "gone" => Some(Sign::Gone),
        other => {
            notes.refuse(&part.path, format!("is {}; found or gone is needed", quoted(other)));
            None
        }
    });
    Some(Probe { operation: operation?, call: call?, arguments: arguments.unwrap_or_default(), took_effect: took_effect? })
}

fn key_rule(element: &Part<'_>, notes: &mut Notes) -> Option<KeyRule> {
    let table = element.table(&["operations", "header"], notes)?;
    let operations = table.needed("operations", notes, |part, notes| Some(rules(part, notes)))?;
    let Some(header) = table.get("header") else {
        notes.refuse(&format!("{}.header", element.path), "is not set, and is needed; \"\" says that there is no key");
        return None;
    };
    let named = header.text(notes);
    if let Some(name) = named.as_deref().filter(|name| !may_carry_key(name)) {
        notes.refuse(&header.path, format!("is {}, which no key may travel in", quoted(name)));
        return None;
    }
    Some(KeyRule { operations, header: named })
}
