//! Models whose servers refuse or ignore `tools`: asked in words instead, and remembered.

use serde_json::{Value, json};

use super::{
    tests::{model, prompt, says, settings, tools},
    *,
};
use crate::{
    domain::{
        session::Round,
        tool::{Outcome, ReplyBody, ToolResult, UpstreamReply},
    },
    llm::ChatModel,
    outbound::scripted::{Act, Scripted},
};

async fn start(script: impl IntoIterator<Item = Act>) -> (ChatModel, Scripted) {
    let server = Scripted::start(script).await;
    (model(&settings(Some(&server.url))).expect("a model"), server)
}

async fn next(model: &ChatModel) -> String {
    match model.plan(&prompt(&tools()), None).await.expect("a plan").next {
        Move::Answer(answer) => format!("answer {answer}"),
        Move::Calls { calls, .. } => {
            let arguments = calls[0].arguments.clone().map(Value::Object).expect("arguments");
            format!("{} {arguments}", calls[0].name)
        }
    }
}

fn refuses(message: &str) -> Act {
    Act::json(400, &json!({"error": {"message": message}}).to_string())
}

/// How each request asked for calls.
fn ways(server: &Scripted) -> Vec<&'static str> {
    let way = |asked: Value| match (asked.get("tools"), asked.get("response_format")) {
        (Some(_), None) => "tools",
        (None, Some(_)) => "schema",
        (None, None) => "prose",
        (Some(_), Some(_)) => "both",
    };
    server.requests().iter().map(|request| way(request.json())).collect()
}

#[tokio::test]
async fn a_server_that_refuses_tools_is_asked_for_json_from_then_on() {
    let (model, server) = start([
        refuses("this model does not support tools"),
        says(r#"{"function": "getUsers", "arguments": {"page": 2}}"#),
        says(r#"{"answer": "**Done.**"}"#),
        says(r#"{"function": "made_up", "arguments": {}}"#),
        says("Not as asked."),
    ])
    .await;
    for expected in [r#"getUsers {"page":2}"#, "answer **Done.**", "made_up {}", "answer Not as asked."] {
        assert_eq!(next(&model).await, expected);
    }
    assert_eq!(ways(&server), ["tools", "schema", "schema", "schema", "schema"]);
    let asked = server.requests()[1].json();
    let schema = &asked["response_format"]["json_schema"]["schema"]["anyOf"];
    assert_eq!(schema[0]["properties"]["function"]["enum"], json!(["getUsers"]));
    assert_eq!((&schema[1]["required"], &schema[0]["additionalProperties"]), (&json!(["answer"]), &json!(false)));
    let system = asked["messages"][0]["content"].as_str().expect("a text");
    assert!(system.starts_with("s\n") && system.contains("\"name\":\"getUsers\"") && system.contains("\"page\""), "{system}");
}

#[tokio::test]
async fn a_server_that_holds_a_model_to_no_schema_is_asked_in_words_alone() {
    let (model, server) = start([
        refuses("this model does not support tools"),
        refuses("response_format json_schema is not supported"),
        says("```json\n{\"function\": \"getUsers\", \"arguments\": {}}\n```"),
    ])
    .await;
    assert_eq!(next(&model).await, "getUsers {}");
    assert_eq!(ways(&server), ["tools", "schema", "prose"]);
}

#[tokio::test]
async fn a_refusal_that_does_not_end_is_an_error() {
    let (model, server) = start(vec![refuses("this model does not support tools"); 2]).await;
    assert_eq!(model.plan(&prompt(&tools()), None).await, Err(ModelError::Refused(400)));
    assert_eq!(ways(&server), ["tools", "schema"]);
}

#[tokio::test]
async fn a_model_that_writes_its_calls_as_text_is_asked_to() {
    let call = r#"{"name": "getUsers", "arguments": {}}"#;
    let (model, server) = start([says(call), says(r#"{"answer": "Done."}"#)]).await;
    assert_eq!(next(&model).await, "getUsers {}");
    assert_eq!(next(&model).await, "answer Done.");
    assert_eq!(ways(&server), ["tools", "schema"]);
}

#[tokio::test]
async fn a_model_that_has_called_as_it_should_is_not_taken_for_one_that_cannot() {
    let native = json!({"choices": [{"message": {"tool_calls": [{"function": {"name": "getUsers", "arguments": "{}"}}]}}]});
    let call = says(r#"{"name": "getUsers", "arguments": {}}"#);
    let (model, server) = start([Act::json(200, &native.to_string()), call, says("Done.")]).await;
    for expected in ["getUsers {}", "getUsers {}", "answer Done."] {
        assert_eq!(next(&model).await, expected);
    }
    assert_eq!(ways(&server), ["tools"; 3]);
}

#[tokio::test]
async fn json_that_breaks_off_is_no_answer() {
    let (model, _server) = start([refuses("this model does not support tools"), says("{\"answer\": \"Half")]).await;
    assert_eq!(model.plan(&prompt(&tools()), None).await, Err(ModelError::Nonsense));
}

#[tokio::test]
async fn calls_and_results_are_told_as_plain_messages() {
    let (model, server) = start([refuses("this model does not support tools"), says(r#"{"answer": "Done."}"#)]).await;
    let reply = UpstreamReply { status: 200, headers: Vec::new(), body: ReplyBody::Text("two users".into()), kept: None };
    let call = crate::domain::tool::ToolCall { id: "a".into(), name: "getUsers".into(), arguments: Ok(serde_json::Map::new()) };
    let rounds = [Round { said: None, results: vec![ToolResult { call, request: None, outcome: Outcome::Replied(reply) }] }];
    model.plan(&Prompt { rounds: &rounds, ..prompt(&tools()) }, None).await.expect("a plan");
    let asked = server.requests()[1].json();
    let told: Vec<(&str, &str)> = asked["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .skip(1)
        .map(|message| (message["role"].as_str().expect("a role"), message["content"].as_str().expect("a text")))
        .collect();
    assert_eq!(told[..2], [("user", "list users"), ("assistant", r#"{"function":"getUsers","arguments":{}}"#)]);
    assert!(told[2].0 == "user" && told[2].1.contains("getUsers") && told[2].1.contains("two users"), "{told:?}");
    assert_eq!(told.len(), 3);
}
