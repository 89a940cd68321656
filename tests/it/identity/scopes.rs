//! Scopes: what somebody may do beyond their own session.

use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::domain::{scope::Scope, user::Role};

use super::{on_both_stores, set};
use crate::harness::{
    bed::{Bed, On},
    client::Client,
};

on_both_stores! {
    each_route_asks_for_its_scope
    an_administrator_without_scopes_of_its_own_has_all
    the_words_are_chinese_for_who_reads_chinese
}

/// What needs which scope.
const ROUTES: [(Method, &str, Scope); 6] = [
    (Method::GET, "/api/admin/sessions", Scope::SessionsRead),
    (Method::GET, "/api/admin/sessions/nobody/keys", Scope::SessionsRead),
    (Method::DELETE, "/api/admin/sessions/nobody", Scope::SessionsEnd),
    (Method::POST, "/api/admin/cleanup", Scope::SessionsEnd),
    (Method::GET, "/api/admin/openapi", Scope::OpenApiReload),
    (Method::POST, "/api/admin/openapi/reload", Scope::OpenApiReload),
];

/// Names with a space between, as a list.
fn listed(scopes: &str) -> Vec<&str> {
    scopes.split_whitespace().collect()
}

/// The status of each route for a client; 403 says which scope it was about.
async fn answers(client: &Client) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (method, path, scope) in ROUTES {
        let reply = client.send(method, path, "application/json", "").await;
        if reply.status == 403 {
            let refused = reply.refused(403, "insufficient_scope");
            assert_eq!(refused["scope"], scope.as_str(), "{path}");
            assert!(refused["error"].as_str().unwrap().contains(scope.as_str()), "{refused:#}");
            assert_eq!(reply.header("www-authenticate"), Some("Bearer error=\"insufficient_scope\""));
        }
        statuses.push(reply.status);
    }
    statuses
}

async fn each_route_asks_for_its_scope(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").token().await;
    for (role, scopes, wanted) in [
        (Role::User, "sessions:read", [200, 404, 403, 403, 403, 403]),
        (Role::Admin, "sessions:end", [403, 403, 404, 200, 403, 403]),
        (Role::User, "openapi:reload audit:read", [403, 403, 403, 403, 200, 200]),
        (Role::Admin, "", [403; 6]),
    ] {
        set(&bed, "ann", json!({"role": role.as_str()})).await;
        set(&bed, "ann", json!({"scopes": listed(scopes)})).await;
        assert_eq!(answers(&bed.as_user("ann")).await, wanted, "with {scopes:?}");
    }
}

async fn an_administrator_without_scopes_of_its_own_has_all(on: On) {
    let bed = Bed::on(on).await;
    assert_eq!(answers(&bed.as_admin()).await, [200, 404, 404, 200, 200, 200]);
}

async fn the_words_are_chinese_for_who_reads_chinese(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").token().await;
    set(&bed, "ann", json!({"scopes": ["audit:read"]})).await;
    let refused = bed.as_user("ann").reading_chinese().get("/api/admin/sessions").await.refused(403, "insufficient_scope");
    assert_eq!(refused["error"], "此操作需要权限 sessions:read，您没有该权限");
}

#[tokio::test]
async fn a_scope_that_is_taken_away_is_gone_at_the_next_request_of_every_replica() {
    let bed = Bed::of_replicas(3).await;
    let ann = bed.as_user("ann").token().await.unwrap();
    let asks = async |bed: &Bed, replica: usize| super::bearer(bed, replica, &ann).get("/api/admin/sessions").await;
    for _ in 0..2 {
        set(&bed, "ann", json!({"scopes": ["sessions:read"]})).await;
        for replica in 0..3 {
            asks(&bed, replica).await.ok();
        }
        set(&bed, "ann", json!({"scopes": null})).await;
        for replica in 0..3 {
            asks(&bed, replica).await.refused(403, "not_admin");
        }
    }
    let told: Value = bed.as_admin().post("/api/admin/cleanup", json!({})).await.ok();
    assert_eq!(told["user_id"], "root");
}
