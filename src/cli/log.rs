//! Where the log goes and how it looks.

mod gathered;
mod hiding;

use std::io::{IsTerminal, stderr};

use secrecy::ExposeSecret;
use swagger_api_agent::{
    redact::Redactor,
    settings::{LogFormat, Settings},
};
use tracing_subscriber::{EnvFilter, fmt::writer::BoxMakeWriter};

use self::{gathered::Gathered, hiding::Hiding};

/// Keeps the last lines from being lost: they are written when it goes.
#[must_use]
pub struct Logging(Option<Gathered>);

impl Drop for Logging {
    fn drop(&mut self) {
        if let Some(lines) = &self.0 {
            lines.finish();
        }
    }
}

/// Starts logging to standard error: JSON for machines, a readable form for a terminal. Standard output is for what was asked.
/// The operator's secrets are taken out of every line.
pub fn start(settings: &Settings) -> Logging {
    let (secrets, settings) = (settings.secrets(), &settings.log);
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
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    // A second start, in a test that runs two commands in one process, keeps the first.
    let _ = if json {
        log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    } else {
        log.with_ansi(stderr().is_terminal()).try_init()
    };
    Logging(lines)
}
