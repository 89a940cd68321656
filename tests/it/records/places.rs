//! A sealed record opens in its own place only: whoever can write to the store can make a session unreadable, and never another's.

use serde_json::json;

use super::{keyed, on_both_stores, sealed_under};
use crate::harness::{
    bed::{Bed, On},
    client::Client,
};

on_both_stores! {
    a_turn_of_another_user_is_not_told
    an_older_turn_in_the_place_of_a_newer_is_not_told
    a_turn_of_a_session_that_was_reset_is_shredded
    a_session_that_an_administrator_ends_leaves_no_key
    a_record_of_another_kind_is_no_turn
    an_answer_belongs_to_its_key
    a_kept_result_belongs_to_its_user_and_id
    a_flipped_bit_is_noticed
}

/// Ann and Bob have said two things each.
async fn two(on: On) -> (Bed, Client, Client) {
    let bed = Bed::with(on, sealed_under(&["a"])).await;
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    for (client, name) in [(&ann, "ann"), (&bob, "bob")] {
        for word in ["one", "two"] {
            bed.llm.says(&format!("To {name}."));
            client.process(&format!("{word} of {name}")).await.ok();
        }
    }
    (bed, ann, bob)
}

/// A client's conversation cannot be read, nothing of anybody's is told, the session is not held, and a reset is the way out.
async fn unreadable(bed: &Bed, client: &Client) {
    for _ in 0..2 {
        let refused = client.get("/api/history").await.refused(409, "session_unreadable");
        assert!(!["of ann", "of bob", "To "].iter().any(|told| refused.to_string().contains(told)), "{refused}");
        client.process("go on").await.refused(409, "session_unreadable");
    }
    client.post("/api/session/reset", json!({})).await.ok();
    bed.llm.says("Anew.");
    client.process("anew").await.ok();
    assert_eq!(client.history().await, ["user: anew", "assistant: Anew."]);
}

async fn a_turn_of_another_user_is_not_told(on: On) {
    let (mut bed, ann, bob) = two(on).await;
    bed.behind(|store| {
        let (of_ann, key) = (store.turns("ann"), store.session_key("ann").expect("a key"));
        assert!(of_ann.iter().all(|record| record.starts_with(b"24")), "{of_ann:?}");
        store.put_turn("bob", 1, &of_ann[1]);
        store.put_session_key("bob", &key);
    })
    .await;
    unreadable(&bed, &bob).await;
    assert_eq!(ann.history().await[0], "user: one of ann");
}

async fn an_older_turn_in_the_place_of_a_newer_is_not_told(on: On) {
    let (mut bed, ann, bob) = two(on).await;
    bed.behind(|store| {
        let older = store.turns("ann")[0].clone();
        store.put_turn("ann", 1, &older);
    })
    .await;
    unreadable(&bed, &ann).await;
    assert_eq!(bob.history().await.len(), 4);
}

async fn a_turn_of_a_session_that_was_reset_is_shredded(on: On) {
    let (mut bed, ann, _) = two(on).await;
    let (turns, key) = bed.behind(|store| (store.turns("ann"), store.session_key("ann").expect("a key"))).await;
    ann.post("/api/session/reset", json!({})).await.ok();
    assert_eq!(bed.behind(|store| store.session_key("ann")).await, None, "the key is gone with its session");
    bed.llm.says("One.").says("Two.");
    ann.process("one").await.ok();
    ann.process("two").await.ok();
    bed.behind(|store| {
        assert_ne!(store.session_key("ann").expect("a key"), key, "and the next session has another");
        store.put_turn("ann", 1, &turns[1]);
    })
    .await;
    ann.get("/api/history").await.refused(409, "session_unreadable");
    // Nor in the new session with the old one's key.
    bed.behind(|store| {
        store.put_turn("ann", 0, &turns[0]);
        store.put_session_key("ann", &key);
    })
    .await;
    unreadable(&bed, &ann).await;
}

