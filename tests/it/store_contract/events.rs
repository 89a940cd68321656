//! What happens in runs: told by whoever holds the session, read by anybody who may, gone with the conversation.

use swagger_api_agent::{
    domain::event::{Event, EventId, Numbered},
    store::contract::{Cleared, Lease, Reset},
};

use super::{
    bed::{Ask, Bed, LONG_MS, SHORT_MS, Token, lease_of, turn},
    on_both_stores_sealed_too,
};

on_both_stores_sealed_too!(
    what_was_told_is_read_in_its_order_and_from_any_place,
    what_was_told_twice_is_read_once,
    whoever_lost_the_session_tells_nothing,
    the_runs_of_a_session_are_kept_apart_and_other_users_have_none,
    what_happened_goes_with_the_conversation,
    the_oldest_is_forgotten,
);

fn text(lease: &Lease, n: u64, text: &str) -> Numbered {
    Numbered { id: EventId { fence: lease.token.fence(), n }, event: Event::Token { text: text.to_owned() } }
}

async fn held(bed: &Bed, token: &Token, run: &str, lease_ms: u64) -> Lease {
    let ask = Ask::new(token, run).lease_ms(lease_ms);
    ask.lease(&bed.started(&ask).await)
}

async fn told(bed: &Bed, token: &Token, run: &str, after: EventId) -> Vec<Numbered> {
    bed.store().told_since(&token.user, run, after).await.expect("the store answers")
}

async fn what_was_told_is_read_in_its_order_and_from_any_place(bed: Bed) {
    let ann = bed.user("ann").await;
    let lease = held(&bed, &ann, "r1", LONG_MS).await;
    let all: Vec<Numbered> = (1..=5).map(|n| text(&lease, n, &format!("text {n}"))).collect();
    assert_eq!(told(&bed, &ann, "r1", EventId::START).await, []);
    assert_eq!(bed.store().tell(&lease, &all[..2]).await, Ok(true));
    assert_eq!(bed.store().tell(&lease, &all[2..]).await, Ok(true));
    assert_eq!(told(&bed, &ann, "r1", EventId::START).await, all);
    assert_eq!(told(&bed, &ann, "r1", all[2].id).await, all[3..]);
    assert_eq!(told(&bed, &ann, "r1", all[4].id).await, []);
    assert_eq!(told(&bed, &ann, "r1", EventId::END).await, []);
    bed.commit(&lease, &[turn("r1")]).await;
    assert_eq!(told(&bed, &ann, "r1", EventId::START).await, all, "who comes late is told as well");
}

async fn what_was_told_twice_is_read_once(bed: Bed) {
    let ann = bed.user("ann").await;
    let lease = held(&bed, &ann, "r1", LONG_MS).await;
    let all = [text(&lease, 1, "a"), text(&lease, 2, "b"), text(&lease, 3, "c")];
    bed.store().tell(&lease, &all[..2]).await.unwrap();
    bed.store().tell(&lease, &all).await.unwrap();
    assert_eq!(told(&bed, &ann, "r1", EventId::START).await, all);
}

async fn whoever_lost_the_session_tells_nothing(bed: Bed) {
    let ann = bed.user("ann").await;
    let zombie = held(&bed, &ann, "r1", SHORT_MS).await;
    let before = text(&zombie, 1, "before");
    bed.store().tell(&zombie, std::slice::from_ref(&before)).await.unwrap();
    bed.pass(SHORT_MS + 50).await;
    let lease = lease_of(&ann, &bed.taken(&ann, "B#1", LONG_MS).await);
    assert_eq!(bed.store().tell(&zombie, &[text(&zombie, 2, "too late")]).await, Ok(false));
    let after = text(&lease, 1, "after");
    assert_eq!(bed.store().tell(&lease, std::slice::from_ref(&after)).await, Ok(true));
    assert_eq!(told(&bed, &ann, "r1", EventId::START).await, [before, after]);
    bed.commit(&lease, &[turn("r1")]).await;
    assert_eq!(bed.store().tell(&lease, &[text(&lease, 2, "after the end")]).await, Ok(false));
}

async fn the_runs_of_a_session_are_kept_apart_and_other_users_have_none(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    let first = held(&bed, &ann, "r1", LONG_MS).await;
    let one = text(&first, 1, "one");
    bed.store().tell(&first, std::slice::from_ref(&one)).await.unwrap();
    bed.commit(&first, &[turn("r1")]).await;
    let second = held(&bed, &ann, "r2", LONG_MS).await;
    let two = text(&second, 1, "two");
    bed.store().tell(&second, std::slice::from_ref(&two)).await.unwrap();
    assert_eq!(told(&bed, &ann, "r1", EventId::START).await, [one]);
    assert_eq!(told(&bed, &ann, "r2", EventId::START).await, [two]);
    for run in ["r1", "r2", "r3"] {
        assert_eq!(told(&bed, &bob, run, EventId::START).await, []);
    }
}

async fn what_happened_goes_with_the_conversation(bed: Bed) {
    let ann = bed.user("ann").await;
    for (run, how) in [("r1", "clear"), ("r2", "reset"), ("r3", "kill")] {
        let lease = held(&bed, &ann, run, LONG_MS).await;
        bed.store().tell(&lease, &[text(&lease, 1, "secret")]).await.unwrap();
        match how {
            "clear" => {
                bed.commit(&lease, &[turn(run)]).await;
                assert!(matches!(bed.store().clear(ann.caller(), None).await, Ok(Cleared::Done(_))));
            }
            "reset" => assert!(matches!(bed.store().reset(ann.caller(), None).await, Ok(Reset::Done(_)))),
            _ => assert_eq!(bed.store().kill(&ann.user, None).await, Ok(1)),
        }
        assert_eq!(told(&bed, &ann, run, EventId::START).await, [], "{how}");
        assert_eq!(bed.store().tell(&lease, &[text(&lease, 2, "afterwards")]).await, Ok(false), "{how}");
    }
}

async fn the_oldest_is_forgotten(bed: Bed) {
    let ann = bed.user("ann").await;
    let lease = held(&bed, &ann, "r1", LONG_MS).await;
    let all: Vec<Numbered> = (1..=2600).map(|n| text(&lease, n, "x")).collect();
    for some in all.chunks(500) {
        bed.store().tell(&lease, some).await.unwrap();
    }
    let (mut read, mut after) = (Vec::new(), EventId::START);
    loop {
        let some = told(&bed, &ann, "r1", after).await;
        let Some(last) = some.last() else { break };
        after = last.id;
        read.extend(some);
    }
    assert!((2000..2200).contains(&read.len()), "Redis forgets in blocks: {}", read.len());
    assert_eq!(read, all[all.len() - read.len()..], "the newest are whole");
}
