//! The table of all settings: name, kind with its range, and the name it had in the environment before.
//!
//! `defaults.toml` says the same in words; a test holds the two together.

use crate::domain::limits::TOOLS_PROVIDERS_TAKE;

/// What variables of ours begin with.
pub(super) const PREFIX: &str = "SAA_";
/// The variable that names the file of settings.
pub(super) const FILE_VARIABLE: &str = "SAA_CONFIG";

pub(super) struct Key {
    /// `section.key`, as in the file; a list of sections stands for itself.
    pub name: &'static str,
    pub kind: Kind,
    /// The variable of the first implementation; ours wins over it.
    pub older: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Text,
    /// A text that is never printed.
    Secret,
    YesNo,
    Whole {
        least: u64,
        most: u64,
    },
    Decimal {
        least: f64,
        most: f64,
    },
    OneOf(&'static [&'static str]),
    /// The same, or true or false, which such a setting took before it had words.
    OneOfOrYesNo(&'static [&'static str]),
    /// A table or a list; in a variable it is JSON.
    Structure,
}

impl Key {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// `SAA_SECTION__KEY`.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.replace('.', "__").to_uppercase())
    }

    const fn older(self, variable: &'static str) -> Self {
        Self { older: Some(variable), ..self }
    }
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, older: None }
}

const fn whole(name: &'static str, least: u64, most: u64) -> Key {
    key(name, Kind::Whole { least, most })
}

