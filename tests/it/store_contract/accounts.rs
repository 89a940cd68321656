//! Users, stored beside the sessions.

use swagger_api_agent::{
    domain::{
        scope::{Scope, Scopes},
        user::Role,
    },
    store::contract::{AccountChange, Added, AdminAnswer, Begun, Changed, Committed, Entered, Refused, Tail},
};

use super::{
    bed::{Ask, Bed, Token, account, at_once, leaving, name, turn},
    on_both_stores,
};

on_both_stores!(
    an_added_user_is_known,
    a_name_is_given_once,
    of_many_that_add_one_name_at_once_one_succeeds,
    changes_are_kept,
    nobody_is_changed_who_is_not_there,
    users_are_listed_by_name,
    an_account_outlives_its_sessions,
    scopes_are_kept_and_go_with_the_old_role,
    scopes_decide_what_may_be_asked,
    several_changes_are_one,
    a_change_that_was_for_another_password_is_not_made,
    users_are_listed_in_pages,
    a_removed_user_leaves_nothing,
    what_somebody_asked_who_had_the_name_before_is_not_told_again,
    tokens_of_somebody_who_had_the_name_before_are_nobodys,
);

async fn an_added_user_is_known(bed: Bed) {
    let unknown = bed.store().known(&name("ann")).await.unwrap();
    assert_eq!(unknown.account, None);
    assert_eq!(bed.store().add_account(&account("ann", Role::Admin)).await, Ok(Added::New));
    let known = bed.store().known(&name("ann")).await.unwrap();
    let found = known.account.expect("an account");
    assert!((unknown.now_ms..=known.now_ms).contains(&found.created_ms), "dated by the store");
    assert_eq!((found.name, found.role, found.disabled, &*found.password_hash), (name("ann"), Role::Admin, false, "hash of ann"));
}

async fn a_name_is_given_once(bed: Bed) {
    bed.store().add_account(&account("ann", Role::Admin)).await.unwrap();
    let mut other = account("ann", Role::User);
    other.password_hash = "stolen".into();
    assert_eq!(bed.store().add_account(&other).await, Ok(Added::Exists));
    let found = bed.store().known(&name("ann")).await.unwrap().account.unwrap();
    assert_eq!((found.role, &*found.password_hash), (Role::Admin, "hash of ann"));
}

async fn of_many_that_add_one_name_at_once_one_succeeds(bed: Bed) {
    let store = bed.store().clone();
    let added = at_once(10, move |_| {
        let store = store.clone();
        async move { store.add_account(&account("ann", Role::User)).await.unwrap() }
    })
    .await;
    assert_eq!(added.iter().filter(|a| **a == Added::New).count(), 1);
}

async fn changes_are_kept(bed: Bed) {
    let ann = bed.user("ann").await.user;
    let store = bed.store();
    assert_eq!(store.change_account(&ann, AccountChange::Role(Role::Admin)).await, Ok(true));
    assert_eq!(store.change_account(&ann, AccountChange::Password("new")).await, Ok(true));
    assert_eq!(store.change_account(&ann, AccountChange::Disabled(true)).await, Ok(true));
    let found = store.known(&ann).await.unwrap().account.unwrap();
    assert_eq!((found.role, &*found.password_hash, found.disabled), (Role::Admin, "new", true));
    store.change_account(&ann, AccountChange::Disabled(false)).await.unwrap();
    assert!(!store.known(&ann).await.unwrap().account.unwrap().disabled);
}

async fn a_change_that_was_for_another_password_is_not_made(bed: Bed) {
    let ann = bed.user("ann").await.user;
    let changes = |hash: &'static str| [AccountChange::Password(hash), AccountChange::MustChange(false)];
    let store = bed.store();
    let of = async |hash: &str, to: &'static str| store.change_account_of(&ann, Some(hash), &changes(to)).await;
    assert_eq!(of("hash of bob", "new").await, Ok(Changed::OtherPassword));
    assert_eq!(of("hash of ann", "new").await, Ok(Changed::Done));
    assert_eq!(of("hash of ann", "new").await, Ok(Changed::Done), "its answer was lost");
    assert_eq!(of("hash of ann", "newer").await, Ok(Changed::OtherPassword));
    assert_eq!(store.known(&ann).await.unwrap().account.unwrap().password_hash, "new");
    assert_eq!(store.change_account_of(&name("bob"), Some("new"), &changes("newer")).await, Ok(Changed::NoUser));
}

