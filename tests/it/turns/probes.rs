//! Looking what became of a change whose answer was lost, where the operator says how.

use reqwest::Method;
use serde_json::{Map, Value, json};
use swagger_api_agent::domain::{
    probe::{Probe, Sign},
    selection::Rule,
};

use crate::harness::bed::{Bed, On};

crate::contract::on_both_stores! {
    what_a_look_shows_is_told_with_the_unknown_outcome
    a_direct_call_is_looked_after_as_well
}

/// A bed whose API never answers DELETE /users/{id} in time, and where a look is made for that user afterwards.
async fn scene(on: On, took_effect: Sign) -> Bed {
    let arguments = Map::from_iter([("id".to_owned(), json!("{id}"))]);
    let bed = Bed::with(on, |settings| {
        settings.upstream.timeout_ms = 300;
        settings.upstream.connect_timeout_ms = 300;
        let operation = Rule::parse("id:deleteUser").unwrap();
        settings.upstream.probes = vec![Probe { operation, call: "getUser".to_owned(), arguments, took_effect }];
    })
    .await;
    for path in ["/users/1", "/users/404"] {
        bed.upstream.hold(Method::DELETE, path);
    }
    bed
}

async fn what_a_look_shows_is_told_with_the_unknown_outcome(on: On) {
    let bed = scene(on, Sign::Gone).await;
    for (id, told) in [(404, "a look with getUser shows that it took effect"), (1, "a look with getUser showed no effect of it")] {
        bed.llm
            .calls([("deleteUser", json!({"id": id})), ("createUser", json!({"name": "Ann", "email": "a@example.com"}))])
            .says("Perhaps.");
        let answer = bed.as_user("ann").process("delete it").await.ok();
        let results: Vec<&Value> = answer["function_calls"].as_array().unwrap().iter().map(|call| &call["markdown_result"]).collect();
        assert!(results[0].as_str().unwrap().contains(told), "{results:#?}");
        assert!(results[1].as_str().unwrap().contains("nothing more is changed"), "{results:#?}");
    }
    assert_eq!(bed.upstream.log(), ["DELETE /users/404", "GET /users/404", "DELETE /users/1", "GET /users/1"]);
}

async fn a_direct_call_is_looked_after_as_well(on: On) {
    let bed = scene(on, Sign::Found).await;
    let answer = bed.as_user("ann").call("deleteUser", json!({"id": 1})).await.json();
    assert!(answer.to_string().contains("a look with getUser shows that it took effect"), "{answer:#}");
    assert_eq!(bed.upstream.log(), ["DELETE /users/1", "GET /users/1"]);
}
