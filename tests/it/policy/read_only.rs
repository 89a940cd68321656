//! `agent.read_only`: nothing that changes something is offered or called.

use serde_json::json;
use swagger_api_agent::{domain::policy::Confirm, settings::Settings};

use super::{listed, offered};
use crate::{
    contract::on_both_stores,
    harness::bed::{Bed, On},
};

on_both_stores! {
    nothing_that_changes_something_is_listed_or_called
    a_yes_from_before_sends_nothing
}

const READING: [&str; 4] = ["getBroken", "getReport", "getUsers", "getUser"];

fn read_only(settings: &mut Settings) {
    settings.agent.read_only = true;
}

async fn nothing_that_changes_something_is_listed_or_called(on: On) {
    let bed = Bed::with(on, read_only).await;
    for client in [bed.as_user("ann"), bed.as_admin()] {
        assert_eq!(listed(&client).await, READING);
        for (function, arguments) in [("createUser", json!({"name": "A", "email": "e"})), ("deleteUser", json!({"id": 1}))] {
            let told = client.call(function, arguments).await.refused(403, "operation_not_allowed");
            assert!(told["error"].as_str().unwrap().contains("only reads"), "{told:#}");
        }
        bed.llm.calls([("deleteUser", json!({"id": 1})), ("getUsers", json!({}))]).says("I only read.");
        let answer = client.process("delete user 1").await.ok();
        assert_eq!(offered(&bed), READING);
        assert!(bed.llm.asked().last().unwrap()["messages"][0]["content"].as_str().unwrap().contains("Nothing can be changed here"));
        assert_eq!(answer["function_calls"][0]["success"], false, "{answer:#}");
    }
    assert_eq!(bed.upstream.log(), ["GET /users", "GET /users"]);
}

async fn a_yes_from_before_sends_nothing(on: On) {
    let mut bed = Bed::with(on, |settings| settings.agent.confirm = Some(Confirm::Changing)).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("deleteUser", json!({"id": 1}))]);
    assert_eq!(ann.process("delete user 1").await.ok()["awaiting_confirmation"], true);
    bed.settings.agent.read_only = true;
    bed.restart(async |_| ()).await;
    bed.llm.says("It cannot be sent.");
    ann.process("yes").await.ok();
    assert_eq!(bed.upstream.log(), [""; 0]);
}

#[tokio::test]
async fn the_offline_planner_of_a_read_only_service_changes_nothing() {
    let offline = |settings: &mut Settings| {
        settings.llm.url = None;
        read_only(settings);
    };
    let bed = Bed::with(On::Redis, offline).await;
    for message in ["create a user named Ann with email ann@example.com", "delete user 1", "删除用户 1"] {
        bed.as_user("ann").process(message).await.ok();
    }
    assert!(bed.upstream.log().iter().all(|line| line.starts_with("GET ")), "{:?}", bed.upstream.log());
    bed.as_user("ann").process("list users").await.ok();
    assert!(bed.upstream.log().contains(&"GET /users".to_owned()), "{:?}", bed.upstream.log());
}
