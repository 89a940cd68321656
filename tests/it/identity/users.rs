//! Users by the API: who may see, add, change and remove them, and that somebody is left who may.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Login, audit::log_of, bearer, comes_in, on_both_stores, set};
use crate::harness::{
    bed::{Bed, On},
    client::{Client, PASSWORD, Reply},
    shape::has,
};

on_both_stores! {
    an_added_user_logs_in_and_is_listed
    all_that_is_wrong_with_a_new_user_is_told_at_once
    a_change_holds_at_once
    a_new_password_and_a_disabled_user_end_logins
    a_removed_user_is_gone_with_everything
    what_a_removed_user_asked_is_told_to_nobody_of_that_name
    the_last_administrator_cannot_lock_everybody_out
    nobody_gives_scopes_that_they_lack
    whoever_lacks_the_scope_sees_and_changes_nobody
    users_are_listed_in_pages
    what_is_done_is_written_down
}

async fn patch(client: &Client, user: &str, change: Value) -> Reply {
    client.send(Method::PATCH, &format!("/api/admin/users/{user}"), "application/json", change.to_string()).await
}

async fn adds(bed: &Bed, user: &str, more: &[(&str, Value)]) -> Reply {
    let mut body = json!({"username": user, "password": PASSWORD});
    more.iter().for_each(|(name, value)| body[*name] = value.clone());
    bed.as_admin().post("/api/admin/users", body).await
}

async fn logs_in(bed: &Bed, user: &str, password: &str) -> Reply {
    bed.nobody().post("/api/login", json!({"username": user, "password": password})).await
}

async fn an_added_user_logs_in_and_is_listed(on: On) {
    let bed = Bed::on(on).await;
    let added = adds(&bed, "张三", &[("scopes", json!(["audit:read"]))]).await;
    assert_eq!((added.status, added.header("location")), (201, Some("/api/admin/users/%E5%BC%A0%E4%B8%89")), "{}", added.text());
    let user = &added.json()["user"];
    has(user, "username:text role:text scopes:list scopes_of_role:bool disabled:bool must_change_password:bool created_at:time");
    assert_eq!((&user["role"], &user["scopes"], &user["scopes_of_role"]), (&json!("user"), &json!(["audit:read"]), &json!(false)));
    let login = Login::of(&logs_in(&bed, "张三", PASSWORD).await.ok());
    login.at(&bed, 0).get("/api/admin/audit").await.ok();
    assert_eq!(bed.as_admin().get(added.header("location").unwrap()).await.ok()["user"], *user);
    let listed = bed.as_admin().get("/api/admin/users").await.ok();
    assert_eq!((&listed["count"], &listed["users"][0]["username"], &listed["users"][1]), (&json!(2), &json!("root"), user));
    assert_eq!(listed["users"][0]["scopes"].as_array().unwrap().len(), 8, "the administrator of the bed has all");
    adds(&bed, "张三", &[]).await.refused(409, "user_exists");
    bed.as_admin().get("/api/admin/users/nobody").await.refused(404, "user_not_found");
    bed.as_admin().get("/api/admin/users/%FF").await.refused(404, "user_not_found");
}

async fn all_that_is_wrong_with_a_new_user_is_told_at_once(on: On) {
    let bed = Bed::on(on).await;
    let wrong = json!({"username": "ann", "password": "too short", "role": "king", "scopes": ["audit:read", "moon:walk", 5], "must_change_password": 1});
    let refused = bed.as_admin().post("/api/admin/users", wrong).await.refused(400, "invalid_body");
    let problems = refused["problems"].to_string();
    assert_eq!(refused["problems"].as_array().unwrap().len(), 4, "{problems}");
    for part in [
        "fewer than 12 characters",
        "role is \\\"king\\\"; user or admin",
        "scopes has \\\"moon:walk\\\", 5; a list is needed of",
        "true or false",
    ] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
    let refused = bed.as_admin().post("/api/admin/users", json!({"username": "a b"})).await.refused(400, "invalid_body");
    assert_eq!(refused["problems"].as_array().unwrap().len(), 2, "{refused:#}");
    let same = json!({"username": "annabella-of-troy", "password": "Annabella-of-Troy"});
    let refused = bed.as_admin().post("/api/admin/users", same).await.refused(400, "invalid_body");
    assert_eq!(refused["problems"], json!(["the password is the user name"]));
    assert_eq!(bed.as_admin().get("/api/admin/users").await.ok()["count"], 1, "nobody was added");
    bed.as_user("ann").token().await;
    let problems = patch(&bed.as_admin(), "ann", json!({})).await.refused(400, "invalid_body")["problems"].to_string();
    assert!(problems.contains("nothing is to change"), "{problems}");
    patch(&bed.as_admin(), "ann", json!({"password": "short"})).await.refused(400, "invalid_body");
    patch(&bed.as_admin(), "nobody", json!({"disabled": true})).await.refused(404, "user_not_found");
}

