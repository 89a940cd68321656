//! One run at a time holds a session, and whoever lost it writes nothing.

use swagger_api_agent::{
    domain::turn::Stop,
    store::contract::{Begun, Committed, Entered, Lease, Refused, Stepped, Tail},
};

use super::{
    bed::{Ask, Bed, LONG_MS, SHORT_MS, Spoil, at_once, done, lease_of, leaving, said, turn},
    on_both_stores,
};

on_both_stores!(
    a_turn_enters_the_history_and_the_next_run_reads_it,
    a_second_run_is_told_who_holds_the_session,
    the_visit_tells_which_run_holds_the_session,
    of_many_runs_at_once_one_holds_the_session,
    a_run_that_lost_its_lease_can_neither_step_nor_commit,
    a_lease_that_lapsed_but_was_not_taken_is_still_good,
    a_step_renews_the_lease,
    a_commit_whose_answer_was_lost_is_repeated_and_counted_once,
    a_commit_repeated_too_late_is_stale_and_writes_nothing,
    a_begin_whose_answer_was_lost_is_repeated_by_the_same_owner,
    a_commit_without_turns_gives_the_lease_back_and_leaves_no_trace,
    several_turns_enter_in_one_commit,
    fences_grow_and_survive_a_reset,
    owners_differ_even_when_the_fence_was_rolled_back,
    a_run_is_told_that_somebody_wants_it_to_stop,
    nobody_elses_lease_opens_a_session,
    a_run_brings_as_much_of_the_conversation_as_it_asked_for,
    two_users_run_at_the_same_time,
);

async fn a_turn_enters_the_history_and_the_next_run_reads_it(bed: Bed) {
    let ann = bed.user("ann").await;
    let first = Ask::new(&ann, "r1");
    let started = bed.started(&first).await;
    assert_eq!(started.token.as_str(), "1:A#r1");
    assert_eq!((started.run.as_str(), started.visit.first, started.visit.tail.len()), ("r1", 0, 0));
    assert_eq!(started.visit.session.running.as_deref(), Some("r1"));
    assert_eq!(bed.commit(&first.lease(&started), &[turn("one")]).await, done(1, 1));

    let second = bed.started(&Ask::new(&ann, "r2")).await;
    assert_eq!(second.token.as_str(), "2:A#r2");
    assert_eq!(second.visit.tail, [turn("one")]);
    assert_eq!(second.visit.session.turns, 1);
    assert!(second.now_ms >= started.now_ms);
}

async fn a_second_run_is_told_who_holds_the_session(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.started(&Ask::new(&ann, "r1")).await;
    match bed.begin(&Ask::new(&ann, "r2").owner("B#1")).await {
        Begun::Busy { run, left_ms } => {
            assert_eq!(run, "r1");
            assert!((1..=LONG_MS).contains(&left_ms), "{left_ms}");
        }
        other => panic!("{other:?}"),
    }
    match Ask::new(&ann, "r3").of(&bed.another()).await {
        Begun::Busy { run, .. } => assert_eq!(run, "r1", "another replica is told the same"),
        other => panic!("{other:?}"),
    }
}

async fn the_visit_tells_which_run_holds_the_session(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1").lease_ms(SHORT_MS);
    bed.started(&ask).await;
    assert_eq!(bed.visit(&ann, Tail::Nothing).await.session.running.as_deref(), Some("r1"));
    bed.pass(SHORT_MS * 2).await;
    assert_eq!(bed.visit(&ann, Tail::Nothing).await.session.running, None);
}

async fn of_many_runs_at_once_one_holds_the_session(bed: Bed) {
    let ann = bed.user("ann").await;
    let store = bed.store().clone();
    let answers = at_once(40, move |i| {
        let (store, ann) = (store.clone(), ann.clone());
        async move { Ask::new(&ann, &format!("r{i}")).of(&store).await }
    })
    .await;
    let held = answers.iter().filter(|a| matches!(a, Begun::Started(_))).count();
    let busy = answers.iter().filter(|a| matches!(a, Begun::Busy { .. })).count();
    assert_eq!((held, busy), (1, 39));
}

