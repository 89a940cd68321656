//! `[[policy]]`: rules are read in their order, and all that is wrong with them is told at its place.

use super::{load_file, shown, told_of_file};
use crate::domain::{
    policy::{Confirm, Verdict},
    user::Role,
};

#[test]
fn rules_are_read_in_their_order() {
    let settings = load_file(
        r#"
[[policy]]
role = "admin"
effect = "allow"
operations = ["path:/**"]
[[policy]]
effect = "deny"
operations = ["method:delete", "tag:Billing"]
[[policy]]
confirm = "Always"
operations = ["id:drop*"]
[[policy]]
effect = "allow"
confirm = "never"
operations = ["path:/a"]
[agent]
read_only = true
"#,
    )
    .unwrap();
    let policy = settings.whole_policy();
    let roles: Vec<_> = policy.rules.iter().map(|rule| (rule.role, rule.verdict, rule.confirm)).collect();
    let expected = [
        (Some(Role::Admin), Some(Verdict::Allow), None),
        (None, Some(Verdict::Deny), None),
        (None, None, Some(Confirm::Always)),
        (None, Some(Verdict::Allow), Some(Confirm::Never)),
    ];
    assert_eq!(roles, expected);
    assert!(policy.read_only && policy.operations().count() == 5);
    let told = concat!(
        r#"[{"role":"admin","effect":"allow","operations":["path:/**"]},{"effect":"deny","operations":["method:DELETE","tag:Billing"]},"#,
        r#"{"confirm":"always","operations":["id:drop*"]},{"effect":"allow","confirm":"never","operations":["path:/a"]}]"#
    );
    assert_eq!(shown(&settings, "policy").0, told);
}

#[test]
fn what_is_wrong_with_rules_is_told_at_its_place() {
    let file = r#"
policy = [{ role = "root", effect = "allow", operations = ["path:/a"] }, { effect = "maybe", operations = ["delete"] }, { operations = [] },
          { effect = "deny", operation = ["path:/a"] }, { confirm = "sometimes", operations = ["path:/a"] },
          { effect = "", confirm = true, operations = ["path:/a"] }]
"#;
    let told = told_of_file(file);
    let expected = [
        ("policy[0].role", "is \"root\"; user or admin is needed, or nothing for both"),
        ("policy[1].effect", "is \"maybe\"; allow or deny is needed"),
        ("policy[1].operations", "has the rule \"delete\": tag:…, method:…, path:/… or id:… is needed"),
        ("policy[2]", "says neither effect (allow, deny) nor confirm (never, changing, always); one is needed"),
        ("policy[2].operations", "names no operations; \"path:/**\" is about all"),
        ("policy[3].operation", "is not a setting; operations is near"),
        ("policy[3].operations", "is not set, and is needed"),
        ("policy[4].confirm", "is \"sometimes\"; never, changing or always is needed"),
        ("policy[5].confirm", "is \"true\"; never, changing or always is needed"),
    ];
    assert_eq!(told.iter().map(|(key, sentence)| (key.as_str(), sentence.as_str())).collect::<Vec<_>>(), expected);
}