/// In the order of `defaults.toml`.
pub(super) const KEYS: &[Key] = &[
    key("apis", Kind::Structure),
    key("policy", Kind::Structure),
    key("server.host", Kind::Text),
    whole("server.port", 0, 65_535),
    whole("server.connections_max", 1, 1_000_000),
    whole("server.header_timeout_ms", 50, 600_000),
    whole("server.body_timeout_ms", 50, 3_600_000),
    whole("server.idle_timeout_ms", 50, 3_600_000),
    whole("server.body_bytes_max", 1024, 16 * 1024 * 1024),
    key("server.trusted_proxies", Kind::Structure),
    whole("server.drain_notice_ms", 0, 600_000),
    whole("server.drain_ms", 0, 3_600_000),
    key("admin.listen", Kind::Text),
    key("store.redis_url", Kind::Secret).older("REDIS_URL"),
    key("store.sealing_keys", Kind::Secret),
    key("store.seal_conversations", Kind::YesNo),
    whole("store.compress_over_bytes", 0, 16 * 1024 * 1024),
    key("store.data_dir", Kind::Text),
    whole("store.timeout_ms", 50, 60_000),
    key("store.durability", Kind::OneOf(&["single", "durable"])),
    whole("store.durable_replicas", 1, 100),
    whole("store.durable_timeout_ms", 10, 60_000),
    key("store.tls_ca_file", Kind::Text),
    key("store.tls_cert_file", Kind::Text),
    key("store.tls_key_file", Kind::Text),
    key("store.sentinel_username", Kind::Text),
    key("store.sentinel_password", Kind::Secret),
    key("auth.signing_key", Kind::Secret).older("JWT_SECRET_KEY"),
    key("auth.keys", Kind::Structure),
    key("auth.issuers", Kind::Structure),
    whole("auth.token_hours", 1, 8760).older("JWT_EXPIRATION_HOURS"),
    whole("auth.refresh_hours", 1, 87_600),
    whole("auth.logins_at_once", 0, 1024),
    whole("auth.login_failures_per_address", 0, 1_000_000),
    key("auth.admin_username", Kind::Text).older("WEB_API_USERNAME"),
    key("auth.admin_password", Kind::Secret).older("WEB_API_PASSWORD"),
    whole("limits.requests_per_minute", 1, 1_000_000_000),
    whole("limits.turns_per_minute", 1, 1_000_000_000),
    whole("turns.lease_ms", 200, 600_000),
    whole("turns.deadline_ms", 200, 3_600_000),
    whole("turns.rounds_max", 1, 100),
    whole("turns.calls_max", 1, 1000),
    whole("turns.tokens_max", 0, 1_000_000_000),
    whole("turns.history_turns", 0, 1000),
    whole("budgets.user_tokens_per_day", 0, 1_000_000_000_000),
    whole("budgets.tokens_per_day", 0, 1_000_000_000_000),
    whole("sessions.idle_secs", 1, 31_536_000),
    whole("sessions.max_secs", 1, 315_360_000),
    whole("sessions.turns_max", 1, 1_000_000),
    whole("sessions.per_user_max", 0, 1000),
    whole("sessions.running_max", 0, 1000),
    whole("sessions.cleanup_interval_secs", 1, 604_800),
    whole("results.ttl_secs", 1, 604_800),
    whole("results.bytes_max", 1024, 16 * 1024 * 1024),
    key("openapi.file", Kind::Text).older("OPENAPI_FILE"),
    key("openapi.server_variables", Kind::Structure),
    key("openapi.external_references", Kind::YesNo),
    key("openapi.include", Kind::Structure),
    key("openapi.exclude", Kind::Structure),
    whole("openapi.watch_secs", 0, 86_400),
    key("upstream.base_url", Kind::Text).older("API_BASE_URL"),
    key("upstream.origins", Kind::Structure),
    key("upstream.token", Kind::Secret).older("API_TOKEN"),
    key("upstream.headers", Kind::Structure),
    key("upstream.credentials", Kind::Structure),
    key("upstream.token_for_changes", Kind::Secret),
    key("upstream.credentials_for_changes", Kind::Structure),
    key("upstream.idempotency", Kind::Structure),
    key("upstream.probes", Kind::Structure),
    whole("upstream.connect_timeout_ms", 50, 60_000),
    whole("upstream.timeout_ms", 50, 600_000),
    whole("upstream.reply_bytes_max", 1024, 64 * 1024 * 1024),
    key("llm.url", Kind::Text).older("DEEPSEEK_API_URL"),
    key("llm.api_key", Kind::Secret).older("DEEPSEEK_API_KEY"),
    key("llm.model", Kind::Text).older("DEEPSEEK_MODEL"),
    key("llm.temperature", Kind::Decimal { least: 0.0, most: 2.0 }),
    whole("llm.max_tokens", 1, 1_000_000),
    whole("llm.context_tokens", 2048, 10_000_000),
    whole("llm.timeout_ms", 100, 600_000),
    key("llm.headers", Kind::Structure),
    key("llm.stream", Kind::OneOf(&["auto", "never"])),
    whole("llm.idle_timeout_ms", 100, 600_000),
    whole("llm.attempts_max", 1, 10),
    key("llm.fallbacks", Kind::Structure),
    key("llm.embeddings.model", Kind::Text),
    key("llm.embeddings.url", Kind::Text),
    key("llm.embeddings.api_key", Kind::Secret),
    whole("llm.embeddings.timeout_ms", 50, 60_000),
    key("agent.confirm", Kind::OneOfOrYesNo(&["auto", "never", "changing", "always"])).older("REQUIRE_USER_CONFIRMATION"),
    key("agent.confirm_after_reply", Kind::YesNo),
    key("agent.read_only", Kind::YesNo),
    whole("agent.tools_max", 8, TOOLS_PROVIDERS_TAKE - 1),
    key("agent.pinned", Kind::Structure),
    key("agent.summaries", Kind::YesNo),
    key("agent.offline_fallback", Kind::YesNo),
    key("agent.show_call_details", Kind::YesNo).older("SHOW_API_CALL_DETAILS"),
    key("log.level", Kind::Text).older("LOG_LEVEL"),
    key("log.format", Kind::OneOf(&["auto", "json", "pretty"])),
    key("trace.url", Kind::Text).older("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    key("trace.headers", Kind::Structure),
    key("trace.clients", Kind::YesNo),
    whole("trace.sample_percent", 0, 100),
    key("trace.content", Kind::YesNo),
];
