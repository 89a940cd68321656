//! What the measurements share that start services of their own: the program, its users, and how figures are read.

use std::{
    io::Write,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

const PASSWORD: &str = "correct horse battery";

/// Microseconds since 1970.
pub fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

/// Of sorted microseconds those that so large a part is no longer than, in milliseconds.
pub fn part(sorted: &[u64], part: f64) -> f64 {
    let at = ((sorted.len() as f64 - 1.0) * part) as usize;
    sorted.get(at).copied().unwrap_or(0) as f64 / 1000.0
}

/// A running service; it is killed when it is dropped.
pub struct Service {
    pub base: String,
    child: Child,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Service {
    /// Starts `SERVICE_BINARY` with a model at this place and more settings, and waits until it is ready.
    pub async fn start(http: &reqwest::Client, model: &str, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = command(model)?.envs(settings.iter().copied()).env("SAA_SERVER__PORT", port.to_string()).spawn()?;
        let service = Self { base: format!("http://127.0.0.1:{port}"), child };
        for _ in 0..500 {
            if http.get(format!("{}/health/ready", service.base)).send().await.is_ok_and(|ready| ready.status() == 200) {
                return Ok(service);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err("the service is not ready after ten seconds".into())
    }

    /// Processor time so far, in clock ticks of 10 ms.
    pub fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum()
    }

    /// Memory that is resident, in megabytes of 10⁶ bytes.
    pub fn resident_mb(&self) -> Result<f64, Failure> {
        self.status_mb("VmRSS:")
    }

    /// The same at most, since the start.
    pub fn resident_mb_max(&self) -> Result<f64, Failure> {
        self.status_mb("VmHWM:")
    }

    fn status_mb(&self, field: &str) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("the system does not tell")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024.0 / 1e6)
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The token of a user with this name, who is made first.
    pub async fn user(&self, http: &reqwest::Client, model: &str, name: &str) -> Result<String, Failure> {
        let mut adding = command(model)?.args(["user", "add", name, "--password-stdin"]).stdin(Stdio::piped()).spawn()?;
        if let Some(mut input) = adding.stdin.take() {
            input.write_all(PASSWORD.as_bytes())?;
        }
        adding.wait()?;
        self.login(http, name).await
    }

    /// The token of a user who is there; `admin` always is.
    pub async fn login(&self, http: &reqwest::Client, name: &str) -> Result<String, Failure> {
        let login = http.post(format!("{}/api/login", self.base)).json(&json!({"username": name, "password": PASSWORD}));
        let told: Value = login.send().await?.error_for_status()?.json().await?;
        Ok(told["token"].as_str().unwrap_or_default().to_owned())
    }
}

fn command(model: &str) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::var("SERVICE_BINARY")?);
    command
        .env("SAA_LLM__URL", format!("{model}/v1"))
        .env("SAA_LLM__MODEL", "stub")
        .env("JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef")
        .env("WEB_API_USERNAME", "admin")
        .env("WEB_API_PASSWORD", PASSWORD)
        .env("SAA_LIMITS__REQUESTS_PER_MINUTE", "4000000")
        .env("SAA_LIMITS__TURNS_PER_MINUTE", "4000000")
        .env("SAA_SESSIONS__TURNS_MAX", "5")
        .env("SAA_AGENT__SUMMARIES", "false")
        // What the model plans is sent at once; releases before the word `never` know this one.
        .env("SAA_AGENT__CONFIRM", "false")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(command)
}
