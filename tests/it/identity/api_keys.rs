//! API keys: made for scripts, limited, taken away.

use reqwest::Method;
use serde_json::json;

use super::{Login, audit::log_of, bearer, on_both_stores, set};
use crate::harness::{
    bed::{Bed, On},
    client::Client,
    shape::has,
    until,
};

on_both_stores! {
    a_key_does_what_its_user_may
    a_key_is_shown_once_and_kept_as_a_digest
    a_key_that_is_taken_away_lets_nobody_in
    what_was_begun_with_a_key_stops_with_it
    a_key_that_is_taken_away_leaves_what_it_did_not_begin
    a_key_has_the_scopes_that_it_was_given_as_far_as_its_user_has_them
    a_key_makes_no_keys_and_changes_no_password
    a_key_outlives_logins_and_not_its_account
    all_that_is_wrong_with_a_key_is_told_at_once
    what_is_no_key_is_refused
    a_user_has_no_more_keys_than_one_may
    what_is_done_with_keys_is_written_down
}

/// Makes a key for a user; its text.
async fn makes(client: &Client, name: &str, scopes: &[&str]) -> String {
    let made = client.post("/api/keys", json!({"name": name, "scopes": scopes})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["api_key"].as_str().unwrap().to_owned()
}

async fn a_key_does_what_its_user_may(on: On) {
    let bed = Bed::on(on).await;
    let key = makes(&bed.as_user("ann"), "nightly", &[]).await;
    bed.llm.says("Hello.");
    let script = bearer(&bed, 0, &key);
    script.process("hi").await.ok();
    script.call("getUsers", json!({})).await.ok();
    assert_eq!(script.get("/api/history").await.ok()["history"], bed.as_user("ann").get("/api/history").await.ok()["history"]);
    assert_eq!(script.get("/api/session/info").await.ok()["user_id"], "ann");
    for path in ["/api/functions", "/api/info", "/api/credentials", "/api/keys"] {
        script.get(path).await.ok();
    }
    let run = script.get("/api/history").await.ok();
    assert_eq!(run["total"], 2);
    bed.llm.says("As it happens.");
    let mut events = bed.at(0).with_authorization(&format!("Bearer {key}")).with("accept", "text/event-stream");
    events = events.with("x-request-id", "of-a-script");
    let told = events.process("again").await;
    assert!(told.text().contains("event: done"), "{}", told.text());
}

async fn a_key_is_shown_once_and_kept_as_a_digest(on: On) {
    let bed = Bed::on(on).await;
    let made = bed.as_user("ann").post("/api/keys", json!({"name": "一 key", "expires_in_days": 7})).await;
    assert_eq!((made.status, made.header("cache-control")), (201, Some("no-store")));
    let made = made.json();
    has(&made, "success:bool message:text key:object api_key:text user_id:text");
    has(&made["key"], "name:text scopes:list created_at:time expires_at:time");
    let text = made["api_key"].as_str().unwrap();
    assert!(text.starts_with("saa_") && text.rsplit('.').next().unwrap().len() == 64, "{text}");
    let listed = bed.as_user("ann").get("/api/keys").await.ok();
    assert_eq!((&listed["count"], &listed["keys"][0]), (&json!(1), &made["key"]));
    let secret = text.rsplit('.').next().unwrap();
    assert!(!listed.to_string().contains(secret));
    let stored = bed.everything_stored();
    assert!(!stored.windows(secret.len()).any(|window| window == secret.as_bytes()), "the store has the key");
    assert_eq!(bed.as_user("bob").get("/api/keys").await.ok()["count"], 0);
}

async fn a_key_that_is_taken_away_lets_nobody_in(on: On) {
    let bed = Bed::on(on).await;
    let (one, two) = (makes(&bed.as_user("ann"), "one", &[]).await, makes(&bed.as_user("ann"), "two", &[]).await);
    for key in [&one, &two] {
        bearer(&bed, 0, key).get("/api/session/info").await.ok();
    }
    bed.as_user("bob").delete("/api/keys/one").await.refused(404, "key_not_found");
    bed.as_user("ann").delete("/api/keys/one").await.ok();
    bearer(&bed, 0, &one).get("/api/session/info").await.refused(401, "token_revoked");
    for (method, path) in
        [(Method::GET, "/api/history"), (Method::GET, "/api/functions"), (Method::GET, "/api/info"), (Method::GET, "/api/credentials")]
    {
        bearer(&bed, 0, &one).send(method, path, "application/json", "").await.refused(401, "token_revoked");
    }
    bearer(&bed, 0, &one).process("hi").await.refused(401, "token_revoked");
    bearer(&bed, 0, &one).call("getUsers", json!({})).await.refused(401, "token_revoked");
    bearer(&bed, 0, &two).get("/api/session/info").await.ok();
    bed.as_user("ann").delete("/api/keys/one").await.refused(404, "key_not_found");
    makes(&bed.as_user("ann"), "one", &[]).await;
}

async fn what_was_begun_with_a_key_stops_with_it(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let key = makes(&ann, "k", &[]).await;
    let gate = bed.llm.calls([("deleteUser", json!({"id": 1}))]).held();
    let script = bearer(&bed, 0, &key);
    let run = script.begins("delete user 1", "reject").await;
    gate.reached().await;
    let waiting = script.begins("and user 2", "enqueue").await;
    let own = ann.begins("hello", "enqueue").await;
    bed.llm.says("Hello.");
    assert_eq!(ann.delete("/api/keys/k").await.ok()["stopped_runs"], json!([run]));
    gate.open();
    let looked = async |run: &str| ann.get(&format!("/api/runs/{run}")).await.ok()["run"].clone();
    until("what waited has had its turn", async || looked(&own).await["state"] == "answered").await;
    for stopped in [run, waiting] {
        let seen = looked(&stopped).await;
        assert_eq!((&seen["state"], &seen["error"]), (&json!("killed"), &json!("revoked")), "{seen:#}");
    }
    assert_eq!((bed.upstream.log(), bed.llm.asked().len()), (Vec::new(), 2), "nothing was called, and what waited never began");
}

async fn a_key_that_is_taken_away_leaves_what_it_did_not_begin(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let other = makes(&ann, "other", &[]).await;
    for begun in [ann.clone(), bearer(&bed, 0, &other)] {
        let one = makes(&ann, "one", &[]).await;
        bed.llm.says("Before.");
        bearer(&bed, 0, &one).process("of the key that goes").await.ok();
        let gate = bed.llm.says("In time.").held();
        let run = begun.begins("hello", "reject").await;
        gate.reached().await;
        assert_eq!(ann.delete("/api/keys/one").await.ok()["stopped_runs"], json!([]));
        gate.open();
        until("the run has ended", async || ann.get(&format!("/api/runs/{run}")).await.ok()["run"]["state"] == "answered").await;
    }
}

async fn a_key_has_the_scopes_that_it_was_given_as_far_as_its_user_has_them(on: On) {
    let bed = Bed::on(on).await;
    let refused = bed.as_user("ann").post("/api/keys", json!({"name": "k", "scopes": ["audit:read"]})).await;
    assert_eq!(refused.refused(403, "insufficient_scope")["scope"], "audit:read");
    set(&bed, "ann", json!({"role": "admin"})).await;
    let (none, some) =
        (makes(&bed.as_user("ann"), "none", &[]).await, makes(&bed.as_user("ann"), "some", &["sessions:read", "users:write"]).await);
    let lacking = async |bed: &Bed, key: &str, path: &str| {
        bearer(bed, 0, key).get(path).await.refused(403, "insufficient_scope")["scope"].as_str().unwrap().to_owned()
    };
    for (path, scope) in [
        ("/api/admin/sessions", "sessions:read"),
        ("/api/admin/sessions/ann/keys", "sessions:read"),
        ("/api/admin/sessions/ann/history", "sessions:content"),
        ("/api/admin/openapi", "openapi:reload"),
        ("/api/admin/audit", "audit:read"),
        ("/api/admin/users", "users:read"),
        ("/api/admin/users/ann", "users:read"),
    ] {
        assert_eq!(lacking(&bed, &none, path).await, scope);
        if scope != "sessions:read" {
            assert_eq!(lacking(&bed, &some, path).await, scope);
        }
    }
    for (method, path, scope) in [
        (Method::DELETE, "/api/admin/sessions/ann", "sessions:end"),
        (Method::POST, "/api/admin/cleanup", "sessions:end"),
        (Method::POST, "/api/admin/openapi/reload", "openapi:reload"),
        (Method::DELETE, "/api/admin/users/root", "users:read"),
    ] {
        let refused = bearer(&bed, 0, &some).send(method, path, "application/json", "").await.refused(403, "insufficient_scope");
        let expected = if path.ends_with("root") { "sessions:end" } else { scope };
        assert_eq!(refused["scope"], expected, "{path}: what the key lacks of an administrator's scopes");
    }
    bearer(&bed, 0, &some).get("/api/admin/sessions").await.ok();
    set(&bed, "ann", json!({"scopes": ["audit:read"]})).await;
    assert_eq!(lacking(&bed, &some, "/api/admin/sessions").await, "sessions:read", "a key has no more than its user");
    set(&bed, "ann", json!({"role": "user"})).await;
    bearer(&bed, 0, &some).get("/api/admin/sessions").await.refused(403, "not_admin");
}

async fn a_key_makes_no_keys_and_changes_no_password(on: On) {
    let bed = Bed::on(on).await;
    let key = makes(&bed.as_user("ann"), "k", &[]).await;
    let script = bearer(&bed, 0, &key);
    for (method, path) in [
        (Method::POST, "/api/keys"),
        (Method::DELETE, "/api/keys/k"),
        (Method::POST, "/api/password"),
        (Method::POST, "/api/logout"),
        (Method::POST, "/api/logout/all"),
    ] {
        script.send(method, path, "application/json", "{}").await.refused(403, "api_key_not_allowed");
    }
    script.get("/api/session/info").await.ok();
}

async fn a_key_outlives_logins_and_not_its_account(on: On) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    let key = makes(&login.at(&bed, 0), "k", &[]).await;
    login.at(&bed, 0).post("/api/logout/all", json!({})).await.ok();
    bearer(&bed, 0, &key).get("/api/session/info").await.ok();
    set(&bed, "ann", json!({"disabled": true})).await;
    bearer(&bed, 0, &key).get("/api/session/info").await.refused(401, "token_revoked");
    set(&bed, "ann", json!({"disabled": false})).await;
    bearer(&bed, 0, &key).get("/api/session/info").await.ok();
    bed.as_admin().delete("/api/admin/users/ann").await.ok();
    let refused = bearer(&bed, 0, &key).get("/api/session/info").await;
    assert_eq!(refused.status, 401, "{}", refused.text());
}

