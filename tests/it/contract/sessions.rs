//! The sessions that a user has beside the main one: begun, listed, named, searched, branched off, wound back, ended.

use serde_json::{Value, json};
use swagger_api_agent::domain::policy::Confirm;

use crate::harness::{
    bed::{Bed, On},
    client::Client,
    gate::Gate,
    llm::StubModel,
    shape::has,
    until,
};

super::on_both_stores! {
    a_session_beside_the_main_one_has_a_conversation_of_its_own
    the_body_and_the_query_name_a_session_as_well_as_the_header
    sessions_are_listed_pinned_ones_first_then_as_they_were_used
    a_session_is_called_by_its_first_message_until_its_user_calls_it_otherwise
    what_is_wrong_with_a_label_is_told_at_once
    a_session_that_is_ended_is_gone_and_the_others_stay
    a_reset_puts_another_session_in_the_place_of_the_one_that_is_named
    a_user_has_no_more_sessions_than_may_be
    a_fork_goes_its_own_way
    a_conversation_is_wound_back_and_asked_otherwise
    a_run_that_was_wound_back_is_not_told_with_the_turn_of_another
    sessions_are_searched_by_title_and_by_what_was_said
    two_sessions_of_a_user_run_at_the_same_time
    an_administrator_ends_one_session_or_all_of_them
    a_logout_stops_what_runs_in_every_session
    a_question_is_decided_in_the_session_that_it_was_put_in
    a_key_is_good_for_the_session_that_it_was_used_in
    nobody_elses_session_is_found
    everybody_who_may_is_told_what_a_session_has_come_to
    turns_of_a_user_run_in_as_many_sessions_as_may_be_and_no_more
}

const SESSION: &str = "id:text main:bool pinned:bool created_at:time last_active:time expires_at:time ends_at_latest:time turns:count \
                       first_turn:count";

