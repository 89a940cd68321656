//! What no client should send, and what it gets: a refusal with a code and a sentence, and nothing stored.

mod bodies;
mod connections;
mod records;

use crate::harness::bed::Bed;

/// Nothing came of it: no conversation, no call, no question to the model, and (on Redis) no key that was not there before.
struct Nothing {
    keys: Vec<String>,
}

impl Nothing {
    async fn before(bed: &Bed) -> Self {
        // The user's session is there from the first request on.
        bed.as_user("ann").get("/api/session/info").await.ok();
        Self { keys: keys(bed) }
    }

    async fn has_come_of_it(&self, bed: &Bed) {
        // One that is gone says nothing: what a replica says of itself has a TTL, and it may be late with the next.
        let new: Vec<String> = keys(bed).into_iter().filter(|key| !self.keys.contains(key)).collect();
        assert_eq!(new, [""; 0]);
        assert_eq!(bed.as_user("ann").history().await, [""; 0]);
        assert_eq!(bed.upstream.log(), [""; 0]);
        assert!(bed.llm.asked().is_empty());
    }
}

/// All keys but those that count requests, and logins, which is written a moment after them.
fn keys(bed: &Bed) -> Vec<String> {
    bed.redis().keys().into_iter().map(|(name, ..)| name).filter(|name| ![":r:", ":st:"].iter().any(|count| name.contains(count))).collect()
}