async fn all_that_is_wrong_with_a_key_is_told_at_once(on: On) {
    let bed = Bed::on(on).await;
    let wrong = json!({"name": "", "scopes": "audit:read", "expires_in_days": 366});
    let refused = bed.as_user("ann").post("/api/keys", wrong).await.refused(400, "invalid_body");
    let problems = refused["problems"].to_string();
    assert_eq!(refused["problems"].as_array().unwrap().len(), 3, "{problems}");
    assert!(problems.contains("from 1 to 365") && problems.contains("scopes is no list"), "{problems}");
    makes(&bed.as_user("ann"), "k", &[]).await;
    bed.as_user("ann").post("/api/keys", json!({"name": "k"})).await.refused(409, "key_exists");
    let chinese = bed.as_user("ann").reading_chinese();
    assert_eq!(
        chinese.post("/api/keys", json!({"name": "k"})).await.refused(409, "key_exists")["error"],
        "您已有名为 k 的密钥，请换一个名称或先撤销它"
    );
}

async fn what_is_no_key_is_refused(on: On) {
    let bed = Bed::on(on).await;
    let key = makes(&bed.as_user("ann"), "k", &[]).await;
    let (user, secret) = key.split_once('.').unwrap();
    let zeros = "0".repeat(64);
    let bob = makes(&bed.as_user("bob"), "k", &[]).await;
    let bobs = bob.split_once('.').unwrap().0;
    for wrong in [
        format!("{user}.{zeros}"),
        format!("{bobs}.{secret}"),
        format!("{key}0"),
        key.to_uppercase(),
        "saa_".to_owned(),
        format!("saa_bm9ib2R5.{secret}"),
        format!("k:{secret}"),
    ] {
        for path in ["/api/session/info", "/api/functions", "/api/admin/sessions"] {
            bearer(&bed, 0, &wrong).get(path).await.refused(401, "token_invalid");
        }
        bearer(&bed, 0, &wrong).call("noSuchFunction", json!({})).await.refused(401, "token_invalid");
        let health = bearer(&bed, 0, &wrong).get("/health").await.json();
        assert_eq!((&health["status"], health.get("service_details")), (&json!("healthy"), None), "{health:#}");
    }
    bearer(&bed, 0, &key).get("/api/session/info").await.ok();
}