async fn opened(client: &Client, body: Value) -> String {
    let reply = client.post("/api/sessions", body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let told = reply.json();
    has(&told["session"], SESSION);
    let id = told["session"]["id"].as_str().unwrap().to_owned();
    assert_eq!(reply.header("location"), Some(format!("/api/sessions/{id}").as_str()));
    id
}

fn within(client: &Client, id: &str) -> Client {
    client.clone().with("x-session-id", id)
}

async fn says(llm: &StubModel, client: &Client, message: &str) -> Value {
    llm.says(&format!("{message}?"));
    client.process(message).await.ok()
}

async fn titles(client: &Client) -> Vec<String> {
    let told = client.get("/api/sessions").await.ok();
    assert_eq!(told["count"], told["sessions"].as_array().unwrap().len());
    told["sessions"].as_array().unwrap().iter().map(|s| s["title"].as_str().unwrap_or("-").to_owned()).collect()
}

async fn a_session_beside_the_main_one_has_a_conversation_of_its_own(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let other = within(&ann, &opened(&ann, json!({})).await);
    says(&bed.llm, &ann, "in the main one").await;
    let told = says(&bed.llm, &other, "in the other").await;
    assert_eq!(bed.llm.heard(), ["user: in the other"]);
    assert_eq!(ann.history().await, ["user: in the main one", "assistant: in the main one?"]);
    assert_eq!(other.history().await, ["user: in the other", "assistant: in the other?"]);
    assert_eq!(told["session_id"], other.get("/api/session/info").await.ok()["session_info"]["session_id"]);
    assert_ne!(told["session_id"], ann.get("/api/session/info").await.ok()["session_info"]["session_id"]);
    other.delete("/api/history").await.ok();
    assert_eq!((other.history().await.len(), ann.history().await.len()), (0, 2));
    let run = told["run_id"].as_str().unwrap();
    let seen = ann.get(&format!("/api/runs/{run}")).await.ok()["run"].clone();
    assert_eq!((&seen["state"], &seen["session_id"]), (&json!("answered"), &told["session_id"]), "whichever session the caller names");
}

async fn the_body_and_the_query_name_a_session_as_well_as_the_header(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let id = opened(&ann, json!({})).await;
    bed.llm.says("there");
    ann.post("/api/process", json!({"message": "here", "session_id": id})).await.ok();
    assert_eq!(ann.get(&format!("/api/history?session_id={id}")).await.ok()["count"], 2);
    assert_eq!(ann.history().await.len(), 0);
    within(&ann, "another").post("/api/process", json!({"message": "x", "session_id": id})).await.refused(409, "session_ambiguous");
    for unknown in ["nobody", "", "../x", "s00000000000000000000000000000000"] {
        within(&ann, unknown).process("hello").await.refused(404, "session_not_found");
        within(&ann, unknown).get("/api/history").await.refused(404, "session_not_found");
        within(&ann, unknown).post("/api/session/reset", json!({})).await.refused(404, "session_not_found");
        within(&ann, unknown).delete("/api/history").await.refused(404, "session_not_found");
    }
    assert_eq!(bed.llm.asked().len(), 1, "the model heard nothing of those");
}

async fn sessions_are_listed_pinned_ones_first_then_as_they_were_used(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    assert_eq!(titles(&ann).await, [""; 0], "a list makes no session");
    says(&bed.llm, &ann, "the main one").await;
    for title in ["a", "b", "c"] {
        opened(&ann, json!({"title": title, "pinned": title == "b"})).await;
    }
    assert_eq!(titles(&ann).await, ["b", "c", "a", "the main one"]);
    says(&bed.llm, &ann, "again").await;
    assert_eq!(titles(&ann).await, ["b", "the main one", "c", "a"]);
    let told = ann.get("/api/sessions").await.ok();
    let main: Vec<&Value> = told["sessions"].as_array().unwrap().iter().filter(|session| session["main"] == true).collect();
    assert_eq!((main.len(), &main[0]["turns"], &told["more_max"]), (1, &json!(2), &json!(100)));
    has(main[0], SESSION);
}

async fn a_session_is_called_by_its_first_message_until_its_user_calls_it_otherwise(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let id = opened(&ann, json!({"metadata": {"colour": "red"}})).await;
    let other = within(&ann, &id);
    let one = async || ann.get(&format!("/api/sessions/{id}")).await.ok()["session"].clone();
    assert_eq!((one().await["title"].clone(), one().await["metadata"].clone()), (Value::Null, json!({"colour": "red"})));
    says(&bed.llm, &other, "列出\n所有   订单").await;
    says(&bed.llm, &other, "and now something else").await;
    assert_eq!(one().await["title"], "列出 所有 订单");
    let path = format!("/api/sessions/{id}");
    let patched =
        ann.send(reqwest::Method::PATCH, &path, "application/json", json!({"title": "Orders", "pinned": true}).to_string()).await.ok();
    assert_eq!((&patched["session"]["title"], &patched["session"]["pinned"]), (&json!("Orders"), &json!(true)));
    assert_eq!(patched["session"]["metadata"], json!({"colour": "red"}), "what is not named stays");
    let body = json!({"title": null, "metadata": null}).to_string();
    let patched = ann.send(reqwest::Method::PATCH, &path, "application/json", body).await.ok();
    assert_eq!((&patched["session"]["title"], &patched["session"]["metadata"]), (&json!("列出 所有 订单"), &Value::Null));
    assert_eq!(patched["session"]["pinned"], true);
}

async fn what_is_wrong_with_a_label_is_told_at_once(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let wrong = json!({"title": "a\u{7}", "pinned": "yes", "metadata": [1]});
    let refused = ann.post("/api/sessions", wrong).await.refused(400, "invalid_body");
    assert_eq!(refused["problems"].as_array().unwrap().len(), 3, "{refused:#}");
    for (body, says) in [
        (json!({"title": " "}), "title is empty"),
        (json!({"title": "长".repeat(201)}), "more than 200 characters"),
        (json!({"metadata": {"a": "x".repeat(4100)}}), "4096 are allowed"),
    ] {
        let refused = ann.post("/api/sessions", body).await.refused(400, "invalid_body");
        assert!(refused["problems"][0].as_str().unwrap().contains(says), "{refused:#}");
    }
    assert_eq!(titles(&ann).await, [""; 0]);
}

async fn a_session_that_is_ended_is_gone_and_the_others_stay(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let (one, two) = (opened(&ann, json!({"title": "one"})).await, opened(&ann, json!({"title": "two"})).await);
    says(&bed.llm, &within(&ann, &one), "hi").await;
    let gate = bed.llm.says("done").held();
    let running = within(&ann, &one).processing("held");
    gate.reached().await;
    ann.delete(&format!("/api/sessions/{one}")).await.ok();
    gate.open();
    running.await.unwrap();
    ann.delete(&format!("/api/sessions/{one}")).await.refused(404, "session_not_found");
    ann.get(&format!("/api/sessions/{one}")).await.refused(404, "session_not_found");
    within(&ann, &one).process("hello?").await.refused(404, "session_not_found");
    assert_eq!(titles(&ann).await, ["two"]);
    // The main one is ended as any other, and is there again for whoever comes.
    let main = ann.get("/api/session/info").await.ok()["session_info"]["session_id"].as_str().unwrap().to_owned();
    ann.delete(&format!("/api/sessions/{main}")).await.ok();
    assert_eq!(titles(&ann).await, ["two"]);
    assert_ne!(ann.get("/api/session/info").await.ok()["session_info"]["session_id"], json!(main));
    assert_eq!(within(&ann, &two).history().await.len(), 0);
}

async fn a_reset_puts_another_session_in_the_place_of_the_one_that_is_named(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let id = opened(&ann, json!({"title": "one"})).await;
    says(&bed.llm, &within(&ann, &id), "hi").await;
    says(&bed.llm, &ann, "in the main one").await;
    let told = within(&ann, &id).post("/api/session/reset", json!({})).await.ok();
    let next = told["session_info"]["session_id"].as_str().unwrap().to_owned();
    assert_ne!(next, id);
    within(&ann, &id).get("/api/history").await.refused(404, "session_not_found");
    assert_eq!((within(&ann, &next).history().await.len(), ann.history().await.len()), (0, 2));
    assert_eq!(titles(&ann).await.len(), 2);
}

async fn a_user_has_no_more_sessions_than_may_be(on: On) {
    let bed = Bed::with(on, |settings| settings.sessions.per_user_max = 2).await;
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    let one = opened(&ann, json!({})).await;
    opened(&ann, json!({})).await;
    ann.post("/api/sessions", json!({})).await.refused(409, "too_many_sessions");
    ann.post(&format!("/api/sessions/{one}/fork"), json!({})).await.refused(409, "too_many_sessions");
    opened(&bob, json!({})).await;
    ann.delete(&format!("/api/sessions/{one}")).await.ok();
    opened(&ann, json!({})).await;
}

async fn a_fork_goes_its_own_way(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("listUsers", json!({}))]).says("two users");
    ann.process("list the users").await.ok();
    says(&bed.llm, &ann, "second").await;
    says(&bed.llm, &ann, "third").await;
    let main = ann.get("/api/session/info").await.ok()["session_info"]["session_id"].as_str().unwrap().to_owned();
    let path = format!("/api/sessions/{main}/fork");
    let fork = ann.post(&path, json!({"turn": 2})).await.json()["session"].clone();
    assert_eq!((&fork["turns"], &fork["title"], &fork["main"]), (&json!(2), &json!("list the users"), &json!(false)));
    let fork = within(&ann, fork["id"].as_str().unwrap());
    says(&bed.llm, &fork, "otherwise").await;
    let heard = bed.llm.heard();
    assert!(heard.iter().any(|said| said.contains("second")) && !heard.iter().any(|said| said.contains("third")), "{heard:?}");
    assert_eq!((fork.history().await.len(), ann.history().await.len()), (6, 6));
    assert_eq!(fork.history().await[5], "assistant: otherwise?");
    let whole = ann.post(&path, json!({"title": "all of it"})).await.json()["session"].clone();
    assert_eq!((&whole["turns"], &whole["title"]), (&json!(3), &json!("all of it")));
    ann.post(&path, json!({"turn": 4})).await.refused(409, "turn_not_found");
    ann.post(&path, json!({"turn": -1})).await.refused(400, "invalid_body");
}

