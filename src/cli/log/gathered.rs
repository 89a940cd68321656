//! Log lines are gathered for a moment and written together: a line of its own would cost every request a system call.
//!
//! Warnings and errors are written at once, with everything before them. A process that is killed loses at most
//! [`GATHERED_FOR`] of lines below that level.

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

/// Standard error for many lines. Cloning is cheap; all clones are the same.
#[derive(Clone)]
pub(super) struct Gathered(Arc<Shared>);

struct Shared {
    waiting: Mutex<Vec<u8>>,
    /// Some lines wait now.
    some: Condvar,
}

impl Gathered {
    /// Starts the thread that writes; it ends with the process.
    pub fn start() -> Self {
        let gathered = Self(Arc::new(Shared { waiting: Mutex::default(), some: Condvar::new() }));
        let own = gathered.clone();
        let writing = thread::Builder::new().name("log".to_owned()).spawn(move || {
            loop {
                let waiting = own.0.some.wait_while(own.waiting(), |waiting| waiting.is_empty()).unwrap_or_else(PoisonError::into_inner);
                let gathering = own.0.some.wait_timeout_while(waiting, GATHERED_FOR, |waiting| !waiting.is_empty());
                write(&mut gathering.unwrap_or_else(PoisonError::into_inner).0);
            }
        });
        // Without the thread, lines are written when enough of them wait, at a warning, and at the end.
        drop(writing);
        gathered
    }

    /// Writes what waits. Whoever reads standard error may have gone: that ends nothing.
    pub fn flush(&self) {
        let mut waiting = self.waiting();
        write(&mut waiting);
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Written while the lock is held, so that lines keep their order.
fn write(waiting: &mut Vec<u8>) {
    let lines = mem::take(waiting);
    let _reader_gone = stderr().write_all(&lines);
}

impl<'a> MakeWriter<'a> for Gathered {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { shared: &self.0, urgent: true }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line<'a> {
        Line { shared: &self.0, urgent: *about.level() <= Level::WARN }
    }
}

/// One line.
pub(super) struct Line<'a> {
    shared: &'a Shared,
    urgent: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let first = waiting.is_empty();
        waiting.extend_from_slice(line);
        if self.urgent || waiting.len() >= GATHERED_BYTES_MAX {
            write(&mut waiting);
        } else if first {
            self.shared.some.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