async fn a_change_holds_at_once(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    ann.get("/api/admin/sessions").await.refused(403, "not_admin");
    let told = patch(&bed.as_admin(), "ann", json!({"role": "admin"})).await.ok();
    assert_eq!((&told["user"]["role"], &told["user"]["scopes_of_role"]), (&json!("admin"), &json!(true)));
    ann.get("/api/admin/sessions").await.ok();
    patch(&bed.as_admin(), "ann", json!({"scopes": ["users:read"]})).await.ok();
    ann.get("/api/admin/sessions").await.refused(403, "insufficient_scope");
    ann.get("/api/admin/users").await.ok();
    patch(&bed.as_admin(), "ann", json!({"scopes": null})).await.ok();
    ann.get("/api/admin/sessions").await.ok();
    patch(&bed.as_admin(), "ann", json!({"role": "user", "scopes": ["audit:read"]})).await.ok();
    ann.get("/api/admin/audit").await.ok();
    ann.get("/api/admin/users").await.refused(403, "insufficient_scope");
}

async fn a_new_password_and_a_disabled_user_end_logins(on: On) {
    let bed = Bed::on(on).await;
    let first = Login::new(&bed, "ann").await;
    patch(&bed.as_admin(), "ann", json!({"password": "another long password"})).await.ok();
    assert!(!comes_in(&bed, 0, &first.token).await);
    first.refreshes(&bed, 0).await.refused(401, "token_revoked");
    logs_in(&bed, "ann", PASSWORD).await.refused(401, "wrong_credentials");
    let second = Login::of(&logs_in(&bed, "ann", "another long password").await.ok());
    patch(&bed.as_admin(), "ann", json!({"disabled": true})).await.ok();
    assert!(!comes_in(&bed, 0, &second.token).await);
    logs_in(&bed, "ann", "another long password").await.refused(401, "wrong_credentials");
    patch(&bed.as_admin(), "ann", json!({"disabled": false})).await.ok();
    logs_in(&bed, "ann", "another long password").await.ok();
}

async fn a_removed_user_is_gone_with_everything(on: On) {
    let bed = Bed::on(on).await;
    let before = Login::new(&bed, "ann").await;
    bed.llm.says("Hello.");
    bed.as_user("ann").process("remember this").await.ok();
    let removed = bed.as_admin().delete("/api/admin/users/ann").await.ok();
    assert_eq!(removed["user"], "ann");
    assert!(!comes_in(&bed, 0, &before.token).await);
    before.refreshes(&bed, 0).await.refused(401, "refresh_token_invalid");
    logs_in(&bed, "ann", PASSWORD).await.refused(401, "wrong_credentials");
    bed.as_admin().delete("/api/admin/users/ann").await.refused(404, "user_not_found");
    bed.as_admin().get("/api/admin/sessions/ann/keys").await.refused(404, "session_not_found");
    assert_eq!(adds(&bed, "ann", &[]).await.status, 201);
    let after = Login::of(&logs_in(&bed, "ann", PASSWORD).await.ok());
    assert!(!comes_in(&bed, 0, &before.token).await, "whoever had the name before does not come in under it");
    assert_eq!(after.at(&bed, 0).get("/api/history").await.ok()["total"], 0);
}

async fn what_a_removed_user_asked_is_told_to_nobody_of_that_name(on: On) {
    let bed = Bed::on(on).await;
    let asks = async |login: &Login| {
        let keyed = login.at(&bed, 0).with("idempotency-key", "the-same");
        let reply = keyed.process("what did I say?").await;
        (reply.header("idempotency-replayed").is_some(), reply.ok()["message"].clone())
    };
    let before = Login::new(&bed, "ann").await;
    bed.llm.says("Something private.");
    assert_eq!(asks(&before).await, (false, json!("Something private.")));
    assert_eq!(asks(&before).await, (true, json!("Something private.")));
    bed.as_admin().delete("/api/admin/users/ann").await.ok();
    assert_eq!(adds(&bed, "ann", &[]).await.status, 201);
    let after = Login::of(&logs_in(&bed, "ann", PASSWORD).await.ok());
    bed.llm.says("Nothing yet.");
    assert_eq!(asks(&after).await, (false, json!("Nothing yet.")));
    assert_eq!(asks(&after).await, (true, json!("Nothing yet.")));
}

async fn the_last_administrator_cannot_lock_everybody_out(on: On) {
    let bed = Bed::on(on).await;
    let root = bed.as_admin();
    for change in
        [json!({"role": "user"}), json!({"scopes": ["users:read"]}), json!({"disabled": true}), json!({"role": "user", "scopes": []})]
    {
        patch(&root, "root", change).await.refused(409, "last_administrator");
    }
    root.delete("/api/admin/users/root").await.refused(409, "last_administrator");
    patch(&root, "root", json!({"role": "user", "scopes": ["users:write"]})).await.ok();
    patch(&root, "root", json!({"role": "admin"})).await.refused(403, "insufficient_scope");
    let me = bed.as_admin().get("/api/admin/users").await;
    me.refused(403, "insufficient_scope");
}

