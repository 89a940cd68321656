//! F: what was done, and when.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
};

use crate::{
    journal::{Journal, now_us},
    records::Fault,
};

/// Writes faults down, and knows them all.
#[derive(Clone)]
pub struct FaultLog {
    journal: Journal,
    all: Arc<Mutex<Vec<Fault>>>,
}

impl FaultLog {
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { journal: Journal::open(path)?, all: Arc::default() })
    }

    /// Something that happens in a moment; known before it happens.
    pub async fn point(&self, kind: &str, on: &str) {
        let now = now_us();
        self.span(kind, on, now, now).await;
    }

    pub async fn span(&self, kind: &str, on: &str, from_us: u64, until_us: u64) {
        let fault = Fault { from_us, until_us, kind: kind.to_owned(), on: on.to_owned() };
        self.all.lock().expect("nobody panics with it").push(fault.clone());
        self.journal.write(&fault).await;
    }

    pub fn all(&self) -> Vec<Fault> {
        self.all.lock().expect("nobody panics with it").clone()
    }
}
