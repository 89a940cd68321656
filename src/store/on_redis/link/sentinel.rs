//! The primary that Sentinels name, and what is done when they name another.
//!
//! A server that was demoted goes on answering, and for a while even goes on taking writes that will be lost. So the Sentinels are
//! listened to (`+switch-master`), asked once a second, and asked at once when the server says `READONLY` or is lost.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use futures_util::{StreamExt, future::join_all};
use redis::{Client, ErrorKind, RedisError};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};
use tracing::{debug, info, warn};

use super::{
    dial::Dial,
    fault::Failure,
    node::{Asking, Node, Over, What},
};
use crate::settings::Place;

const ASKED_EVERY: Duration = Duration::from_secs(1);
/// Many who lost the primary at once ask once.
const ASKED_AT_MOST_EVERY: Duration = Duration::from_millis(50);
/// A Sentinel that takes longer is not waited for.
const ANSWERS_WITHIN: Duration = Duration::from_millis(300);
const LISTENED_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Sentinels, and the primary that they name now.
pub struct Sentinel {
    sentinels: Vec<(Client, Node)>,
    name: String,
    dial: Dial,
    deadline: Duration,
    current: ArcSwapOption<Primary>,
    asked: Mutex<Option<Instant>>,
}

struct Primary {
    place: Place,
    /// Grows with every failover.
    epoch: u64,
    node: Arc<Node>,
}

impl Sentinel {
    /// Prepares connections, and begins to look after them for as long as this value lives.
    pub fn start(sentinels: Vec<Client>, name: String, dial: Dial, deadline: Duration) -> Result<Arc<Self>, RedisError> {
        let nodes = sentinels.into_iter().map(|client| Node::new(client.clone(), ANSWERS_WITHIN).map(|node| (client, node)));
        let sentinels = nodes.collect::<Result<Vec<_>, _>>()?;
        let this = Arc::new(Self { sentinels, name, dial, deadline, current: ArcSwapOption::empty(), asked: Mutex::default() });
        tokio::spawn(ask_now_and_then(Arc::downgrade(&this)));
        for (client, _) in &this.sentinels {
            tokio::spawn(listen(Arc::downgrade(&this), client.clone()));
        }
        Ok(this)
    }

    /// The primary; the Sentinels are asked only where none is known.
    pub async fn node(&self) -> Result<Arc<Node>, Failure> {
        if let Some(primary) = &*self.current.load() {
            return Ok(primary.node.clone());
        }
        self.ask().await;
        match &*self.current.load() {
            Some(primary) => Ok(primary.node.clone()),
            None => Err(RedisError::from((ErrorKind::Io, "no sentinel names a primary that is one")).into()),
        }
    }

    /// This node may be no primary any more: the Sentinels are asked, unless they named another since.
    pub async fn doubt(&self, node: &Arc<Node>) {
        let current = self.current.load().as_ref().map(|primary| primary.node.clone());
        if current.is_none_or(|current| Arc::ptr_eq(&current, node)) {
            self.ask().await;
        }
    }

    /// The connections of this node lead nowhere.
    pub fn renew(&self, node: &Arc<Node>) {
        let current = self.current.load();
        if let Some(primary) = &*current
            && Arc::ptr_eq(&primary.node, node)
            && let Ok(fresh) = self.connect(&primary.place)
        {
            let renewed = Primary { place: primary.place.clone(), epoch: primary.epoch, node: fresh };
            self.current.compare_and_swap(&current, Some(Arc::new(renewed)));
        }
    }

    fn connect(&self, place: &Place) -> Result<Arc<Node>, RedisError> {
        Ok(Arc::new(Node::new(self.dial.client(place)?, self.deadline)?))
    }

    async fn ask(&self) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < ASKED_AT_MOST_EVERY) {
            return;
        }
        self.find().await;
        *asked = Some(Instant::now());
    }

    async fn find(&self) {
        let said: Vec<(Place, u64)> =
            join_all(self.sentinels.iter().map(|(_, sentinel)| self.said_by(sentinel))).await.into_iter().flatten().collect();
        let Some((place, epoch)) = said.iter().max_by_key(|(_, epoch)| *epoch).cloned() else { return };
        let known = self.current.load_full();
        if let Some(known) = &known {
            if known.place == place {
                return;
            }
            // Sentinels that are cut off name yesterday's primary. Where most go back to an older number, somebody has set them up anew.
            let agreeing = said.iter().filter(|(other, _)| *other == place).count();
            if epoch < known.epoch && agreeing * 2 <= self.sentinels.len() {
                return;
            }
        }
        let Ok(node) = self.connect(&place) else { return };
        // A Sentinel may name a server before it is promoted, or after it came back as a replica.
        if !is_primary(&node).await {
            return;
        }
        let from = known.as_ref().map_or_else(|| "nowhere".to_owned(), |known| known.node.place.clone());
        info!(from, to = node.place, "the primary of redis is at {} now", node.place);
        self.current.store(Some(Arc::new(Primary { place, epoch, node })));
    }

    /// `SENTINEL MASTER name`: names and values in turn.
    async fn said_by(&self, sentinel: &Node) -> Option<(Place, u64)> {
        let mut command = redis::cmd("SENTINEL");
        command.arg("MASTER").arg(&self.name);
        let asking = Asking { what: What::One(&command), script: None, over: Over::Shared };
        let answer = match timeout(ANSWERS_WITHIN, sentinel.send(&asking, false)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                debug!(%error, "the sentinel at {} says nothing: {error}", sentinel.place);
                return None;
            }
            Err(_) => return None,
        };
        let fields: std::collections::HashMap<String, String> = redis::from_redis_value(answer).ok()?;
        let place = (fields.get("ip")?.clone(), fields.get("port")?.parse().ok()?);
        Some((place, fields.get("config-epoch")?.parse().ok()?))
    }
}

/// Whether it says so. One that may not be asked is believed to be one.
async fn is_primary(node: &Node) -> bool {
    let role = redis::cmd("ROLE");
    let asking = Asking { what: What::One(&role), script: None, over: Over::Shared };
    match timeout(ANSWERS_WITHIN, node.send(&asking, false)).await {
        Ok(Ok(answer)) => super::says_primary(&answer),
        Ok(Err(Failure::Redis(error))) => super::may_not_ask(&error),
        _ => false,
    }
}

async fn ask_now_and_then(sentinel: Weak<Sentinel>) {
    while let Some(sentinel) = sentinel.upgrade() {
        sentinel.ask().await;
        drop(sentinel);
        sleep(ASKED_EVERY).await;
    }
}

/// Hears of a failover as soon as this Sentinel does.
async fn listen(sentinel: Weak<Sentinel>, client: Client) {
    while sentinel.strong_count() > 0 {
        if let Ok(Ok(mut channel)) = timeout(ANSWERS_WITHIN, client.get_async_pubsub()).await
            && matches!(timeout(ANSWERS_WITHIN, channel.subscribe("+switch-master")).await, Ok(Ok(())))
        {
            let mut messages = channel.on_message();
            loop {
                match timeout(ASKED_EVERY, messages.next()).await {
                    Ok(Some(_)) => {
                        let Some(sentinel) = sentinel.upgrade() else { return };
                        warn!(name = sentinel.name, "a sentinel tells of a failover");
                        sentinel.find().await;
                    }
                    Ok(None) => break,
                    // Nothing to hear; is anybody left who wants to?
                    Err(_) if sentinel.strong_count() == 0 => return,
                    Err(_) => {}
                }
            }
        }
        sleep(LISTENED_AGAIN_AFTER).await;
    }
}
