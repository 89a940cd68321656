//! Runs that wait, runs that are taken, stopped, given back, and what is known of them afterwards.

use swagger_api_agent::{
    domain::{
        session::Turn,
        slot::SessionSlot,
        turn::{Ending, OnBusy, Stop},
    },
    store::contract::{Begun, Cancelled, Cleared, Committed, Looked, Stepped, Tail, Taken},
};

use super::{
    bed::{Ask, Bed, LONG_MS, SHORT_MS, Token, done, lease_of, leaving, turn},
    on_both_stores,
};

on_both_stores!(
    those_that_wait_are_taken_in_their_order,
    one_that_interrupts_comes_first_and_stops_the_holder,
    a_begin_whose_answer_was_lost_does_not_wait_behind_those_who_came_after,
    a_queue_has_an_end,
    a_request_that_waits_is_known_by_its_key,
    of_many_takers_at_once_one_takes,
    only_what_nobody_works_on_is_due,
    a_run_that_was_given_back_is_due_at_once_and_no_crash,
    each_crash_is_counted_and_a_commit_forgets_them,
    a_run_is_looked_at_from_its_beginning_to_its_end,
    the_oldest_ended_runs_are_forgotten,
    a_kill_leaves_nothing_but_the_word_of_it,
    what_the_caller_expects_must_be_there,
    a_disabled_user_has_nothing_done,
    nobody_waits_for_a_conversation_that_is_emptied,
);

fn waits<'a>(token: &'a Token, run: &str) -> Ask<'a> {
    Ask::new(token, run).on_busy(OnBusy::Enqueue)
}

async fn look(bed: &Bed, token: &Token, run: &str) -> Looked {
    bed.store().look(token.caller(), run, true).await.expect("the store answers")
}

async fn those_that_wait_are_taken_in_their_order(bed: Bed) {
    let ann = bed.user("ann").await;
    let holder = Ask::new(&ann, "r1");
    let lease = holder.lease(&bed.started(&holder).await);
    assert_eq!(bed.begin(&waits(&ann, "r2")).await, Begun::Queued { place: 1, held: true });
    assert_eq!(bed.begin(&waits(&ann, "r3")).await, Begun::Queued { place: 2, held: true });
    assert_eq!(bed.begin(&waits(&ann, "r2")).await, Begun::Queued { place: 1, held: true }, "the answer was lost: it waits once");
    assert!(matches!(bed.take(&ann, "B#1", LONG_MS).await, Taken::Held { run, .. } if run == "r1"));
    assert_eq!(bed.commit(&lease, &[turn("r1")]).await, Committed::Done { turns: 1, version: 1, waiting: 2 });
    assert_eq!(bed.begin(&Ask::new(&ann, "r4")).await, Begun::Busy { run: "r2".to_owned(), left_ms: 0 }, "it has come too late");
    assert_eq!(bed.begin(&waits(&ann, "r5")).await, Begun::Queued { place: 3, held: false });
    for (run, waiting) in [("r2", 2), ("r3", 1), ("r5", 0)] {
        assert_eq!(bed.store().due().await.unwrap(), [SessionSlot::main(&ann.user)]);
        let taken = bed.taken(&ann, "B#1", LONG_MS).await;
        assert_eq!((taken.started.run.as_str(), taken.crashes, taken.stop), (run, 0, None));
        let [entry] = taken.journal.as_slice() else { panic!("{:?}", taken.journal) };
        assert_eq!((entry.field.as_str(), entry.value.as_slice()), ("in", run.as_bytes()));
        let done = bed.commit(&lease_of(&ann, &taken), &[turn(run)]).await;
        assert!(matches!(done, Committed::Done { waiting: left, .. } if left == waiting), "{done:?}");
    }
    assert_eq!(bed.take(&ann, "B#1", LONG_MS).await, Taken::Nothing);
    assert_eq!(bed.store().due().await.unwrap(), []);
    assert_eq!(bed.said(&ann).await, ["r1", "r2", "r3", "r5"]);
}

