//! A place where a stub stops and waits until the test lets it go on.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::COMES_WITHIN;

/// Closed until it is opened. Cheap to clone; all clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub fn closed() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }

    /// Arrives, and goes on when the gate is open.
    pub async fn pass(&self) {
        self.arrived.add_permits(1);
        // A closed semaphore is an open gate.
        let _ = self.open.acquire().await;
    }

    /// Waits until `count` more have arrived; if the gate is still closed, all of them stand before it.
    pub async fn reached_by(&self, count: u32) {
        let arrived = tokio::time::timeout(COMES_WITHIN, self.arrived.acquire_many(count)).await;
        arrived.unwrap_or_else(|_| panic!("{count} were expected at the gate; not all came")).unwrap().forget();
    }

    pub async fn reached(&self) {
        self.reached_by(1).await;
    }

    /// Lets everybody through from now on.
    pub fn open(&self) {
        self.open.close();
    }
}
