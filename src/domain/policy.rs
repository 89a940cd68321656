//! Who may call which operations: the operator's rules, looked at in their order.

use super::{
    selection::{Asked, Rule},
    tool::Effect,
    user::Role,
};

/// What a rule says of the operations that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    Deny,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRule {
    /// Whose calls it is about; none: everybody's.
    pub role: Option<Role>,
    pub verdict: Verdict,
    /// It is about the operations that one of these fits.
    pub operations: Vec<Rule>,
}

/// All that decides whether an operation may be called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The first that is about a role and an operation decides; where none is, it is allowed.
    pub rules: Vec<PolicyRule>,
    /// Nothing that changes something may be called, whatever the rules say.
    pub read_only: bool,
}

impl Policy {
    /// Whether this role may call this operation, which does this.
    pub fn allows(&self, role: Role, effect: Effect, asked: &Asked<'_>) -> bool {
        if self.read_only && effect == Effect::Changing {
            return false;
        }
        let about =
            |rule: &&PolicyRule| rule.role.is_none_or(|own| own == role) && rule.operations.iter().any(|operation| operation.fits(asked));
        self.rules.iter().find(about).is_none_or(|rule| rule.verdict == Verdict::Allow)
    }

    /// Every rule about operations in it.
    pub fn operations(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().flat_map(|rule| &rule.operations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(role: Option<Role>, verdict: Verdict, operations: &[&str]) -> PolicyRule {
        PolicyRule { role, verdict, operations: operations.iter().map(|text| Rule::parse(text).unwrap()).collect() }
    }

    fn asked(method: &'static str, path: &'static str) -> Asked<'static> {
        Asked { method, path, tags: &[], operation_id: None, function: "f" }
    }

    #[test]
    fn the_first_rule_that_is_about_it_decides() {
        let rules = vec![
            rule(Some(Role::Admin), Verdict::Allow, &["path:/**"]),
            rule(None, Verdict::Allow, &["method:get", "path:/orders"]),
            rule(None, Verdict::Deny, &["path:/**"]),
        ];
        let policy = Policy { rules, read_only: false };
        let may = |role, method, path| policy.allows(role, Effect::of_method(method), &asked(method, path));
        assert!(may(Role::Admin, "DELETE", "/users") && may(Role::User, "GET", "/users") && may(Role::User, "POST", "/orders"));
        assert!(!may(Role::User, "POST", "/users") && !may(Role::User, "DELETE", "/orders/1"));
        let silent = Policy::default();
        assert!(silent.allows(Role::User, Effect::Changing, &asked("DELETE", "/a")), "what no rule is about is allowed");
    }

    #[test]
    fn read_only_wins_over_every_rule() {
        let policy = Policy { rules: vec![rule(None, Verdict::Allow, &["path:/**"])], read_only: true };
        assert!(!policy.allows(Role::Admin, Effect::Changing, &asked("POST", "/a")));
        assert!(policy.allows(Role::User, Effect::Safe, &asked("GET", "/a")));
    }
}
