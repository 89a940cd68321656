//! From the layers to the settings.

use std::{net::IpAddr, num::NonZeroUsize};

use ipnet::IpNet;

use super::{
    Admin, Agent, Auth, Budgets, Durability, Embeddings, Limits, Llm, Log, LogFormat, OpenApi, Results, Server, Sessions, Settings, Store,
    Streaming, Trace, Turns, Upstream, apis,
    check::{self, Purpose},
    fallbacks, idempotency, issuers,
    keys::KEYS,
    layers::Layers,
    policy,
    problems::Problems,
    reader::Reader,
    signing,
    source::{Source, Sources},
    tables::{self, Notes, Part},
};
use crate::domain::{
    limits::{PINNED_FUNCTIONS_MAX, TRUSTED_PROXIES_MAX},
    policy::Confirm,
    selection::Selection,
};

/// Where the model is when only its key was given.
const LLM_URL_DEFAULT: &str = "https://api.deepseek.com/v1";

impl Settings {
    /// The defaults alone: the built-in demo, the offline planner, the embedded store in `./data`.
    pub fn builtin() -> Self {
        read(&mut Reader { layers: Layers::of_defaults() })
    }

    /// Defaults ← file ← environment ← flags.
    ///
    /// # Errors
    /// Everything that is wrong, at once. A value that a later layer overrides is not looked at.
    pub fn load(sources: Sources) -> Result<Self, Problems> {
        Self::load_for(Purpose::Anything, sources)
    }

    /// As [`Settings::load`], for a process that will serve: it also needs what only serving needs, which is a signing key when
    /// the store is Redis, because every replica must use the same.
    pub fn load_for_serving(sources: Sources) -> Result<Self, Problems> {
        Self::load_for(Purpose::Serving, sources)
    }

    fn load_for(purpose: Purpose, sources: Sources) -> Result<Self, Problems> {
        let mut reader = Reader { layers: Layers::of(sources) };
        let settings = read(&mut reader);
        check::check(&settings, purpose, &mut reader);
        match Problems::of(reader.layers.problems) {
            None => Ok(settings),
            Some(problems) => Err(problems),
        }
    }
}

/// Networks, like `10.0.0.0/8`, or single addresses.
fn networks(part: &Part<'_>, notes: &mut Notes) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in part.few_texts(TRUSTED_PROXIES_MAX, notes) {
        match text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            Ok(network) => networks.push(network),
            Err(_) => notes.refuse(&part.path, format!("has {text:?}, which is no network like 10.0.0.0/8, and no address")),
        }
    }
    networks
}

