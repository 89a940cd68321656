//! What the operator said: embedded defaults ← file ← environment ← flags, checked whole.
//!
//! `defaults.toml` documents every key. A wrong setting stops the start, and all wrong ones are named together,
//! each with its key and its variable. Secrets are `SecretString`s and never printed.
//!
//! ```
//! use swagger_api_agent::settings::{Settings, Sources};
//!
//! let settings = Settings::load(Sources::default().with_environment([("SAA_SERVER__PORT", "8000")]))?;
//! assert_eq!(settings.server.port, 8000);
//!
//! let problems = Settings::load(Sources::default().with_environment([("JWT_SECRET_KEY", "short")])).unwrap_err();
//! assert_eq!(
//!     problems.to_string(),
//!     "settings: 1 problem\n  auth.signing_key  is 5 bytes; at least 32 are needed  (JWT_SECRET_KEY)"
//! );
//! # Ok::<(), swagger_api_agent::settings::Problems>(())
//! ```

mod apis;
mod check;
mod effective;
mod environment;
mod fallbacks;
mod file;
mod idempotency;
mod issuers;
mod keys;
mod layers;
mod load;
mod policy;
mod problems;
mod reader;
mod redis_url;
mod sealing;
mod secrets;
mod signing;
mod source;
mod tables;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf};

use ipnet::IpNet;
use secrecy::SecretString;

use crate::domain::{
    idempotency::KeyRule,
    policy::{Confirm, PolicyRule},
    probe::Probe,
    selection::Selection,
};

pub use self::{
    check::log_level_problem,
    effective::Effective,
    issuers::Issuer,
    problems::{Problem, Problems},
    redis_url::{Entry, Place, RedisUrl},
    sealing::SealingKey,
    signing::SigningKey,
    source::{Flag, Source, Sources},
};

/// Everything the service can be told, checked by [`Settings::load`]. The fields may be changed afterwards, unchecked: that is for
/// tests and for programs that use the library.
#[derive(Debug, Clone)]
pub struct Settings {
    pub server: Server,
    pub admin: Admin,
    pub store: Store,
    pub auth: Auth,
    pub limits: Limits,
    pub turns: Turns,
    pub budgets: Budgets,
    pub sessions: Sessions,
    pub results: Results,
    pub openapi: OpenApi,
    pub upstream: Upstream,
    /// `[[apis]]`: more APIs beside, or in place of, the one of `[openapi]` and `[upstream]`.
    pub apis: Vec<Api>,
    /// `[[policy]]`: who may call which operations, and which calls wait for a yes; the first rule that is about it decides.
    pub policy: Vec<PolicyRule>,
    pub llm: Llm,
    pub agent: Agent,
    pub log: Log,
    pub trace: Trace,
    /// Where each setting was found, by its key; not listed is the default.
    found: BTreeMap<&'static str, Source>,
}

/// `[server]`: the listener and its bounds.
#[derive(Debug, Clone)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub connections_max: usize,
    /// A request's head must have come within this time.
    pub header_timeout_ms: u64,
    /// A request's body must have come within this time.
    pub body_timeout_ms: u64,
    /// A connection without a request is closed after this time.
    pub idle_timeout_ms: u64,
    pub body_bytes_max: usize,
    /// Proxies that are believed what they say of whom a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// After SIGTERM: not ready, but still accepting, for this time, so that load balancers notice.
    pub drain_notice_ms: u64,
    /// After SIGTERM: everything is closed and the process exits, whatever is still open.
    pub drain_ms: u64,
}

/// `[admin]`: the listener for those who operate the service.
#[derive(Debug, Clone)]
pub struct Admin {
    /// `host:port`; none: there is no such listener.
    pub listen: Option<String>,
}

