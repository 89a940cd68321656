//! Where spans go: gathered on a thread of their own, and sent in batches by a client that the service hands in, so that they leave by the
//! same door as everything else.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::{Subscriber, level_filters::LevelFilter, warn};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use crate::release;

/// What spans are told from the log by.
pub const TARGET: &str = "spans";
const CONVENTIONS: &str = "https://opentelemetry.io/schemas/1.41.0";
/// How long one batch may take to be sent.
const SENDING: Duration = Duration::from_secs(5);
/// How long the last batch may take.
const LAST: Duration = Duration::from_secs(3);

/// Who gathers spans, and which.
#[derive(Debug, Clone)]
pub struct Collector {
    /// The whole address, as `http://collector:4318/v1/traces`.
    pub url: String,
    /// Whether a trace that a client began goes on.
    pub clients: bool,
    /// Of traces that begin here, of 100.
    pub sample_percent: u8,
    /// Whether spans tell what was said.
    pub content: bool,
    /// Which of many this process is.
    pub instance: String,
}

/// Sends bytes to an address with these headers: a status, or a word of why there is none.
pub type Post = Arc<dyn Fn(String, Vec<(String, String)>, Bytes) -> Posting + Send + Sync>;
type Posting = Pin<Box<dyn Future<Output = Result<u16, String>> + Send>>;

/// Spans are being gathered.
#[derive(Debug, Clone)]
pub struct Exporting {
    provider: SdkTracerProvider,
    door: Door,
}

impl Exporting {
    /// Begins. Nothing leaves before there is a [`Post`].
    ///
    /// # Errors
    /// The address cannot be used.
    pub fn start(to: &Collector) -> Result<Self, String> {
        let door = Door::default();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(door.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&to.url)
            .with_timeout(SENDING)
            .build()
            .map_err(|error| error.to_string())?;
        let about = [
            KeyValue::new("service.name", env!("CARGO_PKG_NAME")),
            KeyValue::new("service.version", release::VERSION),
            KeyValue::new("service.instance.id", to.instance.clone()),
        ];
        let ratio = f64::from(to.sample_percent) / 100.0;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
            .with_resource(Resource::builder_empty().with_schema_url(about, CONVENTIONS).build())
            .build();
        super::turn_on(to.content, to.clients);
        Ok(Self { provider, door })
    }

    /// What takes spans, and nothing but spans, beside a log.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let tracer = self.provider.tracer(env!("CARGO_PKG_NAME"));
        let only = Targets::new().with_target(TARGET, LevelFilter::INFO);
        // Which line of a source and which thread made a span says nothing to whoever runs the service.
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(only)
    }

    /// From now on spans leave by this door.
    pub fn through(&self, post: Post) {
        let _ = self.door.0.post.set(post);
    }

    /// Sends what is left. Waits for it, so not for a thread that others wait for.
    pub fn finish(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST) {
            warn!(%error, "the last spans did not reach the collector: {error}");
        }
    }
}

/// The client, once it is there.
#[derive(Clone, Default)]
struct Door(Arc<Behind>);

#[derive(Default)]
struct Behind {
    post: OnceLock<Post>,
    /// Whether the collector did not take the last batch: said once, not for each.
    failing: AtomicBool,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door")
    }
}

impl Door {
    async fn take(&self, request: Request<Bytes>) -> Result<u16, String> {
        let Some(post) = self.0.post.get() else { return Err("nothing can be sent yet".to_owned()) };
        let (head, body) = request.into_parts();
        let said = head.headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        post(head.uri.to_string(), said.collect(), body).await
    }
}

impl HttpClient for Door {
    // As the attribute macro of the trait would write it.
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let taken = self.take(request).await;
            let problem = match &taken {
                Ok(status) if (200..300).contains(status) => None,
                Ok(status) => Some(format!("it answered {status}")),
                Err(why) => Some(why.clone()),
            };
            let failed_before = self.0.failing.swap(problem.is_some(), Ordering::Relaxed);
            if let Some(why) = problem.filter(|_| !failed_before) {
                warn!("spans do not reach the collector of trace.url: {why}; they are dropped until they do");
            }
            Response::builder().status(taken?).body(Bytes::new()).map_err(Into::into)
        })
    }
}
