//! `GET /api/results/{id}`: a long result for its user, and for nobody else.

use std::time::Duration;

use serde_json::json;

use super::{
    api::{Odd, users},
    on_both_stores,
};
use crate::harness::bed::On;

on_both_stores! {
    a_result_is_had_whole_and_in_parts
    a_result_is_nobody_elses
    a_reset_takes_results_away
    a_result_goes_when_its_time_is_over
}

/// Has the users listed to Ann; tells under which id they are kept.
async fn listed(odd: &Odd) -> String {
    odd.bed.llm.calls([("users", json!({}))]).says("Many.");
    let answer = odd.bed.as_user("ann").process("all users").await.ok();
    answer["function_calls"][0]["result_id"].as_str().expect("an id").to_owned()
}

async fn a_result_is_had_whole_and_in_parts(on: On) {
    let odd = Odd::on(on).await;
    let id = listed(&odd).await;
    let ann = odd.bed.as_user("ann");
    let whole = ann.get(&format!("/api/results/{id}")).await;
    assert_eq!((whole.status, whole.header("content-type")), (200, Some("application/json")));
    assert_eq!(whole.text(), users().to_string(), "byte for byte");
    let page = ann.get(&format!("/api/results/{id}?path=/items&offset=198&limit=5")).await.ok();
    assert_eq!((&page["total"], &page["offset"], &page["count"], page.get("next_offset")), (&json!(200), &json!(198), &json!(2), None));
    assert_eq!(page["items"], json!([users()["items"][198], users()["items"][199]]));
    let found = ann.get(&format!("/api/results/{id}?path=/items&search=user%2017&limit=1")).await.ok();
    assert_eq!((&found["matching"], &found["items"][0]["index"], &found["next_offset"]), (&json!(11), &json!(17), &json!(1)));
    let wrong = ann.get(&format!("/api/results/{id}?path=/itemz")).await.refused(400, "invalid_query");
    assert!(wrong["error"].as_str().unwrap().contains("\"items\""), "{wrong}");
    ann.get(&format!("/api/results/{id}?limit=0&offset=x")).await.refused(400, "invalid_query");
}

async fn a_result_is_nobody_elses(on: On) {
    let odd = Odd::on(on).await;
    let id = listed(&odd).await;
    let path = format!("/api/results/{id}");
    for other in [odd.bed.as_user("bob"), odd.bed.as_admin()] {
        let refused = other.get(&path).await.refused(404, "result_not_found");
        assert_eq!(refused["result_id"], json!(id));
    }
    odd.bed.nobody().get(&path).await.refused(401, "token_missing");
    for no_id in ["x", "..%2F..", &"0".repeat(32), "%ff", &format!("{id}0"), &id.to_uppercase()] {
        odd.bed.as_user("ann").get(&format!("/api/results/{no_id}")).await.refused(404, "result_not_found");
    }
    // A model of another user that has learned the id gets nothing either.
    odd.bed.llm.calls([("read_result", json!({"id": id}))]).says("Nothing.");
    let answer = odd.bed.as_user("bob").process("read hers").await.ok();
    assert!(answer["function_calls"][0]["error"].as_str().unwrap().contains("there is no kept result"), "{answer:#}");
    let chinese = odd.bed.as_user("bob").reading_chinese().get(&path).await.refused(404, "result_not_found");
    assert!(chinese["error"].as_str().unwrap().contains("结果"), "{chinese}");
    assert_eq!(odd.bed.as_user("ann").get(&path).await.status, 200);
}

async fn a_reset_takes_results_away(on: On) {
    let odd = Odd::on(on).await;
    let id = listed(&odd).await;
    let ann = odd.bed.as_user("ann");
    ann.post("/api/session/reset", json!({})).await.ok();
    ann.get(&format!("/api/results/{id}")).await.refused(404, "result_not_found");
    if on == On::Redis {
        let left: Vec<String> = odd.bed.redis().command("KEYS", &["saa:*:r*:ann*"]);
        assert!(left.iter().all(|key| !key.contains(":r:") && !key.contains(":rl:")), "{left:?}");
    }
}

async fn a_result_goes_when_its_time_is_over(on: On) {
    let odd = Odd::with(on, 1, |settings| settings.results.ttl_secs = 1).await;
    let id = listed(&odd).await;
    let ann = odd.bed.as_user("ann");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    ann.get(&format!("/api/results/{id}")).await.refused(404, "result_not_found");
    odd.bed.llm.calls([("read_result", json!({"id": id}))]).says("Gone.");
    let answer = ann.process("go on").await.ok();
    assert!(answer["function_calls"][0]["error"].as_str().unwrap().contains("for a while only"), "{answer:#}");
}

#[tokio::test]
async fn a_turn_without_big_results_costs_the_store_nothing_more() {
    let odd = Odd::on(On::Redis).await;
    let ann = odd.bed.as_user("ann");
    ann.get("/api/session/info").await.ok();
    odd.bed.redis().command::<()>("CONFIG", &["RESETSTAT"]);
    odd.bed.llm.calls([("untyped", json!({}))]).says("Small.");
    ann.process("a small one").await.ok();
    let stats: String = odd.bed.redis().command("INFO", &["commandstats"]);
    let scripts = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).expect("a turn runs scripts");
    assert!(scripts.starts_with("cmdstat_evalsha:calls=2,"), "begin and commit: {scripts}");
}

#[tokio::test]
async fn a_result_that_cannot_be_kept_does_not_end_the_turn() {
    let odd = Odd::on(On::Redis).await;
    let ann = odd.bed.as_user("ann");
    ann.get("/api/session/info").await.ok();
    let list = odd.bed.redis().key("u", "ann").replace(":u:", ":rl:");
    odd.bed.redis().command::<()>("SET", &[&list, "of another kind"]);
    odd.bed.llm.calls([("users", json!({}))]).says("Many.");
    assert_eq!(ann.process("all users").await.message(), "Many.");
    ann.post("/api/session/reset", json!({})).await.ok();
    let id = listed(&odd).await;
    assert_eq!(ann.get(&format!("/api/results/{id}")).await.status, 200, "a reset is the way out of it");
}
