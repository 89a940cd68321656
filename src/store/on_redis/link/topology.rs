//! Where the primary is: one server, the one that Sentinels name, or the node of a Cluster that has the slot.

use std::sync::Arc;

use super::{
    cluster::Cluster,
    fault::Failure,
    node::{Asking, Node, What},
    sentinel::Sentinel,
    slots,
    standalone::Standalone,
};

/// How servers are found.
pub enum Topology {
    Standalone(Standalone),
    Sentinel(Arc<Sentinel>),
    Cluster(Cluster),
}

impl Topology {
    /// The slot that it belongs to, where there are slots.
    pub fn slot_of(&self, asking: &Asking<'_>) -> Option<u16> {
        match (self, asking.what) {
            (Self::Cluster(_), What::One(command)) => slots::of(command),
            (Self::Cluster(_), What::Together(pipe) | What::Several(pipe)) => pipe.cmd_iter().find_map(slots::of),
            (Self::Standalone(_) | Self::Sentinel(_), _) => None,
        }
    }

    /// The primary that a call goes to.
    pub async fn node(&self, slot: Option<u16>) -> Result<Arc<Node>, Failure> {
        match self {
            Self::Standalone(standalone) => Ok(standalone.node()),
            Self::Sentinel(sentinel) => sentinel.node().await,
            Self::Cluster(cluster) => cluster.node(slot).await,
        }
    }

    /// Every primary once, as far as they are known.
    pub async fn primaries(&self) -> Vec<Arc<Node>> {
        match self {
            Self::Cluster(cluster) => cluster.primaries(),
            one => one.node(None).await.into_iter().collect(),
        }
    }

    /// This node may be no primary any more.
    pub async fn doubt(&self, node: &Arc<Node>) {
        match self {
            Self::Standalone(standalone) => standalone.renew(node),
            Self::Sentinel(sentinel) => sentinel.doubt(node).await,
            Self::Cluster(cluster) => cluster.refresh().await,
        }
    }

    /// The connection to this node went away; whether it comes back or another takes its place is not known yet.
    pub async fn lost(&self, node: &Arc<Node>) {
        match self {
            // The shared connection comes back by itself.
            Self::Standalone(_) => {}
            Self::Sentinel(sentinel) => sentinel.doubt(node).await,
            Self::Cluster(cluster) => cluster.refresh().await,
        }
    }

    /// The connections to this node lead nowhere, though nobody closed them.
    pub async fn renew(&self, node: &Arc<Node>) {
        match self {
            Self::Standalone(standalone) => standalone.renew(node),
            Self::Sentinel(sentinel) => {
                sentinel.renew(node);
                sentinel.doubt(node).await;
            }
            Self::Cluster(cluster) => {
                cluster.renew(node);
                cluster.refresh().await;
            }
        }
    }
}
