//! The service as a real process: the binary, its signals, its exit code.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use secrecy::ExposeSecret;
use swagger_api_agent::{domain::policy::Confirm, settings::Settings};

use super::{
    COMES_WITHIN,
    bed::{Bed, On},
};

/// How long a dead replica keeps the session in [`scene`].
pub const LEASE_MS: u64 = 600;

/// One replica that stays, on Redis, and one process beside it that something will happen to.
pub async fn scene() -> (Bed, Process) {
    let bed = Bed::with(On::Redis, |settings| settings.turns.lease_ms = LEASE_MS).await;
    let process = Process::start(&bed.settings, &[]).await;
    (bed, process)
}

/// A running server; killed with the test.
pub struct Process {
    /// `http://address`
    pub base: String,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts one with the settings of a bed and waits until it listens.
    pub async fn start(settings: &Settings, more: &[(&str, &str)]) -> Self {
        let settings = settings.clone();
        let more: Vec<(String, String)> = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        tokio::task::spawn_blocking(move || Self::launch(&settings, more)).await.unwrap()
    }

    fn launch(settings: &Settings, more: Vec<(String, String)>) -> Self {
        let secret = |secret: &Option<secrecy::SecretString>| secret.as_ref().map(|s| s.expose_secret().to_owned()).unwrap_or_default();
        let mut child = Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"))
            .env_clear()
            .env("REDIS_URL", secret(&settings.store.redis_url))
            .env("SAA_STORE__DATA_DIR", &settings.store.data_dir)
            .env("JWT_SECRET_KEY", secret(&settings.auth.signing_key))
            .env("WEB_API_USERNAME", settings.auth.admin_username.clone().unwrap_or_default())
            .env("WEB_API_PASSWORD", secret(&settings.auth.admin_password))
            .env("OPENAPI_FILE", settings.openapi.file.clone().unwrap_or_default())
            .env("API_BASE_URL", settings.upstream.base_url.clone().unwrap_or_default())
            .env("DEEPSEEK_API_URL", settings.llm.url.clone().unwrap_or_default())
            .env("SAA_AGENT__CONFIRM", settings.agent.confirm.map_or("auto", Confirm::as_str))
            .env("SAA_TURNS__LEASE_MS", settings.turns.lease_ms.to_string())
            .env("SAA_SERVER__DRAIN_NOTICE_MS", settings.server.drain_notice_ms.to_string())
            .env("SAA_SERVER__DRAIN_MS", settings.server.drain_ms.to_string())
            .env("SAA_ADMIN__LISTEN", "off")
            .envs(more)
            .args(["serve", "--host", "127.0.0.1", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = Arc::<Mutex<String>>::default();
        let (logged, errors) = (log.clone(), BufReader::new(child.stderr.take().expect("a pipe")));
        // A full pipe would stop it; what a test that fails shows is what it said.
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                eprintln!("{line}");
                logged.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut said = Vec::new();
        let base = loop {
            let Some(Ok(line)) = lines.next() else { panic!("it ended before it listened; it said: {said:#?}") };
            if let Some(base) = line.strip_prefix("listening on ") {
                break base.to_owned();
            }
            said.push(line);
        };
        // A full pipe would stop it: what else it says is read and dropped.
        std::thread::spawn(move || lines.for_each(drop));
        Self { base, child, log }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// As a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it has ended");
    }

    pub fn terminate(&self) {
        signal(&self.child, "-TERM");
    }

    /// As `kill -HUP` would.
    pub fn hang_up(&self) {
        signal(&self.child, "-HUP");
    }

    /// Stops it in the middle of whatever it does; `resume` lets it go on.
    pub fn stop(&self) {
        signal(&self.child, "-STOP");
    }

    pub fn resume(&self) {
        signal(&self.child, "-CONT");
    }

    /// How it ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let waiting = async {
            loop {
                if let Some(status) = self.child.try_wait().expect("a child") {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(COMES_WITHIN, waiting).await.expect("it ends")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Only this very process; it may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to this very child, as `kill` names it.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(sent.expect("`kill` runs").success(), "kill {name} {}", child.id());
}