/// `[store]`: where sessions live.
#[derive(Debug, Clone)]
pub struct Store {
    /// Empty: the embedded store.
    pub redis_url: Option<SecretString>,
    /// What stored secrets are sealed with: the first seals, all open. Empty: a key derived from the signing key.
    pub sealing_keys: Vec<SealingKey>,
    /// Whether content is sealed as well; there are keys then.
    pub seal_conversations: bool,
    /// Larger records are compressed; 0: none.
    pub compress_over_bytes: usize,
    /// Directory of the embedded store and of generated secrets.
    pub data_dir: PathBuf,
    /// Every answer of Redis must come within this time.
    pub timeout_ms: u64,
    /// What a turn relies on: that Redis has it, or that replicas of Redis have it too.
    pub durability: Durability,
    /// Replicas that must have what a turn relies on.
    pub durable_replicas: u32,
    /// Replicas that do not say so within this time count as failed.
    pub durable_timeout_ms: u64,
    /// Authorities that Redis's certificate is held against; empty: those of this machine.
    pub tls_ca_file: Option<PathBuf>,
    /// This client's own certificate, and its key.
    pub tls_cert_file: Option<PathBuf>,
    pub tls_key_file: Option<PathBuf>,
    /// Who this is for the Sentinels; for Redis itself the URL says it.
    pub sentinel_username: Option<String>,
    pub sentinel_password: Option<SecretString>,
}

/// What counts as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Redis has it.
    Single,
    /// Replicas have it too.
    Durable,
}

/// `[auth]`: tokens and the first administrator.
#[derive(Debug, Clone)]
pub struct Auth {
    /// Signs tokens while `keys` has none; checks those without a key's id.
    pub signing_key: Option<SecretString>,
    /// `[[auth.keys]]`: the first signs, all check.
    pub keys: Vec<SigningKey>,
    /// `[[auth.issuers]]`: whose tokens are taken beside our own.
    pub issuers: Vec<Issuer>,
    /// How long an access token is good for.
    pub token_hours: u64,
    /// How long a login lasts that is not refreshed.
    pub refresh_hours: u64,
    /// How many passwords are checked at once; `None`: half of the cores.
    pub logins_at_once: Option<NonZeroUsize>,
    /// Wrong passwords that may come from one address in a while, for whatever names; 0: no bound.
    pub login_failures_per_address: u32,
    pub admin_username: Option<String>,
    pub admin_password: Option<SecretString>,
}

/// `[limits]`: rates, per user.
#[derive(Debug, Clone)]
pub struct Limits {
    pub requests_per_minute: u32,
    pub turns_per_minute: u32,
}

/// `[turns]`: how a turn runs.
#[derive(Debug, Clone)]
pub struct Turns {
    /// How long a dead replica can keep a session from others.
    pub lease_ms: u64,
    /// A turn that is not done by then ends with what it has.
    pub deadline_ms: u64,
    pub rounds_max: u32,
    pub calls_max: u32,
    /// Tokens that a turn may use; 0: as many as it takes.
    pub tokens_max: u64,
    /// Turns of the conversation that the planner sees.
    pub history_turns: usize,
}

/// `[budgets]`: tokens of a day (UTC); 0: as many as it takes.
#[derive(Debug, Clone)]
pub struct Budgets {
    pub user_tokens_per_day: u64,
    /// Of all users together.
    pub tokens_per_day: u64,
}

/// `[sessions]`: how long a session lives.
#[derive(Debug, Clone)]
pub struct Sessions {
    pub idle_secs: u64,
    pub max_secs: u64,
    /// Turns kept; older ones are dropped from the head.
    pub turns_max: usize,
    /// Beside the one that every user has.
    pub per_user_max: usize,
    /// In how many of a user's sessions runs may be at once; 0: in as many as there are.
    pub running_max: u64,
    pub cleanup_interval_secs: u64,
}

/// `[results]`: replies that a model is not told whole are kept for a while.
#[derive(Debug, Clone)]
pub struct Results {
    pub ttl_secs: u64,
    /// Larger ones are not kept.
    pub bytes_max: usize,
}

/// `[openapi]`: the operator's document. None: the built-in demo.
#[derive(Debug, Clone)]
pub struct OpenApi {
    /// A path or an `http(s)` URL.
    pub file: Option<String>,
    /// `[openapi.server_variables]`: what the document's servers leave open, by name; wins over the document's defaults.
    pub server_variables: BTreeMap<String, String>,
    /// Whether references may lead to other files under the document's own directory.
    pub external_references: bool,
    /// Which operations become functions.
    pub selection: Selection,
    /// How often the documents of all APIs are looked at for changes; 0: never.
    pub watch_secs: u64,
}

