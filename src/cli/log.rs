//! Where the log goes and how it looks.

mod gathered;
mod hiding;

use std::io::{IsTerminal, stderr};

use secrecy::ExposeSecret;
use swagger_api_agent::{
    app::SetLogLevel,
    redact::Redactor,
    secrets::random,
    settings::{LogFormat, Settings, Trace},
    spans::{Collector, Exporting, TARGET},
};
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    fmt::writer::BoxMakeWriter,
    layer::SubscriberExt,
    registry::{LookupSpan, Registry},
    reload::{self, Handle},
    util::SubscriberInitExt,
};

use self::{gathered::Gathered, hiding::Hiding};

/// Keeps the last lines from being lost: they are written when it goes.
#[must_use]
pub struct Logging {
    lines: Option<Gathered>,
    set_level: Option<SetLogLevel>,
    spans: Option<Exporting>,
}

impl Logging {
    /// What changes the level from now on, if this process writes the log. It is there once.
    pub fn set_level(&mut self) -> Option<SetLogLevel> {
        self.set_level.take()
    }

    /// The spans that are gathered beside the log, if a collector is named.
    pub fn spans(&self) -> Option<Exporting> {
        self.spans.clone()
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        if let Some(lines) = &self.lines {
            lines.finish();
        }
    }
}

/// Starts logging to standard error: JSON for machines, a readable form for a terminal. Standard output is for what was asked.
/// The operator's secrets are taken out of every line.
pub fn start(settings: &Settings) -> Logging {
    let (secrets, spans, settings) = (settings.secrets(), exporting(&settings.trace), &settings.log);
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let json = match settings.format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !stderr().is_terminal(),
    };
    let lines = Gathered::start().ok();
    // Without a thread to spare, every line is written by whoever logs it.
    let writer = lines.clone().map_or_else(|| BoxMakeWriter::new(stderr), BoxMakeWriter::new);
    let writer = Hiding { to: writer, hidden: Redactor::of(secrets.iter().map(ExposeSecret::expose_secret)) };
    // A second start, in a test that runs two commands in one process, keeps the first.
    let set_level = match &spans {
        // A filter of the whole costs less than one of a layer, and almost everybody has no spans.
        None => {
            let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
            if json {
                let log = log.json().flatten_event(true).with_current_span(false).with_span_list(false).with_filter_reloading();
                let set = setter(log.reload_handle());
                log.try_init().map(|()| set)
            } else {
                let log = log.with_ansi(stderr().is_terminal()).with_filter_reloading();
                let set = setter(log.reload_handle());
                log.try_init().map(|()| set)
            }
        }
        Some(spans) => {
            let (filter, handle) = reload::Layer::<EnvFilter, Registry>::new(filter);
            // Spans for the collector are no context of a line.
            let lines_only = filter.and(filter_fn(|about| about.target() != TARGET));
            let log = layer(json, writer).with_filter(lines_only);
            let set = setter(handle);
            tracing_subscriber::registry().with(log).with(spans.layer()).try_init().map(|()| set).map_err(Into::into)
        }
    };
    Logging { lines, set_level: set_level.ok(), spans }
}

/// The log as one of several layers.
fn layer<S>(json: bool, writer: Hiding<BoxMakeWriter>) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let log = tracing_subscriber::fmt::layer().with_writer(writer);
    if json {
        log.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    } else {
        log.with_ansi(stderr().is_terminal()).boxed()
    }
}

/// Begins to gather spans, if they are asked for. The settings have checked the address.
fn exporting(trace: &Trace) -> Option<Exporting> {
    let Trace { url, headers: _, clients, sample_percent, content } = trace;
    let collector =
        Collector { url: url.clone()?, clients: *clients, sample_percent: *sample_percent, content: *content, instance: random::hex_of(8) };
    Exporting::start(&collector).map_err(|error| super::complain(&format!("trace.url: no spans are sent: {error}"))).ok()
}

fn setter<S: 'static>(handle: Handle<EnvFilter, S>) -> SetLogLevel {
    Box::new(move |level| {
        let filter = EnvFilter::try_new(level).map_err(|error| error.to_string())?;
        handle.reload(filter).map_err(|error| error.to_string())
    })
}
