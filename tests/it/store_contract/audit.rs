//! The audit log, and what somebody else sees of a session.

use swagger_api_agent::{
    domain::audit::{Action, Audited, Deed, Wanted},
    store::contract::{
        Tail,
        audit::{AuditPage, Peeked},
    },
};

use super::{
    bed::{Bed, name, said},
    on_both_stores,
};

on_both_stores!(
    what_is_written_down_is_read_newest_first,
    pages_of_the_log_join_without_gap_or_repetition,
    only_what_is_wanted_is_read,
    a_session_is_looked_into_without_being_touched,
    nobody_is_looked_into_who_has_no_session,
);

async fn reads(bed: &Bed, wanted: Wanted, limit: usize) -> AuditPage {
    bed.store().audited(&wanted, None, limit).await.expect("a page")
}

fn told(records: &[Audited]) -> Vec<String> {
    let told = |record: &Audited| {
        let details: Vec<_> = record.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} {:?} {:?} {}", record.action, record.by.as_deref(), record.user.as_deref(), details.join(","))
    };
    records.iter().map(told).collect()
}

async fn what_is_written_down_is_read_newest_first(bed: Bed) {
    assert_eq!(reads(&bed, Wanted::default(), 10).await, AuditPage { records: Vec::new(), next: None });
    let (root, ann) = (name("root"), name("张三"));
    let before = bed.store().ping().await.unwrap();
    bed.store().audit(&Deed::new(Action::UserCreated).by(&root).to(&ann).with("role", "user").with("a", "b c")).await.unwrap();
    bed.store().audit(&Deed::new(Action::DocumentsReloaded)).await.unwrap();
    let after = bed.store().ping().await.unwrap();
    let page = reads(&bed, Wanted::default(), 10).await;
    assert_eq!(told(&page.records), ["documents_reloaded None None ", "user_created Some(\"root\") Some(\"张三\") a=b c,role=user"]);
    assert_eq!(page.next, None);
    assert!(page.records.iter().all(|record| (before..=after).contains(&record.place.at_ms)), "dated by the store");
}

async fn pages_of_the_log_join_without_gap_or_repetition(bed: Bed) {
    for n in 0..7 {
        bed.store().audit(&Deed::new(Action::UserChanged).with("n", n.to_string())).await.unwrap();
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = bed.store().audited(&Wanted::default(), before, 3).await.unwrap();
        assert!(page.records.len() <= 3);
        seen.extend(page.records.iter().map(|record| record.details[0].1.clone()));
        if page.next.is_none() {
            break;
        }
        before = page.next;
    }
    assert_eq!(seen, ["6", "5", "4", "3", "2", "1", "0"]);
}

async fn only_what_is_wanted_is_read(bed: Bed) {
    let (root, ann) = (name("root"), name("ann"));
    bed.store().audit(&Deed::new(Action::SessionEnded).by(&root).to(&ann)).await.unwrap();
    bed.store().audit(&Deed::new(Action::SessionRead).by(&root).to(&name("bob"))).await.unwrap();
    bed.pass(5).await;
    let since = bed.store().ping().await.unwrap();
    bed.store().audit(&Deed::new(Action::SessionRead).by(&ann).to(&name("bob"))).await.unwrap();
    let counts = async |user: Option<&str>, action, since_ms| {
        let wanted = Wanted { user: user.map(str::to_owned), action, since_ms };
        let page = reads(&bed, wanted, 10).await;
        assert_eq!(page.next, None);
        page.records.len()
    };
    assert_eq!(counts(None, None, None).await, 3);
    assert_eq!(counts(Some("ann"), None, None).await, 2, "what she did and what was done to her");
    assert_eq!(counts(Some("an"), None, None).await, 0);
    assert_eq!(counts(None, Some(Action::SessionRead), None).await, 2);
    assert_eq!(counts(Some("root"), Some(Action::SessionRead), None).await, 1);
    assert_eq!(counts(None, None, Some(since)).await, 1);
    assert_eq!(counts(None, None, Some(since + 600_000)).await, 0);
    let page = reads(&bed, Wanted { action: Some(Action::SessionRead), ..Wanted::default() }, 1).await;
    assert!(page.next.is_some() && page.records.len() == 1, "there is one more that is wanted");
}

async fn a_session_is_looked_into_without_being_touched(bed: Bed) {
    let ann = bed.user("ann").await;
    for turn in ["one", "two", "three"] {
        bed.takes_turn(&ann, turn).await;
    }
    let own = bed.visit(&ann, Tail::Newest(10)).await;
    let peeks = async |tail| -> Peeked { bed.store().peek(&ann.user, None, tail).await.unwrap().expect("a session") };
    let peeked = peeks(Tail::Newest(2)).await;
    assert_eq!((said(&peeked.tail), peeked.first), (vec!["two".to_owned(), "three".to_owned()], 1));
    assert_eq!((&peeked.session.id, peeked.session.turns, peeked.session.version), (&own.session.id, 3, own.session.version));
    assert_eq!(said(&peeks(Tail::Before { turn: 2, n: 1 }).await.tail), ["two"]);
    assert!(peeks(Tail::Before { turn: 0, n: 5 }).await.tail.is_empty() && peeks(Tail::Nothing).await.tail.is_empty());
    bed.pass(1500).await;
    assert_eq!(peeks(Tail::Newest(9)).await.session.last_active_ms, peeked.session.last_active_ms);
}

async fn nobody_is_looked_into_who_has_no_session(bed: Bed) {
    bed.user("ann").await;
    assert_eq!(bed.store().peek(&name("ann"), None, Tail::Newest(1)).await, Ok(None));
    assert_eq!(bed.store().peek(&name("nobody"), None, Tail::Newest(1)).await, Ok(None));
}
