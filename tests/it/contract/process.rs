//! `POST /api/process`: one turn, its answer, its failures.

use serde_json::json;
use swagger_api_agent::settings::Settings;

use crate::harness::{
    bed::{Bed, On},
    shape::has,
};

super::on_both_stores! {
    an_answer_has_all_its_fields
    calls_are_told_twice_field_by_field
    a_call_that_the_api_refuses_is_told_as_no_success
    the_clients_context_reaches_the_model
    a_message_is_needed
    without_its_model_nothing_can_be_answered
    a_second_turn_waits_for_the_first
    without_a_model_the_planner_serves_and_says_what_it_is
}

async fn an_answer_has_all_its_fields(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.says("Hello Ann, 你好.");
    let reply = bed.as_user("ann").process("hello").await;
    let answer = reply.ok();
    has(&answer, "success:bool message:text data:null function_calls:list usage:object timestamp:time user_id:text");
    assert_eq!((&answer["message"], &answer["user_id"]), (&json!("Hello Ann, 你好."), &json!("ann")));
    assert_eq!(answer["function_calls"], json!([]));
    assert!(reply.text().contains("你好"), "other letters than ASCII stay as they are: {}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(answer["usage"]["estimated"], true, "the model's server did not count");

    bed.llm.says_for("Again.", (20, 5));
    let answer = bed.as_user("ann").process("again").await.ok();
    assert_eq!(answer["usage"], json!({"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}));
}

async fn calls_are_told_twice_field_by_field(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.calls([("getUsers", json!({"page": 2})), ("deleteUser", json!({"id": 9}))]).says("Done.");
    let answer = bed.as_user("ann").process("list page 2, delete 9").await.ok();
    assert_eq!(answer["data"], answer["function_calls"]);
    let calls = answer["function_calls"].as_array().unwrap();
    let names: Vec<_> = calls.iter().map(|call| call["function_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["getUsers", "deleteUser"]);
    for call in calls {
        has(call, "function_name:text success:bool explanation:text call_info:object markdown_result:text api_response:object error:null");
    }
    has(&calls[0]["api_response"], "status_code:count data:list url:text method:text");
    has(&calls[1]["api_response"], "status_code:count data:null url:text method:text");
    assert_eq!(calls[0]["api_response"]["url"], format!("{}/users?page=2", bed.upstream.url));
    assert!(calls[0]["markdown_result"].as_str().unwrap().contains("ann@example.com"), "{:#}", calls[0]);
}

async fn a_call_that_the_api_refuses_is_told_as_no_success(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.calls([("getBroken", json!({})), ("getUser", json!({"id": 0}))]).says("The API is broken.");
    let answer = bed.as_user("ann").process("what is broken?").await.ok();
    let calls = answer["function_calls"].as_array().unwrap();
    has(&calls[0], "error:text api_response:object");
    assert_eq!((&calls[0]["success"], &calls[0]["api_response"]["status_code"]), (&json!(false), &json!(500)));
    has(&calls[1], "error:text api_response:null");
    assert_eq!(calls[1]["success"], false);
}

async fn the_clients_context_reaches_the_model(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.says("Berlin.");
    let body = json!({"message": "where am I?", "context": {"city": "Berlin"}});
    bed.as_user("ann").post("/api/process", body).await.ok();
    let system = bed.llm.asked()[0]["messages"][0]["content"].as_str().unwrap().to_owned();
    assert!(system.contains(r#"{"city":"Berlin"}"#), "{system}");
}

async fn a_message_is_needed(on: On) {
    let bed = Bed::on(on).await;
    let refused = bed.as_user("ann").post("/api/process", json!({})).await.refused(400, "invalid_body");
    assert_eq!((&refused["problems"], &refused["user_id"]), (&json!(["message is missing"]), &json!("ann")));
    for blank in [json!(""), json!(" \n"), json!(null)] {
        bed.as_user("ann").post("/api/process", json!({"message": blank})).await.refused(400, "invalid_body");
    }
}

async fn without_its_model_nothing_can_be_answered(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.fails(500);
    let away = bed.as_user("ann").process("hello").await;
    away.refused(503, "model_unavailable");
    assert!(away.header("retry-after").is_some());
    assert_eq!(bed.as_user("ann").history().await, [""; 0]);
    let status = bed.as_user("ann").get("/api/info").await.ok()["agent_status"].clone();
    has(&status, "last_error:text");
}

async fn a_second_turn_waits_for_the_first(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("First.").held();
    let first = ann.process("one");
    let second = async {
        gate.reached().await;
        let busy = ann.process("two").await;
        let told = busy.refused(409, "turn_in_progress");
        has(&told, "run_id:text user_id:text");
        assert_eq!(busy.header("retry-after"), Some("1"));
        gate.open();
    };
    let (first, ()) = tokio::join!(first, second);
    assert_eq!(first.message(), "First.");
    bed.llm.says("Second.");
    assert_eq!(ann.process("two").await.message(), "Second.");
}

async fn without_a_model_the_planner_serves_and_says_what_it_is(on: On) {
    // The built-in demo, as a newcomer meets it.
    let newcomer = |settings: &mut Settings| {
        settings.llm.url = None;
        settings.openapi.file = None;
        settings.upstream.base_url = None;
    };
    let bed = Bed::with(on, newcomer).await;
    let answer = bed.as_user("ann").process("list users page 2").await.ok();
    let call = &answer["function_calls"][0];
    assert_eq!((&call["function_name"], &call["call_info"]["parameters"]), (&json!("listUsers"), &json!({"page": 2})), "{answer:#}");
    let status = bed.as_user("ann").get("/api/info").await.ok()["agent_status"].clone();
    assert_eq!((&status["llm_available"], &status["planner"]), (&json!(false), &json!("offline")));
}