async fn a_conversation_is_wound_back_and_asked_otherwise(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    for message in ["one", "two", "three"] {
        says(&bed.llm, &ann, message).await;
    }
    let info = ann.get("/api/session/info").await;
    let (tag, main) = (info.header("etag").unwrap().to_owned(), info.json()["session_info"]["session_id"].as_str().unwrap().to_owned());
    let path = format!("/api/sessions/{main}/rewind");
    ann.post(&path, json!({"turn": 9})).await.refused(409, "turn_not_found");
    ann.post(&path, json!({})).await.refused(400, "invalid_body");
    let told = ann.clone().with("if-match", &tag).post(&path, json!({"turn": 1})).await.ok();
    assert_eq!(told["session"]["turns"], 1);
    ann.clone().with("if-match", &tag).post(&path, json!({"turn": 0})).await.refused(412, "precondition_failed");
    says(&bed.llm, &ann, "two again").await;
    let history = ann.history().await;
    assert_eq!(history, ["user: one", "assistant: one?", "user: two again", "assistant: two again?"]);
    let gate = bed.llm.says("done").held();
    let running = ann.processing("held");
    gate.reached().await;
    ann.post(&path, json!({"turn": 0})).await.refused(409, "turn_in_progress");
    gate.open();
    running.await.unwrap();
    assert_eq!(ann.post(&path, json!({"turn": 0})).await.ok()["session"]["title"], Value::Null, "nothing is left that it was called by");
}

