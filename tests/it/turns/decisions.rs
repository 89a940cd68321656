//! Changes that wait for a yes, decided by their ids. Row 23 of the table of attacks is here: many clicks at once, somebody else's, one that comes
//! too late, one for a request that is another now.

use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::{
    app::{App, AppError, Decision, Request},
    clock::Clock,
    domain::{
        limits::CONFIRMATION_MS_MAX,
        policy::Confirm,
        user::{Role, UserName},
    },
    settings::Settings,
};

use super::new_user;
use crate::harness::{
    bed::{Bed, On},
    client::{Client, PASSWORD, Reply},
    llm::StubModel,
    upstream::StubUpstream,
};

crate::contract::on_both_stores! {
    an_approval_sends_what_was_shown_once
    a_rejection_leaves_it_undone
    row_23_of_many_clicks_at_once_one_counts
    row_23_somebody_elses_and_an_unknown_one
    row_23_a_request_that_is_another_now
    what_was_said_since_makes_an_approval_come_too_late
    an_approval_is_replayed_under_its_key
    an_approval_can_be_followed_as_a_stream
    what_is_wrong_with_a_decision_is_told
}

fn confirm(settings: &mut Settings) {
    settings.agent.confirm = Some(Confirm::Changing);
}

/// A user who was asked whether Ann may be created, and the question.
async fn asked(bed: &Bed) -> (Client, Value) {
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", new_user())]);
    let answer = ann.process("create Ann").await.ok();
    assert_eq!(answer["awaiting_confirmation"], true, "{answer:#}");
    assert_eq!(shown(&answer, "Answer **yes** to send"), ["POST", "/users", "Ann"]);
    (ann, answer["confirmation"].clone())
}

/// What a question shows of the request. Its message says beside it how to answer in writing; the question itself does not.
fn shown(answer: &Value, how: &str) -> Vec<&'static str> {
    let (message, question) = (answer["message"].as_str().unwrap(), answer["confirmation"]["question"].as_str().unwrap());
    assert!(message.contains(how) && !question.contains(how), "{answer:#}");
    assert!(message.starts_with(question), "the rest is as it was: {answer:#}");
    ["POST", "/users", "Ann"].into_iter().filter(|part| question.contains(part)).collect()
}

fn place(question: &Value) -> String {
    format!("/api/confirmations/{}", question["id"].as_str().unwrap())
}

async fn decides(client: &Client, question: &Value, decision: &str) -> Reply {
    client.post(&place(question), json!({"decision": decision})).await
}