async fn nobody_is_changed_who_is_not_there(bed: Bed) {
    for change in [AccountChange::Role(Role::Admin), AccountChange::Password("x"), AccountChange::Disabled(true)] {
        assert_eq!(bed.store().change_account(&name("ann"), change).await, Ok(false));
    }
    assert_eq!(bed.store().known(&name("ann")).await.unwrap().account, None);
    assert_eq!(bed.store().accounts().await, Ok(Vec::new()));
}

async fn users_are_listed_by_name(bed: Bed) {
    let names = ["zoe", "ann", "Bob", "张三", "bob"];
    for user in names {
        bed.user(user).await;
    }
    let listed: Vec<_> = bed.store().accounts().await.unwrap().into_iter().map(|a| a.name.as_str().to_owned()).collect();
    assert_eq!(listed, ["Bob", "ann", "bob", "zoe", "张三"]);
}

async fn scopes_are_kept_and_go_with_the_old_role(bed: Bed) {
    let reads = Scopes::stored("users:read audit:read");
    let mut ann = account("ann", Role::User);
    ann.scopes = Some(reads);
    bed.store().add_account(&ann).await.unwrap();
    let own = async || bed.store().known(&ann.name).await.unwrap().account.unwrap().scopes;
    assert_eq!(own().await, Some(reads));
    for given in [Some(Scopes::NONE), None, Some(Scopes::all())] {
        bed.store().change_account(&ann.name, AccountChange::Scopes(given)).await.unwrap();
        assert_eq!(own().await, given);
    }
    bed.store().change_account(&ann.name, AccountChange::Role(Role::User)).await.unwrap();
    assert_eq!(own().await, None, "whoever loses a role keeps nothing that came with it");
}

async fn scopes_decide_what_may_be_asked(bed: Bed) {
    let (ann, root) = (bed.user("ann").await, bed.admin("root").await);
    let asks = async |who: &Token, scope| bed.store().administrator(who.caller(), scope).await.unwrap();
    for scope in Scope::ALL {
        assert_eq!(asks(&root, scope).await, AdminAnswer::Granted(()));
        assert_eq!(asks(&ann, scope).await, AdminAnswer::NotAdmin);
        let alone = [scope].into_iter().collect();
        for who in [&ann, &root] {
            bed.store().change_account(&who.user, AccountChange::Scopes(Some(alone))).await.unwrap();
            for other in Scope::ALL {
                let answer = if other == scope { AdminAnswer::Granted(()) } else { AdminAnswer::Lacks(other) };
                assert_eq!(asks(who, other).await, answer, "{} with {}", who.user, scope.as_str());
            }
            bed.store().change_account(&who.user, AccountChange::Scopes(None)).await.unwrap();
        }
    }
    bed.store().change_account(&root.user, AccountChange::Scopes(Some(Scopes::NONE))).await.unwrap();
    assert_eq!(bed.store().sessions(root.caller(), None, 10).await, Ok(AdminAnswer::Lacks(Scope::SessionsRead)));
    assert_eq!(bed.store().keys(root.caller(), &ann.user).await, Ok(AdminAnswer::Lacks(Scope::SessionsRead)));
    assert_eq!(bed.store().cleanup(root.caller()).await, Ok(AdminAnswer::Lacks(Scope::SessionsEnd)));
}

