//! Secrets of the operator's: whoever says them, they reach neither the model nor a user, the history or the store.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::{
    domain::base64,
    settings::{Api, Settings},
};

use super::describe;
use crate::harness::{
    bed::{Bed, On},
    secured::SecuredApi,
};

crate::contract::on_both_stores! {
    what_an_api_says_of_them_is_taken_out_in_every_form
    what_the_model_says_of_them_is_taken_out
    a_secret_in_pieces_does_not_come_out_of_a_stream
    what_a_user_says_of_them_goes_no_further
    what_a_document_says_of_them_is_told_to_nobody
    an_error_does_not_quote_them
    a_users_own_secret_is_taken_out_once_it_is_used
}

const TOKEN: &str = "canary-upstream/token+1";
const MODEL_KEY: &str = "canary-model-key";
const HEADER: &str = "canary header \"quoted\"";
const PASSWORD: &str = "canary-password";

fn secrets(settings: &mut Settings) {
    settings.upstream.token = Some(TOKEN.into());
    settings.upstream.headers = BTreeMap::from([("X-Api-Key".to_owned(), HEADER.into())]);
    let file = settings.openapi.file.clone();
    let headers = BTreeMap::from([("X-Auth".to_owned(), PASSWORD.into())]);
    // What one API is sent, another may not tell either.
    settings.apis = vec![Api { name: "other".to_owned(), file, base_url: settings.upstream.base_url.clone(), headers, ..Api::default() }];
    settings.llm.api_key = Some(MODEL_KEY.into());
}

/// Everything that must not be seen.
fn forms() -> Vec<String> {
    let mut forms = vec![
        TOKEN.to_owned(),
        "canary-upstream%2Ftoken%2B1".to_owned(),
        "canary-upstream%2ftoken%2b1".to_owned(),
        r"canary-upstream\/token".to_owned(),
        HEADER.to_owned(),
        r#"canary header \"quoted\""#.to_owned(),
        "canary+header+%22quoted%22".to_owned(),
    ];
    for secret in [TOKEN, MODEL_KEY, HEADER, PASSWORD] {
        forms.push(secret.to_owned());
        forms.push(base64::encode(secret.as_bytes()).trim_end_matches('=').to_owned());
    }
    // What stands before it takes the first digits; the rest is the password's.
    forms.push(base64::encode(format!("service:{PASSWORD}").as_bytes())[12..28].to_owned());
    forms
}

#[track_caller]
fn assert_clean(what: &str, bytes: &[u8]) {
    // Told in JSON, a text may be escaped once more.
    for form in forms().iter().flat_map(|form| [form.clone(), form.replace('\\', "\\\\").replace('"', "\\\"")]) {
        assert!(
            !bytes.windows(form.len()).any(|window| window == form.as_bytes()),
            "{form} is in {what}: {}",
            String::from_utf8_lossy(bytes)
        );
    }
}

/// As an API might quote them: in a list of texts, and in a page.
fn echo() -> Value {
    let basic = base64::encode(format!("service:{PASSWORD}").as_bytes());
    json!({
        "you_sent": [format!("Authorization: Bearer {TOKEN}"), format!("X-Api-Key: {HEADER}"), format!("Basic {basic}")],
        "known": [MODEL_KEY, base64::encode(MODEL_KEY.as_bytes()), base64::encode(TOKEN.as_bytes()), "canary-upstream%2Ftoken%2B1", "canary-upstream%2ftoken%2b1"],
        "link": "/next?key=canary+header+%22quoted%22&page=2",
        "kept": "a canary is a bird",
    })
}

