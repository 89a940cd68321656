//! The user's own session: its history, what it is, beginning anew.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    bed::{Bed, On},
    client::Client,
    shape::has,
};

super::on_both_stores! {
    the_history_has_both_sides_of_every_turn
    the_history_is_read_in_pages
    the_history_tells_calls_if_it_is_asked_to_and_is_as_ever_if_not
    a_history_with_calls_tells_no_more_of_them_than_answers_may
    answers_are_told_as_html_to_whoever_asks_for_it
    the_history_of_one_is_not_that_of_another
    an_emptied_history_stays_empty_and_the_session_stays
    a_history_is_not_emptied_under_a_running_turn
    a_session_is_made_by_the_first_request_and_reused
    a_reset_begins_another_session
    another_session_is_not_found
}

const SESSION_INFO: &str =
    "user_id:text session_id:text created_at:time last_active:time is_active:bool conversation_length:count agent_status:object";

async fn session_id(client: &Client) -> String {
    client.get("/api/session/info").await.ok()["session_info"]["session_id"].as_str().unwrap().to_owned()
}

async fn the_history_has_both_sides_of_every_turn(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let empty = ann.get("/api/history").await.ok();
    has(&empty, "success:bool history:list count:count user_id:text");
    assert_eq!((&empty["count"], &empty["user_id"]), (&json!(0), &json!("ann")));
    bed.llm.says("Hello.").says("再见。");
    ann.process("hi").await.ok();
    ann.process("再见").await.ok();
    let told = ann.get("/api/history").await.ok();
    assert_eq!(told["count"], 4);
    for message in told["history"].as_array().unwrap() {
        has(message, "role:text content:text timestamp:time");
    }
    assert_eq!(ann.history().await, ["user: hi", "assistant: Hello.", "user: 再见", "assistant: 再见。"]);
}

async fn the_history_is_read_in_pages(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    for turn in 0..5 {
        bed.llm.says(&format!("answer {turn}"));
        ann.process(&format!("question {turn}")).await.ok();
    }
    let (mut path, mut read) = ("/api/history?limit=4".to_owned(), Vec::new());
    for _ in 0..3 {
        let page = ann.get(&path).await.ok();
        let answers = page["history"].as_array().unwrap().iter().filter(|message| message["role"] == "assistant");
        read.push(answers.map(|message| message["content"].as_str().unwrap().replace("answer ", "")).collect::<String>());
        assert_eq!(page["total"], 10);
        path = format!("/api/history?limit=4&before={}", page["next_before"]);
    }
    assert_eq!((read.join(" ").as_str(), path.ends_with("null")), ("34 12 0", true), "{path}");
    let refused = ann.get("/api/history?limit=0&before=x").await.refused(400, "invalid_query");
    assert_eq!(refused["problems"].as_array().unwrap().len(), 2, "{refused:#}");
}

async fn the_history_of_one_is_not_that_of_another(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.says("Hello Ann.").says("Hello Bob.");
    bed.as_user("ann").process("I am Ann").await.ok();
    bed.as_user("bob").process("I am Bob").await.ok();
    assert_eq!(bed.as_user("bob").history().await, ["user: I am Bob", "assistant: Hello Bob."]);
    assert_eq!(bed.llm.heard(), ["user: I am Bob"]);
}

async fn an_emptied_history_stays_empty_and_the_session_stays(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    bed.llm.says("Hello.").says("Who?");
    ann.process("hi").await.ok();
    let before = session_id(&ann).await;
    has(&ann.delete("/api/history").await.ok(), "success:bool message:text user_id:text");
    assert_eq!(ann.history().await, [""; 0]);
    assert_eq!(session_id(&ann).await, before);
    ann.process("who am I?").await.ok();
    assert_eq!(bed.llm.heard(), ["user: who am I?"]);
}

async fn a_history_is_not_emptied_under_a_running_turn(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("Done.").held();
    let clear = async {
        gate.reached().await;
        has(&ann.delete("/api/history").await.refused(409, "turn_in_progress"), "run_id:text user_id:text");
        gate.open();
    };
    let (turn, ()) = tokio::join!(ann.process("go"), clear);
    turn.ok();
    ann.delete("/api/history").await.ok();
    assert_eq!(ann.history().await, [""; 0]);
}