async fn one_that_interrupts_comes_first_and_stops_the_holder(bed: Bed) {
    let ann = bed.user("ann").await;
    let holder = Ask::new(&ann, "r1");
    let lease = holder.lease(&bed.started(&holder).await);
    bed.begin(&waits(&ann, "r2")).await;
    assert_eq!(bed.begin(&Ask::new(&ann, "r3").on_busy(OnBusy::Interrupt)).await, Begun::Queued { place: 1, held: true });
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::StopWanted(Stop::Interrupted)));
    bed.commit(&lease, &[turn("r1")]).await;
    let next = bed.taken(&ann, "B#1", LONG_MS).await;
    assert_eq!((next.started.run.as_str(), next.stop), ("r3", None), "the stop was not meant for it");
    assert_eq!(bed.store().step(&lease_of(&ann, &next), LONG_MS, &[]).await, Ok(Stepped::Held));
}

async fn a_begin_whose_answer_was_lost_does_not_wait_behind_those_who_came_after(bed: Bed) {
    let ann = bed.user("ann").await;
    let holder = Ask::new(&ann, "r1").key("K", "F").on_busy(OnBusy::Interrupt);
    bed.started(&holder).await;
    bed.begin(&Ask::new(&ann, "r2").on_busy(OnBusy::Interrupt)).await;
    let lease = holder.lease(&bed.started(&holder).await);
    assert_eq!(bed.commit(&lease, &[turn("r1")]).await, Committed::Done { turns: 1, version: 1, waiting: 1 }, "it waits nowhere");
    let next = bed.taken(&ann, "B#1", LONG_MS).await;
    assert_eq!(next.started.run, "r2");
    bed.commit(&lease_of(&ann, &next), &[turn("r2")]).await;
    assert_eq!(bed.take(&ann, "B#2", LONG_MS).await, Taken::Nothing);
    assert_eq!(bed.said(&ann).await, ["r1", "r2"]);
}

async fn a_queue_has_an_end(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.started(&Ask::new(&ann, "r0")).await;
    for place in 1..=8 {
        assert_eq!(bed.begin(&waits(&ann, &format!("r{place}"))).await, Begun::Queued { place, held: true });
    }
    for on_busy in [OnBusy::Enqueue, OnBusy::Interrupt] {
        assert_eq!(bed.begin(&Ask::new(&ann, "r9").on_busy(on_busy)).await, Begun::Full { run: "r0".to_owned() });
    }
}

async fn a_request_that_waits_is_known_by_its_key(bed: Bed) {
    let ann = bed.user("ann").await;
    let holder = Ask::new(&ann, "r1");
    let lease = holder.lease(&bed.started(&holder).await);
    let waiting = waits(&ann, "r2").key("K", "F");
    bed.begin(&waiting).await;
    assert_eq!(bed.begin(&waits(&ann, "r3").key("K", "F")).await, Begun::InFlight { run: "r2".to_owned() });
    assert_eq!(bed.begin(&waits(&ann, "r3").key("K", "G")).await, Begun::KeyReused);
    bed.commit(&lease, &[turn("r1")]).await;
    let taken = bed.taken(&ann, "B#1", LONG_MS).await;
    assert_eq!(bed.begin(&waits(&ann, "r3").key("K", "F")).await, Begun::InFlight { run: "r2".to_owned() });
    let reply = waiting.idempotency().map(|key| (key, &b"RESP"[..]));
    bed.store().commit(&lease_of(&ann, &taken), leaving(&[turn("r2")], reply)).await.unwrap();
    assert_eq!(bed.begin(&waits(&ann, "r3").key("K", "F")).await, Begun::Replay(b"RESP".to_vec()));
}

async fn of_many_takers_at_once_one_takes(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.started(&Ask::new(&ann, "r1").lease_ms(SHORT_MS)).await;
    bed.pass(SHORT_MS * 2).await;
    let store = bed.store().clone();
    let taken = super::bed::at_once(20, move |i| {
        let (store, ann) = (store.clone(), ann.clone());
        async move { store.take(&SessionSlot::main(&ann.user), &format!("T#{i}"), LONG_MS, 5).await.expect("the store answers") }
    })
    .await;
    assert_eq!(taken.iter().filter(|taken| matches!(taken, Taken::Run(_))).count(), 1);
    assert_eq!(taken.iter().filter(|taken| matches!(taken, Taken::Held { .. })).count(), 19);
}