async fn a_session_that_an_administrator_ends_leaves_no_key(on: On) {
    let (mut bed, ann, bob) = two(on).await;
    let key = bed.behind(|store| store.session_key("ann").expect("a key")).await;
    bed.as_admin().delete("/api/admin/sessions/ann").await.ok();
    bed.llm.says("Anew.");
    ann.process("anew").await.ok();
    assert_ne!(bed.behind(|store| store.session_key("ann").expect("a key")).await, key);
    assert_eq!((ann.history().await.len(), bob.history().await.len()), (2, 4));
}

async fn a_record_of_another_kind_is_no_turn(on: On) {
    let (mut bed, ann, _) = two(on).await;
    bed.llm.calls([("getUser", json!({"id": 200_000}))]).says("Long.");
    let id = ann.process("a long one").await.ok()["function_calls"][0]["result_id"].clone();
    bed.behind(|store| {
        let result = store.result("ann", id.as_str().expect("it is kept"));
        assert!(result.starts_with(b"22\x01a"), "{:?}", &result[..4]);
        store.put_turn("ann", 1, &result);
    })
    .await;
    unreadable(&bed, &ann).await;
}

async fn an_answer_belongs_to_its_key(on: On) {
    let (mut bed, ann, _) = two(on).await;
    let again = async |key: &str| keyed(ann.clone(), key).process("the same").await;
    bed.llm.says("One.").says("Two.");
    assert_eq!((again("k-1").await.message(), again("k-2").await.message()), ("One.".to_owned(), "Two.".to_owned()));
    bed.behind(|store| store.swap_answers("ann")).await;
    for key in ["k-1", "k-2"] {
        again(key).await.refused(409, "session_unreadable");
    }
    bed.behind(|store| store.swap_answers("ann")).await;
    assert_eq!((again("k-1").await.message(), again("k-2").await.message()), ("One.".to_owned(), "Two.".to_owned()));
}

async fn a_kept_result_belongs_to_its_user_and_id(on: On) {
    let (mut bed, ann, bob) = two(on).await;
    let mut ids = Vec::new();
    for (client, bytes) in [(&ann, 200_000), (&ann, 300_000), (&bob, 400_000)] {
        bed.llm.calls([("getUser", json!({"id": bytes}))]).says("Long.");
        let id = client.process("a long one").await.ok()["function_calls"][0]["result_id"].clone();
        ids.push(id.as_str().expect("it is kept").to_owned());
    }
    let path = |id: &str| format!("/api/results/{id}");
    assert_eq!(ann.get(&path(&ids[0])).await.status, 200);
    bed.behind(|store| {
        store.copy_result(("ann", &ids[0]), ("ann", &ids[1]));
        store.copy_result(("ann", &ids[0]), ("bob", &ids[2]));
    })
    .await;
    ann.get(&path(&ids[1])).await.refused(409, "session_unreadable");
    bob.get(&path(&ids[2])).await.refused(409, "session_unreadable");
    assert_eq!(ann.get(&path(&ids[0])).await.status, 200);
}

async fn a_flipped_bit_is_noticed(on: On) {
    let (mut bed, ann, bob) = two(on).await;
    let turn = bed.behind(|store| store.turns("ann")[1].clone()).await;
    // Both bytes of the form, the nonce, what is sealed, its tag.
    let places = [0, 1, 2, 13, 14, turn.len() / 2, turn.len() - 16, turn.len() - 1];
    for (at, bit) in places.into_iter().zip([0, 1, 2, 3, 4, 5, 6, 7]) {
        let mut flipped = turn.clone();
        flipped[at] ^= 1 << bit;
        bed.behind(|store| store.put_turn("ann", 1, &flipped)).await;
        let reply = ann.get("/api/history").await;
        assert_eq!(reply.status, 409, "bit {bit} of byte {at}: {}", reply.text());
        assert!(!reply.text().contains("of ann"), "{}", reply.text());
    }
    bed.behind(|store| store.put_turn("ann", 1, &turn)).await;
    assert_eq!((ann.history().await.len(), bob.history().await.len()), (4, 4));
}