async fn a_session_is_made_by_the_first_request_and_reused(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let told = ann.get("/api/session/info").await.ok();
    has(&told, "success:bool session_info:object user_id:text");
    has(&told["session_info"], SESSION_INFO);
    assert_eq!((&told["session_info"]["user_id"], &told["session_info"]["is_active"]), (&json!("ann"), &json!(true)));
    let id = told["session_info"]["session_id"].as_str().unwrap();
    assert!(id.len() >= 22, "at least 128 bits: {id}");
    bed.llm.says("Hello.");
    assert_eq!(ann.process("hi").await.ok()["session_id"], id);
    let told = ann.get("/api/session/info").await.ok();
    assert_eq!(told["session_info"]["session_id"], id);
    assert_eq!(told["session_info"]["conversation_length"], 2);
    assert_eq!(told["session_info"]["agent_status"]["conversation_length"], 2);
}

async fn a_reset_begins_another_session(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    bed.llm.says("Hello.");
    ann.process("hi").await.ok();
    let before = session_id(&ann).await;
    let reset = ann.post("/api/session/reset", json!({})).await.ok();
    has(&reset, "success:bool message:text session_info:object user_id:text");
    has(&reset["session_info"], SESSION_INFO);
    assert_ne!(reset["session_info"]["session_id"], before);
    assert_eq!(reset["session_info"]["conversation_length"], 0);
    assert_eq!(reset["session_info"]["session_id"], session_id(&ann).await);
    assert_eq!(ann.history().await, [""; 0]);
}

async fn another_session_is_not_found(on: On) {
    let bed = Bed::on(on).await;
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    let (anns, bobs) = (session_id(&ann).await, session_id(&bob).await);
    ann.clone().with("x-session-id", &anns).get("/api/session/info").await.ok();
    ann.clone().with("x-session-id", &anns).get("/api/history").await.ok();
    for path in ["/api/session/info", "/api/history"] {
        for id in [bobs.as_str(), "nonsense", ""] {
            let refused = ann.clone().with("x-session-id", id).get(path).await.refused(404, "session_not_found");
            assert_eq!(refused["user_id"], "ann");
        }
    }
    ann.post("/api/session/reset", json!({})).await.ok();
    ann.with("x-session-id", &anns).get("/api/session/info").await.refused(404, "session_not_found");
}

/// The answers of a history.
fn answers(history: &Value) -> Vec<&Value> {
    history["history"].as_array().unwrap().iter().filter(|message| message["role"] == "assistant").collect()
}

