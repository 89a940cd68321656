//! What people read: their language, and the id under which the log has their request.

use serde_json::json;

use crate::harness::bed::{Bed, On};

super::on_both_stores! {
    failures_are_told_in_the_readers_language
    all_that_is_wrong_is_told_in_the_readers_language
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

async fn all_that_is_wrong_is_told_in_the_readers_language(on: On) {
    let bed = Bed::on(on).await;
    let long = "x".repeat(300);
    for (method, path, body, code, english, chinese) in [
        ("POST", "/api/process", r#"{"message": ""}"#, "invalid_body", "message is empty", "message 为空"),
        ("POST", "/api/process", "{}", "invalid_body", "message is missing", "缺少 message"),
        ("POST", "/api/process", "[]", "invalid_body", "it is JSON, but no object", "是 JSON，但不是对象"),
        (
            "POST",
            "/api/process",
            r#"{"message": 5, "context": [], "on_busy": "no"}"#,
            "invalid_body",
            "message is a number; a text is needed; context is a list; an object is needed; on_busy is none of ",
            "message 是数字，应为文本；context 是列表，应为对象；on_busy 不是 ",
        ),
        // A parser has one wording, and where it is said is ours.
        ("POST", "/api/process", "{", "invalid_body", "it is not JSON: EOF", "不是 JSON：第 1 行第 1 列：EOF"),
        (
            "POST",
            "/api/sessions",
            r#"{"title": "a\u0007", "metadata": 1}"#,
            "invalid_body",
            "title has control characters; metadata is no object",
            "title 含有控制字符；metadata 不是对象",
        ),
        (
            "POST",
            "/api/admin/users",
            r#"{"username": "bob", "password": "short"}"#,
            "invalid_body",
            "the password has fewer than 12",
            "密码少于 12 个字符",
        ),
        ("GET", "/api/history?limit=0", "", "invalid_query", "limit is \"0\"; a whole number from 1 to ", "limit 是 \"0\"，应为 1 到 "),
        ("GET", &format!("/api/sessions?search={long}"), "", "invalid_query", "search has more than ", "search 超过 "),
        ("GET", "/api/admin/audit?since=x&cursor=x", "", "invalid_query", "cursor is none that", "cursor 不是此接口给出的；since 不是时间"),
    ] {
        let who = if path.contains("admin") { bed.as_admin() } else { bed.as_user("ann") };
        for (client, told, between) in [(who.clone(), english, "; "), (who.reading_chinese(), chinese, "；")] {
            let body = client.send(method.parse().unwrap(), path, "application/json", body.to_owned()).await.refused(400, code);
            let problems: Vec<&str> = body["problems"].as_array().unwrap().iter().map(|problem| problem.as_str().unwrap()).collect();
            assert!(problems.join(between).starts_with(told), "{body:#}");
            assert!(body["error"].as_str().unwrap().ends_with(&problems.join(between)), "{body:#}");
        }
    }
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
