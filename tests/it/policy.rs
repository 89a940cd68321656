//! Who may call which operations: what somebody may not call is neither offered, nor listed, nor called, whoever plans it.

mod credentials;
mod read_only;

use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::{
    domain::{
        policy::{Confirm, PolicyRule, Verdict},
        selection::Rule,
        user::Role,
    },
    settings::Settings,
    store::contract::AccountChange,
};

use crate::{
    contract::on_both_stores,
    harness::{
        bed::{Bed, On},
        client::{Client, PASSWORD},
    },
};

on_both_stores! {
    what_a_role_may_not_call_is_not_listed_and_not_called
    a_model_is_not_offered_it_and_cannot_call_it
    the_offline_planner_does_not_plan_it
    a_yes_that_was_asked_for_before_does_not_send_it
    a_role_counts_from_the_moment_it_is_given
    whoever_may_change_users_comes_to_no_role_that_is_not_theirs
}

fn rule(role: Option<Role>, verdict: Verdict, operations: &[&str]) -> PolicyRule {
    let operations = operations.iter().map(|text| Rule::parse(text).unwrap()).collect();
    PolicyRule { role, verdict: Some(verdict), confirm: None, operations }
}

/// Users read and create; the rest is the administrators'.
fn users_delete_nothing(settings: &mut Settings) {
    settings.policy =
        vec![rule(Some(Role::User), Verdict::Deny, &["method:delete", "id:getReport"]), rule(None, Verdict::Allow, &["path:/**"])];
}

async fn listed(client: &Client) -> Vec<String> {
    let told = client.get("/api/functions").await.ok();
    let names: Vec<String> = told["functions"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told["count"], names.len());
    assert_eq!(client.get("/api/info").await.ok()["api_info"]["endpoints_count"], names.len());
    names
}

