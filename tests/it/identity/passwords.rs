//! One's own password, and passwords that must be changed.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Login, audit::log_of, bearer, comes_in, on_both_stores};
use crate::harness::{
    bed::{Bed, On},
    client::{PASSWORD, Reply},
};

on_both_stores! {
    a_changed_password_ends_other_logins_and_gives_new_tokens
    the_old_password_is_asked_for_and_counted_like_a_login
    what_is_wrong_with_a_new_password_is_told
    a_password_that_must_be_changed_is_changed_before_anything_else
    a_forced_change_holds_at_once
    a_password_that_an_administrator_sets_is_not_undone_by_the_old_one
    the_words_are_chinese_for_who_reads_chinese
}

const NEW: &str = "staple battery horse";

async fn changes(bed: &Bed, token: &str, old: &str, new: &str) -> Reply {
    bearer(bed, 0, token).post("/api/password", json!({"old_password": old, "new_password": new})).await
}

async fn logs_in(bed: &Bed, password: &str) -> Reply {
    bed.nobody().post("/api/login", json!({"username": "ann", "password": password})).await
}

async fn must_change(bed: &Bed) {
    let change = json!({"must_change_password": true}).to_string();
    bed.as_admin().send(Method::PATCH, "/api/admin/users/ann", "application/json", change).await.ok();
}

async fn a_changed_password_ends_other_logins_and_gives_new_tokens(on: On) {
    let bed = Bed::on(on).await;
    let (here, elsewhere) = (Login::new(&bed, "ann").await, Login::new(&bed, "ann").await);
    let session = here.at(&bed, 0).get("/api/session/info").await.ok()["session_info"]["session_id"].clone();
    let told = changes(&bed, &here.token, PASSWORD, NEW).await.ok();
    let now = Login::of(&told);
    assert!(told.get("password_change_required").is_none(), "{told:#}");
    for ended in [&here, &elsewhere] {
        assert!(!comes_in(&bed, 0, &ended.token).await);
        ended.refreshes(&bed, 0).await.refused(401, "token_revoked");
    }
    assert_eq!(now.at(&bed, 0).get("/api/session/info").await.ok()["session_info"]["session_id"], session, "the session is the user's");
    now.refreshes(&bed, 0).await.ok();
    logs_in(&bed, PASSWORD).await.refused(401, "wrong_credentials");
    logs_in(&bed, NEW).await.ok();
    assert_eq!(log_of(&bed, "action=password_changed").await, ["password_changed ann→ann"]);
}

async fn the_old_password_is_asked_for_and_counted_like_a_login(on: On) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    for _ in 0..10 {
        changes(&bed, &login.token, "not the old one", NEW).await.refused(403, "wrong_password");
    }
    changes(&bed, &login.token, PASSWORD, NEW).await.refused(429, "too_many_failures");
    logs_in(&bed, PASSWORD).await.refused(429, "too_many_failures");
    assert!(comes_in(&bed, 0, &login.token).await, "whoever is logged in stays so");
    assert_eq!(log_of(&bed, "user=ann").await, ["login_throttled -→ann"]);
}

/// Whoever stole the old one and changes it in the same moment comes too late, or is first and has nothing of it.
async fn a_password_that_an_administrator_sets_is_not_undone_by_the_old_one(on: On) {
    let bed = Bed::with(on, |settings| settings.auth.logins_at_once = std::num::NonZeroUsize::new(4)).await;
    let mut known = PASSWORD.to_owned();
    bed.as_user("ann").token().await;
    for round in 0..4 {
        let stolen = Login::of(&logs_in(&bed, &known).await.ok());
        let safe = format!("a safe password, the {round}.");
        let reset = json!({"password": safe}).to_string();
        let root = bed.as_admin();
        let (set, stolen) = tokio::join!(
            root.send(Method::PATCH, "/api/admin/users/ann", "application/json", reset),
            changes(&bed, &stolen.token, &known, NEW)
        );
        set.ok();
        assert_eq!(logs_in(&bed, &safe).await.status, 200, "the old password was answered {}: {}", stolen.status, stolen.text());
        known = safe;
    }
}

