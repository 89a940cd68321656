//! The service as it runs for people: replicas with their own accept loop, on a store, with a model and an API behind them.

use std::{net::SocketAddr, time::Duration};

use secrecy::SecretString;
use swagger_api_agent::{
    api::server::{self, Leave},
    app::{App, open_store},
    clock::Clock,
    domain::{policy::Confirm, user::UserName},
    settings::Settings,
    store::contract::AccountChange,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    COMES_WITHIN,
    client::{ADMIN, At, Client, Keyring, PASSWORD},
    llm::StubModel,
    proxy::Proxy,
    redis::RedisServer,
    upstream::StubUpstream,
};

/// What signs the tokens of all replicas, in all tests.
pub const SIGNING_KEY: &str = "a key that is known to every reader of this test";

/// Which store the service runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Redis,
    Embedded,
}

/// Replicas and everything around them; gone with the test.
pub struct Bed {
    pub llm: StubModel,
    pub upstream: StubUpstream,
    pub redis: Option<RedisServer>,
    /// Between the replicas and their Redis, if the test wants it there.
    pub proxy: Option<Proxy>,
    pub settings: Settings,
    replicas: Vec<Replica>,
    http: reqwest::Client,
    keyring: std::sync::Arc<Keyring>,
    _data: TempDir,
}

