//! Connections that one turn has for itself for a while: for `WAIT`, which blocks its connection and counts only what was written on it.
//! `deadpool_redis` would send `PING` whenever one is taken, which is a round trip on every step of a turn; what is long or rare goes over
//! its pool (`node`).

use std::sync::{Mutex, PoisonError};

use redis::{AsyncConnectionConfig, Client, RedisError, aio::MultiplexedConnection};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A few connections to one server, opened when they are needed. No connection is asked how it is before it is used: that would cost a
/// round trip each time, and who finds one lost asks again.
pub struct OwnConnections {
    client: Client,
    config: AsyncConnectionConfig,
    room: Semaphore,
    idle: Mutex<Vec<MultiplexedConnection>>,
}

/// A connection of one's own. Dropped without being given back it is closed: nobody may meet the answer to somebody else's question.
pub struct Own<'a> {
    pub connection: MultiplexedConnection,
    home: &'a OwnConnections,
    _room: SemaphorePermit<'a>,
}

impl OwnConnections {
    pub fn new(client: Client, config: AsyncConnectionConfig, most: usize) -> Self {
        Self { client, config, room: Semaphore::new(most), idle: Mutex::default() }
    }

    /// Waits until there is room.
    pub async fn take(&self) -> Result<Own<'_>, RedisError> {
        let closed = || RedisError::from(std::io::Error::from(std::io::ErrorKind::NotConnected));
        let room = self.room.acquire().await.map_err(|_| closed())?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.client.get_multiplexed_async_connection_with_config(&self.config).await?,
        };
        Ok(Own { connection, home: self, _room: room })
    }

    /// One of them was lost: the others that lie idle are as old, and hardly better.
    pub fn forget_idle(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<MultiplexedConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Own<'_> {
    /// All answers came, so the next may have it.
    pub fn give_back(self) {
        let Self { connection, home, _room } = self;
        home.idle().push(connection);
    }
}