async fn users_are_listed_in_pages(bed: Bed) {
    for user in ["zoe", "ann", "Bob", "张三", "a:b"] {
        bed.user(user).await;
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = bed.store().accounts_after(after.as_ref(), 2).await.unwrap();
        seen.extend(page.accounts.into_iter().map(|account| account.name.to_string()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["Bob", "a:b", "ann", "zoe", "张三"]);
}

async fn a_removed_user_leaves_nothing(bed: Bed) {
    let (ann, root) = (bed.user("ann").await, bed.admin("root").await);
    bed.takes_turn(&ann, "one").await;
    bed.store().put_credential(ann.caller(), "place", "kind", b"sealed").await.unwrap();
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(bed.store().remove_account(&ann.user).await, Ok(true));
    assert_eq!(bed.store().remove_account(&ann.user).await, Ok(false));
    assert_eq!(bed.store().known(&ann.user).await.unwrap().account, None);
    assert_eq!(bed.store().accounts().await.unwrap().len(), 1);
    assert_eq!(bed.store().keys(root.caller(), &ann.user).await, Ok(AdminAnswer::Granted(Vec::new())));
    assert_eq!(bed.commit(&lease, &[turn("late")]).await, Committed::Stale, "what still ran is fenced off");
    assert_eq!(bed.store().keys(root.caller(), &ann.user).await, Ok(AdminAnswer::Granted(Vec::new())));
    bed.pass(2).await;
    let again = bed.user("ann").await;
    assert_eq!(bed.said(&again).await, Vec::<String>::new());
    assert!(bed.store().credentials_of(&ann.user).await.unwrap().is_empty());
}

async fn what_somebody_asked_who_had_the_name_before_is_not_told_again(bed: Bed) {
    let before = bed.user("ann").await;
    bed.pass(2).await;
    for (run, key) in [("r1", "answered"), ("r2", "running")] {
        let ask = Ask::new(&before, run).key(key, "f");
        let started = bed.started(&ask).await;
        if key == "answered" {
            let reply = ask.idempotency().map(|key| (key, &b"hers"[..]));
            bed.store().commit(&ask.lease(&started), leaving(&[turn("one")], reply)).await.unwrap();
            assert_eq!(bed.begin(&Ask::new(&before, "r3").key(key, "f")).await, Begun::Replay(b"hers".to_vec()));
        }
    }
    bed.store().remove_account(&before.user).await.unwrap();
    // Longer than the two clocks that date an account and a record may be apart.
    bed.pass(25).await;
    let after = bed.user("ann").await;
    bed.pass(2).await;
    for (run, key) in [("r4", "answered"), ("r5", "running")] {
        let ask = Ask::new(&after, run).key(key, "another");
        let started = bed.started(&ask).await;
        let reply = ask.idempotency().map(|key| (key, &b"theirs"[..]));
        bed.store().commit(&ask.lease(&started), leaving(&[turn("two")], reply)).await.unwrap();
        assert_eq!(bed.begin(&Ask::new(&after, "r6").key(key, "another")).await, Begun::Replay(b"theirs".to_vec()));
    }
}

async fn tokens_of_somebody_who_had_the_name_before_are_nobodys(bed: Bed) {
    let before = bed.user("ann").await;
    bed.store().remove_account(&before.user).await.unwrap();
    bed.pass(2).await;
    let after = bed.user("ann").await;
    assert!(matches!(bed.store().enter(before.caller(), Tail::Nothing).await, Ok(Entered::Refused(Refused::Revoked))));
    assert!(matches!(bed.store().enter(after.caller(), Tail::Nothing).await, Ok(Entered::In(_))));
}

async fn several_changes_are_one(bed: Bed) {
    let ann = bed.user("ann").await;
    let reads = Scopes::stored("sessions:read");
    let changes = [
        AccountChange::Role(Role::Admin),
        AccountChange::Scopes(Some(reads)),
        AccountChange::Disabled(true),
        AccountChange::MustChange(true),
    ];
    assert_eq!(bed.store().change_account_so(&ann.user, &changes).await, Ok(true));
    let found = bed.store().known(&ann.user).await.unwrap().account.unwrap();
    assert_eq!((found.role, found.scopes, found.disabled, found.must_change), (Role::Admin, Some(reads), true, true));
    bed.store().change_account(&ann.user, AccountChange::MustChange(false)).await.unwrap();
    assert!(!bed.store().known(&ann.user).await.unwrap().account.unwrap().must_change);
    assert_eq!(bed.store().change_account_so(&name("nobody"), &changes).await, Ok(false));
}

async fn an_account_outlives_its_sessions(bed: Bed) {
    let bed = bed.lasting(100, 6_000_000);
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    bed.pass(150).await;
    bed.store().sweep().await.unwrap();
    assert!(bed.store().known(&ann.user).await.unwrap().account.is_some());
}
