//! Who may call which operations, and which planned calls wait for a yes: the operator's rules, looked at in their order.

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

/// Which planned calls wait for the user's yes; a later one asks about all that an earlier one asks about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confirm {
    Never,
    /// Those that may change something.
    #[default]
    Changing,
    Always,
}

impl Confirm {
    pub const ALL: [Self; 3] = [Self::Never, Self::Changing, Self::Always];

    /// The mode of this name, in whatever letter case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(name.trim()))
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Changing => "changing",
            Self::Always => "always",
        }
    }

    /// Whether a planned call that does this waits.
    pub fn asks(self, effect: Effect) -> bool {
        match self {
            Self::Never => false,
            Self::Changing => effect == Effect::Changing,
            Self::Always => true,
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRule {
    /// Whose calls it is about; none: everybody's.
    pub role: Option<Role>,
    /// Whether they may be called; none: that is left to other rules.
    pub verdict: Option<Verdict>,
    /// Whether planned calls of them wait for a yes; none: that is left to other rules.
    pub confirm: Option<Confirm>,
    /// It is about the operations that one of these fits.
    pub operations: Vec<Rule>,
}

/// All that decides whether an operation may be called, and whether a planned call of it waits for a yes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Of those that say whether something may be called, the first that is about a role and an operation decides; where none is, it is
    /// allowed. Of those that say whether it waits, likewise.
    pub rules: Vec<PolicyRule>,
    /// Nothing that changes something may be called, whatever the rules say.
    pub read_only: bool,
    /// Which calls wait where no rule says it.
    pub confirm: Confirm,
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

/// Which planned calls of an operation wait, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirms<'a> {
    pub mode: Confirm,
    pub by: ConfirmedBy<'a>,
}

/// Who says whether a planned call waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmedBy<'a> {
    /// A rule: the how manieth, from 1, and which of its operations fitted.
    Rule { number: usize, operation: &'a Rule },
    /// The document, which asks for more than the setting.
    Document,
    /// The setting for all operations.
    Setting,
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

impl PolicyRule {
    /// Which of its operations fits, if it is about this role and this operation.
    fn about(&self, role: Role, asked: &Asked<'_>) -> Option<&Rule> {
        let operation = self.operations.iter().find(|operation| operation.fits(asked))?;
        self.role.is_none_or(|own| own == role).then_some(operation)
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
        let mut rules = (1..).zip(&self.rules);
        let decides =
            rules.find_map(|(number, rule)| Some(Decided::Rule { number, verdict: rule.verdict?, operation: rule.about(role, asked)? }));
        decides.unwrap_or(Decided::Nothing)
    }

    /// Which planned calls of this operation wait when somebody of this role speaks. `documented` is what the document asks for: it counts
    /// where it asks for more than the setting, and never for less, since a document is written by others, and whoever writes one must not
    /// be able to have calls sent unseen. A rule is the operator's word on this very operation and wins over both.
    pub fn confirms(&self, role: Role, asked: &Asked<'_>, documented: Option<Confirm>) -> Confirms<'_> {
        let mut rules = (1..).zip(&self.rules);
        let ruled = rules.find_map(|(number, rule)| {
            Some(Confirms { mode: rule.confirm?, by: ConfirmedBy::Rule { number, operation: rule.about(role, asked)? } })
        });
        ruled.unwrap_or(match documented {
            Some(mode) if mode > self.confirm => Confirms { mode, by: ConfirmedBy::Document },
            Some(_) | None => Confirms { mode: self.confirm, by: ConfirmedBy::Setting },
        })
    }

    /// Whether there is anything that it keeps from anybody.
    pub fn says_something(&self) -> bool {
        self.read_only || self.rules.iter().any(|rule| rule.verdict.is_some())
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
        let operations = operations.iter().map(|text| Rule::parse(text).unwrap()).collect();
        PolicyRule { role, verdict: Some(verdict), confirm: None, operations }
    }

    fn asking(role: Option<Role>, confirm: Confirm, operations: &[&str]) -> PolicyRule {
        PolicyRule { verdict: None, confirm: Some(confirm), ..rule(role, Verdict::Allow, operations) }
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
        let policy = Policy { rules, ..Policy::default() };
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
        let policy = Policy { rules: vec![rule(None, Verdict::Allow, &["path:/**"])], read_only: true, ..Policy::default() };
        assert!(!policy.allows(Role::Admin, Effect::Changing, &asked("POST", "/a")));
        assert!(policy.allows(Role::User, Effect::Safe, &asked("GET", "/a")));
        assert_eq!(policy.decides(Role::Admin, Effect::Changing, &asked("POST", "/a")), Decided::ReadOnly);
    }

    #[test]
    fn a_rule_wins_over_the_document_and_the_document_only_asks_for_more() {
        let rules = vec![
            asking(Some(Role::Admin), Confirm::Never, &["path:/a"]),
            asking(None, Confirm::Never, &["method:put"]),
            asking(None, Confirm::Always, &["path:/a"]),
        ];
        let by_rules = Policy { rules, ..Policy::default() };
        let mode = |policy: &Policy, role, method, path, documented| policy.confirms(role, &asked(method, path), documented).mode;
        for documented in [None, Some(Confirm::Never), Some(Confirm::Always)] {
            assert_eq!(mode(&by_rules, Role::Admin, "GET", "/a", documented), Confirm::Never);
            assert_eq!(mode(&by_rules, Role::User, "GET", "/a", documented), Confirm::Always);
            assert_eq!(mode(&by_rules, Role::User, "PUT", "/a", documented), Confirm::Never);
        }
        let told = by_rules.confirms(Role::User, &asked("GET", "/a"), None).by;
        assert!(matches!(told, ConfirmedBy::Rule { number: 3, operation } if operation.to_string() == "path:/a"));
        for setting in Confirm::ALL {
            let policy = Policy { confirm: setting, ..by_rules.clone() };
            assert_eq!(mode(&policy, Role::User, "GET", "/b", None), setting);
            for documented in Confirm::ALL {
                let told = policy.confirms(Role::User, &asked("GET", "/b"), Some(documented));
                let by = if documented > setting { ConfirmedBy::Document } else { ConfirmedBy::Setting };
                assert_eq!(told, Confirms { mode: documented.max(setting), by });
            }
        }
    }

    #[test]
    fn who_may_call_and_what_waits_are_told_by_rules_of_their_own() {
        let rules = vec![asking(None, Confirm::Always, &["path:/a"]), rule(None, Verdict::Deny, &["path:/**"])];
        let policy = Policy { rules, ..Policy::default() };
        assert!(!policy.allows(Role::User, Effect::Safe, &asked("GET", "/a")), "a rule that says what waits allows nothing");
        let only = Policy { rules: vec![asking(None, Confirm::Always, &["path:/a"])], ..Policy::default() };
        assert!(only.allows(Role::User, Effect::Changing, &asked("POST", "/a")) && !only.says_something());
        assert!(Confirm::Always.asks(Effect::Safe) && Confirm::Changing.asks(Effect::Changing));
        assert!(!Confirm::Changing.asks(Effect::Safe) && !Confirm::Never.asks(Effect::Changing));
    }
}
