//! Logins in a flood: who is told to come again has not tried, and is not taken for somebody who guesses.

use std::num::NonZeroUsize;

use serde_json::json;

use swagger_api_agent::domain::limits::LOGIN_FAILURES_FROM_ADDRESS_MAX;

use crate::harness::{
    bed::{Bed, On},
    client::PASSWORD,
};

/// More than can be hashed one after the other within the time that a login waits for its turn.
const OTHERS: usize = 250;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_told_to_come_again_is_not_counted_as_a_failure() {
    let bed = Bed::with(On::Embedded, |settings| settings.auth.logins_at_once = NonZeroUsize::new(1)).await;
    bed.as_user("ann").token().await;
    let posts = |name: String| {
        let nobody = bed.nobody();
        tokio::spawn(async move { nobody.post("/api/login", json!({"username": name, "password": PASSWORD})).await })
    };
    let others: Vec<_> = (0..OTHERS).map(|n| posts(format!("nobody{n}"))).collect();
    let wanted = usize::try_from(LOGIN_FAILURES_FROM_ADDRESS_MAX).unwrap() + 1;
    let mut told = 0;
    let anns: Vec<_> = (0..wanted * 3).map(|_| posts("ann".to_owned())).collect();
    for reply in anns {
        let reply = reply.await.unwrap();
        if reply.status == 503 {
            reply.refused(503, "logins_busy");
            assert!(reply.header("retry-after").is_some());
            told += 1;
        }
    }
    for other in others {
        other.await.unwrap();
    }
    assert!(told >= wanted, "only {told} logins of ann were told to come again: the flood is too small");
    bed.nobody().post("/api/login", json!({"username": "ann", "password": PASSWORD})).await.ok();
}
