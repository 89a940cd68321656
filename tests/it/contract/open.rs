//! What takes no token: the door, the health checks, the login.

use std::time::Instant;

use serde_json::json;
use swagger_api_agent::domain::limits::LOGIN_FAILURES_FROM_ADDRESS_MAX;

use crate::harness::{
    bed::{Bed, On},
    client::PASSWORD,
    shape::has,
};

super::on_both_stores! {
    the_door_describes_the_service
    health_is_told_to_anybody_and_makes_no_session
    health_tells_more_to_a_user_and_refuses_nobody
    a_replica_says_that_it_lives_and_is_ready
    a_file_of_the_console_that_is_none_is_not_found
    a_login_gives_a_token
    a_login_without_its_fields_is_told_all_of_them
    an_unknown_user_and_a_wrong_password_get_the_same_bytes_after_the_same_work
}

const SESSION_STATS: &str =
    "total_sessions:count active_sessions:count inactive_sessions:count session_timeout_hours:number last_cleanup:time?";

async fn the_door_describes_the_service(on: On) {
    let bed = Bed::on(on).await;
    let door = bed.nobody().get("/").await;
    let told = door.json();
    assert_eq!(door.status, 200);
    has(&told, "name:text version:text description:text features:list endpoints:object authentication:object session_management:object");
    has(&told["authentication"], "type:text login_endpoint:text header_format:text token_expiration:text");
    has(&told["session_management"], "description:text session_timeout:text auto_cleanup:bool");
    for group in told["endpoints"].as_object().unwrap().values() {
        for (endpoint, text) in group.as_object().unwrap() {
            let (method, path) = endpoint.split_once(' ').unwrap();
            assert!(["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) && path.starts_with('/'), "{endpoint}");
            assert!(text.is_string(), "{endpoint}: {text}");
        }
    }
    let browser = bed.nobody().with("accept", "text/html,application/xhtml+xml,*/*;q=0.8").get("/").await;
    assert_eq!(browser.status, 200);
    assert_eq!(browser.header("content-type"), Some("text/html; charset=utf-8"), "a browser gets the console");
}

async fn health_is_told_to_anybody_and_makes_no_session(on: On) {
    let bed = Bed::on(on).await;
    let health = bed.nobody().get("/health").await;
    let told = health.json();
    assert_eq!(health.status, 200);
    has(&told, "status:text service:text timestamp:time agent_initialized:bool config_valid:bool api_base_url:text openapi_file:text");
    has(&told["session_stats"], SESSION_STATS);
    assert_eq!((&told["status"], &told["api_base_url"]), (&json!("healthy"), &json!(bed.upstream.url)));
    assert!(told.get("service_details").is_none(), "{told:#}");

    bed.as_user("ann").get("/health").await;
    let sessions = bed.as_admin().get("/api/admin/sessions").await.ok();
    assert_eq!(sessions["sessions_info"]["total_sessions"], 0, "{sessions:#}");
}

async fn health_tells_more_to_a_user_and_refuses_nobody(on: On) {
    let bed = Bed::on(on).await;
    has(&bed.as_user("ann").get("/health").await.json(), "service_details:object natural_language_enabled:bool");
    for header in ["Bearer nonsense", "Basic YTpi", "x"] {
        let health = bed.at(0).with_authorization(header).get("/health").await;
        assert_eq!(health.status, 200, "{header}");
        assert!(health.json().get("service_details").is_none(), "{header}");
    }
}

async fn a_replica_says_that_it_lives_and_is_ready(on: On) {
    let bed = Bed::on(on).await;
    assert_eq!(bed.nobody().get("/health/live").await.status, 200);
    assert_eq!(bed.nobody().get("/health/ready").await.status, 200);
}

async fn a_file_of_the_console_that_is_none_is_not_found(on: On) {
    let bed = Bed::on(on).await;
    for path in ["/console/%ff", "/console/%FF%FE.mjs", "/console/nothing.mjs", "/console/..%2fmod.rs"] {
        bed.nobody().get(path).await.refused(404, "not_found");
    }
    assert_eq!(bed.nobody().get("/console/app.mjs").await.status, 200);
}

async fn a_login_gives_a_token(on: On) {
    let bed = Bed::with(on, |settings| settings.auth.token_hours = 2).await;
    bed.as_user("ann").token().await;
    let login = bed.nobody().post("/api/login", json!({"username": "ann", "password": PASSWORD})).await.ok();
    has(&login, "success:bool message:text token:text expires_in:count");
    assert_eq!(login["expires_in"], 7200);
    let header = format!("Bearer {}", login["token"].as_str().unwrap());
    assert_eq!(bed.at(0).with_authorization(&header).get("/api/session/info").await.ok()["user_id"], "ann");
}

async fn a_login_without_its_fields_is_told_all_of_them(on: On) {
    let bed = Bed::on(on).await;
    let refused = bed.nobody().post("/api/login", json!({})).await.refused(400, "invalid_body");
    assert_eq!(refused["problems"], json!(["username is missing", "password is missing"]));
    let refused = bed.nobody().post("/api/login", json!({"username": "ann"})).await.refused(400, "invalid_body");
    assert_eq!(refused["problems"], json!(["password is missing"]));
    let refused = bed.nobody().post("/api/login", json!({"username": 5, "password": ["x"]})).await.refused(400, "invalid_body");
    assert_eq!(refused["problems"], json!(["username is a number; a text is needed", "password is a list; a text is needed"]));
}

async fn an_unknown_user_and_a_wrong_password_get_the_same_bytes_after_the_same_work(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").token().await;
    let same_request = bed.nobody().with("x-request-id", "same");
    let attempt = async |name: &str| {
        let began = Instant::now();
        let reply = same_request.post("/api/login", json!({"username": name, "password": "not the password"})).await;
        let took = began.elapsed().as_secs_f64();
        reply.refused(401, "wrong_credentials");
        (reply.body, took)
    };
    // Anything may slow an attempt down and nothing makes it quicker: the quickest of each come near to what the work takes.
    let (mut wrong_took, mut unknown_took) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..LOGIN_FAILURES_FROM_ADDRESS_MAX {
        let ((wrong, first), (unknown, second)) = (attempt("ann").await, attempt("nobody").await);
        assert_eq!(wrong, unknown);
        (wrong_took, unknown_took) = (wrong_took.min(first), unknown_took.min(second));
        if wrong_took < unknown_took * 2.0 && unknown_took < wrong_took * 2.0 {
            return;
        }
    }
    panic!("a wrong password takes {wrong_took} s, an unknown user {unknown_took} s");
}