struct Replica {
    address: SocketAddr,
    /// Its socket once more, so that nobody else gets the port while it starts again.
    door: std::net::TcpListener,
    app: App,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Bed {
    /// One replica.
    pub async fn on(store: On) -> Self {
        Self::with(store, |_| {}).await
    }

    /// One replica with other settings than usual.
    pub async fn with(store: On, adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::replicas(store, 1, adjust).await
    }

    /// Several replicas over one Redis.
    pub async fn of_replicas(count: usize) -> Self {
        Self::replicas(On::Redis, count, |_| {}).await
    }

    /// Several replicas (one, on the embedded store) with other settings than usual.
    pub async fn replicas(store: On, count: usize, adjust: impl FnOnce(&mut Settings)) -> Self {
        let redis = (store == On::Redis).then(RedisServer::start);
        Self::over(redis, None, count, adjust).await
    }

    /// One replica, and a wire to its Redis that can be cut.
    pub async fn behind_a_wire(adjust: impl FnOnce(&mut Settings)) -> Self {
        let redis = RedisServer::start();
        let proxy = Proxy::to(&redis).await;
        Self::over(Some(redis), Some(proxy), 1, adjust).await
    }

    async fn over(redis: Option<RedisServer>, proxy: Option<Proxy>, count: usize, adjust: impl FnOnce(&mut Settings)) -> Self {
        let (llm, upstream) = (StubModel::start().await, StubUpstream::start().await);
        let data = tempfile::Builder::new().prefix("saa-data-").tempdir().unwrap();
        let mut settings = Settings::builtin();
        let url = proxy.as_ref().map(|proxy| proxy.url.clone()).or_else(|| redis.as_ref().map(RedisServer::url));
        settings.store.redis_url = url.map(SecretString::from);
        settings.store.data_dir = data.path().to_owned();
        settings.auth.signing_key = Some(SIGNING_KEY.into());
        settings.auth.admin_username = Some(ADMIN.to_owned());
        settings.auth.admin_password = Some(SecretString::from(PASSWORD));
        settings.openapi.file = Some(upstream.document().display().to_string());
        settings.upstream.base_url = Some(upstream.url.clone());
        settings.llm.url = Some(llm.url.clone());
        // What a model plans is sent at once here; tests of questions ask for them, or for the default.
        settings.agent.confirm = Some(Confirm::Never);
        settings.server.drain_notice_ms = 0;
        settings.server.drain_ms = 5000;
        adjust(&mut settings);

        let mut replicas = Vec::new();
        for _ in 0..count {
            replicas.push(Replica::start(&settings, None).await);
        }
        // Nothing is kept between requests: a connection that a test's server closed must not be met by the next request.
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        let keyring = Keyring::new(replicas[0].app.clone());
        Self { llm, upstream, redis, proxy, settings, replicas, http, keyring, _data: data }
    }

    /// How many replicas there are.
    pub fn count(&self) -> usize {
        self.replicas.len()
    }

    /// The service of a replica, for what is not asked over its door.
    pub fn app(&self, replica: usize) -> App {
        self.replicas[replica].app.clone()
    }

    /// The door of a replica.
    pub fn at(&self, replica: usize) -> At {
        self.through(&format!("http://{}", self.replicas[replica].address))
    }

    /// Another door to the same service.
    pub fn through(&self, base: &str) -> At {
        At { base: base.to_owned(), http: self.http.clone(), keyring: self.keyring.clone() }
    }

    pub fn as_user(&self, name: &str) -> Client {
        self.at(0).as_user(name)
    }

    pub fn as_admin(&self) -> Client {
        self.at(0).as_admin()
    }

    pub fn nobody(&self) -> Client {
        self.at(0).nobody()
    }

    pub fn address(&self) -> SocketAddr {
        self.replicas[0].address
    }

    /// The Redis of this bed.
    pub fn redis(&self) -> &RedisServer {
        self.redis.as_ref().expect("a bed on Redis")
    }

    /// All bytes that the service has stored.
    pub fn everything_stored(&self) -> Vec<u8> {
        match &self.redis {
            Some(redis) => redis.everything_written(),
            None => std::fs::read(self.settings.store.data_dir.join("agent.redb")).expect("a data file"),
        }
    }

    /// The wire to the Redis of this bed.
    pub fn wire(&self) -> &Proxy {
        self.proxy.as_ref().expect("a bed behind a wire")
    }

    /// Stops the first replica, does something to what it stores, and starts it again on the same port.
    pub async fn restart(&mut self, meanwhile: impl AsyncFnOnce(&Settings)) {
        let mut others = self.replicas.split_off(1);
        let Some(Replica { door, app, stop, serving, .. }) = self.replicas.pop() else { panic!("no replica") };
        stop.cancel();
        tokio::time::timeout(COMES_WITHIN, serving).await.expect("the replica stops").unwrap();
        // The file is free when nobody knows the service any more, its background tasks included.
        self.keyring.forget();
        drop(app);
        meanwhile(&self.settings).await;
        let replica = Replica::start(&self.settings, Some(door)).await;
        self.keyring.serve_from(replica.app.clone());
        self.replicas.push(replica);
        self.replicas.append(&mut others);
    }

    /// Changes an account as the command line does: past the service, in the store.
    pub async fn change_account(&mut self, name: &str, change: AccountChange<'_>) {
        let user = UserName::new(name).unwrap();
        let changed = async |settings: &Settings| {
            let store = opened(settings).await;
            assert!(store.change_account(&user, change).await.expect("a store"), "{name} has no account");
        };
        if self.redis.is_some() { changed(&self.settings).await } else { self.restart(changed).await }
    }
}

/// The store that the settings name, once its last holder is gone.
pub async fn opened(settings: &Settings) -> swagger_api_agent::store::Store {
    patiently(async || open_store(settings, &Clock::System)).await
}

/// Repeats what another holder of a file may stand in the way of.
async fn patiently<T>(mut attempt: impl AsyncFnMut() -> Result<T, String>) -> T {
    let trying = async {
        loop {
            match attempt().await {
                Ok(done) => return done,
                Err(sentence) if sentence.contains("held by another process") => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(sentence) => panic!("{sentence}"),
            }
        }
    };
    tokio::time::timeout(COMES_WITHIN, trying).await.expect("the file is free after a while")
}

impl Replica {
    async fn start(settings: &Settings, door: Option<std::net::TcpListener>) -> Self {
        let app = patiently(async || Box::pin(App::build(settings.clone())).await.map_err(|error| error.to_string())).await;
        let door = door.unwrap_or_else(|| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        door.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(door.try_clone().unwrap()).unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let stopped = stop.clone();
        let leave = async move {
            stopped.cancelled().await;
            Leave::AfterNotice
        };
        let serving = tokio::spawn(server::serve(app.clone(), listener, leave));
        Self { address, door, app, stop, serving }
    }
}
