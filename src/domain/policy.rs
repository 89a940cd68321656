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

/// What decided whether an operation may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided<'a> {
    /// Nothing that changes something may be called.
    ReadOnly,
    /// A rule: the how manieth, from 1, and which of its operations fitted.
    Rule { number: usize, verdict: Verdict, operation: &'a Rule },
    /// No rule is about it, so it is allowed.
    Nothing,
}

impl Decided<'_> {
    pub fn allows(self) -> bool {
        match self {
            Self::ReadOnly => false,
            Self::Rule { verdict, .. } => verdict == Verdict::Allow,
            Self::Nothing => true,
        }
    }
}

impl Policy {
    /// Whether this role may call this operation, which does this.
    pub fn allows(&self, role: Role, effect: Effect, asked: &Asked<'_>) -> bool {
        self.decides(role, effect, asked).allows()
    }

    /// What decides whether this role may call this operation, which does this.
    pub fn decides(&self, role: Role, effect: Effect, asked: &Asked<'_>) -> Decided<'_> {
        if self.read_only && effect == Effect::Changing {
            return Decided::ReadOnly;
        }
        let about = |(number, rule)| {
            let PolicyRule { role: own, verdict, operations }: &PolicyRule = rule;
            let operation = operations.iter().find(|operation| operation.fits(asked)).filter(|_| own.is_none_or(|own| own == role))?;
            Some(Decided::Rule { number, verdict: *verdict, operation })
        };
        (1..).zip(&self.rules).find_map(about).unwrap_or(Decided::Nothing)
    }

    /// Whether there is anything that it keeps from anybody.
    pub fn says_something(&self) -> bool {
        self.read_only || !self.rules.is_empty()
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
        let decided = policy.decides(Role::User, Effect::Changing, &asked("POST", "/users"));
        assert!(matches!(decided, Decided::Rule { number: 3, verdict: Verdict::Deny, operation } if operation.to_string() == "path:/**"));
        let silent = Policy::default();
        assert!(silent.allows(Role::User, Effect::Changing, &asked("DELETE", "/a")), "what no rule is about is allowed");
    }

    #[test]
    fn read_only_wins_over_every_rule() {
        let policy = Policy { rules: vec![rule(None, Verdict::Allow, &["path:/**"])], read_only: true };
        assert!(!policy.allows(Role::Admin, Effect::Changing, &asked("POST", "/a")));
        assert!(policy.allows(Role::User, Effect::Safe, &asked("GET", "/a")));
        assert_eq!(policy.decides(Role::Admin, Effect::Changing, &asked("POST", "/a")), Decided::ReadOnly);
    }
}