async fn only_what_nobody_works_on_is_due(bed: Bed) {
    let (ann, bob, cleo) = (bed.user("ann").await, bed.user("bob").await, bed.user("cleo").await);
    bed.started(&Ask::new(&ann, "r1").lease_ms(SHORT_MS)).await;
    bed.started(&Ask::new(&bob, "r1")).await;
    bed.takes_turn(&cleo, "one").await;
    assert_eq!(bed.store().due().await.unwrap(), []);
    bed.pass(SHORT_MS * 2).await;
    assert_eq!(bed.store().due().await.unwrap(), [SessionSlot::main(&ann.user)]);
    bed.taken(&ann, "B#1", LONG_MS).await;
    assert_eq!(bed.store().due().await.unwrap(), []);
}

async fn a_run_that_was_given_back_is_due_at_once_and_no_crash(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(bed.store().hand_over(&lease, 0).await, Ok(true));
    assert_eq!(bed.store().hand_over(&lease, 0).await, Ok(false));
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Stale));
    assert_eq!(bed.store().due().await.unwrap(), [SessionSlot::main(&ann.user)]);
    let taken = bed.taken(&ann, "B#1", LONG_MS).await;
    assert_eq!((taken.started.run.as_str(), taken.crashes), ("r1", 0));
}

async fn each_crash_is_counted_and_a_commit_forgets_them(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.started(&Ask::new(&ann, "r1").lease_ms(SHORT_MS)).await;
    for crashes in 1..=3 {
        bed.pass(SHORT_MS * 2).await;
        assert_eq!(bed.taken(&ann, &format!("T#{crashes}"), SHORT_MS).await.crashes, crashes);
    }
    bed.pass(SHORT_MS * 2).await;
    let last = bed.taken(&ann, "T#4", LONG_MS).await;
    assert_eq!(bed.commit(&lease_of(&ann, &last), &[turn("told")]).await, done(1, 1));
    bed.started(&Ask::new(&ann, "r2").lease_ms(SHORT_MS)).await;
    bed.pass(SHORT_MS * 2).await;
    assert_eq!(bed.taken(&ann, "T#5", LONG_MS).await.crashes, 1);
}

async fn a_run_is_looked_at_from_its_beginning_to_its_end(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    assert_eq!(look(&bed, &ann, "r1").await, Looked::Unknown);
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    bed.begin(&waits(&ann, "r2")).await;
    assert!(matches!(look(&bed, &ann, "r1").await, Looked::Running { left_ms: 1.., stop: None, journal, .. } if journal.len() == 1));
    assert!(matches!(look(&bed, &ann, "r2").await, Looked::Waiting { place: 1, input, .. } if input == b"r2"));
    assert_eq!(look(&bed, &bob, "r1").await, Looked::Unknown, "nobody else's run is seen");
    let cancel = async |run: &str| bed.store().cancel(ann.caller(), run).await.unwrap();
    assert!(matches!(cancel("r1").await, Cancelled::Stopping { left_ms: 1.. }));
    assert_eq!(cancel("r2").await, Cancelled::Taken);
    assert_eq!(cancel("r3").await, Cancelled::Unknown);
    assert!(matches!(look(&bed, &ann, "r1").await, Looked::Running { stop: Some(Stop::Cancelled), .. }));
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::StopWanted(Stop::Cancelled)));
    let own = Turn { run: "r1".to_owned(), ..turn("r1") };
    bed.commit(&lease, &[turn("earlier"), own.clone()]).await;
    match look(&bed, &ann, "r1").await {
        Looked::Ended { ended, turn: Some(found), revision } => {
            assert_eq!((ended.ending, ended.turn, ended.accepted_ms), (Ending::Answered, Some(1), 1));
            assert_eq!((*found, revision.version), (own, 1));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(look(&bed, &ann, "r2").await, Looked::Ended { ended, turn: None, .. } if ended.ending == Ending::Cancelled));
    assert!(matches!(cancel("r1").await, Cancelled::Ended(ended) if ended.ending == Ending::Answered));
    assert_eq!(bed.take(&ann, "B#1", LONG_MS).await, Taken::Nothing, "what was cancelled does not begin");
}