/// `[upstream]`: the API behind the document.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Wins over the document's own servers.
    pub base_url: Option<String>,
    /// Other origins, as ASCII (`https://up.test:8443`), that the document's servers may lead to.
    pub origins: Vec<String>,
    /// Sent as `Authorization: Bearer …`.
    pub token: Option<SecretString>,
    /// `[upstream.headers]`: sent with every call, for documents that forget to declare them.
    pub headers: BTreeMap<String, SecretString>,
    /// `[upstream.credentials.<scheme>]`: by the name that the document gives the security scheme.
    pub credentials: BTreeMap<String, Credential>,
    /// In the place of `token` for methods that change something.
    pub token_for_changes: Option<SecretString>,
    /// In the place of those of the same name in `credentials` for methods that change something.
    pub credentials_for_changes: BTreeMap<String, Credential>,
    /// Which changing operations take an idempotency key; the first rule that fits wins over the document.
    pub idempotency: Vec<KeyRule>,
    /// How to look what became of a change whose answer was lost.
    pub probes: Vec<Probe>,
    pub connect_timeout_ms: u64,
    pub timeout_ms: u64,
    pub reply_bytes_max: usize,
}

/// One API: its document, where it is, and what is sent to it beside the calls.
#[derive(Debug, Clone, Default)]
pub struct Api {
    /// What the names of its functions begin with; empty for the API of `[openapi]` and `[upstream]`.
    pub name: String,
    /// A path or an `http(s)` URL; none: the built-in demo.
    pub file: Option<String>,
    pub server_variables: BTreeMap<String, String>,
    pub external_references: bool,
    /// Which operations become functions.
    pub selection: Selection,
    pub base_url: Option<String>,
    pub origins: Vec<String>,
    pub token: Option<SecretString>,
    pub headers: BTreeMap<String, SecretString>,
    pub credentials: BTreeMap<String, Credential>,
    /// In the place of `token` for methods that change something.
    pub token_for_changes: Option<SecretString>,
    /// In the place of those of the same name in `credentials` for methods that change something.
    pub credentials_for_changes: BTreeMap<String, Credential>,
    /// Which changing operations take an idempotency key; the first rule that fits wins over the document.
    pub idempotency: Vec<KeyRule>,
    /// How to look what became of a change whose answer was lost.
    pub probes: Vec<Probe>,
}

impl Api {
    /// One of its settings as messages name it: `openapi.file`, or `apis.shop.file`.
    pub fn setting(&self, key: &str) -> String {
        match (self.name.as_str(), key) {
            ("", "file" | "server_variables" | "external_references") => format!("openapi.{key}"),
            ("", key) => format!("upstream.{key}"),
            (name, key) => format!("apis.{name}.{key}"),
        }
    }
}

/// What one security scheme of a document is satisfied with.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An API key or a bearer token, as it is.
    Secret(SecretString),
    /// RFC 7617.
    Basic { username: String, password: SecretString },
    /// OAuth 2.0 client credentials (RFC 6749, 4.4).
    Client {
        client_id: String,
        client_secret: SecretString,
        /// None: the document's.
        token_url: Option<String>,
        /// None: those that the operation names.
        scopes: Option<Vec<String>>,
    },
}

/// `[llm]`: an OpenAI-compatible endpoint. Without a key and a URL the offline planner serves.
#[derive(Debug, Clone)]
pub struct Llm {
    /// As given: up to `/v1`, or with `/chat/completions`. Set whenever a key is.
    pub url: Option<String>,
    pub api_key: Option<SecretString>,
    pub model: String,
    pub temperature: Option<f64>,
    pub max_tokens: Option<u32>,
    /// What the model takes at once, its answer included.
    pub context_tokens: u64,
    /// An answer must be whole within this time.
    pub timeout_ms: u64,
    /// `[llm.headers]`: sent with every request, beside the key or in its place.
    pub headers: BTreeMap<String, SecretString>,
    /// Whether answers are asked for in pieces where somebody reads along.
    pub stream: Streaming,
    /// Two pieces of an answer may be this far apart.
    pub idle_timeout_ms: u64,
    /// Times that an endpoint is asked which is busy or away.
    pub attempts_max: u32,
    /// `[[llm.fallbacks]]`: asked in this order when the one above has no answer.
    pub fallbacks: Vec<Fallback>,
    pub embeddings: Embeddings,
}

