//! Log lines without secrets.

use std::io::{self, Write};

use swagger_api_agent::redact::Redactor;
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// Writes to another, and takes secrets out on the way.
pub(super) struct Hiding<M> {
    pub to: M,
    pub hidden: Redactor,
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Hiding<M> {
    type Writer = Line<'a, M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { to: self.to.make_writer(), hidden: &self.hidden }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Self::Writer {
        Line { to: self.to.make_writer_for(about), hidden: &self.hidden }
    }
}

/// One line, which comes whole.
pub(super) struct Line<'a, W> {
    to: W,
    hidden: &'a Redactor,
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.hidden.bytes(line) {
            Some(left) => self.to.write_all(&left)?,
            None => self.to.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A log that is kept.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(line)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_written_without_secrets() {
        let kept = Kept::default();
        let lines = kept.clone();
        let writer = Hiding { to: move || lines.clone(), hidden: Redactor::of(["canary \"1\""]) };
        let log = tracing_subscriber::fmt().json().flatten_event(true).with_writer(writer).finish();
        tracing::subscriber::with_default(log, || {
            tracing::info!(path = "/a?key=canary%20%221%22&b=1", "went to canary \"1\" and back");
        });
        let told = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let told: serde_json::Value = serde_json::from_str(&told).expect("a line of JSON");
        assert_eq!((told["path"].as_str(), told["message"].as_str()), (Some("/a?key=[redacted]&b=1"), Some("went to [redacted] and back")));
    }
}
