//! The audit log: what is written into it, who may read it, and that nothing secret stands in it.

use serde_json::{Value, json};

use super::{Login, exchanged, on_both_stores, set};
use crate::harness::{
    bed::{Bed, On},
    client::PASSWORD,
    shape::has,
};

on_both_stores! {
    whoever_reads_anothers_session_leaves_a_record
    whoever_ends_anothers_session_leaves_a_record
    too_many_wrong_passwords_leave_one_record
    a_refresh_token_that_comes_again_leaves_a_record
    a_logout_everywhere_and_a_reload_leave_records
    the_log_is_read_in_pages_and_by_what_one_looks_for
    a_place_before_all_records_ends_the_log
    whoever_lacks_the_scope_reads_neither_the_log_nor_contents
}

/// The records about a user or by one, newest first, as `action by→user`.
pub(super) async fn log_of(bed: &Bed, query: &str) -> Vec<String> {
    let told = bed.as_admin().get(&format!("/api/admin/audit?{query}")).await.ok();
    has(&told, "success:bool records:list count:count user_id:text");
    let records = told["records"].as_array().unwrap();
    records.iter().for_each(|record| has(record, "id:text at:time action:text details:object"));
    let name = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    records.iter().map(|record| format!("{} {}→{}", name(&record["action"]), name(&record["by"]), name(&record["user"]))).collect()
}

async fn whoever_reads_anothers_session_leaves_a_record(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.says("Hello Ann.").says("Again.");
    bed.as_user("ann").process("hi, a private thing").await.ok();
    bed.as_user("ann").process("more").await.ok();
    let read = bed.as_admin().get("/api/admin/sessions/ann/history?limit=2").await.ok();
    let own = bed.as_user("ann").get("/api/history?limit=2").await.ok();
    assert_eq!((&read["history"], &read["total"], &read["next_before"]), (&own["history"], &own["total"], &own["next_before"]));
    assert_eq!((&read["user"], &read["user_id"], &read["session_id"]), (&json!("ann"), &json!("root"), &own["session_id"]));
    assert_eq!(log_of(&bed, "user=ann").await, ["session_read root→ann"]);
    let all = bed.as_admin().get("/api/admin/audit").await.ok();
    assert_eq!(all["records"][0]["details"]["session"], own["session_id"]);
    assert!(!all.to_string().contains("private"), "{all:#}");
    bed.as_admin().get("/api/admin/sessions/nobody/history").await.refused(404, "session_not_found");
    bed.as_admin().get("/api/admin/sessions/ann/history?limit=x").await.refused(400, "invalid_query");
    assert_eq!(log_of(&bed, "user=ann").await.len(), 1, "nothing was read");
}

async fn whoever_ends_anothers_session_leaves_a_record(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").get("/api/session/info").await.ok();
    bed.as_admin().delete("/api/admin/sessions/ann").await.ok();
    bed.as_admin().delete("/api/admin/sessions/ann").await.refused(404, "session_not_found");
    assert_eq!(log_of(&bed, "user=ann").await, ["session_ended root→ann"]);
}

async fn too_many_wrong_passwords_leave_one_record(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").token().await;
    let tries = async |password: &str| bed.nobody().post("/api/login", json!({"username": "ann", "password": password})).await;
    for _ in 0..10 {
        tries("certainly not it").await.refused(401, "wrong_credentials");
    }
    assert!(log_of(&bed, "user=ann").await.is_empty());
    for password in ["certainly not it", PASSWORD, PASSWORD] {
        tries(password).await.refused(429, "too_many_failures");
    }
    assert_eq!(log_of(&bed, "user=ann").await, ["login_throttled -→ann"]);
    let all = bed.as_admin().get("/api/admin/audit").await.ok();
    assert_eq!(all["records"][0]["details"]["address"], "127.0.0.1");
    assert!(!all.to_string().contains("certainly"), "{all:#}");
}

async fn a_refresh_token_that_comes_again_leaves_a_record(on: On) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    let next = Login::of(&login.refreshes(&bed, 0).await.ok());
    next.refreshes(&bed, 0).await.ok();
    exchanged(&bed, 0, &login.refresh).await.refused(401, "refresh_token_reused");
    assert_eq!(log_of(&bed, "action=refresh_reused").await, ["refresh_reused -→ann"]);
    let all = bed.as_admin().get("/api/admin/audit").await.ok().to_string();
    assert!(login.refresh.split('.').skip(2).all(|secret| !all.contains(secret)), "{all}");
}

async fn a_logout_everywhere_and_a_reload_leave_records(on: On) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    Login::new(&bed, "bob").await.at(&bed, 0).post("/api/logout", json!({})).await.ok();
    login.at(&bed, 0).post("/api/logout/all", json!({})).await.ok();
    bed.as_admin().post("/api/admin/openapi/reload", json!({})).await.ok();
    assert_eq!(log_of(&bed, "").await, ["documents_reloaded root→-", "logged_out_everywhere ann→ann"]);
}

