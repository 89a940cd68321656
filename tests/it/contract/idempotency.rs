//! `Idempotency-Key`: the same request under the same key is done once, wherever it is sent again.

use serde_json::json;
use swagger_api_agent::domain::limits::REPLAYED_BODY_BYTES_MAX;

use crate::harness::{
    bed::{Bed, On},
    client::Client,
};

super::on_both_stores! {
    a_repeated_request_gets_the_same_bytes
    a_key_belongs_to_one_request
    a_key_belongs_to_one_user
    a_request_that_runs_is_not_begun_again
    a_request_that_the_model_failed_may_be_sent_again
    a_malformed_key_is_refused
    a_huge_answer_is_cut_before_it_is_given_and_is_repeated_as_it_was
}

fn keyed(client: Client) -> Client {
    client.with("idempotency-key", "order-66")
}

/// Scenario 10.
async fn a_repeated_request_gets_the_same_bytes(on: On) {
    let mut bed = Bed::replicas(on, if on == On::Redis { 2 } else { 1 }, |_| {}).await;
    bed.llm.calls([("createUser", json!({"name": "Ann", "email": "ann@example.com"}))]).says_for("Created.", (3, 4));
    let first = keyed(bed.as_user("ann")).process("create Ann").await;
    assert_eq!((first.message().as_str(), first.header("idempotency-replayed")), ("Created.", None));
    let again = async |bed: &Bed, replica: usize| {
        let again = keyed(bed.at(replica).as_user("ann")).process("create Ann").await;
        assert_eq!((&again.body, again.status), (&first.body, 200));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.header("content-type"), first.header("content-type"));
    };
    again(&bed, 0).await;
    if on == On::Redis {
        again(&bed, 1).await;
    }
    bed.restart(async |_| {}).await;
    again(&bed, 0).await;
    assert_eq!(bed.upstream.log(), ["POST /users"]);
    assert_eq!(bed.as_user("ann").history().await, ["user: create Ann", "assistant: Created."]);
}

async fn a_key_belongs_to_one_request(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.says("One.");
    keyed(bed.as_user("ann")).process("one").await.ok();
    let refused = keyed(bed.as_user("ann")).process("two").await.refused(422, "idempotency_key_reused");
    assert_eq!(refused["user_id"], "ann");
    let with_context = json!({"message": "one", "context": {"a": 1}});
    keyed(bed.as_user("ann")).post("/api/process", with_context).await.refused(422, "idempotency_key_reused");
}

async fn a_key_belongs_to_one_user(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.says("For Ann.").says("For Bob.");
    assert_eq!(keyed(bed.as_user("ann")).process("one").await.message(), "For Ann.");
    assert_eq!(keyed(bed.as_user("bob")).process("one").await.message(), "For Bob.");
}

async fn a_request_that_runs_is_not_begun_again(on: On) {
    let bed = Bed::on(on).await;
    let ann = keyed(bed.as_user("ann"));
    let gate = bed.llm.says("Once.").held();
    let again = async {
        gate.reached().await;
        let in_flight = ann.process("go").await;
        in_flight.refused(409, "turn_in_progress");
        assert!(in_flight.header("retry-after").is_some());
        ann.process("go elsewhere").await.refused(422, "idempotency_key_reused");
        gate.open();
    };
    let (first, ()) = tokio::join!(ann.process("go"), again);
    assert_eq!(first.message(), "Once.");
    assert_eq!(ann.process("go").await.body, first.body);
}

async fn a_request_that_the_model_failed_may_be_sent_again(on: On) {
    let bed = Bed::on(on).await;
    let ann = keyed(bed.as_user("ann"));
    bed.llm.fails(429).says("Now.");
    ann.process("go").await.refused(503, "model_unavailable");
    let second = ann.process("go").await;
    assert_eq!((second.message().as_str(), second.header("idempotency-replayed")), ("Now.", None));
}

async fn a_malformed_key_is_refused(on: On) {
    let bed = Bed::on(on).await;
    let (longest, too_long) = ("x".repeat(255), "x".repeat(256));
    for key in ["", "a b", "ключ", &too_long] {
        bed.as_user("ann").with("idempotency-key", key).process("go").await.refused(400, "idempotency_key_malformed");
    }
    bed.llm.says("Done.");
    bed.as_user("ann").with("idempotency-key", &longest).process("go").await.ok();
}

async fn a_huge_answer_is_cut_before_it_is_given_and_is_repeated_as_it_was(on: On) {
    const NOTE_BYTES: usize = 600_000;
    let mut bed = Bed::on(on).await;
    let look = || ("getUser", json!({"id": NOTE_BYTES}));
    bed.llm.calls([look(), look()]).says("Large.");
    let whole = bed.as_user("ann").process("look").await;
    assert_eq!(whole.message(), "Large.");
    assert!(whole.body.len() > 2 * NOTE_BYTES, "without a key nothing is kept, and nothing cut: {} bytes", whole.body.len());

    bed.llm.calls([look(), look()]).says("Large.");
    let ann = keyed(bed.as_user("ann"));
    let first = ann.process("look").await;
    let told = first.ok();
    assert!(first.body.len() <= REPLAYED_BODY_BYTES_MAX, "{} bytes", first.body.len());
    assert_eq!((first.message().as_str(), first.header("idempotency-replayed")), ("Large.", None));
    for call in told["function_calls"].as_array().unwrap() {
        assert_eq!(call["success"], true);
        let note = call["api_response"]["data"]["note"].as_str().unwrap();
        assert!(note.contains("more characters; read_result("), "a cut is told: {call}");
        assert!(call["result_id"].is_string(), "and the whole is kept: {call}");
    }
    let again = ann.process("look").await;
    assert_eq!((&again.body, again.header("idempotency-replayed")), (&first.body, Some("true")));
    bed.restart(async |_| {}).await;
    assert_eq!(keyed(bed.as_user("ann")).process("look").await.body, first.body);
    assert_eq!(bed.upstream.log().len(), 4);
}
