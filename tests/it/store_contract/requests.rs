//! A request with an idempotency key is done once however often it is sent.

use swagger_api_agent::store::contract::{Begun, Committed, Entry, Stepped};

use super::{
    bed::{Ask, Bed, LONG_MS, SHORT_MS, at_once, lease_of, leaving, turn},
    on_both_stores_sealed_too,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

on_both_stores_sealed_too!(
    an_answered_request_is_answered_again_and_not_done_again,
    a_key_for_another_request_is_refused,
    a_request_that_is_being_worked_on_is_not_begun_again,
    a_request_whose_holder_died_goes_on_under_its_run,
    a_request_whose_journal_is_gone_is_lost,
    a_run_that_keeps_no_answer_frees_its_key,
    an_answer_outlives_the_conversation,
    keys_of_two_users_are_two_keys,
    of_one_request_sent_many_times_at_once_one_run_comes,
    a_begin_with_a_key_is_repeated_by_the_same_owner,
    answers_are_bytes,
);

async fn an_answered_request_is_answered_again_and_not_done_again(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1").key("K", "F");
    answers(&bed, &ask, b"RESP").await;
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("K", "F")).await, Begun::Replay(b"RESP".to_vec()));
    assert_eq!(bed.said(&ann).await, ["one"]);
    assert!(matches!(bed.begin(&Ask::new(&ann, "r3")).await, Begun::Started(_)), "a replay holds nothing");
}

/// Runs a request to its end.
async fn answers(bed: &Bed, ask: &Ask<'_>, answer: &[u8]) {
    let lease = ask.lease(&bed.started(ask).await);
    let reply = ask.idempotency().map(|key| (key, answer));
    let done = bed.store().commit(&lease, leaving(&[turn("one")], reply)).await;
    assert!(matches!(done, Ok(Committed::Done { .. })), "{done:?}");
}

async fn a_key_for_another_request_is_refused(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1").key("K", "F1");
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("K", "F2")).await, Begun::KeyReused, "while it runs");
    let reply = ask.idempotency().map(|key| (key, &b"RESP"[..]));
    bed.store().commit(&lease, leaving(&[], reply)).await.unwrap();
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("K", "F2")).await, Begun::KeyReused, "and after");
}

async fn a_request_that_is_being_worked_on_is_not_begun_again(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.started(&Ask::new(&ann, "r1").key("K", "F")).await;
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("K", "F")).await, Begun::InFlight { run: "r1".to_owned() });
    assert!(matches!(bed.begin(&Ask::new(&ann, "r3").key("L", "F")).await, Begun::Busy { .. }), "another key waits");
}

async fn a_request_whose_holder_died_goes_on_under_its_run(bed: Bed) {
    let ann = bed.user("ann").await;
    let dead = Ask::new(&ann, "r1").key("K", "F").lease_ms(SHORT_MS);
    let lost = dead.lease(&bed.started(&dead).await);
    let intent = Entry { field: "c1i".to_owned(), value: b"POST /pay".to_vec() };
    bed.store().step(&lost, SHORT_MS, &[intent]).await.unwrap();
    bed.pass(SHORT_MS * 2).await;
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("K", "F")).await, Begun::Orphaned { run: "r1".to_owned() });
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("L", "F")).await, Begun::Orphaned { run: "r1".to_owned() }, "another comes after it");
    let taken = bed.taken(&ann, "B#1", LONG_MS).await;
    assert_eq!(taken.started.run, "r1");
    assert!(taken.journal.iter().any(|e| e.run == "r1" && e.field == "c1i" && e.value == b"POST /pay"), "{:?}", taken.journal);
    assert_eq!(bed.commit(&lost, &[turn("zombie")]).await, Committed::Stale, "the same run under the old token");
    let lease = lease_of(&ann, &taken);
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Held));
    let reply = dead.idempotency().map(|key| (key, &b"RESP"[..]));
    bed.store().commit(&lease, leaving(&[turn("good")], reply)).await.unwrap();
    assert_eq!(bed.said(&ann).await, ["good"]);
    assert_eq!(bed.begin(&Ask::new(&ann, "r3").key("K", "F")).await, Begun::Replay(b"RESP".to_vec()));
}

async fn a_request_whose_journal_is_gone_is_lost(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.started(&Ask::new(&ann, "r1").key("K", "F")).await;
    bed.store().reset(ann.caller(), None).await.unwrap();
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("K", "F")).await, Begun::Lost { run: "r1".to_owned() });
    assert!(matches!(bed.begin(&Ask::new(&ann, "r3").key("L", "F")).await, Begun::Started(_)));

    // The same when the session ends by itself.
    let bed = bed.lasting(SHORT_MS * 2, 6_000_000);
    let bob = bed.user("bob").await;
    bed.started(&Ask::new(&bob, "b1").key("K", "F").lease_ms(SHORT_MS)).await;
    bed.pass(SHORT_MS * 3).await;
    assert_eq!(bed.begin(&Ask::new(&bob, "b2").key("K", "F")).await, Begun::Lost { run: "b1".to_owned() });
}

async fn a_run_that_keeps_no_answer_frees_its_key(bed: Bed) {
    let ann = bed.user("ann").await;
    answers(&bed, &Ask::new(&ann, "r1").key("K", "F"), b"").await;
    assert!(matches!(bed.begin(&Ask::new(&ann, "r2").key("K", "F2")).await, Begun::Started(_)));
}

async fn an_answer_outlives_the_conversation(bed: Bed) {
    let ann = bed.user("ann").await;
    answers(&bed, &Ask::new(&ann, "r1").key("K", "F"), b"RESP").await;
    bed.store().reset(ann.caller(), None).await.unwrap();
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("K", "F")).await, Begun::Replay(b"RESP".to_vec()));
    if let super::bed::Ground::Embedded { clock, .. } = &bed.ground {
        clock.advance_ms(DAY_MS - 1);
        assert!(matches!(bed.begin(&Ask::new(&ann, "r3").key("K", "F")).await, Begun::Replay(_)));
        clock.advance_ms(1);
        assert!(matches!(bed.begin(&Ask::new(&ann, "r3").key("K", "F")).await, Begun::Started(_)), "a day later it is a new request");
    }
}

async fn keys_of_two_users_are_two_keys(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    answers(&bed, &Ask::new(&ann, "r1").key("K", "F"), b"for ann").await;
    assert!(matches!(bed.begin(&Ask::new(&bob, "r2").key("K", "F")).await, Begun::Started(_)));
}

async fn of_one_request_sent_many_times_at_once_one_run_comes(bed: Bed) {
    let ann = bed.user("ann").await;
    let store = bed.store().clone();
    let sent = at_once(20, move |i| {
        let (store, ann) = (store.clone(), ann.clone());
        async move { Ask::new(&ann, &format!("r{i}")).key("K", "F").of(&store).await }
    })
    .await;
    let started = sent.iter().filter(|a| matches!(a, Begun::Started(_))).count();
    let in_flight = sent.iter().filter(|a| matches!(a, Begun::InFlight { .. })).count();
    assert_eq!((started, in_flight), (1, 19));
}

async fn a_begin_with_a_key_is_repeated_by_the_same_owner(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1").owner("A#same").key("K", "F");
    bed.started(&ask).await;
    assert_eq!(bed.started(&ask).await.run, "r1");
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("K", "F")).await, Begun::InFlight { run: "r1".to_owned() });
}

async fn answers_are_bytes(bed: Bed) {
    let ann = bed.user("ann").await;
    let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    answers(&bed, &Ask::new(&ann, "r1").key("K", "F"), &all).await;
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("K", "F")).await, Begun::Replay(all));
}
