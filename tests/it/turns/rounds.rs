//! Rounds of a turn: which calls go at once, which go back to the model, and where it ends.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::bed::{Bed, On};

/// The contents of the tool messages that the model heard last.
fn results(bed: &Bed) -> Vec<String> {
    bed.llm.heard().iter().filter_map(|heard| heard.strip_prefix("tool: ").map(str::to_owned)).collect()
}

#[tokio::test]
async fn reading_calls_go_at_once() {
    let bed = Bed::on(On::Redis).await;
    bed.llm.calls([("getUser", json!({"id": 1})), ("getUser", json!({"id": 1})), ("getUser", json!({"id": 1}))]).says("All there.");
    let gate = bed.upstream.hold(Method::GET, "/users/1");
    let ann = bed.as_user("ann");
    let all_there = async {
        gate.reached_by(3).await;
        gate.open();
    };
    let (turn, ()) = tokio::join!(ann.process("look three times"), all_there);
    assert_eq!(turn.ok()["function_calls"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn changing_calls_go_in_order_and_alone() {
    let bed = Bed::on(On::Redis).await;
    let create = |name: &str| ("createUser", json!({"name": name, "email": "e@example.com"}));
    bed.llm.calls([create("Ann"), ("getUsers", json!({})), create("Bob"), ("deleteUser", json!({"id": 1}))]).says("Done.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let ann = bed.as_user("ann");
    let alone = async {
        gate.reached().await;
        assert_eq!(bed.upstream.log(), ["POST /users"], "what stands after a change waits for it");
        gate.open();
    };
    let (turn, ()) = tokio::join!(ann.process("create, list, create, delete"), alone);
    turn.ok();
    assert_eq!(bed.upstream.log(), ["POST /users", "GET /users", "POST /users", "DELETE /users/1"]);
    let bodies: Vec<Value> = bed.upstream.seen().iter().map(|seen| seen.body["name"].clone()).collect();
    assert_eq!((&bodies[0], &bodies[2]), (&json!("Ann"), &json!("Bob")));
}

#[tokio::test]
async fn wrong_arguments_go_back_with_all_problems_and_are_mended() {
    let bed = Bed::on(On::Redis).await;
    bed.llm
        .calls([("getUsers", json!({"page": 0, "limit": "many"}))])
        .calls([("getUsers", json!({"page": 1, "limit": 5}))])
        .says("Mended.");
    let answer = bed.as_user("ann").process("list users").await.ok();
    let heard = results(&bed);
    assert!(heard[0].contains("page") && heard[0].contains("limit") && heard[0].contains("nothing was sent"), "{heard:?}");
    assert_eq!(bed.upstream.log(), ["GET /users?page=1&limit=5"]);
    let successes: Vec<&Value> = answer["function_calls"].as_array().unwrap().iter().map(|call| &call["success"]).collect();
    assert_eq!(successes, [&json!(false), &json!(true)]);
}

#[tokio::test]
async fn unknown_functions_and_broken_arguments_go_back_to_the_model() {
    let bed = Bed::on(On::Redis).await;
    let broken = json!({"choices": [{"message": {"role": "assistant", "content": null, "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "getUsrs", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "getUsers", "arguments": "{\"page\": "}},
    ]}}]});
    bed.llm.answers_raw(200, broken.to_string()).says("Sorry.");
    assert_eq!(bed.as_user("ann").process("list users").await.message(), "Sorry.");
    let heard = results(&bed);
    assert!(heard[0].contains("getUsers"), "close names are offered: {heard:?}");
    assert!(heard[1].contains("not valid"), "{heard:?}");
    assert_eq!(bed.upstream.log(), [""; 0]);
}

#[tokio::test]
async fn a_model_that_never_ends_is_stopped_after_its_rounds() {
    let bed = Bed::with(On::Redis, |settings| settings.turns.rounds_max = 2).await;
    bed.llm.calls([("getUsers", json!({"page": 1}))]).calls([("getUsers", json!({"page": 2}))]);
    let answer = bed.as_user("ann").process("go on for ever").await.ok();
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("2 rounds") && message.contains("ann@example.com"), "{message}");
    assert_eq!(answer["function_calls"].as_array().unwrap().len(), 2);
    assert_eq!(bed.llm.asked().len(), 2);
}

#[tokio::test]
async fn calls_beyond_the_turns_budget_are_not_sent() {
    let bed = Bed::with(On::Redis, |settings| settings.turns.calls_max = 2).await;
    let page = |n: u64| ("getUsers", json!({"page": n}));
    bed.llm.calls([page(1), page(2), page(3)]).says("Two of three.");
    bed.as_user("ann").process("three pages").await.ok();
    assert!(results(&bed)[2].contains("no calls left"), "{:?}", results(&bed));
    let mut log = bed.upstream.log();
    log.sort();
    assert_eq!(log, ["GET /users?page=1", "GET /users?page=2"]);
}

#[tokio::test]
async fn the_cost_of_all_rounds_is_summed() {
    let bed = Bed::on(On::Redis).await;
    bed.llm.calls_for([("getUsers", json!({}))], Some((100, 10))).says_for("Done.", (200, 20));
    let answer = bed.as_user("ann").process("list users").await.ok();
    assert_eq!(answer["usage"], json!({"prompt_tokens": 300, "completion_tokens": 30, "total_tokens": 330}));
}

#[tokio::test]
async fn a_change_that_is_not_answered_in_time_is_unknown_and_not_repeated() {
    let bed = Bed::with(On::Redis, |settings| settings.upstream.timeout_ms = 300).await;
    bed.llm.calls([("createUser", json!({"name": "Ann", "email": "e@example.com"}))]).says("I do not know whether it worked.");
    let _never_opened = bed.upstream.hold(Method::POST, "/users");
    let answer = bed.as_user("ann").process("create Ann").await.ok();
    assert!(results(&bed)[0].contains("may or may not have taken effect"), "{:?}", results(&bed));
    assert_eq!(answer["function_calls"][0]["success"], false);
    assert!(answer["function_calls"][0]["markdown_result"].as_str().unwrap().contains("not known"), "{answer:#}");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn the_same_mistake_twice_ends_the_turn_in_the_users_language() {
    let bed = Bed::on(On::Redis).await;
    let wrong = || [("getUsers", json!({"limit": "many"}))];
    for (message, told) in [("list users", "Say it in other words"), ("列出用户", "请换一种说法")] {
        bed.llm.calls([("getUser", json!({"id": 1}))]).calls(wrong()).calls(wrong());
        let answer = bed.as_user("ann").process(message).await.ok();
        let text = answer["message"].as_str().unwrap();
        assert!(text.contains(told) && text.contains("getUsers") && text.contains("limit"), "{text}");
        assert!(text.contains("ann@example.com"), "what was done is told: {text}");
        assert_eq!((&answer["state"], answer["function_calls"].as_array().unwrap().len()), (&json!("answered"), 3));
    }
    bed.llm.says("Now it works.");
    assert_eq!(bed.as_user("ann").process("and now?").await.message(), "Now it works.");
}

#[tokio::test]
async fn other_mistakes_go_back_three_times_and_good_calls_are_not_counted() {
    let bed = Bed::on(On::Redis).await;
    let (good, wrong) = (("getUser", json!({"id": 1})), |limit: &str| ("getUsers", json!({"limit": limit})));
    bed.llm.calls([good.clone(), wrong("one")]).calls([wrong("two")]).calls([good.clone()]).calls([wrong("three")]).calls([good.clone()]);
    bed.llm.calls([good, wrong("four")]);
    let text = bed.as_user("ann").process("list users").await.message();
    assert!(text.contains("I stopped") && text.contains("getUsers"), "{text}");
    assert_eq!(bed.upstream.log(), ["GET /users/1"; 4]);
    assert_eq!(bed.llm.asked().len(), 6);
}

#[tokio::test]
async fn a_model_that_is_busy_is_asked_again_within_the_turn() {
    let bed = Bed::on(On::Redis).await;
    bed.llm.answers_raw(429, "{}").calls([("getUsers", json!({}))]).answers_raw(503, "{}").answers_raw(502, "<html>").says("At last.");
    assert_eq!(bed.as_user("ann").process("list users").await.message(), "At last.");
    assert_eq!((bed.llm.asked().len(), bed.upstream.log()), (5, vec!["GET /users".to_owned()]));
}

#[tokio::test]
async fn what_nobody_counted_is_estimated_and_says_so() {
    let bed = Bed::on(On::Redis).await;
    let usage = json!({"prompt_tokens": 100, "completion_tokens": -1, "total_tokens": 9_223_372_036_854_775_808_u64});
    let message = json!({"role": "assistant", "content": "x".repeat(350)});
    bed.llm.answers_raw(200, json!({"choices": [{"message": message}], "usage": usage}).to_string());
    let answer = bed.as_user("ann").process("list users").await.ok();
    let expected = json!({"prompt_tokens": 100, "completion_tokens": 100, "total_tokens": 200, "estimated": true});
    assert_eq!(answer["usage"], expected);
}
