//! `[[policy]]`: who may call which operations.

use serde_json::{Map, Value};

use super::{
    Settings,
    apis::rules,
    effective::rules_shown,
    reader::quoted,
    tables::{Notes, Part},
};
use crate::domain::{
    limits::POLICY_RULES_MAX,
    policy::{Policy, PolicyRule, Verdict},
    user::Role,
};

/// A list of rules.
pub(super) fn policy(whole: &Part<'_>, notes: &mut Notes) -> Vec<PolicyRule> {
    whole.few(POLICY_RULES_MAX, notes).iter().filter_map(|element| rule(element, notes)).collect()
}

fn rule(element: &Part<'_>, notes: &mut Notes) -> Option<PolicyRule> {
    let table = element.table(&["role", "effect", "operations"], notes)?;
    let role = match table.get("role") {
        None => Some(None),
        Some(part) => part.text(notes).and_then(|text| {
            let role = Role::parse(&text);
            if role.is_none() {
                notes.refuse(&part.path, format!("is {}; user or admin is needed, or nothing for both", quoted(&text)));
            }
            role.map(Some)
        }),
    };
    let verdict = table.needed("effect", notes, |part, notes| match part.text(notes)?.as_str() {
        "allow" => Some(Verdict::Allow),
        "deny" => Some(Verdict::Deny),
        other => {
            notes.refuse(&part.path, format!("is {}; allow or deny is needed", quoted(other)));
            None
        }
    });
    let operations = table.needed("operations", notes, |part, notes| {
        // A rule about nothing would be one that somebody relies on.
        if part.value.as_array().is_some_and(Vec::is_empty) {
            notes.refuse(&part.path, "names no operations; \"path:/**\" is about all");
        }
        Some(rules(part, notes))
    });
    Some(PolicyRule { role: role?, verdict: verdict?, operations: operations? })
}

/// The rules as `config check` shows them: in the form that they are written in.
pub(super) fn policy_shown(rules: &[PolicyRule]) -> Value {
    let shown = |rule: &PolicyRule| {
        let PolicyRule { role, verdict, operations } = rule;
        let mut shown = Map::new();
        shown.extend(role.iter().map(|role| ("role".to_owned(), role.as_str().into())));
        let verdict = match verdict {
            Verdict::Allow => "allow",
            Verdict::Deny => "deny",
        };
        shown.insert("effect".to_owned(), verdict.into());
        shown.insert("operations".to_owned(), rules_shown(operations));
        Value::Object(shown)
    };
    rules.iter().map(shown).collect()
}

impl Settings {
    /// What decides whether an operation may be called.
    pub fn whole_policy(&self) -> Policy {
        Policy { rules: self.policy.clone(), read_only: self.agent.read_only }
    }
}