async fn nobody_gives_scopes_that_they_lack(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("eve").token().await;
    bed.as_user("ann").token().await;
    set(&bed, "eve", json!({"scopes": ["users:write", "users:read"]})).await;
    let eve = bed.as_user("eve");
    let lacking = |reply: Reply| reply.refused(403, "insufficient_scope")["scope"].as_str().unwrap().to_owned();
    assert_eq!(lacking(patch(&eve, "eve", json!({"scopes": ["audit:read"]})).await), "audit:read");
    assert_eq!(lacking(patch(&eve, "ann", json!({"role": "admin"})).await), "sessions:read");
    assert_eq!(lacking(patch(&eve, "root", json!({"password": "hers from now on"})).await), "sessions:read");
    assert_eq!(lacking(eve.delete("/api/admin/users/root").await), "sessions:read");
    let new = json!({"username": "bob", "password": PASSWORD, "role": "admin"});
    assert_eq!(lacking(eve.post("/api/admin/users", new).await), "sessions:read");
    let new = json!({"username": "bob", "password": PASSWORD, "scopes": ["users:read"]});
    assert_eq!(eve.post("/api/admin/users", new).await.status, 201);
    patch(&eve, "ann", json!({"scopes": ["users:read"], "password": "a password of hers"})).await.ok();
}

async fn whoever_lacks_the_scope_sees_and_changes_nobody(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").token().await;
    let new = json!({"username": "bob", "password": PASSWORD});
    for _ in 0..2 {
        for reply in [
            bed.as_user("ann").get("/api/admin/users").await,
            bed.as_user("ann").get("/api/admin/users/root").await,
            bed.as_user("ann").post("/api/admin/users", new.clone()).await,
            patch(&bed.as_user("ann"), "ann", json!({"disabled": false})).await,
            bed.as_user("ann").delete("/api/admin/users/root").await,
        ] {
            assert_eq!(reply.status, 403, "{}", reply.text());
        }
        set(&bed, "ann", json!({"scopes": ["sessions:read", "audit:read"]})).await;
    }
    for path in ["/api/admin/users", "/api/admin/users/root"] {
        bed.nobody().get(path).await.refused(401, "token_missing");
    }
}

async fn users_are_listed_in_pages(on: On) {
    let bed = Bed::on(on).await;
    for user in ["ann", "Bob", "张三", "a:b", "zoe"] {
        bed.as_user(user).token().await;
    }
    let (mut path, mut seen) = ("/api/admin/users?limit=2".to_owned(), Vec::new());
    loop {
        let page = bed.as_admin().get(&path).await.ok();
        seen.extend(page["users"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/api/admin/users?limit=2&cursor={next}");
    }
    assert_eq!(seen, ["Bob", "a:b", "ann", "root", "zoe", "张三"]);
    let refused = bed.as_admin().get("/api/admin/users?limit=0&cursor=a%20b").await.refused(400, "invalid_query");
    assert_eq!(refused["problems"].as_array().unwrap().len(), 2, "{refused:#}");
}

async fn what_is_done_is_written_down(on: On) {
    let bed = Bed::on(on).await;
    adds(&bed, "ann", &[]).await;
    let all = json!({"role": "admin", "scopes": [], "disabled": true, "password": "a word that is secret", "must_change_password": true});
    patch(&bed.as_admin(), "ann", all).await.ok();
    patch(&bed.as_admin(), "ann", json!({"disabled": false})).await.ok();
    bed.as_admin().delete("/api/admin/users/ann").await.ok();
    let wanted = [
        "user_removed root→ann",
        "user_enabled root→ann",
        "user_changed root→ann",
        "password_changed root→ann",
        "user_disabled root→ann",
        "scopes_changed root→ann",
        "user_changed root→ann",
        "user_created root→ann",
    ];
    assert_eq!(log_of(&bed, "user=ann").await, wanted);
    let told = bed.as_admin().get("/api/admin/audit").await.ok().to_string();
    assert!(!told.contains("secret") && !told.contains(PASSWORD) && !told.contains("argon2"), "{told}");
}

#[tokio::test]
async fn two_who_shut_each_other_out_at_once_are_not_both_gone() {
    let bed = Bed::of_replicas(2).await;
    for _ in 0..4 {
        let other = json!({"username": "boss", "password": PASSWORD, "role": "admin"});
        assert_eq!(bed.as_admin().post("/api/admin/users", other).await.status, 201);
        let boss = logs_in(&bed, "boss", PASSWORD).await.ok()["token"].as_str().unwrap().to_owned();
        let (root, boss) = (bed.as_admin(), bearer(&bed, 1, &boss));
        let shut = json!({"role": "user", "scopes": ["sessions:read"]});
        let (one, two) = tokio::join!(patch(&root, "boss", shut.clone()), patch(&boss, "root", shut));
        let left = [bed.as_admin().get("/api/admin/users").await.status, boss.get("/api/admin/users").await.status];
        assert!(left.contains(&200), "{} and {}: nobody is left", one.status, two.status);
        // Whoever is left puts things right for the next round.
        let keeper = if left[0] == 200 { bed.as_admin() } else { boss };
        patch(&keeper, "root", json!({"role": "admin"})).await.ok();
        bed.as_admin().delete("/api/admin/users/boss").await.ok();
    }
}
