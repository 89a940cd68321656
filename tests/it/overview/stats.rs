//! What was counted, hour by hour.

use serde_json::{Value, json};

use crate::{
    contract::on_both_stores,
    harness::bed::{Bed, On},
};

on_both_stores! {
    what_turns_came_to_is_counted_by_the_hour
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
