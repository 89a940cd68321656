//! What the functions that are served mean: found out beside everything else, once, and kept in the store for other replicas and later starts.
//! Until it is known, and whenever it cannot be had, functions are found by words alone.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tracing::{debug, info};

use super::{App, Inner, Served};
use crate::{
    agent,
    domain::{
        limits::{
            EMBEDDED_AT_ONCE_MAX, EMBEDDINGS_CLAIM_MS, EMBEDDINGS_KEPT_MS, EMBEDDINGS_PAUSE_MS_MAX, EMBEDDINGS_PAUSE_MS_MIN,
            EMBEDDINGS_READ_AT_ONCE,
        },
        vector::Vector,
    },
    llm::Embedder,
    openapi::retrieve::Meanings,
    secrets::digest,
};

impl App {
    /// Has it found out what these functions mean, where there is a model for that and so many functions that it is needed. Nobody waits for it.
    pub(super) fn learn_meanings(&self, served: &Arc<Served>) {
        let Some(embedder) = self.0.embedder.clone() else { return };
        if !agent::gives_some(&served.apis, &served.planner, self.settings().agent.tools_max) {
            return;
        }
        tokio::spawn(learn(Arc::downgrade(&self.0), Arc::downgrade(served), embedder));
    }
}

/// Goes on until it is known, or nobody serves these functions any more. When the process goes down it ends by itself, so that it leaves no
/// claim behind for which others wait.
async fn learn(service: Weak<Inner>, served: Weak<Served>, embedder: Arc<Embedder>) {
    let mut pause_ms = EMBEDDINGS_PAUSE_MS_MIN;
    let mut begun = None;
    loop {
        // While it waits it keeps neither alive.
        let (Some(app), Some(served)) = (service.upgrade().map(App), served.upgrade()) else { return };
        let learning = match &mut begun {
            Some(learning) => learning,
            None => match Learning::of(&app, &served, &embedder).await {
                Some(learning) => begun.insert(learning),
                None => return,
            },
        };
        let wait_ms = match learning.go_on(&app, &embedder).await {
            Attempt::Done(meanings) => {
                let (functions, asked) = (served.apis.functions().len(), learning.asked);
                info!(functions, asked, "{functions} functions are found by what is meant as well; {asked} were asked for");
                // Only this task ever sets it.
                _ = served.meanings.set(meanings);
                return;
            }
            Attempt::OthersWork => EMBEDDINGS_PAUSE_MS_MIN,
            Attempt::Failed => {
                let now = pause_ms;
                pause_ms = (pause_ms * 2).min(EMBEDDINGS_PAUSE_MS_MAX);
                now
            }
        };
        let draining = app.0.draining.clone();
        drop((app, served));
        if draining.run_until_cancelled(tokio::time::sleep(Duration::from_millis(wait_ms))).await.is_none() {
            return;
        }
    }
}

/// What one attempt came to.
enum Attempt {
    Done(Meanings),
    /// The rest is being asked for by other replicas.
    OthersWork,
    /// The server or the store is of no use now.
    Failed,
}

/// What is known of the functions, by their places.
struct Learning {
    texts: Vec<String>,
    /// Under which each is kept.
    names: Vec<String>,
    known: Vec<Option<Vector>>,
    /// How many numbers there must be, once the server has said so: what is kept may be of another model that had the same name.
    dimensions: Option<usize>,
    /// Texts that the server was asked for.
    asked: usize,
}

impl Learning {
    /// The texts of many thousand functions take a while, and the runtime has other things to do.
    async fn of(app: &App, served: &Arc<Served>, embedder: &Arc<Embedder>) -> Option<Self> {
        let (hidden, served, embedder) = (app.hidden().clone(), Arc::clone(served), Arc::clone(embedder));
        let telling = tokio::task::spawn_blocking(move || {
            let texts = served.apis.told(&hidden);
            let names: Vec<String> = texts.iter().map(|text| embedder.name_of(text)).collect();
            let known = vec![None; texts.len()];
            Self { texts, names, known, dimensions: None, asked: 0 }
        });
        telling.await.ok()
    }

