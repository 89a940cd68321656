//! A stream that broke off is taken up again, at any replica.

use serde_json::json;

use crate::harness::{
    bed::{Bed, On},
    client::Client,
    events::{Event, Events, names},
};

/// Scenario 21: joined on one replica while another works, dropped, and taken up on a third; each event once and in order.
#[tokio::test]
async fn s21_a_stream_is_taken_up_at_another_replica_where_it_broke_off() {
    let bed = Bed::of_replicas(3).await;
    let door = |n: usize| bed.at(n).as_user("ann");
    bed.llm.calls([("getUsers", json!({}))]);
    let gate = bed.llm.says_in_pieces(["So ", "many."]).held_before_the_last_piece();
    let mut own = door(0).streams("how many?").await;
    let accepted = own.expect("accepted").await;
    let run = accepted.data["run_id"].as_str().unwrap().to_owned();
    gate.reached().await;
    let mut second = door(1).follows(&run, None).await;
    let seen = until_token(&mut second).await;
    assert_eq!(names(&seen), ["accepted", "call_planned", "call_started", "call_finished", "token So "]);
    drop(second);
    let third = after(&door(2), &run, &seen[1]).await;
    gate.open();
    let mut missing = third;
    let rest = missing.rest().await;
    assert_eq!(names(&rest), ["call_started", "call_finished", "token So ", "token many.", "message", "done"]);
    let whole = [vec![accepted], own.rest().await].concat();
    assert_eq!([seen[..2].to_vec(), rest].concat(), whole, "each event once and in order");
}

/// Scenario 21: what the client says it has seen is not known, or forgotten.
#[tokio::test]
async fn s21_a_client_that_may_have_missed_something_is_told_how_things_stand() {
    let bed = Bed::of_replicas(2).await;
    let (here, there) = (bed.at(0).as_user("ann"), bed.at(1).as_user("ann"));
    bed.llm.calls([("getUsers", json!({}))]);
    let gate = bed.llm.says_in_pieces(["So ", "many."]).held_before_the_last_piece();
    let mut own = here.streams("how many?").await;
    let run = own.expect("accepted").await.data["run_id"].as_str().unwrap().to_owned();
    gate.reached().await;
    until_token(&mut own).await;
    until_token(&mut there.follows(&run, None).await).await;
    let mut streams = Vec::new();
    for (client, last) in [(&here, "-1"), (&there, "-1"), (&there, "garbage"), (&there, "0-7"), (&here, "99999-1"), (&there, "1-999")] {
        let mut stream = client.follows(&run, Some(last)).await;
        let snapshot = stream.expect("snapshot").await;
        // What is told of the text may lie a moment behind elsewhere; what was left out comes as a piece.
        let text = snapshot.data["text"].as_str().unwrap().to_owned();
        assert!("So ".starts_with(&text) && snapshot.id.is_some(), "{last}: {snapshot:?}");
        assert_eq!(snapshot.data["run"]["state"], "running");
        streams.push((last, text, stream));
    }
    gate.open();
    let end = own.rest().await;
    for (last, mut text, mut stream) in streams {
        let rest = stream.rest().await;
        text.extend(rest.iter().filter(|event| event.name == "token").map(|event| event.data["text"].as_str().unwrap()));
        assert_eq!(text, "So many.", "{last}");
        assert_eq!(names(&rest[rest.len() - 2..]), ["message", "done"], "{last}");
        assert_eq!(rest.iter().filter(|event| event.name == "done").count(), 1);
        assert_eq!(rest.last(), end.last(), "{last}");
    }
}

/// Scenario 21: pieces that come so fast that they are told together, the last of them just before the end.
#[tokio::test]
async fn s21_whoever_follows_elsewhere_is_told_the_last_piece_as_well() {
    let bed = Bed::of_replicas(2).await;
    let gate = bed.llm.says_in_pieces(["One, ", "two, ", "three, ", "four."]).held();
    let mut own = bed.at(0).as_user("ann").streams("count").await;
    let run = own.expect("accepted").await.data["run_id"].as_str().unwrap().to_owned();
    gate.reached().await;
    let mut there = bed.at(1).as_user("ann").follows(&run, None).await;
    there.expect("accepted").await;
    gate.open();
    for stream in [&mut own, &mut there] {
        let rest = stream.rest().await;
        let text: String = rest.iter().filter_map(|event| event.data["text"].as_str()).collect();
        assert_eq!(text, "One, two, three, four.", "{rest:#?}");
    }
}

/// Scenario 21: after the end, wherever it is asked for.
#[tokio::test]
async fn s21_a_run_that_has_ended_is_told_to_its_one_end() {
    let bed = Bed::of_replicas(2).await;
    bed.llm.says("Hello.");
    let told = bed.at(0).as_user("ann").streams("hello").await.rest().await;
    let run = told[0].data["run_id"].as_str().unwrap();
    for replica in [0, 1] {
        let ann = bed.at(replica).as_user("ann");
        assert_eq!(ann.follows(run, None).await.rest().await, told, "all that happened, at replica {replica}");
        let rest = ann.follows(run, told[0].id.as_deref()).await.rest().await;
        assert_eq!(rest, told[1..], "what is missing");
        assert_eq!(names(&ann.follows(run, Some("-1")).await.rest().await), ["message", "done"], "no full replay");
        assert_eq!(names(&ann.follows(run, Some("answer")).await.rest().await), ["done"]);
        let over = ann.with("last-event-id", "end").get(&format!("/api/runs/{run}/events")).await;
        assert_eq!((over.status, over.body.len()), (204, 0), "a client that has it all is told to stop asking");
    }
}

#[tokio::test]
async fn nobody_follows_the_run_of_another() {
    let bed = Bed::on(On::Redis).await;
    bed.llm.says("For Ann.");
    let told = bed.as_user("ann").streams("hello").await.rest().await;
    let path = format!("/api/runs/{}/events", told[0].data["run_id"].as_str().unwrap());
    bed.as_user("bob").get(&path).await.refused(404, "run_unknown");
    bed.nobody().get(&path).await.refused(401, "token_missing");
    bed.as_user("ann").get("/api/runs/nothing/events").await.refused(404, "run_unknown");
}

async fn until_token(stream: &mut Events) -> Vec<Event> {
    stream.until("token").await
}

async fn after(client: &Client, run: &str, seen: &Event) -> Events {
    client.follows(run, seen.id.as_deref()).await
}
