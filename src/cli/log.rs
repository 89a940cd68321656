//! Where the log goes and how it looks.

mod gathered;
mod hiding;

use std::io::{IsTerminal, stderr};

use secrecy::ExposeSecret;
use swagger_api_agent::{
    app::SetLogLevel,
    redact::Redactor,
    settings::{LogFormat, Settings},
};
use tracing_subscriber::{EnvFilter, fmt::writer::BoxMakeWriter, reload::Handle};

use self::{gathered::Gathered, hiding::Hiding};

/// Keeps the last lines from being lost: they are written when it goes.
#[must_use]
pub struct Logging {
    lines: Option<Gathered>,
    set_level: Option<SetLogLevel>,
}

impl Logging {
    /// What changes the level from now on, if this process writes the log. It is there once.
    pub fn set_level(&mut self) -> Option<SetLogLevel> {
        self.set_level.take()
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
    let set_level = if json {
        let log = log.json().flatten_event(true).with_current_span(false).with_span_list(false).with_filter_reloading();
        let set = setter(log.reload_handle());
        log.try_init().map(|()| set)
    } else {
        let log = log.with_ansi(stderr().is_terminal()).with_filter_reloading();
        let set = setter(log.reload_handle());
        log.try_init().map(|()| set)
    };
    Logging { lines, set_level: set_level.ok() }
}

fn setter<S: 'static>(handle: Handle<EnvFilter, S>) -> SetLogLevel {
    Box::new(move |level| {
        let filter = EnvFilter::try_new(level).map_err(|error| error.to_string())?;
        handle.reload(filter).map_err(|error| error.to_string())
    })
}