    async fn go_on(&mut self, app: &App, embedder: &Embedder) -> Attempt {
        let all: Vec<usize> = (0..self.names.len()).collect();
        for places in self.unknown_of(&all).chunks(EMBEDDINGS_READ_AT_ONCE) {
            if self.read(app, places).await.is_none() {
                return Attempt::Failed;
            }
        }
        let mut others_work = false;
        // Whatever is known of them by now, all replicas claim the same ones together.
        for places in all.chunks(EMBEDDED_AT_ONCE_MAX) {
            if self.unknown_of(places).is_empty() {
                continue;
            }
            let names: Vec<&[u8]> = self.names_of(places).iter().map(|name| name.as_bytes()).collect();
            let work = digest::of(&names);
            match app.store().claim_vectors(&work, app.replica(), EMBEDDINGS_CLAIM_MS).await {
                Ok(true) => {}
                Ok(false) => {
                    others_work = true;
                    continue;
                }
                Err(_) => return Attempt::Failed,
            }
            let asked = self.ask(app, embedder, places).await;
            // A claim that cannot be ended lapses.
            if let Err(error) = app.store().unclaim_vectors(&work).await {
                debug!(%error, "a claim could not be ended: {error}");
            }
            if asked.is_none() {
                return Attempt::Failed;
            }
        }
        if others_work { Attempt::OthersWork } else { self.end() }
    }

    /// Reads what the store has of these.
    async fn read(&mut self, app: &App, places: &[usize]) -> Option<()> {
        let names: Vec<String> = self.names_of(places).into_iter().cloned().collect();
        let kept = app.store().kept_vectors(&names, EMBEDDINGS_KEPT_MS).await.ok()?;
        for (place, vector) in places.iter().zip(kept) {
            let vector = vector.filter(|vector| self.dimensions.is_none_or(|dimensions| vector.dimensions() == dimensions));
            self.learned(*place, vector);
        }
        Some(())
    }

    /// Asks the server for those of these that are not known, and that no other replica has found out in the meantime.
    async fn ask(&mut self, app: &App, embedder: &Embedder, places: &[usize]) -> Option<()> {
        self.read(app, &self.unknown_of(places)).await?;
        let places = self.unknown_of(places);
        if places.is_empty() {
            return Some(());
        }
        let texts: Vec<&str> = places.iter().filter_map(|place| self.texts.get(*place)).map(String::as_str).collect();
        let vectors = app.0.draining.run_until_cancelled(embedder.texts(&texts)).await?.ok()?;
        self.asked += texts.len();
        self.dimensions = vectors.first().map(Vector::dimensions);
        let named: Vec<(String, Vector)> = self.names_of(&places).into_iter().cloned().zip(vectors.iter().cloned()).collect();
        for (place, vector) in places.into_iter().zip(vectors) {
            self.learned(place, Some(vector));
        }
        // What is not kept now is known here nevertheless; other replicas ask themselves.
        if let Err(error) = app.store().keep_vectors(&named, EMBEDDINGS_KEPT_MS).await {
            debug!(%error, "what functions mean could not be kept: {error}");
        }
        Some(())
    }

    /// All that is known, if it can be compared. What cannot is of another model, and is asked for the next time.
    fn end(&mut self) -> Attempt {
        let vectors: Vec<Vector> = self.known.iter().flatten().cloned().collect();
        if let Some(meanings) = Meanings::of(&vectors) {
            return Attempt::Done(meanings);
        }
        let dimensions = self.dimensions.or_else(|| vectors.first().map(Vector::dimensions));
        self.dimensions = dimensions;
        for known in &mut self.known {
            known.take_if(|vector| Some(vector.dimensions()) != dimensions);
        }
        Attempt::Failed
    }

    fn unknown_of(&self, places: &[usize]) -> Vec<usize> {
        places.iter().copied().filter(|place| matches!(self.known.get(*place), Some(None))).collect()
    }

    fn names_of(&self, places: &[usize]) -> Vec<&String> {
        places.iter().filter_map(|place| self.names.get(*place)).collect()
    }

    fn learned(&mut self, place: usize, vector: Option<Vector>) {
        if let Some(known) = self.known.get_mut(place) {
            *known = vector;
        }
    }
}
