//! What a run wrote before it acted is there for whoever finds it dead.

use swagger_api_agent::store::contract::{Cleared, Entry, Stepped, Taken};

use super::{
    bed::{Ask, Bed, LONG_MS, SHORT_MS, Token, lease_of, turn},
    on_both_stores_sealed_too,
};

on_both_stores_sealed_too!(
    a_taker_finds_the_journal_of_a_dead_run,
    an_entry_is_written_once,
    entries_of_one_step_enter_together,
    the_journal_outlives_two_crashes_in_a_row,
    a_commit_settles_the_journal,
    a_stale_step_leaves_nothing_in_the_journal,
    clearing_leaves_the_journal_to_be_told,
    a_reset_drops_the_journal,
    entries_are_bytes,
);

fn entry(field: &str, value: &str) -> Entry {
    Entry { field: field.to_owned(), value: value.as_bytes().to_vec() }
}

/// The journal that whoever goes on with a dead run finds, as `run|field=value`, sorted.
async fn found(bed: &Bed, token: &Token) -> Vec<String> {
    let taken = bed.taken(token, "T#1", SHORT_MS).await;
    let told = |e: &swagger_api_agent::domain::turn::JournalEntry| format!("{}|{}={}", e.run, e.field, String::from_utf8_lossy(&e.value));
    let mut entries: Vec<String> = taken.journal.iter().map(told).collect();
    entries.sort();
    entries
}

async fn dies(bed: &Bed, token: &Token, run: &str, entries: &[Entry]) {
    let ask = Ask::new(token, run).lease_ms(SHORT_MS);
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(bed.store().step(&lease, SHORT_MS, entries).await, Ok(Stepped::Held));
    bed.pass(SHORT_MS * 2).await;
}

async fn a_taker_finds_the_journal_of_a_dead_run(bed: Bed) {
    let ann = bed.user("ann").await;
    dies(&bed, &ann, "r1", &[entry("c1i", "POST /orders")]).await;
    assert_eq!(found(&bed, &ann).await, ["r1|c1i=POST /orders", "r1|in=r1"]);
}

async fn an_entry_is_written_once(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1").lease_ms(SHORT_MS);
    let lease = ask.lease(&bed.started(&ask).await);
    bed.store().step(&lease, LONG_MS, &[entry("c1r", "first")]).await.unwrap();
    assert_eq!(bed.store().step(&lease, SHORT_MS, &[entry("c1r", "second")]).await, Ok(Stepped::Held));
    bed.pass(SHORT_MS * 2).await;
    assert_eq!(found(&bed, &ann).await, ["r1|c1r=first", "r1|in=r1"]);
}

async fn entries_of_one_step_enter_together(bed: Bed) {
    let ann = bed.user("ann").await;
    dies(&bed, &ann, "r1", &[entry("c1i", "a"), entry("c2i", "b"), entry("c3i", "c")]).await;
    assert_eq!(found(&bed, &ann).await, ["r1|c1i=a", "r1|c2i=b", "r1|c3i=c", "r1|in=r1"]);
}

async fn the_journal_outlives_two_crashes_in_a_row(bed: Bed) {
    let ann = bed.user("ann").await;
    dies(&bed, &ann, "r1", &[entry("c1i", "POST /pay")]).await;
    let taker = lease_of(&ann, &bed.taken(&ann, "B#1", SHORT_MS).await);
    assert_eq!(bed.store().step(&taker, SHORT_MS, &[entry("c2i", "POST /ship")]).await, Ok(Stepped::Held));
    bed.pass(SHORT_MS * 2).await;
    let again = bed.taken(&ann, "C#1", SHORT_MS).await;
    assert_eq!((again.started.run.as_str(), again.crashes), ("r1", 2));
    bed.pass(SHORT_MS * 2).await;
    assert_eq!(found(&bed, &ann).await, ["r1|c1i=POST /pay", "r1|c2i=POST /ship", "r1|in=r1"]);
}

async fn a_commit_settles_the_journal(bed: Bed) {
    let ann = bed.user("ann").await;
    dies(&bed, &ann, "r1", &[entry("c1i", "POST /pay")]).await;
    let taker = lease_of(&ann, &bed.taken(&ann, "B#1", LONG_MS).await);
    bed.commit(&taker, &[turn("r1")]).await;
    dies(&bed, &ann, "r2", &[]).await;
    assert_eq!(found(&bed, &ann).await, ["r2|in=r2"]);
}

async fn a_stale_step_leaves_nothing_in_the_journal(bed: Bed) {
    let ann = bed.user("ann").await;
    let zombie = Ask::new(&ann, "r1").lease_ms(SHORT_MS);
    let lost = zombie.lease(&bed.started(&zombie).await);
    bed.pass(SHORT_MS * 2).await;
    bed.taken(&ann, "B#1", SHORT_MS).await;
    assert_eq!(bed.store().step(&lost, LONG_MS, &[entry("c1i", "POST /pay")]).await, Ok(Stepped::Stale));
    bed.pass(SHORT_MS * 2).await;
    assert_eq!(found(&bed, &ann).await, ["r1|in=r1"]);
}

async fn clearing_leaves_the_journal_to_be_told(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "r0").await;
    dies(&bed, &ann, "r1", &[entry("c1i", "POST /pay")]).await;
    assert!(matches!(bed.store().clear(ann.caller(), None).await, Ok(Cleared::Done(_))));
    assert_eq!(found(&bed, &ann).await, ["r1|c1i=POST /pay", "r1|in=r1"]);
}

async fn a_reset_drops_the_journal(bed: Bed) {
    let ann = bed.user("ann").await;
    dies(&bed, &ann, "r1", &[entry("c1i", "POST /pay")]).await;
    bed.store().reset(ann.caller(), None).await.unwrap();
    assert_eq!(bed.take(&ann, "B#1", LONG_MS).await, Taken::Nothing);
    dies(&bed, &ann, "r2", &[]).await;
    assert_eq!(found(&bed, &ann).await, ["r2|in=r2"]);
}

async fn entries_are_bytes(bed: Bed) {
    let ann = bed.user("ann").await;
    let all: Vec<u8> = (0..=255).collect();
    let value = Entry { field: "c1i".to_owned(), value: all.clone() };
    dies(&bed, &ann, "r1", &[value, entry("c2i", "")]).await;
    let taken = bed.taken(&ann, "B#1", LONG_MS).await;
    let of = |field: &str| taken.journal.iter().find(|e| e.field == field).map(|e| e.value.clone());
    assert_eq!((of("c1i"), of("c2i")), (Some(all), Some(Vec::new())));
}
