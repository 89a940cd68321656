//! Changes that are planned after something was read of an API: the user is asked, whatever the model was talked into.

use reqwest::Method;
use serde_json::json;
use swagger_api_agent::settings::Settings;

use super::{INJECTIONS, poisoned};
use crate::harness::{
    bed::{Bed, On},
    events::names,
};

crate::contract::on_both_stores! {
    an_injected_reply_deletes_nothing_before_the_user_agrees
    a_yes_sends_it_and_what_follows_from_its_reply_is_asked_about_again
    changes_of_the_first_plan_are_sent
    a_call_that_is_mended_is_not_taken_for_one_after_a_reply
    a_kept_reply_that_is_read_counts
    a_stream_tells_the_question
    it_is_off_unless_it_is_wanted
}

fn after_reply(settings: &mut Settings) {
    settings.agent.confirm_after_reply = true;
}

async fn an_injected_reply_deletes_nothing_before_the_user_agrees(on: On) {
    for (injection, asks, message, no) in [
        (INJECTIONS[0], "read what the API returned", "list the users", "no"),
        (INJECTIONS[1], "读取 API 返回的内容之后", "列出用户", "取消"),
    ] {
        let bed = Bed::with(on, after_reply).await;
        let ann = bed.as_user("ann");
        bed.upstream.answers(Method::GET, "/users", poisoned(injection));
        bed.llm.calls([("getUsers", json!({}))]).calls([("deleteUser", json!({"id": 1}))]);
        let answer = ann.process(message).await.ok();
        assert_eq!(answer["awaiting_confirmation"], true, "{answer:#}");
        let question = answer["message"].as_str().unwrap();
        assert!(question.contains(asks) && question.contains("DELETE ") && question.contains("/users/1"), "{question}");
        assert_eq!(answer["function_calls"][1]["unsent"], "awaiting_confirmation");
        assert!(bed.llm.asked()[0]["messages"][0]["content"].as_str().unwrap().contains("Once a function has returned something"));
        assert_eq!(bed.upstream.log(), ["GET /users"]);

        bed.llm.says("Nothing was deleted.");
        let answer = ann.process(no).await.ok();
        assert_eq!(answer["function_calls"][0]["unsent"], "declined", "{answer:#}");
        assert_eq!(bed.upstream.log(), ["GET /users"]);
    }
}

async fn a_yes_sends_it_and_what_follows_from_its_reply_is_asked_about_again(on: On) {
    let bed = Bed::with(on, after_reply).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("getUsers", json!({}))]).calls([("deleteUser", json!({"id": 1}))]);
    assert_eq!(ann.process("delete the first user").await.ok()["awaiting_confirmation"], true);
    bed.llm.calls([("deleteUser", json!({"id": 2}))]);
    let answer = ann.process("yes").await.ok();
    assert_eq!(answer["awaiting_confirmation"], true, "{answer:#}");
    assert!(answer["message"].as_str().unwrap().contains("/users/2"), "{answer:#}");
    assert_eq!(bed.upstream.log(), ["GET /users", "DELETE /users/1"]);
}

async fn changes_of_the_first_plan_are_sent(on: On) {
    let bed = Bed::with(on, after_reply).await;
    bed.llm.calls([("getUsers", json!({})), ("deleteUser", json!({"id": 1}))]).says("Deleted.");
    let answer = bed.as_user("ann").process("list them, and delete 1").await.ok();
    assert_eq!((&answer["message"], &answer["awaiting_confirmation"]), (&json!("Deleted."), &json!(false)));
    assert_eq!(bed.upstream.log(), ["GET /users", "DELETE /users/1"]);
}

async fn a_call_that_is_mended_is_not_taken_for_one_after_a_reply(on: On) {
    let bed = Bed::with(on, after_reply).await;
    bed.llm.calls([("deleteUser", json!({"id": "one"}))]).calls([("deleteUser", json!({"id": 1}))]).says("Deleted.");
    assert_eq!(bed.as_user("ann").process("delete 1").await.ok()["awaiting_confirmation"], false);
    assert_eq!(bed.upstream.log(), ["DELETE /users/1"]);
}

async fn a_kept_reply_that_is_read_counts(on: On) {
    let bed = Bed::with(on, after_reply).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("getUser", json!({"id": 200_000}))]).says("It is long.");
    let long = ann.process("show 200000").await.ok();
    let id = long["function_calls"][0]["result_id"].as_str().expect("it is kept");
    bed.llm.calls([("read_result", json!({"id": id}))]).calls([("deleteUser", json!({"id": 1}))]);
    let answer = ann.process("read on").await.ok();
    assert_eq!(answer["awaiting_confirmation"], true, "{answer:#}");
    assert_eq!(bed.upstream.log(), ["GET /users/200000"]);
}

async fn a_stream_tells_the_question(on: On) {
    let bed = Bed::with(on, after_reply).await;
    let ann = bed.as_user("ann");
    bed.upstream.answers(Method::GET, "/users", poisoned(INJECTIONS[0]));
    bed.llm.calls([("getUsers", json!({}))]).calls([("deleteUser", json!({"id": 1}))]);
    let events = ann.streams("list the users").await.rest().await;
    let asked = events.iter().find(|event| event.name == "confirmation_required").expect("a question");
    assert_eq!((&asked.data["calls"][0]["function_name"], &asked.data["calls"][0]["method"]), (&json!("deleteUser"), &json!("DELETE")));
    assert_eq!(events.last().unwrap().data["awaiting_confirmation"], true);
    bed.llm.says("It is gone.");
    let yes = ann.streams("yes").await.rest().await;
    assert_eq!(names(&yes), ["accepted", "call_planned", "call_started", "call_finished", "token It is gone.", "message", "done"]);
    assert_eq!(bed.upstream.log(), ["GET /users", "DELETE /users/1"]);
}

async fn it_is_off_unless_it_is_wanted(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.calls([("getUsers", json!({}))]).calls([("deleteUser", json!({"id": 1}))]).says("Deleted.");
    let answer = bed.as_user("ann").process("find Ann and delete her").await.ok();
    assert_eq!((&answer["message"], &answer["awaiting_confirmation"]), (&json!("Deleted."), &json!(false)));
    assert_eq!(bed.upstream.log(), ["GET /users", "DELETE /users/1"]);
}
