//! One wiring: settings in, service out. What is wrong is told before anything is served.

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::{
    App, Inner,
    feed::Feeds,
    first_administrator,
    health::Health,
    issuers::Issuers,
    log_level,
    recover::Attending,
    reload::{self, Reloading},
    seen::Seen,
    served::Served,
    summary::Summarising,
};
use crate::{
    clock::Clock,
    demo,
    domain::{
        language::Language,
        limits::{MODEL_IDLE_SECS_MAX, SESSION_FILES_AT_ONCE, UPSTREAM_IDLE_SECS_MAX, WATCHERS_MAX},
    },
    llm::{ChatModel, Embedder, Planner},
    outbound::Outbound,
    redact::Redactor,
    secrets::{passwords, random, records::RecordKeys, ring::GivenKey, seal::KeyRing, tokens::Tokens},
    settings::{Durability, Settings, SigningKey},
    store::{
        EmbeddedStore, OpenError, RedisStore, Store,
        contract::{Lifetimes, Rates, StoreError},
        envelope::Envelopes,
        migrate::{Keyspace, Migrated},
    },
    upstream::Vault,
};

/// Where the embedded store's generated signing key is kept, in its directory.
const KEY_FILE: &str = "signing.key";
/// How long a start waits for another replica that is preparing the same keyspace.
const MIGRATION_WAITS: u32 = 50;
const MIGRATION_PAUSE: Duration = Duration::from_millis(100);
/// How often, and how long apart, a start asks for the store's time; each answer has store.timeout_ms.
const TIME_ATTEMPTS: u32 = 10;
const TIME_PAUSE: Duration = Duration::from_millis(100);

/// All reasons why the service cannot be built, one sentence each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError(pub Vec<String>);

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for BuildError {}

impl From<String> for BuildError {
    fn from(sentence: String) -> Self {
        Self(vec![sentence])
    }
}

impl App {
    /// Builds the service from settings.
    ///
    /// # Errors
    /// Everything that stands in the way, at once where it can be known at once.
    pub async fn build(settings: Settings) -> Result<Self, BuildError> {
        Self::build_with(settings, Clock::System).await
    }

    /// As [`App::build`], with a clock of the caller's choice (the embedded store lives by it; Redis has its own).
    ///
    /// # Errors
    /// As [`App::build`].
    pub async fn build_with(settings: Settings, clock: Clock) -> Result<Self, BuildError> {
        // In a box: it is a deep stack of futures, and whoever builds the service would carry all of it.
        let assembling: BoxFuture<'static, Result<Self, BuildError>> = Box::pin(Self::assemble(settings, clock));
        assembling.await
    }

    async fn assemble(settings: Settings, clock: Clock) -> Result<Self, BuildError> {
        crate::secrets::install_crypto();
        let connect = Duration::from_millis(settings.upstream.connect_timeout_ms);
        // A changing call must not meet a connection that the API is closing: its outcome would be unknown.
        let outbound = Outbound::new(connect, Duration::from_secs(UPSTREAM_IDLE_SECS_MAX)).map_err(|e| e.to_string())?;
        let (model, embedder) = if settings.llm.url.is_some() {
            let to_model = Outbound::new(connect, Duration::from_secs(MODEL_IDLE_SECS_MAX)).map_err(|e| e.to_string())?;
            let model = ChatModel::new(&to_model, &settings.llm).map_err(|e| e.to_string())?;
            let embedder = Embedder::of(&to_model, &settings.llm).map_err(|e| e.to_string())?;
            (Some(Arc::new(Planner::Model(model))), embedder.map(Arc::new))
        } else {
            (None, None)
        };
        let demo = if settings.served_apis().iter().any(|api| api.file.is_none()) {
            Some(demo::start().await.map_err(|e| format!("the demo API cannot listen on the loopback address: {e}"))?)
        } else {
            None
        };
        let stated = settings.secrets();
        let hidden = Redactor::of(stated.iter().map(ExposeSecret::expose_secret));
        let issuers = Issuers::new(outbound.clone(), &settings.auth.issuers);
        let reloading = Reloading::new(outbound, model, hidden.clone());
        let sources = reloading.sources(&settings, demo.as_ref());
        let (served, store) = tokio::join!(Served::read(&sources, clock.now_ms(), None), ready_store(&settings, &clock));
        let (served, store) = match (served, store) {
            (Ok(served), Ok(store)) => (served, store),
            (served, store) => return Err(BuildError(served.err().into_iter().flatten().chain(store.err()).collect())),
        };

        let health = Health::default();
        health.check(&store).await;
        let unsafe_for_good = health.store_warnings().into_iter().find(|warning| warning.breaks_durability());
        if let (Durability::Durable, Some(warning)) = (settings.store.durability, unsafe_for_good) {
            return Err(format!("store.durability is durable, but {}", warning.sentence(Language::English)).into());
        }
        let first_start = first_administrator::see_to(&settings, &store).await?;
        let nameless = signing_key(&settings)?;
        // A first start makes secrets of its own.
        let made = first_start.iter().map(|first| &first.password).chain(nameless.iter().filter(|_| settings.auth.signing_key.is_none()));
        let hidden = hidden.and(&Redactor::of(made.map(ExposeSecret::expose_secret)));
        let ring: Vec<GivenKey<'_>> = settings.auth.keys.iter().map(given).collect();
        let tokens = Tokens::of_ring(&ring, nameless.as_ref(), settings.auth.token_hours).map_err(BuildError)?;
        let vault = Vault::new(store.clone(), key_ring(&settings, nameless.as_ref())?);
        let half_of_cores = || std::thread::available_parallelism().map_or(1, |n| n.get().div_ceil(2));
        let hands = settings.auth.logins_at_once.map_or_else(half_of_cores, NonZeroUsize::get);
        let replica = format!("{}-{}", host_name(), random::hex_of(3));
        let app = Self(Arc::new(Inner {
            clock,
            store,
            tokens,
            issuers,
            known_keys: super::keys::KnownKeys::default(),
            login_counts: super::login_counts::LoginCounts::default(),
            vault,
            served: ArcSwap::from_pointee(served),
            reloading,
            embedder,
            hidden,
            replica,
            hands: Arc::new(Semaphore::new(hands)),
            imports: Arc::new(Semaphore::new(SESSION_FILES_AT_ONCE)),
            health,
            tasks: TaskTracker::new(),
            attending: Attending::default(),
            seen: Seen::default(),
            feeds: Feeds::default(),
            summarising: Summarising::default(),
            rendering: OnceLock::new(),
            presence: super::presence::Presence::default(),
            watchers: Arc::new(Semaphore::new(WATCHERS_MAX)),
            draining: CancellationToken::new(),
            handing_over: CancellationToken::new(),
            first_start,
            log: log_level::Log::default(),
            demo,
            settings,
        }));
        app.ask_the_time().await?;
        app.look_after();
        Ok(app)
    }

