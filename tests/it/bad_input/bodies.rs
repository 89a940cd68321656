//! Bodies, methods, paths and queries that make no sense.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::Nothing;
use crate::harness::bed::{Bed, On};

const JSON: &str = "application/json";

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let bed = Bed::on(On::Redis).await;
    let nothing = Nothing::before(&bed).await;
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(5000), close.repeat(5000)).into_bytes();
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"hello".to_vec(),
        b"null".to_vec(),
        b"\"message\"".to_vec(),
        b"[]".to_vec(),
        b"[{\"message\": \"hello\"}]".to_vec(),
        b"{\"message\": \"hello\"} {}".to_vec(),
        b"{\"message\": \"hello\",}".to_vec(),
        b"{\"message\": \"\xff\xfe\"}".to_vec(),
        b"\xef\xbb\xbf{\"message\": \"hello\"}".to_vec(),
        b"{\"message\": \"\\ud800\"}".to_vec(),
        b"{\"message\": \"a\x00b\"}".to_vec(),
        b"{'message': 'hello'}".to_vec(),
        b"{\"message\": \"hello\", \"context\": {\"n\": 1e999}}".to_vec(),
        b"{\"message\": \"hello\", \"context\": {\"n\": NaN}}".to_vec(),
        b"{\"message\": \"hello\", \"context\": {\"n\": -Infinity}}".to_vec(),
        b"{\"message\": \"\\udc00\\ud800\"}".to_vec(),
        deep("[", "]"),
        deep("{\"a\":", "}"),
        [b"{\"message\": \"hello\", \"context\": ".to_vec(), deep("{\"a\":", "}"), b"}".to_vec()].concat(),
    ];
    for body in bodies {
        for path in ["/api/process", "/api/call", "/api/login"] {
            let refused = bed.as_user("ann").send(Method::POST, path, JSON, body.clone()).await.refused(400, "invalid_body");
            assert_eq!(refused["problems"].as_array().unwrap().len(), 1, "{refused:#}");
        }
    }
    nothing.has_come_of_it(&bed).await;
}

