//! What was counted, hour by hour.

use serde_json::{Value, json};
use swagger_api_agent::domain::limits::LOGIN_FAILURES_FROM_ADDRESS_MAX;

use crate::{
    contract::on_both_stores,
    harness::{
        bed::{Bed, On},
        client::PASSWORD,
        until,
    },
};

on_both_stores! {
    what_turns_came_to_is_counted_by_the_hour
    logins_are_counted_by_what_came_of_them
}

async fn what_turns_came_to_is_counted_by_the_hour(on: On) {
    let bed = Bed::on(on).await;
    let before = bed.as_admin().get("/api/admin/stats").await.ok();
    assert_eq!(before["hours"].as_array().unwrap().len(), 48);
    assert_eq!(before["totals"]["turns"]["answered"], 0);
    bed.llm.calls_for([("getUsers", json!({}))], Some((10, 5))).says_for("One.", (7, 3)).says_for("Two.", (1, 1));
    bed.as_user("ann").process("one").await.ok();
    bed.as_user("bob").process("two").await.ok();
    bed.as_user("bob").call("createUser", json!({"name": "Eve", "email": "eve@example.com"})).await.ok();
    let gate = bed.llm.says("Too late.").held();
    let answer = bed.as_user("cleo").processing("three");
    gate.reached().await;
    bed.as_admin().delete("/api/admin/sessions/cleo").await.ok();
    drop(answer.await.unwrap());
    gate.open();
    let after = bed.as_admin().get("/api/admin/stats").await.ok();
    let totals = &after["totals"];
    assert_eq!((&totals["turns"]["answered"], &totals["turns"]["killed"], &totals["turns"]["failed"]), (&json!(2), &json!(1), &json!(0)));
    assert_eq!((&totals["direct_calls"]["answered"], &totals["calls"]), (&json!(1), &json!(2)), "{totals:#}");
    assert_eq!((&totals["prompt_tokens"], &totals["completion_tokens"]), (&json!(18), &json!(9)), "{totals:#}");
    // The newest hour has it, or the one before if the clock struck meanwhile.
    let answered = |hour: &Value| hour["turns"]["answered"].as_u64().unwrap();
    let newest: u64 = after["hours"].as_array().unwrap().iter().rev().take(2).map(answered).sum();
    assert_eq!(newest, 2, "{:#}", after["hours"]);
    assert_eq!(after["sessions"]["total_sessions"], 2);
}

async fn logins_are_counted_by_what_came_of_them(on: On) {
    // The test asks again and again.
    let bed = Bed::with(on, |settings| settings.limits.requests_per_minute = 1_000_000).await;
    let admin = bed.as_admin();
    bed.as_user("ann").get("/api/session/info").await.ok();
    let login = async |name: &str, password: &str| bed.nobody().post("/api/login", json!({"username": name, "password": password})).await;
    login("ann", PASSWORD).await.ok();
    for _ in 0..LOGIN_FAILURES_FROM_ADDRESS_MAX {
        login("nobody", PASSWORD).await.refused(401, "wrong_credentials");
    }
    login("nobody", PASSWORD).await.refused(429, "too_many_failures");
    login("ann", "wrong").await.refused(401, "wrong_credentials");
    let failed = LOGIN_FAILURES_FROM_ADDRESS_MAX + 1;
    // Ann's first one and the administrator's are of the bed.
    let expected = json!({"succeeded": 3, "failed": failed, "throttled": 1});
    until("the logins are counted", async || {
        let stats = admin.get("/api/admin/stats").await.ok();
        let newest = stats["hours"]
            .as_array()
            .unwrap()
            .iter()
            .rev()
            .take(2)
            .filter(|hour| hour["logins"] != json!({"succeeded": 0, "failed": 0, "throttled": 0}));
        stats["totals"]["logins"] == expected && newest.count() > 0
    })
    .await;
    login("ann", PASSWORD).await.ok();
    until("one more is counted", async || admin.get("/api/admin/stats").await.ok()["totals"]["logins"]["succeeded"] == 4).await;
}