    /// Nobody is let in before the store's clock is known: a replica whose own is wrong would refuse valid tokens.
    async fn ask_the_time(&self) -> Result<(), BuildError> {
        for _ in 0..TIME_ATTEMPTS {
            if self.0.health.ask(&self.0.store, &self.0.clock).await {
                return Ok(());
            }
            tokio::time::sleep(TIME_PAUSE).await;
        }
        Err("the store did not say what time it is; it answered just before".to_owned().into())
    }

    /// What goes on beside the requests, until the process goes down.
    fn look_after(&self) {
        let draining = self.0.draining.clone();
        let watch = self.0.health.clone().watch(self.0.store.clone(), self.0.clock.clone());
        tokio::spawn(async move { draining.run_until_cancelled(watch).await });

        let (draining, store) = (self.0.draining.clone(), self.0.store.clone());
        let every = Duration::from_secs(self.0.settings.sessions.cleanup_interval_secs);
        let sweeping = async move {
            loop {
                tokio::time::sleep(every).await;
                match store.sweep().await {
                    Ok(0) => {}
                    Ok(swept) => info!(swept, "{swept} ended sessions were taken out of the index"),
                    Err(error) => warn!(%error, "ended sessions could not be taken out of the index: {error}"),
                }
            }
        };
        tokio::spawn(async move { draining.run_until_cancelled(sweeping).await });
        let watch_secs = self.0.settings.openapi.watch_secs;
        if watch_secs > 0 {
            let watch = reload::watch(Arc::downgrade(&self.0), Duration::from_secs(watch_secs));
            let draining = self.0.draining.clone();
            tokio::spawn(async move { draining.run_until_cancelled(watch).await });
        }
        let served = self.served();
        std::iter::once(&served).chain(served.restricted()).for_each(|served| self.learn_meanings(served));
        // The first login of an unknown name must not be slower than the others.
        tokio::task::spawn_blocking(passwords::prepare);
    }
}

/// Opens the store that the settings name, whatever is in it.
///
/// # Errors
/// A sentence that says what to do.
pub fn open_store(settings: &Settings, clock: &Clock) -> Result<Store, String> {
    let rates = Rates { requests_per_minute: settings.limits.requests_per_minute, turns_per_minute: settings.limits.turns_per_minute };
    let lifetimes = Lifetimes {
        idle_ms: settings.sessions.idle_secs.saturating_mul(1000),
        max_ms: settings.sessions.max_secs.saturating_mul(1000),
        turns_max: settings.sessions.turns_max,
    };
    let keys = settings.store.sealing_keys.iter().map(|given| (given.id.as_str(), given.key.expose_secret()));
    let envelopes = Envelopes::new(RecordKeys::new(keys), settings.store.seal_conversations, settings.store.compress_over_bytes);
    match &settings.store.redis_url {
        Some(_) => {
            let store = RedisStore::connect(&settings.store, rates, lifetimes).map_err(|problems| problems.join("\n"))?;
            Ok(Store::Redis(store.with_envelopes(envelopes)))
        }
        None => EmbeddedStore::open_with(&settings.store.data_dir, clock.clone(), rates, lifetimes, envelopes)
            .map(Store::Embedded)
            .map_err(|error: OpenError| error.to_string()),
    }
}