/// Every field from its key. Numbers and texts that defaults.toml sets are there unless they were refused, and then nobody sees these.
fn read(from: &mut Reader) -> Settings {
    let mut settings = Settings {
        server: Server {
            host: from.text("server.host").unwrap_or_default(),
            port: from.whole("server.port"),
            connections_max: from.whole("server.connections_max"),
            header_timeout_ms: from.whole("server.header_timeout_ms"),
            body_timeout_ms: from.whole("server.body_timeout_ms"),
            idle_timeout_ms: from.whole("server.idle_timeout_ms"),
            body_bytes_max: from.whole("server.body_bytes_max"),
            trusted_proxies: tables::read(from, "server.trusted_proxies", |part, notes| networks(&part, notes)),
            drain_notice_ms: from.whole("server.drain_notice_ms"),
            drain_ms: from.whole("server.drain_ms"),
        },
        admin: Admin { listen: from.text("admin.listen").filter(|listen| listen != "off") },
        store: Store {
            redis_url: from.secret("store.redis_url"),
            sealing_keys: super::sealing::keys(from),
            seal_conversations: from.yes_no("store.seal_conversations"),
            compress_over_bytes: from.whole("store.compress_over_bytes"),
            data_dir: from.text("store.data_dir").unwrap_or_default().into(),
            timeout_ms: from.whole("store.timeout_ms"),
            durability: if from.one_of("store.durability") == Some("durable") { Durability::Durable } else { Durability::Single },
            durable_replicas: from.whole("store.durable_replicas"),
            durable_timeout_ms: from.whole("store.durable_timeout_ms"),
            tls_ca_file: from.text("store.tls_ca_file").map(Into::into),
            tls_cert_file: from.text("store.tls_cert_file").map(Into::into),
            tls_key_file: from.text("store.tls_key_file").map(Into::into),
            sentinel_username: from.text("store.sentinel_username"),
            sentinel_password: from.secret("store.sentinel_password"),
        },
        auth: Auth {
            signing_key: from.secret("auth.signing_key"),
            keys: tables::read(from, "auth.keys", |part, notes| signing::keys(&part, notes)),
            issuers: tables::read(from, "auth.issuers", |part, notes| issuers::issuers(&part, notes)),
            token_hours: from.whole("auth.token_hours"),
            refresh_hours: from.whole("auth.refresh_hours"),
            logins_at_once: NonZeroUsize::new(from.whole("auth.logins_at_once")),
            login_failures_per_address: from.whole("auth.login_failures_per_address"),
            admin_username: from.text("auth.admin_username"),
            admin_password: from.secret("auth.admin_password"),
        },
        limits: Limits {
            requests_per_minute: from.whole("limits.requests_per_minute"),
            turns_per_minute: from.whole("limits.turns_per_minute"),
        },
        turns: Turns {
            lease_ms: from.whole("turns.lease_ms"),
            deadline_ms: from.whole("turns.deadline_ms"),
            rounds_max: from.whole("turns.rounds_max"),
            calls_max: from.whole("turns.calls_max"),
            tokens_max: from.whole("turns.tokens_max"),
            history_turns: from.whole("turns.history_turns"),
        },
        budgets: Budgets {
            user_tokens_per_day: from.whole("budgets.user_tokens_per_day"),
            tokens_per_day: from.whole("budgets.tokens_per_day"),
        },
        sessions: Sessions {
            idle_secs: from.whole("sessions.idle_secs"),
            max_secs: from.whole("sessions.max_secs"),
            turns_max: from.whole("sessions.turns_max"),
            per_user_max: from.whole("sessions.per_user_max"),
            running_max: from.whole("sessions.running_max"),
            cleanup_interval_secs: from.whole("sessions.cleanup_interval_secs"),
        },
        results: Results { ttl_secs: from.whole("results.ttl_secs"), bytes_max: from.whole("results.bytes_max") },
        openapi: OpenApi {
            file: from.text("openapi.file"),
            server_variables: tables::read(from, "openapi.server_variables", |part, notes| part.texts(notes)),
            external_references: from.yes_no("openapi.external_references"),
            selection: Selection {
                include: tables::read(from, "openapi.include", |part, notes| apis::rules(&part, notes)),
                exclude: tables::read(from, "openapi.exclude", |part, notes| apis::rules(&part, notes)),
            },
            watch_secs: from.whole("openapi.watch_secs"),
        },
        upstream: Upstream {
            base_url: from.text("upstream.base_url"),
            origins: tables::read(from, "upstream.origins", |part, notes| apis::origins(&part, notes)),
            token: from.secret("upstream.token"),
            headers: tables::read(from, "upstream.headers", |part, notes| apis::headers(&part, notes)),
            credentials: tables::read(from, "upstream.credentials", |part, notes| apis::credentials(&part, notes)),
            token_for_changes: from.secret("upstream.token_for_changes"),
            credentials_for_changes: tables::read(from, "upstream.credentials_for_changes", |part, notes| apis::credentials(&part, notes)),
            idempotency: tables::read(from, "upstream.idempotency", |part, notes| idempotency::key_rules(&part, notes)),
            probes: tables::read(from, "upstream.probes", |part, notes| idempotency::probes(&part, notes)),
            connect_timeout_ms: from.whole("upstream.connect_timeout_ms"),
            timeout_ms: from.whole("upstream.timeout_ms"),
            reply_bytes_max: from.whole("upstream.reply_bytes_max"),
        },
        apis: tables::read(from, "apis", |part, notes| apis::apis(&part, notes)),
        policy: tables::read(from, "policy", |part, notes| policy::policy(&part, notes)),
        llm: Llm {
            url: from.text("llm.url"),
            api_key: from.secret("llm.api_key"),
            model: from.text("llm.model").unwrap_or_default(),
            temperature: from.decimal_or_none("llm.temperature"),
            max_tokens: from.whole_or_none("llm.max_tokens"),
            context_tokens: from.whole("llm.context_tokens"),
            timeout_ms: from.whole("llm.timeout_ms"),
            headers: tables::read(from, "llm.headers", |part, notes| apis::headers(&part, notes)),
            stream: if from.one_of("llm.stream") == Some("never") { Streaming::Never } else { Streaming::Auto },
            idle_timeout_ms: from.whole("llm.idle_timeout_ms"),
            attempts_max: from.whole("llm.attempts_max"),
            fallbacks: tables::read(from, "llm.fallbacks", |part, notes| fallbacks::fallbacks(&part, notes)),
            embeddings: Embeddings {
                model: from.text("llm.embeddings.model"),
                url: from.text("llm.embeddings.url"),
                api_key: from.secret("llm.embeddings.api_key"),
                timeout_ms: from.whole("llm.embeddings.timeout_ms"),
            },
        },
        agent: Agent {
            confirm: confirm(from),
            confirm_after_reply: from.yes_no("agent.confirm_after_reply"),
            read_only: from.yes_no("agent.read_only"),
            tools_max: from.whole("agent.tools_max"),
            pinned: tables::read(from, "agent.pinned", |part, notes| part.few_texts(PINNED_FUNCTIONS_MAX, notes)),
            summaries: from.yes_no("agent.summaries"),
            offline_fallback: from.yes_no("agent.offline_fallback"),
            show_call_details: from.yes_no("agent.show_call_details"),
        },
        log: Log { level: level(from), format: format(from) },
        trace: Trace {
            url: from.text("trace.url"),
            headers: tables::read(from, "trace.headers", |part, notes| apis::headers(&part, notes)),
            clients: from.yes_no("trace.clients"),
            sample_percent: from.whole("trace.sample_percent"),
            content: from.yes_no("trace.content"),
        },
        found: KEYS.iter().map(|key| (key.name, from.layers.source(key.name))).filter(|(_, at)| *at != Source::Default).collect(),
    };
    if settings.llm.api_key.is_some() {
        settings.llm.url.get_or_insert_with(|| LLM_URL_DEFAULT.to_owned());
    }
    settings
}

/// What was true and false before there were more than two.
fn confirm(from: &mut Reader) -> Option<Confirm> {
    match from.one_of("agent.confirm")? {
        "true" => Some(Confirm::Changing),
        "false" => Some(Confirm::Never),
        word => Confirm::parse(word),
    }
}

/// A level as tracing says it: the first implementation took Python's names.
fn level(from: &mut Reader) -> String {
    let level = from.text("log.level").unwrap_or_default();
    match level.to_uppercase().as_str() {
        "WARNING" => "warn".to_owned(),
        "CRITICAL" | "FATAL" => "error".to_owned(),
        "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" | "OFF" => level.to_lowercase(),
        _ => level,
    }
}

fn format(from: &mut Reader) -> LogFormat {
    match from.one_of("log.format") {
        Some("json") => LogFormat::Json,
        Some("pretty") => LogFormat::Pretty,
        _ => LogFormat::Auto,
    }
}
