//! A record that cannot be read stops its own session and nothing else, and there is a way out.

use swagger_api_agent::domain::slot::SessionSlot;
use swagger_api_agent::{
    domain::turn::OnBusy,
    store::contract::{Begun, Cleared, Committed, Reset, Stepped, StoreError, Tail},
};

use super::{
    bed::{Ask, Bed, LONG_MS, SHORT_MS, Spoil, Token, turn},
    on_both_stores_sealed_too,
};

on_both_stores_sealed_too!(
    a_session_record_of_garbage_stops_its_session_only,
    a_session_record_of_another_kind_stops_its_session_only,
    a_turn_that_cannot_be_read_stops_its_session_only,
    a_history_that_is_gone_is_not_taken_for_an_empty_one,
    a_history_of_another_kind_stops_its_session_only,
    a_journal_of_another_kind_lets_nobody_go_on,
    an_unreadable_turn_is_met_only_by_those_who_read_it,
    an_unreadable_session_that_ended_is_forgotten,
    a_begin_that_could_not_read_holds_nothing,
    an_unreadable_session_is_due_once,
    those_who_waited_for_a_session_that_is_gone_are_nobodys,
    an_unreadable_session_is_still_listed,
    an_unreadable_account_stops_its_user_only,
);

async fn two(bed: &Bed) -> (Token, Token) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    bed.takes_turn(&ann, "of ann").await;
    bed.takes_turn(&bob, "of bob").await;
    (ann, bob)
}

/// Ann's session answers `Unreadable`, Bob's goes on; a reset gives Ann a new one.
async fn stops_only_one(bed: &Bed, ann: &Token, bob: &Token) {
    let store = bed.store();
    for _ in 0..2 {
        assert_eq!(store.enter(ann.caller(), Tail::Newest(5)).await, Err(StoreError::Unreadable));
        assert_eq!(Ask::new(ann, "r1").try_of(store).await, Err(StoreError::Unreadable));
    }
    assert!(matches!(bed.takes_turn(bob, "more of bob").await, Committed::Done { turns: 2, .. }));
    assert_eq!(bed.said(bob).await, ["of bob", "more of bob"]);
    assert!(matches!(store.reset(ann.caller(), None).await, Ok(Reset::Done(_))));
    assert!(matches!(bed.takes_turn(ann, "anew").await, Committed::Done { turns: 1, .. }));
    assert_eq!(bed.said(ann).await, ["anew"]);
}

async fn a_session_record_of_garbage_stops_its_session_only(mut bed: Bed) {
    let (ann, bob) = two(&bed).await;
    bed.spoil("ann", Spoil::SessionGarbage);
    assert_eq!(bed.store().clear(ann.caller(), None).await, Err(StoreError::Unreadable));
    stops_only_one(&bed, &ann, &bob).await;
}

async fn a_session_record_of_another_kind_stops_its_session_only(mut bed: Bed) {
    let (ann, bob) = two(&bed).await;
    bed.spoil("ann", Spoil::SessionOfAnotherKind);
    assert_eq!(bed.store().clear(ann.caller(), None).await, Err(StoreError::Unreadable));
    stops_only_one(&bed, &ann, &bob).await;
}

async fn a_turn_that_cannot_be_read_stops_its_session_only(mut bed: Bed) {
    let (ann, bob) = two(&bed).await;
    bed.spoil("ann", Spoil::NewestTurn);
    stops_only_one(&bed, &ann, &bob).await;
    bed.spoil("ann", Spoil::NewestTurn);
    assert!(matches!(bed.store().clear(ann.caller(), None).await, Ok(Cleared::Done(_))), "clearing is a way out too");
    assert_eq!(bed.said(&ann).await, Vec::<String>::new());
}

async fn a_history_that_is_gone_is_not_taken_for_an_empty_one(mut bed: Bed) {
    let (ann, bob) = two(&bed).await;
    bed.spoil("ann", Spoil::HistoryGone);
    stops_only_one(&bed, &ann, &bob).await;
}

async fn a_history_of_another_kind_stops_its_session_only(mut bed: Bed) {
    let (ann, bob) = two(&bed).await;
    bed.spoil("ann", Spoil::HistoryOfAnotherKind);
    stops_only_one(&bed, &ann, &bob).await;
}

async fn a_journal_of_another_kind_lets_nobody_go_on(mut bed: Bed) {
    let (ann, bob) = two(&bed).await;
    let ask = Ask::new(&ann, "r0").lease_ms(SHORT_MS);
    bed.started(&ask).await;
    bed.pass(SHORT_MS * 2).await;
    bed.spoil("ann", Spoil::JournalOfAnotherKind);
    assert_eq!(bed.store().take(&SessionSlot::main(&ann.user), "B#1", LONG_MS, 5).await, Err(StoreError::Unreadable));
    assert_eq!(bed.begin(&Ask::new(&ann, "r1")).await, Begun::Orphaned { run: "r0".to_owned() });
    assert_eq!(bed.said(&ann).await, ["of ann"], "reading needs no journal");
    bed.takes_turn(&bob, "more").await;
    bed.store().reset(ann.caller(), None).await.unwrap();
    bed.takes_turn(&ann, "anew").await;
    assert_eq!(bed.said(&ann).await, ["anew"]);
}

