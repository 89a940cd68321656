//! A collector of traces: it reads what it is sent as OTLP says, and answers as it is told to.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value,
    trace::v1::{Span, status::StatusCode as Status},
};
use prost::Message;

use super::serve_stub;

/// The collector.
pub struct Collector {
    /// The whole address, as `trace.url` has it.
    pub url: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    spans: Vec<Seen>,
    batches: usize,
    headers: Option<HeaderMap>,
    refuses: bool,
}

/// One span, ids in hexadecimal, values as text.
#[derive(Debug, Clone)]
pub struct Seen {
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub failed: bool,
    pub attributes: BTreeMap<String, String>,
    /// Of the process that made it.
    pub resource: BTreeMap<String, String>,
}

impl Collector {
    pub async fn start() -> Self {
        let shared = Arc::<Mutex<Shared>>::default();
        let address = serve_stub(Router::new().route("/v1/traces", post(take)).with_state(shared.clone())).await;
        Self { url: format!("http://{address}/v1/traces"), shared }
    }

    /// From now on it takes nothing.
    pub fn refuses(&self) {
        self.held().refuses = true;
    }

    pub fn spans(&self) -> Vec<Seen> {
        self.held().spans.clone()
    }

    /// How often it was sent something.
    pub fn batches(&self) -> usize {
        self.held().batches
    }

    /// A header of the last batch.
    pub fn header(&self, name: &str) -> Option<String> {
        self.held().headers.as_ref()?.get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    fn held(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }
}

async fn take(State(shared): State<Arc<Mutex<Shared>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let batch = ExportTraceServiceRequest::decode(body).expect("what OTLP calls a batch of spans");
    let mut shared = shared.lock().unwrap();
    shared.batches += 1;
    shared.headers = Some(headers);
    if shared.refuses {
        return StatusCode::FORBIDDEN;
    }
    for of_process in batch.resource_spans {
        let resource = named(of_process.resource.unwrap_or_default().attributes);
        let spans = of_process.scope_spans.into_iter().flat_map(|scope| scope.spans);
        shared.spans.extend(spans.map(|span| seen(span, resource.clone())));
    }
    StatusCode::OK
}

fn seen(span: Span, resource: BTreeMap<String, String>) -> Seen {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Seen {
        name: span.name,
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        failed: span.status.is_some_and(|status| status.code() == Status::Error),
        attributes: named(span.attributes),
        resource,
    }
}

fn named(attributes: Vec<opentelemetry_proto::tonic::common::v1::KeyValue>) -> BTreeMap<String, String> {
    let text = |value| match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(is)) => is.to_string(),
        other => format!("{other:?}"),
    };
    attributes.into_iter().map(|attribute| (attribute.key, text(attribute.value.and_then(|value| value.value)))).collect()
}
