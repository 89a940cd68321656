//! Replies kept whole for a while.

use std::time::Duration;

use swagger_api_agent::domain::slot::SessionSlot;
use swagger_api_agent::domain::{
    json::RawJson,
    kept::{KeptReply, ResultId},
    limits::RESULTS_KEPT_MAX,
    tool::ReplyBody,
};

use super::{
    bed::{Bed, name},
    on_both_stores_sealed_too,
};

on_both_stores_sealed_too!(
    a_reply_comes_back_as_it_was_kept_and_from_every_replica,
    nobody_else_finds_it,
    it_goes_when_its_time_is_over,
    of_too_many_the_oldest_go,
    keeping_it_again_is_safe,
    a_reset_drops_those_of_one_user,
    a_session_that_ends_by_itself_leaves_them,
);

const HOUR: Duration = Duration::from_secs(3600);

fn id(number: usize) -> ResultId {
    ResultId::parse(&format!("{number:032x}")).expect("an id")
}

fn reply(text: &str) -> KeptReply {
    KeptReply { content_type: "text/plain".into(), body: ReplyBody::Text(text.into()) }
}

async fn found(bed: &Bed, user: &str, number: usize) -> Option<KeptReply> {
    bed.store().kept_result(&name(user), &id(number)).await.expect("the store answers")
}

async fn kept(bed: &Bed, user: &str, number: usize, ttl: Duration) {
    bed.store()
        .keep_result(&SessionSlot::main(&name(user)), &id(number), &reply(&format!("{user} {number}")), ttl)
        .await
        .expect("the store answers");
}

async fn a_reply_comes_back_as_it_was_kept_and_from_every_replica(bed: Bed) {
    let big = format!("[{}1e400]", "0.10,".repeat(200_000));
    let json = KeptReply { content_type: "application/json".into(), body: ReplyBody::Json(RawJson::read(big.as_bytes()).unwrap()) };
    let bytes = ReplyBody::Binary { content_type: "image/png".into(), bytes: 256, content: (0..=255).collect::<Vec<u8>>().into() };
    let image = KeptReply { content_type: "image/png".into(), body: bytes };
    for (number, reply) in [(1, json), (2, image), (3, reply("一\n二"))] {
        bed.store().keep_result(&SessionSlot::main(&name("张三:{x}")), &id(number), &reply, HOUR).await.unwrap();
        assert_eq!(bed.another().kept_result(&name("张三:{x}"), &id(number)).await, Ok(Some(reply)));
    }
}

async fn nobody_else_finds_it(bed: Bed) {
    kept(&bed, "ann", 1, HOUR).await;
    assert_eq!(found(&bed, "ann", 1).await, Some(reply("ann 1")));
    for other in ["bob", "Ann", "an", "anna", "ann:"] {
        assert_eq!(found(&bed, other, 1).await, None, "{other}");
    }
    assert_eq!(found(&bed, "ann", 2).await, None);
}

async fn it_goes_when_its_time_is_over(bed: Bed) {
    kept(&bed, "ann", 1, Duration::from_millis(100)).await;
    kept(&bed, "ann", 2, HOUR).await;
    bed.pass(150).await;
    assert_eq!((found(&bed, "ann", 1).await, found(&bed, "ann", 2).await), (None, Some(reply("ann 2"))));
    bed.store().sweep().await.unwrap();
    assert_eq!(found(&bed, "ann", 2).await, Some(reply("ann 2")));
}

async fn of_too_many_the_oldest_go(bed: Bed) {
    kept(&bed, "bob", 0, HOUR).await;
    for number in 0..RESULTS_KEPT_MAX + 3 {
        kept(&bed, "ann", number, HOUR).await;
        bed.pass(2).await;
    }
    let mut left = Vec::new();
    for number in 0..RESULTS_KEPT_MAX + 3 {
        left.push(found(&bed, "ann", number).await.is_some());
    }
    assert_eq!(left, [[false; 3].as_slice(), &[true; RESULTS_KEPT_MAX]].concat());
    assert_eq!(found(&bed, "bob", 0).await, Some(reply("bob 0")));
}

async fn keeping_it_again_is_safe(bed: Bed) {
    kept(&bed, "ann", 0, HOUR).await;
    for _ in 0..RESULTS_KEPT_MAX + 3 {
        kept(&bed, "ann", 1, HOUR).await;
    }
    assert_eq!((found(&bed, "ann", 0).await, found(&bed, "ann", 1).await), (Some(reply("ann 0")), Some(reply("ann 1"))));
}

async fn a_reset_drops_those_of_one_user(bed: Bed) {
    let ann = bed.user("ann").await;
    for user in ["ann", "anna", "bob"] {
        kept(&bed, user, 1, HOUR).await;
        kept(&bed, user, 2, HOUR).await;
    }
    bed.store().reset(ann.caller(), None).await.unwrap();
    assert_eq!((found(&bed, "ann", 1).await, found(&bed, "ann", 2).await), (None, None));
    assert_eq!((found(&bed, "anna", 1).await, found(&bed, "bob", 2).await), (Some(reply("anna 1")), Some(reply("bob 2"))));
    kept(&bed, "ann", 3, HOUR).await;
    assert_eq!(found(&bed, "ann", 3).await, Some(reply("ann 3")));
}

async fn a_session_that_ends_by_itself_leaves_them(bed: Bed) {
    let bed = bed.lasting(100, 6_000_000);
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    kept(&bed, "ann", 1, HOUR).await;
    bed.pass(150).await;
    bed.store().sweep().await.unwrap();
    bed.takes_turn(&ann, "two").await;
    assert_eq!(found(&bed, "ann", 1).await, Some(reply("ann 1")));
}
