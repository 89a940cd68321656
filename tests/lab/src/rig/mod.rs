//! Everything that runs in one epoch: the store, the API, the model, three replicas, the balancer, and a proxy on every link.

mod balancer;
mod failover;
pub mod process;
pub mod replica;
pub mod store;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use fastrand::Rng;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

use self::{
    process::{free_port, start},
    replica::{Order, Replica, Setup},
    store::{Store, Topology, until},
};
use crate::{
    document::TOKEN,
    faults::log::FaultLog,
    http::{self, Hangup, Request},
    proxy::Proxy,
    records::Terms,
    upstream::write_document,
};

/// How many replicas of the service there are.
pub const REPLICAS: usize = 3;
/// How long a replica that died keeps a session.
pub const LEASE: Duration = Duration::from_millis(2000);
/// How long a turn may take.
pub const DEADLINE: Duration = Duration::from_millis(8000);
/// The administrator.
pub const ADMIN: &str = "admin";
/// What epochs with sealed conversations are sealed with: 32 bytes in base64.
const SEALING_KEY: &str = "bGFibGFibGFibGFibGFibGFibGFibGFibGFibGFibGE=";
const POINTS: [&str; 15] = ["K0", "K1", "K2", "K3", "K4", "K6", "K7", "K8", "K9", "K10", "K11", "K12", "K13", "K14", "K15"];

/// How an epoch is set up.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The service that is started.
    pub program: PathBuf,
    /// The top of the repository.
    pub house: PathBuf,
    pub dir: PathBuf,
    pub topology: Topology,
    pub users: usize,
    pub seed: u64,
    pub terms: Terms,
    /// What is said, called and answered is sealed in the store.
    pub sealed: bool,
    /// Kill points are armed.
    pub points: bool,
    /// The wall clock of one replica is wrong by so many seconds.
    pub skew_secs: i32,
    /// What the service cannot do yet is no failure.
    pub allow_missing: bool,
    /// What is switched off in the service (`SAA_ABLATE`).
    pub ablate: Option<String>,
}

/// What runs.
pub struct Rig {
    pub store: Store,
    /// Where clients ask.
    pub port: u16,
    /// The replicas' own ports.
    pub ports: Vec<u16>,
    pub replicas: Vec<Replica>,
    /// Between the balancer and the replicas.
    pub links: Vec<Proxy>,
    pub faults: FaultLog,
    /// Where the servers of the store write, if no word of a conversation may stand there in clear.
    pub sealed: Option<PathBuf>,
    pub password: String,
    _others: Vec<Child>,
}

impl Rig {
    pub async fn start(wish: &Wish) -> io::Result<Self> {
        let dir = &wish.dir;
        fs::create_dir_all(dir)?;
        let mut rng = Rng::with_seed(wish.seed);
        let store = Store::start(wish.topology, dir).await?;
        let (api, model) = (free_port(), free_port());
        let own = std::env::current_exe()?;
        let log = |name: &str| dir.join(name).display().to_string();
        let (api_log, model_log) = (log("U.ndjson"), log("L.ndjson"));
        let dedup = wish.terms.dedup.to_string();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut others = vec![
            start(&own, &words(&["upstream", &api.to_string(), &dedup, &api_log]), &[], &dir.join("upstream.log"))?,
            start(&own, &words(&["model", &model.to_string(), &model_log]), &[], &dir.join("model.log"))?,
        ];
        write_document(&dir.join("openapi.json"), wish.terms.dedup)?;
        let password = format!("{:032x}", rng.u128(..));
        let environment = environment(wish, &password, api, model);
        let faults = FaultLog::open(&dir.join("F.ndjson"))?;
        let with_url = |n: usize| [environment.clone(), vec![("REDIS_URL".to_owned(), store.url(n))]].concat();
        for n in 0..wish.users {
            add_user(&wish.program, &with_url(0), &format!("u{n:02}"), &password, dir).await?;
        }
        let (mut replicas, mut links, mut ports) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..REPLICAS {
            let port = free_port();
            let mut environment = [with_url(n), vec![("SAA_SERVER__PORT".to_owned(), port.to_string())]].concat();
            if n == REPLICAS - 1 && wish.skew_secs != 0 {
                environment.extend(skew(wish.skew_secs)?);
                faults.point("skew", &format!("r{n} by {} s", wish.skew_secs)).await;
            }
            let points = wish.points.then(|| (POINTS.to_vec(), rng.u64(..)));
            let log = dir.join(format!("replica{n}.log"));
            let setup = Setup { name: format!("r{n}"), program: wish.program.clone(), environment, log, points };
            replicas.push(Replica::start(setup, faults.clone()));
            links.push(Proxy::start(free_port(), port).await?);
            ports.push(port);
        }
        let port = free_port();
        let behind: Vec<u16> = links.iter().map(|link| link.port).collect();
        others.push(balancer::balance(&wish.house.join("deploy/haproxy.cfg"), port, &behind, dir)?);
        let rig = Self { store, port, ports, replicas, links, faults, sealed: wish.sealed.then(|| dir.clone()), password, _others: others };
        rig.ready().await?;
        Ok(rig)
    }

