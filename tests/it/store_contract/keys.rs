//! API keys, as the stores keep them.

use swagger_api_agent::{
    domain::{
        rate::Counted,
        scope::Scopes,
        turn::{OnBusy, Stop},
    },
    store::contract::{
        AccountChange, Begin, Begun, Caller, Entered, Lease, Refused, Stepped, Tail,
        credentials::Admitted,
        keys::{KeptKey, KeyMade, NewKey},
        logins::StoppedRuns,
    },
};

use super::{
    bed::{Ask, Bed, LONG_MS, SHORT_MS, Token, lease_of, name, turn},
    on_both_stores,
};

on_both_stores!(
    a_key_is_kept_until_it_ends,
    a_key_lets_its_user_in_and_nobody_else,
    a_name_is_given_once_and_a_repeated_making_is_one,
    only_so_many_keys_are_kept,
    whoever_is_not_let_in_has_no_keys,
    a_run_that_was_begun_with_a_key_stops_with_it,
    a_run_that_is_taken_is_asked_for_its_key,
);

fn key<'a>(name: &'a str, digest: &'a str, lasts_ms: u64) -> NewKey<'a> {
    NewKey { name, digest, scopes: Scopes::stored("audit:read users:read"), lasts_ms }
}

async fn made(bed: &Bed, who: &Token, new: NewKey<'_>) -> KeptKey {
    match bed.store().make_key(who.caller(), new).await.expect("the store answers") {
        KeyMade::Done(kept) => kept,
        other => panic!("{other:?}"),
    }
}

async fn listed(bed: &Bed, who: &Token) -> Vec<KeptKey> {
    match bed.store().keys_of(who.caller()).await.expect("the store answers") {
        Admitted::In(keys) => keys,
        Admitted::Refused(refused) => panic!("{refused:?}"),
    }
}

async fn comes_in(bed: &Bed, user: &str, token_id: &str) -> bool {
    let user = name(user);
    // However old: an API key is no login.
    let counted = Counted::default();
    let caller = Caller { user: &user, token_id, issued_ms: 0, counted: &counted };
    matches!(bed.store().enter(caller, Tail::Nothing).await.unwrap(), Entered::In(_))
}

async fn a_key_is_kept_until_it_ends(bed: Bed) {
    let ann = bed.user("ann").await;
    assert_eq!(listed(&bed, &ann).await, []);
    let (b, a) = (made(&bed, &ann, key("b|b", "d1", 600_000)).await, made(&bed, &ann, key("a", "d2", 100)).await);
    assert_eq!((&*b.name, b.scopes, b.ends_ms - b.made_ms), ("b|b", Scopes::stored("audit:read users:read"), 600_000));
    assert_eq!(bed.store().find_key(&ann.user, "d1").await, Ok(Some(b.clone())));
    assert_eq!(bed.store().find_key(&ann.user, "d3").await, Ok(None));
    assert_eq!(bed.store().find_key(&name("nobody"), "d1").await, Ok(None));
    assert!(comes_in(&bed, "ann", "k:d1").await);
    bed.pass(150).await;
    assert!(!comes_in(&bed, "ann", "k:d2").await, "its time is over: {a:?}");
    assert_eq!(listed(&bed, &ann).await, [b]);
    assert_eq!(bed.store().remove_key(ann.caller(), "b|b").await, Ok(Admitted::In(Some(StoppedRuns::default()))));
    assert_eq!(bed.store().remove_key(ann.caller(), "b|b").await, Ok(Admitted::In(None)));
    assert!(!comes_in(&bed, "ann", "k:d1").await);
    assert_eq!(listed(&bed, &ann).await, []);
}

async fn a_key_lets_its_user_in_and_nobody_else(bed: Bed) {
    let (ann, _bob) = (bed.user("ann").await, bed.user("bob").await);
    made(&bed, &ann, key("k", "d1", 600_000)).await;
    bed.pass(2).await;
    for change in [AccountChange::Password("new"), AccountChange::MustChange(false)] {
        bed.store().change_account(&ann.user, change).await.unwrap();
    }
    assert!(comes_in(&bed, "ann", "k:d1").await, "a new password ends logins, not keys");
    for (user, id) in [("bob", "k:d1"), ("ann", "k:d"), ("ann", "k:"), ("ann", "d1"), ("nobody", "k:d1")] {
        assert!(!comes_in(&bed, user, id).await, "{user} with {id}");
    }
    bed.store().change_account(&ann.user, AccountChange::Disabled(true)).await.unwrap();
    assert!(!comes_in(&bed, "ann", "k:d1").await);
}

async fn a_name_is_given_once_and_a_repeated_making_is_one(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    let first = made(&bed, &ann, key("k", "d1", 600_000)).await;
    bed.pass(2).await;
    assert_eq!(made(&bed, &ann, key("k", "d1", 600_000)).await, first, "the answer was lost");
    assert_eq!(bed.store().make_key(ann.caller(), key("k", "d2", 600_000)).await, Ok(KeyMade::Exists));
    made(&bed, &bob, key("k", "d3", 600_000)).await;
    assert_eq!(listed(&bed, &ann).await, [first]);
}