async fn the_log_is_read_in_pages_and_by_what_one_looks_for(on: On) {
    let bed = Bed::on(on).await;
    for user in ["ann", "bob", "cleo"] {
        bed.as_user(user).get("/api/session/info").await.ok();
        bed.as_admin().get(&format!("/api/admin/sessions/{user}/history")).await.ok();
    }
    bed.as_admin().delete("/api/admin/sessions/bob").await.ok();
    let mut seen = Vec::new();
    let mut path = "/api/admin/audit?limit=3".to_owned();
    loop {
        let page = bed.as_admin().get(&path).await.ok();
        seen.extend(page["records"].as_array().unwrap().iter().map(|record| record["user"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/api/admin/audit?limit=3&cursor={next}");
    }
    assert_eq!(seen, ["bob", "cleo", "bob", "ann"]);
    assert_eq!(log_of(&bed, "user=bob").await, ["session_ended root→bob", "session_read root→bob"]);
    assert_eq!(log_of(&bed, "user=bob&action=session_read").await, ["session_read root→bob"]);
    assert_eq!(log_of(&bed, "since=2020-01-01T00:00:00Z").await.len(), 4);
    assert!(log_of(&bed, "since=2120-01-01T00:00:00%2B08:00").await.is_empty());
    let wrong = "/api/admin/audit?limit=0&cursor=x&action=moon_walked&since=yesterday";
    let problems = bed.as_admin().get(wrong).await.refused(400, "invalid_query")["problems"].clone();
    assert_eq!(problems.as_array().unwrap().len(), 4, "{problems:#}");
    assert!(problems.to_string().contains("there are login_throttled, "), "{problems:#}");
}

async fn a_place_before_all_records_ends_the_log(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").post("/api/logout/all", json!({})).await.ok();
    for cursor in ["0-0", "0-1", "1-0"] {
        assert!(log_of(&bed, &format!("cursor={cursor}")).await.is_empty(), "{cursor}");
    }
    let last = u64::MAX;
    assert_eq!(log_of(&bed, &format!("cursor={last}-{last}")).await, ["logged_out_everywhere ann→ann"]);
}

async fn whoever_lacks_the_scope_reads_neither_the_log_nor_contents(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").get("/api/session/info").await.ok();
    bed.as_user("eve").token().await;
    let (log, contents) = ("/api/admin/audit", "/api/admin/sessions/ann/history");
    for path in [log, contents] {
        bed.as_user("eve").get(path).await.refused(403, "not_admin");
    }
    for (scopes, allowed, refused, lacks) in
        [(["audit:read"], log, contents, "sessions:content"), (["sessions:content"], contents, log, "audit:read")]
    {
        set(&bed, "eve", json!({"scopes": scopes})).await;
        bed.as_user("eve").get(allowed).await.ok();
        assert_eq!(bed.as_user("eve").get(refused).await.refused(403, "insufficient_scope")["scope"], lacks);
    }
    assert_eq!(log_of(&bed, "action=session_read").await, ["session_read eve→ann"]);
}

#[tokio::test]
async fn contents_are_not_given_away_while_the_log_cannot_be_written() {
    let bed = Bed::on(On::Redis).await;
    bed.as_user("ann").get("/api/session/info").await.ok();
    bed.as_admin().get("/api/session/info").await.ok();
    // A key of another type takes no record.
    let _: String = bed.redis().command("SET", &["saa:{audit}:log", "x"]);
    let refused = bed.as_admin().get("/api/admin/sessions/ann/history").await;
    assert!(refused.status >= 400 && !refused.text().contains("\"history\""), "{}", refused.text());
    bed.as_admin().delete("/api/admin/sessions/ann").await.ok();
}

#[tokio::test]
async fn the_log_is_bounded_in_number_and_in_time() {
    let bed = Bed::on(On::Redis).await;
    let log = "saa:{audit}:log";
    let fill = "redis.call('XADD', KEYS[1], '1-1', 'n', 'x', 'r', '1{}') \
                for i = 1, 20050 do redis.call('XADD', KEYS[1], '*', 'n', i, 'r', '1{}') end return 1";
    let _: u64 = bed.redis().command("EVAL", &[fill, "1", log]);
    bed.as_admin().post("/api/admin/openapi/reload", json!({})).await.ok();
    let length: u64 = bed.redis().command("XLEN", &[log]);
    assert_eq!(length, 20_000);
    let lives_ms: u64 = bed.redis().command("PTTL", &[log]);
    assert!((1..=180 * 86_400_000).contains(&lives_ms), "{lives_ms}");
    let _: u64 = bed.redis().command("DEL", &[log]);
    let _: String = bed.redis().command("XADD", &[log, "1-1", "n", "x", "r", "1{\"a\":\"user_created\"}"]);
    assert_eq!(log_of(&bed, "").await, ["user_created -→-"]);
    bed.as_admin().post("/api/admin/openapi/reload", json!({})).await.ok();
    assert_eq!(log_of(&bed, "").await, ["documents_reloaded root→-"], "what is too old goes with the next record");
}
