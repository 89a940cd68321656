//! How far something is that takes its time: one line that changes on a terminal, lines of their own anywhere else.

use std::io::{IsTerminal, Write, stderr};

/// On standard error, so that standard output is what was asked for and nothing else.
pub struct Progress {
    what: &'static str,
    of: usize,
    terminal: bool,
    told: bool,
}

impl Progress {
    /// `what` is counted, as `turns read`; there are so many.
    pub fn of(what: &'static str, of: usize) -> Self {
        Self { what, of, terminal: stderr().is_terminal(), told: false }
    }

    /// So many are done.
    pub fn at(&mut self, done: usize) {
        // The line is written over; whoever reads a file sees each.
        let (begin, end) = if self.terminal { ("\r", "") } else { ("", "\n") };
        let _closed_early = write!(stderr(), "{begin}{done} of {} {}{end}", self.of, self.what).and_then(|()| stderr().flush());
        self.told = true;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal && self.told {
            let _closed_early = writeln!(stderr());
        }
    }
}
