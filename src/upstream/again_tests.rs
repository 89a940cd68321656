//! Which calls are sent a second time, and when.

use std::time::{Duration, Instant};

use super::{
    tests::{sent_by, upstream_within, without_key},
    *,
};
use crate::outbound::scripted::{Act, Scripted};

fn busy(fields: &str) -> Act {
    Act::reply(429, fields, b"")
}

fn lost() -> Act {
    Act::WriteAndClose(Vec::new())
}

/// Sends one call against a script; tells the status, how often it arrived, and how long it took.
async fn tried<const N: usize>(script: [Act; N], method: &str, effect: Effect) -> (Option<u16>, usize, Duration) {
    let (outcome, times, took) = tried_on(script, method, without_key(effect)).await;
    let status = if let Outcome::Replied(reply) = outcome { Some(reply.status) } else { None };
    (status, times, took)
}

async fn tried_on<const N: usize>(script: [Act; N], method: &str, terms: Terms<'_>) -> (Outcome, usize, Duration) {
    let server = Scripted::start(script).await;
    let began = Instant::now();
    let outcome = sent_by(&upstream_within(&server.url, 2500), &server.url, method, terms).await;
    (outcome, server.requests().len(), began.elapsed())
}

#[tokio::test]
async fn a_busy_api_is_asked_once_more_after_the_time_it_names() {
    let (status, times, took) = tried([busy("retry-after: 1\r\n"), Act::json(200, "{}")], "GET", Effect::Safe).await;
    assert_eq!((status, times), (Some(200), 2));
    assert!(took >= Duration::from_secs(1), "{took:?}");
    let (status, times, _) = tried([busy(""), Act::reply(503, "", b"")], "HEAD", Effect::Safe).await;
    assert_eq!((status, times), (Some(503), 2), "twice is enough");
    let dates = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:49:38 GMT\r\n";
    let (status, times, took) = tried([busy(dates), Act::json(200, "{}")], "QUERY", Effect::Safe).await;
    assert_eq!((status, times), (Some(200), 2));
    assert!(took >= Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_wait_that_is_too_long_or_unreadable_is_told_as_it_is() {
    // 3 s are within what may be waited for, but not within this call's deadline.
    for fields in ["retry-after: 3\r\n", "retry-after: 6\r\n", "retry-after: soon\r\n", "retry-after: 99999999999999999999\r\n"] {
        let (status, times, took) = tried([busy(fields)], "GET", Effect::Safe).await;
        assert_eq!((status, times), (Some(429), 1), "{fields}");
        assert!(took < Duration::from_secs(1), "{fields}");
    }
    let (status, times, _) = tried([Act::reply(502, "retry-after: 0\r\n", b"")], "GET", Effect::Safe).await;
    assert_eq!((status, times), (Some(502), 1));
}

#[tokio::test]
async fn a_reading_call_whose_connection_broke_is_sent_once_more() {
    let (status, times, _) = tried([lost(), Act::json(200, "{}")], "OPTIONS", Effect::Safe).await;
    assert_eq!((status, times), (Some(200), 2));
    let (status, times, _) = tried([lost(), lost()], "GET", Effect::Safe).await;
    assert_eq!((status, times), (None, 2));
    let half = Act::WriteAndClose(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec());
    let (status, times, _) = tried([half], "GET", Effect::Safe).await;
    assert_eq!((status, times), (None, 1), "an answer had begun");
}

#[tokio::test]
async fn a_changing_call_without_a_key_is_never_sent_twice() {
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        for (act, told) in [(busy("retry-after: 0\r\n"), Some(429)), (lost(), None)] {
            let (status, times, _) = tried([act], method, Effect::Changing).await;
            assert_eq!((status, times), (told, 1), "{method}");
        }
    }
    let (_, times, _) = tried([busy("retry-after: 0\r\n")], "POST", Effect::Safe).await;
    assert_eq!(times, 1, "what the operator calls reading, but HTTP does not");
    let (_, times, _) = tried([busy("retry-after: 0\r\n")], "GET", Effect::Changing).await;
    assert_eq!(times, 1, "what HTTP calls reading, but the operator does not");
}

/// A changing call under a key: how it ended, and how often it arrived.
async fn keyed<const N: usize>(script: [Act; N]) -> (Result<u16, String>, usize) {
    let (outcome, times, _) = tried_on(script, "POST", Terms { effect: Effect::Changing, keyed: true, lease: None }).await;
    match outcome {
        Outcome::Replied(reply) => (Ok(reply.status), times),
        Outcome::Unknown(why) => (Err(why), times),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_changing_call_with_a_key_is_sent_once_more_when_its_answer_is_lost() {
    assert_eq!(keyed([lost(), Act::json(201, "{}")]).await, (Ok(201), 2));
    let half = Act::WriteAndClose(b"HTTP/1.1 201 Created\r\ncontent-length: 9\r\n\r\nhalf".to_vec());
    assert_eq!(keyed([half, Act::json(201, "{}")]).await, (Ok(201), 2), "what was made is told by the second answer");
    let (outcome, times) = keyed([lost(), lost()]).await;
    assert!(outcome.is_err() && times == 2, "twice is enough");
    // An answer is an answer.
    for status in [201, 409, 429, 503] {
        assert_eq!(keyed([Act::reply(status, "retry-after: 0\r\n", b"")]).await, (Ok(status), 1));
    }
}

#[tokio::test]
async fn an_answer_to_the_second_time_that_is_about_this_time_alone_tells_nothing_of_the_first() {
    for status in [200, 204, 400, 404, 422] {
        assert_eq!(keyed([lost(), Act::reply(status, "", b"")]).await, (Ok(status), 2));
    }
    for status in [401, 409, 425, 429, 500, 503] {
        let (outcome, _) = keyed([lost(), Act::reply(status, "", b"")]).await;
        assert!(outcome.as_ref().is_err_and(|why| why.contains(&format!("status {status}"))), "{outcome:?}");
    }
    assert!(matches!(known_of_both(Outcome::Failed("no connection".to_owned())), Outcome::Unknown(_)));
}

#[tokio::test]
async fn a_second_time_does_not_outlive_the_lease() {
    let over = crate::clock::Countdown::since(Instant::now(), 0);
    let terms = Terms { effect: Effect::Changing, keyed: true, lease: Some(&over) };
    let (outcome, times, _) = tried_on([lost()], "POST", terms).await;
    assert!(matches!(outcome, Outcome::Unknown(_)) && times == 1, "{outcome:?}");
}
