//! The model's server cannot be asked: the offline planner takes the turn over where the operator wants it, and says so.

use reqwest::Method;
use serde_json::{Value, json};

use super::{history_of, killed_at};
use crate::harness::{
    bed::{Bed, On},
    process::{LEASE_MS, Process},
};

crate::contract::on_both_stores! {
    a_turn_whose_model_is_away_is_taken_over_and_says_so
    nothing_is_taken_over_unless_the_operator_wants_it
    nothing_is_taken_over_after_calls_were_made
    a_change_is_made_only_where_it_is_plainly_commanded
    what_the_server_refuses_is_not_hidden
}

async fn with_fallback(on: On) -> Bed {
    Bed::with(on, |settings| settings.agent.offline_fallback = true).await
}

/// How the offline planner stands, as the session and the health say.
async fn stands(bed: &Bed) -> [Value; 2] {
    let info = bed.as_user("ann").get("/api/info").await.json();
    let health = bed.nobody().get("/health").await.json();
    [info["agent_status"]["offline_fallback"].clone(), health["offline_fallback"].clone()]
}

async fn a_turn_whose_model_is_away_is_taken_over_and_says_so(on: On) {
    let bed = with_fallback(on).await;
    assert_eq!(stands(&bed).await, ["ready", "ready"]);
    for (status, message, who) in [
        (503, "list users", "_Offline planner: the language model cannot be reached"),
        (429, "查询用户", "_离线规划器：暂时无法连接语言模型"),
    ] {
        bed.llm.fails(status);
        let answer = bed.as_user("ann").process(message).await.ok();
        assert!(answer["message"].as_str().unwrap().starts_with(who), "{answer:#}");
        assert_eq!(answer["function_calls"][0]["function_name"], "getUsers", "{answer:#}");
        assert_eq!(stands(&bed).await, ["in_use", "in_use"]);
    }
    assert_eq!(bed.upstream.log(), ["GET /users"; 2]);
    bed.llm.says("Back.");
    assert_eq!(bed.as_user("ann").process("hello").await.ok()["message"], "Back.");
    assert_eq!(stands(&bed).await, ["ready", "ready"]);
}

async fn nothing_is_taken_over_unless_the_operator_wants_it(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.fails(503);
    bed.as_user("ann").process("list users").await.refused(503, "model_unavailable");
    assert_eq!((bed.upstream.log(), stands(&bed).await), (Vec::<String>::new(), [json!("off"), json!("off")]));
}

async fn nothing_is_taken_over_after_calls_were_made(on: On) {
    let bed = with_fallback(on).await;
    bed.llm.calls([("getUsers", json!({}))]).fails(503);
    bed.as_user("ann").process("list users").await.refused(503, "model_unavailable");
    assert_eq!(bed.upstream.log(), ["GET /users"]);
}

async fn a_change_is_made_only_where_it_is_plainly_commanded(on: On) {
    // Nobody listens there.
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bed = Bed::with(on, |settings| {
        settings.agent.offline_fallback = true;
        settings.llm.url = Some(format!("http://{away}/v1"));
    })
    .await;
    for message in ["delete the user", "should I delete user 3?", "不要删除用户3"] {
        let answer = bed.as_user("ann").process(message).await.ok();
        assert_eq!(answer["function_calls"], json!([]), "{message}: {answer:#}");
    }
    assert_eq!(bed.upstream.log(), [""; 0]);
    let answer = bed.as_user("ann").process("delete user 3").await.ok();
    assert!(answer["message"].as_str().unwrap().contains("the language model cannot be reached"), "{answer:#}");
    assert_eq!(bed.upstream.log(), ["DELETE /users/3"]);
}

async fn what_the_server_refuses_is_not_hidden(on: On) {
    let bed = with_fallback(on).await;
    for status in [401, 400] {
        bed.llm.answers_raw(status, "{}");
        let reply = bed.as_user("ann").process("list users").await;
        assert!(reply.status >= 500, "{}", reply.status);
    }
    assert_eq!((bed.upstream.log(), stands(&bed).await), (Vec::<String>::new(), [json!("ready"), json!("ready")]));
}

/// The next replica answers for a turn that was taken over, without the model: nothing is asked of it, and nothing is sent again.
#[tokio::test]
async fn a_turn_that_was_taken_over_is_gone_on_with_by_another_replica() {
    let bed = Bed::with(On::Redis, |settings| {
        settings.turns.lease_ms = LEASE_MS;
        settings.agent.offline_fallback = true;
    })
    .await;
    let mut process = Process::start(&bed.settings, &[("SAA_AGENT__OFFLINE_FALLBACK", "true")]).await;
    bed.llm.fails(503);
    let gate = bed.upstream.hold(Method::DELETE, "/users/3");
    let doomed = bed.through(&process.base).as_user("ann");
    killed_at(&gate, &mut process, doomed, "/api/process", json!({"message": "delete user 3"})).await;

    let told = history_of(&bed.as_user("ann"), 2).await;
    assert!(told[1].contains("the language model cannot be reached") && told[1].contains("not known"), "{told:#?}");
    assert_eq!(bed.upstream.log(), ["DELETE /users/3"]);
    assert_eq!(stands(&bed).await, ["ready", "ready"], "this replica has asked no model yet");
}
