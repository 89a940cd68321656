//! Passwords that are tried: counted for accounts and for addresses, and not counted where they were right.

use swagger_api_agent::{
    domain::limits::{LOGIN_FAILURES_FROM_ADDRESS_MAX, LOGIN_FAILURES_OF_ADDRESS_MS},
    store::contract::logins::Attempted,
};

use super::{
    bed::{Bed, at_once, name},
    on_both_stores,
};

on_both_stores!(an_address_has_a_bound_of_its_own, what_is_taken_back_was_never_tried, of_many_at_once_no_more_are_tried_than_may_be,);

const MOST: u32 = 5;

async fn from(bed: &Bed, address: &str) -> Attempted {
    bed.store().attempt_from(address, MOST).await.expect("the store answers")
}

fn is_limited(attempted: Attempted, is_first: bool) -> bool {
    matches!(attempted, Attempted::Limited { retry_after_ms, first }
        if first == is_first && (1..=LOGIN_FAILURES_OF_ADDRESS_MS).contains(&retry_after_ms))
}

async fn an_address_has_a_bound_of_its_own(bed: Bed) {
    for _ in 0..MOST {
        assert_eq!(from(&bed, "a").await, Attempted::Counted);
    }
    assert!(is_limited(from(&bed, "a").await, true), "somebody is told that it begins");
    assert!(is_limited(from(&bed, "a").await, false), "and nobody else");
    assert_eq!(from(&bed, "b").await, Attempted::Counted, "another address is not concerned");
    assert_eq!(bed.store().attempt(&name("ann"), "a").await, Ok(Attempted::Counted), "what counts for an account is counted apart");
    bed.store().take_back_from("a").await.unwrap();
    assert_eq!(from(&bed, "a").await, Attempted::Counted);
    assert!(is_limited(from(&bed, "a").await, false));
}

async fn what_is_taken_back_was_never_tried(bed: Bed) {
    let ann = name("ann");
    for _ in 0..2 * LOGIN_FAILURES_FROM_ADDRESS_MAX {
        assert_eq!(bed.store().attempt(&ann, "a").await, Ok(Attempted::Counted));
        bed.store().take_back(&ann, "a").await.unwrap();
    }
    for _ in 0..LOGIN_FAILURES_FROM_ADDRESS_MAX {
        assert_eq!(bed.store().attempt(&ann, "a").await, Ok(Attempted::Counted));
    }
    assert!(matches!(bed.store().attempt(&ann, "a").await, Ok(Attempted::Limited { first: true, .. })));
    bed.store().take_back(&ann, "a").await.unwrap();
    assert_eq!(bed.store().attempt(&ann, "a").await, Ok(Attempted::Counted), "only the one, and what failed before still counts");
    assert!(matches!(bed.store().attempt(&ann, "a").await, Ok(Attempted::Limited { .. })));
    // Nothing was tried there: nothing is taken back, and nothing is owed.
    bed.store().take_back(&name("bob"), "a").await.unwrap();
    bed.store().take_back_from("z").await.unwrap();
    for _ in 0..MOST {
        assert_eq!(from(&bed, "z").await, Attempted::Counted);
    }
    assert!(is_limited(from(&bed, "z").await, true));
}

async fn of_many_at_once_no_more_are_tried_than_may_be(bed: Bed) {
    let store = bed.store().clone();
    let tried = at_once(4 * MOST as usize, move |_| {
        let store = store.clone();
        async move { store.attempt_from("a", MOST).await.expect("the store answers") }
    });
    let tried = tried.await;
    assert_eq!(tried.iter().filter(|attempted| **attempted == Attempted::Counted).count(), MOST as usize);
    assert_eq!(tried.iter().filter(|attempted| is_limited(**attempted, true)).count(), 1, "one is told that it begins");
}
