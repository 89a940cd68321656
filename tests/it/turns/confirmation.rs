//! Changes that wait for the user's yes: what is shown, what sends them, and everything that does not.

use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::{domain::policy::Confirm, settings::Settings};

use super::new_user;
use crate::harness::{
    bed::{Bed, On},
    client::Client,
    process::Process,
    redis::run,
    until,
};

crate::contract::on_both_stores! {
    a_change_is_sent_once_after_the_yes_and_not_before
    a_no_leaves_it_undone_for_good
    another_message_leaves_it_undone
    a_yes_with_nothing_asked_is_a_message_like_any_other
    somebody_elses_yes_does_nothing
    a_yes_that_waits_since_before_the_question_is_no_answer_to_it
    all_that_was_asked_about_is_sent_in_order_and_what_follows_is_asked_about_again
    a_yes_is_replayed_under_its_key
    a_yes_is_understood_where_the_planner_is_told_nothing_of_the_past
    a_yes_to_what_would_be_another_request_now_sends_nothing
    a_no_is_kept_when_the_model_fails
    another_message_is_kept_when_the_model_fails
    a_turn_that_was_cut_off_before_it_asked_leaves_nothing_to_agree_to
    a_direct_call_is_not_asked_about
    without_a_model_the_planner_asks_too
}

fn confirm(settings: &mut Settings) {
    settings.agent.confirm = Some(Confirm::Changing);
}

/// A user who was asked whether Ann may be created.
async fn asked(bed: &Bed) -> Client {
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", new_user())]);
    let answer = ann.process("create Ann").await.ok();
    assert_eq!(answer["awaiting_confirmation"], true, "{answer:#}");
    ann
}

/// Says something that changes nothing, and is told something else.
async fn is_an_ordinary_message(bed: &Bed, user: &Client, message: &str) {
    bed.llm.says("What do you mean?");
    let answer = user.process(message).await.ok();
    assert_eq!((&answer["message"], &answer["awaiting_confirmation"]), (&json!("What do you mean?"), &json!(false)));
    assert_eq!(answer["function_calls"], json!([]));
}

/// What an answer says behind what the planner says, when something else than a yes was said to a question about creating a user.
const DROPPED: &str = "\n\n_What waited for your yes was not sent: **createUser**._";

async fn a_change_is_sent_once_after_the_yes_and_not_before(on: On) {
    let bed = Bed::with(on, confirm).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("getUsers", json!({})), ("createUser", new_user()), ("getUser", json!({"id": 7}))]);
    let answer = ann.process("look, create Ann, look again").await.ok();
    assert_eq!(answer["awaiting_confirmation"], true, "{answer:#}");
    let message = answer["message"].as_str().unwrap();
    let request =
        format!("POST {}/users\nContent-Type: application/json\n\n{{\"name\":\"Ann\",\"email\":\"a@example.com\"}}", bed.upstream.url);
    assert!(message.contains(&request) && message.contains("**yes**") && message.contains("15 minutes"), "{message}");
    let calls = answer["function_calls"].as_array().unwrap();
    let told: Vec<&str> = calls.iter().map(|call| call["error"].as_str().unwrap_or("done")).collect();
    assert!(told[0] == "done" && told[1].contains("confirmation") && told[2].contains("waits"), "{told:?}");
    assert_eq!((&calls[0]["unsent"], &calls[1]["unsent"]), (&Value::Null, &json!("awaiting_confirmation")));
    assert!(bed.llm.asked()[0]["messages"][0]["content"].as_str().unwrap().contains("do not ask for a confirmation yourself"));
    assert_eq!(bed.upstream.log(), ["GET /users"]);

    bed.llm.says("Created.");
    let answer = ann.process("Yes!").await.ok();
    assert_eq!((&answer["message"], &answer["awaiting_confirmation"]), (&json!("Created."), &json!(false)));
    assert_eq!(answer["function_calls"][0]["success"], true, "{answer:#}");
    let heard = bed.llm.heard();
    let place = heard.iter().position(|said| said == "user: Yes!").unwrap();
    assert_eq!(heard[place + 1], r#"assistant: createUser({"name":"Ann","email":"a@example.com"})"#);
    assert!(heard[place + 2].contains("\"status\":201"), "{heard:#?}");
    assert_eq!(bed.upstream.log(), ["GET /users", "POST /users"]);
    assert_eq!(bed.upstream.seen()[1].body, new_user());

    is_an_ordinary_message(&bed, &ann, "yes").await;
    assert_eq!(bed.upstream.log(), ["GET /users", "POST /users"]);
}

