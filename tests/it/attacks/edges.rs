//! Rows 46 to 50: what is done twice, what a browser is made to send, what is written into the log.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{
    bed::{Bed, On},
    client::PASSWORD,
    process::Process,
    until,
};

#[tokio::test]
async fn row_46_what_is_ended_twice_is_ended_once() {
    let bed = Bed::on(On::Redis).await;
    let (ann, admin) = (bed.as_user("ann"), bed.as_admin());
    bed.llm.says("Hello.");
    ann.process("hello").await.ok();
    ann.delete("/api/history").await.ok();
    let emptied = bed.redis().keys();
    ann.delete("/api/history").await.ok();
    assert_eq!(ann.history().await, [""; 0]);
    // But those that count logins, which is written a moment after them.
    let names = |keys: &[(String, String, i64)]| -> Vec<String> {
        keys.iter().map(|(name, ..)| name.clone()).filter(|name| !name.contains(":st:")).collect()
    };
    assert_eq!(names(&bed.redis().keys()), names(&emptied));
    admin.delete("/api/admin/sessions/ann").await.ok();
    let ended = names(&bed.redis().keys());
    let again = admin.delete("/api/admin/sessions/ann").await;
    assert!(matches!(again.status, 200 | 404), "{}", again.text());
    assert_eq!(names(&bed.redis().keys()), ended);
}

#[tokio::test]
async fn row_47_what_another_site_has_a_browser_send_is_nobodys_request() {
    let bed = Bed::on(On::Redis).await;
    let token = bed.as_user("ann").token().await.unwrap();
    bed.as_user("ann").get("/api/session/info").await.ok();
    let call = json!({"function_name": "createUser", "parameters": {"name": "Eve", "email": "e"}}).to_string();
    for origin in ["https://evil.test", "null", "http://127.0.0.1"] {
        // What a browser adds by itself: cookies and where it comes from, and never the token.
        let forged = bed.nobody().with("origin", origin).with("cookie", &format!("token={token}; session={token}"));
        for (path, body) in [("/api/call", call.as_str()), ("/api/process", r#"{"message":"hello"}"#), ("/api/session/reset", "{}")] {
            for kind in ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
                forged.send(Method::POST, path, kind, body.to_owned()).await.refused(401, "token_missing");
            }
        }
        // A preflight (Fetch, 4.8) is told nothing that would let the request through.
        let asks = forged.clone().with("access-control-request-method", "POST").with("access-control-request-headers", "authorization");
        let preflight = asks.send(Method::OPTIONS, "/api/call", "text/plain", "").await;
        assert_eq!(preflight.status, 405);
        let with_token = bed.as_user("ann").with("origin", origin).get("/api/history").await;
        for reply in [&preflight, &with_token] {
            assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{:?}", reply.headers);
        }
        // A form with a token would be another thing than this service takes.
        let form = bed.as_user("ann").with("origin", origin);
        form.send(Method::POST, "/api/call", "text/plain", call.clone()).await.refused(415, "unsupported_media_type");
    }
    assert_eq!(bed.upstream.log(), [""; 0]);
    assert_eq!(bed.as_user("ann").history().await, [""; 0]);
}

#[tokio::test]
async fn row_48_the_console_is_in_nobodys_frame_and_nobody_is_led_away() {
    let bed = Bed::on(On::Embedded).await;
    for path in ["/", "/console/app.mjs", "/console/style.css", "/console/icon.svg"] {
        let reply = bed.nobody().with("accept", "text/html,*/*").get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        let policy = reply.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{path}: {policy}");
        assert_eq!(reply.header("x-frame-options"), Some("DENY"), "{path}");
    }
    let login = json!({"username": "root", "password": PASSWORD}).to_string();
    for path in ["//evil.test", "//evil.test/%2f..", "/\\evil.test", "/?next=//evil.test", "/api/login?next=//evil.test", "/%5cevil.test"] {
        for reply in [bed.nobody().get(path).await, bed.nobody().send(Method::POST, path, "application/json", login.clone()).await] {
            assert!(
                !(300..400).contains(&reply.status) && reply.header("location").is_none(),
                "{path}: {} {:?}",
                reply.status,
                reply.headers
            );
        }
    }
}

#[tokio::test]
async fn row_49_nobody_writes_lines_into_the_log() {
    let bed = Bed::on(On::Redis).await;
    let process = Process::start(&bed.settings, &[("SAA_LOG__FORMAT", "json"), ("SAA_LOG__LEVEL", "debug")]).await;
    let door = bed.through(&process.base);
    let forged = "x\r\n{\"level\":\"ERROR\",\"message\":\"forged-7d1f\"}\n\u{1b}[31m\u{9b}31m\u{202e}\u{2028}";
    door.nobody().post("/api/login", json!({"username": forged, "password": "y"})).await;
    door.nobody().post("/api/login", json!({"username": "x".repeat(60_000), "password": forged})).await;
    door.nobody().get(&format!("/{}", forged_path(forged))).await;
    door.nobody().get(&format!("/{}", "y".repeat(7000))).await;
    door.nobody().with("x-request-id", "a\tb").with("user-agent", "\u{9b}31m").get("/health").await;
    door.as_user("ann").call(forged, json!({forged: forged})).await;
    door.as_user("ann").call("getReport", json!({"X-Region": forged})).await;
    bed.llm.calls([(forged, json!({forged: forged}))]).says(forged);
    door.as_user("ann").process(forged).await;
    door.nobody().get("/the-last-one").await;
    until("the last request is in the log", async || process.log().contains("/the-last-one")).await;
    let log = process.log();
    assert!(log.lines().count() > 8, "{log}");
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?} is no line of the log"));
        assert!(entry["message"] != "forged-7d1f", "{line}");
        assert!(line.len() < 16 * 1024, "{} bytes in a line", line.len());
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}

/// The text in a path, escaped.
fn forged_path(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