    /// Returns when every replica is ready and the balancer knows it.
    pub async fn ready(&self) -> io::Result<()> {
        for port in self.ports.iter().chain([&self.port]) {
            until("a replica is ready", || async { self.status(*port, "/health/ready").await == 200 }).await?;
        }
        Ok(())
    }

    async fn status(&self, port: u16, path: &str) -> u16 {
        let request = Request { method: "GET", path, headers: Vec::new(), body: Vec::new() };
        http::send(port, &request, Hangup::Never, Duration::from_secs(1)).await.map_or(0, |answer| answer.status())
    }

    /// Ends the replicas; the rest ends with the rig.
    pub async fn end(self) {
        for replica in &self.replicas {
            replica.order(Order::End);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        for server in &self.store.servers {
            // What does not end now ends with its handle.
            let _ = server.kill().await;
        }
    }
}

fn environment(wish: &Wish, password: &str, api: u16, model: u16) -> Vec<(String, String)> {
    let durability = if wish.topology == Topology::T1 { None } else { Some(("SAA_STORE__DURABILITY", "durable".to_owned())) };
    let sealed = wish
        .sealed
        .then(|| [("SAA_STORE__SEALING_KEYS", format!("lab:{SEALING_KEY}")), ("SAA_STORE__SEAL_CONVERSATIONS", "true".to_owned())]);
    let ablate = wish.ablate.as_ref().map(|what| ("SAA_ABLATE", what.clone()));
    [
        ("JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef0123456789abcdef".to_owned()),
        ("WEB_API_USERNAME", ADMIN.to_owned()),
        ("WEB_API_PASSWORD", password.to_owned()),
        ("OPENAPI_FILE", wish.dir.join("openapi.json").display().to_string()),
        ("API_BASE_URL", format!("http://127.0.0.1:{api}")),
        ("API_TOKEN", TOKEN.to_owned()),
        ("SAA_UPSTREAM__TIMEOUT_MS", "1500".to_owned()),
        ("SAA_UPSTREAM__CONNECT_TIMEOUT_MS", "500".to_owned()),
        ("SAA_LLM__URL", format!("http://127.0.0.1:{model}/v1")),
        ("SAA_LLM__MODEL", "lab".to_owned()),
        ("SAA_LLM__TIMEOUT_MS", "3000".to_owned()),
        ("SAA_TURNS__LEASE_MS", LEASE.as_millis().to_string()),
        ("SAA_TURNS__DEADLINE_MS", DEADLINE.as_millis().to_string()),
        ("SAA_TURNS__ROUNDS_MAX", wish.terms.rounds_max.to_string()),
        ("SAA_TURNS__CALLS_MAX", wish.terms.calls_max.to_string()),
        // The model of the lab counts what it is asked, and would take a plan that is summarised for one to carry out.
        ("SAA_AGENT__SUMMARIES", "false".to_owned()),
        ("SAA_AGENT__CONFIRM", wish.terms.confirm.to_string()),
        ("SAA_LIMITS__REQUESTS_PER_MINUTE", "4000000".to_owned()),
        ("SAA_LIMITS__TURNS_PER_MINUTE", "4000000".to_owned()),
        ("SAA_SERVER__DRAIN_NOTICE_MS", "700".to_owned()),
        ("SAA_SERVER__DRAIN_MS", "3000".to_owned()),
        ("SAA_LOG__LEVEL", "info".to_owned()),
        ("SAA_STORE__DATA_DIR", wish.dir.join("data").display().to_string()),
    ]
    .into_iter()
    .chain(durability)
    .chain(ablate)
    .chain(sealed.into_iter().flatten())
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// What makes a program see a wrong wall clock, and the right monotonic one.
fn skew(secs: i32) -> io::Result<Vec<(String, String)>> {
    let library = fs::read_dir("/usr/lib")?
        .filter_map(|entry| Some(entry.ok()?.path().join("faketime/libfaketime.so.1")))
        .find(|library| library.exists())
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "libfaketime is not installed"))?;
    let all = [
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME", format!("{secs:+}s")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    Ok(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

async fn add_user(program: &Path, environment: &[(String, String)], name: &str, password: &str, dir: &Path) -> io::Result<()> {
    let mut adding = Command::new(program)
        .args(["user", "add", name, "--password-stdin"])
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(fs::OpenOptions::new().create(true).append(true).open(dir.join("user-add.log"))?)
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = adding.stdin.take() {
        input.write_all(password.as_bytes()).await?;
    }
    let ended = adding.wait().await?;
    if ended.success() {
        Ok(())
    } else {
        let why = fs::read_to_string(dir.join("user-add.log")).unwrap_or_default();
        Err(io::Error::other(format!("the service does not take its settings (user add): {}", why.trim())))
    }
}