/// `[llm.embeddings]`: functions are found by what a sentence means as well. Without a model they are not.
#[derive(Debug, Clone)]
pub struct Embeddings {
    pub model: Option<String>,
    /// As given: up to `/v1`, or with `/embeddings`. None: where the model is.
    pub url: Option<String>,
    /// None: the model's, if the URL leads to the same origin.
    pub api_key: Option<SecretString>,
    /// What a message means must be known within this time.
    pub timeout_ms: u64,
}

/// Whether a model's server is asked for its answer in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streaming {
    /// Wherever it helps somebody.
    Auto,
    Never,
}

/// An endpoint that stands in for the model's own.
#[derive(Debug, Clone)]
pub struct Fallback {
    pub url: String,
    pub api_key: Option<SecretString>,
    /// None: the same name as in `[llm]`.
    pub model: Option<String>,
    pub headers: BTreeMap<String, SecretString>,
}

/// `[agent]`: how the agent behaves.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Which planned calls wait for the user's yes; none: [`Settings::confirm`] tells by who plans.
    pub confirm: Option<Confirm>,
    /// One that was planned after a reply of the API was read in the same turn does, even if others do not.
    pub confirm_after_reply: bool,
    /// Nothing that changes something is offered or called.
    pub read_only: bool,
    /// Functions that the model is given at once, ours included.
    pub tools_max: usize,
    /// Functions that the model is always given, when it is not given all.
    pub pinned: Vec<String>,
    /// Turns that the model does not see any more are summarised for it.
    pub summaries: bool,
    /// The offline planner takes turns over whose model cannot be asked.
    pub offline_fallback: bool,
    /// The answer shows what was called.
    pub show_call_details: bool,
}

/// `[log]`: what is logged, and how it looks.
#[derive(Debug, Clone)]
pub struct Log {
    /// A tracing filter: `info`, `swagger_api_agent=debug,warn` …
    pub level: String,
    pub format: LogFormat,
}

impl Settings {
    /// Every API that is served, the one of `[openapi]` and `[upstream]` first: it is there when it has a document, or when nothing else is
    /// (and then it is the built-in demo).
    pub fn served_apis(&self) -> Vec<Api> {
        let main = (self.openapi.file.is_some() || self.apis.is_empty()).then(|| Api {
            name: String::new(),
            file: self.openapi.file.clone(),
            server_variables: self.openapi.server_variables.clone(),
            external_references: self.openapi.external_references,
            selection: self.openapi.selection.clone(),
            base_url: self.upstream.base_url.clone(),
            origins: self.upstream.origins.clone(),
            token: self.upstream.token.clone(),
            headers: self.upstream.headers.clone(),
            credentials: self.upstream.credentials.clone(),
            token_for_changes: self.upstream.token_for_changes.clone(),
            credentials_for_changes: self.upstream.credentials_for_changes.clone(),
            idempotency: self.upstream.idempotency.clone(),
            probes: self.upstream.probes.clone(),
        });
        main.into_iter().chain(self.apis.iter().cloned()).collect()
    }
}

/// `[trace]`: spans of turns, for a collector.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The whole address that spans are sent to; none: there are no spans.
    pub url: Option<String>,
    /// Sent with every batch.
    pub headers: BTreeMap<String, SecretString>,
    /// Whether a trace that a client began goes on here.
    pub clients: bool,
    /// Of traces that begin here, of 100.
    pub sample_percent: u8,
    /// Whether spans tell what was said.
    pub content: bool,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
    Json,
    Pretty,
}