async fn what_is_wrong_with_a_new_password_is_told(on: On) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    for (new, problem) in [
        ("short", "fewer than 12 characters"),
        (PASSWORD, "new_password is the old one"),
        (&"x".repeat(129), "more than 128 characters"),
        (&"x".repeat(2000), "more than 1024 bytes"),
    ] {
        let refused = changes(&bed, &login.token, PASSWORD, new).await.refused(400, "invalid_body");
        assert!(refused["problems"][0].as_str().unwrap().contains(problem), "{refused:#}");
    }
    let refused = login.at(&bed, 0).post("/api/password", json!({"new_password": 5})).await.refused(400, "invalid_body");
    assert_eq!(refused["problems"].as_array().unwrap().len(), 2, "{refused:#}");
    bed.nobody().post("/api/password", json!({})).await.refused(401, "token_missing");
    login.at(&bed, 0).post("/api/logout", json!({})).await.ok();
    changes(&bed, &login.token, PASSWORD, NEW).await.refused(401, "token_revoked");
    logs_in(&bed, PASSWORD).await.ok();
}

async fn a_password_that_must_be_changed_is_changed_before_anything_else(on: On) {
    let bed = Bed::on(on).await;
    let new = json!({"username": "ann", "password": PASSWORD, "must_change_password": true});
    assert_eq!(bed.as_admin().post("/api/admin/users", new).await.status, 201);
    let login: Value = logs_in(&bed, PASSWORD).await.ok();
    assert_eq!((&login["password_change_required"], login.get("refresh_token")), (&json!(true), None));
    assert_eq!(login["expires_in"], 900);
    let token = login["token"].as_str().unwrap();
    for (method, path) in [
        (Method::GET, "/api/session/info"),
        (Method::GET, "/api/functions"),
        (Method::GET, "/api/history"),
        (Method::POST, "/api/process"),
        (Method::POST, "/api/call"),
        (Method::GET, "/api/runs/x"),
        (Method::GET, "/api/admin/users"),
    ] {
        let refused = bearer(&bed, 0, token).send(method, path, "application/json", "{}").await.refused(403, "password_change_required");
        assert!(refused["error"].as_str().unwrap().contains("POST /api/password"), "{refused:#}");
    }
    let now = Login::of(&changes(&bed, token, PASSWORD, NEW).await.ok());
    now.at(&bed, 0).get("/api/session/info").await.ok();
    changes(&bed, token, NEW, PASSWORD).await.refused(401, "token_revoked");
    assert!(logs_in(&bed, NEW).await.ok().get("password_change_required").is_none());
}

async fn a_forced_change_holds_at_once(on: On) {
    let bed = Bed::on(on).await;
    let before = Login::new(&bed, "ann").await;
    must_change(&bed).await;
    assert!(!comes_in(&bed, 0, &before.token).await);
    before.refreshes(&bed, 0).await.refused(401, "token_revoked");
    let token = logs_in(&bed, PASSWORD).await.ok()["token"].as_str().unwrap().to_owned();
    bearer(&bed, 0, &token).get("/api/history").await.refused(403, "password_change_required");
    bearer(&bed, 0, &token).post("/api/logout", json!({})).await.ok();
    changes(&bed, &token, PASSWORD, NEW).await.refused(401, "token_revoked");
    let token = logs_in(&bed, PASSWORD).await.ok()["token"].as_str().unwrap().to_owned();
    assert!(comes_in(&bed, 0, &Login::of(&changes(&bed, &token, PASSWORD, NEW).await.ok()).token).await);
}

async fn the_words_are_chinese_for_who_reads_chinese(on: On) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    let chinese = login.at(&bed, 0).reading_chinese();
    let body = |old: &str| json!({"old_password": old, "new_password": NEW});
    assert_eq!(chinese.post("/api/password", body("wrong")).await.refused(403, "wrong_password")["error"], "原密码错误");
    assert_eq!(chinese.post("/api/password", body(PASSWORD)).await.ok()["message"], "密码已更改，其他登录均已失效");
}

#[tokio::test]
async fn every_replica_keeps_out_who_must_change_the_password() {
    let bed = Bed::of_replicas(3).await;
    let before = Login::new(&bed, "ann").await;
    must_change(&bed).await;
    let token = logs_in(&bed, PASSWORD).await.ok()["token"].as_str().unwrap().to_owned();
    for replica in 0..3 {
        assert!(!comes_in(&bed, replica, &before.token).await, "at replica {replica}");
        bearer(&bed, replica, &token).get("/api/history").await.refused(403, "password_change_required");
    }
}
