//! Traces: what a collector gets of a turn, wherever the turn is worked on, and what it must not get.

use reqwest::Method;
use serde_json::json;
use swagger_api_agent::settings::Settings;

use crate::harness::{
    bed::{Bed, On},
    collector::{Collector, Seen},
    process::{LEASE_MS, Process},
    until,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
/// The exporter gathers for so long at most (OTEL_BSP_SCHEDULE_DELAY), in milliseconds.
const GATHERS_MS: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "100");

fn traceparent() -> String {
    format!("00-{TRACE}-{PARENT}-01")
}

async fn traced(bed: &Bed, collector: &Collector, more: &[(&str, &str)]) -> Process {
    let own = [("SAA_TRACE__URL", collector.url.as_str()), ("SAA_TRACE__CLIENTS", "true"), GATHERS_MS];
    Process::start(&bed.settings, &[own.as_slice(), more].concat()).await
}

/// The spans of the trace, once this one is among them.
async fn spans(collector: &Collector, name: &str) -> Vec<Seen> {
    let of_trace = || collector.spans().into_iter().filter(|span| span.trace == TRACE).collect::<Vec<_>>();
    until(name, async || of_trace().iter().any(|span| span.name == name)).await;
    of_trace()
}

#[track_caller]
fn one<'a>(spans: &'a [Seen], name: &str) -> &'a Seen {
    let found: Vec<&Seen> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name} in {spans:#?}");
    found[0]
}

