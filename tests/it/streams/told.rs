//! What a client is told that asked for a stream.

use serde_json::json;
use swagger_api_agent::domain::policy::Confirm;

use crate::harness::{
    bed::{Bed, On},
    events::{Event, names},
    until,
};

crate::contract::on_both_stores! {
    a_turn_is_told_while_it_happens
    pieces_of_the_answer_come_before_it_is_whole
    an_answer_that_breaks_off_is_asked_for_again_and_told_anew
    a_question_is_told_with_what_it_is_about
    that_a_question_was_passed_over_is_told_as_a_part_of_the_answer
    what_could_not_be_sent_is_told_with_its_reason
    one_that_waits_is_told_so_and_then_what_happens
    a_repetition_of_the_request_gets_the_same_end
    a_turn_without_a_stream_can_be_followed_too
}

/// Ids of events, in their order; those of the answer and the end are words.
fn ids_grow(events: &[Event]) {
    let number = |id: &str| {
        let (fence, n) = id.split_once('-').unwrap();
        (fence.parse::<u64>().unwrap(), n.parse::<u64>().unwrap())
    };
    let ids: Vec<_> = events.iter().filter_map(|event| event.id.as_deref()).filter(|id| id.contains('-')).map(number).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}

async fn a_turn_is_told_while_it_happens(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("getUsers", json!({})), ("createUser", json!({"name": "A", "email": "e"}))]).says("Done.");
    let gate = bed.upstream.hold(reqwest::Method::POST, "/users");
    let mut stream = ann.streams("list them, create A").await;
    let accepted = stream.expect("accepted").await;
    assert_eq!(accepted.data["state"], "running");
    let planned = [stream.expect("call_planned").await, stream.expect("call_planned").await];
    assert_eq!((&planned[0].data["call"], &planned[1].data["call"]), (&json!("0.0"), &json!("0.1")));
    assert_eq!(stream.expect("call_started").await.data["function_name"], "getUsers");
    let finished = stream.expect("call_finished").await;
    assert_eq!(
        (&finished.data["state"], &finished.data["status"], &finished.data["method"]),
        (&json!("result"), &json!(200), &json!("GET"))
    );
    let started = stream.expect("call_started").await;
    assert_eq!((&started.data["call"], &started.data["state"]), (&json!("0.1"), &json!("dispatched")));
    gate.reached().await;
    gate.open();
    let mut rest = stream.rest().await;
    assert_eq!(names(&rest[..1]), ["call_finished"]);
    assert_eq!(names(&rest[rest.len() - 2..]), ["message", "done"]);
    let (done, message) = (rest.pop().unwrap(), rest.pop().unwrap());
    assert_eq!((message.data["message"].as_str(), done.data["message"].as_str()), (Some("Done."), Some("Done.")));
    assert_eq!((done.data["state"].as_str(), done.data["function_calls"].as_array().unwrap().len()), (Some("answered"), 2));
    let all: Vec<Event> = [vec![accepted], planned.to_vec(), vec![finished, started], rest, vec![message, done]].concat();
    assert!(all.iter().all(|event| event.data["run_id"] == all[0].data["run_id"] && event.id.is_some()), "{all:#?}");
    ids_grow(&all);
    assert_eq!(ann.history().await, ["user: list them, create A", "assistant: Done."]);
}

async fn pieces_of_the_answer_come_before_it_is_whole(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says_in_pieces(["Hel", "lo ", "Ann."]).held_before_the_last_piece();
    let mut stream = ann.streams("I am Ann").await;
    stream.expect("accepted").await;
    gate.reached().await;
    let mut text = String::new();
    while text != "Hello " {
        text += stream.expect("token").await.data["text"].as_str().unwrap();
    }
    gate.open();
    assert_eq!(stream.expect("token").await.data["text"], "Ann.");
    assert_eq!(stream.expect("message").await.data["message"], "Hello Ann.");
    stream.expect("done").await;
    assert_eq!(stream.rest().await, []);
    assert_eq!(bed.llm.asked()[0]["stream"], true);
}

async fn an_answer_that_breaks_off_is_asked_for_again_and_told_anew(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let broken = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"There are \"}}]}\n\n";
    bed.llm.answers_raw(200, broken).says("There are three.");
    let events = ann.streams("how many?").await.rest().await;
    assert_eq!(names(&events), ["accepted", "token There are ", "recovering", "token There are three.", "message", "done"]);
    ids_grow(&events);
    assert_eq!(ann.history().await, ["user: how many?", "assistant: There are three."]);
}

