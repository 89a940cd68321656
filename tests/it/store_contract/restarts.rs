//! What was answered is still there after the process that holds the data died.

use swagger_api_agent::domain::slot::SessionSlot;
use swagger_api_agent::store::contract::{Begun, Entry, Stepped, Tail};

use super::{
    bed::{Ask, Bed, LONG_MS, SHORT_MS, done, leaving, turn},
    on_both_stores_sealed_too,
};

on_both_stores_sealed_too!(
    a_conversation_survives_a_restart,
    a_run_goes_on_after_a_restart,
    a_dead_runs_journal_survives_a_restart,
    an_answer_can_be_asked_for_again_after_a_restart,
    accounts_and_revocations_survive_a_restart,
);

async fn a_conversation_survives_a_restart(mut bed: Bed) {
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let before = bed.visit(&ann, Tail::Newest(5)).await;
    bed.restart();
    let after = bed.visit(&ann, Tail::Newest(5)).await;
    assert_eq!((after.session.id, after.tail, after.first), (before.session.id, before.tail, before.first));
    assert_eq!(bed.takes_turn(&ann, "two").await, done(2, 2));
    assert_eq!(bed.store().stats().await.unwrap().active, 1);
}

async fn a_run_goes_on_after_a_restart(mut bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    bed.restart();
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Held));
    assert!(matches!(bed.begin(&Ask::new(&ann, "r2")).await, Begun::Busy { .. }));
    assert_eq!(bed.commit(&lease, &[turn("one")]).await, done(1, 1));
}

async fn a_dead_runs_journal_survives_a_restart(mut bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1").lease_ms(SHORT_MS);
    let lease = ask.lease(&bed.started(&ask).await);
    let intent = Entry { field: "c1i".into(), value: b"POST /pay".to_vec() };
    bed.store().step(&lease, SHORT_MS, &[intent]).await.unwrap();
    bed.restart();
    bed.pass(SHORT_MS * 2).await;
    assert_eq!(bed.store().due().await.unwrap(), [SessionSlot::main(&ann.user)]);
    let taken = bed.taken(&ann, "B#1", LONG_MS).await;
    assert_eq!(taken.started.token.as_str(), "2:B#1");
    assert!(taken.journal.iter().any(|e| e.run == "r1" && e.field == "c1i" && e.value == b"POST /pay"));
}

async fn an_answer_can_be_asked_for_again_after_a_restart(mut bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1").key("K", "F");
    let lease = ask.lease(&bed.started(&ask).await);
    let reply = ask.idempotency().map(|key| (key, &b"RESP"[..]));
    bed.store().commit(&lease, leaving(&[turn("one")], reply)).await.unwrap();
    bed.restart();
    assert_eq!(bed.begin(&Ask::new(&ann, "r2").key("K", "F")).await, Begun::Replay(b"RESP".to_vec()));
}

async fn accounts_and_revocations_survive_a_restart(mut bed: Bed) {
    use swagger_api_agent::store::contract::{AccountChange, Entered, Refused};
    let ann = bed.user("ann").await;
    bed.pass(2).await;
    bed.store().change_account(&ann.user, AccountChange::Password("new")).await.unwrap();
    bed.restart();
    assert_eq!(bed.store().enter(ann.caller(), Tail::Nothing).await, Ok(Entered::Refused(Refused::Revoked)));
    assert_eq!(bed.store().known(&ann.user).await.unwrap().account.unwrap().password_hash, "new");
}
