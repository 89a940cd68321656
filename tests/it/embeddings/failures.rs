//! A server for embeddings that is away, slow or broken costs what is found by it, and nothing else.

use std::time::{Duration, Instant};

use serde_json::json;
use swagger_api_agent::domain::limits::MODEL_FAILURES_MAX;

use super::{FUNCTION, MEANT, comes_to_be_given, embedded_by, given_for, stub};
use crate::harness::{
    bed::{Bed, On},
    embeddings::Does,
    until,
};

/// What a turn takes on a busy machine without anybody being waited for.
const A_TURN: Duration = Duration::from_secs(4);

fn says(status: u16, body: impl Into<Vec<u8>>) -> Does {
    Does::Says(status, body.into())
}

#[tokio::test]
async fn whatever_it_does_a_turn_goes_by_words_and_does_not_wait_for_long() {
    let stub = stub().await;
    let bed = Bed::with(On::Embedded, |settings| {
        embedded_by(&stub)(settings);
        settings.llm.embeddings.timeout_ms = 500;
    })
    .await;
    let ann = bed.as_user("ann");
    comes_to_be_given(&bed, &ann, MEANT, FUNCTION).await;
    let another_length = json!({"data": [{"index": 0, "embedding": [1, 2, 3]}]}).to_string();
    let too_long = format!(r#"{{"data": [{{"index": 0, "embedding": [{}1]}}]}}"#, "1,".repeat(5 * 1024 * 1024));
    let bad = [
        ("volcano", says(500, "")),
        ("river", says(429, "{}")),
        ("island", says(200, r#"{"data": [{"index": 0, "embedding": [NaN]}]}"#)),
        ("temple", Does::Hangs),
        ("violin", says(200, another_length)),
        ("poem", says(200, too_long)),
    ];
    for (at, (thing, does)) in bad.into_iter().enumerate() {
        stub.does(does);
        let (asked, began) = (stub.asked().len(), Instant::now());
        let tools = given_for(&bed, &ann, &format!("list every {thing} for me and my friends")).await;
        assert!(began.elapsed() < A_TURN, "{thing}: {:?}", began.elapsed());
        let function = format!("list{}{}", thing[..1].to_uppercase(), &thing[1..]);
        assert!(tools.contains(&function), "{function}: {tools:?}");
        // After so many in a row it is left alone for a while.
        let is_asked = at < MODEL_FAILURES_MAX as usize;
        assert_eq!(stub.asked().len() - asked, usize::from(is_asked), "{thing}");
    }
    assert!(!given_for(&bed, &ann, "gaze far away once more, and tell me about heaven").await.contains(&FUNCTION.to_owned()));
}

#[tokio::test]
async fn a_start_waits_for_nobody_and_what_was_away_is_asked_when_it_is_back() {
    let stub = stub().await;
    stub.does(Does::Hangs);
    let began = Instant::now();
    let mut bed = Bed::with(On::Redis, embedded_by(&stub)).await;
    let ann = bed.as_user("ann");
    let tools = given_for(&bed, &ann, "which volcano is number 5?").await;
    assert!(tools.contains(&"oneVolcano".to_owned()), "{tools:?}");
    assert!(!given_for(&bed, &ann, MEANT).await.contains(&FUNCTION.to_owned()));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    stub.does(says(503, "{}"));
    bed.restart(async |_| {}).await;
    // The replica before left no claim behind.
    until("it is asked", async || stub.asked().len() > 1).await;
    stub.does(Does::Answers);
    comes_to_be_given(&bed, &bed.as_user("ann"), MEANT, FUNCTION).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_delays_nothing() {
    let stub = stub().await;
    let bed = Bed::with(On::Embedded, |settings| {
        embedded_by(&stub)(settings);
        settings.llm.embeddings.url = Some("http://127.0.0.1:9/v1".to_owned());
    })
    .await;
    let began = Instant::now();
    let tools = given_for(&bed, &bed.as_user("ann"), "which volcano is number 5?").await;
    assert!(tools.contains(&"oneVolcano".to_owned()) && began.elapsed() < Duration::from_secs(5), "{tools:?}");
}
