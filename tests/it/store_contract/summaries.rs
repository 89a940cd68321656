//! Summaries of older turns, kept with their session.

use swagger_api_agent::{
    domain::session::Summary,
    store::contract::{Started, TurnPlace},
};

use super::{
    ask::{Ask, Token},
    bed::{Bed, SHORT_MS, at_once, name},
    on_both_stores_sealed_too,
    spoil::Spoil,
};

on_both_stores_sealed_too!(
    a_summary_comes_with_the_next_begin_and_from_every_replica,
    it_comes_to_whoever_takes_a_run_over,
    one_that_covers_less_does_not_take_the_place_of_one_that_covers_more,
    of_many_at_once_the_farthest_stays,
    keeping_it_again_changes_nothing,
    it_is_another_users_or_another_sessions_never,
    emptying_the_conversation_drops_it_and_it_does_not_come_back,
    a_reset_drops_it,
    an_administrator_who_ends_the_session_drops_it,
    it_ends_with_the_session,
    it_stays_while_its_turns_are_trimmed,
    it_covers_turns_that_there_are,
    a_conversation_begins_also_with_one_that_cannot_be_read,
    no_lease_is_needed_and_none_is_touched,
);

fn summary(last: u64) -> Summary {
    Summary { first: 0, last, text: format!("他们说了 {last} \"things\"") }
}

async fn kept(bed: &Bed, token: &Token, place: &TurnPlace, last: u64) -> bool {
    bed.store().keep_summary(&token.user, place, &summary(last)).await.expect("the store answers")
}

/// Ann and a conversation of so many turns; and what the last run was told of its session.
async fn conversation(bed: &Bed, turns: usize) -> (Token, TurnPlace) {
    let ann = bed.user("ann").await;
    let place = grown(bed, &ann, turns).await;
    (ann, place)
}

async fn grown(bed: &Bed, token: &Token, turns: usize) -> TurnPlace {
    for n in 0..turns {
        bed.takes_turn(token, &format!("turn {n}")).await;
    }
    probe(bed, token).await.turns_at
}

/// What a run is told that begins now. It leaves no trace.
async fn probe(bed: &Bed, token: &Token) -> Started {
    let ask = Ask::new(token, "probe").owner(&format!("A#probe {}", bed.now().await));
    let started = bed.started(&ask).await;
    bed.commit(&ask.lease(&started), &[]).await;
    started
}

async fn told(bed: &Bed, token: &Token) -> Option<Summary> {
    probe(bed, token).await.summary
}

async fn a_summary_comes_with_the_next_begin_and_from_every_replica(bed: Bed) {
    let (ann, place) = conversation(&bed, 5).await;
    assert_eq!(told(&bed, &ann).await, None);
    assert!(kept(&bed, &ann, &place, 2).await);
    assert_eq!(told(&bed, &ann).await, Some(summary(2)));
    let ask = Ask::new(&ann, "elsewhere");
    let swagger_api_agent::store::contract::Begun::Started(started) = ask.of(&bed.another()).await else { panic!("not started") };
    assert_eq!(started.summary, Some(summary(2)));
    assert_eq!(started.visit.tail.len(), 5, "the turns themselves are as they were");
}

async fn it_comes_to_whoever_takes_a_run_over(bed: Bed) {
    let (ann, place) = conversation(&bed, 3).await;
    assert!(kept(&bed, &ann, &place, 1).await);
    bed.started(&Ask::new(&ann, "dying").lease_ms(SHORT_MS)).await;
    bed.pass(SHORT_MS + 20).await;
    assert_eq!(bed.taken(&ann, "B#1", SHORT_MS).await.started.summary, Some(summary(1)));
}

async fn one_that_covers_less_does_not_take_the_place_of_one_that_covers_more(bed: Bed) {
    let (ann, place) = conversation(&bed, 5).await;
    assert!(kept(&bed, &ann, &place, 2).await);
    assert!(!kept(&bed, &ann, &place, 1).await);
    assert_eq!(told(&bed, &ann).await, Some(summary(2)));
    assert!(kept(&bed, &ann, &place, 3).await);
    assert_eq!(told(&bed, &ann).await, Some(summary(3)));
}

async fn of_many_at_once_the_farthest_stays(bed: Bed) {
    let (ann, place) = conversation(&bed, 8).await;
    let (store, user) = (bed.another(), ann.user.clone());
    at_once(8, move |last| {
        let (store, user, place) = (store.clone(), user.clone(), place.clone());
        async move { store.keep_summary(&user, &place, &summary(last as u64)).await.expect("the store answers") }
    })
    .await;
    assert_eq!(told(&bed, &ann).await, Some(summary(7)));
}

async fn keeping_it_again_changes_nothing(bed: Bed) {
    let (ann, place) = conversation(&bed, 3).await;
    assert!(kept(&bed, &ann, &place, 1).await);
    assert!(!kept(&bed, &ann, &place, 1).await);
    assert_eq!(told(&bed, &ann).await, Some(summary(1)));
}

