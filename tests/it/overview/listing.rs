//! The list of sessions where there are many: filtered, and gone through while sessions come and go.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    contract::on_both_stores,
    harness::{
        bed::{Bed, On},
        client::Client,
    },
};

on_both_stores! {
    sessions_are_found_by_the_beginning_of_their_users_name
    sessions_in_which_something_is_done_are_told_apart
    what_cannot_be_asked_is_refused_with_all_reasons
    the_keys_of_one_session_are_its_own
}

/// The names of a page, in its order, and where the next one begins.
async fn page(admin: &Client, query: &str) -> (Vec<String>, Option<String>) {
    let told = admin.get(&format!("/api/admin/sessions?{query}")).await.ok();
    let names = told["sessions_info"]["sessions"].as_object().unwrap().keys().cloned().collect();
    (names, told["next_cursor"].as_str().map(|next| next.replace('%', "%25").replace('+', "%2B")))
}

async fn all(admin: &Client, query: &str) -> Vec<String> {
    let (mut seen, mut next) = page(admin, query).await;
    while let Some(cursor) = next {
        let (more, after) = page(admin, &format!("{query}&cursor={cursor}")).await;
        seen.extend(more);
        next = after;
    }
    seen
}

async fn sessions_are_found_by_the_beginning_of_their_users_name(on: On) {
    let bed = Bed::on(on).await;
    for user in ["anna", "bob", "ann", "张三", "anna-lena", "a+b"] {
        bed.as_user(user).get("/api/session/info").await.ok();
    }
    let admin = bed.as_admin();
    assert_eq!(all(&admin, "user=ann").await, ["anna-lena", "ann", "anna"], "newest first");
    assert_eq!(all(&admin, "user=ann&limit=1").await, ["anna-lena", "ann", "anna"]);
    assert_eq!(all(&admin, "user=anna-").await, ["anna-lena"]);
    assert_eq!(all(&admin, "user=%E5%BC%A0").await, ["张三"]);
    assert_eq!(all(&admin, "user=a%2Bb&sort=last_used").await, ["a+b"]);
    assert_eq!(all(&admin, "user=x").await, [] as [&str; 0]);
    assert_eq!(all(&admin, "user=").await.len(), 6);
}

async fn sessions_in_which_something_is_done_are_told_apart(on: On) {
    let bed = Bed::on(on).await;
    let gate = bed.llm.says("Done.").held();
    let answer = bed.as_user("ann").processing("wait");
    gate.reached().await;
    for user in ["bob", "annabel"] {
        bed.as_user(user).get("/api/session/info").await.ok();
    }
    let admin = bed.as_admin();
    assert_eq!(all(&admin, "state=running").await, ["ann"]);
    assert_eq!(all(&admin, "state=running&user=b").await, [] as [&str; 0]);
    assert_eq!(all(&admin, "state=idle").await, ["annabel", "bob"]);
    assert_eq!(all(&admin, "state=idle&user=ann&limit=1").await, ["annabel"]);
    gate.open();
    answer.await.unwrap().ok();
    assert_eq!(all(&admin, "state=running").await, [] as [&str; 0]);
    assert_eq!(all(&admin, "state=idle").await, ["ann", "annabel", "bob"]);
}

async fn what_cannot_be_asked_is_refused_with_all_reasons(on: On) {
    let bed = Bed::on(on).await;
    let long = "n".repeat(65);
    let query = format!("/api/admin/sessions?limit=0&cursor=x&state=tired&sort=user&user={long}");
    let refused = bed.as_admin().get(&query).await.refused(400, "invalid_query");
    assert_eq!(refused["problems"].as_array().unwrap().len(), 5, "{refused:#}");
    assert!(refused["error"].as_str().unwrap().contains("last_used"), "{refused:#}");
}

async fn the_keys_of_one_session_are_its_own(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let other = ann.post("/api/sessions", json!({"title": "other"})).await.json()["session"]["id"].as_str().unwrap().to_owned();
    bed.llm.says("Hello.").says("Hello.");
    ann.process("hi").await.ok();
    ann.clone().with("x-session-id", &other).process("hi").await.ok();
    let main = ann.get("/api/session/info").await.ok()["session_info"]["session_id"].as_str().unwrap().to_owned();
    let keys = async |session: &str| -> BTreeSet<String> {
        let told = bed.as_admin().get(&format!("/api/admin/sessions/ann/{session}/keys")).await.ok();
        assert_eq!((&told["session_id"], &told["user"]), (&json!(session), &json!("ann")));
        let name = |key: &Value| key["name"].as_str().unwrap().to_owned();
        told["keys"].as_array().unwrap().iter().map(name).collect()
    };
    let (of_main, of_other) = (keys(&main).await, keys(&other).await);
    assert_eq!((of_main.len(), of_other.len()), (2, 2), "the session and its history: {of_main:?} {of_other:?}");
    assert!(of_main.is_disjoint(&of_other), "{of_main:?} {of_other:?}");
    for nobody in ["ann/nothing", &format!("bob/{main}"), "%FF/x"] {
        bed.as_admin().get(&format!("/api/admin/sessions/{nobody}/keys")).await.refused(404, "session_not_found");
    }
}

/// What copies sessions by the thousand (`tests/perf/sessions.lua`).
const COPIES: &str = include_str!("../../perf/sessions.lua");
const SEEDED: usize = 2000;

#[tokio::test]
async fn every_session_is_listed_exactly_once_while_others_come_and_go() {
    let bed = Bed::on(On::Redis).await;
    for n in 0..7 {
        bed.as_user(&format!("u{n:03}")).get("/api/session/info").await.ok();
    }
    bed.redis().command::<Vec<u64>>("EVAL", &[COPIES, "0", "0", &(SEEDED - 1).to_string()]);
    let admin = bed.as_admin();
    let (mut seen, mut next, mut n) = (Vec::new(), Some(String::new()), 0);
    while let Some(cursor) = next {
        let after = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
        let (names, further) = page(&admin, &format!("limit=150{after}")).await;
        seen.extend(names);
        next = further;
        // Meanwhile somebody comes, somebody goes, and somebody uses a session that was seen already.
        bed.as_user(&format!("new{n}")).get("/api/session/info").await.ok();
        bed.as_user("u000").get("/api/session/info").await.ok();
        bed.as_admin().delete(&format!("/api/admin/sessions/new{n}")).await.ok();
        n += 1;
    }
    assert!(n > 10, "{n} pages");
    let copies: Vec<&String> = seen.iter().filter(|name| name.starts_with("copy")).collect();
    let once: BTreeSet<&String> = copies.iter().copied().collect();
    assert_eq!((copies.len(), once.len()), (SEEDED, SEEDED));
    let found = all(&admin, "user=copy0019&limit=1000").await;
    assert_eq!(found.iter().cloned().collect::<BTreeSet<_>>(), (1900..2000).map(|n| format!("copy{n:06}")).collect());
    assert_eq!(all(&admin, "user=copy001234").await, ["copy001234"]);
}