async fn a_run_that_lost_its_lease_can_neither_step_nor_commit(bed: Bed) {
    let ann = bed.user("ann").await;
    let zombie = Ask::new(&ann, "r1").lease_ms(SHORT_MS);
    let lost = zombie.lease(&bed.started(&zombie).await);
    bed.pass(SHORT_MS * 2).await;
    let held = lease_of(&ann, &bed.taken(&ann, "B#1", LONG_MS).await);
    assert_eq!(bed.store().step(&lost, LONG_MS, &[]).await, Ok(Stepped::Stale));
    assert_eq!(bed.commit(&lost, &[turn("zombie")]).await, Committed::Stale);
    assert_eq!(bed.store().hand_over(&lost, 0).await, Ok(false));
    assert_eq!(bed.commit(&held, &[turn("good")]).await, done(1, 1));
    assert_eq!(bed.commit(&lost, &[turn("zombie")]).await, Committed::Stale);
    assert_eq!(bed.said(&ann).await, ["good"]);
}

async fn a_lease_that_lapsed_but_was_not_taken_is_still_good(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1").lease_ms(SHORT_MS);
    let lease = ask.lease(&bed.started(&ask).await);
    bed.pass(SHORT_MS * 2).await;
    assert_eq!(bed.store().step(&lease, SHORT_MS, &[]).await, Ok(Stepped::Held));
    bed.pass(SHORT_MS * 2).await;
    assert_eq!(bed.commit(&lease, &[turn("late")]).await, done(1, 1));
}

async fn a_step_renews_the_lease(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1").lease_ms(SHORT_MS);
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Held));
    bed.pass(SHORT_MS * 2).await;
    assert!(matches!(bed.begin(&Ask::new(&ann, "r2")).await, Begun::Busy { .. }));
}

async fn a_commit_whose_answer_was_lost_is_repeated_and_counted_once(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(bed.commit(&lease, &[turn("one")]).await, done(1, 1));
    assert_eq!(bed.commit(&lease, &[turn("one")]).await, done(1, 1));
    bed.started(&Ask::new(&ann, "r2")).await;
    assert_eq!(bed.commit(&lease, &[turn("one")]).await, done(1, 1), "also while another run holds the session");
    assert_eq!(bed.said(&ann).await, ["one"]);
}

async fn a_commit_repeated_too_late_is_stale_and_writes_nothing(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    bed.commit(&lease, &[turn("one")]).await;
    bed.takes_turn(&ann, "two").await;
    assert_eq!(bed.commit(&lease, &[turn("one")]).await, Committed::Stale);
    assert_eq!(bed.said(&ann).await, ["one", "two"]);
}

async fn a_begin_whose_answer_was_lost_is_repeated_by_the_same_owner(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1").owner("A#same");
    let lost = ask.lease(&bed.started(&ask).await);
    let again = bed.started(&ask).await;
    assert_eq!((again.run.as_str(), again.token.as_str()), ("r1", "2:A#same"));
    assert!(matches!(bed.begin(&Ask::new(&ann, "r2").owner("B#1")).await, Begun::Busy { .. }));
    assert_eq!(bed.store().step(&lost, LONG_MS, &[]).await, Ok(Stepped::Stale), "the first token is void");
    assert_eq!(bed.commit(&ask.lease(&again), &[turn("one")]).await, done(1, 1));
}

async fn a_commit_without_turns_gives_the_lease_back_and_leaves_no_trace(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(bed.commit(&lease, &[]).await, done(1, 1));
    let next = Ask::new(&ann, "r2").lease_ms(SHORT_MS);
    assert_eq!(said(&bed.started(&next).await.visit.tail), ["one"]);
    bed.pass(SHORT_MS * 2).await;
    let journal = bed.taken(&ann, "B#1", LONG_MS).await.journal;
    assert!(journal.iter().all(|entry| entry.run == "r2"), "{journal:?}");
}

async fn several_turns_enter_in_one_commit(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    let turns = [turn("one"), turn("two"), turn("three")];
    assert_eq!(bed.commit(&lease, &turns).await, done(3, 1));
    assert_eq!(bed.visit(&ann, Tail::Newest(10)).await.tail, turns);
}