async fn the_history_tells_calls_if_it_is_asked_to_and_is_as_ever_if_not(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    bed.llm
        .calls([("getUser", json!({"id": 7})), ("getUser", json!({"id": 404}))])
        .calls([("createUser", json!({"name": 1}))])
        .says("Seven.");
    let first = ann.process("who is number 7?").await.ok();
    let made = json!({"name": "Eve", "email": "eve@example.com"});
    bed.llm.calls([("createUser", made)]).says("Done.").says("Bye.");
    let second = ann.process("create Eve").await.ok();
    ann.process("bye").await.ok();
    let plain = ann.get("/api/history").await;
    for path in ["/api/history?calls=false", "/api/history?calls=0", "/api/history?calls="] {
        assert_eq!(ann.get(path).await.body, plain.body, "{path}");
    }
    let keys = |message: &Value| message.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let plain = plain.ok();
    assert!(plain["history"].as_array().unwrap().iter().all(|message| keys(message) == ["role", "content", "timestamp"]), "{plain:#}");

    let told = ann.get("/api/history?calls=true").await.ok();
    let calls: Vec<&Value> = answers(&told).into_iter().map(|answer| &answer["function_calls"]).collect();
    assert_eq!(calls, [&first["function_calls"], &second["function_calls"], &json!([])], "as they were told then");
    assert!(told["history"].as_array().unwrap().iter().filter(|message| message["role"] == "user").all(|message| keys(message).len() == 3));
    let states: Vec<&str> = calls[0].as_array().unwrap().iter().map(|call| call["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["result", "result", "refused"]);
    assert_eq!((&calls[0][1]["api_response"]["status_code"], &calls[0][1]["success"]), (&json!(404), &json!(false)));
    assert_eq!(calls[0][0]["call_info"]["parameters"], json!({"id": 7}));

    let page = ann.get("/api/history?calls=1&limit=2&before=2").await.ok();
    assert_eq!((answers(&page)[0]["function_calls"].clone(), &page["next_before"]), (second["function_calls"].clone(), &json!(1)));
    let session = page["session_id"].as_str().unwrap();
    let seen = bed.as_admin().get(&format!("/api/admin/sessions/ann/{session}/history?calls=true")).await.ok();
    assert_eq!(seen["history"], told["history"]);
    ann.get("/api/history?calls=yes&limit=0").await.refused(400, "invalid_query");
}

async fn a_history_with_calls_tells_no_more_of_them_than_answers_may(on: On) {
    let bed = Bed::with(on, |settings| {
        settings.agent.show_call_details = false;
        settings.upstream.token = Some("a-secret-of-the-operator".into());
    })
    .await;
    let ann = bed.as_user("ann");
    bed.upstream.answers(Method::GET, "/users", json!([{"id": 1, "note": "a-secret-of-the-operator"}]));
    bed.llm.calls([("getUsers", json!({}))]).calls([("getUser", json!({"id": 200_000}))]).says("Here they are.");
    let answer = ann.process("list the users").await.ok();
    let told = ann.get("/api/history?calls=true").await;
    assert!(!told.text().contains("a-secret-of-the-operator"), "{}", told.text());
    let told = told.ok();
    let calls = answers(&told)[0]["function_calls"].as_array().unwrap();
    assert_eq!(calls[0], answer["function_calls"][0]);
    assert_eq!((&calls[0]["call_info"], &calls[0]["api_response"]), (&Value::Null, &Value::Null), "details are not shown");
    // Of a reply that is very long the history keeps a part, and under which id the whole is kept.
    assert_eq!((&calls[1]["state"], &calls[1]["result_id"]), (&json!("result"), &answer["function_calls"][1]["result_id"]));
    assert!(calls[1].to_string().len() < 20_000, "{}", calls[1].to_string().len());
}

async fn answers_are_told_as_html_to_whoever_asks_for_it(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann").with("idempotency-key", "k");
    let markdown = "**Two** <b>users</b>, see [docs](https://example.com) ![x](http://example.com/x.png)";
    let html = "<p><strong>Two</strong> &lt;b&gt;users&lt;/b&gt;, see <a href=\"https://example.com\" rel=\"noopener noreferrer nofollow\">docs</a> \
                <a href=\"http://example.com/x.png\" rel=\"noopener noreferrer nofollow\">x</a></p>\n";
    bed.llm.says(markdown);
    let plain = ann.process("how many?").await;
    assert!(plain.ok().get("message_html").is_none());
    let ask = json!({"message": "how many?"});
    let asked = ann.post("/api/process?html=true", ask.clone()).await;
    assert_eq!(
        (asked.header("idempotency-replayed"), &asked.ok()["message_html"]),
        (Some("true"), &json!(html)),
        "the same answer, told otherwise"
    );
    assert_eq!(asked.ok()["message"], markdown);
    assert_eq!(ann.process("how many?").await.body, plain.body, "what is kept is as it was");
    ann.post("/api/process?html=maybe&stream=maybe", ask).await.refused(400, "invalid_query");

    let history = ann.get("/api/history?html=true").await.ok();
    assert_eq!((&history["history"][1]["content_html"], &history["history"][1]["content"]), (&json!(html), &json!(markdown)));
    assert!(history["history"][0].get("content_html").is_none(), "what a user says is no Markdown");
    assert!(!ann.get("/api/history").await.text().contains("content_html"));

    let run = plain.ok()["run_id"].as_str().unwrap().to_owned();
    let done = ann.streams_from(&format!("/api/runs/{run}/events?html=1"), None).await.rest().await.pop().unwrap();
    assert_eq!((done.name.as_str(), &done.data["message_html"]), ("done", &json!(html)));
    let done = ann.follows(&run, None).await.rest().await.pop().unwrap();
    assert!(done.name == "done" && done.data.get("message_html").is_none());
}