async fn a_no_leaves_it_undone_for_good(on: On) {
    let bed = Bed::with(on, confirm).await;
    let ann = asked(&bed).await;
    bed.llm.says("All right.");
    let answer = ann.process("No.").await.ok();
    assert_eq!((&answer["message"], &answer["awaiting_confirmation"]), (&json!("All right."), &json!(false)));
    assert_eq!(answer["function_calls"][0]["unsent"], "declined");
    assert!(bed.llm.heard().last().unwrap().contains("the user said no"), "{:#?}", bed.llm.heard());
    is_an_ordinary_message(&bed, &ann, "yes").await;
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn another_message_leaves_it_undone(on: On) {
    let bed = Bed::with(on, confirm).await;
    let ann = asked(&bed).await;
    bed.llm.says("What do you mean?");
    let answer = ann.process("yes, but call her Anna").await.ok();
    assert_eq!(answer["message"], format!("What do you mean?{DROPPED}"), "and that is told: {answer:#}");
    let heard = bed.llm.heard();
    assert!(heard[2].contains("nothing was sent") && heard[3].contains("POST "), "{heard:#?}");
    is_an_ordinary_message(&bed, &ann, "yes").await;
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn a_yes_with_nothing_asked_is_a_message_like_any_other(on: On) {
    let bed = Bed::with(on, confirm).await;
    is_an_ordinary_message(&bed, &bed.as_user("ann"), "yes").await;
    assert_eq!(bed.llm.heard(), ["user: yes"]);
}

/// Nobody agrees to what they have not seen: neither to the first question, nor to what is asked after it was answered.
async fn a_yes_that_waits_since_before_the_question_is_no_answer_to_it(on: On) {
    let bed = Bed::with(on, confirm).await;
    let ann = bed.as_user("ann");
    let answered = async |run: &str| {
        until("it was answered", async || ann.get(&format!("/api/runs/{run}")).await.ok()["run"]["state"] == "answered").await;
    };
    let gate = bed.llm.calls([("createUser", new_user())]).held();
    bed.llm.says("What do you mean?");
    ann.begins("create Ann", "reject").await;
    gate.reached().await;
    let early = ann.begins("yes", "enqueue").await;
    gate.open();
    answered(&early).await;
    assert_eq!(bed.upstream.log(), [""; 0], "{:?}", ann.history().await);
    assert_eq!(ann.history().await[2..], ["user: yes".to_owned(), format!("assistant: What do you mean?{DROPPED}")]);

    // One that comes while a direct call holds the session has seen the question before it.
    bed.llm.calls([("createUser", new_user())]);
    assert_eq!(ann.process("create Ann").await.ok()["awaiting_confirmation"], true);
    let held = bed.upstream.hold(Method::POST, "/users");
    let call = tokio::spawn({
        let ann = ann.clone();
        async move { ann.call("createUser", json!({"name": "Bob", "email": "b"})).await }
    });
    held.reached().await;
    bed.llm.says("Created.");
    let late = ann.begins("yes", "enqueue").await;
    held.open();
    call.await.unwrap().ok();
    answered(&late).await;
    assert_eq!(bed.upstream.log(), ["POST /users", "POST /users"]);
}

async fn somebody_elses_yes_does_nothing(on: On) {
    let bed = Bed::with(on, confirm).await;
    let ann = asked(&bed).await;
    is_an_ordinary_message(&bed, &bed.as_user("bob"), "yes").await;
    assert_eq!(bed.upstream.log(), [""; 0]);
    bed.llm.says("Created.");
    ann.process("yes").await.ok();
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

async fn all_that_was_asked_about_is_sent_in_order_and_what_follows_is_asked_about_again(on: On) {
    let bed = Bed::with(on, confirm).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", new_user()), ("deleteUser", json!({"id": 1}))]);
    let message = ann.process("创建 Ann，删除 1").await.message();
    assert!(message.contains("回答 **确认** 即发送"), "{message}");
    assert!(message.contains("POST ") && message.contains("DELETE ") && message.contains("/users/1"), "{message}");
    bed.llm.calls([("deleteUser", json!({"id": 2}))]);
    let answer = ann.process("确认。").await.ok();
    assert_eq!(answer["awaiting_confirmation"], true, "{answer:#}");
    assert!(answer["message"].as_str().unwrap().contains("/users/2"), "{answer:#}");
    assert_eq!(bed.upstream.log(), ["POST /users", "DELETE /users/1"]);
    bed.llm.says("好的。");
    ann.process("取消").await.ok();
    assert_eq!(bed.upstream.log(), ["POST /users", "DELETE /users/1"]);
}

async fn a_yes_is_replayed_under_its_key(on: On) {
    let bed = Bed::with(on, confirm).await;
    let ann = asked(&bed).await.with("idempotency-key", "k-1");
    bed.llm.says("Created.");
    let first = ann.process("yes").await;
    first.ok();
    assert_eq!(ann.process("yes").await.body, first.body);
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

async fn a_yes_is_understood_where_the_planner_is_told_nothing_of_the_past(on: On) {
    let alone = |settings: &mut Settings| {
        confirm(settings);
        settings.turns.history_turns = 0;
    };
    let bed = Bed::with(on, alone).await;
    let ann = asked(&bed).await;
    bed.llm.says("Created.");
    ann.process("yes").await.ok();
    assert_eq!(bed.llm.heard().len(), 3, "the yes, the call, its result: {:#?}", bed.llm.heard());
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

async fn a_yes_to_what_would_be_another_request_now_sends_nothing(on: On) {
    let mut bed = Bed::with(on, confirm).await;
    let path = bed.upstream.document();
    let document = std::fs::read_to_string(&path).unwrap();
    for (was, is) in [("\"/users\"", "\"/people\""), ("\"createUser\"", "\"addUser\""), ("\"minLength\":1", "\"minLength\":9")] {
        assert!(document.contains(was), "{was} in {document}");
        let ann = bed.as_user("ann");
        bed.llm.calls([("deleteUser", json!({"id": 1})), ("createUser", new_user())]);
        assert_eq!(ann.process("delete 1, create Ann").await.ok()["awaiting_confirmation"], true);
        bed.restart(async |_| std::fs::write(&path, document.replace(was, is)).unwrap()).await;
        bed.llm.says("Shall I ask again?");
        let answer = ann.process("yes").await.ok();
        let told: Vec<&str> = answer["function_calls"].as_array().unwrap().iter().map(|c| c["error"].as_str().unwrap()).collect();
        assert!(told.len() == 2 && told.iter().all(|told| told.contains("no longer the request that was shown")), "{told:?}");
        assert!(bed.llm.heard().last().unwrap().contains("document has changed"), "{:#?}", bed.llm.heard());
        bed.restart(async |_| std::fs::write(&path, &document).unwrap()).await;
        is_an_ordinary_message(&bed, &ann, "yes").await;
    }
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn a_no_is_kept_when_the_model_fails(on: On) {
    let bed = Bed::with(on, confirm).await;
    let ann = asked(&bed).await;
    bed.llm.fails(503);
    let message = ann.process("no").await.message();
    assert!(message.contains("model became unavailable") && message.contains("you said no"), "{message}");
    is_an_ordinary_message(&bed, &ann, "yes").await;
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn another_message_is_kept_when_the_model_fails(on: On) {
    let bed = Bed::with(on, confirm).await;
    let ann = asked(&bed).await;
    bed.llm.fails(503);
    assert!(ann.process("wait, not Ann, show me Bob first").await.message().contains("model became unavailable"));
    is_an_ordinary_message(&bed, &ann, "yes").await;
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn a_turn_that_was_cut_off_before_it_asked_leaves_nothing_to_agree_to(on: On) {
    let short = |settings: &mut Settings| {
        confirm(settings);
        settings.turns.deadline_ms = 1000;
    };
    let bed = Bed::with(on, short).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("getUser", json!({"id": 1})), ("deleteUser", json!({"id": 1}))]);
    let _never_opened = bed.upstream.hold(Method::GET, "/users/1");
    let answer = ann.process("look at 1 and delete it").await.ok();
    assert!(answer["message"].as_str().unwrap().contains("took too long"), "{answer:#}");
    assert_eq!(answer["awaiting_confirmation"], false, "{answer:#}");
    is_an_ordinary_message(&bed, &ann, "yes").await;
    assert_eq!(bed.upstream.log(), ["GET /users/1"]);
}

async fn a_direct_call_is_not_asked_about(on: On) {
    let bed = Bed::with(on, confirm).await;
    bed.as_user("ann").call("createUser", new_user()).await.ok();
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

async fn without_a_model_the_planner_asks_too(on: On) {
    let newcomer = |settings: &mut Settings| {
        confirm(settings);
        settings.llm.url = None;
        settings.openapi.file = None;
        settings.upstream.base_url = None;
    };
    let bed = Bed::with(on, newcomer).await;
    let ann = bed.as_user("ann");
    let users = async || ann.call("listUsers", json!({})).await.ok()["api_response"]["data"]["total"].as_u64().unwrap();
    let before = users().await;
    for (wish, yes, done, no, undone) in [
        ("create a user named Ann with email ann@example.com", "yes", "Done: **createUser**", "no", "nothing was changed"),
        ("创建用户 小红，邮箱 hong@example.com", "确认", "已完成：**createUser**", "取消", "没有任何更改"),
    ] {
        let there = users().await;
        let declined = async {
            let answer = ann.process(wish).await.ok();
            assert_eq!(answer["awaiting_confirmation"], true, "{answer:#}");
            assert!(answer["message"].as_str().unwrap().contains("/users\n"), "{answer:#}");
            ann.process(no).await.message()
        };
        assert!(declined.await.contains(undone), "{no}");
        assert_eq!(users().await, there);
        ann.process(wish).await.ok();
        let message = ann.process(yes).await.message();
        assert!(message.contains(done), "{message}");
        assert!(!ann.process(yes).await.message().contains(done), "once");
    }
    assert_eq!(users().await, before + 2);
}

#[tokio::test]
async fn a_yes_that_comes_too_late_sends_nothing() {
    let bed = Bed::with(On::Redis, confirm).await;
    // The user's last turn as if it had begun so much earlier.
    let earlier = |by: u64| {
        let (mut redis, key) = (bed.redis().connection(), bed.redis().key("h", "ann"));
        let record: String = run(&mut redis, "LINDEX", &[key.as_str(), "-1"]);
        let (before, from) = record.split_once("\"at\":").unwrap();
        let (at, behind) = from.split_once(',').unwrap();
        let at = at.parse::<u64>().unwrap() - by;
        let _: () = run(&mut redis, "LSET", &[key.as_str(), "-1", &format!("{before}\"at\":{at},{behind}")]);
    };
    let ann = asked(&bed).await;
    earlier(15 * 60_000 + 1);
    bed.llm.says("What do you mean?");
    assert_eq!(ann.process("yes").await.ok()["message"], format!("What do you mean?{DROPPED}"), "it counts for nothing, which is told");
    assert_eq!(bed.upstream.log(), [""; 0]);
    asked(&bed).await;
    earlier(14 * 60_000);
    bed.llm.says("Created.");
    ann.process("yes").await.ok();
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn of_two_yeses_on_two_replicas_one_sends() {
    let bed = Bed::replicas(On::Redis, 2, confirm).await;
    asked(&bed).await;
    bed.llm.says("Created.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let (first, second) = (bed.at(0).as_user("ann"), bed.at(1).as_user("ann"));
    let meanwhile = async {
        gate.reached().await;
        second.process("yes").await.refused(409, "turn_in_progress");
        gate.open();
    };
    let (answer, ()) = tokio::join!(first.process("yes"), meanwhile);
    assert_eq!(answer.message(), "Created.");
    is_an_ordinary_message(&bed, &second, "yes").await;
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn a_yes_whose_replica_died_is_told_and_not_sent_again() {
    let quick = |settings: &mut Settings| {
        confirm(settings);
        settings.turns.lease_ms = 600;
    };
    let bed = Bed::with(On::Redis, quick).await;
    let mut process = Process::start(&bed.settings, &[("SAA_AGENT__CONFIRM", "changing")]).await;
    let ann = asked(&bed).await;
    bed.llm.says("It is not known.");
    let doomed = bed.through(&process.base).as_user("ann");
    let gate = bed.upstream.hold(Method::POST, "/users");
    let request = doomed.processing("yes");
    gate.reached().await;
    process.kill();
    gate.open();
    assert!(request.await.is_err(), "its client got no answer");

    until("another went on with it", async || ann.history().await.len() == 4).await;
    assert_eq!(ann.history().await[3], "assistant: It is not known.");
    bed.llm.says("There is nothing to agree to.");
    assert_eq!(ann.process("yes").await.message(), "There is nothing to agree to.");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}
