//! What administrators see and do, and nobody else.

use reqwest::Method;
use serde_json::json;
use swagger_api_agent::{domain::user::Role, store::contract::AccountChange};

use crate::harness::{
    bed::{Bed, On},
    shape::has,
};

super::on_both_stores! {
    only_administrators_are_let_in
    a_role_counts_from_the_moment_it_is_given
    all_sessions_are_listed
    sessions_are_listed_in_pages
    a_cleanup_says_what_is_left
    the_keys_of_a_session_are_listed
    the_keys_of_nobody_are_not_found
}

const ADMINISTRATORS_ONLY: [(Method, &str); 3] =
    [(Method::GET, "/api/admin/sessions"), (Method::GET, "/api/admin/sessions/ann/keys"), (Method::POST, "/api/admin/cleanup")];

async fn only_administrators_are_let_in(on: On) {
    let bed = Bed::on(on).await;
    for (method, path) in ADMINISTRATORS_ONLY {
        let refused = bed.as_user("ann").send(method, path, "application/json", "").await.refused(403, "not_admin");
        assert_eq!(refused["user_id"], "ann");
    }
}

async fn a_role_counts_from_the_moment_it_is_given(on: On) {
    let mut bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    ann.get("/api/admin/sessions").await.refused(403, "not_admin");
    bed.change_account("ann", AccountChange::Role(Role::Admin)).await;
    ann.get("/api/admin/sessions").await.ok();
    bed.change_account("ann", AccountChange::Role(Role::User)).await;
    ann.get("/api/admin/sessions").await.refused(403, "not_admin");
}

async fn all_sessions_are_listed(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.says("Hello.");
    bed.as_user("ann").process("hi").await.ok();
    let own = bed.as_user("bob").get("/api/session/info").await.ok();
    let listed = bed.as_admin().get("/api/admin/sessions").await.ok();
    has(&listed, "success:bool sessions_info:object user_id:text");
    has(&listed["sessions_info"], "total_sessions:count active_sessions:count sessions:object");
    assert_eq!(listed["sessions_info"]["total_sessions"], 2);
    assert_eq!(listed["sessions_info"]["active_sessions"], 2);
    let sessions = &listed["sessions_info"]["sessions"];
    for user in ["ann", "bob"] {
        has(
            &sessions[user],
            "user_id:text session_id:text created_at:time last_active:time is_active:bool conversation_length:count agent_status:object",
        );
        assert_eq!(sessions[user]["user_id"], user);
    }
    assert_eq!((&sessions["ann"]["conversation_length"], &sessions["bob"]["conversation_length"]), (&json!(2), &json!(0)));
    assert_eq!(sessions["bob"]["session_id"], own["session_info"]["session_id"]);
}

async fn sessions_are_listed_in_pages(on: On) {
    let bed = Bed::on(on).await;
    for user in ["ann", "bob", "cleo", "dan", "eve"] {
        bed.as_user(user).get("/api/session/info").await.ok();
    }
    let (mut path, mut seen) = ("/api/admin/sessions?limit=2".to_owned(), Vec::new());
    loop {
        let page = bed.as_admin().get(&path).await.ok();
        let sessions = page["sessions_info"]["sessions"].as_object().unwrap();
        assert!(sessions.len() <= 2 && page["sessions_info"]["total_sessions"] == 5, "{page:#}");
        seen.extend(sessions.keys().cloned());
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/api/admin/sessions?limit=2&cursor={next}");
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    seen.sort();
    assert_eq!(seen, ["ann", "bob", "cleo", "dan", "eve"]);
    let refused = bed.as_admin().get("/api/admin/sessions?limit=-1&cursor=nonsense").await.refused(400, "invalid_query");
    assert_eq!(refused["problems"].as_array().unwrap().len(), 2, "{refused:#}");
}

async fn a_cleanup_says_what_is_left(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").get("/api/session/info").await.ok();
    let cleaned = bed.as_admin().post("/api/admin/cleanup", json!({})).await.ok();
    has(&cleaned, "success:bool message:text current_stats:object");
    let stats = &cleaned["current_stats"];
    has(stats, "total_sessions:count active_sessions:count inactive_sessions:count session_timeout_hours:number last_cleanup:time");
    assert_eq!((&stats["total_sessions"], &stats["inactive_sessions"]), (&json!(1), &json!(0)));
    assert_eq!(stats["session_timeout_hours"], 24.0);
}

async fn the_keys_of_a_session_are_listed(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.says("Hello.");
    bed.as_user("ann").process("hi").await.ok();
    let listed = bed.as_admin().get("/api/admin/sessions/ann/keys").await.ok();
    has(&listed, "success:bool user:text keys:list count:count user_id:text");
    let keys = listed["keys"].as_array().unwrap();
    assert_eq!((&listed["count"], keys.len()), (&json!(4), 4), "the session, its history, the ended runs and the login: {listed:#}");
    for key in keys {
        has(key, "name:text type:text ttl_ms:count size_bytes:count");
        let ttl = key["ttl_ms"].as_u64().unwrap();
        // A login lasts 30 days, all else one.
        let is_login = key["name"].as_str().unwrap().contains("rf") || key["name"] == "refresh/ann";
        assert!((1..=if is_login { 2_592_000_000 } else { 86_400_000 }).contains(&ttl) && key["size_bytes"].as_u64() > Some(0), "{key:#}");
    }
}

async fn the_keys_of_nobody_are_not_found(on: On) {
    let bed = Bed::on(on).await;
    let long = "x".repeat(100);
    for user in ["nobody", "a%20b", "%FF", "..%2F..%2Fann", &long] {
        bed.as_admin().get(&format!("/api/admin/sessions/{user}/keys")).await.refused(404, "session_not_found");
    }
}
