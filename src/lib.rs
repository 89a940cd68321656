//! An agent over an OpenAPI document: people say what they want, operations of the document are called.
//!
//! The floors, in reading order; a module names only floors below its own (`tests/it/floors.rs`):
//!
//! 0. [`clock`], [`domain`]: the time, and what exists. [`fault`]: where the fault lab lets a process die; nothing in a release.
//!    [`release`]: which release this is.
//! 1. [`settings`]: what the operator said. [`secrets`]: passwords, tokens, randomness. [`markdown`]: replies as people read
//!    them. [`portable`]: conversations as files. [`excerpt`]: big replies cut to size, and read in parts. [`words`]: what words mean. [`demo`]: a small real API to try
//!    the agent on. [`redact`]: secrets taken out of what is told. [`metrics`]: what the process counts.
//!    [`spans`]: what happens, for a collector of traces.
//! 2. [`outbound`], [`probe`], [`store`], [`openapi`]: the HTTP client; is a server ready; what is
//!    remembered; the document.
//! 3. [`llm`], [`upstream`]: who plans, and who sends.
//! 4. [`agent`]: prompt → plan → calls → results → answer.
//! 5. [`app`]: what the service does, one verb per function.
//! 6. [`api`]: HTTP in and out.

pub mod agent;
pub mod api;
pub mod app;
pub mod clock;
pub mod demo;
pub mod domain;
pub mod excerpt;
pub mod fault;
pub mod llm;
pub mod markdown;
pub mod metrics;
pub mod openapi;
pub mod outbound;
pub mod portable;
pub mod probe;
pub mod redact;
pub mod release;
pub mod secrets;
pub mod settings;
pub mod spans;
pub mod store;
pub mod upstream;
pub mod words;