async fn a_run_that_was_wound_back_is_not_told_with_the_turn_of_another(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let run = says(&bed.llm, &ann, "one").await["run_id"].as_str().unwrap().to_owned();
    let main = ann.get("/api/session/info").await.ok()["session_info"]["session_id"].as_str().unwrap().to_owned();
    ann.post(&format!("/api/sessions/{main}/rewind"), json!({"turn": 0})).await.ok();
    says(&bed.llm, &ann, "something else").await;
    let seen = ann.get(&format!("/api/runs/{run}")).await.ok()["run"].clone();
    assert_eq!((&seen["state"], &seen["answer"]), (&json!("answered"), &Value::Null), "{seen:#}");
    assert!(!seen.to_string().contains("something else"), "{seen:#}");
}

async fn sessions_are_searched_by_title_and_by_what_was_said(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    opened(&ann, json!({"title": "Invoices of May"})).await;
    let other = within(&ann, &opened(&ann, json!({"title": "other"})).await);
    says(&bed.llm, &other, "请查询发票 7 的状态，thanks").await;
    let found = async |search: &str| {
        let told = ann.get(&format!("/api/sessions?search={search}")).await.ok();
        let shown =
            |s: &Value| format!("{}: {} {}", s["title"].as_str().unwrap(), s["found"]["turn"], s["found"]["text"].as_str().unwrap_or("-"));
        told["sessions"].as_array().unwrap().iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(found("INVOICES").await, ["Invoices of May: null -"]);
    assert_eq!(found("%E5%8F%91%E7%A5%A8").await, ["other: 0 请查询发票 7 的状态，thanks"]);
    assert_eq!(found("THANKS?").await, ["other: 0 请查询发票 7 的状态，thanks?"], "what was answered as well");
    assert_eq!(found("nowhere").await, [""; 0]);
    assert_eq!(found("").await.len(), 2);
    ann.get(&format!("/api/sessions?search={}", "x".repeat(201))).await.refused(400, "invalid_query");
}

async fn two_sessions_of_a_user_run_at_the_same_time(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let other = within(&ann, &opened(&ann, json!({})).await);
    let gate = bed.llm.says("done").held();
    let running = ann.processing("held");
    gate.reached().await;
    ann.process("not now").await.refused(409, "turn_in_progress");
    says(&bed.llm, &other, "meanwhile").await;
    gate.open();
    assert_eq!(running.await.unwrap().ok()["message"], "done");
}

async fn an_administrator_ends_one_session_or_all_of_them(on: On) {
    let bed = Bed::on(on).await;
    let (ann, admin) = (bed.as_user("ann"), bed.as_admin());
    let (one, two) = (opened(&ann, json!({})).await, opened(&ann, json!({})).await);
    says(&bed.llm, &ann, "main").await;
    says(&bed.llm, &within(&ann, &one), "one").await;
    let listed = admin.get("/api/admin/sessions").await.ok();
    let names: Vec<&String> =
        listed["sessions_info"]["sessions"].as_object().unwrap().keys().filter(|name| name.starts_with("ann")).collect();
    assert_eq!(names.len(), 3, "{listed:#}");
    assert!(names.contains(&&"ann".to_owned()) && names.contains(&&format!("ann/{one}")), "{names:?}");
    let seen = admin.get(&format!("/api/admin/sessions/ann/{one}")).await.ok();
    assert_eq!(seen["session_info"]["conversation_length"], 2);
    let said = admin.get(&format!("/api/admin/sessions/ann/{one}/history")).await.ok();
    assert_eq!(said["history"][0]["content"], "one");
    let keys = admin.get("/api/admin/sessions/ann/keys").await.ok();
    assert!(keys["keys"].as_array().unwrap().len() >= 5, "{keys:#}");
    assert_eq!(admin.delete(&format!("/api/admin/sessions/ann/{one}")).await.ok()["ended"], 1);
    admin.delete(&format!("/api/admin/sessions/ann/{one}")).await.refused(404, "session_not_found");
    admin.get(&format!("/api/admin/sessions/ann/{one}/history")).await.refused(404, "session_not_found");
    assert_eq!((ann.history().await.len(), within(&ann, &two).history().await.len()), (2, 0));
    assert_eq!(admin.delete("/api/admin/sessions/ann").await.ok()["ended"], 2);
    assert_eq!(titles(&ann).await, [""; 0]);
    bed.as_user("bob").get(&format!("/api/admin/sessions/ann/{two}")).await.refused(403, "not_admin");
}

async fn a_logout_stops_what_runs_in_every_session(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let key = ann.post("/api/keys", json!({"name": "to look on"})).await.json()["api_key"].as_str().unwrap().to_owned();
    let other = within(&ann, &opened(&ann, json!({})).await);
    let gates = [bed.llm.says("a").held(), bed.llm.says("b").held()];
    let running = [ann.processing("one"), other.processing("two")];
    for gate in &gates {
        gate.reached().await;
    }
    let told = ann.post("/api/logout", json!({})).await.ok();
    assert_eq!(told["stopped_runs"].as_array().unwrap().len(), 2, "{told:#}");
    let runs: Vec<String> = told["stopped_runs"].as_array().unwrap().iter().map(|run| run.as_str().unwrap().to_owned()).collect();
    let back = bed.at(0).with_authorization(&format!("Bearer {key}"));
    // The model says nothing more: they stop while it thinks.
    for run in runs {
        until("it is cancelled", || async { back.get(&format!("/api/runs/{run}")).await.ok()["run"]["state"] == "cancelled" }).await;
    }
    gates.iter().for_each(Gate::open);
    for run in running {
        run.await.unwrap();
    }
}

async fn a_question_is_decided_in_the_session_that_it_was_put_in(on: On) {
    let bed = Bed::with(on, |settings| settings.agent.confirm = Some(Confirm::Changing)).await;
    let ann = bed.as_user("ann");
    let other = within(&ann, &opened(&ann, json!({})).await);
    bed.llm.calls([("createUser", json!({"name": "Cleo", "email": "cleo@example.com"}))]);
    let asked = other.process("create Cleo").await.ok();
    let id = asked["confirmation"]["id"].as_str().unwrap_or_else(|| panic!("{asked:#}")).to_owned();
    assert_eq!(ann.get("/api/confirmations").await.ok()["confirmations"].as_array().unwrap().len(), 0);
    assert_eq!(other.get("/api/confirmations").await.ok()["confirmations"][0]["id"], json!(id));
    bed.llm.says("created");
    ann.post(&format!("/api/confirmations/{id}"), json!({"decision": "approve"})).await.ok();
    let sent = bed.upstream.log().iter().filter(|line| line.starts_with("POST ")).count();
    assert_eq!((sent, other.history().await.len(), ann.history().await.len()), (1, 4, 0));
}

async fn a_key_is_good_for_the_session_that_it_was_used_in(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann").with("idempotency-key", "k1");
    let other = within(&ann, &opened(&bed.as_user("ann"), json!({})).await);
    let told = says(&bed.llm, &other, "hi").await;
    let again = other.process("hi").await;
    assert_eq!((again.header("idempotency-replayed"), again.ok()), (Some("true"), told));
    ann.process("hi").await.refused(422, "idempotency_key_reused");
}

async fn nobody_elses_session_is_found(on: On) {
    let bed = Bed::on(on).await;
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    let id = opened(&ann, json!({"title": "mine"})).await;
    says(&bed.llm, &within(&ann, &id), "secret").await;
    within(&bob, &id).get("/api/history").await.refused(404, "session_not_found");
    within(&bob, &id).process("hi").await.refused(404, "session_not_found");
    for (method, path) in [("GET", ""), ("DELETE", ""), ("PATCH", ""), ("POST", "/fork"), ("POST", "/rewind")] {
        let path = format!("/api/sessions/{id}{path}");
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        bob.send(method, &path, "application/json", json!({"turn": 0}).to_string()).await.refused(404, "session_not_found");
    }
    assert_eq!((titles(&bob).await.len(), titles(&ann).await), (0, vec!["mine".to_owned()]));
}

async fn everybody_who_may_is_told_what_a_session_has_come_to(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    bed.llm.calls_for([("getUsers", json!({}))], Some((10, 5))).says_for("Two.", (7, 3));
    let session = ann.process("how many are there?").await.ok()["session_id"].as_str().unwrap().to_owned();
    ann.call("createUser", json!({"name": "Eve", "email": "eve@example.com"})).await.ok();
    ann.call("getUsers", json!({})).await.ok();
    let counted = json!({"turns": 1, "calls": 2, "changing_calls": 1, "prompt_tokens": 17, "completion_tokens": 8, "estimated": false});
    assert_eq!(ann.get(&format!("/api/sessions/{session}")).await.ok()["session"]["totals"], counted, "a call that only reads is no run");
    assert_eq!(ann.get("/api/sessions").await.ok()["sessions"][0]["totals"], counted);
    assert_eq!(bed.as_admin().get(&format!("/api/admin/sessions/ann/{session}")).await.ok()["totals"], counted);
    says(&bed.llm, &ann, "and now?").await;
    let fork = ann.post(&format!("/api/sessions/{session}/fork"), json!({})).await.json()["session"].clone();
    assert_eq!(
        (&fork["turns"], &fork["totals"]["turns"], &fork["totals"]["calls"]),
        (&json!(2), &json!(0), &json!(0)),
        "it has done nothing yet"
    );
    let totals =
        ann.get("/api/sessions").await.ok()["sessions"].as_array().unwrap().iter().find(|one| one["main"] == true).unwrap()["totals"]
            .clone();
    assert_eq!((&totals["turns"], &totals["estimated"]), (&json!(2), &json!(true)), "this server counts no tokens: {totals:#}");
}

async fn turns_of_a_user_run_in_as_many_sessions_as_may_be_and_no_more(on: On) {
    let bed = Bed::with(on, |settings| settings.sessions.running_max = 1).await;
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    let other = within(&ann, &opened(&ann, json!({})).await);
    let gate = bed.llm.says("done").held();
    let running = ann.processing("held");
    gate.reached().await;
    let refused = other.process("one more").await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    let told = refused.refused(429, "too_many_turns");
    assert!(told["error"].as_str().unwrap().contains("run in 1 of your sessions"), "{told:#}");
    let told = other.clone().reading_chinese().process("还有").await.refused(429, "too_many_turns");
    assert!(told["error"].as_str().unwrap().contains("1 个"), "{told:#}");
    other.call("createUser", json!({"name": "Eve", "email": "eve@example.com"})).await.refused(429, "too_many_turns");
    other.call("getUsers", json!({})).await.ok();
    ann.process("in the same session").await.refused(409, "turn_in_progress");
    says(&bed.llm, &bob, "somebody else").await;
    gate.open();
    assert_eq!(running.await.unwrap().message(), "done");
    says(&bed.llm, &other, "now").await;
    assert_eq!(other.history().await.len(), 2, "nothing of what was refused is kept");
}
