//! Many users at once, each turn once, whatever is done to Redis meanwhile.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::harness::{bed::Bed, client::Client};

/// A refusal comes within this time.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// What came of it.
#[derive(Default, Debug)]
pub struct Done {
    /// Turns of each user, all answered.
    pub turns: Vec<(String, usize)>,
    /// Changing calls that were answered.
    pub calls: usize,
    /// Answers that told somebody to come again.
    pub refused: usize,
    pub slowest_refusal: Duration,
}

/// Lets these users talk and call until something has been done meanwhile; what came of both. A turn that was refused is repeated under its
/// key until it is answered. That they can come in is seen to before: that takes a moment, and Redis.
pub async fn under_load<T>(bed: &Bed, users: &[&str], meanwhile: impl Future<Output = T>) -> (Done, T) {
    for user in users {
        bed.as_user(user).token().await;
    }
    let enough = CancellationToken::new();
    let doing = async {
        let came = meanwhile.await;
        enough.cancel();
        came
    };
    let each = users.iter().enumerate().map(|(at, user)| talks(bed.at(at % bed.count()).as_user(user), user, enough.clone()));
    let (each, came) = tokio::join!(join_all(each), doing);
    let done = each.into_iter().fold(Done::default(), |mut all, one| {
        all.turns.extend(one.turns);
        all.calls += one.calls;
        all.refused += one.refused;
        all.slowest_refusal = all.slowest_refusal.max(one.slowest_refusal);
        all
    });
    (done, came)
}

async fn talks(client: Client, user: &str, until: CancellationToken) -> Done {
    let mut done = Done::default();
    let mut turns = 0;
    while !until.is_cancelled() {
        let keyed = client.clone().with("idempotency-key", &format!("{user}-{turns}"));
        loop {
            let since = Instant::now();
            let reply = keyed.process(&format!("turn {turns}")).await;
            if reply.status == 200 {
                break;
            }
            done.told_to_come_again(reply.status, since);
            assert!(reply.header("retry-after").is_some());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        turns += 1;
        let since = Instant::now();
        let call = client.call("createUser", json!({"name": user, "email": "e"})).await;
        if call.status == 200 { done.calls += 1 } else { done.told_to_come_again(call.status, since) }
    }
    done.turns.push((user.to_owned(), turns));
    done
}

impl Done {
    fn told_to_come_again(&mut self, status: u16, since: Instant) {
        // 409: an attempt whose answer was lost is being undone, or is still under way.
        assert!(matches!(status, 503 | 409), "{status}");
        self.refused += 1;
        if status == 503 {
            self.slowest_refusal = self.slowest_refusal.max(since.elapsed());
        }
    }

    /// Every answered turn stands in its user's conversation once and in its order, and every answered call was sent once.
    pub async fn holds(&self, bed: &Bed) {
        for (user, turns) in &self.turns {
            let history: Vec<String> = bed.as_user(user).history().await.into_iter().filter(|line| line.starts_with("user: ")).collect();
            let newest: Vec<String> = (0..*turns).map(|turn| format!("user: turn {turn}")).collect();
            let seen = history.len().min(newest.len());
            assert!(seen > 0 && history.len() <= newest.len(), "{user}: {history:?}");
            assert_eq!(history, newest[newest.len() - seen..], "{user}: lost or doubled");
        }
        assert_eq!(bed.upstream.log().len(), self.calls, "calls that were answered and calls that were sent");
    }

    /// The machine may have been busy once.
    pub fn was_told_soon(&self) {
        assert!(self.slowest_refusal <= TOLD_WITHIN * 2, "{self:?}");
    }
}
