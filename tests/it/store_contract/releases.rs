//! A begin whose answer was lost is undone: that very begin, and nothing that anybody else has done.

use swagger_api_agent::{
    domain::turn::OnBusy,
    store::contract::{Begun, Committed, Entry, Lease, Stepped, Tail, Taken},
};

use super::{
    bed::{Ask, Bed, LONG_MS, SHORT_MS, Token, done, lease_of, leaving, turn},
    on_both_stores_sealed_too,
};

on_both_stores_sealed_too!(
    a_release_undoes_its_own_begin,
    a_release_frees_the_key_of_its_begin,
    a_released_run_can_write_nothing,
    a_release_of_what_was_not_begun_does_nothing,
    a_release_does_not_touch_the_run_of_another,
    a_release_does_not_touch_the_taker_of_its_own_run,
    a_release_takes_one_that_waits_out_of_the_queue,
    a_release_after_the_end_keeps_the_answer,
);

fn intent() -> Entry {
    Entry { field: "c1i".to_owned(), value: b"POST /pay".to_vec() }
}

async fn steps(bed: &Bed, lease: &Lease, lease_ms: u64) {
    assert_eq!(bed.store().step(lease, lease_ms, &[intent()]).await, Ok(Stepped::Held));
}

async fn running(bed: &Bed, token: &Token) -> Option<String> {
    bed.visit(token, Tail::Nothing).await.session.running
}

async fn a_release_undoes_its_own_begin(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let lost = Ask::new(&ann, "r1");
    bed.started(&lost).await;
    assert_eq!(running(&bed, &ann).await.as_deref(), Some("r1"));
    assert!(bed.released(&lost).await);
    assert_eq!(running(&bed, &ann).await, None);
    assert!(!bed.released(&lost).await, "there is nothing more to undo");
    assert_eq!(bed.take(&ann, "B#1", LONG_MS).await, Taken::Nothing, "what it asked is done by nobody");
    assert_eq!(bed.said(&ann).await, ["one"]);
}

async fn a_release_frees_the_key_of_its_begin(bed: Bed) {
    let ann = bed.user("ann").await;
    let lost = Ask::new(&ann, "r1").key("K", "F");
    bed.started(&lost).await;
    assert!(bed.released(&lost).await);
    assert!(!bed.released(&lost).await);
    let anew = Ask::new(&ann, "r2").key("K", "G");
    let started = bed.started(&anew).await;
    assert_eq!(started.run, "r2", "the key is as if it had never been used");
    assert!(!bed.released(&lost).await, "and now it is another's");
    assert_eq!(bed.begin(&Ask::new(&ann, "r3").key("K", "G")).await, Begun::InFlight { run: "r2".to_owned() });
}

async fn a_released_run_can_write_nothing(bed: Bed) {
    let ann = bed.user("ann").await;
    let lost = Ask::new(&ann, "r1");
    let lease = lost.lease(&bed.started(&lost).await);
    assert!(bed.released(&lost).await);
    assert_eq!(bed.store().step(&lease, LONG_MS, &[intent()]).await, Ok(Stepped::Stale));
    assert_eq!(bed.commit(&lease, &[turn("zombie")]).await, Committed::Stale);
    assert_eq!(bed.take(&ann, "B#1", LONG_MS).await, Taken::Nothing);
    assert_eq!(bed.said(&ann).await, [""; 0]);
}

async fn a_release_of_what_was_not_begun_does_nothing(bed: Bed) {
    let ann = bed.user("ann").await;
    let never = Ask::new(&ann, "r1").key("K", "F");
    assert!(!bed.released(&never).await, "there is not even a session");
    bed.takes_turn(&ann, "one").await;
    assert!(!bed.released(&never).await);
    assert_eq!(bed.said(&ann).await, ["one"]);
    assert_eq!(bed.started(&never).await.run, "r1", "it may still come");
}

