//! What the log tells is changed while the service runs, by administrators alone.

use reqwest::Method;
use serde_json::json;

use crate::harness::{
    bed::{Bed, On},
    client::{Client, Reply},
    process::scene,
    until,
};

async fn puts(client: &Client, level: &str) -> Reply {
    client.send(Method::PUT, "/api/admin/log-level", "application/json", json!({"level": level}).to_string()).await
}

#[tokio::test]
async fn an_administrator_has_the_log_tell_less_and_more_again() {
    let (bed, process) = scene().await;
    let (door, looked) = (bed.through(&process.base), |n: u32| format!("GET /no/such/path/{n} 404"));
    let root = door.as_admin();
    door.nobody().get("/no/such/path/1").await.refused(404, "not_found");
    until("the first request is in the log", async || process.log().contains(&looked(1))).await;

    // What load balancers ask all the time is not told while all is well: of two that were asked, the one.
    assert_eq!(door.nobody().get("/health/ready").await.status, 200);
    puts(&root, "info,access=debug").await.ok();
    assert_eq!(door.nobody().get("/health/live").await.status, 200);
    until("a health check is in the log", async || process.log().contains("GET /health/live 200")).await;
    assert!(!process.log().contains("/health/ready"), "{}", process.log());
    puts(&root, "info").await.ok();

    let set = puts(&root, "warn").await.ok();
    assert_eq!((&set["before"], &set["level"]), (&json!("info"), &json!("warn")), "{set:#}");
    door.nobody().get("/no/such/path/2").await.refused(404, "not_found");
    let set = puts(&root, "warn,access=info").await.ok();
    assert_eq!((&set["before"], &set["level"]), (&json!("warn"), &json!("warn,access=info")), "{set:#}");
    door.nobody().get("/no/such/path/3").await.refused(404, "not_found");
    until("the third request is in the log", async || process.log().contains(&looked(3))).await;
    assert!(!process.log().contains(&looked(2)), "{}", process.log());

    // A log that was told to be silent does not tell who told it; the audit log does.
    puts(&root, "off").await.ok();
    let told = root.get("/api/admin/audit?action=log_level_changed").await.ok();
    let of = |at: usize| (told["records"][at]["by"].clone(), told["records"][at]["details"]["level"].clone());
    assert_eq!(
        (told["count"].clone(), of(0), of(2)),
        (json!(5), (json!("root"), json!("off")), (json!("root"), json!("warn"))),
        "{told:#}"
    );
    assert!(told["records"][0]["details"]["replica"].is_string(), "{told:#}");
}

#[tokio::test]
async fn nobody_else_does_and_what_is_no_level_is_told_with_what_would_be() {
    let (bed, process) = scene().await;
    let door = bed.through(&process.base);
    puts(&door.as_user("ann"), "debug").await.refused(403, "not_admin");
    puts(&door.nobody(), "debug").await.refused(401, "token_missing");
    for wrong in ["loud", "warn,=debug", "a b=info", "swagger_api_agent=verbose"] {
        let told = puts(&door.as_admin(), wrong).await.refused(400, "invalid_body");
        let problem = told["problems"][0].as_str().unwrap();
        assert!(problem.contains(wrong) && problem.contains("a list such as warn,swagger_api_agent=debug"), "{told:#}");
    }
    door.as_admin().send(Method::PUT, "/api/admin/log-level", "application/json", "{}").await.refused(400, "invalid_body");
}

#[tokio::test]
async fn a_service_that_writes_no_log_of_its_own_says_so() {
    let bed = Bed::on(On::Embedded).await;
    puts(&bed.as_admin(), "debug").await.refused(409, "log_level_fixed");
}
