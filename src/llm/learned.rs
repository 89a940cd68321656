//! What a server turned out not to do, remembered for as long as the process lives: it is not asked for it again.

use std::sync::atomic::{AtomicBool, Ordering};

use super::wire::{ask::Way, problem::Part};

/// What is known of one model behind one endpoint. Each fact is on its own, so their order among each other does not count.
#[derive(Debug, Default)]
pub(super) struct Learned {
    no_tools: AtomicBool,
    no_schema: AtomicBool,
    no_stream: AtomicBool,
    /// Whether it has ever made a call in the way it should: then text that looks like one is an exception.
    calls: AtomicBool,
}

impl Learned {
    /// How it is asked for calls.
    pub(super) fn way(&self) -> Way {
        match (self.no_tools.load(Ordering::Relaxed), self.no_schema.load(Ordering::Relaxed)) {
            (false, _) => Way::Tools,
            (true, false) => Way::Schema,
            (true, true) => Way::Prose,
        }
    }

    /// Whether it can answer in pieces.
    pub(super) fn streams(&self) -> bool {
        !self.no_stream.load(Ordering::Relaxed)
    }

    /// It does not take this part of a request.
    pub(super) fn without(&self, part: Part) {
        let fact = match part {
            Part::Tools => &self.no_tools,
            Part::Schema => &self.no_schema,
            Part::Stream => &self.no_stream,
        };
        fact.store(true, Ordering::Relaxed);
    }

    /// It made a call as it should.
    pub(super) fn calls(&self) {
        self.calls.store(true, Ordering::Relaxed);
    }

    /// It wrote a call as text. Whether it is therefore asked to from now on.
    pub(super) fn ignores_tools(&self) -> bool {
        let never_called = !self.calls.load(Ordering::Relaxed);
        if never_called {
            self.without(Part::Tools);
        }
        never_called
    }
}
