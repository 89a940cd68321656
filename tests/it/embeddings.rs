//! Functions of a large document that are found by what is meant: asked for once, kept, and never waited for longer than a message may wait.

mod failures;
mod kept;

use serde_json::json;
use swagger_api_agent::settings::Settings;

use crate::{
    contract::on_both_stores,
    harness::{
        bed::{Bed, On},
        client::Client,
        embeddings::StubEmbeddings,
        until,
    },
    many::{given, with_many_functions},
};

on_both_stores! {
    a_function_is_found_by_what_is_meant
}

/// What no function has a word of.
const MEANT: &str = "gaze far away";
/// The function that it means, and what is told of it.
const FUNCTION: &str = "oneTelescope";
const TOLD: &str = "one telescope\nOne telescope\nGET /world/telescope/{id}\nWorld";

/// A model that takes the two for alike.
async fn stub() -> StubEmbeddings {
    let stub = StubEmbeddings::start().await;
    stub.likens(MEANT, TOLD).likens("volcano", "number 5");
    stub
}

/// Many functions, few of which are given at once, and a model for embeddings.
fn embedded_by(stub: &StubEmbeddings) -> impl FnOnce(&mut Settings) + use<> {
    let url = stub.url.clone();
    move |settings| {
        with_many_functions(settings);
        settings.agent.tools_max = 12;
        // Waiting takes many turns.
        settings.agent.summaries = false;
        settings.limits.turns_per_minute = 1_000_000;
        settings.limits.requests_per_minute = 1_000_000;
        settings.llm.embeddings.model = Some("meaning".to_owned());
        settings.llm.embeddings.url = Some(url);
        settings.llm.embeddings.timeout_ms = 5000;
    }
}

/// The functions that the model is given for a message.
async fn given_for(bed: &Bed, client: &Client, message: &str) -> Vec<String> {
    bed.llm.says("Done.");
    client.process(message).await.ok();
    given(bed).pop().unwrap()
}

/// Waits until a function is given for a message.
async fn comes_to_be_given(bed: &Bed, client: &Client, message: &str, function: &str) {
    until(function, async || given_for(bed, client, message).await.iter().any(|name| name == function)).await;
}

async fn a_function_is_found_by_what_is_meant(on: On) {
    let stub = stub().await;
    let bed = Bed::with(on, embedded_by(&stub)).await;
    let ann = bed.as_user("ann");
    comes_to_be_given(&bed, &ann, MEANT, FUNCTION).await;
    // What words find is found as before.
    assert!(given_for(&bed, &ann, "which volcano is number 5?").await.contains(&"oneVolcano".to_owned()));
    assert!(stub.texts().contains(&TOLD.to_owned()));
    assert!(stub.asked().iter().all(|asked| asked.model == "meaning" && asked.authorization.is_none()));
}

#[tokio::test]
async fn a_message_is_asked_for_once_and_read_with_the_one_before() {
    let stub = stub().await;
    let bed = Bed::with(On::Embedded, embedded_by(&stub)).await;
    let ann = bed.as_user("ann");
    comes_to_be_given(&bed, &ann, MEANT, FUNCTION).await;
    assert!(given_for(&bed, &ann, "that with number 4").await.contains(&FUNCTION.to_owned()));
    given_for(&bed, &bed.as_user("bob"), MEANT).await;
    let of_messages: Vec<String> = stub.texts().into_iter().filter(|text| !text.contains('\n')).collect();
    assert_eq!(of_messages, [MEANT, "that with number 4"]);
}

#[tokio::test]
async fn the_model_finds_functions_by_what_it_means() {
    let stub = stub().await;
    stub.likens("frozen water", "Every glacier");
    let bed = Bed::with(On::Embedded, embedded_by(&stub)).await;
    let ann = bed.as_user("ann");
    comes_to_be_given(&bed, &ann, MEANT, FUNCTION).await;
    let (before, search) = (stub.asked().len(), |query: &str| ("search_functions", json!({"query": query, "limit": 2})));
    bed.llm.calls([search("frozen water"), search("far lantern"), ("describe_function", json!({"name": "oneCarpet"}))]).says("Found.");
    ann.process(MEANT).await.ok();
    let found: Vec<String> = bed.llm.heard().iter().filter_map(|line| line.strip_prefix("tool: ").map(str::to_owned)).collect();
    let found = &found[found.len() - 3..];
    assert!(found[0].contains("listGlacier"), "{found:#?}");
    assert!(found[1].contains("Lantern"), "{found:#?}");
    let asked: Vec<Vec<String>> = stub.asked()[before..].iter().map(|asked| asked.texts.clone()).collect();
    assert_eq!(asked, [["frozen water", "far lantern"]], "all searches of a move at once");
}

#[tokio::test]
async fn where_all_functions_are_given_nothing_is_asked_for() {
    let stub = stub().await;
    let bed = Bed::with(On::Embedded, |settings| {
        settings.llm.embeddings.model = Some("meaning".to_owned());
        settings.llm.embeddings.url = Some(stub.url.clone());
    })
    .await;
    let ann = bed.as_user("ann");
    for message in [MEANT, "show me all the users"] {
        assert_eq!(given_for(&bed, &ann, message).await.len(), 6);
    }
    bed.as_admin().post("/api/admin/openapi/reload", json!({})).await.ok();
    assert_eq!(stub.texts(), [""; 0]);
}

#[tokio::test]
async fn what_goes_there_has_no_secrets_in_it() {
    const SECRET: &str = "canary-upstream-token";
    let stub = stub().await;
    let bed = Bed::with(On::Embedded, |settings| {
        embedded_by(&stub)(settings);
        settings.upstream.token = Some(SECRET.into());
        settings.llm.api_key = Some("canary-model-key".into());
        let file = settings.openapi.file.clone().unwrap();
        let text = std::fs::read_to_string(&file).unwrap().replace("Every comet", &format!("Every comet, as {SECRET} sees it"));
        std::fs::write(file, text).unwrap();
    })
    .await;
    let ann = bed.as_user("ann");
    comes_to_be_given(&bed, &ann, MEANT, FUNCTION).await;
    bed.llm.calls([("search_functions", json!({"query": format!("what {SECRET} opens")}))]).says("Found.");
    ann.process(&format!("use {SECRET} and canary-model-key")).await.ok();
    let texts = stub.texts();
    for told in ["Every comet, as [redacted] sees it", "use [redacted] and [redacted]", "what [redacted] opens"] {
        assert!(texts.iter().any(|text| text.contains(told)), "{told}: {texts:#?}");
    }
    assert!(!texts.iter().any(|text| text.contains("canary")), "{texts:#?}");
    assert!(stub.asked().iter().all(|asked| asked.authorization.is_none()), "the key is the model's server's");
}
