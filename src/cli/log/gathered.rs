//! Log lines are gathered for a moment and written together: a line of its own would cost every request a system call.
//!
//! A thread of its own writes them, so that nobody else ever waits for whoever reads standard error. Warnings and errors are written at
//! once, with everything before them. A process that is killed loses at most [`GATHERED_FOR`] of lines below that level. When the reader
//! does not keep up, lines beyond [`WAITING_BYTES_MAX`] are dropped, and how many they were is told.

use std::{
    io::{self, Write, stderr},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line may wait.
const GATHERED_FOR: Duration = Duration::from_millis(20);
/// Lines that are gathered before they are written in any case, in bytes.
const GATHERED_BYTES_MAX: usize = 64 * 1024;
/// Lines that may wait for a reader who does not keep up, in bytes.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long the end of the process waits for the last lines to be read.
const LAST_LINES_WAIT: Duration = Duration::from_secs(1);

/// Standard error for many lines. Cloning is cheap; all clones are the same.
#[derive(Clone)]
pub(super) struct Gathered(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Something is to be written, or it is urgent now.
    some: Condvar,
    /// Everything was written.
    written: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    dropped: u64,
    urgent: bool,
    writing: bool,
}

impl Waiting {
    fn is_done(&self) -> bool {
        self.lines.is_empty() && !self.writing
    }
}

impl Gathered {
    /// Starts the thread that writes; it ends with the process.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start() -> io::Result<Self> {
        let gathered = Self(Arc::default());
        let own = gathered.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || own.write_on())?;
        Ok(gathered)
    }

    fn write_on(&self) {
        let Shared { some, written, .. } = &*self.0;
        loop {
            let idle = some.wait_while(self.waiting(), |waiting| waiting.lines.is_empty()).unwrap_or_else(PoisonError::into_inner);
            let gathers = |waiting: &mut Waiting| !waiting.urgent && waiting.lines.len() < GATHERED_BYTES_MAX;
            let gathered = some.wait_timeout_while(idle, GATHERED_FOR, gathers);
            let mut waiting = gathered.unwrap_or_else(PoisonError::into_inner).0;
            let (lines, dropped) = (mem::take(&mut waiting.lines), mem::take(&mut waiting.dropped));
            (waiting.urgent, waiting.writing) = (false, true);
            drop(waiting);
            // Whoever reads standard error may have gone: that ends nothing.
            let _reader_gone = stderr().write_all(&lines);
            if dropped > 0 {
                tracing::warn!(dropped, "{dropped} log lines were dropped: nobody read them in time");
            }
            self.waiting().writing = false;
            written.notify_all();
        }
    }

    /// Waits until what waits is written, or until nobody seems to read it.
    pub fn finish(&self) {
        let mut waiting = self.waiting();
        waiting.urgent = true;
        self.0.some.notify_one();
        let finished = self.0.written.wait_timeout_while(waiting, LAST_LINES_WAIT, |waiting| !waiting.is_done());
        drop(finished);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> MakeWriter<'a> for Gathered {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { to: self, urgent: true }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line<'a> {
        Line { to: self, urgent: *about.level() <= Level::WARN }
    }
}

/// One line.
pub(super) struct Line<'a> {
    to: &'a Gathered,
    urgent: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.to.waiting();
        if waiting.lines.len() + line.len() > WAITING_BYTES_MAX {
            waiting.dropped += 1;
            return Ok(line.len());
        }
        let first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        waiting.urgent |= self.urgent;
        if first || waiting.urgent || waiting.lines.len() >= GATHERED_BYTES_MAX {
            self.to.0.some.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
