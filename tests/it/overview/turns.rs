//! Turns that run now, of all users: seen, cancelled, and found again where their outcome is not known.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    contract::on_both_stores,
    harness::{
        bed::{Bed, On},
        process::scene,
        shape::has,
        until,
    },
};

on_both_stores! {
    running_turns_of_all_are_seen_by_administrators_alone
    turns_are_listed_in_pages
    an_administrator_has_a_turn_of_somebody_else_stop
    a_change_of_unknown_outcome_is_found_without_its_contents
}

async fn turns(bed: &Bed, path: &str) -> (Vec<Value>, Value) {
    let told = bed.as_admin().get(path).await.ok();
    (told["turns"].as_array().unwrap().clone(), told["next_cursor"].clone())
}

async fn running_turns_of_all_are_seen_by_administrators_alone(on: On) {
    let bed = Bed::on(on).await;
    assert_eq!(turns(&bed, "/api/admin/turns").await, (vec![], Value::Null));
    bed.llm.says("One.");
    bed.as_user("ann").process("one").await.ok();
    let gate = bed.llm.says("Two.").held();
    let answer = bed.as_user("ann").processing("two");
    gate.reached().await;
    let (running, _) = turns(&bed, "/api/admin/turns").await;
    let [turn] = running.as_slice() else { panic!("{running:#?}") };
    has(
        turn,
        "user_id:text session_id:text run_id:text turn:count state:text holder:text began_at:time age_seconds:count lease_ms_left:count",
    );
    assert_eq!((&turn["user_id"], &turn["turn"], &turn["state"]), (&json!("ann"), &json!(1), &json!("running")));
    assert_eq!(turn["holder"], bed.app(0).replica());
    let session = bed.as_user("ann").get("/api/session/info").await.ok();
    assert_eq!(turn["session_id"], session["session_info"]["session_id"]);
    assert!(turn["age_seconds"].as_u64() < Some(30) && turn["lease_ms_left"].as_u64() > Some(0), "{turn:#}");
    for (method, path) in [
        (Method::GET, "/api/admin/turns"),
        (Method::GET, "/api/admin/unknown"),
        (Method::GET, "/api/admin/stats"),
        (Method::POST, "/api/admin/turns/r1/cancel"),
    ] {
        bed.as_user("ann").send(method, path, "application/json", "").await.refused(403, "not_admin");
    }
    gate.open();
    answer.await.unwrap().ok();
    assert_eq!(turns(&bed, "/api/admin/turns").await.0, [] as [Value; 0]);
}

async fn turns_are_listed_in_pages(on: On) {
    let bed = Bed::on(on).await;
    let (mut gates, mut answers) = (Vec::new(), Vec::new());
    let users = ["ann", "bob", "cleo", "dan", "eve"];
    for user in users {
        let gate = bed.llm.says("Done.").held();
        answers.push(bed.as_user(user).processing("wait"));
        gate.reached().await;
        gates.push(gate);
    }
    let (mut path, mut seen) = ("/api/admin/turns?limit=2".to_owned(), Vec::new());
    loop {
        let (page, next) = turns(&bed, &path).await;
        assert!(page.len() <= 2);
        seen.extend(page.iter().map(|turn| turn["user_id"].as_str().unwrap().to_owned()));
        let Some(next) = next.as_str() else { break };
        path = format!("/api/admin/turns?limit=2&cursor={next}");
    }
    assert_eq!(seen, users, "those first that were begun first");
    let refused = bed.as_admin().get("/api/admin/turns?limit=501&cursor=x").await.refused(400, "invalid_query");
    assert_eq!(refused["problems"].as_array().unwrap().len(), 2, "{refused:#}");
    gates.iter().for_each(crate::harness::gate::Gate::open);
    for answer in answers {
        answer.await.unwrap().ok();
    }
}