#[tokio::test]
async fn a_turn_is_one_trace_from_its_client_to_the_model_and_the_api() {
    let (bed, collector) = (Bed::on(On::Redis).await, Collector::start().await);
    let headers = ("SAA_TRACE__HEADERS", r#"{"authorization": "Bearer of-the-collector"}"#);
    let process = traced(&bed, &collector, &[headers]).await;
    let ann = bed.through(&process.base).as_user("ann").with("traceparent", &traceparent());
    bed.llm.calls_for([("getUser", json!({"id": 4711}))], Some((30, 7))).says_for("Ann is there.", (40, 5));
    let told = ann.process("who is 4711?").await.ok();

    let spans = spans(&collector, "POST /api/process").await;
    let request = one(&spans, "POST /api/process");
    assert_eq!((request.parent.as_str(), request.attributes["http.response.status_code"].as_str()), (PARENT, "200"));
    let turn = one(&spans, "invoke_agent swagger-api-agent");
    assert_eq!(turn.parent, request.id);
    assert_eq!(turn.attributes["saa.run.id"], told["run_id"]);
    assert_eq!(turn.attributes["gen_ai.conversation.id"], told["session_id"]);
    assert_eq!((&*turn.attributes["gen_ai.usage.input_tokens"], &*turn.attributes["gen_ai.usage.output_tokens"]), ("70", "12"));
    let chats: Vec<&Seen> = spans.iter().filter(|span| span.name == "chat deepseek-chat").collect();
    assert_eq!(chats.iter().map(|chat| (chat.parent.as_str(), chat.failed)).collect::<Vec<_>>(), [(turn.id.as_str(), false); 2]);
    assert_eq!(chats[0].attributes["gen_ai.usage.input_tokens"], "30");
    let tool = one(&spans, "execute_tool getUser");
    assert_eq!((tool.parent.as_str(), tool.attributes["gen_ai.tool.name"].as_str()), (turn.id.as_str(), "getUser"));
    let sent = one(&spans, "GET");
    assert_eq!((sent.parent.as_str(), sent.attributes["http.response.status_code"].as_str()), (tool.id.as_str(), "200"));
    let header = bed.upstream.seen()[0].headers["traceparent"].to_str().unwrap().to_owned();
    assert_eq!(header, format!("00-{TRACE}-{}-01", sent.id), "the API is told which span called it");
    for script in ["EVALSHA BEGIN", "EVALSHA COMMIT"] {
        assert_eq!(one(&spans, script).attributes["db.system.name"], "redis");
    }
    assert_eq!(turn.resource["service.name"], "swagger-api-agent");
    assert_eq!(collector.header("authorization").as_deref(), Some("Bearer of-the-collector"));
    let said = format!("{spans:?}");
    for content in ["who is 4711?", "Ann is there.", "4711", "of-the-collector"] {
        assert!(!said.contains(content), "{content} is in {said}");
    }
}

#[tokio::test]
async fn a_turn_that_another_replica_finishes_is_the_same_trace() {
    let (mut bed, collector) = (Bed::with(On::Redis, |settings| settings.turns.lease_ms = LEASE_MS).await, Collector::start().await);
    let (mut doomed, _heir) = (traced(&bed, &collector, &[]).await, traced(&bed, &collector, &[]).await);
    let token = bed.as_user("ann").token().await.unwrap();
    let ann = bed.through(&doomed.base).with_authorization(&format!("Bearer {token}")).with("traceparent", &traceparent());
    bed.llm.calls([("createUser", json!({"name": "Cleo", "email": "cleo@example.com"}))]).says("It is not known.");
    let gate = bed.upstream.hold(Method::POST, "/users");
    // Without the replica of this process, which tells nothing to a collector.
    let dies = async |_: &Settings| {
        let turn = ann.processing("create Cleo");
        gate.reached().await;
        doomed.kill();
        gate.open();
        assert!(turn.await.is_err(), "its client got no answer");
        let ended = async || collector.spans().iter().any(|span| span.name.starts_with("invoke_agent"));
        until("another went on with it", ended).await;
    };
    bed.restart(dies).await;
    let spans = spans(&collector, "invoke_agent swagger-api-agent").await;
    let turn = one(&spans, "invoke_agent swagger-api-agent");
    assert_eq!(turn.attributes["saa.turn.ending"], "unknown_outcome");
    assert!(turn.failed);
    // The one that died may have told of its question to the model, and of nothing more.
    let told = spans.iter().find(|span| span.name == "chat deepseek-chat" && span.parent == turn.id).expect("the heir's question");
    assert_eq!(told.resource, turn.resource);
}

#[tokio::test]
async fn what_was_said_is_told_where_that_is_asked_for_and_without_secrets() {
    let (bed, collector) = (Bed::on(On::Redis).await, Collector::start().await);
    let process = traced(&bed, &collector, &[("SAA_TRACE__CONTENT", "true"), ("API_TOKEN", "up-token-4711-canary")]).await;
    let ann = bed.through(&process.base).as_user("ann").with("traceparent", &traceparent());
    bed.llm.calls([("getUser", json!({"id": 1}))]).says("Ann. up-token-4711-canary");
    ann.process("who is 1? up-token-4711-canary").await.ok();
    let spans = spans(&collector, "POST /api/process").await;
    let turn = one(&spans, "invoke_agent swagger-api-agent");
    assert!(turn.attributes["gen_ai.input.messages"].contains("who is 1?"), "{turn:#?}");
    assert!(turn.attributes["gen_ai.output.messages"].contains("Ann."), "{turn:#?}");
    assert_eq!(one(&spans, "execute_tool getUser").attributes["gen_ai.tool.call.arguments"], r#"{"id":1}"#);
    assert!(!format!("{spans:?}").contains("4711"), "{spans:#?}");
}

#[tokio::test]
async fn a_client_decides_nothing_unless_clients_are_believed() {
    let (bed, collector) = (Bed::on(On::Redis).await, Collector::start().await);
    let sampled = [("SAA_TRACE__CLIENTS", "false"), ("SAA_TRACE__SAMPLE_PERCENT", "100")];
    let process = traced(&bed, &collector, &sampled).await;
    let ann = bed.through(&process.base).as_user("ann").with("traceparent", &traceparent().replace("-01", "-00"));
    bed.llm.says("hello");
    ann.process("hi").await.ok();
    until("the turn is told", async || collector.spans().iter().any(|span| span.name.starts_with("invoke_agent"))).await;
    assert!(collector.spans().iter().all(|span| span.trace != TRACE), "it is a trace of its own");
}

#[tokio::test]
async fn a_collector_that_takes_nothing_harms_nobody_and_is_told_once() {
    let (bed, collector) = (Bed::on(On::Redis).await, Collector::start().await);
    collector.refuses();
    let mut process = traced(&bed, &collector, &[]).await;
    let ann = bed.through(&process.base).as_user("ann");
    for _ in 0..3 {
        let batches = collector.batches();
        bed.llm.says("hello");
        assert_eq!(ann.process("hi").await.message(), "hello");
        until("it was sent another batch", async || collector.batches() > batches).await;
    }
    process.terminate();
    assert!(process.ended().await.success());
    let told = process.log().matches("spans do not reach the collector").count();
    assert_eq!(told, 1, "{}", process.log());
}

#[tokio::test]
async fn without_a_collector_nobody_is_told_of_a_trace() {
    let bed = Bed::on(On::Redis).await;
    let process = Process::start(&bed.settings, &[]).await;
    let ann = bed.through(&process.base).as_user("ann").with("traceparent", &traceparent());
    bed.llm.calls([("getUser", json!({"id": 1}))]).says("Ann.");
    ann.process("who is 1?").await.ok();
    assert!(!bed.upstream.seen()[0].headers.contains_key("traceparent"));
}
