//! What people read: their language, and the id under which the log has their request.

use serde_json::json;

use crate::harness::bed::{Bed, On};

super::on_both_stores! {
    failures_are_told_in_the_readers_language
    successes_are_told_in_the_readers_language
    a_turn_answers_in_the_language_of_the_message
    a_request_keeps_its_id
    an_id_that_could_be_anything_is_replaced
}

fn is_chinese(value: &serde_json::Value) -> bool {
    value.as_str().unwrap().chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

async fn failures_are_told_in_the_readers_language(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let chinese = ann.clone().reading_chinese();
    for (method, path, body, status, code) in [
        ("POST", "/api/process", json!({}), 400, "invalid_body"),
        ("POST", "/api/call", json!({"function_name": "getUsrs"}), 404, "function_unknown"),
        ("POST", "/api/call", json!({"function_name": "getUsers", "parameters": {"page": 0}}), 400, "invalid_parameters"),
        ("GET", "/api/admin/sessions", json!({}), 403, "not_admin"),
        ("GET", "/nowhere", json!({}), 404, "not_found"),
        ("GET", "/api/process", json!({}), 405, "method_not_allowed"),
        ("POST", "/api/login", json!({"username": "ann", "password": "wrong"}), 401, "wrong_credentials"),
    ] {
        let send = async |client: &crate::harness::client::Client| {
            client.send(method.parse().unwrap(), path, "application/json", body.to_string()).await.refused(status, code)
        };
        let (english, chinese) = (send(&ann).await, send(&chinese).await);
        assert!(!is_chinese(&english["error"]), "{english:#}");
        assert!(is_chinese(&chinese["error"]), "{chinese:#}");
    }
    let missing = bed.nobody().reading_chinese().get("/api/history").await.refused(401, "token_missing");
    assert!(is_chinese(&missing["error"]), "{missing:#}");
}

async fn successes_are_told_in_the_readers_language(on: On) {
    let bed = Bed::on(on).await;
    let (ann, chinese) = (bed.as_user("ann"), bed.as_user("ann").reading_chinese());
    for path in ["/api/session/reset", "/api/admin/cleanup"] {
        let who = if path.contains("admin") { bed.as_admin() } else { ann.clone() };
        assert!(!is_chinese(&who.post(path, json!({})).await.ok()["message"]), "{path}");
        assert!(is_chinese(&who.reading_chinese().post(path, json!({})).await.ok()["message"]), "{path}");
    }
    assert!(is_chinese(&chinese.delete("/api/history").await.ok()["message"]));
    let broken =
        |client: crate::harness::client::Client| async move { client.call("getBroken", json!({})).await.json()["markdown_result"].clone() };
    assert!(!is_chinese(&broken(ann).await));
    assert!(is_chinese(&broken(chinese).await));
    let door = bed.nobody().reading_chinese().get("/").await.json();
    assert!(is_chinese(&door["description"]) && is_chinese(&door["features"][0]), "{door:#}");
}

async fn a_turn_answers_in_the_language_of_the_message(on: On) {
    let bed = Bed::with(on, |settings| settings.turns.rounds_max = 1).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("getUsers", json!({}))]).calls([("getUsers", json!({}))]);
    assert!(!is_chinese(&json!(ann.process("list users").await.message())));
    assert!(is_chinese(&json!(ann.process("查询用户").await.message())));
}

async fn a_request_keeps_its_id(on: On) {
    let bed = Bed::on(on).await;
    let reply = bed.as_user("ann").with("x-request-id", "Build-7.of_today").get("/api/history").await;
    assert_eq!(reply.header("x-request-id"), Some("Build-7.of_today"));
    let refused = bed.nobody().with("x-request-id", "Build-8").get("/api/history").await.refused(401, "token_missing");
    assert_eq!(refused["request_id"], "Build-8");
}

async fn an_id_that_could_be_anything_is_replaced(on: On) {
    let bed = Bed::on(on).await;
    let long = "x".repeat(65);
    let mut seen = Vec::new();
    for garbage in ["a b", "<script>", "é", "", "a\"b", &long] {
        let reply = bed.nobody().with("x-request-id", garbage).get("/health/live").await;
        let id = reply.header("x-request-id").unwrap().to_owned();
        assert!(id.len() >= 16 && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{garbage:?} became {id:?}");
        seen.push(id);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6, "every request has its own");
}