async fn an_administrator_has_a_turn_of_somebody_else_stop(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let other = ann.post("/api/sessions", json!({"title": "other"})).await.json()["session"]["id"].as_str().unwrap().to_owned();
    for client in [ann.clone(), ann.clone().with("x-session-id", &other)] {
        let gate = bed.llm.says("Too late.").held();
        let answer = client.processing("wait");
        gate.reached().await;
        let run = turns(&bed, "/api/admin/turns").await.0[0]["run_id"].as_str().unwrap().to_owned();
        let told = bed.as_admin().post(&format!("/api/admin/turns/{run}/cancel"), json!({})).await;
        assert_eq!((told.status, &told.json()["state"], &told.json()["user"]), (202, &json!("stopping"), &json!("ann")), "{}", told.text());
        let answer = answer.await.unwrap();
        gate.open();
        assert!(answer.text().contains("was stopped by an administrator"), "{}", answer.text());
        let seen = ann.get(&format!("/api/runs/{run}")).await.ok();
        assert_eq!((&seen["run"]["state"], &seen["run"]["error"]), (&json!("cancelled"), &json!("administrator")), "{seen:#}");
        // It holds no session any more.
        bed.as_admin().post(&format!("/api/admin/turns/{run}/cancel"), json!({})).await.refused(404, "run_unknown");
    }
    let log = bed.as_admin().get("/api/admin/audit?action=run_stopped").await.ok();
    assert_eq!(
        (&log["count"], &log["records"][0]["by"], &log["records"][0]["user"]),
        (&json!(2), &json!("root"), &json!("ann")),
        "{log:#}"
    );
    bed.as_admin().post("/api/admin/turns/r1/cancel", json!({})).await.refused(404, "run_unknown");
}

async fn a_change_of_unknown_outcome_is_found_without_its_contents(on: On) {
    let bed = Bed::with(on, |settings| settings.upstream.timeout_ms = 300).await;
    let ann = bed.as_user("ann");
    let secret = json!({"name": "Confidential", "email": "ann@example.com"});
    let mut runs = Vec::new();
    let gate = bed.upstream.hold(Method::POST, "/users");
    for direct in [false, true] {
        let told = if direct {
            ann.call("createUser", secret.clone()).await
        } else {
            bed.llm.calls([("createUser", secret.clone())]).says("It is not known.");
            ann.process("create a user").await
        };
        runs.push(told.json()["run_id"].as_str().unwrap().to_owned());
    }
    gate.open();
    let told = bed.as_admin().get("/api/admin/unknown").await;
    assert!(!told.text().contains("Confidential"), "{}", told.text());
    let told = told.ok();
    let found: Vec<&Value> = told["unknown"].as_array().unwrap().iter().collect();
    assert_eq!(found.iter().map(|one| one["run_id"].as_str().unwrap()).collect::<Vec<_>>(), [&*runs[1], &*runs[0]], "{told:#}");
    for one in found {
        has(one, "user_id:text session_id:text run_id:text functions:list ended_at:time");
        assert_eq!((&one["user_id"], &one["functions"]), (&json!("ann"), &json!(["createUser"])));
    }
    let first = bed.as_admin().get("/api/admin/unknown?limit=1").await.ok();
    let next = first["next_cursor"].as_str().unwrap();
    let second = bed.as_admin().get(&format!("/api/admin/unknown?limit=1&cursor={next}")).await.ok();
    assert_eq!((&second["unknown"][0]["run_id"], &second["next_cursor"]), (&json!(runs[0]), &Value::Null));
    bed.as_admin().delete("/api/admin/users/ann").await.ok();
    assert_eq!(bed.as_admin().get("/api/admin/unknown").await.ok()["count"], 0, "they are gone with their user");
}

#[tokio::test]
async fn a_turn_whose_replica_died_is_seen_as_orphaned() {
    let (bed, mut process) = scene().await;
    let gate = bed.llm.says("Too late.").held();
    let run = bed.through(&process.base).as_user("ann").begins("hello", "reject").await;
    gate.reached().await;
    let (running, _) = turns(&bed, "/api/admin/turns").await;
    let holder = running[0]["holder"].clone();
    assert!(holder != bed.app(0).replica(), "{running:#?}");
    // Nobody takes it: the only other replica is busy with going down.
    bed.app(0).hand_over_runs();
    process.kill();
    until("an orphan", async || turns(&bed, "/api/admin/turns").await.0[0]["state"] == "orphaned").await;
    let (orphaned, _) = turns(&bed, "/api/admin/turns").await;
    assert_eq!((&orphaned[0]["run_id"], &orphaned[0]["holder"], &orphaned[0]["lease_ms_left"]), (&json!(run), &holder, &json!(0)));
    gate.open();
}