async fn a_user_has_no_more_keys_than_one_may(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    for n in 0..32 {
        makes(&ann, &format!("k{n}"), &[]).await;
    }
    ann.post("/api/keys", json!({"name": "one more"})).await.refused(409, "too_many_keys");
    ann.delete("/api/keys/k7").await.ok();
    makes(&ann, "one more", &[]).await;
}

async fn what_is_done_with_keys_is_written_down(on: On) {
    let bed = Bed::on(on).await;
    let key = makes(&bed.as_user("ann"), "nightly", &[]).await;
    bed.as_user("ann").delete("/api/keys/nightly").await.ok();
    assert_eq!(log_of(&bed, "user=ann").await, ["api_key_revoked ann→ann", "api_key_made ann→ann"]);
    let told = bed.as_admin().get("/api/admin/audit").await.ok().to_string();
    assert!(told.contains("nightly") && !told.contains(key.rsplit('.').next().unwrap()), "{told}");
}

#[tokio::test]
async fn a_key_is_good_at_every_replica_and_taken_away_at_every_replica() {
    let bed = Bed::of_replicas(3).await;
    let key = makes(&bed.as_user("ann"), "k", &[]).await;
    for replica in 0..3 {
        bearer(&bed, replica, &key).get("/api/session/info").await.ok();
    }
    bed.as_user("ann").delete("/api/keys/k").await.ok();
    for replica in 0..3 {
        bearer(&bed, replica, &key).get("/api/session/info").await.refused(401, "token_revoked");
    }
}

#[tokio::test]
async fn a_known_key_costs_no_round_trip_more_than_a_token() {
    let bed = Bed::on(On::Redis).await;
    let key = makes(&bed.as_user("ann"), "k", &[]).await;
    let script = bearer(&bed, 0, &key);
    let hgets = || -> u64 {
        let stats: String = bed.redis().command("INFO", &["commandstats"]);
        let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")).unwrap_or("0,");
        line.split(',').next().unwrap().parse().unwrap()
    };
    script.get("/api/history").await.ok();
    let before = hgets();
    for _ in 0..5 {
        script.get("/api/history").await.ok();
    }
    let with_key = hgets() - before;
    let before = hgets();
    for _ in 0..5 {
        bed.as_user("ann").get("/api/history").await.ok();
    }
    // Replicas look for runs that nobody works on all the while, with plain commands.
    assert_eq!(with_key, hgets() - before);
}