async fn a_release_does_not_touch_the_run_of_another(bed: Bed) {
    let ann = bed.user("ann").await;
    let holder = Ask::new(&ann, "r2").key("K", "F");
    let lease = holder.lease(&bed.started(&holder).await);
    steps(&bed, &lease, LONG_MS).await;
    for refused in [Ask::new(&ann, "r1"), Ask::new(&ann, "r1").key("K", "F"), Ask::new(&ann, "r1").key("L", "F")] {
        assert!(!matches!(bed.begin(&refused).await, Begun::Started(_)));
        assert!(!bed.released(&refused).await);
    }
    assert_eq!(running(&bed, &ann).await.as_deref(), Some("r2"));
    let reply = holder.idempotency().map(|key| (key, &b"RESP"[..]));
    let done = bed.store().commit(&lease, leaving(&[turn("two")], reply)).await;
    assert!(matches!(done, Ok(Committed::Done { turns: 1, .. })), "{done:?}");
    assert_eq!(bed.begin(&Ask::new(&ann, "r3").key("K", "F")).await, Begun::Replay(b"RESP".to_vec()));
}

async fn a_release_does_not_touch_the_taker_of_its_own_run(bed: Bed) {
    let ann = bed.user("ann").await;
    let lost = Ask::new(&ann, "r1").owner("A#1").key("K", "F").lease_ms(SHORT_MS);
    bed.started(&lost).await;
    bed.pass(SHORT_MS * 2).await;
    // Somebody goes on with the run, and acts.
    let taken = bed.taken(&ann, "B#1", LONG_MS).await;
    let lease = lease_of(&ann, &taken);
    assert_eq!(taken.started.run, "r1");
    steps(&bed, &lease, LONG_MS).await;

    assert!(!bed.released(&lost).await);
    assert_eq!(running(&bed, &ann).await.as_deref(), Some("r1"));
    assert_eq!(bed.begin(&Ask::new(&ann, "r3").key("K", "F")).await, Begun::InFlight { run: "r1".to_owned() });
    assert_eq!(bed.store().step(&lease, SHORT_MS, &[]).await, Ok(Stepped::Held));
    bed.pass(SHORT_MS * 2).await;
    assert!(!bed.released(&lost).await, "nor when the taker is dead");
    let next = bed.taken(&ann, "C#1", LONG_MS).await;
    assert_eq!(next.started.run, "r1");
    let mut fields: Vec<&str> = next.journal.iter().map(|entry| entry.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["c1i", "in"]);
}

async fn a_release_takes_one_that_waits_out_of_the_queue(bed: Bed) {
    let ann = bed.user("ann").await;
    let holder = Ask::new(&ann, "r1");
    let lease = holder.lease(&bed.started(&holder).await);
    let lost = Ask::new(&ann, "r2").key("K", "F").on_busy(OnBusy::Enqueue);
    assert!(matches!(bed.begin(&lost).await, Begun::Queued { place: 1, held: true }));
    assert!(bed.released(&lost).await);
    assert!(!bed.released(&lost).await);
    assert_eq!(running(&bed, &ann).await.as_deref(), Some("r1"));
    assert_eq!(bed.commit(&lease, &[turn("one")]).await, done(1, 1));
    assert_eq!(bed.take(&ann, "B#1", LONG_MS).await, Taken::Nothing);
    assert!(matches!(bed.begin(&Ask::new(&ann, "r3").key("K", "G")).await, Begun::Started(_)), "its key is free");
}

async fn a_release_after_the_end_keeps_the_answer(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1").key("K", "F");
    let lease = ask.lease(&bed.started(&ask).await);
    let reply = ask.idempotency().map(|key| (key, &b"RESP"[..]));
    let done = bed.store().commit(&lease, leaving(&[turn("one")], reply)).await;
    assert!(matches!(done, Ok(Committed::Done { .. })), "{done:?}");
    assert!(!bed.released(&ask).await);
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("K", "F")).await, Begun::Replay(b"RESP".to_vec()));
    assert_eq!(bed.said(&ann).await, ["one"]);
}