async fn fences_grow_and_survive_a_reset(bed: Bed) {
    let ann = bed.user("ann").await;
    let late = Ask::new(&ann, "r1");
    let started = bed.started(&late).await;
    bed.store().reset(ann.caller(), None).await.unwrap();
    let next = bed.started(&Ask::new(&ann, "r2")).await;
    assert_eq!((started.token.as_str(), next.token.as_str()), ("1:A#r1", "3:A#r2"));
    assert_eq!(bed.commit(&late.lease(&started), &[turn("late")]).await, Committed::Stale);
    assert_eq!(bed.visit(&ann, Tail::Newest(10)).await.tail, []);
}

async fn owners_differ_even_when_the_fence_was_rolled_back(mut bed: Bed) {
    let ann = bed.user("ann").await;
    let first = Ask::new(&ann, "r1").owner("A#1").key("K", "F").lease_ms(SHORT_MS);
    let zombie = bed.started(&first).await;
    bed.pass(SHORT_MS * 2).await;
    bed.spoil("ann", Spoil::FenceRolledBack);
    let taker = bed.taken(&ann, "B#2", LONG_MS).await;
    assert_eq!((zombie.run.as_str(), taker.started.run.as_str()), ("r1", "r1"), "the same run goes on");
    assert_eq!((zombie.token.as_str(), taker.started.token.as_str()), ("1:A#1", "1:B#2"), "the fence is the same, the owner is not");
    assert_eq!(bed.commit(&first.lease(&zombie), &[turn("zombie")]).await, Committed::Stale);
    assert_eq!(bed.commit(&lease_of(&ann, &taker), &[turn("good")]).await, done(1, 1));
    assert_eq!(bed.said(&ann).await, ["good"]);
}

async fn a_run_is_told_that_somebody_wants_it_to_stop(mut bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    bed.spoil("ann", Spoil::CancelWanted);
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::StopWanted(Stop::Cancelled)));
    bed.commit(&lease, &[]).await;
    let next = Ask::new(&ann, "r2");
    let lease = next.lease(&bed.started(&next).await);
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Held), "the next run is not meant");
}

async fn nobody_elses_lease_opens_a_session(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    let ask = Ask::new(&ann, "r1").owner("A#1");
    let started = bed.started(&ask).await;
    bed.started(&Ask::new(&bob, "r1").owner("A#2")).await;
    let lease = ask.lease(&started);
    let stolen = Lease { user: bob.user.clone(), ..lease.clone() };
    let renamed = Lease { run: "r2".to_owned(), ..lease.clone() };
    let mine = [turn("mine now")];
    let commit = leaving(&mine, None);
    for wrong in [&stolen, &renamed] {
        assert_eq!(bed.store().step(wrong, LONG_MS, &[]).await, Ok(Stepped::Stale));
        assert_eq!(bed.store().commit(wrong, commit).await, Ok(Committed::Stale));
    }
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Held));
}

async fn a_run_brings_as_much_of_the_conversation_as_it_asked_for(bed: Bed) {
    let ann = bed.user("ann").await;
    for said in ["one", "two", "three"] {
        bed.takes_turn(&ann, said).await;
    }
    for (tail, first, expected) in [(0, 3, &[][..]), (1, 2, &["three"]), (3, 0, &["one", "two", "three"]), (9, 0, &["one", "two", "three"])]
    {
        let ask = Ask::new(&ann, "r").tail(tail);
        let started = bed.started(&ask).await;
        assert_eq!((started.visit.first, said(&started.visit.tail)), (first, expected.iter().map(ToString::to_string).collect()));
        bed.commit(&ask.lease(&started), &[]).await;
    }
}

async fn two_users_run_at_the_same_time(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    let (a, b) = (Ask::new(&ann, "r1"), Ask::new(&bob, "r2"));
    let (for_ann, for_bob) = (a.lease(&bed.started(&a).await), b.lease(&bed.started(&b).await));
    bed.commit(&for_ann, &[turn("of ann")]).await;
    bed.commit(&for_bob, &[turn("of bob")]).await;
    assert_eq!(bed.said(&ann).await, ["of ann"]);
    assert_eq!(bed.said(&bob).await, ["of bob"]);
    let nobody = super::bed::Token { user: super::bed::name("nobody"), ..ann.clone() };
    assert_eq!(bed.begin(&Ask::new(&nobody, "r")).await, Begun::Refused(Refused::Revoked));
    assert_eq!(bed.store().enter(nobody.caller(), Tail::Nothing).await, Ok(Entered::Refused(Refused::Revoked)));
}
