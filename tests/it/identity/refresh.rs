//! Refresh tokens: what a login answers, and how it goes on at any replica.

use serde_json::json;

use super::{Login, comes_in, exchanged, on_both_stores};
use crate::harness::{
    bed::{Bed, On},
    client::PASSWORD,
    shape::has,
};

on_both_stores! {
    a_login_answers_a_refresh_token_beside_what_it_always_did
    a_refresh_token_is_exchanged_for_new_tokens
    an_exchange_whose_answer_was_lost_gives_the_same_successor
    a_body_without_a_refresh_token_is_told_what_is_missing
    a_disabled_user_refreshes_nothing
    the_words_are_chinese_for_who_reads_chinese
}

async fn a_login_answers_a_refresh_token_beside_what_it_always_did(on: On) {
    let bed = Bed::with(on, |settings| settings.auth.refresh_hours = 48).await;
    bed.as_user("ann").token().await;
    let login = bed.nobody().post("/api/login", json!({"username": "ann", "password": PASSWORD})).await.ok();
    has(&login, "success:bool message:text token:text expires_in:count refresh_token:text refresh_expires_in:count user_id:text");
    assert_eq!((&login["expires_in"], &login["refresh_expires_in"]), (&json!(86_400), &json!(172_800)));
}

async fn a_refresh_token_is_exchanged_for_new_tokens(on: On) {
    let bed = Bed::on(on).await;
    let mut login = Login::new(&bed, "ann").await;
    let session = login.at(&bed, 0).get("/api/session/info").await.ok()["session_info"]["session_id"].clone();
    for _ in 0..3 {
        let told = login.refreshes(&bed, 0).await;
        assert_eq!(told.header("cache-control"), Some("no-store"));
        let told = told.ok();
        has(&told, "success:bool message:text token:text expires_in:count refresh_token:text refresh_expires_in:count user_id:text");
        assert_eq!(told["user_id"], "ann");
        let next = Login::of(&told);
        assert!(next.token != login.token && next.refresh != login.refresh);
        assert!(comes_in(&bed, 0, &next.token).await && comes_in(&bed, 0, &login.token).await);
        let same = next.at(&bed, 0).get("/api/session/info").await.ok()["session_info"]["session_id"].clone();
        assert_eq!(same, session, "it is the user's session, whatever the token");
        login = next;
    }
}

async fn an_exchange_whose_answer_was_lost_gives_the_same_successor(on: On) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    let first = Login::of(&login.refreshes(&bed, 0).await.ok());
    let again = Login::of(&login.refreshes(&bed, 0).await.ok());
    assert_eq!(first.refresh, again.refresh);
    assert!(comes_in(&bed, 0, &first.token).await && comes_in(&bed, 0, &again.token).await);
    again.refreshes(&bed, 0).await.ok();
}

async fn a_body_without_a_refresh_token_is_told_what_is_missing(on: On) {
    let bed = Bed::on(on).await;
    let refused = bed.nobody().post("/api/token/refresh", json!({})).await.refused(400, "invalid_body");
    assert_eq!(refused["problems"], json!(["refresh_token is missing"]));
    bed.nobody().post("/api/token/refresh", json!({"refresh_token": 5})).await.refused(400, "invalid_body");
}

async fn a_disabled_user_refreshes_nothing(on: On) {
    use swagger_api_agent::store::contract::AccountChange;
    let mut bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    bed.change_account("ann", AccountChange::Disabled(true)).await;
    login.refreshes(&bed, 0).await.refused(401, "token_revoked");
    bed.change_account("ann", AccountChange::Disabled(false)).await;
    login.refreshes(&bed, 0).await.refused(401, "refresh_token_invalid");
}

async fn the_words_are_chinese_for_who_reads_chinese(on: On) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    let chinese = bed.nobody().reading_chinese();
    let told = chinese.post("/api/token/refresh", json!({"refresh_token": login.refresh})).await.ok();
    assert_eq!(told["message"], "令牌已刷新");
    let refused = chinese.post("/api/token/refresh", json!({"refresh_token": "x"})).await.refused(401, "refresh_token_invalid");
    assert_eq!(refused["error"], "刷新令牌无效或已失效，请重新登录");
    let left = Login::of(&told).at(&bed, 0).reading_chinese().post("/api/logout", json!({})).await.ok();
    assert_eq!(left["message"], "已退出登录");
}

#[tokio::test]
async fn every_replica_knows_what_another_exchanged() {
    let bed = Bed::of_replicas(3).await;
    let login = Login::new(&bed, "ann").await;
    let first = Login::of(&login.refreshes(&bed, 0).await.ok());
    assert_eq!(Login::of(&login.refreshes(&bed, 1).await.ok()).refresh, first.refresh, "the same successor, from another replica");
    let second = Login::of(&first.refreshes(&bed, 2).await.ok());
    exchanged(&bed, 1, &login.refresh).await.refused(401, "refresh_token_reused");
    second.refreshes(&bed, 0).await.refused(401, "refresh_token_invalid");
    for replica in 0..3 {
        assert!(!comes_in(&bed, replica, &second.token).await, "at replica {replica}");
    }
}

#[tokio::test]
async fn the_store_has_no_token_in_it() {
    let bed = Bed::on(On::Redis).await;
    let login = Login::new(&bed, "ann").await;
    let next = Login::of(&login.refreshes(&bed, 0).await.ok());
    let kept: Vec<String> = bed.redis().command("HGETALL", &[&bed.redis().key("rf", "ann")]);
    let kept = kept.join(" ");
    for token in [&login.refresh, &next.refresh] {
        let mut secrets = token.split('.').skip(2);
        assert!(secrets.all(|secret| secret.len() >= 32 && !kept.contains(secret)), "{kept}");
    }
}
