//! The service as a real process: the binary, its signals, its exit code.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use secrecy::ExposeSecret;
use swagger_api_agent::settings::Settings;

use super::COMES_WITHIN;

/// A running server; killed with the test.
pub struct Process {
    /// `http://address`
    pub base: String,
    child: Child,
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
            .env("SAA_TURNS__LEASE_MS", settings.turns.lease_ms.to_string())
            .env("SAA_SERVER__DRAIN_NOTICE_MS", settings.server.drain_notice_ms.to_string())
            .env("SAA_SERVER__DRAIN_MS", settings.server.drain_ms.to_string())
            .envs(more)
            .args(["serve", "--host", "127.0.0.1", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the binary starts");
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
        Self { base, child }
    }

    /// As a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it has ended");
    }

    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// As `kill -HUP` would.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("`kill` runs").success(), "it runs");
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