#[tokio::test]
async fn a_name_that_stands_twice_is_refused_wherever_it_stands() {
    let bed = Bed::on(On::Redis).await;
    let nothing = Nothing::before(&bed).await;
    for (path, body) in [
        ("/api/process", r#"{"message": "hello", "message": "delete everything"}"#),
        ("/api/process", r#"{"message": "hello", "mess\u0061ge": "delete everything"}"#),
        ("/api/process", r#"{"message": "hello", "context": {"a": [{"b": 1, "b": 2}]}}"#),
        ("/api/call", r#"{"function_name": "createUser", "parameters": {"name": "Ann", "name": "Bob"}}"#),
        ("/api/login", r#"{"username": "ann", "password": "x", "username": "root"}"#),
    ] {
        let refused = bed.as_user("ann").send(Method::POST, path, JSON, body).await.refused(400, "invalid_body");
        let problem = refused["problems"][0].as_str().unwrap();
        assert!(problem.ends_with("stands more than once in one object; each name must stand once"), "{refused:#}");
    }
    nothing.has_come_of_it(&bed).await;
}

/// What a body may take that is refused; a busy machine takes its time.
const REFUSED_WITHIN: Duration = Duration::from_secs(60);

#[tokio::test]
async fn row_16_a_body_of_a_hundred_thousand_levels_or_a_million_names_is_refused_in_time() {
    // As much as an operator may let in, so that it is read and not only measured.
    let bed = Bed::with(On::Redis, |settings| settings.server.body_bytes_max = 16 * 1024 * 1024).await;
    let nothing = Nothing::before(&bed).await;
    let names =
        |same: bool| (0..1_000_000).map(|n| if same { "\"n\":0".to_owned() } else { format!("\"{n}\":0") }).collect::<Vec<_>>().join(",");
    let deep = |open: &str, middle: &str, close: &str| format!("{}{middle}{}", open.repeat(100_000), close.repeat(100_000));
    let long = [
        // Brackets that are never closed, one name again and again, and a name for each.
        "[".repeat(1_000_000),
        format!("{{\"message\":\"hello\",\"context\":{{{}}}}}", names(true)),
        format!("{{{}}}", names(false)),
    ];
    let deep =
        [deep("[", "", "]"), deep("{\"a\":", "1", "}"), format!("{{\"message\":\"hello\",\"context\":{}}}", deep("{\"a\":[", "1", "]}"))];
    let everywhere = ["/api/process", "/api/call", "/api/login"];
    let asked = deep.iter().flat_map(|body| everywhere.map(|path| (path, body))).chain(long.iter().map(|body| ("/api/process", body)));
    for (path, body) in asked {
        let ann = bed.as_user("ann");
        let sent = ann.send(Method::POST, path, JSON, body.clone());
        let reply = tokio::time::timeout(REFUSED_WITHIN, sent).await.unwrap_or_else(|_| panic!("{path}: {}", &body[..60]));
        reply.refused(400, "invalid_body");
        assert!(reply.text().len() < 4096, "what is told of it is short");
    }
    nothing.has_come_of_it(&bed).await;
}

#[tokio::test]
async fn fields_of_other_types_are_all_told_at_once() {
    let bed = Bed::on(On::Redis).await;
    let nothing = Nothing::before(&bed).await;
    let odd = [json!(5), json!(true), json!([]), json!(1.5)];
    for odd in odd {
        for (path, body) in [
            ("/api/process", json!({"message": odd, "context": odd})),
            ("/api/call", json!({"function_name": odd, "parameters": odd})),
            ("/api/login", json!({"username": odd, "password": odd})),
        ] {
            let refused = bed.as_user("ann").post(path, body).await.refused(400, "invalid_body");
            assert_eq!(refused["problems"].as_array().unwrap().len(), 2, "{refused:#}");
        }
    }
    let too_long = "字".repeat(16_001);
    bed.as_user("ann").process(&too_long).await.refused(400, "invalid_body");
    nothing.has_come_of_it(&bed).await;
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_refused_however_it_comes() {
    let bed = Bed::on(On::Redis).await;
    let nothing = Nothing::before(&bed).await;
    let body = json!({"message": "x".repeat(1_000_000)}).to_string();
    for path in ["/api/process", "/api/call", "/api/login"] {
        bed.as_user("ann").send(Method::POST, path, JSON, body.clone()).await.refused(413, "body_too_large");
        let chunks: Vec<Result<Vec<u8>, std::io::Error>> = body.as_bytes().chunks(10_000).map(|chunk| Ok(chunk.to_vec())).collect();
        let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
        bed.as_user("ann").send(Method::POST, path, JSON, stream).await.refused(413, "body_too_large");
    }
    nothing.has_come_of_it(&bed).await;
}

#[tokio::test]
async fn a_big_body_that_nobody_reads_is_refused_for_what_is_wrong_before_it() {
    let bed = Bed::on(On::Redis).await;
    let nothing = Nothing::before(&bed).await;
    let body = "x".repeat(1_000_000);
    bed.nobody().send(Method::POST, "/api/process", JSON, body.clone()).await.refused(401, "token_missing");
    bed.as_user("ann").send(Method::POST, "/api/process", "text/plain", body.clone()).await.refused(415, "unsupported_media_type");
    bed.as_user("ann").send(Method::POST, "/nowhere", JSON, body.clone()).await.refused(404, "not_found");
    bed.as_user("ann").send(Method::PUT, "/api/process", JSON, body).await.refused(405, "method_not_allowed");
    nothing.has_come_of_it(&bed).await;
}

#[tokio::test]
async fn another_content_type_than_json_is_refused() {
    let bed = Bed::on(On::Redis).await;
    let nothing = Nothing::before(&bed).await;
    let body = json!({"message": "hello"}).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "json", ""] {
        let reply = bed.as_user("ann").send(Method::POST, "/api/process", kind, body.clone()).await;
        reply.refused(415, "unsupported_media_type");
    }
    nothing.has_come_of_it(&bed).await;
    bed.llm.says("Hello.");
    bed.as_user("ann").send(Method::POST, "/api/process", "Application/JSON; charset=utf-8", body).await.ok();
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let bed = Bed::on(On::Redis).await;
    for (path, right) in [
        ("/api/process", "POST"),
        ("/api/call", "POST"),
        ("/api/login", "POST"),
        ("/api/functions", "GET,HEAD"),
        ("/api/history", "DELETE,GET,HEAD"),
        ("/api/session/reset", "POST"),
        ("/api/admin/sessions", "GET,HEAD"),
        ("/health", "GET,HEAD"),
        ("/", "GET,HEAD"),
    ] {
        for wrong in [Method::PUT, Method::PATCH, Method::OPTIONS, Method::from_bytes(b"BREW").unwrap()] {
            let reply = bed.as_user("ann").send(wrong, path, JSON, "").await;
            reply.refused(405, "method_not_allowed");
            let mut allowed: Vec<&str> = reply.header("allow").unwrap_or_default().split(',').map(str::trim).collect();
            allowed.sort_unstable();
            assert_eq!(allowed.join(","), right, "{path}");
        }
    }
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let bed = Bed::on(On::Redis).await;
    for path in ["/api", "/api/", "/api/process/", "/API/process", "/api/history/1", "/..%2f..%2fetc/passwd", "/%FF", "//"] {
        bed.as_user("ann").get(path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_wrong_query_is_told_in_the_same_form() {
    let bed = Bed::on(On::Redis).await;
    for query in ["limit=0", "limit=1001", "limit=%FF", "limit=1e3", "before=-1", "limit=&before=", "limit=99999999999999999999"] {
        bed.as_user("ann").get(&format!("/api/history?{query}")).await.refused(400, "invalid_query");
    }
    for query in ["cursor=x", "cursor=1", "cursor=x.y", "limit=0"] {
        bed.as_admin().get(&format!("/api/admin/sessions?{query}")).await.refused(400, "invalid_query");
    }
    for query in ["stream=yes", "stream=on", "stream=2", "stream=TRUE", "stream=true&stream=x", "stream=%20"] {
        let refused =
            bed.as_user("ann").post(&format!("/api/process?{query}"), json!({"message": "hello"})).await.refused(400, "invalid_query");
        assert!(refused["problems"][0].as_str().unwrap().ends_with("true, false, 1 or 0 is needed"), "{refused:#}");
        let decided = bed.as_user("ann").post(&format!("/api/confirmations/x?{query}"), json!({"decision": "approve"})).await;
        decided.refused(400, "invalid_query");
    }
    for query in ["stream=0", "stream=false", "stream=", "stream=x&stream=0"] {
        bed.llm.says("Hello.");
        let told = bed.as_user("ann").post(&format!("/api/process?{query}"), json!({"message": "hello"})).await;
        assert_eq!(told.ok()["message"], "Hello.");
    }
    for query in ["stream=1", "stream=true"] {
        bed.llm.says("Hello.");
        let told = bed.as_user("ann").post(&format!("/api/process?{query}"), json!({"message": "hello"})).await;
        assert!(told.text().contains("event: done"), "{}", told.text());
    }
    for query in ["limit=2&limit=3", "x=y", "&&", "%"] {
        bed.as_user("ann").get(&format!("/api/history?{query}")).await.ok();
    }
}