/// What the model was offered in its last request.
fn offered(bed: &Bed) -> Vec<String> {
    let asked = bed.llm.asked();
    let tools = asked.last().unwrap()["tools"].as_array().cloned().unwrap_or_default();
    tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn what_a_role_may_not_call_is_not_listed_and_not_called(on: On) {
    let bed = Bed::with(on, users_delete_nothing).await;
    let (ann, root) = (bed.as_user("ann"), bed.as_admin());
    assert_eq!(listed(&ann).await, ["getBroken", "getUsers", "createUser", "getUser"]);
    assert_eq!(listed(&root).await, ["getBroken", "getReport", "getUsers", "createUser", "getUser", "deleteUser"]);
    for (function, arguments) in [("deleteUser", json!({"id": 1})), ("getReport", json!({"X-Region": "n"})), ("deleteUser", json!({}))] {
        let told = ann.call(function, arguments).await.refused(403, "operation_not_allowed");
        assert!(told["error"].as_str().unwrap().contains(&format!("may not call {function}")), "{told:#}");
        let told = ann.clone().reading_chinese().call(function, json!({"id": 1})).await.refused(403, "operation_not_allowed");
        assert!(told["error"].as_str().unwrap().contains("您的角色不能调用"), "{told:#}");
    }
    let keyed = ann.clone().with("idempotency-key", "k-1");
    keyed.call("deleteUser", json!({"id": 1})).await.refused(403, "operation_not_allowed");
    assert_eq!(bed.upstream.log(), [""; 0]);
    // It left the session free, and its names are told to nobody.
    ann.call("createUser", json!({"name": "A", "email": "e"})).await.ok();
    let near = ann.call("deleteUsers", json!({})).await.refused(404, "function_unknown");
    assert!(!near["near"].as_array().unwrap().contains(&json!("deleteUser")), "{near:#}");
    root.call("deleteUser", json!({"id": 1})).await.ok();
    assert_eq!(bed.upstream.log(), ["POST /users", "DELETE /users/1"]);
    assert_eq!(ann.history().await, [""; 0]);
}

async fn a_model_is_not_offered_it_and_cannot_call_it(on: On) {
    let bed = Bed::with(on, users_delete_nothing).await;
    bed.llm.calls([("deleteUser", json!({"id": 1})), ("getUsers", json!({}))]).says("I cannot delete users.");
    let answer = bed.as_user("ann").process("delete user 1").await.ok();
    assert_eq!(offered(&bed), ["getBroken", "getUsers", "createUser", "getUser"]);
    let first = &answer["function_calls"][0];
    assert!(first["error"].as_str().unwrap().starts_with("there is no function deleteUser"), "{answer:#}");
    assert_eq!(bed.upstream.log(), ["GET /users"]);
    bed.llm.calls([("deleteUser", json!({"id": 1}))]).says("Done.");
    bed.as_admin().process("delete user 1").await.ok();
    assert!(offered(&bed).contains(&"deleteUser".to_owned()));
    assert_eq!(bed.upstream.log(), ["GET /users", "DELETE /users/1"]);
}

async fn the_offline_planner_does_not_plan_it(on: On) {
    let offline = |settings: &mut Settings| {
        settings.llm.url = None;
        users_delete_nothing(settings);
    };
    let bed = Bed::with(on, offline).await;
    bed.as_user("ann").process("delete user 1").await.ok();
    assert!(!bed.upstream.log().iter().any(|line| line.starts_with("DELETE")), "{:?}", bed.upstream.log());
    bed.as_admin().process("delete user 1").await.ok();
    assert!(bed.upstream.log().contains(&"DELETE /users/1".to_owned()), "{:?}", bed.upstream.log());
}

async fn a_yes_that_was_asked_for_before_does_not_send_it(on: On) {
    let asking = |settings: &mut Settings| {
        settings.agent.confirm = Some(Confirm::Changing);
        users_delete_nothing(settings);
    };
    let mut bed = Bed::with(on, asking).await;
    let ann = bed.as_user("ann");
    ann.get("/api/session/info").await.ok();
    bed.change_account("ann", AccountChange::Role(Role::Admin)).await;
    bed.llm.calls([("deleteUser", json!({"id": 1}))]);
    assert_eq!(ann.process("delete user 1").await.ok()["awaiting_confirmation"], true);
    bed.change_account("ann", AccountChange::Role(Role::User)).await;
    bed.llm.says("It cannot be sent.");
    let answer = ann.process("yes").await.ok();
    assert_eq!(answer["function_calls"][0]["success"], Value::Bool(false), "{answer:#}");
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn a_role_counts_from_the_moment_it_is_given(on: On) {
    let mut bed = Bed::with(on, users_delete_nothing).await;
    let ann = bed.as_user("ann");
    ann.call("deleteUser", json!({"id": 1})).await.refused(403, "operation_not_allowed");
    bed.change_account("ann", AccountChange::Role(Role::Admin)).await;
    ann.call("deleteUser", json!({"id": 1})).await.ok();
    bed.change_account("ann", AccountChange::Role(Role::User)).await;
    ann.call("deleteUser", json!({"id": 2})).await.refused(403, "operation_not_allowed");
    assert_eq!(bed.upstream.log(), ["DELETE /users/1"]);
}

#[tokio::test]
async fn a_policy_costs_no_round_trip() {
    let rounds = async |adjust: fn(&mut Settings)| {
        let bed = Bed::with(On::Redis, adjust).await;
        let ann = bed.as_user("ann");
        ann.get("/api/session/info").await.ok();
        let commands = bed.redis().monitor();
        ann.call("getUsers", json!({})).await.ok();
        ann.call("createUser", json!({"name": "A", "email": "e"})).await.ok();
        bed.llm.says("Hello.");
        ann.process("hello").await.ok();
        let seen = String::from_utf8(commands.seen(bed.redis())).unwrap();
        seen.lines().filter(|line| line.contains("EVALSHA") && line.contains(":ann")).count()
    };
    let without = rounds(|_| {}).await;
    assert!(without >= 4, "{without}");
    assert_eq!(rounds(users_delete_nothing).await, without);
}

/// What a role may call is no scope: it is handed on by those who have the role.
async fn whoever_may_change_users_comes_to_no_role_that_is_not_theirs(on: On) {
    let bed = Bed::with(on, users_delete_nothing).await;
    let (eve, root) = (bed.as_user("eve"), bed.as_admin());
    eve.token().await;
    let patch = async |by: &Client, user: &str, change: Value| {
        by.send(Method::PATCH, &format!("/api/admin/users/{user}"), "application/json", change.to_string()).await
    };
    patch(&root, "eve", json!({"scopes": ["users:read", "users:write"]})).await.ok();
    let boss = json!({"username": "boss", "password": PASSWORD, "role": "admin", "scopes": []});
    assert_eq!(root.post("/api/admin/users", boss).await.status, 201);

    patch(&eve, "eve", json!({"role": "admin", "scopes": ["users:write"]})).await.refused(403, "not_admin");
    let made = json!({"username": "puppet", "password": PASSWORD, "role": "admin", "scopes": []});
    eve.post("/api/admin/users", made).await.refused(403, "not_admin");
    patch(&eve, "boss", json!({"password": "a password of eve's"})).await.refused(403, "not_admin");
    eve.delete("/api/admin/users/boss").await.refused(403, "not_admin");
    eve.call("deleteUser", json!({"id": 1})).await.refused(403, "operation_not_allowed");
    assert_eq!(bed.upstream.log(), [""; 0]);

    patch(&root, "eve", json!({"role": "admin", "scopes": ["users:write"]})).await.ok();
    patch(&eve, "boss", json!({"password": "a password of eve's"})).await.ok();
}