async fn an_approval_sends_what_was_shown_once(on: On) {
    let bed = Bed::with(on, confirm).await;
    let (ann, question) = asked(&bed).await;
    let request = &question["requests"][0];
    assert_eq!(
        (&request["function_name"], &request["method"], &request["parameters"]),
        (&json!("createUser"), &json!("POST"), &new_user())
    );
    assert_eq!(request["url"], format!("{}/users", bed.upstream.url));
    let open = ann.get("/api/confirmations").await.ok();
    assert_eq!(open["confirmations"], json!([question]));
    assert_eq!(bed.as_user("bob").get("/api/confirmations").await.ok()["confirmations"], json!([]));

    bed.llm.says("Created.");
    let answer = decides(&ann, &question, "approve").await.ok();
    assert_eq!((&answer["message"], &answer["awaiting_confirmation"]), (&json!("Created."), &json!(false)));
    assert!(answer.get("confirmation").is_none(), "{answer:#}");
    assert_eq!(bed.upstream.seen()[0].body, new_user());
    assert_eq!(ann.history().await[2..], ["user: yes", "assistant: Created."]);
    decides(&ann, &question, "approve").await.refused(409, "confirmation_over");
    decides(&ann, &question, "reject").await.refused(409, "confirmation_over");
    assert_eq!(ann.get("/api/confirmations").await.ok()["confirmations"], json!([]));
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

async fn a_rejection_leaves_it_undone(on: On) {
    let bed = Bed::with(on, confirm).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", new_user())]);
    let answer = ann.process("创建 Ann").await.ok();
    assert_eq!(shown(&answer, "回答 **确认** 即发送"), ["POST", "/users", "Ann"]);
    let question = answer["confirmation"].clone();
    bed.llm.says("好的，没有创建。");
    let answer = decides(&ann, &question, "reject").await.ok();
    assert_eq!(answer["function_calls"][0]["unsent"], "declined");
    assert_eq!(ann.history().await[2..], ["user: 取消", "assistant: 好的，没有创建。"]);
    decides(&ann, &question, "approve").await.refused(409, "confirmation_over");
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn row_23_of_many_clicks_at_once_one_counts(on: On) {
    const CLICKS: usize = 64;
    let bed = Bed::replicas(on, if on == On::Redis { 2 } else { 1 }, confirm).await;
    let (_, question) = asked(&bed).await;
    let gate = bed.llm.says("Created.").held();
    let clicks: Vec<_> = (0..CLICKS)
        .map(|n| {
            let (ann, place) = (bed.at(n % bed.count()).as_user("ann"), place(&question));
            tokio::spawn(async move { ann.post(&place, json!({"decision": "approve"})).await })
        })
        .collect();
    gate.reached().await;
    gate.open();
    let mut done = 0;
    for click in clicks {
        let reply = click.await.unwrap();
        match reply.status {
            200 => done += 1,
            // Another one is being worked on, or was.
            _ => assert!(["turn_in_progress", "confirmation_over"].iter().any(|code| reply.json()["code"] == *code), "{}", reply.text()),
        }
    }
    assert_eq!((done, bed.upstream.log().len()), (1, 1));
}

async fn row_23_somebody_elses_and_an_unknown_one(on: On) {
    let bed = Bed::with(on, confirm).await;
    let (ann, question) = asked(&bed).await;
    let told = |reply: &Reply| {
        let mut told = reply.refused(404, "confirmation_not_found");
        told.as_object_mut().unwrap().retain(|name, _| !["request_id", "user_id"].contains(&name.as_str()));
        told
    };
    let somebody_elses = told(&decides(&bed.as_user("bob"), &question, "approve").await);
    let unknown = told(&ann.post(&format!("/api/confirmations/{}", "0".repeat(32)), json!({"decision": "approve"})).await);
    assert_eq!(somebody_elses, unknown);
    bed.nobody().post(&place(&question), json!({"decision": "approve"})).await.refused(401, "token_missing");
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn row_23_a_request_that_is_another_now(on: On) {
    let mut bed = Bed::with(on, confirm).await;
    let (_, question) = asked(&bed).await;
    let path = bed.upstream.document();
    let document = std::fs::read_to_string(&path).unwrap();
    bed.restart(async |_| std::fs::write(&path, document.replace("\"/users\"", "\"/people\"")).unwrap()).await;
    bed.llm.says("Shall I ask again?");
    let answer = decides(&bed.as_user("ann"), &question, "approve").await.ok();
    assert_eq!(answer["function_calls"][0]["success"], false, "{answer:#}");
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn what_was_said_since_makes_an_approval_come_too_late(on: On) {
    let bed = Bed::with(on, confirm).await;
    let (ann, question) = asked(&bed).await;
    bed.llm.says("All right.");
    ann.process("call her Anna instead").await.ok();
    decides(&ann, &question, "approve").await.refused(409, "confirmation_over");
    // The other way round: what a session that was reset had asked is gone.
    bed.llm.calls([("createUser", new_user())]);
    let question = ann.process("create Ann").await.ok()["confirmation"].clone();
    ann.post("/api/session/reset", json!({})).await.ok();
    decides(&ann, &question, "approve").await.refused(404, "confirmation_not_found");
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn an_approval_is_replayed_under_its_key(on: On) {
    let bed = Bed::with(on, confirm).await;
    let (ann, question) = asked(&bed).await;
    let keyed = ann.clone().with("idempotency-key", "k-1");
    bed.llm.says("Created.");
    let first = decides(&keyed, &question, "approve").await;
    first.ok();
    let again = decides(&keyed, &question, "approve").await;
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &first.body));
    decides(&keyed, &question, "reject").await.refused(422, "idempotency_key_reused");
    let other = ann.with("idempotency-key", "k-2");
    decides(&other, &question, "approve").await.refused(409, "confirmation_over");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

async fn an_approval_can_be_followed_as_a_stream(on: On) {
    let bed = Bed::with(on, confirm).await;
    let (ann, question) = asked(&bed).await;
    bed.llm.says("Created.");
    let reply = ann.with("accept", "text/event-stream").post(&place(&question), json!({"decision": "approve"})).await;
    assert!(reply.text().contains("event: call_finished") && reply.text().contains("event: done"), "{}", reply.text());
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

async fn what_is_wrong_with_a_decision_is_told(on: On) {
    let bed = Bed::with(on, confirm).await;
    let (ann, question) = asked(&bed).await;
    for body in [json!({}), json!({"decision": "yes"}), json!({"decision": true}), json!({"decision": ["approve"]})] {
        ann.post(&place(&question), body).await.refused(400, "invalid_body");
    }
    for id in ["%FF", "%00", "x"] {
        ann.post(&format!("/api/confirmations/{id}"), json!({"decision": "approve"})).await.refused(404, "confirmation_not_found");
    }
    ann.send(Method::GET, &place(&question), "application/json", "").await.refused(405, "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_23_an_approval_that_comes_too_late() {
    let (llm, upstream) = (StubModel::start().await, StubUpstream::start().await);
    let data = tempfile::tempdir().unwrap();
    let mut settings = Settings::builtin();
    settings.store.data_dir = data.path().to_owned();
    settings.openapi.file = Some(upstream.document().display().to_string());
    settings.upstream.base_url = Some(upstream.url.clone());
    settings.llm.url = Some(llm.url.clone());
    confirm(&mut settings);
    let clock = Clock::manual(1_795_000_000_000);
    let app = App::build_with(settings, clock.clone()).await.unwrap();
    app.add_user(&UserName::new("ann").unwrap(), Role::User, PASSWORD).await.unwrap();
    let ann = app.bearer(&app.log_in("ann", PASSWORD, "here").await.unwrap().token).unwrap();
    llm.calls([("createUser", new_user())]);
    app.take_turn(&ann, Request { message: "create Ann".to_owned(), ..Request::default() }).await.unwrap();
    let (question, _) = app.open_question(&ann).await.unwrap().expect("a question");
    let decision = Decision { question: &question.id, approve: true };
    clock.advance_ms(CONFIRMATION_MS_MAX - 1);
    assert!(app.deciding(&ann, decision, None).await.is_ok());
    clock.advance_ms(1);
    assert_eq!(app.deciding(&ann, decision, None).await.err(), Some(AppError::QuestionExpired));
    assert_eq!(app.open_question(&ann).await.unwrap().map(|(question, _)| question), None);
    assert_eq!(upstream.log(), [""; 0]);
}