async fn an_unreadable_turn_is_met_only_by_those_who_read_it(mut bed: Bed) {
    let (ann, _) = two(&bed).await;
    bed.takes_turn(&ann, "second").await;
    bed.spoil("ann", Spoil::NewestTurn);
    assert_eq!(bed.visit(&ann, Tail::Nothing).await.session.turns, 2);
    assert_eq!(bed.visit(&ann, Tail::Before { turn: 1, n: 5 }).await.tail, [turn("of ann")]);
    let ask = Ask::new(&ann, "r1").tail(0);
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Held));
    assert!(matches!(bed.commit(&lease, &[turn("third")]).await, Committed::Done { turns: 3, .. }));
}

async fn an_unreadable_session_that_ended_is_forgotten(bed: Bed) {
    let mut bed = bed.lasting(200, 6_000_000);
    let (ann, _) = two(&bed).await;
    bed.spoil("ann", Spoil::SessionGarbage);
    bed.pass(250).await;
    assert_eq!(bed.said(&ann).await, Vec::<String>::new());
    assert!(matches!(bed.takes_turn(&ann, "anew").await, Committed::Done { turns: 1, .. }));
}

async fn a_begin_that_could_not_read_holds_nothing(mut bed: Bed) {
    let (ann, _) = two(&bed).await;
    bed.spoil("ann", Spoil::NewestTurn);
    assert_eq!(Ask::new(&ann, "r1").try_of(bed.store()).await, Err(StoreError::Unreadable));
    assert_eq!(bed.visit(&ann, Tail::Nothing).await.session.running, None);
    assert!(matches!(bed.store().clear(ann.caller(), None).await, Ok(Cleared::Done(_))), "nobody has to wait for a run that never was");
    assert!(matches!(bed.begin(&Ask::new(&ann, "r2")).await, Begun::Started(_)));
}

async fn an_unreadable_session_is_due_once(mut bed: Bed) {
    let (ann, _) = two(&bed).await;
    bed.started(&Ask::new(&ann, "r1").lease_ms(SHORT_MS)).await;
    bed.spoil("ann", Spoil::SessionGarbage);
    bed.pass(SHORT_MS + 50).await;
    assert_eq!(bed.store().due().await.unwrap(), [SessionSlot::main(&ann.user)]);
    let taken = bed.store().take(&SessionSlot::main(&ann.user), "B#1", LONG_MS, 1).await;
    assert!(matches!(taken, Err(StoreError::Unreadable)), "{taken:?}");
    assert_eq!(bed.store().due().await.unwrap(), [], "nobody can, however often it is tried");
}

async fn those_who_waited_for_a_session_that_is_gone_are_nobodys(mut bed: Bed) {
    let (ann, _) = two(&bed).await;
    bed.started(&Ask::new(&ann, "r1")).await;
    let waits = Ask::new(&ann, "r2").key("K", "F").on_busy(OnBusy::Enqueue);
    assert!(matches!(bed.begin(&waits).await, Begun::Queued { .. }));
    bed.spoil("ann", Spoil::SessionGone);
    let again = Ask::new(&ann, "r3").key("K", "F").on_busy(OnBusy::Enqueue);
    assert_eq!(bed.begin(&again).await, Begun::Lost { run: "r2".to_owned() }, "it went with its session");
    let next = Ask::new(&ann, "r4").on_busy(OnBusy::Enqueue);
    let lease = next.lease(&bed.started(&next).await);
    assert_eq!(bed.commit(&lease, &[turn("anew")]).await, Committed::Done { turns: 1, version: 1, waiting: 0 });
    assert_eq!(bed.store().due().await.unwrap(), []);
}

async fn an_unreadable_session_is_still_listed(mut bed: Bed) {
    let (_, _) = two(&bed).await;
    let admin = bed.admin("root").await;
    bed.spoil("ann", Spoil::SessionGarbage);
    let Ok(swagger_api_agent::store::contract::AdminAnswer::Granted(page)) = bed.store().sessions(admin.caller(), None, 10).await else {
        panic!("not granted")
    };
    assert_eq!((page.sessions.len(), page.stats.active), (2, 2));
}

async fn an_unreadable_account_stops_its_user_only(mut bed: Bed) {
    let (ann, bob) = two(&bed).await;
    bed.spoil("ann", Spoil::Account);
    assert_eq!(bed.store().known(&ann.user).await, Err(StoreError::Unreadable));
    assert_eq!(bed.store().enter(ann.caller(), Tail::Nothing).await, Err(StoreError::Unreadable));
    let listed: Vec<_> = bed.store().accounts().await.unwrap().into_iter().map(|a| a.name).collect();
    assert_eq!(listed, std::slice::from_ref(&bob.user));
    assert_eq!(bed.said(&bob).await, ["of bob"]);
}
