//! `[[policy]]`: who may call which operations, and which planned calls wait for a yes.

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
    policy::{Confirm, Policy, PolicyRule, Verdict},
    user::Role,
};

/// A list of rules.
pub(super) fn policy(whole: &Part<'_>, notes: &mut Notes) -> Vec<PolicyRule> {
    whole.few(POLICY_RULES_MAX, notes).iter().filter_map(|element| rule(element, notes)).collect()
}

fn rule(element: &Part<'_>, notes: &mut Notes) -> Option<PolicyRule> {
    let table = element.table(&["role", "effect", "confirm", "operations"], notes)?;
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
    let verdict = table.get("effect").and_then(|part| match part.text(notes)?.as_str() {
        "allow" => Some(Verdict::Allow),
        "deny" => Some(Verdict::Deny),
        other => {
            notes.refuse(&part.path, format!("is {}; allow or deny is needed", quoted(other)));
            None
        }
    });
    let confirm = table.get("confirm").and_then(|part| {
        let text = part.text(notes)?;
        let mode = Confirm::parse(&text);
        if mode.is_none() {
            notes.refuse(&part.path, format!("is {}; never, changing or always is needed", quoted(&text)));
        }
        mode
    });
    let says_something = |name| table.get(name).is_some_and(|part| part.value.as_str().is_none_or(|text| !text.trim().is_empty()));
    if !["effect", "confirm"].into_iter().any(says_something) {
        notes.refuse(&element.path, "says neither effect (allow, deny) nor confirm (never, changing, always); one is needed");
    }
    let operations = table.needed("operations", notes, |part, notes| {
        // A rule about nothing would be one that somebody relies on.
        if part.value.as_array().is_some_and(Vec::is_empty) {
            notes.refuse(&part.path, "names no operations; \"path:/**\" is about all");
        }
        Some(rules(part, notes))
    });
    Some(PolicyRule { role: role?, verdict, confirm, operations: operations? })
}

/// The rules as `config check` shows them: in the form that they are written in.
pub(super) fn policy_shown(rules: &[PolicyRule]) -> Value {
    let shown = |rule: &PolicyRule| {
        let PolicyRule { role, verdict: said, confirm, operations } = rule;
        let mut shown = Map::new();
        shown.extend(role.iter().map(|role| ("role".to_owned(), role.as_str().into())));
        let verdict = |verdict: &Verdict| match verdict {
            Verdict::Allow => "allow",
            Verdict::Deny => "deny",
        };
        shown.extend(said.iter().map(|said| ("effect".to_owned(), verdict(said).into())));
        shown.extend(confirm.iter().map(|mode| ("confirm".to_owned(), mode.as_str().into())));
        shown.insert("operations".to_owned(), rules_shown(operations));
        Value::Object(shown)
    };
    rules.iter().map(shown).collect()
}

impl Settings {
    /// What decides whether an operation may be called, and whether a planned call of it waits for a yes.
    pub fn whole_policy(&self) -> Policy {
        Policy { rules: self.policy.clone(), read_only: self.agent.read_only, confirm: self.confirm() }
    }

    /// Which planned calls wait for a yes where no rule says it. If nobody has said it, those do that change something and that a model
    /// plans: it can be talked into them. The offline planner makes of a sentence what it plainly says, and nothing it reads changes that.
    pub fn confirm(&self) -> Confirm {
        let planned = if self.llm.url.is_some() { Confirm::Changing } else { Confirm::Never };
        self.agent.confirm.unwrap_or(planned)
    }
}
