//! APIs that others wrote, called from their own documents: reading, changing, being refused.
//!
//! `tests/upstreams/run` installs and starts them and says in the environment where they are; without that the tests say that they were skipped.

mod alertmanager;
mod httpbin;
mod kinto;
mod styles;

use serde_json::Value;
use swagger_api_agent::settings::Settings;

use crate::harness::bed::{Bed, On};

/// Where an API is, if the environment says so.
#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "a test finds its API by itself, and says so when there is none")]
fn address(variable: &str) -> Option<String> {
    let address = std::env::var(variable).ok().filter(|address| !address.is_empty());
    if address.is_none() {
        eprintln!("SKIPPED: {variable} does not say where it is; tests/upstreams/run does");
    }
    address
}

/// The service on a document, with a base URL if the document's own server is not the one.
async fn service(document: &str, base_url: Option<&str>, adjust: impl FnOnce(&mut Settings)) -> Bed {
    let (document, base_url) = (document.to_owned(), base_url.map(str::to_owned));
    let bed = Bed::with(On::Embedded, |settings| {
        settings.openapi.file = Some(document);
        settings.upstream.base_url = base_url;
        settings.limits.requests_per_minute = 1_000_000;
        settings.limits.turns_per_minute = 1_000_000;
        adjust(settings);
    });
    bed.await
}

/// Calls a function and returns what the API answered: status and body.
async fn call(bed: &Bed, function: &str, parameters: Value) -> (u64, Value) {
    let reply = bed.as_admin().call(function, parameters).await;
    assert_eq!(reply.status, 200, "{function}: {}", reply.text());
    let mut called = reply.json();
    assert!(called["api_response"].is_object(), "{function}: {called:#}");
    (called["api_response"]["status_code"].as_u64().unwrap_or_default(), called["api_response"]["data"].take())
}
