//! One server under one name. Behind the name there may be another one later: a balancer, a name that is resolved anew.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use redis::{Client, RedisError};
use tracing::warn;

use super::node::Node;

/// A connection that is younger than this is not given up: who is told `READONLY` by a server that stays one must not reconnect for
/// every request.
const RENEWED_EVERY: Duration = Duration::from_millis(250);

/// One server under one name.
pub struct Standalone {
    client: Client,
    deadline: Duration,
    current: ArcSwap<Node>,
}

impl Standalone {
    pub fn new(client: Client, deadline: Duration) -> Result<Self, RedisError> {
        let current = ArcSwap::from_pointee(Node::new(client.clone(), deadline)?);
        Ok(Self { client, deadline, current })
    }

    pub fn node(&self) -> Arc<Node> {
        self.current.load_full()
    }

    /// What this node is connected to is not what is needed: whoever is behind the name now is.
    pub fn renew(&self, node: &Arc<Node>) {
        if node.age() < RENEWED_EVERY {
            return;
        }
        let Ok(fresh) = Node::new(self.client.clone(), self.deadline) else { return };
        let before = self.current.compare_and_swap(node, Arc::new(fresh));
        if Arc::ptr_eq(&before, node) {
            warn!(place = node.place, "connecting to redis at {} anew", node.place);
        }
    }
}