async fn the_oldest_ended_runs_are_forgotten(bed: Bed) {
    let ann = bed.user("ann").await;
    for n in 0..300 {
        let ask = Ask::new(&ann, &format!("r{n:03}")).tail(0);
        let lease = ask.lease(&bed.started(&ask).await);
        bed.commit(&lease, &[]).await;
    }
    for (run, known) in [("r000", false), ("r020", false), ("r060", true), ("r299", true)] {
        assert_eq!(matches!(look(&bed, &ann, run).await, Looked::Ended { .. }), known, "{run}");
    }
}

async fn a_kill_leaves_nothing_but_the_word_of_it(bed: Bed) {
    let (ann, admin) = (bed.user("ann").await, bed.admin("root").await);
    assert_eq!(bed.store().kill(&ann.user, None).await, Ok(0));
    bed.takes_turn(&ann, "one").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    bed.begin(&waits(&ann, "r2")).await;
    assert_eq!(bed.store().kill(&ann.user, None).await, Ok(1));
    assert_eq!(bed.store().kill(&ann.user, None).await, Ok(0));
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Stale));
    assert_eq!(bed.commit(&lease, &[turn("late")]).await, Committed::Stale);
    assert_eq!(bed.store().due().await.unwrap(), []);
    assert_eq!(bed.store().stats().await.unwrap().total, 0);
    let Ok(swagger_api_agent::store::contract::AdminAnswer::Granted(keys)) = bed.store().keys(admin.caller(), &ann.user).await else {
        panic!("not granted")
    };
    assert!(keys.len() <= 1, "only what is known of ended runs: {keys:?}");
    for run in ["r1", "r2"] {
        assert!(matches!(look(&bed, &ann, run).await, Looked::Ended { ended, .. } if ended.ending == Ending::Killed), "{run}");
    }
    assert_eq!(bed.said(&ann).await, [""; 0]);
}

async fn what_the_caller_expects_must_be_there(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let seen = bed.visit(&ann, Tail::Nothing).await.session.revision();
    let ask = Ask::new(&ann, "r1").expects(&seen);
    let lease = ask.lease(&bed.started(&ask).await);
    bed.commit(&lease, &[turn("two")]).await;
    match bed.begin(&Ask::new(&ann, "r2").expects(&seen)).await {
        Begun::Moved(stored) => assert_eq!((stored.version, stored.fence), (2, 2)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(bed.store().clear(ann.caller(), Some(&seen)).await, Ok(Cleared::Moved(_))));
    let now = bed.visit(&ann, Tail::Nothing).await.session.revision();
    assert!(matches!(bed.store().clear(ann.caller(), Some(&now)).await, Ok(Cleared::Done(_))));
}

async fn a_disabled_user_has_nothing_done(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.started(&Ask::new(&ann, "r1").lease_ms(SHORT_MS)).await;
    bed.begin(&waits(&ann, "r2")).await;
    bed.store().change_account(&ann.user, swagger_api_agent::store::contract::AccountChange::Disabled(true)).await.unwrap();
    bed.pass(SHORT_MS * 2).await;
    for run in ["r1", "r2"] {
        let taken = bed.taken(&ann, "B#1", LONG_MS).await;
        assert_eq!((taken.started.run.as_str(), taken.stop), (run, Some(Stop::Revoked)));
        bed.commit(&lease_of(&ann, &taken), &[turn(run)]).await;
    }
}

async fn nobody_waits_for_a_conversation_that_is_emptied(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    bed.begin(&waits(&ann, "r2")).await;
    bed.commit(&lease, &[turn("one")]).await;
    let cleared = bed.store().clear(ann.caller(), None).await;
    assert!(matches!(cleared, Ok(Cleared::Busy { run, left_ms: 0 }) if run == "r2"));
}
