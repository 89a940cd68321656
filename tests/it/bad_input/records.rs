//! Stored records that cannot be read: that session says so, all others go on, and a reset heals.

use redb::{Database, ReadableTable, TableDefinition};
use serde_json::json;

use crate::harness::bed::{Bed, On};

/// A session with one turn, and somebody else's.
async fn two_sessions(on: On) -> Bed {
    let bed = Bed::on(on).await;
    for user in ["ann", "bob"] {
        bed.llm.says(&format!("Hello {user}."));
        bed.as_user(user).process("hi").await.ok();
    }
    bed
}

/// Ann's conversation cannot be read, Bob's can, and Ann helps herself.
async fn only_hers_is_unreadable_until_she_resets_it(bed: &Bed) {
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    let told = ann.get("/api/history").await.refused(409, "session_unreadable");
    assert!(told["error"].as_str().unwrap().contains("/api/session/reset") && told["user_id"] == "ann", "{told:#}");
    ann.process("hello?").await.refused(409, "session_unreadable");
    ann.process("hello?").await.refused(409, "session_unreadable");
    assert_eq!(bob.history().await, ["user: hi", "assistant: Hello bob."]);
    bed.as_admin().get("/api/admin/sessions").await.ok();
    assert_eq!(bed.nobody().get("/health").await.json()["status"], "healthy");

    ann.post("/api/session/reset", json!({})).await.ok();
    bed.llm.says("Hello again.");
    ann.process("hi").await.ok();
    assert_eq!(bed.llm.heard(), ["user: hi"]);
    assert_eq!(ann.history().await, ["user: hi", "assistant: Hello again."]);
}

#[tokio::test]
async fn a_session_with_a_broken_field_in_redis() {
    let bed = two_sessions(On::Redis).await;
    let _: u64 = bed.redis().command("HSET", &[&bed.redis().key("s", "ann"), "len", "many"]);
    bed.as_user("ann").get("/api/session/info").await.refused(409, "session_unreadable");
    bed.as_user("ann").call("getUsers", json!({})).await.refused(409, "session_unreadable");
    only_hers_is_unreadable_until_she_resets_it(&bed).await;
}

#[tokio::test]
async fn a_session_of_another_type_in_redis() {
    let bed = two_sessions(On::Redis).await;
    let _: String = bed.redis().command("SET", &[&bed.redis().key("s", "ann"), "garbage"]);
    only_hers_is_unreadable_until_she_resets_it(&bed).await;
}

#[tokio::test]
async fn a_broken_turn_in_redis() {
    let bed = two_sessions(On::Redis).await;
    let _: String = bed.redis().command("LSET", &[&bed.redis().key("h", "ann"), "0", "garbage"]);
    only_hers_is_unreadable_until_she_resets_it(&bed).await;
}

#[tokio::test]
async fn a_history_of_another_type_in_redis() {
    let bed = two_sessions(On::Redis).await;
    let _: String = bed.redis().command("SET", &[&bed.redis().key("h", "ann"), "garbage"]);
    only_hers_is_unreadable_until_she_resets_it(&bed).await;
}

/// Writes garbage over one record of a stopped service's file.
async fn spoil(bed: &mut Bed, write: impl Fn(&Database)) {
    let file = bed.settings.store.data_dir.join("agent.redb");
    bed.restart(async |settings| {
        // Whoever opens the store last has seen its last holder go.
        drop(crate::harness::bed::opened(settings).await);
        write(&Database::open(&file).expect("the file is free"));
    })
    .await;
}

#[tokio::test]
async fn a_broken_session_in_the_file() {
    let mut bed = two_sessions(On::Embedded).await;
    spoil(&mut bed, |database| {
        let transaction = database.begin_write().unwrap();
        let sessions: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("sessions");
        assert!(transaction.open_table(sessions).unwrap().insert("ann:main", &b"garbage"[..]).unwrap().is_some());
        transaction.commit().unwrap();
    })
    .await;
    only_hers_is_unreadable_until_she_resets_it(&bed).await;
}

#[tokio::test]
async fn a_broken_turn_in_the_file() {
    let mut bed = two_sessions(On::Embedded).await;
    spoil(&mut bed, |database| {
        let transaction = database.begin_write().unwrap();
        let history: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("history");
        assert!(transaction.open_table(history).unwrap().get(("ann:main", 0)).unwrap().is_some());
        transaction.open_table(history).unwrap().insert(("ann:main", 0), &b"garbage"[..]).unwrap();
        transaction.commit().unwrap();
    })
    .await;
    only_hers_is_unreadable_until_she_resets_it(&bed).await;
}
