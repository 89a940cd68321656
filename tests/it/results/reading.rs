//! A model reads on where a result was cut.

use serde_json::{Value, json};
use swagger_api_agent::domain::policy::Confirm;

use super::{
    api::{Odd, log, users},
    on_both_stores,
};

use crate::harness::bed::{Bed, On};

on_both_stores! {
    a_model_pages_through_two_hundred_items
    a_kept_result_is_read_in_a_later_turn_and_on_another_replica
    what_is_gone_or_never_was_is_said
}

/// The last result that the model was told, and the id in it.
fn told(bed: &Bed) -> (Value, String) {
    let heard = bed.llm.heard();
    let text = heard.last().unwrap().strip_prefix("tool: ").expect("a result").to_owned();
    assert!(text.len() <= 16 * 1024, "{} bytes", text.len());
    let told: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let id = text.split_once("read_result({\\\"id\\\":\\\"").map(|(_, rest)| rest[..32].to_owned()).unwrap_or_default();
    (told, id)
}

/// The names of the functions that the model was offered last.
fn offered(bed: &Bed) -> Vec<String> {
    let asked = bed.llm.asked();
    let tools = asked.last().unwrap()["tools"].as_array().cloned().unwrap_or_default();
    tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn a_model_pages_through_two_hundred_items(on: On) {
    let odd = Odd::on(on).await;
    let (bed, ann) = (&odd.bed, odd.bed.as_user("ann"));
    // What a model would do is done here step by step: each step is written when the one before it was read.
    let gate = bed.llm.calls([("users", json!({}))]).says("placeholder").held();
    let talk = ann.process("sum up all balances");
    let plays = async {
        gate.reached().await;
        let (first, id) = told(bed);
        assert_eq!((&first["body"]["total"], &first["body"]["next"]), (&json!(200), &json!(null)));
        assert!(offered(bed).contains(&"read_result".to_owned()));
        gate.open();
        (first, id)
    };
    let (answer, (first, id)) = tokio::join!(talk, plays);
    let answer = answer.ok();
    assert_eq!(answer["function_calls"][0]["result_id"], json!(id), "the caller is told the id too");
    assert_eq!(answer["function_calls"][0]["api_response"]["data"], users(), "and gets the whole all the same");

    let mut items = first["body"]["items"].as_array().unwrap().clone();
    let mark = items.pop().unwrap()["…"].as_str().unwrap().to_owned();
    assert!(mark.contains(&format!("\"path\":\"/items\",\"offset\":{}", items.len())), "{mark}");
    let mut pages = 0;
    while items.len() < 200 {
        pages += 1;
        let call = json!({"id": id, "path": "/items", "offset": items.len()});
        bed.llm.calls([("read_result", call)]).says("Go on.");
        let answer = ann.process("go on").await.ok();
        let call = &answer["function_calls"][0];
        assert_eq!((&call["function_name"], &call["success"], &call["api_response"]), (&json!("read_result"), &json!(true), &json!(null)));
        let page = told(bed).0["body"].clone();
        assert_eq!((&page["total"], &page["offset"]), (&json!(200), &json!(items.len())));
        items.extend(page["items"].as_array().unwrap().clone());
        assert_eq!(page.get("next_offset"), (items.len() < 200).then(|| json!(items.len())).as_ref());
    }
    assert!((1..=5).contains(&pages), "{pages}");
    assert_eq!(Value::Array(items), users()["items"]);
    assert_eq!(odd.seen("GET /users").len(), 1, "the API was asked once");
}

async fn a_kept_result_is_read_in_a_later_turn_and_on_another_replica(on: On) {
    let replicas = if on == On::Redis { 2 } else { 1 };
    let odd = Odd::with(on, replicas, |_| {}).await;
    let bed = &odd.bed;
    bed.llm.calls([("log", json!({})), ("users", json!({}))]).says("Long.");
    let answer = bed.at(0).as_user("ann").process("the log").await.ok();
    let ids: Vec<String> =
        answer["function_calls"].as_array().unwrap().iter().map(|call| call["result_id"].as_str().unwrap().to_owned()).collect();
    assert_ne!(ids[0], ids[1]);
    let elsewhere = bed.at(replicas - 1).as_user("ann");
    let in_the_log = json!({"id": ids[0], "search": "2999 ALL"});
    let in_the_users = json!({"id": ids[1], "path": "/items/7/name"});
    bed.llm.calls([("read_result", in_the_log), ("read_result", in_the_users)]).says("Found.");
    elsewhere.process("the end of the log").await.ok();
    let heard = bed.llm.heard();
    assert!(heard.iter().any(|told| told.contains("lines") && told.contains("of 3000 left out; read_result(")), "{heard:?}");
    let results: Vec<Value> =
        heard.iter().rev().take(2).map(|told| serde_json::from_str(told.strip_prefix("tool: ").unwrap()).unwrap()).collect();
    assert_eq!((&results[1]["body"]["text"], &results[1]["body"]["matching"]), (&json!("2999 all is well\n"), &json!(1)));
    assert_eq!(results[0]["body"]["text"], "User 7");
    let whole = elsewhere.get(&format!("/api/results/{}", ids[0])).await;
    assert_eq!((whole.text(), whole.header("content-type")), (log().as_str(), Some("text/plain")));
}

async fn what_is_gone_or_never_was_is_said(on: On) {
    let odd = Odd::on(on).await;
    let bed = &odd.bed;
    let calls = [("read_result", json!({"id": "f".repeat(32)})), ("read_result", json!({"id": "the first one", "page": 2}))];
    bed.llm.calls(calls).says("Gone.");
    let answer = bed.as_user("ann").process("read it").await.ok();
    let errors: Vec<&str> = answer["function_calls"].as_array().unwrap().iter().map(|call| call["error"].as_str().unwrap()).collect();
    assert!(errors[0].contains("there is no kept result ffff") && errors[0].contains("call the function again"), "{errors:?}");
    assert!(errors[1].contains("`id` is not the id") && errors[1].contains("\"page\""), "{errors:?}");
    assert!(!offered(bed).contains(&"read_result".to_owned()), "nothing was kept");
}

#[tokio::test]
async fn reading_counts_as_a_call_of_the_turn() {
    let odd = Odd::with(On::Redis, 1, |settings| settings.turns.calls_max = 1).await;
    odd.bed.llm.calls([("users", json!({}))]).calls([("read_result", json!({"id": "f".repeat(32)}))]).says("Enough.");
    let answer = odd.bed.as_user("ann").process("all users").await.ok();
    assert_eq!(answer["function_calls"][1]["error"], "the turn has no calls left");
}

#[tokio::test]
async fn a_result_that_is_too_large_to_be_kept_says_to_ask_for_less() {
    let odd = Odd::with(On::Redis, 1, |settings| settings.results.bytes_max = 1024).await;
    odd.bed.llm.calls([("users", json!({}))]).says("Some.");
    let answer = odd.bed.as_user("ann").process("all users").await.ok();
    assert_eq!(answer["function_calls"][0].get("result_id"), None);
    let (told, _) = told(&odd.bed);
    let items = told["body"]["items"].as_array().unwrap();
    assert!(items.last().unwrap()["…"].as_str().unwrap().ends_with("of 200 left out; ask for fewer at once"), "{told}");
    assert!(!offered(&odd.bed).contains(&"read_result".to_owned()));
}

#[tokio::test]
async fn what_a_turn_keeps_of_a_big_result_is_still_json_that_can_be_read_on() {
    let odd = Odd::on(On::Redis).await;
    odd.bed.llm.calls([("users", json!({}))]).says("Many.").says("As I said.");
    let ann = odd.bed.as_user("ann");
    ann.process("all users").await.ok();
    ann.process("how many?").await.ok();
    let heard = odd.bed.llm.heard();
    let text = heard.iter().find_map(|told| told.strip_prefix("tool: ")).expect("the earlier result");
    assert!(text.len() <= 1024, "{}", text.len());
    let told: Value = serde_json::from_str(text).unwrap();
    assert_eq!(told["body"]["total"], 200);
    let items = told["body"]["items"].as_array().unwrap();
    assert!(items.last().unwrap()["…"].as_str().unwrap().contains("–199 of 200 left out"), "{told}");
    assert!(offered(&odd.bed).contains(&"read_result".to_owned()));
}

#[tokio::test]
async fn what_was_read_beside_a_change_that_waits_for_a_yes_is_kept_too() {
    let odd = Odd::with(On::Redis, 1, |settings| settings.agent.confirm = Some(Confirm::Changing)).await;
    let ann = odd.bed.as_user("ann");
    odd.bed.llm.calls([("users", json!({})), ("busy_post", json!({}))]);
    let answer = ann.process("all users, then change something").await.ok();
    assert_eq!(answer["awaiting_confirmation"], true, "{answer:#}");
    let id = answer["function_calls"][0]["result_id"].as_str().expect("an id");
    assert_eq!(ann.get(&format!("/api/results/{id}")).await.text(), users().to_string());
    assert!(odd.seen("POST /busy_post").is_empty());
}

#[tokio::test]
async fn an_operation_of_that_name_keeps_it() {
    let odd = Odd::on(On::Redis).await;
    let settings = odd.bed.settings.clone();
    let document = settings.openapi.file.expect("a document");
    let renamed = std::fs::read_to_string(&document).unwrap().replace("\"operationId\":\"log\"", "\"operationId\":\"read_result\"");
    std::fs::write(&document, renamed).unwrap();
    let base_url = settings.upstream.base_url;
    let bed = Bed::with(On::Redis, |settings| {
        settings.openapi.file = Some(document);
        settings.upstream.base_url = base_url;
    })
    .await;
    bed.llm.calls([("read_result", json!({}))]).says("The log.");
    let answer = bed.as_user("ann").process("the log").await.ok();
    assert_eq!(answer["function_calls"][0]["api_response"]["data"], json!(log()), "the operation's own reply");
    assert!(offered(&bed).contains(&"read_result".to_owned()) && offered(&bed).contains(&"read_result_2".to_owned()));
    let heard = bed.llm.heard();
    assert!(heard.last().unwrap().contains("of 3000 left out; read_result_2("), "{heard:?}");
    let id = answer["function_calls"][0]["result_id"].clone();
    bed.llm.calls([("read_result_2", json!({"id": id, "offset": 2999}))]).says("The end.");
    bed.as_user("ann").process("its end").await.ok();
    assert!(bed.llm.heard().last().unwrap().contains("2999 all is well"));
}
