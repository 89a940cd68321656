//! The service from outside, as its operators and clients meet it, and the rules of the house.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::large_futures,
    reason = "a test may fail where it stands, and is not moved often"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests print, wait and look at their environment"
)]

mod apis;
mod attacks;
mod bad_input;
mod config_check;
mod connections;
mod contract;
mod credentials;
mod demo;
mod doctor;
mod documents;
mod embeddings;
mod exact;
mod first_administrator;
mod floors;
mod generated;
mod harness;
mod identity;
mod isolation;
mod log_level;
mod many;
#[path = "../quality/measure/mod.rs"]
mod measure;
mod metrics;
mod openapi_check;
mod outage;
mod overview;
mod own_document;
mod policy;
mod quality;
mod records;
mod release;
mod results;
mod retrieval;
mod store_contract;
mod streams;
mod topologies;
mod traces;
mod turns;
mod untrusted;
mod upstreams;
