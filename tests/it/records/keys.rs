//! Sealing that is switched on and off, and keys that come and go.

use serde_json::json;

use super::{keys, on_both_stores, sealed_under};
use crate::harness::{
    bed::{Bed, On},
    client::Client,
};

on_both_stores! {
    plain_and_sealed_turns_are_one_conversation
    a_new_key_seals_and_the_old_one_opens
    without_its_key_a_session_is_unreadable
    large_turns_are_compressed_where_that_is_asked_for
}

async fn says(bed: &Bed, client: &Client, word: &str) {
    bed.llm.says(&format!("{word}."));
    client.process(word).await.ok();
}

/// Starts the service anew with these keys.
async fn with_keys(bed: &mut Bed, ids: &[&str], seals: bool) {
    bed.settings.store.sealing_keys = keys(ids);
    bed.settings.store.seal_conversations = seals;
    bed.restart(async |_| {}).await;
}

/// How each of a user's turns begins in the store.
async fn forms(bed: &mut Bed, user: &str) -> Vec<String> {
    let turns = bed.behind(|store| store.turns(user)).await;
    turns.iter().map(|record| String::from_utf8_lossy(&record[..2]).into_owned()).collect()
}

async fn plain_and_sealed_turns_are_one_conversation(on: On) {
    let mut bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    says(&bed, &ann, "one").await;
    with_keys(&mut bed, &["a"], true).await;
    says(&bed, &ann, "two").await;
    with_keys(&mut bed, &["a"], false).await;
    says(&bed, &ann, "three").await;
    assert_eq!(forms(&mut bed, "ann").await, ["10", "24", "10"]);
    let all = ["user: one", "assistant: one.", "user: two", "assistant: two.", "user: three", "assistant: three."];
    assert_eq!(ann.history().await, all);
    assert_eq!(bed.llm.heard()[..5], all[..5].iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), "the model is told all of it");
}

async fn a_new_key_seals_and_the_old_one_opens(on: On) {
    let mut bed = Bed::with(on, sealed_under(&["a"])).await;
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    says(&bed, &ann, "one").await;
    let of_ann = bed.behind(|store| store.session_key("ann")).await;
    for round in [&["b", "a"][..], &["c", "b", "a"]] {
        with_keys(&mut bed, round, true).await;
        says(&bed, &ann, round[0]).await;
    }
    says(&bed, &bob, "hello").await;
    assert_eq!(ann.history().await.len(), 6);
    assert_eq!(bed.behind(|store| store.session_key("ann")).await, of_ann, "a session keeps its key");
    with_keys(&mut bed, &["c"], true).await;
    assert_eq!(bob.history().await, ["user: hello", "assistant: hello."], "a session that began later needs the old ones no more");
}

async fn without_its_key_a_session_is_unreadable(on: On) {
    let mut bed = Bed::with(on, sealed_under(&["a"])).await;
    let ann = bed.as_user("ann");
    says(&bed, &ann, "one").await;
    let another = [(&["b"][..], true), (&["b"], false), (&[], false)];
    for (ids, seals) in another {
        with_keys(&mut bed, ids, seals).await;
        ann.get("/api/history").await.refused(409, "session_unreadable");
        ann.process("go on").await.refused(409, "session_unreadable");
    }
    with_keys(&mut bed, &["b", "a"], true).await;
    assert_eq!(ann.history().await, ["user: one", "assistant: one."], "nothing was touched");
    with_keys(&mut bed, &["b"], true).await;
    ann.post("/api/session/reset", json!({})).await.ok();
    says(&bed, &ann, "anew").await;
    assert_eq!(ann.history().await, ["user: anew", "assistant: anew."]);
}

async fn large_turns_are_compressed_where_that_is_asked_for(on: On) {
    let mut bed = Bed::with(on, |settings| settings.store.compress_over_bytes = 1000).await;
    let ann = bed.as_user("ann");
    let long = "all work and no play ".repeat(500);
    says(&bed, &ann, "short").await;
    says(&bed, &ann, &long).await;
    bed.settings.store.sealing_keys = keys(&["a"]);
    bed.settings.store.seal_conversations = true;
    bed.restart(async |_| {}).await;
    says(&bed, &ann, &long).await;
    assert_eq!(forms(&mut bed, "ann").await, ["10", "21", "25"]);
    let sizes: Vec<usize> = bed.behind(|store| store.turns("ann")).await.iter().map(Vec::len).collect();
    assert!(sizes[1] < 1000 && sizes[2] < 1000, "{sizes:?}");
    assert!(ann.history().await[2] == format!("user: {long}"), "it comes back as it was said");
}
