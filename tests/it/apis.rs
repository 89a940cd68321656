//! Several APIs at once, and other documents while the service runs.

mod drift;
mod reload;
mod report;
mod several;