async fn only_so_many_keys_are_kept(bed: Bed) {
    let ann = bed.user("ann").await;
    made(&bed, &ann, key("short", "d", 50)).await;
    bed.pass(100).await;
    for n in 0..32 {
        made(&bed, &ann, key(&format!("k{n}"), &format!("d{n}"), 600_000)).await;
    }
    assert_eq!(bed.store().make_key(ann.caller(), key("more", "dx", 600_000)).await, Ok(KeyMade::Full));
    assert_eq!(listed(&bed, &ann).await.len(), 32);
}

async fn whoever_is_not_let_in_has_no_keys(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.store().change_account(&ann.user, AccountChange::Disabled(true)).await.unwrap();
    assert_eq!(bed.store().make_key(ann.caller(), key("k", "d", 1000)).await, Ok(KeyMade::Refused(Refused::Revoked)));
    assert_eq!(bed.store().keys_of(ann.caller()).await, Ok(Admitted::Refused(Refused::Revoked)));
    assert_eq!(bed.store().remove_key(ann.caller(), "k").await, Ok(Admitted::Refused(Refused::Revoked)));
}

/// Begins with the key of this digest.
async fn begun_with(bed: &Bed, who: &Token, digest: &str, ask: &Ask<'_>) -> Begun {
    let caller = Caller { token_id: digest, ..who.caller() };
    bed.store().begin(Begin { caller, ..ask.begin() }).await.expect("the store answers")
}

async fn step(bed: &Bed, lease: &Lease) -> Stepped {
    bed.store().step(lease, LONG_MS, &[]).await.expect("the store answers")
}

async fn a_run_that_was_begun_with_a_key_stops_with_it(bed: Bed) {
    let ann = bed.user("ann").await;
    for digest in ["d1", "d2"] {
        made(&bed, &ann, key(digest, digest, 600_000)).await;
    }
    let ask = Ask::new(&ann, "r1");
    let Begun::Started(started) = begun_with(&bed, &ann, "k:d1", &ask).await else { panic!("it begins") };
    let lease = ask.lease(&started);
    assert_eq!(bed.store().remove_key(ann.caller(), "d2").await, Ok(Admitted::In(Some(StoppedRuns::default()))));
    assert_eq!(step(&bed, &lease).await, Stepped::Held, "another key is nothing to it");
    match bed.store().remove_key(ann.caller(), "d1").await {
        Ok(Admitted::In(Some(StoppedRuns { running: Some(run), left_ms, waited: 0 }))) => assert!(run == "r1" && left_ms > 0),
        other => panic!("{other:?}"),
    }
    assert_eq!(step(&bed, &lease).await, Stepped::StopWanted(Stop::Revoked));
    bed.commit(&lease, &[turn("one")]).await;
    // The next run is nobody's whose key is gone.
    made(&bed, &ann, key("d3", "d3", 600_000)).await;
    let next = Ask::new(&ann, "r2");
    let lease = next.lease(&bed.started(&next).await);
    bed.store().remove_key(ann.caller(), "d3").await.unwrap();
    assert_eq!(step(&bed, &lease).await, Stepped::Held);
}

async fn a_run_that_is_taken_is_asked_for_its_key(bed: Bed) {
    let ann = bed.user("ann").await;
    for digest in ["d1", "d2"] {
        made(&bed, &ann, key(digest, digest, 600_000)).await;
    }
    // One whose holder dies is still that of its key.
    let dead = Ask::new(&ann, "r1").lease_ms(SHORT_MS);
    begun_with(&bed, &ann, "k:d1", &dead).await;
    let waits = Ask::new(&ann, "r2").on_busy(OnBusy::Enqueue);
    assert!(matches!(begun_with(&bed, &ann, "k:d2", &waits).await, Begun::Queued { .. }));
    bed.store().remove_key(ann.caller(), "d1").await.unwrap();
    bed.pass(2 * SHORT_MS).await;
    let taken = bed.taken(&ann, "B#1", LONG_MS).await;
    assert_eq!((taken.started.run.as_str(), taken.stop), ("r1", Some(Stop::Revoked)));
    let lease = lease_of(&ann, &taken);
    assert_eq!(bed.store().begun_with(&lease, "d1").await, Ok(Stepped::StopWanted(Stop::Revoked)));
    bed.commit(&lease, &[turn("one")]).await;
    // One that waited tells its key when it is taken, and is the key's from then on.
    let taken = bed.taken(&ann, "B#2", LONG_MS).await;
    assert_eq!((taken.started.run.as_str(), taken.stop), ("r2", None));
    let lease = lease_of(&ann, &taken);
    assert_eq!(bed.store().begun_with(&lease, "d2").await, Ok(Stepped::Held));
    assert_eq!(step(&bed, &lease).await, Stepped::Held);
    bed.store().remove_key(ann.caller(), "d2").await.unwrap();
    assert_eq!(step(&bed, &lease).await, Stepped::StopWanted(Stop::Revoked));
    bed.commit(&lease, &[turn("two")]).await;
    assert_eq!(bed.store().begun_with(&lease, "d2").await, Ok(Stepped::Stale));
}