async fn what_an_api_says_of_them_is_taken_out_in_every_form(on: On) {
    let bed = Bed::with(on, secrets).await;
    let ann = bed.as_user("ann");
    bed.upstream.answers(Method::GET, "/users", echo());
    bed.upstream.answers(Method::GET, "/broken", json!(format!("<p>no access with {TOKEN}, {HEADER}</p>")));
    bed.llm.calls([("getUsers", json!({})), ("getBroken", json!({}))]).says("There is one.");
    let mut told = ann.process("list the users").await.body;
    told.extend(ann.call("getUsers", json!({})).await.body);
    told.extend(ann.call("getBroken", json!({})).await.body);
    told.extend(ann.get("/api/history").await.body);
    let text = String::from_utf8_lossy(&told).into_owned();
    assert!(text.contains("Bearer [redacted]") && text.contains("a canary is a bird"), "{text}");
    assert_clean("an answer", &told);
    let heard = bed.llm.heard();
    assert!(heard[2].contains(r#""/next?key=[redacted]&page=2""#), "{heard:#?}");
    assert!(heard[3].contains("no access with [redacted], [redacted]</p>"), "{heard:#?}");
    assert_clean("what the model heard", format!("{:?}", bed.llm.asked()).as_bytes());
    assert_clean("the store", &bed.everything_stored());
    assert_eq!(bed.upstream.seen()[0].headers["authorization"], format!("Bearer {TOKEN}"), "it was sent");
}

async fn what_the_model_says_of_them_is_taken_out(on: On) {
    let bed = Bed::with(on, secrets).await;
    let ann = bed.as_user("ann");
    let user = json!({"name": format!("N {MODEL_KEY}"), "email": TOKEN});
    bed.llm.calls([("createUser", user), (MODEL_KEY, json!({(TOKEN): HEADER}))]).says(&format!("The key is {MODEL_KEY}."));
    let mut told = ann.process("create a user").await;
    assert_eq!(told.message(), "The key is [redacted].");
    told.body.extend(ann.get("/api/history").await.body);
    assert_clean("an answer", &told.body);
    assert_clean("what the model heard", format!("{:?}", bed.llm.asked()).as_bytes());
    assert_clean("the store", &bed.everything_stored());
    assert_eq!(bed.upstream.seen()[0].body, json!({"name": "N [redacted]", "email": "[redacted]"}), "what is told is what was sent");
}

async fn a_secret_in_pieces_does_not_come_out_of_a_stream(on: On) {
    let bed = Bed::with(on, secrets).await;
    let ann = bed.as_user("ann");
    let gate = bed.llm.says_in_pieces(["The key is can", "ary-model", "-key, ", "and can", "aries sing", "."]).held_before_the_last_piece();
    let mut stream = ann.streams("which key?").await;
    stream.expect("accepted").await;
    gate.reached().await;
    let mut text = String::new();
    while !text.contains("and canaries") {
        text += stream.expect("token").await.data["text"].as_str().unwrap();
        assert!("The key is [redacted], and canaries sing".starts_with(&text), "{text}");
    }
    gate.open();
    let rest = stream.rest().await;
    assert_eq!(rest.iter().find(|event| event.name == "message").unwrap().data["message"], "The key is [redacted], and canaries sing.");

    bed.llm.says_in_pieces(["It begins with can", "ary-mod"]);
    let events = ann.streams("how does it begin?").await.rest().await;
    let tokens: String = events.iter().filter(|event| event.name == "token").map(|event| event.data["text"].as_str().unwrap()).collect();
    assert_eq!(tokens, "It begins with canary-mod", "what was held back is told at the end");
}

async fn what_a_user_says_of_them_goes_no_further(on: On) {
    let bed = Bed::with(on, secrets).await;
    let ann = bed.as_user("ann").with("idempotency-key", "k-1");
    bed.llm.says("I see.");
    let body = json!({"message": format!("is {TOKEN} the token?"), "context": {"page": format!("/a?key={MODEL_KEY}")}});
    ann.post("/api/process", body.clone()).await.ok();
    assert_eq!(ann.post("/api/process", body).await.header("idempotency-replayed"), Some("true"), "it is the same request");
    assert_eq!(bed.llm.heard(), ["user: is [redacted] the token?"]);
    assert_clean("what the model heard", format!("{:?}", bed.llm.asked()).as_bytes());
    assert_eq!(ann.history().await, ["user: is [redacted] the token?", "assistant: I see."]);
}

async fn what_a_document_says_of_them_is_told_to_nobody(on: On) {
    let bed = Bed::with(on, |settings| {
        describe(settings, |document| {
            document["info"]["description"] = json!(format!("Try it with {TOKEN}."));
            let get = &mut document["paths"]["/users"]["get"];
            get["summary"] = json!(format!("List users, for example with {MODEL_KEY}"));
            get["parameters"][0]["description"] = json!(format!("not {HEADER}"));
        });
        secrets(settings);
    })
    .await;
    let ann = bed.as_user("ann");
    bed.llm.says("Hello.");
    ann.process("hello").await.ok();
    let asked = format!("{:?}", bed.llm.asked());
    assert!(asked.contains("Try it with [redacted].") && asked.contains("for example with [redacted]"), "{asked}");
    assert_clean("what the model heard", asked.as_bytes());
    for path in ["/api/functions", "/api/info"] {
        assert_clean(path, &ann.get(path).await.body);
    }
}

async fn an_error_does_not_quote_them(on: On) {
    let bed = Bed::with(on, secrets).await;
    let ann = bed.as_user("ann");
    let unknown = ann.call(MODEL_KEY, json!({})).await;
    assert!(unknown.text().contains("[redacted]"), "{}", unknown.text());
    let wrong = ann.call("getUser", json!({"id": TOKEN})).await;
    assert!(wrong.text().contains("[redacted]"), "{}", wrong.text());
    assert_clean("an error", &[unknown.body, wrong.body].concat());
}

async fn a_users_own_secret_is_taken_out_once_it_is_used(on: On) {
    const OWN: &str = "canary-own-secret";
    let api = SecuredApi::start().await;
    let bed = Bed::with(on, |settings| api.serve_by(settings)).await;
    let ann = bed.as_user("ann");
    ann.send(Method::PUT, "/api/credentials/KeyH", "application/json", json!({"value": OWN}).to_string()).await.ok();
    bed.llm.calls([("getKeyed", json!({}))]).says_in_pieces(["You use canary", "-own-secret."]);
    let events = ann.streams(&format!("look, with {OWN}")).await.rest().await;
    let tokens: String = events.iter().filter(|event| event.name == "token").map(|event| event.data["text"].as_str().unwrap()).collect();
    assert_eq!(tokens, "You use [redacted].");
    assert_eq!(ann.history().await, ["user: look, with [redacted]", "assistant: You use [redacted]."]);
    assert_eq!(api.last().header("x-key"), Some(OWN), "it was sent");
    let heard = bed.llm.heard();
    assert!(heard[2].contains("[redacted]") && !heard[2].contains(OWN), "{heard:#?}");
    bed.llm.says("Bob has none.");
    assert_eq!(bed.as_user("bob").process(&format!("is it {OWN}?")).await.message(), "Bob has none.");
    assert_eq!(bed.llm.heard(), [format!("user: is it {OWN}?")], "nobody else's turn knows it");
}