/// Opens the store and sees to it that its keyspace is this program's.
async fn ready_store(settings: &Settings, clock: &Clock) -> Result<Store, String> {
    let (opened, clock) = (settings.clone(), clock.clone());
    let opening = tokio::task::spawn_blocking(move || open_store(&opened, &clock));
    let store = opening.await.unwrap_or_else(|_| Err("the store cannot be opened".to_owned()))?;
    match make_ready(&store).await {
        Ok(()) => Ok(store),
        Err(NotReady::Keyspace(told)) => Err(told),
        Err(NotReady::Store(error)) => Err(match store.refusal().await {
            Some((why, advice)) => format!("store.redis_url: Redis cannot be used: {why}; {advice}"),
            None => format!("store.redis_url: {error}"),
        }),
    }
}

/// Why a store cannot be used.
enum NotReady {
    Store(StoreError),
    /// A sentence that says what to do.
    Keyspace(String),
}

impl From<StoreError> for NotReady {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn make_ready(store: &Store) -> Result<(), NotReady> {
    for _ in 0..MIGRATION_WAITS {
        match store.keyspace().await? {
            Keyspace::Current => {
                if let Store::Redis(redis) = store {
                    redis.load_scripts().await?;
                }
                return Ok(());
            }
            Keyspace::Empty => match store.migrate(&random::hex_of(8)).await? {
                Migrated::Ran(_) | Migrated::Newer { .. } => {}
                Migrated::Held => tokio::time::sleep(MIGRATION_PAUSE).await,
            },
            Keyspace::Behind { schema } => {
                return Err(NotReady::Keyspace(format!(
                    "the store's keyspace has schema {schema}, older than this program's; run `swagger-api-agent migrate`"
                )));
            }
            Keyspace::Newer { schema } => {
                return Err(NotReady::Keyspace(format!(
                    "the store's keyspace has schema {schema}, newer than this program's; run a newer swagger-api-agent"
                )));
            }
        }
    }
    let held = "another process has been preparing the store's keyspace for too long; run `swagger-api-agent migrate --status`";
    Err(NotReady::Keyspace(held.to_owned()))
}

fn given(key: &SigningKey) -> GivenKey<'_> {
    GivenKey { id: &key.id, algorithm: key.algorithm, key: &key.key }
}

/// The secret that signs tokens where there are no keys by name: the operator's, or (embedded only) one that the first start made and keeps.
/// None where the operator has set keys for everything that it was for.
fn signing_key(settings: &Settings) -> Result<Option<SecretString>, String> {
    if let Some(key) = &settings.auth.signing_key {
        return Ok(Some(key.clone()));
    }
    if settings.store.redis_url.is_some() {
        if !settings.auth.keys.is_empty() && !settings.store.sealing_keys.is_empty() {
            return Ok(None);
        }
        return Err("auth.signing_key is not set, and replicas must share one: set JWT_SECRET_KEY to at least 32 random bytes, \
                    for example from `openssl rand -hex 32`"
            .to_owned());
    }
    let path = settings.store.data_dir.join(KEY_FILE);
    match std::fs::read_to_string(&path) {
        Ok(key) if key.trim().len() >= crate::domain::limits::SIGNING_KEY_BYTES_MIN => Ok(Some(key.trim().to_owned().into())),
        Ok(_) => Err(format!("{} holds no key; remove it, and a new one is made (all users log in again)", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = random::hex_of(32);
            write_secret(&path, &key).map_err(|e| format!("{}: {e}", path.display()))?;
            Ok(Some(key.into()))
        }
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Writes a file that only its owner can read, whole or not at all.
fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};

    let unfinished = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)
}

/// What stored secrets are sealed with.
fn key_ring(settings: &Settings, signing_key: Option<&SecretString>) -> Result<KeyRing, String> {
    let given = settings.store.sealing_keys.iter().map(|given| (given.id.as_str(), given.key.expose_secret()));
    KeyRing::new(given, signing_key).ok_or_else(|| "store.sealing_keys cannot be used (SAA_STORE__SEALING_KEYS)".to_owned())
}

/// The machine's name, for people who read logs of many replicas.
fn host_name() -> String {
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '.').take(40).collect();
    if name.is_empty() { "replica".to_owned() } else { name }
}