async fn a_question_is_told_with_what_it_is_about(on: On) {
    let bed = Bed::with(on, |settings| settings.agent.confirm = Some(Confirm::Changing)).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("deleteUser", json!({"id": 2}))]);
    let mut stream = ann.streams("delete 2").await;
    let events = stream.rest().await;
    let asked = events.iter().find(|event| event.name == "confirmation_required").expect("a question");
    let calls = asked.data["calls"].as_array().unwrap();
    assert_eq!((calls.len(), &calls[0]["function_name"], &calls[0]["method"]), (1, &json!("deleteUser"), &json!("DELETE")));
    assert_eq!(events.last().unwrap().data["awaiting_confirmation"], true);
    assert_eq!(bed.upstream.log(), [""; 0]);
    bed.llm.says("It is gone.");
    let yes = ann.streams("yes").await.rest().await;
    assert_eq!(names(&yes), ["accepted", "call_planned", "call_started", "call_finished", "token It is gone.", "message", "done"]);
    assert_eq!(bed.upstream.log(), ["DELETE /users/2"]);
}

async fn that_a_question_was_passed_over_is_told_as_a_part_of_the_answer(on: On) {
    let bed = Bed::with(on, |settings| settings.agent.confirm = Some(Confirm::Changing)).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("deleteUser", json!({"id": 2}))]).says("There are three.");
    ann.process("delete 2").await.ok();
    let events = ann.streams("how many are there?").await.rest().await;
    let said: String = events.iter().filter(|event| event.name == "token").filter_map(|event| event.data["text"].as_str()).collect();
    assert_eq!(said, "There are three.\n\n_What waited for your yes was not sent: **deleteUser**._");
    let message = events.iter().find(|event| event.name == "message").unwrap();
    assert_eq!(message.data["message"], said);
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn what_could_not_be_sent_is_told_with_its_reason(on: On) {
    let bed = Bed::on(on).await;
    bed.llm.calls([("noSuchThing", json!({}))]).says("There is no such thing.");
    let events = bed.as_user("ann").streams("do no such thing").await.rest().await;
    let finished = events.iter().find(|event| event.name == "call_finished").unwrap();
    assert_eq!(finished.data["state"], "refused");
    assert!(finished.data["error"].as_str().unwrap().contains("there is no function noSuchThing"), "{finished:?}");
    assert!(!events.iter().any(|event| event.name == "call_started"));
}

async fn one_that_waits_is_told_so_and_then_what_happens(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("One.").held();
    let one = ann.processing("one");
    gate.reached().await;
    bed.llm.says("Two.");
    let mut two = ann.streams_body(json!({"message": "two", "on_busy": "enqueue"})).await;
    assert_eq!(two.expect("accepted").await.data["state"], "queued");
    gate.open();
    assert_eq!(one.await.unwrap().message(), "One.");
    let events = two.rest().await;
    assert_eq!(names(&events), ["accepted", "token Two.", "message", "done"]);
    assert_eq!(events[0].data["state"], "running");
}

async fn a_repetition_of_the_request_gets_the_same_end(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann").with("idempotency-key", "k-1");
    let gate = bed.llm.says("Once.").held();
    let mut first = ann.streams("do it").await;
    first.expect("accepted").await;
    gate.reached().await;
    // Its client lost the stream, and asks again: the run is the same.
    let mut again = ann.streams("do it").await;
    gate.open();
    let (first, again) = (first.rest().await, again.rest().await);
    assert_eq!(names(&again), ["accepted", "token Once.", "message", "done"]);
    assert_eq!(first.last(), again.last());
    let replayed = ann.streams("do it").await.rest().await;
    assert_eq!(names(&replayed), ["message", "done"]);
    assert_eq!(replayed.last(), first.last());
    assert_eq!(ann.process("do it").await.ok(), first.last().unwrap().data, "without a stream as well");
    assert_eq!(bed.llm.asked().len(), 1);
}

async fn a_turn_without_a_stream_can_be_followed_too(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says("Quietly.").held();
    let run = ann.begins("quietly", "reject").await;
    gate.reached().await;
    let mut stream = ann.follows(&run, None).await;
    let snapshot = stream.expect("snapshot").await;
    assert_eq!((&snapshot.data["run"]["state"], &snapshot.data["text"]), (&json!("running"), &json!("")));
    gate.open();
    assert_eq!(names(&stream.rest().await), ["message", "done"]);
    assert_eq!(names(&ann.follows(&run, None).await.rest().await), ["message", "done"], "afterwards as well");
    until("nothing is left to do", async || ann.get(&format!("/api/runs/{run}")).await.json()["run"]["state"] == "answered").await;
}
