//! The nodes of a Cluster, and which of them has a slot now.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::{ErrorKind, RedisError, Value};
use tokio::time::{Instant, timeout};
use tracing::{debug, info};

use super::{
    dial::Dial,
    fault::Failure,
    node::{Asking, Node, Over, What},
    slots::{self, SlotMap},
};
use crate::settings::Place;

/// Many who met a changed Cluster at once ask once.
const ASKED_AT_MOST_EVERY: Duration = Duration::from_millis(50);
/// A node that takes longer is not waited for.
const ANSWERS_WITHIN: Duration = Duration::from_millis(300);
/// Once one node has answered, the others get so long: one of them may have heard of something newer.
const OTHERS_WITHIN: Duration = Duration::from_millis(50);

/// The nodes that are known, and who has which slot.
pub struct Cluster {
    seeds: Vec<Place>,
    dial: Dial,
    deadline: Duration,
    map: ArcSwap<SlotMap>,
    nodes: Mutex<HashMap<Place, Arc<Node>>>,
    asked: tokio::sync::Mutex<Option<Instant>>,
}

impl Cluster {
    /// Nothing is sent yet.
    pub fn new(seeds: Vec<Place>, dial: Dial, deadline: Duration) -> Self {
        Self { seeds, dial, deadline, map: ArcSwap::default(), nodes: Mutex::default(), asked: tokio::sync::Mutex::default() }
    }

    /// The node that has a slot; where there is no slot, any primary.
    pub async fn node(&self, slot: Option<u16>) -> Result<Arc<Node>, Failure> {
        if let Some(node) = self.known(slot) {
            return Ok(node);
        }
        self.refresh().await;
        self.known(slot).ok_or_else(|| RedisError::from((ErrorKind::Io, "no node of the cluster has this slot")).into())
    }

    fn known(&self, slot: Option<u16>) -> Option<Arc<Node>> {
        let map = self.map.load();
        match slot {
            Some(slot) => map.primary(slot).cloned(),
            None => map.primaries().into_iter().next(),
        }
    }

    /// Every primary once.
    pub fn primaries(&self) -> Vec<Arc<Node>> {
        self.map.load().primaries()
    }

    /// The node that a redirection names, as `asked` told it.
    pub fn named(&self, to: &str, asked: &Node) -> Result<Arc<Node>, Failure> {
        let host = slots::place(&asked.place, "").map(|(host, _)| host).unwrap_or_default();
        let place = slots::place(to, &host).ok_or_else(|| RedisError::from((ErrorKind::Client, "a redirection to nowhere")))?;
        Ok(self.at(&place)?)
    }

    /// A node said that this slot is another's now.
    pub fn moved(&self, slot: u16, to: &Arc<Node>) {
        self.map.rcu(|map| map.with_moved(slot, to.clone()));
    }

    /// The connections of this node lead nowhere.
    pub fn renew(&self, node: &Arc<Node>) {
        self.nodes().retain(|_, known| !Arc::ptr_eq(known, node));
    }

    fn at(&self, place: &Place) -> Result<Arc<Node>, RedisError> {
        let mut nodes = self.nodes();
        if let Some(node) = nodes.get(place) {
            return Ok(node.clone());
        }
        let node = Arc::new(Node::new(self.dial.client(place)?, self.deadline)?);
        nodes.insert(place.clone(), node.clone());
        Ok(node)
    }

    fn nodes(&self) -> std::sync::MutexGuard<'_, HashMap<Place, Arc<Node>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks all nodes which has what, and believes the one that has heard of the newest change.
    pub async fn refresh(&self) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < ASKED_AT_MOST_EVERY) {
            return;
        }
        let mut places: Vec<Place> = self.nodes().keys().cloned().collect();
        places.extend(self.seeds.iter().filter(|seed| !places.contains(seed)).cloned().collect::<Vec<_>>());
        let nodes = places.iter().filter_map(|place| Some((place.0.clone(), self.at(place).ok()?)));
        let mut asking: FuturesUnordered<_> = nodes.map(|(host, node)| async move { said_by(&node, &host).await }).collect();
        let mut newest: Option<View> = None;
        let mut until = Instant::now() + ANSWERS_WITHIN;
        while let Ok(Some(view)) = tokio::time::timeout_at(until, asking.next()).await {
            let Some(view) = view else { continue };
            until = until.min(Instant::now() + OTHERS_WITHIN);
            if newest.as_ref().is_none_or(|newest| view.epoch > newest.epoch) {
                newest = Some(view);
            }
        }
        if let Some(view) = newest {
            self.believe(view);
        }
        *asked = Some(Instant::now());
    }

    fn believe(&self, view: View) {
        let ranges = view.ranges.into_iter().filter_map(|(first, last, place)| Some((first, last, self.at(&place).ok()?)));
        let map = SlotMap::of(ranges.collect());
        let primaries = map.primaries();
        // Nodes that left are not asked any more.
        self.nodes().retain(|place, node| self.seeds.contains(place) || primaries.iter().any(|primary| Arc::ptr_eq(primary, node)));
        let known = self.primaries();
        if known.len() != primaries.len() || !known.iter().all(|node| primaries.iter().any(|other| Arc::ptr_eq(node, other))) {
            let places: Vec<&str> = primaries.iter().map(|node| node.place.as_str()).collect();
            info!(epoch = view.epoch, "the primaries of the cluster are {}", places.join(", "));
        }
        self.map.store(Arc::new(map));
    }
}

/// What a node says of the Cluster.
struct View {
    epoch: u64,
    ranges: Vec<(u16, u16, Place)>,
}

async fn said_by(node: &Node, host: &str) -> Option<View> {
    let mut pipe = redis::pipe();
    pipe.cmd("CLUSTER").arg("INFO");
    pipe.cmd("CLUSTER").arg("SLOTS");
    let asking = Asking { what: What::Several(&pipe), script: None, over: Over::Shared };
    let answer = match timeout(ANSWERS_WITHIN, node.send(&asking, false)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            debug!(%error, "the node at {} says nothing of the cluster: {error}", node.place);
            return None;
        }
        Err(_) => return None,
    };
    let Value::Array(answers) = answer else { return None };
    let [info, ranges] = answers.as_slice() else { return None };
    let info: String = redis::from_redis_value_ref(info).ok()?;
    let epoch = info.lines().find_map(|line| line.strip_prefix("cluster_current_epoch:"))?.trim().parse().ok()?;
    let ranges = slots::read(ranges, host)?;
    (!ranges.is_empty()).then_some(View { epoch, ranges })
}
