//! Tokens of a day: set aside, counted, given back.

use swagger_api_agent::store::contract::budgets::{
    Purse::{self, Service, User},
    Reservation, Reserved,
};

use super::{
    bed::{Bed, at_once, name},
    on_both_stores,
    spoil::Spoil,
};

on_both_stores!(
    no_more_is_set_aside_than_there_is,
    of_many_at_once_from_two_replicas_just_those_are_granted_that_fit,
    what_was_not_used_is_free_again,
    more_may_be_used_than_was_set_aside,
    reserving_again_and_settling_again_count_once,
    what_is_never_settled_lapses_and_is_not_counted_late,
    what_is_settled_after_its_time_but_before_it_was_cleared_away_counts,
    users_and_the_service_are_counted_apart,
    the_day_ends_at_midnight_of_utc,
    another_day_begins_with_nothing_used,
    what_was_used_outlives_a_restart,
);

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const PER_DAY: u64 = 1000;
const LONG_MS: u64 = 60_000;

fn of(id: &str, tokens: u64) -> Reservation {
    Reservation { id: id.to_owned(), tokens, lasts_ms: LONG_MS }
}

async fn reserve(bed: &Bed, purse: Purse<'_>, reservation: &Reservation) -> bool {
    match bed.store().reserve_tokens(purse, reservation, PER_DAY).await.expect("the store answers") {
        Reserved::Granted => true,
        Reserved::Exhausted { resets_ms, left_ms } => {
            assert!(resets_ms % DAY_MS == 0 && left_ms <= DAY_MS, "{resets_ms} {left_ms}");
            false
        }
    }
}

async fn settle(bed: &Bed, purse: Purse<'_>, reservation: &Reservation, used: u64) {
    bed.store().settle_tokens(purse, reservation, used).await.expect("the store answers");
}

/// Whether just so many are left.
async fn left(bed: &Bed, purse: Purse<'_>, tokens: u64) -> bool {
    let (one_more, all) = (of("one more", tokens + 1), of("all", tokens));
    let exact = !reserve(bed, purse, &one_more).await && reserve(bed, purse, &all).await;
    settle(bed, purse, &all, 0).await;
    exact
}

async fn no_more_is_set_aside_than_there_is(bed: Bed) {
    let ann = name("ann");
    for purse in [User(&ann), Service] {
        assert!(reserve(&bed, purse, &of("a", 600)).await);
        assert!(!reserve(&bed, purse, &of("b", 401)).await);
        assert!(reserve(&bed, purse, &of("c", 400)).await);
        assert!(!reserve(&bed, purse, &of("d", 1)).await);
    }
    assert!(!reserve(&bed, User(&name("bob")), &of("a", PER_DAY + 1)).await, "there never are as many");
}

async fn of_many_at_once_from_two_replicas_just_those_are_granted_that_fit(bed: Bed) {
    let replicas = [bed.another(), bed.another()];
    for (user, tokens, granted) in [(Some(name("ann")), 100, 10), (None, 90, 11)] {
        let replicas = replicas.clone();
        let answers = at_once(40, move |n| {
            let (store, user) = (replicas[n % 2].clone(), user.clone());
            async move {
                let purse = user.as_ref().map_or(Service, User);
                store.reserve_tokens(purse, &of(&n.to_string(), tokens), PER_DAY).await.expect("the store answers")
            }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| **answer == Reserved::Granted).count(), granted);
    }
}

async fn what_was_not_used_is_free_again(bed: Bed) {
    let ann = name("ann");
    for purse in [User(&ann), Service] {
        let (a, b) = (of("a", 600), of("b", 400));
        assert!(reserve(&bed, purse, &a).await && reserve(&bed, purse, &b).await);
        settle(&bed, purse, &a, 150).await;
        settle(&bed, purse, &b, 0).await;
        assert!(left(&bed, purse, 850).await);
    }
}

async fn more_may_be_used_than_was_set_aside(bed: Bed) {
    assert!(reserve(&bed, Service, &of("a", 100)).await);
    settle(&bed, Service, &of("a", 100), 5000).await;
    assert!(!reserve(&bed, Service, &of("b", 1)).await);
}

async fn reserving_again_and_settling_again_count_once(bed: Bed) {
    let ann = name("ann");
    for purse in [User(&ann), Service] {
        for _ in 0..3 {
            assert!(reserve(&bed, purse, &of("a", 700)).await);
        }
        assert!(left(&bed, purse, 300).await);
        for _ in 0..3 {
            settle(&bed, purse, &of("a", 700), 200).await;
        }
        assert!(left(&bed, purse, 800).await);
        settle(&bed, purse, &of("nobody's", 10), 500).await;
        assert!(left(&bed, purse, 800).await);
    }
}

async fn what_is_never_settled_lapses_and_is_not_counted_late(bed: Bed) {
    let short = Reservation { lasts_ms: 60, ..of("short", 900) };
    assert!(reserve(&bed, Service, &short).await && reserve(&bed, Service, &of("long", 50)).await);
    assert!(!reserve(&bed, Service, &of("b", 100)).await);
    bed.pass(100).await;
    assert!(reserve(&bed, Service, &of("b", 950)).await);
    settle(&bed, Service, &short, 900).await;
    settle(&bed, Service, &of("b", 950), 0).await;
    assert!(left(&bed, Service, 950).await);
}

async fn what_is_settled_after_its_time_but_before_it_was_cleared_away_counts(bed: Bed) {
    let short = Reservation { lasts_ms: 60, ..of("short", 900) };
    assert!(reserve(&bed, Service, &short).await);
    bed.pass(100).await;
    settle(&bed, Service, &short, 300).await;
    assert!(left(&bed, Service, 700).await);
}

async fn users_and_the_service_are_counted_apart(bed: Bed) {
    let names = ["ann", "Ann", "ann:", "张三", "s", "u"].map(name);
    for user in &names {
        assert!(reserve(&bed, User(user), &of("a", PER_DAY)).await, "{user}");
    }
    assert!(reserve(&bed, Service, &of("a", PER_DAY)).await);
    for user in &names {
        assert!(!reserve(&bed, User(user), &of("b", 1)).await, "{user}");
    }
}

async fn the_day_ends_at_midnight_of_utc(bed: Bed) {
    let before = bed.now().await;
    let answer = bed.store().reserve_tokens(Service, &of("a", PER_DAY + 1), PER_DAY).await.unwrap();
    let Reserved::Exhausted { resets_ms, left_ms } = answer else { panic!("{answer:?}") };
    assert_eq!(resets_ms % DAY_MS, 0);
    assert!((before..=bed.now().await).contains(&(resets_ms - left_ms)), "{resets_ms} {left_ms}");
}

async fn another_day_begins_with_nothing_used(mut bed: Bed) {
    let ann = name("ann");
    assert!(reserve(&bed, User(&ann), &of("a", 800)).await);
    settle(&bed, User(&ann), &of("a", 800), 800).await;
    assert!(left(&bed, User(&ann), 200).await);
    bed.spoil("ann", Spoil::TokensOfYesterday);
    assert!(left(&bed, User(&ann), PER_DAY).await);
}

async fn what_was_used_outlives_a_restart(mut bed: Bed) {
    let ann = name("ann");
    for purse in [User(&ann), Service] {
        assert!(reserve(&bed, purse, &of("a", 800)).await);
        settle(&bed, purse, &of("a", 800), 400).await;
    }
    bed.restart();
    for purse in [User(&ann), Service] {
        assert!(left(&bed, purse, 600).await);
    }
}
