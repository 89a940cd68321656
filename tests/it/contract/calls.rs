//! `POST /api/call`, `GET /api/functions`, `GET /api/info`: the API without the agent.

use serde_json::json;

use crate::harness::{
    bed::{Bed, On},
    shape::has,
};

super::on_both_stores! {
    a_call_answers_with_what_the_api_said
    a_changing_call_is_sent_once_as_documented
    arguments_go_where_the_document_says
    what_the_api_refuses_is_an_answer
    a_function_name_is_needed
    an_unknown_function_names_those_near_it
    all_wrong_parameters_are_told_at_once
    functions_are_listed_with_their_schemas
    the_api_and_the_agent_are_described
}

async fn a_call_answers_with_what_the_api_said(on: On) {
    let bed = Bed::on(on).await;
    let called = bed.as_user("ann").call("getUser", json!({"id": 7})).await.ok();
    has(&called, "success:bool function_name:text markdown_result:text api_response:object error:null user_id:text");
    let response = &called["api_response"];
    has(response, "status_code:count data:object url:text method:text headers:object");
    assert_eq!(response["data"], json!({"id": 7, "name": "Ann", "email": "ann@example.com"}));
    assert_eq!((&response["status_code"], &response["method"]), (&json!(200), &json!("GET")));
    assert_eq!(response["url"], format!("{}/users/7", bed.upstream.url));
    assert_eq!(response["headers"]["content-type"], "application/json");
    assert_eq!((&called["function_name"], &called["user_id"]), (&json!("getUser"), &json!("ann")));
}

async fn a_changing_call_is_sent_once_as_documented(on: On) {
    let bed = Bed::on(on).await;
    let called = bed.as_user("ann").call("createUser", json!({"name": "Zoë", "email": "z@example.com", "age": 7})).await.ok();
    assert_eq!(called["api_response"]["status_code"], 201);
    let seen = bed.upstream.seen();
    assert_eq!(bed.upstream.log(), ["POST /users"]);
    assert_eq!(seen[0].body, json!({"name": "Zoë", "email": "z@example.com", "age": 7}));
    assert_eq!(seen[0].headers["content-type"], "application/json");
    let deleted = bed.as_user("ann").call("deleteUser", json!({"id": 3})).await.ok();
    assert_eq!((&deleted["api_response"]["status_code"], &deleted["api_response"]["data"]), (&json!(204), &json!(null)));
}

async fn arguments_go_where_the_document_says(on: On) {
    let bed = Bed::with(on, |settings| settings.upstream.token = Some("upstream-token".into())).await;
    let ann = bed.as_user("ann");
    ann.call("getReport", json!({"X-Region": "north"})).await.ok();
    ann.call("getUsers", json!({"page": 2, "limit": 50})).await.ok();
    let seen = bed.upstream.seen();
    assert_eq!(bed.upstream.log(), ["GET /report", "GET /users?page=2&limit=50"], "below the base URL's own path");
    assert_eq!(seen[0].headers["x-region"], "north");
    assert_eq!(seen[0].headers["authorization"], "Bearer upstream-token");
}

async fn what_the_api_refuses_is_an_answer(on: On) {
    let bed = Bed::on(on).await;
    for (function, parameters, status) in [("getBroken", json!({}), 500), ("getUser", json!({"id": 404}), 404)] {
        let reply = bed.as_user("ann").call(function, parameters).await;
        let called = reply.json();
        assert_eq!(reply.status, 200);
        has(&called, "success:bool function_name:text markdown_result:text api_response:object error:text user_id:text");
        assert_eq!((&called["success"], &called["api_response"]["status_code"]), (&json!(false), &json!(status)));
    }
}

async fn a_function_name_is_needed(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let refused = ann.post("/api/call", json!({"parameters": []})).await.refused(400, "invalid_body");
    assert_eq!(refused["problems"], json!(["function_name is missing", "parameters is a list; an object is needed"]));
    assert_eq!(refused["user_id"], "ann");
}

async fn an_unknown_function_names_those_near_it(on: On) {
    let bed = Bed::on(on).await;
    let refused = bed.as_user("ann").call("getUsrs", json!({})).await.refused(404, "function_unknown");
    assert_eq!(refused["near"][0], "getUsers");
    assert!(refused["error"].as_str().unwrap().contains("getUsers"), "{refused:#}");
    let refused = bed.as_user("ann").call("weatherForecast", json!({})).await.refused(404, "function_unknown");
    assert_eq!((&refused["near"], &refused["user_id"]), (&json!([]), &json!("ann")));
}

async fn all_wrong_parameters_are_told_at_once(on: On) {
    let bed = Bed::on(on).await;
    let wrong = json!({"page": 0, "limit": "many", "colour": "red"});
    let refused = bed.as_user("ann").call("getUsers", wrong).await.refused(400, "invalid_parameters");
    let problems: Vec<&str> = refused["problems"].as_array().unwrap().iter().map(|problem| problem.as_str().unwrap()).collect();
    for name in ["page", "limit", "colour"] {
        assert!(problems.iter().any(|problem| problem.contains(name)), "{name}: {problems:?}");
        assert!(refused["error"].as_str().unwrap().contains(name), "{refused:#}");
    }
    let refused = bed.as_user("ann").call("createUser", json!({"age": -1})).await.refused(400, "invalid_parameters");
    for name in ["name", "email", "age"] {
        assert!(refused["error"].as_str().unwrap().contains(name), "{refused:#}");
    }
    assert_eq!(bed.upstream.log(), [""; 0]);
}

async fn functions_are_listed_with_their_schemas(on: On) {
    let bed = Bed::on(on).await;
    let listed = bed.as_user("ann").get("/api/functions").await.ok();
    has(&listed, "success:bool functions:list count:count user_id:text");
    let functions = listed["functions"].as_array().unwrap();
    assert_eq!(listed["count"], functions.len());
    let mut names: Vec<_> = functions.iter().map(|function| function["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["createUser", "deleteUser", "getBroken", "getReport", "getUser", "getUsers"]);
    for function in functions {
        has(function, "name:text description:text parameters:object");
        assert_eq!(function["parameters"]["type"], "object");
    }
}

async fn the_api_and_the_agent_are_described(on: On) {
    let bed = Bed::on(on).await;
    let told = bed.as_user("ann").get("/api/info").await.ok();
    has(&told, "success:bool api_info:object agent_status:object user_id:text");
    has(&told["api_info"], "title:text description:text version:text servers:list endpoints_count:count");
    assert_eq!((&told["api_info"]["title"], &told["api_info"]["endpoints_count"]), (&json!("Shop"), &json!(6)));
    let status = &told["agent_status"];
    has(
        status,
        "initialized:bool openapi_file:text api_base_url:text llm_available:bool last_error:null conversation_length:count api_info:object",
    );
    assert_eq!((&status["llm_available"], &status["api_base_url"]), (&json!(true), &json!(bed.upstream.url)));
}