async fn it_is_another_users_or_another_sessions_never(bed: Bed) {
    let (ann, place) = conversation(&bed, 3).await;
    let bob = bed.user("bob").await;
    grown(&bed, &bob, 3).await;
    assert!(!kept(&bed, &bob, &place, 1).await, "it is the place of a session of Ann's");
    bed.store().reset(ann.caller(), None).await.unwrap();
    grown(&bed, &ann, 3).await;
    assert!(!kept(&bed, &ann, &place, 1).await, "it is the place of the session before");
    assert_eq!((told(&bed, &ann).await, told(&bed, &bob).await), (None, None));
    assert!(!bed.store().keep_summary(&name("nobody"), &place, &summary(1)).await.unwrap());
}

async fn emptying_the_conversation_drops_it_and_it_does_not_come_back(bed: Bed) {
    let (ann, place) = conversation(&bed, 4).await;
    assert!(kept(&bed, &ann, &place, 1).await);
    bed.store().clear(ann.caller(), None).await.unwrap();
    assert_eq!(told(&bed, &ann).await, None);
    assert!(!kept(&bed, &ann, &place, 2).await, "it was made before, and comes late");
    let place = grown(&bed, &ann, 2).await;
    assert_eq!(told(&bed, &ann).await, None);
    assert!(kept(&bed, &ann, &place, 4).await, "numbers go on");
    assert_eq!(told(&bed, &ann).await, Some(summary(4)));
}

async fn a_reset_drops_it(bed: Bed) {
    let (ann, place) = conversation(&bed, 3).await;
    assert!(kept(&bed, &ann, &place, 1).await);
    bed.store().reset(ann.caller(), None).await.unwrap();
    assert_eq!(told(&bed, &ann).await, None);
    grown(&bed, &ann, 3).await;
    assert_eq!(told(&bed, &ann).await, None);
}

async fn an_administrator_who_ends_the_session_drops_it(bed: Bed) {
    let (ann, place) = conversation(&bed, 3).await;
    assert!(kept(&bed, &ann, &place, 1).await);
    assert_eq!(bed.store().kill(&ann.user, None).await, Ok(1));
    assert!(!kept(&bed, &ann, &place, 2).await);
    grown(&bed, &ann, 3).await;
    assert_eq!(told(&bed, &ann).await, None);
}

async fn it_ends_with_the_session(bed: Bed) {
    let bed = bed.lasting(400, 6_000_000);
    let (ann, place) = conversation(&bed, 2).await;
    assert!(kept(&bed, &ann, &place, 0).await);
    bed.pass(500).await;
    assert!(!kept(&bed, &ann, &place, 1).await, "there is no session to keep it with");
    bed.takes_turn(&ann, "anew").await;
    bed.takes_turn(&ann, "and on").await;
    assert_eq!(told(&bed, &ann).await, None);
}

async fn it_stays_while_its_turns_are_trimmed(bed: Bed) {
    let bed = bed.keeping(3);
    let (ann, place) = conversation(&bed, 3).await;
    assert!(kept(&bed, &ann, &place, 1).await);
    bed.takes_turn(&ann, "one more").await;
    bed.takes_turn(&ann, "and one more").await;
    assert_eq!(told(&bed, &ann).await, Some(summary(1)), "it reaches the oldest turn that is left");
    bed.takes_turn(&ann, "too many").await;
    assert_eq!(told(&bed, &ann).await, None, "what came after it is lost, and a gap is not told as if it were none");
    let place = grown(&bed, &ann, 0).await;
    assert!(kept(&bed, &ann, &place, 3).await);
    assert_eq!(told(&bed, &ann).await, Some(summary(3)));
}

async fn it_covers_turns_that_there_are(bed: Bed) {
    let (ann, place) = conversation(&bed, 2).await;
    assert!(!kept(&bed, &ann, &place, 2).await);
    assert!(kept(&bed, &ann, &place, 1).await);
}

async fn a_conversation_begins_also_with_one_that_cannot_be_read(mut bed: Bed) {
    let (ann, place) = conversation(&bed, 3).await;
    assert!(kept(&bed, &ann, &place, 1).await);
    bed.spoil("ann", Spoil::Summary);
    let started = probe(&bed, &ann).await;
    assert_eq!((started.summary, started.visit.tail.len()), (None, 3));
    assert!(kept(&bed, &ann, &started.turns_at, 2).await, "the next one takes its place");
    assert_eq!(told(&bed, &ann).await, Some(summary(2)));
}

async fn no_lease_is_needed_and_none_is_touched(bed: Bed) {
    let (ann, place) = conversation(&bed, 3).await;
    let ask = Ask::new(&ann, "running");
    let running = bed.started(&ask).await;
    assert!(kept(&bed, &ann, &place, 1).await);
    let committed = bed.commit(&ask.lease(&running), &[super::bed::turn("running")]).await;
    assert_eq!(committed, super::bed::done(4, 4));
    assert_eq!(told(&bed, &ann).await, Some(summary(1)));
}
